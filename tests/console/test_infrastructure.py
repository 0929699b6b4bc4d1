"""The tables, queues and topics in moto, and the way of a handler's messages from there into the model."""

from __future__ import annotations

import functools
import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto import mock_aws

from console.local.clock import MovableClock
from console.local.infrastructure import create_infrastructure, drain_moto_queue
from console.local.runtime import LocalRuntime
from console.local.template import read_template
from fakes.small_stack import TEMPLATE, cluster_event

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SUBSCRIPTION = """
  AlertsToTickets:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Alerts, Protocol: sqs, Endpoint: !GetAtt Tickets.Arn, RawMessageDelivery: true}
"""


@functools.cache
def client(service):
    return boto3.client(service, region_name="eu-west-1")


@pytest.fixture(scope="module")
def template():
    return read_template(TEMPLATE.replace("\n  Undelivered:\n", f"{SUBSCRIPTION}\n  Undelivered:\n", 1))


@pytest.fixture
def _aws(template):
    with mock_aws():
        create_infrastructure(template, client)
        yield


@pytest.fixture
def url(template):
    return lambda logical_id: template.resources[logical_id].ref


@pytest.fixture
def deployed(template, _aws):
    """Return a way to run the stack with a handler for each function that has one."""

    def deploy(handlers):
        calls = []

        def invoke(function, event):
            calls.append((function, event))
            return handlers.get(function, lambda event: None)(event)

        return LocalRuntime(template, MovableClock(START), invoke, sqs=client("sqs")), calls

    return deploy


@pytest.mark.usefixtures("_aws")
def test_a_table_is_as_the_template_says(template):
    name = template.resources["Rows"].name
    table = client("dynamodb").describe_table(TableName=name)["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by-status"]
    ttl = client("dynamodb").describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert (ttl["AttributeName"], ttl["TimeToLiveStatus"]) == ("expires", "ENABLED")
    backups = client("dynamodb").describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


@pytest.mark.usefixtures("_aws")
def test_a_queue_is_as_the_template_says(template, url):
    attributes = client("sqs").get_queue_attributes(QueueUrl=url("Triggers"), AttributeNames=["All"])[
        "Attributes"
    ]
    assert (attributes["DelaySeconds"], attributes["VisibilityTimeout"]) == ("45", "180")
    redrive = json.loads(attributes["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"] == template.resources["TriggersDead"].arn
    fifo = client("sqs").get_queue_attributes(QueueUrl=url("Audit"), AttributeNames=["All"])["Attributes"]
    assert (fifo["FifoQueue"], fifo["ContentBasedDeduplication"]) == ("true", "true")


@pytest.mark.usefixtures("_aws")
def test_a_topic_is_as_the_template_says(template):
    arn = template.resources["Alerts"].arn
    assert client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"] == "alerts"


@pytest.mark.usefixtures("_aws")
def test_draining_takes_everything_with_its_particulars(url):
    sqs = client("sqs")
    attribute = {"kind": {"DataType": "String", "StringValue": "drift"}}
    sqs.send_message(QueueUrl=url("Triggers"), MessageBody="default")
    sent = sqs.send_message(
        QueueUrl=url("Triggers"), MessageBody="late", DelaySeconds=900, MessageAttributes=attribute
    )
    sqs.send_message(QueueUrl=url("Triggers"), MessageBody="now", DelaySeconds=0)
    drained = drain_moto_queue(sqs, url("Triggers"))
    assert [(item.body, item.delay_seconds) for item in drained] == [
        ("default", None),
        ("late", 900),
        ("now", 0),
    ]
    assert (drained[1].message_id, drained[1].attributes) == (sent["MessageId"], attribute)
    assert drain_moto_queue(sqs, url("Triggers")) == []


@pytest.mark.usefixtures("_aws")
def test_draining_a_queue_that_was_never_made_says_so():
    with pytest.raises(LookupError, match="create_infrastructure"):
        drain_moto_queue(client("sqs"), "https://sqs.eu-west-1.amazonaws.com/123456789012/nothing")


def test_what_a_handler_sends_reaches_the_next_function(deployed, url):
    def evaluate(event):
        client("sqs").send_message(
            QueueUrl=url("Remediations"),
            MessageBody='"fix"',
            MessageGroupId="orders",
            MessageDeduplicationId="d1",
        )
        client("sqs").send_message_batch(
            QueueUrl=url("Tickets"),
            Entries=[
                {"Id": str(number), "MessageBody": str(number), "DelaySeconds": number} for number in (5, 0)
            ],
        )

    runtime, calls = deployed({"Evaluate": evaluate})
    runtime.put(cluster_event())
    done = runtime.run_until_idle()
    assert [((item.at - START).total_seconds(), item.function) for item in done] == [
        (50, "Evaluate"),
        (50, "Ticket"),
        (50, "Remediate"),
        (55, "Ticket"),
    ]
    [record] = calls[2][1]["Records"]
    assert record["attributes"]["MessageGroupId"] == "orders"
    assert record["attributes"]["MessageDeduplicationId"] == "d1"
    assert record["attributes"]["SentTimestamp"] == str(int((START.timestamp() + 50) * 1000))


def test_a_handler_can_send_to_the_delayed_queue_that_feeds_it(deployed, url):
    def evaluate(event):
        if json.loads(event["Records"][0]["body"]) == "first":
            client("sqs").send_message(QueueUrl=url("Triggers"), MessageBody='"second"')

    runtime, calls = deployed({"Evaluate": evaluate})
    client("sqs").send_message(QueueUrl=url("Triggers"), MessageBody='"first"')
    done = runtime.run_until_idle()
    assert [(item.at - START).total_seconds() for item in done] == [50, 100]
    assert len(calls) == 2


def test_deduplication_follows_the_local_clock_and_not_the_machines(deployed, url):
    def send(event):
        client("sqs").send_message(
            QueueUrl=url("Remediations"), MessageBody="1", MessageGroupId="a", MessageDeduplicationId="same"
        )

    runtime, calls = deployed({"Ticket": send})
    for wait in (0, 299, 1):
        runtime.advance(wait)
        runtime.queues["Tickets"].send("1")
        runtime.run_until_idle()
    # The second came within five minutes of the first and is a duplicate; the third came after them and is not.
    assert [name for name, _ in calls if name == "Remediate"] == ["Remediate", "Remediate"]
    assert runtime.clock.now() == START + timedelta(minutes=5)


def test_a_message_sent_before_any_function_runs_is_not_overlooked(deployed, url):
    runtime, _ = deployed({})
    client("sqs").send_message(QueueUrl=url("Tickets"), MessageBody="1")
    assert [item.function for item in runtime.run_until_idle()] == ["Ticket"]


def test_what_a_topic_hands_to_a_queue_reaches_the_function_behind_it(deployed, template):
    runtime, calls = deployed({})
    client("sns").publish(TopicArn=template.resources["Alerts"].arn, Message='"stopped"')
    runtime.run_until_idle()
    [(function, event)] = calls
    assert (function, event["Records"][0]["body"]) == ("Ticket", '"stopped"')
