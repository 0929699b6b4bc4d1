"""The queues between the steps, in SQS."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from warden.core.errors import ConfigurationError
from warden.gateways.errors import translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sqs import SQSClient

    from warden.core.messages import RemediationMessage, TicketMessage, UndoMessage

TRIGGERS_VARIABLE = "WARDEN_TRIGGERS_QUEUE_URL"
REMEDIATIONS_VARIABLE = "WARDEN_REMEDIATIONS_QUEUE_URL"
TICKETS_VARIABLE = "WARDEN_TICKETS_QUEUE_URL"


class SqsQueues:
    """Sends to the queues; implements `ports.Queues`. A function is given the addresses of those that it feeds."""

    def __init__(
        self, client: SQSClient, *, triggers_url: str = "", remediations_url: str = "", tickets_url: str = ""
    ) -> None:
        self._client = client
        self._triggers_url = triggers_url
        self._remediations_url = remediations_url
        self._tickets_url = tickets_url

    def remediate(self, message: RemediationMessage | UndoMessage, *, deduplication_id: str) -> None:
        """To the remediations queue, in the resource's message group.

        SQS drops a message whose deduplication id it has seen within five minutes. The id is hashed, so that any
        text will do (SQS takes 128 characters of ASCII).
        """
        self._send(
            self._remediations_url,
            REMEDIATIONS_VARIABLE,
            message.encode(),
            MessageGroupId=message.group,
            MessageDeduplicationId=hashlib.sha256(deduplication_id.encode()).hexdigest(),
        )

    def ticket(self, message: TicketMessage) -> None:
        """To the tickets queue."""
        self._send(self._tickets_url, TICKETS_VARIABLE, message.encode())

    def trigger(self, body: Mapping[str, Any]) -> None:
        """To the triggers queue, as a hand-made event."""
        self._send(self._triggers_url, TRIGGERS_VARIABLE, json.dumps(dict(body)))

    def _send(self, url: str, variable: str, body: str, **parameters: Any) -> None:
        if not url:
            msg = f"{variable} is not set: this function was not meant to send to that queue; set it in template.yaml"
            raise ConfigurationError(msg)
        with translated("sqs:SendMessage"):
            self._client.send_message(QueueUrl=url, MessageBody=body, **parameters)
