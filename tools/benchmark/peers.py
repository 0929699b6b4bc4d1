"""The scanners that are measured: each as a whole process of its own environment, and what it found."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.benchmark import rig
from tools.benchmark.fleet import CONTROLS, REGION
from tools.benchmark.rig import HERE, ROOT, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_NAMES = {
    "cluster": "DBClusterIdentifier",
    "instance": "DBInstanceIdentifier",
    "cluster_snapshot": "DBClusterSnapshotIdentifier",
    "security_group": "GroupId",
    "secret": "ARN",
}

Found = set[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Peer:
    """A scanner: its command, and how to read what it found in the directory that it wrote to."""

    name: str
    command: Callable[[Path], Sequence[str]]
    read: Callable[[Path], Found]

    def run(self, url: str) -> tuple[Usage, Found]:
        """Run it to its end."""
        with tempfile.TemporaryDirectory() as name:
            out = Path(name)
            used = rig.run(self.command(out), out, rig.environment(url))
            return used, self.read(out)


def scored(found: Found, wrong: Found) -> tuple[float, float]:
    """Precision and recall of what was found, beside what is wrong."""
    right = len(found & wrong)
    return right / len(found) if found else 0.0, right / len(wrong)


# --- Warden ---------------------------------------------------------------------------------------------------


def warden(controls: Sequence[str]) -> Callable[[Path], Sequence[str]]:
    """The command of a scan for some controls, or for all."""
    chosen = [part for control in controls for part in ("--control", control)]
    policy = str(HERE / "policy.toml")
    return lambda _: [
        *(sys.executable, "-m", "console.cli", "scan", "--format", "json", "--policy", policy),
        *chosen,
    ]


def of_warden(out: Path) -> Found:
    """What a scan says of the ten controls."""
    card = json.loads((out / "stdout").read_text(encoding="utf-8"))
    return {
        (finding["control"], finding["resource"].rpartition(":")[2].removeprefix("security-group/"))
        for finding in card["findings"]
        if finding["compliance"] == "NON_COMPLIANT" and finding["control"] in CONTROLS
    }


# --- the yardstick --------------------------------------------------------------------------------------------


def _yardstick(_: Path) -> Sequence[str]:
    return [sys.executable, str(HERE / "yardstick.py")]


def _of_yardstick(out: Path) -> Found:
    return {(control, name) for control, name in json.loads((out / "stdout").read_text(encoding="utf-8"))}


# --- Custodian ------------------------------------------------------------------------------------------------


def _custodian(out: Path) -> Sequence[str]:
    return [
        *(str(ROOT / ".venv-bench/bin/python"), str(ROOT / ".venv-bench/bin/custodian"), "run"),
        *("-s", str(out), "--cache", str(out / "cache"), "--region", REGION, str(HERE / "custodian.yml")),
    ]


def of_custodian(out: Path) -> Found:
    """What its policies matched."""
    found: Found = set()
    for control in CONTROLS:
        written = out / control / "resources.json"
        kind = next(kind for kind in sorted(_NAMES, key=len, reverse=True) if control.startswith(f"{kind}_"))
        items = json.loads(written.read_text(encoding="utf-8")) if written.exists() else []
        found |= {(control, item[_NAMES[kind]].rpartition(":")[2]) for item in items}
    return found


# --- Prowler --------------------------------------------------------------------------------------------------

_CHECKS = {
    "rds_cluster_deletion_protection": "cluster_deletion_protection_enabled",
    "rds_cluster_iam_authentication_enabled": "cluster_iam_authentication_enabled",
    "rds_cluster_integration_cloudwatch_logs": "cluster_log_exports_complete",
    "rds_cluster_storage_encrypted": "cluster_storage_encrypted",
    "rds_instance_transport_encrypted": "cluster_tls_enforced",
    "rds_snapshots_public_access": "cluster_snapshot_not_public",
    "rds_instance_no_public_access": "instance_not_publicly_accessible",
    "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_mysql_3306": "security_group_not_open_to_world",
    "ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_postgres_5432": "security_group_not_open_to_world",
    "ec2_securitygroup_allow_wide_open_public_ipv4": "security_group_not_open_to_world",
    "secretsmanager_automatic_rotation_enabled": "secret_rotation_enabled",
}
"""Its checks that are of the kinds of drift; it has none with a threshold for the retention of a cluster's backups."""


def _prowler(out: Path) -> Sequence[str]:
    return [
        *(str(ROOT / ".venv-prowler/bin/python"), str(ROOT / ".venv-prowler/bin/prowler"), "aws"),
        *("--region", REGION, "--checks", *_CHECKS, "--no-banner", "--output-formats", "json-ocsf"),
        *("--output-directory", str(out), "--output-filename", "found"),
    ]


def of_prowler(out: Path) -> Found:
    """What failed its checks; of TLS, clusters alone, since a member is no finding of its own here."""
    failed = [
        (_CHECKS[one["metadata"]["event_code"]], one["resources"][0]["uid"].split(":", 5)[5])
        for one in json.loads((out / "found.ocsf.json").read_text(encoding="utf-8"))
        if one["status_code"] == "FAIL"
    ]
    return {
        (control, name.rpartition(":")[2].removeprefix("security-group/"))
        for control, name in failed
        if control != "cluster_tls_enforced" or name.startswith("cluster:")
    }


TEN = Peer("Warden, ten controls", warden(CONTROLS), of_warden)
ALL = Peer("Warden, all controls", warden(()), of_warden)
YARDSTICK = Peer("yardstick: plain boto3", _yardstick, _of_yardstick)
CUSTODIAN = Peer("Custodian, ten policies", _custodian, of_custodian)
PROWLER = Peer("Prowler, eleven checks", _prowler, of_prowler)
