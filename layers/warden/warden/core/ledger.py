"""What happened: entries that are chained per resource, so that an edit, a gap or a missing tail shows."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from warden.core.dataclass import dataclass
from warden.core.version import package_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

GENESIS = "0" * 64
"""The hash before the first entry of a chain."""

REDACTED = "(redacted)"

# Members of AWS's requests and answers that are secrets: those that botocore's rds model marks sensitive, those
# of secretsmanager, and the parts of credentials. Names are compared whole: ManageMasterUserPassword is a switch,
# password_encryption a parameter that a control reads.
_SECRETS = frozenset(
    {
        "masteruserpassword",
        "tdecredentialpassword",
        "presignedurl",
        "password",
        "randompassword",
        "secretstring",
        "secretbinary",
        "secretaccesskey",
        "sessiontoken",
        "securitytoken",
        "authtoken",
        "authorization",
    }
)
# A URL with a signature in its query (Signature Version 4, or the older two) lets whoever reads it make the call.
# Two expressions of one pass each: one alone would try every beginning of a long word.
_WORD = re.compile(r"[^\s\"'<>]+")
_SIGNATURE = re.compile(
    r"[?&](?:X-Amz-Signature|X-Amz-Security-Token|X-Amz-Credential|Signature)=", re.IGNORECASE
)


class EntryKind(StrEnum):
    """What an entry records."""

    FINDING = "finding"
    """A finding came, changed its workflow status, or went."""
    DECISION = "decision"
    INTENT = "intent"
    """What is about to be written, with the values before. A crash leaves this behind."""
    OUTCOME = "outcome"
    """What AWS, or the write guard, answered."""
    VERIFICATION = "verification"
    """What a later look showed: the fix holds, or its time to show an effect is over."""
    TICKET = "ticket"
    EXEMPTION_REQUEST = "exemption_request"
    """Somebody said in a tracker that it will not be fixed; nothing is exempt by that."""
    EXEMPTION_REFUSED = "exemption_refused"
    """Somebody refused such a request, and the ticket is opened again."""
    SWEEP = "sweep"
    """The counts of a sweep."""
    UNDO = "undo"
    """Somebody asked to take a write back, and it was not taken back."""
    STOP = "stop"
    """Somebody stopped or resumed all writes."""
    ACKNOWLEDGE = "acknowledge"
    """Somebody looked at a spent budget, and opened it again."""
    RECONCILIATION = "reconciliation"
    """What CloudTrail shows that our role wrote was compared with the intents."""
    MISSED = "missed"
    """A sweep found drift, and events that should have told of it did not."""


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
    code_version: str = field(default_factory=package_version)
    """Which Warden wrote it; entries of before this was kept have none."""

    def to_json(self) -> dict[str, Any]:
        """The entry as plain JSON values, without secrets."""
        return {
            "at": self.at.isoformat(),
            "actor": self.actor,
            "chain": self.chain,
            "kind": self.kind.value,
            "control": self.control,
            "arn": self.arn,
            "before": redacted(plain(self.before)),
            "after": redacted(plain(self.after)),
            "evidence": redacted(plain(self.evidence)),
            "cause": redacted(plain(self.cause)),
            "control_version": self.control_version,
            "policy_version": self.policy_version,
            "code_version": self.code_version,
        }


def plain(value: Any) -> Any:
    """A value as JSON has it: mappings, lists, strings, numbers, booleans and null."""
    return json.loads(written(value))


def written(value: Any) -> str:
    """The same as JSON text."""
    return _ENCODER.encode(value)


def _encode(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    if hasattr(value, "evidence"):
        return value.evidence()
    return str(value)


_ENCODER = json.JSONEncoder(default=_encode, sort_keys=True)


def redacted(value: Any) -> Any:
    """A JSON value without the values of secret members, and without URLs that are credentials themselves."""
    if isinstance(value, dict):
        return {key: REDACTED if _is_secret(key) else redacted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [redacted(item) for item in value]
    if isinstance(value, str) and _SIGNATURE.search(value):
        return _WORD.sub(lambda word: REDACTED if _SIGNATURE.search(word[0]) else word[0], value)
    return value


def _is_secret(key: str) -> bool:
    return key.replace("_", "").replace("-", "").lower() in _SECRETS


def chained(entry: Mapping[str, Any], *, sequence: int, previous: str) -> str:
    """The hash of an entry at its place in its chain."""
    text = json.dumps(
        {"entry": entry, "sequence": sequence, "previous": previous}, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where a chain ends; kept apart from the entries, so that a cut-off tail shows."""

    sequence: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An entry at its place in its chain."""

    sequence: int
    """1 for the first."""
    previous: str
    """The hash of the entry before."""
    hash: str
    entry: Mapping[str, Any]

    @property
    def head(self) -> Head:
        """The head of the chain when this was its last entry."""
        return Head(sequence=self.sequence, hash=self.hash)


def link(entry: Mapping[str, Any], head: Head | None) -> Link:
    """An entry as the one after the head."""
    sequence, previous = (1, GENESIS) if head is None else (head.sequence + 1, head.hash)
    return Link(
        sequence=sequence,
        previous=previous,
        hash=chained(entry, sequence=sequence, previous=previous),
        entry=entry,
    )


class Flaw(NamedTuple):
    """Something that is wrong with a chain."""

    sequence: int
    """Of the entry that is not as it was; of the first, where several are missing."""
    what: str
    """A sentence."""


def verify(links: Iterable[Link], head: Head | None, *, kept: Head | None = None) -> list[str]:
    """What is wrong with a chain, a sentence each; see `flaws`."""
    return [flaw.what for flaw in flaws(links, head, kept=kept)]


def flaws(
    links: Iterable[Link], head: Head | None, *, kept: Head | None = None, chain: str = ""
) -> list[Flaw]:
    """What is wrong with a chain: edited, removed, moved or added entries, a cut-off tail.

    A chain that somebody rewrote as a whole, or cut together with its head, is found only by a head that was kept
    elsewhere: the chain must still hold that entry, and may go on after it. `chain`, where it is given, is the name
    that each entry must have for its own.
    """
    wrong: list[Flaw] = []
    last = Head(sequence=0, hash=GENESIS)
    held: str | None = None
    for item in links:
        wrong += _out_of_place(item, last)
        if item.hash != chained(item.entry, sequence=item.sequence, previous=item.previous):
            wrong.append(Flaw(item.sequence, f"Entry {item.sequence} was changed after it was written."))
        elif chain and item.entry.get("chain") != chain:
            wrong.append(Flaw(item.sequence, f"Entry {item.sequence} is one of another chain."))
        if kept is not None and item.sequence == kept.sequence:
            held = item.hash
        last = item.head
    wrong += _wrong_end(last, head)
    return wrong if kept is None else wrong + _unlike_kept(last, held, kept)


def _out_of_place(item: Link, last: Head) -> list[Flaw]:
    if item.sequence > last.sequence + 1:
        what = f"{_entries(last.sequence + 1, item.sequence - 1)} missing."
        return [Flaw(last.sequence + 1, what)]
    if item.sequence <= last.sequence:
        return [Flaw(item.sequence, f"Entry {item.sequence} stands after entry {last.sequence}.")]
    if item.previous != last.hash:
        what = f"Entry {item.sequence} does not follow the entry that stands before it."
        return [Flaw(item.sequence, what)]
    return []


def _wrong_end(last: Head, head: Head | None) -> list[Flaw]:
    if head is None:
        what = f"The chain has entries up to {last.sequence} and no head."
        return [Flaw(last.sequence, what)] if last.sequence else []
    if head.sequence > last.sequence:
        what = f"{_entries(last.sequence + 1, head.sequence)} missing at the end."
        return [Flaw(last.sequence + 1, what)]
    if head.sequence < last.sequence:
        what = f"The head names entry {head.sequence}, and the chain goes on to {last.sequence}."
        return [Flaw(head.sequence + 1, what)]
    if head.hash != last.hash:
        what = f"Entry {last.sequence} is not the one that the head names: the chain was written anew."
        return [Flaw(last.sequence, what)]
    return []


def _unlike_kept(last: Head, held: str | None, kept: Head) -> list[Flaw]:
    if last.sequence < kept.sequence:
        what = f"{_entries(last.sequence + 1, kept.sequence)} missing at the end, by the kept head."
        return [Flaw(last.sequence + 1, what)]
    if held != kept.hash:
        what = f"Entry {kept.sequence} is not the one that the kept head names: the chain was written anew."
        return [Flaw(kept.sequence, what)]
    return []


def _entries(first: int, last: int) -> str:
    return f"Entry {first} is" if first == last else f"Entries {first} to {last} are"
