"""Secrets that hold credentials of databases: which those are, and what their rotation looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.control import Setting, Verdict, not_applicable
from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Facts, Resource

MANAGED_BY = "rds"
MANAGED_PREFIX = "rds!"
"""Reserved: "Managed secrets use a naming convention that includes the ID of the service" (Secrets Manager)."""
_LONGEST = 1000
"""RotationRules.AutomaticallyAfterDays takes no more."""

SECRET_PREFIXES = Setting(
    name="secret_name_prefixes",
    default=[],
    doc="What the names of secrets begin with that hold credentials of databases, such as prod/db/. Those that RDS "
    "manages are known without it.",
    pattern=r"[A-Za-z0-9/_+=.@!-]{1,512}",
    shared=True,
)
SECRET_TAGS = Setting(
    name="secret_tags",
    default=[],
    doc="Tags that say that a secret holds credentials of a database, as key=value; any of them is enough.",
    pattern=r"[^=]{1,128}=.{0,256}",
    shared=True,
)
SETTINGS = (SECRET_PREFIXES, SECRET_TAGS)


def outside(resource: Resource, settings: Mapping[str, Any]) -> Verdict | None:
    """Why a secret is none that controls judge: it holds nothing of a database, or is about to be deleted."""
    facts = resource.facts
    if facts["DeletedDate"] is not None:
        return not_applicable(f"{resource.ref.id} is scheduled for deletion: nobody can read or rotate it.")
    if is_managed(facts) or str(facts["Name"]).startswith(tuple(settings["secret_name_prefixes"])):
        return None
    tags = {f"{tag['Key']}={tag.get('Value', '')}" for tag in facts["Tags"]}
    if not tags.isdisjoint(settings["secret_tags"]):
        return None
    return not_applicable(f"{resource.ref.id} holds no credentials of a database, as far as the policy says.")


def is_managed(facts: Mapping[str, Any]) -> bool:
    """Whether RDS made the secret, for a master password, and rotates it."""
    return facts["OwningService"] == MANAGED_BY or str(facts["Name"]).startswith(MANAGED_PREFIX)


def outside_or_replica(resource: Resource, settings: Mapping[str, Any]) -> Verdict | None:
    """As `outside`, and for a replica: it is rotated where its primary is."""
    if verdict := outside(resource, settings):
        return verdict
    home = resource.facts["PrimaryRegion"]
    if home is None or home == resource.ref.region:
        return None
    return not_applicable(f"{resource.ref.id} is a replica: its primary in {home} is rotated, and judged.")


@dataclass(frozen=True, slots=True)
class Days:
    """For the write guard: a whole number of days that Secrets Manager takes, from 1 to 1000."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse anything else; `True` is not `1`."""
        del facts
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _LONGEST:
            return None
        return f"{value!r} is not a number of days from 1 to {_LONGEST}"
