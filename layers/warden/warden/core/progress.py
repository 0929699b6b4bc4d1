"""How far a sweep has come, so that another invocation goes on where one ended, or was killed.

Not how far in a list: AWS promises no order of its lists, and its markers do not last. What was visited is marked, one
by one, by a short hash of the resource's key, which another run salts differently.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_BYTES = 8
MARK = 2 * _BYTES
"""Characters of a mark. Of twenty thousand resources, two share one once in ninety thousand million sweeps."""
STALE = timedelta(hours=24)
"""A sweep that has not come to its end by then begins anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A sweep that is not at its end."""

    run_id: str
    began: datetime
    policy_version: str
    done: tuple[str, ...] = ()
    """The resource types that were swept to their end."""
    counts: Mapping[str, Any] = field(default_factory=dict)
    """What was counted so far."""
    parts: int = 0
    """How often it was kept."""

    def mark(self, resource_key: str) -> str:
        """What stands for a resource that was visited."""
        return hashlib.sha256(f"{self.run_id}|{resource_key}".encode()).hexdigest()[:MARK]

    def is_good(self, now: datetime, policy_version: str) -> bool:
        """Whether to go on with it: what another policy judged must be judged anew."""
        return self.policy_version == policy_version and now - self.began < STALE

    def kept(self, *, done: tuple[str, ...], counts: Mapping[str, Any]) -> Progress:
        """The same, further on."""
        return replace(self, done=done, counts=counts, parts=self.parts + 1)


def added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """The sum of two counts."""
    return dict(Counter(one) + Counter(other))
