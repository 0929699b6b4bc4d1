"""Taking away what a procedure made and nobody wants any more: what Warden deletes is its own alone."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from warden.core import procedure
from warden.core.decision import Mode
from warden.core.errors import (
    RefusedError,
    ResourceBusyError,
    ResourceGoneError,
    StoppedError,
    ThrottledError,
    TransientError,
)
from warden.core.guard import Only, Permit, SameAs
from warden.core.ledger import EntryKind, LedgerEntry, plain
from warden.core.resource import ResourceRef
from warden.pipeline.procedures import unwanted
from warden.pipeline.writes import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.messages import RemediationMessage
    from warden.core.plan import Call
    from warden.core.procedure import Record
    from warden.core.resource import Resource
    from warden.pipeline.remediate import Remediator

_PERMIT = Permit(
    operation="DeleteDBCluster",
    required={"DBClusterIdentifier": SameAs("DBClusterIdentifier"), "SkipFinalSnapshot": Only((True,))},
)
_LATER = (ResourceBusyError, ResourceGoneError, StoppedError, ThrottledError)
"""What is nobody's refusal: whoever looks after the records asks again, or finds that it is gone."""
_TOLD = ("DBClusterIdentifier", "DbClusterResourceId", "Status", "StorageEncryptionType", "ClusterCreateTime")


class CleanUp:
    """One deletion of a temporary cluster; whoever asked for it, it is looked at and decided here again.

    STOP and leases hold it up. Nothing is deferred from here: whoever looks after the records asks again.
    """

    def __init__(self, remediator: Remediator, message: RemediationMessage, *, lease_seconds: int) -> None:
        self._remediator = remediator
        self._message = message
        self._arns = frozenset({message.ref.arn, message.clean_up})
        self._owner = remediator.new_owner()
        self._seconds = lease_seconds

    def outcome(self) -> Outcome:
        """Do it, if it is to be done."""
        remediator, state = self._remediator, self._remediator.state
        try:
            remediator.check_stop()
        except StoppedError as error:
            return self._said(Status.DEFERRED, f"{error}.")
        if not state.lease(self._arns, owner=self._owner, seconds=self._seconds, now=remediator.clock()):
            return self._said(Status.DEFERRED, "Another remediation holds a lease on it.")
        try:
            return self._under_lease()
        except ThrottledError as error:
            return self._said(Status.DEFERRED, f"AWS throttled us: {error}.")
        finally:
            with contextlib.suppress(TransientError):
                state.release(self._arns, owner=self._owner)

    def _under_lease(self) -> Outcome:
        remediator = self._remediator
        record = remediator.temporaries.get(self._message.clean_up)
        if record is None or record.stays or remediator.judge.ceiling is not Mode.REMEDIATE:
            return self._said(
                Status.SKIPPED, "There is no record of it, it was made to stay, or the ceiling is lower now."
            )
        why = unwanted(
            record,
            judge=remediator.judge,
            reader=remediator.reader,
            findings=remediator.findings,
            brakes=remediator.brakes,
            now=remediator.clock(),
        )
        try:
            temporary = remediator.reader.read(ResourceRef.from_arn(record.arn), ())
        except ResourceGoneError:
            return self._said(Status.SKIPPED, "It exists no more.")
        if not why or procedure.objection(temporary.facts, record):
            return self._said(Status.SKIPPED, "It is wanted, or it is not surely what Warden made.")
        return self._delete(record, temporary, why)

    def _delete(self, record: Record, temporary: Resource, why: str) -> Outcome:
        remediator = self._remediator
        [call] = procedure.clean_up(temporary.facts["DBClusterIdentifier"]).calls
        self._note(record, temporary, call, {"calls": [call.to_json()], "because": why})
        try:
            self._check_held()
            request_id = remediator.writer.apply(call, temporary, (_PERMIT,))
        except (RefusedError, ThrottledError) as error:
            # Whatever else fails is a crash: whether the call was made is not known, and reconciliation finds out.
            status = Status.DEFERRED if isinstance(error, _LATER) else Status.FAILED
            self._note(record, temporary, call, {"status": status, "error": str(error)})
            return self._said(status, f"The clean-up was not taken: {error}.")
        done = {"status": Status.SUCCEEDED, "calls": [call.to_json()], "request_id": request_id}
        self._note(record, temporary, call, done)
        return self._said(Status.SUCCEEDED, f"AWS accepted {call.operation}. {why}", call)

    def _check_held(self) -> None:
        """Immediately before the write: raise where STOP is set, or the lease has lapsed."""
        remediator = self._remediator
        remediator.check_stop()
        if not remediator.state.holds(self._arns, owner=self._owner, now=remediator.clock()):
            msg = "the lease on it lapsed"
            raise ResourceBusyError(msg)

    def _note(self, record: Record, temporary: Resource, call: Call, after: Mapping[str, Any]) -> None:
        """In the chain of what it served: its story is complete there."""
        intends = "status" not in after
        before = {name: temporary.facts[name] for name in _TOLD if name in temporary.facts}
        self._remediator.ledger.append(
            LedgerEntry(
                at=self._remediator.clock(),
                actor="remediate",
                chain=record.serves_key,
                kind=EntryKind.INTENT if intends else EntryKind.OUTCOME,
                control=",".join(record.controls),
                arn=record.arn,
                before=plain(before) if intends else {},
                after={"operation": call.operation, **after},
                policy_version=self._remediator.judge.policy.version,
            )
        )

    def _said(self, status: Status, sentence: str, *calls: Call) -> Outcome:
        return Outcome(status=status, arn=self._message.clean_up, sentence=sentence, calls=calls)
