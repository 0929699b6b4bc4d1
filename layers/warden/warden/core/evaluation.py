"""A control applied to a resource: the judgement, with evidence that recorded itself.

After `Resource` in the flow, before `Finding`. A control that raises is answered too: INSUFFICIENT_DATA.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from warden.core.control import ComplianceType, Verdict, insufficient_data
from warden.core.dataclass import dataclass
from warden.core.errors import MissingFactError
from warden.core.plan import Manual, Plan, Wait

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from warden.core.control import Control
    from warden.core.resource import Facts, Resource, ResourceRef

_T = TypeVar("_T")
_new = tuple.__new__
"""A named tuple made by it costs half of one that is made by its own constructor."""


class Evidence(Mapping[str, Any]):
    """The facts that a control read, put together when somebody asks: of what complies, as a rule, nobody does."""

    __slots__ = ("_facts", "_made", "_read")

    def __init__(self, facts: Facts, read: Mapping[str, Facts | None]) -> None:
        self._facts = facts
        self._read = read
        self._made: dict[str, Any] | None = None

    def evidence(self) -> dict[str, Any]:
        """All of it."""
        if self._made is None:
            self._made = self._facts.evidence(self._read)
        return self._made

    def __getitem__(self, key: str) -> Any:
        return self.evidence()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.evidence())

    def __len__(self) -> int:
        return len(self.evidence())


class Evaluation(NamedTuple):
    """What a control says of a resource at a moment, and the facts that it read to say so."""

    control: Control
    ref: ResourceRef
    compliance: ComplianceType
    annotation: str
    evidence: Mapping[str, Any] = MappingProxyType({})
    missing: str = ""
    """The fact that was not known, where that is why the data are insufficient."""
    error: str = ""
    """The traceback of a control that raised: a bug of ours, logged and alarmed."""


def evaluate(control: Control, resource: Resource, settings: Mapping[str, Any]) -> Evaluation:
    """Run one control; never raises."""
    return evaluate_all((control,), resource, {control.id: settings})[0]


def evaluate_all(
    controls: Iterable[Control], resource: Resource, settings: Mapping[str, Mapping[str, Any]]
) -> list[Evaluation]:
    """Run each control, with its settings; never raises.

    All of them look at the same facts, which note anew for each what it reads.
    """
    facts = resource.facts.fresh()
    looked_at, ref = resource.with_facts(facts), resource.ref
    found: list[Evaluation] = []
    for control in controls:
        of_control = settings[control.id]
        read: dict[str, Facts | None] = {}
        facts.read = read
        missing = error = ""
        try:
            verdict = control.evaluate(looked_at, of_control)
            if type(verdict) is not Verdict:
                verdict = _typed(verdict, Verdict)
        except MissingFactError as absent:
            verdict = insufficient_data(f"{ref.id} was not judged: {absent}.")
            missing = absent.fact
        except Exception as bug:  # noqa: BLE001 - a control that raises must be an answer of its own, never a crash or a pass
            verdict = insufficient_data(
                f"{ref.id} was not judged: the control failed with {type(bug).__name__}."
            )
            error = traceback.format_exc()
        compliance, annotation = verdict
        evidence = Evidence(facts, read)
        found.append(_new(Evaluation, (control, ref, compliance, annotation, evidence, missing, error)))
    return found


@dataclass(frozen=True, slots=True)
class Unplanned(Manual):
    """A remediation whose plan raised: a person acts, and the bug is as loud as one in an evaluation."""

    error: str = ""
    """The traceback."""


def plan(control: Control, resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual | Wait:
    """What the control's remediation would write, or waits for; where none can be made, a person acts."""
    if control.remediation is None:
        return Manual("This control has no unattended remediation.")
    try:
        planned = control.remediation.plan(resource, settings)
        return planned if isinstance(planned, (Manual, Wait)) else _typed(planned, Plan)
    except MissingFactError as absent:
        return Manual(f"The remediation cannot be planned: {absent}.")
    except Exception as bug:  # noqa: BLE001 - a plan that raises must never become a write
        why = f"The remediation could not be planned: it failed with {type(bug).__name__}: {bug}."
        return Unplanned(why, error=traceback.format_exc())


def _typed(answer: Any, wanted: type[_T]) -> _T:
    """The answer of a control, which may have forgotten to return one."""
    if not isinstance(answer, wanted):
        msg = f"the control returned {type(answer).__name__}, not {wanted.__name__}"
        raise TypeError(msg)
    return answer
