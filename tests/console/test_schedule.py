"""Schedule expressions, and the Scheduler on a movable clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

import pytest

from console.local.clock import MovableClock
from console.local.expressions import InvalidExpressionError, parse_expression
from console.local.identity import current_identity
from console.local.intrinsics import TemplateError
from console.local.runtime import LocalRuntime
from console.local.template import read_template
from fakes.small_stack import TEMPLATE

START = datetime(2026, 3, 1, 12, 2, tzinfo=UTC)  # a Sunday

SCHEDULED = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Queue:
    Type: AWS::SQS::Queue
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: scheduler.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: send
          PolicyDocument: {Statement: {Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Queue.Arn}}
  Nightly:
    Type: AWS::Scheduler::Schedule
    Properties:
      FlexibleTimeWindow: {Mode: 'OFF'}
      ScheduleExpression: EXPRESSION
      EXTRA
      Target: {Arn: !GetAtt Queue.Arn, RoleArn: !GetAtt Role.Arn}
"""


def after(expression, instant, *, timezone="UTC", times=1):
    """Return the next occurrences after an instant, as texts."""
    parsed = parse_expression(expression, start=START, timezone=timezone)
    found = []
    moment = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    for _ in range(times):
        moment = parsed.next_after(moment)
        if moment is None:
            return [*found, None]
        found.append(moment.strftime("%Y-%m-%dT%H:%M"))
    return found


def scheduled(expression, extra="Description: ''"):
    text = SCHEDULED.replace("EXPRESSION", f"'{expression}'").replace("EXTRA", extra)
    return LocalRuntime(read_template(text), MovableClock(START), lambda function, event: None)


def runs(runtime):
    return [run.due.strftime("%Y-%m-%dT%H:%M") for run in runtime.scheduler.runs]


@pytest.mark.parametrize(
    ("expression", "instant", "expected"),
    [
        ("cron(15 3 * * ? *)", "2026-03-01T12:00", ["2026-03-02T03:15", "2026-03-03T03:15"]),
        ("cron(0/15 * * * ? *)", "2026-03-01T12:31", ["2026-03-01T12:45", "2026-03-01T13:00"]),
        ("cron(0 8,20 1-3 * ? *)", "2026-03-03T20:00", ["2026-04-01T08:00", "2026-04-01T20:00"]),
        ("cron(0 22-1 * * ? *)", "2026-03-01T22:30", ["2026-03-01T23:00", "2026-03-02T00:00"]),
        ("cron(0 6 ? * MON-FRI *)", "2026-03-06T07:00", ["2026-03-09T06:00", "2026-03-10T06:00"]),
        ("cron(0 6 ? * 1 *)", "2026-03-01T07:00", ["2026-03-08T06:00", "2026-03-15T06:00"]),
        ("cron(0 6 ? * FRI-SUN *)", "2026-03-01T07:00", ["2026-03-06T06:00", "2026-03-07T06:00"]),
        ("cron(0 6 ? JAN,jul SUN#2 *)", "2026-03-01T00:00", ["2026-07-12T06:00", "2027-01-10T06:00"]),
        ("cron(0 6 ? * 6L *)", "2026-03-01T00:00", ["2026-03-27T06:00", "2026-04-24T06:00"]),
        ("cron(0 6 ? * L *)", "2026-03-01T00:00", ["2026-03-07T06:00", "2026-03-14T06:00"]),
        ("cron(0 6 L * ? *)", "2026-02-01T00:00", ["2026-02-28T06:00", "2026-03-31T06:00"]),
        ("cron(0 6 LW * ? *)", "2026-02-01T00:00", ["2026-02-27T06:00", "2026-03-31T06:00"]),
        ("cron(0 6 15W * ? *)", "2026-03-01T00:00", ["2026-03-16T06:00", "2026-04-15T06:00"]),
        ("cron(0 6 1W * ? *)", "2026-08-03T12:00", ["2026-09-01T06:00", "2026-10-01T06:00"]),
        ("cron(0 6 1W * ? *)", "2026-07-31T12:00", ["2026-08-03T06:00", "2026-09-01T06:00"]),
        ("cron(0 0 29 2 ? *)", "2026-03-01T00:00", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("cron(0 0 1 1 ? 2027-2028)", "2026-03-01T00:00", ["2027-01-01T00:00", "2028-01-01T00:00", None]),
        ("cron(0 0 30 2 ? *)", "2026-03-01T00:00", [None]),
        ("rate(5 minutes)", "2026-03-01T12:02", ["2026-03-01T12:07", "2026-03-01T12:12"]),
        ("rate(1 hour)", "2026-03-01T13:30", ["2026-03-01T14:02", "2026-03-01T15:02"]),
        ("rate(7 days)", "2026-03-01T00:00", ["2026-03-01T12:02", "2026-03-08T12:02"]),
        ("at(2026-03-02T00:00:00)", "2026-03-01T12:00", ["2026-03-02T00:00", None]),
        ("at(2026-03-01T00:00:00)", "2026-03-01T12:00", [None]),
    ],
)
def test_an_expression_is_due_when_eventbridge_would_run_it(expression, instant, expected):
    assert after(expression, instant, times=len(expected)) == expected


@pytest.mark.skipif(not available_timezones(), reason="this machine has no time zone database")
@pytest.mark.parametrize(
    ("expression", "instant", "expected"),
    [
        ("cron(0 3 * * ? *)", "2026-01-10T00:00", ["2026-01-10T02:00", "2026-01-11T02:00"]),
        ("cron(0 3 * * ? *)", "2026-07-10T00:00", ["2026-07-10T01:00", "2026-07-11T01:00"]),
        (
            "cron(30 2 * * ? *)",
            "2026-03-28T00:00",
            ["2026-03-28T01:30", "2026-03-30T00:30"],
        ),  # the 29th has no 2:30
        (
            "cron(30 2 * * ? *)",
            "2026-10-24T12:00",
            ["2026-10-25T00:30", "2026-10-26T01:30"],
        ),  # the 25th has two
        ("at(2026-07-01T09:00:00)", "2026-01-01T00:00", ["2026-07-01T07:00", None]),
    ],
)
def test_an_expression_is_read_in_its_time_zone(expression, instant, expected):
    assert after(expression, instant, timezone="Europe/Berlin", times=2) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "rate(0 minutes)",
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(5 weeks)",
        "rate(five minutes)",
        "cron(0 3 * * *)",
        "cron(0 3 * * * *)",
        "cron(0 3 ? * ? *)",
        "cron(60 3 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 3 0 * ? *)",
        "cron(0 3 * 13 ? *)",
        "cron(0 3 ? * 8 *)",
        "cron(0 3 ? * MUN *)",
        "cron(0 3 ? * MON#6 *)",
        "cron(0/0 3 * * ? *)",
        "cron(0 3 * * ? 1969)",
        "at(2026-03-01)",
        "every(5 minutes)",
        "5 minutes",
    ],
)
def test_an_expression_that_eventbridge_refuses_is_refused(expression):
    with pytest.raises(InvalidExpressionError):
        parse_expression(expression, start=START)


def test_an_unknown_time_zone_is_refused():
    with pytest.raises(InvalidExpressionError, match="no such time zone: 'Mars/Olympus'"):
        parse_expression("rate(1 hour)", start=START, timezone="Mars/Olympus")


def test_a_schedule_runs_whenever_it_falls_due_while_time_passes():
    runtime = scheduled("cron(0 3 * * ? *)")
    runtime.advance(3 * 86_400)
    assert runs(runtime) == ["2026-03-02T03:00", "2026-03-03T03:00", "2026-03-04T03:00"]
    assert runtime.clock.now() == START + timedelta(days=3)


def test_the_first_run_of_a_rate_belongs_to_the_deployment():
    runtime = scheduled("rate(5 minutes)")
    runtime.advance(600)
    assert runs(runtime) == ["2026-03-01T12:07", "2026-03-01T12:12"]


def test_a_disabled_schedule_never_runs():
    runtime = scheduled("rate(1 hour)", "State: DISABLED")
    runtime.advance(86_400)
    assert runs(runtime) == []


def test_a_schedule_ends_at_its_end():
    runtime = scheduled("rate(1 hour)", "EndDate: '2026-03-01T14:30:00Z'")
    runtime.advance(86_400)
    assert runs(runtime) == ["2026-03-01T13:02", "2026-03-01T14:02"]


def test_a_rate_counts_from_its_start():
    runtime = scheduled("rate(1 hour)", "StartDate: '2026-03-01T14:30:00'")
    runtime.advance(3 * 3_600)
    assert runs(runtime) == ["2026-03-01T14:30"]


def test_a_schedule_without_input_sends_the_schedulers_own_notice():
    runtime = scheduled("rate(1 hour)")
    runtime.advance(3_600)
    [notice] = runtime.queues["Queue"].bodies
    assert (notice["source"], notice["detail-type"], notice["detail"]) == (
        "aws.scheduler",
        "Scheduled Event",
        "{}",
    )
    assert notice["time"] == "2026-03-01T13:02:00Z"
    assert notice["resources"] == [runtime.template.resources["Nightly"].arn]


def test_a_schedule_hands_its_input_to_its_function_with_the_context_filled_in():
    seen = []
    template = read_template(TEMPLATE)
    runtime = LocalRuntime(
        template, MovableClock(START), lambda function, event: seen.append((function, event))
    )
    runtime.advance(300)
    assert seen == [("Sweep", {"tick": "2026-03-01T12:07:00Z"})]


def test_a_schedule_can_be_run_out_of_turn():
    seen = []
    template = read_template(TEMPLATE)
    runtime = LocalRuntime(
        template, MovableClock(START), lambda function, event: seen.append((function, event))
    )
    runtime.run_schedule("SweepDaily")
    runtime.run_until_idle()
    assert seen == [("Sweep", {"sweep": "full"})]
    assert runtime.clock.now() == START


def test_a_role_that_the_scheduler_may_not_assume_stops_the_deployment():
    template = read_template(TEMPLATE, {"ModeCeiling": "remediate"})
    with pytest.raises(TemplateError, match="Hourly: the role TicketRole must allow scheduler"):
        LocalRuntime(template, MovableClock(START), lambda function, event: None)


def test_a_role_that_may_not_call_the_target_leads_into_the_dead_letter_queue():
    # The schedule takes the role of another one, which may start the sweep and nothing else.
    text = TEMPLATE.replace("RoleArn: !GetAtt TicketRole.Arn", "RoleArn: !GetAtt SweepDailyRole.Arn")
    text = text.replace("      ScheduleExpression: rate(1 hour)", "      ScheduleExpression: rate(1 minute)")
    text = text.replace(
        "        Arn: !GetAtt Sweep.Arn\n        RoleArn: !GetAtt SweepDailyRole.Arn\n        DeadLetterConfig",
        "        Arn: !GetAtt Ticket.Arn\n        RoleArn: !GetAtt SweepDailyRole.Arn\n        DeadLetterConfig",
    )
    text = text.replace(
        "  RemediateRole:\n",
        """  MayDeadLetter:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: dead
      Roles: [!Ref SweepDailyRole]
      PolicyDocument: {Statement: {Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Undelivered.Arn}}
  RemediateRole:
""",
    )
    runtime = LocalRuntime(
        read_template(text, {"ModeCeiling": "remediate"}), MovableClock(START), lambda function, event: None
    )
    runtime.advance(60)
    [run] = runtime.scheduler.runs
    assert (run.schedule, run.error_code, run.dead_lettered) == ("Hourly", "NO_PERMISSIONS", True)
    [message] = runtime.queues["Undelivered"].messages
    attributes = {name: value["StringValue"] for name, value in message.attributes.items()}
    assert attributes["TARGET_ARN"] == runtime.template.functions["Ticket"].arn
    assert attributes["SCHEDULED_TIME"] == "2026-03-01T12:03:00Z"
    assert json.loads(message.body)["source"] == "aws.scheduler"


def test_a_rule_may_have_a_schedule_too():
    text = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Sweep:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: sweep
      Handler: app.handler
      Runtime: python3.13
      Events:
        Hourly: {Type: Schedule, Properties: {Schedule: rate(1 hour)}}
"""
    seen = []
    runtime = LocalRuntime(
        read_template(text), MovableClock(START), lambda function, event: seen.append(event)
    )
    runtime.advance(3_600)
    [event] = seen
    assert (event["source"], event["detail-type"], event["detail"]) == ("aws.events", "Scheduled Event", {})
    assert event["resources"] == [runtime.template.resources["SweepHourly"].arn]


def test_a_target_of_another_kind_is_refused():
    text = SCHEDULED.replace("EXPRESSION", "rate(1 hour)").replace("EXTRA", "Description: ''")
    text = text.replace(
        "Arn: !GetAtt Queue.Arn, RoleArn", "Arn: 'arn:aws:kinesis:eu-west-1:123456789012:stream/x', RoleArn"
    )
    with pytest.raises(TemplateError, match="Nightly: the local AWS delivers to SQS and Lambda only"):
        LocalRuntime(read_template(text), MovableClock(START), lambda function, event: None)


def calling(action, given):
    text = SCHEDULED.replace("EXPRESSION", "rate(1 hour)").replace("EXTRA", "Description: ''")
    target = f"Arn: 'arn:aws:scheduler:::aws-sdk:rds:{action}', Input: '{given}', RoleArn"
    return text.replace("Arn: !GetAtt Queue.Arn, RoleArn", target)


@pytest.mark.parametrize(
    ("action", "given", "why"),
    [
        ("startDBCluster", '{"DbClusterIdentifier": "orders"}', "makes no call rds:StartDBCluster"),
        # "... the request parameters": in the spelling of the SDK for Java, as every example of the guide has it.
        ("modifyDBClusterParameterGroup", '{"DBClusterParameterGroupName": "g"}', "is no request of"),
        ("modifyDBClusterParameterGroup", "none", "is no request of"),
    ],
)
def test_a_call_that_it_cannot_make_is_refused(action, given, why):
    with pytest.raises(TemplateError, match=f"Nightly: .*{why}"):
        LocalRuntime(read_template(calling(action, given)), MovableClock(START), lambda function, event: None)


def test_a_call_is_made_in_the_spelling_of_the_api_by_a_role_that_may():
    given = (
        '{"DbClusterParameterGroupName": "g", "Parameters": [{"ParameterName": "p", "ParameterValue": "1"}]}'
    )
    made = []

    class Client:
        def modify_db_cluster_parameter_group(self, **parameters):
            made.append((current_identity(), parameters))

    text = calling("modifyDBClusterParameterGroup", given)
    action = "Action: 'rds:ModifyDBClusterParameterGroup', Resource: 'arn:aws:rds:*:*:cluster-pg:g'"
    allowed = text.replace("Action: sqs:SendMessage, Resource: !GetAtt Queue.Arn", action)
    runs = [
        LocalRuntime(
            read_template(template),
            MovableClock(START),
            lambda function, event: None,
            client=lambda service: Client(),
        ).run_schedule("Nightly")
        for template in (text, allowed)
    ]

    assert [run.error_code for run in runs] == ["NO_PERMISSIONS", None]
    [(identity, parameters)] = made
    assert parameters == {
        "DBClusterParameterGroupName": "g",
        "Parameters": [{"ParameterName": "p", "ParameterValue": "1"}],
    }
    assert identity.invoked_by == "scheduler.amazonaws.com"
    assert ":role/" in identity.session_issuer["arn"]


def test_an_invalid_expression_stops_the_deployment():
    with pytest.raises(InvalidExpressionError, match="Nightly: exactly one of day-of-month"):
        scheduled("cron(0 3 * * * *)")


def test_an_input_for_a_function_must_be_json():
    text = TEMPLATE.replace("""Input: '{"sweep": "full"}'""", "Input: full")
    with pytest.raises(TemplateError, match="SweepDaily: the Input for a function must be"):
        LocalRuntime(read_template(text), MovableClock(START), lambda function, event: None)
