"""Lambda's event source mappings for SQS: what goes into one invocation, and what its answer means."""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from console.local.intrinsics import TemplateError, as_bool
from console.local.patterns import Matcher, compile_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from console.local.queues import LocalQueue, Message, Queues
    from console.local.template import LocalResource, LocalTemplate

PAYLOAD_LIMIT: Final = 6 * 1024 * 1024
SENDER_ID: Final = "AIDAEXAMPLESENDER1234"
_STRING: Final = b"\x01"
_BINARY: Final = b"\x02"


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingSettings:
    """An event source mapping's configuration, with Lambda's defaults for SQS."""

    logical_id: str
    function_id: str
    queue_arn: str
    enabled: bool = True
    batch_size: int = 10
    window: timedelta = timedelta()
    reports_failures: bool = False
    maximum_concurrency: int | None = None
    filters: tuple[Matcher, ...] = ()

    @classmethod
    def of(cls, resource: LocalResource, template: LocalTemplate) -> MappingSettings:
        """Read the settings of an AWS::Lambda::EventSourceMapping."""
        properties = resource.properties
        arn = properties.get("EventSourceArn", "")
        if ":sqs:" not in arn:
            raise TemplateError(f"{resource.logical_id}: the local AWS maps SQS queues only, not {arn!r}")
        function = template.function(properties.get("FunctionName", ""))
        if function is None:
            raise TemplateError(f"{resource.logical_id}: no function {properties.get('FunctionName')!r}")
        concurrency = properties.get("ScalingConfig", {}).get("MaximumConcurrency")
        filters = properties.get("FilterCriteria", {}).get("Filters", ())
        return cls(
            logical_id=resource.logical_id,
            function_id=function.logical_id,
            queue_arn=arn,
            enabled=as_bool(properties.get("Enabled", True)),
            batch_size=int(properties.get("BatchSize", 10)),
            window=timedelta(seconds=int(properties.get("MaximumBatchingWindowInSeconds", 0))),
            reports_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", ()),
            maximum_concurrency=None if concurrency is None else int(concurrency),
            filters=tuple(compile_pattern(json.loads(item["Pattern"])) for item in filters),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Messages that go to one invocation."""

    queue: LocalQueue
    messages: tuple[Message, ...]
    handles: tuple[str, ...]
    event: Mapping[str, Any]


@dataclass(slots=True)
class EventSourceMapping:
    """Lambda's poller between one queue and one function."""

    settings: MappingSettings
    queue: LocalQueue
    region: str
    _gathered: list[Message] = field(default_factory=list)
    _deadline: datetime | None = None

    def poll(self, now: datetime) -> Batch | None:
        """Take what is visible from the queue, and return a batch once it is full or its window is over."""
        if not self.settings.enabled:
            return None
        for message in self.queue.receive(self.settings.batch_size - len(self._gathered)):
            if self._passes(message):
                self._gathered.append(message)
            elif message.receipt_handle is not None:  # Lambda deletes what its filters reject
                self.queue.delete(message.receipt_handle)
        if not self._gathered:
            return None
        if self._deadline is None:
            self._deadline = now + self.settings.window
        if len(self._gathered) < self.settings.batch_size and now < self._deadline:
            return None
        return self._batch()

    def settle(self, batch: Batch, response: object) -> tuple[str, ...]:
        """Delete what a successful invocation has dealt with, and return the ids of the messages that failed.

        A failed message is not put back: its visibility timeout goes on and ends, as in SQS.
        """
        failed = self._failed(batch, response)
        for message, handle in zip(batch.messages, batch.handles, strict=True):
            if message.message_id not in failed:
                batch.queue.delete(handle)
        return failed

    def next_due(self, now: datetime) -> datetime | None:
        """Return when polling next makes sense, or None while nothing is coming."""
        if not self.settings.enabled:
            return None
        visible = self.queue.next_visible()
        if self._deadline is None or not self._gathered:
            return visible
        deadline = max(now, self._deadline)
        return deadline if visible is None else min(deadline, visible)

    def _batch(self) -> Batch:
        taken: list[Message] = []
        size = 0
        while self._gathered:
            size += len(self._gathered[0].body.encode())
            if taken and size > PAYLOAD_LIMIT:
                break
            taken.append(self._gathered.pop(0))
        if not self._gathered:
            self._deadline = None
        return Batch(
            queue=self.queue,
            messages=tuple(taken),
            handles=tuple(message.receipt_handle or "" for message in taken),
            event={"Records": [record(message, self.queue, self.region) for message in taken]},
        )

    def _failed(self, batch: Batch, response: object) -> tuple[str, ...]:
        """Read `batchItemFailures`; an answer that Lambda cannot read fails the whole batch."""
        everything = tuple(message.message_id for message in batch.messages)
        if not self.settings.reports_failures or response in (None, {}):
            return ()
        failures = response.get("batchItemFailures", ()) if isinstance(response, dict) else None
        if failures is None and isinstance(response, dict):
            return ()
        if not isinstance(failures, (list, tuple)):
            return everything
        failed: list[str] = []
        for item in failures:
            identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
            if identifier not in everything:
                return everything
            failed.append(identifier)
        return tuple(failed)

    def _passes(self, message: Message) -> bool:
        if not self.settings.filters:
            return True
        seen = record(message, self.queue, self.region)
        with suppress(ValueError):  # a body that is no JSON is matched as the text it is
            seen["body"] = json.loads(message.body)
        return any(matcher.matches(seen) for matcher in self.settings.filters)


def event_source_mappings(template: LocalTemplate, queues: Queues) -> tuple[EventSourceMapping, ...]:
    """Build the mappings of a template."""
    mappings = []
    for resource in template.of_type("AWS::Lambda::EventSourceMapping"):
        settings = MappingSettings.of(resource, template)
        queue = queues.get(settings.queue_arn)
        if queue is None:
            raise TemplateError(f"{resource.logical_id}: no queue {settings.queue_arn}")
        mappings.append(EventSourceMapping(settings, queue, template.region))
    return tuple(mappings)


def record(message: Message, queue: LocalQueue, region: str) -> dict[str, Any]:
    """Return a message as one of the records in a function's event."""
    found = {
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": _system_attributes(message),
        "messageAttributes": {name: _attribute(value) for name, value in message.attributes.items()},
        "md5OfBody": message.md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.settings.arn,
        "awsRegion": region,
    }
    if message.attributes:
        found["md5OfMessageAttributes"] = _attributes_md5(message.attributes)
    return found


def _system_attributes(message: Message) -> dict[str, str]:
    present = {
        "ApproximateReceiveCount": str(message.receive_count),
        "SentTimestamp": _milliseconds(message.sent_at),
        "SenderId": SENDER_ID,
        "ApproximateFirstReceiveTimestamp": _milliseconds(message.first_received_at or message.sent_at),
        "MessageGroupId": message.group_id,
        "MessageDeduplicationId": message.deduplication_id,
        "SequenceNumber": message.sequence_number,
        "AWSTraceHeader": message.trace_header,
        "DeadLetterQueueSourceArn": message.dead_letter_source_arn,
    }
    return {name: value for name, value in present.items() if value is not None}


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message attribute in the spelling of Lambda's event, which differs from that of SQS's API."""
    found: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        found["stringValue"] = value["StringValue"]
    else:
        found["binaryValue"] = base64.b64encode(_bytes(value["BinaryValue"])).decode()
    return found


def _attributes_md5(attributes: Mapping[str, Mapping[str, Any]]) -> str:
    """Return SQS's digest: every name, type and value after its length, in the order of the names."""
    digest = hashlib.md5(usedforsecurity=False)
    for name, value in sorted(attributes.items()):
        for part in (name.encode(), str(value["DataType"]).encode()):
            digest.update(len(part).to_bytes(4, "big") + part)
        transport, content = (
            (_STRING, str(value["StringValue"]).encode())
            if "StringValue" in value
            else (_BINARY, _bytes(value["BinaryValue"]))
        )
        digest.update(transport + len(content).to_bytes(4, "big") + content)
    return digest.hexdigest()


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def _milliseconds(instant: datetime) -> str:
    return str(int(instant.timestamp() * 1000))
