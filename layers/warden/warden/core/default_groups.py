"""The default security group of a VPC on a database or a proxy: when it is there, and how it is taken off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core import engines, guidance
from warden.core.control import Verdict, compliant, non_compliant, not_applicable
from warden.core.dataclass import dataclass
from warden.core.guard import Permit, SameAs
from warden.core.kinds import KINDS, Need
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import ResourceType
from warden.core.security_groups import WithoutDefaultGroup, attached_ids, default_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where a kind keeps its groups, and how it takes others."""

    fact: str
    operation: str
    parameter: str
    command: str
    names: str
    """The command's option for the name."""
    sets: str
    """The command's option for the groups."""


_SHAPES: Mapping[ResourceType, _Shape] = {
    ResourceType.DB_CLUSTER: _Shape(
        "VpcSecurityGroups",
        "ModifyDBCluster",
        "VpcSecurityGroupIds",
        "modify-db-cluster",
        "db-cluster-identifier",
        "vpc-security-group-ids",
    ),
    ResourceType.DB_INSTANCE: _Shape(
        "VpcSecurityGroups",
        "ModifyDBInstance",
        "VpcSecurityGroupIds",
        "modify-db-instance",
        "db-instance-identifier",
        "vpc-security-group-ids",
    ),
    ResourceType.DB_PROXY: _Shape(
        "VpcSecurityGroupIds",
        "ModifyDBProxy",
        "SecurityGroups",
        "modify-db-proxy",
        "db-proxy-name",
        "security-groups",
    ),
}


def judge(resource: Resource) -> Verdict:
    """Whether a VPC's default group is among the groups."""
    name = _name(resource)
    attached = attached_ids(resource.facts[_SHAPES[resource.ref.resource_type].fact])
    groups = resource.facts[Need.SECURITY_GROUPS]
    if not attached:
        return not_applicable(f"{name} has no security group: it stands in no VPC of this account.")
    if defaults := sorted(default_ids(groups) & set(attached)):
        return non_compliant(f"{name} has the default security group of its VPC, {', '.join(defaults)}.")
    return compliant(f"{name} does not have the default security group of its VPC.")


def _name(resource: Resource) -> str:
    """The id; of a proxy, whose id is generated, its name as well."""
    if resource.ref.resource_type is ResourceType.DB_PROXY:
        return f"{resource.ref.id} ({resource.facts['DBProxyName']})"
    return resource.ref.id


def detach(resource: Resource) -> Plan | Manual:
    """Keep all groups but the default one; a person acts where that is the only one."""
    shape = _SHAPES[resource.ref.resource_type]
    identifier = KINDS[resource.ref.resource_type].identifier
    if resource.ref.resource_type is ResourceType.DB_INSTANCE and engines.is_custom(resource.facts["Engine"]):
        # "RDS Custom ... If supplied, must match existing VPC security group IDs" (ModifyDBInstance).
        return Manual(
            "RDS takes no other security groups for an instance of RDS Custom: take the rules out of the default group "
            "that let its members in, or restore a snapshot to a new instance with a group of its own."
        )
    groups = resource.facts[Need.SECURITY_GROUPS]
    defaults = default_ids(groups)
    kept = [group for group in attached_ids(resource.facts[shape.fact]) if group not in defaults]
    if kept:
        return Plan(
            (
                Call(
                    shape.operation,
                    {identifier: resource.facts[identifier], shape.parameter: kept},
                ),
            )
        )
    name = resource.facts[identifier]
    return Manual(
        "It is the only security group. Make one for the database, let its applications in, and set it instead of the "
        "default one.",
        (
            guidance.command(
                resource,
                "create-security-group",
                {
                    "group-name": f"{name}-database",
                    "description": f"Clients of {name}",
                    "vpc-id": str(groups[0]["VpcId"]),
                },
                service="ec2",
            ),
            guidance.command(
                resource,
                shape.command,
                {
                    shape.names: str(name),
                    shape.sets: ["sg-0123456789abcdef0"],
                },
            ),
        ),
    )


def permit(resource_type: ResourceType) -> Permit:
    """To set the live groups without the default one, and nothing else."""
    shape = _SHAPES[resource_type]
    identifier = KINDS[resource_type].identifier
    return Permit(
        operation=shape.operation,
        required={identifier: SameAs(identifier), shape.parameter: WithoutDefaultGroup(shape.fact)},
    )
