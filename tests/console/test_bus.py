"""The bus: what an event of the template's rules matches, where it arrives, and in which shape."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from console.local.bus import Bus, Outcome
from console.local.clock import MovableClock
from console.local.deliveries import Courier
from console.local.inputs import TargetInput
from console.local.intrinsics import TemplateError
from console.local.patterns import InvalidPatternError
from console.local.queues import Queues
from console.local.template import read_template
from fakes.small_stack import TEMPLATE, cluster_event

ARN = "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
RULE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QUEUE}}
  Dead: {Type: AWS::SQS::Queue}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue, !Ref Dead]
      PolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: 'sqs:SendMessage', Resource: '*'}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.rds]}
      Targets: [{Id: queue, Arn: !GetAtt Queue.Arn, DeadLetterConfig: {Arn: !GetAtt Dead.Arn}, TARGET}]
"""


class Stack:
    """A bus with its queues, and a list of what functions were asked to do."""

    def __init__(self, text=TEMPLATE):
        clock = MovableClock(datetime(2026, 3, 1, tzinfo=UTC))
        self.template = read_template(text)
        self.queues = Queues.of(self.template, clock)
        self.invoked = []
        courier = Courier(
            self.template, self.queues, lambda function, payload: self.invoked.append((function, payload))
        )
        self.bus = Bus(self.template, courier, clock)

    def attributes(self, queue):
        [message] = self.queues[queue].messages
        return {name: value["StringValue"] for name, value in message.attributes.items()}

    def arn(self, logical_id):
        return self.template.resources[logical_id].arn


def small(
    *, queue="Tags: []", target="RetryPolicy: {MaximumRetryAttempts: 3}", before="", after="", extra=""
):
    text = RULE.replace("{QUEUE}", f"{{{queue}}}").replace("TARGET", target)
    assert before in text
    return Stack(text.replace(before, after, 1) + extra)


def api_call(name, **detail):
    return {
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.rds",
        "detail": {"eventSource": "rds.amazonaws.com", "eventName": name, **detail},
    }


def outcomes(entry):
    return [(item.rule, item.target_id, item.outcome.value, item.error_code) for item in entry.deliveries]


def test_an_event_arrives_in_the_queue_of_the_rule_that_it_matches():
    stack = Stack()
    event = cluster_event()
    entry = stack.bus.put(event)
    assert entry.matched == ("DatabaseEvents",)
    assert stack.queues["Triggers"].bodies == (event,)


def test_the_journal_remembers_what_matched_and_what_became_of_it():
    stack = Stack()
    stack.bus.put(cluster_event())
    [entry] = stack.bus.journal
    assert entry.event["id"] == "event-of-orders"
    assert outcomes(entry) == [
        ("DatabaseEvents", "triggers", "delivered", None),
        ("DatabaseEvents", "audit", "delivered", None),
    ]


def test_an_event_that_matches_nothing_goes_nowhere_and_is_remembered():
    stack = Stack()
    entry = stack.bus.put({"source": "aws.ec2", "detail-type": "x", "detail": {}})
    assert (entry.matched, entry.deliveries) == ((), ())
    assert stack.bus.journal == [entry]


def test_each_rule_explains_why_an_event_does_not_trigger_it():
    assert Stack().bus.explain(cluster_event()) == {
        "DatabaseEvents": None,
        "ApiCalls": 'detail-type is "RDS DB Cluster Event"; the pattern wants "AWS API Call via CloudTrail"',
        "Unpermitted": 'source is "aws.rds"; the pattern wants "aws.kms"',
        "Asleep": "the rule is disabled",
    }


def test_read_only_calls_do_not_reach_an_ordinary_rule():
    stack = Stack()
    assert stack.bus.put(api_call("DescribeDBClusters")).matched == ()
    assert stack.bus.put(api_call("ModifyDBCluster")).matched == ("ApiCalls",)
    assert "ENABLED_WITH_ALL" in stack.bus.explain(api_call("DescribeDBClusters"))["ApiCalls"]


def test_read_only_calls_reach_a_rule_that_asks_for_all_management_events():
    text = TEMPLATE.replace("State: DISABLED", "State: ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
    assert Stack(text).bus.put(api_call("DescribeDBClusters")).matched == ("Asleep",)


def test_an_envelope_is_completed_as_eventbridge_completes_it():
    event = Stack().bus.put(api_call("ModifyDBCluster")).event
    assert (event["account"], event["region"], event["time"]) == (
        "123456789012",
        "eu-west-1",
        "2026-03-01T00:00:00Z",
    )
    assert event["id"]


@pytest.mark.parametrize("missing", ["source", "detail-type", "detail"])
def test_an_event_without_its_essentials_is_refused(missing):
    event = cluster_event()
    del event[missing]
    with pytest.raises(ValueError, match=missing):
        Stack().bus.put(event)


def test_a_target_may_receive_a_part_of_the_event():
    stack = Stack()
    stack.bus.put(api_call("ModifyDBCluster", requestParameters={"dBClusterIdentifier": "orders"}))
    [body] = stack.queues["Triggers"].bodies
    assert body["requestParameters"] == {"dBClusterIdentifier": "orders"}
    assert "source" not in body


def test_a_target_may_receive_a_text_made_from_the_event():
    stack = Stack()
    stack.bus.put(cluster_event())
    assert stack.queues["Audit"].bodies == (
        {
            "what": ARN,
            "text": f"changed {ARN}",
            "categories": ["creation"],
            "rule": stack.template.resources["DatabaseEvents"].name,
        },
    )


def test_a_fifo_target_gets_its_group_and_deduplicates_by_content():
    stack = Stack()
    stack.bus.put(cluster_event())
    stack.bus.put(cluster_event())
    [message] = stack.queues["Audit"].messages
    assert message.group_id == "events"


def test_a_target_may_receive_a_constant():
    stack = small(target='Input: \'{"look": "everywhere"}\'')
    stack.bus.put(cluster_event())
    assert stack.queues["Queue"].bodies == ({"look": "everywhere"},)


def test_a_rule_that_the_queue_policy_does_not_name_delivers_into_its_dead_letter_queue():
    stack = Stack()
    event = {**cluster_event(), "source": "aws.kms"}
    entry = stack.bus.put(event)
    assert outcomes(entry)[0] == ("Unpermitted", "triggers", "dead-lettered", "NO_PERMISSIONS")
    assert stack.queues["Triggers"].messages == ()
    assert stack.queues["Undelivered"].bodies == (event,)
    assert stack.attributes("Undelivered") == {
        "RULE_ARN": stack.arn("Unpermitted"),
        "TARGET_ARN": stack.arn("Triggers"),
        "ERROR_CODE": "NO_PERMISSIONS",
        "ERROR_MESSAGE": "events.amazonaws.com is not authorized to perform sqs:SendMessage on "
        + stack.arn("Triggers"),
    }


def test_an_event_for_a_missing_target_without_dead_letter_queue_is_lost():
    entry = Stack().bus.put({**cluster_event(), "source": "aws.kms"})
    assert outcomes(entry)[1] == ("Unpermitted", "gone", "lost", "NO_RESOURCE")


def test_a_dead_letter_queue_needs_a_policy_of_its_own():
    stack = Stack(TEMPLATE.replace("Queues: [!Ref Undelivered]", "Queues: [!Ref Tickets]"))
    entry = stack.bus.put({**cluster_event(), "source": "aws.kms"})
    assert entry.deliveries[0].outcome is Outcome.LOST


def test_a_queue_without_policy_lets_no_event_in():
    stack = small(before="[!Ref Queue, !Ref Dead]", after="[!Ref Dead]")
    assert outcomes(stack.bus.put(cluster_event())) == [("Rule", "queue", "dead-lettered", "NO_PERMISSIONS")]


def test_a_denial_wins_over_a_permission():
    denial = """
  Denial:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument: {Statement: {Effect: Deny, Principal: '*', Action: 'sqs:Send*', Resource: !GetAtt Queue.Arn}}
"""
    assert outcomes(small(extra=denial).bus.put(cluster_event()))[0][2:] == (
        "dead-lettered",
        "NO_PERMISSIONS",
    )


def test_awss_own_key_for_sqs_keeps_eventbridge_out():
    stack = small(queue="KmsMasterKeyId: alias/aws/sqs")
    assert outcomes(stack.bus.put(cluster_event()))[0][2:] == ("dead-lettered", "NO_PERMISSIONS")


@pytest.mark.parametrize(
    ("actions", "outcome"),
    [("['kms:GenerateDataKey*', 'kms:Decrypt']", "delivered"), ("['kms:Decrypt']", "dead-lettered")],
)
def test_a_key_of_ones_own_must_let_eventbridge_encrypt(actions, outcome):
    key = f"""
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Statement: {{Effect: Allow, Principal: {{Service: events.amazonaws.com}}, Action: {actions}, Resource: '*'}}
  Alias: {{Type: AWS::KMS::Alias, Properties: {{AliasName: alias/warden, TargetKeyId: !Ref Key}}}}
"""
    for reference in ("!Ref Key", "!GetAtt Key.Arn", "!Ref Alias"):
        stack = small(queue=f"KmsMasterKeyId: {reference}", extra=key)
        assert outcomes(stack.bus.put(cluster_event()))[0][2] == outcome


def test_a_fifo_target_without_deduplication_by_content_fails():
    stack = small(queue="FifoQueue: true", target="SqsParameters: {MessageGroupId: all}")
    [delivery] = stack.bus.put(cluster_event()).deliveries
    assert (delivery.outcome, delivery.error_code) == (Outcome.DEAD_LETTERED, "INVALID_PARAMETER")


def test_a_path_that_finds_nothing_fails_the_delivery():
    stack = small(target="InputPath: $.detail.nowhere")
    [delivery] = stack.bus.put(cluster_event()).deliveries
    assert delivery.error_message == "$.detail.nowhere finds nothing in the event"


def test_a_function_is_reached_through_its_permission():
    function = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Look:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: look
      Handler: app.handler
      Runtime: python3.13
      Events:
        Clusters: {Type: EventBridgeRule, Properties: {Pattern: {source: [aws.rds]}}}
"""
    stack = Stack(function)
    assert stack.bus.put(cluster_event()).deliveries[0].outcome is Outcome.DELIVERED
    [(name, payload)] = stack.invoked
    assert (name, json.loads(payload)) == ("Look", cluster_event())


def test_a_function_without_permission_is_not_reached():
    text = TEMPLATE.replace("Arn: !GetAtt Audit.Arn", "Arn: !GetAtt Ticket.Arn").replace(
        "          SqsParameters: {MessageGroupId: events}\n", ""
    )
    stack = Stack(text)
    assert outcomes(stack.bus.put(cluster_event()))[1] == (
        "DatabaseEvents",
        "audit",
        "lost",
        "NO_PERMISSIONS",
    )
    assert stack.invoked == []


def test_a_rule_of_another_bus_hears_nothing_of_the_default_one():
    stack = small(before="EventPattern:", after="EventBusName: orders\n      EventPattern:")
    assert stack.bus.put(cluster_event()).matched == ()
    assert stack.bus.explain(cluster_event()) == {"Rule": "the rule listens to the bus orders"}


def test_an_invalid_pattern_stops_the_deployment_and_is_named():
    text = TEMPLATE.replace("EventPattern: {source: [aws.kms]}", "EventPattern: {source: aws.kms}")
    with pytest.raises(
        InvalidPatternError, match=r"Unpermitted\.EventPattern\.source: must be an object or an array"
    ):
        Stack(text)


def test_a_pattern_that_is_too_long_stops_the_deployment():
    names = ", ".join(f"aws.service{number}" for number in range(300))
    with pytest.raises(InvalidPatternError, match="more than the 4096 allowed"):
        Stack(TEMPLATE.replace("EventPattern: {source: [aws.kms]}", f"EventPattern: {{source: [{names}]}}"))


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("Arn: !GetAtt Audit.Arn", "Arn: !Ref Alerts", "delivers to SQS and Lambda only, not to arn:aws:sns"),
        ("Id: audit", "Id: triggers", "target ids must be unique: triggers"),
        ("      EventPattern: {source: [aws.kms]}\n", "", "needs an EventPattern or a ScheduleExpression"),
        (
            "InputPath: $.detail",
            "InputPath: $.detail\n          Input: '{}'",
            "only one of Input and InputPath",
        ),
    ],
)
def test_what_eventbridge_or_this_model_cannot_do_stops_the_deployment(before, after, reason):
    assert before in TEMPLATE
    with pytest.raises(TemplateError, match=reason):
        Stack(TEMPLATE.replace(before, after))


def test_more_than_five_targets_stop_the_deployment():
    targets = ", ".join(f"{{Id: t{number}, Arn: !GetAtt Queue.Arn}}" for number in range(6))
    with pytest.raises(TemplateError, match="at most 5 targets"):
        small(before="Targets: [", after=f"Targets: [{targets}, ")


EVENT = {"a": {"b-c": [{"d": 1}, {"d": 2}]}, "s": 'say "x"', "n": None, "detail": {"k": "v"}}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", EVENT),
        ("$.s", 'say "x"'),
        ("$.n", None),
        ("$.a.b-c[1].d", 2),
        ("$.a.b-c[*].d", [1, 2]),
        ("$['detail']['k']", "v"),
        ("$.detail.*", ["v"]),
    ],
)
def test_a_path_finds_a_part_of_an_event(path, found):
    assert json.loads(TargetInput(path=path).payload(EVENT, {})) == found


@pytest.mark.parametrize("path", ["$.nothing", "$.a.b-c[7]", "$.s.deeper", "$.a[0]"])
def test_a_path_may_find_nothing(path):
    assert TargetInput(path=path).payload(EVENT, {}) is None


@pytest.mark.parametrize("path", ["a.b", "$..d", "$.a[?(@.d)]"])
def test_a_path_that_eventbridge_does_not_know_is_refused(path):
    with pytest.raises(TemplateError):
        TargetInput(path=path).payload(EVENT, {})


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ('{"v": <s>, "w": "<s>!"}', {"v": 'say "x"', "w": 'say "x"!'}),
        ('{"list": <list>, "null": <n>}', {"list": [1, 2], "null": None}),
        ('{"gone": <gone>, "text": "[<gone>]"}', {"gone": "", "text": "[]"}),
        ('"plain <s>"', 'plain say "x"'),
        ('{"left": "<unknown>"}', {"left": "<unknown>"}),
        (r'{"quoted": "\"<s>\""}', {"quoted": '"say "x""'}),
        ('{"rule": "<aws.events.rule-name>"}', {"rule": "r"}),
    ],
)
def test_a_template_is_filled_with_parts_of_the_event(text, made):
    variables = {"s": "$.s", "list": "$.a.b-c[*].d", "n": "$.n", "gone": "$.gone"}
    filled = TargetInput(variables=variables, text=text).payload(EVENT, {"aws.events.rule-name": "r"})
    assert json.loads(filled) == made
