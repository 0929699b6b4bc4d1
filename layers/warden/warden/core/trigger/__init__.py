"""Events become triggers: an identity and a cause."""

from __future__ import annotations

from warden.core.trigger.model import Cause, Ignored, Lookup, Source, Trigger, WholeKind

__all__ = ["Cause", "Ignored", "Lookup", "Source", "Trigger", "WholeKind"]
