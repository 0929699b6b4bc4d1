"""What becomes of events: our own, repeated, foreign, refused, unreadable, and those that a crash interrupts."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from console import paths
from console.local.rds.state import Lifecycle
from stack import fleet
from stack.deployed import ALICE, Deployed, policy_text
from warden.core.finding import WorkflowStatus

if TYPE_CHECKING:
    from stack.conftest import Deploy

PROTECTED = "cluster_deletion_protection_enabled"
FIXED = [
    "finding NEW",
    "decision REMEDIATE policy",
    "intent ModifyDBCluster",
    "outcome SUCCEEDED",
    "verification",
    "finding RESOLVED",
]


def _unprotect(stack: Deployed, name: str = "orders") -> None:
    """Alice takes the protection off; what follows has not happened yet."""
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier=name, DeletionProtection=False)


def _is_protected(stack: Deployed, name: str = "orders") -> bool:
    (item,) = stack.client("rds").describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
    return bool(item["DeletionProtection"])


# --- our own events -----------------------------------------------------------------------------------------------


def test_our_own_event_is_delivered_recognised_and_resolves_the_finding(stack: Deployed) -> None:
    fleet.cluster(stack)
    _unprotect(stack)
    stack.settle()
    theirs, ours = stack.runtime.bus.journal
    assert ours.event["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == (
        stack.function("remediate").role_arn
    )
    assert theirs.matched == ours.matched == ("CloudTrailRule",)
    found, *_, resolved = stack.entries(control=PROTECTED)
    assert (found["cause"]["own"], found["cause"]["event_id"]) == (False, theirs.event["detail"]["eventID"])
    assert (resolved["cause"]["own"], resolved["cause"]["event_id"]) == (
        True,
        ours.event["detail"]["eventID"],
    )
    assert stack.write_names == ["ModifyDBCluster"]


def test_an_own_event_after_which_there_is_drift_again_leads_to_no_write_of_its_own(stack: Deployed) -> None:
    fleet.cluster(stack)
    _unprotect(stack)
    stack.until("remediate")
    assert _is_protected(stack)
    _unprotect(stack)
    # Both events wait in the triggers queue, ours before hers.
    stack.until("evaluate")
    stack.settle()
    assert stack.write_names == ["ModifyDBCluster"]
    assert stack.open_findings() == {PROTECTED: "NEW"}
    stack.hours_later(0.5)
    assert stack.write_names == ["ModifyDBCluster", "ModifyDBCluster"]
    assert stack.open_findings() == {}
    assert _is_protected(stack)


# --- tags ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["cluster", "db", "cluster-snapshot", "snapshot"])
def test_a_tag_that_comes_and_goes_is_heard_of_at_once(deploy: Deploy, kind: str) -> None:
    control, make = {
        "cluster": ("cluster_required_tags_present", fleet.cluster),
        "db": ("instance_required_tags_present", fleet.instance),
        "cluster-snapshot": ("cluster_snapshot_required_tags_present", _snapshot_of_a_cluster),
        "snapshot": ("db_snapshot_required_tags_present", _snapshot_of_an_instance),
    }[kind]
    stack = deploy(policy=policy_text(only=(control,)))
    with stack.quietly():
        arn = make(stack, "orders")
        stack.client("rds").add_tags_to_resource(
            ResourceName=arn, Tags=[{"Key": "owner", "Value": "orders-team"}]
        )
    with stack.by(ALICE):
        stack.client("rds").remove_tags_from_resource(ResourceName=arn, TagKeys=["owner"])
    stack.settle()
    assert stack.finding(control, arn).workflow is WorkflowStatus.NOTIFIED
    (ticket,) = stack.tickets
    assert f"aws rds add-tags-to-resource --resource-name {arn} --tags Key=owner" in ticket["manual"]
    with stack.by(ALICE):
        stack.client("rds").add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "owner", "Value": "me"}])
    stack.settle()
    assert stack.finding(control, arn).workflow is WorkflowStatus.RESOLVED
    assert stack.writes == []


def _snapshot_of_a_cluster(stack: Deployed, name: str) -> str:
    fleet.cluster(stack, f"of-{name}")
    return fleet.cluster_snapshot(stack, name, f"of-{name}")


def _snapshot_of_an_instance(stack: Deployed, name: str) -> str:
    fleet.instance(stack, f"of-{name}")
    return fleet.snapshot(stack, name, f"of-{name}")


# --- the same news twice ------------------------------------------------------------------------------------------


def test_an_event_that_is_delivered_twice_is_one_remediation(stack: Deployed) -> None:
    fleet.cluster(stack)
    _unprotect(stack)
    (event,) = stack.events
    stack.put(event)
    stack.settle()
    assert stack.story(PROTECTED) == FIXED
    # And once more, long after.
    stack.put(event)
    stack.settle()
    assert stack.story(PROTECTED) == FIXED
    assert stack.write_names == ["ModifyDBCluster"]


def test_two_events_of_one_creation_are_one_visit_and_one_call(stack: Deployed) -> None:
    with stack.by(ALICE):
        stack.client("rds").create_db_cluster(
            DBClusterIdentifier="orders",
            Engine="aurora-postgresql",
            MasterUsername="steward",
            MasterUserPassword="correct-horse-battery",
        )
    told = [event["detail"].get("eventName") or event["detail"]["EventID"] for event in stack.events]
    assert told == ["CreateDBCluster", "RDS-EVENT-0170"]
    stack.settle()
    (write,) = stack.writes
    assert write.operation == "ModifyDBCluster"
    assert {"DeletionProtection", "EnableIAMDatabaseAuthentication", "BackupRetentionPeriod"} <= set(
        write.parameters
    )
    causes = [entry["cause"]["principal"] for entry in stack.entries("finding", control=PROTECTED)]
    assert causes[0] == ALICE.arn, "of two events, the one that names somebody is kept"
    assert stack.open_findings() == {}


def test_a_database_that_is_still_being_made_is_fixed_once_it_is_there(stack: Deployed) -> None:
    stack.aws.rds.lifecycle = Lifecycle.like_aws()
    with stack.by(ALICE):
        stack.client("rds").create_db_instance(
            DBInstanceIdentifier="reports",
            Engine="postgres",
            DBInstanceClass="db.m6g.large",
            AllocatedStorage=20,
            MasterUsername="steward",
            MasterUserPassword="correct-horse-battery",
            PubliclyAccessible=True,
        )
    stack.settle()
    control = "instance_not_publicly_accessible"
    assert stack.story(control) == ["finding NEW", "decision DEFER busy"]
    assert stack.writes == []
    stack.hours_later(1)
    assert stack.finding(control).workflow is WorkflowStatus.RESOLVED
    # What cannot wait for a window is merged into one call; a retention that changes keeps the instance busy.
    assert stack.write_names == ["ModifyDBInstance"]


# --- not ours -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["neptune", "docdb"])
def test_other_products_under_the_name_of_rds_are_left_alone(stack: Deployed, engine: str) -> None:
    with stack.by(ALICE):
        rds = stack.client("rds")
        made = rds.create_db_cluster(
            DBClusterIdentifier="graph",
            Engine="neptune",
            MasterUsername="steward",
            MasterUserPassword="correct-horse-battery",
        )["DBCluster"]
        # The local RDS makes clusters of Neptune alone; DocumentDB's look the same but for the name.
        stack.aws.rds.overlay(made["DBClusterArn"], Engine=engine)
        rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="graph-1", DBClusterIdentifier="graph")
        stack.aws.rds.overlay("arn:aws:rds:eu-west-1:123456789012:cluster-snapshot:graph-1", Engine=engine)
        rds.modify_db_cluster(DBClusterIdentifier="graph", BackupRetentionPeriod=1)
    stack.settle()
    visited = {line["arn"] for line in stack.logged("decided")}
    assert visited == set(), "only what drifted or is unknown is logged"
    assert [event["detail-type"] for event in stack.events].count("RDS DB Cluster Event") == 1
    assert {line["reason"] for line in stack.logged("ignored")} == {"other_engine"}
    swept = stack.sweep()
    assert swept["resources"]["AWS::RDS::DBCluster"] == 1
    assert (stack.findings, stack.writes, stack.tickets) == ([], [], [])


def test_a_refused_call_reaches_nobody(stack: Deployed) -> None:
    fleet.cluster(stack)
    stack.aws.faults.deny("rds:ModifyDBCluster")
    with pytest.raises(ClientError, match="AccessDenied"):
        _unprotect(stack)
    stack.aws.faults.allow("rds:ModifyDBCluster")
    with stack.by(ALICE), pytest.raises(ClientError, match="DBClusterNotFound"):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="nothing", DeletionProtection=False)
    entries = stack.runtime.bus.journal
    assert [entry.event["detail"]["errorCode"] for entry in entries] == [
        "AccessDenied",
        "DBClusterNotFoundFault",
    ]
    assert [entry.matched for entry in entries] == [(), ()]
    assert stack.settle() == []


def test_an_event_of_another_account_matches_no_rule(stack: Deployed) -> None:
    fleet.cluster(stack)
    _unprotect(stack)
    (event,) = stack.events
    stack.settle()
    for event in [*stack.events]:
        entry = stack.runtime.bus.put({**event, "account": "999999999999"})
        assert entry.matched == ()
    assert stack.settle() == []


def test_a_change_in_another_region_is_refused_with_the_reason(stack: Deployed) -> None:
    with stack.by(ALICE):
        stack.client("rds", "us-east-1").create_db_cluster(
            DBClusterIdentifier="far",
            Engine="aurora-postgresql",
            MasterUsername="steward",
            MasterUserPassword="correct-horse-battery",
        )
    stack.settle()
    reasons = {line["reason"] for line in stack.logged("skipped")}
    assert reasons == {"not_governed: Region us-east-1 is not eu-west-1, the one this deployment governs"}
    assert (stack.findings, stack.writes) == ([], [])
    assert {call.region for call in stack.aws.calls if "role/" in str(call.identity.session_issuer)} <= {
        "eu-west-1"
    }


# --- what cannot be read, and what breaks -------------------------------------------------------------------------


def _send(stack: Deployed, queue: str, body: str) -> None:
    url = stack.template.resources[queue].ref
    stack.client("sqs").send_message(QueueUrl=url, MessageBody=body)


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        pytest.param("[]", marks=pytest.mark.slow),
        pytest.param('{"resource": "orders"}', marks=pytest.mark.slow),
        (paths.EVENTS / "malformed" / "detail_is_text.json").read_text(encoding="utf-8"),
    ],
)
def test_a_message_that_cannot_be_read_ends_among_the_dead_letters_and_takes_nobody_along(
    stack: Deployed, body: str
) -> None:
    stack.may_fail = True
    fleet.cluster(stack)
    _unprotect(stack)
    _send(stack, "TriggersQueue", body)
    _unprotect(stack)
    stack.runtime.run_until_idle(max_time=timedelta(hours=3))
    assert stack.dead_letters() == {"TriggersDeadLetterQueue": 1}
    (queue,) = [one for one in stack.runtime.queues if one.settings.logical_id == "TriggersDeadLetterQueue"]
    assert [message.body for message in queue.messages] == [body]
    assert stack.story(PROTECTED) == FIXED
    assert [one.error for one in stack.runtime.invocations if one.error] == []
    assert len(stack.logged("malformed")) == 5, "as often as the queue delivers a message"


@pytest.mark.slow
def test_a_remediation_that_cannot_be_read_ends_among_the_dead_letters(stack: Deployed) -> None:
    stack.may_fail = True
    url = stack.template.resources["RemediationsQueue"].ref
    stack.client("sqs").send_message(
        QueueUrl=url, MessageBody="{}", MessageGroupId="1", MessageDeduplicationId="1"
    )
    _send(stack, "TicketsQueue", "{}")
    stack.runtime.run_until_idle(max_time=timedelta(hours=3))
    assert stack.dead_letters() == {"RemediationsDeadLetterQueue": 1, "TicketsDeadLetterQueue": 1}


_FAILING = [
    "dynamodb:PutItem",
    "dynamodb:TransactWriteItems",
    "sqs:SendMessage",
    "rds:ModifyDBCluster",
    *(
        pytest.param(operation, marks=pytest.mark.slow)
        for operation in (
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
            "rds:DescribeDBClusters",
            "rds:DescribeBlueGreenDeployments",
        )
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("operation", _FAILING)
def test_a_service_that_fails_for_a_while_loses_nothing(stack: Deployed, operation: str) -> None:
    stack.may_fail = True
    fleet.cluster(stack)
    _unprotect(stack)
    # More often than botocore tries.
    stack.aws.faults.inject(operation, "InternalFailure", times=6)
    stack.runtime.run_until_idle(max_time=timedelta(hours=3))
    stack.hours_later(1)
    assert [fault for fault in stack.aws.faults._injected[operation] if fault.left] == []
    assert _is_protected(stack)
    assert stack.finding(PROTECTED).workflow is WorkflowStatus.RESOLVED
    assert stack.dead_letters() == {}
    accepted = [entry for entry in stack.entries("outcome") if entry["after"]["status"] == "SUCCEEDED"]
    assert len(accepted) == 1


@pytest.mark.slow
def test_a_topic_that_fails_for_a_while_delays_a_ticket(deploy: Deploy) -> None:
    stack = deploy(policy=policy_text(mode="ticket"))
    stack.may_fail = True
    fleet.cluster(stack)
    _unprotect(stack)
    stack.aws.faults.inject("sns:Publish", "InternalError", times=6)
    stack.hours_later(3)
    assert stack.ticket_states(PROTECTED) == ["OPEN"]
    assert stack.open_findings() == {PROTECTED: "NOTIFIED"}


# --- by hand ------------------------------------------------------------------------------------------------------


def test_an_event_file_can_be_handed_to_evaluate_directly(stack: Deployed) -> None:
    arn = fleet.cluster(stack, "orders-prod")
    with stack.quietly() as rds:
        rds.modify_db_cluster(DBClusterIdentifier="orders-prod", DeletionProtection=False)
    file = paths.EVENTS / "cloudtrail" / "ModifyDBCluster_deletion_protection_off.json"
    invocation = stack.runtime.call(
        stack.function("evaluate").logical_id, json.loads(file.read_text(encoding="utf-8"))
    )
    assert invocation.error is None
    answer: Any = invocation.response
    (visit,) = answer["visits"]
    assert (visit["resource"], visit["opened"]) == (arn, [PROTECTED])
    judged = {one["control"]: one["compliance"] for one in visit["evaluations"]}
    assert judged[PROTECTED] == "NON_COMPLIANT"
    assert set(judged.values()) == {"NON_COMPLIANT", "COMPLIANT"}
    stack.settle()
    assert stack.story(PROTECTED) == FIXED


@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_a_bare_event_that_cannot_be_read_fails_its_invocation_with_the_reason(stack: Deployed) -> None:
    stack.may_fail = True
    invocation = stack.runtime.call(stack.function("evaluate").logical_id, {"resource": "orders"})
    assert "which is not an ARN" in str(invocation.error)


@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_the_sweep_refuses_a_job_that_it_does_not_know(stack: Deployed) -> None:
    stack.may_fail = True
    invocation = stack.runtime.call(stack.function("sweep").logical_id, {"job": "everything"})
    assert "'everything' is not a job" in str(invocation.error)
