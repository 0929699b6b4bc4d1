"""`warden explain`: why something happened to a resource, or did not, from what a deployment has kept."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console import deployed, explain_text
from console.explanation import Explanation
from console.known import Case, Known
from console.ledger import Books
from warden import wiring
from warden.controls import all_controls
from warden.core.brakes import budget_of
from warden.core.decision import Mode
from warden.core.errors import ConfigurationError, StoppedError, WardenError
from warden.core.resource import Deployment, ResourceRef
from warden.gateways.approvals import DynamoApprovals
from warden.gateways.brakes import DynamoBrakes
from warden.gateways.state import DynamoState
from warden.gateways.tickets import DynamoTickets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from warden.core.control import Control
    from warden.core.finding import Finding
    from warden.core.ledger import Link
    from warden.core.policy import Policy

_RESOURCES = ("FindingsTable", "LedgerTable", "StateTable", "ApprovalsTable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where what a deployment knows is read."""

    found: deployed.Deployed
    books: Books
    state: DynamoState
    brakes: DynamoBrakes
    tickets: DynamoTickets
    approvals: DynamoApprovals
    policy: Policy
    ceiling: Mode | None

    @classmethod
    def of(cls, found: deployed.Deployed, stack: str, policy_file: str | None) -> Desk:
        """That of a deployment, with the policy that it names where no file is given."""
        try:
            parameters = deployed.parameters(found, stack)
        except WardenError as error:
            print(f"The parameters of {stack} could not be read: {error}", file=sys.stderr)
            parameters = {}
        dynamodb, state = found.client("dynamodb"), found.names["StateTable"]
        ceiling = parameters.get("ModeCeiling")
        return cls(
            found=found,
            books=Books.of(found),
            state=DynamoState(dynamodb, state),
            brakes=DynamoBrakes(dynamodb, state),
            tickets=DynamoTickets(dynamodb, state),
            approvals=DynamoApprovals(dynamodb, found.names["ApprovalsTable"], state),
            policy=deployed.policy(parameters, policy_file),
            ceiling=None if ceiling is None else Mode.parse(ceiling),
        )

    def explain(
        self, keys: Sequence[str], controls: dict[str, Control], only: str | None, now: datetime
    ) -> list[Explanation]:
        """The findings of some resources, or the one of a control; what is open comes first."""
        made = []
        for key in keys:
            findings = self.books.findings.of_resource(key)
            wanted = [finding for name, finding in findings.items() if only in {None, name}]
            entries = tuple(self.books.ledger.read(key)) if wanted else ()
            made += [
                Explanation.of(
                    Case(
                        finding=finding,
                        control=controls.get(finding.control),
                        policy=self.policy,
                        known=self._known(finding, controls, entries, now),
                    )
                )
                for finding in wanted
            ]
        return sorted(made, key=lambda one: (not one.finding.is_open, one.finding.first_observed))

    def _known(
        self, finding: Finding, controls: dict[str, Control], entries: tuple[Link, ...], now: datetime
    ) -> Known:
        control = controls.get(finding.control)
        containment = control is not None and control.is_containment
        where = (ResourceRef.from_arn(finding.arn).account, self.found.region)
        request = finding.decision.get("request")
        return Known(
            now=now,
            region=self.found.region,
            ceiling=self.ceiling,
            stop=self._stop(),
            due=self.state.waiting(finding.arn),
            ticket=self.tickets.get(finding.id),
            spent=self.brakes.spent(*where, budget=budget_of(containment=containment), now=now),
            standing=self.brakes.standing(*where),
            answers=tuple(self.approvals.answers(str(request))) if request else (),
            entries=tuple(
                one for one in entries if finding.control in str(one.entry.get("control", "")).split(",")
            ),
        )

    def _stop(self) -> str:
        try:
            stop = self.state.stop()
        except StoppedError as error:
            return str(error)
        if stop is None:
            return ""
        return f"{stop.by} stopped all writes at {stop.at:%Y-%m-%d %H:%M} UTC: {stop.reason}"


def run(
    *,
    arn: str,
    control: str | None,
    output: str,
    policy_file: str | None,
    stack: str,
    region: str | None,
    profile: str | None,
) -> int:
    """Explain the findings of a resource, or one of them in full."""
    found = deployed.find(*_RESOURCES, command="warden explain", stack=stack, region=region, profile=profile)
    desk = Desk.of(found, stack, policy_file)
    controls = {one.id: one for one in all_controls()}
    keys = desk.books.chains_of(arn)
    made = desk.explain(keys, controls, control, wiring.now())
    if control is not None and control not in controls and not made:
        msg = f"there is no control {control!r}; `warden controls` lists them"
        raise ConfigurationError(msg)
    nothing = "" if made else _nothing(desk, arn, controls.get(control or ""), known=bool(keys))
    if output == "json":
        document = {"version": 1, "findings": [one.to_json() for one in made], "nothing": nothing}
        json.dump(document, sys.stdout, indent=2)
        print()
        return 0
    for one in made:
        lines = explain_text.paragraph(one) if control is None else explain_text.whole(one)
        print("\n".join(lines), end="\n\n")
    print(nothing or explain_text.summary(made, arn))
    return 0


def _nothing(desk: Desk, name: str, control: Control | None, *, known: bool) -> str:
    """Why there is no finding, as far as can be told, and what would tell."""
    found = desk.found
    what = f"There is no finding of {control.id} for {name}" if control else f"There is no finding of {name}"
    scan = ["warden scan", f"--region {found.region}", *([f"--control {control.id}"] if control else [])]
    if (why := _not_judged(desk, name, control)) is not None:
        return f"{what}: {why}."
    seen = (
        "each look found it compliant or not applicable, or could not tell"
        if known
        else "nobody looked, or each look found it compliant or not applicable, or could not tell"
    )
    return f"{what}: {seen}. `{' '.join(scan)}` judges it now."


def _not_judged(desk: Desk, name: str, control: Control | None) -> str | None:
    try:
        ref = ResourceRef.from_arn(name)
    except ValueError:
        return None
    if why := Deployment(desk.found.account, desk.found.region, ref.partition).refusal(ref):
        return why
    if control is not None and control.resource_type is not ref.resource_type:
        return f"it judges {control.resource_type.value}, and this is {ref.resource_type.value}"
    if control is not None and not desk.policy.is_enabled(control.id):
        return f"the policy does not enable it (controls.{control.id}.enabled)"
    return None
