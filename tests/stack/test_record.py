"""What a deployment has kept, as the command line reads it, over the template's own tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scanning.runs import run
from stack import fleet
from stack.deployed import ACCOUNT, ALICE, Deployed, policy_text
from stack.desk import commands_find

if TYPE_CHECKING:
    from pathlib import Path

    from stack.conftest import Deploy

PROTECTION = "cluster_deletion_protection_enabled"
ORDERS = f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster:orders"
Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def stack(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    """A deployment that the commands find, where Alice has turned deletion protection off."""
    stack = deploy()
    commands_find(stack, monkeypatch, ALICE)
    fleet.cluster(stack)
    stack.as_alice("modify_db_cluster", DBClusterIdentifier="orders", DeletionProtection=False)
    return stack


def test_the_record_of_a_deployment_is_whole_and_tells_who_what_and_why(
    stack: Deployed, capsys: Capsys, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(policy_text(), encoding="utf-8")

    verified = run(capsys, "ledger", "verify", "--format", "json")
    assert (verified.status, verified.card["wrong"]) == (0, [])
    assert verified.card["entries"] == len(stack.entries())

    told = run(capsys, "ledger", ORDERS, "--format", "json").card["entries"]
    assert [one["kind"] for one in told if one["control"] == PROTECTION] == [
        entry["kind"] for entry in stack.entries(control=PROTECTION)
    ]
    outcome = next(one for one in told if one["kind"] == "outcome")
    assert (outcome["cause"]["principal"], outcome["after"]["status"]) == (ALICE.arn, "SUCCEEDED")
    assert outcome["after"]["request_id"]

    explained = run(capsys, "explain", ORDERS, PROTECTION, "--format", "json", "--policy", str(policy))
    [finding] = explained.card["findings"]
    assert (finding["workflow"], finding["changes"], finding["notes"]) == ("RESOLVED", [], [])
    assert finding["last_write"]["request_id"] == outcome["after"]["request_id"]
    assert finding["cause"]["principal"] == ALICE.arn
