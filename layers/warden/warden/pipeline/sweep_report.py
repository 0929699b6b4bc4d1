"""What a sweep has counted, and what it has to tell; kept between the invocations of one sweep."""

from __future__ import annotations

from collections import Counter
from dataclasses import field
from typing import TYPE_CHECKING, Any

from warden.core.control import ComplianceType
from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from warden.core.control import Control
    from warden.pipeline.visit import Visit

_MOST_PROBLEMS = 50


@dataclass(slots=True)
class SweepReport:
    """The counts of a sweep."""

    resources: Counter[str] = field(default_factory=Counter)
    evaluations: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By control and compliance type."""
    opened: int = 0
    resolved: int = 0
    remembered: int = 0
    """Resources of which something was judged by what an earlier sweep had read."""
    unremembered: list[str] = field(default_factory=list)
    """Why memory could not be read or written, as sentences: more was read, and nothing was missed."""
    ending: list[str] = field(default_factory=list)
    """The exemptions that end soon, as sentences: what they cover comes back as drift."""
    problems: list[str] = field(default_factory=list)
    """What could not be swept, as sentences; empty where the sweep was complete."""
    unsure: set[str] = field(default_factory=set)
    """The resource types of which something could not be swept."""
    visits: list[Visit] = field(default_factory=list)
    """Visits that changed or handed over something, could not judge, or are left to the triggers queue; of this
    invocation, and none where somebody is told of each as it happens."""
    tell: Callable[[Visit], None] | None = None
    ended: bool = False
    """Whether everything was visited; if not, another invocation goes on."""
    held: bool = False
    """Whether another invocation is at it, and nothing was done."""

    def note(self, visit: Visit) -> None:
        """Count a visit, and tell of it where there is something to tell."""
        for judgement in visit.judgements:
            self.evaluations[(judgement.control.id, judgement.evaluation.compliance)] += 1
        self.remembered += visit.remembered
        self.opened += len(visit.opened)
        self.resolved += len(visit.resolved)
        unknown = any(j.evaluation.compliance is ComplianceType.INSUFFICIENT_DATA for j in visit.judgements)
        if visit.opened or visit.resolved or visit.handed_over or unknown or _failed(visit):
            self.show(visit)

    def show(self, visit: Visit) -> None:
        """Tell of a visit: twenty thousand are not kept until the end."""
        if self.tell is None:
            self.visits.append(visit)
        else:
            self.tell(visit)

    @property
    def controls(self) -> dict[str, dict[str, int]]:
        """The evaluations of each control by compliance type."""
        found: dict[str, dict[str, int]] = {}
        for (control, compliance), count in sorted(self.evaluations.items()):
            found.setdefault(control, {})[str(compliance)] = count
        return found

    def has_judged(self, control: Control) -> bool:
        """Whether there was an answer for each resource of the control's kind."""
        unknown = self.evaluations[(control.id, ComplianceType.INSUFFICIENT_DATA)]
        return not unknown and control.resource_type not in self.unsure

    def to_json(self) -> dict[str, Any]:
        """The counts, to go on with."""
        return {
            "resources": dict(self.resources),
            "controls": self.controls,
            "remembered": self.remembered,
            "opened": self.opened,
            "resolved": self.resolved,
            "problems": self.problems[:_MOST_PROBLEMS],
            "unsure": sorted(self.unsure),
        }

    @classmethod
    def going_on(cls, counts: Mapping[str, Any], tell: Callable[[Visit], None] | None) -> SweepReport:
        """The report of a sweep that has counted so much before."""
        return cls(
            resources=Counter(counts.get("resources", {})),
            evaluations=Counter(
                {
                    (control, ComplianceType(compliance)): count
                    for control, of_control in counts.get("controls", {}).items()
                    for compliance, count in of_control.items()
                }
            ),
            remembered=counts.get("remembered", 0),
            opened=counts.get("opened", 0),
            resolved=counts.get("resolved", 0),
            problems=list(counts.get("problems", [])),
            unsure=set(counts.get("unsure", [])),
            tell=tell,
        )


def _failed(visit: Visit) -> bool:
    """Whether a control raised: a bug of ours, which is logged with its traceback."""
    return any(judgement.evaluation.error for judgement in visit.judgements)
