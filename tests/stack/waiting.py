"""botocore's waits between attempts, on the clock of the local AWS."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore import endpoint
from botocore.retries import bucket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from console.local.clock import MovableClock


@contextlib.contextmanager
def waits_take_no_time(clock: MovableClock) -> Iterator[None]:
    """Let time pass at once where botocore backs off, or waits for its client-side rate limit."""

    def acquire(tokens: Any, amount: int, block: bool) -> bool:
        assert block
        tokens._refill()
        while (wait := tokens._sleep_amount(amount)) > 0:
            clock.advance(max(wait, 0.001))  # finer than a microsecond the clock does not go
            tokens._refill()
        tokens._current_capacity -= amount
        return True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(endpoint, "time", SimpleNamespace(sleep=clock.advance))
        patch.setattr(bucket.Clock, "current_time", lambda _: clock.now().timestamp())
        patch.setattr(bucket.TokenBucket, "_acquire", acquire)
        yield
