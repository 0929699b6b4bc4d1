"""`warden requests`: what people ask to have exempted by closing tickets, and how it is refused."""

from __future__ import annotations

import dataclasses
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from console import deployed
from warden.core.errors import ConfigurationError
from warden.core.ledger import plain
from warden.core.rendering.harmless import one_line
from warden.gateways.findings import DynamoFindings
from warden.gateways.ledger import DynamoLedger
from warden.gateways.tickets import DynamoTickets
from warden.pipeline import notes
from warden.pipeline.compose import Composer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warden.core.ticket_rows import ExemptionRequest


def show(*, output: str, stack: str, region: str | None, profile: str | None) -> int:
    """List what people ask to have exempted; returns 1 where anybody does."""
    found = deployed.find(
        "StateTable", command="warden requests", stack=stack, region=region, profile=profile
    )
    tickets = DynamoTickets(found.client("dynamodb"), found.names["StateTable"])
    asked = sorted(tickets.requests(), key=lambda one: one.at)
    if output == "json":
        document = [{"id": one.id, **plain(dataclasses.asdict(one))} for one in asked]
        json.dump({"version": 1, "requests": document}, sys.stdout, indent=2)
        print()
        return int(bool(asked))
    for one in asked:
        print("\n".join(_lines(one)))
    print(
        "To grant one, exempt it in the policy file; to refuse it, `warden requests refuse ID --reason …`."
        if asked
        else "None."
    )
    return int(bool(asked))


def refuse(
    request: str,
    *,
    reason: str,
    stack: str,
    region: str | None,
    profile: str | None,
    now: datetime | None = None,
) -> int:
    """Refuse one: recorded, said in the ticket, and the ticket opened again; 1 where it is resolved already."""
    if not reason.strip():
        msg = "--reason is empty; say why, it goes into the ticket and the ledger"
        raise ConfigurationError(msg)
    found = deployed.find(
        "StateTable",
        "LedgerTable",
        "FindingsTable",
        command="warden requests refuse",
        stack=stack,
        region=region,
        profile=profile,
    )
    dynamodb, state = found.client("dynamodb"), found.names["StateTable"]
    tickets = DynamoTickets(dynamodb, state, DynamoLedger(dynamodb, found.names["LedgerTable"], state))
    composer = Composer(
        controls={}, findings=DynamoFindings(dynamodb, found.names["FindingsTable"]), tickets=tickets
    )
    asked = next((one for one in tickets.requests() if one.id == request), None)
    if asked is None:
        msg = f"there is no request {request}; `warden requests` lists them"
        raise ConfigurationError(msg)
    at = now or datetime.now(UTC)
    if not notes.refuse(asked, by=found.arn, reason=reason, composer=composer, now=at):
        print(f"{stack}: nothing is left to refuse: the ticket {one_line(asked.ticket)} is resolved.")
        return 1
    print(
        f"{stack}: refused. {one_line(asked.ticket)} in {asked.sink} is opened again within minutes, and says why."
    )
    return 0


def _lines(one: ExemptionRequest) -> Iterator[str]:
    yield f"{one.id}  {one.at:%Y-%m-%d %H:%M}  {one.control} of {one.arn}"
    yield f"         {one_line(one.by) or 'somebody'} in {one.sink}: {one_line(one.reason) or 'not to be fixed'}"
    yield f"         {one.url or one.ticket}; owner {one_line(one.owner)}"
