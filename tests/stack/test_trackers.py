"""From drift to a ticket in a tracker, and back: the deployed functions, the template's rights, a real conversation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from fakes.trackers import Fault, desk
from fakes.trackers.events import PagerDuty
from fakes.trackers.jira import DECLINED, DONE, Jira
from stack import fleet
from stack.deployed import ACCOUNT, policy_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.trackers import Server
    from stack.conftest import Deploy
    from stack.deployed import Deployed

PROTECTION = "cluster_deletion_protection_enabled"
SINKS = """
[[tickets.sinks]]
type = "jira"
site = "https://acme.atlassian.net"
secret = "warden/jira"
project = "OPS"

[[tickets.sinks]]
type = "pagerduty"
secret = "warden/pagerduty"
page = ["CRITICAL", "HIGH", "MEDIUM", "LOW"]
"""


class Outside:
    """What is outside of AWS."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.jira, self.pagerduty = Jira(), PagerDuty()
        server.reset(self.jira, self.pagerduty)

    def status(self) -> str:
        [issue] = self.jira.issues.values()
        return str(issue["fields"]["status"]["name"])


@pytest.fixture
def outside(trackers: Server, monkeypatch: pytest.MonkeyPatch) -> Outside:
    monkeypatch.setattr("warden.gateways.http.verified", trackers.connect)
    # The parameter of the stack names the secrets before moto makes them, with six letters of its choice.
    identifier = "moto.secretsmanager.models.SecretsManagerSecretIdentifier"
    monkeypatch.setattr(f"{identifier}.generate", lambda made, **_: desk.arn_of(made.name.partition("/")[2]))
    return Outside(trackers)


@pytest.fixture
def deployed(deploy: Deploy, outside: Outside) -> Iterator[Deployed]:
    """A deployment that only tells, with two sinks by HTTPS."""
    arns = [desk.arn_of(name) for name in ("jira", "pagerduty")]
    stack = deploy(
        policy=policy_text(only=(PROTECTION,), mode="ticket", more=SINKS),
        parameters={"TicketSecretArns": ",".join(arns)},
    )
    secrets = stack.client("secretsmanager")
    for name, system in (("jira", outside.jira), ("pagerduty", outside.pagerduty)):
        value = json.dumps(desk.secret_of(name, system))
        secrets.create_secret(Name=f"warden/{name}", SecretString=value)
    yield stack
    assert outside.server.refused == []
    assert outside.jira.password not in json.dumps(stack.logs, default=str)


def drift(stack: Deployed, *, protected: bool = False) -> None:
    stack.as_alice("modify_db_cluster", DBClusterIdentifier="orders", DeletionProtection=protected)


def test_a_ticket_follows_the_drift(deployed: Deployed, outside: Outside) -> None:
    fleet.cluster(deployed, DeletionProtection=True)
    drift(deployed)
    assert outside.status() == "Zu erledigen"
    assert list(outside.pagerduty.alerts.values()) == ["triggered"]

    drift(deployed, protected=True)
    assert outside.status() == "Fertig"
    assert list(outside.pagerduty.alerts.values()) == ["resolved"]

    drift(deployed)
    assert outside.status() == "Zu erledigen"
    assert list(outside.pagerduty.alerts.values()) == ["triggered"]
    assert len(outside.jira.issues) == 1


def test_a_create_whose_answer_is_lost_makes_one_ticket(deployed: Deployed, outside: Outside) -> None:
    outside.jira.lagging = True
    outside.server.faults.append(Fault(on="POST /rest/api/3/issue", resets=True, commits=True))
    fleet.cluster(deployed, DeletionProtection=True)
    drift(deployed)
    outside.jira.unindexed.clear()
    deployed.hours_later(1)
    assert len(outside.jira.issues) == 1
    drift(deployed, protected=True)
    assert outside.status() == "Fertig"


def test_no_request_is_made_that_could_outlast_its_invocation(
    deployed: Deployed, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warden.wiring._GRACE", -1_000.0)
    fleet.cluster(deployed, DeletionProtection=True)
    drift(deployed)
    assert (outside.jira.issues, outside.pagerduty.alerts) == ({}, {})
    monkeypatch.setattr("warden.wiring._GRACE", 15.0)
    deployed.hours_later(1)
    assert outside.status() == "Zu erledigen"
    assert list(outside.pagerduty.alerts.values()) == ["triggered"]


def test_a_token_that_is_replaced_delivers_what_waited(deployed: Deployed, outside: Outside) -> None:
    outside.jira.password = "another"
    fleet.cluster(deployed, DeletionProtection=True)
    drift(deployed)
    assert outside.jira.issues == {}
    assert list(outside.pagerduty.alerts.values()) == ["triggered"], "one sink holds up no other"
    deployed.client("secretsmanager").put_secret_value(
        SecretId="warden/jira", SecretString=json.dumps(desk.secret_of("jira", outside.jira))
    )
    deployed.hours_later(1)
    assert outside.status() == "Zu erledigen"


@pytest.mark.slow
def test_a_person_who_closes_it_sees_it_again_once_and_who_declines_asks(
    deployed: Deployed, outside: Outside
) -> None:
    fleet.cluster(deployed, DeletionProtection=True)
    drift(deployed)
    [number] = outside.jira.issues
    outside.jira.person(number, DONE, "Erledigt")
    deployed.hours_later(1)
    assert outside.status() == "Zu erledigen"
    outside.jira.person(number, DECLINED, "Won't Do")
    deployed.hours_later(1)
    assert outside.status() == "Won't Do"
    assert "request for an exemption" in json.dumps(outside.jira.issues[number]["comments"])
    assert deployed.finding(PROTECTION).is_open
    assert ACCOUNT in json.dumps(outside.jira.issues[number]["fields"])


@pytest.mark.slow
def test_what_warden_puts_right_is_a_change_event_each_time_and_no_ticket(
    deploy: Deploy, outside: Outside
) -> None:
    stack = deploy(
        policy=policy_text(only=(PROTECTION,), more=SINKS),
        parameters={"TicketSecretArns": ",".join(desk.arn_of(name) for name in ("jira", "pagerduty"))},
    )
    for name, system in (("jira", outside.jira), ("pagerduty", outside.pagerduty)):
        stack.client("secretsmanager").create_secret(
            Name=f"warden/{name}", SecretString=json.dumps(desk.secret_of(name, system))
        )
    fleet.cluster(stack, DeletionProtection=True)
    for times in (1, 2):
        drift(stack)
        stack.hours_later(0.5)
        assert not stack.finding(PROTECTION).is_open
        assert len(outside.pagerduty.changes) == times
    summary = outside.pagerduty.changes[0]["payload"]["summary"]
    assert summary.startswith("Aurora Warden put right: ")
    assert outside.pagerduty.alerts == {}
    assert outside.jira.issues == {}
    assert outside.server.refused == []
