"""How a scan and a sweep grow with the fleet: CPU and calls for each resource, and peak memory.

    python -m tools.benchmark.linear --sizes 100 1000 5000
    python -m tools.benchmark.linear --resources 700 7000 20000

The scan is `warden scan` with all controls, the sweep that of `sweeps`. Larger fleets are copies of a smaller one. The
page is written by `--write`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tools.benchmark import peers, rig, sweeps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.benchmark.rig import Served

_RESOURCES_PER_CLUSTER = 6.7
_SCANS = (
    *("clusters", "resources", "calls", "each", "CPU s", "ms each", "wall s", "peak MB"),
    *("precision", "recall"),
)


def scan(served: Served) -> list[str]:
    """The row of a scan."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        served.counted()
        used = rig.run(peers.ALL.command(out), out, rig.environment(served.url))
        calls = sum(served.counted().values())
        found = peers.ALL.read(out)
        card = json.loads((out / "stdout").read_text(encoding="utf-8"))
    resources = sum(card["resources"].values())
    return [
        *(f"{served.size:,}", f"{resources:,}", f"{calls:,}", f"{calls / resources:.2f}"),
        *(
            f"{used.cpu:.1f}",
            f"{1000 * used.cpu / resources:.2f}",
            f"{used.seconds:.0f}",
            f"{used.megabytes:.0f}",
        ),
        *(f"{share:.3f}" for share in peers.scored(found, served.wrong)),
    ]


def _shown(row: list[str]) -> list[str]:
    print(*row, sep="  ", flush=True)
    return row


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmark.linear")
    parser.add_argument("--sizes", type=int, nargs="*", default=[])
    parser.add_argument("--resources", type=int, nargs="*", default=[])
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args(argv)
    rows, swept, machine = [], [], rig.machine()
    for size in arguments.sizes:
        with rig.served(size) as served:
            rows.append(_shown(scan(served)))
    for size in arguments.resources:
        with rig.served(round(size / _RESOURCES_PER_CLUSTER)) as served:
            swept += [_shown(row) for row in sweeps.rows([sweeps.twice(served)])]
    text = [f"`make bench-linear` on {machine}"]
    if rows:
        text += ["", *rig.table(_SCANS, rows)]
    if swept:
        text += ["", *rig.table(sweeps.HEAD, swept)]
    print(*text, sep="\n")
    if arguments.write:
        rig.write("linear", "\n".join(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
