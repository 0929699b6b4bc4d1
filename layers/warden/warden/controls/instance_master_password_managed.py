"""RDS manages the stand-alone instance's master password in AWS Secrets Manager, and rotates it.

Why it matters
--------------
The master user may do almost everything, and its password is as a rule chosen by a person, pasted into a
pipeline, known to whoever left last year, and never changed. Where RDS manages it, nobody chooses or knows
it: RDS makes it, keeps it in a secret, rotates it every seven days by default, and each reading of it is a
call that CloudTrail records.

AWS does not offer it for RDS Custom, databases in a blue/green deployment, Oracle with several tenants, and
read replicas and, but for SQL Server, their sources. A master user that logs in by IAM
(`MasterUserAuthenticationType`) cannot be told from AWS's answers: exempt such instances in the policy.
Members of a cluster are judged at their cluster.

Remediation safety
------------------
Disruptive. There is no outage, but RDS makes a new password at once, and whatever uses the old one is cut
off. So each case needs an approval; a line of the policy is not enough. Whoever approves should also know
that the instance can have no read replicas afterwards, but for SQL Server. The secret is encrypted with the
policy's key and never with a default one, because the key cannot be changed later. A secret costs 0.40 USD a
month in us-east-1.

References
----------
- Amazon RDS API Reference, ModifyDBInstance: ManageMasterUserPassword, MasterUserSecretKmsKeyId
- Amazon RDS API Reference, DBInstance: MasterUserSecret
- Amazon RDS User Guide, "Password management with Amazon RDS and AWS Secrets Manager"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines, frameworks, master_user
from warden.core.baseline import KMS_KEY
from warden.core.conditions import in_blue_green
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
from warden.core.preflight import Question
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Manual, Plan
    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge instances whose master password RDS could manage."""
    if verdict := master_user.unjudged_instance(resource, "the master password"):
        return verdict
    if verdict := master_user.judge_password(resource):
        return verdict
    if reason := _not_offered(resource):
        return not_applicable(f"{resource.ref.id} {reason}: AWS manages no master passwords there.")
    return master_user.unmanaged(resource)


def _not_offered(resource: Resource) -> str:
    """Why AWS does not offer it here, where it does not.

    Amazon RDS User Guide, "Limitations for Secrets Manager integration with Amazon RDS".
    """
    facts = resource.facts
    if engines.is_custom(facts["Engine"]):
        return "is an RDS Custom instance"
    if facts["MultiTenant"]:
        # "Can't specify for RDS for Oracle CDB instances in the multi-tenant configuration" (ModifyDBInstance).
        return "is an Oracle database with several tenants, each of which has a master user"
    replicas = [*facts["ReadReplicaDBInstanceIdentifiers"], *facts["ReadReplicaDBClusterIdentifiers"]]
    if replicas and not master_user.is_sql_server(facts):
        return f"has the read replicas {', '.join(replicas)}"
    return "is part of a blue/green deployment" if in_blue_green(resource) else ""


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Turn it on, with the policy's key."""
    return master_user.managed(resource, settings["kms_key"])


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="RDS manages the master password of stand-alone RDS instances",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.HIGH,
    frameworks=frameworks.PASSWORDS,
    needs=(Need.BLUE_GREEN,),
    settings=(KMS_KEY,),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(master_user.permit("ModifyDBInstance", "DBInstanceIdentifier"),),
        safety=Safety.DISRUPTIVE,
        # Who uses the present password? Until something looks, only a person can let it pass.
        preflight=Question.PASSWORD,
    ),
    fix="""\
Find out first who logs in as the master user, and let them read the secret instead, or better use a user of their
own. Then turn it on; the password changes at once:

    aws rds modify-db-instance --db-instance-identifier {id} --manage-master-user-password \\
        --master-user-secret-kms-key-id KEY --region {region}

The secret's ARN, which clients need:

    aws rds describe-db-instances --db-instance-identifier {id} --region {region} \\
        --query "DBInstances[].MasterUserSecret"

Make it last: CloudFormation `ManageMasterUserPassword: true` of `AWS::RDS::DBInstance`, with MasterUserSecret and
without MasterUserPassword; Terraform `manage_master_user_password = true` of `aws_db_instance`.
""",
    examples=(
        Example(name="managed", facts={}, expect=ComplianceType.COMPLIANT),
        Example(
            name="a password that somebody chose",
            facts={"MasterUserSecret": None},
            settings={"kms_key": "alias/databases"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a policy that names no key for the secret",
            facts={"MasterUserSecret": None},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the source of read replicas cannot have it",
            facts={"MasterUserSecret": None, "ReadReplicaDBInstanceIdentifiers": ["billing-replica"]},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="nor can one that replicates to an Aurora cluster",
            facts={"MasterUserSecret": None, "ReadReplicaDBClusterIdentifiers": ["billing-aurora"]},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="but SQL Server can",
            facts={
                "Engine": "sqlserver-ee",
                "EngineVersion": "16.00.4165.4.v1",
                "MasterUserSecret": None,
                "ReadReplicaDBInstanceIdentifiers": ["billing-replica"],
            },
            settings={"kms_key": "alias/databases"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a read replica has its source's password",
            facts={"MasterUserSecret": None, "ReadReplicaSourceDBInstanceIdentifier": "billing-primary"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="Oracle with several tenants has several master users",
            facts={"Engine": "oracle-ee-cdb", "MasterUserSecret": None, "MultiTenant": True},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="RDS Custom is administered by its owner",
            facts={"Engine": "custom-sqlserver-ee", "MasterUserSecret": None},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="an instance in a blue/green deployment cannot have it",
            facts={"MasterUserSecret": None, Need.BLUE_GREEN: [{"Status": "AVAILABLE"}]},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a member is judged at its cluster",
            facts={
                "Engine": "aurora-postgresql",
                "DBClusterIdentifier": "orders",
                "MasterUserSecret": None,
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the blue/green deployments could not be read",
            facts={"MasterUserSecret": None},
            missing=(Need.BLUE_GREEN,),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="it is not known",
            facts={},
            missing=("MasterUserSecret",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
