"""The reads that one look at AWS shares: whole lists once for a sweep or a scan, each thing once for an event."""

from __future__ import annotations

import copy
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

from warden.core.errors import AccessDeniedError, RefusedError, UnsupportedError, WardenError
from warden.gateways.packed import PLAIN, Index, Items

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from warden.core.memory import Recalled
    from warden.core.procedure import Record
    from warden.gateways.memory import Memory
    from warden.gateways.rds import Rds
    from warden.gateways.temporaries import DynamoTemporaries

T = TypeVar("T")

_LASTING = (AccessDeniedError, UnsupportedError)
_NO_SUCH_KEY = "NotFoundException"
"""What KMS says of a key that is gone for good: "you can't recover the KMS key"."""


_TRIES = 3
"""How often what may pass by itself is asked for, each time with four retries of botocore's."""


class Reads:
    """AWS, as far as one look at it has already asked: of one resource, or in `bulk` of all; by many threads."""

    def __init__(
        self,
        api: Rds,
        *,
        bulk: bool,
        temporaries: DynamoTemporaries | None = None,
        plain: int = PLAIN,
        memory: Memory | None = None,
    ) -> None:
        """Keep so many items of each list `plain`, which takes no time, and the others packed."""
        self.api = api
        self.bulk = bulk
        self._plain = plain
        self._temporaries = temporaries
        self._memory = memory
        self.recalls = memory is not None
        """Whether memory may answer."""
        self._answers: dict[Hashable, Any] = {}
        self._locks: dict[Hashable, threading.Lock] = {}
        self._refusals: dict[Hashable, WardenError] = {}
        self._failed: Counter[Hashable] = Counter()

    def whole(self, operation: str, **parameters: Any) -> Items:
        """Every item of a list operation; where reads are shared, read once."""
        key = (operation, repr(parameters)) if parameters else operation
        return self.once(key, lambda: self.items(self.api.pages(operation, **parameters)))

    def items(self, pages: Iterable[list[dict[str, Any]]]) -> Items:
        """The items of some pages, as they are kept for as long as this is."""
        found = Items(plain=self._plain)
        for page in pages:
            found.extend(page)
        return found

    def by(self, operation: str, member: str, **parameters: Any) -> Index:
        """The same items by the value of a member, in their order: a fleet is not searched for each of its parts."""
        key = ("by", operation, member, repr(parameters) if parameters else "")
        return self.once(
            key, lambda: Index(self.whole(operation, **parameters), lambda item: (item.get(member),))
        )

    def record(self, arn: str) -> Record | None:
        """What Warden wrote down of a thing that it makes; where reads are shared, all records are read once."""
        if (kept := self._temporaries) is None:
            return None
        if not self.bulk:
            return kept.get(arn)
        return self.once("records", lambda: {record.arn: record for record in kept.all()}).get(arn)

    def afresh(self) -> Reads:
        """The same, and what it has asked for and will ask for, but memory answers nothing."""
        live = copy.copy(self)
        live.recalls = False
        return live

    @property
    def remembers(self) -> bool:
        """Whether what is read is kept for the next sweep."""
        return self._memory is not None

    def has(self, key: Hashable) -> bool:
        """Whether `once` would answer without reading."""
        return key in self._answers

    def recalled(self, arn: str, *, seen: str) -> Recalled | None:
        """What sweeps remember of a thing: see `memory`."""
        return self._memory.recall(arn, seen=seen) if self._memory is not None and self.recalls else None

    def learned(self, arn: str, read: Callable[[], T], *, seen: str) -> T:
        """What `read` returns, remembered for the next sweep, with the time before it was asked for."""
        if (memory := self._memory) is None:
            return read()
        read_at = memory.clock()
        value = read()
        memory.learn(arn, seen=seen, value=value, read_at=read_at)
        return value

    def flush(self) -> None:
        """Write what is to be remembered."""
        if self._memory is not None:
            self._memory.flush()

    def once(self, key: Hashable, read: Callable[[], T]) -> T:
        """What `read` returns; it is called once for each key, and who asks meanwhile waits.

        That we may not ask is kept too, and that there is no such thing: a thousand resources are not refused a
        thousand times. What may pass by itself is asked for again by the next resource that needs it, but not for ever:
        where a list of many pages is throttled in its middle, that would ask for its beginning a thousand times.
        """
        if key not in self._answers:
            # What is read for one key asks for others, and those never for it.
            with self._locks.setdefault(key, threading.Lock()):
                self._ask(key, read)
        answer: T = self._answers[key]
        return answer

    def _ask(self, key: Hashable, read: Callable[[], Any]) -> None:
        if key in self._refusals:
            raise _alike(self._refusals[key])
        if key not in self._answers:
            try:
                self._answers[key] = read()
            except WardenError as refusal:
                self._failed[key] += 1
                if _lasts(refusal) or self._failed[key] >= _TRIES:
                    self._refusals[key] = _alike(refusal)
                raise
            # Whoever waits has it; for what is answered nobody waits any more.
            self._locks.pop(key, None)


def _lasts(error: WardenError) -> bool:
    return isinstance(error, _LASTING) or (isinstance(error, RefusedError) and error.code == _NO_SUCH_KEY)


def _alike(error: WardenError) -> WardenError:
    """The same error, without a trace of who heard it: that would keep what each had read, and the answer of AWS."""
    alike: WardenError = type(error).__new__(type(error), *error.args)
    alike.__dict__.update(error.__dict__)
    return alike
