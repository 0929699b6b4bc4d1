"""What CloudTrail shows that our role wrote, against what the ledger says that it was about to write."""

from __future__ import annotations

from collections import Counter
from dataclasses import field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass
from warden.core.ledger import EntryKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from warden.core.ledger import Link

CALL_TAKES = timedelta(minutes=5)
"""The most that lies between an intent and its call: as long as a lease, after which nothing is written any more."""

REPEATS_TAKE = timedelta(minutes=3)
"""The most that lies between the attempts of one call: four of 23 seconds, and the pauses in between (`clients`)."""
_REPEATS = 3
"""Attempts after the first."""

# Lambda makes the streams of a function's log with the function's role.
_PLUMBING = frozenset({("logs.amazonaws.com", "CreateLogStream")})
# What the SDK adds to a request by itself (idempotency tokens of botocore's models).
_OF_THE_CLIENT = frozenset({"clientRequestToken", "ClientRequestToken"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A write of our role, as CloudTrail recorded it."""

    event_id: str
    request_id: str
    operation: str
    source: str
    """`rds.amazonaws.com`"""
    at: datetime
    """To the second."""
    session: str
    parameters: Mapping[str, Any] | None
    """As CloudTrail spells them; None where it left them out."""

    @classmethod
    def of(cls, record: Mapping[str, Any], own_roles: Collection[str]) -> Recorded | None:
        """The write in a record; None for a read, a refused call, another's, and what a service did for our call.

        Raises KeyError, ValueError or TypeError where the record is none of CloudTrail's.
        """
        identity = record["userIdentity"]
        issuer = (identity.get("sessionContext") or {}).get("sessionIssuer") or {}
        if issuer.get("arn") not in own_roles or record.get("errorCode") or record.get("readOnly") is True:
            return None
        if str(identity.get("invokedBy", "")).endswith((".amazonaws.com", ".amazonaws.com.cn")):
            return None
        if (record["eventSource"], record["eventName"]) in _PLUMBING:
            return None
        parameters = record.get("requestParameters")
        if not isinstance(parameters, dict) or parameters.get("omitted") is True:
            # Larger than 100 KB: CloudTrail leaves it out.
            parameters = None
        return cls(
            event_id=str(record["eventID"]),
            request_id=str(record.get("requestID", "")),
            operation=str(record["eventName"]),
            source=str(record["eventSource"]),
            at=datetime.fromisoformat(record["eventTime"]),
            session=str(identity.get("arn", "")),
            parameters=parameters,
        )

    def repeats(self, other: Recorded) -> bool:
        """Whether both can be attempts of one call: what is not known to be the same is not."""
        alike = (self.operation, self.source, self.session) == (other.operation, other.source, other.session)
        near = abs(self.at - other.at) <= REPEATS_TAKE
        return alike and near and self.parameters is not None and self.parameters == other.parameters


@dataclass(slots=True, kw_only=True)
class Intended:
    """One intent of the ledger, with its outcome where there is one."""

    chain: str
    sequence: int
    at: datetime
    operation: str
    calls: Sequence[Mapping[str, Any]]
    status: str = ""
    """Of the outcome; empty where a crash left none."""
    request_id: str = ""

    @property
    def key(self) -> str:
        """A name for it that stays."""
        return f"{self.chain}#{self.sequence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that only one of the two knows, or that they tell differently."""

    key: str
    at: datetime
    what: str
    """A sentence."""
    chain: str = ""
    sequence: int = 0
    event_id: str = ""

    def to_json(self) -> dict[str, Any]:
        """The difference as the ledger keeps it."""
        where = {"chain": self.chain, "sequence": self.sequence} if self.chain else {}
        told = {"event_id": self.event_id} if self.event_id else {}
        return {"at": self.at.isoformat(), "what": self.what, **where, **told}


@dataclass(slots=True)
class Comparison:
    """What matched and what did not."""

    matched: int = 0
    settled: list[Difference] = field(default_factory=list)
    """Intents that a crash left without an outcome: CloudTrail shows whether the call was made."""
    repeated: list[Difference] = field(default_factory=list)
    """Calls that the SDK made again, because the answer to an attempt was lost: the same in everything but its id."""
    differences: list[Difference] = field(default_factory=list)


def intended(chain: str, links: Iterable[Link]) -> tuple[list[Intended], list[Difference]]:
    """The intents of a chain with their outcomes, and the outcomes that have no intent."""
    found: list[Intended] = []
    orphans: list[Difference] = []
    for one in links:
        entry, after = one.entry, one.entry.get("after") or {}
        kind, calls = entry.get("kind"), after.get("calls")
        if kind not in {EntryKind.INTENT, EntryKind.OUTCOME}:
            continue
        at = datetime.fromisoformat(entry["at"])
        operation = str(after.get("operation", ""))
        if kind == EntryKind.INTENT:
            found.append(
                Intended(
                    chain=chain,
                    sequence=one.sequence,
                    at=at,
                    operation=operation,
                    calls=calls if isinstance(calls, list) else (),
                )
            )
            continue
        announced = _announced(found, operation, calls)
        if announced is not None:
            announced.status = str(after.get("status", ""))
            announced.request_id = str(after.get("request_id", ""))
        elif after.get("status") == "SUCCEEDED":
            what = (
                f"The ledger says that {operation} was made, and no entry before says that it was intended."
            )
            key = f"{chain}#{one.sequence}"
            orphans.append(Difference(key=key, at=at, what=what, chain=chain, sequence=one.sequence))
    return found, orphans


def _announced(found: Sequence[Intended], operation: str, calls: object) -> Intended | None:
    """The last intent without an outcome that said the same; a refusal does not repeat the parameters."""
    for one in reversed(found):
        same = not isinstance(calls, list) or not one.calls or list(one.calls) == calls
        if not one.status and one.operation == operation and same:
            return one
    return None


def compare(
    writes: Sequence[Recorded], intents: Sequence[Intended], *, since: datetime, until: datetime
) -> Comparison:
    """Match each write with the one intent that announced it, and each intent with its write.

    What happened up to `since`, or after `until`, helps to match, and is itself not missed. Each intent announces
    one call: what CloudTrail shows beyond that was announced by nobody.
    """
    result = Comparison()
    left = {write.event_id: write for write in writes}
    by_request = {write.request_id: write for write in writes if write.request_id}
    open_intents: list[Intended] = []
    known: list[Recorded] = []
    for one in intents:
        if one.status != "SUCCEEDED" or not one.request_id:
            open_intents.append(one)
            continue
        write = by_request.get(one.request_id)
        if write is not None and write.event_id in left and write.operation == one.operation:
            del left[write.event_id]
            known.append(write)
            result.matched += since < one.at <= until
        elif since < one.at <= until:
            what = (
                f"The ledger says that {one.operation} was made with request id {one.request_id}, "
                "and CloudTrail shows no such call of our role."
            )
            result.differences.append(_of(one, what))
    for write in sorted(left.values(), key=lambda write: (write.at, write.event_id)):
        _settle(write, open_intents, known, result, since=since, until=until)
    for one in open_intents:
        if since < one.at <= until and not one.status:
            what = f"{one.operation} was intended and cut off; CloudTrail shows that it was not made."
            result.settled.append(_of(one, what))
        elif since < one.at <= until and one.status == "SUCCEEDED":
            what = f"The ledger says that {one.operation} was made, and CloudTrail shows no such call of our role."
            result.differences.append(_of(one, what))
    return result


def _settle(
    write: Recorded,
    open_intents: list[Intended],
    known: list[Recorded],
    result: Comparison,
    *,
    since: datetime,
    until: datetime,
) -> None:
    """A write that no request id of the ledger names.

    An intent's whose outcome is missing, another attempt of a known call, or nobody's.
    """
    one = next((one for one in open_intents if _announces(one, write)), None)
    told = since < write.at <= until
    if one is None:
        twin = next((other for other in known if write.repeats(other)), None)
        if twin is not None and sum(write.repeats(other) for other in known) <= _REPEATS:
            known.append(write)
            if told:
                what = (
                    f"CloudTrail shows {write.operation} twice, request ids {write.request_id} and {twin.request_id}, "
                    "alike in everything else: the SDK repeated a call whose answer was lost."
                )
                result.repeated.append(
                    Difference(key=write.event_id, at=write.at, what=what, event_id=write.event_id)
                )
        elif told:
            what = (
                f"CloudTrail shows {write.operation} ({write.source}) by {write.session}, request id "
                f"{write.request_id}, and no entry of the ledger says that it was intended."
            )
            result.differences.append(
                Difference(key=write.event_id, at=write.at, what=what, event_id=write.event_id)
            )
        return
    open_intents.remove(one)
    known.append(write)
    if not told:
        return
    if one.status == "SUCCEEDED":
        result.matched += 1
    elif not one.status:
        what = f"{one.operation} was intended and cut off; CloudTrail shows that it was made."
        result.settled.append(_of(one, what, event_id=write.event_id))
    else:
        what = f"The ledger says of {one.operation} {one.status}, and CloudTrail shows that it was made."
        result.differences.append(_of(one, what, event_id=write.event_id))


def _of(one: Intended, what: str, *, event_id: str = "") -> Difference:
    return Difference(
        key=one.key, at=one.at, what=what, chain=one.chain, sequence=one.sequence, event_id=event_id
    )


def _announces(one: Intended, write: Recorded) -> bool:
    """Whether a write is what an intent said, by operation, time and every parameter."""
    begun = one.at.replace(microsecond=0)
    if one.operation != write.operation or not begun <= write.at <= one.at + CALL_TAKES:
        return False
    if write.parameters is None or not one.calls:
        return True
    said: Counter[tuple[str, str]] = Counter()
    for call in one.calls:
        said.update(_leaves(call.get("parameters", {})))
    shown = Counter(_leaves(write.parameters))
    return said == shown


def _leaves(value: object, name: str = "") -> Iterable[tuple[str, str]]:
    """Every value of a request under the name of its member, whatever lists and objects a service's spelling adds.

    What is false, null or empty is left out: CloudTrail shows the defaults of RDS's switches, which nobody sent.
    """
    if isinstance(value, dict):
        for member, item in value.items():
            if member not in _OF_THE_CLIENT:
                yield from _leaves(item, name if member == "items" else member.lower().rstrip("s"))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, name)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, str(float(value))
    elif value not in {None, False, ""}:
        yield name, str(value)
