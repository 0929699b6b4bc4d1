"""Whether a resource may be written to now, read from its facts."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from warden.core import quotas
from warden.core.errors import MissingFactError
from warden.core.kinds import KINDS, Need
from warden.core.plan import needs_apply_immediately
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from warden.core.plan import Call
    from warden.core.resource import Resource

# "storage-optimization: … the instance is fully operational" (RDS User Guide, "Viewing DB instance status").
_WRITABLE = {
    ResourceType.DB_INSTANCE: frozenset({"available", "storage-optimization"}),
}
_AVAILABLE = frozenset({"available"})
_DELETING = frozenset({"deleting", "deleted"})
_DONE_BLUE_GREEN = frozenset({"SWITCHOVER_COMPLETED", "DELETING"})

WRITE_NEEDS = {
    ResourceType.DB_CLUSTER: (Need.MEMBERS, Need.BLUE_GREEN, Need.FIRING_ALARMS, Need.RECENT_EVENTS),
    ResourceType.DB_INSTANCE: (Need.BLUE_GREEN, Need.FIRING_ALARMS, Need.RECENT_EVENTS),
}
"""What must be known before anything of this type is written to."""

SOME_DAY: Mapping[Need, Any] = MappingProxyType(
    {
        Need.BLUE_GREEN: (),
        Need.FIRING_ALARMS: (),
        Need.RECENT_EVENTS: (),
        Need.QUOTAS: quotas.UNKNOWN_ROOM,
        Need.OWN_GROUP: {"Description": None, "Values": {}, "Users": (), "Record": None},
    }
)
"""What is taken for granted where nothing is written, only shown: nothing is in the way, there is room for more, and no
procedure has begun. That changes from one day to the next, and is a call each to ask for."""


def status(resource: Resource) -> str | None:
    """The resource's status, or None where its kind has none."""
    member = KINDS[resource.ref.resource_type].status
    return None if member is None else str(resource.facts[member])


def is_deleting(resource: Resource) -> bool:
    """Whether the resource is on its way out: its settings mean nothing any more."""
    try:
        return status(resource) in _DELETING
    except MissingFactError:
        return False


def is_busy(resource: Resource) -> bool:
    """Whether AWS would refuse a change now, or a blue/green deployment owns the resource."""
    writable = _WRITABLE.get(resource.ref.resource_type, _AVAILABLE)
    now = status(resource)
    if now is not None and now not in writable:
        return True
    return resource.ref.resource_type in WRITE_NEEDS and in_blue_green(resource)


def in_blue_green(resource: Resource) -> bool:
    """Whether a blue/green deployment that is not yet done holds the database."""
    return is_in_blue_green(resource.facts[Need.BLUE_GREEN])


def is_in_blue_green(deployments: Iterable[Mapping[str, Any]]) -> bool:
    """Whether one of these blue/green deployments is not yet done."""
    return any(deployment["Status"] not in _DONE_BLUE_GREEN for deployment in deployments)


def would_flush(resource: Resource, calls: Iterable[Call]) -> bool:
    """Whether the calls would apply, at once, changes that somebody else queued for the maintenance window.

    "ApplyImmediately: Specifies whether the modifications in this request and any pending modifications are
    asynchronously applied as soon as possible" (ModifyDBCluster, ModifyDBInstance).
    """
    if not needs_apply_immediately(calls):
        return False
    if resource.facts["PendingModifiedValues"]:
        return True
    if resource.ref.resource_type is not ResourceType.DB_CLUSTER:
        return False
    return any(member.get("PendingModifiedValues") for member in resource.facts[Need.MEMBERS])


def owner_stack(resource: Resource) -> str | None:
    """The CloudFormation stack that owns the resource, by the tags that only CloudFormation can set."""
    return resource.tags.get("aws:cloudformation:stack-name")
