"""What waits for another look, as triggers when its time has come; and what procedures have made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from warden.core import deferral
from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from warden.pipeline.caretaker import Caretaker
    from warden.pipeline.ports import Clock, Due, Queues, State, Temporaries

_SOURCE = "deferral"
"""`Source.DEFERRAL`, whose module knows every source of events, and takes longer to import than this takes to run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Looks every few minutes at the due rows. It needs nothing of what a sweep needs, and starts sooner."""

    state: State
    queues: Queues
    temporaries: Temporaries
    caretaker: Callable[[], Caretaker]
    """Made only where a procedure has made something that is to be looked after."""
    clock: Clock
    jitter: Callable[[], float]

    def look_again(self) -> int:
        """Send the triggers whose time has come, and set their next time; returns how many.

        The backing off is done here and not by who looks: a look that fails, or never comes, backs off as well.
        """
        if any(True for _ in self.temporaries.all()):
            self.caretaker().look()
        now = self.clock()
        due = self.state.due(now)
        for row in due:
            self.queues.trigger(_trigger(row))
            attempt = row.attempt + 1
            due_at = deferral.next_due(now, attempt=attempt, jitter=self.jitter())
            self.state.defer(replace(row, attempt=attempt, due_at=due_at))
        return len(due)


def _trigger(row: Due) -> dict[str, object]:
    return {
        "resource": row.arn,
        "cause": {
            "source": _SOURCE,
            "event_name": row.reason,
            "event_id": "",
            "at": row.due_at.isoformat(),
        },
    }
