"""IAM identities can log in to the cluster with short-lived tokens.

Why it matters
--------------
A database password is shared, long-lived and known to more people than it should be. With IAM authentication
a client proves who it is with a token that lasts fifteen minutes, and who may connect is decided where all
other access is decided. Enabling it forces nobody: passwords keep working until each database user is
changed.

Remediation safety
------------------
Safe, with exceptions. There is no outage, and no client has to change. But it takes 300 to 1000 MiB of
memory, which small burstable instances do not have to spare, nor has Serverless v2 with a maximum of one ACU,
so Warden leaves clusters with such members to a person. The change is made with ApplyImmediately, and therefore
waits while anybody's change is queued on the cluster or a member.

References
----------
- Amazon RDS API Reference, ModifyDBCluster: EnableIAMDatabaseAuthentication, ApplyImmediately
- Amazon Aurora User Guide, "IAM database authentication" and "Enabling and disabling IAM database
  authentication"
- AWS Security Hub CSPM, control RDS.12
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
    not_applicable,
)
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Plan
    from warden.core.resource import Resource

# "All DB instance classes are supported, except for db.t2.small and db.t3.small" (Aurora User Guide, "IAM
# database authentication", of Aurora MySQL).
_UNSUPPORTED = frozenset({"db.t2.small", "db.t3.small"})


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the setting of Aurora and Multi-AZ DB clusters."""
    if verdict := scope.outside(resource):
        return verdict
    if resource.facts["EngineMode"] == engines.SERVERLESS_V1:
        return not_applicable(f"{resource.ref.id} is Aurora Serverless v1, which has no IAM authentication.")
    return authentication.judge(resource)


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan | Manual:
    """Enable it, unless a member has too little memory for it."""
    small = {
        f"{member['DBInstanceIdentifier']} ({member['DBInstanceClass']})": member["DBInstanceClass"]
        for member in resource.facts[Need.MEMBERS]
        if _is_small(resource, member["DBInstanceClass"])
    }
    if not small:
        return authentication.enabled(resource, "ModifyDBCluster")
    names = ", ".join(sorted(small))
    if resource.facts["Engine"] == "aurora-mysql" and _UNSUPPORTED & set(small.values()):
        return Manual(
            f"Aurora MySQL does not support IAM authentication on db.t2.small and db.t3.small: {names}. "
            "Change the class first."
        )
    return Manual(
        f"IAM authentication takes 300 to 1000 MiB of memory, and these members are small: {names}. "
        "Look at their FreeableMemory before you enable it, or change the class first."
    )


def _is_small(resource: Resource, instance_class: str) -> bool:
    """Whether an instance has 2 GiB of memory at most.

    "Each ACU is a combination of approximately 2 gibibytes (GiB) of memory" (Amazon Aurora User Guide, "How Aurora
    Serverless v2 works"), so on Serverless v2 the maximum decides.
    """
    if instance_class != "db.serverless":
        return authentication.is_small_burstable(instance_class)
    scaling = resource.facts["ServerlessV2ScalingConfiguration"]
    return scaling is None or bool(scaling["MaxCapacity"] <= 1)


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="IAM database authentication is enabled on Aurora and Multi-AZ DB clusters",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.12"),
        frameworks.security_hub("RDS.10"),
        frameworks.config("rds-cluster-iam-authentication-enabled"),
        frameworks.config("rds-instance-iam-authentication-enabled"),
        frameworks.prowler("rds_cluster_iam_authentication_enabled"),
        frameworks.cis_database("2.10"),
        frameworks.AUTHENTICATION,
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(authentication.permit("ModifyDBCluster", "DBClusterIdentifier"),),
        safety=Safety.SAFE,
        needs=(Need.MEMBERS,),
    ),
    fix="""\
Enable it. There is no outage, but whatever else is queued on the cluster is applied with it:

    aws rds modify-db-cluster --db-cluster-identifier {id} --enable-iam-database-authentication \\
        --apply-immediately --region {region}

Make it last: CloudFormation `EnableIAMDatabaseAuthentication: true` of `AWS::RDS::DBCluster`; Terraform
`iam_database_authentication_enabled = true` of `aws_rds_cluster`.
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
            name="queued to be disabled",
            facts={
                "IAMDatabaseAuthenticationEnabled": True,
                "PendingModifiedValues": {"IAMDatabaseAuthenticationEnabled": False},
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member without memory to spare",
            facts={
                "IAMDatabaseAuthenticationEnabled": False,
                "Members": [{"DBInstanceIdentifier": "orders-1", "DBInstanceClass": "db.t4g.small"}],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a class on which Aurora MySQL does not have it",
            facts={
                "Engine": "aurora-mysql",
                "EngineVersion": "8.0.mysql_aurora.3.08.0",
                "IAMDatabaseAuthenticationEnabled": False,
                "Members": [{"DBInstanceIdentifier": "orders-1", "DBInstanceClass": "db.t3.small"}],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a cluster without instances",
            facts={"IAMDatabaseAuthenticationEnabled": False, "DBClusterMembers": [], "Members": []},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="Aurora Serverless v1 cannot have it",
            facts={"EngineMode": "serverless", "IAMDatabaseAuthenticationEnabled": False},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a Neptune cluster is another product",
            facts={"Engine": "neptune", "IAMDatabaseAuthenticationEnabled": False},
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
