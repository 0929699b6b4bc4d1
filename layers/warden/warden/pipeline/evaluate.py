"""The first step: a trigger becomes visits to the resources that it concerns."""

from __future__ import annotations

from dataclasses import field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from warden.core.dataclass import dataclass
from warden.core.errors import (
    AccessDeniedError,
    ConflictError,
    RejectedError,
    ResourceGoneError,
    TransientError,
    UnsupportedError,
)
from warden.core.finding import gone
from warden.core.kinds import EVALUATED_KINDS, JUDGED_WITH_USERS, KINDS, SHARED_KINDS
from warden.core.ledger import EntryKind, LedgerEntry
from warden.core.memory import REMEMBERED_TYPES
from warden.core.messages import TicketEvent, TicketMessage
from warden.core.procedure import event_about, is_named_so
from warden.core.resource import ARN_TYPE_OF, ResourceRef, ResourceType
from warden.core.trigger import Lookup, Source, WholeKind
from warden.pipeline.procedures import served_by
from warden.pipeline.visit import Visit, unread, was_told

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from warden.core.finding import Finding
    from warden.core.resource import Deployment, Resource
    from warden.core.trigger import Cause, Target, Trigger
    from warden.pipeline.ports import Announcements, Reader, Temporaries
    from warden.pipeline.probe import Probe
    from warden.pipeline.visit import Visitor

# "Describe right after Create or Copy can miss it": so long a resource that an event says was made may be unseen.
_SETTLING = timedelta(minutes=5)
_MAKES = ("Create", "Copy", "Restore")
_MADE_EVENTS = frozenset(
    {
        "RDS-EVENT-0170",
        "RDS-EVENT-0005",
        "RDS-EVENT-0075",
        "RDS-EVENT-0042",
        "RDS-EVENT-0169",
        "RDS-EVENT-0091",
    }
)

_UNREADABLE = (AccessDeniedError, UnsupportedError, RejectedError)
# Looks that no change led to.
_OUR_OWN = frozenset({Source.DEFERRAL, Source.SWEEP})
_VISITS = 3
"""How often a resource is judged anew because another step wrote its findings at the same time."""

# "The KMS key is inaccessible", for now or soon, and that it is accessible again (RDS User Guide, event messages).
_KEY_EVENTS = frozenset({"RDS-EVENT-0418", "RDS-EVENT-0419", "RDS-EVENT-0420"})
# What names an instance by a dimension, and may be what its cluster is watched by.
_ALARM_EVENTS = frozenset({"PutMetricAlarm"})


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of a batch of triggers."""

    visits: list[Visit] = field(default_factory=list)
    failed: list[tuple[Trigger, Exception]] = field(default_factory=list)
    """Triggers that the queue should deliver again, each with its reason."""
    probe: list[Visit] = field(default_factory=list)
    """Visits to the probe, which count among nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """Turns triggers into visits."""

    deployment: Deployment
    reader: Reader
    visitor: Visitor
    sharing: Callable[[], Evaluator] | None = None
    """Makes one whose reader reads whole lists once, for what concerns everything of a kind; None where that is so
    already."""
    temporaries: Temporaries | None = None
    """What procedures have made; None where nothing is kept."""
    probe: Probe | None = None
    """What drifts on purpose; None where there is no such thing."""
    announcements: Announcements | None = None
    """For sweeps that remember; None where nobody is told, as in a sweep."""

    def handle(self, triggers: Sequence[Trigger]) -> Handled:
        """Visit what the triggers concern, each resource once: one change arrives two or three times.

        A resource that cannot be looked at now fails the triggers that named it, and no others.
        """
        handled = Handled()
        if self.probe is not None:
            self._look_at(self.probe, triggers, handled)
        targets, kinds = self._sorted(triggers, handled)
        for ref, named_by in targets.items():
            try:
                handled.visits.extend(self._visit(ref, [_cause(trigger, ref) for trigger in named_by]))
            except Exception as error:  # noqa: BLE001 - nor one resource its neighbours
                handled.failed.extend((trigger, error) for trigger in named_by)
        if kinds:
            evaluator = self if self.sharing is None else self.sharing()
            for resource_type, named_by in kinds.items():
                evaluator.look_at_all(resource_type, named_by, handled, but=targets)
        return handled

    def _look_at(self, probe: Probe, triggers: Sequence[Trigger], handled: Handled) -> None:
        """Visit the probe itself, beside whatever uses its group."""
        named = [trigger for trigger in triggers if trigger.target == probe.ref]
        if not named:
            return
        try:
            visit = probe.look([trigger.cause for trigger in named])
        except Exception as error:  # noqa: BLE001 - nor the probe what databases need
            handled.failed.extend((trigger, error) for trigger in named)
        else:
            handled.probe.extend([visit] if visit is not None else [])

    def _sorted(
        self, triggers: Sequence[Trigger], handled: Handled
    ) -> tuple[dict[ResourceRef, list[Trigger]], dict[ResourceType, list[Trigger]]]:
        """The triggers by the resource, or by the kind of which everything is meant; what is neither is handled."""
        targets: dict[ResourceRef, list[Trigger]] = {}
        kinds: dict[ResourceType, list[Trigger]] = {}
        for trigger in triggers:
            target = trigger.target
            if why := self._refusal(target):
                handled.visits.append(self._skipped(_name(target), f"not_governed: {why}", trigger.cause))
            elif not self._announced(trigger, handled):
                continue
            elif isinstance(target, WholeKind):
                # A shared thing of which no name is known: everything that could use it.
                for judged in SHARED_KINDS.get(target.resource_type, (target.resource_type,)):
                    kinds.setdefault(judged, []).append(trigger)
            else:
                try:
                    refs = self._refs(target)
                except Exception as error:  # noqa: BLE001 - one trigger that fails must not take its batch with it
                    handled.failed.append((trigger, error))
                    continue
                for ref in refs:
                    targets.setdefault(ref, []).append(trigger)
                if not refs:
                    # A lookup's id that no longer exists: its ARN's own deletion event, or the sweep, resolves
                    # findings.
                    handled.visits.append(self._skipped(_name(target), "nothing_there", trigger.cause))
        return targets, kinds

    def _announced(self, trigger: Trigger, handled: Handled) -> bool:
        """Let sweeps know that what they remember of a thing is over; before the look, which may fail."""
        target, now = trigger.target, self.visitor.clock()
        told = self.announcements is not None and trigger.cause.source not in _OUR_OWN
        if self.announcements is None or not told or target.resource_type not in REMEMBERED_TYPES:
            return True
        try:
            if isinstance(target, ResourceRef):
                self.announcements.announce(target.arn, now)
            else:
                self.announcements.distrust(now)
        except Exception as error:  # noqa: BLE001 - one trigger that fails must not take its batch with it
            handled.failed.append((trigger, error))
            return False
        return True

    def look_at_all(
        self,
        resource_type: ResourceType,
        triggers: Sequence[Trigger],
        handled: Handled,
        *,
        but: Collection[ResourceRef],
    ) -> None:
        """Visit everything of a kind as the sweep does, but for what was visited a moment ago."""
        causes = [trigger.cause for trigger in triggers]
        visits: list[Visit] = []
        failures: list[Exception] = []
        try:
            for resource in self.reader.list(
                resource_type, self.visitor.judge.needs_of_a_list(resource_type)
            ):
                if resource.ref not in but:
                    self._look(resource, causes, visits, failures)
        except Exception as error:  # noqa: BLE001 - one kind that cannot be listed must not take the others with it
            failures.append(error)
        if not visits and not failures:
            visits.append(self._skipped(resource_type, "nothing_there", causes[0]))
        handled.visits.extend(visits)
        handled.failed.extend((trigger, failures[0]) for trigger in triggers if failures)

    def _look(
        self, resource: Resource, causes: Sequence[Cause], visits: list[Visit], failures: list[Exception]
    ) -> None:
        try:
            visits.append(self._visit_resource(resource, causes))
        except Exception as error:  # noqa: BLE001 - nor one resource its kind
            failures.append(error)

    def _refusal(self, target: Target) -> str | None:
        """Why what a trigger names is not this deployment's business."""
        if isinstance(target, ResourceRef):
            return self.deployment.refusal(target)
        if target.account != self.deployment.account:
            return (
                f"account {target.account} is not {self.deployment.account}, the one this deployment governs"
            )
        if target.region and target.region != self.deployment.region:
            return f"Region {target.region} is not {self.deployment.region}, the one this deployment governs"
        return None

    def _refs(self, target: ResourceRef | Lookup) -> list[ResourceRef]:
        match target:
            case Lookup() as lookup:
                found = self.reader.resolve(lookup)
                return [] if found is None else [found]
            case ref if ref.resource_type in JUDGED_WITH_USERS:
                return [ref, *self.reader.users(ref)]
            case ref if ref.resource_type in EVALUATED_KINDS:
                return [ref, *self._served_by(ref)]
            case shared:
                return [*self.reader.users(shared), *self._served_by(shared)]

    def _served_by(self, ref: ResourceRef) -> list[ResourceRef]:
        """What a procedure's own thing serves: the next call is due when something has become of the one before."""
        return [] if self.temporaries is None else served_by(ref, self.temporaries)

    def _visit(self, ref: ResourceRef, causes: Sequence[Cause]) -> list[Visit]:
        if self._is_nobodys(ref):
            return [self._skip_unjudged(ref, causes)]
        try:
            resource = self._read(ref)
        except ResourceGoneError as error:
            return self._gone(ref, causes, error)
        except _UNREADABLE as error:
            return [self._unread(ref, error, causes)]
        visits = [self._visit_resource(resource, causes)]
        for other in self._also(resource, {cause.event_name for cause in causes}):
            visits += self._visit(other, causes)
        return visits

    def _also(self, resource: Resource, events: set[str]) -> Iterator[ResourceRef]:
        """What else an event is about that names the database alone."""
        if events & _KEY_EVENTS and (key := self._key_of(resource)) is not None:
            yield key
        is_instance = resource.ref.resource_type is ResourceType.DB_INSTANCE
        if events & _ALARM_EVENTS and is_instance and (cluster := resource.facts["DBClusterIdentifier"]):
            yield ResourceRef.build(
                ResourceType.DB_CLUSTER,
                partition=resource.ref.partition,
                region=resource.ref.region,
                account=resource.ref.account,
                name=cluster,
            )

    def _is_nobodys(self, ref: ResourceRef) -> bool:
        """Whether no control judges it: calls about groups, keys and secrets are many, and AWS need not be asked."""
        return ref.resource_type not in ARN_TYPE_OF and not self.visitor.judge.of_type(ref.resource_type)

    def _skip_unjudged(self, ref: ResourceRef, causes: Sequence[Cause]) -> Visit:
        cause = _told_by(causes)
        if cause.source is Source.DEFERRAL:
            self.visitor.state.settle(ref.arn)
        return self._skipped(ref.arn, "no_control", cause)

    def _key_of(self, resource: Resource) -> ResourceRef | None:
        """The key of a database that RDS says cannot be used, or can again: the event names the database alone."""
        if "KmsKeyId" not in resource.facts:
            return None
        try:
            key = ResourceRef.from_arn(resource.facts["KmsKeyId"] or "")
        except ValueError:
            return None
        return key if self.deployment.refusal(key) is None else None

    def _read(self, ref: ResourceRef) -> Resource:
        return self.reader.read(ref, self.visitor.judge.needs(ref.resource_type))

    def _visit_resource(self, resource: Resource, causes: Sequence[Cause]) -> Visit:
        cause = _told_by(causes)
        if resource.home != self.deployment.region:
            if cause.source is Source.DEFERRAL:
                self.visitor.state.settle(resource.ref.arn)
            where = f"its writer is in {resource.home}, whose deployment acts"
            return self._skipped(resource.ref.arn, f"not_governed: {where}", cause)
        settling = any(self.visitor.is_own(told) for told in causes)
        theirs = [told for told in causes if self.visitor.is_others(told)]
        others = max(theirs, key=lambda told: told.at, default=None)
        for _ in range(_VISITS):
            try:
                return self.visitor.visit(resource, cause, settling=settling, others=others)
            except ConflictError as error:
                # Another step has written: with what it wrote, the same facts may lead to something else.
                conflict = error
        raise conflict

    def _skipped(self, name: str, why: str, cause: Cause) -> Visit:
        return Visit(arn=name, skipped=why, cause=self.visitor.cause(cause))

    def _unread(self, ref: ResourceRef, why: object, causes: Sequence[Cause]) -> Visit:
        """Nothing is known of the resource: insufficient data, which is counted, and never a pass."""
        judgements = unread(self.visitor.judge, ref, why)
        return Visit(arn=ref.arn, judgements=judgements, cause=self.visitor.cause(_told_by(causes)))

    # --- what is not there --------------------------------------------------------------------------------

    def _gone(self, ref: ResourceRef, causes: Sequence[Cause], error: ResourceGoneError) -> list[Visit]:
        if any(self._was_just_made(cause) for cause in causes):
            msg = f"{ref.arn} was made moments ago and cannot be seen yet"
            raise TransientError(msg) from error
        visits: list[Visit] = []
        for key in sorted({finding.resource_key for finding in self.visitor.findings.of_arn(ref.arn)}):
            try:
                visits.append(self._moved_or_gone(ref, key, causes))
            except _UNREADABLE as denied:
                # Not confirmed: findings and due row stay as they are.
                return [
                    *visits,
                    self._unread(ref, f"it is gone, which cannot be confirmed: {denied}", causes),
                ]
        self.visitor.state.settle(ref.arn)
        return visits or [self._skipped(ref.arn, "gone", _told_by(causes))]

    def _moved_or_gone(self, ref: ResourceRef, key: str, causes: Sequence[Cause]) -> Visit:
        """A resource that lost its name was renamed or deleted: the immutable id tells which."""
        if KINDS[ref.resource_type].immutable_id is not None:
            lookup = Lookup(ref.resource_type, ref.account, ref.region, key.rpartition("/")[2])
            moved = self.reader.resolve(lookup)
            if moved is not None:
                return self._visit_moved(ref, moved, causes)
        # The index that led here is eventually consistent; what is resolved is read as it is.
        findings = self.visitor.findings.of_resource(key)
        return self.confirm_gone(ref.arn, findings.values(), _told_by(causes))

    def _visit_moved(self, ref: ResourceRef, moved: ResourceRef, causes: Sequence[Cause]) -> Visit:
        try:
            return self._visit_resource(self._read(moved), causes)
        except ResourceGoneError as error:
            # Its id leads to a name that leads nowhere: AWS is in the middle of it.
            msg = f"{ref.arn} is being renamed to or from {moved.arn}"
            raise TransientError(msg) from error

    def confirm_gone(self, arn: str, findings: Iterable[Finding], cause: Cause) -> Visit:
        """Resolve the findings of a resource that is known to exist no more."""
        visitor = self.visitor
        now = visitor.clock()
        resolved: list[str] = []
        for finding in findings:
            if not finding.is_open:
                continue
            closed = gone(finding, observed_at=now)
            visitor.ledger.append(
                LedgerEntry(
                    at=now,
                    actor="evaluate",
                    chain=finding.resource_key,
                    kind=EntryKind.FINDING,
                    control=finding.control,
                    arn=finding.arn,
                    before={"workflow": finding.workflow.value},
                    after={"workflow": closed.workflow.value, "annotation": closed.annotation},
                    cause=visitor.cause(cause),
                    policy_version=visitor.judge.policy.version,
                )
            )
            if was_told(finding):
                visitor.queues.ticket(
                    TicketMessage(
                        event=TicketEvent.RESOLVE,
                        resource_key=finding.resource_key,
                        control=finding.control,
                        revision=finding.revision + 1,
                    )
                )
            visitor.findings.put(closed)
            visitor.forget_canary(finding, self.deployment.region)
            resolved.append(finding.control)
        return Visit(arn=arn, skipped="gone", resolved=tuple(resolved), cause=visitor.cause(cause))

    def _was_just_made(self, cause: Cause) -> bool:
        makes = cause.event_name.startswith(_MAKES) or cause.event_name in _MADE_EVENTS
        return makes and self.visitor.clock() - cause.at < _SETTLING


def _cause(trigger: Trigger, ref: ResourceRef) -> Cause:
    """The cause of a look: what was made is what the event names, and not what that serves."""
    named = trigger.target
    if not isinstance(named, ResourceRef) or named == ref or not is_named_so(named):
        return trigger.cause
    return replace(trigger.cause, event_name=event_about(named, trigger.cause.event_name))


def _name(target: Target) -> str:
    match target:
        case Lookup(resource_id=resource_id):
            return resource_id
        case WholeKind(resource_type=resource_type):
            return resource_type
        case ref:
            return ref.arn


def _told_by(causes: Sequence[Cause]) -> Cause:
    """The cause that tells most: our own deferral, so that its row can settle; CloudTrail, which names who did it."""
    order = {Source.DEFERRAL: 3, Source.CLOUDTRAIL: 2, Source.RDS_EVENT: 1}
    return max(causes, key=lambda cause: order.get(cause.source, 0))
