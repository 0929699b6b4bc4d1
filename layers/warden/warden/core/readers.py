"""The readers of an Aurora cluster: how many stand in other Availability Zones, and what another one is like."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass
from warden.core.kinds import Need
from warden.core.plan import Call

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from warden.core.resource import Facts

MOST_READERS = 15
"""An Aurora cluster has up to fifteen readers (Amazon Aurora User Guide, "Replication with Amazon Aurora")."""

FIRST_IN_LINE = 1
"""Promotion tiers 0 and 1 are promoted first, and on Serverless v2 they are always as large as the writer."""

TAG = {"Key": "warden:control", "Value": "cluster_readers_sufficient"}
"""What every reader bears that Warden made."""

PREFIX = "warden-"
_LONGEST = 63
_DIGEST_LENGTH = 8

# RDS User Guide, "Viewing Amazon RDS DB instance status". What is being changed comes back; a cluster that was
# stopped starts by itself after a week, with all of its members.
_WORKING = frozenset(
    {
        *("available", "backing-up", "configuring-enhanced-monitoring", "configuring-iam-database-auth"),
        *("configuring-log-exports", "converting-to-vpc", "creating", "maintenance", "modifying"),
        *("moving-to-vpc", "rebooting", "renaming", "resetting-master-credentials", "starting", "stopped"),
        *(
            "stopping",
            "storage-config-upgrade",
            "storage-initialization",
            "storage-optimization",
            "upgrading",
        ),
    }
)
BROKEN = frozenset(
    {
        *("delete-precheck", "deleting", "failed", "inaccessible-encryption-credentials"),
        *("inaccessible-encryption-credentials-recoverable", "incompatible-network", "incompatible-create"),
        *("incompatible-option-group", "incompatible-parameters", "incompatible-restore"),
        *("insufficient-capacity", "restore-error", "storage-full"),
    }
)


@dataclass(frozen=True, slots=True)
class Standing:
    """The members of a cluster as they stand: in which zone the writer is, and who could take its place."""

    leader: Mapping[str, Any] | None
    """The Describe item of the writer, or of the first in line of a secondary cluster, which has no writer."""
    elsewhere: tuple[str, ...]
    """The names of readers in other zones than the leader's."""
    beside: tuple[str, ...]
    """Those in the leader's own zone."""
    unknown: tuple[str, ...]
    """Those whose zone or whose state is not known, and those that only one of AWS's two lists holds."""
    promotable: tuple[str, ...]
    """Those of `elsewhere` that are first in line to be promoted."""


def standing(facts: Facts) -> Standing:
    """Look at a cluster's members; those that are broken or on their way out count for nothing."""
    roles = {member["DBInstanceIdentifier"]: member for member in facts["DBClusterMembers"]}
    items = {member["DBInstanceIdentifier"]: member for member in facts[Need.MEMBERS]}
    known = {name: item for name, item in sorted(items.items()) if _is_known(item, roles.get(name))}
    gone = {name for name, item in items.items() if item["DBInstanceStatus"] in BROKEN}
    unknown = tuple(sorted((set(roles) | set(items)) - set(known) - gone))
    leader = _leader(known, roles)
    if leader is None:
        return Standing(None, (), (), unknown, ())
    rest = {name: item for name, item in known.items() if item is not leader}
    elsewhere = tuple(
        name for name, item in rest.items() if item["AvailabilityZone"] != leader["AvailabilityZone"]
    )
    return Standing(
        leader=leader,
        elsewhere=elsewhere,
        beside=tuple(name for name in rest if name not in elsewhere),
        unknown=unknown,
        promotable=tuple(name for name in elsewhere if _tier(roles[name]) <= FIRST_IN_LINE),
    )


def _is_known(item: Mapping[str, Any], role: Mapping[str, Any] | None) -> bool:
    """Whether a member works, and where; AWS names the zone of a new one once it has found a place for it."""
    return (
        role is not None and item["DBInstanceStatus"] in _WORKING and item.get("AvailabilityZone") is not None
    )


def _tier(role: Mapping[str, Any]) -> int:
    """The order of promotion; "Default: 1" (CreateDBInstance.PromotionTier)."""
    tier: int = role.get("PromotionTier", 1)
    return tier


def _leader(
    known: Mapping[str, Mapping[str, Any]], roles: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    writers = [name for name in known if roles[name]["IsClusterWriter"]]
    if not writers and any(role["IsClusterWriter"] for role in roles.values()):
        # The writer itself is broken or not known: nobody else is taken for it.
        return None
    in_line = writers or sorted(known, key=lambda name: (_tier(roles[name]), name))
    return known[in_line[0]] if in_line else None


# --- another reader -----------------------------------------------------------------------------------------------


def new_name(facts: Facts) -> str:
    """The name of the next reader: the same as long as the members are the same, so that there can be no second.

    "Must contain from 1 to 63 letters, numbers, or hyphens. First character must be a letter. Can't end with a
    hyphen or contain two consecutive hyphens" (CreateDBInstance.DBInstanceIdentifier).
    """
    digest = hashlib.sha256(facts["DbClusterResourceId"].encode()).hexdigest()[:_DIGEST_LENGTH]
    words = re.sub(r"[^a-z0-9]+", "-", facts["DBClusterIdentifier"].lower()).strip("-")
    room = _LONGEST - len(PREFIX) - _DIGEST_LENGTH - len("--99")
    stem = f"{PREFIX}{words[:room].rstrip('-')}-{digest}"
    taken = {member["DBInstanceIdentifier"] for member in (*facts["DBClusterMembers"], *facts[Need.MEMBERS])}
    return next(name for name in (f"{stem}-{number}" for number in range(1, 100)) if name not in taken)


def open_zones(facts: Facts, leader: Mapping[str, Any]) -> list[str]:
    """The zones where another reader can stand, the emptiest first.

    "each Aurora DB cluster hosts copies of its storage in three separate Availability Zones. Specify one of these
    Availability Zones" (CreateDBInstance.AvailabilityZone); and one where the subnet group has a subnet.
    """
    subnets = (leader.get("DBSubnetGroup") or {}).get("Subnets", [])
    reachable = {
        subnet["SubnetAvailabilityZone"]["Name"] for subnet in subnets if subnet["SubnetStatus"] == "Active"
    }
    zones = set(facts["AvailabilityZones"]) & reachable - {leader["AvailabilityZone"]}
    held = [member.get("AvailabilityZone") for member in facts[Need.MEMBERS]]
    return sorted(zones, key=lambda zone: (held.count(zone), zone))


def another(facts: Facts, leader: Mapping[str, Any], zone: str) -> Call:
    """A reader like the writer, in a zone, never public, with Warden's tag."""
    return Call(
        "CreateDBInstance",
        {
            "DBInstanceIdentifier": new_name(facts),
            "DBClusterIdentifier": facts["DBClusterIdentifier"],
            "Engine": facts["Engine"],
            "AvailabilityZone": zone,
            "PromotionTier": FIRST_IN_LINE,
            "PubliclyAccessible": False,
            "Tags": [dict(TAG)],
            **like(leader),
        },
    )


def like(leader: Mapping[str, Any]) -> dict[str, Any]:
    """What a new reader has as the writer has it, as parameters of CreateDBInstance.

    Performance Insights only with its key: without one RDS takes a key that cannot be changed in place.
    """
    parameters = {
        "DBInstanceClass": leader["DBInstanceClass"],
        "DBParameterGroupName": leader["DBParameterGroups"][0]["DBParameterGroupName"],
        "AutoMinorVersionUpgrade": leader["AutoMinorVersionUpgrade"],
        "CACertificateIdentifier": leader["CACertificateIdentifier"],
    }
    # "If MonitoringInterval is set to a value other than 0, then you must supply a MonitoringRoleArn value."
    if leader.get("MonitoringInterval") and leader.get("MonitoringRoleArn"):
        parameters |= {name: leader[name] for name in ("MonitoringInterval", "MonitoringRoleArn")}
    if leader.get("PerformanceInsightsEnabled") and leader.get("PerformanceInsightsKMSKeyId"):
        parameters |= {
            "EnablePerformanceInsights": True,
            "PerformanceInsightsKMSKeyId": leader["PerformanceInsightsKMSKeyId"],
        }
        if leader.get("PerformanceInsightsRetentionPeriod"):
            parameters["PerformanceInsightsRetentionPeriod"] = leader["PerformanceInsightsRetentionPeriod"]
    return parameters


# --- for the write guard ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewName:
    """The one name of the next reader, while a cluster can have another."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse any other name, one that a member has, and a sixteenth reader."""
        if len(facts[Need.MEMBERS]) > MOST_READERS:
            return f"the cluster has {len(facts[Need.MEMBERS])} instances already"
        wanted = new_name(facts)
        return None if value == wanted else f"{value!r} is not {wanted!r}, the name of the next reader"


@dataclass(frozen=True, slots=True)
class OtherZone:
    """A zone of the cluster's storage and of its subnet group, other than the writer's."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse the writer's own zone, and zones where the cluster has no subnet."""
        leader = standing(facts).leader
        zones = [] if leader is None else open_zones(facts, leader)
        return None if value in zones else f"{value!r} is not among {zones!r}"


@dataclass(frozen=True, slots=True)
class LikeTheWriter:
    """What the writer has."""

    parameter: str

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse whatever the writer has not: a larger class, another group, another key, another role."""
        leader = standing(facts).leader
        has: Iterable[Any] = [] if leader is None else [like(leader).get(self.parameter)]
        if any(value is not None and type(value) is type(one) and value == one for one in has):
            return None
        return f"{value!r} is not the writer's own"
