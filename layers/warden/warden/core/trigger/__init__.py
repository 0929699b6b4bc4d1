"""Events become triggers: an identity and a cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.trigger.model import (
    Cause,
    Ignored,
    IgnoredReason,
    Lookup,
    Source,
    Target,
    Trigger,
    WholeKind,
)

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "Cause",
    "Ignored",
    "IgnoredReason",
    "Lookup",
    "Source",
    "Target",
    "Trigger",
    "WholeKind",
    "encode",
    "parse",
]

# Who is about a trigger imports these types; who reads or writes one, what reads and writes them.


def parse(event: object, *, received_at: datetime) -> tuple[Trigger | Ignored, ...]:
    """Read one event: see `sources.parse`."""
    from warden.core.trigger import sources  # noqa: PLC0415 - see above

    return sources.parse(event, received_at=received_at)


def encode(trigger: Trigger) -> dict[str, Any]:
    """A trigger as a message of ours: see `manual.encode`."""
    from warden.core.trigger import manual  # noqa: PLC0415 - see above

    return manual.encode(trigger)
