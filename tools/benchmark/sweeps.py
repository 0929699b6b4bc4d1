"""Two sweeps of one fleet, by the handler of the function in a process of its own.

    python -m tools.benchmark.sweeps

In the first each finding is new; before the second nothing has changed, and no event has come. The tables are `rows`,
in another process, which counts the units that DynamoDB would bill.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from tools.benchmark import cold, rig
from tools.benchmark.rig import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tools.benchmark.rig import Served, Usage

HEAD = (
    *("resources", "sweep", "requests to RDS", "to others", "to DynamoDB", "units read", "units written"),
    *("CPU s", "ms each", "wall s", "peak MB"),
)
_SWEEP = """
import json
import app
class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "bench"
    def get_remaining_time_in_millis(self): return 86_400_000
print(json.dumps(app.handler({"job": "sweep"}, Context())))
"""


@dataclass(frozen=True, slots=True)
class Swept:
    """One sweep."""

    name: str
    resources: int
    rds: int
    others: int
    rows: int
    """Requests to DynamoDB."""
    reads: float
    writes: float
    used: Usage


def twice(served: Served) -> tuple[Swept, Swept]:
    """A first and a second sweep; whatever earlier ones have kept is forgotten."""
    served.ask("forget")
    python, variables = rig.function(served.url, cold.prepare(served.url))
    return _swept("first", served, python, variables), _swept("second", served, python, variables)


def _swept(name: str, served: Served, python: str, variables: Mapping[str, str]) -> Swept:
    served.counted()
    served.ask("units")
    used, told = rig.told([python, "-c", _SWEEP], variables, ROOT / "functions/sweep")
    if not told["ended"] or told["problems"]:
        raise RuntimeError(told)
    calls, units = rig.by_service(served.counted()), served.ask("units")
    rds, rows = calls.pop("rds", 0), calls.pop("dynamodb", 0)
    resources = sum(told["resources"].values())
    return Swept(name, resources, rds, sum(calls.values()), rows, units["reads"], units["writes"], used)


def medians(runs: Sequence[tuple[Swept, Swept]]) -> list[dict[str, Any]]:
    """Of the first and of the second sweeps."""
    found = []
    for same in zip(*runs, strict=True):
        one = same[-1]
        told: dict[str, Any] = {"name": one.name, "resources": one.resources}
        for name in ("rds", "others", "rows", "reads", "writes"):
            told[name] = median(getattr(swept, name) for swept in same)
        for name in ("cpu", "seconds", "megabytes"):
            told[name] = median(getattr(swept.used, name) for swept in same)
        found.append(told)
    return found


def rows(runs: Sequence[tuple[Swept, Swept]]) -> list[list[str]]:
    """The rows of the table."""
    return [
        [
            *(f"{one['resources']:,}", one["name"]),
            *(f"{one[name]:,.0f}" for name in ("rds", "others", "rows", "reads", "writes")),
            *(f"{one['cpu']:.1f}", f"{1000 * one['cpu'] / one['resources']:.2f}"),
            *(f"{one['seconds']:.1f}", f"{one['megabytes']:.0f}"),
        ]
        for one in medians(runs)
    ]


def main() -> int:
    """Print the table."""
    with rig.served(50) as served:
        print(*rig.table(HEAD, rows([twice(served) for _ in range(3)])), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
