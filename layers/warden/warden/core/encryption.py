"""Encryption at rest: when it holds, for every kind of resource, and how a snapshot gets an encrypted copy."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from warden.core.baseline import KMS_KEY_PATTERN
from warden.core.control import Verdict, compliant, insufficient_data, non_compliant, not_applicable
from warden.core.dataclass import dataclass
from warden.core.guard import NonEmptyListOf
from warden.core.kinds import KINDS, Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Facts, Resource

_TYPES = {"sse-rds": True, "sse-kms": True, "none": False}

# "Must contain from 1 to 255 letters, numbers, or hyphens" (CopyDBSnapshot.TargetDBSnapshotIdentifier).
NAME_LIMIT = 255
_DIGEST_LENGTH = 8


def is_encrypted(item: Mapping[str, Any], flag: str) -> bool | None:
    """Whether a Describe item is encrypted at rest; None where its type of encryption is not known.

    "If the DB cluster is encrypted with an Amazon Web Services owned key, this value is false and
    StorageEncryptionType is sse-rds ... To determine how the data at rest is protected, use
    StorageEncryptionType" (DBCluster.StorageEncrypted). So the older flag counts only where the type is absent.
    """
    stated = item["StorageEncryptionType"]
    if stated is None:
        return bool(item[flag])
    return _TYPES.get(stated)


def judge(resource: Resource, flag: str) -> Verdict:
    """The verdict on a resource whose older flag is `flag`: StorageEncrypted, or Encrypted for DB snapshots."""
    encrypted = is_encrypted(resource.facts, flag)
    stated = resource.facts["StorageEncryptionType"]
    seen = f"{flag} is {str(resource.facts[flag]).lower()}" if stated is None else f"its type is {stated}"
    if encrypted is None:
        return insufficient_data(
            f"{resource.ref.id} reports the encryption type {stated!r}, which Warden does not know."
        )
    if encrypted:
        return compliant(f"{resource.ref.id} is encrypted at rest: {seen}.")
    return non_compliant(f"{resource.ref.id} is not encrypted at rest: {seen}.")


_NOT_MANUAL = {
    "automated": "is an automated snapshot: it is as its database is, which is judged itself, and expires with "
    "the retention period",
    "awsbackup": "is kept by AWS Backup: it is as its database is, which is judged itself",
    "shared": "belongs to another account",
    "public": "belongs to another account",
}


def not_manual(resource: Resource) -> Verdict | None:
    """Why a snapshot is not one that this account made by hand; None where it is."""
    kind = resource.facts["SnapshotType"]
    if kind == "manual":
        return None
    if kind in _NOT_MANUAL:
        return not_applicable(f"{resource.ref.id} {_NOT_MANUAL[kind]}.")
    return insufficient_data(
        f"{resource.ref.id} is a snapshot of the type {kind!r}, which Warden does not know."
    )


def copy_name(original: str, *, limit: int = NAME_LIMIT) -> str:
    """The name of Warden's encrypted copy of a snapshot: the same at every visit, another for every snapshot.

    "First character must be a letter. Can't end with a hyphen or contain two consecutive hyphens"
    (CopyDBSnapshot); the ids of automated snapshots hold a colon.
    """
    digest = hashlib.sha256(original.encode()).hexdigest()[:_DIGEST_LENGTH]
    words = re.sub(r"[^a-z0-9]+", "-", original.lower())
    room = limit - len("warden--") - _DIGEST_LENGTH
    return "-".join(part for part in ("warden", words.strip("-")[:room].rstrip("-"), digest) if part)


def copies(resource: Resource, candidates: list[Mapping[str, Any]]) -> list[str]:
    """The names of the encrypted copies of a DB snapshot among other snapshots' Describe items.

    SourceDBSnapshotIdentifier "only has a value in the case of a cross-account or cross-Region copy"
    (DBSnapshot), so a copy within the Region is known by what "doesn't change when the snapshot is copied":
    OriginalSnapshotCreateTime, of the same instance.
    """
    facts = resource.facts
    omitted = KINDS[ResourceType.DB_SNAPSHOT].omitted
    return sorted(
        item["DBSnapshotIdentifier"]
        for item in ({**omitted, **candidate} for candidate in candidates)
        if is_encrypted(item, "Encrypted")
        and item["DBSnapshotIdentifier"] != facts["DBSnapshotIdentifier"]
        and (
            item["SourceDBSnapshotIdentifier"] == facts["DBSnapshotArn"]
            or (item["DbiResourceId"], item["OriginalSnapshotCreateTime"])
            == (facts["DbiResourceId"], facts["OriginalSnapshotCreateTime"])
        )
    )


@dataclass(frozen=True, slots=True)
class CopyName:
    """For the write guard: the one name that Warden gives to the copy of this snapshot, and to all for it."""

    fact: str
    limit: int = NAME_LIMIT

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse any other name, and so a second copy beside the first."""
        wanted = copy_name(facts[self.fact], limit=self.limit)
        return None if value == wanted else f"{value!r} is not {wanted!r}, the name of this snapshot's copy"


@dataclass(frozen=True, slots=True)
class SharedAccounts:
    """For the write guard: accounts that the original is shared with, never everybody."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse `all`, and an account that could not restore the original."""
        if isinstance(value, list) and any(not (len(str(one)) == 12 and str(one).isdigit()) for one in value):  # noqa: PLR2004 - an account id
            return f"{value!r} are not account ids"
        return NonEmptyListOf(within=Need.RESTORE_ACCOUNTS).refusal(value, facts)


@dataclass(frozen=True, slots=True)
class CustomerKey:
    """For the write guard: a customer managed KMS key as the policy may name one; never `alias/aws/…`."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse AWS's own keys, bare ids and what is no key."""
        del facts
        if isinstance(value, str) and re.fullmatch(KMS_KEY_PATTERN, value):
            return None
        return f"{value!r} does not name a customer managed key"


def with_another_key(item: Mapping[str, Any], wanted: str, aliases: Mapping[str, str]) -> str:
    """Why a Describe item is not encrypted as the policy wants it, as half a sentence; empty where it is.

    `aliases` holds the id of the key behind each alias of the account, by the alias's name.
    """
    if item["StorageEncryptionType"] not in {None, "sse-kms"} or not item["KmsKeyId"]:
        return f"its type of encryption is {item['StorageEncryptionType']}"
    key = wanted.rpartition(":key/")[2] if ":key/" in wanted else aliases.get(wanted[wanted.find("alias/") :])
    actual = str(item["KmsKeyId"])
    if actual == wanted or (key is not None and actual.rpartition("/")[2] == key):
        return ""
    return f"its key is {actual}, not {wanted}"
