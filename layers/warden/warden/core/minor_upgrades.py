"""Automatic minor version upgrades, for clusters and stand-alone instances alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core.guard import Only, Permit, SameAs
from warden.core.kinds import KINDS
from warden.core.plan import Call, Plan

if TYPE_CHECKING:
    from warden.core.resource import Resource


def turned_on(resource: Resource, operation: str) -> Plan:
    """Turn the flag on, which never waits.

    It is not among the values that can be pending (ClusterPendingModifiedValues, PendingModifiedValues), and without
    ApplyImmediately nothing that others have queued is applied along with it.
    """
    identifier = KINDS[resource.ref.resource_type].identifier
    return Plan((Call(operation, {identifier: resource.facts[identifier], "AutoMinorVersionUpgrade": True}),))


def permit(operation: str, identifier: str) -> Permit:
    """To turn it on, never off."""
    return Permit(
        operation=operation,
        required={identifier: SameAs(identifier), "AutoMinorVersionUpgrade": Only((True,))},
    )
