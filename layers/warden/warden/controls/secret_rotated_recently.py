"""A secret with credentials of a database has been rotated lately, and no rotation is overdue.

Why it matters
--------------
A schedule is a plan; a rotation can fail every time, and Secrets Manager only tries again. The date of the last
success is what shows that the password really changes. A secret that nothing rotates is judged by its age.

Remediation safety
------------------
Disruptive. And left to a person: rotating changes the password at once, and a rotation that has failed will fail
again until its cause is gone, such as a key that cannot be used, a permission that was taken away, or a function that
cannot reach the database.

References
----------
- AWS Secrets Manager API Reference, DescribeSecret: LastRotatedDate, NextRotationDate
- AWS Secrets Manager User Guide, "Troubleshoot AWS Secrets Manager rotation"
- AWS Security Hub CSPM, controls SecretsManager.2 and SecretsManager.4
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.core import database_secrets, frameworks, guidance
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Setting,
    Severity,
    Verdict,
    compliant,
    non_compliant,
)
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource

_LATE = timedelta(days=1)
"""The date is the latest on which the rotation is to occur; a day more is for the window and the retries."""


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the age of the password, and whether the next rotation is overdue."""
    return database_secrets.outside_or_replica(resource, settings) or _judge(
        resource, settings["maximum_days"]
    )


def _judge(resource: Resource, maximum: int) -> Verdict:
    facts = resource.facts
    now = resource.observed_at
    due = facts["NextRotationDate"] if facts["RotationEnabled"] else None
    if due is not None and now - due > _LATE:
        return non_compliant(f"{resource.ref.id} should have been rotated by {due:%Y-%m-%d}, and was not.")
    created, rotated = facts["CreatedDate"], facts["LastRotatedDate"]
    since = created if rotated is None else max(created, rotated)
    days = (now - since).days
    what = "made" if since == created else "rotated"
    if days > maximum:
        return non_compliant(
            f"{resource.ref.id} was last {what} {days} days ago; the policy wants {maximum} or fewer."
        )
    return compliant(f"{resource.ref.id} was last {what} {days} days ago.")


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Manual:
    """Tell a person how to find the cause and rotate."""
    arn = resource.facts["ARN"]
    return Manual(
        "Rotating changes the password at once. Look first why the last rotation failed (RotationFailed in "
        "CloudTrail), and that whatever reads the secret reads it anew when a login is refused.",
        (
            guidance.command(
                resource,
                "lookup-events",
                {"lookup-attributes": "AttributeKey=EventName,AttributeValue=RotationFailed"},
                service="cloudtrail",
            ),
            guidance.command(
                resource,
                "rotate-secret",
                {"secret-id": arn, "rotate-immediately": True},
                service="secretsmanager",
            ),
        ),
    )


_LONG_AGO = datetime(2026, 3, 1, tzinfo=UTC)
_LATELY = datetime(2026, 11, 20, tzinfo=UTC)
_OWN = {"Name": "prod/db/orders", "OwningService": None}
_BY_NAME = {"secret_name_prefixes": ["prod/db/"]}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Secrets with credentials of databases have been rotated lately",
    resource_type=ResourceType.SECRET,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.security_hub("SecretsManager.2"),
        frameworks.security_hub("SecretsManager.4"),
        frameworks.config("secretsmanager-scheduled-rotation-success-check"),
        frameworks.config("secretsmanager-secret-periodic-rotation"),
        frameworks.prowler("secretsmanager_secret_rotated_periodically"),
        frameworks.cis_database("2.6"),
        frameworks.pci_dss("8.3.9"),
        frameworks.pci_dss("8.6.3"),
        frameworks.SECRET_ROTATION,
    ),
    settings=(
        *database_secrets.SETTINGS,
        Setting(
            name="maximum_days",
            default=90,
            doc="The most days since the last rotation.",
            minimum=1,
            maximum=365,
        ),
    ),
    silent="a rotation that does not happen is no event",
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE),
    fix="""\
Look why the last rotation of {id} failed, then rotate it; the password changes at once:

    aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=RotationFailed \\
        --region {region}
    aws secretsmanager rotate-secret --secret-id '{arn}' --rotate-immediately --region {region}

Make it last: CloudFormation `RotateImmediatelyOnUpdate: true` of `AWS::SecretsManager::RotationSchedule`;
Terraform `aws_secretsmanager_secret_rotation`; and an alarm on RotationFailed.
""",
    examples=(
        Example(
            name="rotated a few days ago",
            facts={"LastRotatedDate": _LATELY},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="made a few days ago, and not rotated yet",
            facts={"CreatedDate": _LATELY, "LastRotatedDate": None, "NextRotationDate": None},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="due today",
            facts={"NextRotationDate": datetime(2026, 11, 23, 23, 59, tzinfo=UTC)},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="rotation is off, and its old date says nothing",
            facts={"RotationEnabled": False, "NextRotationDate": _LONG_AGO},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="rotated long ago",
            facts={"LastRotatedDate": _LONG_AGO, "NextRotationDate": None},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the last rotation is overdue",
            facts={"NextRotationDate": datetime(2026, 11, 20, tzinfo=UTC)},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="never rotated, and old",
            facts={
                **_OWN,
                "RotationEnabled": None,
                "LastRotatedDate": None,
                "CreatedDate": _LONG_AGO,
                "NextRotationDate": None,
            },
            settings=_BY_NAME,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a secret of something else",
            facts={**_OWN, "LastRotatedDate": _LONG_AGO},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a replica is rotated with its primary",
            facts={"PrimaryRegion": "us-east-1", "LastRotatedDate": None, "CreatedDate": _LONG_AGO},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="when it was made is not known",
            facts={},
            missing=("CreatedDate",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
