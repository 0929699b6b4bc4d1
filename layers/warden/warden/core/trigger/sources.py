"""From an event, as AWS or Warden itself sends it, to the resources that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from warden.core.errors import MalformedEventError
from warden.core.trigger import config, manual, rds_events, security_hub
from warden.core.trigger.envelope import Envelope
from warden.core.trigger.fields import kind_of, shown
from warden.core.trigger.model import Ignored, IgnoredReason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from warden.core.trigger.model import Trigger

_DETAIL_TYPE: Final = "detail-type"
# EventBridge's rules on a schedule, and EventBridge Scheduler, whose detail is the string "{}".
_CLOCKS: Final = frozenset({"aws.events", "aws.scheduler"})
_SCHEDULED: Final = "Scheduled Event"
_VIA_CLOUDTRAIL: Final = " via CloudTrail"

_READERS: Final[Mapping[str, Callable[[Envelope], tuple[Trigger | Ignored, ...]]]] = {
    "aws.config": config.read,
    "aws.rds": rds_events.read,
    "aws.securityhub": security_hub.read,
}

# What people send instead of an event, with what to do about it.
_MISTAKES: Final[Mapping[str, str]] = {
    "Records": "it is a batch: give the body of each record",
    "eventSource": "it is a bare CloudTrail record: put it into `detail` of EventBridge's envelope",
    "configurationItems": "it is an answer of Config's API, not a notification",
    "detail": "`detail-type` is missing",
}


def parse(event: object, *, received_at: datetime) -> tuple[Trigger | Ignored, ...]:
    """Read one event: a trigger for each resource that it names, or the reasons why there is none.

    Never empty. Where the event has no time, `received_at`, an aware datetime, is it. Raises
    MalformedEventError, whose sentence names the place, for what has not the shape of a source we know.
    """
    if not isinstance(event, dict):
        msg = f"the event is {kind_of(event)}, not an object"
        raise MalformedEventError(msg)
    if _DETAIL_TYPE in event:
        return _read(Envelope.of(event, received_at=received_at))
    if any(key in event for key in manual.TARGET_KEYS):
        return manual.read(event, received_at=received_at)
    if "messageType" in event:
        return config.read_notification(event, received_at=received_at)
    if "invokingEvent" in event:
        return config.read_invocation(event, received_at=received_at)
    raise MalformedEventError(_unrecognised(event))


def _read(event: Envelope) -> tuple[Trigger | Ignored, ...]:
    if not event.source.startswith("aws."):
        return _ignored(
            IgnoredReason.CUSTOM_EVENT,
            f"{shown(event.source)} is not a service of AWS: a test, or an application.",
        )
    if event.detail_type.endswith(_VIA_CLOUDTRAIL):
        # It knows all calls of all services: more than the rest of these modules together.
        from warden.core.trigger import cloudtrail  # noqa: PLC0415 - most events are none of its

        return cloudtrail.read(event)
    if event.source in _CLOCKS and event.detail_type == _SCHEDULED:
        return _ignored(IgnoredReason.SCHEDULED, "A clock's tick names no resource.")
    reader = _READERS.get(event.source)
    if reader is None:
        return _ignored(
            IgnoredReason.UNKNOWN_SOURCE, f"{shown(event.source)} sends nothing that Warden reads."
        )
    return reader(event)


def _ignored(reason: IgnoredReason, detail: str) -> tuple[Ignored]:
    return (Ignored(reason=reason, detail=detail),)


def _unrecognised(event: dict[str, Any]) -> str:
    hint = next((hint for key, hint in _MISTAKES.items() if key in event), "")
    wanted = f"neither EventBridge's `{_DETAIL_TYPE}` nor `{manual.TARGET_KEYS[0]}` with an ARN"
    return f"the event has {wanted}" + (f"; {hint}" if hint else "")
