"""With whom a snapshot is shared: what public and approved mean, for both kinds of snapshot, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core.control import Verdict, compliant, non_compliant
from warden.core.guard import NonEmptyListOf, Only, Permit, SameAs
from warden.core.kinds import KINDS, Need
from warden.core.plan import Call, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from warden.core.resource import Resource

PUBLIC = "all"
"""The value of the `restore` attribute that lets every AWS account restore the snapshot."""

_OPERATIONS = {
    ResourceType.DB_CLUSTER_SNAPSHOT: "ModifyDBClusterSnapshotAttribute",
    ResourceType.DB_SNAPSHOT: "ModifyDBSnapshotAttribute",
}


def judge_public(resource: Resource) -> Verdict:
    """Whether every AWS account may restore the snapshot."""
    if PUBLIC in resource.facts[Need.RESTORE_ACCOUNTS]:
        return non_compliant(f"{resource.ref.id} is public: every AWS account can copy and restore it.")
    return compliant(f"{resource.ref.id} is not public.")


def unapproved(resource: Resource, approved: Collection[str]) -> list[str]:
    """The accounts that may restore the snapshot and should not; `all` is another condition's."""
    shared = set(resource.facts[Need.RESTORE_ACCOUNTS])
    return sorted(shared - {PUBLIC, resource.ref.account} - set(approved))


def judge_shares(resource: Resource, approved: Collection[str]) -> Verdict:
    """Whether the snapshot is shared with approved accounts alone."""
    if strangers := unapproved(resource, approved):
        return non_compliant(
            f"{resource.ref.id} is shared with accounts that the policy does not approve: {', '.join(strangers)}."
        )
    return compliant(f"{resource.ref.id} is shared with no account that the policy does not approve.")


def unshare(resource: Resource, values: Sequence[str]) -> Plan:
    """Remove these values from the `restore` attribute, and nothing else.

    "If you specify all, an Amazon Web Services account whose account ID is explicitly added to the restore
    attribute can still copy or restore" (ModifyDBSnapshotAttribute.ValuesToRemove): so each is named.
    """
    identifier = KINDS[resource.ref.resource_type].identifier
    return Plan(
        (
            Call(
                _OPERATIONS[resource.ref.resource_type],
                {
                    identifier: resource.facts[identifier],
                    "AttributeName": "restore",
                    "ValuesToRemove": list(values),
                },
            ),
        )
    )


def permit(resource_type: ResourceType, *, members: tuple[str, ...] = ()) -> Permit:
    """To remove values that are there from the `restore` attribute, only `members` where they are given."""
    identifier = KINDS[resource_type].identifier
    return Permit(
        operation=_OPERATIONS[resource_type],
        required={
            identifier: SameAs(identifier),
            "AttributeName": Only(("restore",)),
            "ValuesToRemove": NonEmptyListOf(members=members, within=Need.RESTORE_ACCOUNTS),
        },
    )
