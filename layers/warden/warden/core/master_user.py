"""The master user of a database: its password, the secret that RDS keeps it in, and its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines, guidance
from warden.core.control import Setting, Verdict, compliant, insufficient_data, non_compliant, not_applicable
from warden.core.encryption import CustomerKey
from warden.core.guard import Only, Permit, SameAs
from warden.core.kinds import KINDS
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import Facts, ResourceType
from warden.core.scope import outside_or_member

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource

_COMMANDS = {
    ResourceType.DB_CLUSTER: ("modify-db-cluster", "db-cluster-identifier", "ModifyDBCluster"),
    ResourceType.DB_INSTANCE: ("modify-db-instance", "db-instance-identifier", "ModifyDBInstance"),
}

# Amazon Aurora User Guide and Amazon RDS User Guide, "Permissions required for Secrets Manager integration".
_DEPENDENT_ACTIONS = (
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKey",
    "secretsmanager:CreateSecret",
    "secretsmanager:TagResource",
)

DEFAULT_NAMES = Setting(
    name="default_names",
    default=["admin", "administrator", "master", "postgres", "root", "user"],
    doc="The names of master users that anybody would try first, in lower case.",
    pattern=r"[a-z][a-z0-9_]*",
)


def judge_password(resource: Resource) -> Verdict | None:
    """Compliant where RDS manages the password; None where it does not."""
    if resource.facts["MasterUserSecret"] is None:
        return None
    return compliant(f"{resource.ref.id} has its master password managed by RDS in AWS Secrets Manager.")


def unmanaged(resource: Resource) -> Verdict:
    """The verdict where RDS could manage the password and does not."""
    return non_compliant(
        f"{resource.ref.id} has a master password that somebody chose and nobody rotates: RDS does not manage it."
    )


def managed(resource: Resource, key: str) -> Plan | Manual:
    """Let RDS manage the password from now on, in a secret that is encrypted with the policy's key.

    The key is not left to AWS: "you can't change the KMS key that is used to encrypt the secret" (ModifyDBCluster,
    ModifyDBInstance) later.
    """
    _, _, operation = _COMMANDS[resource.ref.resource_type]
    identifier = KINDS[resource.ref.resource_type].identifier
    if not key:
        return Manual(
            "The policy names no key (baseline.kms_key) for the secret, and once the secret exists its key cannot be "
            "changed. Clients that use the present password are cut off at once.",
            (
                _modify(
                    resource,
                    {"manage-master-user-password": True, "master-user-secret-kms-key-id": "YOUR-KEY"},
                ),
            ),
        )
    return Plan(
        (
            Call(
                operation,
                {
                    identifier: resource.facts[identifier],
                    "ManageMasterUserPassword": True,
                    "MasterUserSecretKmsKeyId": key,
                },
            ),
        )
    )


def permit(operation: str, identifier: str) -> Permit:
    """To let RDS manage the password, with a customer managed key; never to end that, and never to set one."""
    return Permit(
        operation=operation,
        required={
            identifier: SameAs(identifier),
            "ManageMasterUserPassword": Only((True,)),
            "MasterUserSecretKmsKeyId": CustomerKey(),
        },
        dependent_actions=_DEPENDENT_ACTIONS,
    )


def judge_secret(resource: Resource) -> Verdict:
    """Whether the secret can be rotated: MasterUserSecret.SecretStatus."""
    if resource.facts["MasterUserSecret"] is None:
        return not_applicable(f"{resource.ref.id} has no master password that RDS manages.")
    status = Facts(resource.facts["MasterUserSecret"])["SecretStatus"]
    match status:
        case "active" | "creating" | "rotating":
            return compliant(f"{resource.ref.id} has a master secret that works: it is {status}.")
        case "impaired":
            return non_compliant(
                f"{resource.ref.id} has a master secret that can neither be read nor rotated: it is impaired."
            )
        case _:
            return insufficient_data(
                f"{resource.ref.id} has a master secret in a status that Warden does not know: {status!r}."
            )


def repair(resource: Resource) -> Manual:
    """Find the cause, which lies with the key or its permissions, then rotate."""
    secret = Facts(resource.facts["MasterUserSecret"])
    steps = [
        guidance.command(
            resource, "describe-secret", {"secret-id": secret["SecretArn"]}, service="secretsmanager"
        )
    ]
    if "KmsKeyId" in secret:
        steps.append(
            guidance.command(resource, "describe-key", {"key-id": secret["KmsKeyId"]}, service="kms")
        )
    return Manual(
        "RDS cannot use the secret of the master user: as a rule its KMS key is disabled, waits for deletion, or no "
        "longer lets RDS use it. Put that right; then let RDS make a new password, which cuts off whoever cached the "
        "old one. --apply-immediately also applies what else is queued.",
        (
            *steps,
            _modify(resource, {"rotate-master-user-password": True, "apply-immediately": True}),
        ),
    )


def judge_name(resource: Resource, default_names: list[str]) -> Verdict:
    """Whether the name of the master user has to be guessed."""
    name = resource.facts["MasterUsername"]
    if name.lower() in default_names:
        return non_compliant(
            f"{resource.ref.id} has a master user by the name that anybody tries first: {name}."
        )
    return compliant(f"{resource.ref.id} has a master user whose name is none that anybody tries first.")


def rename(resource: Resource) -> Manual:
    """Nothing in place: the name is settled when the database is created."""
    kind = KINDS[resource.ref.resource_type].name
    return Manual(
        f"The name of the master user cannot be changed, and a restored copy keeps it: a new {kind} and a migration "
        "of the data can have another. Meanwhile work with other users, and let RDS manage this one's password."
    )


def unjudged_instance(resource: Resource, what: str) -> Verdict | None:
    """Why the master user of an instance is no matter of its own; None where it is."""
    if verdict := outside_or_member(resource, what):
        return verdict
    for fact in ("ReadReplicaSourceDBInstanceIdentifier", "ReadReplicaSourceDBClusterIdentifier"):
        if (source := resource.facts[fact]) is not None:
            return not_applicable(
                f"{resource.ref.id} is a read replica of {source}, which it has its master user from."
            )
    return None


def is_express(facts: Mapping[str, Any]) -> bool:
    """Whether a cluster was created by express configuration: outside any VPC, with logins by IAM alone."""
    return facts["InternetAccessGatewayEnabled"] is True or facts["VPCNetworkingEnabled"] is False


def is_sql_server(facts: Mapping[str, Any]) -> bool:
    """Whether it is the one engine whose managed passwords go along with read replicas."""
    return engines.family(facts["Engine"]) == "sqlserver"


def _modify(resource: Resource, options: Mapping[str, str | bool]) -> str:
    command, option, _ = _COMMANDS[resource.ref.resource_type]
    name = resource.facts[KINDS[resource.ref.resource_type].identifier]
    return guidance.command(resource, command, {option: name, **options})
