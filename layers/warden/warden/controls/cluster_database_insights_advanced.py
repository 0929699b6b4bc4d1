"""A cluster that the policy means has the Advanced mode of Database Insights, with its fifteen months of history.

Why it matters
--------------
The Advanced mode keeps what Performance Insights sees for fifteen months instead of seven days, with execution
plans, locks and the instances of a whole fleet side by side. An incident that is found after weeks can still be
looked into.

It costs, so the policy says where it is wanted: by tags of the databases; without such a list, everywhere.
Aurora Serverless v1 has none, and a cluster without instances has nothing to look at.

Remediation safety
------------------
Costs. The Advanced mode is billed by the size of the databases: in us-east-1, 0.0125 USD for each vCPU and
hour, 0.003125 USD for each ACU and hour; the longer history costs nothing more. Turning it on "doesn't cause
downtime". Where Performance Insights is off it is turned on with the policy's key. A history is never shortened.
Left to a person: clusters whose instances are not all alike, for AWS refuses those.

References
----------
- Amazon RDS API Reference, ModifyDBCluster: DatabaseInsightsMode, PerformanceInsightsRetentionPeriod
- Amazon Aurora User Guide, "Considerations for Database Insights for Amazon Aurora"
- Amazon CloudWatch, "Pricing", Database Insights
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import baseline, frameworks, insights, scope
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
from warden.core.plan import Manual, Plan
from warden.core.resource import Facts, ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the mode of clusters that the policy means."""
    if verdict := scope.outside(resource):
        return verdict
    if insights.is_serverless_v1(resource):
        return not_applicable(f"{resource.ref.id} is Aurora Serverless v1, which has no Database Insights.")
    if not resource.facts["DBClusterMembers"]:
        return not_applicable(f"{resource.ref.id} has no instance that could be looked at.")
    return insights.judge_advanced(resource, settings)


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Turn it on, where all instances are alike."""
    on, off = insights.members_by_state(resource)
    intervals = {Facts(member)["MonitoringInterval"] for member in resource.facts[Need.MEMBERS]}
    is_on = bool(resource.facts["PerformanceInsightsEnabled"])
    if (on and off) or (on and not is_on) or len(intervals) > 1:
        return Manual(
            "Each instance of the cluster must have the same settings of Performance Insights and Enhanced Monitoring "
            "before the Advanced mode can be turned on: make them alike first.",
            (
                insights.command(
                    resource,
                    {
                        "database-insights-mode": insights.ADVANCED,
                        "performance-insights-retention-period": str(insights.LONG_ENOUGH),
                    },
                ),
            ),
        )
    return insights.advanced(resource, is_on=is_on, key=settings["kms_key"])


def _member(name: str, *, on: bool, interval: int = 60) -> dict[str, Any]:
    """An item of DescribeDBInstances, as far as it matters, for the examples."""
    return {
        "DBInstanceIdentifier": name,
        "PerformanceInsightsEnabled": on,
        "MonitoringInterval": interval,
    }


_STANDARD = {"DatabaseInsightsMode": "standard", "PerformanceInsightsRetentionPeriod": 7}
_OFF = {
    "DatabaseInsightsMode": "standard",
    "PerformanceInsightsEnabled": False,
    "PerformanceInsightsKMSKeyId": None,
    "PerformanceInsightsRetentionPeriod": None,
    "Members": [_member("orders-1", on=False), _member("orders-2", on=False)],
}
_WITH_KEY = {"kms_key": "alias/databases"}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Clusters that the policy means have the Advanced mode of Database Insights",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.LOW,
    frameworks=frameworks.MONITORING,
    settings=(insights.ADVANCED_TAGS, baseline.KMS_KEY),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(insights.advanced_permit(ResourceType.DB_CLUSTER),),
        safety=Safety.COSTS,
        needs=(Need.MEMBERS,),
    ),
    fix="""\
Turn it on for the cluster; each instance must have the same settings of Performance Insights and Enhanced
Monitoring:

    aws rds modify-db-cluster --db-cluster-identifier {id} --database-insights-mode advanced \\
        --enable-performance-insights --performance-insights-retention-period 465 --region {region}

Make it last: CloudFormation `DatabaseInsightsMode: advanced` of `AWS::RDS::DBCluster`; Terraform
`database_insights_mode = "advanced"` of `aws_rds_cluster`.
""",
    examples=(
        Example(name="the Advanced mode", facts={}, expect=ComplianceType.COMPLIANT),
        Example(name="the Standard mode", facts=_STANDARD, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="the Standard mode, with a history of two years",
            facts={"DatabaseInsightsMode": "standard", "PerformanceInsightsRetentionPeriod": 731},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the Advanced mode, with a history that is too short",
            facts={"PerformanceInsightsRetentionPeriod": 93},
            expect=ComplianceType.NON_COMPLIANT,
        ),
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
            name="one instance has Performance Insights on",
            facts={**_OFF, "Members": [_member("orders-1", on=True), _member("orders-2", on=False)]},
            settings=_WITH_KEY,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the instances differ in Enhanced Monitoring",
            facts={
                **_STANDARD,
                "Members": [_member("orders-1", on=True), _member("orders-2", on=True, interval=0)],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="it carries the tag that the policy names",
            facts=_STANDARD,
            settings={"advanced_tags": ["team=orders"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="it does not carry the tag that the policy names",
            facts=_STANDARD,
            settings={"advanced_tags": ["tier=1"]},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="Aurora Serverless v1",
            facts={**_OFF, "EngineMode": "serverless"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a cluster without instances",
            facts={**_STANDARD, "DBClusterMembers": []},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the mode is not known",
            facts={},
            missing=("DatabaseInsightsMode",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="another product",
            facts={**_STANDARD, "Engine": "docdb"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
    ),
)
