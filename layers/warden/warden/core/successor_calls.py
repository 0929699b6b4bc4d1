"""The calls that make a successor of an Aurora cluster.

"This operation only restores the DB cluster, not the DB instances for that DB cluster" (RestoreDBClusterFromSnapshot),
and what it is not told, it sets to defaults: so each call names all that the original has.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from warden.core import master_user, procedure, readers
from warden.core.kinds import Need
from warden.core.plan import Call

if TYPE_CHECKING:
    from collections.abc import Mapping


SUCCESSOR_OF = "warden:successor-of"
"""The tag of a successor: the resource id of the original, which survives that one's being renamed."""
_PROCEDURE = "cluster_successor"
OURS = frozenset({procedure.PROCEDURE, procedure.SERVES, procedure.NONCE, SUCCESSOR_OF})
"""The tags that a successor has beside those of the original."""
MOST_TAGS = 50 - len(OURS)
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
    identifier = member["DBInstanceIdentifier"]
    return _named(identifier, member.get("DbiResourceId") or identifier)


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
    """The first call: a snapshot of the original, under the successor's name."""
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
            **of_member(facts, member),
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


def stated(facts: Mapping[str, Any], name: str) -> Any:
    """A member that AWS may leave out; None where it does. `Facts` themselves know no default."""
    if name not in facts:
        return None
    return facts[name]


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
        if value := stated(facts, parameter):
            wanted[parameter] = value
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


def of_member(facts: Mapping[str, Any], member: Mapping[str, Any]) -> dict[str, Any]:
    """What an instance is told so that it is as the one whose place it takes."""
    has = {**readers.like(member), "PromotionTier": member.get("PromotionTier", 1)}
    # Another subnet group may have no subnet in the zone of one of the express configuration.
    in_place = ("PreferredMaintenanceWindow", *(("AvailabilityZone",) if is_in_vpc(facts) else ()))
    return has | {parameter: member[parameter] for parameter in in_place if member.get(parameter)}
