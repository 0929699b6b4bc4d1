"""The secret that RDS keeps the stand-alone instance's master password in can be read and rotated.

Why it matters
--------------
A managed master password lives in one secret, and nobody else knows it. When RDS can no longer use the
secret's key, the secret is impaired: the password is not rotated any more, and at the hour when somebody
needs the master user, it cannot be read either. Nothing else shows it; the database runs on. Members of a
cluster are judged at their cluster, and read replicas at their source.

Remediation safety
------------------
Safe to leave to a person, and only that: the cause lies with the key or who may use it, which Warden cannot
judge, and a new password cuts off whoever cached the old one. A ticket names the secret and its key.

References
----------
- Amazon RDS API Reference, MasterUserSecret: SecretStatus
- Amazon RDS API Reference, ModifyDBInstance: RotateMasterUserPassword
- Amazon RDS User Guide, "Password management with Amazon RDS and AWS Secrets Manager"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import frameworks, master_user
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
)
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Manual
    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the status of the secret, where there is one."""
    return master_user.unjudged_instance(resource, "the master secret") or master_user.judge_secret(resource)


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Manual:
    """Say where to look for the cause, and how to rotate then."""
    return master_user.repair(resource)


def _secret(status: str) -> dict[str, Any]:
    return {
        "MasterUserSecret": {
            "SecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!db-0a1b",
            "SecretStatus": status,
            "KmsKeyId": "arn:aws:kms:eu-west-1:123456789012:key/1c7a2b3d-4e5f-4a6b-8c9d-0e1f2a3b4c5d",
        }
    }


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="The secret of a stand-alone instance's master user can be read and rotated",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.security_hub("SecretsManager.2"),
        frameworks.config("secretsmanager-scheduled-rotation-success-check"),
        frameworks.pci_dss("8.3.9"),
        frameworks.pci_dss("8.6.3"),
        frameworks.PASSWORDS,
    ),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.SAFE),
    fix="""\
Look which key the secret is encrypted with:

    aws rds describe-db-instances --db-instance-identifier {id} --region {region} \\
        --query "DBInstances[].MasterUserSecret"

Look whether the key is enabled and may be used:

    aws kms describe-key --key-id KEY --region {region}

Once it is, let RDS make a new password. Whoever cached the old one is cut off, and what else is queued is applied:

    aws rds modify-db-instance --db-instance-identifier {id} --rotate-master-user-password --apply-immediately \\
        --region {region}

Make it last: CloudFormation `MasterUserSecret: {KmsKeyId: KEY}` of `AWS::RDS::DBInstance` names a key whose policy
outlives its administrators; Terraform `master_user_secret_kms_key_id` of `aws_db_instance`.
""",
    examples=(
        Example(name="it works", facts=_secret("active"), expect=ComplianceType.COMPLIANT),
        Example(name="it is being rotated", facts=_secret("rotating"), expect=ComplianceType.COMPLIANT),
        Example(
            name="RDS cannot use its key any more",
            facts=_secret("impaired"),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="RDS does not manage the password",
            facts={"MasterUserSecret": None},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a status that nobody knows",
            facts=_secret("shared"),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="AWS does not tell the status",
            facts={
                "MasterUserSecret": {
                    "SecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!db-0a1b"
                }
            },
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a member is judged at its cluster",
            facts={"Engine": "aurora-mysql", "DBClusterIdentifier": "orders", **_secret("impaired")},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a read replica has its source's master user",
            facts={"ReadReplicaSourceDBInstanceIdentifier": "billing-primary", **_secret("impaired")},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the secret is not known",
            facts={},
            missing=("MasterUserSecret",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
