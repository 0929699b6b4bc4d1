"""Resources as RDS describes them: identities become facts here.

Calls for one resource: one Describe, plus one for each enrichment that is asked for and not cached
(`enrichments`). A list takes one call for each hundred resources of the kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.errors import MissingFactError, RefusedError, ResourceGoneError, TransientError
from warden.core.kinds import KINDS, Need, resource_key
from warden.core.resource import Facts, Resource, ResourceRef, ResourceType
from warden.gateways.enrichments import Enrichments

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from datetime import datetime

    from warden.core.kinds import Kind
    from warden.core.resource import Deployment
    from warden.core.trigger import Lookup
    from warden.gateways.rds import Rds

# "If this identifier is for an automated snapshot, the SnapshotType parameter must also be specified"
# (DescribeDBClusterSnapshots, DescribeDBSnapshots). RDS reserves these prefixes.
_SNAPSHOT_PREFIXES = {"rds:": "automated", "awsbackup:": "awsbackup"}

_MISSING: tuple[type[Exception], ...] = (RefusedError, MissingFactError, KeyError)
"""What makes one fact missing rather than the whole visit fail."""

_ID_FILTERS = {
    ResourceType.DB_CLUSTER: "db-cluster-resource-id",
    ResourceType.DB_INSTANCE: "dbi-resource-id",
}


class RdsReader:
    """Implements the pipeline's `Reader` over the live API.

    With `bulk`, whole lists are read once and shared for the lifetime of the reader: for a sweep or a scan.
    """

    def __init__(
        self, rds: Rds, *, deployment: Deployment, clock: Callable[[], datetime], bulk: bool = False
    ) -> None:
        self._rds = rds
        self._deployment = deployment
        self._clock = clock
        self._bulk = bulk
        self._enrichments = Enrichments(rds, bulk=bulk)

    # --- one ----------------------------------------------------------------------------------------------

    def read(self, ref: ResourceRef, needs: Collection[Need]) -> Resource:
        """Describe one resource with its enrichments."""
        item = self._describe(ref)
        return self.enrich(self._resource(KINDS[ref.resource_type], item), needs)

    def enrich(self, resource: Resource, needs: Collection[Need]) -> Resource:
        """The same resource with more facts; what AWS refuses to say is a missing fact with its reason."""
        return self._enriched(resource, needs, passing=())

    def resolve(self, lookup: Lookup) -> ResourceRef | None:
        """The resource that has this immutable id now."""
        kind = KINDS[lookup.resource_type]
        name = _ID_FILTERS.get(lookup.resource_type)
        if name is not None:
            items = self._rds.every(kind.describe, Filters=[{"Name": name, "Values": [lookup.resource_id]}])
        elif kind.immutable_id is not None:
            items = [
                item
                for item in self._rds.every(kind.describe)
                if item.get(kind.immutable_id) == lookup.resource_id
            ]
        else:
            return ResourceRef.build(
                lookup.resource_type,
                partition=self._deployment.partition,
                region=lookup.region,
                account=lookup.account,
                name=lookup.resource_id,
            )
        return ResourceRef.from_arn(items[0][kind.arn]) if items else None

    def users(self, ref: ResourceRef) -> Iterable[ResourceRef]:
        """The databases that use a parameter group."""
        match ref.resource_type:
            case ResourceType.DB_CLUSTER_PARAMETER_GROUP:
                return [
                    ResourceRef.from_arn(item["DBClusterArn"])
                    for item in self._rds.every("DescribeDBClusters")
                    if item.get("DBClusterParameterGroup") == ref.id
                ]
            case ResourceType.DB_PARAMETER_GROUP:
                return [
                    ResourceRef.from_arn(item["DBInstanceArn"])
                    for item in self._rds.every("DescribeDBInstances")
                    if ref.id in {g.get("DBParameterGroupName") for g in item.get("DBParameterGroups", [])}
                ]
            case _:
                return []

    # --- all ----------------------------------------------------------------------------------------------

    def list(self, resource_type: ResourceType, needs: Collection[Need]) -> Iterator[Resource]:
        """Every resource of a type; one that cannot be enriched costs its neighbours nothing."""
        kind = KINDS[resource_type]
        for item in self._items(kind):
            resource = self._resource(kind, item)
            if self._deployment.refusal(resource.ref) is None:
                yield self._enriched(resource, needs, passing=(TransientError,))

    def _items(self, kind: Kind) -> Iterator[dict[str, Any]]:
        if self._bulk and kind.describe in {"DescribeDBClusters", "DescribeDBInstances"}:
            yield from self._enrichments.whole(kind.describe)
            return
        for page in self._rds.pages(kind.describe):
            yield from page

    # --- making resources ---------------------------------------------------------------------------------

    def _describe(self, ref: ResourceRef) -> dict[str, Any]:
        kind = KINDS[ref.resource_type]
        if ref.resource_type is ResourceType.DB_PROXY:
            items = [item for item in self._rds.every(kind.describe) if item.get(kind.arn) == ref.arn]
        else:
            parameters: dict[str, str] = {kind.identifier: ref.id}
            for prefix, snapshot_type in _SNAPSHOT_PREFIXES.items():
                if ref.id.startswith(prefix):
                    parameters["SnapshotType"] = snapshot_type
            items = self._rds.every(kind.describe, **parameters)
        if not items:
            msg = f"rds:{kind.describe}: there is no {kind.name} {ref.id}"
            raise ResourceGoneError(msg)
        return items[0]

    def _resource(self, kind: Kind, item: dict[str, Any]) -> Resource:
        ref = ResourceRef.from_arn(item[kind.arn])
        immutable = ref.arn if kind.immutable_id is None else str(item.get(kind.immutable_id) or ref.arn)
        return Resource(
            ref=ref,
            facts=Facts({**kind.omitted, **item}),
            observed_at=self._clock(),
            key=resource_key(
                kind.resource_type, account=ref.account, region=ref.region, immutable_id=immutable
            ),
            tags={tag["Key"]: tag.get("Value", "") for tag in item.get("TagList") or []},
            home=ref.region or self._home(item),
        )

    def _home(self, item: dict[str, Any]) -> str:
        """The Region of a global cluster's writer; ours where it has no member at all."""
        for member in item.get("GlobalClusterMembers") or []:
            if member.get("IsWriter"):
                return ResourceRef.from_arn(member["DBClusterArn"]).region
        return self._deployment.region

    def _enriched(
        self, resource: Resource, needs: Collection[Need], *, passing: tuple[type[Exception], ...]
    ) -> Resource:
        known: dict[str, Any] = {}
        missing: dict[str, str] = {}
        for need in needs:
            try:
                known[need] = self._enrichments.get(need, resource)
            except (*_MISSING, *passing) as error:
                missing[need] = f"{error}"
        return resource.with_facts(resource.facts.with_more(known, missing)) if needs else resource
