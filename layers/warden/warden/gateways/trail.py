"""CloudTrail's event history: what our own role has written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from warden.core.errors import TransientError
from warden.core.plan import WRITES
from warden.core.reconciliation import Recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from warden.gateways.rds import Rds

_PAUSE = 0.5
""""The rate of lookup requests is limited to two per second, per account, per Region" (LookupEvents)."""


class EventHistory:
    """LookupEvents; implements `ports.Trail`. There is no trail to be set up for it, and it goes back 90 days.

    A lookup has one attribute, and none for a role. So two ways are gone: everything that was done under the name of
    the function, which is the session's name where Lambda takes the role; and each operation that the role may call,
    by whatever session.
    """

    def __init__(
        self, api: Rds, *, own_roles: frozenset[str], function: str, pause: Callable[[float], None]
    ) -> None:
        self._api = api
        self._own_roles = own_roles
        self._function = function
        self._pause = pause

    def writes(self, *, since: datetime, until: datetime) -> list[Recorded]:
        """Every write of our role in this Region, each once; raises where a page is missing or cannot be read."""
        found: dict[str, Recorded] = {}
        for key, value in self._attributes():
            for write in self._lookup(key, value, since, until):
                found[write.event_id] = write
        return sorted(found.values(), key=lambda write: (write.at, write.event_id))

    def _attributes(self) -> Iterator[tuple[str, str]]:
        yield "Username", self._function
        for operation in sorted(WRITES):
            yield "EventName", operation

    def _lookup(self, key: str, value: str, since: datetime, until: datetime) -> Iterator[Recorded]:
        pages = self._api.pages(
            "LookupEvents",
            LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}],
            StartTime=since,
            EndTime=until,
            MaxResults=50,
        )
        for page in pages:
            for event in page:
                try:
                    write = Recorded.of(json.loads(event["CloudTrailEvent"]), self._own_roles)
                except (KeyError, ValueError, TypeError, AttributeError) as error:
                    msg = f"cloudtrail:LookupEvents: the record {event.get('EventId', '')} cannot be read: {error!r}"
                    raise TransientError(msg) from error
                if write is not None:
                    yield write
            self._pause(_PAUSE)
