"""IAM database authentication, for clusters and instances alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from warden.core.control import Verdict, compliant, non_compliant
from warden.core.guard import Only, Permit, SameAs
from warden.core.kinds import KINDS
from warden.core.plan import Call, Plan

if TYPE_CHECKING:
    from warden.core.resource import Resource

# "You must have between 300 and 1000 MiB extra memory on your database for reliable connectivity" (Aurora User
# Guide, "IAM database authentication"): micro classes have 1 GiB in all, small ones 2 GiB.
_SMALL_BURSTABLE = re.compile(r"db\.t\d\w*\.(nano|micro|small)")


def judge(resource: Resource) -> Verdict:
    """Whether IAM identities may log in to the database; a queued change counts, in either direction."""
    live = resource.facts["IAMDatabaseAuthenticationEnabled"]
    queued = resource.facts["PendingModifiedValues"].get("IAMDatabaseAuthenticationEnabled")
    enabled = live if queued is None else queued
    when = "" if enabled == live else ", once a queued change is applied"
    if enabled:
        return compliant(f"{resource.ref.id} accepts IAM database authentication{when}.")
    return non_compliant(f"{resource.ref.id} does not accept IAM database authentication{when}.")


def is_small_burstable(instance_class: str) -> bool:
    """Whether the class has so little memory that IAM authentication may starve the database."""
    return _SMALL_BURSTABLE.fullmatch(instance_class) is not None


def enabled(resource: Resource, operation: str) -> Plan:
    """Enable it now.

    With ApplyImmediately, because "if you don't choose to apply the change immediately, it occurs during the
    next maintenance window" (RDS User Guide, "Settings for DB instances"; the Aurora guide says the same).
    """
    identifier = KINDS[resource.ref.resource_type].identifier
    return Plan(
        (
            Call(
                operation,
                {
                    identifier: resource.facts[identifier],
                    "EnableIAMDatabaseAuthentication": True,
                    "ApplyImmediately": True,
                },
            ),
        )
    )


def permit(operation: str, identifier: str) -> Permit:
    """To enable it, at once, and never to disable it."""
    return Permit(
        operation=operation,
        required={
            identifier: SameAs(identifier),
            "EnableIAMDatabaseAuthentication": Only((True,)),
            "ApplyImmediately": Only((True,)),
        },
    )
