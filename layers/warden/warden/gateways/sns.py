"""Tickets to an SNS topic: text for people, JSON for machines."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from warden.core.rendering import plain
from warden.core.rendering.machine import document
from warden.core.rendering.notification import notification
from warden.core.ticket_room import fitted, within
from warden.gateways.errors import translated
from warden.gateways.items import shortened
from warden.gateways.presence import unseen

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

    from warden.core.finding import Finding
    from warden.core.ticket import Ticket

LIMIT = 262_144
"""Bytes of message and attributes: "By default, a message can be at most 256 KiB in size" (Publish)."""
_TEXT = 60_000
"""Bytes of the text: the rest is for the object that each protocol of machines gets a copy of."""
_MACHINES = ("sqs", "lambda", "http", "https", "firehose", "email-json")


class SnsSink:
    """Publishes tickets to a topic; implements `ports.Notifier`."""

    def __init__(self, client: SNSClient, topic_arn: str, *, form: str = "text") -> None:
        self._client = client
        self._topic_arn = topic_arn
        self._form = form

    def notify(self, ticket: Ticket) -> None:
        """Publish it; raises TransientError where it should be tried again."""
        parameters = publication(ticket) if self._form == "text" else chat(ticket)
        with translated("sns:Publish"):
            self._client.publish(TopicArn=self._topic_arn, **parameters)

    def check(self) -> str:
        """See whether the topic is there; whether its policy and its key let us publish, only a message shows."""
        return unseen(
            "sns:GetTopicAttributes",
            lambda: self._client.get_topic_attributes(TopicArn=self._topic_arn),
            what=f"topic {self._topic_arn}",
            missing={"NotFound", "NotFoundException"},
        )


def publication(ticket: Ticket) -> dict[str, Any]:
    """The parameters of Publish, within SNS's limit: evidence is left out before anything else is."""
    return _publication(within(ticket, lambda candidate: _bytes(_publication(candidate)) <= LIMIT))


def _publication(ticket: Ticket) -> dict[str, Any]:
    short = fitted(ticket, lambda candidate: len(plain.text(candidate).encode()) <= _TEXT)
    text = plain.text(short)
    finding = shortened(
        ticket.finding, lambda candidate: _bytes(_parameters(_with(ticket, candidate), text)) <= LIMIT
    )
    return _parameters(_with(ticket, finding), text)


def chat(ticket: Ticket) -> dict[str, Any]:
    """The parameters of Publish of a custom notification, which chat applications show."""
    return _chat(within(ticket, lambda candidate: _bytes(_chat(candidate)) <= LIMIT))


def _chat(ticket: Ticket) -> dict[str, Any]:
    return {"Message": json.dumps(notification(ticket)), "MessageAttributes": _attributes(ticket)}


def _with(ticket: Ticket, finding: Finding) -> Ticket:
    return replace(ticket, findings=(finding, *ticket.findings[1:]))


def _parameters(ticket: Ticket, text: str) -> dict[str, Any]:
    body = json.dumps(document(ticket))
    # SNS takes no empty value, and a global cluster has no Region.
    region = ticket.region or "global"
    subject = plain.subject(ticket)
    message = {
        "default": text,
        # "140 ASCII characters" make one text message (Publish): a subject has 99 at most.
        "sms": f"{subject} ({ticket.account} {region})",
        **dict.fromkeys(_MACHINES, body),
    }
    return {
        "Subject": subject,
        "MessageStructure": "json",
        "Message": json.dumps(message),
        "MessageAttributes": _attributes(ticket),
    }


def _attributes(ticket: Ticket) -> dict[str, Any]:
    """What subscribers can filter by."""
    attributes = {
        "severity": ticket.severity,
        "state": ticket.state.value,
        "control": ticket.control or "several",
        "account": ticket.account,
        "region": ticket.region or "global",
    }
    return {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}


def _bytes(parameters: dict[str, Any]) -> int:
    """What SNS counts: "the combined size of the message body and message attributes"."""
    attributes = sum(
        len(name) + len(attribute["DataType"]) + len(attribute["StringValue"].encode())
        for name, attribute in parameters["MessageAttributes"].items()
    )
    return len(parameters["Message"].encode()) + attributes
