"""Clusters: creating, finding, stopping, failing over and deleting them as AWS does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.rds.models import DBCluster
from moto.rds.models import rds_backends as all_backends

from console.local.rds import encryption, engines, insights, network, parameter_groups
from console.local.rds.call import (
    Call,
    check_identifier,
    check_retention,
    conflicting,
    find_cluster,
    invalid,
    named,
    refuse,
    tag_list,
)
from console.local.rds.cluster_items import AVAILABLE, is_multi_az, present, resting_status, status
from console.local.rds.encryption import AWS_OWNED_KEY, UNENCRYPTED, Encryption
from console.local.rds.registry import Correction, Topic
from console.local.rds.state import extras

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LONGEST_MULTI_AZ_NAME = 52
_NEEDED_FOR_MULTI_AZ = ("DBClusterInstanceClass", "AllocatedStorage", "Iops")


def filtered(
    call: Call, resources: Iterable[Any], table: dict[str, Callable[[Any], set[str | None]]]
) -> list[Any]:
    """Apply a request's Filters; each one of them must hold, with any of its values."""
    kept = list(resources)
    for condition in call.get("Filters", []):
        name, values = condition["Name"], condition.get("Values") or []
        if name not in table:
            invalid(f"Unrecognized filter name: {name}")
        if not values:
            conflicting(f"The list of values of the filter {name} must not be empty.")
        wanted = {value.lower() for value in values}
        kept = [
            one for one in kept if wanted & {value.lower() for value in table[name](one) if value is not None}
        ]
    return kept


def check_new(call: Call, name: str) -> None:
    """Refuse a cluster identifier that is malformed or taken."""
    check_identifier(name, "DBClusterIdentifier")
    if name.lower() in call.backend.clusters:
        refuse("DBClusterAlreadyExistsFault", "DB Cluster already exists")


def _check_password(call: Call) -> None:
    if call.get("ManageMasterUserPassword") and call.has("MasterUserPassword"):
        conflicting(
            "You can't specify MasterUserPassword for a DB cluster whose master user password is managed in"
            " AWS Secrets Manager."
        )


def build(
    call: Call, settings: dict[str, Any], *, encrypted: Encryption, password: str | None = None
) -> DBCluster:
    """Make a cluster of moto's from settings in the names of CreateDBCluster, and put it in its place."""
    engine = settings["Engine"]
    if engine not in engines.CLUSTER_ENGINES:
        invalid(f"Engine name {engine} is not supported for DB clusters.")
    version = engines.choose(call, engine, settings.get("EngineVersion"))
    multi_az = engine in {"mysql", "postgres"}
    check_retention(settings.get("BackupRetentionPeriod", 1), least=1)
    logs = settings.get("EnableCloudwatchLogsExports") or []
    engines.check_log_types(engine, version, logs, multi_az=multi_az)
    group_name = settings.get("DBClusterParameterGroupName") or parameter_groups.default_name(engine, version)
    group = parameter_groups.attachable_cluster_group(call, group_name, engine, version)
    subnets = network.subnet_group(call, settings.get("DBSubnetGroupName"))
    _check_global(call, settings.get("GlobalClusterIdentifier"))
    cluster = DBCluster(
        call.backend,
        db_cluster_identifier=settings["DBClusterIdentifier"].lower(),
        engine=engine,
        engine_version=version or None,
        allocated_storage=settings.get("AllocatedStorage") or (1 if not multi_az else None),
        auto_minor_version_upgrade=settings.get("AutoMinorVersionUpgrade", True),
        master_username=settings.get("MasterUsername"),
        master_user_password=settings.get("MasterUserPassword") or password,
        backup_retention_period=settings.get("BackupRetentionPeriod", 1),
        character_set_name=settings.get("CharacterSetName"),
        copy_tags_to_snapshot=settings.get("CopyTagsToSnapshot", False),
        database_name=settings.get("DatabaseName"),
        db_cluster_parameter_group_name=group.name,
        db_subnet_group_name=subnets.name,
        port=settings.get("Port"),
        preferred_backup_window=settings.get("PreferredBackupWindow", "01:37-02:07"),
        preferred_maintenance_window=settings.get(
            "PreferredMaintenanceWindow", "wed:02:40-wed:03:10"
        ).lower(),
        publicly_accessible=settings.get("PubliclyAccessible", False),
        tags=tag_list(settings.get("Tags")),
        vpc_security_group_ids=network.security_groups(
            call, settings.get("VpcSecurityGroupIds"), subnets.vpc_id
        ),
        deletion_protection=settings.get("DeletionProtection", False),
        manage_master_user_password=settings.get("ManageMasterUserPassword", False),
        master_user_secret_kms_key_id=settings.get("MasterUserSecretKmsKeyId"),
        availability_zones=settings.get("AvailabilityZones"),
        db_cluster_instance_class=settings.get("DBClusterInstanceClass"),
        iops=settings.get("Iops"),
        storage_type=settings.get("StorageType") or ("io1" if multi_az else "aurora"),
        engine_mode=settings.get("EngineMode"),
        network_type=settings.get("NetworkType"),
        enable_cloudwatch_logs_exports=list(dict.fromkeys(logs)),
        serverless_v2_scaling_configuration=settings.get("ServerlessV2ScalingConfiguration"),
        global_cluster_identifier=settings.get("GlobalClusterIdentifier"),
        replication_source_identifier=settings.get("ReplicationSourceIdentifier"),
        backtrack_window=settings.get("BacktrackWindow"),
    )
    cluster.iam_auth = bool(settings.get("EnableIAMDatabaseAuthentication", False))
    encryption.encrypt(cluster, encrypted)
    own = extras(cluster)
    if settings.get("EnableHttpEndpoint"):
        own.members["HttpEndpointEnabled"] = True
    for name in ("EngineLifecycleSupport", "MonitoringInterval", "MonitoringRoleArn"):
        if settings.get(name) is not None:
            own.members[name] = settings[name]
    insights.apply(call, own)
    call.backend.clusters[cluster.db_cluster_identifier] = cluster
    _join_global(call, cluster)
    if cluster.replication_source_identifier:
        find_cluster(call, cluster.replication_source_identifier).read_replica_identifiers.append(cluster.arn)
    return cluster


def _check_global(call: Call, name: str | None) -> None:
    if name and not any(name in backend.global_clusters for backend in all_backends[call.account].values()):
        refuse("GlobalClusterNotFoundFault", f"Global cluster {name} not found")


def _join_global(call: Call, cluster: DBCluster) -> None:
    for backend in all_backends[call.account].values():
        world_wide = backend.global_clusters.get(cluster.global_cluster_identifier or "")
        if world_wide is not None:
            cluster.is_writer = not world_wide.members
            world_wide.members.append(cluster)
            if cluster.is_writer:
                extras(world_wide).encryption = extras(cluster).encryption
                world_wide.storage_encrypted = cluster.storage_encrypted


def born(call: Call, cluster: Any) -> dict[str, Any]:
    """Begin a new cluster's life: it is being created, then it has its first backup and tells so."""

    def done() -> None:
        call.world.tell("RDS-EVENT-0170", cluster)

    cluster.save_automated_backup()
    call.world.occupy(cluster, "creating", call.world.lifecycle.creating, done)
    return present(call, cluster) | {"Status": "creating"}


def create(call: Call) -> dict[str, Any]:
    """Answer CreateDBCluster."""
    check_new(call, call["DBClusterIdentifier"])
    _check_password(call)
    settings = dict(call.parameters)
    multi_az = call["Engine"] in {"mysql", "postgres"}
    if multi_az:
        check_identifier(call["DBClusterIdentifier"], "DBClusterIdentifier", longest=_LONGEST_MULTI_AZ_NAME)
        for name in _NEEDED_FOR_MULTI_AZ:
            if not call.has(name):
                invalid(f"The parameter {name} must be provided and must not be blank.")
    unasked = AWS_OWNED_KEY if call["Engine"].startswith("aurora") else UNENCRYPTED
    if call.get("WithExpressConfiguration"):
        settings |= {
            "MasterUsername": call.get("MasterUsername", "postgres"),
            "MasterUserPassword": "unusable!",
        }
        settings |= {"EnableIAMDatabaseAuthentication": True}
    cluster = build(call, settings, encrypted=encryption.asked_for(call, otherwise=unasked))
    if multi_az:
        _add_multi_az_members(call, cluster)
    if call.get("WithExpressConfiguration"):
        _make_express(call, cluster)
    return {"DBCluster": born(call, cluster)}


def _add_member(call: Call, cluster: Any, name: str, instance_class: str, zone: str) -> None:
    instance = call.backend.create_db_instance(
        {
            "db_instance_identifier": name,
            "db_cluster_identifier": cluster.db_cluster_identifier,
            "db_instance_class": instance_class,
            "engine": cluster.engine,
            "availability_zone": zone,
            "publicly_accessible": bool(cluster.publicly_accessible),
        }
    )
    instance.ca_certificate_identifier = "rds-ca-rsa2048-g1"
    call.forget_members()


def _add_multi_az_members(call: Call, cluster: Any) -> None:
    for place, zone in enumerate(cluster.availability_zones[:3], start=1):
        name = f"{cluster.db_cluster_identifier}-instance-{place}"
        _add_member(call, cluster, name, cluster.db_cluster_instance_class, zone)


def _make_express(call: Call, cluster: Any) -> None:
    """Turn a cluster into one of express configuration: no VPC, an Internet gateway, one instance."""
    extras(cluster).members |= {
        "VPCNetworkingEnabled": False,
        "InternetAccessGatewayEnabled": True,
        "DBSubnetGroup": None,
        "VpcSecurityGroups": [],
    }
    _add_member(
        call, cluster, f"{cluster.db_cluster_identifier}-instance-1", "db.serverless", f"{call.region}a"
    )


def describe(call: Call) -> dict[str, Any]:
    """Answer DescribeDBClusters."""
    wanted = call.get("DBClusterIdentifier")
    found = [find_cluster(call, wanted)] if wanted else list(call.backend.clusters.values())
    found = filtered(
        call,
        found,
        {
            "db-cluster-id": lambda one: {one.db_cluster_identifier, one.arn},
            "db-cluster-resource-id": lambda one: {one.db_cluster_resource_id},
            "engine": lambda one: {one.engine},
            "clone-group-id": lambda _: set(),
            "domain": lambda _: set(),
        },
    )
    return {"DBClusters": found}


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
    if cluster.deletion_protection:
        conflicting("Cannot delete protected Cluster, please disable deletion protection and try again.")
    if call.members_of(cluster) and not is_multi_az(cluster):
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
    if final is not None:
        call.backend.create_db_cluster_snapshot(cluster.db_cluster_identifier, final.lower())
        call.world.tell("RDS-EVENT-0074", call.backend.cluster_snapshots[final.lower()])
        call.world.tell("RDS-EVENT-0075", call.backend.cluster_snapshots[final.lower()])
    item = present(call, cluster)
    backend = call.backend
    name, keep_backups = cluster.db_cluster_identifier, call.get("DeleteAutomatedBackups") is False

    def gone() -> None:
        for member in call.members_of(cluster):
            del backend.databases[member.db_instance_identifier]
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
    name="clusters",
    operations={
        "CreateDBCluster": create,
        "DescribeDBClusters": describe,
        "DeleteDBCluster": delete,
        "StopDBCluster": stop,
        "StartDBCluster": start,
        "FailoverDBCluster": fail_over,
        "RebootDBCluster": reboot,
        "EnableHttpEndpoint": enable_http_endpoint,
        "DisableHttpEndpoint": disable_http_endpoint,
    },
    presenters={"DBCluster": present},
    corrections=(
        Correction(
            name="existing-clusters-stay",
            why="moto replaces a cluster of the same name, and its protection with it",
            reference="DBClusterAlreadyExistsFault",
            words="The user already has a DB cluster with the given identifier.",
        ),
        Correction(
            name="subnet-groups-must-exist",
            why="moto creates clusters in subnet groups that nobody made",
            reference="CreateDBClusterMessage.DBSubnetGroupName",
            words="Must match the name of an existing DB subnet group.",
        ),
        Correction(
            name="default-group-per-engine",
            why="moto gives every cluster default.aurora8.0",
            reference="CreateDBClusterMessage.DBClusterParameterGroupName",
            words=(
                "If you don't specify a value, then the default DB cluster parameter group for the specified"
                " DB engine and version is used."
            ),
        ),
        Correction(
            name="cluster-groups-must-exist",
            why="moto attaches parameter groups that do not exist",
            reference="CreateDBClusterMessage.DBClusterParameterGroupName",
            words="If supplied, must match the name of an existing DB cluster parameter group.",
        ),
        Correction(
            name="cluster-backup-retention-range",
            why="moto takes any number of days",
            reference="CreateDBClusterMessage.BackupRetentionPeriod",
            words="Must be a value from 1 to 35.",
        ),
        Correction(
            name="storage-type-shown-if-iopt1",
            why="moto shows gp2 for Aurora, and fails on aurora-iopt1",
            reference="CreateDBClusterMessage.StorageType",
            words="The storage type isn't returned when you set it to aurora.",
        ),
        Correction(
            name="multi-az-db-clusters",
            why="moto makes a Multi-AZ DB cluster without instances, and refuses it IAM authentication",
            reference="CreateDBCluster",
            words=(
                "If you create a Multi-AZ DB cluster, the request creates a writer and two reader DB instances"
                " for you, each in a different Availability Zone."
            ),
        ),
        Correction(
            name="express-configuration",
            why="moto ignores WithExpressConfiguration, the one way to a cluster outside a VPC",
            reference="CreateDBClusterMessage.WithExpressConfiguration",
            words=(
                "Express configuration provides a cluster with a writer instance and feature specific values"
                " set to all other input parameters of this API."
            ),
        ),
        Correction(
            name="cluster-resource-id-filter",
            why="moto refuses the filter that finds a cluster by its immutable id",
            reference="DescribeDBClustersMessage.Filters",
            words="db-cluster-resource-id - Accepts DB cluster resource identifiers.",
        ),
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
        Correction(
            name="empty-members-left-out",
            why="moto shows an empty list of exports and no pending changes at all",
            reference="DBCluster.PendingModifiedValues",
            words="This information is returned only when there are pending changes.",
        ),
    ),
)
