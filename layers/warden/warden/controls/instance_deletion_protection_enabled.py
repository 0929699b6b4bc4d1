"""A stand-alone instance cannot be deleted until somebody turns deletion protection off.

Why it matters
--------------
Without deletion protection one call deletes the instance and, unless the caller asks otherwise, its automated
backups too. The flag is off by default for whoever creates an instance through the API, the command line or
infrastructure code. With it, a deletion takes two calls, and the first of them shows in CloudTrail.

Members of a cluster are not judged here: the flag that protects their data is the cluster's, and they can be
deleted one by one even while it is on, because the data is not theirs.

Remediation safety
------------------
Safe. The change is immediate, restarts nothing and can be taken back at any time. Pipelines that tear
instances down on purpose must turn the flag off first, or live in a scope or an exemption of the policy.

References
----------
- Amazon RDS API Reference, ModifyDBInstance: DeletionProtection
- Amazon RDS User Guide, "Deleting a DB instance"
- AWS Security Hub CSPM, control RDS.8
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import deletion_protection, frameworks, scope
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Plan
    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the flag of instances that belong to no cluster."""
    return scope.outside_or_member(resource, "deletion protection") or deletion_protection.judge(resource)


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan:
    """Turn the flag on."""
    return deletion_protection.turned_on(resource, "ModifyDBInstance")


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Deletion protection is enabled on stand-alone RDS instances",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.8"),
        frameworks.config("rds-instance-deletion-protection-enabled"),
        frameworks.prowler("rds_instance_deletion_protection"),
        frameworks.DELETION_PROTECTION,
        frameworks.nist("SI-13(5)"),
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(deletion_protection.permit("ModifyDBInstance", "DBInstanceIdentifier"),),
        safety=Safety.SAFE,
    ),
    fix="""\
Turn it on; nothing restarts:

    aws rds modify-db-instance --db-instance-identifier {id} --deletion-protection --region {region}

Make it last: CloudFormation `DeletionProtection: true` of `AWS::RDS::DBInstance`; Terraform
`deletion_protection = true` of `aws_db_instance`.
""",
    examples=(
        Example(
            name="protected",
            facts={"DeletionProtection": True},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="not protected",
            facts={"DeletionProtection": False},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member's own flag says nothing: the cluster's does",
            facts={
                "Engine": "aurora-postgresql",
                "DBClusterIdentifier": "orders",
                "DeletionProtection": False,
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="an Oracle instance has the flag too",
            facts={"Engine": "oracle-ee", "DeletionProtection": False},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a DocumentDB instance is another product's",
            facts={"Engine": "docdb", "DBClusterIdentifier": "papers", "DeletionProtection": False},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="whether it is a member is not known",
            facts={"DeletionProtection": False},
            missing=("DBClusterIdentifier",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="the flag is not known",
            facts={},
            missing=("DeletionProtection",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
