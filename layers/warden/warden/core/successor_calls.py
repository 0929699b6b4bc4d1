"""The calls that make a successor of an Aurora cluster, and what the write guard lets pass of them.

"This operation only restores the DB cluster, not the DB instances for that DB cluster" (RestoreDBClusterFromSnapshot),
and what it is not told, it sets to defaults: so each call names all that the original has.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from warden.core import encryption, master_user, procedure, readers
from warden.core.guard import Only, Permit, SameAs
from warden.core.kinds import Need
from warden.core.plan import Call
from warden.core.snapshot_procedure import PrivateSubnetGroup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Facts

SUCCESSOR_OF = "warden:successor-of"
"""The tag of a successor: the resource id of the original, which survives that one's being renamed."""
_PROCEDURE = "cluster_successor"
_OURS = frozenset({procedure.PROCEDURE, procedure.SERVES, procedure.NONCE, SUCCESSOR_OF})
MOST_TAGS = 50 - len(_OURS)
"""How many tags of its own an original may have: "Number of tags: 50" for a resource (RDS User Guide, "Tagging")."""
# "Must contain from 1 to 63 letters, numbers, or hyphens" (RestoreDBClusterFromSnapshot, CreateDBInstance,
# CreateDBClusterSnapshot).
_LONGEST, _DIGEST_LENGTH = 63, 8
_AUTO_SCALED = "application-autoscaling-"
_SERVERLESS = ("MinCapacity", "MaxCapacity", "SecondsUntilAutoPause")


def name(facts: Mapping[str, Any]) -> str:
    """The name of the successor and of the snapshot that it is restored from: the same at every visit."""
    return _named(facts["DBClusterIdentifier"], facts["DbClusterResourceId"])


def member_name(member: Mapping[str, Any]) -> str:
    """The name of the instance that takes the place of this one."""
    return _named(member["DBInstanceIdentifier"], member["DbiResourceId"])


def _named(identifier: str, resource_id: str) -> str:
    digest = hashlib.sha256(resource_id.encode()).hexdigest()[:_DIGEST_LENGTH]
    words = re.sub(r"[^a-z0-9]+", "-", identifier.lower()).strip("-")
    room = _LONGEST - len(procedure.PREFIX) - _DIGEST_LENGTH - 1
    return f"{procedure.PREFIX}{words[:room].rstrip('-')}-{digest}"


def members(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The instances that a successor gets, the writer's first: the first one that is made becomes the writer.

    Readers that Aurora Auto Scaling has added come and go by themselves, and are not among them.
    """
    writers = {one["DBInstanceIdentifier"] for one in facts["DBClusterMembers"] if one["IsClusterWriter"]}
    return sorted(_in_line(facts), key=lambda member: member["DBInstanceIdentifier"] not in writers)


def auto_scaled(facts: Mapping[str, Any]) -> list[str]:
    """The names of the readers that Aurora Auto Scaling has added."""
    names = sorted(member["DBInstanceIdentifier"] for member in facts[Need.MEMBERS])
    return [one for one in names if one.startswith(_AUTO_SCALED)]


def _in_line(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """In an order that a failover does not change: an approval is for the calls in theirs."""
    return sorted(
        (one for one in facts[Need.MEMBERS] if not one["DBInstanceIdentifier"].startswith(_AUTO_SCALED)),
        key=lambda member: (member.get("PromotionTier", 1), member["DBInstanceIdentifier"]),
    )


def pledge(facts: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[Call, ...]:
    """All calls, from the first to the last."""
    return (snapshot(facts), _restore(facts, settings), *(create(facts, one) for one in _in_line(facts)))


def snapshot(facts: Mapping[str, Any]) -> Call:
    return Call(
        "CreateDBClusterSnapshot",
        {
            "DBClusterSnapshotIdentifier": name(facts),
            "DBClusterIdentifier": facts["DBClusterIdentifier"],
            "Tags": procedure.tags(_PROCEDURE, facts["DBClusterArn"]),
        },
    )


def _restore(facts: Mapping[str, Any], settings: Mapping[str, Any]) -> Call:
    return Call(
        "RestoreDBClusterFromSnapshot",
        {
            "DBClusterIdentifier": name(facts),
            "SnapshotIdentifier": name(facts),
            "KmsKeyId": settings["kms_key"],
            **_place(facts, settings),
            **carried(facts),
            "DeletionProtection": True,
            "Tags": [
                *procedure.carried(facts["TagList"]),
                *procedure.tags(_PROCEDURE, facts["DBClusterArn"]),
                {"Key": SUCCESSOR_OF, "Value": facts["DbClusterResourceId"]},
            ],
        },
    )


def create(facts: Mapping[str, Any], member: Mapping[str, Any]) -> Call:
    """The instance of the successor that takes the place of this one."""
    return Call(
        "CreateDBInstance",
        {
            "DBInstanceIdentifier": member_name(member),
            "DBClusterIdentifier": name(facts),
            "Engine": facts["Engine"],
            "PubliclyAccessible": False,
            **_of_member(facts, member),
            "Tags": [
                *procedure.carried(member.get("TagList") or []),
                *procedure.tags(_PROCEDURE, facts["DBClusterArn"]),
            ],
        },
    )


def _place(facts: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The original's own place, that of the policy where it has none; never an internet access gateway."""
    # "When both parameters are specified, IAM database authentication is required" (EnableVPCNetworking): whatever has
    # such a gateway has that, too.
    networking = {"EnableVPCNetworking": True, "EnableInternetAccessGateway": False}
    closed = networking if master_user.is_express(facts) else {}
    if not is_in_vpc(facts):
        return {
            **closed,
            "DBSubnetGroupName": settings["successor_subnet_group"],
            "VpcSecurityGroupIds": [settings["successor_security_group"]],
        }
    return {
        **closed,
        "DBSubnetGroupName": facts["DBSubnetGroup"],
        "VpcSecurityGroupIds": groups(facts),
        "AvailabilityZones": sorted(facts["AvailabilityZones"]),
    }


def is_in_vpc(facts: Mapping[str, Any]) -> bool:
    """Whether a cluster has a place of its own, as all but those of the express configuration have."""
    return facts["DBSubnetGroup"] is not None and bool(facts["VpcSecurityGroups"])


def groups(item: Mapping[str, Any]) -> list[str]:
    """The security groups of a cluster."""
    return sorted(group["VpcSecurityGroupId"] for group in item.get("VpcSecurityGroups") or [])


def carried(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the restore is told so that the successor has it as the original has it."""
    wanted: dict[str, Any] = {
        "Engine": facts["Engine"],
        "EngineVersion": facts["EngineVersion"],
        "Port": facts["Port"],
        "DBClusterParameterGroupName": facts["DBClusterParameterGroup"],
        "EnableIAMDatabaseAuthentication": facts["IAMDatabaseAuthenticationEnabled"],
        "CopyTagsToSnapshot": facts["CopyTagsToSnapshot"],
        "BackupRetentionPeriod": facts["BackupRetentionPeriod"],
        "PreferredBackupWindow": facts["PreferredBackupWindow"],
    }
    if exports := sorted(facts["EnabledCloudwatchLogsExports"]):
        wanted["EnableCloudwatchLogsExports"] = exports
    for parameter in ("StorageType", "NetworkType", "EngineLifecycleSupport", "BacktrackWindow"):
        if parameter in facts and facts[parameter]:
            wanted[parameter] = facts[parameter]
    if capacity := facts["ServerlessV2ScalingConfiguration"]:
        wanted["ServerlessV2ScalingConfiguration"] = {
            key: capacity[key] for key in _SERVERLESS if capacity.get(key) is not None
        }
    if facts["MonitoringInterval"] and facts["MonitoringRoleArn"]:
        wanted |= {key: facts[key] for key in ("MonitoringInterval", "MonitoringRoleArn")}
    # Only with its key: without one RDS takes a key that cannot be changed in place.
    if facts["PerformanceInsightsEnabled"] and facts["PerformanceInsightsKMSKeyId"]:
        wanted["EnablePerformanceInsights"] = True
        wanted["PerformanceInsightsKMSKeyId"] = facts["PerformanceInsightsKMSKeyId"]
        if days := facts["PerformanceInsightsRetentionPeriod"]:
            wanted["PerformanceInsightsRetentionPeriod"] = days
    return wanted


def _of_member(facts: Mapping[str, Any], member: Mapping[str, Any]) -> dict[str, Any]:
    has = {**readers.like(member), "PromotionTier": member.get("PromotionTier", 1)}
    # Another subnet group may have no subnet in the zone of one of the express configuration.
    in_place = ("PreferredMaintenanceWindow", *(("AvailabilityZone",) if is_in_vpc(facts) else ()))
    return has | {parameter: member[parameter] for parameter in in_place if member.get(parameter)}


# --- for the write guard ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Name:
    """The one name of the successor, and of its snapshot."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        return None if value == name(facts) else f"{value!r} is not {name(facts)!r}, the successor's name"


@dataclass(frozen=True, slots=True)
class _MemberName:
    """The name of an instance that takes the place of one of the original's."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        names = [member_name(member) for member in members(facts)]
        return None if value in names else f"{value!r} is not among {names!r}"


@dataclass(frozen=True, slots=True)
class _AsTheOriginal:
    """What the original has, and nothing else."""

    parameter: str

    def refusal(self, value: Any, facts: Facts) -> str | None:
        wanted = carried(facts).get(self.parameter)
        same = wanted is not None and type(value) is type(wanted) and value == wanted
        return None if same else f"{value!r} is not the original's {wanted!r}"


@dataclass(frozen=True, slots=True)
class _AsAMember:
    """What one of the original's instances has."""

    parameter: str

    def refusal(self, value: Any, facts: Facts) -> str | None:
        has = [_of_member(facts, member).get(self.parameter) for member in members(facts)]
        if any(one is not None and type(value) is type(one) and value == one for one in has):
            return None
        return f"no instance of the original has {value!r}"


@dataclass(frozen=True, slots=True)
class _SubnetGroup:
    """The original's; for one without, a group of private subnets."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        if not is_in_vpc(facts):
            return PrivateSubnetGroup().refusal(value, facts)
        return SameAs("DBSubnetGroup").refusal(value, facts)


@dataclass(frozen=True, slots=True)
class _SecurityGroups:
    """The original's, all of them and no other; for one without, a single one that is there."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        if is_in_vpc(facts):
            return None if value == groups(facts) else f"{value!r} are not the original's {groups(facts)!r}"
        known = isinstance(value, list) and len(value) == 1 and value[0] in facts[Need.INBOUND_RULES]
        return None if known else f"{value!r} is not one security group of this Region"


@dataclass(frozen=True, slots=True)
class _Zones:
    """The zones of the original's storage."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        wanted = sorted(facts["AvailabilityZones"])
        return None if value == wanted else f"{value!r} are not the original's zones {wanted!r}"


@dataclass(frozen=True, slots=True)
class _Tags:
    """The original's tags, or one of its instances', and those that say whose successor it is."""

    of_members: bool

    def refusal(self, value: Any, facts: Facts) -> str | None:
        given = procedure.pairs(value)
        if given is None or given.get(procedure.SERVES) != facts["DBClusterArn"]:
            return f"{value!r} does not say whose successor it is"
        if not self.of_members and given.get(SUCCESSOR_OF) != facts["DbClusterResourceId"]:
            return f"{value!r} does not name the resource id of the original"
        items = facts[Need.MEMBERS] if self.of_members else [facts]
        live = {(tag["Key"], tag.get("Value", "")) for item in items for tag in (item.get("TagList") or [])}
        foreign = sorted(key for key, tag in given.items() if key not in _OURS and (key, tag) not in live)
        return f"{foreign!r} are not tags of the original" if foreign else None


def _each(accepts: type[_AsTheOriginal | _AsAMember], *parameters: str) -> dict[str, Any]:
    return {parameter: accepts(parameter) for parameter in parameters}


PERMITS = (
    Permit(
        operation="CreateDBClusterSnapshot",
        required={
            "DBClusterSnapshotIdentifier": _Name(),
            "DBClusterIdentifier": SameAs("DBClusterIdentifier"),
            "Tags": procedure.OwnTags("DBClusterArn"),
        },
        dependent_actions=("rds:AddTagsToResource",),
    ),
    Permit(
        operation="RestoreDBClusterFromSnapshot",
        required={
            "DBClusterIdentifier": _Name(),
            "SnapshotIdentifier": _Name(),
            "KmsKeyId": encryption.CustomerKey(),
            "DBSubnetGroupName": _SubnetGroup(),
            "VpcSecurityGroupIds": _SecurityGroups(),
            "DeletionProtection": Only((True,)),
            "Tags": _Tags(of_members=False),
            **_each(
                _AsTheOriginal,
                *("Engine", "EngineVersion", "Port", "DBClusterParameterGroupName", "CopyTagsToSnapshot"),
                *("EnableIAMDatabaseAuthentication", "BackupRetentionPeriod", "PreferredBackupWindow"),
            ),
        },
        optional={
            "AvailabilityZones": _Zones(),
            "EnableVPCNetworking": Only((True,)),
            "EnableInternetAccessGateway": Only((False,)),
            **_each(
                _AsTheOriginal,
                *("EnableCloudwatchLogsExports", "StorageType", "NetworkType", "EngineLifecycleSupport"),
                *("BacktrackWindow", "ServerlessV2ScalingConfiguration"),
                *("MonitoringInterval", "MonitoringRoleArn", "EnablePerformanceInsights"),
                *("PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod"),
            ),
        },
        # As for the temporary cluster of a snapshot; and whoever names the role of Enhanced Monitoring passes it.
        dependent_actions=("kms:CreateGrant", "kms:DescribeKey", "rds:AddTagsToResource", "iam:PassRole"),
    ),
    Permit(
        operation="CreateDBInstance",
        required={
            "DBInstanceIdentifier": _MemberName(),
            "DBClusterIdentifier": _Name(),
            "Engine": SameAs("Engine"),
            "PubliclyAccessible": Only((False,)),
            "Tags": _Tags(of_members=True),
            **_each(
                _AsAMember,
                *("DBInstanceClass", "DBParameterGroupName", "AutoMinorVersionUpgrade", "PromotionTier"),
                "CACertificateIdentifier",
            ),
        },
        optional=_each(
            _AsAMember,
            *("AvailabilityZone", "PreferredMaintenanceWindow", "MonitoringInterval", "MonitoringRoleArn"),
            *("EnablePerformanceInsights", "PerformanceInsightsKMSKeyId"),
            "PerformanceInsightsRetentionPeriod",
        ),
        dependent_actions=("iam:PassRole", "kms:CreateGrant", "kms:DescribeKey", "rds:AddTagsToResource"),
    ),
)
