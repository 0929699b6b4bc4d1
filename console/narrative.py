"""What happened on a local stack, as lines: from the bus, the ledger and the topic, in the order of its clock."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.backends import get_backend

from console import reasons
from warden.core.preflight import answer_of
from warden.core.resource import ResourceRef

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from console.local.stack import LocalStack

STYLES = {
    "event": "cyan",
    "finding": "yellow",
    "decision": "bold",
    "call": "magenta",
    "outcome": "green",
    "verified": "bold green",
    "ticket": "blue",
    "exempt": "yellow",
}
# Within one moment: the event, what it led to, our own call coming back, and what that proved.
_EVENT, _FINDING, _DECISION, _CALL, _OUTCOME, _OWN_EVENT, _VERIFIED, _TICKET = range(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that happened."""

    at: datetime
    place: int
    kind: str
    text: str
    entry: Mapping[str, Any] | None = None
    """The ledger entry behind it, where there is one."""


class Narrative:
    """Tells everything once."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._events = self._tickets = 0
        self._entries: set[tuple[str, str]] = set()

    def news(self) -> list[Line]:
        """Everything since the last time, in order."""
        lines = [*self._event_lines(), *self._entry_lines(), *self._ticket_lines()]
        return sorted(lines, key=lambda line: (line.at, line.place))

    def tickets(self) -> list[dict[str, Any]]:
        """Everything that was published, as the JSON form says it."""
        topics = get_backend("sns")[self._stack.aws.account][self._stack.region].topics
        return [
            json.loads(json.loads(sent[1])["sqs"]) | {"subject": str(sent[2])}
            for topic in topics.values()
            for sent in topic.sent_notifications
        ]

    def writes(self) -> int:
        """How many calls the remediate function has made that write to RDS."""
        role = self._stack.function("remediate").role_arn
        return sum(
            call.service == "rds"
            and not call.operation.startswith(("Describe", "List"))
            and call.identity.session_issuer.get("arn") == role
            for call in self._stack.aws.calls
        )

    def _event_lines(self) -> Iterator[Line]:
        journal = self._stack.runtime.bus.journal
        new, self._events = journal[self._events :], len(journal)
        for entry in new:
            detail = entry.event["detail"]
            issuer = detail.get("userIdentity", {}).get("sessionContext", {}).get("sessionIssuer", {})
            own = issuer.get("arn") == self._stack.function("remediate").role_arn
            name = detail.get("eventName") or detail.get("EventID") or entry.event["detail-type"]
            caller = str(issuer.get("arn") or detail.get("userIdentity", {}).get("arn", "")).rpartition("/")[
                2
            ]
            by = f" by {caller}" if caller else ""
            yield Line(
                at=entry.at,
                place=_OWN_EVENT if own else _EVENT,
                kind="event",
                text=f"{name}{by} → {', '.join(entry.matched) or 'no rule'}",
            )

    def _entry_lines(self) -> Iterator[Line]:
        for item in self._stack.table("LedgerTable"):
            key = (str(item["chain"]), str(item["sequence"]))
            if key in self._entries:
                continue
            self._entries.add(key)
            entry = json.loads(item["entry"])
            if (told := _entry_text(entry)) is not None:
                place, kind, text = told
                at = datetime.fromisoformat(entry["at"])
                yield Line(at=at, place=place, kind=kind, text=text, entry=entry)

    def _ticket_lines(self) -> Iterator[Line]:
        tickets = self.tickets()
        new, self._tickets = tickets[self._tickets :], len(tickets)
        for ticket in new:
            yield Line(
                at=self._stack.clock.now(),
                place=_TICKET,
                kind="ticket",
                text=f"to the topic: {ticket['subject']}",
            )


def _entry_text(entry: dict[str, Any]) -> tuple[int, str, str] | None:
    after = entry["after"]
    match entry["kind"]:
        case "finding" if after["workflow"] == "RESOLVED":
            told = _VERIFIED, "verified", f"{entry['control']}: {after['annotation']}"
        case "finding":
            kind = "exempt" if after["workflow"] == "SUPPRESSED" else "finding"
            told = _FINDING, kind, f"{entry['control']}: {after['annotation']}"
        case "decision":
            looked = answer_of(after.get("preflight"))
            # Who approved it has read that before.
            seen = f". {looked.sentence}" if looked is not None and "approval" not in after else ""
            told = _DECISION, "decision", f"{entry['control']}: {after['action']}, {reasons.why(after)}{seen}"
        case "intent":
            told = _CALL, "call", f"{after['operation']} {json.dumps(after['calls'][0]['parameters'])}"
        case "outcome":
            name = ResourceRef.from_arn(entry["arn"]).id
            undoes = ", as it was before" if "undoes" in after else ""
            told = _OUTCOME, "outcome", f"{after['status']} {after.get('error') or name}{undoes}"
        case "undo":
            told = _OUTCOME, "outcome", f"{after['status']}: not taken back: {after['why']}"
        case _:
            return None
    return told
