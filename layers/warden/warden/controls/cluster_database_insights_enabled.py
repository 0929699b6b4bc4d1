"""Performance Insights, the Standard mode of Database Insights, is on for every instance of a cluster.

Why it matters
--------------
When a database is slow, or does what it never did, the question is which statements it runs, who sends them
and what they wait for. Performance Insights keeps that for seven days, free of charge. What was not kept when
it happened cannot be had afterwards.

Every instance of the cluster is looked at by itself. One on which the engine version has no Performance
Insights does not count, nor does Aurora Serverless v1.

Remediation safety
------------------
Safe. Turning it on "doesn't cause downtime, a reboot, or a failover", takes a little of the CPU and memory of
each instance, and is done at once whatever the maintenance window says; nothing else that is queued is applied
with it. MySQL engines tell more once somebody reboots them. It is encrypted with the policy's key, because the
default key that RDS would take cannot be changed in place. Left to a person: clusters in which some instances
have it already, and Serverless v2 with a minimum below 2 ACUs, where it may take more than there is.

References
----------
- Amazon RDS API Reference, ModifyDBCluster: EnablePerformanceInsights, PerformanceInsightsKMSKeyId
- Amazon RDS API Reference, OrderableDBInstanceOption: SupportsPerformanceInsights
- Amazon RDS User Guide, "Turning Performance Insights on and off for Amazon RDS"
- Amazon Aurora User Guide, "Considerations for Database Insights for Amazon Aurora"
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
    compliant,
    insufficient_data,
    non_compliant,
    not_applicable,
)
from warden.core.kinds import Need
from warden.core.plan import Manual, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Facts, Resource

_SERVERLESS = "db.serverless"


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Look at each instance, and at its class where it is off."""
    if verdict := scope.outside(resource):
        return verdict
    if insights.is_serverless_v1(resource):
        return not_applicable(
            f"{resource.ref.id} is Aurora Serverless v1, which has no Performance Insights."
        )
    on, off = insights.members_by_state(resource)
    if not on and not off:
        return not_applicable(f"{resource.ref.id} has no instance that could be looked at.")
    if off:
        return _judge_off(resource, on, off)
    return compliant(f"{resource.ref.id} has Performance Insights on, for each of its instances.")


def _judge_off(resource: Resource, on: list[Facts], off: list[Facts]) -> Verdict:
    """The verdict where some instances, or all, are without it: some cannot have it."""
    if lacking := [member for member in off if _supports(resource, member)]:
        return non_compliant(f"{resource.ref.id} has Performance Insights off for {insights.names(lacking)}.")
    if unknown := [member for member in off if _supports(resource, member) is None]:
        return insufficient_data(
            f"{resource.ref.id} has Performance Insights off for {insights.names(unknown)}, and AWS no longer offers "
            "the class with this engine version, so that nobody says whether it could be on."
        )
    if not on:
        return not_applicable(
            f"{resource.ref.id} has only instances whose classes have no Performance Insights."
        )
    return compliant(
        f"{resource.ref.id} has Performance Insights on, but for {insights.names(off)}, whose class has none."
    )


def _supports(resource: Resource, member: Facts) -> bool | None:
    return insights.supports(resource, member["DBInstanceClass"])


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Turn it on at the cluster, where all instances are alike."""
    on, off = insights.members_by_state(resource)
    able = [member for member in off if _supports(resource, member)]
    scaling = resource.facts["ServerlessV2ScalingConfiguration"]
    if any(member["DBInstanceClass"] == _SERVERLESS for member in able) and (
        scaling is None or scaling["MinCapacity"] < insights.FEWEST_ACUS
    ):
        return Manual(
            f"With Performance Insights, AWS advises a minimum capacity of {insights.FEWEST_ACUS} ACUs or more, and "
            "this cluster has less: look how busy it is, raise the minimum, which costs, and then turn it on.",
            (insights.command(resource, {"performance-insights-kms-key-id": _key(settings)}),),
        )
    if on or len(able) < len(off):
        return Manual(
            "Not all instances of this cluster are alike: some have Performance Insights already, or a class without "
            "it, and what is on keeps its key. Turn it on where it lacks, one by one.",
            insights.member_by_member(resource, able, settings),
        )
    return insights.enabled(resource, settings["kms_key"])


def _key(settings: Mapping[str, Any]) -> str:
    return settings["kms_key"] or "YOUR-KEY"


def _member(name: str, *, on: bool, instance_class: str = "db.r7g.large") -> dict[str, Any]:
    """An item of DescribeDBInstances, as far as it matters, for the examples."""
    return {
        "DBInstanceIdentifier": name,
        "DBInstanceClass": instance_class,
        "PerformanceInsightsEnabled": on,
    }


def _supporting(*, insights: bool) -> dict[str, bool]:
    return {"SupportsPerformanceInsights": insights, "SupportsEnhancedMonitoring": True}


_OFF = {
    "PerformanceInsightsEnabled": False,
    "PerformanceInsightsKMSKeyId": None,
    "Members": [_member("orders-1", on=False), _member("orders-2", on=False)],
}
_WITH_KEY = {"kms_key": "alias/databases"}
_OLD = {
    **_OFF,
    "Members": [
        _member("orders-1", on=False, instance_class="db.t3.small"),
        _member("orders-2", on=False, instance_class="db.t3.small"),
    ],
}
_ON_SERVERLESS = {
    **_OFF,
    "Members": [
        _member("orders-1", on=False, instance_class=_SERVERLESS),
        _member("orders-2", on=False, instance_class=_SERVERLESS),
    ],
    "ClassSupport": {_SERVERLESS: _supporting(insights=True)},
}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Performance Insights is on for every instance of a cluster",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.LOW,
    frameworks=frameworks.MONITORING,
    needs=(Need.MEMBERS, Need.CLASS_SUPPORT),
    settings=(baseline.KMS_KEY,),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan, permits=(insights.permit(ResourceType.DB_CLUSTER),), safety=Safety.SAFE
    ),
    fix="""\
Turn it on for the cluster, with a key of your own; there is no downtime:

    aws rds modify-db-cluster --db-cluster-identifier {id} --enable-performance-insights \\
        --performance-insights-kms-key-id YOUR-KEY --region {region}

Make it last: CloudFormation `PerformanceInsightsEnabled: true` of `AWS::RDS::DBCluster`; Terraform
`performance_insights_enabled = true` of `aws_rds_cluster`.
""",
    examples=(
        Example(name="on for every instance", facts={}, expect=ComplianceType.COMPLIANT),
        Example(
            name="off, and the policy names a key",
            facts=_OFF,
            settings=_WITH_KEY,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(name="off, and the policy names no key", facts=_OFF, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="on for one instance alone",
            facts={"Members": [_member("orders-1", on=True), _member("orders-2", on=False)]},
            settings=_WITH_KEY,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the cluster says on, and an instance is not",
            facts={
                "PerformanceInsightsEnabled": True,
                "Members": [_member("orders-1", on=True), _member("orders-2", on=False)],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="each instance has it, though the cluster does not set it",
            facts={"PerformanceInsightsEnabled": None},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a class without it",
            facts={**_OLD, "ClassSupport": {"db.t3.small": _supporting(insights=False)}},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="one of a class without it, and the other has it on",
            facts={
                "Members": [
                    _member("orders-1", on=True),
                    _member("orders-2", on=False, instance_class="db.t3.small"),
                ],
                "ClassSupport": {"db.t3.small": _supporting(insights=False)},
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a class that AWS no longer offers with this version",
            facts={**_OLD, "ClassSupport": {}},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="Serverless v2 with capacity enough",
            facts={
                **_ON_SERVERLESS,
                "ServerlessV2ScalingConfiguration": {"MinCapacity": 2.0, "MaxCapacity": 16.0},
            },
            settings=_WITH_KEY,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="Serverless v2 with a minimum below 2 ACUs",
            facts={
                **_ON_SERVERLESS,
                "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "MaxCapacity": 16.0},
            },
            settings=_WITH_KEY,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a Multi-AZ DB cluster",
            facts={**_OFF, "Engine": "mysql", "EngineMode": None},
            settings=_WITH_KEY,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="Aurora Serverless v1",
            facts={**_OFF, "EngineMode": "serverless"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a cluster without instances",
            facts={"DBClusterMembers": [], "Members": []},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="an instance of the cluster was not among those that were read",
            facts={"Members": [_member("orders-1", on=True)]},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="off, and what the class supports could not be read",
            facts=_OFF,
            missing=("ClassSupport",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="another product",
            facts={**_OFF, "Engine": "neptune"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
    ),
)
