"""Events and messages: PagerDuty, Slack, Teams, and the signed webhook."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fakes.trackers import Fault, TrackerAnswer, desk
from fakes.trackers.desk import FINDING, a_ticket
from warden.core.errors import CredentialsError, RejectedError
from warden.core.ticket import TicketState

if TYPE_CHECKING:
    from fakes.trackers import Server

CRITICAL = replace(FINDING, severity="CRITICAL")
FAILED = replace(FINDING, severity="LOW", decision={"action": "TICKET", "reason": "remediation_failed"})


@pytest.mark.parametrize(
    ("finding", "pages"),
    [
        (CRITICAL, True),
        (FINDING, False),
        (FAILED, True),
        (replace(FAILED, decision={"action": "TICKET", "reason": "circuit_open"}), True),
        (replace(FAILED, decision={"action": "TICKET", "reason": "refused"}), True),
        (replace(FAILED, decision={"action": "TICKET", "reason": "unverified"}), True),
        (replace(FAILED, decision={"action": "TICKET", "reason": "mode"}), False),
    ],
)
def test_pagerduty_pages_for_what_is_critical_or_failed(
    trackers: Server, finding: object, pages: bool
) -> None:
    made = desk.desk(trackers, "pagerduty")
    ticket = a_ticket(finding=finding)  # type: ignore[arg-type]
    made.sink.notify(ticket)
    assert made.system.alerts == ({ticket.id: "triggered"} if pages else {})
    assert made.server.refused == []


def test_pagerduty_is_told_of_the_same_under_the_same_key_and_resolved_by_it(trackers: Server) -> None:
    made = desk.desk(trackers, "pagerduty")
    opened = a_ticket(finding=CRITICAL)
    made.sink.notify(opened)
    made.sink.notify(a_ticket(TicketState.UPDATED, finding=CRITICAL))
    assert made.system.alerts == {opened.id: "triggered"}
    made.sink.notify(a_ticket(TicketState.RESOLVED, finding=CRITICAL))
    assert made.system.alerts == {opened.id: "resolved"}
    made.sink.notify(a_ticket(TicketState.REOPENED, finding=CRITICAL))
    assert made.system.alerts == {opened.id: "triggered"}
    assert made.system.changes == []
    assert made.server.refused == []


def test_pagerduty_is_acknowledged_where_warden_is_at_it(trackers: Server) -> None:
    made = desk.desk(trackers, "pagerduty")
    ticket = a_ticket(finding=replace(CRITICAL, decision={"action": "DEFER", "reason": "busy"}))
    made.sink.notify(ticket)
    assert made.system.alerts == {ticket.id: "acknowledged"}


def test_what_warden_put_right_is_a_change_event_and_pages_nobody(trackers: Server) -> None:
    made = desk.desk(trackers, "pagerduty")
    made.sink.notify(a_ticket(TicketState.RESOLVED, finding=CRITICAL, is_change=True))
    [change] = made.system.changes
    assert change["payload"]["summary"].startswith("Aurora Warden put right: [CRITICAL] orders")
    assert (made.system.alerts, made.system.events) == ({}, [])
    assert made.server.refused == []


def test_an_event_that_is_too_long_loses_its_details_and_pages(trackers: Server) -> None:
    made = desk.desk(trackers, "pagerduty")
    ticket = a_ticket(finding=replace(CRITICAL, evidence={"Rules": ["ü" * 1000] * 200}))
    made.sink.notify(ticket)
    assert made.system.alerts == {ticket.id: "triggered"}
    assert made.system.events[0]["payload"]["custom_details"]["ticket"] == ticket.id


def test_pagerduty_with_a_wrong_key_is_refused(trackers: Server) -> None:
    made = desk.desk(trackers, "pagerduty")
    made.secrets.values[desk.arn_of("pagerduty")] = {"routing_key": "f" * 32}
    for act in (made.sink.check, lambda: made.sink.notify(a_ticket(finding=CRITICAL))):
        with pytest.raises(CredentialsError, match="Invalid routing key"):
            act()


def test_slack_and_teams_show_the_ticket(trackers: Server) -> None:
    for name, shelf in (("slack", "messages"), ("teams", "cards")):
        made = desk.desk(trackers, name)
        for state in TicketState:
            made.sink.notify(a_ticket(state))
        assert len(getattr(made.system, shelf)) == len(TicketState)
        told = json.dumps(getattr(made.system, shelf), ensure_ascii=False)
        assert all(f"[HIGH] {state}: orders" in told for state in TicketState)
        assert "orders takes connections without TLS." in told
        assert "How to fix" not in told or "describe-db-clusters" in told
        assert made.server.refused == []


def test_a_check_of_a_channel_posts_nothing(trackers: Server) -> None:
    for name, shelf in (
        ("slack", "messages"),
        ("teams", "cards"),
        ("webhook", "deliveries"),
        ("pagerduty", "alerts"),
    ):
        made = desk.desk(trackers, name)
        made.sink.check()
        assert not getattr(made.system, shelf)
        assert made.server.refused == []


def test_a_webhook_of_slack_that_is_no_more_is_a_matter_of_its_secret(trackers: Server) -> None:
    made = desk.desk(trackers, "slack")
    made.secrets.values[desk.arn_of("slack")] = {"url": "https://hooks.slack.com/services/T1/B1/gone"}
    for act in (made.sink.check, lambda: made.sink.notify(a_ticket())):
        with pytest.raises(CredentialsError, match="new webhook"):
            act()


@pytest.mark.parametrize("name", ["slack", "teams"])
def test_no_part_of_a_webhooks_address_is_told(trackers: Server, name: str) -> None:
    made = desk.desk(trackers, name)
    path = made.system.path
    for echo in (path, path.rpartition("/")[2], path.rpartition("=")[2]):
        made.server.faults.append(Fault(answer=TrackerAnswer(400, f"no such hook: {echo}".encode())))
        with pytest.raises(RejectedError, match=r"\*\*\*") as caught:
            made.sink.notify(a_ticket())
        assert "s3cret" not in str(caught.value)


def test_a_delivery_is_signed_and_the_same_when_it_is_repeated(trackers: Server) -> None:
    made = desk.desk(trackers, "webhook")
    made.sink.notify(a_ticket())
    made.sink.notify(a_ticket())
    assert len(made.system.deliveries) == 1
    made.sink.notify(a_ticket(TicketState.RESOLVED))
    assert [one["state"] for one in made.system.deliveries.values()] == ["OPEN", "RESOLVED"]
    assert made.server.refused == []


def test_a_receiver_that_does_not_know_the_key_is_told_by_a_person(trackers: Server) -> None:
    made = desk.desk(trackers, "webhook")
    made.system.key = "another"
    with pytest.raises(CredentialsError):
        made.sink.check()
