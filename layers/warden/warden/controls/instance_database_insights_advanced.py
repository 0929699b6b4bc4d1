"""A stand-alone instance that the policy means has the Advanced mode of Database Insights.

Why it matters
--------------
The Advanced mode keeps what Performance Insights sees for fifteen months instead of seven days, with execution
plans, locks and the instances of a whole fleet side by side. An incident that is found after weeks can still be
looked into.

It costs, so the policy says where it is wanted: by tags of the databases; without such a list, everywhere.
Members of a cluster are judged at their cluster. RDS Custom, and classes without Performance Insights, have none.

Remediation safety
------------------
Costs. The Advanced mode is billed by the size of the databases: in us-east-1, 0.0125 USD for each vCPU and
hour; the longer history costs nothing more. Turning it on causes no downtime. Where Performance Insights is off
it is turned on with the policy's key. A history is never shortened.

References
----------
- Amazon RDS API Reference, ModifyDBInstance: DatabaseInsightsMode, PerformanceInsightsRetentionPeriod
- Amazon RDS API Reference, OrderableDBInstanceOption: SupportsPerformanceInsights
- Amazon RDS User Guide, "Turning on the Advanced mode of Database Insights for Amazon RDS"
- Amazon CloudWatch, "Pricing", Database Insights
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import baseline, engines, frameworks, insights, scope
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
    insufficient_data,
    not_applicable,
)
from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Manual, Plan
    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the mode of stand-alone instances that the policy means, and that can have it."""
    if verdict := scope.outside_or_member(resource, "Database Insights"):
        return verdict
    if engines.is_custom(resource.facts["Engine"]):
        return not_applicable(f"{resource.ref.id} is RDS Custom, which has no Database Insights.")
    verdict = insights.judge_advanced(resource, settings)
    if verdict.compliance is not ComplianceType.NON_COMPLIANT or resource.facts["PerformanceInsightsEnabled"]:
        return verdict
    instance_class = resource.facts["DBInstanceClass"]
    supported = insights.supports(resource, instance_class)
    if supported is None:
        return insufficient_data(
            f"{resource.ref.id} has Performance Insights off, and AWS no longer offers {instance_class} with this "
            "engine version, so that nobody says whether it could be on."
        )
    if not supported:
        return not_applicable(
            f"{resource.ref.id} is {instance_class}, on which its engine version has no Performance Insights."
        )
    return verdict


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Turn it on, and what it takes."""
    is_on = bool(resource.facts["PerformanceInsightsEnabled"])
    return insights.advanced(resource, is_on=is_on, key=settings["kms_key"])


_STANDARD = {"DatabaseInsightsMode": "standard", "PerformanceInsightsRetentionPeriod": 7}
_OFF = {
    "DatabaseInsightsMode": "standard",
    "PerformanceInsightsEnabled": False,
    "PerformanceInsightsKMSKeyId": None,
    "PerformanceInsightsRetentionPeriod": None,
}
_WITH_KEY = {"kms_key": "alias/databases"}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Stand-alone instances that the policy means have the Advanced mode of Database Insights",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.LOW,
    frameworks=frameworks.MONITORING,
    needs=(Need.CLASS_SUPPORT,),
    settings=(insights.ADVANCED_TAGS, baseline.KMS_KEY),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan, permits=(insights.advanced_permit(ResourceType.DB_INSTANCE),), safety=Safety.COSTS
    ),
    fix="""\
Turn it on; the history that it takes costs nothing more:

    aws rds modify-db-instance --db-instance-identifier {id} --database-insights-mode advanced \\
        --enable-performance-insights --performance-insights-retention-period 465 --region {region}

Make it last: CloudFormation `DatabaseInsightsMode: advanced` of `AWS::RDS::DBInstance`; Terraform
`database_insights_mode = "advanced"` of `aws_db_instance`.
""",
    examples=(
        Example(name="the Advanced mode", facts={}, expect=ComplianceType.COMPLIANT),
        Example(name="the Standard mode", facts=_STANDARD, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="nothing is on, and the policy names a key",
            facts=_OFF,
            settings=_WITH_KEY,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="nothing is on, and the policy names no key",
            facts=_OFF,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="it carries the tag that the policy names",
            facts=_STANDARD,
            settings={"advanced_tags": ["tier=1", "team=orders"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="it does not carry the tag that the policy names",
            facts=_STANDARD,
            settings={"advanced_tags": ["tier=1"]},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a class without Performance Insights",
            facts={
                **_OFF,
                "DBInstanceClass": "db.t3.micro",
                "ClassSupport": {"db.t3.micro": {"SupportsPerformanceInsights": False}},
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a class that AWS no longer offers with this version",
            facts={**_OFF, "DBInstanceClass": "db.m3.large"},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="RDS Custom",
            facts={**_OFF, "Engine": "custom-sqlserver-se"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a member of a cluster",
            facts={**_STANDARD, "Engine": "aurora-mysql", "DBClusterIdentifier": "orders"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the mode is not known",
            facts={},
            missing=("DatabaseInsightsMode",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
