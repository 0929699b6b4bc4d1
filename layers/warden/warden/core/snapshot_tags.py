"""Whether snapshots take the tags of their database over, for clusters and instances alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core.control import Verdict, compliant, non_compliant
from warden.core.guard import Only, Permit, SameAs
from warden.core.kinds import KINDS
from warden.core.plan import Call, Plan

if TYPE_CHECKING:
    from warden.core.resource import Resource

COPIES = "CopyTagsToSnapshot"


def judge(resource: Resource) -> Verdict:
    """Whether the flag is on."""
    if resource.facts[COPIES]:
        return compliant(f"{resource.ref.id} copies its tags to its snapshots.")
    return non_compliant(
        f"{resource.ref.id} does not copy its tags to its snapshots: they show neither owner nor classification."
    )


def turned_on(resource: Resource, operation: str) -> Plan:
    """Turn the flag on.

    Without ApplyImmediately, which would also apply what others have queued. For instances and Multi-AZ DB
    clusters "the change occurs immediately. This setting ignores the apply immediately setting" (RDS User Guide,
    "Settings for DB instances", "Settings for modifying Multi-AZ DB clusters"); and of clusters there is none
    among the values that can wait (ClusterPendingModifiedValues).
    """
    identifier = KINDS[resource.ref.resource_type].identifier
    return Plan((Call(operation, {identifier: resource.facts[identifier], COPIES: True}),))


def permit(operation: str, identifier: str) -> Permit:
    """To turn it on, never off."""
    return Permit(operation=operation, required={identifier: SameAs(identifier), COPIES: Only((True,))})
