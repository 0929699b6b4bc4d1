"""What Performance Insights keeps of a cluster is encrypted with a customer managed key that is allowed.

Why it matters
--------------
Performance Insights keeps the statements that a database runs. Literals are masked, but the names of
tables, columns and users are not. Who turns it on without naming a key gets the default key of the
account, and that cannot be changed in place.

What a cluster sets applies to its members; where the cluster sets nothing, they are judged themselves.

Remediation safety
------------------
Disruptive. And left to a person: the key changes only by turning Performance Insights off and on, and with
it goes the history that is kept. Databases notice nothing.

References
----------
- Amazon RDS API Reference, ModifyDBCluster: PerformanceInsightsKMSKeyId
- AWS KMS API Reference, DescribeKey: KeyManager
- Amazon Aurora User Guide, "Turning Performance Insights on and off"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import baseline, customer_keys, frameworks, guidance, insights, scope
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
    if resource.facts["PerformanceInsightsEnabled"] is None:
        return not_applicable(
            f"{resource.ref.id} sets nothing of Performance Insights at the cluster: its instances are judged."
        )
    if not resource.facts["PerformanceInsightsEnabled"]:
        return not_applicable(f"{resource.ref.id} keeps nothing for Performance Insights.")
    return customer_keys.judge_key(resource, settings, Need.INSIGHTS_KEY, "what Performance Insights keeps")


def plan(resource: Resource, settings: Mapping[str, Any]) -> Manual:
    """Tell a person how it gets the key."""
    identifier = resource.facts["DBClusterIdentifier"]
    is_advanced = resource.facts["DatabaseInsightsMode"] == insights.ADVANCED
    days = resource.facts["PerformanceInsightsRetentionPeriod"]
    return Manual(
        "The key of Performance Insights cannot be changed while it is on. Turn it off and on again with the key; the "
        "history that it has kept is lost.",
        (
            guidance.command(
                resource,
                "modify-db-cluster",
                {
                    "db-cluster-identifier": identifier,
                    # The Advanced mode takes Performance Insights, so the one goes with the other.
                    "database-insights-mode": "standard" if is_advanced else None,
                    "enable-performance-insights": False,
                    "apply-immediately": True,
                },
            ),
            guidance.command(resource, "wait db-cluster-available", {"db-cluster-identifier": identifier}),
            guidance.command(
                resource,
                "modify-db-cluster",
                {
                    "db-cluster-identifier": identifier,
                    "enable-performance-insights": True,
                    "performance-insights-kms-key-id": customer_keys.preferred(settings),
                    # "Default: 7 days" (ModifyDBCluster.PerformanceInsightsRetentionPeriod).
                    "performance-insights-retention-period": None if days is None else str(days),
                    "database-insights-mode": insights.ADVANCED if is_advanced else None,
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
    title="Performance Insights of clusters is encrypted with an allowed customer managed key",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.LOW,
    frameworks=frameworks.ENCRYPTION_AT_REST,
    needs=(Need.INSIGHTS_KEY, Need.KEY_ALIASES),
    settings=(*customer_keys.SETTINGS, baseline.KMS_KEY),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE),
    fix="""\
The key cannot be changed while Performance Insights is on. Turn it off and on again; its history is lost:

    aws rds modify-db-cluster --db-cluster-identifier {id} --no-enable-performance-insights \\
        --apply-immediately --region {region}
    aws rds modify-db-cluster --db-cluster-identifier {id} --enable-performance-insights \\
        --performance-insights-kms-key-id YOUR-KEY --apply-immediately --region {region}

Make it last: CloudFormation `PerformanceInsightsKmsKeyId: alias/databases` of `AWS::RDS::DBCluster`; Terraform
`performance_insights_kms_key_id` of `aws_rds_cluster`.
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
            name="the cluster says nothing of it, so its instances decide",
            facts={
                "PerformanceInsightsEnabled": None,
                "PerformanceInsightsKMSKeyId": None,
                "InsightsKey": None,
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="another product",
            facts={"Engine": "docdb", "InsightsKey": _OF_AWS},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
    ),
)
