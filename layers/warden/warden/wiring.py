"""Joins the parts: builds the real gateways from the environment. The only module that knows everyone.

A function imports what its own step is built of, and nothing else: what is imported where it is used is what another
function can do without.
"""

from __future__ import annotations

import functools
import math
import os
import random
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, cast

from warden.controls import by_id, by_type, declared
from warden.core.control import grouped
from warden.core.dataclass import dataclass
from warden.core.decision import Mode
from warden.core.errors import ConfigurationError, WardenError
from warden.core.policy import Policy, parse_policy
from warden.core.resource import Deployment, ResourceRef
from warden.core.tokens import Draw
from warden.gateways.clients import Clients

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from warden.gateways.brakes import DynamoBrakes
    from warden.gateways.findings import DynamoFindings
    from warden.gateways.ledger import DynamoLedger
    from warden.gateways.memory import Announcements, Memory
    from warden.gateways.pace import Pace
    from warden.gateways.queues import SqsQueues
    from warden.gateways.rds import Rds
    from warden.gateways.rds_reader import RdsReader
    from warden.gateways.state import DynamoState
    from warden.gateways.sweeps import DynamoSweeps
    from warden.gateways.temporaries import DynamoTemporaries
    from warden.gateways.tickets import DynamoTickets
    from warden.pipeline.caretaker import Caretaker
    from warden.pipeline.courier import Courier
    from warden.pipeline.dead_letters import DeadLetters
    from warden.pipeline.due import Waiting
    from warden.pipeline.evaluate import Evaluator
    from warden.pipeline.judge import Judge
    from warden.pipeline.missed import MissedDrift
    from warden.pipeline.open_sessions import Sampler
    from warden.pipeline.ports import Brakes
    from warden.pipeline.preflight import Preflight
    from warden.pipeline.probe import Probe, ProbeWatch
    from warden.pipeline.reconcile import Reconciler
    from warden.pipeline.remediate import Remediator
    from warden.pipeline.sweep import Sweeper
    from warden.pipeline.ticket import Ticketer
    from warden.pipeline.ticket_tick import Tick
    from warden.pipeline.undo import Undoer
    from warden.pipeline.visit import Visitor
    from warden.sinks import Sinks


class Place(TypedDict):
    """Where something is, as gateways take it."""

    account: str
    region: str


def utcnow() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


# How many requests to RDS are taken at once, how many are left to others, and for how long we wait, in seconds. Where
# an event waits for longer, the queue delivers it again, and a remediation is deferred.
_HURRIED = (Draw(most=5), 20.0)
_PATIENT = (Draw(most=10, leave=10), 120.0)
_GRACE = 15.0
"""Seconds for the requests of a ticket's step that is under way when an invocation's time is over; the ticket function
keeps back ten more, for connecting and for writing down how it ended."""

clock: Callable[[], datetime] = utcnow
"""Replaced by the local AWS, whose time can be moved."""


pause: Callable[[float], None] = time.sleep
"""Waits for so many seconds; replaced likewise."""


def now() -> datetime:
    """The time by whatever clock is set."""
    return clock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The environment variables of a function, checked at its start."""

    account: str
    region: str
    partition: str
    own_roles: frozenset[str]
    names: frozenset[tuple[str, str]]
    """The variables of ours, as far as the function has them: each step asks for those that it needs."""

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Environment:
        """Read them; raises ConfigurationError naming the variable that is missing or wrong."""
        return cls(
            account=_required(variables, "WARDEN_ACCOUNT_ID"),
            region=_required(variables, "AWS_REGION"),
            partition=variables.get("WARDEN_PARTITION", "aws"),
            own_roles=frozenset(filter(None, variables.get("WARDEN_OWN_ROLES", "").split(","))),
            names=frozenset((name, value) for name, value in variables.items() if name.startswith("WARDEN_")),
        )

    def __getitem__(self, name: str) -> str:
        return _required(dict(self.names), name)


def _required(variables: Mapping[str, str], name: str) -> str:
    value = variables.get(name, "")
    if not value:
        msg = f"the environment variable {name} is not set; template.yaml sets it for this function"
        raise ConfigurationError(msg)
    return value


def load_policy(file: str | Path) -> Policy:
    """Read and check a policy file; raises PolicyError."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except OSError as error:
        msg = f"{file}: the policy file cannot be read: {error.strerror}"
        raise ConfigurationError(msg) from None
    except UnicodeDecodeError as error:
        msg = f"{file}: the policy file is not UTF-8 text: {error.reason} at byte {error.start}; save it as UTF-8"
        raise ConfigurationError(msg) from None
    return parse_policy(text, controls=declared().values(), source=str(file))


class Wiring:
    """Builds each step once per process, when it is first asked for."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.deployment = Deployment(environment.account, environment.region, environment.partition)
        self._clients = Clients(account=environment.account, pace=self._pace)
        self._draw, self._patience = _HURRIED
        self._told_until = math.inf

    @functools.cached_property
    def policy(self) -> Policy:
        """The policy of the policy layer."""
        return load_policy(self.environment["WARDEN_POLICY_FILE"])

    @functools.cached_property
    def ceiling(self) -> Mode:
        """The most that this deployment may do."""
        try:
            return Mode.parse(self.environment["WARDEN_MODE_CEILING"])
        except ValueError as error:
            msg = f"WARDEN_MODE_CEILING: {error}"
            raise ConfigurationError(msg) from None

    def _pace(self) -> Pace:
        """How fast RDS may be asked by all functions together; made with the client, since the policy says it."""
        from warden.gateways.pace import Pace, SharedBucket

        return Pace(
            self.policy.requests,
            SharedBucket(
                self._client("dynamodb"),
                self.environment["WARDEN_STATE_TABLE"],
                **self._here,
            ),
            self._draw,
            patience=self._patience,
        )

    def _client(self, service: str) -> Any:
        return self._clients.later(service, **self._here)

    @property
    def _here(self) -> Place:
        """The account and the Region that this deployment governs."""
        return {"account": self.environment.account, "region": self.environment.region}

    @functools.cached_property
    def _rds(self) -> Rds:
        from warden.gateways.rds import Rds

        return Rds(self._clients, **self._here)

    @functools.cached_property
    def _findings(self) -> DynamoFindings:
        from warden.gateways.findings import DynamoFindings

        return DynamoFindings(self._client("dynamodb"), self.environment["WARDEN_FINDINGS_TABLE"])

    @functools.cached_property
    def _ledger(self) -> DynamoLedger:
        from warden.gateways.ledger import DynamoLedger

        environment = self.environment
        return DynamoLedger(
            self._client("dynamodb"), environment["WARDEN_LEDGER_TABLE"], environment["WARDEN_STATE_TABLE"]
        )

    @functools.cached_property
    def _state(self) -> DynamoState:
        from warden.gateways.state import DynamoState

        return DynamoState(self._client("dynamodb"), self.environment["WARDEN_STATE_TABLE"])

    @functools.cached_property
    def _brakes(self) -> DynamoBrakes:
        from warden.gateways.brakes import DynamoBrakes

        return DynamoBrakes(self._client("dynamodb"), self.environment["WARDEN_STATE_TABLE"])

    @functools.cached_property
    def _sweeps(self) -> DynamoSweeps:
        from warden.gateways.sweeps import DynamoSweeps

        return DynamoSweeps(self._client("dynamodb"), self.environment["WARDEN_STATE_TABLE"], **self._here)

    @functools.cached_property
    def _queues(self) -> SqsQueues:
        from warden.gateways.queues import SqsQueues

        names = dict(self.environment.names)
        return SqsQueues(
            self._client("sqs"),
            triggers_url=names.get("WARDEN_TRIGGERS_QUEUE_URL", ""),
            remediations_url=names.get("WARDEN_REMEDIATIONS_QUEUE_URL", ""),
            tickets_url=names.get("WARDEN_TICKETS_QUEUE_URL", ""),
        )

    @functools.cached_property
    def _temporaries(self) -> DynamoTemporaries:
        from warden.gateways.temporaries import DynamoTemporaries

        return DynamoTemporaries(self._client("dynamodb"), self.environment["WARDEN_STATE_TABLE"])

    @functools.cached_property
    def _announcements(self) -> Announcements:
        from warden.gateways.memory import Announcements

        return Announcements(self._client("dynamodb"), self.environment["WARDEN_STATE_TABLE"], **self._here)

    def _memory(self) -> Memory | None:
        """What a sweep remembers by; None where events keep nothing current."""
        from warden.core.memory import interval
        from warden.gateways.memory import Memory

        if not self.policy.remember or self._are_events_silent():
            return None
        return Memory(
            self._client("dynamodb"),
            self.environment["WARDEN_STATE_TABLE"],
            **self._here,
            clock=now,
            longest=self.policy.remember,
            interval=interval(dict(self.environment.names).get("WARDEN_SWEEP_SCHEDULE", "")),
        )

    def _are_events_silent(self) -> bool:
        """Whether what drifts on purpose was not told of, or nobody can say."""
        if self.probe_watch is None:
            return False
        try:
            return self.probe_watch.look().is_overdue
        except WardenError:
            return True

    def _reader(self, *, bulk: bool = False, memory: Memory | None = None) -> RdsReader:
        from warden.gateways.rds_reader import RdsReader

        return RdsReader(
            self._rds,
            deployment=self.deployment,
            clock=now,
            bulk=bulk,
            temporaries=self._temporaries,
            memory=memory,
        )

    def _judge(self, reader: RdsReader) -> Judge:
        from warden.gateways.approvals import DynamoApprovals
        from warden.pipeline.judge import Judge

        return Judge.of(
            by_type(),
            policy=self.policy,
            ceiling=self.ceiling,
            reader=reader,
            approvals=DynamoApprovals(
                self._client("dynamodb"),
                self.environment["WARDEN_APPROVALS_TABLE"],
                self.environment["WARDEN_STATE_TABLE"],
            ),
            temporaries=self._temporaries,
            preflight=self._preflight,
        )

    @functools.cached_property
    def _preflight(self) -> Preflight:
        from warden.gateways.preflight import DynamoLooks, DynamoSamples, InsightsLogs
        from warden.pipeline.preflight import Preflight

        table = self.environment["WARDEN_STATE_TABLE"]
        return Preflight(
            logs=InsightsLogs(self._client("logs")),
            looks=DynamoLooks(self._client("dynamodb"), table),
            setting=self.policy.preflight,
            samples=DynamoSamples(self._client("dynamodb"), table),
            asked=frozenset(access.cluster for access in self.policy.data_api),
        )

    def sampler(self) -> Sampler | None:
        """Who asks writers for open sessions without TLS; None where the policy names none."""
        if not self.policy.data_api:
            return None
        from warden.core.preflight import Question
        from warden.gateways.preflight import AuroraDataApi, DynamoSamples
        from warden.pipeline.open_sessions import Sampler

        asking = {name: one.remediation for name, one in by_id().items() if one.remediation is not None}
        return Sampler(
            accesses=self.policy.data_api,
            controls=[name for name, found in asking.items() if found.preflight is Question.CLEAR_TEXT],
            days=self.policy.preflight.days,
            data_api=AuroraDataApi(self._client("rds-data")),
            samples=DynamoSamples(self._client("dynamodb"), self.environment["WARDEN_STATE_TABLE"]),
            findings=self._findings,
            reader=self._reader(),
            clock=now,
            is_ours=[(self.environment.account, self.environment.region)],
        )

    def _visitor(self, reader: RdsReader, brakes: Brakes) -> Visitor:
        from warden.pipeline.visit import Visitor

        return Visitor(
            judge=self._judge(reader),
            findings=self._findings,
            ledger=self._ledger,
            state=self._state,
            brakes=brakes,
            queues=self._queues,
            clock=now,
            jitter=random.random,
            own_roles=self.environment.own_roles,
        )

    @functools.cached_property
    def evaluator(self) -> Evaluator:
        """The step behind the triggers queue."""
        from warden.pipeline.evaluate import Evaluator

        reader = self._reader()
        return Evaluator(
            deployment=self.deployment,
            reader=reader,
            visitor=self._visitor(reader, self._brakes),
            sharing=self._sharing,
            temporaries=self._temporaries,
            probe=self._probe(reader),
            announcements=self._announcements,
        )

    @property
    def _probe_group(self) -> str:
        """The parameter group that drifts on purpose; empty where this function is given none."""
        return dict(self.environment.names).get("WARDEN_PROBE_GROUP", "")

    @property
    def _never_written(self) -> frozenset[ResourceRef]:
        """What drifts on purpose."""
        from warden.core import probe

        group = self._probe_group
        return frozenset({probe.ref_of(group, self.deployment)} if group else ())

    def _probe(self, reader: RdsReader) -> Probe | None:
        if not self._probe_group:
            return None
        from warden.core import probe
        from warden.gateways.probe import ProbeReader
        from warden.pipeline.judge import Judge
        from warden.pipeline.probe import Probe

        # Whatever the policy wants of databases: this one is observed.
        policy = replace(
            self.policy, settings={probe.CONTROL.id: {}}, default_mode=Mode.OBSERVE, modes={}, exemptions=()
        )
        judge = Judge.of(grouped([probe.CONTROL]), policy=policy, ceiling=Mode.OBSERVE, reader=reader)
        return Probe(
            ref=probe.ref_of(self._probe_group, self.deployment),
            group=ProbeReader(reader, self._rds),
            visitor=replace(self._visitor(reader, self._brakes), judge=judge),
        )

    @functools.cached_property
    def probe_watch(self) -> ProbeWatch | None:
        """Who misses the findings of what drifts on purpose; None where nothing does."""
        if not self._probe_group:
            return None
        from warden.core import probe
        from warden.gateways.probe import DynamoWatch
        from warden.pipeline.probe import ProbeWatch

        return ProbeWatch(
            ref=probe.ref_of(self._probe_group, self.deployment),
            findings=self._findings,
            watch=DynamoWatch(self._client("dynamodb"), self.environment["WARDEN_STATE_TABLE"]),
            clock=now,
        )

    def _sharing(self, memory: Memory | None = None) -> Evaluator:
        """One that reads whole lists once; made anew each time."""
        from warden.pipeline.evaluate import Evaluator
        from warden.pipeline.recent import RecentBrakes

        reader = self._reader(bulk=True, memory=memory)
        brakes = cast("Brakes", RecentBrakes(self._brakes, now))
        return Evaluator(
            deployment=self.deployment,
            reader=reader,
            visitor=self._visitor(reader, brakes),
            temporaries=self._temporaries,
        )

    @functools.cached_property
    def remediator(self) -> Remediator:
        """The step behind the remediations queue."""
        from warden.gateways.rds_writer import RdsWriter
        from warden.pipeline.remediate import Remediator

        reader = self._reader()
        return Remediator(
            deployment=self.deployment,
            judge=self._judge(reader),
            reader=reader,
            writer=RdsWriter(self._rds, self._temporaries, never=self._never_written),
            temporaries=self._temporaries,
            findings=self._findings,
            ledger=self._ledger,
            state=self._state,
            brakes=self._brakes,
            queues=self._queues,
            clock=now,
            jitter=random.random,
            new_owner=lambda: uuid.uuid4().hex,
        )

    @functools.cached_property
    def undoer(self) -> Undoer:
        """The same step, for what somebody wants taken back."""
        from warden.pipeline.undo import Undoer

        return Undoer(remediator=self.remediator)

    def ticketer(self, *, seconds: float) -> Ticketer:
        """The step behind the tickets queue, for one invocation that has so many seconds."""
        from warden.pipeline.ticket import Ticketer

        # Sinks are made once for the process, and their requests have to end with each invocation.
        self._told_until = time.monotonic() + seconds + _GRACE
        return Ticketer(
            policy=self.policy,
            findings=self._findings,
            tickets=self._tickets,
            courier=self._courier(now() + timedelta(seconds=seconds)),
            clock=now,
        )

    def _courier(self, until: datetime) -> Courier:
        """What takes tickets to sinks; made anew for each invocation, since it remembers who kept it waiting."""
        from warden.pipeline.compose import Composer
        from warden.pipeline.courier import Courier

        return Courier(
            deployment=self.deployment,
            notifiers=self._sinks.notifiers,
            trackers=self._sinks.trackers,
            tickets=self._tickets,
            outbox=self._tickets,
            composer=Composer(
                controls=by_id(),
                findings=self._findings,
                tickets=self._tickets,
            ),
            policy=self.policy.tickets,
            clock=now,
            jitter=random.random,
            until=until,
        )

    def tick(self, *, seconds: float) -> Tick:
        """What the schedule does to tickets, within so many seconds."""
        from warden.pipeline.ticket_tick import Tick

        return Tick(ticketer=self.ticketer(seconds=seconds))

    @functools.cached_property
    def _tickets(self) -> DynamoTickets:
        from warden.gateways.tickets import DynamoTickets

        return DynamoTickets(
            self._client("dynamodb"), self.environment["WARDEN_STATE_TABLE"], ledger=self._ledger
        )

    @functools.cached_property
    def _sinks(self) -> Sinks:
        from warden.sinks import Tools, build

        names = dict(self.environment.names)
        tools = Tools(
            client=self._client,
            deployment=self.deployment,
            topic_arn=self.environment["WARDEN_TOPIC_ARN"],
            clock=now,
            left=lambda: self._told_until - time.monotonic(),
            secret_arns=tuple(filter(None, names.get("WARDEN_SINK_SECRET_ARNS", "").split(","))),
        )
        return build(self.policy.tickets.sinks, tools)

    def sweeper(self) -> Sweeper:
        """A sweep; made anew each time, since it reads whole lists once."""
        from warden.pipeline.sweep import Sweeper

        self._draw, self._patience = _PATIENT
        memory = self._memory()
        evaluator = self._sharing(memory)
        return Sweeper(
            evaluator=evaluator, caretaker=self._caretaker(evaluator), sweeps=self._sweeps, memory=memory
        )

    def _caretaker(self, evaluator: Evaluator) -> Caretaker:
        from warden.pipeline.caretaker import Caretaker

        return Caretaker(visitor=evaluator.visitor, reader=evaluator.reader, temporaries=self._temporaries)

    @functools.cached_property
    def missed_drift(self) -> MissedDrift:
        """Who counts what sweeps found and events should have told of."""
        from warden.pipeline.missed import MissedDrift

        return MissedDrift(
            deployment=self.deployment,
            findings=self._findings,
            ledger=self._ledger,
            sweeps=self._sweeps,
            clock=now,
            announcements=self._announcements,
        )

    def sweep_goes_on(self) -> bool:
        """Whether a sweep has begun that is not at its end; asks for nothing else, since as a rule there is none."""
        return self._sweeps.current() is not None

    @functools.cached_property
    def waiting(self) -> Waiting:
        """The looks at what is due."""
        from warden.pipeline.due import Waiting

        return Waiting(
            state=self._state,
            queues=self._queues,
            temporaries=self._temporaries,
            caretaker=lambda: self._caretaker(self.evaluator),
            clock=now,
            jitter=random.random,
        )

    @property
    def dead_letters_arn(self) -> str:
        """The dead letter queue of the remediations; empty where this function is given none."""
        return dict(self.environment.names).get("WARDEN_REMEDIATIONS_DEAD_LETTER_ARN", "")

    @functools.cached_property
    def dead_letters(self) -> DeadLetters:
        """The step behind the dead letter queue of the remediations; no reader of its own, since nothing is judged."""
        from warden.pipeline.dead_letters import DeadLetters

        return DeadLetters(deployment=self.deployment, visitor=self.evaluator.visitor, ledger=self._ledger)

    def reconciler(self) -> Reconciler:
        """The daily comparison of what our role wrote with what the ledger says."""
        from warden.gateways.reconciliations import DynamoReconciliations
        from warden.gateways.trail import EventHistory
        from warden.pipeline.reconcile import Reconciler

        environment = self.environment
        if not environment.own_roles:
            msg = "the environment variable WARDEN_OWN_ROLES is not set; template.yaml sets it for this function"
            raise ConfigurationError(msg)
        return Reconciler(
            deployment=self.deployment,
            trail=EventHistory(
                self._rds,
                own_roles=environment.own_roles,
                function=environment["WARDEN_REMEDIATE_FUNCTION"],
                pause=pause,
            ),
            chains=self._ledger,
            ledger=self._ledger,
            reconciliations=DynamoReconciliations(
                self._client("dynamodb"), environment["WARDEN_STATE_TABLE"]
            ),
            clock=now,
        )


_built: dict[Environment, Wiring] = {}


def wired() -> Wiring:
    """The parts of this process, built once for its environment."""
    environment = Environment.read(os.environ)
    if environment not in _built:
        _built[environment] = Wiring(environment)
    return _built[environment]


def forget() -> None:
    """Build everything anew when it is next asked for."""
    _built.clear()
