"""A stand-alone instance takes minor engine versions by itself, in the maintenance window.

Why it matters
--------------
A minor version brings the fixes of holes that are public from the day of its release. Where nobody has to remember
them, they come: in the maintenance window, once AWS has chosen a version as the one to upgrade to.

Members of a cluster are judged with their cluster. An instance of RDS Custom is administered by its owner: AWS
refuses the flag there.

Remediation safety
------------------
Safe. Turning the flag on restarts nothing, costs nothing, and can be taken back until AWS upgrades. What follows from
it is AWS's doing: in a maintenance window to come, for which it has chosen a minor version, the instance is upgraded
and restarts, with its standby at the same time, which the users of the database notice for some minutes. Where a team
upgrades by itself, give the instance an exemption.

References
----------
- Amazon RDS API Reference, ModifyDBInstance: AutoMinorVersionUpgrade
- Amazon RDS User Guide, "Automatically upgrading the minor engine version"
- AWS Security Hub CSPM, control RDS.13
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines, frameworks, minor_upgrades, scope
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
    compliant,
    non_compliant,
    not_applicable,
)
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Plan
    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the flag of stand-alone instances."""
    if verdict := scope.outside_or_member(resource, "the flag"):
        return verdict
    if engines.is_custom(resource.facts["Engine"]):
        return not_applicable(f"{resource.ref.id} is of RDS Custom, which its owner upgrades.")
    if resource.facts["AutoMinorVersionUpgrade"]:
        return compliant(f"{resource.ref.id} takes minor engine versions by itself.")
    return non_compliant(f"{resource.ref.id} is not upgraded to minor engine versions by itself.")


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan:
    """Turn the flag on."""
    return minor_upgrades.turned_on(resource, "ModifyDBInstance")


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Stand-alone instances take minor engine versions by themselves",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.13"),
        frameworks.config("rds-automatic-minor-version-upgrade-enabled"),
        frameworks.prowler("rds_instance_minor_version_upgrade_enabled"),
        frameworks.CIS_MINOR_UPGRADES,
        frameworks.pci_dss("6.3.3"),
        frameworks.PATCHING,
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(minor_upgrades.permit("ModifyDBInstance", "DBInstanceIdentifier"),),
        safety=Safety.SAFE,
    ),
    fix="""\
Turn it on; nothing restarts before a maintenance window:

    aws rds modify-db-instance --db-instance-identifier {id} --auto-minor-version-upgrade --region {region}

Make it last: CloudFormation `AutoMinorVersionUpgrade: true` of `AWS::RDS::DBInstance`; Terraform
`auto_minor_version_upgrade = true` of `aws_db_instance`.
""",
    examples=(
        Example(name="on", facts={"AutoMinorVersionUpgrade": True}, expect=ComplianceType.COMPLIANT),
        Example(name="off", facts={"AutoMinorVersionUpgrade": False}, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="off, on SQL Server",
            facts={"Engine": "sqlserver-se", "EngineVersion": "16.00", "AutoMinorVersionUpgrade": False},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member is judged with its cluster",
            facts={
                "Engine": "aurora-postgresql",
                "DBClusterIdentifier": "orders",
                "AutoMinorVersionUpgrade": False,
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="RDS Custom refuses the flag",
            facts={"Engine": "custom-oracle-ee", "EngineVersion": "19.cev", "AutoMinorVersionUpgrade": False},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="an instance of DocumentDB is another product's",
            facts={"Engine": "docdb", "AutoMinorVersionUpgrade": False},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the flag is not known",
            facts={},
            missing=("AutoMinorVersionUpgrade",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
