"""What becomes of an errand that failed: it is kept, its sink rests or not, and somebody is told by an alarm or not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from warden.core import backoff
from warden.core.errors import LaterError

if TYPE_CHECKING:
    from datetime import datetime

    from warden.pipeline.courier import Courier
    from warden.pipeline.ports import Errand


def later(courier: Courier, errand: Errand, due_at: datetime, why: str) -> str:
    """Nothing is wrong with it: it has its time."""
    courier.outbox.later(replace(errand, due_at=due_at, error=why))
    return "later"


def alone(courier: Courier, errand: Errand, error: Exception) -> str:
    """This ticket cannot be told yet, and the sink takes others."""
    asked = error.after if isinstance(error, LaterError) else None
    wait = backoff.wait(errand.attempt + 1, asked=asked, jitter=courier.jitter())
    return _failed(courier, errand, courier.clock() + wait, error)


def unknown(courier: Courier, errand: Errand, error: Exception, settled_at: datetime) -> str:
    """A create of unknown end: it has its time, and the sink, which is not well, rests as after other failures."""
    return later(courier, errand, max(courier.rest(errand.sink, error), settled_at), str(error))


def resting(courier: Courier, errand: Errand, error: Exception) -> str:
    """A failure that passes: the whole sink rests, for as long as it asked or doubled each time."""
    return _failed(courier, errand, courier.rest(errand.sink, error), error)


def refused(courier: Courier, errand: Errand, error: Exception) -> str:
    """The sink takes nothing until a person has done something."""
    courier.done["failed"] += 1
    courier.refuse(errand.sink, error)
    wait = backoff.wait(1, asked=None, jitter=courier.jitter())
    return later(courier, errand, courier.clock() + wait, str(error))


def parked(courier: Courier, errand: Errand, error: Exception) -> str:
    """A refusal of this one ticket: a person has to look."""
    courier.done["parked"] += 1
    due_at = courier.clock() + backoff.PARKED
    _again(courier, replace(errand, parked=True), due_at, error)
    return "parked"


def _failed(courier: Courier, errand: Errand, due_at: datetime, error: Exception) -> str:
    courier.done["failed"] += 1
    _again(courier, errand, due_at, error)
    return "failed"


def _again(courier: Courier, errand: Errand, due_at: datetime, error: Exception) -> None:
    said = f"{type(error).__name__}: {error}"
    courier.outbox.later(replace(errand, due_at=due_at, attempt=errand.attempt + 1, error=said))
