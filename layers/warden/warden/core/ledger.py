"""What happened: entries that are chained per resource, so that an edit, a gap or a missing tail shows."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

GENESIS = "0" * 64
"""The hash before the first entry of a chain."""


class EntryKind(StrEnum):
    """What an entry records."""

    FINDING = "finding"
    """A finding came, changed its workflow status, or went."""
    DECISION = "decision"
    INTENT = "intent"
    """What is about to be written, with the values before. A crash leaves this behind."""
    OUTCOME = "outcome"
    TICKET = "ticket"
    STOP = "stop"
    """Somebody stopped or resumed all writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One thing that happened to one resource (or to the deployment)."""

    at: datetime
    actor: str
    """The step that wrote it: evaluate, remediate, ticket, or the ARN of a person for STOP."""
    chain: str
    """The resource key, or `deployment`."""
    kind: EntryKind
    control: str = ""
    arn: str = ""
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)
    cause: Mapping[str, Any] = field(default_factory=dict)
    control_version: str = ""
    policy_version: str = ""

    def to_json(self) -> dict[str, Any]:
        """The entry as plain JSON values."""
        return {
            "at": self.at.isoformat(),
            "actor": self.actor,
            "chain": self.chain,
            "kind": self.kind.value,
            "control": self.control,
            "arn": self.arn,
            "before": plain(self.before),
            "after": plain(self.after),
            "evidence": plain(self.evidence),
            "cause": plain(self.cause),
            "control_version": self.control_version,
            "policy_version": self.policy_version,
        }


def plain(value: Any) -> Any:
    """A value as JSON has it: mappings, lists, strings, numbers, booleans and null."""
    return json.loads(json.dumps(value, default=_encode, sort_keys=True))


def _encode(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    if hasattr(value, "evidence"):
        return value.evidence()
    return str(value)


def chained(entry: Mapping[str, Any], *, sequence: int, previous: str) -> str:
    """The hash of an entry at its place in its chain."""
    text = json.dumps(
        {"entry": entry, "sequence": sequence, "previous": previous}, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()
