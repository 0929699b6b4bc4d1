"""The cluster lives in a VPC and has no gateway to the Internet of its own.

Why it matters
--------------
A cluster of express configuration is created in seconds, because it asks for nothing: no VPC, no subnets, no
security groups, but an internet access gateway that anybody with a token may come through. It has AWS's own
key, one day of backups, and no deletion protection. That is made for trying things out; none of the network
controls of an account hold for it, and none of its checks for public addresses sees it.

Remediation safety
------------------
Costs, and never finished by Warden: the gateway of such a cluster cannot be turned off. Its data can be
restored to a cluster of full configuration in a VPC, under another endpoint, to which clients must move. Where the
policy's baseline names `kms_key`, `successor_subnet_group` (of private subnets) and `successor_security_group`, and a
person approves it each time, Warden prepares that cluster beside this one, as
[cluster_storage_encrypted](cluster_storage_encrypted.md) does it and with the same exceptions, and a ticket says how
to cut over. Else a ticket carries the commands. Warden changes nothing of this cluster, and deletes neither.

References
----------
- Amazon RDS API Reference, DBCluster: InternetAccessGatewayEnabled, VPCNetworkingEnabled
- Amazon RDS API Reference, RestoreDBClusterFromSnapshot: EnableVPCNetworking, EnableInternetAccessGateway
- Amazon Aurora User Guide, "Creating an Aurora PostgreSQL DB cluster with express configuration"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import baseline, frameworks, guidance, scope, successor, successor_permits
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
from warden.core.plan import Manual, Plan, Wait
from warden.core.resource import ResourceType
from warden.core.successor_examples import examples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge both flags, which AWS gives of express configuration alone."""
    if verdict := scope.outside(resource):
        return verdict
    if resource.facts["InternetAccessGatewayEnabled"]:
        return non_compliant(f"{resource.ref.id} is reached through an internet access gateway.")
    if resource.facts["VPCNetworkingEnabled"] is False:
        return non_compliant(f"{resource.ref.id} lives in no VPC.")
    return compliant(f"{resource.ref.id} lives in a VPC and has no internet access gateway.")


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual | Wait:
    """The next call on the way to a cluster of full configuration, or how a person makes one."""
    return successor.plan(resource, settings, lambda why: _by_hand(resource, why))


def _by_hand(resource: Resource, why: str) -> Manual:
    name = resource.facts["DBClusterIdentifier"]
    snapshot, made = f"{name}-to-vpc", f"{name}-in-vpc"
    return Manual(
        f"{why}The gateway of a cluster of express configuration cannot be turned off. Restore a snapshot to a cluster "
        "of full configuration in private subnets, give it instances, let the clients move, and delete this one last.",
        (
            guidance.command(
                resource,
                "create-db-cluster-snapshot",
                {"db-cluster-identifier": name, "db-cluster-snapshot-identifier": snapshot},
            ),
            guidance.command(
                resource,
                "wait db-cluster-snapshot-available",
                {"db-cluster-snapshot-identifier": snapshot},
            ),
            guidance.command(
                resource,
                "restore-db-cluster-from-snapshot",
                {
                    "db-cluster-identifier": made,
                    "snapshot-identifier": snapshot,
                    "engine": resource.facts["Engine"],
                    "engine-version": resource.facts["EngineVersion"],
                    "db-subnet-group-name": "YOUR-PRIVATE-SUBNETS",
                    "vpc-security-group-ids": ["YOUR-SECURITY-GROUP"],
                    "kms-key-id": "YOUR-KEY",
                    "enable-vpc-networking": True,
                    "enable-internet-access-gateway": False,
                    # "When both parameters are specified, IAM database authentication is required"
                    # (RestoreDBClusterFromSnapshot.EnableVPCNetworking); its clients log in by IAM anyway.
                    "enable-iam-database-authentication": True,
                    "deletion-protection": True,
                },
            ),
            guidance.command(resource, "wait db-cluster-available", {"db-cluster-identifier": made}),
            guidance.command(
                resource,
                "create-db-instance",
                {
                    "db-instance-identifier": f"{made}-1",
                    "db-cluster-identifier": made,
                    "engine": resource.facts["Engine"],
                    "db-instance-class": "db.serverless",
                    "publicly-accessible": False,
                },
            ),
        ),
    )


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Clusters live in a VPC and have no internet access gateway",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.HIGH,
    frameworks=frameworks.NETWORK,
    settings=successor.SETTINGS,
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=successor_permits.PERMITS,
        safety=Safety.COSTS,
        needs=successor.NEEDS,
        requires=baseline.KMS_KEY.name,
        asks=True,
    ),
    fix="""\
Restore a snapshot of it to a cluster of full configuration in private subnets:

    aws rds create-db-cluster-snapshot --db-cluster-identifier {id} \\
        --db-cluster-snapshot-identifier {id}-to-vpc --region {region}

    aws rds restore-db-cluster-from-snapshot --db-cluster-identifier {id}-in-vpc \\
        --snapshot-identifier {id}-to-vpc --engine aurora-postgresql --db-subnet-group-name SUBNETS \\
        --vpc-security-group-ids GROUP --kms-key-id KEY --enable-vpc-networking \\
        --no-enable-internet-access-gateway --enable-iam-database-authentication --deletion-protection \\
        --region {region}

Give it instances, let the clients move to its endpoint, and delete the old cluster last.

Make it last: CloudFormation `DBSubnetGroupName: SUBNETS` of `AWS::RDS::DBCluster` makes clusters of full configuration
only; Terraform `db_subnet_group_name` of `aws_rds_cluster`. A service control policy can keep people from creating
clusters by hand.
""",
    examples=(
        Example(
            name="a cluster of full configuration",
            facts={"InternetAccessGatewayEnabled": None, "VPCNetworkingEnabled": None},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an express cluster",
            facts={"InternetAccessGatewayEnabled": True, "VPCNetworkingEnabled": False},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="both a VPC and a gateway",
            facts={"InternetAccessGatewayEnabled": True, "VPCNetworkingEnabled": True},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="neither a VPC nor a gateway",
            facts={"InternetAccessGatewayEnabled": False, "VPCNetworkingEnabled": False},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="restored to a VPC without a gateway",
            facts={"InternetAccessGatewayEnabled": False, "VPCNetworkingEnabled": True},
            expect=ComplianceType.COMPLIANT,
        ),
        *examples({"InternetAccessGatewayEnabled": True, "VPCNetworkingEnabled": True}),
        Example(
            name="a DocumentDB cluster is another product",
            facts={"Engine": "docdb"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the gateway is not known",
            facts={},
            missing=("InternetAccessGatewayEnabled",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
