"""A cluster that the policy names has a copy in another Region: it belongs to a global database.

Why it matters
--------------
Replicas in other Availability Zones outlive the loss of a data centre, not that of a Region. An Aurora global database
copies the storage of a cluster to other Regions, as a rule within a second; where the first Region fails, one of them
takes over. A backup has to be copied and restored first, which takes hours and loses what came after it.

It costs as much again and suits few databases, so nothing is judged until the policy names the tags of the clusters
that must have a copy, or says that all must. Who may tag a cluster can leave it out: name tags that teams may not
change. The deployment of each Region judges its own clusters, and a secondary cluster passes as a primary one does.

Remediation safety
------------------
Costs, and never done by Warden: the copy has a network, keys and instances of its own. A ticket carries the commands.

References
----------
- Amazon RDS API Reference, CreateGlobalCluster: SourceDBClusterIdentifier
- Amazon RDS API Reference, GlobalCluster: GlobalClusterMembers
- Amazon Aurora User Guide, "Using Amazon Aurora Global Database", and its limitations
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines, frameworks, guidance, master_user, scope, tags
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
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import ResourceRef, ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Count the other Regions of the global database that a cluster belongs to."""
    if verdict := scope.outside(resource):
        return verdict
    name, facts = resource.ref.id, resource.facts
    if facts["Engine"] not in engines.AURORA:
        return not_applicable(f"{name} is a Multi-AZ DB cluster, which no global database takes.")
    if settings["clusters"] != "all" and not tags.bears_one(facts, settings["tags"]):
        return not_applicable(f"{name} is none of the clusters that the policy wants in two Regions.")
    if facts["GlobalClusterIdentifier"] is None:
        return non_compliant(f"{name} exists in {resource.ref.region} alone.")
    others = _other_regions(resource)
    belongs = f"{name} belongs to the global database {facts['GlobalClusterIdentifier']}"
    if not others:
        return non_compliant(f"{belongs}, which has no cluster in another Region.")
    return compliant(f"{belongs}, which is also in {', '.join(others)}.")


def _other_regions(resource: Resource) -> list[str]:
    members = resource.facts[Need.GLOBAL_CLUSTER]["GlobalClusterMembers"]
    regions = {ResourceRef.from_arn(member["DBClusterArn"]).region for member in members}
    return sorted(regions - {resource.ref.region})


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Manual:
    """Tell a person how a cluster gets a copy in another Region."""
    facts = resource.facts
    if facts["EngineMode"] == engines.SERVERLESS_V1 or master_user.is_express(facts):
        return Manual(
            "A global database takes neither Aurora Serverless v1 nor an express configuration: restore it to a "
            "provisioned cluster in a VPC first."
        )
    name = facts["GlobalClusterIdentifier"] or f"{facts['DBClusterIdentifier']}-global"
    made = guidance.command(
        resource,
        "create-global-cluster",
        {
            "global-cluster-identifier": name,
            "source-db-cluster-identifier": facts["DBClusterArn"],
            "deletion-protection": True,
        },
    )
    password = (
        "It has a master password that RDS manages, which a global database does not take: turn that off first. "
        if facts["MasterUserSecret"] is not None
        else ""
    )
    return Manual(
        f"{password}Make a global database around it where there is none, and add a cluster with an instance in "
        "another Region, with a network and a key of that Region. The cluster goes on meanwhile.",
        (
            *(() if facts["GlobalClusterIdentifier"] is not None else (made,)),
            *_elsewhere(resource, name, f"{facts['DBClusterIdentifier']}-secondary"),
        ),
    )


def _elsewhere(resource: Resource, name: str, secondary: str) -> tuple[str, ...]:
    return (
        guidance.command(
            resource,
            "create-db-cluster",
            {
                "db-cluster-identifier": secondary,
                "global-cluster-identifier": name,
                "engine": resource.facts["Engine"],
                "engine-version": resource.facts["EngineVersion"],
                "kms-key-id": "YOUR-KEY-THERE",
                "db-subnet-group-name": "SUBNET-GROUP-THERE",
                "vpc-security-group-ids": ["SECURITY-GROUP-THERE"],
                "deletion-protection": True,
            },
            region="OTHER-REGION",
        ),
        guidance.command(
            resource,
            "create-db-instance",
            {
                "db-instance-identifier": f"{secondary}-1",
                "db-cluster-identifier": secondary,
                "engine": resource.facts["Engine"],
                "db-instance-class": "INSTANCE-CLASS",
                "publicly-accessible": False,
            },
            region="OTHER-REGION",
        ),
    )


def _global(*regions: str) -> dict[str, Any]:
    """A global cluster with a cluster in each of these Regions, the writer first, for the examples."""
    return {
        "GlobalClusterIdentifier": "orders-global",
        "GlobalClusterMembers": [
            {"DBClusterArn": f"arn:aws:rds:{region}:123456789012:cluster:orders", "IsWriter": number == 0}
            for number, region in enumerate(regions)
        ],
    }


_IN_TWO_REGIONS = {
    "GlobalClusterIdentifier": "orders-global",
    "GlobalCluster": _global("eu-west-1", "eu-central-1"),
}
_TIER_ONE = [{"Key": "tier", "Value": "1"}]

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Clusters that the policy names have a copy in another Region",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.MEDIUM,
    # Security Hub has no control for it; the nearest relative is RDS.15.
    frameworks=frameworks.mapping(frameworks.HIGH_AVAILABILITY),
    needs=(Need.GLOBAL_CLUSTER,),
    settings=(
        Setting(
            name="clusters",
            default="tagged",
            doc="Which clusters must have a copy in another Region: those that bear one of the tags, or all.",
            choices=("tagged", "all"),
        ),
        Setting(
            name="tags",
            default=[],
            doc="The tags of clusters that must have one, as key or key=value. Empty: none must.",
            pattern=r"[^=]+(=.*)?",
        ),
    ),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.COSTS),
    fix="""\
Make a global database around it, and add a cluster in another Region:

    aws rds create-global-cluster --global-cluster-identifier {id}-global \\
        --source-db-cluster-identifier {arn} --deletion-protection --region {region}
    aws rds create-db-cluster --db-cluster-identifier {id}-secondary --global-cluster-identifier {id}-global \\
        --engine ENGINE --kms-key-id KEY-THERE --db-subnet-group-name SUBNET-GROUP-THERE --region OTHER-REGION

Make it last: CloudFormation `SourceDBClusterIdentifier: CLUSTER` of `AWS::RDS::GlobalCluster`; Terraform
`aws_rds_global_cluster`, and `global_cluster_identifier` of each `aws_rds_cluster`.
""",
    examples=(
        Example(
            name="a copy in another Region",
            facts={"Engine": "aurora-mysql", "TagList": _TIER_ONE, **_IN_TWO_REGIONS},
            settings={"tags": ["tier=1"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a secondary cluster",
            facts={
                "Engine": "aurora-postgresql",
                "GlobalClusterIdentifier": "orders-global",
                "GlobalCluster": _global("us-east-1", "eu-west-1"),
            },
            settings={"clusters": "all"},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="in one Region alone",
            facts={"TagList": _TIER_ONE, "GlobalClusterIdentifier": None},
            settings={"tags": ["tier=1"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a tag with any value",
            facts={"TagList": _TIER_ONE, "GlobalClusterIdentifier": None, "MasterUserSecret": None},
            settings={"tags": ["tier"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a global database of one Region",
            facts={"GlobalClusterIdentifier": "orders-global", "GlobalCluster": _global("eu-west-1")},
            settings={"clusters": "all"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an express cluster cannot have a copy",
            facts={"GlobalClusterIdentifier": None, "InternetAccessGatewayEnabled": True},
            settings={"clusters": "all"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="without the tag",
            facts={"TagList": [{"Key": "tier", "Value": "2"}], "GlobalClusterIdentifier": None},
            settings={"tags": ["tier=1"]},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a Multi-AZ DB cluster",
            facts={"Engine": "mysql", "EngineVersion": "8.0.40"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a Neptune cluster is another product",
            facts={"Engine": "neptune"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the global database could not be read",
            facts={"GlobalClusterIdentifier": "orders-global"},
            missing=("GlobalCluster",),
            settings={"clusters": "all"},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
