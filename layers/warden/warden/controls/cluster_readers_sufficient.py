"""A cluster has as many readers in other Availability Zones than its writer as the policy wants.

Why it matters
--------------
Aurora keeps the data in three Availability Zones, whatever the number of instances. But a database that nobody can
reach is down: where the writer is the only instance, and its zone or its host fails, Aurora has to create another
one, which takes minutes, and may find no capacity while everybody else does the same. A reader in another zone is
promoted instead, as a rule in less than thirty seconds.

Readers in the writer's own zone do not count, nor do instances that have failed or are being deleted. At least one
of the readers must be first in line (promotion tier 0 or 1): others may be smaller than the writer. A Multi-AZ DB
cluster always has two readable standbys, so it passes whatever the number. Not judged: a headless cluster of a
global database, which has no instance on purpose, and an Aurora Limitless Database. In the hour after a cluster was
made, what lacks may still be under way, and there is no verdict.

Remediation safety
------------------
Costs. Warden creates one reader at a visit, in the zone that has the fewest instances among those where the
cluster has both its storage and a subnet. It is of the writer's class and has the writer's parameter group,
monitoring and Insights key; it is never public, its name begins with `warden-`, and the same reader cannot be made
twice. It is billed by the hour: in us-east-1, 0.26 USD for a db.r6g.large, 190 USD a month; on Serverless v2,
0.12 USD for each ACU and hour. Connections to the reader endpoint are spread over it as soon as it is available.
To take it back, delete the instance. Where a subnet lacks, and where a reader is only too low in line, a person acts.

References
----------
- Amazon RDS API Reference, CreateDBInstance: AvailabilityZone, PromotionTier
- Amazon RDS API Reference, DBCluster: MultiAZ, DBClusterMembers
- Amazon Aurora User Guide, "High availability for Amazon Aurora"
- Amazon Aurora User Guide, "Adding Aurora Replicas to a DB cluster"
- AWS Security Hub CSPM, control RDS.15
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.core import engines, frameworks, guidance, readers, scope
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Setting,
    Severity,
    Verdict,
    compliant,
    insufficient_data,
    non_compliant,
    not_applicable,
)
from warden.core.guard import Only, Permit, SameAs
from warden.core.kinds import Need
from warden.core.plan import Manual, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource

GRACE = timedelta(hours=1)
"""The instances of a cluster are made after it, by calls of their own."""


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Count the readers in other zones than the writer's."""
    if verdict := scope.outside(resource):
        return verdict
    if resource.facts["Engine"] in engines.MULTI_AZ_CLUSTER:
        return _standbys(resource)
    return _without_instances(resource) or _counted(resource, settings["readers"])


def _standbys(resource: Resource) -> Verdict:
    if resource.facts["MultiAZ"]:
        return compliant(f"{resource.ref.id} is a Multi-AZ DB cluster, with two readable standbys.")
    return non_compliant(f"{resource.ref.id} is a Multi-AZ DB cluster whose instances are all in one zone.")


def _without_instances(resource: Resource) -> Verdict | None:
    """Why a cluster has no instances of which some could be readers; None where it should have some."""
    facts, name = resource.facts, resource.ref.id
    if facts["EngineMode"] == engines.SERVERLESS_V1:
        return not_applicable(
            f"{name} is of Aurora Serverless v1, which has no readers and moves between zones itself."
        )
    if facts["ClusterScalabilityType"] == "limitless":
        return not_applicable(
            f"{name} is an Aurora Limitless Database, whose shard groups have standbys of their own."
        )
    if facts["GlobalClusterIdentifier"] is not None and not facts["DBClusterMembers"]:
        return not_applicable(
            f"{name} is a headless cluster of the global database {facts['GlobalClusterIdentifier']}: it keeps a copy "
            "and has no instance."
        )
    return None


def _counted(resource: Resource, wanted: int) -> Verdict:
    found = readers.standing(resource.facts)
    name, number = resource.ref.id, len(found.elsewhere)
    seen = f"{name} has {_readers(number)} in other zones than its writer; the policy wants {wanted}"
    if number >= wanted and found.promotable:
        return compliant(f"{seen}.")
    if resource.observed_at - resource.facts["ClusterCreateTime"] < GRACE:
        return insufficient_data(f"{seen}, and the cluster was made within the last hour.")
    if number + len(found.unknown) >= wanted and found.unknown:
        return insufficient_data(f"{seen}, and zone or state are not known of {', '.join(found.unknown)}.")
    if number >= wanted:
        return non_compliant(f"{seen}; none of them is first in line to be promoted.")
    if found.leader is None:
        return non_compliant(
            f"{name} has no instance that works; the policy wants a writer and {_readers(wanted)}."
        )
    beside = f"; in the writer's own zone: {', '.join(found.beside)}" if found.beside else ""
    return non_compliant(f"{seen}{beside}.")


def _readers(number: int) -> str:
    return "1 reader" if number == 1 else f"{number or 'no'} readers"


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Create one reader, in the emptiest of the other zones."""
    if resource.facts["Engine"] in engines.MULTI_AZ_CLUSTER:
        return Manual("AWS places the standbys of a Multi-AZ DB cluster: open a case with AWS Support.")
    found = readers.standing(resource.facts)
    if found.leader is None:
        return Manual(
            "It has no instance that a reader could be made like: create its writer first, or delete the cluster."
        )
    if found.unknown:
        return Manual(f"Zone or state are not known of {', '.join(found.unknown)}: look at them first.")
    if len(found.elsewhere) >= settings["readers"]:
        return _promotable(resource, found.elsewhere[0])
    return _created(resource, found.leader)


def _created(resource: Resource, leader: Mapping[str, Any]) -> Plan | Manual:
    if len(resource.facts[Need.MEMBERS]) > readers.MOST_READERS:
        return Manual("It has as many instances as a cluster can have: move readers to other zones.")
    zones = readers.open_zones(resource.facts, leader)
    if not zones:
        return _without_subnets(resource, leader)
    return Plan((readers.another(resource.facts, leader, zones[0]),), cost=_cost(leader))


def _cost(leader: Mapping[str, Any]) -> str:
    return (
        f"Another {leader['DBInstanceClass']} is billed by the hour: in us-east-1 a db.r6g.large is 0.26 USD, which is "
        "190 USD a month, and Serverless v2 0.12 USD for each ACU and hour."
    )


def _promotable(resource: Resource, reader: str) -> Manual:
    return Manual(
        "It has enough readers, but Aurora would promote none of them before those beside the writer. Put one first in "
        "line that is as large as the writer; nothing restarts.",
        (
            guidance.command(
                resource,
                "modify-db-instance",
                {"db-instance-identifier": reader, "promotion-tier": str(readers.FIRST_IN_LINE)},
            ),
        ),
    )


def _without_subnets(resource: Resource, leader: Mapping[str, Any]) -> Manual:
    group = leader.get("DBSubnetGroup")
    if group is None:
        return Manual("It stands in no VPC, so nobody can choose the zone of a reader: add one by hand.")
    zones = ", ".join(sorted(resource.facts["AvailabilityZones"]))
    return Manual(
        f"Its subnet group has no subnet in another zone of its storage ({zones}): add one, from this list of all.",
        (
            guidance.command(
                resource,
                "modify-db-subnet-group",
                {
                    "db-subnet-group-name": group["DBSubnetGroupName"],
                    "subnet-ids": [
                        *(subnet["SubnetIdentifier"] for subnet in group["Subnets"]),
                        "NEW-SUBNET",
                    ],
                },
            ),
        ),
    )


# --- examples -----------------------------------------------------------------------------------------------------


def _member(number: int, *, tier: int = 1) -> dict[str, Any]:
    """A member as DescribeDBClusters lists it; the first one is the writer."""
    return {
        "DBInstanceIdentifier": f"orders-{number}",
        "IsClusterWriter": number == 1,
        "DBClusterParameterGroupStatus": "in-sync",
        "PromotionTier": tier,
    }


def _instance(number: int, zone: str | None, *, subnets: str = "abc", **more: Any) -> dict[str, Any]:
    """A member as DescribeDBInstances gives it, in the zone of that letter."""
    item: dict[str, Any] = {
        "DBInstanceIdentifier": f"orders-{number}",
        "DBInstanceClass": "db.r7g.large",
        "DBInstanceStatus": "available",
        "DBParameterGroups": [{"DBParameterGroupName": "orders-pg16", "ParameterApplyStatus": "in-sync"}],
        "DBSubnetGroup": {
            "DBSubnetGroupName": "databases-private",
            "Subnets": [
                {
                    "SubnetIdentifier": f"subnet-0a1b2c3d4e5f6071{letter}",
                    "SubnetAvailabilityZone": {"Name": f"eu-west-1{letter}"},
                    "SubnetStatus": "Active",
                }
                for letter in subnets
            ],
        },
        "AutoMinorVersionUpgrade": True,
        "CACertificateIdentifier": "rds-ca-rsa2048-g1",
        "MonitoringInterval": 0,
        "PerformanceInsightsEnabled": False,
        **more,
    }
    return item if zone is None else {**item, "AvailabilityZone": f"eu-west-1{zone}"}


def _standing(zones: str, *, tier: int = 1, **more: Any) -> dict[str, Any]:
    """A cluster with a member in the zone of each letter, the writer first."""
    return {
        "DBClusterMembers": [_member(number, tier=tier) for number, _ in enumerate(zones, 1)],
        "Members": [_instance(number, zone, **more) for number, zone in enumerate(zones, 1)],
    }


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Clusters have readers in other Availability Zones than their writer",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.15"),
        frameworks.config("rds-cluster-multi-az-enabled"),
        frameworks.prowler("rds_cluster_multi_az"),
        frameworks.CIS_MULTI_AZ,
        frameworks.HIGH_AVAILABILITY,
    ),
    needs=(Need.MEMBERS,),
    settings=(
        Setting(
            name="readers",
            default=1,
            doc="The fewest readers that an Aurora cluster has in other Availability Zones than its writer.",
            minimum=1,
            maximum=readers.MOST_READERS,
        ),
    ),
    silent="a new cluster is given time for its readers",
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(
            Permit(
                operation="CreateDBInstance",
                required={
                    "DBInstanceIdentifier": readers.NewName(),
                    "DBClusterIdentifier": SameAs("DBClusterIdentifier"),
                    "Engine": SameAs("Engine"),
                    "AvailabilityZone": readers.OtherZone(),
                    "PromotionTier": Only((readers.FIRST_IN_LINE,)),
                    "PubliclyAccessible": Only((False,)),
                    "Tags": Only(([readers.TAG],)),
                    "DBInstanceClass": readers.LikeTheWriter("DBInstanceClass"),
                    "DBParameterGroupName": readers.LikeTheWriter("DBParameterGroupName"),
                    "AutoMinorVersionUpgrade": readers.LikeTheWriter("AutoMinorVersionUpgrade"),
                    "CACertificateIdentifier": readers.LikeTheWriter("CACertificateIdentifier"),
                },
                optional={
                    "MonitoringInterval": readers.LikeTheWriter("MonitoringInterval"),
                    "MonitoringRoleArn": readers.LikeTheWriter("MonitoringRoleArn"),
                    "EnablePerformanceInsights": Only((True,)),
                    "PerformanceInsightsKMSKeyId": readers.LikeTheWriter("PerformanceInsightsKMSKeyId"),
                    "PerformanceInsightsRetentionPeriod": readers.LikeTheWriter(
                        "PerformanceInsightsRetentionPeriod"
                    ),
                },
                dependent_actions=(
                    # Tags (Service Authorization Reference, "Actions, resources, and condition keys for Amazon RDS":
                    # AddTagsToResource, which RDS asks for where a create carries tags).
                    "rds:AddTagsToResource",
                    # "To pass a role to Amazon RDS, a user needs permissions to pass the role" (Amazon RDS User Guide,
                    # "Setting up and enabling Enhanced Monitoring").
                    "iam:PassRole",
                    # "To create an RDS resource using a customer managed key ..." (Amazon RDS User Guide, "AWS KMS
                    # key management"): here the key of Performance Insights.
                    "kms:CreateGrant",
                    "kms:DescribeKey",
                ),
            ),
        ),
        safety=Safety.COSTS,
    ),
    fix="""\
Create a reader in each zone that has none, of the writer's class; the storage is shared, so nothing is copied:

    aws rds create-db-instance --db-instance-identifier {id}-reader --db-cluster-identifier {id} --engine ENGINE \\
        --db-instance-class CLASS --availability-zone ZONE --promotion-tier 1 --no-publicly-accessible \\
        --region {region}

Make it last: CloudFormation `AvailabilityZone: ZONE` of `AWS::RDS::DBInstance`, one for each reader; Terraform
`availability_zone` of `aws_rds_cluster_instance`.
""",
    examples=(
        Example(
            name="a writer and a reader in two zones", facts=_standing("ab"), expect=ComplianceType.COMPLIANT
        ),
        Example(
            name="as many readers as the policy wants",
            facts=_standing("abcb"),
            settings={"readers": 3},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a reader less than the policy wants",
            facts=_standing("abc"),
            settings={"readers": 3},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(name="the writer alone", facts=_standing("a"), expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="the writer alone, with Enhanced Monitoring and Performance Insights",
            facts=_standing(
                "a",
                MonitoringInterval=60,
                MonitoringRoleArn="arn:aws:iam::123456789012:role/rds-monitoring",
                PerformanceInsightsEnabled=True,
                PerformanceInsightsKMSKeyId="arn:aws:kms:eu-west-1:123456789012:key/"
                "1c7a2b3d-4e5f-4a6b-8c9d-0e1f2a3b4c5d",
                PerformanceInsightsRetentionPeriod=7,
            ),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a reader in the writer's own zone does not count",
            facts=_standing("aa"),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="Serverless v2 instances count as any other",
            facts=_standing("ab", DBInstanceClass="db.serverless"),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="the only reader is last in line",
            facts=_standing("ab", tier=15),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a reader that is being created counts",
            facts={
                "DBClusterMembers": [_member(1), _member(2)],
                "Members": [_instance(1, "a"), _instance(2, "b", DBInstanceStatus="creating")],
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a reader that is being created, whose zone AWS does not name yet",
            facts={
                "DBClusterMembers": [_member(1), _member(2)],
                "Members": [_instance(1, "a"), _instance(2, None, DBInstanceStatus="creating")],
            },
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a reader that is being deleted does not count",
            facts={
                "DBClusterMembers": [_member(1), _member(2)],
                "Members": [_instance(1, "a"), _instance(2, "b", DBInstanceStatus="deleting")],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a state that nobody has heard of",
            facts={
                "DBClusterMembers": [_member(1), _member(2)],
                "Members": [_instance(1, "a"), _instance(2, "b", DBInstanceStatus="levitating")],
            },
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="some are too few, whatever the state of another",
            facts={
                "DBClusterMembers": [_member(1), _member(2)],
                "Members": [_instance(1, "a"), _instance(2, "b", DBInstanceStatus="levitating")],
            },
            settings={"readers": 3},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the writer has failed",
            facts={
                "DBClusterMembers": [_member(1), _member(2)],
                "Members": [_instance(1, "a", DBInstanceStatus="failed"), _instance(2, "b")],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the subnet group has subnets in the writer's zone alone",
            facts=_standing("a", subnets="a"),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="made half an hour ago",
            facts={**_standing("a"), "ClusterCreateTime": datetime(2026, 11, 24, 9, 30, tzinfo=UTC)},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="no instance at all",
            facts={"DBClusterMembers": [], "Members": []},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a headless cluster of a global database",
            facts={"DBClusterMembers": [], "Members": [], "GlobalClusterIdentifier": "orders-global"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a secondary cluster of a global database has no writer",
            facts={
                "DBClusterMembers": [_member(2), _member(3)],
                "Members": [_instance(2, "a"), _instance(3, "b")],
                "GlobalClusterIdentifier": "orders-global",
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an express cluster stands in no subnet group",
            facts=_standing("a", DBSubnetGroup=None),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an Aurora Limitless Database",
            facts={"ClusterScalabilityType": "limitless", "DBClusterMembers": [], "Members": []},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="Aurora Serverless v1",
            facts={"EngineMode": "serverless", "DBClusterMembers": [], "Members": []},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a Multi-AZ DB cluster has two readable standbys",
            facts={"Engine": "mysql", "EngineVersion": "8.0.40", "MultiAZ": True},
            settings={"readers": 3},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a Multi-AZ DB cluster in one zone",
            facts={"Engine": "postgres", "EngineVersion": "16.4", "MultiAZ": False},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a DocumentDB cluster is another product",
            facts={"Engine": "docdb"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the instances could not be read",
            facts={},
            missing=("Members",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
