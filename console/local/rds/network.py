"""Where databases stand: subnet groups and security groups, with the defaults that AWS fills in."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.rds.models import DBSubnetGroup

from console.local.rds.call import Call, refuse

_DEFAULT = "default"


def subnet_group(call: Call, name: str | None) -> Any:
    """Find a subnet group; the one called `default` spans the default VPC's subnets."""
    groups = call.backend.subnet_groups
    wanted = (name or _DEFAULT).lower()
    if wanted in groups:
        return groups[wanted]
    if wanted != _DEFAULT:
        refuse("DBSubnetGroupNotFoundFault", f"DB subnet group '{name}' does not exist.")
    ec2 = ec2_backends[call.account][call.region]
    subnets = [ec2.get_default_subnets()[zone] for zone in sorted(ec2.get_default_subnets())]
    groups[_DEFAULT] = DBSubnetGroup(call.backend, _DEFAULT, "default", subnets, [])
    return groups[_DEFAULT]


def security_groups(call: Call, asked: list[str] | None, vpc_id: str) -> list[str]:
    """Take the security groups of a request, or the default one of the VPC."""
    if asked:
        return list(asked)
    group = ec2_backends[call.account][call.region].get_default_security_group(vpc_id)
    return [group.id] if group is not None else []


def memberships(group_ids: list[str]) -> list[dict[str, str]]:
    """Render security group memberships."""
    return [{"VpcSecurityGroupId": group_id, "Status": "active"} for group_id in group_ids]
