"""What is remembered is kept, what goes wrong is told, and parameters take only what makes sense."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from console.local.intrinsics import TemplateError
from console.local.template import LocalTemplate, load_template
from template.alarms import alarm_metrics
from template.iam import Access, decide, statements

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"
SOURCE = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
FUNCTIONS = ("EvaluateFunction", "RemediateFunction", "TicketFunction", "SweepFunction")
TABLES = {
    "FindingsTable": ("resource_key S", "control S"),
    "LedgerTable": ("chain S", "sequence N"),
    "StateTable": ("pk S", "sk S"),
    "ApprovalsTable": ("approver S", "request S"),
}
WEEK = 7 * 24 * 3600


def keys(properties: dict[str, Any], schema: list[dict[str, str]]) -> tuple[str, ...]:
    types = {item["AttributeName"]: item["AttributeType"] for item in properties["AttributeDefinitions"]}
    assert [item["KeyType"] for item in schema] == ["HASH", "RANGE"]
    return tuple(f"{item['AttributeName']} {types[item['AttributeName']]}" for item in schema)


# --- memory ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("table", "expected"), TABLES.items())
def test_a_table_is_kept_whatever_becomes_of_the_stack(
    stack: LocalTemplate, table: str, expected: tuple[str, ...]
) -> None:
    properties = dict(stack.resources[table].properties)
    assert keys(properties, properties["KeySchema"]) == expected
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["DeletionProtectionEnabled"] is True
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert SOURCE["Resources"][table]["DeletionPolicy"] == "Retain"
    assert SOURCE["Resources"][table]["UpdateReplacePolicy"] == "Retain"


def test_there_is_no_other_table(stack: LocalTemplate) -> None:
    assert {table.logical_id for table in stack.of_type("AWS::DynamoDB::Table")} == set(TABLES)


def test_findings_can_be_found_by_the_arn_of_what_is_gone(stack: LocalTemplate) -> None:
    properties = dict(stack.resources["FindingsTable"].properties)
    (index,) = properties["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "by_arn"
    assert keys(properties, index["KeySchema"]) == ("arn S", "control S")
    assert index["Projection"] == {"ProjectionType": "ALL"}


def test_rows_of_state_and_answers_expire_and_nothing_else_does(stack: LocalTemplate) -> None:
    expiring = {
        table.logical_id: table.properties["TimeToLiveSpecification"]
        for table in stack.of_type("AWS::DynamoDB::Table")
        if "TimeToLiveSpecification" in table.properties
    }
    ttl = {"AttributeName": "expires_at", "Enabled": True}
    assert expiring == {"StateTable": ttl, "ApprovalsTable": ttl}


def test_answers_are_found_by_what_was_asked(stack: LocalTemplate) -> None:
    properties = dict(stack.resources["ApprovalsTable"].properties)
    (index,) = properties["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "by_request"
    assert keys(properties, index["KeySchema"]) == ("request S", "approver S")
    assert index["Projection"] == {"ProjectionType": "ALL"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_logs_are_structured_and_kept_as_long_as_asked(function: str) -> None:
    stack = load_template(TEMPLATE, {"LogRetentionDays": "90", "LogLevel": "DEBUG"})
    config = stack.resources[function].properties["LoggingConfig"]
    assert (config["LogFormat"], config["ApplicationLogLevel"]) == ("JSON", "DEBUG")
    assert stack.functions[function].environment["POWERTOOLS_LOG_LEVEL"] == "DEBUG"
    (group,) = (item for item in stack.of_type("AWS::Logs::LogGroup") if item.name == config["LogGroup"])
    assert group.properties["RetentionInDays"] == "90"


def test_no_two_functions_share_a_log_group(stack: LocalTemplate) -> None:
    groups = [stack.resources[name].properties["LoggingConfig"]["LogGroup"] for name in FUNCTIONS]
    assert len(set(groups)) == len(FUNCTIONS) == len(stack.of_type("AWS::Logs::LogGroup"))


# --- who is told ----------------------------------------------------------------------------------------------


def test_alarms_of_this_account_reach_the_encrypted_topic(stack: LocalTemplate) -> None:
    topic, key = stack.resources["Topic"], stack.resources["TopicKey"]
    assert topic.properties["KmsMasterKeyId"] == key.ref
    assert key.properties["EnableKeyRotation"] is True
    alarm = stack.of_type("AWS::CloudWatch::Alarm")[0].arn
    topic_policy = statements(stack.resources["TopicPolicy"].properties["PolicyDocument"])
    key_policy = statements(key.properties["KeyPolicy"])
    for account, expected in ((stack.account_id, True), ("999999999999", False)):
        context = {"aws:SourceAccount": account, "aws:SourceArn": alarm.replace(stack.account_id, account)}
        publish = Access("sns:Publish", topic.arn, context, "cloudwatch.amazonaws.com")
        assert decide(topic_policy, publish).allowed is expected
        for action in ("kms:Decrypt", "kms:GenerateDataKey"):
            encrypt = Access(action, key.arn, context, "cloudwatch.amazonaws.com")
            assert decide(key_policy, encrypt).allowed is expected


def test_nobody_else_may_publish_or_use_the_key(stack: LocalTemplate) -> None:
    topic, key = stack.resources["Topic"], stack.resources["TopicKey"]
    context = {"aws:SourceAccount": stack.account_id, "aws:SourceArn": f"arn:aws:s3:::{stack.account_id}"}
    publish = Access("sns:Publish", topic.arn, context, "s3.amazonaws.com")
    assert not decide(
        statements(stack.resources["TopicPolicy"].properties["PolicyDocument"]), publish
    ).allowed
    for service in ("events.amazonaws.com", "s3.amazonaws.com"):
        encrypt = Access("kms:Decrypt", key.arn, context, service)
        assert not decide(statements(key.properties["KeyPolicy"]), encrypt).allowed


def test_nothing_is_published_in_the_clear(stack: LocalTemplate) -> None:
    policy = statements(stack.resources["TopicPolicy"].properties["PolicyDocument"])
    topic = stack.resources["Topic"].arn
    alarm = stack.of_type("AWS::CloudWatch::Alarm")[0].arn
    context = {
        "aws:SourceAccount": stack.account_id,
        "aws:SourceArn": alarm,
        "aws:SecureTransport": "false",
    }
    assert not decide(policy, Access("sns:Publish", topic, context, "cloudwatch.amazonaws.com")).allowed


def test_an_address_is_subscribed_when_there_is_one(stack: LocalTemplate) -> None:
    assert stack.of_type("AWS::SNS::Subscription") == ()
    (subscription,) = load_template(TEMPLATE, {"NotificationEmail": "dba@example.org"}).of_type(
        "AWS::SNS::Subscription"
    )
    assert subscription.properties["Protocol"] == "email"
    assert subscription.properties["Endpoint"] == "dba@example.org"


# --- alarms ---------------------------------------------------------------------------------------------------


def watched(stack: LocalTemplate, namespace: str, name: str) -> set[str]:
    return {
        value
        for alarm in stack.of_type("AWS::CloudWatch::Alarm")
        for space, metric, dimensions in alarm_metrics(alarm)
        if (space, metric) == (namespace, name)
        for value in dimensions.values()
    }


def test_every_alarm_tells_the_topic_and_says_what_it_means(stack: LocalTemplate) -> None:
    for alarm in stack.of_type("AWS::CloudWatch::Alarm"):
        assert alarm.properties["AlarmActions"] == [stack.resources["Topic"].ref], alarm.logical_id
        assert len(alarm.properties["AlarmDescription"]) > 20, alarm.logical_id
        silence = alarm.logical_id.endswith(("MissedAlarm", "OverdueAlarm"))
        expected = "breaching" if silence else "notBreaching"
        assert alarm.properties["TreatMissingData"] == expected, alarm.logical_id


def test_every_dead_letter_queue_is_watched_from_the_first_message_on(stack: LocalTemplate) -> None:
    dead = {queue.name for queue in stack.of_type("AWS::SQS::Queue") if "DeadLetter" in queue.logical_id}
    assert len(dead) == 5
    assert watched(stack, "AWS/SQS", "ApproximateNumberOfMessagesVisible") == dead
    for alarm in stack.of_type("AWS::CloudWatch::Alarm"):
        if alarm.properties.get("MetricName") == "ApproximateNumberOfMessagesVisible":
            assert (alarm.properties["Threshold"], alarm.properties["ComparisonOperator"]) == (
                0,
                "GreaterThanThreshold",
            )


def test_every_other_queue_is_watched_for_messages_that_wait(stack: LocalTemplate) -> None:
    work = {queue.name for queue in stack.of_type("AWS::SQS::Queue") if "DeadLetter" not in queue.logical_id}
    assert watched(stack, "AWS/SQS", "ApproximateAgeOfOldestMessage") == work


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_every_function_is_watched(stack: LocalTemplate, metric: str) -> None:
    assert watched(stack, "AWS/Lambda", metric) == {item.name for item in stack.functions.values()}


@pytest.mark.parametrize(
    ("metric", "functions"),
    [
        ("ControlErrors", {"EvaluateFunction", "SweepFunction"}),
        ("InsufficientData", {"EvaluateFunction", "SweepFunction"}),
        ("SweepProblems", {"SweepFunction"}),
        ("BudgetSpent", {"EvaluateFunction", "SweepFunction"}),
        ("CircuitOpen", {"EvaluateFunction", "SweepFunction"}),
        ("DayOne", {"SweepFunction"}),
        ("ExemptionsEnding", {"SweepFunction"}),
        ("SweepCompleted", {"SweepFunction"}),
        ("OutcomeFailed", {"RemediateFunction"}),
        ("TicketsOverdue", {"TicketFunction"}),
        ("TicketsParked", {"TicketFunction"}),
        ("SinksRefused", {"TicketFunction"}),
    ],
)
def test_our_metrics_are_read_where_the_functions_put_them(
    stack: LocalTemplate, metric: str, functions: set[str]
) -> None:
    environments = [stack.functions[name].environment for name in functions]
    assert {item["POWERTOOLS_METRICS_NAMESPACE"] for item in environments} == {"AuroraWarden"}
    services = {item["POWERTOOLS_SERVICE_NAME"] for item in environments}
    assert watched(stack, "AuroraWarden", metric) == services


def test_a_missed_sweep_is_told_however_long_one_may_wait(stack: LocalTemplate) -> None:
    properties = stack.resources["SweepMissedAlarm"].properties
    assert (properties["Threshold"], properties["ComparisonOperator"]) == (1, "LessThanThreshold")
    assert properties["EvaluationPeriods"] == stack.parameters["SweepMissedAfterHours"] == "13"
    # CloudWatch looks back at most seven days where a period is an hour or more.
    longest = SOURCE["Parameters"]["SweepMissedAfterHours"]["MaxValue"]
    assert longest * properties["Period"] <= WEEK


# --- parameters -----------------------------------------------------------------------------------------------


def test_a_deployment_without_parameters_observes(stack: LocalTemplate) -> None:
    assert stack.parameters["ModeCeiling"] == "observe"
    assert {item.environment.get("WARDEN_MODE_CEILING", "observe") for item in stack.functions.values()} == {
        "observe"
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ModeCeiling", "everything"),
        ("ModeCeiling", "Remediate"),
        ("SweepSchedule", "rate(6 hour)"),
        ("SweepSchedule", "rate(1 hours)"),
        ("SweepSchedule", "rate(25 hours)"),
        ("SweepSchedule", "rate(5 minutes)"),
        ("SweepSchedule", "every day"),
        ("SweepMissedAfterHours", "1"),
        ("SweepMissedAfterHours", "169"),
        ("ConfigEvents", "off"),
        ("NotificationEmail", "nobody"),
        ("NotificationEmail", "a b@example.org"),
        ("LogLevel", "ERROR"),
        ("LogRetentionDays", "100"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(name: str, value: str) -> None:
    with pytest.raises(TemplateError, match=name):
        load_template(TEMPLATE, {name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ModeCeiling", "remediate"),
        ("SweepSchedule", "rate(1 hour)"),
        ("SweepSchedule", "rate(24 hours)"),
        ("SweepSchedule", "cron(0 3 * * ? *)"),
        ("LogRetentionDays", "3653"),
    ],
)
def test_a_value_that_makes_sense_is_taken(name: str, value: str) -> None:
    assert load_template(TEMPLATE, {name: value}).parameters[name] == value


def test_every_parameter_is_described_bounded_and_shown_in_a_group() -> None:
    parameters = SOURCE["Parameters"]
    groups = SOURCE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(parameters)
    for name, parameter in parameters.items():
        assert len(parameter["Description"]) > 30, name
        assert {"AllowedValues", "AllowedPattern", "MaxValue"} & set(parameter), name
        assert "Default" in parameter, name


def test_what_an_operator_needs_is_an_output(stack: LocalTemplate) -> None:
    expected = {"TopicArn": stack.resources["Topic"].ref, "ModeCeiling": "observe"}
    expected |= {f"{name}Name": stack.resources[name].name for name in [*TABLES, *FUNCTIONS]}
    for queue in ("TriggersQueue", "RemediationsQueue", "TicketsQueue"):
        expected[f"{queue}Url"] = stack.resources[queue].ref
    expected["ApproverPolicyArn"] = stack.resources["ApproverPolicy"].ref
    assert stack.outputs == expected
