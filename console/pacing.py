"""The rows of the decision table that ask what time it is, and how often something was done."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from console.known import UNKNOWN_CONTROL, because, no, time, untold, yes
from warden.core import pace
from warden.core.decision import Reason

if TYPE_CHECKING:
    from console.known import Answer, Case


def flapping(case: Case) -> Answer:
    """Whether it was remediated too often in the window."""
    finding, policy, now = case.finding, case.policy, case.known.now
    recent, limit = pace.recent_attempts(finding, policy, now), policy.limits.attempts
    what = f"{recent} of {limit} attempts in {policy.limits.attempts_window_hours} hours"
    if not pace.is_flapping(finding, policy, now):
        return no(what)
    leaves = sorted(finding.attempts)[-limit] + policy.attempts_window
    who = sorted({str(one["principal"]) for one in finding.reverts if one.get("principal")})
    by = f" ({', '.join(who)})" if who else ""
    change = (
        f"Whoever changes it back{by} would have to stop; at {time(leaves)} the attempts are fewer than {limit} "
        "again."
    )
    return yes(what, change)


def undone(case: Case) -> Answer:
    """Whether somebody took a remediation of it back."""
    hold = case.finding.hold
    if not hold:
        return no("nobody took a remediation of it back")
    until = datetime.fromisoformat(hold["until"])
    if not pace.is_held(case.finding, case.known.now):
        return no(f"it was taken back, and left alone until {time(until)}")
    what = f"{hold['by']} took it back: {hold['reason']}"
    return yes(what, f"What was taken back is left alone until {time(until)}: {hold['reason']}.")


def unverified(case: Case) -> Answer:
    """Whether the calls were accepted and never showed an effect."""
    finding, policy = case.finding, case.policy
    since = pace.awaited_since(finding, case.calls, None)
    if not pace.is_unverified(finding, since, policy, case.known.now):
        return no("no accepted fix is without its effect")
    what = f"AWS accepted the calls at {time(finding.attempts[-1])}, and no look since showed their effect"
    change = "A person would have to see why what AWS accepted has no effect; other calls are tried at once."
    return yes(what, change)


def settling(case: Case) -> Answer:
    """Whether the effect of the same calls may still be on its way."""
    finding, policy = case.finding, case.policy
    since = pace.awaited_since(finding, case.calls, None)
    if not pace.is_settling(since, policy, case.known.now):
        return untold("an own write that just came back as an event tells", "")
    until = finding.attempts[-1] + policy.verify_within
    what = f"AWS accepted these calls at {time(finding.attempts[-1])}"
    return yes(what, f"Their effect would have to show; from {time(until)} on it counts as missing.")


def refused(case: Case) -> Answer:
    """Whether calls that were refused still rest."""
    until = pace.rests_until(case.finding, case.policy)
    if until is None:
        return no("no call was refused")
    if until <= case.known.now:
        return no(f"what was refused rested until {time(until)}")
    why = case.finding.manual.partition("\n")[0]
    again = f"from {time(until)} on, or once they differ"
    change = f"The calls that were refused are tried again {again}{because(why)}."
    return yes(f"what was refused rests until {time(until)}", change)


def owner_first(case: Case) -> Answer:
    """Whether the grace period of a stack's owner runs."""
    if case.is_containment:
        return no("containment passes it")
    grace = max(
        [timedelta(hours=case.policy.limits.owner_grace_hours)]
        + [scope.owner_grace for scope in case.policy.scopes if scope.owner_grace is not None]
    )
    until = pace.owner_until(case.finding, grace, case.known.now)
    if not grace or until <= case.known.now:
        return no("no grace period runs")
    change = f"The grace period of the stack's owner would have to end, as it does at {time(until)}."
    what = f"the grace period runs until {time(until)}"
    if case.finding.decision.get("reason") == Reason.OWNER_FIRST:
        return yes(what, change)
    return untold(f"{what}, if a stack owns it", change)


def frozen(case: Case) -> Answer:
    """Whether a freeze is on."""
    freeze = case.policy.freeze(case.known.now)
    if freeze is None or case.is_containment:
        return no("no freeze is on" if freeze is None else "containment passes it")
    what = f"a freeze is on until {time(freeze.end)}: {freeze.reason}"
    return yes(what, f"The freeze would have to end, as it does at {time(freeze.end)}: {freeze.reason}.")


def outside_window(case: Case) -> Answer:
    """Whether it has to wait for a change window."""
    policy, now = case.policy, case.known.now
    if case.control is None:
        return UNKNOWN_CONTROL
    if not case.control.is_disruptive or case.is_containment or not policy.is_outside_windows(now):
        return no("it needs none, or one is open")
    opens = min(window.next(now).start for window in policy.change_windows)
    return yes(
        f"the next opens at {time(opens)}", f"A change window would have to open, as at {time(opens)}."
    )
