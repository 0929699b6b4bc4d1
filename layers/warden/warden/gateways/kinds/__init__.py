"""How each kind of resource is described and listed; the module of a kind is imported when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core.lazy import Lazy
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.gateways.kinds.model import KindReader


def _reader(resource_type: ResourceType) -> KindReader:  # noqa: PLR0911 - one for each kind
    match resource_type:
        case (
            ResourceType.DB_CLUSTER
            | ResourceType.DB_INSTANCE
            | ResourceType.DB_CLUSTER_SNAPSHOT
            | ResourceType.DB_SNAPSHOT
            | ResourceType.GLOBAL_CLUSTER
            | ResourceType.DB_PROXY
            | ResourceType.DB_CLUSTER_PARAMETER_GROUP
            | ResourceType.DB_PARAMETER_GROUP
            | ResourceType.DB_SUBNET_GROUP
        ):
            from warden.gateways.kinds.rds import RdsKind

            return RdsKind(resource_type)
        case ResourceType.ROUTE_TABLE:
            from warden.gateways.kinds.network import SubnetThingKind

            return SubnetThingKind(resource_type, "route-table-id")
        case ResourceType.NETWORK_ACL:
            from warden.gateways.kinds.network import SubnetThingKind

            return SubnetThingKind(resource_type, "network-acl-id")
        case ResourceType.PREFIX_LIST:
            from warden.gateways.kinds.network import PrefixListKind

            return PrefixListKind()
        case ResourceType.SECURITY_GROUP:
            from warden.gateways.kinds.security_groups import SecurityGroupKind

            return SecurityGroupKind()
        case ResourceType.ACCOUNT:
            from warden.gateways.kinds.account import AccountKind

            return AccountKind()
        case ResourceType.LOG_GROUP:
            from warden.gateways.kinds.logs import LogGroupKind

            return LogGroupKind()
        case ResourceType.KMS_KEY:
            from warden.gateways.kinds.kms import KmsKeyKind

            return KmsKeyKind()
        case ResourceType.SECRET:
            from warden.gateways.kinds.secrets_manager import SecretKind

            return SecretKind()


READERS: Mapping[ResourceType, KindReader] = Lazy(ResourceType, _reader)
