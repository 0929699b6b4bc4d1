"""The sections of the policy that slow Warden down on purpose: canary, day one, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.policy_values import PolicyValues

_A_WEEK, _A_MONTH = 7 * 24, 30 * 24
_A_YEAR = 365 * 24


@dataclass(frozen=True, slots=True, kw_only=True)
class CanarySetting:
    """How a control that is newly allowed to write spreads."""

    soak_hours: int = 0
    """How long a verified fix is watched before the next step; 0 for no canary at all."""
    tag: str = ""
    """The tag that names a database's environment."""
    environments: tuple[str, ...] = ()
    """Its values, in the order in which they are opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOne:
    """Whether a control's first sweep in a mode waits for a person."""

    acknowledge: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """What follows an undo."""

    hold_hours: int = _A_WEEK
    """How long Warden leaves alone what somebody took back."""


def canary(table: Mapping[str, Any], values: PolicyValues) -> CanarySetting:
    """The section `canary`."""
    values.keys(table, "canary", optional={"soak_hours", "tag", "environments"})
    environments = values.strings(table.get("environments", []), "canary.environments")
    tag = values.typed(table.get("tag", ""), str, "canary.tag")
    if bool(environments) is not bool(tag):
        values.fail(
            "canary.environments" if tag else "canary.tag",
            "is missing; tag and environments belong together",
        )
    if len(set(environments)) != len(environments):
        values.fail("canary.environments", "names an environment twice")
    return CanarySetting(
        soak_hours=values.number(table, "canary.soak_hours", 0, low=0, high=_A_MONTH),
        tag=tag,
        environments=tuple(environments),
    )


def day_one(table: Mapping[str, Any], values: PolicyValues) -> DayOne:
    """The section `day_one`."""
    values.keys(table, "day_one", optional={"acknowledge"})
    return DayOne(acknowledge=values.typed(table.get("acknowledge", False), bool, "day_one.acknowledge"))


def undo(table: Mapping[str, Any], values: PolicyValues) -> Undo:
    """The section `undo`."""
    values.keys(table, "undo", optional={"hold_hours"})
    return Undo(hold_hours=values.number(table, "undo.hold_hours", _A_WEEK, low=1, high=_A_YEAR))
