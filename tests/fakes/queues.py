"""Queues and a ticket sink that can be looked into."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from warden.core.messages import RemediationMessage, TicketMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from warden.core.ticket import Ticket

DEDUPLICATION_INTERVAL = timedelta(minutes=5)
"""SQS: messages with a known id "are accepted successfully but aren't delivered during the 5-minute ... interval"."""


class MemoryQueues:
    """Implements `ports.Queues`; what was sent is what a consumer would read. Tests empty the lists themselves.

    Without a clock, a deduplication id is remembered for good.
    """

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self.remediations: list[RemediationMessage] = []
        self.tickets: list[TicketMessage] = []
        self.triggers: list[dict[str, Any]] = []
        self.deduplicated: list[RemediationMessage] = []
        """Messages that were accepted and dropped."""
        self._clock = clock
        self._seen: dict[str, datetime | None] = {}

    def remediate(self, message: RemediationMessage, *, deduplication_id: str) -> None:
        message = RemediationMessage.decode(message.encode())
        if self._is_known(deduplication_id):
            self.deduplicated.append(message)
            return
        self.remediations.append(message)

    def ticket(self, message: TicketMessage) -> None:
        self.tickets.append(TicketMessage.decode(message.encode()))

    def trigger(self, body: Mapping[str, Any]) -> None:
        self.triggers.append(json.loads(json.dumps(dict(body))))

    def _is_known(self, deduplication_id: str) -> bool:
        now = self._clock() if self._clock else None
        if deduplication_id in self._seen:
            since = self._seen[deduplication_id]
            if since is None or now is None or now - since < DEDUPLICATION_INTERVAL:
                return True
        self._seen[deduplication_id] = now
        return False


class MemorySink:
    """Implements `ports.Notifier`; `failures` are raised first, one by one."""

    def __init__(self) -> None:
        self.delivered: list[Ticket] = []
        self.failures: list[Exception] = []

    def notify(self, ticket: Ticket) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.delivered.append(ticket)

    def check(self) -> str:
        return ""
