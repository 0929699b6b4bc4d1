"""KMS keys as databases name them: described once, and which databases use which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.errors import RefusedError
from warden.core.resource import ResourceRef, ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from warden.gateways.reads import Reads

_GONE = "NotFoundException"
_DATABASES = (("DescribeDBClusters", "DBClusterArn"), ("DescribeDBInstances", "DBInstanceArn"))
_SNAPSHOTS = (
    ("DescribeDBClusterSnapshots", "DBClusterSnapshotArn"),
    ("DescribeDBSnapshots", "DBSnapshotArn"),
)
_NAMES_OF_KEYS = ("KmsKeyId", "PerformanceInsightsKMSKeyId", "ActivityStreamKmsKeyId")


def described(reads: Reads, key_id: str) -> dict[str, Any]:
    """The metadata of a key by any of its names: one call for each name, shared by what uses it."""
    metadata: dict[str, Any] = reads.once(
        ("key", key_id), lambda: reads.api.call("DescribeKey", KeyId=key_id)["KeyMetadata"]
    )
    return metadata


def described_if_there(reads: Reads, key_id: str) -> dict[str, Any] | None:
    """The same, or None where KMS has no such key any more."""
    try:
        return described(reads, key_id)
    except RefusedError as error:
        if error.code == _GONE:
            return None
        raise


def uses(reads: Reads) -> Mapping[str, list[str]]:
    """The ARNs of clusters, instances and snapshots by the ARN of each key that they use, databases first.

    The lists of all four, once where reads are shared; snapshots are passed by page by page and not kept.
    """
    return reads.once("uses of keys", lambda: _uses(reads))


def users(reads: Reads, key_arn: str) -> Iterator[str]:
    """The ARNs of the clusters and instances that use a key: two lists."""
    for operation, arn in _DATABASES:
        for item in reads.whole(operation):
            if key_arn in {_arn(reads, name) for name in _keys_of(item)}:
                yield str(item[arn])


def _uses(reads: Reads) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for operation, arn in (*_DATABASES, *_SNAPSHOTS):
        pages = [reads.whole(operation)] if (operation, arn) in _DATABASES else reads.api.pages(operation)
        for item in (item for page in pages for item in page):
            for key in {_arn(reads, name) for name in _keys_of(item)}:
                found.setdefault(key, []).append(str(item[arn]))
    return found


def _keys_of(item: Mapping[str, Any]) -> Iterator[str]:
    """Storage, Performance Insights, the activity stream and the master password's secret."""
    names = [item.get(name) for name in _NAMES_OF_KEYS]
    names.append((item.get("MasterUserSecret") or {}).get("KmsKeyId"))
    yield from (name for name in names if name)


def _arn(reads: Reads, name: str) -> str:
    """The ARN of a key by "the key ARN, key ID, alias ARN, or alias name" (DBCluster.KmsKeyId).

    RDS answers with ARNs; only another name costs a call.
    """
    try:
        if ResourceRef.from_arn(name).resource_type is ResourceType.KMS_KEY:
            return name
    except ValueError:
        pass
    found = described_if_there(reads, name)
    return name if found is None else str(found["Arn"])
