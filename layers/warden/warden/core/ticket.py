"""A ticket as every sink gets it: structured sections to render, an id to find it by, and where it stands.

The text is put together in `core.ticket_text`; how it looks in one system is in `core.rendering`.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING

from warden.core.dataclass import dataclass
from warden.core.sections import Links, Section

if TYPE_CHECKING:
    from datetime import datetime

    from warden.core.finding import Finding
    from warden.core.sections import Link


class TicketState(StrEnum):
    """What a message about a ticket says."""

    OPEN = "OPEN"
    UPDATED = "UPDATED"
    REOPENED = "REOPENED"
    RESOLVED = "RESOLVED"


class Resolution(StrEnum):
    """Why a ticket is resolved."""

    FIXED = "fixed"
    GONE = "gone"
    EXEMPT = "exempt"
    UNDONE = "undone"
    DISABLED = "disabled"
    """The policy judges the control no more."""


class RemoteState(StrEnum):
    """How a ticket stands in its tracker, where people work on it."""

    OPEN = "open"
    CLOSED = "closed"
    WONT_FIX = "wont_fix"
    """Closed, and somebody said by it that nothing will be done."""
    GONE = "gone"
    """The tracker does not show it: it was deleted, or is hidden from us."""


@dataclass(frozen=True, slots=True)
class Remote:
    """What a tracker says of one ticket."""

    state: RemoteState
    by: str = ""
    """Who brought it there, as the tracker names people; empty where it does not say."""
    reason: str = ""
    """The tracker's own word for it, such as a resolution."""


@dataclass(frozen=True, slots=True)
class Handle:
    """A ticket in its tracker."""

    id: str
    """What the tracker's API names it by: a key, a number, a sys_id."""
    url: str = ""
    """Where people see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """As much of a finding as a list for programs needs."""

    control: str
    resource: str
    """The ARN."""
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One ticket: of one finding, of a group of findings, or of what was too much for a day."""

    id: str
    """Forty hexadecimal digits, the same for as long as it is this ticket: the key to deduplicate and to search by."""
    state: TicketState
    title: str
    """One line that reads alone; neither cut nor escaped."""
    summary: str
    """A sentence or a few: what is wrong, or what is now right."""
    sections: tuple[Section, ...]
    """The whole text in the order of reading; the summary is not repeated in it."""
    severity: str
    """The gravest of its findings: CRITICAL, HIGH, MEDIUM or LOW."""
    control: str
    """The id of the control; empty where its findings are of several."""
    account: str
    region: str
    """Empty for what has no Region, and where its findings are of several."""
    owner: str
    """Whose it is: the value of the tag that the policy names, else the account."""
    opened_at: datetime
    findings: tuple[Finding, ...]
    """The gravest first; of many, a few."""
    listed: tuple[Listed, ...] = ()
    """Of many, all that are open, or that were; empty where `findings` has every one."""
    is_change: bool = False
    """Whether it tells of a change that Warden made, and there need not have been a ticket."""
    fix: str = ""
    frameworks: tuple[str, ...] = ()
    """A line for each framework: its name, and what of it the control maps to."""
    resolution: Resolution = Resolution.FIXED
    """Why it is resolved, once it is."""
    previous: Handle | None = None
    """The ticket about the same before this one, which was resolved too long ago to be opened again."""
    revision: int = 0
    """Grows with each change of what is told: of two messages about one ticket, the higher is the later."""

    @property
    def finding(self) -> Finding:
        """The gravest finding."""
        return self.findings[0]

    @property
    def is_open(self) -> bool:
        """Whether there is still something to be done."""
        return self.state is not TicketState.RESOLVED

    @property
    def links(self) -> tuple[Link, ...]:
        """Where to look further, of all sections."""
        blocks = (block for section in self.sections for block in section.blocks)
        return tuple(link for block in blocks if isinstance(block, Links) for link in block.items)


def ticket_id(key: str, *, generation: int = 1, incarnation: int = 1) -> str:
    """The id of the ticket of a finding or a group.

    Another generation is a new ticket after the old one was resolved long ago; another incarnation takes the place of
    one that somebody deleted in the tracker.
    """
    parts = [key, *([str(generation)] if (generation, incarnation) != (1, 1) else [])]
    parts += [str(incarnation)] if incarnation != 1 else []
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:40]
