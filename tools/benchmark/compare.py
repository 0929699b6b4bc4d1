"""Measure scans of one seeded fleet, and cold starts, and write the table of docs/explanation/performance.md.

    python -m tools.benchmark.compare --sizes 50 200 --times 3

moto's server holds the fleet; a server of ours in front of it counts calls and cuts pages. Each number is the median of
whole processes. What is printed is what was measured.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import os
import platform
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from tools.benchmark import cold
from tools.benchmark.fleet import Fleet
from tools.benchmark.peers import PEERS, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PAGE = ROOT / "docs/explanation/performance.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
BUILT = ROOT / ".aws-sam/build/WardenLayer/python"
RUNTIME = ROOT / ".venv-rie/bin/python"


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


@contextlib.contextmanager
def servers(latency: int = 0) -> Iterator[tuple[str, str]]:
    """Moto's server, and the counting one in front of it: their addresses."""
    ports = [_free(), _free()]
    behind, front = (f"http://127.0.0.1:{port}" for port in ports)
    commands = (
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(ports[0])],
        [sys.executable, "-m", "tools.benchmark.counting", behind, str(ports[1]), f"--latency={latency}"],
    )
    with contextlib.ExitStack() as stack:
        for command, port in zip(commands, ports, strict=True):
            process = subprocess.Popen(  # noqa: S603 - our own servers
                command,
                cwd=ROOT,
                env={**os.environ, "MOTO_RDS_SNAPSHOT_LIMIT": "1000000"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            _wait_for(port)
        yield behind, front


def _free() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    msg = f"nothing listens on port {port}"
    raise TimeoutError(msg)


def _fetched(url: str) -> Any:
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own server
        return json.load(answer)


def measured(front: str, truth: Fleet, times: int) -> Iterator[Row]:
    """A row for each scanner."""
    for peer in PEERS:
        runs, calls = [], []
        for _ in range(times):
            _fetched(f"{front}/counted")
            runs.append(peer.run(front))
            calls.append(sum(_fetched(f"{front}/counted").values()))
        found = runs[-1].found
        right = len(found & truth.wrong)
        yield Row(
            size=truth.size,
            name=peer.name,
            calls=int(median(calls)),
            cpu=median(run.cpu for run in runs),
            seconds=median(run.seconds for run in runs),
            megabytes=median(run.megabytes for run in runs),
            precision=right / len(found) if found else 0.0,
            recall=right / len(truth.wrong),
        )


def scans(rows: Sequence[Row]) -> list[str]:
    """The table of scans, with the ratio of CPU to Custodian's."""
    lines = [
        "| clusters | scanner | calls | CPU s | of Custodian's | wall s | peak MB | precision | recall |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        other = next(r.cpu for r in rows if r.size == row.size and r.name.startswith("Custodian"))
        lines.append(
            f"| {row.size} | {row.name} | {row.calls:,} | {row.cpu:.1f} | {row.cpu / other:.2f} | {row.seconds:.1f} "
            f"| {row.megabytes:.0f} | {row.precision:.3f} | {row.recall:.3f} |"
        )
    return lines


def starts(front: str, times: int) -> list[str]:
    """The table of cold starts: whole processes, Lambda's Python where it is installed."""
    lines = ["| process | wall ms | CPU ms |", "| --- | --- | --- |"]
    for name, runs in cold.measured(front, str(RUNTIME), str(BUILT), times):
        wall, cpu = (
            1000 * median(values) for values in zip(*((r.seconds, r.cpu) for r in runs), strict=True)
        )
        lines.append(f"| {name} | {wall:.0f} | {cpu:.0f} |")
    return lines


def machine() -> str:
    """What it was measured on, and with."""
    names = ("botocore", "moto")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    pinned = (ROOT / "requirements/bench.txt").read_text(encoding="utf-8")
    custodian = next(line for line in pinned.splitlines() if line.startswith("c7n=="))
    peer = custodian.split()[0].replace("==", " ")
    processor = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return f"{os.cpu_count()} cores ({processor}), Python {platform.python_version()}, {versions}, {peer}"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmark.compare")
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 200])
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--latency", type=int, default=0, metavar="MILLISECONDS", help="of each call")
    arguments = parser.parse_args(argv)
    rows: list[Row] = []
    lines: list[str] = []
    for size in arguments.sizes:
        with servers(arguments.latency) as (behind, front):
            truth = Fleet(behind, size)
            truth.seed()
            for row in measured(front, truth, arguments.times):
                rows.append(row)
                print(row, flush=True)
            if size == arguments.sizes[0]:
                lines = starts(front, 2 * arguments.times + 1)
    command = f"make bench SIZES='{' '.join(map(str, arguments.sizes))}' TIMES={arguments.times}"
    if arguments.latency:
        command += f" LATENCY={arguments.latency}"
    text = "\n".join(
        (
            f"`{command}`",
            "",
            f"{machine()}.",
            "",
            *scans(rows),
            "",
            f"Cold starts, a fleet of {arguments.sizes[0]}:",
            "",
            *lines,
        )
    )
    print(text)
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
