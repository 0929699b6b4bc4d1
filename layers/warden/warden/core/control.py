"""A control: the condition that a resource type must meet, and how drift from it is put right.

Each file in `controls/` holds one, as a module-level `CONTROL`.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from warden.core.frameworks import Requirement
    from warden.core.guard import Permit
    from warden.core.kinds import Need
    from warden.core.plan import Manual, Plan, Wait
    from warden.core.preflight import Question
    from warden.core.resource import Resource, ResourceType


class ComplianceType(StrEnum):
    """AWS Config's compliance types."""

    COMPLIANT = "COMPLIANT"
    NON_COMPLIANT = "NON_COMPLIANT"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Severity(StrEnum):
    """Security Hub's severity labels."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return list(Severity).index(self)


class Safety(StrEnum):
    """What a remediation may do to those who use the database, as its author states it."""

    SAFE = "safe"
    """In place, no outage, reversible: may run unattended."""
    COSTS = "costs"
    """Safe for clients, but it costs more than cents a month."""
    DISRUPTIVE = "disruptive"
    """Can cut off clients or restart something."""


class Maturity(StrEnum):
    """How far a control may be trusted; a preview control only ever observes."""

    PREVIEW = "preview"
    STABLE = "stable"


class Verdict(NamedTuple):
    """What a control says of one resource, with a full sentence."""

    compliance: ComplianceType
    annotation: str


# A scan of a thousand clusters reaches a hundred thousand verdicts. Python 3.11 is slow to look a member of an enum up,
# and a named tuple's own constructor takes twice as long as a tuple's.
_COMPLIANT, _NON_COMPLIANT = ComplianceType.COMPLIANT, ComplianceType.NON_COMPLIANT
_NOT_APPLICABLE, _INSUFFICIENT_DATA = ComplianceType.NOT_APPLICABLE, ComplianceType.INSUFFICIENT_DATA
_new = tuple.__new__


def compliant(annotation: str) -> Verdict:
    """The resource meets the condition."""
    return _new(Verdict, (_COMPLIANT, annotation))


def non_compliant(annotation: str) -> Verdict:
    """The resource does not meet the condition."""
    return _new(Verdict, (_NON_COMPLIANT, annotation))


def not_applicable(annotation: str) -> Verdict:
    """The condition means nothing for this resource."""
    return _new(Verdict, (_NOT_APPLICABLE, annotation))


def insufficient_data(annotation: str) -> Verdict:
    """What is known does not decide it."""
    return _new(Verdict, (_INSUFFICIENT_DATA, annotation))


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A typed value that a control takes from the policy file; the policy parser checks it."""

    name: str
    default: Any
    """The value where the policy is silent; its type is the type that the policy must give."""
    doc: str
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    shared: bool = False
    """Taken from the policy's [baseline] instead of the control's own table: one value for many controls."""
    pattern: str = ""
    """A regular expression that a string, or each string of a list, must match in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What is asked of a control before it judges anything: of which type it is, and what the policy may set."""

    id: str
    resource_type: ResourceType
    settings: tuple[Setting, ...]

    @classmethod
    def of(cls, control: Control) -> Declaration:
        """What a control declares."""
        return cls(id=control.id, resource_type=control.resource_type, settings=control.settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A documented case of a control, and its test: facts that matter, laid over one full Describe item."""

    name: str
    facts: Mapping[str, Any]
    expect: ComplianceType
    settings: Mapping[str, Any] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    """Facts that could not be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remediation:
    """How a control's drift is put right: a plan, what it permits, and how dangerous that is."""

    plan: Callable[[Resource, Mapping[str, Any]], Plan | Manual | Wait]
    permits: tuple[Permit, ...]
    """Every call, parameter and value that `plan` may yield: IAM and the write guard derive from it."""
    safety: Safety
    needs: tuple[Need, ...] = ()
    """Facts that only the plan needs: read only once there is drift."""
    requires: str = ""
    """The setting without which the plan is a person's, whatever the facts: then none of `needs` is read for it."""
    asks: bool = False
    """Whether a person approves each plan of it, whatever the policy allows."""
    containment: bool = False
    """Whether it closes a door that is open to the Internet or the world: freezes do not hold it up."""
    preflight: Question | None = None
    """What must be known about live use before it is applied; until it is, only an approval lets it pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One condition on one resource type, with everything that is derived from it."""

    module: str
    """`__name__` of the file; the last part is the control's id."""
    doc: str | None
    """`__doc__` of the file: the control's reference page."""
    title: str
    """States the compliant condition, at most 100 characters, no full stop."""
    resource_type: ResourceType
    severity: Severity
    evaluate: Callable[[Resource, Mapping[str, Any]], Verdict]
    fix: str
    """How a person fixes it: the console-free commands and the lasting change in infrastructure code."""
    examples: tuple[Example, ...]
    frameworks: tuple[Requirement, ...] = ()
    needs: tuple[Need, ...] = ()
    settings: tuple[Setting, ...] = ()
    remediation: Remediation | None = None
    maturity: Maturity = Maturity.STABLE
    silent: str = ""
    """Why its drift can come without an event that names the resource, where none of its needs says so."""
    id: str = field(init=False)
    """The name of its file."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", self.module.rpartition(".")[2])

    @property
    def is_disruptive(self) -> bool:
        """Whether its remediation can disturb clients: it waits for a change window."""
        return self.remediation is not None and self.remediation.safety is Safety.DISRUPTIVE

    @property
    def is_containment(self) -> bool:
        """Whether its remediation closes a door that is open to the world."""
        return self.remediation is not None and self.remediation.containment

    def defaults(self) -> dict[str, Any]:
        """The settings where the policy is silent."""
        return {setting.name: setting.default for setting in self.settings}


def grouped(controls: Iterable[Control]) -> dict[ResourceType, tuple[Control, ...]]:
    """These controls by the type that they judge."""
    found: dict[ResourceType, tuple[Control, ...]] = {}
    for control in controls:
        found[control.resource_type] = (*found.get(control.resource_type, ()), control)
    return found
