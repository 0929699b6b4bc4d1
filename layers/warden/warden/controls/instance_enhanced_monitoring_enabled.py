"""RDS looks into the operating system of an instance often enough: Enhanced Monitoring is on.

Why it matters
--------------
What CloudWatch shows of a database is seen from its hypervisor. Enhanced Monitoring asks an agent in the
instance itself: which process takes the memory, what waits for the disk, what runs there that never ran before.

It is set at each instance, members of Aurora clusters among them; a Multi-AZ DB cluster has it at the cluster.
Any interval passes that is no longer than the policy's. Where the engine version has none on the instance's
class, and for RDS Custom, the control means nothing.

Remediation safety
------------------
Costs. What is seen is kept in CloudWatch Logs, in us-east-1 at 0.50 USD for each GB that comes in, and more often
is more. There is no outage, and nothing that is queued for the maintenance window is applied with it. RDS sends by
a role of the account, which Warden passes to it: `rds-monitoring-role` and no other. Warden looks never less often
than before, and leaves an instance alone that sends by another role.

References
----------
- Amazon RDS API Reference, ModifyDBInstance: MonitoringInterval, MonitoringRoleArn
- Amazon RDS API Reference, OrderableDBInstanceOption: SupportsEnhancedMonitoring
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
    insufficient_data,
    not_applicable,
)
from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the interval, and the class where it is off."""
    if verdict := scope.outside(resource):
        return verdict
    if scope.is_multi_az_member(resource):
        return not_applicable(
            f"{resource.ref.id} is a member of a Multi-AZ DB cluster, which is judged itself."
        )
    if engines.is_custom(resource.facts["Engine"]):
        return not_applicable(f"{resource.ref.id} is RDS Custom, which has no Enhanced Monitoring.")
    if enhanced_monitoring.live_interval(resource.facts) == 0 and (verdict := _unable(resource)):
        return verdict
    return enhanced_monitoring.judge(resource, settings)


def _unable(resource: Resource) -> Verdict | None:
    """Why an instance that has it off cannot have it on; None where it can."""
    instance_class = resource.facts["DBInstanceClass"]
    found = resource.facts[Need.CLASS_SUPPORT].get(instance_class)
    if found is None:
        return insufficient_data(
            f"{resource.ref.id} has Enhanced Monitoring off, and AWS no longer offers {instance_class} with this "
            "engine version, so that nobody says whether it could be on."
        )
    if not found["SupportsEnhancedMonitoring"]:
        return not_applicable(
            f"{resource.ref.id} is {instance_class}, on which its engine version has no Enhanced Monitoring."
        )
    return None


_ROLE = "arn:aws:iam::123456789012:role/rds-monitoring-role"
_OTHER_ROLE = "arn:aws:iam::123456789012:role/emaccess"
_OFF = {"MonitoringInterval": 0, "MonitoringRoleArn": None}
_WITH_ROLE = {"monitoring_role": "rds-monitoring-role"}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Enhanced Monitoring looks into instances at an interval that the policy accepts",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.LOW,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.6"),
        frameworks.config("rds-enhanced-monitoring-enabled"),
        frameworks.prowler("rds_instance_enhanced_monitoring_enabled"),
        frameworks.MONITORING,
    ),
    needs=(Need.CLASS_SUPPORT,),
    settings=enhanced_monitoring.SETTINGS,
    evaluate=evaluate,
    remediation=Remediation(
        plan=enhanced_monitoring.plan,
        permits=(enhanced_monitoring.permit(ResourceType.DB_INSTANCE),),
        safety=Safety.COSTS,
    ),
    fix="""\
Turn it on; there is no outage. The role lets monitoring.rds.amazonaws.com use the policy
AmazonRDSEnhancedMonitoringRole:

    aws rds modify-db-instance --db-instance-identifier {id} --monitoring-interval 60 \\
        --monitoring-role-arn arn:aws:iam::{account}:role/rds-monitoring-role --region {region}

Make it last: CloudFormation `MonitoringInterval: 60` of `AWS::RDS::DBInstance`; Terraform `monitoring_interval = 60`
of `aws_db_instance` and `aws_rds_cluster_instance`.
""",
    examples=(
        Example(name="every minute", facts={"MonitoringInterval": 60}, expect=ComplianceType.COMPLIANT),
        Example(name="every second", facts={"MonitoringInterval": 1}, expect=ComplianceType.COMPLIANT),
        Example(
            name="off, and the policy names the role",
            facts=_OFF,
            settings=_WITH_ROLE,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(name="off, and the policy names no role", facts=_OFF, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="less often than the policy wants, by the same role",
            facts={"MonitoringInterval": 60, "MonitoringRoleArn": _ROLE},
            settings={**_WITH_ROLE, "maximum_seconds": 20},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="less often than the policy wants, by another role",
            facts={"MonitoringInterval": 60, "MonitoringRoleArn": _OTHER_ROLE},
            settings={**_WITH_ROLE, "maximum_seconds": 15},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member of an Aurora cluster has its own",
            facts={**_OFF, "Engine": "aurora-postgresql", "DBClusterIdentifier": "orders"},
            settings=_WITH_ROLE,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="SQL Server",
            facts={**_OFF, "Engine": "sqlserver-ee"},
            settings=_WITH_ROLE,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member of a Multi-AZ DB cluster",
            facts={**_OFF, "Engine": "postgres", "DBClusterIdentifier": "orders"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a class without it",
            facts={
                **_OFF,
                "DBInstanceClass": "db.m1.small",
                "ClassSupport": {"db.m1.small": {"SupportsEnhancedMonitoring": False}},
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="off, on a class that AWS no longer offers with this version",
            facts={**_OFF, "DBInstanceClass": "db.m3.large"},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="RDS Custom",
            facts={**_OFF, "Engine": "custom-oracle-ee"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the interval is not known",
            facts={},
            missing=("MonitoringInterval",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="another product",
            facts={**_OFF, "Engine": "neptune"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
    ),
)
