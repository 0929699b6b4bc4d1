"""A cluster and all of its instances take minor engine versions by themselves, in the maintenance window.

Why it matters
--------------
A minor version brings the fixes of holes that are public from the day of its release. Where nobody has to remember
them, they come: in the maintenance window, once AWS has chosen a version as the one to upgrade to.

On Aurora the flag is the cluster's, and each instance has one, too: a single instance that has it off holds up the
whole cluster. Not judged: members of a global database and clusters with a replica in another Region, which AWS
does not upgrade by itself whatever the flag says, and Aurora Serverless v1, which it upgrades always. Nor a version
with long-term support whose flag is off: AWS advises to leave it off there, since the next minor version is, as a
rule, one without such support.

Remediation safety
------------------
Safe. Turning the flag on restarts nothing, costs nothing, and can be taken back until AWS upgrades. Warden sets it on
the cluster alone, from where Aurora gives it to the instances. What follows from it is AWS's doing: in a maintenance
window to come, for which it has chosen a minor version, the cluster is upgraded and all of its instances restart, which
the users of the database notice for up to a minute. Where a team upgrades by itself, give the cluster an exemption.
Where the cluster has the flag on and only an instance has it off, a person acts.

References
----------
- Amazon RDS API Reference, ModifyDBCluster: AutoMinorVersionUpgrade ("Valid for Cluster Type: Aurora DB clusters and
  Multi-AZ DB clusters")
- Amazon Aurora User Guide, "Automatic minor version upgrades for Aurora DB clusters" and "Enabling automatic upgrades
  between minor Aurora MySQL versions"
- Amazon Aurora User Guide, "Aurora MySQL long-term support (LTS) releases"
- AWS Security Hub CSPM, controls RDS.13 and RDS.35
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engine_support, engines, frameworks, guidance, minor_upgrades, scope
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
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Plan
    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the cluster's flag and, on Aurora, that of each instance."""
    if verdict := scope.outside(resource) or _never_upgraded(resource):
        return verdict
    facts, name = resource.facts, resource.ref.id
    late = _late(resource)
    if facts["AutoMinorVersionUpgrade"] and not late:
        return compliant(f"{name} takes minor engine versions by itself.")
    version = facts["EngineVersion"]
    if engine_support.is_long_term(
        facts["Engine"], version, settings[engine_support.LONG_TERM_VERSIONS.name]
    ):
        return not_applicable(
            f"{name} runs {facts['Engine']} {version}, a version with long-term support, and does not leave it by "
            "itself, as AWS advises."
        )
    if facts["AutoMinorVersionUpgrade"]:
        return non_compliant(
            f"{name} takes minor engine versions by itself, but {', '.join(late)} not, which holds up the cluster."
        )
    return non_compliant(f"{name} is not upgraded to minor engine versions by itself.")


def _never_upgraded(resource: Resource) -> Verdict | None:
    """Why the flag means nothing here; None where it decides."""
    facts, name = resource.facts, resource.ref.id
    if facts["EngineMode"] == engines.SERVERLESS_V1:
        return not_applicable(
            f"{name} is of Aurora Serverless v1, which AWS upgrades whatever the flag says."
        )
    if facts["GlobalClusterIdentifier"] is not None:
        return not_applicable(
            f"{name} is a member of the global database {facts['GlobalClusterIdentifier']}, which AWS does not upgrade "
            "by itself."
        )
    partners = [facts["ReplicationSourceIdentifier"], *facts["ReadReplicaIdentifiers"]]
    if any(_is_elsewhere(resource, partner) for partner in partners):
        return not_applicable(
            f"{name} replicates between Regions, and AWS does not upgrade such clusters by itself."
        )
    return None


def _is_elsewhere(resource: Resource, partner: str | None) -> bool:
    """Whether the other end of a replication is in another Region; within one, AWS gives its bare name or its ARN."""
    if partner is None or not partner.startswith("arn:"):
        return False
    return partner.split(":")[3] != resource.ref.region


def _late(resource: Resource) -> list[str]:
    """The members of an Aurora cluster that have the flag off; a Multi-AZ DB cluster has one flag for all."""
    if resource.facts["Engine"] not in engines.AURORA:
        return []
    return sorted(
        member["DBInstanceIdentifier"]
        for member in resource.facts[Need.MEMBERS]
        if not member["AutoMinorVersionUpgrade"]
    )


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan | Manual:
    """Turn the cluster's flag on, which its instances take over."""
    if not resource.facts["AutoMinorVersionUpgrade"]:
        return minor_upgrades.turned_on(resource, "ModifyDBCluster")
    return Manual(
        "The cluster's flag is on, and not all of its instances have taken it over: turn it on at each of these.",
        tuple(
            guidance.command(
                resource,
                "modify-db-instance",
                {"db-instance-identifier": name, "auto-minor-version-upgrade": True},
            )
            for name in _late(resource)
        ),
    )


def _members(flags: str) -> list[dict[str, Any]]:
    """An instance for each word, for the examples."""
    return [
        {"DBInstanceIdentifier": f"orders-{number}", "AutoMinorVersionUpgrade": flag == "on"}
        for number, flag in enumerate(flags.split(), 1)
    ]


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Clusters take minor engine versions by themselves",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.13"),
        frameworks.security_hub("RDS.35"),
        frameworks.config("rds-cluster-auto-minor-version-upgrade-enable"),
        frameworks.config("rds-automatic-minor-version-upgrade-enabled"),
        frameworks.prowler("rds_cluster_minor_version_upgrade_enabled"),
        frameworks.CIS_MINOR_UPGRADES,
        frameworks.pci_dss("6.3.3"),
        frameworks.PATCHING,
    ),
    needs=(Need.MEMBERS,),
    settings=(engine_support.LONG_TERM_VERSIONS,),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(minor_upgrades.permit("ModifyDBCluster", "DBClusterIdentifier"),),
        safety=Safety.SAFE,
    ),
    fix="""\
Turn it on at the cluster, which its instances take over; nothing restarts before a maintenance window:

    aws rds modify-db-cluster --db-cluster-identifier {id} --auto-minor-version-upgrade --region {region}

Make it last: CloudFormation `AutoMinorVersionUpgrade: true` of `AWS::RDS::DBCluster`; Terraform
`auto_minor_version_upgrade = true` of each `aws_rds_cluster_instance`.
""",
    examples=(
        Example(
            name="on, and on at each instance",
            facts={"AutoMinorVersionUpgrade": True, "Members": _members("on on")},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="off",
            facts={"AutoMinorVersionUpgrade": False, "Members": _members("off off")},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="off, with a patch of a version of Aurora MySQL with long-term support",
            facts={
                "Engine": "aurora-mysql",
                "EngineVersion": "8.0.mysql_aurora.3.04.4",
                "AutoMinorVersionUpgrade": False,
                "Members": _members("off off"),
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="off, with a version of Aurora PostgreSQL with long-term support",
            facts={"EngineVersion": "16.8", "AutoMinorVersionUpgrade": False, "Members": _members("off off")},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="on, with a version with long-term support",
            facts={"EngineVersion": "16.8", "AutoMinorVersionUpgrade": True, "Members": _members("on on")},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="off, at a Multi-AZ DB cluster whose version has the number of one with long-term support of Aurora",
            facts={"Engine": "postgres", "EngineVersion": "16.8", "AutoMinorVersionUpgrade": False},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="one instance has it off, so the cluster says off",
            facts={"AutoMinorVersionUpgrade": False, "Members": _members("on off")},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="on, and one instance has it off",
            facts={"AutoMinorVersionUpgrade": True, "Members": _members("on off")},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a cluster without instances has its own flag",
            facts={"AutoMinorVersionUpgrade": True, "Members": []},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a Multi-AZ DB cluster has one flag for all",
            facts={"Engine": "mysql", "EngineVersion": "8.0.40", "AutoMinorVersionUpgrade": True},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="off at a Multi-AZ DB cluster",
            facts={"Engine": "postgres", "EngineVersion": "16.4", "AutoMinorVersionUpgrade": False},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="off, in a global database",
            facts={"AutoMinorVersionUpgrade": False, "GlobalClusterIdentifier": "orders-global"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="off, with a replica in another Region",
            facts={
                "AutoMinorVersionUpgrade": False,
                "ReadReplicaIdentifiers": ["arn:aws:rds:eu-central-1:123456789012:cluster:orders-there"],
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="off, as the replica of a cluster in another Region",
            facts={
                "AutoMinorVersionUpgrade": False,
                "ReplicationSourceIdentifier": "arn:aws:rds:us-east-1:123456789012:cluster:orders",
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="off, with a replica in this Region",
            facts={
                "AutoMinorVersionUpgrade": False,
                "ReadReplicaIdentifiers": [
                    "arn:aws:rds:eu-west-1:123456789012:cluster:orders-2",
                    "orders-replica",
                ],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="Aurora Serverless v1 is always upgraded",
            facts={"AutoMinorVersionUpgrade": False, "EngineMode": "serverless"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a Neptune cluster is another product",
            facts={"Engine": "neptune", "AutoMinorVersionUpgrade": False},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the instances could not be read",
            facts={"AutoMinorVersionUpgrade": True},
            missing=("Members",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
