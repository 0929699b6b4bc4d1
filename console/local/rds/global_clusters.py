"""Global clusters: clusters of several Regions under one name."""

from __future__ import annotations

from typing import Any

from moto.rds.models import GlobalCluster
from moto.rds.models import rds_backends as all_backends

from console.local.rds import engines
from console.local.rds.call import (
    Call,
    account_of,
    check_identifier,
    conflicting,
    find_cluster,
    invalid,
    refuse,
    region_of,
    tag_list,
)
from console.local.rds.cluster_items import AVAILABLE, is_aurora
from console.local.rds.cluster_items import status as cluster_status
from console.local.rds.encryption import AWS_OWNED_KEY, encryption_of, with_key
from console.local.rds.registry import Correction, Topic
from console.local.rds.state import extras

_HOME = "us-east-1"


def _all(call: Call) -> Any:
    """The global clusters of this account; moto keeps them in one Region."""
    return call.backend_in(_HOME).global_clusters


def find(call: Call, name: str) -> Any:
    """Find a global cluster, or answer as AWS does."""
    found = _all(call).get(name.rpartition(":")[2])
    if found is None:
        refuse("GlobalClusterNotFoundFault", f"Global cluster {name} not found")
    return found


def _member(one: Any, readers: list[str]) -> dict[str, Any]:
    item: dict[str, Any] = {
        "DBClusterArn": one.arn,
        "Readers": readers if one.is_writer else [],
        "IsWriter": bool(one.is_writer),
        "SynchronizationStatus": "connected",
    }
    if not one.is_writer:
        item["GlobalWriteForwardingStatus"] = "disabled"
    return item


def present(call: Call, one: Any) -> dict[str, Any]:
    """Render a GlobalCluster."""
    own = extras(one)
    readers = [member.arn for member in one.members if not member.is_writer]
    item: dict[str, Any] = {
        "GlobalClusterIdentifier": one.global_cluster_identifier,
        "GlobalClusterResourceId": one.global_cluster_resource_id,
        "GlobalClusterArn": one.arn,
        "Status": call.world.status_of(one, one.status),
        "Engine": one.engine,
        "EngineVersion": one.engine_version,
        "EngineLifecycleSupport": "open-source-rds-extended-support",
        "StorageEncrypted": bool(one.storage_encrypted),
        "StorageEncryptionType": str(own.encryption),
        "DeletionProtection": bool(one.deletion_protection),
        "GlobalClusterMembers": [_member(member, readers) for member in one.members],
        "Endpoint": one.endpoint,
        "TagList": list(one.tags),
    }
    return item | own.members


def create(call: Call) -> dict[str, Any]:
    """Answer CreateGlobalCluster."""
    name = call["GlobalClusterIdentifier"].lower()
    check_identifier(name, "GlobalClusterIdentifier")
    if name in _all(call):
        refuse("GlobalClusterAlreadyExistsFault", f"Global cluster {name} already exists")
    source = _source(call)
    if source is None and not call.has("Engine"):
        invalid("When creating standalone global cluster, value for engineName should be specified")
    engine = call["Engine"] if source is None else source.engine
    version = (
        engines.choose(call, engine, call.get("EngineVersion")) if source is None else source.engine_version
    )
    one = GlobalCluster(
        backend=call.backend_in(_HOME),
        global_cluster_identifier=name,
        engine=engine,
        engine_version=version,
        storage_encrypted=False,
        deletion_protection=call.get("DeletionProtection", False),
    )
    one.tags = tag_list(call.get("Tags"))
    if source is not None:
        encrypted = encryption_of(source)
        source.global_cluster_identifier = name
        source.is_writer = True
        one.members.append(source)
    else:
        encrypted = with_key(call, None) if call.get("StorageEncrypted") else AWS_OWNED_KEY
    one.storage_encrypted = encrypted.storage_encrypted
    extras(one).encryption = encrypted.type
    if call.has("DatabaseName"):
        extras(one).members["DatabaseName"] = call["DatabaseName"]
    _all(call)[name] = one
    return {"GlobalCluster": one}


def _source(call: Call) -> Any:
    arn = call.get("SourceDBClusterIdentifier")
    if arn is None:
        return None
    if not arn.startswith("arn:"):
        invalid("Malformed db cluster arn dbci")
    for name in ("Engine", "EngineVersion", "DatabaseName", "StorageEncrypted"):
        if call.has(name):
            conflicting(
                "When creating global cluster from existing db cluster, value for"
                f" {name[0].lower() + name[1:]} should not be specified since it will be inherited from source"
                " cluster"
            )
    cluster = find_cluster(call, arn)
    if not is_aurora(cluster) or cluster_status(call, cluster) != AVAILABLE:
        refuse("InvalidDBClusterStateFault", "The source DB cluster is not in a valid state.")
    if cluster.global_cluster_identifier:
        refuse("InvalidDBClusterStateFault", "The source DB cluster is already a member of a global cluster.")
    return cluster


def describe(call: Call) -> dict[str, Any]:
    """Answer DescribeGlobalClusters."""
    wanted = call.get("GlobalClusterIdentifier")
    found = [find(call, wanted)] if wanted else list(_all(call).values())
    for condition in call.get("Filters", []):
        if condition["Name"] == "db-cluster-id":
            found = [one for one in found if {m.arn for m in one.members} & set(condition["Values"])]
        elif condition["Name"] == "region":
            found = [
                one
                for one in found
                if {m.backend.region_name for m in one.members} & set(condition["Values"])
            ]
        else:
            invalid(f"Unrecognized filter name: {condition['Name']}")
    return {"GlobalClusters": found}


def modify(call: Call) -> dict[str, Any]:
    """Answer ModifyGlobalCluster."""
    one = find(call, call["GlobalClusterIdentifier"])
    if call.world.status_of(one, one.status) != AVAILABLE:
        refuse("InvalidGlobalClusterStateFault", "Global cluster is not in a valid state.")
    if call.has("EngineVersion"):
        version = engines.choose(call, one.engine, call["EngineVersion"])
        one.engine_version = version
        for member in one.members:
            member.engine_version = version
    if call.has("DeletionProtection"):
        one.deletion_protection = call["DeletionProtection"]
    if call.has("NewGlobalClusterIdentifier"):
        new = call["NewGlobalClusterIdentifier"].lower()
        check_identifier(new, "NewGlobalClusterIdentifier")
        if new in _all(call):
            refuse("GlobalClusterAlreadyExistsFault", f"Global cluster {new} already exists")
        _all(call).pop(one.global_cluster_identifier)
        one.global_cluster_identifier = new
        _all(call)[new] = one
        for member in one.members:
            member.global_cluster_identifier = new
    return {"GlobalCluster": one}


def delete(call: Call) -> dict[str, Any]:
    """Answer DeleteGlobalCluster."""
    one = find(call, call["GlobalClusterIdentifier"])
    if one.deletion_protection:
        conflicting(
            "Cannot delete protected Global Cluster, please disable deletion protection and try again."
        )
    if one.members:
        refuse("InvalidGlobalClusterStateFault", f"Global Cluster {one.arn} is not empty")
    _all(call).pop(one.global_cluster_identifier)
    return {"GlobalCluster": one}


def remove(call: Call) -> dict[str, Any]:
    """Answer RemoveFromGlobalCluster."""
    one = find(call, call["GlobalClusterIdentifier"])
    member = _member_by_arn(call, one, call["DbClusterIdentifier"])
    if member.is_writer and len(one.members) > 1:
        refuse(
            "InvalidGlobalClusterStateFault",
            "The primary cluster can't be removed while the global cluster has secondary clusters.",
        )
    one.members.remove(member)
    member.global_cluster_identifier = None
    member.is_writer = False
    return {"GlobalCluster": one}


def _member_by_arn(call: Call, one: Any, arn: str) -> Any:
    backend = all_backends[account_of(arn, call.account)][region_of(arn, call.region)]
    cluster = backend.clusters.get(arn.rpartition(":")[2])
    if cluster is None or cluster not in one.members:
        refuse("DBClusterNotFoundFault", f"DBCluster {arn} not found in global cluster.")
    return cluster


def promote(call: Call) -> dict[str, Any]:
    """Answer SwitchoverGlobalCluster and FailoverGlobalCluster."""
    one = find(call, call["GlobalClusterIdentifier"])
    target = _member_by_arn(call, one, call["TargetDbClusterIdentifier"])
    for member in one.members:
        member.is_writer = member is target
    return {"GlobalCluster": one}


TOPIC = Topic(
    name="global_clusters",
    operations={
        "CreateGlobalCluster": create,
        "DescribeGlobalClusters": describe,
        "ModifyGlobalCluster": modify,
        "DeleteGlobalCluster": delete,
        "RemoveFromGlobalCluster": remove,
        "SwitchoverGlobalCluster": promote,
        "FailoverGlobalCluster": promote,
    },
    presenters={"GlobalCluster": present},
    corrections=(
        Correction(
            name="global-clusters-from-a-cluster",
            why="moto looks for the source cluster in one Region, and names itself by ARN in it",
            reference="CreateGlobalCluster",
            words=(
                "you can specify an existing Aurora cluster during the create operation, and this cluster becomes"
                " the primary cluster of the global database."
            ),
        ),
        Correction(
            name="global-clusters-modified",
            why="moto has no ModifyGlobalCluster, so a protection cannot be turned on",
            reference="ModifyGlobalClusterMessage.DeletionProtection",
            words=(
                "Specifies whether to enable deletion protection for the global database cluster. The global"
                " database cluster can't be deleted when deletion protection is enabled."
            ),
        ),
        Correction(
            name="global-members-named",
            why="moto leaves GlobalClusterIdentifier out of clusters",
            reference="DBCluster.GlobalClusterIdentifier",
            words="Contains a user-supplied global database cluster identifier.",
        ),
        Correction(
            name="global-clusters-found-or-not",
            why="moto ignores GlobalClusterIdentifier when it lists, and fails on a missing one when it deletes",
            reference="DescribeGlobalClustersMessage.GlobalClusterIdentifier",
            words="If this parameter is specified, information from only the specific DB cluster is returned.",
        ),
        Correction(
            name="secondaries-detached",
            why="moto looks for the member in the Region of the caller and hides that it found none",
            reference="RemoveFromGlobalCluster",
            words="Detaches an Aurora secondary cluster from an Aurora global database cluster.",
        ),
    ),
)
