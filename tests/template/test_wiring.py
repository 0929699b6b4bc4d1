"""What reaches what: rules to queues to functions, under the policies that AWS would ask, and where failures go."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from samtranslator.yaml_helper import yaml_parse

from console.local.template import LocalResource, LocalTemplate, load_template
from template.iam import Access, Statement, decide, function_role, role_statements, statements

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
RULES = ("RdsEventRule", "CloudTrailRule", "ConfigRule", "SecurityHubRule")
DEAD_LETTER_OF = {
    "TriggersQueue": "TriggersDeadLetterQueue",
    "RemediationsQueue": "RemediationsDeadLetterQueue",
    "TicketsQueue": "TicketsDeadLetterQueue",
}
CONSUMER_OF = {
    "TriggersQueue": "EvaluateFunction",
    "RemediationsQueue": "RemediateFunction",
    "TicketsQueue": "TicketFunction",
}
FOURTEEN_DAYS = 1_209_600
EVERYWHERE = {
    *("POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"),
    *("WARDEN_ACCOUNT_ID", "WARDEN_PARTITION"),
    *("WARDEN_FINDINGS_TABLE", "WARDEN_LEDGER_TABLE", "WARDEN_STATE_TABLE"),
}
DECIDING = {"WARDEN_POLICY_FILE", "WARDEN_MODE_CEILING", "WARDEN_APPROVALS_TABLE"}
ENVIRONMENT = {
    "EvaluateFunction": {
        *EVERYWHERE,
        *DECIDING,
        *("WARDEN_OWN_ROLES", "WARDEN_REMEDIATIONS_QUEUE_URL", "WARDEN_TICKETS_QUEUE_URL"),
        *("WARDEN_REMEDIATIONS_DEAD_LETTER_ARN", "WARDEN_PROBE_GROUP"),
    },
    "RemediateFunction": {
        *EVERYWHERE,
        *DECIDING,
        *("WARDEN_TRIGGERS_QUEUE_URL", "WARDEN_TICKETS_QUEUE_URL", "WARDEN_PROBE_GROUP"),
    },
    "TicketFunction": {
        *EVERYWHERE,
        *("WARDEN_POLICY_FILE", "WARDEN_SINK_SECRET_ARNS", "WARDEN_TOPIC_ARN"),
    },
    "SweepFunction": {
        *EVERYWHERE,
        *DECIDING,
        *("WARDEN_OWN_ROLES", "WARDEN_REMEDIATE_FUNCTION", "WARDEN_TRIGGERS_QUEUE_URL"),
        "WARDEN_SWEEP_SCHEDULE",
        *("WARDEN_REMEDIATIONS_QUEUE_URL", "WARDEN_TICKETS_QUEUE_URL", "WARDEN_PROBE_GROUP"),
    },
}
REFERENCES = {
    "WARDEN_FINDINGS_TABLE": "FindingsTable",
    "WARDEN_LEDGER_TABLE": "LedgerTable",
    "WARDEN_STATE_TABLE": "StateTable",
    "WARDEN_APPROVALS_TABLE": "ApprovalsTable",
    "WARDEN_TRIGGERS_QUEUE_URL": "TriggersQueue",
    "WARDEN_REMEDIATIONS_QUEUE_URL": "RemediationsQueue",
    "WARDEN_TICKETS_QUEUE_URL": "TicketsQueue",
    "WARDEN_TOPIC_ARN": "Topic",
    "WARDEN_REMEDIATE_FUNCTION": "RemediateFunction",
    "WARDEN_PROBE_GROUP": "ProbeParameterGroup",
}


def queue_policy(stack: LocalTemplate, queue: LocalResource) -> tuple[Statement, ...]:
    """The one policy that SQS keeps for a queue: a second QueuePolicy would replace it."""
    (policy,) = (
        item for item in stack.of_type("AWS::SQS::QueuePolicy") if queue.ref in item.properties["Queues"]
    )
    return statements(policy.properties["PolicyDocument"])


def from_rule(queue: LocalResource, rule_arn: str, account: str, *, secure: str = "true") -> Access:
    context = {"aws:SourceArn": rule_arn, "aws:SourceAccount": account, "aws:SecureTransport": secure}
    return Access("sqs:SendMessage", queue.arn, context, principal="events.amazonaws.com")


def mapping_of(stack: LocalTemplate, queue: str) -> LocalResource:
    (mapping,) = (
        item
        for item in stack.of_type("AWS::Lambda::EventSourceMapping")
        if item.properties["EventSourceArn"] == stack.resources[queue].arn
    )
    return mapping


# --- events ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_sends_to_the_triggers_queue_and_keeps_what_fails(stack: LocalTemplate, rule: str) -> None:
    properties = stack.resources[rule].properties
    assert properties["State"] == "ENABLED"
    assert "EventBusName" not in properties, "AWS's own events arrive on the default bus alone"
    (target,) = properties["Targets"]
    assert target["Arn"] == stack.resources["TriggersQueue"].arn
    assert target["DeadLetterConfig"]["Arn"] == stack.resources["EventsDeadLetterQueue"].arn
    assert set(target["RetryPolicy"]) == {"MaximumEventAgeInSeconds", "MaximumRetryAttempts"}
    assert not {"Input", "InputPath", "InputTransformer"} & set(target), "the event must arrive as it is"


@pytest.mark.parametrize("queue", ["TriggersQueue", "EventsDeadLetterQueue"])
def test_our_rules_may_send_and_nobody_else_s(stack: LocalTemplate, queue: str) -> None:
    resource = stack.resources[queue]
    policy = queue_policy(stack, resource)
    account = stack.account_id
    foreign = f"arn:aws:events:{stack.region}:{account}:rule/somebody-elses"
    for rule in RULES:
        arn = stack.resources[rule].arn
        assert decide(policy, from_rule(resource, arn, account)).allowed, rule
        assert not decide(policy, from_rule(resource, arn, "999999999999")).allowed
        assert not decide(policy, from_rule(resource, arn, account, secure="false")).allowed
    assert not decide(policy, from_rule(resource, foreign, account)).allowed
    anonymous = Access("sqs:SendMessage", resource.arn, {"aws:SecureTransport": "true"})
    assert not decide(policy, anonymous).allowed


@pytest.mark.parametrize(
    ("parameter", "rule"), [("ConfigEvents", "ConfigRule"), ("SecurityHubEvents", "SecurityHubRule")]
)
def test_events_of_a_source_that_is_not_wanted_can_be_turned_off(parameter: str, rule: str) -> None:
    stack = load_template(TEMPLATE, {parameter: "DISABLED"})
    states = {name: stack.resources[name].properties["State"] for name in RULES}
    assert states == {**dict.fromkeys(RULES, "ENABLED"), rule: "DISABLED"}


# --- queues ---------------------------------------------------------------------------------------------------


def queues(stack: LocalTemplate) -> Iterator[LocalResource]:
    yield from stack.of_type("AWS::SQS::Queue")


def test_each_queue_is_encrypted_at_rest_and_refuses_connections_that_are_not(stack: LocalTemplate) -> None:
    for queue in queues(stack):
        assert queue.properties["SqsManagedSseEnabled"] is True, queue.logical_id
        policy = queue_policy(stack, queue)
        owner = Statement(sid="Owner", allow=True, actions=("sqs:*",), resources=("*",))
        for action in ("sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"):
            plain = Access(action, queue.arn, {"aws:SecureTransport": "false"})
            assert not decide((*policy, owner), plain).allowed, queue.logical_id
            assert decide(
                (*policy, owner), Access(action, queue.arn, {"aws:SecureTransport": "true"})
            ).allowed


def test_each_queue_that_is_worked_off_has_a_dead_letter_queue_and_nothing_else_has(
    stack: LocalTemplate,
) -> None:
    redriven = {
        queue.logical_id: queue.properties["RedrivePolicy"]["deadLetterTargetArn"]
        for queue in queues(stack)
        if "RedrivePolicy" in queue.properties
    }
    assert redriven == {queue: stack.resources[dead].arn for queue, dead in DEAD_LETTER_OF.items()}


@pytest.mark.parametrize(("queue", "dead_letter"), DEAD_LETTER_OF.items())
def test_a_dead_letter_outlives_its_queue_and_is_of_its_kind(
    stack: LocalTemplate, queue: str, dead_letter: str
) -> None:
    properties, dead = stack.resources[queue].properties, stack.resources[dead_letter].properties
    assert dead["MessageRetentionPeriod"] == FOURTEEN_DAYS
    assert dead.get("FifoQueue", False) == properties.get("FifoQueue", False)
    if not properties.get("FifoQueue"):
        # In a standard queue the time since the first arrival goes on to count after the move.
        assert properties["MessageRetentionPeriod"] < dead["MessageRetentionPeriod"] / 2
    assert 3 <= properties["RedrivePolicy"]["maxReceiveCount"] <= 5


def test_what_eventbridge_and_the_clock_give_up_is_kept_in_standard_queues(stack: LocalTemplate) -> None:
    for name in ("EventsDeadLetterQueue", "SweepDeadLetterQueue"):
        properties = stack.resources[name].properties
        assert properties["MessageRetentionPeriod"] == FOURTEEN_DAYS
        assert "FifoQueue" not in properties


def test_triggers_wait_for_rds_to_settle(stack: LocalTemplate) -> None:
    assert stack.resources["TriggersQueue"].properties["DelaySeconds"] == 20


def test_remediations_are_in_order_kept_long_and_never_taken_for_duplicates_by_their_text(
    stack: LocalTemplate,
) -> None:
    properties = stack.resources["RemediationsQueue"].properties
    assert properties["FifoQueue"] is True
    assert properties["ContentBasedDeduplication"] is False
    assert properties["MessageRetentionPeriod"] == FOURTEEN_DAYS
    assert "DelaySeconds" not in properties


# --- functions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("queue", "function"), CONSUMER_OF.items())
def test_a_queue_is_worked_off_by_its_function(stack: LocalTemplate, queue: str, function: str) -> None:
    mapping = mapping_of(stack, queue).properties
    assert mapping["FunctionName"] == stack.resources[function].ref
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    # Bounded here, where it makes messages wait; reserved concurrency would make them fail.
    assert 2 <= mapping["ScalingConfig"]["MaximumConcurrency"] <= 10
    policy = role_statements(stack, function_role(stack, function))
    for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
        readable = {
            item.logical_id for item in queues(stack) if decide(policy, Access(action, item.arn)).allowed
        }
        # What crashes whatever writes is told of by what does not write.
        dead = {"RemediationsDeadLetterQueue"} if function == "EvaluateFunction" else set()
        assert readable == {queue, *dead}


def test_remediations_that_crashed_are_worked_off_by_evaluate(stack: LocalTemplate) -> None:
    mapping = mapping_of(stack, "RemediationsDeadLetterQueue").properties
    assert mapping["FunctionName"] == stack.resources["EvaluateFunction"].ref
    assert (mapping["FunctionResponseTypes"], mapping["BatchSize"]) == (["ReportBatchItemFailures"], 1)
    queue = stack.resources["RemediationsDeadLetterQueue"]
    function = stack.functions["EvaluateFunction"]
    assert function.environment["WARDEN_REMEDIATIONS_DEAD_LETTER_ARN"] == queue.arn
    assert queue.properties["VisibilityTimeout"] >= 6 * function.timeout


@pytest.mark.parametrize(("queue", "function"), CONSUMER_OF.items())
def test_a_message_stays_invisible_for_longer_than_its_function_may_take(
    stack: LocalTemplate, queue: str, function: str
) -> None:
    """Lambda's guide: at least six times the function's timeout, plus the batching window."""
    window = mapping_of(stack, queue).properties.get("MaximumBatchingWindowInSeconds", 0)
    needed = 6 * stack.functions[function].timeout + window
    assert stack.resources[queue].properties["VisibilityTimeout"] >= needed


def test_remediations_come_one_at_a_time_and_without_a_window(stack: LocalTemplate) -> None:
    mapping = mapping_of(stack, "RemediationsQueue").properties
    assert mapping["BatchSize"] == 1
    assert "MaximumBatchingWindowInSeconds" not in mapping, "FIFO queues have none"


def test_triggers_come_in_batches_so_that_those_of_one_resource_meet(stack: LocalTemplate) -> None:
    mapping = mapping_of(stack, "TriggersQueue").properties
    assert mapping["BatchSize"] == 10
    assert 1 <= mapping["MaximumBatchingWindowInSeconds"] <= 20


@pytest.mark.parametrize("function", ENVIRONMENT)
def test_a_function_is_told_what_it_needs_and_no_more(stack: LocalTemplate, function: str) -> None:
    environment = stack.functions[function].environment
    assert set(environment) == ENVIRONMENT[function]
    for name, resource in REFERENCES.items():
        if name in environment:
            assert environment[name] == stack.resources[resource].ref
    fixed = {
        "WARDEN_ACCOUNT_ID": stack.account_id,
        "WARDEN_PARTITION": "aws",
        "WARDEN_POLICY_FILE": "/opt/policy/policy.toml",
        "WARDEN_MODE_CEILING": "observe",
        "WARDEN_OWN_ROLES": stack.resources["RemediateRole"].arn,
        "POWERTOOLS_METRICS_NAMESPACE": "AuroraWarden",
    }
    assert {name: environment[name] for name in fixed if name in environment} == {
        name: value for name, value in fixed.items() if name in environment
    }


def test_no_two_functions_or_stacks_share_a_service_name(stack: LocalTemplate) -> None:
    """Metrics of one namespace are told apart by it alone."""
    names = [function.environment["POWERTOOLS_SERVICE_NAME"] for function in stack.functions.values()]
    assert len(set(names)) == len(names)
    assert all(name.startswith("aurora-warden-") for name in names)


@pytest.mark.parametrize("function", ENVIRONMENT)
def test_a_function_runs_on_the_layers_and_the_runtime_that_are_built(
    stack: LocalTemplate, function: str
) -> None:
    item = stack.functions[function]
    properties = stack.resources[function].properties
    assert (item.runtime, properties["Architectures"]) == ("python3.13", ["arm64"])
    assert item.handler == "app.handler"
    decides = "WARDEN_POLICY_FILE" in item.environment
    assert item.layer_uris == (("layers/warden", "layers/policy") if decides else ("layers/warden",))
    assert item.code_uri == f"functions/{function.removesuffix('Function').lower()}"
    assert "ReservedConcurrentExecutions" not in properties
    assert "VpcConfig" not in properties


def test_the_policy_layer_holds_every_policy_and_the_parameter_names_one(tmp_path: Path) -> None:
    command = [
        "make",
        "--directory",
        str(ROOT / "layers/policy"),
        "build-PolicyLayer",
        f"ARTIFACTS_DIR={tmp_path}",
    ]
    built = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own build
    assert built.returncode == 0, built.stderr
    held = {path.name for path in (tmp_path / "policy").iterdir()}
    assert held == {path.name for path in (ROOT / "layers/policy").glob("*.toml")}
    parameter = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))["Parameters"]["PolicyFile"]
    assert parameter["Default"] == "policy.toml"
    assert all(re.fullmatch(parameter["AllowedPattern"], name) for name in held)
    chosen = re.findall(r"PolicyFile=([^\s\"]+)", (ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    assert set(chosen) <= held


def test_layers_are_built_by_their_makefiles_for_the_runtime_of_the_functions(stack: LocalTemplate) -> None:
    layers = stack.of_type("AWS::Lambda::LayerVersion")
    assert len(layers) == 2
    for layer in layers:
        assert layer.metadata["BuildMethod"] == "makefile"
        assert layer.properties["CompatibleRuntimes"] == ["python3.13"]
        assert layer.properties["CompatibleArchitectures"] == ["arm64"]


# --- the clock ------------------------------------------------------------------------------------------------

JOBS = {
    "EverythingSchedule": ("SweepFunction", "sweep"),
    "DueSchedule": ("SweepFunction", "due"),
    "TicketsSchedule": ("TicketFunction", "tick"),
    "ReconcileSchedule": ("SweepFunction", "reconcile"),
}
CALLS = {"ProbeDriftSchedule": "cron(20 2 * * ? *)", "ProbeMendSchedule": "cron(20 14 * * ? *)"}
"""Those that make a call of their own, and when."""


@pytest.mark.parametrize(("schedule", "job"), JOBS.items())
def test_a_schedule_starts_its_job_and_keeps_what_fails(
    stack: LocalTemplate, schedule: str, job: tuple[str, str]
) -> None:
    properties = stack.resources[schedule].properties
    target = properties["Target"]
    assert target["Arn"] == stack.resources[job[0]].arn
    assert json.loads(target["Input"]) == {"job": job[1]}
    assert target["DeadLetterConfig"]["Arn"] == stack.resources["SweepDeadLetterQueue"].arn
    assert 0 < target["RetryPolicy"]["MaximumRetryAttempts"] <= 185
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 3600
    assert target["RoleArn"] == stack.resources["ScheduleRole"].arn
    assert properties["GroupName"] == stack.resources["ScheduleGroup"].ref


def test_there_is_no_other_schedule(stack: LocalTemplate) -> None:
    schedules = {item.logical_id: item.properties for item in stack.of_type("AWS::Scheduler::Schedule")}
    assert set(schedules) == {*JOBS, *CALLS}
    expressions = {name: schedules[name]["ScheduleExpression"] for name in JOBS}
    assert expressions == {
        "EverythingSchedule": "rate(6 hours)",
        "DueSchedule": "rate(5 minutes)",
        "TicketsSchedule": "rate(5 minutes)",
        "ReconcileSchedule": "rate(1 day)",
    }


@pytest.mark.parametrize(("schedule", "expression"), CALLS.items())
def test_a_schedule_lets_the_probe_drift_by_a_role_that_may_do_nothing_else(
    stack: LocalTemplate, schedule: str, expression: str
) -> None:
    properties = stack.resources[schedule].properties
    target = properties["Target"]
    assert properties["ScheduleExpression"] == expression
    assert target["Arn"] == "arn:aws:scheduler:::aws-sdk:rds:modifyDBClusterParameterGroup"
    assert target["DeadLetterConfig"]["Arn"] == stack.resources["SweepDeadLetterQueue"].arn
    assert target["RoleArn"] == stack.resources["ProbeRole"].arn
    granted = {action for statement in role_statements(stack, "ProbeRole") for action in statement.actions}
    assert granted == {"rds:ModifyDBClusterParameterGroup", "sqs:SendMessage"}


def test_the_scheduler_may_start_what_has_a_job_and_nothing_else(stack: LocalTemplate) -> None:
    policy = role_statements(stack, "ScheduleRole")
    may = {
        function.logical_id
        for function in stack.functions.values()
        if decide(policy, Access("lambda:InvokeFunction", function.arn)).allowed
    }
    assert may == {"SweepFunction", "TicketFunction"}
    queue = stack.resources["SweepDeadLetterQueue"].arn
    assert decide(policy, Access("sqs:SendMessage", queue)).allowed


@pytest.mark.parametrize(
    ("source", "account", "expected"),
    [
        ("{group}", "123456789012", True),
        ("{schedule}", "123456789012", True),
        ("{group}", "999999999999", False),
        ("arn:aws:scheduler:eu-west-1:123456789012:schedule-group/default", "123456789012", False),
        ("arn:aws:scheduler:eu-west-1:123456789012:schedule/default/mine", "123456789012", False),
    ],
)
@pytest.mark.parametrize("role", ["ScheduleRole", "ProbeRole"])
def test_no_schedule_outside_our_group_may_take_its_role(
    stack: LocalTemplate, role: str, source: str, account: str, *, expected: bool
) -> None:
    arns = {"group": stack.resources["ScheduleGroup"].arn, "schedule": stack.resources["DueSchedule"].arn}
    trust = statements(stack.resources[role].properties["AssumeRolePolicyDocument"])
    context = {"aws:SourceArn": source.format(**arns), "aws:SourceAccount": account}
    access = Access("sts:AssumeRole", stack.resources[role].arn, context, "scheduler.amazonaws.com")
    assert decide(trust, access).allowed is expected


def test_a_sweep_that_fails_is_tried_again_and_then_kept(stack: LocalTemplate) -> None:
    configs = {
        config.properties["FunctionName"]: config
        for config in stack.of_type("AWS::Lambda::EventInvokeConfig")
    }
    assert set(configs) == {stack.resources[name].ref for name in ("SweepFunction", "TicketFunction")}
    assert configs[stack.resources["TicketFunction"].ref].properties["MaximumRetryAttempts"] == 0
    config = configs[stack.resources["SweepFunction"].ref]
    assert config.properties["MaximumRetryAttempts"] == 2
    destination = config.properties["DestinationConfig"]["OnFailure"]["Destination"]
    assert destination == stack.resources["SweepDeadLetterQueue"].arn
    policy = role_statements(stack, "SweepRole")
    assert decide(policy, Access("sqs:SendMessage", destination)).allowed
