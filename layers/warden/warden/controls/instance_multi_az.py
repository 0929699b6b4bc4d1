"""A stand-alone instance has a standby in another Availability Zone.

Why it matters
--------------
An instance without a standby is down for as long as its zone or its host is, and longer: what then remains is to
restore a backup elsewhere. With a standby, RDS fails over by itself, as a rule within one or two minutes, and most
maintenance happens on the standby first.

A queued change counts, up or down. Members of a cluster are judged with their cluster. Read replicas are judged only
where the policy says so: what they replicate has its own standby. Not judged: RDS Custom and SQL Server Express,
which have no Multi-AZ deployment to turn on.

Remediation safety
------------------
Costs. Warden queues the change for the maintenance window: AWS makes it without an outage, though writes may be
slower while the storage is copied. From then on the standby and its storage are billed as the instance is: in
us-east-1, 0.159 USD an hour for a db.m6g.large of PostgreSQL, 116 USD a month, and 0.115 USD a month for each GB.
To take it back, turn it off. Where the subnet group has no second zone, and where somebody has queued to turn it
off, a person acts.

References
----------
- Amazon RDS API Reference, ModifyDBInstance: MultiAZ ("Changing this parameter doesn't result in an outage")
- Amazon RDS API Reference, DBInstance: MultiAZ, SecondaryAvailabilityZone
- Amazon RDS User Guide, "Converting a DB instance to a Multi-AZ deployment"
- AWS Security Hub CSPM, control RDS.5
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines, frameworks, guidance, scope
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
    non_compliant,
    not_applicable,
)
from warden.core.guard import Only, Permit, SameAs
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource

# Standard, Enterprise and Web Edition of SQL Server have standbys, Express has not (RDS User Guide, "Multi-AZ
# deployments for Amazon RDS for Microsoft SQL Server").
_WITHOUT_STANDBY = frozenset({"sqlserver-ex"})


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the standby of stand-alone instances."""
    if verdict := scope.outside_or_member(resource, "how many zones it stands in"):
        return verdict
    facts, name = resource.facts, resource.ref.id
    if engines.is_custom(facts["Engine"]) or facts["Engine"] in _WITHOUT_STANDBY:
        return not_applicable(f"{name} runs {facts['Engine']}, which has no Multi-AZ deployment to turn on.")
    if not settings["include_read_replicas"] and _is_replica(resource):
        return not_applicable(f"{name} is a read replica, which the policy leaves out.")
    queued = facts["PendingModifiedValues"].get("MultiAZ")
    if queued is not None:
        return (
            compliant(f"{name} gets a standby in another zone, once a queued change is applied.")
            if queued
            else non_compliant(f"{name} loses its standby, once a queued change is applied.")
        )
    if _has_standby(resource):
        return compliant(f"{name} has a standby in another zone.")
    return non_compliant(f"{name} has no standby: it is down for as long as its zone is.")


def _is_replica(resource: Resource) -> bool:
    return (
        resource.facts["ReadReplicaSourceDBInstanceIdentifier"] is not None
        or resource.facts["ReadReplicaSourceDBClusterIdentifier"] is not None
    )


def _has_standby(resource: Resource) -> bool:
    """Whether there is one; that of SQL Server by mirroring shows as the zone alone."""
    return bool(resource.facts["MultiAZ"]) or resource.facts["SecondaryAvailabilityZone"] is not None


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan | Manual:
    """Queue the standby for the maintenance window."""
    facts = resource.facts
    identifier = facts["DBInstanceIdentifier"]
    if facts["PendingModifiedValues"].get("MultiAZ") is False:
        return Manual(
            "Somebody queued to turn Multi-AZ off in the maintenance window: ask them, and replace the queued value.",
            (
                guidance.command(
                    resource, "modify-db-instance", {"db-instance-identifier": identifier, "multi-az": True}
                ),
            ),
        )
    group = facts["DBSubnetGroup"]
    if group is not None and not _other_zones(group, facts["AvailabilityZone"]):
        return Manual(
            "Its subnet group has no subnet in another zone: add one, from this list of all, and turn it on then.",
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
                guidance.command(
                    resource, "modify-db-instance", {"db-instance-identifier": identifier, "multi-az": True}
                ),
            ),
        )
    return Plan(
        (Call("ModifyDBInstance", {"DBInstanceIdentifier": identifier, "MultiAZ": True}),),
        cost=f"The standby of a {facts['DBInstanceClass']} and its storage are billed as the instance is: in us-east-1 "
        "a db.m6g.large of PostgreSQL is 0.159 USD an hour, 116 USD a month, and a GB of gp3 0.115 USD a month.",
    )


def _other_zones(group: Mapping[str, Any], zone: str) -> set[str]:
    return {subnet["SubnetAvailabilityZone"]["Name"] for subnet in group["Subnets"]} - {zone}


def _group(letters: str) -> dict[str, Any]:
    """A subnet group with a subnet in each of these zones, for the examples."""
    return {
        "DBSubnetGroupName": "databases-private",
        "Subnets": [
            {
                "SubnetIdentifier": f"subnet-0a1b2c3d4e5f6071{letter}",
                "SubnetAvailabilityZone": {"Name": f"eu-west-1{letter}"},
                "SubnetStatus": "Active",
            }
            for letter in letters
        ],
    }


_IN_THREE_ZONES = _group("abc")

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Stand-alone instances have a standby in another Availability Zone",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.5"),
        frameworks.config("rds-multi-az-support"),
        frameworks.prowler("rds_instance_multi_az"),
        frameworks.CIS_MULTI_AZ,
        frameworks.HIGH_AVAILABILITY,
    ),
    settings=(
        Setting(
            name="include_read_replicas",
            default=False,
            doc="Whether read replicas need a standby of their own.",
        ),
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(
            Permit(
                operation="ModifyDBInstance",
                required={"DBInstanceIdentifier": SameAs("DBInstanceIdentifier"), "MultiAZ": Only((True,))},
            ),
        ),
        safety=Safety.COSTS,
    ),
    fix="""\
Turn it on; it is applied in the maintenance window, without an outage:

    aws rds modify-db-instance --db-instance-identifier {id} --multi-az --region {region}

Make it last: CloudFormation `MultiAZ: true` of `AWS::RDS::DBInstance`; Terraform `multi_az = true` of
`aws_db_instance`.
""",
    examples=(
        Example(name="a standby", facts={"MultiAZ": True}, expect=ComplianceType.COMPLIANT),
        Example(
            name="no standby",
            facts={"MultiAZ": False, "DBSubnetGroup": _IN_THREE_ZONES},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="no standby, and subnets in one zone alone",
            facts={"MultiAZ": False, "DBSubnetGroup": _group("a")},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a standby is queued for the maintenance window",
            facts={"MultiAZ": False, "PendingModifiedValues": {"MultiAZ": True}},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="somebody queued to give the standby up",
            facts={"MultiAZ": True, "PendingModifiedValues": {"MultiAZ": False}},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="SQL Server with mirroring names the other zone alone",
            facts={
                "Engine": "sqlserver-ee",
                "EngineVersion": "15.00",
                "MultiAZ": False,
                "SecondaryAvailabilityZone": "eu-west-1b",
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="SQL Server Express has none",
            facts={"Engine": "sqlserver-ex", "EngineVersion": "16.00", "MultiAZ": False},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="RDS Custom",
            facts={"Engine": "custom-sqlserver-ee", "EngineVersion": "15.00", "MultiAZ": False},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a read replica",
            facts={"MultiAZ": False, "ReadReplicaSourceDBInstanceIdentifier": "billing-primary"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a read replica of a Multi-AZ DB cluster",
            facts={"MultiAZ": False, "ReadReplicaSourceDBClusterIdentifier": "orders"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a read replica, where the policy wants a standby of it, too",
            facts={
                "MultiAZ": False,
                "ReadReplicaSourceDBInstanceIdentifier": "billing-primary",
                "DBSubnetGroup": _IN_THREE_ZONES,
            },
            settings={"include_read_replicas": True},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member is judged with its cluster",
            facts={"Engine": "aurora-mysql", "DBClusterIdentifier": "orders", "MultiAZ": False},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="an instance of Neptune is another product's",
            facts={"Engine": "neptune", "MultiAZ": False},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="it is not known",
            facts={},
            missing=("MultiAZ",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
