"""The stand-alone instance listens on another port than its engine's default.

Why it matters
--------------
Scanners try the default ports first, and a rule that somebody opens too far as a rule names one of them.
Another port stops nobody who looks, so the control is off in the policy that is shipped: it is for those whom
an auditor asks for it. Members of a cluster are judged at their cluster.

Remediation safety
------------------
Disruptive, and therefore never unattended: the database restarts at once whatever the maintenance window
says, and all connection strings and rules of security groups must change with it.

References
----------
- Amazon RDS API Reference, ModifyDBInstance: DBPortNumber
- Amazon RDS API Reference, Endpoint: Port
- AWS Security Hub CSPM, control RDS.23
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines, frameworks, guidance, ports, scope
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
from warden.core.resource import Facts, ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the port of the endpoint, which AWS does not give while the instance is being created."""
    if verdict := scope.outside_or_member(resource, "the port"):
        return verdict
    if engines.is_custom(resource.facts["Engine"]):
        # "This setting doesn't apply to RDS Custom DB instances" (ModifyDBInstance.DBPortNumber).
        return not_applicable(f"{resource.ref.id} is an RDS Custom instance, whose port its owner chooses.")
    return ports.judge(resource, Facts(resource.facts["Endpoint"])["Port"])


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Manual:
    """Say what to change beside the port."""
    return Manual(
        "Let the security groups admit the new port first, change the port, and then the connection strings of all "
        "clients. The database restarts at once.",
        (
            guidance.command(
                resource,
                "modify-db-instance",
                {
                    "db-instance-identifier": resource.facts["DBInstanceIdentifier"],
                    "db-port-number": "YOUR-PORT",
                },
            ),
        ),
    )


def _at(port: int, engine: str = "postgres") -> dict[str, Any]:
    return {
        "Engine": engine,
        "Endpoint": {"Address": "billing.cabcdefghijk.eu-west-1.rds.amazonaws.com", "Port": port},
    }


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Stand-alone RDS instances listen on another port than the default of their engine",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.LOW,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.23"),
        frameworks.prowler("rds_instance_non_default_port"),
        frameworks.NETWORK,
    ),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE),
    fix="""\
Let the security groups admit the new port first. Then change it; the database restarts at once, and clients must
follow:

    aws rds modify-db-instance --db-instance-identifier {id} --db-port-number PORT --region {region}

Make it last: CloudFormation `Port: PORT` of `AWS::RDS::DBInstance`; Terraform `port` of `aws_db_instance`.
""",
    examples=(
        Example(name="another port", facts=_at(6432), expect=ComplianceType.COMPLIANT),
        Example(name="PostgreSQL's", facts=_at(5432), expect=ComplianceType.NON_COMPLIANT),
        Example(name="MariaDB's", facts=_at(3306, "mariadb"), expect=ComplianceType.NON_COMPLIANT),
        Example(name="SQL Server's", facts=_at(1433, "sqlserver-ex"), expect=ComplianceType.NON_COMPLIANT),
        Example(name="Oracle's", facts=_at(1521, "oracle-se2"), expect=ComplianceType.NON_COMPLIANT),
        Example(name="Db2's", facts=_at(50000, "db2-se"), expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="RDS Custom is configured by its owner",
            facts=_at(1521, "custom-oracle-ee"),
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a member is judged at its cluster",
            facts={**_at(5432, "aurora-postgresql"), "DBClusterIdentifier": "orders"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="AWS gives an address and no port",
            facts={"Endpoint": {"Address": "billing.cabcdefghijk.eu-west-1.rds.amazonaws.com"}},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="the endpoint is not there yet",
            facts={},
            missing=("Endpoint",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
