"""What Warden costs in a month, by arithmetic from what was measured and AWS's list prices in us-east-1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.benchmark import rig

if TYPE_CHECKING:
    from collections.abc import Mapping

SIZES = (20, 1_000, 20_000)
_GB_SECOND = 0.0000133334  # Lambda on arm64
_INVOCATION = 0.20e-6
_READ, _WRITE = 0.125e-6, 0.625e-6  # DynamoDB on demand, a unit
_DAYS, _SWEEPS_A_DAY, _SWEEP_GB = 30, 4, 1.0
_PER_SECOND = 3
"""Requests to RDS that the policy allows where it says nothing."""
_CHANGES_A_DAY, _EVENT_SECONDS, _EVENT_GB = 0.1, 0.3, 0.5
"""Of each resource; an event lasts as long as AWS answers it."""
_MINUTE = 60


def lines(first: Mapping[str, Any], swept: Mapping[str, Any]) -> list[str]:
    """The table, from a first sweep and from one in which nothing changes."""
    each = {name: swept[name] / swept["resources"] for name in ("rds", "reads", "writes", "cpu")}
    # What a sweep remembers of RDS it asks for again within a day, and writes down again.
    afresh = (first["rds"] - swept["rds"]) / swept["resources"] / _SWEEPS_A_DAY
    each["rds"] += afresh
    each["writes"] += afresh
    rows = []
    for size in SIZES:
        # A request waits for its turn, whatever the processor does meanwhile.
        seconds = size * max(each["rds"] / _PER_SECOND, each["cpu"])
        sweeps, events = _DAYS * _SWEEPS_A_DAY, _DAYS * _CHANGES_A_DAY * size
        function = _GB_SECOND * (sweeps * seconds * _SWEEP_GB + events * _EVENT_SECONDS * _EVENT_GB)
        function += _INVOCATION * (sweeps + events)
        rows_cost = sweeps * size * (each["reads"] * _READ + each["writes"] * _WRITE)
        took = f"{seconds / _MINUTE:.0f} min" if seconds > 2 * _MINUTE else f"{seconds:.0f} s"
        rows.append(
            (f"{size:,}", took, *(f"{usd:.2f} USD" for usd in (function, rows_cost, function + rows_cost)))
        )
    said = (
        f"Of a sweep of {swept['resources']:,} resources in which nothing had changed, each took {each['rds']:.2f} "
        "requests to RDS, with its share of what is read afresh and written down once a day, "
        f"{each['reads']:.1f} units read, {each['writes']:.2f} units written and "
        f"{1000 * each['cpu']:.1f} ms of the processor:"
    )
    return [said, "", *rig.table(("resources", "sweep", "Lambda", "DynamoDB", "sum"), rows)]
