"""The Findings table: one row for each control and resource."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from warden.core.control import ComplianceType
from warden.core.errors import ConflictError
from warden.core.finding import Finding, WorkflowStatus
from warden.core.ledger import plain, redacted
from warden.gateways.errors import translated
from warden.gateways.items import ROOM, conditional, decode, encode, pages, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

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
        rows = pages(self._client.scan, "dynamodb:Scan", TableName=self._table)
        return (from_row(row) for row in rows)


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
