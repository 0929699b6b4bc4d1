"""Warden deployed for a test: what it knows, told and wrote, and what must hold after every test whatever happened.

Nothing is fed by hand: tests make API calls as somebody, and the local AWS makes events of them.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import botocore.client
import pytest

from console.local.identity import current_identity, iam_user
from console.local.stack import LocalStack
from console.narrative import Narrative
from template.judge import judge
from warden.controls import all_controls
from warden.core import probe
from warden.core.evaluation import Evaluation, evaluate, plan
from warden.core.ledger import Link, plain, verify
from warden.core.plan import Call
from warden.core.resource import Deployment, ResourceRef
from warden.gateways.clients import Clients
from warden.gateways.findings import DynamoFindings
from warden.gateways.ledger import DynamoLedger
from warden.gateways.rds import Rds
from warden.gateways.rds_reader import RdsReader
from warden.gateways.rds_writer import RdsWriter
from warden.gateways.state import DynamoState
from warden.wiring import load_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from datetime import datetime

    from console.local.calls import RecordedCall
    from console.local.runtime import Invocation
    from warden.core.finding import Finding
    from warden.core.plan import Manual, Plan
    from warden.core.resource import Resource

ALICE = iam_user("alice")
BOB = iam_user("bob")
ACCOUNT = "123456789012"
BACKUP_ACCOUNT = "210987654321"
STRANGER = "555566667777"
KEY = "alias/databases"
KEY_ARN = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/0d1a7aba-5e5c-4a6b-8c9d-0e1f2a3b4c5d"
A_DAY = 86_400
PRIVATE_SUBNETS, CLOSED_GROUP = "for-a-while", "sg-0c105ed00000000a1"
"""Where the policy lets procedures restore what they need for a while."""

_CLIENT: Any = botocore.client.BaseClient
_ASKS = ("StartQuery", "ExecuteStatement")
"""Questions by another name: of a log, and, in one statement that selects, of a database."""
_OWN_SERVICES = {"dynamodb", "sns", "sqs", "sts", "ssm", "securityhub", "events"}
"""Where Warden keeps its own things, and where it tells people."""

CONTROLS = {control.id: control for control in all_controls()}
A_FEW = (
    "cluster_backup_retention_sufficient",
    "cluster_deletion_protection_enabled",
    "cluster_iam_authentication_enabled",
    "cluster_snapshot_not_public",
    "cluster_storage_encrypted",
    "global_cluster_deletion_protection_enabled",
    "instance_not_publicly_accessible",
)
"""Enough for tests that are not about controls: whatever controls there will be, these tests stay the same."""


EVERY_SINK = """
[[tickets.sinks]]
type = "sns"
[[tickets.sinks]]
type = "opscenter"
[[tickets.sinks]]
type = "security-hub"
[[tickets.sinks]]
type = "eventbridge"
"""
"""Those that need no secret."""


def policy_text(
    *,
    only: Collection[str] = A_FEW,
    mode: str = "remediate",
    costs: tuple[str, ...] = tuple(CONTROLS),
    disruption: tuple[str, ...] = tuple(CONTROLS),
    limits: Mapping[str, int] | None = None,
    baseline: str = "",
    more: str = "",
) -> str:
    """A policy that enables some controls in one mode, and is as open as can be otherwise."""
    numbers = {"writes_per_hour": 500, "containment_writes_per_hour": 500, **(limits or {})}
    return "\n".join(
        (
            "version = 1",
            f'[defaults]\nmode = "{mode}"',
            f'[baseline]\nkms_key = "{KEY}"\napproved_accounts = ["{BACKUP_ACCOUNT}"]\nrequired_tags = ["owner"]',
            *(f'{of}_subnet_group = "{PRIVATE_SUBNETS}"' for of in ("temporary", "successor")),
            *(f'{of}_security_group = "{CLOSED_GROUP}"' for of in ("temporary", "successor")),
            baseline,
            "[limits]",
            *(f"{name} = {value}" for name, value in numbers.items()),
            f"[allow]\ncosts = {json.dumps(costs)}\ndisruption = {json.dumps(disruption)}",
            *(f"[controls.{name}]\nenabled = false" for name in CONTROLS if name not in only),
            more,
        )
    )


class Deployed(LocalStack):
    """A local stack with eyes: every table, queue and call as a test asks for them."""

    may_fail = False
    """Whether invocations, messages and dead letters may fail here; a test that makes them fail says so."""

    # --- doing --------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def quietly(self) -> Iterator[Any]:
        """Make databases without anybody hearing of it; gives the RDS client to do so."""
        emit, self.aws.emit = self.aws.emit, None
        try:
            yield self.client("rds")
        finally:
            self.aws.emit = emit

    def settle(self) -> list[Invocation]:
        """Let the queues run empty."""
        return self.runtime.run_until_idle()

    def until(self, folder: str) -> Invocation:
        """Work until a function has run once, and no further."""
        wanted = self.function(folder).logical_id
        while True:
            invocation = self.runtime.step()
            if invocation is not None and invocation.function == wanted:
                return invocation
            if invocation is None:
                due = self.runtime.next_due(schedules=False)
                assert due is not None, f"{folder} has nothing to do"
                self.clock.move_to(due)

    @contextlib.contextmanager
    def just_before(self, operation: str, happens: Callable[[], Any]) -> Iterator[None]:
        """Let something happen once, just before a function makes its first call of an operation."""
        make_api_call: Any = _CLIENT._make_api_call
        waiting = [happens]

        def hooked(client: Any, name: str, parameters: dict[str, Any]) -> Any:
            caller = current_identity()
            if waiting and name == operation and caller is not None and caller.lambda_function_arn:
                waiting.pop()()
            return make_api_call(client, name, parameters)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_CLIENT, "_make_api_call", hooked)
            yield
        assert not waiting, f"no function called {operation}"

    def as_alice(self, operation: str, **parameters: Any) -> Any:
        """One API call of RDS by Alice, and everything that follows of it."""
        with self.by(ALICE):
            answer = getattr(self.client("rds"), operation)(**parameters)
        self.settle()
        return answer

    def sweep(self) -> dict[str, Any]:
        """Run the sweep, and everything that follows of it; returns its answer."""
        invocation = self.runtime.call(self.function("sweep").logical_id, {"job": "sweep"})
        assert invocation.error is None, invocation.error
        self.settle()
        answer: Any = invocation.response
        return dict(answer)

    def hours_later(self, hours: float) -> list[Invocation]:
        """Let time pass, with all schedules."""
        return self.runtime.advance(hours * 3600)

    # --- seeing -------------------------------------------------------------------------------------------

    def _name(self, table: str) -> str:
        return str(self.template.resources[table].name)

    @property
    def findings(self) -> list[Finding]:
        """Every finding that is kept, by control and ARN; but that of the probe, which drifts each night."""
        kept = [one for one in self.kept() if one.control != probe.CONTROL.id]
        return sorted(kept, key=lambda finding: (finding.control, finding.arn))

    def kept(self) -> Iterator[Finding]:
        """Every finding that is kept."""
        return DynamoFindings(self.client("dynamodb"), self._name("FindingsTable")).all()

    def finding(self, control: str, arn: str | None = None) -> Finding:
        """The one finding of a control (of a resource)."""
        (found,) = [one for one in self.findings if one.control == control and arn in {None, one.arn}]
        return found

    def open_findings(self) -> dict[str, str]:
        """The workflow status of each open finding, by control."""
        return {one.control: one.workflow.value for one in self.findings if one.is_open}

    @property
    def ledger(self) -> DynamoLedger:
        """The ledger."""
        return DynamoLedger(self.client("dynamodb"), self._name("LedgerTable"), self._name("StateTable"))

    @property
    def state(self) -> DynamoState:
        """Leases, budgets, due rows, the STOP row."""
        return DynamoState(self.client("dynamodb"), self._name("StateTable"))

    def chains(self) -> dict[str, list[Link]]:
        """Every chain of the ledger, in order; one scan, since asking for each chain takes its time."""
        chains: dict[str, list[Link]] = {}
        for row in sorted(self.table("LedgerTable"), key=lambda row: int(row["sequence"])):
            link = Link(
                sequence=int(row["sequence"]),
                previous=row["previous"],
                hash=row["hash"],
                entry=json.loads(row["entry"]),
            )
            chains.setdefault(row["chain"], []).append(link)
        return dict(sorted(chains.items()))

    def entries(self, kind: str = "", *, control: str = "") -> list[dict[str, Any]]:
        """What happened, chain by chain in order; of one kind, of one control."""
        return [
            dict(link.entry)
            for links in self.chains().values()
            for link in links
            if kind in {"", link.entry["kind"]}
            and (not control or control in link.entry["control"].split(","))
        ]

    def story(self, control: str) -> list[str]:
        """The entries of a control in short: what the finding, the decision, the outcome became."""
        return [_short(entry) for entry in self.entries(control=control)]

    @property
    def tickets(self) -> list[dict[str, Any]]:
        """Everything that was published, as its JSON form says it."""
        return Narrative(self).tickets()

    def ticket_states(self, control: str) -> list[str]:
        """What was published about the finding of a control, in order."""
        return [ticket["state"] for ticket in self.tickets if ticket["control"] == control]

    @property
    def writes(self) -> list[RecordedCall]:
        """The calls by whatever function, to whatever AWS has databases with, that are not mere reads."""
        roles = {function.role_arn for function in self.template.functions.values()}
        return [
            call
            for call in self.aws.calls
            if call.service not in _OWN_SERVICES
            and not call.operation.startswith(("Describe", "Get", "List", "Lookup", *_ASKS))
            and call.identity.session_issuer.get("arn") in roles
        ]

    @property
    def write_names(self) -> list[str]:
        """The operations of these calls."""
        return [call.operation for call in self.writes]

    def logged(self, message: str) -> list[dict[str, Any]]:
        """The log lines with this message."""
        return [line for line in self.logs if line.get("message") == message]

    def dead_letters(self) -> dict[str, int]:
        """How many messages lie in each dead letter queue that holds any."""
        return {
            queue.settings.logical_id: len(queue.messages)
            for queue in self.runtime.queues
            if "DeadLetter" in queue.settings.logical_id and queue.messages
        }

    def now(self) -> datetime:
        """The present of the local clock."""
        return self.clock.now()

    # --- judging ------------------------------------------------------------------------------------------

    def _rds(self) -> Rds:
        return Rds(Clients(account=ACCOUNT), account=ACCOUNT, region=self.region)

    def read(self, control: str, arn: str) -> Resource:
        """A resource as the real reader describes it, with what the control and its plan need."""
        found = CONTROLS[control]
        reader = RdsReader(self._rds(), deployment=Deployment(ACCOUNT, self.region), clock=self.clock.now)
        needs = (*found.needs, *(found.remediation.needs if found.remediation else ()))
        return reader.read(ResourceRef.from_arn(arn), needs)

    def judged(self, control: str, arn: str) -> Evaluation:
        """What a control says of the live resource now, by the deployed policy."""
        return evaluate(
            CONTROLS[control], self.read(control, arn), load_policy(self.policy).settings[control]
        )

    def planned(self, control: str, arn: str) -> Plan | Manual:
        """What the control's remediation would write to the live resource now, by the deployed policy."""
        return plan(CONTROLS[control], self.read(control, arn), load_policy(self.policy).settings[control])

    def apply_plan(self, finding: Finding) -> None:
        """Write what a finding's plan says, through the one gateway that can; nothing that it refuses."""
        remediation = CONTROLS[finding.control].remediation
        assert remediation is not None
        for call in finding.plan:
            RdsWriter(self._rds()).apply(
                Call(call["operation"], call["parameters"]),
                self.read(finding.control, finding.arn),
                remediation.permits,
            )

    # --- what always holds --------------------------------------------------------------------------------

    def check(self) -> None:
        """Whatever happened: no right was exceeded, the ledger holds, and nothing was written unannounced."""
        denied = judge(self.aws.calls, self.template).denied
        assert not denied, [str(one) for one in denied]
        self._check_ledger()
        self._check_writes()
        if not self.may_fail:
            assert [one.error for one in self.runtime.invocations if one.error] == []
            assert [one.failed_messages for one in self.runtime.invocations if one.failed_messages] == []
            assert self.dead_letters() == {}

    def _check_ledger(self) -> None:
        chains, heads = self.chains(), self.ledger.heads()
        assert set(chains) == set(heads)
        for chain, links in chains.items():
            assert verify(links, heads[chain]) == [], chain
            intended: Counter[str] = Counter()
            for entry in (link.entry for link in links):
                operation = entry["after"].get("operation", "")
                if entry["kind"] == "intent":
                    intended[operation] += 1
                    assert entry["before"], "an intent keeps the values before"
                if entry["kind"] == "outcome":
                    intended[operation] -= 1
                    assert intended[operation] >= 0, f"{operation}: an outcome without an intent before it"

    def _check_writes(self) -> None:
        remediate = self.function("remediate").role_arn
        assert {call.identity.session_issuer["arn"] for call in self.writes} <= {remediate}
        intended = [
            (call["operation"], call["parameters"])
            for entry in self.entries("intent")
            for call in entry["after"]["calls"]
        ]
        for write in self.writes:
            made = (write.operation, plain(write.parameters))
            assert made in intended, f"{made} was written without an intent"
            intended.remove(made)


def _short(entry: dict[str, Any]) -> str:
    after = entry["after"]
    match entry["kind"]:
        case "finding":
            return f"finding {after['workflow']}"
        case "decision":
            return f"decision {after['action']} {after['reason']}"
        case "intent":
            return f"intent {after['operation']}"
        case "outcome":
            return f"outcome {after['status']}"
        case "ticket":
            return f"ticket {after['state']}"
        case other:
            return str(other)
