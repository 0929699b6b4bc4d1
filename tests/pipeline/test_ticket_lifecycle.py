"""One open ticket where there is drift that nobody accepts, and none where there is not, whatever happens."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.crashes import Crash, Faults
from pipeline.world import PROTECTION, World, policy_of
from warden.core.errors import (
    AmbiguousError,
    CredentialsError,
    LaterError,
    RejectedError,
    ThrottledError,
    TransientError,
)
from warden.core.ticket import RemoteState

if TYPE_CHECKING:
    from collections.abc import Callable

    from warden.core.resource import ResourceRef

POLICY = """
version = 1
[defaults]
mode = "ticket"
[tickets]
group = "finding"
"""
EXEMPTING = f"""{POLICY}
[[exemptions]]
control = "{PROTECTION}"
account = "123456789012"
owner = "somebody"
reason = "for now"
expires = 2027-12-31
"""
CONTROLS = [PROTECTION]

# What a tracker answers, and whether it has done what it was asked before it fails.
FAULTS: dict[str, tuple[Callable[[], Exception], bool]] = {
    "too many requests": (lambda: LaterError("429", after=90), False),
    "slow down": (lambda: ThrottledError("throttled"), False),
    "unwell": (lambda: TransientError("500"), False),
    "unwell after it was done": (lambda: TransientError("502"), True),
    "no answer": (lambda: AmbiguousError("the connection broke"), False),
    "no answer after it was done": (lambda: AmbiguousError("the connection broke"), True),
    "refused": (lambda: RejectedError("400"), False),
    "no credentials": (lambda: CredentialsError("401"), False),
}
PEOPLE = ("close", "wont_fix", "delete", "open")
RIGHTS = ("hide", "show")
WORLD = ("drift", "fix", "exempt", "enforce", "disable")


@dataclass
class Life:
    """A deployment with one database, to which things happen."""

    stale: int = 0
    world: World = field(default_factory=lambda: World(POLICY))

    def __post_init__(self) -> None:
        self.ref: ResourceRef = self.world.cluster(DeletionProtection=True)
        self.world.tracker.stale = timedelta(seconds=self.stale)
        self.wanted = False

    # --- what happens -------------------------------------------------------------------------------------

    def do(self, what: str, number: int) -> None:
        if what in WORLD:
            self._change(what)
        elif what in PEOPLE:
            self._answer(what, number)
        elif what in RIGHTS:
            self.world.tracker.hides = what == "hide"
        elif what in FAULTS:
            make, late = FAULTS[what]
            self.world.tracker.failures.append(make())
            self.world.tracker.late = late
        elif what == "wait":
            self.world.clock.advance(minutes=(1, 4, 31)[number % 3])
        elif what == "days":
            self.world.clock.advance(days=(1, 16)[number % 2])
        else:
            self._run(what, number)

    def _change(self, what: str) -> None:
        world = self.world
        match what:
            case "drift" | "fix":
                world.aws.update(self.ref, DeletionProtection=what == "fix")
            case "exempt":
                world.policy = policy_of(EXEMPTING)
            case "enforce":
                world.policy = policy_of(POLICY)
            case "disable":
                world.policy = policy_of(f"{POLICY}[controls.{PROTECTION}]\nenabled = false\n")
        world.clock.advance(minutes=1)
        world.look(self.ref)

    def _answer(self, what: str, number: int) -> None:
        """Somebody does something with a ticket that is open in the tracker, or that they closed themselves."""
        tracker = self.world.tracker
        if what == "open":
            closed = [
                one for one in tracker.kept if one.by and one.state in _CLOSED and self._is_current(one)
            ]
            if closed:
                closed[-1].state = RemoteState.OPEN
            return
        if tracker.open:
            one = tracker.open[number % len(tracker.open)]
            state = {"close": "closed", "wont_fix": "wont_fix", "delete": "gone"}[what]
            one.state, one.by = RemoteState(state), "m.jansen"

    def _is_current(self, one: Any) -> bool:
        """Whether it is the ticket that we believe to be open: nobody opens what has been resolved."""
        handles = {
            d.handle.id for d in self.world.tickets.deliveries.values() if d.handle and d.told == "open"
        }
        return one.id in handles

    def _run(self, what: str, number: int) -> None:
        """A message in whatever order, perhaps twice, or a tick; perhaps the process dies at some call of a port."""
        world = self.world
        faults = Faults(number, when="after" if number % 2 else "before") if "dies" in what else Faults()
        world.wrap = faults.wrap
        try:
            if "tick" in what:
                world.tick()
            elif world.queues.tickets:
                at = number % len(world.queues.tickets)
                message = world.queues.tickets[at]
                world.ticketer.handle(message)
                if "twice" not in what:
                    world.queues.tickets.pop(at)
        except (Crash, TransientError):
            pass
        finally:
            world.wrap = lambda _, port: port

    # --- the end ------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Everything is well again, and time goes by."""
        world = self.world
        world.tracker.failures.clear()
        world.tracker.hides = False
        for step in range(30):
            messages, world.queues.tickets[:] = list(world.queues.tickets), []
            for message in messages:
                world.ticketer.handle(message)
            world.tick()
            world.clock.advance(minutes=5 if step < 20 else 60)

    def check(self) -> None:
        """What must hold in the end."""
        world = self.world
        world.clock.advance(minutes=1)
        world.look(self.ref)
        self.settle()
        drifted = not world.aws.items[self.ref]["DeletionProtection"]
        enabled = world.policy.is_enabled(PROTECTION)
        exempt = bool(world.policy.exemptions)
        expected = int(drifted and enabled and not exempt)
        assert len(world.tracker.open) <= 1, world.tracker.kept
        told = [d for d in world.tickets.deliveries.values() if d.sink == "opscenter"]
        left = [d for d in told if d.left or d.asked or d.gone]
        if not (expected and left):
            assert len(world.tracker.open) == expected, (world.tracker.kept, world.tickets.deliveries)
        rows = [row for row in world.tickets.rows.values() if row.is_open]
        assert len(rows) == expected
        waiting = [errand for (sink, _), errand in world.tickets.errands.items() if sink]
        assert len(waiting) == sum(d.gone for d in told)
        assert all(errand.parked for errand in waiting), (
            "what vanishes again and again is for a person to see"
        )
        changes = [entry["after"] for entry in world.ledger.of_kind("ticket") if "sink" not in entry["after"]]
        assert not any(
            one == after for one, after in itertools.pairwise(changes) if one["state"] != "UPDATED"
        )
        told = [state for state, _ in world.told()]
        if told:
            assert (told[-1] != "RESOLVED") == bool(expected), "the topic's last word is how it stands"


_CLOSED = (RemoteState.CLOSED, RemoteState.WONT_FIX)
WHAT = (
    *WORLD,
    *PEOPLE,
    *RIGHTS,
    *FAULTS,
    "wait",
    "days",
    "message",
    "message twice",
    "message dies",
    "tick",
    "tick dies",
)
STEPS = st.lists(st.tuples(st.sampled_from(WHAT), st.integers(0, 40)), min_size=1, max_size=25)


def lived(steps: list[tuple[str, int]], stale: int) -> Life:
    life = Life(stale=stale)
    life.do("drift", 0)
    for what, number in steps:
        life.do(what, number)
    return life


def test_a_resolution_that_was_told_by_who_died_is_taken_back_when_it_drifts_again() -> None:
    lived([("message", 0), ("fix", 0), ("days", 0), ("tick dies", 19), ("drift", 0)], 0).check()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, stale=st.sampled_from([0, 30, 200]))
def test_there_is_one_open_ticket_if_and_only_if_there_is_drift_that_nobody_accepts(
    steps: list[tuple[str, int]], stale: int
) -> None:
    lived(steps, stale).check()


@pytest.mark.slow
@settings(max_examples=3_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, stale=st.sampled_from([0, 30, 200]))
def test_the_same_with_many_more_of_them(steps: list[tuple[str, int]], stale: int) -> None:
    lived(steps, stale).check()
