"""Messages of Warden's own and of people: `{"resource": "<arn>"}`, with or without a cause.

The sweep, a deferral and the command line send these; `encode` writes what `read` reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from warden.core.errors import MalformedEventError
from warden.core.resource import ResourceRef, ResourceType
from warden.core.trigger.envelope import cause_of
from warden.core.trigger.fields import Node, moment, shown
from warden.core.trigger.identity import Home, reference
from warden.core.trigger.model import Cause, Ignored, Lookup, Source, Trigger, WholeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from warden.core.trigger.model import Target

_CAUSE: Final = "cause"
_RESOURCE: Final = "resource"
_LOOKUP: Final = "lookup"
_WHOLE_KIND: Final = "whole_kind"
TARGET_KEYS: Final = (_RESOURCE, _LOOKUP, _WHOLE_KIND)
"""One of these makes a message one of ours."""

_TEXTS: Final = (
    "event_name",
    "event_id",
    "principal",
    "user_agent",
    "source_ip",
    "session",
    "invoked_by",
    "error_code",
)
_CAUSE_KEYS: Final = frozenset({"source", "at", *_TEXTS})
_REMEDY: Final = (
    "give the ARN that the Describe call of the resource prints, such as "
    "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
)


def read(event: dict[str, Any], *, received_at: datetime) -> tuple[Trigger | Ignored, ...]:
    """Read a message of ours."""
    message = Node(event)
    given = [key for key in TARGET_KEYS if key in event]
    if len(given) != 1:
        msg = f"the message has {' and '.join(given)}: give one of {', '.join(TARGET_KEYS)}"
        raise MalformedEventError(msg)
    _refuse_unknown(message, frozenset({given[0], _CAUSE}))
    target = _READERS[given[0]](message)
    return (Trigger(target=target, cause=_cause(message, received_at)),)


def encode(trigger: Trigger) -> dict[str, Any]:
    """A trigger as a message of ours, for `json.dumps`; what is empty is left out."""
    cause = trigger.cause
    texts = {name: getattr(cause, name) for name in _TEXTS}
    return {
        **_encoded(trigger.target),
        _CAUSE: {
            "source": cause.source.value,
            "at": cause.at.isoformat(),
            **{name: text for name, text in texts.items() if text},
        },
    }


def _encoded(target: Target) -> dict[str, Any]:
    if isinstance(target, ResourceRef):
        return {_RESOURCE: target.arn}
    where = {
        "resource_type": target.resource_type.value,
        "account": target.account,
        "region": target.region,
    }
    if isinstance(target, Lookup):
        return {_LOOKUP: {**where, "resource_id": target.resource_id}}
    return {_WHOLE_KIND: where}


def _resource(message: Node) -> ResourceRef:
    try:
        found = reference(message.text(_RESOURCE), _RESOURCE)
    except MalformedEventError as error:
        msg = f"{error}; {_REMEDY}"
        raise MalformedEventError(msg) from None
    if isinstance(found, Ignored):
        msg = f"{found.detail.removesuffix('.')}; {_REMEDY}"
        raise MalformedEventError(msg)
    return found


def _lookup(message: Node) -> Lookup:
    node = message.child(_LOOKUP)
    _refuse_unknown(node, frozenset({"resource_type", "account", "region", "resource_id"}))
    resource_type, home = _where(node)
    return Lookup(resource_type, home.account, home.region, node.text("resource_id"))


def _whole_kind(message: Node) -> WholeKind:
    node = message.child(_WHOLE_KIND)
    _refuse_unknown(node, frozenset({"resource_type", "account", "region"}))
    resource_type, home = _where(node)
    return home.every(resource_type)


def _where(node: Node) -> tuple[ResourceType, Home]:
    name = node.text("resource_type")
    try:
        resource_type = ResourceType(name)
    except ValueError:
        msg = f"{node.where('resource_type')} is {shown(name)}; known are {', '.join(ResourceType)}"
        raise MalformedEventError(msg) from None
    return resource_type, Home.of(node.text("account"), node.text("region"), where=node.path)


def _cause(message: Node, received_at: datetime) -> Cause:
    node = message.maybe_child(_CAUSE)
    if not node.value:
        return cause_of(Source.MANUAL, event_name=Source.MANUAL, event_id="", at=received_at)
    _refuse_unknown(node, _CAUSE_KEYS)
    name = node.text("source")
    try:
        source = Source(name)
    except ValueError:
        msg = f"{node.where('source')} is {shown(name)}; known are {', '.join(Source)}"
        raise MalformedEventError(msg) from None
    texts = {key: node.maybe_text(key) for key in _TEXTS}
    at = node.maybe_text("at")
    return cause_of(
        source,
        event_name=texts.pop("event_name") or source.value,
        event_id=texts.pop("event_id"),
        at=moment(at, node.where("at")) if at else received_at,
        **texts,
    )


def _refuse_unknown(node: Node, known: frozenset[str]) -> None:
    # A misspelt key would be silence about something that its author wanted said.
    unknown = sorted(str(key) for key in node.value if key not in known)
    if unknown:
        msg = f"{node.path or 'the message'} has {shown(unknown[0])}; known are {', '.join(sorted(known))}"
        raise MalformedEventError(msg)


_READERS: Final[Mapping[str, Callable[[Node], Target]]] = {
    _RESOURCE: _resource,
    _LOOKUP: _lookup,
    _WHOLE_KIND: _whole_kind,
}
