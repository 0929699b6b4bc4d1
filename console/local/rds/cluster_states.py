"""What becomes of a cluster: stopped, started, failed over, rebooted, deleted."""

from __future__ import annotations

from typing import Any

from console.local.rds import snapshots
from console.local.rds.call import Call, conflicting, find_cluster, named, refuse
from console.local.rds.cluster_items import AVAILABLE, is_multi_az, present, resting_status, status
from console.local.rds.registry import Correction, Topic
from console.local.rds.state import extras


def check_final_snapshot(call: Call) -> str | None:
    """Read what is to become of a deleted database's last state."""
    final: str | None = call.get("FinalDBSnapshotIdentifier")
    if call.get("SkipFinalSnapshot"):
        if final:
            conflicting(
                "FinalDBSnapshotIdentifier cannot be specified when deleting with SkipFinalSnapshot enabled."
            )
        return None
    if not final:
        conflicting("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
    return final


def _check_deletable(call: Call, cluster: Any) -> None:
    if status(call, cluster) == "deleting":
        refuse("InvalidDBClusterStateFault", "DB cluster is already being deleted.")
    if cluster.deletion_protection:
        conflicting("Cannot delete protected Cluster, please disable deletion protection and try again.")
    staying = [
        one
        for one in call.members_of(cluster)
        if call.world.status_of(one, one.status) != "deleting" and not is_multi_az(cluster)
    ]
    if staying:
        refuse(
            "InvalidDBClusterStateFault",
            "Cluster cannot be deleted, it still contains DB instances in non-deleting state.",
        )
    if cluster.global_cluster_identifier:
        refuse(
            "InvalidDBClusterStateFault",
            "This cluster is a part of a global cluster, please remove it from globalcluster first",
        )


def delete(call: Call) -> dict[str, Any]:
    """Answer DeleteDBCluster."""
    cluster = find_cluster(call, call["DBClusterIdentifier"])
    _check_deletable(call, cluster)
    final = check_final_snapshot(call)
    backend = call.backend
    if final is not None:
        taken = backend.cluster_snapshots
        fault = "DBClusterSnapshotAlreadyExistsFault"
        final = snapshots.check_new_name(final, "FinalDBSnapshotIdentifier", taken, fault)
        snapshots.check_quota(taken.values())
        snapshot = snapshots.take_of_cluster(backend, cluster, final)
        call.world.tell("RDS-EVENT-0074", snapshot)
        call.world.tell("RDS-EVENT-0075", snapshot)
    item = present(call, cluster)
    name, keep_backups = cluster.db_cluster_identifier, call.get("DeleteAutomatedBackups") is False

    def gone() -> None:
        for member in call.members_of(cluster):
            backend.databases.pop(member.db_instance_identifier, None)
        if cluster.manage_master_user_password:
            cluster.master_user_secret.delete_secret()
        if keep_backups:
            vars(backend).setdefault("_retained_cluster_backups", []).append(cluster)
        else:
            automated = [
                key
                for key, one in backend.cluster_snapshots.items()
                if one.snapshot_type == "automated" and one.db_cluster_identifier == name
            ]
            for key in automated:
                del backend.cluster_snapshots[key]
        backend.clusters.pop(name, None)
        call.world.tell("RDS-EVENT-0171", cluster)

    cluster.deletion_protection = False
    call.world.occupy(cluster, "deleting", call.world.lifecycle.deleting, gone)
    return {"DBCluster": item}


def _expect(call: Call, cluster: Any, *wanted: str) -> None:
    now = status(call, cluster)
    if now not in wanted:
        refuse(
            "InvalidDBClusterStateFault",
            f"DbCluster {cluster.db_cluster_identifier} is in {now} state but expected it to be one of"
            f" {','.join(wanted)}.",
        )


def stop(call: Call) -> dict[str, Any]:
    """Answer StopDBCluster."""
    cluster = find_cluster(call, call["DBClusterIdentifier"])
    _expect(call, cluster, AVAILABLE)
    item = present(call, cluster)

    def stopped() -> None:
        cluster.status = "stopped"
        for member in call.members_of(cluster):
            member.status = "stopped"
        call.world.tell("RDS-EVENT-0150", cluster)

    call.world.occupy(cluster, "stopping", call.world.lifecycle.stopping, stopped)
    return {"DBCluster": item}


def start(call: Call) -> dict[str, Any]:
    """Answer StartDBCluster."""
    cluster = find_cluster(call, call["DBClusterIdentifier"])
    _expect(call, cluster, "stopped", "inaccessible-encryption-credentials-recoverable")
    extras(cluster).busy = None
    item = present(call, cluster) | {"Status": "starting"}

    def started() -> None:
        cluster.status = AVAILABLE
        for member in call.members_of(cluster):
            member.status = AVAILABLE
        call.world.tell("RDS-EVENT-0151", cluster)

    call.world.occupy(cluster, "starting", call.world.lifecycle.stopping, started)
    return {"DBCluster": item}


def fail_over(call: Call) -> dict[str, Any]:
    """Answer FailoverDBCluster."""
    cluster = find_cluster(call, call["DBClusterIdentifier"])
    target = call.get("TargetDBInstanceIdentifier")
    call.backend.failover_db_cluster(cluster.db_cluster_identifier, target.lower() if target else None)
    writer = next(member for member in call.members_of(cluster) if member.is_cluster_writer)
    call.world.tell("RDS-EVENT-0073", cluster, instance=writer.db_instance_identifier)
    call.world.tell("RDS-EVENT-0071", cluster, instance=writer.db_instance_identifier)
    return {"DBCluster": cluster}


def reboot(call: Call) -> dict[str, Any]:
    """Answer RebootDBCluster."""
    cluster = find_cluster(call, call["DBClusterIdentifier"])
    if not is_multi_az(cluster):
        conflicting("RebootDBCluster is supported only for Multi-AZ DB clusters.")
    _expect(call, cluster, AVAILABLE)
    for member in call.members_of(cluster):
        extras(member).cluster_apply_status = extras(member).apply_status = "in-sync"
    call.world.occupy(cluster, "rebooting", call.world.lifecycle.rebooting)
    return {"DBCluster": present(call, cluster) | {"Status": "rebooting"}}


def _set_http_endpoint(call: Call, *, enabled: bool) -> dict[str, Any]:
    arn = call["ResourceArn"]
    cluster = call.backend.clusters.get(named(arn))
    if cluster is None:
        refuse("ResourceNotFoundFault", f"DBCluster {arn} not found.")
    if resting_status(cluster) != AVAILABLE:
        refuse("InvalidResourceStateFault", "The DB cluster is not in a valid state.")
    extras(cluster).members["HttpEndpointEnabled"] = enabled
    return {"ResourceArn": arn, "HttpEndpointEnabled": enabled}


def enable_http_endpoint(call: Call) -> dict[str, Any]:
    """Answer EnableHttpEndpoint."""
    return _set_http_endpoint(call, enabled=True)


def disable_http_endpoint(call: Call) -> dict[str, Any]:
    """Answer DisableHttpEndpoint."""
    return _set_http_endpoint(call, enabled=False)


TOPIC = Topic(
    name="cluster_states",
    operations={
        "DeleteDBCluster": delete,
        "StopDBCluster": stop,
        "StartDBCluster": start,
        "FailoverDBCluster": fail_over,
        "RebootDBCluster": reboot,
        "EnableHttpEndpoint": enable_http_endpoint,
        "DisableHttpEndpoint": disable_http_endpoint,
    },
    corrections=(
        Correction(
            name="final-cluster-snapshot",
            why="moto deletes without a final snapshot and without being told to skip it",
            reference="DeleteDBClusterMessage.SkipFinalSnapshot",
            words=(
                "If SkipFinalSnapshot is disabled, you must specify a value for the FinalDBSnapshotIdentifier"
                " parameter."
            ),
        ),
        Correction(
            name="automated-cluster-backups-go",
            why="moto keeps a deleted cluster's automated snapshots for ever",
            reference="DeleteDBCluster",
            words=(
                "When you delete a DB cluster, all automated backups for that DB cluster are deleted and can't"
                " be recovered."
            ),
        ),
        Correction(
            name="reboot-multi-az-only",
            why="moto cannot reboot a cluster",
            reference="RebootDBCluster",
            words="Use this operation only for a non-Aurora Multi-AZ DB cluster.",
        ),
        Correction(
            name="http-endpoint",
            why="moto enables the Data API only for Aurora Serverless v1, and has no operation for it",
            reference="EnableHttpEndpoint",
            words="This operation applies only to Aurora Serverless v2 and provisioned DB clusters.",
        ),
    ),
)
