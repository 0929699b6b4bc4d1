"""What the queues carry: identities and reasons, never facts. Whoever is about to act reads again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass
from warden.core.errors import MalformedEventError
from warden.core.resource import ResourceRef

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class RemediationMessage:
    """Controls of one resource that were decided to be remediated, by which policy."""

    ref: ResourceRef
    controls: tuple[str, ...]
    policy_version: str
    resource_key: str = ""
    """The immutable identity that was judged: after a rename, another resource may have the ARN."""
    clean_up: str = ""
    """The ARN of what a procedure made for the resource and nobody wants any more: nothing else is asked for then."""
    cause: Mapping[str, Any] = field(default_factory=dict)

    @property
    def group(self) -> str:
        """The FIFO message group: one resource, one writer."""
        return group_of(self.ref.arn)

    def encode(self) -> str:
        """The message's body."""
        return json.dumps(
            {
                "resource": self.ref.arn,
                "resource_key": self.resource_key,
                "controls": list(self.controls),
                "policy_version": self.policy_version,
                "cause": dict(self.cause),
                **({"clean_up": self.clean_up} if self.clean_up else {}),
            },
            default=str,
        )

    @classmethod
    def decode(cls, body: str) -> RemediationMessage:
        """Read a body; raises MalformedEventError."""
        data = _object(
            body,
            {"resource": str, "controls": list, "policy_version": str, "cause": dict},
            # A message that an earlier version sent waits without it.
            {"resource_key": "", "clean_up": ""},
        )
        return cls(
            ref=_ref(data["resource"]),
            controls=tuple(str(control) for control in data["controls"]),
            policy_version=data["policy_version"],
            resource_key=data["resource_key"],
            clean_up=data["clean_up"],
            cause=data["cause"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoMessage:
    """A write that somebody wants taken back, by its entry of the ledger."""

    ref: ResourceRef
    chain: str
    sequence: int
    entry_hash: str
    """Of the entry as the person saw it."""

    @property
    def group(self) -> str:
        """The FIFO message group of the resource: an undo never overtakes, or meets, a remediation."""
        return group_of(self.ref.arn)

    def encode(self) -> str:
        """The message's body."""
        return json.dumps(
            {
                "undo": self.sequence,
                "resource": self.ref.arn,
                "chain": self.chain,
                "entry_hash": self.entry_hash,
            }
        )

    @classmethod
    def decode(cls, body: str) -> UndoMessage:
        """Read a body; raises MalformedEventError."""
        data = _object(body, {"undo": int, "resource": str, "chain": str, "entry_hash": str}, {})
        return cls(
            ref=_ref(data["resource"]),
            chain=data["chain"],
            sequence=data["undo"],
            entry_hash=data["entry_hash"],
        )


def group_of(arn: str) -> str:
    """The FIFO message group of a resource: one resource, one writer."""
    return hashlib.sha256(arn.encode()).hexdigest()[:32]


def decode_write(body: str) -> RemediationMessage | UndoMessage:
    """Read a message of the remediations queue; raises MalformedEventError."""
    return UndoMessage.decode(body) if '"undo"' in body else RemediationMessage.decode(body)


class TicketEvent(StrEnum):
    """What happened to a finding that a ticket tells."""

    OPEN = "open"
    RESOLVE = "resolve"
    FIXED = "fixed"
    """As RESOLVE, and it was Warden's own remediation: sinks of changes are told, ticket or no ticket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketMessage:
    """A finding whose ticket should be opened, brought up to date or resolved."""

    event: TicketEvent
    resource_key: str
    control: str
    revision: int = 0
    """What is told is in this revision of the finding, or a later one: the message may overtake it."""

    def encode(self) -> str:
        """The message's body."""
        return json.dumps(
            {
                "event": self.event.value,
                "resource_key": self.resource_key,
                "control": self.control,
                "revision": self.revision,
            }
        )

    @classmethod
    def decode(cls, body: str) -> TicketMessage:
        """Read a body; raises MalformedEventError."""
        data = _object(body, {"event": str, "resource_key": str, "control": str}, {"revision": 0})
        try:
            event = TicketEvent(data["event"])
        except ValueError as error:
            msg = f"ticket message: event: {error}"
            raise MalformedEventError(msg) from None
        return cls(
            event=event,
            resource_key=data["resource_key"],
            control=data["control"],
            revision=data["revision"],
        )


def _object(body: str, fields: Mapping[str, type], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a body, each of the type that it must have; those with a default may be absent."""
    try:
        data = json.loads(body)
    except (TypeError, ValueError) as error:
        msg = f"the message is not JSON: {error}"
        raise MalformedEventError(msg) from None
    if not isinstance(data, dict):
        msg = "the message is not a JSON object"
        raise MalformedEventError(msg)
    data = {**defaults, **data}
    for name, wanted in {**fields, **{name: type(value) for name, value in defaults.items()}}.items():
        if not isinstance(data.get(name), wanted):
            msg = f"the message's {name!r} is missing or no {wanted.__name__}"
            raise MalformedEventError(msg)
    return data


def _ref(arn: str) -> ResourceRef:
    try:
        return ResourceRef.from_arn(arn)
    except ValueError as error:
        raise MalformedEventError(str(error)) from None
