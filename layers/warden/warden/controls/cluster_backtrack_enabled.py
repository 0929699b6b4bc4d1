"""An Aurora MySQL cluster can be backtracked for as many hours as the policy wants.

Why it matters
--------------
After a DELETE without its WHERE, a restore makes a new cluster, in hours. Backtracking rewinds the cluster that is
there, in minutes. It is no backup: it is lost with the cluster, and reaches back 72 hours at most.

For those who want it, so the shipped policy leaves it out: it excludes what many need more, such as a global database
or a replica in another Region, and not every Region has it. A cluster can only have it from its beginning.

Remediation safety
------------------
Costs. Where backtracking is on, Warden lengthens the window, without an outage; nothing can be regained that was not
recorded, so it fills up by and by. Each million of change records that is kept costs 0.012 USD an hour in us-east-1.
Where it is off, it cannot be turned on: a ticket tells how a snapshot is restored to a cluster that has it.

References
----------
- Amazon RDS API Reference, ModifyDBCluster: BacktrackWindow
- Amazon Aurora User Guide, "Backtracking an Aurora DB cluster", "Backtracking limitations"
- AWS Security Hub CSPM, control RDS.14
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
from warden.core.guard import Permit, Raises, SameAs
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource

_ENGINE = "aurora-mysql"
_HOUR = 3600
LONGEST = 72 * _HOUR
COST = (
    "Backtracking is billed by what changes: in us-east-1, 0.012 USD an hour for each million of change records that "
    "is kept."
)


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the target window of Aurora MySQL clusters that can have one."""
    if verdict := scope.outside(resource) or _cannot(resource):
        return verdict
    wanted = settings["minimum_hours"]
    window = resource.facts["BacktrackWindow"]
    if not window:
        return non_compliant(f"{resource.ref.id} cannot be backtracked; the policy wants {wanted} hours.")
    hours = f"{window / _HOUR:g}"
    if window < wanted * _HOUR:
        return non_compliant(
            f"{resource.ref.id} can be backtracked for {hours} hours; the policy wants {wanted}."
        )
    return compliant(f"{resource.ref.id} can be backtracked for {hours} hours.")


def _cannot(resource: Resource) -> Verdict | None:
    """Why a cluster can have no backtracking (Amazon Aurora User Guide, "Backtracking limitations")."""
    facts, name = resource.facts, resource.ref.id
    if facts["Engine"] != _ENGINE:
        return not_applicable(f"{name} is not Aurora MySQL, which alone can be backtracked.")
    if facts["EngineMode"] == engines.SERVERLESS_V1:
        return not_applicable(f"{name} is Aurora Serverless v1, which cannot be backtracked.")
    if facts["GlobalClusterIdentifier"] is not None:
        return not_applicable(f"{name} is a member of a global database, which cannot be backtracked.")
    if facts["ReplicationSourceIdentifier"] is not None or any(
        replica.startswith("arn:") and replica.split(":")[3] != resource.ref.region
        for replica in facts["ReadReplicaIdentifiers"]
    ):
        return not_applicable(f"{name} is replicated across Regions, which excludes backtracking.")
    return None


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Lengthen the window, where there is one.

    Without ApplyImmediately, which would also apply what others have queued: there is no such value among those that
    can wait (ClusterPendingModifiedValues).
    """
    name, seconds = resource.facts["DBClusterIdentifier"], settings["minimum_hours"] * _HOUR
    if resource.facts["BacktrackWindow"]:
        return Plan(
            (Call("ModifyDBCluster", {"DBClusterIdentifier": name, "BacktrackWindow": seconds}),), cost=COST
        )
    return Manual(
        "Backtracking is only available for clusters that were created with it: take a snapshot, restore it to a new "
        "cluster with a window, add its instances, and move the applications over. Give the new cluster the same "
        "subnets, security groups, parameter group and key.",
        (
            guidance.command(
                resource,
                "create-db-cluster-snapshot",
                {"db-cluster-identifier": name, "db-cluster-snapshot-identifier": f"{name}-to-backtrack"},
            ),
            guidance.command(
                resource,
                "restore-db-cluster-from-snapshot",
                {
                    "db-cluster-identifier": f"{name}-new",
                    "snapshot-identifier": f"{name}-to-backtrack",
                    "engine": _ENGINE,
                    "backtrack-window": str(seconds),
                },
            ),
        ),
    )


_MYSQL = {"Engine": _ENGINE, "EngineVersion": "8.0.mysql_aurora.3.08.0"}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Aurora MySQL clusters can be backtracked",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.LOW,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.14"),
        frameworks.config("aurora-mysql-backtracking-enabled"),
        frameworks.prowler("rds_cluster_backtrack_enabled"),
        frameworks.BACKUP,
    ),
    settings=(
        Setting(
            name="minimum_hours",
            default=24,
            doc="The fewest hours for which a cluster can be backtracked.",
            minimum=1,
            maximum=LONGEST // _HOUR,
        ),
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(
            Permit(
                operation="ModifyDBCluster",
                required={
                    "DBClusterIdentifier": SameAs("DBClusterIdentifier"),
                    "BacktrackWindow": Raises("BacktrackWindow", LONGEST),
                },
            ),
        ),
        safety=Safety.COSTS,
    ),
    fix="""\
Where backtracking is on, lengthen the window, in seconds; nothing restarts:

    aws rds modify-db-cluster --db-cluster-identifier {id} --backtrack-window 86400 --region {region}

Where it is off, restore a snapshot to a new cluster with a window:

    aws rds create-db-cluster-snapshot --db-cluster-identifier {id} \\
        --db-cluster-snapshot-identifier {id}-to-backtrack --region {region}
    aws rds restore-db-cluster-from-snapshot --db-cluster-identifier {id}-new --engine aurora-mysql \\
        --snapshot-identifier {id}-to-backtrack --backtrack-window 86400 --region {region}

Make it last: CloudFormation `BacktrackWindow: 86400` of `AWS::RDS::DBCluster`; Terraform `backtrack_window = 86400` of
`aws_rds_cluster`.
""",
    examples=(
        Example(name="a day", facts={**_MYSQL, "BacktrackWindow": 86400}, expect=ComplianceType.COMPLIANT),
        Example(
            name="an hour, where the policy wants a day",
            facts={**_MYSQL, "BacktrackWindow": 3600},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(name="off", facts={**_MYSQL, "BacktrackWindow": 0}, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="never had one",
            facts={**_MYSQL, "BacktrackWindow": None},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="Aurora PostgreSQL cannot be backtracked",
            facts={"Engine": "aurora-postgresql", "BacktrackWindow": None},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="nor can a Multi-AZ DB cluster of MySQL",
            facts={"Engine": "mysql", "EngineVersion": "8.0.40", "BacktrackWindow": None},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="nor Aurora Serverless v1",
            facts={**_MYSQL, "EngineMode": "serverless", "BacktrackWindow": None},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a member of a global database, of which Prowler demands the impossible",
            facts={**_MYSQL, "GlobalClusterIdentifier": "orders-global", "BacktrackWindow": None},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a cluster with a replica in another Region",
            facts={
                **_MYSQL,
                "BacktrackWindow": None,
                "ReadReplicaIdentifiers": ["arn:aws:rds:eu-central-1:123456789012:cluster:orders-far"],
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a cluster with a replica in its own Region",
            facts={
                **_MYSQL,
                "BacktrackWindow": 3600,
                "ReadReplicaIdentifiers": ["arn:aws:rds:eu-west-1:123456789012:cluster:orders-near"],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a Neptune cluster is another product",
            facts={"Engine": "neptune", "BacktrackWindow": None},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the window is not known",
            facts=_MYSQL,
            missing=("BacktrackWindow",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
