"""What a deployment has kept about one finding, beside the finding itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from warden.core.brakes import Spent, Standing
from warden.core.plan import Call
from warden.core.resource import ResourceRef

if TYPE_CHECKING:
    from warden.core.approval import Approval
    from warden.core.control import Control
    from warden.core.decision import Mode
    from warden.core.finding import Finding
    from warden.core.ledger import Link
    from warden.core.policy import Policy
    from warden.core.rows import Due
    from warden.core.ticket_rows import TicketRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the tables and the stack say beside the finding."""

    now: datetime
    region: str
    ceiling: Mode | None = None
    """None where it could not be read."""
    stop: str = ""
    """Who stopped all writes and why, or that this cannot be read; empty where they go on."""
    due: Due | None = None
    ticket: TicketRow | None = None
    spent: Spent = field(default_factory=Spent)
    """Writes of this hour, from the budget that counts for it."""
    standing: Standing = field(default_factory=Standing)
    """What holds controls back in the whole account and Region."""
    answers: tuple[Approval, ...] = ()
    entries: tuple[Link, ...] = field(default=(), repr=False)
    """The ledger's entries of this finding, the oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A finding with everything by which the decision table is answered for it."""

    finding: Finding
    control: Control | None
    """None where this checkout has it not."""
    policy: Policy
    known: Known

    @property
    def account(self) -> str:
        """The account of the resource."""
        return ResourceRef.from_arn(self.finding.arn).account

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls of its plan, as they are kept."""
        return tuple(Call(call["operation"], call["parameters"]) for call in self.finding.plan)

    @property
    def is_containment(self) -> bool:
        """Whether its remediation passes the rows that containment passes."""
        return self.control is not None and self.control.is_containment


class Answer(NamedTuple):
    """Whether a row of the table holds now (None: it cannot be told), why, and what would have to change."""

    holds: bool | None
    what: str
    change: str = ""


def no(what: str) -> Answer:
    """The row does not hold."""
    return Answer(holds=False, what=what)


def yes(what: str, change: str) -> Answer:
    """The row holds."""
    return Answer(holds=True, what=what, change=change)


def untold(what: str, change: str) -> Answer:
    """It cannot be told from here whether the row holds."""
    return Answer(holds=None, what=what, change=change)


UNKNOWN_CONTROL = untold(
    "this checkout has no such control", "The control's own code would tell, which is not here."
)


def time(at: datetime) -> str:
    """A time as it is told."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def because(why: str) -> str:
    """A reason at the end of a sentence, where there is one."""
    return f": {why.rstrip('.')}" if why else ""
