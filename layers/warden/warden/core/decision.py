"""What to do about a finding: one ordered table, the first row that holds wins, each row is a reason.

After `Finding` in the flow. Pure: everything that a row asks is a field of `Situation`.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from warden.core.control import ComplianceType
from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable


class Mode(IntEnum):
    """How much Warden may do; the lowest of control, scope and ceiling counts."""

    OBSERVE = 0
    TICKET = 1
    REMEDIATE = 2

    @classmethod
    def parse(cls, word: str) -> Mode:
        """Read a mode from a policy file or a parameter; raises ValueError naming the choices."""
        try:
            return cls[word.upper()]
        except KeyError:
            msg = f"{word!r} is not a mode; choose observe, ticket or remediate"
            raise ValueError(msg) from None

    @property
    def word(self) -> str:
        """As the policy file writes it."""
        return self.name.lower()


class Action(StrEnum):
    """What is done about a finding."""

    OBSERVE = "OBSERVE"
    SUPPRESS = "SUPPRESS"
    TICKET = "TICKET"
    DEFER = "DEFER"
    AWAIT_APPROVAL = "AWAIT_APPROVAL"
    REMEDIATE = "REMEDIATE"


class Reason(StrEnum):
    """The row of the table that decided."""

    COMPLIANT = "compliant"
    NOT_APPLICABLE = "not_applicable"
    INSUFFICIENT_DATA = "insufficient_data"
    EXEMPT = "exempt"
    UNDONE = "undone"
    MODE = "mode"
    PREVIEW = "preview"
    DAY_ONE = "day_one"
    NO_REMEDIATION = "no_remediation"
    FLAPPING = "flapping"
    REFUSED = "refused"
    UNVERIFIED = "unverified"
    CIRCUIT_OPEN = "circuit_open"
    OWNER_FIRST = "owner_first"
    PREFLIGHT = "preflight"
    NEEDS_APPROVAL = "needs_approval"
    UNKNOWN_STATE = "unknown_state"
    BUSY = "busy"
    SETTLING = "settling"
    PENDING = "pending"
    FROZEN = "frozen"
    OUTSIDE_WINDOW = "outside_window"
    UNHEALTHY = "unhealthy"
    CANARY = "canary"
    BLAST_RADIUS = "blast_radius"
    POLICY = "policy"


class Situation(NamedTuple):
    """Everything that the table asks of one finding at one moment; the defaults are the cautious answers.

    A tuple, since a sweep makes and compares several for each finding.
    """

    compliance: ComplianceType
    mode: Mode = Mode.OBSERVE
    exempt: bool = False
    undone: bool = False
    preview: bool = False
    day_one: bool = False
    """The first sweep of this account, Region and control in this mode is not acknowledged."""
    remediable: bool = False
    """The control has a plan for these facts."""
    flapping: bool = False
    refused: bool = False
    """AWS, or the write guard, refused these very calls a short while ago."""
    unverified: bool = False
    """AWS accepted these very calls, and no look has shown their effect in good time."""
    circuit_open: bool = False
    """The fixes of the control failed on several resources, and nobody has acknowledged that."""
    owner_first: bool = False
    looking: bool = False
    """It is being looked at whether clients would be cut off: an answer comes at a later visit."""
    approval_missing: bool = True
    """See `approval_missing`."""
    unknown_state: bool = True
    """A fact that says whether the resource may be written to now could not be had."""
    busy: bool = False
    settling: bool = False
    """Our own write to it is so recent that its effect may still be on its way."""
    pending: bool = False
    frozen: bool = False
    outside_window: bool = False
    """It can disturb clients, and no change window is open."""
    unhealthy: bool = False
    canary: bool = False
    """The control is newly allowed to write, and tries itself on another resource first."""
    budget_spent: bool = True
    containment: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, the row that decided, and what would be done if the mode were remediate."""

    action: Action
    reason: Reason
    would: Action

    def to_json(self) -> dict[str, str]:
        """For messages, the ledger and `warden scan`."""
        return {"action": self.action, "reason": self.reason, "would": self.would}


_COMPLIANCE_REASON = {
    ComplianceType.COMPLIANT: Reason.COMPLIANT,
    ComplianceType.NOT_APPLICABLE: Reason.NOT_APPLICABLE,
    ComplianceType.INSUFFICIENT_DATA: Reason.INSUFFICIENT_DATA,
}

# The table. A containment control (a public snapshot, an instance on the Internet) passes the rows marked *.
_TABLE: tuple[tuple[Callable[[Situation], bool], Action, Reason], ...] = (
    (lambda s: s.exempt, Action.SUPPRESS, Reason.EXEMPT),
    (lambda s: s.undone, Action.SUPPRESS, Reason.UNDONE),
    (lambda s: s.mode is Mode.OBSERVE, Action.OBSERVE, Reason.MODE),
    (lambda s: s.preview, Action.OBSERVE, Reason.PREVIEW),
    (lambda s: s.day_one, Action.OBSERVE, Reason.DAY_ONE),
    (lambda s: s.mode is Mode.TICKET, Action.TICKET, Reason.MODE),
    (lambda s: not s.remediable, Action.TICKET, Reason.NO_REMEDIATION),
    (lambda s: s.flapping, Action.TICKET, Reason.FLAPPING),
    (lambda s: s.refused, Action.TICKET, Reason.REFUSED),
    (lambda s: s.unverified, Action.TICKET, Reason.UNVERIFIED),
    (lambda s: s.circuit_open, Action.TICKET, Reason.CIRCUIT_OPEN),
    (lambda s: s.owner_first and not s.containment, Action.TICKET, Reason.OWNER_FIRST),  # *
    (lambda s: s.looking, Action.DEFER, Reason.PREFLIGHT),
    (lambda s: s.approval_missing, Action.AWAIT_APPROVAL, Reason.NEEDS_APPROVAL),
    (lambda s: s.unknown_state, Action.DEFER, Reason.UNKNOWN_STATE),
    (lambda s: s.busy, Action.DEFER, Reason.BUSY),
    (lambda s: s.settling, Action.DEFER, Reason.SETTLING),
    (lambda s: s.pending, Action.DEFER, Reason.PENDING),
    (lambda s: s.frozen and not s.containment, Action.DEFER, Reason.FROZEN),  # *
    (lambda s: s.outside_window and not s.containment, Action.DEFER, Reason.OUTSIDE_WINDOW),  # *
    (lambda s: s.unhealthy and not s.containment, Action.DEFER, Reason.UNHEALTHY),  # *
    (lambda s: s.canary and not s.containment, Action.DEFER, Reason.CANARY),  # *
    (lambda s: s.budget_spent, Action.DEFER, Reason.BLAST_RADIUS),
)

ROWS: tuple[tuple[Action, Reason], ...] = (
    *((action, reason) for _, action, reason in _TABLE),
    (Action.REMEDIATE, Reason.POLICY),
)
"""The rows for what is not compliant, in their order, without their conditions."""


@lru_cache(maxsize=4096)
def decide(situation: Situation) -> Decision:
    """The first row that holds; REMEDIATE where none does. A fleet is in few situations, so each is decided once."""
    action, reason = _first_row(situation)
    # What a first day holds back is what somebody has to see before it ends.
    would, _ = _first_row(situation._replace(mode=Mode.REMEDIATE, day_one=False))
    return Decision(action, reason, would)


def _first_row(situation: Situation) -> tuple[Action, Reason]:
    if situation.compliance is not ComplianceType.NON_COMPLIANT:
        return Action.OBSERVE, _COMPLIANCE_REASON[situation.compliance]
    return next(
        ((action, reason) for holds, action, reason in _TABLE if holds(situation)),
        (Action.REMEDIATE, Reason.POLICY),
    )


def approval_missing(*, safe: bool, preflight_clean: bool, allowed: bool, approved: bool) -> bool:
    """Row 8: disruptive, costly or not clean in preflight, and neither policy nor approval allows it.

    A line of policy allows a class of change; it does not speak for a preflight that found something.
    """
    if approved:
        return False
    return not (preflight_clean and (safe or allowed))
