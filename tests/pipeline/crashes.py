"""A deployment whose processes die, or whose ports fail, at any call that you choose; and what must hold after all."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from pipeline.world import OWN_ROLE
from warden.core.errors import TransientError
from warden.core.ledger import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.world import World
    from warden.core.messages import RemediationMessage, TicketMessage

_VISIBILITY = 780
"""Seconds after which a message that was not deleted is seen again, the longest of template.yaml."""
_CLUSTER = "arn:aws:rds:eu-west-1:123456789012:cluster:"
_RECEIVES = 3
"""How often a message is delivered before it goes to its dead letter queue, the fewest of template.yaml."""


class Crash(BaseException):
    """The process is killed: nothing of it runs any more, not even what cleans up."""


class Faults:
    """Counts every call of every port, and lets the n-th go wrong: once."""

    def __init__(self, at: int | None = None, *, when: str = "before", how: str = "kill") -> None:
        self.at = at
        self.when = when
        self.how = how
        self.calls = 0
        self.names: list[str] = []
        self.dead = False
        self.active = True

    def wrap(self, name: str, port: Any) -> Any:
        return _Proxy(self, name, port)

    def restart(self) -> None:
        """A new process."""
        self.dead = False

    def call(self, name: str, method: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if not self.active:
            return method(*args, **kwargs)
        if self.dead:
            raise Crash
        number, self.calls = self.calls, self.calls + 1
        self.names.append(name)
        if number == self.at and self.when == "before":
            self._fail(name)
        answer = method(*args, **kwargs)
        if number == self.at and self.when == "after":
            self._fail(name)
        return self._each(name, answer) if isinstance(answer, GeneratorType) else answer

    def _each(self, name: str, rows: Iterator[Any]) -> Iterator[Any]:
        """A page of a list can fail as well as its beginning."""
        while True:
            try:
                row = self.call(name, rows.__next__, (), {})
            except StopIteration:
                return
            yield row

    def _fail(self, name: str) -> None:
        if self.how == "kill":
            self.dead = True
            raise Crash(name)
        msg = f"{name}: the connection was lost"
        raise TransientError(msg)


class _Proxy:
    def __init__(self, faults: Faults, name: str, port: Any) -> None:
        self._faults = faults
        self._name = name
        self._port = port

    def __getattr__(self, method: str) -> Any:
        attribute = getattr(self._port, method)
        if not callable(attribute):
            return attribute
        name = f"{self._name}.{method}"
        return lambda *args, **kwargs: self._faults.call(name, attribute, args, kwargs)


class Deployment:
    """Runs the queues of a world to their end: what fails is delivered again, in a new process, later.

    `eager`: a message is handled at the very moment at which it is sent, before its sender goes on; else only when
    its sender is done. `echo`: whether AWS delivers the events of our own writes.
    """

    def __init__(self, world: World, faults: Faults, *, eager: bool = False, echo: bool = True) -> None:
        self.world = world
        self.faults = faults
        self.echo = echo
        self._echoed = 0
        self._nested = False
        self._receives: Counter[str] = Counter()
        world.wrap = self._wrap
        if eager:
            self._deliver_at_once()

    def _wrap(self, name: str, port: Any) -> Any:
        port = self.faults.wrap(name, port)
        return _Witness(port, self.world) if name == "writer" else port

    def _deliver_at_once(self) -> None:
        queues = self.world.queues
        send_ticket, send_remediation = queues.ticket, queues.remediate

        def ticket(message: Any) -> None:
            send_ticket(message)
            self._in_another_process(queues.tickets, self.world.ticketer.handle)

        def remediate(message: Any, *, deduplication_id: str) -> None:
            send_remediation(message, deduplication_id=deduplication_id)
            self._in_another_process(queues.remediations, self.world.remediator.handle)

        queues.ticket, queues.remediate = ticket, remediate

    def _in_another_process(self, queue: list[Any], handle: Callable[[Any], Any]) -> None:
        """Another process, whose death is not the sender's."""
        if queue and not self._nested:
            self._nested = True
            message = queue.pop()
            try:
                handle(message)
            except (Crash, TransientError):
                self.faults.restart()
                queue.append(message)
            finally:
                self._nested = False
            self._echo()

    def _echo(self) -> None:
        world = self.world
        for call in world.aws.calls[self._echoed :]:
            if self.echo:
                world.queues.trigger(
                    {
                        "resource": f"{_CLUSTER}{call.parameters['DBClusterIdentifier']}",
                        "cause": {
                            "source": "cloudtrail",
                            "event_name": call.operation,
                            "at": world.clock().isoformat(),
                            "principal": OWN_ROLE,
                        },
                    }
                )
        self._echoed = len(world.aws.calls)

    # --- running ------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Until every queue is empty and nothing waits; a deployment that never comes to rest fails."""
        world = self.world
        for _ in range(60):
            while world.queues.triggers or world.queues.remediations or world.queues.tickets:
                self._round()
            self._send_what_waits()
            rows = list(world.state._due.values())
            if not rows:
                return
            world.clock.now = max(world.clock.now, min(row.due_at for row in rows))
            self._guarded(world.waiting.look_again)
        msg = f"it never comes to rest: {rows}"
        raise AssertionError(msg)

    def _send_what_waits(self) -> None:
        """The schedule of tickets, until nothing is left in the outbox but reviews."""
        world = self.world
        for _ in range(60):
            waiting = [errand for (sink, _), errand in world.tickets.errands.items() if sink]
            if not waiting:
                return
            world.clock.advance(minutes=1)
            self._guarded(world.tick)
        msg = f"it is never told: {waiting}"
        raise AssertionError(msg)

    def _round(self) -> None:
        queues = self.world.queues
        bodies, queues.triggers[:] = list(queues.triggers), []
        if bodies and not self._guarded(lambda: self._evaluate(bodies)):
            self._again(queues.triggers, *bodies)
        for queue, handle in (
            (queues.remediations, self._remediate),
            (queues.tickets, self._tell),
        ):
            messages, queue[:] = list(queue), []
            for message in messages:
                if not self._guarded(functools.partial(handle, message)):
                    self._again(queue, message)
                self._echo()

    def _again(self, queue: list[Any], *messages: Any) -> None:
        for message in messages:
            self._receives[repr(message)] += 1
            assert self._receives[repr(message)] < _RECEIVES, f"to the dead letter queue: {message}"
            queue.append(message)

    def _remediate(self, message: RemediationMessage) -> None:
        self.world.remediator.handle(message)

    def _tell(self, message: TicketMessage) -> None:
        self.world.ticketer.handle(message)

    def _evaluate(self, bodies: list[dict[str, Any]]) -> None:
        handled = self.world.evaluated(bodies)
        if handled.failed:
            raise handled.failed[0][1]

    def _guarded(self, step: Callable[[], Any]) -> bool:
        try:
            step()
        except (Crash, TransientError):
            self.faults.restart()
            self.world.clock.advance(seconds=_VISIBILITY)
            return False
        return True


class _Witness:
    """The writer's door: nobody passes whose intent is not in the ledger."""

    def __init__(self, port: Any, world: World) -> None:
        self._port = port
        self._world = world

    def apply(self, call: Any, resource: Any, permits: Any) -> str:
        entries = self._world.ledger.entries
        assert any(
            entry["kind"] == "intent" and entry["after"]["calls"] == [call.to_json()] for entry in entries
        ), f"no intent for {call}"
        answer: str = self._port.apply(call, resource, permits)
        return answer


def assert_the_ledger_is_whole(world: World) -> None:
    """Chains verify, and whatever a finding is, its ledger tells since when."""
    for chain, head in world.ledger.heads().items():
        assert verify(world.ledger.read(chain), head) == []
    entries = world.ledger.entries
    for finding in world.findings.all():
        own = [entry for entry in entries if entry["control"] == finding.control]
        states = [entry["after"]["workflow"] for entry in own if entry["kind"] == "finding"]
        if finding.workflow == "NOTIFIED":
            assert {"kind": "ticket", "state": "OPEN"} in [
                {"kind": entry["kind"], "state": entry["after"].get("state")} for entry in own
            ]
        else:
            assert states[-1] == finding.workflow
        if finding.is_open:
            assert any(entry["kind"] == "decision" for entry in own)


def every_fault(total: int) -> Iterator[Faults]:
    """Each call of a run that has so many, dying or failing, before and after it has had its effect."""
    for at, when, how in itertools.product(range(total), ("before", "after"), ("kill", "error")):
        yield Faults(at, when=when, how=how)
