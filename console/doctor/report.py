"""What `warden doctor` says: a line for each thing, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from warden.core.rendering.harmless import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence


class Health(StrEnum):
    """How something is."""

    FINE = "ok"
    WARNING = "look"
    """It works, and may not be what is wanted."""
    UNKNOWN = "?"
    """It could not be read."""
    FAILED = "FAIL"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at."""

    area: str
    health: Health
    what: str
    todo: str = ""
    """What to do, as a sentence; empty where there is nothing to be done."""

    def to_json(self) -> dict[str, str]:
        """For machines."""
        return {"area": self.area, "health": self.health.name.lower(), "what": self.what, "todo": self.todo}


def fine(area: str, what: str) -> Line:
    """It works."""
    return Line(area, Health.FINE, what)


def failed(area: str, what: str, todo: str) -> Line:
    """It does not work."""
    return Line(area, Health.FAILED, what, todo)


def warning(area: str, what: str, todo: str) -> Line:
    """It works, but."""
    return Line(area, Health.WARNING, what, todo)


def text(lines: Sequence[Line]) -> str:
    """For people."""
    width = max((len(line.area) for line in lines), default=0)
    shown = []
    for line in lines:
        shown.append(f"{line.health.value:<4}  {line.area:<{width}}  {one_line(line.what)}")
        if line.todo:
            shown.append(f"{'':<4}  {'':<{width}}  -> {one_line(line.todo)}")
    counts = {health: sum(line.health is health for line in lines) for health in Health}
    words = {
        Health.FINE: "fine",
        Health.WARNING: "to look at",
        Health.UNKNOWN: "unreadable",
        Health.FAILED: "failed",
    }
    told = ", ".join(f"{counts[health]} {words[health]}" for health in Health if counts[health])
    return "\n".join([*shown, "", told or "Nothing was checked."])
