"""Changes of tickets as events on an EventBridge bus: for rules that take them to whatever else should know."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from warden.core.errors import LaterError, RejectedError
from warden.core.rendering.machine import document
from warden.core.ticket_room import within
from warden.gateways.errors import translated
from warden.gateways.items import shortened
from warden.gateways.presence import unseen

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from warden.core.finding import Finding
    from warden.core.ticket import Ticket

SOURCE = "aurora-warden"
DETAIL_TYPE = "Aurora Warden Ticket"
LIMIT = 256 * 1024
"""Bytes of an entry (PutEvents)."""
_LIMIT = 200_000
"""Bytes of detail: an entry may have 256 KB with its other members (PutEvents)."""
_RESOURCES = 10
_PASSING = frozenset({"ThrottlingException", "InternalFailure", "InternalException", "ServiceUnavailable"})


class EventBusSink:
    """Puts an event for each change; implements `ports.Notifier`."""

    def __init__(self, client: Any, *, bus: str, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._bus = bus
        self._clock = clock

    def notify(self, ticket: Ticket) -> None:
        """Put one event."""
        with translated("events:PutEvents"):
            answer = self._client.put_events(Entries=[entry(ticket, bus=self._bus, now=self._clock())])
        if answer["FailedEntryCount"]:
            failed = answer["Entries"][0]
            code = failed.get("ErrorCode", "")
            message = f"events:PutEvents: {code}: {failed.get('ErrorMessage', '')}"
            raise LaterError(message) if code in _PASSING else RejectedError(message, code=code)

    def check(self) -> str:
        """See whether the bus is there; whether it takes events, only one of them shows."""
        return unseen(
            "events:DescribeEventBus",
            lambda: self._client.describe_event_bus(Name=self._bus),
            what=f"event bus {self._bus}",
            missing={"ResourceNotFoundException"},
        )


def entry(ticket: Ticket, *, bus: str, now: datetime) -> Any:
    """One entry of PutEvents; evidence is left out before anything else is."""

    def made(candidate: Ticket) -> dict[str, Any]:
        return _entry(candidate, bus=bus, now=now)

    return made(within(ticket, lambda candidate: _bytes(made(candidate)) <= LIMIT))


def _bytes(made: dict[str, Any]) -> int:
    """What PutEvents counts: "the size of ... Detail ..., DetailType, Source" and resources, in UTF-8."""
    texts = [made["Source"], made["DetailType"], made["Detail"], *made["Resources"]]
    return sum(len(text.encode("utf-8", "replace")) for text in texts)


def _entry(ticket: Ticket, *, bus: str, now: datetime) -> dict[str, Any]:
    def with_finding(finding: Finding) -> str:
        return json.dumps(document(replace(ticket, findings=(finding, *ticket.findings[1:]))))

    finding = shortened(ticket.finding, lambda candidate: len(with_finding(candidate)) <= _LIMIT)
    return {
        "Time": now,
        "Source": SOURCE,
        "DetailType": DETAIL_TYPE,
        "Detail": with_finding(finding),
        "Resources": [one.arn for one in ticket.findings[:_RESOURCES]],
        "EventBusName": bus,
    }
