"""Independent reads at the same time, in a few threads: an answer of AWS takes 50 ms, most of which is waiting.

How fast RDS is asked stays `pace`'s business: its bucket is shared by all threads.
"""

from __future__ import annotations

import functools
import threading
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future, ThreadPoolExecutor

S = TypeVar("S")
T = TypeVar("T")

threads = 4
"""How many at a time; one where answers come from this process, as those of the local AWS do, and tests count calls."""

_NAME = "reads"
_TOGETHER = 5
"""Items that one thread takes at a time: to hand one over takes as long as to judge it, and most need no call."""


def in_order(work: Callable[[S], T], items: Iterable[S]) -> Iterator[T]:
    """What `work` makes of each item, in their order, some items ahead of whoever takes them."""
    if threads == 1:
        yield from map(work, items)
        return
    pool = _pool(threads)
    running: deque[Future[list[T]]] = deque()
    rest = iter(items)
    try:
        while some := list(islice(rest, _TOGETHER)):
            running.append(pool.submit(_each, work, some))
            if len(running) > threads:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()
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
