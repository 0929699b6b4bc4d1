"""Who connects without TLS, from the exported log to the decision, over the template's own roles and tables."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from moto.logs.models import LogEvent, LogStream, logs_backends
from moto.rds.models import rds_backends
from moto.rdsdata.models import QueryResults, rdsdata_backends

from stack import fleet
from stack.deployed import ACCOUNT, Deployed, policy_text
from stack.desk import answered, desk, stopped
from warden.core import open_sessions

if TYPE_CHECKING:
    from datetime import datetime

    from stack.conftest import Deploy

TLS = "cluster_tls_enforced"
POLICY = policy_text(only=(TLS,))
GROUP = "/aws/rds/cluster/orders/postgresql"
ENCRYPTED = "SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)"


@pytest.fixture
def stack(deploy: Deploy) -> Deployed:
    stack = deploy(policy=POLICY)
    fleet.cluster(stack)
    member(stack, "orders-1")
    rds_backends[ACCOUNT]["eu-west-1"].clusters["orders"].cluster_create_time = long_ago(stack)
    return stack


def long_ago(stack: Deployed) -> datetime:
    return (stack.now() - timedelta(days=99)).replace(tzinfo=None)


def member(stack: Deployed, name: str, *, days: float = 99) -> None:
    fleet.member(stack, name, "orders")
    made = (stack.now() - timedelta(days=days)).replace(tzinfo=None)
    rds_backends[ACCOUNT]["eu-west-1"].databases[name].created = made


def line(stack: Deployed, what: str, *, hours: float, instance: str = "orders-1", who: str = "app") -> None:
    """A line that the log has had for so many hours, in a log group that has long been there."""
    backend = logs_backends[ACCOUNT]["eu-west-1"]
    if GROUP not in backend.groups:
        stack.client("logs").create_log_group(logGroupName=GROUP)
        backend.groups[GROUP].creation_time = long_ago(stack)
    group = backend.groups[GROUP]
    if f"{instance}.0" not in group.streams:
        stack.client("logs").create_log_stream(logGroupName=GROUP, logStreamName=f"{instance}.0")
    at = stack.now() - timedelta(hours=hours)
    text = f"{at:%Y-%m-%d %H:%M:%S} UTC:10.0.0.5(51234):{who}@orders:[7]:LOG:  connection authorized: {what}"
    stream: LogStream = group.streams[f"{instance}.0"]
    stream.events.append(LogEvent(0, {"timestamp": int(at.timestamp() * 1000), "message": text}))


def logged(stack: Deployed, *, days: float = 15, instance: str = "orders-1", until: float = -6) -> None:
    """A connection with TLS in every hour of so many days, and of six to come, or until so many hours ago."""
    for hour in range(int(until), int(days * 24)):
        line(stack, f"user=app database=orders {ENCRYPTED}", hours=hour + 0.1, instance=instance)


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
    logged(stack)
    line(stack, "user=printer database=orders application_name=labels", hours=30, who="printer")
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

    # What was approved is written once nobody new is found in the time since.
    answered(stack, request)
    assert stack.finding(TLS).decision["reason"] == "preflight"
    stack.hours_later(0.25)
    assert is_on(stack)


@pytest.mark.slow
def test_a_client_that_appears_between_the_approval_and_the_write_makes_the_approval_void(
    stack: Deployed,
) -> None:
    logged(stack)
    line(stack, "user=printer database=orders", hours=30)
    drift(stack)
    [request] = desk(stack).requests()
    stack.hours_later(2)
    line(stack, "user=till database=orders", hours=0.5)
    answered(stack, request)
    assert not is_on(stack)
    stack.hours_later(1)
    assert not is_on(stack)
    [again] = desk(stack).requests()
    assert {one["user"] for one in again.finding.decision["preflight"]["clients"]} == {"printer", "till"}

    answered(stack, again)
    stack.hours_later(0.25)
    assert is_on(stack)


@pytest.mark.slow
def test_a_whole_cycle_without_such_a_client_and_a_line_of_the_policy_are_enough(stack: Deployed) -> None:
    logged(stack)
    drift(stack)
    assert is_on(stack)
    assert desk(stack).requests() == []
    [decision] = [e for e in stack.entries("decision", control=TLS) if e["after"]["action"] == "REMEDIATE"]
    assert decision["after"]["preflight"]["outcome"] == "none_seen"


@pytest.mark.slow
def test_a_client_of_the_hours_since_the_look_holds_the_write_up(stack: Deployed) -> None:
    logged(stack)
    stopped(stack, stopping=True)
    drift(stack)
    assert stack.finding(TLS).decision["preflight"]["outcome"] == "none_seen"
    line(stack, "user=till database=orders", hours=-1)
    stack.hours_later(2)
    stopped(stack, stopping=False)
    stack.hours_later(1)
    assert not is_on(stack)
    [request] = desk(stack).requests()
    assert [one["user"] for one in request.finding.decision["preflight"]["clients"]] == ["till"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("days", "until", "why"),
    [(9, -6, "orders-1 logged no connection in"), (15, 3, "orders-1 logged no connection in")],
)
def test_an_hour_without_a_line_is_an_hour_without_a_log(
    stack: Deployed, days: int, until: int, why: str
) -> None:
    logged(stack, days=days, until=until)
    drift(stack)
    assert not is_on(stack)
    assert stack.finding(TLS).decision["preflight"]["outcome"] == "unknown"
    assert why in stack.finding(TLS).decision["preflight"]["why"]


@pytest.mark.slow
def test_a_reader_whose_log_is_missing_leaves_it_unknown_and_a_new_one_does_not(stack: Deployed) -> None:
    logged(stack)
    member(stack, "orders-2", days=99)
    drift(stack)
    assert "orders-2 logged no connection" in stack.finding(TLS).decision["preflight"]["why"]


@pytest.mark.slow
def test_a_new_reader_need_not_have_logged_before_it_was_there(stack: Deployed) -> None:
    logged(stack)
    member(stack, "orders-2", days=2)
    logged(stack, days=2, instance="orders-2")
    drift(stack)
    assert is_on(stack)


SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:warden/look-AbCdEf"
WRITER = f"""
[[preflight.data_api]]
cluster = "arn:aws:rds:eu-west-1:{ACCOUNT}:cluster:orders"
secret = "{SECRET}"
"""


@pytest.mark.slow
def test_a_session_that_the_writer_tells_of_is_shown_although_no_log_is(deploy: Deploy) -> None:
    stack = deploy(policy=POLICY + WRITER, parameters={"DataApiSecretArns": SECRET})
    arn = fleet.cluster(stack)
    with stack.quietly() as rds:
        rds.enable_http_endpoint(ResourceArn=arn)
    member(stack, "orders-1")
    row: list[dict[str, Any]] = [
        {"booleanValue": True},
        *({"stringValue": word} for word in ("till", "10.0.0.9")),
    ]
    row += [{"isNull": True}, {"stringValue": "checkout"}, {"longValue": 3}]
    asked = rdsdata_backends[ACCOUNT]["eu-west-1"].sql_results
    asked[arn, open_sessions.statement("aurora-postgresql")] = QueryResults(records=[row])
    drift(stack)
    stack.sweep()
    [request] = desk(stack).requests()
    told = request.finding.decision["preflight"]
    assert told["outcome"] == "seen"
    [client] = told["clients"]
    assert (client["user"], client["address"], client["application"]) == ("till", "10.0.0.9", "checkout")
    assert told["why"] == "its log group does not exist"
    assert not is_on(stack)
