"""No instance has an address on the Internet, whatever its security groups say.

Why it matters
--------------
A publicly accessible instance has a DNS name that resolves to a public address. Whether anybody gets through
is then up to security groups, route tables and network ACLs, which other people change for other reasons. The
flag is judged alone, for that reason: a closed security group today does not make the flag right. Members of
Aurora clusters have the flag too, each its own, and are judged.

Remediation safety
------------------
Safe, and containment: neither a freeze nor a stack's owner holds it up. The change is immediate whatever
ApplyImmediately says, and restarts nothing. Clients within the VPC notice nothing. Clients that do come from
the Internet lose the address: that is what it is for, and why Warden does it unattended only where the policy
names this control and its mode. Members of Multi-AZ DB clusters are left to a person, since AWS takes no such
change for them.

References
----------
- Amazon RDS API Reference, ModifyDBInstance: PubliclyAccessible
- Amazon RDS User Guide, "Hiding a DB instance in a VPC from the internet"
- AWS Security Hub CSPM, control RDS.2
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import frameworks, scope
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
)
from warden.core.guard import Only, Permit, SameAs
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the flag of every instance, members of clusters included."""
    if verdict := scope.outside(resource):
        return verdict
    if resource.facts["PubliclyAccessible"]:
        return non_compliant(
            f"{resource.ref.id} is publicly accessible: its name resolves to a public address."
        )
    return compliant(f"{resource.ref.id} is not publicly accessible.")


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan | Manual:
    """Turn the flag off."""
    if scope.is_multi_az_member(resource):
        return Manual(
            "It is a member of a Multi-AZ DB cluster, for which AWS takes no such change: close its security groups, "
            "then restore the cluster with --no-publicly-accessible and move the clients."
        )
    return Plan(
        (
            Call(
                "ModifyDBInstance",
                {
                    "DBInstanceIdentifier": resource.facts["DBInstanceIdentifier"],
                    "PubliclyAccessible": False,
                },
            ),
        )
    )


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Instances are not publicly accessible",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.CRITICAL,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.2"),
        frameworks.config("rds-instance-public-access-check"),
        frameworks.prowler("rds_instance_no_public_access"),
        frameworks.CIS_NOT_PUBLIC,
        frameworks.cis_database("2.9"),
        frameworks.pci_dss("1.4.4"),
        frameworks.NETWORK,
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(
            Permit(
                operation="ModifyDBInstance",
                required={
                    "DBInstanceIdentifier": SameAs("DBInstanceIdentifier"),
                    "PubliclyAccessible": Only((False,)),
                },
            ),
        ),
        safety=Safety.SAFE,
        containment=True,
    ),
    fix="""\
Turn it off; nothing restarts, and clients within the VPC notice nothing:

    aws rds modify-db-instance --db-instance-identifier {id} --no-publicly-accessible --region {region}

Make it last: CloudFormation `PubliclyAccessible: false` of `AWS::RDS::DBInstance`; Terraform
`publicly_accessible = false` of `aws_db_instance` or `aws_rds_cluster_instance`.
""",
    examples=(
        Example(
            name="private",
            facts={"PubliclyAccessible": False},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="public",
            facts={"PubliclyAccessible": True},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="public behind a security group that is closed today",
            facts={"PubliclyAccessible": True, "VpcSecurityGroups": []},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member of an Aurora cluster has the flag itself",
            facts={
                "Engine": "aurora-postgresql",
                "DBClusterIdentifier": "orders",
                "PubliclyAccessible": True,
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member of a Multi-AZ DB cluster cannot be modified",
            facts={"Engine": "mysql", "DBClusterIdentifier": "billing-cluster", "PubliclyAccessible": True},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an instance of Neptune is another product's",
            facts={"Engine": "neptune", "DBClusterIdentifier": "graph", "PubliclyAccessible": True},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the flag is not known",
            facts={},
            missing=("PubliclyAccessible",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
