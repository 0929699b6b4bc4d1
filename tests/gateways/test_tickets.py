"""The rows of tickets, in DynamoDB and in memory alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fakes import NOW, MemoryTickets
from warden.core.errors import ConflictError, RejectedError
from warden.core.ticket import Handle
from warden.core.ticket_rows import Delivery, Errand, ExemptionRequest, Member, SinkHealth, TicketRow
from warden.gateways.tickets import DynamoTickets

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from fakes.tables import Tables

KEY = "cluster_tls_enforced|123456789012/eu-west-1/AWS::RDS::DBCluster/cluster-ABC"
ROW = TicketRow(
    key=KEY, state="open", digest="d", opened_at=NOW, changed_at=NOW, sinks=("sns", "jira"), owner="påyments"
)
DELIVERY = Delivery(
    ticket=KEY,
    sink="jira",
    generation=1,
    handle=Handle("SEC-1", "https://jira.example/SEC-1"),
    previous=Handle("SEC-0"),
    told="open",
    creating_at=NOW,
    busy_until=NOW,
    reopened=True,
)
ERRAND = Errand(ticket=KEY, sink="jira", due_at=NOW, first_at=NOW, sequence=3)
REQUEST = ExemptionRequest(
    finding_id=KEY,
    arn="arn",
    control="c",
    owner="o",
    sink="jira",
    ticket="SEC-1",
    url="",
    by="m.jansen",
    at=NOW,
    reason="Won't do",
)


@pytest.fixture(params=["dynamodb", "memory"])
def tickets(request: pytest.FixtureRequest) -> DynamoTickets | MemoryTickets:
    if request.param == "memory":
        return MemoryTickets()
    tables: Tables = request.getfixturevalue("tables")
    return DynamoTickets(request.getfixturevalue("dynamodb"), tables.state)


def test_what_was_written_is_what_is_read(tickets: DynamoTickets | MemoryTickets) -> None:
    assert tickets.get(KEY) is None
    assert tickets.delivery(KEY, "jira") is None
    member = Member(
        group="group|a", finding_id=KEY, state="open", arn="arn", severity="HIGH", annotation="it"
    )
    tickets.write(ROW, DELIVERY, ERRAND, member)
    assert tickets.get(KEY) == replace(ROW, revision=1)
    assert tickets.delivery(KEY, "jira") == replace(DELIVERY, revision=1)
    assert tickets.backlog("jira") == [ERRAND]
    assert tickets.waiting(KEY, "jira") == ERRAND
    assert tickets.waiting(KEY, "sns") is None
    assert tickets.backlog("sns") == []
    assert list(tickets.members("group|a")) == [member]
    assert list(tickets.members("group|b")) == []


def test_all_is_written_or_nothing(tickets: DynamoTickets | MemoryTickets) -> None:
    tickets.write(ROW)
    with pytest.raises(ConflictError):
        tickets.write(DELIVERY, ERRAND, ROW)
    assert tickets.delivery(KEY, "jira") is None
    assert tickets.backlog("jira") == []
    tickets.write(replace(ROW, revision=1, state="resolved"), ERRAND)
    kept = tickets.get(KEY)
    assert kept is not None
    assert (kept.state, kept.revision) == ("resolved", 2)


def test_of_two_that_write_over_one_revision_one_loses(tickets: DynamoTickets | MemoryTickets) -> None:
    tickets.write(DELIVERY)
    tickets.write(replace(DELIVERY, revision=1, told="resolved"))
    with pytest.raises(ConflictError):
        tickets.write(replace(DELIVERY, revision=1, told=""))
    kept = tickets.delivery(KEY, "jira")
    assert kept is not None
    assert kept.told == "resolved"


def test_an_errand_that_a_later_one_replaced_is_neither_put_off_nor_removed(
    tickets: DynamoTickets | MemoryTickets,
) -> None:
    later = replace(ERRAND, sequence=4)
    tickets.write(later)
    tickets.later(replace(ERRAND, due_at=NOW + timedelta(hours=1)))
    tickets.done(ERRAND)
    assert tickets.backlog("jira") == [later]
    tickets.later(replace(later, due_at=NOW + timedelta(hours=1), attempt=1, parked=True))
    [kept] = tickets.backlog("jira")
    assert (kept.attempt, kept.parked, kept.due_at) == (1, True, NOW + timedelta(hours=1))
    tickets.done(later)
    assert tickets.backlog("jira") == []
    tickets.done(later)


def test_things_are_counted_by_the_day(tickets: DynamoTickets | MemoryTickets) -> None:
    assert [tickets.count("sink#jira", NOW) for _ in range(3)] == [1, 2, 3]
    assert tickets.count("sink#sns", NOW) == 1
    assert tickets.count("sink#jira", NOW + timedelta(days=1)) == 1


def test_what_people_ask_for_is_kept_until_it_is_settled(tickets: DynamoTickets | MemoryTickets) -> None:
    tickets.request(REQUEST)
    tickets.request(replace(REQUEST, by="somebody else"))
    [kept] = tickets.requests()
    assert kept == replace(REQUEST, by="somebody else")
    elsewhere, another = replace(REQUEST, sink="snow"), replace(REQUEST, finding_id=f"{KEY}D")
    tickets.request(elsewhere)
    tickets.request(another)
    tickets.settle_requests(KEY, "jira")
    assert list(tickets.requests()) == [another, elsewhere] or list(tickets.requests()) == [
        elsewhere,
        another,
    ]
    tickets.settle_requests(KEY)
    assert list(tickets.requests()) == [another]
    tickets.settle_requests(another.finding_id)
    tickets.settle_requests(KEY)
    assert list(tickets.requests()) == []


def test_the_health_of_a_sink_is_kept(tickets: DynamoTickets | MemoryTickets) -> None:
    assert tickets.health("jira") == SinkHealth(sink="jira")
    ill = SinkHealth(sink="jira", rests_until=NOW, failures=2, refused="401", since=NOW, checked_at=NOW)
    tickets.set_health(ill)
    assert tickets.health("jira") == ill


def test_a_row_of_an_earlier_version_is_read(tables: Tables, dynamodb: DynamoDBClient) -> None:
    """It had no sinks, no generation and no key of its own."""
    item = {
        "pk": f"ticket#{KEY}",
        "sk": "ticket",
        "state": "open",
        "digest": "x",
        "opened_at": NOW.isoformat(),
        "changed_at": NOW.isoformat(),
    }
    values = {name: {"S": value} for name, value in item.items()}
    dynamodb.put_item(TableName=tables.state, Item={**values, "revision": {"N": "4"}})
    assert DynamoTickets(dynamodb, tables.state).get(KEY) == TicketRow(
        key=KEY, state="open", digest="x", opened_at=NOW, changed_at=NOW, revision=4
    )


def test_an_error_of_dynamodb_is_one_of_ours(dynamodb: DynamoDBClient) -> None:
    with pytest.raises(RejectedError, match="dynamodb:GetItem"):
        DynamoTickets(dynamodb, "absent").get(KEY)
