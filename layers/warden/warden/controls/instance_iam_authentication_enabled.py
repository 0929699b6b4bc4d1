"""IAM identities can log in to the stand-alone instance with short-lived tokens.

Why it matters
--------------
A database password is shared, long-lived and known to more people than it should be. With IAM authentication
a client proves who it is with a token that lasts fifteen minutes, and who may connect is decided where all
other access is decided. Enabling it forces nobody: passwords keep working until each database user is
changed.

Only MariaDB from 10.6, MySQL from 5.7 and PostgreSQL from 10 have it; on the other engines the control means
nothing. Members of a cluster are judged at their cluster.

Remediation safety
------------------
Safe, with exceptions. There is no outage, and no client has to change. But it takes 300 to 1000 MiB of
memory, which small burstable instances do not have to spare, so Warden leaves those to a person. The change
is made with ApplyImmediately, and therefore waits while anybody's change is queued on the instance.

References
----------
- Amazon RDS API Reference, ModifyDBInstance: EnableIAMDatabaseAuthentication, ApplyImmediately
- Amazon RDS User Guide, "IAM database authentication for MariaDB, MySQL, and PostgreSQL", "Settings for DB
  instances"
- AWS Security Hub CSPM, control RDS.10
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import authentication, engines, frameworks, scope
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
    insufficient_data,
    not_applicable,
)
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Plan
    from warden.core.resource import Resource

# RDS User Guide, "Supported Regions and DB engines for IAM database authentication in Amazon RDS".
_SINCE: Mapping[str, tuple[int, ...]] = {"mariadb": (10, 6), "mysql": (5, 7), "postgres": (10,)}


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the setting of instances whose engine has it."""
    if verdict := scope.outside_or_member(resource, "IAM authentication"):
        return verdict
    engine, text = resource.facts["Engine"], resource.facts["EngineVersion"]
    if engine not in _SINCE:
        return not_applicable(f"{resource.ref.id} runs {engine}, which has no IAM database authentication.")
    version = engines.version(text)
    if not version:
        return insufficient_data(
            f"{resource.ref.id} runs {engine} {text!r}, a version that Warden cannot read."
        )
    if version < _SINCE[engine]:
        return not_applicable(
            f"{resource.ref.id} runs {engine} {text}, which has no IAM database authentication."
        )
    return authentication.judge(resource)


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan | Manual:
    """Enable it, unless the instance has too little memory for it."""
    instance_class = resource.facts["DBInstanceClass"]
    if authentication.is_small_burstable(instance_class):
        return Manual(
            f"IAM authentication takes 300 to 1000 MiB of memory, and {instance_class} is small. "
            "Look at its FreeableMemory before you enable it, or change the class first."
        )
    return authentication.enabled(resource, "ModifyDBInstance")


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="IAM database authentication is enabled on stand-alone RDS instances that have it",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.10"),
        frameworks.config("rds-instance-iam-authentication-enabled"),
        frameworks.prowler("rds_instance_iam_authentication_enabled"),
        frameworks.AUTHENTICATION,
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(authentication.permit("ModifyDBInstance", "DBInstanceIdentifier"),),
        safety=Safety.SAFE,
    ),
    fix="""\
Enable it. There is no outage, but whatever else is queued on the instance is applied with it:

    aws rds modify-db-instance --db-instance-identifier {id} --enable-iam-database-authentication \\
        --apply-immediately --region {region}

Make it last: CloudFormation `EnableIAMDatabaseAuthentication: true` of `AWS::RDS::DBInstance`; Terraform
`iam_database_authentication_enabled = true` of `aws_db_instance`.
""",
    examples=(
        Example(
            name="enabled",
            facts={"IAMDatabaseAuthenticationEnabled": True},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="not enabled",
            facts={"IAMDatabaseAuthenticationEnabled": False},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="queued for the maintenance window",
            facts={
                "IAMDatabaseAuthenticationEnabled": False,
                "PendingModifiedValues": {"IAMDatabaseAuthenticationEnabled": True},
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an instance without memory to spare",
            facts={"IAMDatabaseAuthenticationEnabled": False, "DBInstanceClass": "db.t3.micro"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="MariaDB since it has it",
            facts={
                "Engine": "mariadb",
                "EngineVersion": "10.11.9",
                "IAMDatabaseAuthenticationEnabled": False,
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="MariaDB before it had it",
            facts={
                "Engine": "mariadb",
                "EngineVersion": "10.5.27",
                "IAMDatabaseAuthenticationEnabled": False,
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="an engine without it",
            facts={
                "Engine": "sqlserver-se",
                "EngineVersion": "16.00.4165.4.v1",
                "IAMDatabaseAuthenticationEnabled": False,
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a version that nobody can read",
            facts={"EngineVersion": "edge", "IAMDatabaseAuthenticationEnabled": False},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a member's own flag says nothing: the cluster's does",
            facts={
                "Engine": "aurora-postgresql",
                "DBClusterIdentifier": "orders",
                "IAMDatabaseAuthenticationEnabled": False,
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the setting is not known",
            facts={},
            missing=("IAMDatabaseAuthenticationEnabled",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
