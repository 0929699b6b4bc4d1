"""The scanners that are measured: each as a whole process of its own environment, and what it found."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.benchmark.fleet import CONTROLS, CREDENTIALS, REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
_NAMES = {
    "cluster": "DBClusterIdentifier",
    "instance": "DBInstanceIdentifier",
    "cluster_snapshot": "DBClusterSnapshotIdentifier",
    "security_group": "GroupId",
    "secret": "ARN",
}

Found = set[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Run:
    """One whole process."""

    seconds: float
    cpu: float
    megabytes: float
    found: Found


@dataclass(frozen=True, slots=True)
class Peer:
    """A scanner: its command, and how to read what it found in the directory that it wrote to."""

    name: str
    command: Callable[[Path], Sequence[str]]
    read: Callable[[Path], Found]

    def run(self, endpoint: str) -> Run:
        """Run it to its end; its exit status may say that it found something."""
        with tempfile.TemporaryDirectory() as name:
            out = Path(name)
            began = time.perf_counter()
            child = os.fork()
            if not child:
                _become(self.command(out), out, endpoint)
            _, _, usage = os.wait4(child, 0)
            seconds = time.perf_counter() - began
            return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, self.read(out))


def _become(command: Sequence[str], out: Path, endpoint: str) -> None:
    """Replace this process, so that what it uses is counted as its own."""
    output = os.open(out / "stdout", os.O_CREAT | os.O_WRONLY)
    errors = os.open(out / "stderr", os.O_CREAT | os.O_WRONLY)
    os.dup2(output, 1)
    os.dup2(errors, 2)
    os.chdir(ROOT)
    os.execve(command[0], list(command), environment(endpoint))  # noqa: S606 - the peers' own commands


def environment(endpoint: str) -> Mapping[str, str]:
    """What every process is given."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "AWS_ACCESS_KEY_ID": CREDENTIALS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS["aws_secret_access_key"],
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint,
    }


# --- Warden ---------------------------------------------------------------------------------------------------


def _warden(controls: Sequence[str]) -> Callable[[Path], Sequence[str]]:
    chosen = [part for control in controls for part in ("--control", control)]
    policy = str(HERE / "policy.toml")
    return lambda _: [
        *(sys.executable, "-m", "console.cli", "scan", "--format", "json", "--policy", policy),
        *chosen,
    ]


def _of_warden(out: Path) -> Found:
    card = json.loads((out / "stdout").read_text(encoding="utf-8"))
    return {
        (finding["control"], finding["resource"].rpartition(":")[2].removeprefix("security-group/"))
        for finding in card["findings"]
        if finding["compliance"] == "NON_COMPLIANT" and finding["control"] in CONTROLS
    }


# --- Custodian ------------------------------------------------------------------------------------------------


def _custodian(out: Path) -> Sequence[str]:
    return [
        *(str(ROOT / ".venv-bench/bin/python"), str(ROOT / ".venv-bench/bin/custodian"), "run"),
        *("-s", str(out), "--cache", str(out / "cache"), "--region", REGION, str(HERE / "custodian.yml")),
    ]


def _of_custodian(out: Path) -> Found:
    found: Found = set()
    for control in CONTROLS:
        written = out / control / "resources.json"
        kind = next(kind for kind in sorted(_NAMES, key=len, reverse=True) if control.startswith(f"{kind}_"))
        items = json.loads(written.read_text(encoding="utf-8")) if written.exists() else []
        found |= {(control, item[_NAMES[kind]].rpartition(":")[2]) for item in items}
    return found


PEERS = (
    Peer("Warden, ten controls", _warden(CONTROLS), _of_warden),
    Peer("Warden, all controls", _warden(()), _of_warden),
    Peer("Custodian, ten policies", _custodian, _of_custodian),
)
