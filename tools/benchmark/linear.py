"""How a scan and a sweep grow with the fleet: CPU and calls for each resource, and peak memory.

    python -m tools.benchmark.linear --sizes 100 1000 5000
    python -m tools.benchmark.linear --resources 700 7000 20000

The scan is `warden scan` with all controls. The sweep is the function's handler in a process of its own: twice, the
first time with every finding new, then with nothing changed; its findings are in a DynamoDB of another process. Where
the layer is built, its trimmed botocore and Lambda's Python are taken, and Warden's own sources before it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.benchmark import cold
from tools.benchmark.compare import BUILT, RUNTIME, _fetched, _free, _wait_for, servers
from tools.benchmark.fleet import CONTROLS, Fleet
from tools.benchmark.many import Copies
from tools.benchmark.peers import HERE, ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PROTOTYPE = 100
"""Clusters that moto makes; the others are copies of them."""
_SWEEP = """
import json, sys
import app
class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "bench"
    def get_remaining_time_in_millis(self): return 86_400_000
print(json.dumps(app.handler({"job": "sweep"}, Context())))
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """One whole process."""

    seconds: float
    cpu: float
    megabytes: float
    output: str


def run(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Usage:
    """Run a command to its end."""
    with tempfile.TemporaryDirectory() as name:
        told = Path(name) / "usage.json"
        done = subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-I", "-S", str(HERE / "launch.py"), str(told), str(cwd), *command],
            env=dict(env),
            capture_output=True,
            text=True,
            check=False,
        )
        if not told.exists() or (done.returncode and "scan" not in command):
            raise RuntimeError(done.stderr)
        return Usage(output=done.stdout, **json.loads(told.read_text(encoding="utf-8")))


@contextmanager
def many(clusters: int) -> Iterator[tuple[str, Fleet, Copies, int]]:
    """A server that answers for so many clusters: its address, the prototype, and how often it is there."""
    size = min(clusters, _PROTOTYPE)
    count = max(1, round(clusters / size))
    with servers() as (behind, _), tempfile.TemporaryDirectory() as name:
        fleet = Fleet(behind, size)
        fleet.seed()
        truth = Path(name) / "truth.json"
        truth.write_text(json.dumps(fleet.to_json()), encoding="utf-8")
        port = _free()
        process = subprocess.Popen(  # noqa: S603 - our own
            [sys.executable, "-m", "tools.benchmark.many", behind, str(port), str(truth), str(count)],
            cwd=ROOT,
        )
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}", fleet, Copies(size, frozenset(fleet.own)), count
        finally:
            process.terminate()
            process.wait()


def counted(url: str) -> dict[str, int]:
    """The calls since this was last asked."""
    return dict(_fetched(f"{url}/counted"))


def scan(clusters: int) -> None:
    """Print a line of a scan."""
    with many(clusters) as (url, fleet, copies, count):
        counted(url)
        command = [sys.executable, "-m", "console.cli", "scan", "--format", "json"]
        used = run([*command, "--policy", str(HERE / "policy.toml")], ROOT, environment(url))
        calls = counted(url)
        card = json.loads(used.output)
        found = {
            (one["control"], one["resource"].rpartition(":")[2].removeprefix("security-group/"))
            for one in card["findings"]
            if one["compliance"] == "NON_COMPLIANT" and one["control"] in CONTROLS
        }
        wrong = {(control, copies.told(name, copy)) for control, name in fleet.wrong for copy in range(count)}
        print(clusters, used.cpu, used.megabytes, sum(calls.values()), len(found), found == wrong, flush=True)


def sweep(resources: int) -> None:
    """Print two lines: a first sweep, and one after which nothing has changed."""
    with many(round(resources / 6.7)) as (url, _, _, _):
        env = cold.prepare(url)
        env.pop("PYTHONDONTWRITEBYTECODE")
        env["WARDEN_POLICY_FILE"] = str(HERE / "policy.toml")
        python = sys.executable
        if BUILT.is_dir() and RUNTIME.exists():
            python, env["PYTHONPATH"] = (
                str(RUNTIME),
                os.pathsep.join((str(ROOT / "layers/warden"), str(BUILT))),
            )
        for which in ("first", "second"):
            counted(url)
            used = run([python, "-c", _SWEEP], ROOT / "functions/sweep", env)
            calls = counted(url)
            told: dict[str, Any] = json.loads(used.output.splitlines()[-1])
            swept = sum(told["resources"].values())
            of_rows = sum(n for name, n in calls.items() if name.startswith("dynamodb:"))
            print(
                f"{which} sweep of {swept:,} resources: {used.cpu:.1f} s CPU, {1000 * used.cpu / swept:.2f} ms each, "
                f"peak {used.megabytes:.0f} MB, {sum(calls.values()) - of_rows:,} calls and {of_rows:,} to DynamoDB, "
                f"{used.seconds:.0f} s, opened {told['opened']:,}, problems {told['problems'][:3]}",
                flush=True,
            )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmark.linear")
    parser.add_argument("--sizes", type=int, nargs="*", default=[])
    parser.add_argument("--resources", type=int, nargs="*", default=[])
    arguments = parser.parse_args(argv)
    for size in arguments.sizes:
        scan(size)
    for size in arguments.resources:
        sweep(size)
    return 0


if __name__ == "__main__":
    sys.exit(main())
