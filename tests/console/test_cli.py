"""The command line: every command explains itself, and refuses what it cannot mean with a sentence."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from console import cli, paths
from scanning.runs import run, warden
from warden.controls import all_controls
from warden.core.framework_catalogue import FRAMEWORKS
from warden.wiring import load_policy

if TYPE_CHECKING:
    from pathlib import Path

Capsys = pytest.CaptureFixture[str]
COMMANDS = [
    [],
    ["demo"],
    ["scan"],
    ["replay"],
    ["controls"],
    ["policy"],
    ["policy", "check"],
    ["approvals"],
    ["approve"],
    ["reject"],
    ["stop"],
    ["resume"],
    ["acknowledge"],
    ["undo"],
    ["ledger"],
    ["explain"],
    ["tickets"],
    ["requests"],
    ["requests", "refuse"],
    ["doctor"],
]


# --- help ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(capsys: Capsys, command: list[str]) -> None:
    done = run(capsys, *command, "--help")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(" ".join(["usage: warden", *command]))


def test_no_command_is_forgotten_here(capsys: Capsys) -> None:
    out = run(capsys, "--help").out
    listed = re.findall(r"(?m)^ {4}(\w+)", out)
    assert set(listed) == {command[0] for command in COMMANDS if command}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["scan", "--format", "xml"],
        ["policy"],
        ["stop"],
        ["resume"],
        ["replay"],
        ["demo", "extra"],
    ],
    ids=" ".join,
)
def test_what_is_no_command_is_refused_with_the_usage(capsys: Capsys, arguments: list[str]) -> None:
    done = run(capsys, *arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("usage: warden")


def test_it_runs_as_a_process_of_its_own() -> None:
    done = warden("controls", "--format", "json")
    assert (done.status, done.err) == (0, "")
    assert len(json.loads(done.out)) == len(all_controls())


def test_a_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "console.cli", "controls", "--format", "json"],
        cwd=paths.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
        process.wait()


# --- controls -----------------------------------------------------------------------------------------------------


def test_controls_are_listed_for_people(capsys: Capsys) -> None:
    done = run(capsys, "controls")
    assert (done.status, done.err) == (0, "")
    for control in all_controls():
        assert control.id in done.out
        assert control.title in done.out
    lines = {line.split()[0]: line for line in done.out.splitlines() if line[0] != " "}
    assert lines["instance_storage_encrypted"].endswith("ticket"), "it plans nothing that can be written"
    assert lines["cluster_deletion_protection_enabled"].endswith("remediation, safe")


def test_controls_are_listed_for_machines(capsys: Capsys) -> None:
    rows = {row["id"]: row for row in json.loads(run(capsys, "controls", "--format", "json").out)}
    assert set(rows) == {control.id for control in all_controls()}
    row = rows["instance_not_publicly_accessible"]
    assert (row["severity"], row["safety"], row["containment"]) == ("CRITICAL", "safe", True)
    assert row["operations"] == ["ModifyDBInstance"]
    assert row["resource_type"] == "AWS::RDS::DBInstance"
    assert "AWS Security Hub RDS.2" in row["frameworks"] or any("RDS.2" in one for one in row["frameworks"])
    assert rows["cluster_backup_retention_sufficient"]["settings"].keys() == {"minimum_days"}


def test_the_controls_of_a_framework_are_listed_by_its_requirements(capsys: Capsys) -> None:
    done = run(capsys, "controls", "--framework", "pci-dss-4")
    assert (done.status, done.err) == (0, "")
    head, *lines = done.out.splitlines()
    assert re.fullmatch(r"PCI DSS v4\.0\.1: \d+ requirements, \d+ controls", head)
    shown = [line.split()[0] for line in lines if line[0] != " "]
    assert shown.index("2.2.2") < shown.index("3.7.4") < shown.index("10.2.1"), "as people count"
    assert len(shown) == len(set(shown))
    assert re.search(r"^1\.4\.4 +\w+ ", done.out, re.MULTILINE)
    assert "instance_not_publicly_accessible" in done.out
    assert "cluster_snapshot_not_public" not in done.out, "RDS.1 maps to PCI DSS 3.2.1 alone"


def test_the_controls_of_a_framework_are_listed_for_machines(capsys: Capsys) -> None:
    done = run(capsys, "controls", "--framework", "security-hub", "--format", "json")
    rows = {row["id"]: row["requirements"] for row in json.loads(done.out)}
    assert rows["cluster_deletion_protection_enabled"] == ["RDS.7"]
    assert "cluster_tls_enforced" not in rows, "Security Hub has no control for it"
    assert "requirements" not in json.loads(run(capsys, "controls", "--format", "json").out)[0]


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_framework_that_nobody_knows_is_refused_with_those_that_are(capsys: Capsys, output: str) -> None:
    done = run(capsys, "controls", "--framework", "pci-dss-3", "--format", output)
    assert (done.status, done.out) == (2, "")
    for framework in FRAMEWORKS.values():
        assert f" {framework.key}" in done.err
    assert done.err.startswith("warden: there is no framework 'pci-dss-3'; known are security-hub, ")


# --- policy check -------------------------------------------------------------------------------------------------


def _check(capsys: Capsys, tmp_path: Path, text: str) -> tuple[int, str, str]:
    file = tmp_path / "policy.toml"
    file.write_text(text, encoding="utf-8")
    done = run(capsys, "policy", "check", str(file))
    return done.status, done.out, done.err.replace(str(file), "FILE")


def test_the_shipped_policy_is_valid(capsys: Capsys) -> None:
    done = run(capsys, "policy", "check", str(paths.POLICY))
    assert (done.status, done.err) == (0, "")
    policy = load_policy(paths.POLICY)
    assert f"valid, version {policy.version}" in done.out
    enabled = [control for control in all_controls() if policy.is_enabled(control.id)]
    assert f"{len(enabled)} controls: " in done.out


def test_a_policy_is_told_in_words(capsys: Capsys, tmp_path: Path) -> None:
    status, out, err = _check(
        capsys,
        tmp_path,
        """
version = 1
[defaults]
mode = "ticket"
[limits]
writes_per_hour = 7
[controls.cluster_deletion_protection_enabled]
mode = "remediate"
[controls.cluster_tls_enforced]
enabled = false
[[exemptions]]
control = "cluster_storage_encrypted"
account = "123456789012"
owner = "orders team"
reason = "on its way"
expires = 2020-01-01
[[exemptions]]
control = "*"
resource = "cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
owner = "platform team"
reason = "a museum"
expires = 2999-01-01
[[freezes]]
from = 2026-12-20T18:00:00Z
until = 2027-01-04T06:00:00Z
reason = "holidays"
""",
    )
    assert (status, err) == (0, "")
    assert f"{len(all_controls()) - 1} controls: 1 remediate, {len(all_controls()) - 2} ticket" in out
    assert "at most 7 writes an hour" in out
    assert "owner orders team: EXPIRED: no longer in force" in out
    assert "owner platform team: until 2999-01-01" in out
    assert "freeze: 2026-12-20 18:00 to 2027-01-04 06:00 UTC: holidays" in out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "FILE: version: is missing; it is required"),
        ("version = 2\n", "FILE: version: 2 is not known"),
        ("version = 1\n[controls.no_such]\n", "FILE: controls.no_such: there is no control 'no_such'"),
        ("version = 1\n[controls.cluster_tls_enforced]\nmod = 1\n", "is not a key that exists here"),
        (
            'version = 1\n[defaults]\nmode = "all"\n',
            "'all' is not a mode; choose observe, ticket or remediate",
        ),
        ("version = 1\n[[exemptions]]\ncontrol = '*'\n", "FILE: exemptions[0].expires: is missing"),
        ("version = \n", "FILE: not valid TOML"),
        ("version = 1\nversion = 1\n", "FILE: not valid TOML"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused_with_file_key_and_remedy(
    capsys: Capsys, tmp_path: Path, text: str, said: str
) -> None:
    status, out, err = _check(capsys, tmp_path, text)
    assert (status, out) == (2, "")
    assert err.startswith("warden: FILE: ")
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["nothing.toml", "."])
def test_a_policy_that_cannot_be_read_is_refused(capsys: Capsys, tmp_path: Path, name: str) -> None:
    done = run(capsys, "policy", "check", str(tmp_path / name))
    assert (done.status, done.out) == (2, "")
    assert "the policy file cannot be read" in done.err


def test_an_interrupted_command_says_so_by_its_status(
    capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console import catalogue

    def interrupted(**_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(catalogue, "run", interrupted)
    assert cli.main(["controls"]) == 130
    assert capsys.readouterr().err == ""


def test_a_policy_file_that_is_no_text_is_refused_with_its_name(tmp_path, capsys):
    file = tmp_path / "policy.toml"
    file.write_bytes(b"version = 1\n# \xff\n")

    assert cli.main(["policy", "check", str(file)]) == 2
    assert "policy.toml: the policy file is not UTF-8 text" in capsys.readouterr().err
