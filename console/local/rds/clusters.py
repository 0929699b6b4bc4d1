"""Clusters: creating, finding, stopping, failing over and deleting them as AWS does."""

from __future__ import annotations

from typing import Any

from moto.rds.models import DBCluster
from moto.rds.models import rds_backends as all_backends

from console.local.rds import encryption, engines, insights, network, parameter_groups
from console.local.rds.call import (
    Call,
    check_identifier,
    check_retention,
    conflicting,
    filtered,
    find_cluster,
    invalid,
    refuse,
    tag_list,
)
from console.local.rds.cluster_items import present
from console.local.rds.encryption import AWS_OWNED_KEY, UNENCRYPTED, Encryption
from console.local.rds.registry import Correction, Topic
from console.local.rds.state import extras

_LONGEST_MULTI_AZ_NAME = 52
_NEEDED_FOR_MULTI_AZ = ("DBClusterInstanceClass", "AllocatedStorage", "Iops")


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
    own.backtracks = bool(settings.get("BacktrackWindow"))
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


TOPIC = Topic(
    name="clusters",
    operations={
        "CreateDBCluster": create,
        "DescribeDBClusters": describe,
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
            name="empty-members-left-out",
            why="moto shows an empty list of exports and no pending changes at all",
            reference="DBCluster.PendingModifiedValues",
            words="This information is returned only when there are pending changes.",
        ),
    ),
)
