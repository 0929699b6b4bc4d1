"""Each stage of the procedure that encrypts a cluster snapshot, as facts: examples of its control."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from warden.core import encryption, procedure, snapshot_procedure
from warden.core.control import ComplianceType, Example
from warden.core.kinds import KINDS, Need
from warden.core.plan import digest
from warden.core.resource import Facts, Resource, ResourceRef, ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE = "eu-west-1:123456789012"
_ARN = f"arn:aws:rds:{_HERE}:cluster-snapshot:orders-before-upgrade"
_NAME = encryption.copy_name("orders-before-upgrade", limit=snapshot_procedure.NAME_LIMIT)
_KEY = f"arn:aws:kms:{_HERE}:key/1c7a2b3d-4e5f-4a6b-8c9d-0e1f2a3b4c5d"
_ID = "cluster-WARDENSTEMPORARYCLUSTER22"
_NONCE = "5f3c6a0e9b1d4c7f8a2e6b0d1c3f5a79"
_BACKUP = "210987654321"
_SETTINGS = {
    "kms_key": "alias/databases",
    "temporary_subnet_group": "isolated",
    "temporary_security_group": "sg-0a1b2c3d4e5f60718",
    "approved_accounts": [_BACKUP],
}
_ROOM = {"Used": 3, "Max": 40}
_PLACE: Mapping[str, Any] = {
    Need.QUOTAS: {"DBClusters": _ROOM, "ManualClusterSnapshots": _ROOM},
    Need.SUBNET_GROUPS: {"isolated": {"VpcId": "vpc-0a1b2c3d", "Public": []}},
    Need.INBOUND_RULES: {"sg-0a1b2c3d4e5f60718": {"VpcId": "vpc-0a1b2c3d", "Inbound": 0}},
    Need.ALIAS_KEYS: {"alias/databases": _KEY.rpartition("/")[2]},
}
_SNAPSHOT: Mapping[str, Any] = {
    "DBClusterSnapshotIdentifier": "orders-before-upgrade",
    "DBClusterSnapshotArn": _ARN,
    "Engine": "aurora-postgresql",
    "EngineVersion": "16.4",
    "SnapshotType": "manual",
    "StorageEncrypted": False,
    "StorageEncryptionType": "none",
    "KmsKeyId": None,
    "TagList": [{"Key": "owner", "Value": "orders"}],
}


def _facts(
    temporary: Mapping[str, Any] | None = None,
    result: Mapping[str, Any] | None = None,
    record: procedure.Record | None = None,
    *,
    shares: tuple[str, ...] = (),
    place: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        **_SNAPSHOT,
        **_PLACE,
        **(place or {}),
        Need.RESTORE_ACCOUNTS: list(shares),
        Need.ENCRYPTION_PROCEDURE: {"Temporary": temporary, "Result": result, "Record": record},
    }


def _pledge(shares: tuple[str, ...]) -> str:
    """The hash of the first call of these examples' procedure."""
    facts = Facts(_facts(shares=shares))
    resource = Resource(
        ref=ResourceRef.from_arn(_ARN),
        facts=facts,
        observed_at=datetime(2026, 11, 24, tzinfo=UTC),
        key=_ARN,
    )
    return digest(snapshot_procedure.pledge(resource, _SETTINGS, "cluster_snapshot_encrypted")[:1])


def _record(*, resource_id: str = _ID, shares: tuple[str, ...] = ()) -> procedure.Record:
    return procedure.Record(
        arn=f"arn:aws:rds:{_HERE}:cluster:{_NAME}",
        serves=_ARN,
        serves_key=_ARN,
        controls=("cluster_snapshot_encrypted",),
        pledge=_pledge(shares),
        nonce=_NONCE,
        announced_at=datetime(2026, 11, 24, 8, tzinfo=UTC),
        resource_id=resource_id,
    )


def _temporary(status: str = "available", **other: Any) -> dict[str, Any]:
    return {
        **KINDS[ResourceType.DB_CLUSTER].omitted,
        "DBClusterIdentifier": _NAME,
        "DBClusterArn": f"arn:aws:rds:{_HERE}:cluster:{_NAME}",
        "DbClusterResourceId": _ID,
        "ClusterCreateTime": datetime(2026, 11, 24, 8, 1, tzinfo=UTC),
        "Status": status,
        "StorageEncryptionType": "sse-kms",
        "KmsKeyId": _KEY,
        "TagList": [
            *procedure.tags("cluster_snapshot_encrypted", _ARN),
            {"Key": procedure.NONCE, "Value": _NONCE},
        ],
        **other,
    }


def _result(status: str = "available", **other: Any) -> dict[str, Any]:
    return {
        **KINDS[ResourceType.DB_CLUSTER_SNAPSHOT].omitted,
        "DBClusterSnapshotIdentifier": _NAME,
        "DbClusterResourceId": _ID,
        "Status": status,
        "StorageEncryptionType": "sse-kms",
        "KmsKeyId": _KEY,
        "TagList": [{"Key": "owner", "Value": "orders"}, {"Key": procedure.COPY_OF, "Value": _ARN}],
        "RestoreAccounts": [],
        **other,
    }


def _example(name: str, facts: Mapping[str, Any]) -> Example:
    return Example(name=name, facts=facts, settings=_SETTINGS, expect=ComplianceType.NON_COMPLIANT)


_SHARED = (_BACKUP, "555566667777", "all")
_FULL = {"DBClusters": {"Used": 40, "Max": 40}, "ManualClusterSnapshots": _ROOM}

EXAMPLES = (
    _example("not encrypted, and nothing is begun", _facts()),
    _example("announced, and the call's answer never came", _facts(record=_record(resource_id=""))),
    _example("the temporary cluster is being made", _facts(_temporary("creating"), record=_record())),
    _example("the temporary cluster is available", _facts(_temporary(), record=_record())),
    _example("its snapshot is being made", _facts(_temporary(), _result("creating"), _record())),
    _example(
        "its snapshot lacks an approved account of the original's",
        _facts(_temporary(), _result(), _record(shares=_SHARED), shares=_SHARED),
    ),
    _example("its snapshot is available", _facts(_temporary(), _result(), _record())),
    _example("the encrypted copy exists", _facts(result=_result())),
    _example(
        "its snapshot has another key",
        _facts(_temporary(), _result(KmsKeyId=f"arn:aws:kms:{_HERE}:key/another"), _record()),
    ),
    _example("the temporary cluster failed", _facts(_temporary("restore-failed"), record=_record())),
    _example("a cluster of that name, of which there is no record", _facts(_temporary())),
    _example(
        "a cluster of that name, made by somebody else",
        _facts(_temporary(DbClusterResourceId="cluster-SOMEBODYELSES"), record=_record()),
    ),
    _example("a snapshot of that name, which is no copy", _facts(result=_result(TagList=[]))),
    _example("as many clusters as the account may have", _facts(place={Need.QUOTAS: _FULL})),
    _example(
        "the subnets of the policy are public",
        _facts(place={Need.SUBNET_GROUPS: {"isolated": {"VpcId": "vpc-0a1b2c3d", "Public": ["subnet-1"]}}}),
    ),
    _example(
        "the security group of the policy lets somebody in",
        _facts(place={Need.INBOUND_RULES: {"sg-0a1b2c3d4e5f60718": {"VpcId": "vpc-0a1b2c3d", "Inbound": 1}}}),
    ),
)
