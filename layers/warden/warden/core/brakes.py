"""What holds a control back in a whole account and Region, whatever a single finding says.

Rows of the State table that one query reads: spent budgets, open circuits, canaries, and what was acknowledged.
"""

from __future__ import annotations

from dataclasses import field
from datetime import timedelta
from typing import TYPE_CHECKING

from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from warden.core.policy import Limits, Policy
    from warden.core.resource import Resource

NORMAL, CONTAINMENT = "normal", "containment"
"""The budgets of an account and Region: a containment control has a reserve of its own."""
_WHOLE = 100


def budget_of(*, containment: bool) -> str:
    """The name of the budget that a write is taken from."""
    return CONTAINMENT if containment else NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """The first resource that a control was allowed to write to."""

    resource_key: str
    begun_at: datetime
    verified_at: datetime | None = None
    """When a look showed that the fix holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What holds controls back in one account and Region."""

    latched: frozenset[str] = frozenset()
    """Budgets that were passed, and that nobody has acknowledged: `normal`, `containment`, or a control's id."""
    circuits: Mapping[str, datetime] = field(default_factory=dict)
    """Controls whose fixes failed, with the moment at which that was too often."""
    canaries: Mapping[str, Canary] = field(default_factory=dict)
    acknowledged: frozenset[tuple[str, str]] = frozenset()
    """Controls and modes whose first sweep somebody has looked at."""
    census: Mapping[str, int] = field(default_factory=dict)
    """How many resources of each type the last sweep evaluated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """The writes of one budget in the present hour."""

    writes: int = 0
    by_control: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One write, as the budgets count it."""

    budget: str
    limit: int
    """Writes an hour from this budget."""
    controls: Mapping[str, int] = field(default_factory=dict)
    """The controls that it is for and that have a limit of their own, with that limit."""


def limit_of_control(limits: Limits, evaluated: int | None) -> int:
    """How many writes an hour one control may bring: a number, and a share of the resources that it judges.

    A share alone would stop a small account at its first fix, so that it counts from `share_floor` on.
    """
    if evaluated is None:
        return limits.writes_per_hour_per_control
    share = max(limits.share_floor, evaluated * limits.share_percent // _WHOLE)
    return min(limits.writes_per_hour_per_control, share)


def failures_allowed(canary: Canary | None, resource_key: str, limits: Limits) -> int:
    """On how many resources fixes of a control may fail before it is stopped: on none, in its very first."""
    first = canary is not None and canary.verified_at is None and canary.resource_key == resource_key
    return 1 if first else limits.circuit_failures


def waits_for_canary(canary: Canary | None, resource: Resource, policy: Policy, now: datetime) -> bool:
    """Whether a control must not write to this resource yet.

    It fixes one resource; once that is verified and has soaked, one more environment is opened with each soak, in the
    order of the policy; what no tag places comes last.
    """
    setting = policy.canary
    if not setting.soak_hours or canary is None or canary.resource_key == resource.key:
        return False
    if canary.verified_at is None:
        return True
    opened = (now - canary.verified_at) // timedelta(hours=setting.soak_hours)
    environment = resource.tags.get(setting.tag, "") if setting.tag else ""
    stages = setting.environments
    stage = stages.index(environment) if environment in stages else len(stages)
    return opened < stage + 1
