"""What holds controls back, as a sweep sees it: read once a minute and not for each of thousands of resources.

Whoever writes reads it again, so that a minute's old news can lead to a decision, and to no write.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import datetime

    from warden.core.brakes import Spent, Standing
    from warden.pipeline.ports import Brakes, Clock

T = TypeVar("T")
_FRESH = timedelta(minutes=1)


class RecentBrakes:
    """Brakes of which the two things that every visit asks are kept for a minute."""

    def __init__(self, kept: Brakes, clock: Clock) -> None:
        self._kept = kept
        self._clock = clock
        self._answers: dict[Hashable, tuple[datetime, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        """Everything else is asked, or done, at once."""
        return getattr(self._kept, name)

    def latch(self, account: str, region: str, name: str, *, now: datetime) -> None:
        """Written at once, and what was kept is asked anew: else it would come back after an acknowledgement."""
        self._kept.latch(account, region, name, now=now)
        self._answers.clear()

    def standing(self, account: str, region: str) -> Standing:
        """Latches, circuits, canaries and what was acknowledged, of a minute ago at most."""
        return self._recent((account, region), lambda: self._kept.standing(account, region))

    def spent(self, account: str, region: str, *, budget: str, now: datetime) -> Spent:
        """The writes of this hour, of a minute ago at most."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        return self._recent(
            (account, region, budget, hour),
            lambda: self._kept.spent(account, region, budget=budget, now=now),
        )

    def _recent(self, key: Hashable, ask: Callable[[], T]) -> T:
        now = self._clock()
        asked = self._answers.get(key)
        if asked is None or now - asked[0] >= _FRESH:
            asked = self._answers[key] = (now, ask())
        answer: T = asked[1]
        return answer
