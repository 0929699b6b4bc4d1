"""What snapshots of clusters and of instances have in common."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from moto.rds.models import DBCluster, DBClusterSnapshot, DBInstance, DBSnapshot
from moto.rds.models import rds_backends as all_backends

from console.local.rds import encryption
from console.local.rds.call import Call, check_identifier, invalid, refuse, tag_list
from console.local.rds.cluster_items import AVAILABLE
from console.local.rds.encryption import Encryption, encryption_of
from console.local.rds.instance_items import is_member
from console.local.rds.registry import Correction, Patch, Topic
from console.local.rds.state import StorageEncryptionType, extras

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

QUOTA = 100
_LONGEST = 255
_TYPES = ("automated", "manual", "shared", "public", "awsbackup")


def status(call: Call, snapshot: Any) -> str:
    """Say what a snapshot reports now."""
    return call.world.status_of(snapshot, snapshot.status)


def take_of_cluster(
    backend: Any, cluster: Any, name: str, *, kind: str = "manual", tags: list[dict[str, str]] | None = None
) -> Any:
    """Put a snapshot of a cluster, as it is now, into its place."""
    snapshot = DBClusterSnapshot(backend, cluster, name, kind, tags)
    snapshot.cluster.__dict__["_extras"] = copy.deepcopy(extras(cluster))
    encryption.encrypt(snapshot, encryption_of(cluster))
    backend.cluster_snapshots[name] = snapshot
    return snapshot


def take_of_instance(
    backend: Any, instance: Any, name: str, *, kind: str = "manual", tags: list[dict[str, str]] | None = None
) -> Any:
    """Put a snapshot of a stand-alone instance, as it is now, into its place."""
    snapshot = DBSnapshot(backend, instance, name, kind, tags)
    snapshot.database.__dict__["_extras"] = copy.deepcopy(extras(instance))
    encryption.encrypt(snapshot, encryption_of(instance))
    backend.database_snapshots[name] = snapshot
    return snapshot


def _automated_name(identifier: str, moment: datetime, taken: Iterable[str]) -> str:
    stem = f"rds:{identifier}-{moment.strftime('%Y-%m-%d-%H-%M')}"
    names = [stem, *(f"{stem}-{number}" for number in range(2, 1000))]
    return next(name for name in names if name not in taken)


def back_up(resource: Any, moment: datetime) -> None:
    """Take an automated snapshot; the storage of a cluster's members is the cluster's, so they have none."""
    backend = resource.backend
    if isinstance(resource, DBCluster):
        name = _automated_name(resource.db_cluster_identifier, moment, backend.cluster_snapshots)
        take_of_cluster(backend, resource, name, kind="automated")
    elif not is_member(resource) and resource.backup_retention_period:
        name = _automated_name(resource.db_instance_identifier, moment, backend.database_snapshots)
        take_of_instance(backend, resource, name, kind="automated")


def _back_up_at_birth(cluster: Any) -> None:
    """Take the first automated snapshot, in the place of moto's own way to do so."""
    back_up(cluster, cluster.created)


def _back_up_later(_: Any) -> None:
    """Take none: moto asks for it before the instance is complete, so its builder asks again."""


def check_quota(snapshots: Iterable[Any]) -> None:
    """Refuse one manual snapshot more than the account may have."""
    if sum(one.snapshot_type == "manual" for one in snapshots) >= QUOTA:
        refuse("SnapshotQuotaExceeded", "Cannot create more than 100 manual snapshots")


def check_new_name(name: str, parameter: str, taken: Iterable[str], fault: str) -> str:
    """Refuse a snapshot identifier that is malformed or taken; give it as it will be stored."""
    check_identifier(name, parameter, longest=_LONGEST)
    if name.lower() in taken:
        refuse(
            fault,
            f"Cannot create the snapshot because a snapshot with the identifier {name.lower()} already exists.",
        )
    return name.lower()


def check_available(call: Call, snapshot: Any) -> None:
    """Refuse to use a snapshot that is still being made."""
    now = status(call, snapshot)
    if now != AVAILABLE:
        is_clusters = isinstance(snapshot, DBClusterSnapshot)
        fault = "InvalidDBClusterSnapshotStateFault" if is_clusters else "InvalidDBSnapshotState"
        refuse(fault, f"The snapshot {snapshot.resource_id} is not in the available state: {now}")


def copied_tags(call: Call, source: Any) -> list[dict[str, str]]:
    """Say which tags a copy gets: those of the request, or its source's if asked."""
    given = tag_list(call.get("Tags"))
    return given or (list(source.tags) if call.get("CopyTags") else [])


def copied_key(call: Call, source: Any) -> Encryption:
    """Say how a copy is encrypted: with the key of the request, or as its source is."""
    held = encryption_of(source)
    if call.has("KmsKeyId"):
        return encryption.with_key(call, call["KmsKeyId"])
    if held.type is StorageEncryptionType.SSE_KMS and source.backend.region_name != call.region:
        invalid("Must specify new KMS key for cross region encrypted snapshot copy.")
    return held


def visible(call: Call, store: str) -> list[Any]:
    """List the snapshots of this account, and those of others that the request asks to see."""
    kind = call.get("SnapshotType")
    if kind is not None and kind not in _TYPES:
        invalid(f"Invalid snapshot type: {kind}")
    mine = list(getattr(call.backend, store).values())
    if kind in {"automated", "manual", "awsbackup"}:
        return [one for one in mine if one.snapshot_type == kind]
    others = [
        one
        for account, regions in all_backends.items()
        if account != call.account and call.region in regions
        for one in getattr(regions[call.region], store).values()
        if one.snapshot_type == "manual"
    ]
    shared = [one for one in others if call.account in one.attributes["restore"]]
    public = [one for one in (*mine, *others) if "all" in one.attributes["restore"]]
    if kind == "shared":
        return shared
    if kind == "public":
        return public
    found = list(mine)
    found += shared if call.get("IncludeShared") else []
    found += [one for one in public if call.get("IncludePublic") and one not in found]
    return found


def check_deletable(call: Call, snapshot: Any) -> None:
    """Refuse to delete what is being made, or what RDS itself made."""
    check_available(call, snapshot)
    if snapshot.snapshot_type == "automated":
        invalid("Automated snapshots cannot be deleted; they go with their retention period.")


TOPIC = Topic(
    name="snapshots",
    patches=(
        Patch(target=DBCluster, attribute="save_automated_backup", replacement=_back_up_at_birth),
        Patch(target=DBInstance, attribute="save_automated_backup", replacement=_back_up_later),
    ),
    corrections=(
        Correction(
            name="automated-snapshots-by-type",
            why="moto finds an automated snapshot by its identifier alone",
            reference="DescribeDBClusterSnapshotsMessage.DBClusterSnapshotIdentifier",
            words=(
                "If this identifier is for an automated snapshot, the SnapshotType parameter must also be"
                " specified."
            ),
        ),
        Correction(
            name="manual-snapshots-count",
            why="moto counts automated snapshots against a quota ten times too high",
            reference="SnapshotQuotaExceededFault",
            words="The request would result in the user exceeding the allowed number of DB snapshots.",
        ),
        Correction(
            name="only-manual-snapshots-deleted",
            why="moto deletes an automated snapshot",
            reference="DeleteDBClusterSnapshot",
            words="The DB cluster snapshot must be in the available state to be deleted.",
        ),
    ),
)
