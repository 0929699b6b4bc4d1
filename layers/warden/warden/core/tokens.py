"""The token bucket that keeps Warden's requests to RDS within a rate: pure arithmetic over a row that is shared.

RDS grants an account and Region some twelve requests a second for all of its tools together, so Warden takes a part.
"""

from __future__ import annotations

from warden.core.dataclass import dataclass

_TICK = 0.001
_SLOWEST = 1 / 16
_RECOVERS = 60.0
"""Seconds in which the rate doubles again after a throttling, up to what the policy says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How much may be asked."""

    per_second: int = 3
    burst: int = 30
    everywhere: bool = False
    """Whether it holds for endpoints that are none of AWS's, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """How somebody takes of the bucket."""

    most: int
    """So many at once, so that the shared row is not written for each request."""
    leave: int = 0
    """So many are left for those who are in more of a hurry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What was left at a moment, in seconds since 1970, and how far AWS has slowed us down."""

    left: float
    at: float
    slowed: float = 1.0
    """The share of the rate that is used."""

    @classmethod
    def full(cls, rate: Rate, now: float) -> Tokens:
        """A bucket that nobody has taken of."""
        return cls(left=float(rate.burst), at=now)

    def refilled(self, rate: Rate, now: float) -> Tokens:
        """What is left now; a clock that runs behind another's takes nothing away."""
        passed = max(0.0, now - self.at)
        # The share at the beginning of the time counts for all of it: less than what would be due, never more.
        left = min(float(rate.burst), self.left + passed * rate.per_second * self.slowed)
        slowed = min(1.0, self.slowed * 2 ** min(passed / _RECOVERS, 10.0))
        return Tokens(left=left, at=max(now, self.at), slowed=slowed)

    def drawn(self, rate: Rate, draw: Draw, now: float) -> tuple[Tokens, int, float]:
        """The bucket after a draw, how much was granted, and where nothing was, in how many seconds to ask again."""
        bucket = self.refilled(rate, now)
        leave = min(draw.leave, max(0, rate.burst - draw.most))
        granted = min(draw.most, int(bucket.left) - leave)
        if granted > 0:
            return Tokens(left=bucket.left - granted, at=bucket.at, slowed=bucket.slowed), granted, 0.0
        wanted = min(draw.most, rate.burst) + leave
        # A little more, since what has come by then is a fraction of seconds since 1970, and rounded.
        return bucket, 0, _TICK + (wanted - bucket.left) / (rate.per_second * bucket.slowed)

    def throttled(self, rate: Rate, now: float) -> Tokens:
        """The bucket after AWS has asked us to slow down: empty, and filled half as fast."""
        bucket = self.refilled(rate, now)
        return Tokens(left=0.0, at=bucket.at, slowed=max(_SLOWEST, bucket.slowed / 2))
