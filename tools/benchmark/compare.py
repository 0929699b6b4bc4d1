"""Measure scans of one seeded fleet, cold starts, a warm event and sweeps, and write docs/explanation/performance.md.

    python -m tools.benchmark.compare --sizes 50 200 --times 3 --parts scans starts event sweeps

moto holds the fleet; a server of ours in front of it counts calls and cuts pages. Each number is the median of whole
processes. What is printed is what was measured. Each part writes its own section of the page.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from tools.benchmark import cold, money, peers, rig, sweeps, warm
from tools.benchmark.rig import BUILT, RUNTIME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.benchmark.peers import Peer
    from tools.benchmark.rig import Served

PARTS = ("scans", "starts", "event", "sweeps")
OTHERS = {"custodian": peers.CUSTODIAN, "prowler": peers.PROWLER}
_REQUIREMENTS = {"custodian": "bench", "prowler": "prowler"}


@dataclass(frozen=True, slots=True)
class Row:
    """The medians of a scanner on a fleet."""

    size: int
    name: str
    calls: int
    cpu: float
    seconds: float
    megabytes: float
    precision: float
    recall: float
    ten: bool = True
    """Whether it looks for the ten kinds of drift alone, as the yardstick does."""


def measured(served: Served, who: Sequence[Peer], times: int) -> Iterator[Row]:
    """A row for each scanner."""
    for peer in who:
        runs, calls = [], []
        for _ in range(times):
            served.counted()
            runs.append(peer.run(served.url))
            calls.append(sum(served.counted().values()))
        used = [run for run, _ in runs]
        precision, recall = peers.scored(runs[-1][1], served.wrong)
        yield Row(
            size=served.size,
            name=peer.name,
            calls=int(median(calls)),
            cpu=median(run.cpu for run in used),
            seconds=median(run.seconds for run in used),
            megabytes=median(run.megabytes for run in used),
            precision=precision,
            recall=recall,
            ten=peer is not peers.ALL,
        )


def scans(rows: Sequence[Row]) -> list[str]:
    """The table of scans: calls beside the yardstick's, and CPU beside Custodian's."""
    table = []
    for row in rows:
        same = {other.name: other for other in rows if other.size == row.size}
        fewest, custodian = same.get(peers.YARDSTICK.name), same.get(peers.CUSTODIAN.name)
        table.append(
            (
                *(f"{row.size:,}", row.name, f"{row.calls:,}"),
                f"{row.calls / fewest.calls:.2f}" if fewest and row.ten else "",
                f"{row.cpu:.1f}",
                f"{row.cpu / custodian.cpu:.2f}" if custodian else "",
                *(f"{row.seconds:.1f}", f"{row.megabytes:.0f}", f"{row.precision:.3f}", f"{row.recall:.3f}"),
            )
        )
    head = (
        "clusters",
        "scanner",
        "calls",
        "of the yardstick's",
        "CPU s",
        "of Custodian's",
        "wall s",
        "peak MB",
    )
    return rig.table((*head, "precision", "recall"), table)


def starts(url: str, times: int) -> list[str]:
    """The table of cold starts: whole processes, Lambda's Python where it is installed."""
    rows = []
    for name, runs in cold.measured(url, str(RUNTIME), str(BUILT), times):
        wall, cpu = (
            1000 * median(values) for values in zip(*((r.seconds, r.cpu) for r in runs), strict=True)
        )
        rows.append((name, f"{wall:.0f}", f"{cpu:.0f}"))
    return rig.table(("process", "wall ms", "CPU ms"), rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write the page."""
    arguments = _parsed(argv)
    said = f"`{_command(arguments)}` on {rig.machine([_REQUIREMENTS[name] for name in arguments.peers])}"
    if "scans" in arguments.parts:
        _tell("scans", [said, "", *scans(list(_rows(arguments)))])
    size = arguments.sizes[0]
    if {"starts", "event"} & set(arguments.parts):
        with rig.served(size, latency=arguments.latency) as served:
            of = f"A fleet of {size} clusters; {said}"
            if "starts" in arguments.parts:
                _tell("starts", [of, "", *starts(served.url, 2 * arguments.times + 1)])
            if "event" in arguments.parts:
                _tell("event", [of, "", *warm.lines(served, arguments.times)])
    if "sweeps" in arguments.parts:
        size = min(max(arguments.sizes), rig.PROTOTYPE)
        with rig.served(size, latency=arguments.latency) as served:
            runs = [sweeps.twice(served) for _ in range(arguments.times)]
        of = f"A fleet of {size} clusters; {said}"
        _tell("sweeps", [of, "", *rig.table(sweeps.HEAD, sweeps.rows(runs))])
        _tell("money", money.lines(*sweeps.medians(runs)))
    return 0


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.benchmark.compare")
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 200])
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--latency", type=int, default=0, metavar="MILLISECONDS", help="of each call")
    parser.add_argument("--peers", nargs="*", default=["custodian"], choices=OTHERS)
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
    return parser.parse_args(argv)


def _command(arguments: argparse.Namespace) -> str:
    """How it is measured again."""
    command = f"make bench SIZES='{' '.join(map(str, arguments.sizes))}' TIMES={arguments.times}"
    if arguments.latency:
        command += f" LATENCY={arguments.latency}"
    if arguments.peers != ["custodian"]:
        command += f" PEERS='{' '.join(arguments.peers)}'"
    if set(arguments.parts) != set(PARTS):
        command += f" PARTS='{' '.join(arguments.parts)}'"
    return command


def _rows(arguments: argparse.Namespace) -> Iterator[Row]:
    """The rows of all fleets, each printed when it is there."""
    who = [peers.YARDSTICK, peers.TEN, peers.ALL, *(OTHERS[name] for name in arguments.peers)]
    for size in arguments.sizes:
        with rig.served(size, latency=arguments.latency) as served:
            for row in measured(served, who, arguments.times):
                print(row, flush=True)
                yield row


def _tell(section: str, lines: Sequence[str]) -> None:
    text = "\n".join(lines)
    print(f"\n{text}", flush=True)
    rig.write(section, text)


if __name__ == "__main__":
    sys.exit(main())
