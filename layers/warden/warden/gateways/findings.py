"""The Findings table: one row for each control and resource."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from warden.core.control import ComplianceType
from warden.core.errors import ConflictError
from warden.core.finding import Finding, WorkflowStatus
from warden.core.ledger import plain, redacted
from warden.gateways.errors import translated
from warden.gateways.items import ROOM, conditional, decode, encode, pages, shortened
from warden.gateways.packed import Packer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

_Packed: TypeAlias = "tuple[tuple[str, bytes], ...]"
INDEX = "by_arn"
"""The global secondary index: partition key `arn`, sort key `control`."""


class DynamoFindings:
    """Findings in DynamoDB; implements `ports.Findings`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def of_resource(self, resource_key: str) -> dict[str, Finding]:
        """All findings of one resource by control, read consistently."""
        rows = pages(
            self._client.query,
            "dynamodb:Query",
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="resource_key = :key",
            ExpressionAttributeValues=encode({":key": resource_key}),
        )
        return {row["control"]: from_row(row) for row in rows}

    def of_arn(self, arn: str) -> list[Finding]:
        """All findings that were last seen under an ARN (an index: eventually consistent)."""
        rows = pages(
            self._client.query,
            "dynamodb:Query",
            TableName=self._table,
            IndexName=INDEX,
            KeyConditionExpression="arn = :arn",
            ExpressionAttributeValues=encode({":arn": arn}),
        )
        return [from_row(row) for row in rows]

    def get(self, resource_key: str, control: str) -> Finding | None:
        """One finding, read consistently."""
        key = encode({"resource_key": resource_key, "control": control})
        with translated("dynamodb:GetItem"):
            answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return from_row(decode(answer["Item"])) if "Item" in answer else None

    def put(self, finding: Finding) -> Finding:
        """Write over revision `finding.revision`, and return what is kept; ConflictError if another wrote."""
        kept = fitting(replace(finding, revision=finding.revision + 1))
        parameters: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(resource_key)"}
        if finding.revision:
            parameters = {
                "ConditionExpression": "revision = :revision",
                "ExpressionAttributeValues": encode({":revision": finding.revision}),
            }
        try:
            with conditional("dynamodb:PutItem"):
                self._client.put_item(TableName=self._table, Item=encode(to_row(kept)), **parameters)
        except ConflictError as error:
            msg = f"{finding.id} was written by another since revision {finding.revision} was read"
            raise ConflictError(msg) from error
        return kept

    def all(self) -> Iterator[Finding]:
        """Every finding that is kept, page by page."""
        return map(from_row, self._rows())

    def as_they_are(self, resource_types: Collection[str]) -> PackedFindings:
        """The findings of some types as they are now; the whole table is read."""
        return PackedFindings(self._rows(), resource_types)

    def _rows(self) -> Iterator[dict[str, Any]]:
        return pages(self._client.scan, "dynamodb:Scan", TableName=self._table)


class PackedFindings:
    """The findings of some types of resources, in little memory; implements `ports.ReadFindings`.

    Rows are kept as they were read: packed, by what they have in common with another of their control.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]], resource_types: Collection[str]) -> None:
        """Take the rows of the whole table; those of other types are let go."""
        self._packers: dict[str, Packer] = {}
        self._packed: dict[str, dict[str, _Packed]] = {
            str(resource_type): {} for resource_type in resource_types
        }
        for row in rows:
            key = str(row["resource_key"])
            of_type = self._packed.get(_type_of(key))
            if of_type is not None:
                control = sys.intern(str(row["control"]))
                packer = self._packers.setdefault(control, Packer())
                of_type[key] = (*of_type.get(key, ()), (control, packer.pack(row)))

    def take(self, resource_key: str) -> dict[str, Finding]:
        """The findings of one resource by control; they are not kept any longer."""
        packed = self._packed.get(_type_of(resource_key), {}).pop(resource_key, ())
        return {control: from_row(self._packers[control].unpack(row)) for control, row in packed}

    def drop(self, resource_key: str) -> None:
        """Let those of one resource go."""
        self._packed.get(_type_of(resource_key), {}).pop(resource_key, None)

    def left(self, resource_type: str) -> list[str]:
        """The keys of the resources of a type whose findings nobody has taken."""
        return list(self._packed.get(resource_type, ()))


def _type_of(resource_key: str) -> str:
    """The resource type in a key, as `core.kinds.resource_key` makes it."""
    return "".join(resource_key.split("/", 3)[2:3])


def fitting(finding: Finding) -> Finding:
    """The finding as it is kept: plain JSON, no secrets, and cut where an item could not hold it."""
    flat = from_row(to_row(finding))
    return shortened(flat, lambda candidate: len(_body(candidate)) <= ROOM)


def to_row(finding: Finding) -> dict[str, str | int | bool]:
    """The row: what is looked up or counted by as attributes of their own, the rest as one JSON document."""
    return {
        "resource_key": finding.resource_key,
        "control": finding.control,
        "arn": finding.arn,
        "workflow": finding.workflow.value,
        "compliance": finding.compliance.value,
        "severity": str(finding.severity),
        "last_observed": finding.last_observed.isoformat(),
        "revision": finding.revision,
        "body": _body(finding),
    }


def _body(finding: Finding) -> str:
    return json.dumps(
        {
            "resource_type": str(finding.resource_type),
            "title": finding.title,
            "annotation": redacted(finding.annotation),
            "evidence": redacted(plain(finding.evidence)),
            "first_observed": finding.first_observed.isoformat(),
            "resolved_at": finding.resolved_at.isoformat() if finding.resolved_at else None,
            "attempts": [attempt.isoformat() for attempt in finding.attempts],
            "applied": finding.applied,
            "hold": redacted(plain(finding.hold)),
            "reverts": redacted(plain(list(finding.reverts))),
            "decision": redacted(plain(finding.decision)),
            "plan": redacted(plain(list(finding.plan))),
            "manual": redacted(finding.manual),
            "cause": redacted(plain(finding.cause)),
            "tags": dict(finding.tags),
        }
    )


def from_row(row: Mapping[str, Any]) -> Finding:
    """Read a row; what an earlier version of Warden did not write takes its default."""
    body = json.loads(row["body"])
    resolved_at = body.get("resolved_at")
    return Finding(
        resource_key=row["resource_key"],
        control=row["control"],
        arn=row["arn"],
        resource_type=body["resource_type"],
        severity=row["severity"],
        title=body["title"],
        workflow=WorkflowStatus(row["workflow"]),
        compliance=ComplianceType(row["compliance"]),
        annotation=body["annotation"],
        evidence=body["evidence"],
        first_observed=datetime.fromisoformat(body["first_observed"]),
        last_observed=datetime.fromisoformat(row["last_observed"]),
        resolved_at=datetime.fromisoformat(resolved_at) if resolved_at else None,
        applied=body.get("applied", ""),
        hold=body.get("hold", {}),
        attempts=tuple(datetime.fromisoformat(attempt) for attempt in body.get("attempts", ())),
        reverts=tuple(body.get("reverts", ())),
        decision=body.get("decision", {}),
        plan=tuple(body.get("plan", ())),
        manual=body.get("manual", ""),
        cause=body.get("cause", {}),
        tags=body.get("tags", {}),
        revision=row["revision"],
    )
