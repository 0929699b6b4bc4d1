"""What a Lambda function is handed: an SQS batch, or one bare event; and what it answers."""

from __future__ import annotations

import json
from dataclasses import field
from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass
from warden.core.errors import MalformedEventError
from warden.core.trigger import Ignored, Trigger, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime


@dataclass(slots=True)
class Intake:
    """A batch, read: each trigger with the message that it came in."""

    triggers: list[tuple[str, Trigger]] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)
    malformed: list[tuple[str, MalformedEventError]] = field(default_factory=list)

    def message_of(self, trigger: Trigger) -> Iterator[str]:
        """The messages that brought a trigger."""
        return (message for message, brought in self.triggers if brought is trigger)


def is_batch(event: object) -> bool:
    """Whether the event is an SQS batch."""
    return isinstance(event, dict) and isinstance(event.get("Records"), list)


def is_from(event: Mapping[str, Any], queue: str) -> bool:
    """Whether the event is a batch of the queue with this ARN: a batch is of one queue."""
    return is_batch(event) and any(record.get("eventSourceARN") == queue for record in event["Records"])


def messages(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The id and the body of each message of an SQS batch."""
    for record in event["Records"]:
        yield str(record["messageId"]), record["body"]


def read(event: Mapping[str, Any], *, received_at: datetime) -> Intake:
    """Parse every event of a batch; one that cannot be read fails alone.

    A bare event that cannot be read raises MalformedEventError: whoever invoked by hand sees why.
    """
    intake = Intake()
    if not is_batch(event):
        _add(intake, "", event, received_at)
        return intake
    for message, body in messages(event):
        try:
            _add(intake, message, _decode(body), received_at)
        except MalformedEventError as error:
            intake.malformed.append((message, error))
        except Exception as bug:  # noqa: BLE001 - a reader's bug must not take its batch with it
            why = f"the event could not be read: {type(bug).__name__}: {bug}"
            intake.malformed.append((message, MalformedEventError(why)))
    return intake


def _decode(body: str) -> object:
    try:
        return json.loads(body)
    except (TypeError, ValueError) as error:
        msg = f"the message's body is not JSON: {error}"
        raise MalformedEventError(msg) from None


def _add(intake: Intake, message: str, event: object, received_at: datetime) -> None:
    for parsed in parse(event, received_at=received_at):
        if isinstance(parsed, Ignored):
            intake.ignored.append(parsed)
        else:
            intake.triggers.append((message, parsed))


def failures(ids: set[str]) -> dict[str, list[dict[str, str]]]:
    """SQS's partial batch response: only these messages are delivered again."""
    return {"batchItemFailures": [{"itemIdentifier": message} for message in sorted(ids)]}


def each(
    event: Mapping[str, Any], handle: Callable[[str], None]
) -> tuple[dict[str, list[dict[str, str]]], list[Exception]]:
    """Handle the messages of a batch one by one; returns the partial batch response and what went wrong.

    A bug of ours (any other exception) fails its own message too, so that it ends in the dead letter queue.
    """
    failed: set[str] = set()
    errors: list[Exception] = []
    for message, body in messages(event):
        try:
            handle(body)
        except Exception as error:  # noqa: BLE001 - one message that fails must not take its batch with it
            failed.add(message)
            errors.append(error)
    return failures(failed), errors
