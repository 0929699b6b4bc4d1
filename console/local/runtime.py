"""The stack at work: events come onto the bus, messages go through the queues, handlers run, time passes.

It runs one invocation at a time and, when nothing is left to do now, moves the clock to the next instant at which
something is: an hour of delays and retries takes no time at all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from console.local.asynchronous import AsynchronousInvocations
from console.local.bus import Bus, JournalEntry
from console.local.deliveries import Courier
from console.local.deployment import problems
from console.local.infrastructure import create_infrastructure, drain_moto_queue
from console.local.intrinsics import TemplateError
from console.local.mappings import event_source_mappings
from console.local.queues import Queues
from console.local.schedule import Scheduler, ScheduleRun

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from mypy_boto3_sqs import SQSClient

    from console.local.clock import MovableClock
    from console.local.template import LocalTemplate

    Invoke = Callable[[str, dict[str, Any]], object]

__all__ = ["Invocation", "LocalRuntime", "RunawayError", "create_infrastructure", "drain_moto_queue"]


class RunawayError(RuntimeError):
    """The handlers keep each other busy without end; AWS would let them, and bill for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One run of a handler; `source` is the ARN of the queue, "asynchronous" or "direct"."""

    at: datetime
    function: str
    source: str
    event: Mapping[str, Any]
    response: object = None
    error: Exception | None = None
    failed_messages: tuple[str, ...] = ()


class LocalRuntime:
    """A deployed stack on a movable clock, with the caller's handlers in its functions."""

    def __init__(
        self,
        template: LocalTemplate,
        clock: MovableClock,
        invoke: Invoke,
        *,
        sqs: SQSClient | None = None,
        client: Callable[[str], Any] | None = None,
    ) -> None:
        """Deploy the template, or refuse it.

        `sqs` is the client to moto in which the handlers' messages arrive; `client` gives one for any service, with
        which schedules make calls of their own.
        """
        self.template = template
        self.clock = clock
        self.queues = Queues.of(template, clock)
        self.asynchronous = AsynchronousInvocations(template, self.queues, clock)
        courier = Courier(template, self.queues, self.asynchronous.submit, client)
        self.bus = Bus(template, courier, clock)
        self.scheduler = Scheduler(template, courier, self.bus, deployed_at=clock.now())
        self.mappings = event_source_mappings(template, self.queues)
        self.invocations: list[Invocation] = []
        self._invoke = invoke
        self._sqs = sqs
        found = problems(template, self.queues, self.bus, self.mappings)
        if found:
            raise TemplateError(f"the stack cannot be deployed: {'; '.join(found)}")

    def put(self, event: Mapping[str, Any]) -> JournalEntry:
        """Put an event onto the default bus."""
        return self.bus.put(event)

    def call(self, function: str, event: Mapping[str, Any]) -> Invocation:
        """Run one function at once with an event of the caller's, as a manual invoke does."""
        found = self.template.function(function)
        if found is None:
            raise TemplateError(f"no function {function!r}")
        return self._run(found.logical_id, event, source="direct")

    def run_schedule(self, logical_id: str) -> ScheduleRun:
        """Run a schedule now, out of turn; its target runs with the next step."""
        return self.scheduler.run(logical_id, self.clock.now())

    def step(self) -> Invocation | None:
        """Do the next thing that is due now; None if nothing is left to do at this instant."""
        self._collect()
        now = self.clock.now()
        while self.scheduler.run_next(now) is not None:
            pass
        pending = self.asynchronous.take(now)
        if pending is not None:
            invocation = self._run(pending.function_id, json.loads(pending.payload), source="asynchronous")
            if invocation.error is not None:
                self.asynchronous.fail(pending, invocation.error)
            return invocation
        for mapping in self.mappings:
            batch = mapping.poll(now)
            if batch is not None:
                return self._run(
                    mapping.settings.function_id,
                    batch.event,
                    source=mapping.settings.queue_arn,
                    settle=partial(mapping.settle, batch),
                )
        return None

    def run_until_idle(
        self, *, max_time: timedelta = timedelta(hours=1), max_invocations: int = 1_000
    ) -> list[Invocation]:
        """Work until no message and no retry is left, or until so much time has passed.

        A schedule keeps no stack busy, so none is waited for; those that fall due on the way do run.
        """
        return self._work(self.clock.now() + max_time, max_invocations, wait_for_schedules=False)

    def advance(self, seconds: float, *, max_invocations: int = 10_000) -> list[Invocation]:
        """Let time pass, doing whatever falls due in it, schedules included."""
        until = self.clock.now() + timedelta(seconds=seconds)
        done = self._work(until, max_invocations, wait_for_schedules=True)
        self.clock.move_to(max(until, self.clock.now()))
        return done

    def next_due(self, *, schedules: bool = True) -> datetime | None:
        """Return the next instant at which there is something to do, which may be now."""
        now = self.clock.now()
        instants = [mapping.next_due(now) for mapping in self.mappings]
        instants.append(self.asynchronous.next_due())
        if schedules:
            instants.append(self.scheduler.next_due())
        return min((max(instant, now) for instant in instants if instant is not None), default=None)

    def _work(self, until: datetime, limit: int, *, wait_for_schedules: bool) -> list[Invocation]:
        done: list[Invocation] = []
        while True:
            invocation = self.step()
            if invocation is not None:
                done.append(invocation)
                if len(done) > limit:
                    raise RunawayError(f"{limit} invocations and no end, the last of {invocation.function}")
                continue
            due = self.next_due(schedules=wait_for_schedules)
            if due is None or due > until:
                return done
            scheduled = self.scheduler.next_due()
            self.clock.move_to(due if scheduled is None else max(self.clock.now(), min(due, scheduled)))

    def _run(
        self,
        function_id: str,
        event: Mapping[str, Any],
        *,
        source: str,
        settle: Callable[[object], tuple[str, ...]] | None = None,
    ) -> Invocation:
        at = self.clock.now()
        response: object = None
        failure: Exception | None = None
        failed: tuple[str, ...] = ()
        try:
            response = self._invoke(function_id, json.loads(json.dumps(event)))
            json.dumps(response)  # Lambda fails a function whose answer is no JSON
        except Exception as error:  # noqa: BLE001 — whatever a handler raises fails its invocation, and that alone
            failure = error
        if failure is None:
            failed = settle(response) if settle is not None else ()
        else:
            failed = tuple(item["messageId"] for item in event.get("Records", ()) if "messageId" in item)
        self._collect()
        invocation = Invocation(
            at=at,
            function=function_id,
            source=source,
            event=event,
            response=response,
            error=failure,
            failed_messages=failed,
        )
        self.invocations.append(invocation)
        return invocation

    def _collect(self) -> None:
        """Move what handlers have sent through boto3 from moto's queues into the model."""
        if self._sqs is None:
            return
        for queue in self.queues:
            for message in drain_moto_queue(self._sqs, queue.settings.url):
                queue.send(
                    message.body,
                    delay_seconds=message.delay_seconds,
                    attributes=message.attributes,
                    group_id=message.group_id,
                    deduplication_id=message.deduplication_id,
                    message_id=message.message_id,
                    trace_header=message.trace_header,
                )
