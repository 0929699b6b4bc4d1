"""What happens to tickets on a schedule: what is due is told again, people's answers are read, sinks are checked."""

from __future__ import annotations

from collections import Counter
from dataclasses import field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from warden.core.dataclass import dataclass
from warden.core.errors import RefusedError, TransientError
from warden.pipeline.ticket_review import AT_MOST, Reviews, due

if TYPE_CHECKING:
    from warden.pipeline.courier import Courier
    from warden.pipeline.ticket import Ticketer

_CHECK_EVERY = timedelta(hours=6)
_CHECK_REFUSED_EVERY = timedelta(minutes=10)
_OVERDUE = timedelta(hours=1)
_TURN = 300
"""Seconds between two ticks."""


@dataclass(slots=True)
class Report:
    """What a tick did, and what it found."""

    done: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    overdue: int = 0
    """Errands that have waited for more than an hour."""
    parked: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    """Sinks that take nothing until a person has done something, and why."""
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One tick, until its courier's time is over."""

    ticketer: Ticketer

    def run(self) -> Report:
        """Each sink in its turn, then the reviews; what is not reached has its turn next time."""
        report = Report(done=self.courier.done)
        for name in self._in_turn(sorted({*self.courier.notifiers, *self.courier.trackers})):
            try:
                self._sink(name, report)
            except Exception as error:  # noqa: BLE001 - one sink must not take the others with it
                report.problems.append(f"{name}: {type(error).__name__}: {error}")
        Reviews(ticketer=self.ticketer, report=report).run()
        return report

    def _in_turn(self, names: list[str]) -> list[str]:
        """Each tick begins with another sink, so that none is always reached too late."""
        first = int(self.courier.clock().timestamp()) // _TURN % max(len(names), 1)
        return names[first:] + names[:first]

    @property
    def courier(self) -> Courier:
        """What takes tickets to sinks, for as long as this invocation has."""
        return self.ticketer.courier

    @property
    def _is_over(self) -> bool:
        return self.courier.clock() >= self.courier.until

    # --- sinks --------------------------------------------------------------------------------------------

    def _sink(self, name: str, report: Report) -> None:
        backlog = self.courier.outbox.backlog(name)
        now = self.courier.clock()
        report.waiting += len(backlog)
        report.overdue += sum(now - errand.first_at > _OVERDUE for errand in backlog)
        report.parked += sum(errand.parked for errand in backlog)
        if why := self._refusal(name):
            report.refused[name] = why
            return
        for errand in due(backlog, now)[:AT_MOST]:
            if self._is_over or self.courier.run(errand) in {"resting", "out_of_patience"}:
                return

    def _refusal(self, name: str) -> str:
        """Why a sink takes nothing until a person has done something; asked of it now and then."""
        courier, now = self.courier, self.courier.clock()
        health = courier.health(name)
        every = _CHECK_REFUSED_EVERY if health.refused else _CHECK_EVERY
        is_known = health.checked_at is not None and now - health.checked_at < every
        asked_to_wait = health.rests_until is not None and now < health.rests_until
        if is_known or asked_to_wait or self._is_over:
            return health.refused
        try:
            courier.check(name)
        except RefusedError as error:
            courier.refuse(name, error, checked=True)
        except TransientError as error:
            # Unwell, which is no refusal; what was one is one still.
            courier.rest(name, error)
        else:
            courier.keep_health(replace(health, refused="", since=None, checked_at=now))
        return courier.health(name).refused
