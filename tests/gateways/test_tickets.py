from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fakes import NOW, MemoryTickets
from warden.core.errors import ConflictError, RejectedError
from warden.core.rows import TicketRow
from warden.gateways.tickets import DynamoTickets

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from fakes.tables import Tables
    from warden.pipeline.ports import Tickets

ROW = TicketRow(
    finding_id="cluster_tls_enforced|123456789012/eu-west-1/AWS::RDS::DBCluster/cluster-ABC",
    state="opening",
    digest="",
    opened_at=NOW,
    changed_at=NOW,
)


@pytest.fixture(params=["dynamodb", "memory"])
def tickets(request: pytest.FixtureRequest) -> Tickets:
    if request.param == "memory":
        return MemoryTickets()
    tables: Tables = request.getfixturevalue("tables")
    return DynamoTickets(request.getfixturevalue("dynamodb"), tables.state)


def test_what_was_put_is_what_is_got(tickets: Tickets) -> None:
    assert tickets.get(ROW.finding_id) is None
    kept = tickets.put(ROW)
    assert kept == replace(ROW, revision=1)
    assert tickets.get(ROW.finding_id) == kept


def test_a_ticket_goes_through_its_states(tickets: Tickets) -> None:
    opening = tickets.put(ROW)
    opened = tickets.put(replace(opening, state="open", digest="abc"))
    resolved = tickets.put(replace(opened, state="resolved"))
    assert tickets.get(ROW.finding_id) == resolved == replace(ROW, state="resolved", digest="abc", revision=3)


def test_of_two_that_open_one_ticket_one_loses(tickets: Tickets) -> None:
    tickets.put(ROW)
    with pytest.raises(ConflictError, match="the ticket of cluster_tls_enforced"):
        tickets.put(replace(ROW, digest="other"))
    assert tickets.get(ROW.finding_id) == replace(ROW, revision=1)


def test_a_writer_that_read_an_older_revision_loses(tickets: Tickets) -> None:
    read = tickets.put(ROW)
    winner = tickets.put(replace(read, state="open"))
    with pytest.raises(ConflictError):
        tickets.put(replace(read, state="resolved"))
    assert tickets.get(ROW.finding_id) == winner


def test_findings_have_tickets_of_their_own(tickets: Tickets) -> None:
    one = tickets.put(ROW)
    two = tickets.put(replace(ROW, finding_id="another", state="open"))
    assert (tickets.get(ROW.finding_id), tickets.get("another")) == (one, two)


def test_an_error_of_dynamodb_is_one_of_ours(dynamodb: DynamoDBClient) -> None:
    absent = DynamoTickets(dynamodb, "absent")
    with pytest.raises(RejectedError, match="ResourceNotFoundException"):
        absent.get("x")
    with pytest.raises(RejectedError, match="ResourceNotFoundException"):
        absent.put(ROW)
