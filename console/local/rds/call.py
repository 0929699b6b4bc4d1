"""One API call as an operation sees it: parameters, Region, the backends, and AWS's ways to refuse."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from moto.rds.models import rds_backends

from console.local.calls import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from console.local.rds.state import World

_IDENTIFIER = re.compile(r"^(?!.*--)[a-z](?:[a-z0-9-]*[a-z0-9])?$", re.IGNORECASE)


def refuse(code: str, message: str) -> NoReturn:
    """Answer with an error of AWS's; the code is the shape's name or the wire code of the model."""
    raise Refusal(code, message)


def invalid(message: str) -> NoReturn:
    """Refuse a value."""
    refuse("InvalidParameterValue", message)


def conflicting(message: str) -> NoReturn:
    """Refuse a combination."""
    refuse("InvalidParameterCombination", message)


@dataclass(slots=True, kw_only=True)
class Call:
    """One call of the RDS API; `parameters` carry AWS's names, exactly as sent."""

    operation: str
    parameters: dict[str, Any]
    region: str
    account: str
    world: World
    response: Any = None
    _members: dict[str, list[Any]] | None = field(default=None, init=False)

    @property
    def backend(self) -> Any:
        """The RDS of this account and Region."""
        return self.backend_in(self.region)

    def backend_in(self, region: str) -> Any:
        """The RDS of this account in another Region."""
        return rds_backends[self.account][region]

    def __getitem__(self, name: str) -> Any:
        """Read a parameter that the API requires."""
        return self.parameters[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Read a parameter that may be missing."""
        value = self.parameters.get(name)
        return default if value is None else value

    def has(self, name: str) -> bool:
        """Say whether the caller gave a parameter."""
        return self.parameters.get(name) is not None

    def naive_now(self) -> datetime:
        """Return the present as moto keeps time: UTC without saying so."""
        return self.world.now().astimezone(UTC).replace(tzinfo=None)

    def members_of(self, cluster: Any) -> list[Any]:
        """List a cluster's instances; indexed once per call, since a Region may have thousands."""
        if self._members is None or cluster.backend is not self.backend:
            index: dict[str, list[Any]] = {}
            for instance in cluster.backend.databases.values():
                if instance.db_cluster_identifier:
                    index.setdefault(instance.db_cluster_identifier, []).append(instance)
            self._members = index
        members = self._members.get(cluster.db_cluster_identifier, [])
        if members and not any(member.is_cluster_writer for member in members):
            min(members, key=lambda member: member.promotion_tier).is_cluster_writer = True
        return members

    def forget_members(self) -> None:
        """Drop the index after the set of instances changed."""
        self._members = None


def named(arn_or_name: str) -> str:
    """Take the identifier out of an ARN; an automated snapshot's own colons stay with it."""
    parts = arn_or_name.split(":", 6)
    is_arn = parts[0] == "arn" and len(parts) == 7  # noqa: PLR2004 - arn:partition:rds:region:account:type:id
    return (parts[6] if is_arn else arn_or_name).lower()


def region_of(arn_or_name: str, default: str) -> str:
    """Take the Region out of an ARN, or the caller's own for a bare name."""
    return arn_or_name.split(":")[3] if arn_or_name.startswith("arn:") else default


def account_of(arn_or_name: str, default: str) -> str:
    """Take the account out of an ARN, or the caller's own for a bare name."""
    return arn_or_name.split(":")[4] if arn_or_name.startswith("arn:") else default


def find_cluster(call: Call, name: str) -> Any:
    """Find a cluster by name or ARN, or answer as AWS does."""
    cluster = call.backend_in(region_of(name, call.region)).clusters.get(named(name))
    if cluster is None:
        refuse("DBClusterNotFoundFault", f"DBCluster {name} not found.")
    return cluster


def find_instance(call: Call, name: str) -> Any:
    """Find an instance by name or ARN, or answer as AWS does."""
    instance = call.backend_in(region_of(name, call.region)).databases.get(named(name))
    if instance is None:
        refuse("DBInstanceNotFound", f"DBInstance {name} not found.")
    return instance


def check_identifier(value: str, parameter: str, *, longest: int = 63) -> None:
    """Refuse what AWS does not take for an identifier."""
    if not _IDENTIFIER.match(value) or len(value) > longest:
        invalid(
            f"The parameter {parameter} is not a valid identifier. Identifiers must begin with a letter; must"
            " contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two"
            " consecutive hyphens."
        )


def check_retention(days: int, *, least: int) -> None:
    """Refuse a backup retention outside the documented days."""
    longest = 35
    if not least <= days <= longest:
        invalid(f"Invalid backup retention period. Retention period must be between {least} and {longest}.")


def tag_list(tags: Iterable[dict[str, Any]] | None) -> list[dict[str, str]]:
    """Keep a request's tags as plain pairs."""
    return [{"Key": tag["Key"], "Value": tag.get("Value") or ""} for tag in tags or ()]


def merge_tags(tags: list[dict[str, str]], new: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """Overlay tags by key, keeping the order in which the keys first came."""
    merged = {tag["Key"]: tag for tag in (*tags, *new)}
    return list(merged.values())


def filtered(
    call: Call, resources: Iterable[Any], table: dict[str, Callable[[Any], set[str | None]]]
) -> list[Any]:
    """Apply a request's Filters; each one of them must hold, with any of its values."""
    kept = list(resources)
    for condition in call.get("Filters", []):
        name, values = condition["Name"], condition.get("Values") or []
        if name not in table:
            invalid(f"Unrecognized filter name: {name}")
        if not values:
            conflicting(f"The list of values of the filter {name} must not be empty.")
        wanted = {value.lower() for value in values}
        kept = [
            one for one in kept if wanted & {value.lower() for value in table[name](one) if value is not None}
        ]
    return kept
