"""`warden acknowledge --day-one`: what the first sweep of each control found, and the word that lets more follow."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from console import deployed
from console.asking import confirmed
from warden import wiring
from warden.controls import all_controls
from warden.core.decision import Action, Mode, Reason
from warden.core.errors import ConfigurationError
from warden.core.ledger import EntryKind, LedgerEntry
from warden.core.resource import Deployment
from warden.gateways.brakes import DynamoBrakes
from warden.gateways.findings import DynamoFindings
from warden.gateways.ledger import DynamoLedger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from warden.core.finding import Finding
    from warden.core.policy import Policy


def acknowledge(
    *,
    controls: Sequence[str] | None,
    reason: str,
    yes: bool,
    policy_file: str | None,
    stack: str,
    region: str | None,
    profile: str | None,
) -> int:
    """Show what waits, ask, and acknowledge it for the modes that policy and ceiling give each control."""
    if not reason.strip():
        msg = "--reason is empty; say why, it goes into the ledger"
        raise ConfigurationError(msg)
    known = {control.id for control in all_controls()}
    if unknown := sorted(set(controls or ()) - known):
        msg = f"there is no control {unknown[0]!r}; `warden controls` lists them"
        raise ConfigurationError(msg)
    found = deployed.find(
        *("FindingsTable", "LedgerTable", "StateTable"),
        command="warden acknowledge",
        stack=stack,
        region=region,
        profile=profile,
    )
    parameters = deployed.parameters(found, stack)
    policy, ceiling = deployed.policy(parameters, policy_file), Mode.parse(parameters["ModeCeiling"])
    dynamodb, names = found.client("dynamodb"), found.names
    brakes = DynamoBrakes(dynamodb, names["StateTable"])
    standing = brakes.standing(found.account, found.region)
    wanted = known if controls is None else set(controls)
    pairs = [pair for pair in to_acknowledge(policy, ceiling) if pair[0] in wanted]
    new = sorted(set(pairs) - standing.acknowledged)
    if not new:
        print(f"{stack}: no first sweep waits; there is nothing to acknowledge.")
        return 1
    for line in summary(DynamoFindings(dynamodb, names["FindingsTable"]).all(), wanted):
        print(line)
    if not (yes or confirmed("Let it follow?")):
        print("Nothing was acknowledged.")
        return 1
    now = wiring.now()
    # The record first: nothing may follow without one.
    DynamoLedger(dynamodb, names["LedgerTable"], names["StateTable"]).append(
        LedgerEntry(
            at=now,
            actor=found.arn,
            chain=Deployment(found.account, found.region).chain,
            kind=EntryKind.ACKNOWLEDGE,
            after={"day_one": [f"{control} in mode {mode}" for control, mode in new], "reason": reason},
            policy_version=policy.version,
        )
    )
    brakes.acknowledge_day_one(found.account, found.region, new, now=now)
    print(
        f"{stack}: acknowledged for {len({control for control, _ in new})} controls, each in the mode that it has."
    )
    print("What was found is decided about with its next event, or the next sweep.")
    return 0


def to_acknowledge(policy: Policy, ceiling: Mode) -> list[tuple[str, str]]:
    """Controls and modes: what a mode lets Warden do includes what the stricter ones do."""
    return [
        (control, mode.word)
        for control in policy.settings
        for mode in (Mode.TICKET, Mode.REMEDIATE)
        if mode <= min(policy.modes.get(control, policy.default_mode), ceiling)
    ]


def summary(findings: Iterable[Finding], controls: set[str]) -> list[str]:
    """What waits, by control: how many resources, and what would follow."""
    counted: dict[str, Counter[str]] = {}
    for finding in findings:
        decision: Mapping[str, str] = finding.decision
        if finding.is_open and decision.get("reason") == Reason.DAY_ONE and finding.control in controls:
            tells = decision.get("mode") == Mode.TICKET.word
            follows = Action.TICKET.value if tells else str(decision.get("would", ""))
            counted.setdefault(finding.control, Counter())[follows] += 1
    lines = [
        f"{sum(counts.values()):6}  {control}: "
        + ", ".join(f"{count} would be {_WOULD.get(what, what)}" for what, count in counts.most_common())
        for control, counts in sorted(counted.items(), key=lambda one: (-sum(one[1].values()), one[0]))
    ]
    return [*lines, f"{sum(sum(c.values()) for c in counted.values()):6}  findings of first sweeps.", ""]


_WOULD = {
    "REMEDIATE": "remediated",
    "TICKET": "tickets",
    "AWAIT_APPROVAL": "put up for approval",
    "DEFER": "remediated later",
}
"""What would follow, as words."""
