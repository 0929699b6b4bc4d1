"""Calls are judged by the role that made them, and what a role is allowed for nothing shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from console.local.identity import UserIdentity, assumed_role, iam_user
from template.iam import Access, Statement, function_role, role_statements
from template.judge import NEVER_CALLED, Grant, RecordedCall, UnknownCallError, accesses, grants, judge, uses

if TYPE_CHECKING:
    from console.local.template import LocalTemplate


@dataclass(frozen=True, slots=True)
class Call:
    service: str
    operation: str
    parameters: dict[str, Any] = field(default_factory=dict)
    identity: UserIdentity = field(default_factory=lambda: iam_user("anna"))
    answer: dict[str, Any] = field(default_factory=dict)
    region: str = "eu-west-1"


def by(stack: LocalTemplate, function: str, service: str, operation: str, **parameters: Any) -> RecordedCall:
    session = assumed_role(stack.functions[function].role_arn, function)
    return Call(service, operation, parameters, session)


def asked(stack: LocalTemplate, service: str, operation: str, **parameters: Any) -> list[tuple[str, str]]:
    call = Call(service, operation, parameters)
    return [(access.action, access.resource) for access in accesses(call, stack.deployment)]


RDS = "arn:aws:rds:eu-west-1:123456789012"


def test_a_call_that_the_role_may_not_make_is_denied_with_what_was_missing(stack: LocalTemplate) -> None:
    call = by(stack, "EvaluateFunction", "rds", "ModifyDBCluster", DBClusterIdentifier="orders")
    report = judge([call, call], stack)
    assert [str(denial) for denial in report.denied] == [
        f"EvaluateRole: rds:ModifyDBCluster on {RDS}:{kind}: no statement allows it"
        for kind in ("cluster:orders", "cluster-pg:*", "og:*", "pg:*")
    ]
    assert report.judged["EvaluateRole"] == 2


def test_the_same_call_is_allowed_to_the_role_that_may_write(stack: LocalTemplate) -> None:
    call = by(stack, "RemediateFunction", "rds", "ModifyDBCluster", DBClusterIdentifier="orders")
    report = judge([call], stack)
    assert report.denied == ()
    assert Grant("RemediateRole", "ModifyDBCluster", "rds:ModifyDBCluster", "") not in report.unused


def test_another_account_s_cluster_is_denied(stack: LocalTemplate) -> None:
    foreign = "arn:aws:rds:eu-west-1:999999999999:cluster:orders"
    call = by(stack, "RemediateFunction", "rds", "ModifyDBCluster", DBClusterIdentifier=foreign)
    assert [denial.access.resource for denial in judge([call], stack).denied] == [foreign]


def test_a_grant_that_no_call_uses_is_unused_until_one_does(stack: LocalTemplate) -> None:
    topic = stack.resources["Topic"].arn
    publish = Grant("TicketRole", "Publish", "sns:Publish", topic)
    assert publish in judge([], stack).unused
    call = by(stack, "TicketFunction", "sns", "Publish", TopicArn=topic)
    assert publish not in judge([call], stack).unused


def test_sending_to_one_queue_does_not_use_the_grant_for_another(stack: LocalTemplate) -> None:
    tickets, remediations = stack.resources["TicketsQueue"], stack.resources["RemediationsQueue"]
    call = by(stack, "EvaluateFunction", "sqs", "SendMessage", QueueUrl=tickets.ref, MessageBody="{}")
    report = judge([call], stack)
    assert report.denied == ()
    unused = {grant.resource for grant in report.unused if grant.sid == "SendDecisions"}
    assert unused == {remediations.arn}


def test_a_list_that_roles_share_is_used_when_one_of_them_uses_it(stack: LocalTemplate) -> None:
    look = Grant("ReadDatabasesPolicy", "ReadDatabases", "rds:DescribeDBProxies", "")
    assert look in judge([], stack).unused
    call = by(stack, "EvaluateFunction", "rds", "DescribeDBProxies")
    assert look not in judge([call], stack).unused


def test_the_results_of_a_query_are_checked_against_the_log_group_that_it_is_about(
    stack: LocalTemplate,
) -> None:
    mine, other = "/aws/rds/cluster/orders/postgresql", "/aws/lambda/warden"
    session = assumed_role(stack.functions["EvaluateFunction"].role_arn, "EvaluateFunction")
    started = [
        Call("logs", "StartQuery", {"logGroupName": group}, session, {"queryId": group})
        for group in (mine, other)
    ]
    read = [
        by(stack, "EvaluateFunction", "logs", "GetQueryResults", queryId=group) for group in (mine, other)
    ]
    denied = [denial.access for denial in judge([*started, *read], stack).denied]
    assert [(access.action, access.resource.rpartition(":log-group:")[2]) for access in denied] == [
        ("logs:StartQuery", other),
        ("logs:GetQueryResults", other),
    ]
    # Of a query that nobody is known to have started, every group would have to be allowed.
    assert judge(read, stack).denied


_PLAN = ("backup:GetBackupPlan", "backup-plan:a")
_VAULT = ("backup:ListRecoveryPointsByBackupVault", "backup-vault:b")


def _policy(*resources: str) -> tuple[Statement, ...]:
    here = "arn:aws:backup:eu-west-1:123456789012"
    return (
        Statement(
            sid="ReadBackup",
            allow=True,
            actions=("backup:GetBackupPlan", "backup:ListRecoveryPointsByBackupVault"),
            resources=tuple(f"{here}:{resource}" for resource in resources),
        ),
    )


def _idle(policy: tuple[Statement, ...], *used: tuple[str, str]) -> set[tuple[str, str]]:
    here = "arn:aws:backup:eu-west-1:123456789012"
    seen = {grant for action, name in used for grant in uses(policy, Access(action, f"{here}:{name}"))}
    return {(grant.action, grant.resource.rpartition("12:")[2]) for grant in set(grants(policy)) - seen}


def test_an_action_is_used_on_whichever_of_the_resources_it_can_be_about() -> None:
    policy = _policy("backup-plan:*", "backup-vault:*")
    assert _idle(policy, _PLAN, _VAULT) == set()
    assert _idle(policy, _PLAN) == {(_VAULT[0], ""), ("", "backup-vault:*")}


def test_a_resource_on_which_no_action_is_used_is_in_vain() -> None:
    policy = _policy("backup-plan:*", "backup-vault:*", "framework:*")
    assert _idle(policy, _PLAN, _VAULT) == {("", "framework:*")}


def test_who_is_no_function_of_the_stack_is_not_judged(stack: LocalTemplate) -> None:
    report = judge([Call("rds", "DeleteDBCluster", {"DBClusterIdentifier": "orders"})], stack)
    assert report.denied == ()
    assert set(report.judged.values()) == {0}


def test_each_reason_for_a_grant_that_no_call_uses_is_about_a_grant(stack: LocalTemplate) -> None:
    roles = {function_role(stack, function) for function in stack.functions}
    granted = [grant for role in roles for grant in grants(role_statements(stack, role))]
    assert set(NEVER_CALLED) <= {grant.action for grant in granted} | {grant.sid for grant in granted}


def test_a_transaction_is_asked_for_item_by_item(stack: LocalTemplate) -> None:
    ledger, state = stack.resources["LedgerTable"], stack.resources["StateTable"]
    items = [
        {"Put": {"TableName": ledger.name, "Item": {}}},
        {"Update": {"TableName": state.arn, "Key": {}}},
        {"ConditionCheck": {"TableName": state.name, "Key": {}}},
    ]
    assert asked(stack, "dynamodb", "TransactWriteItems", TransactItems=items) == [
        ("dynamodb:PutItem", ledger.arn),
        ("dynamodb:UpdateItem", state.arn),
        ("dynamodb:ConditionCheckItem", state.arn),
    ]


def test_a_query_of_an_index_is_asked_of_the_index(stack: LocalTemplate) -> None:
    table = stack.resources["FindingsTable"]
    assert asked(stack, "dynamodb", "Query", TableName=table.name, IndexName="by_arn") == [
        ("dynamodb:Query", f"{table.arn}/index/by_arn")
    ]


@pytest.mark.parametrize(
    ("operation", "parameters", "expected"),
    [
        ("DescribeDBClusters", {}, ["cluster:*"]),
        ("DescribeDBClusters", {"DBClusterIdentifier": "orders"}, ["cluster:orders"]),
        ("DescribeDBClusters", {"DBClusterIdentifier": f"{RDS}:cluster:orders"}, ["cluster:orders"]),
        ("DescribeDBSnapshots", {"DBSnapshotIdentifier": "rds:a-1"}, ["db:*", "snapshot:rds:a-1"]),
        (
            "CopyDBSnapshot",
            {"SourceDBSnapshotIdentifier": "a", "TargetDBSnapshotIdentifier": "b"},
            ["snapshot:a", "snapshot:b"],
        ),
    ],
)
def test_rds_is_asked_for_every_type_that_aws_checks(
    stack: LocalTemplate, operation: str, parameters: dict[str, str], expected: list[str]
) -> None:
    assert asked(stack, "rds", operation, **parameters) == [
        (f"rds:{operation}", f"{RDS}:{resource}") for resource in expected
    ]


def test_a_global_cluster_has_no_region_and_engine_versions_no_resource(stack: LocalTemplate) -> None:
    assert asked(stack, "rds", "DescribeGlobalClusters", GlobalClusterIdentifier="g") == [
        ("rds:DescribeGlobalClusters", "arn:aws:rds::123456789012:global-cluster:g")
    ]
    assert asked(stack, "rds", "DescribeDBEngineVersions") == [("rds:DescribeDBEngineVersions", "*")]


def test_asking_who_one_is_needs_no_permission(stack: LocalTemplate) -> None:
    assert asked(stack, "sts", "GetCallerIdentity") == []


@pytest.mark.parametrize(
    ("service", "operation"), [("s3", "HeadObject"), ("sts", "AssumeRole"), ("sns", "Subscribe")]
)
def test_a_call_that_nobody_thought_of_is_an_error(
    stack: LocalTemplate, service: str, operation: str
) -> None:
    with pytest.raises(UnknownCallError):
        asked(stack, service, operation)
