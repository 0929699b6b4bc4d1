"""Keys as resources of their own: which are judged, and how their users are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core.control import Verdict, not_applicable
from warden.core.kinds import Need

if TYPE_CHECKING:
    from warden.core.resource import Resource


def outside(resource: Resource) -> Verdict | None:
    """Why a key is none that controls judge: AWS looks after it, or no database uses it."""
    if resource.facts["KeyManager"] != "CUSTOMER":
        return not_applicable(f"{resource.ref.id} is managed by AWS, which looks after it.")
    if not resource.facts[Need.KEY_USERS]["Count"]:
        return not_applicable(f"{resource.ref.id} encrypts no cluster, instance or snapshot of this account.")
    return None


def used_by(resource: Resource) -> str:
    """How many use it, and who comes first."""
    users = resource.facts[Need.KEY_USERS]
    first = users["Some"][0].split(":", 5)[-1]
    return first if users["Count"] == 1 else f"{first} and {users['Count'] - 1} more"
