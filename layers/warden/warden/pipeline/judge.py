"""Evaluate every control of a resource and decide about each: what evaluate, sweep, scan and remediate share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from warden.core import approval, conditions, health, pace
from warden.core.control import ComplianceType
from warden.core.dataclass import dataclass
from warden.core.decision import Action, Decision, Mode, Situation, decide
from warden.core.errors import MissingFactError, RefusedError
from warden.core.evaluation import Evaluation, Unplanned, evaluate, evaluate_all, plan
from warden.core.kinds import Need
from warden.core.lazy import Lazy
from warden.core.pace import REFUSED
from warden.core.plan import Call, Manual, Plan, Stage, Wait, digest
from warden.core.procedure import TEMPORARY_TYPES, eased, identity, is_member_of_own, is_named_so, objection
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from warden.core.approval import Approval
    from warden.core.control import Control
    from warden.core.finding import Finding
    from warden.core.policy import Policy
    from warden.core.preflight import Answer, Question
    from warden.core.resource import Resource
    from warden.pipeline.ports import Approvals, Reader, Temporaries
    from warden.pipeline.preflight import Preflight
    from warden.pipeline.restraints import Restraining

_OF_FEW = frozenset({Need.SECRET_POLICY})
"""What AWS tells of one resource at a time, and the policy makes the business of a few."""
_DRIFT = ComplianceType.NON_COMPLIANT
_SETTLED = {
    compliance: decide(Situation(compliance=compliance))
    for compliance in ComplianceType
    if compliance is not _DRIFT
}
"""The decisions where there is nothing to decide, which is nearly always."""
_UNKNOWN = (MissingFactError, RefusedError, KeyError)
_new = tuple.__new__
"""A named tuple made by it costs half of one that is made by its own constructor."""


class _Moment(NamedTuple):
    """What holds for each finding of a resource at a moment."""

    unknown: bool
    """A fact that says whether the resource may be written to could not be had."""
    busy: bool
    frozen: bool
    outside_windows: bool
    unhealthy: bool
    owned: bool
    """A stack owns it."""


_NO_MOMENT = _Moment(
    unknown=True, busy=False, frozen=False, outside_windows=False, unhealthy=False, owned=False
)
"""Where nothing is found, nothing is asked; if it were asked, nothing would be known."""


class Judgement(NamedTuple):
    """One control's answer for one resource: what is, what would be written, and what to do about it."""

    evaluation: Evaluation
    plan: Plan | Manual | Wait | None
    decision: Decision
    approval: Approval | None = None
    """What lets the calls be made, where they needed it."""
    looked: Answer | None = None
    """What the preflight found, where it was asked."""

    @property
    def control(self) -> Control:
        """The control that judged."""
        return self.evaluation.control

    @property
    def calls(self) -> tuple[Call, ...]:
        """The planned calls; none where a person must act."""
        return self.plan.calls if isinstance(self.plan, Plan) else ()

    @property
    def stage(self) -> Stage:
        """Where in a procedure the calls stand."""
        return self.plan.stage if isinstance(self.plan, Plan) else Stage.WHOLE

    @property
    def pledge(self) -> tuple[Call, ...]:
        """The calls that a person approves: of a procedure all of them, whatever is done already."""
        return identity(self.plan) if isinstance(self.plan, (Plan, Wait)) else ()

    @property
    def shown(self) -> tuple[Call, ...]:
        """The calls that people are shown: the next ones where they are made, else all that a yes would lead to."""
        goes_on = self.decision.action in {Action.REMEDIATE, Action.DEFER}
        return self.calls if goes_on or isinstance(self.plan, Wait) else self.pledge

    @property
    def step(self) -> str:
        """Where a procedure stands, as a sentence; empty where there is none."""
        if isinstance(self.plan, Wait):
            return self.plan.why
        if not isinstance(self.plan, Plan) or not self.plan.pledge:
            return ""
        [call, *_] = self.plan.calls
        alike = [one for one in self.plan.pledge if one.operation == call.operation]
        number = self.plan.pledge.index(call if call in self.plan.pledge else alike[0]) + 1
        return f"Call {number} of {len(self.plan.pledge)} is next: {call.operation}."

    @property
    def part(self) -> str:
        """What an approval is used for, once: everything, or one of several reboots."""
        return part_of(self.plan) if isinstance(self.plan, Plan) else ""

    @property
    def cost(self) -> str:
        """What the calls cost, as a sentence; empty where they cost nothing."""
        return self.plan.cost if isinstance(self.plan, Plan) else ""

    @property
    def manual(self) -> str:
        """What a person must know or do, or what is waited for; empty where the calls say it all."""
        if isinstance(self.plan, Wait):
            return self.plan.why
        if isinstance(self.plan, Plan):
            return self.plan.notice
        return "\n".join((self.plan.why, *self.plan.steps)) if isinstance(self.plan, Manual) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Holds what every judgement needs: the controls, the policy and the ceiling."""

    controls: Mapping[ResourceType, tuple[Control, ...]]
    policy: Policy
    ceiling: Mode
    reader: Reader
    of_few: Mapping[ResourceType, tuple[Control, ...]]
    """The controls that need what is asked of few: see `completed`."""
    approvals: Approvals | None = None
    """None where nobody is asked: then there is no approval."""
    temporaries: Temporaries | None = None
    """None where nothing is kept: then nothing is known to be Warden's own."""
    preflight: Preflight | None = None
    """None where nobody looks at live use: then what asks for it needs an approval."""

    assumed: Mapping[Need, Any] | None = None
    """What plans are made with instead of asking AWS for it; only for who shows plans, and writes nothing."""

    @classmethod
    def of(
        cls,
        controls: Mapping[ResourceType, Sequence[Control]],
        *,
        policy: Policy,
        ceiling: Mode,
        reader: Reader,
        approvals: Approvals | None = None,
        temporaries: Temporaries | None = None,
        preflight: Preflight | None = None,
        assumed: Mapping[Need, Any] | None = None,
    ) -> Judge:
        """A judge of controls by type, as far as the policy enables them.

        Those of a type are not asked for before it is judged.
        """
        enabled = Lazy(
            controls, lambda of_type: tuple(one for one in controls[of_type] if policy.is_enabled(one.id))
        )
        return cls(
            controls=enabled,
            policy=policy,
            ceiling=ceiling,
            reader=reader,
            of_few=Lazy(
                controls,
                lambda of_type: tuple(one for one in enabled[of_type] if not _OF_FEW.isdisjoint(one.needs)),
            ),
            approvals=approvals,
            temporaries=temporaries,
            preflight=preflight,
            assumed=assumed,
        )

    def needs(self, resource_type: ResourceType) -> frozenset[Need]:
        """The enrichments that the controls of a type evaluate on."""
        return frozenset(need for control in self.of_type(resource_type) for need in control.needs)

    def needs_of_a_list(self, resource_type: ResourceType) -> frozenset[Need]:
        """The same, but for what is asked only of those of a list that somebody has to know it of: see `completed`."""
        return self.needs(resource_type) - _OF_FEW

    def completed(self, resource: Resource) -> Resource:
        """A resource of a list with what its controls miss: of five thousand secrets, few are a database's."""
        few = self.of_few.get(resource.ref.resource_type)
        if not few:
            return resource
        known = resource.facts
        wanted = {
            found.missing
            for control in few
            if any(
                need in _OF_FEW and need not in known and need not in known.missing for need in control.needs
            )
            for found in (evaluate(control, resource, self.policy.settings[control.id]),)
        }
        asked = frozenset(need for need in _OF_FEW if need in wanted)
        return self.reader.enrich(resource, asked) if asked else resource

    def of_type(self, resource_type: ResourceType) -> tuple[Control, ...]:
        """The controls of a type."""
        return self.controls.get(resource_type, ())

    def evaluate(self, resource: Resource) -> list[Evaluation]:
        """Run every control of the resource's type; none of them means anything for what a procedure made."""
        controls = self.of_type(resource.ref.resource_type)
        if self._is_our_own(resource):
            return [_of_our_own(control, resource) for control in controls]
        return evaluate_all(controls, resource, self.policy.settings)

    def _is_our_own(self, resource: Resource) -> bool:
        """Whether name, tags and record agree that Warden made it for a while: a tag alone exempts nothing."""
        ref = resource.ref
        if self.temporaries is None or not is_named_so(ref):
            return False
        if ref.resource_type is ResourceType.DB_INSTANCE:
            return self._is_in_our_own(resource, self.temporaries)
        if ref.resource_type not in TEMPORARY_TYPES:
            return False
        record = self.temporaries.get(ref.arn)
        return record is not None and objection(resource.facts, record) == ""

    @staticmethod
    def _is_in_our_own(resource: Resource, temporaries: Temporaries) -> bool:
        """Whether an instance is one of a cluster that a procedure is still preparing."""
        facts = resource.facts
        if "DBClusterIdentifier" not in facts or facts["DBClusterIdentifier"] is None:
            return False
        cluster = resource.ref.beside(ResourceType.DB_CLUSTER, facts["DBClusterIdentifier"])
        record = temporaries.get(cluster.arn)
        return is_member_of_own(resource.facts, record)

    def decide(
        self,
        resource: Resource,
        evaluations: Sequence[Evaluation],
        *,
        findings: Mapping[str, Finding],
        now: datetime,
        restraints: Restraining,
        settling: bool = False,
        changed_at: datetime | None = None,
    ) -> tuple[Resource, list[Judgement]]:
        """Decide about each evaluation; returns the resource with the facts that the plans needed.

        `settling`: our own write to it has just come back as an event, so nothing more is written for now.
        `changed_at`: when somebody else wrote to it, as far as the event at hand tells.
        """
        drifted = [e for e in evaluations if e.compliance is _DRIFT]
        resource = self._enriched_for_plans(resource, drifted) if drifted else resource
        moment = self._moment(resource, now) if drifted else _NO_MOMENT
        return resource, [
            self._judgement(
                evaluation,
                resource,
                finding=findings.get(evaluation.control.id),
                now=now,
                moment=moment,
                restraints=restraints,
                settling=settling,
                changed_at=changed_at,
            )
            if evaluation.compliance is _DRIFT
            else _new(Judgement, (evaluation, None, _SETTLED[evaluation.compliance], None, None))
            for evaluation in evaluations
        ]

    def _moment(self, resource: Resource, now: datetime) -> _Moment:
        unknown, busy = _is_busy(resource)
        return _Moment(
            unknown=unknown,
            busy=busy,
            frozen=self.policy.freeze(now) is not None,
            outside_windows=self.policy.is_outside_windows(now),
            unhealthy=resource.ref.resource_type in conditions.WRITE_NEEDS
            and health.is_unwell(resource, self.policy.health, now),
            owned=conditions.owner_stack(resource) is not None,
        )

    def _enriched_for_plans(self, resource: Resource, drifted: Sequence[Evaluation]) -> Resource:
        gates = set(conditions.WRITE_NEEDS.get(resource.ref.resource_type, ()))
        gates -= health.unasked(self.policy.health)
        needs: set[Need] = set()
        for evaluation in drifted:
            control = evaluation.control
            if (remediation := control.remediation) is not None:
                needs |= gates
                if not remediation.requires or self.policy.settings[control.id][remediation.requires]:
                    needs |= set(remediation.needs)
        wanted = frozenset(need for need in needs if need not in resource.facts)
        if self.assumed is not None and not wanted.isdisjoint(self.assumed):
            assumed: dict[str, Any] = {need: self.assumed[need] for need in wanted if need in self.assumed}
            resource = resource.with_facts(resource.facts.with_more(assumed))
            wanted = wanted.difference(assumed)
        return self.reader.enrich(resource, wanted) if wanted else resource

    def _judgement(
        self,
        evaluation: Evaluation,
        resource: Resource,
        *,
        finding: Finding | None,
        now: datetime,
        moment: _Moment,
        restraints: Restraining,
        settling: bool,
        changed_at: datetime | None,
    ) -> Judgement:
        control = evaluation.control
        planned = plan(control, resource, self.policy.settings[control.id])
        if isinstance(planned, Unplanned):
            evaluation = evaluation._replace(error=planned.error)
        calls = planned.calls if isinstance(planned, Plan) else ()
        awaited = pace.awaited_since(finding, calls, changed_at)
        unknown, busy, pending = _writability(resource, calls, moment)
        mode = self.policy.mode(control.id, resource, self.ceiling)
        # Where nothing may be written, nobody was asked, and a sweep of old debts need not look for answers.
        writes = mode is Mode.REMEDIATE
        situation = Situation(
            compliance=evaluation.compliance,
            mode=mode,
            exempt=self.policy.exemption(control.id, resource, now) is not None,
            undone=finding is not None and pace.is_held(finding, now),
            day_one=restraints.is_day_one(control, mode),
            preview=control.maturity == "preview",
            remediable=isinstance(planned, (Plan, Wait)),
            flapping=finding is not None and pace.is_flapping(finding, self.policy, now),
            refused=self._was_refused(finding, calls, now),
            unverified=finding is not None and pace.is_unverified(finding, awaited, self.policy, now),
            circuit_open=restraints.is_circuit_open(control),
            owner_first=moment.owned
            and now < pace.owner_until(finding, self.policy.owner_grace(resource), now),
            looking=False,
            approval_missing=False,
            unknown_state=unknown,
            busy=busy,
            settling=settling or pace.is_settling(awaited, self.policy, now),
            pending=pending,
            frozen=moment.frozen,
            unhealthy=moment.unhealthy,
            outside_window=moment.outside_windows and (control.is_disruptive or _disrupts(planned)),
            canary=restraints.is_canary_out(control),
            budget_spent=restraints.is_spent(control),
            containment=control.is_containment,
        )
        # Looking costs: it is done where nothing before it decides.
        asked = self._asked(control, planned)
        if asked and decide(eased(situation, planned)).action not in {Action.REMEDIATE, Action.DEFER}:
            asked = None
        looked = self.preflight.answer(asked, resource, now) if asked and self.preflight else None
        approved = (
            self._approval(control, resource, planned, finding=finding, now=now, looked=looked)
            if writes
            else None
        )
        needed = approval.is_needed(control, self.policy, planned, looked)
        looking, lacking = bool(asked) and looked is None, approved is None and needed
        if looking or lacking:
            situation = situation._replace(looking=looking, approval_missing=lacking)
        decision = decide(eased(situation, planned))
        if asked and looked and self.preflight:
            if decision.action is not Action.REMEDIATE:
                self.preflight.keep(asked, resource, now)
            elif not self.preflight.confirms(asked, resource, now):
                decision = decide(eased(situation._replace(looking=True), planned))
        return Judgement(
            evaluation=evaluation,
            plan=planned,
            decision=decision,
            approval=approved,
            looked=looked,
        )

    def _asked(self, control: Control, planned: Plan | Manual | Wait) -> Question | None:
        """What is to be known about live use before the plan is carried out; None where nobody looks."""
        if self.preflight is None or control.remediation is None or not isinstance(planned, Plan):
            return None
        return control.remediation.preflight

    def _approval(
        self,
        control: Control,
        resource: Resource,
        planned: Plan | Manual | Wait,
        *,
        finding: Finding | None,
        now: datetime,
        looked: Answer | None,
    ) -> Approval | None:
        """The approval of exactly these calls for this finding, where they need one."""
        if self.approvals is None or not isinstance(planned, Plan) or finding is None or not finding.is_open:
            return None
        if not approval.is_needed(control, self.policy, planned, looked):
            return None
        request = approval.request_id(resource.key, control.id, identity(planned))
        answers = self.approvals.answers(request, part=part_of(planned))
        begun = planned.stage is Stage.GO_ON
        return approval.in_force(
            answers, finding=finding, policy=self.policy, now=now, begun=begun, looked=looked
        )

    def _was_refused(self, finding: Finding | None, calls: Sequence[Call], now: datetime) -> bool:
        """Whether AWS refused these very calls a short while ago: what was refused is not tried again blindly."""
        if finding is None or finding.decision.get(REFUSED) not in {"", digest(calls)}:
            return False
        until = pace.rests_until(finding, self.policy)
        return until is not None and now < until


def _disrupts(planned: Plan | Manual | Wait) -> bool:
    return isinstance(planned, Plan) and planned.disrupts


def _of_our_own(control: Control, resource: Resource) -> Evaluation:
    return Evaluation(
        control=control,
        ref=resource.ref,
        compliance=ComplianceType.NOT_APPLICABLE,
        annotation=f"{resource.ref.id} is a thing of Warden's own, which a procedure takes away, or still prepares.",
    )


def part_of(plan: Plan) -> str:
    """What an approval is used for: one of several calls that it names, or (empty) all of them."""
    return digest(plan.calls) if plan.stage is Stage.WHOLE and plan.pledge else ""


def _is_busy(resource: Resource) -> tuple[bool, bool]:
    """Whether it is unknown if the resource may be written to, and whether it is busy."""
    try:
        return False, conditions.is_busy(resource)
    except _UNKNOWN:
        return True, False


def _writability(resource: Resource, calls: Sequence[Call], moment: _Moment) -> tuple[bool, bool, bool]:
    """Whether it is unknown if the resource may be written to, it is busy, and the calls would flush something."""
    if moment.unknown:
        return True, False, False
    try:
        return False, moment.busy, conditions.would_flush(resource, calls)
    except _UNKNOWN:
        return True, False, False
