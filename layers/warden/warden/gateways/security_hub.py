"""Tickets as findings of Security Hub CSPM (ASFF), imported in the account that they are about.

Security Hub is told and never asked: it sets the workflow back to NEW by itself when a check fails again, so that
nothing here may follow from its workflow status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from warden.core.errors import LaterError, RejectedError, SinkRefusedError, TransientError
from warden.core.rendering.harmless import one_line, printable
from warden.core.resource import ResourceRef, ResourceType
from warden.core.sections import Code
from warden.core.ticket import Resolution, TicketState
from warden.core.ticket_room import cut
from warden.gateways.errors import translated
from warden.gateways.presence import unseen

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from warden.core.finding import Finding
    from warden.core.resource import Deployment
    from warden.core.ticket import Ticket

_TITLE, _DESCRIPTION, _RECOMMENDATION, _FIELD, _NOTE = 256, 1_024, 512, 2_048, 512
_RESOURCES = 32
_TYPES = {
    ResourceType.DB_CLUSTER: "AwsRdsDbCluster",
    ResourceType.DB_INSTANCE: "AwsRdsDbInstance",
    ResourceType.DB_CLUSTER_SNAPSHOT: "AwsRdsDbClusterSnapshot",
    ResourceType.DB_SNAPSHOT: "AwsRdsDbSnapshot",
    ResourceType.SECURITY_GROUP: "AwsEc2SecurityGroup",
    ResourceType.KMS_KEY: "AwsKmsKey",
    ResourceType.SECRET: "AwsSecretsManagerSecret",
    ResourceType.ACCOUNT: "AwsAccount",
}
_ACCEPTED = frozenset({Resolution.EXEMPT, Resolution.UNDONE, Resolution.DISABLED})
_SLOW = 60.0
"""Seconds: "It can take several minutes" until what was imported can be updated (BatchUpdateFindings)."""
_MISSING = "FindingNotFound"
_PASSING = frozenset(
    {_MISSING, "InternalException", "InternalFailure", "LimitExceeded", "ConcurrentUpdateError"}
)


class SecurityHubSink:
    """Imports findings and moves their workflow; implements `ports.Notifier`."""

    def __init__(self, client: Any, *, deployment: Deployment, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._deployment = deployment
        self._clock = clock

    def notify(self, ticket: Ticket) -> None:
        """Import it as it stands now, archived when it is fixed, and say in its workflow that a person knows.

        What was just imported may not be there to be updated for minutes. An open one was imported as NOTIFIED, and
        lacks but a note until it is told of again; one that is over is tried again until it says so.
        """
        item = finding(ticket, deployment=self._deployment, now=self._clock())
        answer = self._call("BatchImportFindings", self._client.batch_import_findings, Findings=[item])
        if answer["FailedCount"]:
            failed = answer.get("FailedFindings", [{}])[0]
            raise _refused("BatchImportFindings", failed)
        updated = self._call(
            "BatchUpdateFindings", self._client.batch_update_findings, **workflow(ticket, item)
        )
        for unprocessed in updated["UnprocessedFindings"]:
            is_late = unprocessed.get("ErrorCode") == _MISSING
            if not (is_late and ticket.is_open):
                raise _refused("BatchUpdateFindings", unprocessed, alone=is_late)

    def _call(self, operation: str, call: Callable[..., Any], **parameters: Any) -> Any:
        with translated(f"securityhub:{operation}"):
            try:
                return call(**parameters)
            except ClientError as error:
                raise _ours(error) from error

    def check(self) -> str:
        """See whether Security Hub is enabled here; whether it takes findings, only one of them shows."""
        return unseen(
            "securityhub:DescribeHub",
            self._client.describe_hub,
            what="Security Hub in this account and Region",
            # "The account doesn't have permission to perform this action", as where it is not enabled.
            missing={"InvalidAccessException", "ResourceNotFoundException"},
        )


def finding(ticket: Ticket, *, deployment: Deployment, now: datetime) -> dict[str, Any]:
    """The ticket in ASFF. `CreatedAt` and `Id` stay, and a later `UpdatedAt` makes it an update."""
    where = f"arn:{deployment.partition}:securityhub:{deployment.region}:{deployment.account}"
    is_open = ticket.state is not TicketState.RESOLVED
    failed = is_open or ticket.resolution in _ACCEPTED
    fix = next((block.text for s in ticket.sections for block in s.blocks if isinstance(block, Code)), "")
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"aurora-warden/{ticket.id}",
        "ProductArn": f"{where}:product/{deployment.account}/default",
        "GeneratorId": f"aurora-warden/{ticket.control or 'several'}",
        "AwsAccountId": deployment.account,
        "CreatedAt": _time(ticket.opened_at),
        "UpdatedAt": _time(now),
        "Title": cut(one_line(ticket.title), _TITLE),
        "Description": cut(printable(ticket.summary).strip() or one_line(ticket.title), _DESCRIPTION),
        "FindingProviderFields": {
            "Severity": {"Label": ticket.severity},
            "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
        },
        # Taken when it is created; after that, the workflow is changed by BatchUpdateFindings alone.
        **({"Workflow": {"Status": "NOTIFIED"}} if is_open else {}),
        "Resources": [_resource(one) for one in ticket.findings[:_RESOURCES]],
        "Compliance": {"Status": "FAILED" if failed else "PASSED"},
        "RecordState": "ACTIVE" if failed else "ARCHIVED",
        "ProductFields": {
            "aurora-warden/ticket": ticket.id,
            "aurora-warden/control": ticket.control or "several",
            "aurora-warden/owner": cut(one_line(ticket.owner), _FIELD) or "unknown",
        },
        **(
            {"Remediation": {"Recommendation": {"Text": cut(printable(fix), _RECOMMENDATION)}}}
            if fix.strip()
            else {}
        ),
    }


def workflow(ticket: Ticket, item: dict[str, Any]) -> dict[str, Any]:
    """The parameters of BatchUpdateFindings: what a person sees has become of it."""
    status = "NOTIFIED"
    if ticket.state is TicketState.RESOLVED:
        status = "SUPPRESSED" if ticket.resolution in _ACCEPTED else "RESOLVED"
    return {
        "FindingIdentifiers": [{"Id": item["Id"], "ProductArn": item["ProductArn"]}],
        "Workflow": {"Status": status},
        "Note": {
            "Text": cut(printable(ticket.summary).strip() or ticket.id, _NOTE),
            "UpdatedBy": "aurora-warden",
        },
    }


def _resource(one: Finding) -> dict[str, Any]:
    ref = ResourceRef.from_arn(one.arn)
    identity = f"AWS::::Account:{ref.account}" if ref.resource_type is ResourceType.ACCOUNT else ref.arn
    return {
        "Type": _TYPES.get(ref.resource_type, "Other"),
        "Id": identity,
        "Partition": ref.partition,
        **({"Region": ref.region} if ref.region else {}),
    }


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _ours(error: ClientError) -> Exception:
    """What `translated` cannot know: errors that only Security Hub has; all others as they are."""
    message = f"securityhub: {error}"
    match error.response.get("Error", {}).get("Code", ""):
        case "InvalidAccessException":
            # "The account doesn't have permission to perform this action", as where Security Hub is not enabled.
            return SinkRefusedError(message)
        case "LimitExceededException":
            return LaterError(message)
        case "InternalException":
            return TransientError(message)
    return error


def _refused(operation: str, failed: Any, *, alone: bool = False) -> Exception:
    code, said = str(failed.get("ErrorCode", "")), str(failed.get("ErrorMessage", ""))
    message = f"securityhub:{operation}: {code}: {said}"
    if code in _PASSING:
        return LaterError(message, after=_SLOW, alone=alone)
    return RejectedError(message, code=code)
