"""`warden tickets`: what was told where, and what still waits."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from console import deployed
from warden.core.collections import is_collection
from warden.core.rendering.harmless import one_line
from warden.core.ticket_rows import OPEN, is_change
from warden.gateways.tickets import DynamoTickets
from warden.wiring import load_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warden.core.policy import Policy
    from warden.core.ticket_rows import Delivery, Errand, TicketRow


class Desk:
    """Where tickets are read."""

    def __init__(self, found: deployed.Deployed, policy: Policy) -> None:
        self.tickets = DynamoTickets(found.client("dynamodb"), found.names["StateTable"])
        self._waiting = {
            (errand.ticket, errand.sink): errand
            for sink in policy.tickets.sinks
            for errand in self.tickets.backlog(sink.name)
        }
        self.refused = {
            sink.name: health.refused
            for sink in policy.tickets.sinks
            if (health := self.tickets.health(sink.name)).refused
        }

    def rows(self, *, key: str | None, everything: bool) -> list[TicketRow]:
        """The tickets that are asked for: those of their own, and collections; the oldest first."""
        if key is not None:
            found = self.tickets.get(key)
            return [] if found is None else [found]
        rows = (row for row in self.tickets.all() if not row.group and not is_change(row.key))
        kept = [row for row in rows if everything or row.is_open]
        return sorted(kept, key=lambda row: (row.opened_at, row.key))

    def deliveries(self, row: TicketRow) -> Iterator[tuple[str, Delivery | None, Errand | None]]:
        """How a ticket stands in each of its sinks."""
        for sink in row.sinks:
            yield sink, self.tickets.delivery(row.key, sink), self._waiting.get((row.key, sink))


def show(
    *,
    key: str | None,
    everything: bool,
    output: str,
    policy_file: str,
    stack: str,
    region: str | None,
    profile: str | None,
) -> int:
    """List tickets; returns 1 where one waits for a sink."""
    found = deployed.find("StateTable", command="warden tickets", stack=stack, region=region, profile=profile)
    desk = Desk(found, load_policy(policy_file))
    rows = desk.rows(key=key, everything=everything)
    told = [(row, list(desk.deliveries(row))) for row in rows]
    waits = any(errand is not None for _, sinks in told for _, _, errand in sinks)
    if output == "json":
        document = [_document(row, sinks) for row, sinks in told]
        json.dump({"version": 1, "tickets": document, "refused": desk.refused}, sys.stdout, indent=2)
        print()
        return int(waits)
    for row, sinks in told:
        print("\n".join(_lines(row, sinks)))
        if key is not None and is_collection(row.key):
            print("\n".join(_members(desk, row)))
    for sink, why in desk.refused.items():
        print(f"{sink} takes nothing until somebody acts: {one_line(why)}")
    print(f"{len(rows)} ticket{'s' * (len(rows) != 1)}.")
    return int(waits)


def _document(row: TicketRow, sinks: list[tuple[str, Delivery | None, Errand | None]]) -> dict[str, Any]:
    return {
        "ticket": row.key,
        "state": row.state,
        "owner": row.owner,
        "opened_at": row.opened_at.isoformat(),
        "changed_at": row.changed_at.isoformat(),
        "findings": row.count,
        "resolution": row.resolution,
        "sinks": {
            sink: {
                "told": delivery.told if delivery else "",
                "id": delivery.handle.id if delivery and delivery.handle else "",
                "url": delivery.handle.url if delivery and delivery.handle else "",
                "summary": delivery.covered if delivery else "",
                "waits_until": errand.due_at.isoformat() if errand else None,
                "error": errand.error if errand else "",
            }
            for sink, delivery, errand in sinks
        },
    }


def _lines(row: TicketRow, sinks: list[tuple[str, Delivery | None, Errand | None]]) -> Iterator[str]:
    many = f", {row.count} findings" if is_collection(row.key) else ""
    yield f"{row.state:8} {one_line(row.key)} of {one_line(row.owner) or 'several'}{many}"
    for sink, delivery, errand in sinks:
        told = delivery.told if delivery else ""
        where = f" {delivery.handle.url or delivery.handle.id}" if delivery and delivery.handle else ""
        if delivery and delivery.covered:
            where = f" in {delivery.covered}"
        waits = (
            f"; waits until {errand.due_at:%Y-%m-%d %H:%M} UTC: {one_line(errand.error)}" if errand else ""
        )
        yield f"         {sink}: {told or 'not told'}{where}{waits}"


def _members(desk: Desk, row: TicketRow) -> Iterator[str]:
    for member in desk.tickets.members(row.key):
        mark = "open" if member.state == OPEN else "done"
        yield f"         {mark} [{member.severity}] {member.arn}: {one_line(member.annotation)}"
