"""Independent reads at the same time, in a few threads: an answer of AWS takes 50 ms, most of which is waiting.

How fast RDS is asked stays `pace`'s business: its bucket is shared by all threads.
"""

from __future__ import annotations

import functools
import threading
import time
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future, ThreadPoolExecutor

S = TypeVar("S")
T = TypeVar("T")

threads = 4
"""How many at a time; one where answers come from this process, as those of the local AWS do, and tests count calls."""

_NAME = "reads"
_FIRST, _MOST = 5, 16
"""Items that one thread takes at a time, at first and at most."""
_WHILE = 0.05
"""Seconds for which one thread should have work: to hand an item over takes as long as to judge one without a call."""
_WORTH = 0.002
"""Seconds of waiting for each item from which on threads gain something: to take turns costs them a tenth more."""
_LATEST = 0.2
"""How much the last piece tells of what the next ones wait for: items with a call come among those without."""
_LONG = 1.0
"""Seconds after which a thread hands back what it has not begun: calls have become slow, or wait for their turn."""


class _Piece(Generic[S, T]):
    """What a thread made of the items that it took."""

    __slots__ = ("error", "left", "made", "seconds", "waited")

    def __init__(self, work: Callable[[S], T], items: list[S]) -> None:
        begun, worked = time.perf_counter(), time.thread_time()
        self.made: list[T] = []
        self.left: list[S] = []
        """The items that it was too slow for."""
        self.error: Exception | None = None
        """Why it made no more; what it made before counts."""
        self.seconds = 1e-6
        self.waited = 0.0
        """Seconds in which it did nothing."""
        try:
            for item in items:
                self.made.append(work(item))
                self.seconds = max(1e-6, time.perf_counter() - begun)
                if self.seconds > _LONG:
                    self.left = items[len(self.made) :]
                    break
        except Exception as error:  # noqa: BLE001 - it is raised where its item stands
            self.error = error
        self.waited = max(0.0, self.seconds - (time.thread_time() - worked))


def in_order(work: Callable[[S], T], items: Iterable[S]) -> Iterator[T]:
    """What `work` makes of each item, in their order; where it waits, by threads, ahead of whoever takes them."""
    if threads == 1:
        yield from map(work, items)
        return
    pool = _pool(threads)
    running: deque[Future[_Piece[S, T]]] = deque()
    rest, size, waiting = iter(items), _FIRST, _WORTH
    try:
        while True:
            while waiting >= _WORTH and len(running) <= threads and (some := list(islice(rest, size))):
                running.append(pool.submit(_Piece, work, some))
            if running:
                piece = running.popleft().result()
            elif some := list(islice(rest, size)):
                piece = _Piece(work, some)
            else:
                return
            waiting += _LATEST * (piece.waited / (len(piece.made) or 1) - waiting)
            running.extendleft(reversed([pool.submit(_Piece, work, [one]) for one in piece.left]))
            size = max(1, min(2 * size, _MOST, int(len(piece.made) * _WHILE / piece.seconds)))
            yield from piece.made
            if piece.error is not None:
                raise piece.error
    finally:
        # Whoever took no more of it has no use for the rest; a function must not be frozen in the middle of a call.
        for one in running:
            if not one.cancel():
                one.exception()


def _each(work: Callable[[S], T], items: list[S]) -> list[T]:
    return [work(item) for item in items]


def at_once(work: Callable[[S], T], items: list[S]) -> list[T]:
    """The same for a few items, each in a thread of its own."""
    # Whoever is one of the threads must not wait for another to become free: all of them might.
    if threads == 1 or len(items) < 2 or threading.current_thread().name.startswith(_NAME):  # noqa: PLR2004 - one is alone
        return _each(work, items)
    running = [_pool(threads).submit(work, item) for item in items]
    for one in running:
        # Where one fails, the others are waited for all the same.
        one.exception()
    return [one.result() for one in running]


@functools.lru_cache(maxsize=1)
def _pool(size: int) -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - most processes of the console need none

    return ThreadPoolExecutor(size, thread_name_prefix=_NAME)
