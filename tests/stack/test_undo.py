"""A write from the ledger back to what was, by the command, over the template's own tables, queue and roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scanning.runs import run
from stack import fleet
from stack.deployed import ACCOUNT, ALICE, Deployed, policy_text
from stack.desk import CAROL, commands_find
from warden.core.finding import WorkflowStatus

if TYPE_CHECKING:
    from pathlib import Path

    from stack.conftest import Deploy

PROTECTION = "cluster_deletion_protection_enabled"
ORDERS = f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster:orders"
POLICY = policy_text(more="[undo]\nhold_hours = 1")
Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def stack(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    """A deployment that Carol's command finds, and that has turned deletion protection on again."""
    stack = deploy(policy=POLICY)
    commands_find(stack, monkeypatch, CAROL)
    fleet.cluster(stack)
    stack.as_alice("modify_db_cluster", DBClusterIdentifier="orders", DeletionProtection=False)
    assert is_protected(stack)
    return stack


def is_protected(stack: Deployed) -> bool:
    return bool(stack.client("rds").describe_db_clusters()["DBClusters"][0]["DeletionProtection"])


def entry_of(capsys: Capsys) -> str:
    """The entry as `warden ledger` says that it can be taken back."""
    [line] = [one for one in run(capsys, "ledger", ORDERS).out.splitlines() if "warden undo" in one]
    return line.split()[6]


def test_the_last_word_is_a_persons(stack: Deployed, capsys: Capsys, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY, encoding="utf-8")
    arguments = ("undo", entry_of(capsys), "--reason", "the old deployer deletes it", "--policy", str(policy))
    with stack.by(CAROL):
        shown = run(capsys, *arguments)
        assert (shown.status, "would call     ModifyDBCluster" in shown.out) == (1, True)
        assert "--yes asks for it" in shown.out
        stack.settle()
        assert is_protected(stack), "showing it does nothing"

        asked = run(capsys, *arguments, "--yes")
    assert asked.status == 0, asked.err
    assert f"Asked for as {CAROL.principal_id}." in asked.out
    stack.settle()

    assert not is_protected(stack)
    finding = stack.finding(PROTECTION)
    assert (finding.workflow, finding.decision["reason"]) == (WorkflowStatus.SUPPRESSED, "undone")
    assert finding.hold["reason"] == "the old deployer deletes it"
    writes = list(stack.write_names)
    stack.sweep()
    assert stack.write_names == writes
    again = run(capsys, *arguments, "--yes")
    assert (again.status, "is not as Warden set it" in again.out) == (1, True)
    explained = run(capsys, "explain", ORDERS, PROTECTION, "--policy", str(policy))
    assert "took it back: the old deployer deletes it" in explained.out
    assert (run(capsys, "ledger", "verify").status) == 0

    stack.hours_later(1.1)
    stack.sweep()
    assert is_protected(stack), "after the hold it is drift again"


def test_what_alice_has_changed_since_is_hers(stack: Deployed, capsys: Capsys) -> None:
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    done = run(capsys, "undo", entry_of(capsys), "--reason", "x", "--yes")
    assert done.status == 1
    assert "It cannot be taken back: DeletionProtection is not as Warden set it" in done.out


@pytest.mark.parametrize("entry", ["orders", "123456789012/x@0", "123456789012/x@99"])
def test_what_is_no_entry_is_refused(stack: Deployed, capsys: Capsys, entry: str) -> None:
    done = run(capsys, "undo", entry, "--reason", "x", "--yes")
    assert done.status == 2
    assert "entry" in done.err
    assert is_protected(stack)
