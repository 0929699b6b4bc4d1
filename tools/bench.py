"""Measure what each built function's start costs: importing its module with its layers, in a new process each time.

python -m tools.bench .aws-sam/build

That is what Lambda's Init phase does with our code. As there, no bytecode is at hand: /opt and /var/task are
read-only and the artifacts hold no `.pyc`. It runs in .venv-rie, which has no package that the layer could lean on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

PYTHON = Path(__file__).resolve().parent.parent / ".venv-rie/bin/python"
_PROBE = """
import json, resource, time
began = time.perf_counter()
import app
took = time.perf_counter() - began
print(json.dumps({"seconds": took, "kilobytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
"""


class Start(NamedTuple):
    """One start of a function."""

    seconds: float
    kilobytes: int


def start(function: Path, python_path: str) -> Start:
    """Import the function's module in a new process, and return what that took."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": python_path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_REGION": "eu-west-1",
    }
    done = subprocess.run(  # noqa: S603 - our own probe
        [str(PYTHON), "-c", _PROBE], cwd=function, env=environment, check=True, capture_output=True, text=True
    )
    return Start(**json.loads(done.stdout.splitlines()[-1]))


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line for each function of the build that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench")
    parser.add_argument("build", type=Path)
    parser.add_argument("--times", type=int, default=10, help="starts of each function")
    arguments = parser.parse_args(argv)
    build: Path = arguments.build.resolve()
    python_path = os.pathsep.join(str(path) for path in sorted(build.glob("*/python")))
    print(f"{'':<24}{'median':>10}{'slowest':>10}{'peak':>10}")
    for module in sorted(build.glob("*/app.py")):
        starts = [start(module.parent, python_path) for _ in range(arguments.times)]
        times = [once.seconds * 1000 for once in starts]
        peak = max(once.kilobytes for once in starts) / 1024
        print(f"{module.parent.name:<24}{median(times):>7,.0f} ms{max(times):>7,.0f} ms{peak:>7,.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
