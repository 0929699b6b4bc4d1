"""Lambda's asynchronous invocations: two retries, then a destination or a dead-letter queue."""

from __future__ import annotations

import heapq
import json
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from console.local.deliveries import text_attributes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from console.local.queues import Queues
    from console.local.template import LocalFunction, LocalTemplate

_WAITS: Final = (timedelta(minutes=1), timedelta(minutes=2))


@dataclass(order=True, frozen=True, slots=True, kw_only=True)
class PendingInvocation:
    """An event that Lambda has accepted and will hand to a function when it is due."""

    due: datetime
    sequence: int
    function_id: str = field(compare=False)
    payload: str = field(compare=False)
    accepted_at: datetime = field(compare=False)
    request_id: str = field(compare=False)
    attempt: int = field(compare=False, default=1)


class AsynchronousInvocations:
    """Everything accepted and not yet done, and what becomes of what keeps failing."""

    def __init__(self, template: LocalTemplate, queues: Queues, clock: Callable[[], datetime]) -> None:
        self.discarded: list[PendingInvocation] = []
        self._template = template
        self._queues = queues
        self._clock = clock
        self._pending: list[PendingInvocation] = []
        self._sequence = 0
        self._settings = dict(_settings(template))

    def __len__(self) -> int:
        return len(self._pending)

    def submit(self, function_id: str, payload: str) -> None:
        """Accept an event for a function; it is due at once."""
        now = self._clock()
        request_id = str(uuid.uuid4())
        self._push(function_id=function_id, payload=payload, accepted_at=now, request_id=request_id, due=now)

    def next_due(self) -> datetime | None:
        """Return when the next invocation is due."""
        return self._pending[0].due if self._pending else None

    def take(self, now: datetime) -> PendingInvocation | None:
        """Return the next invocation if it is due."""
        return heapq.heappop(self._pending) if self._pending and self._pending[0].due <= now else None

    def fail(self, invocation: PendingInvocation, error: Exception) -> None:
        """Try a failed invocation again later or, after the last attempt, give it up."""
        settings = self._settings.get(invocation.function_id, {})
        retries = int(settings.get("MaximumRetryAttempts", len(_WAITS)))
        if invocation.attempt > retries:
            self._give_up(invocation, error, "RetriesExhausted")
            return
        due = self._clock() + _WAITS[invocation.attempt - 1]
        if due - invocation.accepted_at > timedelta(
            seconds=int(settings.get("MaximumEventAgeInSeconds", 21_600))
        ):
            self._give_up(invocation, error, "EventAgeExceeded")
            return
        self._push(
            function_id=invocation.function_id,
            payload=invocation.payload,
            accepted_at=invocation.accepted_at,
            request_id=invocation.request_id,
            due=due,
            attempt=invocation.attempt + 1,
        )

    def _push(self, **fields: Any) -> None:
        self._sequence += 1
        heapq.heappush(self._pending, PendingInvocation(sequence=self._sequence, **fields))

    def _give_up(self, invocation: PendingInvocation, error: Exception, condition: str) -> None:
        self.discarded.append(invocation)
        function = self._template.functions[invocation.function_id]
        destination = self._settings.get(invocation.function_id, {}).get("DestinationConfig", {})
        self._send(
            function,
            destination.get("OnFailure", {}).get("Destination"),
            json.dumps(self._destination_record(function, invocation, error, condition)),
        )
        attributes = {
            "RequestID": invocation.request_id,
            "ErrorCode": "200",
            "ErrorMessage": str(error)[:1024],
        }
        self._send(function, function.dead_letter_arn, invocation.payload, attributes)

    def _send(
        self, function: LocalFunction, arn: str | None, body: str, attributes: Mapping[str, str] | None = None
    ) -> None:
        queue = None if arn is None else self._queues.get(arn)
        role = self._template.role(function.role_arn)
        if queue is not None and (role is None or role.allows("sqs:SendMessage", queue.settings.arn)):
            queue.send(body, attributes=text_attributes(attributes or {}))

    def _destination_record(
        self, function: LocalFunction, invocation: PendingInvocation, error: Exception, condition: str
    ) -> dict[str, Any]:
        return {
            "version": "1.0",
            "timestamp": self._clock().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "requestContext": {
                "requestId": invocation.request_id,
                "functionArn": f"{function.arn}:$LATEST",
                "condition": condition,
                "approximateInvokeCount": invocation.attempt,
            },
            "requestPayload": json.loads(invocation.payload),
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            },
            "responsePayload": {"errorMessage": str(error), "errorType": type(error).__name__},
        }


def _settings(template: LocalTemplate) -> list[tuple[str, Mapping[str, Any]]]:
    found = []
    for resource in template.of_type("AWS::Lambda::EventInvokeConfig"):
        function = template.function(resource.properties["FunctionName"])
        if function is not None:
            found.append((function.logical_id, resource.properties))
    return found
