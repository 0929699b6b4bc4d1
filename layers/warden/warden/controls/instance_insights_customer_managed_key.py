"""What Performance Insights keeps of an instance is encrypted with a customer managed key that is allowed.

Why it matters
--------------
Performance Insights keeps the statements that a database runs. Literals are masked, but the names of
tables, columns and users are not. Who turns it on without naming a key gets the default key of the
account, and that cannot be changed in place.

Members of Aurora clusters have a key of their own, and are judged; members of Multi-AZ DB clusters have
their cluster.

Remediation safety
------------------
Disruptive. And left to a person: the key changes only by turning Performance Insights off and on, and with
it goes the history that is kept. Databases notice nothing.

References
----------
- Amazon RDS API Reference, ModifyDBInstance: PerformanceInsightsKMSKeyId
- AWS KMS API Reference, DescribeKey: KeyManager
- Amazon RDS User Guide, "Turning Performance Insights on and off"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import baseline, customer_keys, frameworks, guidance, scope
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
    not_applicable,
)
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the key where Performance Insights is on."""
    if verdict := scope.outside(resource):
        return verdict
    if scope.is_multi_az_member(resource):
        return not_applicable(
            f"{resource.ref.id} is a member of a Multi-AZ DB cluster, which is judged itself."
        )
    if not resource.facts["PerformanceInsightsEnabled"]:
        return not_applicable(f"{resource.ref.id} keeps nothing for Performance Insights.")
    return customer_keys.judge_key(resource, settings, Need.INSIGHTS_KEY, "what Performance Insights keeps")


def plan(resource: Resource, settings: Mapping[str, Any]) -> Manual:
    """Tell a person how it gets the key."""
    identifier = resource.facts["DBInstanceIdentifier"]
    days = resource.facts["PerformanceInsightsRetentionPeriod"]
    return Manual(
        "The key of Performance Insights cannot be changed while it is on. Turn it off and on again with the key; the "
        "history that it has kept is lost.",
        (
            guidance.command(
                resource,
                "modify-db-instance",
                {
                    "db-instance-identifier": identifier,
                    "enable-performance-insights": False,
                    "apply-immediately": True,
                },
            ),
            guidance.command(resource, "wait db-instance-available", {"db-instance-identifier": identifier}),
            guidance.command(
                resource,
                "modify-db-instance",
                {
                    "db-instance-identifier": identifier,
                    "enable-performance-insights": True,
                    "performance-insights-kms-key-id": customer_keys.preferred(settings),
                    # "Default: 7 days" (ModifyDBInstance.PerformanceInsightsRetentionPeriod).
                    "performance-insights-retention-period": None if days is None else str(days),
                    "apply-immediately": True,
                },
            ),
        ),
    )


_KEY = "arn:aws:kms:eu-west-1:123456789012:key/1c7a2b3d-4e5f-4a6b-8c9d-0e1f2a3b4c5d"
_OF_AWS = {"Arn": _KEY, "AWSAccountId": "123456789012", "KeyManager": "AWS"}
_OF_ANOTHER_ACCOUNT = {
    "Arn": "arn:aws:kms:eu-west-1:210987654321:key/1c7a2b3d-4e5f-4a6b-8c9d-0e1f2a3b4c5d",
    "AWSAccountId": "210987654321",
    "KeyManager": "CUSTOMER",
}
_OTHER_KEY = "arn:aws:kms:eu-west-1:123456789012:key/00000000-4e5f-4a6b-8c9d-0e1f2a3b4c5d"

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Performance Insights of instances is encrypted with an allowed customer managed key",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.LOW,
    frameworks=frameworks.ENCRYPTION_AT_REST,
    needs=(Need.INSIGHTS_KEY, Need.KEY_ALIASES),
    settings=(*customer_keys.SETTINGS, baseline.KMS_KEY),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE),
    fix="""\
The key cannot be changed while Performance Insights is on. Turn it off and on again; its history is lost:

    aws rds modify-db-instance --db-instance-identifier {id} --no-enable-performance-insights \\
        --apply-immediately --region {region}
    aws rds modify-db-instance --db-instance-identifier {id} --enable-performance-insights \\
        --performance-insights-kms-key-id YOUR-KEY --apply-immediately --region {region}

Make it last: CloudFormation `PerformanceInsightsKMSKeyId: alias/databases` of `AWS::RDS::DBInstance`; Terraform
`performance_insights_kms_key_id` of `aws_db_instance`.
""",
    examples=(
        Example(
            name="a customer managed key of the account",
            facts={},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a key that AWS manages",
            facts={"InsightsKey": _OF_AWS},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a key that AWS manages, and the policy accepts it",
            facts={"InsightsKey": _OF_AWS},
            settings={"key_requirement": "kms"},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a customer managed key of another account",
            facts={"InsightsKey": _OF_ANOTHER_ACCOUNT},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a key of another account that the policy lists",
            facts={"InsightsKey": _OF_ANOTHER_ACCOUNT},
            settings={"allowed_keys": [_OF_ANOTHER_ACCOUNT["Arn"]]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a key that the policy lists by its ARN",
            facts={},
            settings={"allowed_keys": [_OTHER_KEY, _KEY]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a key that the policy lists by the name of its alias",
            facts={},
            settings={"allowed_keys": ["alias/databases"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a key that the policy lists by the ARN of its alias",
            facts={},
            settings={"allowed_keys": ["arn:aws:kms:eu-west-1:123456789012:alias/databases"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an alias of that name in another Region does not count",
            facts={},
            settings={"allowed_keys": ["arn:aws:kms:us-east-1:123456789012:alias/databases"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a customer managed key that the policy does not list",
            facts={},
            settings={"allowed_keys": [_OTHER_KEY], "kms_key": _OTHER_KEY},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="KMS does not say what kind of key it is",
            facts={},
            missing=("InsightsKey",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="Performance Insights is off",
            facts={
                "PerformanceInsightsEnabled": False,
                "PerformanceInsightsKMSKeyId": None,
                "InsightsKey": None,
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="it is on, and no key is named",
            facts={"PerformanceInsightsKMSKeyId": None, "InsightsKey": None},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a member of an Aurora cluster has a key of its own",
            facts={"Engine": "aurora-mysql", "DBClusterIdentifier": "orders", "InsightsKey": _OF_AWS},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member of a Multi-AZ DB cluster has its cluster's",
            facts={"Engine": "mysql", "DBClusterIdentifier": "orders", "InsightsKey": _OF_AWS},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="another product",
            facts={"Engine": "docdb", "InsightsKey": _OF_AWS},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
    ),
)
