"""RDS manages the cluster's master password in AWS Secrets Manager, and rotates it.

Why it matters
--------------
The master user may do almost everything, and its password is as a rule chosen by a person, pasted into a
pipeline, known to whoever left last year, and never changed. Where RDS manages it, nobody chooses or knows
it: RDS makes it, keeps it in a secret, rotates it every seven days by default, and each reading of it is a
call that CloudTrail records.

AWS does not offer it for members of a global database, Aurora Serverless v1, clusters with replicas of other
clusters, databases in a blue/green deployment, or clusters of express configuration, which know logins by IAM
alone. A master user that logs in by IAM (`MasterUserAuthenticationType`) cannot be told from AWS's answers:
exempt such clusters in the policy.

Remediation safety
------------------
Disruptive. There is no outage, but RDS makes a new password at once, and whatever uses the old one is cut
off. So each case needs an approval; a line of the policy is not enough. Whoever approves must also know that
no external binary log replication uses the master user, which AWS's answers do not show. The secret is
encrypted with the policy's key and never with a default one, because the key cannot be changed later. A
secret costs 0.40 USD a month in us-east-1.

References
----------
- Amazon RDS API Reference, ModifyDBCluster: ManageMasterUserPassword, MasterUserSecretKmsKeyId
- Amazon RDS API Reference, DBCluster: MasterUserSecret
- Amazon Aurora User Guide, "Password management with Amazon Aurora and AWS Secrets Manager"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines, frameworks, master_user, scope
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
    """Judge clusters whose master password RDS could manage."""
    if verdict := scope.outside(resource) or master_user.judge_password(resource):
        return verdict
    if reason := _not_offered(resource):
        return not_applicable(f"{resource.ref.id} {reason}: AWS manages no master passwords there.")
    return master_user.unmanaged(resource)


def _not_offered(resource: Resource) -> str:
    """Why AWS does not offer it here, where it does not.

    Amazon Aurora User Guide, "Limitations for Secrets Manager integration with Amazon Aurora".
    """
    facts = resource.facts
    if facts["EngineMode"] == engines.SERVERLESS_V1:
        return "is Aurora Serverless v1"
    if master_user.is_express(facts):
        return "was created by express configuration, with logins by IAM alone"
    if name := facts["GlobalClusterIdentifier"]:
        return f"belongs to the global database {name}"
    if source := facts["ReplicationSourceIdentifier"]:
        return f"is a read replica of {source}"
    if replicas := facts["ReadReplicaIdentifiers"]:
        return f"has the read replicas {', '.join(replicas)}"
    return "is part of a blue/green deployment" if in_blue_green(resource) else ""


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Turn it on, with the policy's key."""
    return master_user.managed(resource, settings["kms_key"])


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="RDS manages the master password of clusters",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.cis_database("2.6"),
        frameworks.PASSWORDS,
    ),
    needs=(Need.BLUE_GREEN,),
    settings=(KMS_KEY,),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(master_user.permit("ModifyDBCluster", "DBClusterIdentifier"),),
        safety=Safety.DISRUPTIVE,
        # Who uses the present password? Until something looks, only a person can let it pass.
        preflight=Question.PASSWORD,
    ),
    fix="""\
Find out first who logs in as the master user, and let them read the secret instead, or better use a user of their
own. Then turn it on; the password changes at once:

    aws rds modify-db-cluster --db-cluster-identifier {id} --manage-master-user-password \\
        --master-user-secret-kms-key-id KEY --region {region}

The secret's ARN, which clients need:

    aws rds describe-db-clusters --db-cluster-identifier {id} --region {region} \\
        --query "DBClusters[].MasterUserSecret"

Make it last: CloudFormation `ManageMasterUserPassword: true` of `AWS::RDS::DBCluster`, with MasterUserSecret and
without MasterUserPassword; Terraform `manage_master_user_password = true` of `aws_rds_cluster`.
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
            name="a Multi-AZ DB cluster",
            facts={"Engine": "mysql", "EngineVersion": "8.0.40", "MasterUserSecret": None},
            settings={"kms_key": "alias/databases"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member of a global database cannot have it",
            facts={"MasterUserSecret": None, "GlobalClusterIdentifier": "orders-global"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="Aurora Serverless v1 cannot have it",
            facts={"MasterUserSecret": None, "EngineMode": "serverless"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="an express cluster has no passwords",
            facts={"MasterUserSecret": None, "InternetAccessGatewayEnabled": True},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a cross-Region replica has its source's password",
            facts={
                "MasterUserSecret": None,
                "ReplicationSourceIdentifier": "arn:aws:rds:eu-central-1:123456789012:cluster:orders",
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the source of a cross-Region replica cannot have it",
            facts={
                "MasterUserSecret": None,
                "ReadReplicaIdentifiers": ["arn:aws:rds:eu-central-1:123456789012:cluster:orders-dr"],
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="nor can a cluster in a blue/green deployment",
            facts={"MasterUserSecret": None, Need.BLUE_GREEN: [{"Status": "AVAILABLE"}]},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a blue/green deployment that is over does not matter",
            facts={"MasterUserSecret": None, Need.BLUE_GREEN: [{"Status": "SWITCHOVER_COMPLETED"}]},
            settings={"kms_key": "alias/databases"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a DocumentDB cluster is another product",
            facts={"Engine": "docdb", "MasterUserSecret": None},
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
