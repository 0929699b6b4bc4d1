"""Encryption at rest: which key, and which of AWS's three kinds of protection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.kms.models import KmsBackend, kms_backends

from console.local.rds.call import Call, account_of, refuse, region_of
from console.local.rds.registry import Correction, Patch, Topic
from console.local.rds.state import StorageEncryptionType, extras

_DEFAULT_KEY = "alias/aws/rds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Encryption:
    """How a resource is encrypted; only a KMS key that the account can see is named."""

    type: StorageEncryptionType
    kms_key_id: str | None = None

    @property
    def storage_encrypted(self) -> bool:
        """Whether AWS says so in the older flag, which an AWS owned key does not set."""
        return self.type is StorageEncryptionType.SSE_KMS


UNENCRYPTED = Encryption(type=StorageEncryptionType.NONE)
AWS_OWNED_KEY = Encryption(type=StorageEncryptionType.SSE_RDS)


def resolve_key(call: Call, key_id: str) -> str:
    """Turn any name of a key into its ARN, or answer as AWS does for a key that cannot be used here."""
    backend = kms_backends[account_of(key_id, call.account)][call.region]
    try:
        key = backend.keys[backend.any_id_to_key_id(key_id)]
    except (KeyError, AttributeError):
        key = None
    if key is None or not key.enabled or region_of(key_id, call.region) != call.region:
        refuse(
            "KMSKeyNotAccessibleFault",
            f"Specified KMS key [{key_id}] does not exist, is not enabled or you do not have permissions to"
            " access it.",
        )
    arn: str = key.arn
    return arn


def with_key(call: Call, key_id: str | None) -> Encryption:
    """Encrypt with a key of KMS, the account's default one if none is named."""
    return Encryption(
        type=StorageEncryptionType.SSE_KMS, kms_key_id=resolve_key(call, key_id or _DEFAULT_KEY)
    )


def asked_for(call: Call, *, otherwise: Encryption) -> Encryption:
    """Read the encryption that a request asks for."""
    if call.has("KmsKeyId") or call.get("StorageEncrypted"):
        return with_key(call, call.get("KmsKeyId"))
    return otherwise


def encryption_of(resource: Any) -> Encryption:
    """Read the encryption that a cluster, instance or snapshot has."""
    cluster = getattr(resource, "cluster", None)
    source = cluster if hasattr(resource, "is_cluster_writer") and cluster is not None else resource
    return Encryption(type=extras(source).encryption, kms_key_id=source.kms_key_id)


def encrypt(resource: Any, encryption: Encryption) -> None:
    """Write an encryption down where moto and the presenters look for it."""
    extras(resource).encryption = encryption.type
    resource.storage_encrypted = encryption.storage_encrypted
    resource.kms_key_id = encryption.kms_key_id


def members(resource: Any, *, flag: str = "StorageEncrypted") -> dict[str, Any]:
    """Render the members that tell about encryption."""
    encryption = encryption_of(resource)
    item: dict[str, Any] = {
        flag: encryption.storage_encrypted,
        "StorageEncryptionType": str(encryption.type),
    }
    if encryption.kms_key_id is not None:
        item["KmsKeyId"] = encryption.kms_key_id
    return item


def _default_key_of_aws(backend: Any, alias_name: str) -> str | None:
    """Make the AWS managed key behind a reserved alias, managed by AWS as its name says."""
    key_id: str | None = _GENERATE(backend, alias_name)
    if key_id is not None:
        backend.keys[key_id].key_manager = "AWS"
    return key_id


_GENERATE = KmsBackend._generate_default_keys  # noqa: SLF001 - the one place where moto makes these keys

TOPIC = Topic(
    name="encryption",
    patches=(Patch(target=KmsBackend, attribute="_generate_default_keys", replacement=_default_key_of_aws),),
    corrections=(
        Correction(
            name="encryption-type",
            why="moto has no StorageEncryptionType, without which an AWS owned key looks like no encryption",
            reference="DBCluster.StorageEncryptionType",
            words="sse-rds - The DB cluster is encrypted using an Amazon Web Services owned KMS key.",
        ),
        Correction(
            name="aws-owned-key-by-default",
            why="moto's clusters are unencrypted unless asked; AWS's are encrypted, and the old flag is false",
            reference="DBCluster.StorageEncrypted",
            words=(
                "If the DB cluster is encrypted with an Amazon Web Services owned key, this value is false and"
                " StorageEncryptionType is sse-rds."
            ),
        ),
        Correction(
            name="key-only-if-encrypted",
            why="moto names a key `default_kms_key_id` for clusters that have none",
            reference="DBCluster.KmsKeyId",
            words="If StorageEncrypted is enabled, the Amazon Web Services KMS key identifier",
        ),
        Correction(
            name="default-key-of-the-account",
            why="moto names no usable key where only StorageEncrypted was given",
            reference="CreateDBClusterMessage.KmsKeyId",
            words=(
                "If the StorageEncrypted parameter is enabled and ReplicationSourceIdentifier isn't specified,"
                " then Amazon RDS uses your default KMS key."
            ),
        ),
        Correction(
            name="instances-unencrypted-by-default",
            why="moto has no StorageEncryptionType for instances either",
            reference="CreateDBInstanceMessage.StorageEncrypted",
            words="By default, it isn't encrypted.",
        ),
        Correction(
            name="unusable-keys-refused",
            why="moto takes any name of a key when it creates a cluster",
            reference="KMSKeyNotAccessibleFault",
            words="An error occurred accessing an Amazon Web Services KMS key.",
        ),
    ),
)
