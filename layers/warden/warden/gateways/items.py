"""Rows as DynamoDB has them, pages, conditional writes, and cutting what is too large for AWS.

boto3's serialiser is not used: it makes every number a Decimal, and a row here is three scalar types and
one JSON document. What is nested is a JSON string, so that no shape of AWS's answers can be refused.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from warden.core.errors import ConflictError, ThrottledError
from warden.core.ledger import plain
from warden.gateways.errors import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from warden.core.finding import Finding

ROOM = 390_000
"""Bytes of JSON that fit into an item beside its keys: DynamoDB's limit is 400 KB for names and values."""

_LOST = frozenset(
    {
        "ConditionalCheckFailedException",
        "ReplicatedWriteConflictException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
# The same as reasons of a transaction that was cancelled.
_LOST_REASONS = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
_SLOWED = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"})
_LADDER = (65_536, 16_384, 4_096, 1_024)


# --- rows -------------------------------------------------------------------------------------------------


def encode(values: Mapping[str, str | int | bool]) -> dict[str, Any]:
    """A row as an item or a key of DynamoDB."""
    return {name: _attribute(value) for name, value in values.items()}


def _attribute(value: str | int | bool) -> dict[str, str | bool]:  # noqa: FBT001 - a value of any kind, not a flag
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"N": str(value)} if isinstance(value, int) else {"S": str(value)}


def decode(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """An item as a row; an attribute of another type, which only somebody else can have written, is left out."""
    row: dict[str, Any] = {}
    for name, attribute in item.items():
        for kind, value in attribute.items():
            if kind in {"S", "BOOL"}:
                row[name] = value
            elif kind == "N":
                number = Decimal(value)
                # Every number that is ours is whole; what somebody else wrote must be seen, and not end the reading.
                row[name] = int(number) if number == number.to_integral_value() else float(number)
    return row


def pages(call: Callable[..., Any], operation: str, **parameters: Any) -> Iterator[dict[str, Any]]:
    """The rows of a Query or a Scan; each page is read when the rows before it are used up."""
    while True:
        with translated(operation):
            page = call(**parameters)
        yield from (decode(item) for item in page["Items"])
        if "LastEvaluatedKey" not in page:
            return
        parameters["ExclusiveStartKey"] = page["LastEvaluatedKey"]


@contextmanager
def conditional(operation: str) -> Iterator[None]:
    """Like `translated`, and a condition that does not hold, or a transaction in the way, is a ConflictError."""
    with translated(operation):
        try:
            yield
        except ClientError as error:
            response: Any = error.response
            code = response.get("Error", {}).get("Code", "")
            reasons = {reason.get("Code") for reason in response.get("CancellationReasons", ())}
            if code in _LOST or reasons & _LOST_REASONS:
                msg = f"{operation}: another writer was first"
                raise ConflictError(msg) from error
            if reasons & _SLOWED:
                msg = f"{operation}: {error}"
                raise ThrottledError(msg) from error
            raise


# --- cutting ----------------------------------------------------------------------------------------------


def cut_text(text: str, room: int) -> str:
    """The beginning of a text, and how much was left out."""
    return text if len(text) <= room else f"{text[:room]}... ({len(text) - room} characters left out)"


def cut_mapping(mapping: Mapping[str, Any], room: int) -> dict[str, Any]:
    """The smallest values of a mapping that fit into `room` as JSON; a mark stands where a large one was.

    Where the marks would not fit, one stands for all that was left out.
    """
    document: dict[str, Any] = plain(dict(mapping))
    sizes = {key: size(key) + size(value) for key, value in document.items()}
    large: list[str] = []
    left = room
    for key in sorted(sizes, key=lambda key: (sizes[key], key)):
        left -= sizes[key]
        if left < 0:
            large.append(key)
    marked = {**document, **{key: {"left_out": f"{sizes[key]} bytes"} for key in large}}
    if not large or size(marked) <= room + _LADDER[-1]:
        return marked
    dropped = set(large)
    kept = {key: value for key, value in document.items() if key not in dropped}
    return {**kept, "left_out": f"{len(large)} values, {sum(sizes[key] for key in large)} bytes"}


def shortened(finding: Finding, fits: Callable[[Finding], bool]) -> Finding:
    """The finding with as little left out as needed to fit: evidence goes first, what a person needs goes last."""
    cuts: tuple[Callable[[Finding, int], Finding], ...] = (
        lambda finding, room: replace(finding, evidence=cut_mapping(finding.evidence, room)),
        lambda finding, room: replace(finding, cause=cut_mapping(finding.cause, room)),
        lambda finding, room: replace(finding, plan=_cut_plan(finding.plan, room)),
        lambda finding, room: replace(finding, manual=cut_text(finding.manual, room)),
        lambda finding, room: replace(finding, annotation=cut_text(finding.annotation, room)),
    )
    if fits(finding):
        return finding
    for cut in cuts:
        for room in _LADDER:
            candidate = cut(finding, room)
            if candidate != finding and fits(candidate):
                return candidate
        finding = candidate
    return finding


def _cut_plan(plan: tuple[Mapping[str, Any], ...], room: int) -> tuple[Mapping[str, Any], ...]:
    # A call keeps its shape: whoever renders a plan reads an operation and its parameters.
    kept = plan[: room // _LADDER[-1]]
    return tuple({**call, "parameters": cut_mapping(call["parameters"], room // len(kept))} for call in kept)


def size(value: Any) -> int:
    """Bytes of a value as JSON, which is ASCII here."""
    return len(json.dumps(value))
