"""The parts of the template that moto plays: tables, queues, topics and parameter groups, made as CloudFormation would.

moto's queues are mailboxes only. What a handler sends there is taken out after every invocation and put into the model
of the queues, which has the local clock; moto's own is the machine's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
from moto.backends import get_backend

from console.local.intrinsics import as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mypy_boto3_sqs import SQSClient

    from console.local.template import LocalResource, LocalTemplate

_TABLE_PROPERTIES: Final = (
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "DeletionProtectionEnabled",
    "TableClass",
    "Tags",
)
_QUEUE_ATTRIBUTES: Final = (
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
)
_TOPIC_ATTRIBUTES: Final = ("ContentBasedDeduplication", "DisplayName", "FifoTopic", "KmsMasterKeyId")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """A message as a handler sent it; without a delay of its own the queue's applies."""

    message_id: str
    body: str
    attributes: Mapping[str, Mapping[str, Any]]
    delay_seconds: int | None
    group_id: str | None
    deduplication_id: str | None
    trace_header: str | None


def create_infrastructure(template: LocalTemplate, client: Callable[[str], Any] | None = None) -> None:
    """Create what moto plays of the template; `client` gives a boto3 client for a service."""
    client = client or (lambda service: boto3.client(service, region_name=template.region))  # type: ignore[call-overload]
    for table in template.of_type("AWS::DynamoDB::Table"):
        _create_table(table, client("dynamodb"))
    for queue in _dead_letters_first(template.of_type("AWS::SQS::Queue")):
        _create_queue(queue, client("sqs"))
    for topic in template.of_type("AWS::SNS::Topic"):
        _create_topic(topic, client("sns"))
    for subscription in template.of_type("AWS::SNS::Subscription"):
        _subscribe(subscription.properties["TopicArn"], subscription.properties, client("sns"))
    for group in template.of_type("AWS::RDS::DBClusterParameterGroup"):
        _create_parameter_group(group, client("rds"))


def drain_moto_queue(client: SQSClient, url: str) -> list[OutgoingMessage]:
    """Take everything out of one of moto's queues, in the order in which it was sent.

    This looks behind the API: ReceiveMessage would hold back a delayed message for as long as the machine's clock says,
    hides later messages of a FIFO group, and does not say which delay was asked for. Emptying the queue also makes moto
    forget the deduplication ids that it would otherwise remember for five real minutes.
    """
    account_id, name = url.rstrip("/").split("/")[-2:]
    queue = get_backend("sqs")[account_id][client.meta.region_name].queues.get(name)
    if queue is None:
        raise LookupError(f"moto has no queue {name}: create_infrastructure makes the template's queues")
    messages, queue._messages = queue._messages, []  # noqa: SLF001 — see above
    return [_outgoing(message, int(queue.delay_seconds)) for message in messages]


def _outgoing(message: Any, queue_delay: int) -> OutgoingMessage:
    delayed = message.delayed_until - message.sent_timestamp if message.delayed_until else 0
    delay = round(delayed / 1000)
    trace = message.system_attributes.get("AWSTraceHeader", {})
    return OutgoingMessage(
        message_id=message.id,
        body=message.body,
        attributes=message.message_attributes,
        delay_seconds=None if delay == queue_delay else delay,
        group_id=message.group_id,
        deduplication_id=message.deduplication_id,
        trace_header=trace.get("StringValue"),
    )


def _create_table(table: LocalResource, dynamodb: Any) -> None:
    properties = table.properties
    request = {name: properties[name] for name in _TABLE_PROPERTIES if name in properties}
    if "StreamSpecification" in properties:
        request["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
    if "SSESpecification" in properties:
        encryption = dict(properties["SSESpecification"])
        request["SSESpecification"] = {"Enabled": encryption.pop("SSEEnabled", True), **encryption}
    dynamodb.create_table(TableName=table.name, **request)
    if "TimeToLiveSpecification" in properties:
        dynamodb.update_time_to_live(
            TableName=table.name, TimeToLiveSpecification=properties["TimeToLiveSpecification"]
        )
    if "PointInTimeRecoverySpecification" in properties:
        dynamodb.update_continuous_backups(
            TableName=table.name,
            PointInTimeRecoverySpecification=properties["PointInTimeRecoverySpecification"],
        )


def _dead_letters_first(queues: Iterable[LocalResource]) -> list[LocalResource]:
    return sorted(queues, key=lambda queue: "RedrivePolicy" in queue.properties)


def _create_queue(queue: LocalResource, sqs: Any) -> None:
    attributes = {
        name: as_text(queue.properties[name]) for name in _QUEUE_ATTRIBUTES if name in queue.properties
    }
    redrive = queue.properties.get("RedrivePolicy")
    if redrive is not None:
        attributes["RedrivePolicy"] = redrive if isinstance(redrive, str) else json.dumps(redrive)
    sqs.create_queue(QueueName=queue.name, Attributes=attributes, tags=_tags(queue))


def _create_topic(topic: LocalResource, sns: Any) -> None:
    attributes = {
        name: as_text(topic.properties[name]) for name in _TOPIC_ATTRIBUTES if name in topic.properties
    }
    tags = [{"Key": key, "Value": value} for key, value in _tags(topic).items()]
    sns.create_topic(Name=topic.name, Attributes=attributes, Tags=tags)
    for subscription in topic.properties.get("Subscription", ()):
        _subscribe(topic.arn, subscription, sns)


def _create_parameter_group(group: LocalResource, rds: Any) -> None:
    properties = group.properties
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName=group.name,
        DBParameterGroupFamily=properties["Family"],
        Description=properties["Description"],
        Tags=[{"Key": key, "Value": value} for key, value in _tags(group).items()],
    )
    rds.modify_db_cluster_parameter_group(
        DBClusterParameterGroupName=group.name,
        Parameters=[
            {"ParameterName": name, "ParameterValue": as_text(value), "ApplyMethod": "pending-reboot"}
            for name, value in properties["Parameters"].items()
        ],
    )


def _subscribe(topic_arn: str, subscription: Mapping[str, Any], sns: Any) -> None:
    attributes = {}
    for name in ("FilterPolicy", "RawMessageDelivery", "FilterPolicyScope"):
        if name in subscription:
            value = subscription[name]
            attributes[name] = json.dumps(value) if isinstance(value, dict) else as_text(value)
    sns.subscribe(
        TopicArn=topic_arn,
        Protocol=subscription["Protocol"],
        Endpoint=subscription["Endpoint"],
        Attributes=attributes,
    )


def _tags(resource: LocalResource) -> dict[str, str]:
    return {tag["Key"]: as_text(tag["Value"]) for tag in resource.properties.get("Tags", ())}
