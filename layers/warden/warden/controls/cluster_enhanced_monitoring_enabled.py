"""RDS looks into the operating system of a Multi-AZ DB cluster often enough: Enhanced Monitoring is on.

Why it matters
--------------
What CloudWatch shows of a database is seen from its hypervisor. Enhanced Monitoring asks an agent in the
instance itself: which process takes the memory, what waits for the disk, what runs there that never ran before.

A Multi-AZ DB cluster has the setting at the cluster, and nobody can change it at its members. Aurora has it at
each instance, which are judged themselves. Any interval passes that is no longer than the policy's.

Remediation safety
------------------
Costs. What is seen is kept in CloudWatch Logs, in us-east-1 at 0.50 USD for each GB that comes in, for three
instances, and more often is more. There is no outage, and nothing that is queued for the maintenance window is
applied with it. RDS sends by a role of the account, which Warden passes to it: `rds-monitoring-role` and no other.
Warden looks never less often than before, and leaves a cluster alone that sends by another role.

References
----------
- Amazon RDS API Reference, ModifyDBCluster: MonitoringInterval, "Valid for Cluster Type: Multi-AZ DB clusters only"
- Amazon RDS User Guide, "Monitoring OS metrics with Enhanced Monitoring"
- AWS Security Hub CSPM, control RDS.6
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines, enhanced_monitoring, frameworks, scope
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
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the interval of Multi-AZ DB clusters."""
    if verdict := scope.outside(resource):
        return verdict
    if resource.facts["Engine"] in engines.AURORA:
        return not_applicable(
            f"{resource.ref.id} is an Aurora cluster, which has Enhanced Monitoring at each instance."
        )
    return enhanced_monitoring.judge(resource, settings)


_MULTI_AZ = {"Engine": "mysql", "EngineMode": None}
_OFF = {**_MULTI_AZ, "MonitoringInterval": 0}
_WITH_ROLE = {"monitoring_role": "rds-monitoring-role"}
_ROLE = "arn:aws:iam::123456789012:role/rds-monitoring-role"


def _members(*intervals: int) -> list[dict[str, int]]:
    return [{"MonitoringInterval": interval} for interval in intervals]


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Enhanced Monitoring looks into Multi-AZ DB clusters at an interval that the policy accepts",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.LOW,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.6"),
        frameworks.config("rds-enhanced-monitoring-enabled"),
        frameworks.prowler("rds_instance_enhanced_monitoring_enabled"),
        frameworks.MONITORING,
    ),
    needs=(Need.MEMBERS,),
    settings=enhanced_monitoring.SETTINGS,
    evaluate=evaluate,
    remediation=Remediation(
        plan=enhanced_monitoring.plan,
        permits=(enhanced_monitoring.permit(ResourceType.DB_CLUSTER),),
        safety=Safety.COSTS,
    ),
    fix="""\
Turn it on for the cluster; there is no outage. The role lets monitoring.rds.amazonaws.com use the policy
AmazonRDSEnhancedMonitoringRole:

    aws rds modify-db-cluster --db-cluster-identifier {id} --monitoring-interval 60 \\
        --monitoring-role-arn arn:aws:iam::{account}:role/rds-monitoring-role --region {region}

Make it last: CloudFormation `MonitoringInterval: 60` of `AWS::RDS::DBCluster`; Terraform `monitoring_interval = 60`
of `aws_rds_cluster`.
""",
    examples=(
        Example(
            name="every minute",
            facts={**_MULTI_AZ, "MonitoringInterval": 60, "MonitoringRoleArn": _ROLE},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="off, and the policy names the role",
            facts=_OFF,
            settings=_WITH_ROLE,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(name="off, and the policy names no role", facts=_OFF, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="less often than the policy wants",
            facts={
                "Engine": "postgres",
                "EngineMode": None,
                "MonitoringInterval": 60,
                "MonitoringRoleArn": _ROLE,
            },
            settings={**_WITH_ROLE, "maximum_seconds": 30},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the cluster does not show it, and a member has it off",
            facts={**_MULTI_AZ, "MonitoringInterval": None, "Members": _members(60, 0, 60)},
            settings=_WITH_ROLE,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the cluster does not show it, and each member has it",
            facts={**_MULTI_AZ, "MonitoringInterval": None, "Members": _members(30, 30, 30)},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="Aurora has it at its instances",
            facts={"Engine": "aurora-mysql"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="neither the cluster nor anybody says it",
            facts={**_MULTI_AZ, "MonitoringInterval": None},
            missing=("Members",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(name="another product", facts={"Engine": "docdb"}, expect=ComplianceType.NOT_APPLICABLE),
    ),
)
