"""The reads that one reader shares: whole lists once for a sweep or a scan, afresh for an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from warden.core.errors import AccessDeniedError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from warden.gateways.rds import Rds
    from warden.gateways.temporaries import DynamoTemporaries

T = TypeVar("T")


class Reads:
    """AWS, as far as one reader has already asked it."""

    def __init__(self, api: Rds, *, bulk: bool, temporaries: DynamoTemporaries | None = None) -> None:
        self.api = api
        self.bulk = bulk
        self.temporaries = temporaries
        self._answers: dict[Hashable, Any] = {}
        self._refusals: dict[Hashable, Exception] = {}

    def whole(self, operation: str, **parameters: Any) -> list[dict[str, Any]]:
        """Every item of a list operation; where reads are shared, read once."""
        key = (operation, tuple(sorted((name, repr(value)) for name, value in parameters.items())))
        return self.once(key, lambda: self.api.every(operation, **parameters))

    def once(self, key: Hashable, read: Callable[[], T]) -> T:
        """What `read` returns; where reads are shared, it is called once for each key.

        That we may not ask is kept too: a thousand resources are not refused a thousand times. What may pass by
        itself is not: the next resource that needs the same asks again.
        """
        if not self.bulk:
            return read()
        if key in self._refusals:
            # Its traceback would grow with every resource, and keep what each had read.
            raise self._refusals[key].with_traceback(None)
        if key not in self._answers:
            try:
                self._answers[key] = read()
            except (AccessDeniedError, UnsupportedError) as refusal:
                self._refusals[key] = refusal
                raise
        answer: T = self._answers[key]
        return answer
