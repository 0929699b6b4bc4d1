"""Instances: creating, finding, rebooting, stopping and deleting them as AWS does."""

from __future__ import annotations

import secrets
import string
from typing import Any

from console.local.rds import encryption, engines, insights, network, parameter_groups, snapshots
from console.local.rds.call import (
    Call,
    check_identifier,
    check_retention,
    conflicting,
    filtered,
    find_instance,
    invalid,
    named,
    refuse,
    tag_list,
)
from console.local.rds.cluster_items import AVAILABLE, is_aurora, is_multi_az
from console.local.rds.cluster_items import status as cluster_status
from console.local.rds.cluster_states import check_final_snapshot
from console.local.rds.encryption import UNENCRYPTED, Encryption
from console.local.rds.instance_items import CERTIFICATE, is_member, present, present_subnet_group, status
from console.local.rds.registry import Correction, Topic
from console.local.rds.state import extras

_RESOURCE_ID = string.ascii_uppercase + string.digits
# What CreateDBInstance refuses for a member, because the cluster manages it, in AWS's own names.
_OF_THE_CLUSTER = {
    "MasterUserPassword": "master user password",
    "MasterUsername": "master user name",
    "BackupRetentionPeriod": "backup retention period",
    "VpcSecurityGroupIds": "vpc security group",
    "StorageEncrypted": "storage encryption",
    "KmsKeyId": "kms key",
    "DeletionProtection": "deletion protection",
    "EnableIAMDatabaseAuthentication": "IAM database authentication",
    "EnableCloudwatchLogsExports": "CloudWatch Logs exports",
    "ManageMasterUserPassword": "master user password",
}
_TAKEN_AS_THEY_ARE = (
    *("AllocatedStorage", "MaxAllocatedStorage", "CharacterSetName", "Iops", "LicenseModel", "StorageType"),
    *("PreferredBackupWindow", "MultiAZ", "Port", "CopyTagsToSnapshot", "OptionGroupName", "DBName"),
    *("MonitoringInterval", "MonitoringRoleArn", "StorageThroughput", "MasterUsername", "MasterUserPassword"),
    *("ManageMasterUserPassword", "MasterUserSecretKmsKeyId", "DeletionProtection", "DomainIAMRoleName"),
)
_MOTO_NAMES = {"MultiAZ": "multi_az", "DBName": "db_name", "DomainIAMRoleName": "domain_iam_role_name"}


def _snake(name: str) -> str:
    if name in _MOTO_NAMES:
        return _MOTO_NAMES[name]
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).lstrip("_")


def new_resource_id() -> str:
    """Make an immutable id for an instance; it names nothing, so chance is good enough."""
    return "db-" + "".join(secrets.choice(_RESOURCE_ID) for _ in range(26))


def _publicly_accessible(call: Call, settings: dict[str, Any]) -> bool:
    asked = settings.get("PubliclyAccessible")
    if asked is not None:
        return bool(asked)
    group = settings.get("DBSubnetGroupName")
    if group is None:
        return not call.has("DBClusterIdentifier")
    return bool(group == "default")


def check_new(call: Call, name: str) -> None:
    """Refuse an instance identifier that is malformed or taken."""
    check_identifier(name, "DBInstanceIdentifier")
    if name.lower() in call.backend.databases:
        refuse("DBInstanceAlreadyExists", "DB instance already exists")


def build(call: Call, settings: dict[str, Any], *, encrypted: Encryption, password: str | None = None) -> Any:
    """Make a stand-alone instance of moto's from settings in the names of CreateDBInstance."""
    engine = settings["Engine"]
    version = engines.choose(call, engine, settings.get("EngineVersion"))
    check_retention(settings.get("BackupRetentionPeriod", 1), least=0)
    logs = list(dict.fromkeys(settings.get("EnableCloudwatchLogsExports") or []))
    engines.check_log_types(engine, version, logs)
    subnets = network.subnet_group(call, settings.get("DBSubnetGroupName"))
    arguments: dict[str, Any] = {
        _snake(name): settings[name] for name in _TAKEN_AS_THEY_ARE if settings.get(name) is not None
    }
    if password is not None:
        arguments.setdefault("master_user_password", password)
    if version:
        arguments["engine_version"] = version
        group_name = settings.get("DBParameterGroupName") or parameter_groups.default_name(engine, version)
        group = parameter_groups.attachable_instance_group(call, group_name, engine, version)
        arguments["db_parameter_group_name"] = group.name
    if settings.get("PreferredMaintenanceWindow"):
        arguments["preferred_maintenance_window"] = settings["PreferredMaintenanceWindow"].lower()
    instance = call.backend.create_db_instance(
        arguments
        | {
            "db_instance_identifier": settings["DBInstanceIdentifier"].lower(),
            "db_instance_class": settings["DBInstanceClass"],
            "engine": engine,
            "auto_minor_version_upgrade": settings.get("AutoMinorVersionUpgrade", True),
            "availability_zone": settings.get("AvailabilityZone") or f"{call.region}a",
            "backup_retention_period": settings.get("BackupRetentionPeriod", 1),
            "ca_certificate_identifier": settings.get("CACertificateIdentifier", CERTIFICATE),
            "db_subnet_group_name": subnets.name,
            "enable_cloudwatch_logs_exports": logs,
            "enable_iam_database_authentication": settings.get("EnableIAMDatabaseAuthentication", False),
            "publicly_accessible": _publicly_accessible(call, settings),
            "tags": tag_list(settings.get("Tags")),
            "vpc_security_group_ids": network.security_groups(
                call, settings.get("VpcSecurityGroupIds"), subnets.vpc_id
            ),
        }
    )
    encryption.encrypt(instance, encrypted)
    _finish(call, instance, settings)
    snapshots.back_up(instance, instance.created)
    return instance


def _finish(call: Call, instance: Any, settings: dict[str, Any]) -> None:
    instance.dbi_resource_id = new_resource_id()
    own = extras(instance)
    if settings.get("EngineLifecycleSupport"):
        own.members["EngineLifecycleSupport"] = settings["EngineLifecycleSupport"]
    if is_member(instance) and is_aurora(instance.cluster) and not call.has("EnablePerformanceInsights"):
        own.members |= insights.inherited(extras(instance.cluster))
    else:
        insights.apply(call, own)


def _build_member(call: Call) -> Any:
    name = call["DBClusterIdentifier"]
    cluster = call.backend.clusters.get(named(name))
    if cluster is None:
        refuse(
            "DBClusterNotFoundFault", f"The source cluster could not be found or cannot be accessed: {name}"
        )
    for parameter, what in _OF_THE_CLUSTER.items():
        if call.get(parameter):
            conflicting(
                f"The requested DB Instance will be a member of a DB Cluster. Set {what} for the DB Cluster."
            )
    if is_multi_az(cluster):
        conflicting("DB instances can't be added to a Multi-AZ DB cluster.")
    if cluster_status(call, cluster) != AVAILABLE:
        refuse("InvalidDBClusterStateFault", f"The DB cluster is not in a valid state: {cluster.status}")
    members = call.members_of(cluster)
    arguments = {
        "db_instance_identifier": call["DBInstanceIdentifier"].lower(),
        "db_instance_class": call["DBInstanceClass"],
        "engine": call["Engine"],
        "db_cluster_identifier": cluster.db_cluster_identifier,
        "auto_minor_version_upgrade": call.get("AutoMinorVersionUpgrade", True),
        "availability_zone": call.get("AvailabilityZone")
        or cluster.availability_zones[len(members) % len(cluster.availability_zones)],
        "ca_certificate_identifier": call.get("CACertificateIdentifier", CERTIFICATE),
        "copy_tags_to_snapshot": call.get("CopyTagsToSnapshot", False),
        "monitoring_interval": call.get("MonitoringInterval", 0),
        "monitoring_role_arn": call.get("MonitoringRoleArn"),
        "promotion_tier": call.get("PromotionTier", 1),
        "publicly_accessible": _publicly_accessible(call, call.parameters),
        "tags": tag_list(call.get("Tags")),
    }
    if call.has("PreferredMaintenanceWindow"):
        arguments["preferred_maintenance_window"] = call["PreferredMaintenanceWindow"].lower()
    if call.has("DBParameterGroupName"):
        group = parameter_groups.attachable_instance_group(
            call, call["DBParameterGroupName"], cluster.engine, cluster.engine_version
        )
        arguments["db_parameter_group_name"] = group.name
    instance = call.backend.create_db_instance(arguments)
    call.forget_members()
    _finish(call, instance, call.parameters)
    return instance


def born(call: Call, instance: Any) -> dict[str, Any]:
    """Begin a new instance's life: it is being created, then it tells so."""

    def done() -> None:
        call.world.tell("RDS-EVENT-0005", instance)

    call.world.occupy(instance, "creating", call.world.lifecycle.creating, done)
    item = present(call, instance) | {"DBInstanceStatus": "creating"}
    item.pop("Endpoint", None)
    if call.has("MasterUserPassword"):
        item["PendingModifiedValues"] = {"MasterUserPassword": "****"}
    return item


def create(call: Call) -> dict[str, Any]:
    """Answer CreateDBInstance."""
    check_new(call, call["DBInstanceIdentifier"])
    if call.get("ManageMasterUserPassword") and call.has("MasterUserPassword"):
        conflicting("MasterUserPassword cannot be specified together with ManageMasterUserPassword.")
    if call.has("DBClusterIdentifier"):
        return {"DBInstance": born(call, _build_member(call))}
    if call["Engine"].startswith("aurora"):
        invalid("The parameter DBClusterIdentifier must be provided and must not be blank.")
    instance = build(call, call.parameters, encrypted=encryption.asked_for(call, otherwise=UNENCRYPTED))
    return {"DBInstance": born(call, instance)}


def describe(call: Call) -> dict[str, Any]:
    """Answer DescribeDBInstances."""
    wanted = call.get("DBInstanceIdentifier")
    found = [find_instance(call, wanted)] if wanted else list(call.backend.databases.values())
    found = filtered(
        call,
        found,
        {
            "db-cluster-id": lambda one: {
                one.db_cluster_identifier,
                one.cluster.arn if is_member(one) else None,
            },
            "db-instance-id": lambda one: {one.db_instance_identifier, one.arn},
            "dbi-resource-id": lambda one: {one.dbi_resource_id},
            "engine": lambda one: {one.engine},
            "domain": lambda _: set(),
        },
    )
    return {"DBInstances": found}


def reboot(call: Call) -> dict[str, Any]:
    """Answer RebootDBInstance."""
    instance = find_instance(call, call["DBInstanceIdentifier"])
    if status(call, instance) != AVAILABLE:
        refuse(
            "InvalidDBInstanceState",
            "Instance cannot currently reboot due to an in-progress management operation.",
        )
    if call.get("ForceFailover") and not instance.multi_az:
        conflicting("ForceFailover cannot be specified since the instance is not configured for Multi-AZ.")
    own = extras(instance)
    own.apply_status = own.cluster_apply_status = "in-sync"
    item = present(call, instance) | {"DBInstanceStatus": "rebooting"}

    def done() -> None:
        call.world.tell("RDS-EVENT-0006", instance)

    call.world.occupy(instance, "rebooting", call.world.lifecycle.rebooting, done)
    return {"DBInstance": item}


def _check_deletable(call: Call, instance: Any) -> str | None:
    if status(call, instance) == "deleting":
        refuse("InvalidDBInstanceState", "Instance is already being deleted.")
    if is_member(instance):
        if is_multi_az(instance.cluster):
            conflicting("A DB instance of a Multi-AZ DB cluster can't be deleted on its own.")
        return None
    if instance.deletion_protection:
        conflicting("Cannot delete protected DB Instance, please disable deletion protection and try again.")
    return check_final_snapshot(call)


def delete(call: Call) -> dict[str, Any]:
    """Answer DeleteDBInstance."""
    instance = find_instance(call, call["DBInstanceIdentifier"])
    final = _check_deletable(call, instance)
    backend, name = call.backend, instance.db_instance_identifier
    if final is not None:
        taken = backend.database_snapshots
        final = snapshots.check_new_name(final, "FinalDBSnapshotIdentifier", taken, "DBSnapshotAlreadyExists")
        snapshots.check_quota(taken.values())
        snapshot = snapshots.take_of_instance(backend, instance, final)
        call.world.tell("RDS-EVENT-0040", snapshot)
        call.world.tell("RDS-EVENT-0042", snapshot)
    item = present(call, instance) | {"DBInstanceStatus": "deleting"}
    drop_backups = call.get("DeleteAutomatedBackups", True)

    def gone() -> None:
        if name not in backend.databases:
            return  # its Multi-AZ DB cluster took it along
        backend.delete_db_instance(
            db_instance_identifier=name,
            skip_final_snapshot=True,
            delete_automated_backups=drop_backups and not is_member(instance),
        )
        call.world.tell("RDS-EVENT-0003", instance)

    instance.deletion_protection = False
    call.world.occupy(instance, "deleting", call.world.lifecycle.deleting, gone)
    return {"DBInstance": item}


def stop(call: Call) -> dict[str, Any]:
    """Answer StopDBInstance."""
    instance = find_instance(call, call["DBInstanceIdentifier"])
    if is_member(instance):
        refuse(
            "InvalidDBClusterStateFault",
            f"Stop and start DB instance is not supported for members of a cluster: {instance.db_instance_identifier}",
        )
    if status(call, instance) != AVAILABLE:
        refuse(
            "InvalidDBInstanceState", f"Instance {instance.db_instance_identifier} is not in available state."
        )
    item = present(call, instance) | {"DBInstanceStatus": "stopping"}

    def stopped() -> None:
        instance.status = "stopped"
        call.world.tell("RDS-EVENT-0087", instance)

    call.world.occupy(instance, "stopping", call.world.lifecycle.stopping, stopped)
    return {"DBInstance": item}


def start(call: Call) -> dict[str, Any]:
    """Answer StartDBInstance."""
    instance = find_instance(call, call["DBInstanceIdentifier"])
    if status(call, instance) != "stopped":
        refuse(
            "InvalidDBInstanceState",
            f"Instance {instance.db_instance_identifier} is not stopped, it cannot be started.",
        )
    item = present(call, instance) | {"DBInstanceStatus": "starting"}

    def started() -> None:
        instance.status = AVAILABLE
        call.world.tell("RDS-EVENT-0088", instance)

    call.world.occupy(instance, "starting", call.world.lifecycle.stopping, started)
    return {"DBInstance": item}


TOPIC = Topic(
    name="instances",
    operations={
        "CreateDBInstance": create,
        "DescribeDBInstances": describe,
        "RebootDBInstance": reboot,
        "DeleteDBInstance": delete,
        "StopDBInstance": stop,
        "StartDBInstance": start,
    },
    presenters={"DBInstance": present, "DBSubnetGroup": present_subnet_group},
    corrections=(
        Correction(
            name="instance-resource-ids-differ",
            why="moto gives all instances one DbiResourceId",
            reference="DBInstance.DbiResourceId",
            words="The Amazon Web Services Region-unique, immutable identifier for the DB instance.",
        ),
        Correction(
            name="public-by-default",
            why="moto says nothing about PubliclyAccessible unless asked",
            reference="CreateDBInstanceMessage.PubliclyAccessible",
            words=(
                "If DBSubnetGroup isn't specified, PubliclyAccessible defaults to false for Aurora instances and"
                " true for non-Aurora instances."
            ),
        ),
        Correction(
            name="members-follow-their-cluster",
            why="moto's members show neither the port, the IAM setting nor the log exports of their cluster",
            reference="ModifyDBInstanceMessage.EnableIAMDatabaseAuthentication",
            words=(
                "Mapping Amazon Web Services IAM accounts to database accounts is managed by the DB cluster."
            ),
        ),
        Correction(
            name="members-are-not-set-apart",
            why="moto takes settings for a member that only its cluster has",
            reference="CreateDBInstanceMessage.DeletionProtection",
            words="This setting doesn't apply to Amazon Aurora DB instances.",
        ),
        Correction(
            name="members-are-spread",
            why="moto puts every member into the first Availability Zone",
            reference="CreateDBClusterMessage.AvailabilityZones",
            words=(
                "For the first three DB instances that you create, RDS distributes each DB instance to a"
                " different AZ that you specify."
            ),
        ),
        Correction(
            name="reboots-apply-parameters",
            why="moto's reboot does nothing",
            reference="RebootDBInstance",
            words=(
                "if you change the DB parameter group associated with the DB instance, you must reboot the"
                " instance for the changes to take effect."
            ),
        ),
        Correction(
            name="final-snapshot",
            why="moto deletes without a final snapshot and without being told to skip it",
            reference="DeleteDBInstanceMessage.SkipFinalSnapshot",
            words="If you don't enable this parameter, you must specify the FinalDBSnapshotIdentifier parameter.",
        ),
        Correction(
            name="members-are-not-protected",
            why="moto lets a member carry a deletion protection that AWS does not know",
            reference="ModifyDBInstanceMessage.DeletionProtection",
            words=(
                "DB instances in a DB cluster can be deleted even when deletion protection is enabled for the DB"
                " cluster."
            ),
        ),
        Correction(
            name="enhanced-monitoring-arn",
            why="moto never says where Enhanced Monitoring writes",
            reference="DBInstance.EnhancedMonitoringResourceArn",
            words=(
                "The Amazon Resource Name (ARN) of the Amazon CloudWatch Logs log stream that receives the"
                " Enhanced Monitoring metrics data for the DB instance."
            ),
        ),
    ),
)
