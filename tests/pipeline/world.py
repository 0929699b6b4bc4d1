"""One deployment in memory: a fake AWS, the stores, the queues and the four steps, as `wiring` joins them."""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from controls.items import CLUSTER, INSTANCE, SNAPSHOT
from fakes import (
    FakeAws,
    FixedClock,
    MemoryAnnouncements,
    MemoryApprovals,
    MemoryBrakes,
    MemoryFindings,
    MemoryLedger,
    MemoryQueues,
    MemorySink,
    MemoryState,
    MemorySweeps,
    MemoryTemporaries,
    MemoryTickets,
    MemoryTracker,
)
from fakes.aws import HERE
from pipeline import small_tls
from warden.controls import (
    cluster_backup_retention_sufficient,
    cluster_deletion_protection_enabled,
    cluster_iam_authentication_enabled,
    cluster_log_exports_complete,
    cluster_storage_encrypted,
    db_snapshot_not_public,
    global_cluster_deletion_protection_enabled,
    instance_deletion_protection_enabled,
    instance_not_publicly_accessible,
)
from warden.core.control import grouped
from warden.core.decision import Mode
from warden.core.policy import parse_policy
from warden.core.resource import ResourceRef, ResourceType
from warden.core.trigger import Cause, Ignored, Source, Trigger, parse
from warden.pipeline.caretaker import Caretaker
from warden.pipeline.compose import Composer
from warden.pipeline.courier import Courier
from warden.pipeline.due import Waiting
from warden.pipeline.evaluate import Evaluator, Handled
from warden.pipeline.judge import Judge
from warden.pipeline.remediate import Outcome, Remediator
from warden.pipeline.sweep import Sweeper
from warden.pipeline.ticket import Ticketer
from warden.pipeline.ticket_tick import Report, Tick
from warden.pipeline.undo import Undoer
from warden.pipeline.visit import Visit, Visitor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from warden.core.control import Control
    from warden.core.finding import Finding
    from warden.core.messages import RemediationMessage
    from warden.core.policy import Policy
    from warden.core.trigger import Target
    from warden.pipeline.sweep_report import SweepReport

OWN_ROLE = "arn:aws:iam::123456789012:role/warden-remediate"
ALICE = "arn:aws:iam::123456789012:user/alice"

PROTECTION = "cluster_deletion_protection_enabled"
RETENTION = "cluster_backup_retention_sufficient"
EXPORTS = "cluster_log_exports_complete"
AUTHENTICATION = "cluster_iam_authentication_enabled"
TLS = "small_tls"
PUBLIC = "instance_not_publicly_accessible"
INSTANCE_PROTECTION = "instance_deletion_protection_enabled"
SNAPSHOT_PUBLIC = "db_snapshot_not_public"
UNENCRYPTED = "cluster_storage_encrypted"
GLOBAL_PROTECTION = "global_cluster_deletion_protection_enabled"

CONTROLS = tuple(
    module.CONTROL
    for module in (
        cluster_backup_retention_sufficient,
        cluster_deletion_protection_enabled,
        cluster_iam_authentication_enabled,
        cluster_log_exports_complete,
        cluster_storage_encrypted,
        db_snapshot_not_public,
        global_cluster_deletion_protection_enabled,
        instance_deletion_protection_enabled,
        instance_not_publicly_accessible,
        small_tls,
    )
)
"""Real ones of each kind, few enough that a new control changes nothing here; and one of our own."""

REMEDIATE_ALL = """
version = 1
[defaults]
mode = "remediate"
[allow]
costs = ["cluster_backup_retention_sufficient", "cluster_log_exports_complete"]
"""


@functools.cache
def policy_of(text: str) -> Policy:
    return parse_policy(text, controls=CONTROLS)


def changed(control_id: str, **members: Any) -> tuple[Control, ...]:
    """The controls, one of them with other members."""
    return tuple(replace(c, **members) if c.id == control_id else c for c in CONTROLS)


def planning(control_id: str, plan: Callable[[Any, Any], Any]) -> tuple[Control, ...]:
    """The controls, one of them with another plan."""
    return tuple(
        replace(c, remediation=replace(c.remediation, plan=plan))
        if c.id == control_id and c.remediation
        else c
        for c in CONTROLS
    )


def writer_in(region: str) -> list[dict[str, Any]]:
    """The members of a global cluster whose writer is in a Region."""
    arn = f"arn:aws:rds:{region}:123456789012:cluster:orders"
    return [{"DBClusterArn": arn, "IsWriter": True}] if region else []


class World:
    """Everything around the pipeline; each step is made anew when it is asked for, as in a new process."""

    def __init__(
        self,
        policy: str = REMEDIATE_ALL,
        *,
        ceiling: Mode = Mode.REMEDIATE,
        controls: Iterable[Control] | None = None,
    ) -> None:
        self.clock = FixedClock()
        self.aws = FakeAws(self.clock)
        self.findings = MemoryFindings()
        self.ledger = MemoryLedger()
        self.state = MemoryState()
        self.sweeps = MemorySweeps()
        self.announcements = MemoryAnnouncements()
        self.brakes = MemoryBrakes()
        self.queues = MemoryQueues(self.clock)
        self.tickets = MemoryTickets(self.ledger)
        self.approvals = MemoryApprovals()
        self.temporaries = MemoryTemporaries()
        self.sink = MemorySink()
        self.tracker = MemoryTracker(self.clock)
        self.beside: dict[str, MemoryTracker] = {}
        """Trackers by other names than `opscenter`."""
        self.policy = policy_of(policy)
        self.ceiling = ceiling
        self.deployment = HERE
        self.controls = tuple(controls or CONTROLS)
        self.jitter = 0.0
        self.wrap: Callable[[str, Any], Any] = lambda _, port: port
        """What stands between a step and each of its ports."""
        self._owners = itertools.count(1)
        self.aws.add_parameter_group("orders-pg16", {"rds.force_ssl": "1"})

    # --- the estate ---------------------------------------------------------------------------------------

    def cluster(self, name: str = "orders", **members: Any) -> ResourceRef:
        """An Aurora cluster without instances, compliant but for the members that are given."""
        return self.aws.add(
            ResourceType.DB_CLUSTER,
            {
                **CLUSTER,
                "DBClusterIdentifier": name,
                "DBClusterArn": f"arn:aws:rds:eu-west-1:123456789012:cluster:{name}",
                "DbClusterResourceId": f"cluster-{name.upper().replace('-', 'X'):Q<26}",
                **members,
            },
        )

    def instance(self, name: str = "billing", **members: Any) -> ResourceRef:
        """A PostgreSQL instance, compliant but for the members that are given."""
        return self.aws.add(
            ResourceType.DB_INSTANCE,
            {
                **INSTANCE,
                "DBInstanceIdentifier": name,
                "DBInstanceArn": f"arn:aws:rds:eu-west-1:123456789012:db:{name}",
                "DbiResourceId": f"db-{name.upper().replace('-', 'X'):Q<26}",
                **members,
            },
        )

    def without_tls(self) -> None:
        """The parameter group of all clusters stops demanding TLS."""
        self.aws.parameter_groups["orders-pg16"]["rds.force_ssl"]["ParameterValue"] = "0"

    def snapshot(self, name: str = "billing-2026", **members: Any) -> ResourceRef:
        """A manual snapshot that everybody may restore."""
        item = {
            **SNAPSHOT,
            "DBSnapshotIdentifier": name,
            "DBSnapshotArn": f"arn:aws:rds:eu-west-1:123456789012:snapshot:{name}",
            **members,
        }
        return self.aws.add(ResourceType.DB_SNAPSHOT, item, restore_accounts=["all"])

    def global_cluster(self, *, writer: str = "") -> ResourceRef:
        """A global cluster without deletion protection, its writer in the Region that is given."""
        return self.aws.add(
            ResourceType.GLOBAL_CLUSTER,
            {
                "GlobalClusterIdentifier": "world",
                "GlobalClusterResourceId": "cluster-0123456789abcdef",
                "GlobalClusterArn": "arn:aws:rds::123456789012:global-cluster:world",
                "Status": "available",
                "Engine": "aurora-postgresql",
                "EngineVersion": "16.4",
                "DeletionProtection": False,
                "GlobalClusterMembers": writer_in(writer),
            },
        )

    # --- the steps ----------------------------------------------------------------------------------------

    def _port(self, name: str) -> Any:
        ports = {
            "reader": self.aws,
            "writer": self.aws,
            "findings": self.findings,
            "ledger": self.ledger,
            "state": self.state,
            "brakes": self.brakes,
            "queues": self.queues,
            "tickets": self.tickets,
            "sink": self.sink,
            "tracker": self.tracker,
            "approvals": self.approvals,
            "sweeps": self.sweeps,
            "announcements": self.announcements,
            "temporaries": self.temporaries,
        }
        return self.wrap(name, ports[name])

    def judge(self, reader: Any = None) -> Judge:
        return Judge.of(
            grouped(self.controls),
            policy=self.policy,
            ceiling=self.ceiling,
            reader=reader or self._port("reader"),
            approvals=self._port("approvals"),
            temporaries=self._port("temporaries"),
        )

    @property
    def evaluator(self) -> Evaluator:
        reader = self._port("reader")
        visitor = Visitor(
            judge=self.judge(reader),
            findings=self._port("findings"),
            ledger=self._port("ledger"),
            state=self._port("state"),
            brakes=self._port("brakes"),
            queues=self._port("queues"),
            clock=self.clock,
            jitter=lambda: self.jitter,
            own_roles=frozenset({OWN_ROLE}),
        )
        return Evaluator(
            deployment=HERE,
            reader=reader,
            visitor=visitor,
            temporaries=self._port("temporaries"),
            announcements=self._port("announcements"),
        )

    @property
    def remediator(self) -> Remediator:
        reader = self._port("reader")
        return Remediator(
            deployment=HERE,
            judge=self.judge(reader),
            reader=reader,
            writer=self._port("writer"),
            findings=self._port("findings"),
            ledger=self._port("ledger"),
            state=self._port("state"),
            brakes=self._port("brakes"),
            queues=self._port("queues"),
            temporaries=self._port("temporaries"),
            clock=self.clock,
            jitter=lambda: self.jitter,
            new_owner=lambda: f"owner-{next(self._owners)}",
        )

    @property
    def undoer(self) -> Undoer:
        return Undoer(remediator=self.remediator)

    @property
    def ticketer(self) -> Ticketer:
        return Ticketer(
            policy=self.policy,
            findings=self._port("findings"),
            tickets=self._port("tickets"),
            courier=self._courier(),
            clock=self.clock,
        )

    def _courier(self) -> Courier:
        composer = Composer(
            controls={control.id: control for control in self.controls},
            findings=self._port("findings"),
            tickets=self._port("tickets"),
        )
        named = {sink.name for sink in self.policy.tickets.sinks}
        return Courier(
            deployment=self.deployment,
            notifiers={name: self._port("sink") for name in ("sns",) if name in named},
            trackers={
                name: tracker
                for name, tracker in {"opscenter": self._port("tracker"), **self.beside}.items()
                if name in named
            },
            tickets=self._port("tickets"),
            outbox=self._port("tickets"),
            composer=composer,
            policy=self.policy.tickets,
            clock=self.clock,
            jitter=lambda: self.jitter,
            until=self.clock() + timedelta(seconds=35),
        )

    def tick(self) -> Report:
        """The schedule of tickets: what is due, what people did, whether sinks take anything."""
        return Tick(ticketer=self.ticketer).run()

    @property
    def sweeper(self) -> Sweeper:
        return Sweeper(evaluator=self.evaluator, caretaker=self._caretaker(), sweeps=self._port("sweeps"))

    def _caretaker(self) -> Caretaker:
        evaluator = self.evaluator
        return Caretaker(
            visitor=evaluator.visitor, reader=evaluator.reader, temporaries=self._port("temporaries")
        )

    @property
    def waiting(self) -> Waiting:
        return Waiting(
            state=self._port("state"),
            queues=self._port("queues"),
            temporaries=self._port("temporaries"),
            caretaker=self._caretaker,
            clock=self.clock,
            jitter=lambda: self.jitter,
        )

    # --- doing --------------------------------------------------------------------------------------------

    def cause(self, source: Source = Source.CLOUDTRAIL, **members: Any) -> Cause:
        given = {"event_name": "ModifyDBCluster", "event_id": "e-1", "at": self.clock(), **members}
        return Cause(source=source, **given)

    def trigger(self, target: Target, source: Source = Source.CLOUDTRAIL, **members: Any) -> Trigger:
        return Trigger(target=target, cause=self.cause(source, **members))

    def evaluate(self, *targets: Target | Trigger, **members: Any) -> Handled:
        """One batch of triggers."""
        return self.evaluator.handle(
            [t if isinstance(t, Trigger) else self.trigger(t, **members) for t in targets]
        )

    def look(self, target: Target | Trigger, **members: Any) -> Visit:
        """One trigger, which must lead to one visit."""
        handled = self.evaluate(target, **members)
        assert handled.failed == []
        [visit] = handled.visits
        return visit

    def sweep(self) -> SweepReport:
        return self.sweeper.sweep(run_id="run")

    def remediate(self, message: RemediationMessage | None = None) -> Outcome:
        """The message, or the next of the queue."""
        return self.remediator.handle(message or self.queues.remediations.pop(0))

    def tell(self) -> list[str]:
        """Everything in the tickets queue; returns what was done."""
        messages, self.queues.tickets[:] = list(self.queues.tickets), []
        return [self.ticketer.handle(message) for message in messages]

    def look_again(self) -> list[Visit]:
        """The due tick, and what its triggers lead to."""
        self.waiting.look_again()
        return self.deliver()

    def deliver(self) -> list[Visit]:
        """The triggers queue, whole, through parsing."""
        bodies, self.queues.triggers[:] = list(self.queues.triggers), []
        return self.evaluated(bodies).visits

    def evaluated(self, bodies: Iterable[Mapping[str, Any]]) -> Handled:
        """A batch of messages of ours."""
        parsed = [t for body in bodies for t in parse(dict(body), received_at=self.clock())]
        return self.evaluator.handle([t for t in parsed if not isinstance(t, Ignored)])

    # --- seeing -------------------------------------------------------------------------------------------

    def finding(self, ref: ResourceRef, control: str) -> Finding | None:
        """The finding by the resource's live key."""
        return self.findings.get(self.key(ref), control)

    def found(self, ref: ResourceRef, control: str) -> Finding:
        finding = self.finding(ref, control)
        assert finding is not None
        return finding

    def key(self, ref: ResourceRef) -> str:
        return self.aws.read(ref, ()).key

    def workflows(self, ref: ResourceRef) -> dict[str, str]:
        return {name: row.workflow.value for name, row in self.findings.of_resource(self.key(ref)).items()}

    def told(self) -> list[tuple[str, str]]:
        """What people were told: state and control."""
        return [(ticket.state.value, ticket.finding.control) for ticket in self.sink.delivered]

    def decision(self, visit: Visit, control: str) -> tuple[str, str]:
        [judgement] = [j for j in visit.judgements if j.control.id == control]
        return judgement.decision.action.value, judgement.decision.reason.value

    def compliance(self, visit: Visit) -> dict[str, str]:
        return {j.control.id: j.evaluation.compliance.value for j in visit.judgements}
