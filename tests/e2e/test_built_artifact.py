"""The built functions and layers at work, each function in AWS's own runtime: from drift to a database put right."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from console.local.identity import iam_user
from e2e.built_stack import BUILD, TEMPLATE, BuiltStack
from e2e.conftest import unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("emulation")]

REMEDIATE = """
version = 1
[defaults]
mode = "remediate"
"""


@pytest.fixture
def remediating(tmp_path: Path) -> Callable[..., BuiltStack]:
    """Deploy what is built, with a policy that allows every remediation but those that cost money."""
    policy = tmp_path / "remediate.toml"
    policy.write_text(REMEDIATE)
    return lambda: built(tmp_path, variables={"WARDEN_POLICY_FILE": str(policy)})


def built(scratch: Path, **options: Any) -> BuiltStack:
    if not TEMPLATE.exists():
        unavailable("nothing is built: run `make e2e`")
    return BuiltStack(scratch=scratch, **options)


def create_cluster(stack: BuiltStack, **settings: Any) -> None:
    wanted = {"StorageEncrypted": True, "DeletionProtection": False, **settings}
    with stack.by(iam_user("somebody")):
        stack.client("rds").create_db_cluster(
            DBClusterIdentifier="orders",
            Engine="aurora-postgresql",
            MasterUsername="postgres",
            MasterUserPassword="long-enough-1",
            **wanted,
        )


def cluster(stack: BuiltStack) -> dict[str, Any]:
    [found] = stack.client("rds").describe_db_clusters()["DBClusters"]
    item: dict[str, Any] = found
    return item


def finding(stack: BuiltStack, control: str) -> dict[str, Any]:
    [found] = [row for row in stack.table("FindingsTable") if row["control"] == control]
    return found


def run(stack: BuiltStack) -> list[str]:
    """Let everything happen that is due, insist that nothing failed, and return who ran, in order."""
    done = stack.runtime.run_until_idle()
    failed = [(item.function, item.error) for item in done if item.error or item.failed_messages]
    assert failed == [], stack.function_logs
    return [item.function for item in done]


def test_drift_is_put_right_and_its_finding_resolved(remediating: Callable[..., BuiltStack]) -> None:
    compiled = set(BUILD.rglob("*.pyc"))
    with remediating() as stack:
        create_cluster(stack)
        assert run(stack)[:2] == ["EvaluateFunction", "RemediateFunction"]
        assert cluster(stack)["DeletionProtection"] is True
        assert finding(stack, "cluster_deletion_protection_enabled")["workflow"] == "RESOLVED"
        assert {row["compliance"] for row in stack.table("FindingsTable")} <= {"COMPLIANT", "NON_COMPLIANT"}
    assert set(BUILD.rglob("*.pyc")) == compiled


def test_what_needs_an_approval_reaches_people(remediating: Callable[..., BuiltStack]) -> None:
    with remediating() as stack:
        inbox = stack.client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
        arn = stack.client("sqs").get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])
        stack.client("sns").subscribe(
            TopicArn=stack.template.functions["TicketFunction"].environment["WARDEN_TOPIC_ARN"],
            Protocol="sqs",
            Endpoint=arn["Attributes"]["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )
        create_cluster(stack, BackupRetentionPeriod=1)
        run(stack)
        received = stack.client("sqs").receive_message(QueueUrl=inbox, MaxNumberOfMessages=10)["Messages"]
        assert any("cluster_backup_retention_sufficient" in message["Body"] for message in received)
        assert cluster(stack)["BackupRetentionPeriod"] == 1


def test_a_sweep_finds_what_no_event_told_of(remediating: Callable[..., BuiltStack]) -> None:
    with remediating() as stack:
        tell, stack.aws.emit = stack.aws.emit, None
        create_cluster(stack)
        assert run(stack) == []
        stack.aws.emit = tell
        swept = stack.runtime.call("SweepFunction", {"job": "sweep"})
        assert (swept.error, swept.response["problems"]) == (None, [])  # type: ignore[index]  # JSON
        run(stack)
        assert cluster(stack)["DeletionProtection"] is True


def test_the_built_policy_is_read_and_a_ceiling_of_observe_writes_to_no_database(tmp_path: Path) -> None:
    policy = (BUILD / "PolicyLayer/policy/policy.toml").read_bytes() if TEMPLATE.exists() else b""
    with built(tmp_path, mode="observe") as stack:
        create_cluster(stack)
        assert set(run(stack)) <= {"EvaluateFunction", "SweepFunction"}
        assert cluster(stack)["DeletionProtection"] is False
        assert finding(stack, "cluster_deletion_protection_enabled")["workflow"] == "NEW"
        version = hashlib.sha256(policy).hexdigest()[:16]
        assert any(version in json.dumps(row, default=str) for row in stack.table("LedgerTable"))


def test_an_event_can_be_invoked_by_hand(remediating: Callable[..., BuiltStack]) -> None:
    with remediating() as stack:
        create_cluster(stack)
        [created] = [event for event in stack.events if event["detail"].get("eventName") == "CreateDBCluster"]
        answer = stack.runtime.call("EvaluateFunction", created)
        assert answer.error is None
        # The event names the security group of the cluster, too.
        visits = answer.response["visits"]  # type: ignore[index]  # JSON
        [visit] = [one for one in visits if ":cluster:" in one["resource"]]
        assert "cluster_deletion_protection_enabled" in visit["opened"]
