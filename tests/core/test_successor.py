"""What a successor is made with, what of it the write guard refuses, and where a person has to look."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from controls import items
from warden.controls import all_controls
from warden.core import approval, procedure, successor, successor_calls, successor_examples
from warden.core.control import ComplianceType
from warden.core.errors import GuardError
from warden.core.guard import check
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan, Wait
from warden.core.policy import parse_policy
from warden.core.resource import ResourceType
from warden.core.successor_permits import PERMITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource

EXAMPLES = {
    one.name.removeprefix("a successor: "): one for one in successor_examples.examples({"KmsKeyId": None})
}
BY_HAND = "By hand."
[CONTROL] = [one for one in all_controls() if one.id == "cluster_storage_encrypted"]
ALLOWS = parse_policy(
    f'version = 1\n[allow]\ncosts = ["{CONTROL.id}"]\ndisruption = ["{CONTROL.id}"]',
    controls=all_controls(),
)


def _resource(stage: str, **facts: Any) -> Resource:
    return items.resource(ResourceType.DB_CLUSTER, {**EXAMPLES[stage].facts, **facts})


def _planned(resource: Resource, **settings: str) -> Plan | Manual | Wait:
    wanted = {**EXAMPLES["nothing is begun"].settings, **settings}
    return successor.plan(resource, wanted, lambda why: Manual(f"{why}{BY_HAND}"))


def _call(stage: str, **facts: Any) -> Call:
    planned = _planned(_resource(stage, **facts))
    assert isinstance(planned, Plan), planned
    [call] = planned.calls
    return call


# --- where it stands --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "operation", "name"),
    [
        ("nothing is begun", "CreateDBClusterSnapshot", "orders"),
        ("announced, and the call's answer never came", "CreateDBClusterSnapshot", "orders"),
        ("the snapshot is available", "RestoreDBClusterFromSnapshot", "orders"),
        # The second instance is the writer of the original.
        ("it is available", "CreateDBInstance", "orders-2"),
        ("its writer is available", "CreateDBInstance", "orders-1"),
    ],
)
def test_each_stage_has_its_call(stage: str, operation: str, name: str) -> None:
    call = _call(stage)
    assert call.operation == operation
    named = call.parameters.get("DBInstanceIdentifier") or call.parameters.get("DBClusterIdentifier")
    assert str(named).removeprefix("warden-").startswith(name)


@pytest.mark.parametrize("stage", EXAMPLES)
def test_whatever_the_policy_allows_each_call_is_approved_and_waits_for_a_window(stage: str) -> None:
    planned = _planned(_resource(stage))
    if isinstance(planned, Plan):
        assert planned.disrupts
        assert approval.is_needed(CONTROL, ALLOWS, planned)


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("the snapshot is being made", "is being made"),
        ("it is being made", "is creating"),
        ("its writer is being made", "is creating"),
    ],
)
def test_what_is_on_its_way_is_waited_for(stage: str, words: str) -> None:
    planned = _planned(_resource(stage))
    assert isinstance(planned, Wait)
    assert words in planned.why


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("there is no room for its instances", "no room for 2 more DB instances"),
        ("a snapshot of that name, of which there is no record", "no record"),
        ("a cluster of that name, of which there is no record", "no record"),
        ("a cluster of that name, made by somebody else", "which Warden made"),
        ("it has another key", "its key is"),
        ("somebody deleted it", "somebody deleted it"),
        ("no place for a cluster without a VPC", f"which this Region has not. {BY_HAND}"),
        ("a member of a global database", f"moved together. {BY_HAND}"),
    ],
)
def test_what_is_not_surely_right_is_left_to_a_person(stage: str, words: str) -> None:
    planned = _planned(_resource(stage))
    assert isinstance(planned, Manual)
    assert words in planned.why
    assert not planned.done


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"Engine": "postgres"}, "Multi-AZ DB cluster"),
        ({"EngineMode": "serverless"}, "engine mode serverless"),
        ({"ClusterScalabilityType": "limitless"}, "shard groups"),
        ({"ReplicationSourceIdentifier": "arn:aws:rds:us-east-1:1:cluster:x"}, "replicates from"),
        ({"DomainMemberships": [{"Domain": "d-1"}]}, "directory"),
        ({Need.BLUE_GREEN: [{"Status": "AVAILABLE"}]}, "blue/green"),
        ({"TagList": [{"Key": str(number), "Value": ""} for number in range(47)]}, "tags"),
    ],
)
def test_a_cluster_that_cannot_be_restored_as_it_is_gets_none(facts: dict[str, Any], words: str) -> None:
    planned = _planned(_resource("nothing is begun", **facts))
    assert isinstance(planned, Manual)
    assert words in planned.why
    assert planned.why.endswith(BY_HAND)


def test_without_a_key_in_the_policy_nothing_is_looked_at() -> None:
    assert _planned(_resource("nothing is begun"), kms_key="") == Manual(BY_HAND)


def test_a_snapshot_that_has_waited_for_too_long_is_not_restored() -> None:
    seen = EXAMPLES["the snapshot is available"].facts[Need.SUCCESSOR]
    old = successor_examples.record(
        of_snapshot=True, announced_at=items.OBSERVED_AT - successor.STALE - timedelta(minutes=1)
    )
    planned = _planned(
        _resource("the snapshot is available", **{Need.SUCCESSOR: {**seen, "SnapshotRecord": old}})
    )
    assert isinstance(planned, Manual)
    assert "older than 7 days" in planned.why


def test_a_snapshot_of_another_cluster_under_that_name_is_not_restored() -> None:
    seen = EXAMPLES["the snapshot is available"].facts[Need.SUCCESSOR]
    planted = successor_examples.snapshot(DbClusterResourceId="cluster-ANOTHER")
    planned = _planned(
        _resource("the snapshot is available", **{Need.SUCCESSOR: {**seen, "Snapshot": planted}})
    )
    assert isinstance(planned, Manual)
    assert "of another cluster" in planned.why


def test_a_failover_in_the_middle_is_no_other_plan() -> None:
    roles = EXAMPLES["nothing is begun"].facts["DBClusterMembers"]
    flipped = [{**one, "IsClusterWriter": not one["IsClusterWriter"]} for one in roles]
    settings = EXAMPLES["nothing is begun"].settings
    before, after = (
        successor_calls.pledge(_resource("nothing is begun", DBClusterMembers=members).facts, settings)
        for members in (roles, flipped)
    )
    assert before == after


def test_readers_of_auto_scaling_are_not_made_again() -> None:
    facts = EXAMPLES["nothing is begun"].facts
    scaled = {
        **facts[Need.MEMBERS][0],
        "DBInstanceIdentifier": "application-autoscaling-1",
        "DbiResourceId": "db-X",
    }
    settings = EXAMPLES["nothing is begun"].settings
    more = _resource("nothing is begun", **{Need.MEMBERS: [*facts[Need.MEMBERS], scaled]})
    as_before = successor_calls.pledge(_resource("nothing is begun").facts, settings)
    assert successor_calls.pledge(more.facts, settings) == as_before


def test_the_ticket_says_what_is_missing_and_how_to_cut_over() -> None:
    planned = _planned(_resource("all of it is available"))
    assert isinstance(planned, Manual)
    assert planned.done
    assert "What was written after 2026-11-24 08:01 UTC is not in it." in planned.why
    assert "It differs in: " in planned.why
    name = successor_calls.name(EXAMPLES["nothing is begun"].facts)
    renames = [step.split()[4:7] for step in planned.steps if "--new-db-cluster" in step]
    assert renames == [
        ["orders", "--new-db-cluster-identifier", "orders-before-cut-over"],
        [name, "--new-db-cluster-identifier", "orders"],
    ]
    brought = {step.split()[2] for step in planned.steps}
    assert {"add-role-to-db-cluster", "enable-http-endpoint", "start-activity-stream"} <= brought
    assert not any("delete" in step for step in planned.steps)


def test_its_end_is_known_without_a_record() -> None:
    with_record, without = (
        _planned(_resource(stage))
        for stage in ("all of it is available", "all of it is available, and no record is left")
    )
    assert with_record == without


# --- the write guard --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "other"),
    [
        ("nothing is begun", {"DBClusterIdentifier": "another"}),
        ("nothing is begun", {"DBClusterSnapshotIdentifier": "another"}),
        ("nothing is begun", {"Tags": []}),
        ("the snapshot is available", {"DBClusterIdentifier": "orders"}),
        ("the snapshot is available", {"SnapshotIdentifier": "another"}),
        ("the snapshot is available", {"KmsKeyId": "alias/aws/rds"}),
        ("the snapshot is available", {"DBSubnetGroupName": "isolated"}),
        ("the snapshot is available", {"VpcSecurityGroupIds": []}),
        ("the snapshot is available", {"VpcSecurityGroupIds": ["sg-0a1b2c3d4e5f60718", "sg-1"]}),
        ("the snapshot is available", {"DBClusterParameterGroupName": "default.aurora-postgresql16"}),
        ("the snapshot is available", {"DeletionProtection": False}),
        ("the snapshot is available", {"EnableIAMDatabaseAuthentication": False}),
        ("the snapshot is available", {"BackupRetentionPeriod": 1}),
        ("the snapshot is available", {"EnableCloudwatchLogsExports": []}),
        ("the snapshot is available", {"PubliclyAccessible": False}),
        ("the snapshot is available", {"EnableInternetAccessGateway": True}),
        ("the snapshot is available", {"MonitoringRoleArn": "arn:aws:iam::123456789012:role/admin"}),
        ("the snapshot is available, of a cluster without a VPC", {"DBSubnetGroupName": "public"}),
        ("the snapshot is available, of a cluster without a VPC", {"VpcSecurityGroupIds": ["sg-1"]}),
        ("it is available", {"DBClusterIdentifier": "orders"}),
        ("it is available", {"DBInstanceIdentifier": "orders-2"}),
        ("it is available", {"PubliclyAccessible": True}),
        ("it is available", {"DBInstanceClass": "db.r7g.16xlarge"}),
        ("it is available", {"DBParameterGroupName": "default.aurora-postgresql16"}),
        ("it is available", {"MonitoringRoleArn": "arn:aws:iam::123456789012:role/admin"}),
    ],
    ids=str,
)
def test_nothing_passes_that_the_original_has_not(stage: str, other: Mapping[str, Any]) -> None:
    call, resource = _call(stage), _resource(stage)
    check(call, PERMITS, resource)
    with pytest.raises(GuardError):
        check(Call(call.operation, {**call.parameters, **other}), PERMITS, resource)


@pytest.mark.parametrize("stage", ["the snapshot is available", "it is available"])
@pytest.mark.parametrize("tag", [("owner", "somebody else"), (procedure.SERVES, "another"), ("team", "x")])
def test_no_foreign_tag_passes(stage: str, tag: tuple[str, str]) -> None:
    call = _call(stage)
    rest = [one for one in call.parameters["Tags"] if one["Key"] != tag[0]]
    tags = [*rest, {"Key": tag[0], "Value": tag[1]}]
    with pytest.raises(GuardError):
        check(Call(call.operation, {**call.parameters, "Tags": tags}), PERMITS, _resource(stage))


def test_nothing_that_changes_or_deletes_is_permitted() -> None:
    assert {permit.operation for permit in PERMITS} == {
        "CreateDBClusterSnapshot",
        "RestoreDBClusterFromSnapshot",
        "CreateDBInstance",
    }


def test_a_restore_that_leaves_out_what_the_original_has_is_refused() -> None:
    call = _call("the snapshot is available")
    for name in (
        "DBSubnetGroupName",
        "VpcSecurityGroupIds",
        "KmsKeyId",
        "DBClusterParameterGroupName",
        "Tags",
    ):
        fewer = {key: value for key, value in call.parameters.items() if key != name}
        with pytest.raises(GuardError):
            check(Call(call.operation, fewer), PERMITS, _resource("the snapshot is available"))


def test_every_example_is_drift() -> None:
    assert {one.expect for one in EXAMPLES.values()} == {ComplianceType.NON_COMPLIANT}
