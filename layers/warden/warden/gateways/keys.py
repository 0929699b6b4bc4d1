"""KMS keys as databases name them: described once, and which databases use which."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, TypeAlias

from warden.core.dataclass import dataclass
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
SHOWN = 10
"""So many of those that use a key are named."""
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


@dataclass(slots=True)
class Uses:
    """How many use a key, and the first of them by where they stand in their lists."""

    count: int = 0
    first: list[tuple[int, str]] = field(default_factory=list)

    def note(self, position: int, arn: str) -> None:
        """Add one that stands after all others."""
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append((position, arn))

    def merge(self, other: Uses, *, before: int) -> None:
        """Add those of a list that comes after so many other things."""
        self.count += other.count
        self.first += [(before + position, arn) for position, arn in other.first]
        self.first = sorted(self.first)[:SHOWN]

    @property
    def some(self) -> list[str]:
        """The ARNs of the first."""
        return [arn for _, arn in self.first]


_Named: TypeAlias = "dict[tuple[str, ...], Uses]"
"""By the keys that an item names, which a thousand items of a list do alike."""


def uses(reads: Reads) -> Mapping[str, Uses]:
    """The uses of each key by its ARN, databases first, then snapshots.

    The lists of all four, once where reads are shared; of snapshots nothing else is kept.
    """
    return reads.once("uses of keys", lambda: _uses(reads))


def users(reads: Reads, key_arn: str) -> Iterator[str]:
    """The ARNs of the clusters and instances that use a key: two lists."""
    for operation in _DATABASES:
        for item in reads.whole(operation):
            if key_arn in {_arn(reads, name) for name in _keys_of(item)}:
                yield str(item[_ARNS[operation]])


def _uses(reads: Reads) -> dict[str, Uses]:
    found: dict[str, Uses] = {}
    before = 0
    for operation in _ARNS:
        named = _named(reads, operation)
        for names, of_names in named.items():
            for key in {_arn(reads, name) for name in names}:
                found.setdefault(key, Uses()).merge(of_names, before=before)
        before += sum(of_names.count for of_names in named.values())
    return found


def _named(reads: Reads, operation: str) -> _Named:
    """Of a list what its items name."""

    def read() -> _Named:
        pages = [reads.whole(operation)] if operation in _DATABASES else reads.api.pages(operation)
        found: _Named = {}
        for page in pages:
            _note(found, operation, page)
        return found

    return reads.once(("keys of", operation), read)


def passing(reads: Reads, operation: str) -> Iterator[list[dict[str, Any]]]:
    """The pages of a list of snapshots, which are many: the keys that they name are all that is kept of them."""
    found: _Named = {}
    for page in reads.api.pages(operation):
        _note(found, operation, page)
        yield page
    reads.once(("keys of", operation), lambda: found)


def _note(found: _Named, operation: str, items: Iterable[Mapping[str, Any]]) -> None:
    """Add what some items name to what those before them do."""
    position = sum(of_names.count for of_names in found.values())
    for place, item in enumerate(items, position):
        names = tuple(_keys_of(item))
        if names not in found:
            found[names] = Uses()
        found[names].note(place, str(item[_ARNS[operation]]))


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
