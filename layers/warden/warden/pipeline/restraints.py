"""What holds a write back beside the finding itself, as one visit sees it: read once, and only where it is asked."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Protocol

from warden.core import brakes
from warden.core.brakes import Payment
from warden.core.decision import Mode, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from warden.core.brakes import Canary, Spent, Standing
    from warden.core.control import Control
    from warden.core.policy import Policy
    from warden.core.resource import Resource
    from warden.pipeline.judge import Judgement
    from warden.pipeline.ports import Brakes


class Restraining(Protocol):
    """What a judgement asks of them."""

    def is_spent(self, control: Control) -> bool:
        """Whether a write would be one too many, or an earlier one was and nobody has acknowledged it."""
        ...

    def is_circuit_open(self, control: Control) -> bool:
        """Whether the control's fixes failed too often, and nobody has acknowledged that."""
        ...

    def is_day_one(self, control: Control, mode: Mode) -> bool:
        """Whether the control's first sweep in this mode waits for somebody to look at it."""
        ...

    def is_canary_out(self, control: Control) -> bool:
        """Whether the control, newly allowed to write, tries itself on another resource first."""
        ...


class Unrestrained:
    """For those who write nothing: `would` then says what the finding itself calls for."""

    def is_spent(self, control: Control) -> bool:
        """No budget."""
        del control
        return False

    def is_circuit_open(self, control: Control) -> bool:
        """No circuit."""
        del control
        return False

    def is_day_one(self, control: Control, mode: Mode) -> bool:
        """No first day."""
        del control, mode
        return False

    def is_canary_out(self, control: Control) -> bool:
        """No canary."""
        del control
        return False


class Restraints:
    """Those of one resource at one moment."""

    def __init__(self, kept: Brakes, *, policy: Policy, resource: Resource, now: datetime) -> None:
        self._kept = kept
        self._policy = policy
        self._resource = resource
        self._now = now
        self.where = resource.ref.account, resource.home
        """The account and Region that hold back."""
        self._spent: dict[str, Spent] = {}

    @functools.cached_property
    def standing(self) -> Standing:
        """Latches, circuits and canaries."""
        return self._kept.standing(*self.where)

    def limit_of(self, control: Control) -> int | None:
        """How many writes an hour the control may bring; None for one that closes an open door."""
        if control.is_containment:
            return None
        evaluated = self.standing.census.get(control.resource_type)
        return brakes.limit_of_control(self._policy.limits, evaluated)

    def is_spent(self, control: Control) -> bool:
        """Whether a write would be one too many, or an earlier one was and nobody has acknowledged it."""
        return bool(self._overdrawn(control))

    def _overdrawn(self, control: Control) -> set[str]:
        """The budgets that hold the control up: of the account, of the control itself."""
        budget = brakes.budget_of(containment=control.is_containment)
        if budget not in self._spent:
            self._spent[budget] = self._kept.spent(*self.where, budget=budget, now=self._now)
        spent = self._spent[budget]
        over = {budget, control.id} & self.standing.latched
        if spent.writes >= self._policy.limits.of(containment=control.is_containment):
            over.add(budget)
        limit = self.limit_of(control)
        if limit is not None and spent.by_control.get(control.id, 0) >= limit:
            over.add(control.id)
        return over

    def is_circuit_open(self, control: Control) -> bool:
        """Whether the control's fixes failed too often, and nobody has acknowledged that."""
        return control.id in self.standing.circuits

    def is_day_one(self, control: Control, mode: Mode) -> bool:
        """Whether the control's first sweep in this mode waits for somebody to look at it.

        To observe needs nobody's word; every looser mode needs one of its own.
        """
        if not self._policy.day_one.acknowledge or mode is Mode.OBSERVE:
            return False
        return (control.id, mode.word) not in self.standing.acknowledged

    def is_canary_out(self, control: Control) -> bool:
        """Whether the control, newly allowed to write, tries itself on another resource first."""
        return brakes.waits_for_canary(self.canary_of(control), self._resource, self._policy, self._now)

    def canary_of(self, control: Control) -> Canary | None:
        """The first resource that the control was allowed to write to, where the policy asks for one."""
        return self.standing.canaries.get(control.id) if self._policy.canary.soak_hours else None

    def is_canary(self, control: Control) -> bool:
        """Whether this resource is the one that the control tries itself on, and that is not yet verified."""
        canary = self.canary_of(control)
        if canary is None or canary.verified_at is not None:
            return False
        return canary.resource_key == self._resource.key

    def latch(self, judgements: Iterable[Judgement]) -> None:
        """What a spent budget holds up is held up until somebody has looked: an hour alone explains nothing.

        A latch that was there is not written again: somebody may just have taken it away.
        """
        held = [j.control for j in judgements if j.decision.reason is Reason.BLAST_RADIUS]
        names = {name for control in held for name in self._overdrawn(control)}
        for name in sorted(names - self.standing.latched):
            self._kept.latch(*self.where, name, now=self._now)

    def payment(self, controls: Sequence[Control]) -> Payment:
        """What one call for these controls is taken from: the reserve for containment where one of them is that."""
        containment = any(control.is_containment for control in controls)
        limits = {control.id: self.limit_of(control) for control in controls}
        return Payment(
            budget=brakes.budget_of(containment=containment),
            limit=self._policy.limits.of(containment=containment),
            controls={name: limit for name, limit in limits.items() if limit is not None},
        )

    def latch_for(self, controls: Iterable[Control]) -> None:
        """Latch what a payment was refused by; the budget itself where another write has just taken the last of it."""
        self._spent.clear()
        paying = tuple(controls)
        names = {name for control in paying for name in self._overdrawn(control)}
        for name in sorted(names or {self.payment(paying).budget}):
            self._kept.latch(*self.where, name, now=self._now)
