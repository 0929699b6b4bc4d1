"""Names that change, resources that go, and clusters that span Regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.local.rds.state import Lifecycle
from stack import fleet
from stack.deployed import ALICE, Deployed, policy_text
from warden.core.control import ComplianceType
from warden.core.finding import WorkflowStatus

if TYPE_CHECKING:
    from stack.conftest import Deploy

PROTECTED = "cluster_deletion_protection_enabled"
GLOBAL = "global_cluster_deletion_protection_enabled"
FAR = "us-east-1"
RESOLVED = WorkflowStatus.RESOLVED


def _told(deploy: Deploy) -> Deployed:
    """A deployment in which drift stays, as a ticket."""
    return deploy(policy=policy_text(mode="ticket"))


def _unprotect(stack: Deployed, name: str = "orders") -> None:
    stack.as_alice("modify_db_cluster", DBClusterIdentifier=name, DeletionProtection=False)


# --- renames ------------------------------------------------------------------------------------------------------


def test_a_finding_follows_its_cluster_through_a_rename(deploy: Deploy) -> None:
    stack = _told(deploy)
    old = fleet.cluster(stack)
    _unprotect(stack)
    before = stack.finding(PROTECTED)
    stack.as_alice(
        "modify_db_cluster",
        DBClusterIdentifier="orders",
        NewDBClusterIdentifier="invoices",
        ApplyImmediately=True,
    )
    (finding,) = stack.findings
    assert (before.arn, finding.arn) == (old, old.replace("orders", "invoices"))
    assert finding.resource_key == before.resource_key
    assert finding.first_observed == before.first_observed
    assert finding.workflow is WorkflowStatus.NOTIFIED
    assert [(ticket["state"], ticket["resource"]) for ticket in stack.tickets] == [
        ("OPEN", old),
        ("UPDATED", finding.arn),
    ]
    stack.as_alice("modify_db_cluster", DBClusterIdentifier="invoices", DeletionProtection=True)
    assert stack.open_findings() == {}
    assert stack.ticket_states(PROTECTED) == ["OPEN", "UPDATED", "RESOLVED"]


def test_a_rename_that_no_event_told_of_is_seen_by_the_sweep(deploy: Deploy) -> None:
    stack = _told(deploy)
    fleet.cluster(stack)
    _unprotect(stack)
    with stack.quietly() as rds:
        rds.modify_db_cluster(
            DBClusterIdentifier="orders", NewDBClusterIdentifier="invoices", ApplyImmediately=True
        )
    swept = stack.sweep()
    assert (swept["opened"], swept["resolved"]) == (0, 0)
    (finding,) = stack.findings
    assert finding.arn.endswith(":cluster:invoices")


def test_a_cluster_that_is_renamed_before_the_write_is_written_to_under_its_new_name(stack: Deployed) -> None:
    fleet.cluster(stack)
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    stack.until("evaluate")
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(
            DBClusterIdentifier="orders", NewDBClusterIdentifier="invoices", ApplyImmediately=True
        )
    stack.settle()
    stack.hours_later(0.5)
    (write,) = stack.writes
    assert write.parameters["DBClusterIdentifier"] == "invoices"
    assert stack.finding(PROTECTED).workflow is RESOLVED


def test_a_write_is_not_made_to_another_cluster_that_took_over_the_name(stack: Deployed) -> None:
    fleet.cluster(stack)
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    stack.until("evaluate")
    with stack.quietly() as rds:
        rds.modify_db_cluster(
            DBClusterIdentifier="orders", NewDBClusterIdentifier="old", ApplyImmediately=True
        )
    other = fleet.cluster(stack, "orders-2", DeletionProtection=False)
    with stack.quietly() as rds:
        rds.modify_db_cluster(
            DBClusterIdentifier="orders-2", NewDBClusterIdentifier="orders", ApplyImmediately=True
        )
    other = other.replace("orders-2", "orders")
    stack.until("remediate")
    assert stack.writes == [], "what was judged is not what has the name now"
    # Each is then judged and fixed for itself.
    stack.hours_later(0.5)
    stack.sweep()
    stack.hours_later(0.5)
    assert sorted(write.parameters["DBClusterIdentifier"] for write in stack.writes) == ["old", "orders"]
    assert stack.finding(PROTECTED, other).workflow is RESOLVED


# --- deletions ----------------------------------------------------------------------------------------------------


def test_a_deleted_cluster_takes_its_finding_and_its_ticket_along(deploy: Deploy) -> None:
    stack = _told(deploy)
    fleet.cluster(stack)
    _unprotect(stack)
    assert stack.ticket_states(PROTECTED) == ["OPEN"]
    stack.as_alice("delete_db_cluster", DBClusterIdentifier="orders", SkipFinalSnapshot=True)
    finding = stack.finding(PROTECTED)
    assert (finding.workflow, finding.compliance) == (RESOLVED, ComplianceType.NOT_APPLICABLE)
    assert "no longer exists" in finding.annotation
    assert stack.ticket_states(PROTECTED) == ["OPEN", "RESOLVED"]
    assert stack.entries("finding")[-1]["cause"]["event_name"] in {"DeleteDBCluster", "RDS-EVENT-0171"}


def test_a_cluster_that_is_being_deleted_is_neither_judged_nor_resolved_before_it_is_gone(
    deploy: Deploy,
) -> None:
    stack = _told(deploy)
    fleet.cluster(stack)
    _unprotect(stack)
    stack.aws.rds.lifecycle = Lifecycle.like_aws()
    stack.as_alice("delete_db_cluster", DBClusterIdentifier="orders", SkipFinalSnapshot=True)
    assert {line["reason"] for line in stack.logged("skipped")} == {"deleting"}
    assert stack.open_findings() == {PROTECTED: "NOTIFIED"}
    stack.clock.advance(400)
    stack.sweep()
    assert stack.finding(PROTECTED).workflow is RESOLVED


def test_a_deletion_that_no_event_told_of_is_seen_by_the_sweep(deploy: Deploy) -> None:
    stack = _told(deploy)
    fleet.cluster(stack)
    _unprotect(stack)
    with stack.quietly() as rds:
        rds.delete_db_cluster(DBClusterIdentifier="orders", SkipFinalSnapshot=True)
    assert stack.sweep()["resolved"] == 1
    assert stack.open_findings() == {}
    assert stack.ticket_states(PROTECTED) == ["OPEN", "RESOLVED"]


def test_a_list_that_was_not_read_to_its_end_resolves_nothing(deploy: Deploy) -> None:
    stack = _told(deploy)
    fleet.cluster(stack)
    _unprotect(stack)
    stack.aws.faults.deny("rds:DescribeDBClusters")
    assert stack.sweep()["resolved"] == 0
    assert stack.open_findings() == {PROTECTED: "NOTIFIED"}


def test_a_cluster_deleted_between_decision_and_write_is_no_failure(stack: Deployed) -> None:
    fleet.cluster(stack)
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    stack.until("evaluate")
    with stack.by(ALICE):
        stack.client("rds").delete_db_cluster(DBClusterIdentifier="orders", SkipFinalSnapshot=True)
    stack.settle()
    assert stack.writes == []
    assert stack.finding(PROTECTED).workflow is RESOLVED
    assert stack.tickets == []


def test_the_automated_snapshot_of_a_public_past_is_judged_when_it_is_taken(stack: Deployed) -> None:
    arn = fleet.legacy_cluster(stack)
    stack.aws.rds.take_automated_snapshot(arn)
    stack.settle()
    assert [event["detail"]["EventID"] for event in stack.events] == ["RDS-EVENT-0168", "RDS-EVENT-0169"]
    assert (stack.findings, stack.writes) == ([], [])


# --- several Regions ----------------------------------------------------------------------------------------------


def _secondary(stack: Deployed, region: str = FAR) -> str:
    with stack.quietly():
        key = stack.client("kms", region).create_key()["KeyMetadata"]["Arn"]
        made = stack.client("rds", region).create_db_cluster(
            DBClusterIdentifier="orders-far",
            Engine="aurora-postgresql",
            EngineVersion="16.6",
            GlobalClusterIdentifier="worldwide",
            StorageEncrypted=True,
            KmsKeyId=key,
        )
    return str(made["DBCluster"]["DBClusterArn"])


def test_the_region_of_its_writer_looks_after_a_global_cluster(stack: Deployed) -> None:
    arn = fleet.global_cluster(stack, "worldwide", fleet.cluster(stack))
    _secondary(stack)
    stack.as_alice("modify_global_cluster", GlobalClusterIdentifier="worldwide", DeletionProtection=False)
    assert stack.write_names == ["ModifyGlobalCluster"]
    assert stack.finding(GLOBAL, arn).workflow is RESOLVED
    stack.sweep()
    assert stack.write_names == ["ModifyGlobalCluster"]
    assert {one.arn for one in stack.findings} == {arn}, "the secondary is another deployment's"


def test_a_global_cluster_whose_writer_is_elsewhere_is_left_to_the_deployment_there(stack: Deployed) -> None:
    fleet.global_cluster(stack, "worldwide", fleet.cluster(stack))
    far = _secondary(stack)
    with stack.quietly() as rds:
        rds.failover_global_cluster(GlobalClusterIdentifier="worldwide", TargetDbClusterIdentifier=far)
    stack.as_alice("modify_global_cluster", GlobalClusterIdentifier="worldwide", DeletionProtection=False)
    assert {line["reason"] for line in stack.logged("skipped")} == {
        "not_governed: its writer is in us-east-1, whose deployment acts"
    }
    swept = stack.sweep()
    assert "AWS::RDS::GlobalCluster" not in swept["resources"]
    assert (stack.findings, stack.writes) == ([], [])
