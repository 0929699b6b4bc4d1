"""Which KMS keys may encrypt what databases keep, and the verdict on the key that does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import encryption
from warden.core.baseline import KMS_KEY_PATTERN
from warden.core.control import Setting, Verdict, compliant, insufficient_data, non_compliant, not_applicable
from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warden.core.resource import Resource

ANY, KMS, CUSTOMER_MANAGED = "any", "kms", "customer-managed"

KEY_REQUIREMENT = Setting(
    name="key_requirement",
    default=CUSTOMER_MANAGED,
    doc="Which keys may encrypt: any, an AWS owned key among them; kms, a key of the account that KMS shows, "
    "aws/rds among them; or customer-managed.",
    choices=(ANY, KMS, CUSTOMER_MANAGED),
    shared=True,
)
ALLOWED_KEYS = Setting(
    name="allowed_keys",
    default=[],
    doc="The customer managed keys that may encrypt: ARNs of keys or of aliases, or alias names. A key of another "
    "account can only be allowed by the key's own ARN. Empty: every customer managed key of the account itself.",
    pattern=KMS_KEY_PATTERN,
    shared=True,
)
SETTINGS = (KEY_REQUIREMENT, ALLOWED_KEYS)

_ENCRYPTION_CONTROLS = {
    ResourceType.DB_CLUSTER: "cluster_storage_encrypted",
    ResourceType.DB_INSTANCE: "instance_storage_encrypted",
    ResourceType.DB_CLUSTER_SNAPSHOT: "cluster_snapshot_encrypted",
    ResourceType.DB_SNAPSHOT: "db_snapshot_encrypted",
}
_WANTED = {KMS: "a key of KMS", CUSTOMER_MANAGED: "a customer managed key"}


def judge_storage(resource: Resource, settings: Mapping[str, Any], flag: str) -> Verdict:
    """The verdict on the key of a resource's storage; `flag` is its older flag of encryption."""
    encrypted = encryption.is_encrypted(resource.facts, flag)
    stated = resource.facts["StorageEncryptionType"]
    wanted = settings["key_requirement"]
    if encrypted is None:
        return insufficient_data(
            f"{resource.ref.id} reports the encryption type {stated!r}, which Warden does not know."
        )
    if not encrypted:
        return not_applicable(
            f"{resource.ref.id} is not encrypted at all, which "
            f"{_ENCRYPTION_CONTROLS[resource.ref.resource_type]} judges."
        )
    if wanted == ANY:
        return compliant(f"{resource.ref.id} is encrypted, and the policy accepts any key.")
    if stated == "sse-rds":
        return non_compliant(
            f"{resource.ref.id} is encrypted with a key that AWS owns; the policy wants {_WANTED[wanted]}."
        )
    return judge_key(resource, settings, Need.STORAGE_KEY, "its storage")


def judge_key(resource: Resource, settings: Mapping[str, Any], need: Need, what: str) -> Verdict:
    """The verdict on the key that encrypts `what`, a key that the resource names."""
    if settings["key_requirement"] in {ANY, KMS}:
        return compliant(f"{resource.ref.id} encrypts {what} with a key of KMS, as the policy wants.")
    key = resource.facts[need]
    if key is None:
        return insufficient_data(f"{resource.ref.id} encrypts {what}, and names no key for it.")
    if key["KeyManager"] != "CUSTOMER":
        return non_compliant(
            f"{resource.ref.id} encrypts {what} with a key that AWS manages; the policy wants a customer managed key."
        )
    arn = key["Arn"]
    allowed = settings["allowed_keys"]
    if not allowed and key["AWSAccountId"] != resource.ref.account:
        return non_compliant(
            f"{resource.ref.id} encrypts {what} with {arn}, a key of another account that the policy does not list."
        )
    if allowed and not _is_allowed(resource, arn, allowed):
        return non_compliant(
            f"{resource.ref.id} encrypts {what} with {arn}, which is not one of the keys that the policy lists."
        )
    return compliant(f"{resource.ref.id} encrypts {what} with the customer managed key {arn}.")


def _is_allowed(resource: Resource, arn: str, allowed: Sequence[str]) -> bool:
    if arn in allowed:
        return True
    wanted = {name for name in allowed if ":key/" not in name}
    if not wanted:
        return False
    aliases = resource.facts[Need.KEY_ALIASES].get(arn, [])
    return not wanted.isdisjoint({*aliases, *(alias.rpartition(":")[2] for alias in aliases)})


def preferred(settings: Mapping[str, Any]) -> str:
    """The key that a person is told to use: the baseline's, else the first that is allowed, else a placeholder."""
    key: str = settings["kms_key"] or next(iter(settings["allowed_keys"]), "") or "YOUR-KEY"
    return key
