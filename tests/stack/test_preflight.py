"""Who connects without TLS, from the exported log to the decision, over the template's own roles and tables."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from moto.logs.models import LogEvent, LogStream, logs_backends

from stack import fleet
from stack.deployed import ACCOUNT, Deployed, policy_text
from stack.desk import answered, desk

if TYPE_CHECKING:
    from stack.conftest import Deploy

TLS = "cluster_tls_enforced"
POLICY = policy_text(only=(TLS,))
GROUP = "/aws/rds/cluster/orders/postgresql"
ENCRYPTED = "SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)"


@pytest.fixture
def stack(deploy: Deploy) -> Deployed:
    stack = deploy(policy=POLICY)
    fleet.cluster(stack)
    fleet.member(stack, "orders-1", "orders")
    return stack


def logged(stack: Deployed, what: str, *, days: int = 16, hours: float = 1) -> None:
    """A connection a day, in a log group that has long been there."""
    backend = logs_backends[ACCOUNT]["eu-west-1"]
    if GROUP not in backend.groups:
        stack.client("logs").create_log_group(logGroupName=GROUP)
        stack.client("logs").create_log_stream(logGroupName=GROUP, logStreamName="orders-1.0")
    group = backend.groups[GROUP]
    group.creation_time = (stack.now() - timedelta(days=99)).replace(tzinfo=None)
    stream: LogStream = group.streams["orders-1.0"]
    for day in range(days):
        at = stack.now() - timedelta(days=day, hours=hours)
        line = (
            f"{at:%Y-%m-%d %H:%M:%S} UTC:10.0.0.5(51234):app@orders:[7]:LOG:  connection authorized: {what}"
        )
        stream.events.append(LogEvent(0, {"timestamp": int(at.timestamp() * 1000), "message": line}))


def drift(stack: Deployed) -> None:
    """Alice turns the demand for TLS off; the queries run, and the tick picks their answers up."""
    off = fleet.as_parameters({"rds.force_ssl": "0"})
    stack.as_alice("modify_db_cluster_parameter_group", DBClusterParameterGroupName="orders", Parameters=off)
    stack.hours_later(0.5)


def is_on(stack: Deployed) -> bool:
    found = stack.client("rds").describe_db_cluster_parameters(
        DBClusterParameterGroupName="orders", Source="user"
    )["Parameters"]
    return any(one["ParameterName"] == "rds.force_ssl" and one["ParameterValue"] == "1" for one in found)


def test_without_a_log_it_is_unknown_and_a_line_of_the_policy_is_not_enough(stack: Deployed) -> None:
    drift(stack)
    assert not is_on(stack)
    [request] = desk(stack).requests()
    assert request.finding.decision["preflight"]["outcome"] == "unknown"
    assert "log group does not exist" in request.finding.decision["preflight"]["why"]


def test_a_client_without_tls_is_shown_to_whoever_approves(stack: Deployed) -> None:
    logged(stack, f"user=app database=orders {ENCRYPTED}")
    logged(stack, "user=printer database=orders application_name=labels", days=1)
    drift(stack)
    assert not is_on(stack)
    [request] = desk(stack).requests()
    [client] = request.finding.decision["preflight"]["clients"]
    assert (client["user"], client["address"], client["application"]) == ("printer", "10.0.0.5", "labels")
    assert "printer" in json.dumps(stack.tickets[-1])
    [decision] = [
        e for e in stack.entries("decision", control=TLS) if e["after"]["action"] == "AWAIT_APPROVAL"
    ]
    assert decision["after"]["preflight"]["outcome"] == "seen"

    answered(stack, request)
    assert is_on(stack)


def test_a_client_that_appears_after_the_approval_makes_it_void(stack: Deployed) -> None:
    logged(stack, "user=printer database=orders", days=1)
    drift(stack)
    [request] = desk(stack).requests()
    stack.hours_later(7)
    logged(stack, "user=till database=orders", days=1)
    answered(stack, request)
    stack.hours_later(1)
    assert not is_on(stack)
    [again] = desk(stack).requests()
    assert {one["user"] for one in again.finding.decision["preflight"]["clients"]} == {"printer", "till"}


def test_a_whole_cycle_without_such_a_client_and_a_line_of_the_policy_are_enough(stack: Deployed) -> None:
    logged(stack, f"user=app database=orders {ENCRYPTED}")
    drift(stack)
    assert is_on(stack)
    assert desk(stack).requests() == []


def test_a_day_without_a_line_is_a_day_without_a_log(stack: Deployed) -> None:
    logged(stack, f"user=app database=orders {ENCRYPTED}", days=9)
    drift(stack)
    assert not is_on(stack)
    assert "logged no connection on" in stack.finding(TLS).decision["preflight"]["why"]
