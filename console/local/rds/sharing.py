"""Sharing snapshots: who may restore them, and what AWS never shares."""

from __future__ import annotations

import re
from typing import Any

from console.local.rds import cluster_snapshots, instance_snapshots
from console.local.rds.call import Call, conflicting, invalid, refuse
from console.local.rds.encryption import encryption_of
from console.local.rds.registry import Correction, Topic
from console.local.rds.snapshots import check_available
from console.local.rds.state import StorageEncryptionType

_MOST_ACCOUNTS = 20
_EVERYBODY = "all"
_ACCOUNT = re.compile(r"\d{12}")


def _change(call: Call, snapshot: Any, *, fault: str) -> list[str]:
    if snapshot.snapshot_type != "manual":
        refuse(fault, f"{snapshot.snapshot_type} snapshots cannot be modified.")
    check_available(call, snapshot)
    if call["AttributeName"] != "restore":
        invalid(f"Invalid snapshot attribute {call['AttributeName']}")
    add: list[str] = call.get("ValuesToAdd", [])
    remove: list[str] = call.get("ValuesToRemove", [])
    both = sorted(set(add) & set(remove))
    if both:
        conflicting(f"A value may not appear in both the add list and remove list. {both}")
    for value in (*add, *remove):
        if value != _EVERYBODY and not _ACCOUNT.fullmatch(value):
            invalid(f"Invalid account id: {value}")
    if _EVERYBODY in add and encryption_of(snapshot).type is not StorageEncryptionType.NONE:
        refuse(fault, "Encrypted snapshots cannot be shared publicly.")
    held: list[str] = snapshot.attributes["restore"]
    after = [value for value in dict.fromkeys([*held, *add]) if value not in remove]
    if len([value for value in after if value != _EVERYBODY]) > _MOST_ACCOUNTS:
        refuse(
            "SharedSnapshotQuotaExceeded",
            f"The request would share the snapshot with more than {_MOST_ACCOUNTS} accounts.",
        )
    snapshot.attributes["restore"] = after
    return after


def _cluster_result(snapshot: Any) -> dict[str, Any]:
    return {
        "DBClusterSnapshotAttributesResult": {
            "DBClusterSnapshotIdentifier": snapshot.db_cluster_snapshot_identifier,
            "DBClusterSnapshotAttributes": [
                {"AttributeName": "restore", "AttributeValues": list(snapshot.attributes["restore"])}
            ],
        }
    }


def _instance_result(snapshot: Any) -> dict[str, Any]:
    return {
        "DBSnapshotAttributesResult": {
            "DBSnapshotIdentifier": snapshot.db_snapshot_identifier,
            "DBSnapshotAttributes": [
                {"AttributeName": "restore", "AttributeValues": list(snapshot.attributes["restore"])}
            ],
        }
    }


def modify_of_cluster(call: Call) -> dict[str, Any]:
    """Answer ModifyDBClusterSnapshotAttribute."""
    snapshot = cluster_snapshots.find(call, call["DBClusterSnapshotIdentifier"])
    _change(call, snapshot, fault="InvalidDBClusterSnapshotStateFault")
    return _cluster_result(snapshot)


def modify_of_instance(call: Call) -> dict[str, Any]:
    """Answer ModifyDBSnapshotAttribute."""
    snapshot = instance_snapshots.find(call, call["DBSnapshotIdentifier"])
    _change(call, snapshot, fault="InvalidDBSnapshotState")
    return _instance_result(snapshot)


def describe_of_cluster(call: Call) -> dict[str, Any]:
    """Answer DescribeDBClusterSnapshotAttributes."""
    return _cluster_result(cluster_snapshots.find(call, call["DBClusterSnapshotIdentifier"]))


def describe_of_instance(call: Call) -> dict[str, Any]:
    """Answer DescribeDBSnapshotAttributes."""
    return _instance_result(instance_snapshots.find(call, call["DBSnapshotIdentifier"]))


TOPIC = Topic(
    name="sharing",
    operations={
        "ModifyDBClusterSnapshotAttribute": modify_of_cluster,
        "ModifyDBSnapshotAttribute": modify_of_instance,
        "DescribeDBClusterSnapshotAttributes": describe_of_cluster,
        "DescribeDBSnapshotAttributes": describe_of_instance,
    },
    corrections=(
        Correction(
            name="encrypted-snapshots-stay-private",
            why="moto makes an encrypted snapshot public",
            reference="ModifyDBClusterSnapshotAttribute",
            words=(
                "If a manual DB cluster snapshot is encrypted, it can be shared, but only by specifying a list of"
                " authorized Amazon Web Services account IDs for the ValuesToAdd parameter. You can't use all as"
                " a value for that parameter in this case."
            ),
        ),
        Correction(
            name="only-manual-snapshots-shared",
            why="moto shares automated DB snapshots that are addressed by their ARN",
            reference="ModifyDBSnapshotAttribute",
            words="Adds an attribute and values to, or removes an attribute and values from, a manual DB snapshot.",
        ),
        Correction(
            name="twenty-accounts",
            why="moto counts `all` as an account, and an account that is added twice as two",
            reference="SharedSnapshotQuotaExceededFault",
            words="You have exceeded the maximum number of accounts that you can share a manual DB snapshot with.",
        ),
        Correction(
            name="accounts-outlast-all",
            why="moto agrees here; written down because undoing public access is half undone without it",
            reference="ModifyDBClusterSnapshotAttributeMessage.ValuesToRemove",
            words=(
                "If you specify all, an Amazon Web Services account whose account ID is explicitly added to the"
                " restore attribute can still copy or restore a manual DB cluster snapshot."
            ),
        ),
    ),
)
