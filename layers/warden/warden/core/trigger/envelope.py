"""EventBridge's envelope around an event, and what the readers of its content share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from warden.core.dataclass import dataclass
from warden.core.trigger.fields import Node, clipped
from warden.core.trigger.identity import Home
from warden.core.trigger.model import Cause, Ignored, Trigger

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from warden.core.trigger.model import Source, Target

# Longer than anything that AWS writes there; what a caller writes (the user agent) is cut.
_LIMITS: Final = {"event_name": 128, "event_id": 512, "principal": 2048, "user_agent": 256, "session": 256}
_LIMIT: Final = 128


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event as EventBridge delivers it."""

    event: Node
    source: str
    detail_type: str
    at: datetime

    @classmethod
    def of(cls, event: dict[str, Any], *, received_at: datetime) -> Envelope:
        """Read what every event has; the detail is read by its source's reader."""
        node = Node(event)
        return cls(
            node, node.text("source"), node.text("detail-type"), node.maybe_moment("time") or received_at
        )

    @property
    def detail(self) -> Node:
        """The content."""
        return self.event.child("detail")

    @property
    def id(self) -> str:
        """EventBridge's id of this event."""
        return self.event.maybe_text("id")

    def home(self, account: str = "", region: str = "") -> Home:
        """Where it happened: what the content says, else what the envelope says."""
        return Home.of(
            account or self.event.maybe_text("account"),
            region or self.event.maybe_text("region"),
            where="the event",
        )


def cause_of(source: Source, *, event_name: str, event_id: str, at: datetime, **claims: str) -> Cause:
    """A cause whose texts are single lines of bounded length, whatever a caller put into them."""
    texts = {"event_name": event_name, "event_id": event_id, **claims}
    return Cause(
        source=source,
        at=at,
        **{name: clipped(text, _LIMITS.get(name, _LIMIT)) for name, text in texts.items()},
    )


def triggers_of(targets: Iterable[Target | Ignored], cause: Cause) -> tuple[Trigger | Ignored, ...]:
    """One trigger for each target, however often it is named; what is not ours only when nothing is."""
    unique = tuple(dict.fromkeys(targets))
    found = tuple(Trigger(target=target, cause=cause) for target in unique if not isinstance(target, Ignored))
    return found or tuple(part for part in unique if isinstance(part, Ignored))
