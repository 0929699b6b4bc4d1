"""How each kind of resource is described and listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core.resource import ResourceType
from warden.gateways.kinds.rds import RdsKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.gateways.kinds.model import KindReader

READERS: Mapping[ResourceType, KindReader] = {
    resource_type: RdsKind(resource_type)
    for resource_type in (
        ResourceType.DB_CLUSTER,
        ResourceType.DB_INSTANCE,
        ResourceType.DB_CLUSTER_SNAPSHOT,
        ResourceType.DB_SNAPSHOT,
        ResourceType.GLOBAL_CLUSTER,
        ResourceType.DB_PROXY,
        ResourceType.DB_CLUSTER_PARAMETER_GROUP,
        ResourceType.DB_PARAMETER_GROUP,
    )
}
