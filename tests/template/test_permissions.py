"""What each role may do, read from the template: no more than its job, and nothing by accident."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from template.iam import Access, Statement, decide, function_role, role_statements, statements
from template.judge import NOT_OF_OURS
from template.reference import arns
from tools.generators._database_permissions import need_actions, needs_in_use
from warden.controls import all_controls
from warden.core import alarm_plans
from warden.core.kinds import Need
from warden.core.plan import ONLY_APPROVED
from warden.core.resource import ResourceRef, ResourceType
from warden.gateways.clients import OPERATIONS

if TYPE_CHECKING:
    from console.local.template import LocalTemplate

FUNCTIONS = ("EvaluateFunction", "RemediateFunction", "TicketFunction", "SweepFunction")
LOOKING = ("EvaluateFunction", "RemediateFunction", "SweepFunction")
READS = ("Describe", "List", "Get", "Lookup", "StartQuery")
WRITERS = frozenset({"RemediateRole"})
NOT_OURS = {
    "rds",
    "logs",
    "kms",
    "ec2",
    "secretsmanager",
    "cloudtrail",
    "guardduty",
    "backup",
    "cloudwatch",
    "iam",
    "ssm",
    "securityhub",
    "events",
}
"""Services whose resources are the account's own: nobody knows their names beforehand."""
ELSEWHERE = {
    # A trail that records this Region may be at home in another, or belong to the organization's account.
    "trail/*": {"account": "*", "region": "*"},
    # Rules also name the prefix lists of AWS itself, and those that another account shares.
    "prefix-list/*": {"account": "*"},
}
SECRETS_OF_OTHERS = {
    "secretsmanager:GetSecretValue",
    "kms:Decrypt",
    "ssm:GetParameter",
    "rds-data:ExecuteStatement",
}


@pytest.fixture(scope="session")
def policies(stack: LocalTemplate) -> dict[str, tuple[Statement, ...]]:
    """The statements of every role of the stack."""
    return {
        role.logical_id: role_statements(stack, role.logical_id) for role in stack.of_type("AWS::IAM::Role")
    }


@pytest.fixture(scope="session")
def granted(policies: dict[str, tuple[Statement, ...]]) -> list[tuple[str, Statement, str]]:
    """Each role, statement and action that is allowed."""
    return [
        (role, statement, action)
        for role, role_policy in policies.items()
        for statement in role_policy
        if statement.allow
        for action in statement.actions
    ]


def rds_actions(policies: dict[str, tuple[Statement, ...]], role: str) -> set[str]:
    return {
        action
        for statement in policies[role]
        if statement.allow
        for action in statement.actions
        if action.startswith("rds:")
    }


def here(stack: LocalTemplate, action: str) -> set[str]:
    return set(arns(action, partition="aws", region=stack.region, account=stack.account_id).values())


def test_each_function_has_a_role_of_its_own_that_only_lambda_may_take(stack: LocalTemplate) -> None:
    assert set(stack.functions) == set(FUNCTIONS)
    roles = [function_role(stack, function) for function in FUNCTIONS]
    assert len(set(roles)) == len(FUNCTIONS)
    for role in roles:
        (trust,) = statements(stack.resources[role].properties["AssumeRolePolicyDocument"])
        assert (trust.principals, trust.actions) == (("lambda.amazonaws.com",), ("sts:AssumeRole",))


def test_no_policy_is_attached_that_this_template_does_not_show(stack: LocalTemplate) -> None:
    ours = {policy.ref for policy in stack.of_type("AWS::IAM::ManagedPolicy")}
    for role in stack.of_type("AWS::IAM::Role"):
        assert set(role.properties.get("ManagedPolicyArns", ())) <= ours
    assert not stack.of_type("AWS::IAM::Policy")


def test_no_action_is_allowed_by_a_wildcard_or_by_exclusion(
    granted: list[tuple[str, Statement, str]], policies: dict[str, tuple[Statement, ...]]
) -> None:
    assert [(role, action) for role, _, action in granted if "*" in action or "?" in action] == []
    for role_policy in policies.values():
        assert all(not item.not_actions and not item.not_resources for item in role_policy if item.allow)


def test_everything_is_allowed_only_where_aws_offers_nothing_narrower(
    stack: LocalTemplate, granted: list[tuple[str, Statement, str]]
) -> None:
    unlimited = {action for _, statement, action in granted if "*" in statement.resources}
    assert unlimited == {action for _, _, action in granted if not here(stack, action)}


def test_what_is_allowed_is_here_and_its_wildcards_are_at_the_end(
    stack: LocalTemplate, granted: list[tuple[str, Statement, str]]
) -> None:
    for role, statement, _ in granted:
        for resource in set(statement.resources) - {"*"}:
            _, partition, service, region, account, rest = resource.split(":", 5)
            where = f"{role}.{statement.sid}: {resource}"
            abroad = ELSEWHERE.get(rest, {})
            assert partition == "aws", where
            assert account == abroad.get("account", stack.account_id), where
            nowhere = service == "iam" or rest.startswith("global-cluster:")
            expected = "" if nowhere else abroad.get("region", stack.region)
            assert region == expected, where
            # Logs of one type alone: the name of the database is in the middle of theirs.
            names = re.sub(r"/\*/(postgresql|general)", r"/name/\1", rest) if service == "logs" else rest
            assert "*" not in names.removesuffix("*"), where
            assert service in NOT_OURS or "*" not in rest, where


OF_PROCEDURES = {
    "rds:CreateDBClusterParameterGroup",
    "rds:CreateDBClusterSnapshot",
    "rds:CreateDBParameterGroup",
    "rds:DeleteDBCluster",
    "rds:RestoreDBClusterFromSnapshot",
}
"""What concerns only the things that procedures make, by their names."""


def test_databases_are_named_by_exactly_the_types_that_aws_checks(
    stack: LocalTemplate, policies: dict[str, tuple[Statement, ...]]
) -> None:
    for role in ("RemediateRole", "EvaluateRole", "SweepRole"):
        by_statement: dict[tuple[str, ...], set[str]] = {}
        for statement in policies[role]:
            for action in statement.actions if statement.allow else ():
                if (
                    action.startswith("rds:")
                    and statement.resources != ("*",)
                    and action not in dependent_actions()
                    and action not in OF_PROCEDURES
                ):
                    by_statement.setdefault(statement.resources, set()).update(here(stack, action))
        assert by_statement, role
        assert {resources: set(resources) for resources in by_statement} == by_statement


def dependent_actions() -> set[str]:
    """Return what calls of controls need beside their own action."""
    remediations = [control.remediation for control in all_controls() if control.remediation]
    permits = [permit for remediation in remediations for permit in remediation.permits]
    return {action for permit in permits for action in permit.dependent_actions}


@pytest.mark.parametrize("role", ["EvaluateRole", "TicketRole", "SweepRole", "ScheduleRole"])
def test_only_remediate_may_write_to_databases(policies: dict[str, tuple[Statement, ...]], role: str) -> None:
    assert {
        action for action in rds_actions(policies, role) if not action.split(":")[1].startswith(READS)
    } == set()


def test_ticket_may_not_even_look_at_databases(policies: dict[str, tuple[Statement, ...]]) -> None:
    assert rds_actions(policies, "TicketRole") == set()


def test_everybody_who_looks_may_look_at_the_same(policies: dict[str, tuple[Statement, ...]]) -> None:
    reads = {
        role: {action for action in rds_actions(policies, role) if action.split(":")[1].startswith(READS)}
        for role in ("EvaluateRole", "SweepRole", "RemediateRole")
    }
    assert reads["EvaluateRole"]
    assert reads["EvaluateRole"] == reads["SweepRole"] == reads["RemediateRole"]


def test_what_is_allowed_in_rds_is_what_the_gateways_can_call(
    policies: dict[str, tuple[Statement, ...]],
) -> None:
    """An operation that is allowed and not declared cannot be called; one that is declared and not allowed fails."""
    declared = {f"rds:{operation}" for operation in OPERATIONS["rds"]}
    allowed = {action for role in policies for action in rds_actions(policies, role)}
    allowed -= dependent_actions() - declared
    idle = {action for need in set(Need) - set(needs_in_use()) for action in need_actions(need)}
    assert allowed <= declared
    assert declared - allowed <= idle, "a gateway reads or writes what no role may"


def test_remediate_may_write_what_controls_declare_and_nothing_else(
    stack: LocalTemplate, policies: dict[str, tuple[Statement, ...]]
) -> None:
    permits = [p for control in all_controls() if control.remediation for p in control.remediation.permits]
    own = {permit.action for permit in permits}
    dependent = {action for permit in permits for action in permit.dependent_actions}
    assert own, "no control writes anything"
    writes = {
        action
        for action in rds_actions(policies, "RemediateRole")
        if not action.split(":")[1].startswith(READS)
    }
    assert writes == {action for action in own | dependent if action.startswith("rds:")}
    for action in own | dependent:
        arns_here = [_example(arn, action) for arn in _of_our_calls(stack, action)] or ["*"]
        asked = [Access(action, arn, context(stack, action)) for arn in arns_here]
        allowed = [decide(policies["RemediateRole"], access).allowed for access in asked]
        # What a call depends on is about what that call makes, so about some of the action's types only.
        assert all(allowed) if action in own - dependent else any(allowed), action


def _of_our_calls(stack: LocalTemplate, action: str) -> set[str]:
    """What IAM checks a call of ours against: all that the action can be about, but for what no call names."""
    types = arns(action, partition="aws", region=stack.region, account=stack.account_id)
    return {arn for name, arn in types.items() if name not in NOT_OF_OURS.get(action, ())}


def test_what_no_call_of_ours_is_about_is_a_type_that_aws_has(stack: LocalTemplate) -> None:
    for action, types in NOT_OF_OURS.items():
        known = arns(action, partition="aws", region=stack.region, account=stack.account_id)
        assert types < set(known), action


def test_an_alarm_is_written_by_our_own_name_only(
    stack: LocalTemplate, policies: dict[str, tuple[Statement, ...]]
) -> None:
    """PutMetricAlarm overwrites what exists, so an alarm with another's name is out of reach."""
    (alarms,) = _of_our_calls(stack, "cloudwatch:PutMetricAlarm")
    for kind, database in ((ResourceType.DB_CLUSTER, "cluster"), (ResourceType.DB_INSTANCE, "db")):
        ref = ResourceRef.from_arn(f"arn:aws:rds:{stack.region}:{stack.account_id}:{database}:orders")
        assert ref.resource_type is kind
        own = alarms.removesuffix("*") + alarm_plans.prefix(ref) + "CPUUtilization"
        for action in ("cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"):
            assert decide(policies["RemediateRole"], Access(action, own)).allowed
            of_another = alarms.removesuffix("*") + "orders-CPUUtilization"
            assert not decide(policies["RemediateRole"], Access(action, of_another)).allowed


def _example(arn: str, action: str) -> str:
    """A resource of the type; of log groups and secrets one that RDS made, of alarms one of ours: no others count."""
    if action in OF_PROCEDURES:
        return arn.removesuffix("*") + "warden-x"
    own = arn.replace(":log-group:*", ":log-group:/aws/rds/*").replace(":secret:*", ":secret:rds!*")
    own = own.replace(":alarm:*", ":alarm:warden-*")
    return own.removesuffix("*") + "x"


def test_a_key_of_kms_is_used_through_rds_only(
    stack: LocalTemplate, policies: dict[str, tuple[Statement, ...]]
) -> None:
    """To look at a key and to turn its rotation on is not to use it."""
    key = f"arn:aws:kms:{stack.region}:{stack.account_id}:key/0a1b"
    for action in (
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "kms:ReEncryptFrom",
        "kms:Encrypt",
    ):
        assert not decide(policies["RemediateRole"], Access(action, key)).allowed
        through_another = {**context(stack, action), "kms:ViaService": f"ec2.{stack.region}.amazonaws.com"}
        assert not decide(policies["RemediateRole"], Access(action, key, through_another)).allowed


@pytest.mark.parametrize("role", ["EvaluateRole", "RemediateRole", "SweepRole", "TicketRole"])
def test_nobody_may_read_what_is_secret(
    stack: LocalTemplate, policies: dict[str, tuple[Statement, ...]], role: str
) -> None:
    here = f"{stack.region}:{stack.account_id}"
    for action in SECRETS_OF_OTHERS:
        for resource in (
            f"arn:aws:secretsmanager:{here}:secret:rds!cluster-1",
            f"arn:aws:kms:{here}:key/0a1b",
            "*",
        ):
            assert not decide(policies[role], Access(action, resource)).allowed, (action, resource)


def context(stack: LocalTemplate, action: str) -> dict[str, str]:
    through = {"kms:ViaService": f"rds.{stack.region}.amazonaws.com", "kms:GrantIsForAWSResource": "true"}
    if action == "iam:PassRole":
        return {"iam:PassedToService": "monitoring.rds.amazonaws.com"}
    if action == "rds:DeleteDBCluster":
        return {"aws:ResourceTag/warden:nonce": "0a1b"}
    if action == "rds:ModifyGlobalCluster":
        return {"aws:RequestedRegion": stack.region}
    return through if action.startswith("kms:") else {}


NEVER = (
    *("Delete", "Reboot", "Failover", "Switchover", "Stop", "Start", "Restore", "Remove", "Promote", "Reset"),
    *("Download", "Purchase"),
)
OPERATIONS_OF_RDS = botocore.session.get_session().get_service_model("rds").operation_names


@pytest.mark.parametrize("verb", NEVER)
def test_remediate_may_never_do_these_whoever_allows_them(
    stack: LocalTemplate, policies: dict[str, tuple[Statement, ...]], verb: str
) -> None:
    operations = [name for name in OPERATIONS_OF_RDS if name.startswith(verb)]
    assert operations, f"RDS has no operation that begins with {verb}"
    by_mistake = Statement(sid="Mistake", allow=True, actions=("rds:*",), resources=("*",))
    arn = f"arn:aws:rds:{stack.region}:{stack.account_id}:cluster:orders"
    for operation in operations:
        if operation in ONLY_APPROVED:
            continue
        decision = decide((*policies["RemediateRole"], by_mistake), Access(f"rds:{operation}", arn))
        assert str(decision).startswith("denied by Never"), operation


def test_remediate_deletes_nothing_but_what_a_procedure_made(
    stack: LocalTemplate, policies: dict[str, tuple[Statement, ...]]
) -> None:
    by_mistake = Statement(sid="Mistake", allow=True, actions=("rds:*",), resources=("*",))
    arn = f"arn:aws:rds:{stack.region}:{stack.account_id}"
    made = {"aws:ResourceTag/warden:nonce": "0a1b"}

    def says(resource: str, tags: dict[str, str], operation: str = "DeleteDBCluster") -> str:
        access = Access(f"rds:{operation}", f"{arn}:{resource}", tags)
        return str(decide((*policies["RemediateRole"], by_mistake), access))

    assert says("cluster:warden-orders-1", made) == "allowed by DeleteDBCluster"
    assert says("cluster:warden-orders-1", {}) == "denied by NeverDeleteUntagged"
    assert says("cluster:orders", made) == "denied by NeverDeleteOthers"
    assert says("db:warden-orders-1", made, "DeleteDBInstance") == "denied by NeverDeleteOthers"
    copy = "cluster-snapshot:warden-orders-1"
    assert says(copy, made, "DeleteDBClusterSnapshot") == "denied by NeverDeleteOthers"


def test_nobody_may_change_or_remove_what_is_in_the_ledger(
    stack: LocalTemplate, policies: dict[str, tuple[Statement, ...]]
) -> None:
    ledger = stack.resources["LedgerTable"].arn
    item_actions = {
        f"dynamodb:{name}"
        for name in botocore.session.get_session().get_service_model("dynamodb").operation_names
        if name.endswith("Item") or name in {"Query", "Scan", "UpdateTable", "DeleteTable"}
    }
    allowed = {
        role: {action for action in item_actions if decide(role_policy, Access(action, ledger)).allowed}
        for role, role_policy in policies.items()
    }
    append = {"dynamodb:PutItem"}
    assert allowed == {
        # As below, for what crashed when it was to be taken back.
        "EvaluateRole": {*append, "dynamodb:GetItem"},
        # The entry of what somebody wants taken back, and no other way to it than its place.
        "RemediateRole": {*append, "dynamodb:GetItem"},
        "TicketRole": append,
        # Reads what is to be compared with CloudTrail.
        "SweepRole": {*append, "dynamodb:Query"},
        "ScheduleRole": set(),
        "ProbeRole": set(),
    }


def test_the_probe_is_written_to_by_its_own_role_and_by_no_other(
    stack: LocalTemplate, policies: dict[str, tuple[Statement, ...]]
) -> None:
    arn = f"arn:aws:rds:{stack.region}:{stack.account_id}:cluster-pg:{{}}"
    ours = arn.format(stack.resources["ProbeParameterGroup"].name)
    may = {
        (role, name)
        for role, statements_of in policies.items()
        for name in (ours, arn.format("orders-pg16"))
        if decide(statements_of, Access("rds:ModifyDBClusterParameterGroup", name)).allowed
    }
    assert may == {("ProbeRole", ours), ("RemediateRole", arn.format("orders-pg16"))}


def test_what_writes_to_databases_writes_in_its_own_region_alone(
    stack: LocalTemplate, policies: dict[str, tuple[Statement, ...]]
) -> None:
    """CloudTrail's history is read in one Region (docs/how-to/reconcile.md)."""
    everywhere = {
        resource
        for statement in policies["RemediateRole"]
        if statement.allow and not any(action.split(":")[1].startswith(READS) for action in statement.actions)
        # Of IAM, roles are handed over to RDS within a call; nothing is written there.
        if statement.actions != ("iam:PassRole",)
        for resource in statement.resources
        if resource.split(":")[3:4] not in ([stack.region], [])
    }
    worldwide = f"arn:aws:rds::{stack.account_id}:global-cluster:*"
    assert everywhere == {worldwide}
    may = {
        region
        for region in (stack.region, "us-east-1")
        if decide(
            policies["RemediateRole"],
            Access(
                "rds:ModifyGlobalCluster", worldwide.replace("*", "world"), {"aws:RequestedRegion": region}
            ),
        ).allowed
    }
    assert may == {stack.region}


def test_no_role_may_administer_anything(granted: list[tuple[str, Statement, str]]) -> None:
    item_actions = {
        *("GetItem", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem", "BatchWriteItem"),
        *("Query", "Scan"),
    }
    queue_actions = {"SendMessage", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"}
    expected = {
        "dynamodb": item_actions,
        "sqs": queue_actions,
        "sns": {"Publish", "GetTopicAttributes"},
        "kms": {"GenerateDataKey", "Decrypt", "CreateGrant"},
        "logs": {"CreateLogStream", "PutLogEvents"},
        "lambda": {"InvokeFunction"},
        # Where tickets go.
        "ssm": {"CreateOpsItem", "UpdateOpsItem", "GetOpsItem", "DescribeOpsItems"},
        "securityhub": {"BatchImportFindings", "BatchUpdateFindings", "DescribeHub"},
        "events": {"PutEvents", "DescribeEventBus"},
    }
    fixes = written_by_controls()
    others = {
        (role, action)
        for role, statement, action in granted
        if action.split(":")[1] not in expected.get(action.split(":")[0], ())
        and role != "ProbeRole"
        and not (statement.origin == "ReadDatabasesPolicy" and action.split(":")[1].startswith(READS))
    }
    assert others
    assert {action for _, action in others} == {
        action
        for action in fixes | dependent_actions()
        if action.split(":")[1] not in expected.get(action.split(":")[0], ())
    }
    assert {role for role, _ in others} == WRITERS


def written_by_controls() -> set[str]:
    """Return the actions of the calls that controls declare."""
    remediations = [control.remediation for control in all_controls() if control.remediation]
    return {permit.action for remediation in remediations for permit in remediation.permits}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_send_to_the_queues_of_its_environment_and_to_no_other(
    stack: LocalTemplate, policies: dict[str, tuple[Statement, ...]], function: str
) -> None:
    role = function_role(stack, function)
    environment = stack.functions[function].environment
    urls = {value for name, value in environment.items() if name.endswith("_QUEUE_URL")}
    named = {queue.logical_id for queue in stack.of_type("AWS::SQS::Queue") if queue.ref in urls}
    assert len(named) == len(urls)
    may = {
        queue.logical_id
        for queue in stack.of_type("AWS::SQS::Queue")
        if decide(policies[role], Access("sqs:SendMessage", queue.arn)).allowed
    }
    assert may == named | ({"SweepDeadLetterQueue"} if function == "SweepFunction" else set())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_use_the_tables_and_the_topic_of_its_environment_and_no_other(
    stack: LocalTemplate, policies: dict[str, tuple[Statement, ...]], function: str
) -> None:
    environment = stack.functions[function].environment
    granted = {
        resource
        for statement in policies[function_role(stack, function)]
        if statement.allow
        for resource in statement.resources
        if ":dynamodb:" in resource or ":sns:" in resource
    }
    tables = [table for table in stack.of_type("AWS::DynamoDB::Table") if table.name in environment.values()]
    topics = [topic for topic in stack.of_type("AWS::SNS::Topic") if topic.ref in environment.values()]
    assert {resource.partition("/index/")[0] for resource in granted} == {
        item.arn for item in [*tables, *topics]
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_writes_to_its_own_log_group_alone(
    stack: LocalTemplate, policies: dict[str, tuple[Statement, ...]], function: str
) -> None:
    group = stack.resources[stack.resources[function].logical_id].properties["LoggingConfig"]["LogGroup"]
    role_policy = policies[function_role(stack, function)]
    may = {
        item.name
        for item in stack.of_type("AWS::Logs::LogGroup")
        if decide(
            role_policy, Access("logs:PutLogEvents", f"{item.arn.removesuffix('*')}log-stream:s")
        ).allowed
    }
    assert may == {group}


def test_whoever_publishes_may_use_the_key_through_sns_only(
    stack: LocalTemplate, policies: dict[str, tuple[Statement, ...]]
) -> None:
    key = stack.resources["TopicKey"].arn
    through = {"kms:ViaService": f"sns.{stack.region}.amazonaws.com"}
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        assert decide(policies["TicketRole"], Access(action, key, through)).allowed
        assert not decide(policies["TicketRole"], Access(action, key)).allowed


def compact(document: Any) -> int:
    return len(json.dumps(document, separators=(",", ":")))


def test_no_policy_outgrows_what_iam_takes(stack: LocalTemplate) -> None:
    """10,240 characters for all inline policies of a role, 6,144 for a managed one, without white space."""
    for role in stack.of_type("AWS::IAM::Role"):
        inline = [policy["PolicyDocument"] for policy in role.properties.get("Policies", ())]
        assert sum(map(compact, inline)) < 10_240, role.logical_id
    for policy in stack.of_type("AWS::IAM::ManagedPolicy"):
        assert compact(policy.properties["PolicyDocument"]) < 6_144, policy.logical_id
