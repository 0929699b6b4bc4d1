"""KMS keys as databases name them: described once, and which databases use which."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from warden.core.errors import RefusedError, TransientError
from warden.core.resource import ResourceRef, ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from warden.gateways.reads import Reads

_GONE = "NotFoundException"
_DATABASES = ("DescribeDBClusters", "DescribeDBInstances")
SNAPSHOTS = ("DescribeDBClusterSnapshots", "DescribeDBSnapshots")
_ARNS = {
    "DescribeDBClusters": "DBClusterArn",
    "DescribeDBInstances": "DBInstanceArn",
    "DescribeDBClusterSnapshots": "DBClusterSnapshotArn",
    "DescribeDBSnapshots": "DBSnapshotArn",
}
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

    The lists of all four, once where reads are shared; of snapshots nothing else is kept.
    """
    return reads.once("uses of keys", lambda: _uses(reads))


def users(reads: Reads, key_arn: str) -> Iterator[str]:
    """The ARNs of the clusters and instances that use a key: two lists."""
    for operation in _DATABASES:
        for arn, names in _named(reads, operation):
            if key_arn in {_arn(reads, name) for name in names}:
                yield arn


def _uses(reads: Reads) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for operation in _ARNS:
        for arn, names in _named(reads, operation):
            for key in {_arn(reads, name) for name in names}:
                found.setdefault(key, []).append(arn)
    return found


def _named(reads: Reads, operation: str) -> list[tuple[str, tuple[str, ...]]]:
    """Of each item of a list its ARN, and the keys that it names."""
    if operation in _DATABASES:
        return _names(operation, reads.whole(operation))
    return reads.once(
        ("keys of", operation),
        lambda: [one for page in reads.api.pages(operation) for one in _names(operation, page)],
    )


def passing(reads: Reads, operation: str) -> Iterator[list[dict[str, Any]]]:
    """The pages of a list of snapshots, which are many: the keys that they name are all that is kept of them."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for page in reads.api.pages(operation):
        found += _names(operation, page)
        yield page
    reads.once(("keys of", operation), lambda: found)


def _names(operation: str, items: Iterable[Mapping[str, Any]]) -> list[tuple[str, tuple[str, ...]]]:
    return [(str(item[_ARNS[operation]]), tuple(map(sys.intern, _keys_of(item)))) for item in items]


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
    try:
        found = described_if_there(reads, name)
    except (RefusedError, TransientError):
        # Whoever is judged by this key says so itself; the uses of the others are known all the same.
        return name
    return name if found is None else str(found["Arn"])
