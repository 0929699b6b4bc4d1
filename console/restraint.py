"""The rows of the decision table that ask what holds a control back in its whole account and Region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.known import no, time, untold, yes
from warden.core import brakes
from warden.core.decision import Mode

if TYPE_CHECKING:
    from console.known import Answer, Case


def day_one(case: Case) -> Answer:
    """Whether the control's first sweep in its mode waits for somebody."""
    if not case.policy.day_one.acknowledge:
        return no("the policy asks nobody to look at a first sweep")
    known = case.known.standing.acknowledged
    waiting = [
        mode.word for mode in (Mode.TICKET, Mode.REMEDIATE) if (case.finding.control, mode.word) not in known
    ]
    if not waiting:
        return no("somebody acknowledged its first sweep")
    change = (
        "Somebody would have to look at what the first sweep found, and call `warden acknowledge --day-one`."
    )
    what = f"nobody has acknowledged its first sweep in mode {' or '.join(waiting)}"
    return yes(what, change) if Mode.TICKET.word in waiting else untold(what, change)


def circuit_open(case: Case) -> Answer:
    """Whether the fixes of the control failed too often."""
    opened = case.known.standing.circuits.get(case.finding.control)
    if opened is None:
        return no("the fixes of its control do not fail")
    change = "Somebody would have to see why the fixes of this control fail, and call `warden acknowledge`."
    return yes(f"the fixes of its control failed too often; its circuit is open since {time(opened)}", change)


def canary(case: Case) -> Answer:
    """Whether the control is being tried on another resource first."""
    soak = case.policy.canary.soak_hours
    first = case.known.standing.canaries.get(case.finding.control)
    if not soak or first is None:
        return no("the policy asks for no canary" if not soak else "its control has written to nothing yet")
    if case.is_containment:
        return no("containment passes it")
    if first.resource_key == case.finding.resource_key:
        return no("it is the one that its control is tried on")
    if first.verified_at is None:
        what = f"its control is being tried on {first.resource_key} first"
        return yes(
            what, f"The fix of {first.resource_key} would have to be verified, and to soak {soak} hours."
        )
    what = f"the first fix of its control, on {first.resource_key}, holds since {time(first.verified_at)}"
    return untold(
        what, f"An environment is opened every {soak} hours after that, in the order of the policy."
    )


def budget(case: Case) -> Answer:
    """Whether the hour's writes are spent."""
    limits, known = case.policy.limits, case.known
    control, standing = case.finding.control, known.standing
    name = brakes.budget_of(containment=case.is_containment)
    limit, spent = limits.of(containment=case.is_containment), known.spent.writes
    whats = [f"{spent} of {limit} writes of this hour are spent"]
    over = []
    if name in standing.latched or spent >= limit:
        over.append(
            f"limits.{'containment_writes_per_hour' if case.is_containment else 'writes_per_hour'}, {limit}"
        )
    if not case.is_containment:
        evaluated = standing.census.get(str(case.finding.resource_type))
        own_limit, own = brakes.limit_of_control(limits, evaluated), known.spent.by_control.get(control, 0)
        if control in standing.latched or own >= own_limit:
            whats.append(f"{own} of {own_limit} for this control")
            over.append(f"limits.writes_per_hour_per_control or share_percent, {own_limit}")
    if {name, control} & standing.latched:
        whats.append("and nobody has acknowledged that")
    if not over:
        return no(whats[0])
    change = (
        "Somebody would have to look at what was written, and call `warden acknowledge`: the budget "
        f"({'; '.join(over)}) is spent until then."
    )
    return yes(", ".join(whats), change)
