"""Procedures from the event to their end: what they make for a while is theirs alone, and goes again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from console.explain_text import paragraph
from console.explanation import Explanation
from console.known import Case, Known
from console.local.rds.state import Lifecycle
from stack import fleet
from stack.deployed import ALICE, BACKUP_ACCOUNT, CONTROLS, KEY_ARN, STRANGER, Deployed, policy_text
from stack.desk import CAROL, answered, desk, stopped
from stack.killer import Killer, changes
from warden import wiring
from warden.core import encryption
from warden.core.approval import Answer, Approval
from warden.core.control import ComplianceType
from warden.core.finding import WorkflowStatus
from warden.gateways.ledger import DynamoLedger

if TYPE_CHECKING:
    from collections.abc import Callable

    from stack.conftest import Deploy
    from warden.core.ledger import LedgerEntry

CONTROL = "cluster_snapshot_encrypted"
SNAPSHOT = "orders-2026"
NAME = encryption.copy_name(SNAPSHOT, limit=63)
STEPS = [
    "RestoreDBClusterFromSnapshot",
    "CreateDBClusterSnapshot",
    "ModifyDBClusterSnapshotAttribute",
    "DeleteDBCluster",
]


def _estate(stack: Deployed) -> str:
    fleet.key(stack)
    fleet.place(stack)
    fleet.legacy_cluster(stack)
    stack.aws.rds.settle()
    with stack.quietly() as rds:
        made = rds.create_db_cluster_snapshot(
            DBClusterSnapshotIdentifier=SNAPSHOT,
            DBClusterIdentifier="legacy",
            Tags=[{"Key": "owner", "Value": "orders"}],
        )
        stack.aws.rds.settle()
        rds.modify_db_cluster_snapshot_attribute(
            DBClusterSnapshotIdentifier=SNAPSHOT,
            AttributeName="restore",
            ValuesToAdd=[BACKUP_ACCOUNT, STRANGER, "all"],
        )
    return str(made["DBClusterSnapshot"]["DBClusterSnapshotArn"])


def _clusters(stack: Deployed) -> list[str]:
    return [one["DBClusterIdentifier"] for one in stack.client("rds").describe_db_clusters()["DBClusters"]]


def _copy(stack: Deployed) -> dict[str, Any]:
    found = stack.client("rds").describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=NAME)
    return dict(found["DBClusterSnapshots"][0])


def _shares(stack: Deployed) -> list[str]:
    answer = stack.client("rds").describe_db_cluster_snapshot_attributes(DBClusterSnapshotIdentifier=NAME)
    [restore] = answer["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"]
    return sorted(restore["AttributeValues"])


def _records(stack: Deployed) -> list[dict[str, Any]]:
    return [row for row in stack.table("StateTable") if row["pk"] == "procedure"]


def assert_it_is_encrypted(stack: Deployed, arn: str) -> None:
    """The end of the procedure: the copy, the original, and nothing else."""
    copy = _copy(stack)
    assert (copy["Status"], copy["StorageEncryptionType"], copy["KmsKeyId"]) == (
        "available",
        "sse-kms",
        KEY_ARN,
    )
    assert {tag["Key"]: tag["Value"] for tag in copy["TagList"]} == {"owner": "orders", "warden:copy-of": arn}
    assert _shares(stack) == [BACKUP_ACCOUNT]
    assert _clusters(stack) == ["legacy-group", "legacy"]
    finding = stack.finding(CONTROL, arn)
    assert finding.workflow is WorkflowStatus.NOTIFIED
    assert NAME in finding.manual
    assert "delete it" in finding.manual
    assert _records(stack) == []
    left = stack.client("rds").describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=SNAPSHOT)
    assert len(left["DBClusterSnapshots"]) == 1


def test_a_cluster_snapshot_is_encrypted_step_by_step(deploy: Deploy) -> None:
    stack = deploy(policy=policy_text(only=(CONTROL,)))
    stack.aws.rds.lifecycle = Lifecycle.like_aws()
    arn = _estate(stack)
    stack.sweep()
    stack.hours_later(1)
    assert stack.write_names == STEPS
    assert_it_is_encrypted(stack, arn)


def test_a_db_snapshot_is_copied_with_its_tags_and_approved_accounts(deploy: Deploy) -> None:
    control = "db_snapshot_encrypted"
    stack = deploy(policy=policy_text(only=(control,)))
    fleet.key(stack)
    fleet.legacy_instance(stack)
    with stack.quietly() as rds:
        made = rds.create_db_snapshot(
            DBSnapshotIdentifier="billing-2026",
            DBInstanceIdentifier="legacy-instance",
            Tags=[{"Key": "owner", "Value": "billing"}],
        )
        rds.modify_db_snapshot_attribute(
            DBSnapshotIdentifier="billing-2026",
            AttributeName="restore",
            ValuesToAdd=[BACKUP_ACCOUNT, STRANGER, "all"],
        )
    stack.aws.rds.lifecycle = Lifecycle.like_aws()
    stack.sweep()
    stack.hours_later(0.6)
    name = encryption.copy_name("billing-2026")
    assert stack.write_names == ["CopyDBSnapshot", "ModifyDBSnapshotAttribute"]
    [copy] = stack.client("rds").describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"]
    assert (copy["StorageEncryptionType"], copy["KmsKeyId"]) == ("sse-kms", KEY_ARN)
    assert {"Key": "owner", "Value": "billing"} in copy["TagList"]
    answer = stack.client("rds").describe_db_snapshot_attributes(DBSnapshotIdentifier=name)
    [restore] = answer["DBSnapshotAttributesResult"]["DBSnapshotAttributes"]
    assert restore["AttributeValues"] == [BACKUP_ACCOUNT]
    finding = stack.finding(control, made["DBSnapshot"]["DBSnapshotArn"])
    assert (finding.workflow, len(finding.attempts)) == (WorkflowStatus.NOTIFIED, 1)
    assert "delete the original" in finding.manual
    assert _records(stack) == []


# --- what holds it up, and what is left behind ----------------------------------------------------------------


def _begun(deploy: Deploy, policy: str = "") -> tuple[Deployed, str]:
    """A procedure whose temporary cluster has just been asked for."""
    stack = deploy(policy=policy or policy_text(only=(CONTROL,)))
    stack.aws.rds.lifecycle = Lifecycle.like_aws()
    arn = _estate(stack)
    stack.sweep()
    assert stack.write_names == STEPS[:1]
    return stack, arn


def _decide_otherwise(stack: Deployed, policy: str) -> None:
    Path(stack.policy).write_text(policy, encoding="utf-8")
    wiring.forget()


def _exempt(arn: str) -> str:
    return policy_text(
        only=(CONTROL,),
        more=f"""[[exemptions]]
control = "{CONTROL}"
resource = "{arn}"
owner = "orders@example.com"
reason = "Its data are public."
expires = 2026-03-01
""",
    )


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(_exempt, id="exempt"),
        pytest.param(
            lambda _: policy_text(only=(CONTROL,), mode="ticket"), id="another mode", marks=pytest.mark.slow
        ),
        pytest.param(
            lambda _: policy_text(only=("cluster_storage_encrypted",)),
            id="not enabled",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda _: policy_text(only=(CONTROL,), costs=()),
            id="not allowed any more",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_nobody_wants_any_more_is_taken_away(deploy: Deploy, policy: Callable[[str], str]) -> None:
    stack, arn = _begun(deploy)
    assert NAME in _clusters(stack)
    _decide_otherwise(stack, policy(arn))
    stack.hours_later(0.5)
    assert NAME not in _clusters(stack)
    assert stack.write_names == ["RestoreDBClusterFromSnapshot", "DeleteDBCluster"]
    assert _records(stack) == []


@pytest.mark.slow
def test_what_it_made_goes_when_the_snapshot_is_gone(deploy: Deploy) -> None:
    stack, arn = _begun(deploy)
    with stack.by(ALICE):
        stack.client("rds").delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=SNAPSHOT)
    stack.hours_later(0.5)
    assert NAME not in _clusters(stack)
    assert stack.finding(CONTROL, arn).workflow is WorkflowStatus.RESOLVED
    [intent] = [one for one in stack.entries("intent") if one["after"]["operation"] == "DeleteDBCluster"]
    assert "exists no more" in intent["after"]["because"]


@pytest.mark.slow
def test_stop_holds_each_step_and_the_clean_up_as_well(deploy: Deploy) -> None:
    stack, arn = _begun(deploy)
    stopped(stack, stopping=True)
    stack.hours_later(1)
    assert stack.write_names == STEPS[:1]
    _decide_otherwise(stack, _exempt(arn))
    stack.hours_later(1)
    assert stack.write_names == STEPS[:1]
    stopped(stack, stopping=False)
    stack.hours_later(0.5)
    assert stack.write_names == ["RestoreDBClusterFromSnapshot", "DeleteDBCluster"]


def _stop(stack: Deployed) -> None:
    stopped(stack, stopping=True)


def _throttle(stack: Deployed) -> None:
    stack.aws.faults.inject("DeleteDBCluster", "Throttling", times=9)


def _lease_lapses(stack: Deployed) -> None:
    stack.clock.advance(301)


def _goes_by_itself(stack: Deployed) -> None:
    with stack.by(ALICE):
        stack.client("rds").delete_db_cluster(DBClusterIdentifier=NAME, SkipFinalSnapshot=True)


@pytest.mark.usefixtures("fresh_clients")
@pytest.mark.parametrize(
    "happens",
    [
        _stop,
        _throttle,
        pytest.param(_lease_lapses, marks=pytest.mark.slow),
        pytest.param(_goes_by_itself, marks=pytest.mark.slow),
    ],
)
def test_a_clean_up_that_is_held_up_at_the_last_moment_says_so_and_defers_nothing_else(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch, happens: Callable[[Deployed], None]
) -> None:
    stack, arn = _begun(deploy)
    _decide_otherwise(stack, _exempt(arn))
    stack.state.settle(arn)
    append, waiting = DynamoLedger.append, [happens]

    def appended(ledger: DynamoLedger, entry: LedgerEntry, **options: Any) -> None:
        append(ledger, entry, **options)
        if entry.kind == "intent" and entry.after["operation"] == "DeleteDBCluster" and waiting:
            waiting.pop()(stack)

    monkeypatch.setattr(DynamoLedger, "append", appended)
    stack.runtime.call(stack.function("sweep").logical_id, {"job": "due"})
    stack.until("remediate")

    assert waiting == []
    told = [one["after"] for one in stack.entries() if one["after"].get("operation") == "DeleteDBCluster"]
    assert [one.get("status", "intent") for one in told] == ["intent", "DEFERRED"]
    assert stack.state.waiting(arn) is None
    stack.aws.faults.clear()
    # Where it went at once, the event of its creation comes again until that is certain.
    stack.may_fail = happens is _goes_by_itself
    if happens is _stop:
        stopped(stack, stopping=False)
    stack.hours_later(0.5)
    assert NAME not in _clusters(stack)


@pytest.mark.slow
def test_a_freeze_holds_the_steps_and_lets_the_clean_up_pass(deploy: Deploy) -> None:
    freeze = """[[freezes]]
from = 2026-01-01T00:01:00Z
until = 2026-01-02T00:00:00Z
reason = "Stocktaking"
"""
    stack, _ = _begun(deploy, policy_text(only=(CONTROL,), more=freeze))
    stack.hours_later(2)
    assert stack.write_names == STEPS[:1]
    with stack.by(ALICE):
        stack.client("rds").delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=SNAPSHOT)
    stack.hours_later(1)
    assert stack.write_names == ["RestoreDBClusterFromSnapshot", "DeleteDBCluster"]


@pytest.mark.slow
def test_a_spent_budget_holds_the_steps_and_lets_the_clean_up_pass(deploy: Deploy) -> None:
    stack, _ = _begun(deploy, policy_text(only=(CONTROL,), limits={"writes_per_hour": 1}))
    stack.hours_later(1)
    assert stack.write_names == STEPS[:1]
    with stack.by(ALICE):
        stack.client("rds").delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=SNAPSHOT)
    stack.hours_later(1)
    assert stack.write_names == ["RestoreDBClusterFromSnapshot", "DeleteDBCluster"]


@pytest.mark.slow
def test_the_procedure_is_one_attempt_and_no_control_judges_what_it_makes(deploy: Deploy) -> None:
    policy = policy_text(
        only=(CONTROL, "cluster_deletion_protection_enabled", "cluster_customer_managed_key"),
        limits={"attempts": 1},
    )
    stack, arn = _begun(deploy, policy)
    stack.sweep()
    stack.hours_later(1)
    assert_it_is_encrypted(stack, arn)
    assert len(stack.finding(CONTROL, arn).attempts) == 1
    assert not [one for one in stack.findings if NAME in one.arn]


def test_a_cluster_that_only_looks_like_ours_is_judged_like_any_other(deploy: Deploy) -> None:
    stack = deploy(policy=policy_text(only=("cluster_deletion_protection_enabled",)))
    arn = fleet.cluster(stack, NAME)
    with stack.by(ALICE):
        rds = stack.client("rds")
        rds.add_tags_to_resource(
            ResourceName=arn,
            Tags=[{"Key": "warden:serves", "Value": arn}, {"Key": "warden:nonce", "Value": "0a1b"}],
        )
        rds.modify_db_cluster(DBClusterIdentifier=NAME, DeletionProtection=False)
    stack.settle()
    assert stack.write_names == ["ModifyDBCluster"]


@pytest.mark.slow
def test_an_explanation_says_where_a_procedure_stands(deploy: Deploy) -> None:
    stack, arn = _begun(deploy)
    stack.runtime.run_until_idle(max_time=timedelta(minutes=2))
    decision = stack.finding(CONTROL, arn).decision
    assert decision["step"] == f"The temporary cluster {NAME} is creating."
    case = Case(
        finding=stack.finding(CONTROL, arn),
        control=CONTROLS[CONTROL],
        policy=wiring.load_policy(stack.policy),
        known=Known(now=stack.now(), region=stack.region),
    )
    explained = Explanation.of(case)
    assert explained.to_json()["decision"]["step"] == decision["step"]
    assert f"Its procedure: The temporary cluster {NAME} is creating." in " ".join(
        " ".join(paragraph(explained)).split()
    )


# --- approvals --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_one_approval_is_for_the_whole_procedure_and_for_no_other(deploy: Deploy) -> None:
    stack = deploy(policy=policy_text(only=(CONTROL,), costs=()))
    stack.aws.rds.lifecycle = Lifecycle.like_aws()
    arn = _estate(stack)
    stack.sweep()
    [ticket] = stack.tickets
    assert [call["operation"] for call in ticket["plan"]] == STEPS
    [request] = desk(stack).requests()
    answered(stack, request)
    stack.hours_later(1)
    assert stack.write_names == STEPS
    assert_it_is_encrypted(stack, arn)
    # The copy is gone: the approval was used, and does not make another.
    with stack.quietly() as rds:
        rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=NAME)
    stack.sweep()
    stack.hours_later(1)
    assert stack.write_names == STEPS
    assert stack.finding(CONTROL, arn).decision["action"] == "AWAIT_APPROVAL"


@pytest.mark.slow
def test_a_person_who_rejects_stops_what_has_begun(deploy: Deploy) -> None:
    stack = deploy(policy=policy_text(only=(CONTROL,), costs=()))
    stack.aws.rds.lifecycle = Lifecycle.like_aws()
    _estate(stack)
    stack.sweep()
    [request] = desk(stack).requests()
    answered(stack, request)
    assert stack.write_names == STEPS[:1]
    rejected = Approval(
        approver=CAROL.principal_id, request=request.id, answer=Answer.REJECTED, at=stack.now(), reason="Wait"
    )
    desk(stack).answer(rejected)
    stack.hours_later(1)
    assert stack.write_names == ["RestoreDBClusterFromSnapshot", "DeleteDBCluster"]


@pytest.mark.slow
def test_two_remediations_at_once_make_one_temporary_cluster(deploy: Deploy) -> None:
    stack = deploy(policy=policy_text(only=(CONTROL,)))
    stack.aws.rds.lifecycle = Lifecycle.like_aws()
    _estate(stack)
    function = stack.function("remediate").logical_id
    events: list[dict[str, Any]] = []
    invoke = stack.runtime._invoke

    def noted(logical_id: str, event: dict[str, Any]) -> object:
        if logical_id == function:
            events.append(event)
        return invoke(logical_id, event)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stack.runtime, "_invoke", noted)
        # The same message in another process, at the moment at which the first one is about to write.
        with stack.just_before("RestoreDBClusterFromSnapshot", lambda: stack._invoke(function, events[0])):
            stack.sweep()
    assert stack.write_names == STEPS[:1]
    assert "Another remediation holds a lease on it." in [
        one["sentence"] for one in stack.logged("remediated")
    ]


# --- reboots --------------------------------------------------------------------------------------------------

IN_SYNC = "cluster_parameter_group_in_sync"


def _waiting_for_reboots(deploy: Deploy, members: int) -> Deployed:
    """A cluster whose group has changed, and whose members wait for a reboot; the second one is the writer."""
    stack = deploy(policy=policy_text(only=(IN_SYNC,)))
    fleet.cluster(stack)
    for number in range(members):
        fleet.member(stack, f"orders-{number + 1}", "orders")
    if members > 1:
        with stack.quietly() as rds:
            rds.failover_db_cluster(DBClusterIdentifier="orders", TargetDBInstanceIdentifier="orders-2")
    stack.aws.rds.settle()
    stack.aws.rds.lifecycle = Lifecycle.like_aws()
    stack.as_alice(
        "modify_db_cluster_parameter_group",
        DBClusterParameterGroupName="orders",
        Parameters=[
            {"ParameterName": "log_statement", "ParameterValue": "ddl", "ApplyMethod": "pending-reboot"}
        ],
    )
    stack.sweep()
    return stack


def _rebooted(stack: Deployed) -> list[str]:
    return [call.parameters["DBInstanceIdentifier"] for call in stack.writes]


@pytest.mark.slow
def test_a_reboot_is_never_made_unapproved_and_then_the_writer_is_first(deploy: Deploy) -> None:
    stack = _waiting_for_reboots(deploy, 3)
    stack.hours_later(1)
    # The policy allows everything: a reboot asks all the same.
    assert stack.writes == []
    [ticket] = stack.tickets
    assert ticket["decision"]["action"] == "AWAIT_APPROVAL"
    order = ["orders-2", "orders-1", "orders-3"]
    assert [call["parameters"]["DBInstanceIdentifier"] for call in ticket["plan"]] == order
    assert "full outage" in ticket["manual"]
    [request] = desk(stack).requests()
    answered(stack, request)
    assert _rebooted(stack) == order[:1]
    [finding] = [one for one in stack.findings if one.control == IN_SYNC]
    assert finding.decision["action"] == "DEFER"
    stack.hours_later(2)
    assert _rebooted(stack) == order
    assert stack.finding(IN_SYNC).workflow is WorkflowStatus.RESOLVED
    # What waits anew asks anew: each reboot of an approval is made once.
    stack.as_alice(
        "modify_db_cluster_parameter_group",
        DBClusterParameterGroupName="orders",
        Parameters=[
            {"ParameterName": "log_statement", "ParameterValue": "none", "ApplyMethod": "pending-reboot"}
        ],
    )
    stack.sweep()
    stack.hours_later(1)
    assert _rebooted(stack) == order
    assert stack.finding(IN_SYNC).decision["action"] == "AWAIT_APPROVAL"


# --- a parameter group of its own ---------------------------------------------------------------------------------

TLS = "cluster_tls_enforced"
MOVE = ["CreateDBClusterParameterGroup", "ModifyDBClusterParameterGroup", "ModifyDBCluster"]


def _on_a_default_group(deploy: Deploy, controls: tuple[str, ...] = (TLS,)) -> Deployed:
    stack = deploy(policy=policy_text(only=controls))
    fleet.cluster(stack, DBClusterParameterGroupName="default.aurora-postgresql16")
    for number in (1, 2):
        fleet.member(stack, f"orders-{number}", "orders")
    stack.sweep()
    return stack


def _group(stack: Deployed) -> str:
    [cluster] = stack.client("rds").describe_db_clusters(DBClusterIdentifier="orders")["DBClusters"]
    return str(cluster["DBClusterParameterGroup"])


def _value(stack: Deployed, group: str, name: str) -> str:
    pages = stack.client("rds").get_paginator("describe_db_cluster_parameters")
    items = [
        item
        for page in pages.paginate(DBClusterParameterGroupName=group)
        for item in page["Parameters"]
        if item["ParameterName"] == name
    ]
    return str(items[0].get("ParameterValue"))


def _approve_the_next(stack: Deployed) -> None:
    [request] = desk(stack).requests()
    answered(stack, request)
    stack.hours_later(1)


@pytest.mark.slow
def test_a_cluster_moves_off_its_default_group_and_is_rebooted_by_another_approval(deploy: Deploy) -> None:
    stack = _on_a_default_group(deploy)
    [ticket] = stack.tickets
    assert [call["operation"] for call in ticket["plan"]] == MOVE
    _approve_the_next(stack)
    assert stack.write_names == MOVE
    group = _group(stack)
    assert group.startswith("warden-orders-")
    assert _value(stack, group, "rds.force_ssl") == "1"
    assert len(stack.finding(TLS).attempts) == 1
    # It has no effect yet: that takes reboots, which nobody has approved.
    assert stack.finding(TLS).decision["action"] == "AWAIT_APPROVAL"
    _approve_the_next(stack)
    assert stack.write_names == [*MOVE, "RebootDBInstance", "RebootDBInstance"]
    assert stack.finding(TLS).workflow is WorkflowStatus.RESOLVED
    assert _records(stack) == []


@pytest.mark.slow
def test_what_several_controls_want_is_one_group_and_what_it_waits_for_is_asked_for(deploy: Deploy) -> None:
    audit, log = "cluster_postgresql_audit_effective", "cluster_connection_logging_enabled"
    controls = (audit, log, "cluster_parameter_group_in_sync")
    stack = _on_a_default_group(deploy, controls)
    for request in desk(stack).requests():
        answered(stack, request)
    stack.hours_later(1)
    group = _group(stack)
    assert group.startswith("warden-orders-")
    assert stack.write_names.count("CreateDBClusterParameterGroup") == 1
    assert _value(stack, group, "log_connections") == "1"
    assert _value(stack, group, "pgaudit.log") == "ddl,role"
    assert "pgaudit" in _value(stack, group, "shared_preload_libraries").split(",")
    assert stack.finding(log).compliance is not ComplianceType.COMPLIANT, "no member has rebooted"
    _approve_the_next(stack)
    assert stack.write_names[-2:] == ["RebootDBInstance", "RebootDBInstance"]
    stack.sweep()
    assert {stack.finding(control).workflow for control in controls} == {WorkflowStatus.RESOLVED}
    assert _records(stack) == []


@pytest.mark.slow
def test_a_cluster_that_shares_its_group_gets_a_copy_and_the_others_keep_theirs(deploy: Deploy) -> None:
    stack = deploy(policy=policy_text(only=(TLS,)))
    fleet.cluster(stack)
    fleet.cluster(stack, "reports", DBClusterParameterGroupName="orders")
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster_parameter_group(
            DBClusterParameterGroupName="orders", Parameters=fleet.as_parameters({"rds.force_ssl": "0"})
        )
    stack.settle()
    [request] = [one for one in desk(stack).requests() if one.finding.arn.endswith(":orders")]
    answered(stack, request)
    stack.hours_later(1)
    assert stack.write_names == ["CopyDBClusterParameterGroup", *MOVE[1:]]
    group = _group(stack)
    assert _value(stack, group, "rds.force_ssl") == "1"
    assert _value(stack, group, "pgaudit.log") == _value(stack, "orders", "pgaudit.log")
    assert _value(stack, "orders", "rds.force_ssl") == "0"
    [reports] = stack.client("rds").describe_db_clusters(DBClusterIdentifier="reports")["DBClusters"]
    assert reports["DBClusterParameterGroup"] == "orders"


@pytest.mark.slow
def test_a_group_that_somebody_else_made_under_that_name_is_left_alone(deploy: Deploy) -> None:
    stack = _on_a_default_group(deploy)
    [request] = desk(stack).requests()
    name = request.finding.plan[0]["parameters"]["DBClusterParameterGroupName"]
    with stack.quietly() as rds:
        rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=name,
            DBParameterGroupFamily="aurora-postgresql16",
            Description="Made by Aurora Warden 0a1b2c",
        )
    answered(stack, request)
    stack.hours_later(1)
    assert stack.writes == []
    assert _group(stack) == "default.aurora-postgresql16"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:No application metrics to publish")
@pytest.mark.parametrize("moment", range(1, 61))
def test_whatever_dies_on_the_way_to_a_group_of_its_own_each_call_is_made_once(
    deploy: Deploy, moment: int
) -> None:
    stack = _on_a_default_group(deploy)
    stack.may_fail = True
    [request] = desk(stack).requests()
    killer = Killer(stack, moment, after=True, counts=changes)
    with killer.at_work():
        answered(stack, request)
        stack.runtime.run_until_idle(max_time=timedelta(hours=2))
        stack.hours_later(1)
    stack.hours_later(1)
    made = [
        event["detail"]["eventName"]
        for event in stack.events
        if event["detail"].get("eventName") in MOVE
        and event["detail"]["userIdentity"].get("sessionContext") is not None
        and "errorCode" not in event["detail"]
    ]
    assert made == MOVE, killer.killed
    assert _group(stack).startswith("warden-orders-")
    assert stack.finding(TLS).decision["action"] == "AWAIT_APPROVAL"
    assert stack.dead_letters() == {}


# --- killed at any moment ---------------------------------------------------------------------------------


def _all_of_it(stack: Deployed, killer: Killer) -> str:
    """The procedure from the sweep that finds the snapshot to its end, with a function that dies on the way."""
    stack.may_fail = True
    arn = _estate(stack)
    with killer.at_work():
        stack.runtime.call(stack.function("sweep").logical_id, {"job": "sweep"})
        stack.runtime.run_until_idle(max_time=timedelta(hours=2))
        stack.hours_later(1)
    # What died is tried again by whoever asked for it: a sweep by its schedule.
    stack.runtime.call(stack.function("sweep").logical_id, {"job": "sweep"})
    stack.hours_later(2)
    return arn


def _check_what_was_left(stack: Deployed, killer: Killer, arn: str) -> None:
    assert_it_is_encrypted(stack, arn)
    assert stack.dead_letters() == {}
    # A call whose answer never came is not made again: what is there says that it was made.
    for step in STEPS:
        accepted = [
            event
            for event in stack.events
            if event["detail"].get("eventName") == step and "errorCode" not in event["detail"]
        ]
        assert len(accepted) == 1, (step, killer.killed)


# As many calls of the functions' change anything, here or in AWS, until the procedure has come to its end.
MOMENTS = range(1, 101)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:No application metrics to publish")
@pytest.mark.parametrize("moment", MOMENTS)
def test_whatever_dies_at_whichever_call_the_procedure_comes_to_its_end(deploy: Deploy, moment: int) -> None:
    stack = deploy(policy=policy_text(only=(CONTROL,)))
    killer = Killer(stack, moment, after=True, counts=changes)
    _check_what_was_left(stack, killer, _all_of_it(stack, killer))


@pytest.mark.filterwarnings("ignore:No application metrics to publish")
@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [False, True])
def test_a_function_that_dies_at_a_step_makes_it_once(deploy: Deploy, step: str, after: bool) -> None:
    stack = deploy(policy=policy_text(only=(CONTROL,)))
    killer = Killer(stack, 1, after=after, counts=step.__eq__)
    arn = _all_of_it(stack, killer)
    assert killer.killed == step
    _check_what_was_left(stack, killer, arn)
