"""Performance Insights, the Standard mode of Database Insights, is on for a stand-alone instance.

Why it matters
--------------
When a database is slow, or does what it never did, the question is which statements it runs, who sends them
and what they wait for. Performance Insights keeps that for seven days, free of charge. What was not kept when
it happened cannot be had afterwards.

Members of a cluster are judged at their cluster. Where the engine version has no Performance Insights on the
instance's class, and for RDS Custom, the control means nothing.

Remediation safety
------------------
Safe. Turning it on "doesn't cause downtime, a reboot, or a failover", takes a little of the instance's CPU and
memory, and is done at once whatever the maintenance window says; nothing else that is queued is applied with
it. MariaDB and MySQL tell more once somebody reboots them. It is encrypted with the policy's key, because the
default key that RDS would take cannot be changed in place.

References
----------
- Amazon RDS API Reference, ModifyDBInstance: EnablePerformanceInsights, PerformanceInsightsKMSKeyId
- Amazon RDS API Reference, OrderableDBInstanceOption: SupportsPerformanceInsights
- Amazon RDS User Guide, "Turning Performance Insights on and off for Amazon RDS"
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
    compliant,
    insufficient_data,
    non_compliant,
    not_applicable,
)
from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Manual, Plan
    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Look at the flag, and at the class where it is off."""
    if verdict := scope.outside_or_member(resource, "Performance Insights"):
        return verdict
    if engines.is_custom(resource.facts["Engine"]):
        return not_applicable(f"{resource.ref.id} is RDS Custom, which has no Performance Insights.")
    if resource.facts["PerformanceInsightsEnabled"]:
        return compliant(f"{resource.ref.id} has Performance Insights on.")
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
    return non_compliant(f"{resource.ref.id} has Performance Insights off.")


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Turn it on, with the policy's key."""
    return insights.enabled(resource, settings["kms_key"])


_OFF = {"PerformanceInsightsEnabled": False, "PerformanceInsightsKMSKeyId": None}
_WITH_KEY = {"kms_key": "alias/databases"}


def _of(instance_class: str, **support: bool) -> dict[str, Any]:
    """Off, on a class of which AWS says something, for the examples."""
    return {**_OFF, "DBInstanceClass": instance_class, "ClassSupport": {instance_class: support}}


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Performance Insights is on for stand-alone instances",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.LOW,
    frameworks=frameworks.MONITORING,
    needs=(Need.CLASS_SUPPORT,),
    settings=(baseline.KMS_KEY,),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan, permits=(insights.permit(ResourceType.DB_INSTANCE),), safety=Safety.SAFE
    ),
    fix="""\
Turn it on, with a key of your own; there is no downtime:

    aws rds modify-db-instance --db-instance-identifier {id} --enable-performance-insights \\
        --performance-insights-kms-key-id YOUR-KEY --region {region}

Make it last: CloudFormation `EnablePerformanceInsights: true` of `AWS::RDS::DBInstance`; Terraform
`performance_insights_enabled = true` of `aws_db_instance`.
""",
    examples=(
        Example(name="on", facts={}, expect=ComplianceType.COMPLIANT),
        Example(
            name="off, and the policy names a key",
            facts=_OFF,
            settings=_WITH_KEY,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(name="off, and the policy names no key", facts=_OFF, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="a read replica has its own",
            facts={**_OFF, "ReadReplicaSourceDBInstanceIdentifier": "billing-primary"},
            settings=_WITH_KEY,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a class without it",
            facts={**_of("db.t3.micro", SupportsPerformanceInsights=False), "Engine": "mysql"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="SQL Server on a class that has it",
            facts={**_of("db.m5.large", SupportsPerformanceInsights=True), "Engine": "sqlserver-se"},
            settings=_WITH_KEY,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a class that AWS no longer offers with this version",
            facts={**_OFF, "DBInstanceClass": "db.m3.large"},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="RDS Custom",
            facts={**_OFF, "Engine": "custom-oracle-ee"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a member of a cluster",
            facts={**_OFF, "Engine": "aurora-mysql", "DBClusterIdentifier": "orders"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="off, and what the class supports could not be read",
            facts=_OFF,
            missing=("ClassSupport",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="another product",
            facts={**_OFF, "Engine": "docdb"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
    ),
)
