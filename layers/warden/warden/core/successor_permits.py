"""What the write guard lets pass of the calls that make a successor: nothing that the original has not itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import encryption, procedure
from warden.core import successor_calls as calls
from warden.core.dataclass import dataclass
from warden.core.guard import Only, Permit, SameAs
from warden.core.kinds import Need
from warden.core.snapshot_procedure import PrivateSubnetGroup

if TYPE_CHECKING:
    from warden.core.resource import Facts


@dataclass(frozen=True, slots=True)
class _Name:
    """For the write guard: the one name of the successor, and of its snapshot."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        return (
            None
            if value == calls.name(facts)
            else f"{value!r} is not {calls.name(facts)!r}, the successor's name"
        )


@dataclass(frozen=True, slots=True)
class _MemberName:
    """For the write guard: the name of an instance that takes the place of one of the original's."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        names = [calls.member_name(member) for member in calls.members(facts)]
        return None if value in names else f"{value!r} is not among {names!r}"


@dataclass(frozen=True, slots=True)
class _AsTheOriginal:
    """For the write guard: what the original has, and nothing else."""

    parameter: str

    def refusal(self, value: Any, facts: Facts) -> str | None:
        wanted = calls.carried(facts).get(self.parameter)
        same = wanted is not None and type(value) is type(wanted) and value == wanted
        return None if same else f"{value!r} is not the original's {wanted!r}"


@dataclass(frozen=True, slots=True)
class _AsAMember:
    """For the write guard: what one of the original's instances has."""

    parameter: str

    def refusal(self, value: Any, facts: Facts) -> str | None:
        has = [calls.of_member(facts, member).get(self.parameter) for member in calls.members(facts)]
        if any(one is not None and type(value) is type(one) and value == one for one in has):
            return None
        return f"no instance of the original has {value!r}"


@dataclass(frozen=True, slots=True)
class _SubnetGroup:
    """For the write guard: the original's; for one without, a group of private subnets."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        if not calls.is_in_vpc(facts):
            return PrivateSubnetGroup().refusal(value, facts)
        return SameAs("DBSubnetGroup").refusal(value, facts)


@dataclass(frozen=True, slots=True)
class _SecurityGroups:
    """For the write guard: the original's, all of them and no other; for one without, a single one that is there."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        if calls.is_in_vpc(facts):
            return (
                None
                if value == calls.groups(facts)
                else f"{value!r} are not the original's {calls.groups(facts)!r}"
            )
        known = isinstance(value, list) and len(value) == 1 and value[0] in facts[Need.INBOUND_RULES]
        return None if known else f"{value!r} is not one security group of this Region"


@dataclass(frozen=True, slots=True)
class _Zones:
    """For the write guard: the zones of the original's storage."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        wanted = sorted(facts["AvailabilityZones"])
        return None if value == wanted else f"{value!r} are not the original's zones {wanted!r}"


@dataclass(frozen=True, slots=True)
class _Tags:
    """For the write guard: the original's tags, or one of its instances', and those that say whose successor it is."""

    of_members: bool

    def refusal(self, value: Any, facts: Facts) -> str | None:
        given = procedure.pairs(value)
        if given is None or given.get(procedure.SERVES) != facts["DBClusterArn"]:
            return f"{value!r} does not say whose successor it is"
        if not self.of_members and given.get(calls.SUCCESSOR_OF) != facts["DbClusterResourceId"]:
            return f"{value!r} does not name the resource id of the original"
        items = facts[Need.MEMBERS] if self.of_members else [facts]
        live = {(tag["Key"], tag.get("Value", "")) for item in items for tag in (item.get("TagList") or [])}
        foreign = sorted(
            key for key, tag in given.items() if key not in calls.OURS and (key, tag) not in live
        )
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
