"""API calls that CloudTrail recorded: who called what, and which resources that call named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from warden.core.trigger.call import Call, targets
from warden.core.trigger.envelope import cause_of, triggers_of
from warden.core.trigger.fields import shown
from warden.core.trigger.model import Ignored, IgnoredReason, Source
from warden.core.trigger.other_apis import CALLS, SERVICE_EVENTS
from warden.core.trigger.rds_api import OPERATIONS, OTHERS, READ_ONLY_PREFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from warden.core.trigger.envelope import Envelope
    from warden.core.trigger.fields import Node
    from warden.core.trigger.model import Cause, Trigger
    from warden.core.trigger.places import Place

API_CALL: Final = "AWS API Call via CloudTrail"
SERVICE_EVENT: Final = "AWS Service Event via CloudTrail"

# Their clusters, instances, snapshots and groups answer under the name of RDS.
_OTHER_ENGINES: Final = ("docdb", "neptune")
# Where a record says which engine it is about.
_ENGINE_MEMBERS: Final = ("engine", "dBParameterGroupFamily")


def read(event: Envelope) -> tuple[Trigger | Ignored, ...]:
    """Read a record in its envelope."""
    record = event.detail
    service = record.text("eventSource")
    name = record.text("eventName")
    if event.detail_type == SERVICE_EVENT:
        places = SERVICE_EVENTS.get(service, {}).get(name)
        if places is None:
            return _other_service(f"{shown(name)} is what {shown(service)} did by itself.")
        return _named(_call(record, event), places)
    if event.detail_type != API_CALL:
        return _other_service(f"{shown(event.detail_type)} is not a call: a service or the console did it.")
    reader = _SERVICES.get(service)
    if reader is None:
        return _other_service(f"{shown(name)} is a call of {shown(service)}, of which none is read.")
    error = record.maybe_text("errorCode")
    if error:
        return (_ignored(IgnoredReason.FAILED_CALL, f"{shown(name)} was refused with {shown(error)}."),)
    return reader(_call(record, event))


def _call(record: Node, event: Envelope) -> Call:
    home = event.home(record.maybe_text("recipientAccountId"), record.maybe_text("awsRegion"))
    return Call(record.text("eventName"), record.text("eventSource"), home, record, _cause(record, event))


def _cause(record: Node, event: Envelope) -> Cause:
    identity = record.maybe_child("userIdentity")
    # IAM users, root and the console have no session, or one whose issuer is an empty object.
    issuer = identity.maybe_child("sessionContext").maybe_child("sessionIssuer")
    invoked_by = identity.maybe_text("invokedBy")
    return cause_of(
        Source.CLOUDTRAIL,
        event_name=record.text("eventName"),
        event_id=record.maybe_text("eventID") or event.id,
        at=record.maybe_moment("eventTime") or event.at,
        principal=issuer.maybe_text("arn") or identity.maybe_text("arn") or invoked_by,
        user_agent=record.maybe_text("userAgent"),
        source_ip=record.maybe_text("sourceIPAddress"),
        session=identity.maybe_text("principalId"),
        invoked_by=invoked_by,
    )


def _rds(call: Call) -> tuple[Trigger | Ignored, ...]:
    places = OPERATIONS.get(call.name)
    if places is None:
        return (_unlisted(call),)
    other = _other_engine(call)
    if other:
        return (_ignored(IgnoredReason.OTHER_ENGINE, f"{call.name} is about {shown(other)}, not about RDS."),)
    return _named(call, places)


def _other(call: Call) -> tuple[Trigger | Ignored, ...]:
    """A call of another service: what is not in its table changes nothing that a control reads."""
    places = CALLS[call.service].get(call.name)
    if places is not None:
        return _named(call, places)
    if call.record.value.get("readOnly") is True or call.name.startswith(READ_ONLY_PREFIXES):
        return (_ignored(IgnoredReason.READ_ONLY, f"{shown(call.name)} changes nothing."),)
    what = f"{shown(call.name)} of {call.service} changes nothing that Warden reads."
    return (_ignored(IgnoredReason.OTHER_RESOURCE, what),)


def _named(call: Call, places: Iterable[Place]) -> tuple[Trigger | Ignored, ...]:
    found = triggers_of((target for place in places for target in targets(place, call)), call.cause)
    # Only optional places, and nothing in them: DeleteTenantDatabase without a final snapshot.
    return found or (
        _ignored(IgnoredReason.OTHER_RESOURCE, f"{call.name} named no resource that Warden knows."),
    )


def _unlisted(call: Call) -> Ignored:
    if call.name in OTHERS:
        return _ignored(IgnoredReason.OTHER_RESOURCE, f"{call.name} is about {OTHERS[call.name]}.")
    if call.record.value.get("readOnly") is True or call.name.startswith(READ_ONLY_PREFIXES):
        return _ignored(IgnoredReason.READ_ONLY, f"{shown(call.name)} changes nothing.")
    return _ignored(
        IgnoredReason.UNKNOWN_API,
        f"{shown(call.name)} is not in the table of RDS's API: the table may be older than the API.",
    )


def _other_engine(call: Call) -> str:
    for root in ("out", "in"):
        for member in _ENGINE_MEMBERS:
            engine = call.part(root).maybe_text(member)
            if engine.startswith(_OTHER_ENGINES):
                return engine
    return ""


def _other_service(detail: str) -> tuple[Ignored]:
    return (_ignored(IgnoredReason.OTHER_SERVICE, detail),)


def _ignored(reason: IgnoredReason, detail: str) -> Ignored:
    return Ignored(reason=reason, detail=detail)


_SERVICES: Final[Mapping[str, Callable[[Call], tuple[Trigger | Ignored, ...]]]] = {
    "rds.amazonaws.com": _rds,
    **dict.fromkeys(CALLS, _other),
}
