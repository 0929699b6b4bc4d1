"""Which resources are judged at all, and the verdict on those that are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core import engines
from warden.core.control import Verdict, insufficient_data, not_applicable
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from warden.core.resource import Resource

# RDS's Describe operations also return what these products made; they have guides and settings of their own.
_OTHER_PRODUCTS = {"neptune": "Amazon Neptune", "docdb": "Amazon DocumentDB"}

# Most engines are found here; of the rest, `_GOVERNED` says what they are.
_NAMED: Mapping[ResourceType, frozenset[str]] = {
    ResourceType.DB_CLUSTER: engines.CLUSTER_ENGINES,
    ResourceType.DB_CLUSTER_SNAPSHOT: engines.CLUSTER_ENGINES,
    ResourceType.DB_INSTANCE: engines.INSTANCE_ENGINES,
    ResourceType.DB_SNAPSHOT: engines.INSTANCE_ENGINES,
    ResourceType.GLOBAL_CLUSTER: engines.AURORA,
}
_GOVERNED: Mapping[ResourceType, Callable[[str], bool]] = {
    ResourceType.DB_CLUSTER: engines.is_governed_cluster,
    ResourceType.DB_CLUSTER_SNAPSHOT: engines.is_governed_cluster,
    ResourceType.DB_INSTANCE: engines.is_governed_instance,
    ResourceType.DB_SNAPSHOT: engines.is_governed_instance,
    ResourceType.GLOBAL_CLUSTER: engines.AURORA.__contains__,
}


def is_another_product(engine: str) -> bool:
    """Whether an engine is one of Amazon Neptune or DocumentDB."""
    return engine in _OTHER_PRODUCTS


def outside(resource: Resource) -> Verdict | None:
    """Why a resource is none that controls judge; None where it is one.

    An engine that nobody has heard of is no reason to look away: that is insufficient data.
    """
    engine = resource.facts["Engine"]
    resource_type = resource.ref.resource_type
    if engine in _NAMED[resource_type] or _GOVERNED[resource_type](engine):
        return None
    if engine in _OTHER_PRODUCTS:
        return not_applicable(
            f"{resource.ref.id} belongs to {_OTHER_PRODUCTS[engine]}, a product of its own that Warden does not judge."
        )
    return insufficient_data(f"{resource.ref.id} runs the engine {engine!r}, which Warden does not know.")


def outside_or_member(resource: Resource, what: str) -> Verdict | None:
    """As `outside`, and for a member of a cluster: `what` is set, and judged, at the cluster.

    "This setting doesn't apply to Amazon Aurora DB instances" (ModifyDBInstance), which is also refused for
    members of Multi-AZ DB clusters.
    """
    if verdict := outside(resource):
        return verdict
    cluster = resource.facts["DBClusterIdentifier"]
    if cluster is None:
        return None
    return not_applicable(
        f"{resource.ref.id} is a member of the cluster {cluster}: {what} is judged at its cluster."
    )


def replica(resource: Resource) -> Verdict | None:
    """The verdict on an instance that is a read replica, where the backups of its source are what counts."""
    for fact in ("ReadReplicaSourceDBInstanceIdentifier", "ReadReplicaSourceDBClusterIdentifier"):
        if (source := resource.facts[fact]) is not None:
            return not_applicable(
                f"{resource.ref.id} is a read replica of {source}, whose backups hold its data."
            )
    return None


def is_multi_az_member(resource: Resource) -> bool:
    """Whether an instance belongs to a Multi-AZ DB cluster, not to an Aurora cluster."""
    return (
        resource.facts["DBClusterIdentifier"] is not None
        and resource.facts["Engine"] in engines.MULTI_AZ_CLUSTER
    )
