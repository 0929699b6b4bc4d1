"""The reads that one reader shares: whole lists once for a sweep or a scan, afresh for an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from warden.core.errors import AccessDeniedError, RefusedError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from warden.core.procedure import Record
    from warden.gateways.rds import Rds
    from warden.gateways.temporaries import DynamoTemporaries

T = TypeVar("T")

_LASTING = (AccessDeniedError, UnsupportedError)
_NO_SUCH_KEY = "NotFoundException"
"""What KMS says of a key that is gone for good: "you can't recover the KMS key"."""


class Reads:
    """AWS, as far as one reader has already asked it."""

    def __init__(self, api: Rds, *, bulk: bool, temporaries: DynamoTemporaries | None = None) -> None:
        self.api = api
        self.bulk = bulk
        self._temporaries = temporaries
        self._answers: dict[Hashable, Any] = {}
        self._refusals: dict[Hashable, Exception] = {}

    def whole(self, operation: str, **parameters: Any) -> list[dict[str, Any]]:
        """Every item of a list operation; where reads are shared, read once."""
        key = (operation, repr(parameters)) if parameters else operation
        return self.once(key, lambda: self.api.every(operation, **parameters))

    def by(self, operation: str, member: str, **parameters: Any) -> Mapping[Any, list[dict[str, Any]]]:
        """The same items by the value of a member, in their order: a fleet is not searched for each of its parts."""
        key = ("by", operation, member, repr(parameters) if parameters else "")
        return self.once(key, lambda: _sorted(self.whole(operation, **parameters), member))

    def record(self, arn: str) -> Record | None:
        """What Warden wrote down of a thing that it makes; where reads are shared, all records are read once."""
        if (kept := self._temporaries) is None:
            return None
        if not self.bulk:
            return kept.get(arn)
        return self.once("records", lambda: {record.arn: record for record in kept.all()}).get(arn)

    def once(self, key: Hashable, read: Callable[[], T]) -> T:
        """What `read` returns; where reads are shared, it is called once for each key.

        That we may not ask is kept too, and that there is no such thing: a thousand resources are not refused a
        thousand times. What may pass by itself is not: the next resource that needs the same asks again.
        """
        if not self.bulk:
            return read()
        if key in self._refusals:
            # Its traceback would grow with every resource, and keep what each had read.
            raise self._refusals[key].with_traceback(None)
        if key not in self._answers:
            try:
                self._answers[key] = read()
            except RefusedError as refusal:
                if isinstance(refusal, _LASTING) or refusal.code == _NO_SUCH_KEY:
                    self._refusals[key] = refusal
                raise
        answer: T = self._answers[key]
        return answer


def _sorted(items: Iterable[dict[str, Any]], member: str) -> dict[Any, list[dict[str, Any]]]:
    found: dict[Any, list[dict[str, Any]]] = {}
    for item in items:
        found.setdefault(item.get(member), []).append(item)
    return found
