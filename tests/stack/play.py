"""One deployment in which every control's resource drifts; what became of it is kept as data for many tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stack.deployed import ALICE, Deployed
from stack.waiting import waits_take_no_time
from warden.core.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from console.local.calls import RecordedCall
    from stack.cases import Case
    from warden.core.evaluation import Evaluation
    from warden.core.finding import Finding
    from warden.core.plan import Call


@dataclass(slots=True)
class Played:
    """What became of each case, by control."""

    arns: dict[str, str] = field(default_factory=dict)
    before: dict[str, Evaluation] = field(default_factory=dict)
    """As the control judged the live resource before the drift; absent where the drift makes the resource."""
    live: dict[str, Evaluation] = field(default_factory=dict)
    """At the end."""
    findings: dict[str, Finding] = field(default_factory=dict)
    entries: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """The ledger's entries about the control and the resource, in order."""
    tickets: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    writes: list[RecordedCall] = field(default_factory=list)
    """All writes of the first pass."""
    later_writes: list[RecordedCall] = field(default_factory=list)
    """Those of an hour of schedules and a sweep afterwards."""
    by_hand: dict[str, Evaluation] = field(default_factory=dict)
    """As the control judges the live resource once a person has had the plan of its ticket applied."""
    plans_left: dict[str, tuple[Call, ...]] = field(default_factory=dict)
    """What the remediation would still write then."""
    calls: list[RecordedCall] = field(default_factory=list)


def play(policy: str, cases: Iterable[Case], folder: Path, *, by_hand: bool = False) -> Played:
    """Let every resource drift once, by calls of Alice's."""
    file = folder / "policy.toml"
    file.write_text(policy, encoding="utf-8")
    played = Played()
    with Deployed(policy=file) as stack, waits_take_no_time(stack.clock):
        cases = list(cases)
        for case in cases:
            played.arns[case.control] = case.seed(stack, case.name)
        played.before = _judged(stack, played)
        with stack.by(ALICE):
            for case in cases:
                case.drift(stack.client("rds"), case.name)
        stack.settle()
        played.writes = stack.writes
        if not by_hand:
            stack.hours_later(1)
            stack.sweep()
            played.later_writes = stack.writes[len(played.writes) :]
        played.live = _judged(stack, played)
        _collect(stack, played, cases)
        played.calls = list(stack.aws.calls)
        stack.check()
        if by_hand:
            _apply_plans(stack, played)
    return played


def _judged(stack: Deployed, played: Played) -> dict[str, Evaluation]:
    everything = stack.judged_all()
    return {
        control: everything[control, arn]
        for control, arn in played.arns.items()
        if (control, arn) in everything
    }


def _collect(stack: Deployed, played: Played, cases: Iterable[Case]) -> None:
    entries = stack.entries()
    tickets = stack.tickets
    for case in cases:
        control, arn = case.control, played.arns[case.control]
        played.findings[control] = stack.finding(control, arn)
        played.entries[control] = [
            entry for entry in entries if entry["arn"] == arn and control in entry["control"].split(",")
        ]
        played.tickets[control] = [
            ticket for ticket in tickets if (ticket["control"], ticket["resource"]) == (control, arn)
        ]


def _apply_plans(stack: Deployed, played: Played) -> None:
    """A person reads the ticket, and has its plan applied by the same gateway."""
    for control, finding in played.findings.items():
        stack.apply_plan(finding)
        played.by_hand[control] = stack.judged(control, played.arns[control])
        left = stack.planned(control, played.arns[control])
        played.plans_left[control] = left.calls if isinstance(left, Plan) else ()
