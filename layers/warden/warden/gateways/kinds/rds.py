"""RDS's own kinds: one call describes one, one call lists a hundred."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass
from warden.core.kinds import KINDS
from warden.core.resource import ResourceRef, ResourceType
from warden.gateways import keys
from warden.gateways.databases import (
    users_of_cluster_groups,
    users_of_instance_groups,
    users_of_subnet_groups,
)
from warden.gateways.kinds.model import Described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warden.core.kinds import Kind
    from warden.core.resource import Deployment
    from warden.core.trigger import Lookup
    from warden.gateways.reads import Reads

# "If this identifier is for an automated snapshot, the SnapshotType parameter must also be specified"
# (DescribeDBClusterSnapshots, DescribeDBSnapshots). RDS reserves these prefixes.
_SNAPSHOT_PREFIXES = {"rds:": "automated", "awsbackup:": "awsbackup"}

_ID_FILTERS = {
    ResourceType.DB_CLUSTER: "db-cluster-resource-id",
    ResourceType.DB_INSTANCE: "dbi-resource-id",
}

_SHARED_LISTS = frozenset(
    {
        "DescribeDBClusters",
        "DescribeDBInstances",
        "DescribeDBProxies",
    }
)
"""Lists that enrichments and other kinds need as a whole too: who uses a key, whom a security group guards."""


@dataclass(frozen=True, slots=True)
class RdsKind:
    """Reads one of RDS's kinds by its row in `core.kinds`."""

    resource_type: ResourceType

    @property
    def kind(self) -> Kind:
        """The row."""
        return KINDS[self.resource_type]

    def describe(self, reads: Reads, ref: ResourceRef, here: Deployment) -> Described | None:
        """One resource; a proxy is looked for in the list, since its ARN does not hold its name."""
        kind = self.kind
        if self.resource_type is ResourceType.DB_PROXY:
            items = [item for item in reads.api.every(kind.describe) if item.get(kind.arn) == ref.arn]
        else:
            parameters: dict[str, str] = {kind.identifier: ref.id}
            for prefix, snapshot_type in _SNAPSHOT_PREFIXES.items():
                if ref.id.startswith(prefix):
                    parameters["SnapshotType"] = snapshot_type
            items = reads.api.every(kind.describe, **parameters)
        return self._described(items[0], here) if items else None

    def items(self, reads: Reads, here: Deployment) -> Iterator[Described]:
        """Every resource, page by page; from the shared list where reads are shared."""
        operation = self.kind.describe
        if reads.bulk and operation in _SHARED_LISTS:
            yield from (self._described(item, here) for item in reads.whole(operation))
            return
        pages = keys.passing if operation in keys.SNAPSHOTS else _pages
        for page in pages(reads, operation):
            yield from (self._described(item, here) for item in page)

    def resolve(self, reads: Reads, lookup: Lookup, here: Deployment) -> ResourceRef | None:
        """By the filter for immutable ids where AWS has one, else in the list."""
        kind = self.kind
        name = _ID_FILTERS.get(lookup.resource_type)
        if name is not None:
            items = reads.api.every(kind.describe, Filters=[{"Name": name, "Values": [lookup.resource_id]}])
        elif kind.immutable_id is not None:
            items = [
                item
                for item in reads.api.every(kind.describe)
                if item.get(kind.immutable_id) == lookup.resource_id
            ]
        else:
            return ResourceRef.build(
                lookup.resource_type,
                partition=here.partition,
                region=lookup.region,
                account=lookup.account,
                name=lookup.resource_id,
            )
        return ResourceRef.from_arn(items[0][kind.arn]) if items else None

    def users(self, reads: Reads, ref: ResourceRef, here: Deployment) -> Iterator[ResourceRef]:
        """The databases that use a parameter group or a subnet group."""
        del here
        match self.resource_type:
            case ResourceType.DB_CLUSTER_PARAMETER_GROUP:
                yield from map(ResourceRef.from_arn, users_of_cluster_groups(reads).get(ref.id, ()))
            case ResourceType.DB_PARAMETER_GROUP:
                arns = dict.fromkeys(users_of_instance_groups(reads).get(ref.id, ()))
                yield from map(ResourceRef.from_arn, arns)
            case ResourceType.DB_SUBNET_GROUP:
                yield from users_of_subnet_groups(reads, {ref.id})
            case _:
                return

    def _described(self, item: dict[str, Any], here: Deployment) -> Described:
        kind = self.kind
        ref = ResourceRef.from_arn(item[kind.arn])
        return Described(
            ref=ref,
            facts={**kind.omitted, **item},
            immutable_id=ref.arn
            if kind.immutable_id is None
            else str(item.get(kind.immutable_id) or ref.arn),
            tags={tag["Key"]: tag.get("Value", "") for tag in item.get("TagList") or []},
            home=ref.region or _home(item, here),
        )


def _pages(reads: Reads, operation: str) -> Iterator[list[dict[str, Any]]]:
    return reads.api.pages(operation)


def _home(item: dict[str, Any], here: Deployment) -> str:
    """The Region of a global cluster's writer; ours where it has no member at all."""
    for member in item.get("GlobalClusterMembers") or []:
        if member.get("IsWriter"):
            return ResourceRef.from_arn(member["DBClusterArn"]).region
    return here.region
