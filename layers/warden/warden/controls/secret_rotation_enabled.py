"""A secret with credentials of a database is rotated automatically, and often enough.

Why it matters
--------------
A password that never changes works for everybody who has ever seen it: in a backup, in a log, on the laptop of
somebody who has left. Rotation ends that without anybody's help.

Judged are the secrets that RDS manages for master passwords, and those that the policy names by prefix or tag. A
replica is rotated where its primary is. The longest time between two rotations of the schedule counts, in whichever
way the schedule is written.

Remediation safety
------------------
Disruptive. From then on the password changes by itself, and clients that keep an old one are refused. So it needs an
approval, or a line of the policy. Warden sets the schedule of secrets that RDS manages, with RotateImmediately
false: nothing is rotated before its time. A schedule with a window of its own (cron, or a duration) was chosen by
somebody and is left to a person, and so are secrets that a Lambda function rotates: whoever calls RotateSecret for
them must be allowed to invoke the function, which Warden is not.

References
----------
- AWS Secrets Manager API Reference, RotateSecret: RotationRules, RotateImmediately
- AWS Secrets Manager API Reference, DescribeSecret: RotationEnabled, RotationRules
- AWS Secrets Manager User Guide, "Schedule expressions in Secrets Manager rotation"
- AWS Security Hub CSPM, control SecretsManager.1
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from warden.core import database_secrets, frameworks, guidance, rotation
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
    insufficient_data,
    non_compliant,
)
from warden.core.guard import Fields, Only, Permit, SameAs
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge whether it rotates, and how often."""
    return database_secrets.outside_or_replica(resource, settings) or _judge(
        resource, settings["maximum_days"]
    )


def _judge(resource: Resource, maximum: int) -> Verdict:
    if not resource.facts["RotationEnabled"]:
        return non_compliant(f"{resource.ref.id} is not rotated automatically.")
    days = rotation.longest_interval(resource.facts["RotationRules"] or {})
    if days is None:
        return insufficient_data(f"{resource.ref.id} has a rotation schedule that Warden cannot read.")
    if days > maximum:
        return non_compliant(
            f"{resource.ref.id} is rotated every {days} days at most; the policy wants {maximum} or fewer."
        )
    return compliant(f"{resource.ref.id} is rotated every {days} days at most.")


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Set a schedule of days, where it is RDS that rotates and nobody chose a window."""
    facts = resource.facts
    wanted = settings["maximum_days"]
    rules = facts["RotationRules"] or {}
    step = guidance.command(
        resource,
        "rotate-secret",
        {
            "secret-id": facts["ARN"],
            "rotation-rules": f"AutomaticallyAfterDays={wanted}",
            "rotate-immediately": False,
        },
        service="secretsmanager",
    )
    if "Duration" in rules or str(rules.get("ScheduleExpression", "")).startswith("cron"):
        return Manual(
            "Somebody chose a window for the rotation, which another schedule would replace: choose a schedule that "
            "keeps the window and rotates often enough.",
            (step,),
        )
    if database_secrets.is_managed(facts):
        return Plan(
            (
                Call(
                    "RotateSecret",
                    {
                        "SecretId": facts["ARN"],
                        "RotationRules": {"AutomaticallyAfterDays": wanted},
                        "RotateImmediately": False,
                    },
                ),
            )
        )
    if facts["RotationLambdaARN"] is not None:
        return Manual(
            f"The function {facts['RotationLambdaARN']} rotates it, and whoever sets the schedule must be allowed to "
            "invoke that function. Warden is not.",
            (step,),
        )
    return Manual(
        "Nothing rotates it. Let RDS manage the password, if it is a master password, or give the secret a rotation "
        "function that the owner of the database trusts.",
        (
            guidance.command(
                resource,
                "rotate-secret",
                {
                    "secret-id": facts["ARN"],
                    "rotation-lambda-arn": "ROTATION-FUNCTION",
                    "rotation-rules": f"AutomaticallyAfterDays={wanted}",
                    "rotate-immediately": False,
                },
                service="secretsmanager",
            ),
        ),
    )


_OWN = {"Name": "prod/db/orders", "OwningService": None, "Tags": [{"Key": "holds", "Value": "database"}]}
_BY_NAME = {"secret_name_prefixes": ["prod/db/"]}
_FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:rotate"


def _schedule(expression: str, **more: Any) -> dict[str, Any]:
    return {"RotationRules": {"ScheduleExpression": expression, **more}}


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Secrets with credentials of databases are rotated automatically and often enough",
    resource_type=ResourceType.SECRET,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.security_hub("SecretsManager.1"),
        frameworks.config("secretsmanager-rotation-enabled-check"),
        frameworks.prowler("secretsmanager_automatic_rotation_enabled"),
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
            doc="The most days between two rotations.",
            minimum=1,
            maximum=365,
        ),
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(
            Permit(
                operation="RotateSecret",
                required={
                    "SecretId": SameAs("ARN"),
                    "RotationRules": Fields({"AutomaticallyAfterDays": database_secrets.Days()}),
                    "RotateImmediately": Only((False,)),
                },
            ),
        ),
        safety=Safety.DISRUPTIVE,
    ),
    fix="""\
Set a schedule; nothing is rotated before its time. See first that whatever reads the secret {id} reads it anew when a
login is refused:

    aws secretsmanager rotate-secret --secret-id '{arn}' --rotation-rules AutomaticallyAfterDays=90 \\
        --no-rotate-immediately --region {region}

A secret that a function rotates also takes `--rotation-lambda-arn`, the first time.

Make it last: CloudFormation `RotationRules: AutomaticallyAfterDays 90` of `AWS::SecretsManager::RotationSchedule`;
Terraform `rotation_rules` of `aws_secretsmanager_secret_rotation`.
""",
    examples=(
        Example(
            name="rotated by RDS every week",
            facts={"RotationEnabled": True, "RotationRules": {"AutomaticallyAfterDays": 7}},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="rotated on the first of each month",
            facts=_schedule("cron(0 16 1 * ? *)", AutomaticallyAfterDays=24),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="rotated every ten hours",
            facts=_schedule("rate(10 hours)"),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="managed by RDS, and not rotated",
            facts={"RotationEnabled": False, "RotationRules": None},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="managed by RDS, and rotated too seldom",
            facts={"RotationRules": {"AutomaticallyAfterDays": 180}},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="rotated too seldom by a rate",
            facts=_schedule("rate(120 days)"),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="rotated twice a year, in a window that somebody chose",
            facts=_schedule("cron(0 2 1 JAN,JUL ? *)", Duration="2h"),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a secret of one's own that was never rotated",
            facts={**_OWN, "RotationEnabled": None, "RotationRules": None},
            settings=_BY_NAME,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a secret of one's own whose function no longer rotates it",
            facts={
                **_OWN,
                "RotationEnabled": False,
                "RotationLambdaARN": _FUNCTION,
                "RotationRules": {"AutomaticallyAfterDays": 30},
            },
            settings={"secret_tags": ["holds=database"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a secret of something else",
            facts={**_OWN, "RotationEnabled": None, "RotationRules": None},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a replica is rotated with its primary",
            facts={"PrimaryRegion": "us-east-1", "RotationEnabled": None},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a primary with replicas",
            facts={"PrimaryRegion": "eu-west-1", "RotationEnabled": False, "RotationRules": None},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="scheduled for deletion",
            facts={"RotationEnabled": False, "DeletedDate": datetime(2026, 11, 20, tzinfo=UTC)},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a schedule that nobody can read",
            facts=_schedule("at(noon)"),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="whether it rotates is not known",
            facts={},
            missing=("RotationEnabled",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
