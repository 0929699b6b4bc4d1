"""Filters of EC2's lists that moto lacks, as far as Warden asks for them."""

from __future__ import annotations

from typing import Any

from moto.ec2.models.network_acls import NetworkAcl
from moto.ec2.models.security_groups import SecurityGroup

from console.local.rds.registry import Patch

_ORIGINAL = NetworkAcl.get_filter_value


def _acl_filter_value(self: Any, filter_name: str, method_name: str | None = None) -> Any:
    """Also: "network-acl-id - The ID of the network ACL" (DescribeNetworkAcls)."""
    return self.id if filter_name == "network-acl-id" else _ORIGINAL(self, filter_name, method_name)


def _names_a_prefix_list(self: Any, values: list[Any]) -> bool:
    """Say whether a rule lets a prefix list in.

    "ip-permission.prefix-list-id - The ID of a prefix list from which a security group rule allows inbound access"
    (DescribeSecurityGroups).
    """
    named = {rule.prefix_list_id for rule in self.ingress_rules}
    return not named.isdisjoint(values)


PATCHES = (
    Patch(target=NetworkAcl, attribute="get_filter_value", replacement=_acl_filter_value),
    Patch(
        target=SecurityGroup,
        attribute="filter_ip_permission__prefix_list_id",
        replacement=_names_a_prefix_list,
    ),
)
