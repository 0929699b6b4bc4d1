"""How each kind of resource is described and listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core.resource import ResourceType
from warden.gateways.kinds.account import AccountKind
from warden.gateways.kinds.kms import KmsKeyKind
from warden.gateways.kinds.logs import LogGroupKind
from warden.gateways.kinds.network import PrefixListKind, SubnetThingKind
from warden.gateways.kinds.rds import RdsKind
from warden.gateways.kinds.secrets_manager import SecretKind
from warden.gateways.kinds.security_groups import SecurityGroupKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.gateways.kinds.model import KindReader

READERS: Mapping[ResourceType, KindReader] = {
    **{
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
            ResourceType.DB_SUBNET_GROUP,
        )
    },
    ResourceType.ROUTE_TABLE: SubnetThingKind(ResourceType.ROUTE_TABLE, "route-table-id"),
    ResourceType.NETWORK_ACL: SubnetThingKind(ResourceType.NETWORK_ACL, "network-acl-id"),
    ResourceType.PREFIX_LIST: PrefixListKind(),
    ResourceType.SECURITY_GROUP: SecurityGroupKind(),
    ResourceType.ACCOUNT: AccountKind(),
    ResourceType.LOG_GROUP: LogGroupKind(),
    ResourceType.KMS_KEY: KmsKeyKind(),
    ResourceType.SECRET: SecretKind(),
}
