"""The real handlers run on the local AWS, through everything that they do, and their calls are judged.

What is granted in vain shows only where every control has its drift: tests/stack/test_least_privilege.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from console.local.stack import LocalStack
from template.alarms import alarm_metrics
from template.judge import APPROVED, Report, judge
from warden.controls import all_controls
from warden.core.control import Safety

if TYPE_CHECKING:
    from collections.abc import Iterator

    from console.local.template import LocalTemplate

# What is denied is also checked after every test of tests/stack; this takes ten seconds to begin with.
pytestmark = pytest.mark.slow

EVENTS = Path(__file__).resolve().parents[2] / "events"
ACCOUNT = "123456789012"


def policy(key: str) -> str:
    """Everything may be put right at once: so every permit of every control can be used."""
    allowed: dict[Safety, list[str]] = {safety: [] for safety in Safety}
    for control in all_controls():
        if control.remediation and control.remediation.permits:
            allowed[control.remediation.safety].append(control.id)
    return f"""
version = 1
[defaults]
mode = "remediate"
[baseline]
kms_key = "{key}"
approved_accounts = ["{ACCOUNT}"]
[limits]
writes_per_hour = 1000
containment_writes_per_hour = 1000
[allow]
costs = {json.dumps(allowed[Safety.COSTS])}
disruption = {json.dumps(allowed[Safety.DISRUPTIVE])}
"""


def back_up(stack: LocalStack) -> None:
    """A plan of AWS Backup that selects by a tag, its vault, and an instance that was deleted for good."""
    backup, rds = stack.client("backup"), stack.client("rds")
    backup.create_backup_vault(BackupVaultName="databases")
    rule = {"RuleName": "daily", "TargetBackupVaultName": "databases"}
    plan = backup.create_backup_plan(BackupPlan={"BackupPlanName": "nightly", "Rules": [rule]})
    condition = {"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "nightly"}
    backup.create_backup_selection(
        BackupPlanId=plan["BackupPlanId"],
        BackupSelection={
            "SelectionName": "by-tag",
            "IamRoleArn": "arn:aws:iam::123456789012:role/backup",
            "ListOfTags": [condition],
        },
    )
    stack.aws.rds.create_legacy_unencrypted("lost")
    rds.modify_db_cluster(DBClusterIdentifier="lost", DeletionProtection=False)
    rds.delete_db_cluster(DBClusterIdentifier="lost", SkipFinalSnapshot=True)


def drift(stack: LocalStack, key: str) -> None:
    """Make one database of each kind that violates whatever its kind can."""
    rds = stack.client("rds")
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="orders-pg16",
        DBParameterGroupFamily="aurora-postgresql16",
        Description="TLS is optional",
    )
    rds.modify_db_cluster_parameter_group(
        DBClusterParameterGroupName="orders-pg16",
        Parameters=[{"ParameterName": "rds.force_ssl", "ParameterValue": "0", "ApplyMethod": "immediate"}],
    )
    cluster = rds.create_db_cluster(
        DBClusterIdentifier="orders",
        Engine="aurora-postgresql",
        EngineVersion="16.6",
        DBClusterParameterGroupName="orders-pg16",
        MasterUsername="steward",
        MasterUserPassword="correct-horse",
        StorageEncrypted=True,
        KmsKeyId=key,
    )["DBCluster"]
    rds.create_db_instance(
        DBInstanceIdentifier="orders-1",
        DBClusterIdentifier="orders",
        Engine="aurora-postgresql",
        DBInstanceClass="db.r6g.large",
        PubliclyAccessible=True,
    )
    stack.aws.rds.create_legacy_unencrypted_instance(
        "ledger", engine="postgres", EngineVersion="16.6", PubliclyAccessible=True
    )
    stack.runtime.run_until_idle()
    back_up(stack)
    rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="orders-a", DBClusterIdentifier="orders")
    rds.create_db_snapshot(DBSnapshotIdentifier="ledger-a", DBInstanceIdentifier="ledger")
    stack.runtime.run_until_idle()
    stack.aws.rds.settle()
    rds.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier="orders-a", AttributeName="restore", ValuesToAdd=["210987654321"]
    )
    rds.modify_db_snapshot_attribute(
        DBSnapshotIdentifier="ledger-a", AttributeName="restore", ValuesToAdd=["all"]
    )
    rds.create_global_cluster(
        GlobalClusterIdentifier="world", SourceDBClusterIdentifier=cluster["DBClusterArn"]
    )
    stack.runtime.run_until_idle()


def refused_remediation(stack: LocalStack) -> None:
    """AWS rejects a write: the finding becomes a ticket, which `remediate` itself sends."""
    stack.client("rds").modify_db_instance(DBInstanceIdentifier="orders-1", PubliclyAccessible=True)
    stack.aws.faults.inject("ModifyDBInstance", "InvalidParameterCombination")
    stack.runtime.run_until_idle()
    stack.aws.faults.clear()


def gone_before_it_was_written(stack: LocalStack) -> None:
    """A database is deleted after the decision: `remediate` has it looked at again, and its findings are resolved."""
    rds = stack.client("rds")
    snapshot = rds.create_db_snapshot(DBSnapshotIdentifier="ledger-b", DBInstanceIdentifier="ledger")
    stack.aws.rds.settle()
    rds.modify_db_snapshot_attribute(
        DBSnapshotIdentifier="ledger-b", AttributeName="restore", ValuesToAdd=["all"]
    )
    stack.runtime.call("EvaluateFunction", {"resource": snapshot["DBSnapshot"]["DBSnapshotArn"]})
    rds.delete_db_snapshot(DBSnapshotIdentifier="ledger-b")
    stack.runtime.run_until_idle()


def crashed_each_time(stack: LocalStack) -> None:
    """A write fails in a way that is no answer, until its message is a dead letter."""
    stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    stack.aws.faults.inject("ModifyDBCluster", "InternalFailure", times=100)
    stack.runtime.run_until_idle()
    stack.runtime.advance(3600)
    stack.aws.faults.clear()


@dataclass(frozen=True, slots=True)
class Life:
    """What is left of a busy life: the judgement of the calls, and the metrics, each as namespace, service, name."""

    report: Report
    metrics: frozenset[tuple[str, str, str]]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Let the functions do everything that they can do."""
    file = tmp_path_factory.mktemp("policy") / "policy.toml"
    with LocalStack(policy=file) as stack:
        key = stack.client("kms").create_key()["KeyMetadata"]["Arn"]
        file.write_text(policy(key), encoding="utf-8")
        drift(stack, key)
        refused_remediation(stack)
        gone_before_it_was_written(stack)
        stack.put(json.loads((EVENTS / "cloudtrail/ModifyDBProxy_tls_off.json").read_text(encoding="utf-8")))
        stack.runtime.run_schedule("EverythingSchedule")
        stack.runtime.advance(3600)
        stack.runtime.call("SweepFunction", {"job": "reconcile"})
        assert [item for item in stack.runtime.invocations if item.error] == []
        crashed_each_time(stack)
        return Life(judge(stack.aws.calls, stack.template), frozenset(embedded_metrics(stack.logs)))


def embedded_metrics(lines: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """The metrics within log lines, in CloudWatch's embedded metric format."""
    for line in lines:
        for group in line.get("_aws", {}).get("CloudWatchMetrics", ()):
            assert group["Dimensions"] == [["service"]]
            for metric in group["Metrics"]:
                yield group["Namespace"], line["service"], metric["Name"]


def test_every_call_is_allowed_to_the_role_that_made_it(life: Life) -> None:
    assert [str(denial) for denial in life.report.denied] == []


def test_every_function_has_proved_something(life: Life) -> None:
    assert min(life.report.judged.values()) > 10, life.report.judged


def test_no_write_is_excused_but_those_that_wait_for_a_person(life: Life) -> None:
    """Only what AWS does in a role's name, or checks within another call, may stay unseen."""
    assert life.report.excused
    writes = ("dynamodb:", "rds:Modify", "rds:Copy")
    reasons = {why for grant, why in life.report.excused.items() if grant.action.startswith(writes)}
    assert reasons <= {APPROVED}


def test_every_alarm_waits_for_a_metric_that_a_function_sends(life: Life, stack: LocalTemplate) -> None:
    waited_for = {
        ("AuroraWarden", dimensions["service"], name)
        for alarm in stack.of_type("AWS::CloudWatch::Alarm")
        for namespace, name, dimensions in alarm_metrics(alarm)
        if namespace == "AuroraWarden"
    }
    assert len(waited_for) >= 6
    assert waited_for - life.metrics == set()
