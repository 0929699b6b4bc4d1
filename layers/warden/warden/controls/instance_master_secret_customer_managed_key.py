"""The secret that holds an instance's master password is encrypted with a customer managed key that is allowed.

Why it matters
--------------
With the default key, aws/secretsmanager, every identity of the account that may read the secret can
decrypt it, and no other account ever can. With a customer managed key, the key's policy is a second lock
before the most powerful password of the database.

Only passwords that RDS manages in Secrets Manager are judged; whether it does is another condition. A
member of a cluster has its password at the cluster.

Remediation safety
------------------
Disruptive. And left to a person: "If the DB instance already manages the master user password in Amazon
Web Services Secrets Manager, you can't change the KMS key". Turning management off and on again with the
key changes the password twice and makes another secret, so whatever reads the old one must learn the new
ARN.

References
----------
- Amazon RDS API Reference, ModifyDBInstance: MasterUserSecretKmsKeyId
- AWS KMS API Reference, DescribeKey: KeyManager
- AWS Config, rule secretsmanager-using-cmk
- Amazon RDS User Guide, "Password management with Amazon Web Services Secrets Manager"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import baseline, customer_keys, frameworks, guidance, scope
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

    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the key of a managed master password."""
    if verdict := scope.outside_or_member(resource, "the master password"):
        return verdict
    if resource.facts["MasterUserSecret"] is None:
        return not_applicable(f"{resource.ref.id} has no master password that RDS manages in a secret.")
    return customer_keys.judge_key(resource, settings, Need.MASTER_SECRET_KEY, "its master password")


def plan(resource: Resource, settings: Mapping[str, Any]) -> Manual:
    """Tell a person how the secret gets the key."""
    identifier = resource.facts["DBInstanceIdentifier"]
    return Manual(
        "The key of a managed secret cannot be changed. Turn management off, and on again with the key: the password "
        "changes twice, and the secret is another one, so tell whatever reads it.",
        (
            guidance.command(
                resource,
                "modify-db-instance",
                {
                    "db-instance-identifier": identifier,
                    "manage-master-user-password": False,
                    "master-user-password": "A-PASSWORD-FOR-MINUTES",
                    "apply-immediately": True,
                },
            ),
            guidance.command(resource, "wait db-instance-available", {"db-instance-identifier": identifier}),
            guidance.command(
                resource,
                "modify-db-instance",
                {
                    "db-instance-identifier": identifier,
                    "manage-master-user-password": True,
                    "master-user-secret-kms-key-id": customer_keys.preferred(settings),
                    "apply-immediately": True,
                },
            ),
        ),
    )


_KEY = "arn:aws:kms:eu-west-1:123456789012:key/1c7a2b3d-4e5f-4a6b-8c9d-0e1f2a3b4c5d"
_OF_AWS = {"Arn": _KEY, "AWSAccountId": "123456789012", "KeyManager": "AWS"}
_OF_ANOTHER_ACCOUNT = {
    "Arn": "arn:aws:kms:eu-west-1:210987654321:key/1c7a2b3d-4e5f-4a6b-8c9d-0e1f2a3b4c5d",
    "AWSAccountId": "210987654321",
    "KeyManager": "CUSTOMER",
}
_OTHER_KEY = "arn:aws:kms:eu-west-1:123456789012:key/00000000-4e5f-4a6b-8c9d-0e1f2a3b4c5d"

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Master passwords of instances are encrypted with an allowed customer managed key",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.config("secretsmanager-using-cmk"),
        frameworks.ENCRYPTION_AT_REST,
    ),
    needs=(Need.MASTER_SECRET_KEY, Need.KEY_ALIASES),
    settings=(*customer_keys.SETTINGS, baseline.KMS_KEY),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE),
    fix="""\
The key of a managed secret cannot be changed. Turn management off, and on again with the key; the password
changes twice, and the secret is another one:

    aws rds modify-db-instance --db-instance-identifier {id} --no-manage-master-user-password \\
        --master-user-password A-PASSWORD-FOR-MINUTES --apply-immediately --region {region}
    aws rds modify-db-instance --db-instance-identifier {id} --manage-master-user-password \\
        --master-user-secret-kms-key-id YOUR-KEY --apply-immediately --region {region}

Make it last: CloudFormation `MasterUserSecret: KmsKeyId alias/databases` of `AWS::RDS::DBInstance`; Terraform
`master_user_secret_kms_key_id` of `aws_db_instance`.
""",
    examples=(
        Example(
            name="a customer managed key of the account",
            facts={},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a key that AWS manages",
            facts={"MasterSecretKey": _OF_AWS},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a key that AWS manages, and the policy accepts it",
            facts={"MasterSecretKey": _OF_AWS},
            settings={"key_requirement": "kms"},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a customer managed key of another account",
            facts={"MasterSecretKey": _OF_ANOTHER_ACCOUNT},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a key of another account that the policy lists",
            facts={"MasterSecretKey": _OF_ANOTHER_ACCOUNT},
            settings={"allowed_keys": [_OF_ANOTHER_ACCOUNT["Arn"]]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a key that the policy lists by its ARN",
            facts={},
            settings={"allowed_keys": [_OTHER_KEY, _KEY]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a key that the policy lists by the name of its alias",
            facts={},
            settings={"allowed_keys": ["alias/databases"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a key that the policy lists by the ARN of its alias",
            facts={},
            settings={"allowed_keys": ["arn:aws:kms:eu-west-1:123456789012:alias/databases"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an alias of that name in another Region does not count",
            facts={},
            settings={"allowed_keys": ["arn:aws:kms:us-east-1:123456789012:alias/databases"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a customer managed key that the policy does not list",
            facts={},
            settings={"allowed_keys": [_OTHER_KEY], "kms_key": _OTHER_KEY},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="KMS does not say what kind of key it is",
            facts={},
            missing=("MasterSecretKey",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="the password is not managed",
            facts={"MasterUserSecret": None, "MasterSecretKey": None},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="managed, and no key is named",
            facts={"MasterSecretKey": None},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a member's password is its cluster's",
            facts={"Engine": "aurora-mysql", "DBClusterIdentifier": "orders", "MasterSecretKey": _OF_AWS},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
    ),
)
