"""SQS as consumers see it: delays, visibility, redrive, retention, and FIFO's order and deduplication.

The queues live on the local clock. A message that nobody may see yet takes no time to wait for: a runtime
asks `next_visible` and moves the clock there.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from console.local.intrinsics import TemplateError, as_bool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from console.local.template import LocalResource, LocalTemplate

DEDUPLICATION_INTERVAL: Final = timedelta(minutes=5)
MAXIMUM_MESSAGE_SIZE: Final = 1_048_576
MAXIMUM_DELAY: Final = 900
_ID: Final = re.compile(r"[!-~]{1,128}")


class QueueError(ValueError):
    """A request that SQS would refuse, with SQS's error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """A queue's attributes, with SQS's defaults."""

    name: str
    arn: str
    url: str
    logical_id: str = ""
    fifo: bool = False
    delay_seconds: int = 0
    visibility_timeout: int = 30
    retention_period: int = 345_600
    maximum_message_size: int = MAXIMUM_MESSAGE_SIZE
    content_based_deduplication: bool = False
    deduplicates_per_group: bool = False
    dead_letter_arn: str | None = None
    max_receive_count: int = 0
    kms_key: str | None = None

    @classmethod
    def of(cls, resource: LocalResource) -> QueueSettings:
        """Read the settings of an AWS::SQS::Queue."""
        properties = resource.properties
        redrive = properties.get("RedrivePolicy", {})
        redrive = json.loads(redrive) if isinstance(redrive, str) else redrive
        return cls(
            name=resource.name,
            arn=resource.arn,
            url=resource.ref,
            logical_id=resource.logical_id,
            fifo=as_bool(properties.get("FifoQueue", False)),
            delay_seconds=int(properties.get("DelaySeconds", 0)),
            visibility_timeout=int(properties.get("VisibilityTimeout", 30)),
            retention_period=int(properties.get("MessageRetentionPeriod", 345_600)),
            maximum_message_size=int(properties.get("MaximumMessageSize", MAXIMUM_MESSAGE_SIZE)),
            content_based_deduplication=as_bool(properties.get("ContentBasedDeduplication", False)),
            deduplicates_per_group=properties.get("DeduplicationScope") == "messageGroup",
            dead_letter_arn=redrive.get("deadLetterTargetArn"),
            max_receive_count=int(redrive.get("maxReceiveCount", 10)) if redrive else 0,
            kms_key=properties.get("KmsMasterKeyId"),
        )


@dataclass(slots=True, kw_only=True)
class Message:
    """A message in a queue; message attributes are in the shape of the SQS API."""

    message_id: str
    body: str
    sent_at: datetime
    visible_at: datetime
    kept_since: datetime
    group_id: str | None = None
    deduplication_id: str | None = None
    sequence_number: str | None = None
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    trace_header: str | None = None
    receive_count: int = 0
    first_received_at: datetime | None = None
    receipt_handle: str | None = None
    dead_letter_source_arn: str | None = None

    @property
    def md5(self) -> str:
        """Return the digest that SQS gives for the body."""
        return hashlib.md5(self.body.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """SQS's answer to a send; a duplicate got the id of the message that it duplicates."""

    message_id: str
    sequence_number: str | None
    duplicate: bool = False


class LocalQueue:
    """One queue; every method acts at the present of the clock that it was given."""

    def __init__(self, settings: QueueSettings, clock: Callable[[], datetime]) -> None:
        self.settings = settings
        self.dead_letter_queue: LocalQueue | None = None
        self._clock = clock
        self._messages: list[Message] = []
        self._seen: dict[tuple[str | None, str], tuple[datetime, Sent]] = {}
        self._sequence = 0

    def __repr__(self) -> str:
        return f"LocalQueue({self.settings.name}, {len(self._messages)} messages)"

    @property
    def messages(self) -> tuple[Message, ...]:
        """Return everything in the queue, in order of arrival: visible, delayed and in flight."""
        self._expire()
        return tuple(self._messages)

    @property
    def bodies(self) -> tuple[Any, ...]:
        """Return the bodies of all messages, parsed as JSON."""
        return tuple(json.loads(message.body) for message in self.messages)

    @property
    def visible(self) -> int:
        """Return ApproximateNumberOfMessages."""
        now = self._clock()
        return sum(message.visible_at <= now for message in self.messages)

    @property
    def in_flight(self) -> int:
        """Return ApproximateNumberOfMessagesNotVisible."""
        now = self._clock()
        return sum(message.visible_at > now and message.receive_count > 0 for message in self.messages)

    @property
    def delayed(self) -> int:
        """Return ApproximateNumberOfMessagesDelayed."""
        return len(self.messages) - self.visible - self.in_flight

    def send(
        self,
        body: str,
        *,
        delay_seconds: int | None = None,
        attributes: Mapping[str, Mapping[str, Any]] | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,
        message_id: str | None = None,
        trace_header: str | None = None,
    ) -> Sent:
        """Put a message into the queue, or refuse it as SendMessage would."""
        attributes = attributes or {}
        self._check(body, attributes, delay_seconds)
        deduplication_id = self._check_ids(body, group_id, deduplication_id)
        now = self._clock()
        if deduplication_id is not None:
            earlier = self._duplicated(group_id, deduplication_id, now)
            if earlier is not None:
                return earlier
        self._sequence += 1
        sent = Sent(
            message_id=message_id or str(uuid.uuid4()),
            sequence_number=f"{self._sequence:020}" if self.settings.fifo else None,
        )
        delay = self.settings.delay_seconds if delay_seconds is None else delay_seconds
        self._messages.append(
            Message(
                message_id=sent.message_id,
                body=body,
                sent_at=now,
                visible_at=now + timedelta(seconds=delay),
                kept_since=now,
                group_id=group_id,
                deduplication_id=deduplication_id,
                sequence_number=sent.sequence_number,
                attributes=attributes,
                trace_header=trace_header,
            )
        )
        if deduplication_id is not None:
            self._seen[self._scope(group_id), deduplication_id] = (now, sent)
        return sent

    def receive(self, limit: int, *, visibility_timeout: int | None = None) -> list[Message]:
        """Hand out visible messages; one received too often already goes to the dead-letter queue instead."""
        self._expire()
        now = self._clock()
        timeout = self.settings.visibility_timeout if visibility_timeout is None else visibility_timeout
        received: list[Message] = []
        for message in list(self._receivable(now)):
            if len(received) == limit:
                break
            if self._is_exhausted(message):
                self._bury(message, now)
                continue
            message.receive_count += 1
            message.first_received_at = message.first_received_at or now
            message.receipt_handle = str(uuid.uuid4())
            message.visible_at = now + timedelta(seconds=timeout)
            received.append(message)
        return received

    def delete(self, receipt_handle: str) -> bool:
        """Delete what was received under a handle; False if it is no longer current or, in FIFO, expired."""
        message = self._held(receipt_handle)
        if message is None or (self.settings.fifo and message.visible_at <= self._clock()):
            return False
        self._messages.remove(message)
        return True

    def change_visibility(self, receipt_handle: str, seconds: int) -> bool:
        """Let a message become visible so many seconds from now; False if the handle is not current."""
        message = self._held(receipt_handle)
        if message is None or message.visible_at <= self._clock():
            return False
        message.visible_at = self._clock() + timedelta(seconds=seconds)
        return True

    def purge(self) -> None:
        """Delete every message."""
        self._messages.clear()

    def next_visible(self) -> datetime | None:
        """Return when a message can next be received, which may be now; None if nothing is coming."""
        self._expire()
        now = self._clock()
        if next(self._receivable(now), None) is not None:
            return now
        return min(
            (message.visible_at for message in self._messages if message.visible_at > now), default=None
        )

    def _receivable(self, now: datetime) -> Iterator[Message]:
        """Yield what may be received; in FIFO a message that may not be holds back its group."""
        blocked: set[str | None] = set()
        for message in self._messages:
            if message.visible_at > now:
                blocked.add(message.group_id)
            elif not (self.settings.fifo and message.group_id in blocked):
                yield message

    def _is_exhausted(self, message: Message) -> bool:
        return self.dead_letter_queue is not None and message.receive_count >= self.settings.max_receive_count

    def _bury(self, message: Message, now: datetime) -> None:
        self._messages.remove(message)
        message.visible_at = now
        message.receipt_handle = None
        message.dead_letter_source_arn = self.settings.arn
        if (
            self.settings.fifo
        ):  # SQS: retention starts again in a FIFO dead-letter queue, and goes on in a standard one
            message.kept_since = now
        if self.dead_letter_queue is not None:
            self.dead_letter_queue._messages.append(message)  # noqa: SLF001 — a move keeps id, count and time

    def _held(self, receipt_handle: str) -> Message | None:
        return next((message for message in self._messages if message.receipt_handle == receipt_handle), None)

    def _expire(self) -> None:
        oldest = self._clock() - timedelta(seconds=self.settings.retention_period)
        self._messages = [message for message in self._messages if message.kept_since > oldest]

    def _scope(self, group_id: str | None) -> str | None:
        return group_id if self.settings.deduplicates_per_group else None

    def _duplicated(self, group_id: str | None, deduplication_id: str, now: datetime) -> Sent | None:
        """Return the answer to an earlier send of the same id, be its message deleted or not."""
        first_sent, sent = self._seen.get((self._scope(group_id), deduplication_id), (None, None))
        if first_sent is None or sent is None or now - first_sent >= DEDUPLICATION_INTERVAL:
            return None
        return Sent(message_id=sent.message_id, sequence_number=sent.sequence_number, duplicate=True)

    def _check(self, body: str, attributes: Mapping[str, Mapping[str, Any]], delay: int | None) -> None:
        if not body:
            raise QueueError("MissingParameter", "The request must contain the parameter MessageBody.")
        size = len(body.encode()) + sum(map(_attribute_size, attributes, attributes.values()))
        if size > self.settings.maximum_message_size:
            limit = self.settings.maximum_message_size
            raise QueueError("InvalidParameterValue", f"Message must be shorter than {limit} bytes.")
        if delay is None:
            return
        if self.settings.fifo:
            reason = "The request include parameter that is not valid for this queue type."
            raise QueueError("InvalidParameterValue", f"DelaySeconds {delay} is invalid. Reason: {reason}")
        if not 0 <= delay <= MAXIMUM_DELAY:
            raise QueueError("InvalidParameterValue", f"DelaySeconds {delay} must be >= 0 and <= 900.")

    def _check_ids(self, body: str, group_id: str | None, deduplication_id: str | None) -> str | None:
        """Return the id that applies: the one given, the body's digest, or none in a standard queue."""
        for name, value in (("MessageGroupId", group_id), ("MessageDeduplicationId", deduplication_id)):
            if value is not None and _ID.fullmatch(value) is None:
                raise QueueError("InvalidParameterValue", f"{name} {value!r} is invalid.")
        if not self.settings.fifo:
            if deduplication_id is not None:
                reason = "The request include parameter that is not valid for this queue type"
                raise QueueError(
                    "InvalidParameterValue", f"MessageDeduplicationId is invalid. Reason: {reason}"
                )
            return None
        if group_id is None:
            raise QueueError("MissingParameter", "The request must contain the parameter MessageGroupId.")
        if deduplication_id is None and not self.settings.content_based_deduplication:
            raise QueueError(
                "InvalidParameterValue",
                "The queue should either have ContentBasedDeduplication enabled or"
                " MessageDeduplicationId provided explicitly",
            )
        return deduplication_id or hashlib.sha256(body.encode()).hexdigest()


class Queues:
    """All queues of a stack by ARN, URL, name or logical id, joined to their dead-letter queues."""

    def __init__(self, settings: Iterable[QueueSettings], clock: Callable[[], datetime]) -> None:
        self._queues = {item.arn: LocalQueue(item, clock) for item in settings}
        self._arns: dict[str, str] = {}
        for arn, queue in self._queues.items():
            self._arns |= dict.fromkeys(
                (arn, queue.settings.url, queue.settings.name, queue.settings.logical_id), arn
            )
            dead_letter_arn = queue.settings.dead_letter_arn
            if dead_letter_arn is not None:
                if dead_letter_arn not in self._queues:
                    raise TemplateError(f"{queue.settings.name}: no dead-letter queue {dead_letter_arn}")
                queue.dead_letter_queue = self._queues[dead_letter_arn]

    @classmethod
    def of(cls, template: LocalTemplate, clock: Callable[[], datetime]) -> Queues:
        """Build the queues of a template."""
        return cls(map(QueueSettings.of, template.of_type("AWS::SQS::Queue")), clock)

    def __iter__(self) -> Iterator[LocalQueue]:
        return iter(self._queues.values())

    def __len__(self) -> int:
        return len(self._queues)

    def __getitem__(self, reference: str) -> LocalQueue:
        return self._queues[self._arns[reference]]

    def __contains__(self, reference: object) -> bool:
        return reference in self._arns

    def get(self, reference: str) -> LocalQueue | None:
        """Return a queue, or None if the stack has no such queue."""
        arn = self._arns.get(reference)
        return None if arn is None else self._queues[arn]


def _attribute_size(name: str, value: Mapping[str, Any]) -> int:
    content = value.get("StringValue", value.get("BinaryValue", ""))
    return (
        len(name.encode())
        + len(value["DataType"])
        + len(content if isinstance(content, bytes) else content.encode())
    )
