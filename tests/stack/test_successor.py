"""A successor of a cluster, from the approval to the ticket with the cut-over: what it made stays, the original too."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from console.local.rds.state import Lifecycle
from stack import fleet
from stack.deployed import ALICE, CLOSED_GROUP, KEY_ARN, PRIVATE_SUBNETS, Deployed, policy_text
from stack.desk import answered, desk, stopped
from stack.killer import Killer
from warden import wiring
from warden.core import successor_calls
from warden.core.finding import WorkflowStatus

if TYPE_CHECKING:
    from stack.conftest import Deploy

CONTROL = "cluster_storage_encrypted"
GATEWAY = "cluster_without_internet_access_gateway"
STEPS = ["CreateDBClusterSnapshot", "RestoreDBClusterFromSnapshot", "CreateDBInstance", "CreateDBInstance"]
TAGS = [{"Key": "owner", "Value": "orders"}]


def _legacy(stack: Deployed) -> str:
    """An unencrypted cluster with two instances, of which the second one is the writer."""
    fleet.key(stack)
    fleet.legacy_cluster(stack)
    with stack.quietly() as rds:
        arn = _cluster(stack, "legacy")["DBClusterArn"]
        rds.add_tags_to_resource(ResourceName=arn, Tags=TAGS)
        rds.modify_db_cluster(
            DBClusterIdentifier="legacy",
            VpcSecurityGroupIds=[fleet.group(stack, "clients")],
            PreferredBackupWindow="03:10-03:40",
            ApplyImmediately=True,
        )
        for number in (1, 2):
            fleet.member(stack, f"legacy-{number}", "legacy", PromotionTier=number, Tags=TAGS)
        rds.failover_db_cluster(DBClusterIdentifier="legacy", TargetDBInstanceIdentifier="legacy-2")
    stack.aws.rds.settle()
    return str(arn)


def _cluster(stack: Deployed, name: str) -> dict[str, Any]:
    [found] = stack.client("rds").describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
    return dict(found)


def _clusters(stack: Deployed) -> set[str]:
    return {one["DBClusterIdentifier"] for one in stack.client("rds").describe_db_clusters()["DBClusters"]}


def _members(stack: Deployed, cluster: str) -> list[dict[str, Any]]:
    answer = stack.client("rds").describe_db_instances(
        Filters=[{"Name": "db-cluster-id", "Values": [cluster]}]
    )
    return list(answer["DBInstances"])


def _records(stack: Deployed) -> list[dict[str, Any]]:
    return [row for row in stack.table("StateTable") if row["pk"] == "procedure"]


def _tags(item: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in item["TagList"]}


def _asked(deploy: Deploy, **policy: Any) -> tuple[Deployed, str, str]:
    """A deployed stack that asks for an approval; the ARN of the cluster, and the name of its successor."""
    stack = deploy(policy=policy_text(only=(CONTROL,), **policy))
    arn = _legacy(stack)
    stack.aws.rds.lifecycle = Lifecycle.like_aws()
    name = successor_calls.name(_cluster(stack, "legacy"))
    stack.sweep()
    return stack, arn, name


def _approve(stack: Deployed) -> None:
    [request] = desk(stack).requests()
    answered(stack, request)


def assert_it_is_prepared(stack: Deployed, arn: str, name: str) -> None:
    """The end of the procedure: both clusters, and a ticket."""
    original, successor = _cluster(stack, "legacy"), _cluster(stack, name)
    assert (successor["Status"], successor["StorageEncryptionType"], successor["KmsKeyId"]) == (
        "available",
        "sse-kms",
        KEY_ARN,
    )
    for same in (
        *("DBSubnetGroup", "VpcSecurityGroups", "DBClusterParameterGroup", "Port", "EngineVersion"),
        *("IAMDatabaseAuthenticationEnabled", "CopyTagsToSnapshot", "BackupRetentionPeriod"),
        *("PreferredBackupWindow", "DeletionProtection", "NetworkType"),
    ):
        assert successor[same] == original[same], same
    assert set(successor["EnabledCloudwatchLogsExports"]) == set(original["EnabledCloudwatchLogsExports"])
    assert _tags(successor)["owner"] == "orders"
    old, new = _members(stack, "legacy"), _members(stack, name)
    names = {successor_calls.member_name(member): member for member in old}
    assert {one["DBInstanceIdentifier"] for one in new} == set(names)
    for one in new:
        member = names[one["DBInstanceIdentifier"]]
        for same in ("DBInstanceClass", "PromotionTier", "AvailabilityZone", "AutoMinorVersionUpgrade"):
            assert one[same] == member[same], same
        assert (one["PubliclyAccessible"], _tags(one)["owner"]) == (False, "orders")
    writers = {
        cluster["DBClusterIdentifier"]: member["DBInstanceIdentifier"]
        for cluster in (original, successor)
        for member in cluster["DBClusterMembers"]
        if member["IsClusterWriter"]
    }
    assert writers["legacy"] == "legacy-2"
    assert names[writers[name]]["DBInstanceIdentifier"] == "legacy-2"
    finding = stack.finding(CONTROL, arn)
    assert finding.workflow is WorkflowStatus.NOTIFIED
    assert f"The successor {name} is prepared" in finding.manual
    assert "--new-db-cluster-identifier legacy " in finding.manual
    assert _records(stack) == []


def test_a_cluster_gets_an_encrypted_successor_up_to_the_cut_over(deploy: Deploy) -> None:
    stack, arn, name = _asked(deploy)
    before = _cluster(stack, "legacy")
    # The policy allows all that costs and disrupts: another cluster asks all the same.
    assert stack.writes == []
    [ticket] = stack.tickets
    assert [call["operation"] for call in ticket["plan"]] == STEPS, ticket["manual"]
    assert "costs as much as the cluster itself" in ticket["decision"]["cost"]
    _approve(stack)
    stack.hours_later(3)
    assert stack.write_names == STEPS
    assert_it_is_prepared(stack, arn, name)
    assert len(stack.finding(CONTROL, arn).attempts) == 1
    assert _cluster(stack, "legacy") | {"LatestRestorableTime": 0} == before | {"LatestRestorableTime": 0}
    stack.sweep()
    stack.hours_later(1)
    assert stack.write_names == STEPS


@pytest.mark.slow
def test_after_the_cut_over_the_old_cluster_gets_no_second_successor(deploy: Deploy) -> None:
    stack, arn, name = _asked(deploy)
    _approve(stack)
    stack.hours_later(3)
    for old, new in (("legacy", "legacy-before-cut-over"), (name, "legacy")):
        stack.as_alice(
            "modify_db_cluster",
            DBClusterIdentifier=old,
            NewDBClusterIdentifier=new,
            ApplyImmediately=True,
        )
        stack.aws.rds.settle()
    stack.hours_later(1)
    stack.sweep()
    stack.hours_later(1)
    assert stack.write_names == STEPS
    assert _clusters(stack) == {"legacy-group", "legacy-before-cut-over", "legacy"}
    assert "is the successor of this cluster" in stack.finding(CONTROL, f"{arn}-before-cut-over").manual


@pytest.mark.slow
def test_a_cluster_of_the_express_configuration_gets_one_in_a_vpc(deploy: Deploy) -> None:
    stack = deploy(policy=policy_text(only=(GATEWAY,)))
    fleet.key(stack)
    fleet.place(stack)
    with stack.quietly() as rds:
        made = rds.create_db_cluster(
            DBClusterIdentifier="trial", Engine="aurora-postgresql", WithExpressConfiguration=True
        )
        name = successor_calls.name(made["DBCluster"])
    stack.aws.rds.settle()
    stack.aws.rds.lifecycle = Lifecycle.like_aws()
    stack.sweep()
    _approve(stack)
    stack.hours_later(3)
    assert stack.write_names == STEPS[:3]
    successor = _cluster(stack, name)
    assert (successor["DBSubnetGroup"], successor["VPCNetworkingEnabled"]) == (PRIVATE_SUBNETS, True)
    assert successor["InternetAccessGatewayEnabled"] is False
    assert [group["VpcSecurityGroupId"] for group in successor["VpcSecurityGroups"]] == [CLOSED_GROUP]
    [member] = _members(stack, name)
    assert (member["DBInstanceClass"], member["PubliclyAccessible"]) == ("db.serverless", False)
    assert "is prepared" in stack.finding(GATEWAY, made["DBCluster"]["DBClusterArn"]).manual


@pytest.mark.slow
def test_nothing_of_a_successor_is_judged_while_it_is_prepared(deploy: Deploy) -> None:
    watched = (
        CONTROL,
        "cluster_deletion_protection_enabled",
        "instance_alarms_present",
        "cluster_port_not_default",
    )
    stack = deploy(policy=policy_text(only=watched))
    _legacy(stack)
    stack.aws.rds.lifecycle = Lifecycle.like_aws()
    stack.sweep()
    [request] = [one for one in desk(stack).requests() if one.finding.control == CONTROL]
    answered(stack, request)
    name = successor_calls.name(_cluster(stack, "legacy"))
    while len(_members(stack, name) if name in _clusters(stack) else []) < len(STEPS[2:]):
        stack.hours_later(0.1)
    stack.sweep()
    assert not [one.arn for one in stack.findings if ":warden-" in one.arn]
    stack.hours_later(3)
    stack.sweep()
    assert [one.control for one in stack.findings if one.arn.endswith(name)] == ["cluster_port_not_default"]


# --- what holds it up, and what is left behind ----------------------------------------------------------------


def _half_made(deploy: Deploy) -> tuple[Deployed, str, str]:
    """A successor that has just been asked for."""
    stack, arn, name = _asked(deploy)
    _approve(stack)
    while name not in _clusters(stack):
        stack.hours_later(0.1)
    assert stack.write_names == STEPS[:2]
    return stack, arn, name


@pytest.mark.slow
def test_what_nobody_wants_any_more_is_told_to_a_person_and_never_deleted(deploy: Deploy) -> None:
    stack, _, name = _half_made(deploy)
    exempt = f"""[[exemptions]]
control = "{CONTROL}"
resource = "{_cluster(stack, "legacy")["DbClusterResourceId"]}"
owner = "orders@example.com"
reason = "Its data are public."
expires = 2026-03-01
"""
    Path(stack.policy).write_text(policy_text(only=(CONTROL,), more=exempt), encoding="utf-8")
    wiring.forget()
    stack.hours_later(1)
    problems = stack.sweep()["problems"]
    assert [one.partition(", costs money")[0] for one in problems] == [
        f"{_cluster(stack, name)['DBClusterArn']} was half made by a procedure"
    ]
    assert stack.write_names == STEPS[:2]
    # Whoever takes its tag away keeps it: then it is a cluster like any other.
    with stack.by(ALICE):
        stack.client("rds").remove_tags_from_resource(
            ResourceName=_cluster(stack, name)["DBClusterArn"], TagKeys=["warden:nonce"]
        )
    stack.hours_later(1)
    assert _records(stack) == []
    assert stack.sweep()["problems"] == []
    assert stack.write_names == STEPS[:2]


@pytest.mark.slow
def test_whoever_deletes_it_is_asked_before_there_is_another(deploy: Deploy) -> None:
    stack, arn, name = _half_made(deploy)
    stack.aws.rds.settle()
    with stack.by(ALICE):
        rds = stack.client("rds")
        rds.modify_db_cluster(DBClusterIdentifier=name, DeletionProtection=False)
        rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
    stack.hours_later(3)
    assert stack.write_names.count("RestoreDBClusterFromSnapshot") == 1
    assert "delete it" in stack.finding(CONTROL, arn).manual
    with stack.by(ALICE):
        stack.client("rds").delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name)
    # What shows no effect rests for a while, as what was refused does.
    stack.hours_later(9)
    stack.sweep()
    assert stack.write_names.count("CreateDBClusterSnapshot") == 1
    finding = stack.finding(CONTROL, arn)
    assert finding.decision["action"] == "AWAIT_APPROVAL", (finding.decision, finding.manual)


@pytest.mark.slow
def test_somebody_elses_cluster_of_that_name_is_left_alone(deploy: Deploy) -> None:
    stack, arn, name = _asked(deploy)
    [request] = desk(stack).requests()
    tags = [
        *({"Key": key, "Value": arn} for key in ("warden:serves", "warden:procedure")),
        {"Key": "warden:successor-of", "Value": "cluster-ANOTHER"},
    ]
    with stack.quietly():
        fleet.cluster(stack, name, Tags=tags)
    answered(stack, request)
    stack.hours_later(2)
    assert stack.writes == []
    assert _members(stack, name) == []
    assert "Warden leaves it alone" in stack.finding(CONTROL, arn).manual


@pytest.mark.slow
def test_stop_holds_each_step(deploy: Deploy) -> None:
    stack, arn, name = _half_made(deploy)
    stopped(stack, stopping=True)
    stack.hours_later(2)
    assert stack.write_names == STEPS[:2]
    stopped(stack, stopping=False)
    stack.hours_later(3)
    assert_it_is_prepared(stack, arn, name)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:No application metrics to publish")
@pytest.mark.parametrize(
    ("moment", "after"), [(2, False), *((number, True) for number in range(1, len(STEPS) + 1))]
)
def test_whatever_dies_at_a_call_each_is_made_once(deploy: Deploy, moment: int, *, after: bool) -> None:
    stack, arn, name = _asked(deploy)
    stack.may_fail = True
    [request] = desk(stack).requests()
    killer = Killer(stack, moment, after=after, counts=STEPS.__contains__)
    with killer.at_work():
        answered(stack, request)
        stack.runtime.run_until_idle(max_time=timedelta(hours=2))
        stack.hours_later(3)
    stack.hours_later(1)
    assert_it_is_prepared(stack, arn, name)
    made = [
        event["detail"]["eventName"]
        for event in stack.events
        if event["detail"].get("eventName") in STEPS
        and event["detail"]["userIdentity"].get("sessionContext") is not None
        and "errorCode" not in event["detail"]
    ]
    assert (made, killer.killed) == (STEPS, STEPS[moment - 1])
    assert stack.dead_letters() == {}
