"""Deletion protection, for clusters, stand-alone instances and global clusters alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core.control import Verdict, compliant, non_compliant
from warden.core.guard import Only, Permit, SameAs
from warden.core.kinds import KINDS
from warden.core.plan import Call, Plan

if TYPE_CHECKING:
    from warden.core.resource import Resource


def judge(resource: Resource) -> Verdict:
    """Whether a call to delete the database would be refused."""
    if resource.facts["DeletionProtection"]:
        return compliant(f"{resource.ref.id} is protected from deletion.")
    return non_compliant(f"{resource.ref.id} can be deleted by a single call: deletion protection is off.")


def turned_on(resource: Resource, operation: str) -> Plan:
    """Turn it on.

    Without ApplyImmediately: it is one of those changes that "are applied immediately" whatever that says
    (ModifyDBCluster.ApplyImmediately), and ModifyGlobalCluster has no such parameter.
    """
    identifier = KINDS[resource.ref.resource_type].identifier
    return Plan((Call(operation, {identifier: resource.facts[identifier], "DeletionProtection": True}),))


def permit(operation: str, identifier: str) -> Permit:
    """To turn it on, never off."""
    return Permit(
        operation=operation,
        required={identifier: SameAs(identifier), "DeletionProtection": Only((True,))},
    )
