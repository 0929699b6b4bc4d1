"""A look at who connects without TLS: begun in one visit, read in another, repeated for as little as possible."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controls.items import CLUSTER
from fakes.connections import MemoryConnectionLogs, MemoryLooks, MemorySamples
from warden.core.coverage import LogGroup
from warden.core.errors import AccessDeniedError, RejectedError, ThrottledError
from warden.core.kinds import Need
from warden.core.open_sessions import Sample
from warden.core.preflight import Answer, Client, Outcome, Question, Setting
from warden.core.resource import Facts, Resource, ResourceRef
from warden.pipeline.preflight import Preflight

NOW = datetime(2026, 11, 24, 17, 10, tzinfo=UTC)
OLD = datetime(2026, 1, 1, tzinfo=UTC)
ASKED = Question.CLEAR_TEXT
SOON = timedelta(minutes=5)
HOUR = timedelta(hours=1)


def cluster(**facts: Any) -> Resource:
    item = {"ParameterName": "log_connections", "ParameterValue": "1", "Source": "user"}
    known = {
        **CLUSTER,
        "DBClusterIdentifier": "orders",
        "Engine": "aurora-postgresql",
        "ClusterCreateTime": OLD,
        "EnabledCloudwatchLogsExports": ["postgresql"],
        "DBClusterMembers": [{"DBInstanceIdentifier": "orders-1"}],
        Need.MEMBERS: [{"DBInstanceIdentifier": "orders-1", "InstanceCreateTime": OLD}],
        Need.MEMBER_PARAMETERS: {"orders-1": Facts({})},
        Need.PARAMETERS: Facts({"log_connections": item}),
        **facts,
    }
    ref = ResourceRef.from_arn("arn:aws:rds:eu-west-1:123456789012:cluster:orders")
    return Resource(ref=ref, key="orders", facts=Facts(known), tags={}, observed_at=NOW)


class Desk:
    """A preflight with its log and what is kept of it, and a time."""

    def __init__(self, **setting: int) -> None:
        group = LogGroup(created=OLD, retention=None, size=1_000_000)
        self.logs = MemoryConnectionLogs(group, "orders-1")
        self.looks = MemoryLooks()
        self.samples = MemorySamples()
        self.asked: tuple[str, ...] = ()
        self.setting = Setting(**setting)
        self.now = NOW
        self.resource = cluster()

    @property
    def preflight(self) -> Preflight:
        return Preflight(
            logs=self.logs, looks=self.looks, setting=self.setting, samples=self.samples, asked=self.asked
        )

    def answer(self, after: timedelta = timedelta(0)) -> Answer | None:
        self.now += after
        return self.preflight.answer(ASKED, self.resource, self.now)

    def confirms(self, after: timedelta = timedelta(0)) -> bool:
        self.now += after
        return self.preflight.confirms(ASKED, self.resource, self.now)

    def known(self) -> Answer:
        """The answer after a first look."""
        assert self.answer() is None
        answer = self.answer(SOON)
        assert answer is not None
        return answer


def test_no_visit_waits_for_a_query() -> None:
    desk = Desk()
    desk.logs.slow = True
    assert desk.answer() is None
    assert desk.answer(SOON) is None
    assert len(desk.logs.asked) == 2
    desk.logs.slow = False
    answer = desk.answer(SOON)
    assert answer is not None
    assert answer.is_clean
    assert answer.scanned == 2000
    assert {begin for _, _, begin, _ in desk.logs.asked} == {
        NOW.replace(minute=0) - timedelta(days=14) - HOUR
    }


def test_an_answer_is_remembered_and_confirmed_for_half_an_hour() -> None:
    desk = Desk()
    desk.known()
    assert desk.confirms()
    assert len(desk.logs.asked) == 2


def test_a_write_on_an_older_answer_waits_for_a_look_at_the_time_since() -> None:
    desk = Desk()
    desk.known()
    assert not desk.confirms(3 * HOUR)
    assert not desk.confirms(SOON)
    assert len(desk.logs.asked) == 4
    assert desk.logs.asked[-1][2:] == (NOW.replace(minute=0) - HOUR, NOW + SOON + 3 * HOUR)
    answer = desk.answer()
    assert answer is not None
    assert answer.until == "2026-11-24T19:00:00+00:00"
    assert (answer.is_clean, answer.days) == (True, 14)
    assert desk.confirms()


def test_a_client_that_came_since_the_look_is_found_before_the_write() -> None:
    desk = Desk()
    assert desk.known().noted == ""
    desk.logs.clear.append((desk.now + HOUR, "till"))
    assert not desk.confirms(2 * HOUR)
    answer = desk.answer(SOON)
    assert answer is not None
    assert [one.user for one in answer.clients] == ["till"]
    assert answer.noted == desk.now.isoformat()


def test_a_client_whose_line_was_late_is_found_as_well() -> None:
    desk = Desk()
    desk.known()
    desk.logs.clear.append((NOW - timedelta(minutes=20), "till"))
    desk.confirms(HOUR)
    answer = desk.answer(SOON)
    assert answer is not None
    assert answer.outcome is Outcome.SEEN


def test_what_was_known_of_a_client_stays_so_that_only_a_new_one_is_news() -> None:
    desk = Desk()
    desk.logs.clear.append((NOW - 3 * HOUR, "printer"))
    noted = desk.known().noted
    desk.logs.clear.append((desk.now + HOUR, "printer"))
    desk.confirms(2 * HOUR)
    again = desk.answer(SOON)
    assert again is not None
    assert again.noted == noted
    assert [(one.user, one.connections) for one in again.clients] == [("printer", 2)]


def test_an_hour_that_was_not_logged_since_leaves_it_unknown() -> None:
    desk = Desk()
    desk.known()
    desk.logs.silent.add(("orders-1", NOW.replace(minute=0)))
    desk.confirms(2 * HOUR)
    answer = desk.answer(SOON)
    assert answer is not None
    assert (answer.outcome, answer.is_clean) == (Outcome.UNKNOWN, False)


def test_the_whole_cycle_is_looked_at_again_once_a_day_while_somebody_is_asked() -> None:
    desk = Desk()
    desk.logs.silent.add(("orders-1", NOW.replace(minute=0) - 13 * 24 * HOUR))
    assert desk.known().outcome is Outcome.UNKNOWN
    for _ in range(40):
        desk.answer(HOUR / 2)
        desk.preflight.keep(ASKED, desk.resource, desk.now)
    assert len(desk.logs.asked) == 2
    for _ in range(4):
        desk.answer(24 * HOUR)
        desk.preflight.keep(ASKED, desk.resource, desk.now)
    answer = desk.answer(SOON)
    assert answer is not None
    assert answer.is_clean


def test_queries_that_never_end_are_made_again() -> None:
    desk = Desk()
    desk.logs.slow = True
    desk.answer()
    assert desk.answer(2 * HOUR) is None
    assert len(desk.logs.asked) == 4


def test_a_query_that_failed_is_an_answer_and_is_not_repeated_at_every_visit() -> None:
    desk = Desk()
    desk.logs.failed = True
    assert "came to nothing" in desk.known().why
    desk.answer(SOON)
    assert len(desk.logs.asked) == 2


def test_too_many_queries_at_once_are_no_answer() -> None:
    desk = Desk()
    desk.logs.refusal = ThrottledError("logs:StartQuery: LimitExceededException")
    assert desk.answer() is None
    desk.logs.refusal = None
    desk.known()
    desk.logs.refusal = ThrottledError("logs:StartQuery: LimitExceededException")
    assert not desk.confirms(HOUR)


@pytest.mark.parametrize(
    "refusal", [AccessDeniedError("logs:StartQuery: denied"), RejectedError("logs:StartQuery: no", code="no")]
)
def test_a_refusal_is_unknown_with_its_reason_then_and_later(refusal: Exception) -> None:
    desk = Desk()
    desk.logs.refusal = refusal
    first = desk.answer()
    assert first is not None
    assert "CloudWatch Logs could not be asked: logs:StartQuery" in first.why
    desk.logs.refusal = None
    desk.known()
    desk.logs.refusal = refusal
    assert not desk.confirms(HOUR)
    later = desk.answer(SOON)
    assert later is not None
    assert later.outcome is Outcome.UNKNOWN


def test_a_log_group_that_is_gone_or_too_large_is_unknown() -> None:
    desk = Desk(gigabytes=1)
    desk.logs.group = None
    gone = desk.answer()
    assert gone is not None
    assert "does not exist" in gone.why
    desk.logs.group = LogGroup(created=NOW - timedelta(days=28), retention=None, size=4_000_000_000)
    large = desk.answer()
    assert large is not None
    assert "would scan about 4 GB, and preflight.gigabytes allows 1" in large.why
    assert desk.logs.asked == []


def test_a_log_that_is_younger_than_the_cycle_shows_its_clients_and_is_never_clean() -> None:
    desk = Desk()
    desk.logs.group = LogGroup(created=NOW - timedelta(days=2), retention=None, size=0)
    assert "its log group exists since" in desk.known().why
    desk = Desk()
    desk.logs.group = LogGroup(created=NOW - timedelta(days=2), retention=None, size=0)
    desk.logs.clear.append((NOW - HOUR, "printer"))
    answer = desk.known()
    assert answer.outcome is Outcome.SEEN
    assert "There may be others: its log group exists since" in answer.sentence


def test_another_log_group_and_another_cycle_are_looked_at_anew() -> None:
    desk = Desk()
    desk.known()
    desk.setting = Setting(days=31)
    assert desk.answer() is None
    desk.setting = Setting()
    desk.resource = cluster(DBClusterIdentifier="orders-old")
    assert desk.answer() is None


def test_what_was_seen_of_a_cluster_says_nothing_of_another_that_took_over_its_name() -> None:
    desk = Desk()
    assert desk.known().is_clean
    made = NOW + SOON
    desk.resource = cluster(ClusterCreateTime=made)._replace(key="another")
    assert desk.answer() is None
    answer = desk.answer(SOON)
    assert answer is not None
    assert answer.outcome is Outcome.UNKNOWN
    assert "it exists since" in answer.why


def test_where_the_log_does_not_tell_nothing_is_asked() -> None:
    desk = Desk()
    desk.resource = cluster(EnabledCloudwatchLogsExports=[])
    answer = desk.answer()
    assert answer is not None
    assert "not exported" in answer.why
    assert desk.confirms()
    assert desk.logs.asked == []


def test_nothing_tells_who_uses_a_password() -> None:
    desk = Desk()
    answer = desk.preflight.answer(Question.PASSWORD, desk.resource, desk.now)
    assert answer is not None
    assert (answer.outcome, desk.logs.asked) == (Outcome.UNKNOWN, [])


# --- with the sessions that are open ------------------------------------------------------------------------

ARN = "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
LEDGER = Client(
    address="10.0.0.7",
    user="ledger",
    database="orders",
    application="",
    connections=1,
    last_seen="2026-11-24",
)


def asking(*clients: Client, why: str = "", first: datetime = NOW - 48 * HOUR) -> Desk:
    desk = Desk()
    desk.asked = (ARN,)
    noted = {one.mark: first.isoformat() for one in clients}
    desk.samples.put(Sample(arn=ARN, at=NOW, why=why, clients=clients, noted=noted))
    return desk


def test_a_session_that_no_line_of_the_log_tells_of_is_shown_and_is_not_clean() -> None:
    desk = asking(LEDGER)
    answer = desk.known()
    assert (answer.outcome, answer.clients) == (Outcome.SEEN, (LEDGER,))
    assert answer.noted == (NOW - 48 * HOUR).isoformat()


def test_a_client_of_both_is_told_once_and_is_known_since_either_found_it() -> None:
    desk = asking(Client(**{**_members(LEDGER), "address": "10.0.0.5"}), first=NOW + HOUR)
    desk.logs.clear.append((NOW - 3 * HOUR, "ledger"))
    answer = desk.known()
    assert [(one.user, one.address) for one in answer.clients] == [("ledger", "10.0.0.5")]
    assert answer.noted == (NOW + SOON).isoformat()


def test_where_the_writer_is_to_be_asked_and_was_not_nothing_is_clean() -> None:
    assert "may not see" in asking(why="its database user may not see other users' sessions").known().why
    desk = asking()
    assert desk.known().is_clean
    assert desk.answer(3 * HOUR) is None
    desk.samples.samples.clear()
    assert desk.answer() is None


def test_a_moment_without_such_a_session_proves_nothing_and_is_told() -> None:
    desk = asking()
    desk.resource = cluster(EnabledCloudwatchLogsExports=[])
    answer = desk.answer()
    assert answer is not None
    assert answer.outcome is Outcome.UNKNOWN
    assert answer.why.endswith("; no session that is open on its writer now is without TLS")


def test_clusters_that_the_policy_does_not_name_have_no_sessions() -> None:
    desk = asking(LEDGER)
    desk.asked = ()
    assert desk.known().is_clean


def _members(client: Client) -> dict[str, Any]:
    return {name: getattr(client, name) for name in Client.__slots__}
