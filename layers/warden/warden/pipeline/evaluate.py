"""The first step: a trigger becomes visits to the resources that it concerns."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from warden.core.errors import (
    AccessDeniedError,
    RejectedError,
    ResourceGoneError,
    TransientError,
    UnsupportedError,
)
from warden.core.finding import gone
from warden.core.kinds import EVALUATED_KINDS, KINDS
from warden.core.ledger import EntryKind, LedgerEntry
from warden.core.messages import TicketEvent, TicketMessage
from warden.core.resource import ResourceType
from warden.core.trigger import Lookup, Source, WholeKind
from warden.pipeline.visit import Visit, unread, was_told

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from warden.core.finding import Finding
    from warden.core.resource import Deployment, Resource, ResourceRef
    from warden.core.trigger import Cause, Trigger
    from warden.pipeline.ports import Reader
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

_USED_BY = {
    ResourceType.DB_CLUSTER_PARAMETER_GROUP: ResourceType.DB_CLUSTER,
    ResourceType.DB_PARAMETER_GROUP: ResourceType.DB_INSTANCE,
}


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of a batch of triggers."""

    visits: list[Visit] = field(default_factory=list)
    failed: list[tuple[Trigger, Exception]] = field(default_factory=list)
    """Triggers that the queue should deliver again, each with its reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """Turns triggers into visits."""

    deployment: Deployment
    reader: Reader
    visitor: Visitor

    def handle(self, triggers: Sequence[Trigger]) -> Handled:
        """Visit what the triggers concern, each resource once: one change arrives two or three times.

        A resource that cannot be looked at now fails the triggers that named it, and no others.
        """
        handled = Handled()
        targets: dict[ResourceRef, list[Trigger]] = {}
        for trigger in triggers:
            try:
                for ref in self._refs(trigger):
                    targets.setdefault(ref, []).append(trigger)
            except Exception as error:  # noqa: BLE001 - one trigger that fails must not take its batch with it
                handled.failed.append((trigger, error))
        for ref, named_by in targets.items():
            cause = max((trigger.cause for trigger in named_by), key=_weight)
            try:
                handled.visits.extend(self._visit(ref, cause))
            except Exception as error:  # noqa: BLE001 - nor one resource its neighbours
                handled.failed.extend((trigger, error) for trigger in named_by)
        return handled

    def _refs(self, trigger: Trigger) -> Iterable[ResourceRef]:
        match trigger.target:
            case WholeKind() as kind:
                return self._of_kind(kind)
            case Lookup() as lookup:
                return self._of_lookup(lookup)
            case ref if ref.resource_type in EVALUATED_KINDS or self.deployment.refusal(ref):
                return [ref]
            case shared:
                return self.reader.users(shared)

    def _of_kind(self, kind: WholeKind) -> Iterable[ResourceRef]:
        if self._refusal_of(kind.account, kind.region):
            return []
        # A shared thing of which no name is known: everything that could use it.
        judged = _USED_BY.get(kind.resource_type, kind.resource_type)
        return [resource.ref for resource in self.reader.list(judged, ())]

    def _of_lookup(self, lookup: Lookup) -> Iterable[ResourceRef]:
        if self._refusal_of(lookup.account, lookup.region):
            return []
        found = self.reader.resolve(lookup)
        # An id that no longer exists: its ARN's own deletion event, or the sweep, resolves its findings.
        return [] if found is None else [found]

    def _refusal_of(self, account: str, region: str) -> bool:
        return account != self.deployment.account or (bool(region) and region != self.deployment.region)

    def _visit(self, ref: ResourceRef, cause: Cause) -> list[Visit]:
        if why := self.deployment.refusal(ref):
            return [Visit(arn=ref.arn, skipped=f"not_governed: {why}")]
        judge = self.visitor.judge
        try:
            resource = self.reader.read(ref, judge.needs(ref.resource_type))
        except ResourceGoneError as error:
            return self._gone(ref, cause, error)
        except (AccessDeniedError, UnsupportedError, RejectedError) as error:
            return [Visit(arn=ref.arn, judgements=unread(judge, ref, str(error)))]
        return [self._visit_resource(resource, cause)]

    def _visit_resource(self, resource: Resource, cause: Cause) -> Visit:
        if resource.home != self.deployment.region:
            where = f"its writer is in {resource.home}, whose deployment acts"
            return Visit(arn=resource.ref.arn, skipped=f"not_governed: {where}")
        return self.visitor.visit(resource, cause)

    # --- what is not there --------------------------------------------------------------------------------

    def _gone(self, ref: ResourceRef, cause: Cause, error: ResourceGoneError) -> list[Visit]:
        if self._was_just_made(cause):
            msg = f"{ref.arn} was made moments ago and cannot be seen yet"
            raise TransientError(msg) from error
        visits: list[Visit] = []
        keys: dict[str, list[Finding]] = {}
        for finding in self.visitor.findings.of_arn(ref.arn):
            keys.setdefault(finding.resource_key, []).append(finding)
        for findings in keys.values():
            visits.extend(self._moved_or_gone(ref, findings, cause))
        self.visitor.state.settle(ref.arn)
        return visits or [Visit(arn=ref.arn, skipped="gone", cause=self.visitor.cause(cause))]

    def _moved_or_gone(self, ref: ResourceRef, findings: list[Finding], cause: Cause) -> list[Visit]:
        """A resource that lost its name was renamed or deleted: the immutable id tells which."""
        immutable = KINDS[ref.resource_type].immutable_id
        if immutable is not None:
            lookup = Lookup(
                ref.resource_type, ref.account, ref.region, findings[0].resource_key.rpartition("/")[2]
            )
            try:
                moved = self.reader.resolve(lookup)
            except (AccessDeniedError, UnsupportedError, RejectedError) as error:
                # Not confirmed: the findings stay as they are.
                return [Visit(arn=ref.arn, skipped=f"gone, unconfirmed: {error}")]
            if moved is not None:
                return self._visit(moved, cause)
        return [self.confirm_gone(ref.arn, findings, cause)]

    def confirm_gone(self, arn: str, findings: Iterable[Finding], cause: Cause) -> Visit:
        """Resolve the findings of a resource that is known to exist no more."""
        visitor = self.visitor
        now = visitor.clock()
        resolved: list[str] = []
        for finding in findings:
            if not finding.is_open:
                continue
            if was_told(finding):
                visitor.queues.ticket(
                    TicketMessage(
                        event=TicketEvent.RESOLVE,
                        resource_key=finding.resource_key,
                        control=finding.control,
                    )
                )
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
            visitor.findings.put(closed)
            resolved.append(finding.control)
        return Visit(arn=arn, skipped="gone", resolved=tuple(resolved), cause=visitor.cause(cause))

    def _was_just_made(self, cause: Cause) -> bool:
        makes = cause.event_name.startswith(_MAKES) or cause.event_name in _MADE_EVENTS
        return makes and self.visitor.clock() - cause.at < _SETTLING


def _weight(cause: Cause) -> int:
    """CloudTrail names who did it; our own deferral must stay visible as one, or its row would never settle."""
    order = {Source.DEFERRAL: 3, Source.CLOUDTRAIL: 2, Source.RDS_EVENT: 1}
    return order.get(cause.source, 0)
