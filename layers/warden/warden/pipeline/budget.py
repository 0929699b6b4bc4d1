"""The budget of writes, as one visit sees it: read once for each kind of write, and latched where it holds one up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from warden.core.decision import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from warden.core.policy import Limits
    from warden.core.resource import Resource
    from warden.pipeline.judge import Judgement
    from warden.pipeline.ports import State


@dataclass(slots=True, kw_only=True)
class Budget:
    """What is left for writes to one resource at one moment."""

    state: State
    limits: Limits
    resource: Resource
    now: datetime
    _latched: dict[bool, bool] = field(default_factory=dict)
    _spent: dict[bool, bool] = field(default_factory=dict)

    def is_spent(self, containment: bool) -> bool:  # noqa: FBT001 - a predicate over one flag
        """Whether a write would be one too many, or an earlier one was and nobody has acknowledged it."""
        if containment not in self._spent:
            where = self.resource.ref.account, self.resource.home
            self._latched[containment] = self.state.latched(*where, containment=containment)
            self._spent[containment] = self._latched[containment] or (
                self.state.spent(*where, containment=containment, now=self.now)
                >= self.limits.of(containment=containment)
            )
        return self._spent[containment]

    def latch(self, judgements: Iterable[Judgement]) -> None:
        """What a spent budget holds up is held up until somebody has looked: an hour alone explains nothing.

        A latch that was there is not written again: somebody may just have taken it away.
        """
        held = [judgement for judgement in judgements if judgement.decision.reason is Reason.BLAST_RADIUS]
        for containment in {judgement.control.is_containment for judgement in held}:
            if not self._latched.get(containment, False):
                self.state.latch(
                    self.resource.ref.account, self.resource.home, containment=containment, now=self.now
                )
