"""Rows that make a ticket one ticket: what should be told, what each sink knows, and what is still to be done.

Three rows of a ticket have three writers: `TicketRow` says how it should stand, `Delivery` what one sink has taken,
`Errand` that the two may differ and when to see to it. They are compared, not replayed, so that what comes twice, late
or in another order ends the same.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from warden.core.ticket import Handle

OPEN, RESOLVED = "open", "resolved"
_CHANGE = "change|"
REVIEW = ""
"""As the sink of an errand: the ticket itself is to be looked at, against its finding and its trackers."""


def change_key(finding_id: str) -> str:
    """The key of the row by which sinks of changes are told that a finding was put right."""
    return _CHANGE + finding_id


def is_change(key: str) -> bool:
    """Whether a row is about a change that Warden made, and no ticket."""
    return key.startswith(_CHANGE)


def finding_of(key: str) -> str:
    """The id of the finding that a row is about."""
    return key.removeprefix(_CHANGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRow:
    """How one ticket should stand: of a finding, or of a collection of findings."""

    key: str
    """A finding's id, or the name of a collection."""
    state: str
    """`open` or `resolved`."""
    digest: str
    """Of what is told, so that a change is told and a repetition is not."""
    opened_at: datetime
    changed_at: datetime
    sinks: tuple[str, ...] = ()
    """Where it is told by itself; where a collection tells it, only to machines."""
    group: str = ""
    """The collection that tells it."""
    owner: str = ""
    generation: int = 1
    """Grows where a new ticket is made, because the last was resolved too long ago to be opened again."""
    resolution: str = ""
    """Why it is resolved."""
    note: str = ""
    """What a person did in a tracker."""
    count: int = 1
    """Findings in it that are open."""
    revision: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it should be open."""
        return self.state == OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A finding in a collection, with as much of it as a list needs."""

    group: str
    finding_id: str
    state: str
    arn: str
    severity: str
    annotation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What one sink knows of one ticket."""

    ticket: str
    sink: str
    generation: int = 0
    """Of the ticket that `handle` stands for; 0 before anything."""
    incarnation: int = 1
    """Grows where a ticket takes the place of one that was deleted in the tracker."""
    handle: Handle | None = None
    previous: Handle | None = None
    """The ticket that this one comes after."""
    told: str = ""
    """`open` or `resolved`, as the sink has taken it; empty before anything."""
    digest: str = ""
    creating_at: datetime | None = None
    """When a create, or the telling of a new ticket, was begun whose end is not known."""
    searches: int = 0
    """How often it was searched for since, in vain."""
    busy_until: datetime | None = None
    """A process sees to it; after that, it is dead."""
    gone: bool = False
    """Whether its tracker does not show it any more, and that has still to be believed, and another to be made."""
    replaced_at: datetime | None = None
    """When a ticket was last made in the place of one that was gone."""
    counted: bool = False
    """Whether it is one of the day's new tickets of the sink."""
    covered: str = ""
    """The summary that tells it, because the day's tickets of the sink were used up."""
    say: str = ""
    """A comment that is still to be made."""
    reopened: bool = False
    """Whether a person closed it, and it was opened again."""
    moving: bool = False
    """Whether it is being closed or opened again, which may have happened: told or not, it is done once more."""
    unsaid: bool = False
    """Whether it was resolved, and why has still to be said below it."""
    left: bool = False
    """Whether a person closed it once more, and it is left closed."""
    asked: bool = False
    """Whether a person said that it will not be fixed, which is a request for an exemption."""
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Something to be done for one ticket at one sink, until it is done."""

    ticket: str
    sink: str
    due_at: datetime
    first_at: datetime
    """Since when it waits."""
    sequence: int = 0
    """The revision of the ticket that it is for: it is done only if no later one came."""
    attempt: int = 0
    error: str = ""
    """Why it is not done yet."""
    parked: bool = False
    """Whether the sink refused it, so that a person has to look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkHealth:
    """Whether a sink takes anything now."""

    sink: str
    rests_until: datetime | None = None
    """It asked to be left alone, or does not answer."""
    failures: int = 0
    """In a row."""
    refused: str = ""
    """Why it takes nothing until a person has done something; empty where it does."""
    since: datetime | None = None
    checked_at: datetime | None = None

    def is_resting(self, now: datetime) -> bool:
        """Whether it is to be left alone for a while, or until a person has done something."""
        return bool(self.refused) or (self.rests_until is not None and now < self.rests_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptionRequest:
    """Somebody said in a tracker that a finding will not be fixed: a wish, which only the policy can grant."""

    finding_id: str
    arn: str
    control: str
    owner: str
    sink: str
    ticket: str
    """As the tracker names it."""
    url: str
    by: str
    at: datetime
    reason: str

    @property
    def id(self) -> str:
        """What a person names it by: of this request alone, and not of a later one about the same finding."""
        asked = f"{self.finding_id}|{self.sink}|{self.ticket}|{self.at.isoformat()}"
        return hashlib.sha256(asked.encode()).hexdigest()[:12]
