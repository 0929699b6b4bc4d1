"""The rows of the decision table that ask what policy and people want."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.known import UNKNOWN_CONTROL, because, no, time, untold, yes
from warden.core import approval, preflight
from warden.core.control import Maturity
from warden.core.decision import Mode

if TYPE_CHECKING:
    from console.known import Answer, Case
    from warden.core.approval import Approval


def exempt(case: Case) -> Answer:
    """Whether an exemption covers it."""
    finding, now = case.finding, case.known.now
    for one in case.policy.exemptions:
        concerns = one.concerns(finding.control, account=case.account, key=finding.resource_key)
        if concerns and now.date() <= one.expires:
            what = f"an exemption of {one.owner} covers it up to {one.expires}: {one.reason}"
            change = (
                f"The exemption of {one.owner} would have to end: it lasts to the end of {one.expires}, or until "
                "the policy drops it."
            )
            return yes(what, change)
    return no("no exemption covers it")


def mode(case: Case, mode: Mode) -> Answer:
    """Whether the mode is this one, by policy, scopes and ceiling."""
    certain, possible = _modes(case)
    lowest = min(one for _, one in certain)
    told = ", ".join(f"{where} says {one.word}" for where, one in certain if one is not Mode.REMEDIATE)
    if lowest is mode:
        return yes(told, f"The mode would have to be remediate: {told}.")
    if lowest > mode and mode in {one for _, one in possible}:
        may = ", ".join(f"{where} may say {one.word}" for where, one in possible if one is mode)
        return untold(may, f"The mode would have to be remediate: {may}, which cannot be seen from here.")
    return no(f"the mode is {lowest.word}")


def _modes(case: Case) -> tuple[list[tuple[str, Mode]], list[tuple[str, Mode]]]:
    """What limits the mode: what is certain, and what tags that nobody kept, or an unread ceiling, may add."""
    policy, finding, known = case.policy, case.finding, case.known
    own = finding.control in policy.modes
    where = f"controls.{finding.control}.mode" if own else "defaults.mode"
    certain = [(f"{where} of the policy", policy.modes.get(finding.control, policy.default_mode))]
    possible: list[tuple[str, Mode]] = []
    for scope in policy.scopes:
        if (scope.accounts and case.account not in scope.accounts) or (
            scope.regions and known.region not in scope.regions
        ):
            continue
        tags = " and ".join(f"{key}={value}" for key, value in sorted(scope.tags.items()))
        if tags:
            possible.append((f"the scope {scope.name!r} (tags {tags})", scope.mode))
        else:
            certain.append((f"the scope {scope.name!r}", scope.mode))
    if known.ceiling is None:
        possible += [("the ceiling of the deployment (ModeCeiling)", mode) for mode in Mode]
    else:
        certain.append(("the ceiling of the deployment (ModeCeiling)", known.ceiling))
    return certain, possible


def preview(case: Case) -> Answer:
    """Whether the control only observes yet."""
    if case.control is None:
        return UNKNOWN_CONTROL
    if case.control.maturity != Maturity.PREVIEW:
        return no(f"the control is {case.control.maturity}")
    change = "The control would have to be stable: a preview only observes, whatever the policy says."
    return yes("the control is a preview", change)


def no_remediation(case: Case) -> Answer:
    """Whether there were no calls when it was last judged."""
    if case.finding.plan:
        return no("there was a plan when it was last judged")
    why = case.finding.manual.partition("\n")[0]
    change = f"A person has to act, for Warden has no calls for it{because(why)}."
    return yes(why or "no plan was made", change)


def needs_approval(case: Case) -> Answer:
    """Whether nobody allows what costs or disrupts."""
    control, policy, finding = case.control, case.policy, case.finding
    if control is None:
        return UNKNOWN_CONTROL
    looked = preflight.answer_of(finding.decision.get("preflight"))
    told = f"{looked.sentence.rstrip('.')}; " if looked is not None else ""
    if control.remediation is None or not approval.is_needed(control, policy, looked=looked):
        return no(f"{told}none is needed")
    given = approval.in_force(case.known.answers, finding=finding, policy=policy, now=case.known.now)
    if given is not None:
        return no(f"{given.arn or given.approver} approved at {time(given.at)}: {given.reason}")
    request = finding.decision.get("request")
    ask = f"`warden approve {request}`" if request else "`warden approve`, once it is asked for"
    lists = {"costs": "costs", "disruptive": "disruption"}
    key = lists.get(control.remediation.safety.value)
    allow = (
        f", or the policy list it under allow.{key}"
        if key and (control.remediation.preflight is None or (looked is not None and looked.is_clean))
        else ""
    )
    answers = "; ".join(_said(case, one) for one in case.known.answers) or "nobody has answered"
    what = f"{told}its safety is {control.remediation.safety.value}; {answers}"
    return yes(what, f"Somebody would have to approve it ({ask}){allow}.")


def _said(case: Case, one: Approval) -> str:
    """What somebody answered, and why that does not count, where it does not."""
    why = approval.objection(one, finding=case.finding, policy=case.policy, now=case.known.now)
    return f"{one.answer.value} by {one.arn or one.approver}" + (
        f", which does not count: {why}" if why else ""
    )
