"""Looks after what procedures have made: a procedure whose event was lost goes on, and what is left behind goes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from warden.core.dataclass import dataclass
from warden.core.decision import Mode
from warden.core.errors import ResourceGoneError, WardenError
from warden.core.messages import RemediationMessage
from warden.core.procedure import NONCE, TEMPORARY_TYPES, UNSEEN, objection
from warden.core.resource import ResourceRef, ResourceType
from warden.core.trigger import Source
from warden.pipeline.procedures import DONE, unwanted

if TYPE_CHECKING:
    from warden.core.procedure import Record
    from warden.core.resource import Resource
    from warden.pipeline.ports import Reader, Temporaries
    from warden.pipeline.visit import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Caretaker:
    """Goes over all records; there is one for each thing of a procedure that runs, so that they are few."""

    visitor: Visitor
    reader: Reader
    temporaries: Temporaries

    def look(self) -> list[str]:
        """Do for each what is due; returns what a person has to know, as sentences."""
        problems: list[str] = []
        for record in self.temporaries.all():
            try:
                problems += self._look(record)
            except WardenError as error:
                problems.append(f"{record.arn}, which a procedure made: {error}")
        return problems

    def _look(self, record: Record) -> list[str]:
        visitor = self.visitor
        ref = ResourceRef.from_arn(record.arn)
        why = unwanted(
            record,
            judge=visitor.judge,
            reader=self.reader,
            findings=visitor.findings,
            brakes=visitor.brakes,
            now=visitor.clock(),
            # What stays costs nothing: without its record, what is merely held up could never go on.
            until_done=ref.resource_type not in TEMPORARY_TYPES,
        )
        if ref.resource_type not in TEMPORARY_TYPES:
            # It stays, whatever becomes of the procedure: only the record of it is done with.
            self._end(record) if why else self._wake(record)
            return []
        try:
            made = self.reader.read(ref, ())
        except ResourceGoneError:
            self._absent(record, why)
            return []
        if not why:
            self._wake(record)
            return []
        return self._unwanted(record, made, why)

    def _unwanted(self, record: Record, made: Resource, why: str) -> list[str]:
        visitor, ref = self.visitor, made.ref
        if record.stays:
            return self._left_behind(record, made, why)
        if doubt := objection(made.facts, record):
            return [f"{ref.arn} has the name of what a procedure made, and {doubt}: a person has to look."]
        if visitor.judge.ceiling is not Mode.REMEDIATE:
            return [
                f"{ref.arn} was made by a procedure and costs money; the ceiling lets nobody delete it. {why}"
            ]
        self._have_it_cleaned_up(record)
        return []

    def _left_behind(self, record: Record, made: Resource, why: str) -> list[str]:
        """What stays is a person's from then on: at once where it is done, else once that person says so."""
        if why == DONE or objection(made.facts, record):
            self._end(record)
            return []
        half_made = (
            f"{record.arn} was half made by a procedure, costs money, and is protected from deletion: delete it, or "
            f"keep it by removing its tag {NONCE}. {why}"
        )
        return [half_made]

    def _absent(self, record: Record, why: str) -> None:
        """What is gone for good needs no record; what was never made, or is not seen yet, keeps it."""
        if not why and not record.resource_id:
            self._wake(record)
            return
        self._end(record)

    def _end(self, record: Record) -> None:
        if self.visitor.clock() - record.announced_at < UNSEEN:
            return
        made = ResourceRef.from_arn(record.arn)
        snapshot = made.beside(ResourceType.DB_CLUSTER_SNAPSHOT, made.id)
        if record.stays and (of_snapshot := self.temporaries.get(snapshot.arn)) is not None:
            # Whoever has deleted it, or taken it over, wants no other one of the snapshot that it was restored from.
            self.temporaries.remove(of_snapshot)
        self.temporaries.remove(record)

    def _wake(self, record: Record) -> None:
        """Have the next call looked for, unless a due row will."""
        if self.visitor.state.waiting(record.serves) is not None:
            return
        cause = {
            "source": Source.DEFERRAL.value,
            "event_name": "procedure",
            "event_id": "",
            "at": self.visitor.clock().isoformat(),
        }
        self.visitor.queues.trigger({"resource": record.serves, "cause": cause})

    def _have_it_cleaned_up(self, record: Record) -> None:
        visitor = self.visitor
        message = RemediationMessage(
            ref=ResourceRef.from_arn(record.serves),
            controls=record.controls,
            policy_version=visitor.judge.policy.version,
            resource_key=record.serves_key,
            clean_up=record.arn,
        )
        # Each look asks again: what waits, for STOP or for AWS, is asked for until it is done.
        asked = f"{message.encode()}|{visitor.clock().isoformat()}"
        visitor.queues.remediate(message, deduplication_id=hashlib.sha256(asked.encode()).hexdigest())
