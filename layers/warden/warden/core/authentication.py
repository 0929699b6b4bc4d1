"""IAM database authentication, for clusters and instances alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from warden.core import engines, log_exports
from warden.core.control import Verdict, compliant, non_compliant, not_applicable
from warden.core.guard import Only, Permit, SameAs
from warden.core.kinds import KINDS, Need
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


ERROR_LOG = "iam-db-auth-error"
"""The log of logins by token that failed."""


def only_errors(resource: Resource) -> dict[str, list[str]]:
    """What the export of failed logins requires, in the form that `log_exports` takes."""
    return {engines.family(resource.facts["Engine"]): [ERROR_LOG]}


def judge_error_exports(resource: Resource) -> Verdict:
    """Whether failed logins by token are exported, where there are such logins and the engine version can."""
    if not resource.facts["IAMDatabaseAuthenticationEnabled"]:
        return not_applicable(f"{resource.ref.id} accepts no logins by IAM token.")
    if log_exports.exports(resource, ERROR_LOG):
        return compliant(f"{resource.ref.id} exports failed logins by IAM token.")
    if ERROR_LOG not in resource.facts[Need.EXPORTABLE_LOG_TYPES]:
        return not_applicable(
            f"{resource.ref.id} runs {resource.facts['Engine']} {resource.facts['EngineVersion']}, which cannot "
            "export failed logins by IAM token."
        )
    return non_compliant(
        f"{resource.ref.id} accepts logins by IAM token and does not export those that fail."
    )


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
