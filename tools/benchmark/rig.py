"""What every measurement stands on: servers, the calls that they counted, and what whole processes used."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
import urllib.request
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tools.benchmark.fleet import CREDENTIALS, REGION, Fleet
from tools.benchmark.many import Copies

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs/explanation/performance.md"
BUILT = ROOT / ".aws-sam/build/WardenLayer/python"
RUNTIME = ROOT / ".venv-rie/bin/python"
_WIDTH = 120
PROTOTYPE = 200
"""The most clusters that moto makes; of a larger fleet the others are copies of them."""

N = TypeVar("N", int, float)


@dataclass(frozen=True, slots=True)
class Usage:
    """One whole process."""

    seconds: float
    cpu: float
    megabytes: float
    status: int


@dataclass(frozen=True, slots=True)
class Served:
    """A fleet behind a server that counts."""

    url: str
    prototype: Fleet
    copies: Copies
    count: int

    @property
    def size(self) -> int:
        """Its clusters."""
        return self.prototype.size * self.count

    @property
    def wrong(self) -> set[tuple[str, str]]:
        """Control and name of everything that is wrong."""
        return {
            (control, self.copies.told(name, copy))
            for control, name in self.prototype.wrong
            for copy in range(self.count)
        }

    def counted(self) -> dict[str, int]:
        """The calls that have arrived since this was last asked, by service and operation."""
        return {name: int(count) for name, count in self.ask("counted").items()}

    def ask(self, name: str) -> dict[str, float]:
        """What the server answers to `counted`, `units` or `forget`."""
        with urllib.request.urlopen(f"{self.url}/{name}") as answer:  # noqa: S310 - our own server
            return dict(json.load(answer))


@contextlib.contextmanager
def served(clusters: int, *, latency: int = 0) -> Iterator[Served]:
    """A fleet of about so many clusters, each call `latency` milliseconds late.

    It is moto's own where it is no larger than a prototype, and copies of one where it is.
    """
    size = min(clusters, PROTOTYPE)
    count = max(1, round(clusters / size))
    with contextlib.ExitStack() as stack:
        behind = stack.enter_context(_serving("moto.server", "-H", "127.0.0.1", "-p"))
        fleet = Fleet(behind, size)
        fleet.seed()
        copies = Copies(size, frozenset(fleet.own))
        truth = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "truth.json"
        truth.write_text(json.dumps(fleet.to_json()), encoding="utf-8")
        options = (f"--latency={latency}", f"--copies={count}", f"--truth={truth}")
        front = stack.enter_context(_serving("tools.benchmark.many", *options, behind))
        yield Served(front, fleet, copies, count)


@contextlib.contextmanager
def _serving(*command: str) -> Iterator[str]:
    """A server of ours; the last of its arguments is the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    process = subprocess.Popen(  # noqa: S603 - our own servers
        [sys.executable, "-m", *command, str(port)],
        cwd=ROOT,
        env={**os.environ, "MOTO_RDS_SNAPSHOT_LIMIT": "1000000"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    msg = f"nothing listens on port {port}"
    raise TimeoutError(msg)


def environment(url: str) -> dict[str, str]:
    """What every process is given."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "AWS_ACCESS_KEY_ID": CREDENTIALS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS["aws_secret_access_key"],
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": url,
    }


def run(command: Sequence[str], out: Path, variables: Mapping[str, str], cwd: Path = ROOT) -> Usage:
    """Run a command to its end, and leave what it prints in `out`; a scanner's status may say that it found some."""
    usage = out / "usage.json"
    with (out / "stdout").open("wb") as printed, (out / "stderr").open("wb") as errors:
        subprocess.run(  # noqa: S603 - the peers' own commands
            [sys.executable, "-I", "-S", str(HERE / "launch.py"), str(usage), str(cwd), *command],
            env=dict(variables),
            stdout=printed,
            stderr=errors,
            check=False,
        )
    return Usage(**json.loads(usage.read_text(encoding="utf-8")))


def told(command: Sequence[str], variables: Mapping[str, str], cwd: Path) -> tuple[Usage, Any]:
    """Run a function of ours, and read the last line that it prints, which is JSON."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        used = run(command, out, variables, cwd)
        if used.status:
            raise RuntimeError("".join((out / name).read_text("utf-8") for name in ("stdout", "stderr")))
        return used, json.loads((out / "stdout").read_text(encoding="utf-8").splitlines()[-1])


def function(url: str, tables: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The Python of a function and its environment.

    Where the layer is built, that is Lambda's with the layer's trimmed botocore, and Warden's sources as they are.
    """
    variables = {**tables, "AWS_ENDPOINT_URL": url, "WARDEN_POLICY_FILE": str(HERE / "policy.toml")}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    python, path = sys.executable, [str(ROOT / "layers/warden")]
    if BUILT.is_dir() and RUNTIME.exists():
        python, path = str(RUNTIME), [*path, str(BUILT)]
    return python, {**variables, "PYTHONPATH": os.pathsep.join(path)}


def by_service(calls: Mapping[str, N]) -> dict[str, N]:
    """Calls of each service."""
    found: dict[str, N] = {}
    for name, count in sorted(calls.items()):
        service = name.partition(":")[0]
        found[service] = found[service] + count if service in found else count
    return found


def machine(peers: Sequence[str] = ()) -> str:
    """What it is measured on and with, and what else the machine has to do."""
    versions = [f"{name} {metadata.version(name)}" for name in ("botocore", "moto")]
    for name in peers:
        pinned = (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8").splitlines()
        package = "c7n" if name == "bench" else name
        versions.append(
            next(line for line in pinned if line.startswith(f"{package}==")).split()[0].replace("==", " ")
        )
    processor = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores ({processor}), Python {platform.python_version()}, {', '.join(versions)}. "
        f"Before it began, {load:.1f} processes were running on average."
    )


def write(section: str, text: str) -> None:
    """Write what was measured between the marks of a section of the page."""
    begin, end = f"<!-- {section}: begin -->", f"<!-- {section}: end -->"
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        msg = f"{PAGE}: the marks of {section} are missing"
        raise ValueError(msg)
    lines = [
        line if line.startswith("|") else "\n".join(textwrap.wrap(line, _WIDTH, break_on_hyphens=False))
        for line in text.splitlines()
    ]
    PAGE.write_text("\n".join((f"{head}{begin}", *lines, f"{end}{tail}")), encoding="utf-8")


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(map(str, line))} |" for line in lines]
