"""Each stage of the procedure that prepares a successor, as facts: examples of the controls that ask for one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from warden.core import procedure
from warden.core import successor_calls as calls
from warden.core.control import ComplianceType, Example
from warden.core.kinds import KINDS, Need
from warden.core.plan import digest
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE = "eu-west-1:123456789012"
_ARN = f"arn:aws:rds:{_HERE}:cluster:orders"
_KEY = f"arn:aws:kms:{_HERE}:key/1c7a2b3d-4e5f-4a6b-8c9d-0e1f2a3b4c5d"
_ROLE = "arn:aws:iam::123456789012:role/rds-monitoring"
_NONCE = "5f3c6a0e9b1d4c7f8a2e6b0d1c3f5a79"
_ID = "cluster-WARDENSSUCCESSOR2222222222"
_SETTINGS = {
    "kms_key": "alias/databases",
    "successor_subnet_group": "isolated",
    "successor_security_group": "sg-0a1b2c3d4e5f60718",
}
_QUOTAS = {name: {"Used": 3, "Max": 40} for name in ("DBClusters", "DBInstances", "ManualClusterSnapshots")}
_NOTHING: Mapping[str, Any] = {
    "Cluster": None,
    "Others": [],
    "Members": [],
    "Snapshot": None,
    "Record": None,
    "SnapshotRecord": None,
}
_INSIGHTS = {
    "PerformanceInsightsEnabled": True,
    "PerformanceInsightsKMSKeyId": _KEY,
    "PerformanceInsightsRetentionPeriod": 465,
}
_MONITORING = {"MonitoringInterval": 60, "MonitoringRoleArn": _ROLE}


def _member(number: int) -> dict[str, Any]:
    return {
        "DBInstanceIdentifier": f"orders-{number}",
        "DbiResourceId": f"db-ORDERSINSTANCE{number}",
        "DBInstanceClass": "db.r7g.large",
        "DBInstanceStatus": "available",
        "DBParameterGroups": [{"DBParameterGroupName": "orders-pg16", "ParameterApplyStatus": "in-sync"}],
        "AutoMinorVersionUpgrade": True,
        "AvailabilityZone": f"eu-west-1{'abc'[number - 1]}",
        "CACertificateIdentifier": "rds-ca-rsa2048-g1",
        "PreferredMaintenanceWindow": "sun:04:00-sun:04:30",
        "PromotionTier": 1,
        "TagList": [{"Key": "team", "Value": "orders"}],
        **_MONITORING,
        **_INSIGHTS,
    }


def _role(number: int) -> dict[str, Any]:
    return {
        "DBInstanceIdentifier": f"orders-{number}",
        "IsClusterWriter": number == 2,  # noqa: PLR2004 - a failover made the second one the writer
        "DBClusterParameterGroupStatus": "in-sync",
        "PromotionTier": 1,
    }


_CLUSTER: Mapping[str, Any] = {
    "DBClusterIdentifier": "orders",
    "DbClusterResourceId": "cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "DBClusterArn": _ARN,
    "DBClusterMembers": [_role(1), _role(2)],
    "StorageType": "aurora-iopt1",
    "BacktrackWindow": 3600,
    "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "MaxCapacity": 8.0},
    "AssociatedRoles": [
        {"RoleArn": "arn:aws:iam::123456789012:role/load", "Status": "ACTIVE", "FeatureName": "s3Import"}
    ],
    "HttpEndpointEnabled": True,
    "ActivityStreamStatus": "started",
    "ActivityStreamMode": "async",
    "ActivityStreamKmsKeyId": _KEY,
    **_MONITORING,
    **_INSIGHTS,
    Need.MEMBERS: [_member(1), _member(2)],
    Need.BLUE_GREEN: [],
    Need.QUOTAS: _QUOTAS,
    Need.SUBNET_GROUPS: {"isolated": {"VpcId": "vpc-0a1b2c3d", "Public": []}},
    Need.INBOUND_RULES: {"sg-0a1b2c3d4e5f60718": {"VpcId": "vpc-0a1b2c3d", "Inbound": 1}},
    Need.ALIAS_KEYS: {"alias/databases": _KEY.rpartition("/")[2]},
}
_EXPRESS: Mapping[str, Any] = {
    "InternetAccessGatewayEnabled": True,
    "VPCNetworkingEnabled": False,
    "DBSubnetGroup": None,
    "VpcSecurityGroups": [],
}
_NAME = calls.name(_CLUSTER)


def record(resource_id: str = _ID, *, of_snapshot: bool = False, **other: Any) -> procedure.Record:
    """What Warden wrote down of the successor, or of its snapshot."""
    kind = "cluster-snapshot" if of_snapshot else "cluster"
    values = {
        "arn": f"arn:aws:rds:{_HERE}:{kind}:{_NAME}",
        "serves": _ARN,
        "serves_key": _ARN,
        "controls": ("cluster_storage_encrypted",),
        "pledge": digest((calls.snapshot(_CLUSTER),)),
        "nonce": _NONCE,
        "announced_at": datetime(2026, 11, 24, 8, tzinfo=UTC),
        "resource_id": resource_id,
        "stays": not of_snapshot,
    }
    return procedure.Record(**{**values, **other})


def snapshot(status: str = "available", **other: Any) -> dict[str, Any]:
    """The snapshot of the original."""
    return {
        **KINDS[ResourceType.DB_CLUSTER_SNAPSHOT].omitted,
        "DBClusterSnapshotIdentifier": _NAME,
        "DbClusterResourceId": _CLUSTER["DbClusterResourceId"],
        "SnapshotCreateTime": datetime(2026, 11, 24, 8, 1, tzinfo=UTC),
        "Status": status,
        "TagList": [*procedure.tags("cluster_successor", _ARN), {"Key": procedure.NONCE, "Value": _NONCE}],
        **other,
    }


def successor(status: str = "available", *, members: int = 0, **other: Any) -> dict[str, Any]:
    """The successor, with so many of its instances."""
    return {
        **KINDS[ResourceType.DB_CLUSTER].omitted,
        "DBClusterIdentifier": _NAME,
        "DBClusterArn": f"arn:aws:rds:{_HERE}:cluster:{_NAME}",
        "DbClusterResourceId": _ID,
        "ClusterCreateTime": datetime(2026, 11, 24, 9, tzinfo=UTC),
        "Status": status,
        "StorageEncryptionType": "sse-kms",
        "KmsKeyId": _KEY,
        "DBClusterMembers": [
            {"DBInstanceIdentifier": one["DBInstanceIdentifier"]} for one in instances(members)
        ],
        "TagList": [
            *procedure.tags("cluster_successor", _ARN),
            {"Key": calls.SUCCESSOR_OF, "Value": _CLUSTER["DbClusterResourceId"]},
            {"Key": procedure.NONCE, "Value": _NONCE},
        ],
        **other,
    }


def instances(count: int, last: str = "available") -> list[dict[str, Any]]:
    """So many of its instances, the writer first."""
    names = [calls.member_name(member) for member in calls.members(_CLUSTER)][:count]
    return [
        {"DBInstanceIdentifier": name, "DBInstanceStatus": last if name == names[-1] else "available"}
        for name in names
    ]


def begun(members: int = 0, last: str = "available", **other: Any) -> dict[str, Any]:
    """What there is once the successor is available, with so many of its instances."""
    return {
        "Snapshot": snapshot(),
        "SnapshotRecord": record(of_snapshot=True),
        "Cluster": successor(members=members),
        "Members": instances(members, last),
        "Record": record(),
        **other,
    }


def examples(drift: Mapping[str, Any]) -> tuple[Example, ...]:
    """Every stage, of a cluster that drifts so."""

    def example(name: str, seen: Mapping[str, Any] | None = None, **facts: Any) -> Example:
        found: dict[str, Any] = {Need.SUCCESSOR: {**_NOTHING, **(seen or {})}}
        return Example(
            name=f"a successor: {name}",
            facts={**_CLUSTER, **drift, **found, **facts},
            settings=_SETTINGS,
            expect=ComplianceType.NON_COMPLIANT,
        )

    taken = {"Snapshot": snapshot(), "SnapshotRecord": record(of_snapshot=True)}
    full = {**_QUOTAS, "DBInstances": {"Used": 39, "Max": 40}}
    return (
        example("nothing is begun"),
        example("there is no room for its instances", **{Need.QUOTAS: full}),
        example(
            "announced, and the call's answer never came", {"SnapshotRecord": record("", of_snapshot=True)}
        ),
        example("the snapshot is being made", {**taken, "Snapshot": snapshot("creating")}),
        example("the snapshot is available", taken),
        example("the snapshot is available, of a cluster without a VPC", taken, **_EXPRESS),
        example(
            "the snapshot is available, of a cluster with a gateway", taken, InternetAccessGatewayEnabled=True
        ),
        example("a snapshot of that name, of which there is no record", {"Snapshot": snapshot()}),
        example("it is being made", begun(Cluster=successor("creating"))),
        example("it is available", begun()),
        example("its writer is being made", begun(1, "creating")),
        example("its writer is available", begun(1)),
        example("all of it is available", begun(2)),
        example("all of it is available, and no record is left", begun(2, Record=None, SnapshotRecord=None)),
        example("it has another key", begun(Cluster=successor(KmsKeyId=f"{_KEY}0"))),
        example(
            "a cluster of that name, of which there is no record",
            begun(Cluster=successor(TagList=[]), Record=None),
        ),
        example(
            "a cluster of that name, made by somebody else",
            begun(Cluster=successor(DbClusterResourceId="cluster-X")),
        ),
        example("somebody deleted it", {**taken, "Record": record()}),
        example("it has taken over", {"Others": ["orders-2"]}),
        example("no place for a cluster without a VPC", **{**_EXPRESS, Need.SUBNET_GROUPS: {}}),
        example("a member of a global database", GlobalClusterIdentifier="orders-world"),
    )
