"""Events become triggers: an identity and a cause."""

from __future__ import annotations

from warden.core.trigger.manual import encode
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
from warden.core.trigger.sources import parse

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
