"""Tickets to an SNS topic: text for people, JSON for machines."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from warden.core.resource import ResourceRef
from warden.gateways.errors import translated
from warden.gateways.items import shortened

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

    from warden.core.ticket import Ticket

LIMIT = 262_144
"""Bytes of message and attributes: "By default, a message can be at most 256 KiB in size" (Publish)."""
_MACHINES = ("sqs", "lambda", "http", "https", "firehose", "email-json")


class SnsSink:
    """Publishes tickets to a topic; implements `ports.TicketSink`."""

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def deliver(self, ticket: Ticket) -> None:
        """Publish it; raises TransientError where it should be tried again."""
        with translated("sns:Publish"):
            self._client.publish(TopicArn=self._topic_arn, **publication(ticket))


def publication(ticket: Ticket) -> dict[str, Any]:
    """The parameters of Publish, within SNS's limit: evidence is left out before anything else is."""
    finding = shortened(
        ticket.finding, lambda candidate: _bytes(_parameters(replace(ticket, finding=candidate))) <= LIMIT
    )
    return _parameters(replace(ticket, finding=finding))


def _parameters(ticket: Ticket) -> dict[str, Any]:
    document = json.dumps(ticket.to_json())
    ref = ResourceRef.from_arn(ticket.finding.arn)
    # SNS takes no empty value, and a global cluster has no Region.
    region = ref.region or "global"
    message = {
        "default": ticket.to_text(),
        # "140 ASCII characters" make one text message (Publish): a subject has 99 at most.
        "sms": f"{ticket.subject} ({ref.account} {region})",
        **dict.fromkeys(_MACHINES, document),
    }
    attributes = {
        "severity": str(ticket.finding.severity),
        "state": ticket.state.value,
        "control": ticket.finding.control,
        "account": ref.account,
        "region": region,
    }
    return {
        "Subject": ticket.subject,
        "MessageStructure": "json",
        "Message": json.dumps(message),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    }


def _bytes(parameters: dict[str, Any]) -> int:
    """What SNS counts: "the combined size of the message body and message attributes"."""
    attributes = sum(
        len(name) + len(attribute["DataType"]) + len(attribute["StringValue"].encode())
        for name, attribute in parameters["MessageAttributes"].items()
    )
    return len(parameters["Message"].encode()) + attributes
