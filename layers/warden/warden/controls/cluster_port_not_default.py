"""The cluster listens on another port than its engine's default.

Why it matters
--------------
Scanners try the default ports first, and a rule that somebody opens too far as a rule names one of them.
Another port stops nobody who looks, so the control is off in the policy that is shipped: it is for those whom
an auditor asks for it.

Remediation safety
------------------
Disruptive, and therefore never unattended: every instance restarts at once whatever the maintenance window
says, and all connection strings and rules of security groups must change with it.

References
----------
- Amazon RDS API Reference, ModifyDBCluster: Port
- Amazon RDS API Reference, DBCluster: Port
- AWS Security Hub CSPM, control RDS.23, which asks it of instances
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines, frameworks, guidance, master_user, ports, scope
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
    not_applicable,
)
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the port of the cluster, which all its members share."""
    if verdict := scope.outside(resource):
        return verdict
    if master_user.is_express(resource.facts):
        return not_applicable(
            f"{resource.ref.id} has an express configuration, whose port is 5432 and stays so."
        )
    return ports.judge(resource, resource.facts["Port"])


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Manual:
    """Say what to change beside the port."""
    if resource.facts["Engine"] in engines.MULTI_AZ_CLUSTER:
        # "Valid for Cluster Type: Aurora DB clusters only" (ModifyDBCluster.Port).
        return Manual(
            "The port of a Multi-AZ DB cluster cannot be changed: restore it to a cluster with another port."
        )
    return Manual(
        "Let the security groups admit the new port first, change the port, and then the connection strings of all "
        "clients. Every instance restarts at once.",
        (
            guidance.command(
                resource,
                "modify-db-cluster",
                {
                    "db-cluster-identifier": resource.facts["DBClusterIdentifier"],
                    "port": "YOUR-PORT",
                    "apply-immediately": True,
                },
            ),
        ),
    )


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Clusters listen on another port than the default of their engine",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.LOW,
    frameworks=frameworks.mapping(
        frameworks.prowler("rds_cluster_non_default_port"),
        frameworks.NETWORK,
    ),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE),
    fix="""\
Let the security groups admit the new port first. Then change it; every instance restarts at once, and clients must
follow:

    aws rds modify-db-cluster --db-cluster-identifier {id} --port PORT --apply-immediately --region {region}

Make it last: CloudFormation `Port: PORT` of `AWS::RDS::DBCluster`; Terraform `port` of `aws_rds_cluster`.
""",
    examples=(
        Example(name="another port", facts={"Port": 6432}, expect=ComplianceType.COMPLIANT),
        Example(name="PostgreSQL's", facts={"Port": 5432}, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="Aurora PostgreSQL on Aurora's first default",
            facts={"Port": 3306},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="MySQL's",
            facts={"Engine": "aurora-mysql", "Port": 3306},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="MySQL on PostgreSQL's",
            facts={"Engine": "aurora-mysql", "Port": 5432},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a Multi-AZ DB cluster keeps its port",
            facts={"Engine": "mysql", "EngineVersion": "8.0.40", "Port": 3306},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an express configuration has the one port",
            facts={"Port": 5432, "InternetAccessGatewayEnabled": True, "VPCNetworkingEnabled": False},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a DocumentDB cluster is another product",
            facts={"Engine": "docdb", "Port": 27017},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the port is not known",
            facts={},
            missing=("Port",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
