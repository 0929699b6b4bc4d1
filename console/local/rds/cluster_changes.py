"""ModifyDBCluster: what applies at once, what waits for the window, and what AWS refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.rds.models import MasterUserSecret

from console.local.rds import engines, insights, parameter_groups
from console.local.rds.call import (
    Call,
    check_identifier,
    check_retention,
    conflicting,
    find_cluster,
    refuse,
)
from console.local.rds.cluster_items import AVAILABLE, is_multi_az, present, status
from console.local.rds.registry import Correction, Topic
from console.local.rds.state import World, extras

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

# Attributes of moto's that a request sets as they come, whatever ApplyImmediately says.
_AT_ONCE = {
    "DeletionProtection": "deletion_protection",
    "CopyTagsToSnapshot": "copy_tags_to_snapshot",
    "PreferredBackupWindow": "preferred_backup_window",
    "VpcSecurityGroupIds": "vpc_security_group_ids",
    "BacktrackWindow": "backtrack_window",
    "ServerlessV2ScalingConfiguration": "serverless_v2_scaling_configuration",
    "NetworkType": "network_type",
    "Port": "port",
}
# Settings that wait for the maintenance window unless ApplyImmediately is on, as pending members.
_IN_THE_WINDOW = {
    "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
    "BackupRetentionPeriod": "BackupRetentionPeriod",
    "EngineVersion": "EngineVersion",
    "AllocatedStorage": "AllocatedStorage",
    "StorageType": "StorageType",
    "Iops": "Iops",
}
_ATTRIBUTE_OF = {
    "IAMDatabaseAuthenticationEnabled": "iam_auth",
    "BackupRetentionPeriod": "backup_retention_period",
    "AllocatedStorage": "allocated_storage",
    "StorageType": "storage_type",
    "Iops": "iops",
}
_HIDDEN = "****"


def _check(call: Call, cluster: Any) -> None:
    now = status(call, cluster)
    if now != AVAILABLE:
        refuse(
            "InvalidDBClusterStateFault", f"DB cluster is not available for modification with status {now}"
        )
    if call.has("BackupRetentionPeriod"):
        check_retention(call["BackupRetentionPeriod"], least=1)
        if call["BackupRetentionPeriod"] != cluster.backup_retention_period and extras(cluster).members.get(
            "AwsBackupRecoveryPointArn"
        ):
            conflicting(
                "You can't change the backup retention period because this resource is managed by AWS Backup."
            )
    changes = call.get("CloudwatchLogsExportConfiguration", {})
    named_logs = [*changes.get("EnableLogTypes", []), *changes.get("DisableLogTypes", [])]
    engines.check_log_types(cluster.engine, cluster.engine_version, named_logs, multi_az=is_multi_az(cluster))
    if call.get("BacktrackWindow"):
        _check_backtrack(cluster)
    if call.has("EngineVersion"):
        _check_upgrade(call, cluster)
    _check_secret(call, cluster)
    if call.has("NewDBClusterIdentifier"):
        _check_rename(call, cluster)


def _check_backtrack(cluster: Any) -> None:
    """Refuse what Aurora cannot rewind.

    "You can't modify a DB cluster to enable the Backtrack feature" (Amazon Aurora User Guide, "Backtracking
    limitations").
    """
    if cluster.engine != "aurora-mysql":
        conflicting(f"Backtrack is not enabled for the {cluster.engine} engine.")
    if not extras(cluster).backtracks:
        conflicting("Backtrack cannot be enabled on an existing DB cluster that was created without it.")


def _check_upgrade(call: Call, cluster: Any) -> None:
    version = engines.choose(call, cluster.engine, call["EngineVersion"])
    changes_major = engines.family_of(cluster.engine, version) != engines.family_of(
        cluster.engine, cluster.engine_version
    )
    if changes_major and not call.get("AllowMajorVersionUpgrade"):
        conflicting(
            "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version."
        )


def _check_secret(call: Call, cluster: Any) -> None:
    managed = hasattr(cluster, "master_user_secret")
    manage = call.get("ManageMasterUserPassword")
    if manage and call.has("MasterUserPassword"):
        conflicting("MasterUserPassword cannot be specified together with ManageMasterUserPassword.")
    if manage and cluster.global_cluster_identifier:
        conflicting("Managed master user passwords aren't supported for members of a global cluster.")
    if manage is False and managed and not call.has("MasterUserPassword"):
        conflicting("MasterUserPassword must be specified when ManageMasterUserPassword is turned off.")
    if manage is None and managed and call.has("MasterUserPassword"):
        conflicting("MasterUserPassword can't be specified while the master user password is managed.")
    if call.get("RotateMasterUserPassword"):
        if not call.get("ApplyImmediately"):
            conflicting("You must specify apply immediately when rotating the master user password.")
        if not managed:
            conflicting("The master user password of this DB cluster is not managed in AWS Secrets Manager.")


def _check_rename(call: Call, cluster: Any) -> None:
    new = call["NewDBClusterIdentifier"].lower()
    check_identifier(new, "NewDBClusterIdentifier")
    if new != cluster.db_cluster_identifier and new in call.backend.clusters:
        refuse("DBClusterAlreadyExistsFault", "DB Cluster already exists")


def _apply_at_once(call: Call, cluster: Any) -> None:
    """Apply what never waits; what may still be refused comes first, so that a refusal changes nothing."""
    own = extras(cluster)
    group = None
    if call.has("DBClusterParameterGroupName"):
        group = parameter_groups.attachable_cluster_group(
            call, call["DBClusterParameterGroupName"], cluster.engine, cluster.engine_version
        )
    if any(call.has(name) for name in ("EnablePerformanceInsights", "DatabaseInsightsMode")):
        insights.apply(call, own)
        for member in call.members_of(cluster):
            extras(member).members |= insights.inherited(own)
    _apply_secret(call, cluster)
    if group is not None:
        _attach(call, cluster, group)
    for parameter, attribute in _AT_ONCE.items():
        if call.has(parameter):
            setattr(cluster, attribute, call[parameter])
    if call.has("PreferredMaintenanceWindow"):
        cluster.preferred_maintenance_window = call["PreferredMaintenanceWindow"].lower()
    if call.has("AutoMinorVersionUpgrade"):
        cluster.auto_minor_version_upgrade = call["AutoMinorVersionUpgrade"]
        for member in call.members_of(cluster):
            member.auto_minor_version_upgrade = call["AutoMinorVersionUpgrade"]
    kept = ["EngineLifecycleSupport", "AwsBackupRecoveryPointArn"]
    kept += ["MonitoringInterval", "MonitoringRoleArn"] if is_multi_az(cluster) else []
    own.members |= {name: call[name] for name in kept if call.has(name)}
    _apply_monitoring(call, cluster)


def _apply_monitoring(call: Call, cluster: Any) -> None:
    for member in call.members_of(cluster) if is_multi_az(cluster) else ():
        member.monitoring_interval = call.get("MonitoringInterval", member.monitoring_interval)
        member.monitoring_role_arn = call.get("MonitoringRoleArn", member.monitoring_role_arn)


def _attach(call: Call, cluster: Any, group: Any) -> None:
    if group.name != cluster.parameter_group.lower():
        cluster.parameter_group = group.name
        for member in call.members_of(cluster):
            extras(member).cluster_apply_status = "pending-reboot"


def _apply_secret(call: Call, cluster: Any) -> None:
    manage = call.get("ManageMasterUserPassword")
    if call.has("MasterUserPassword"):
        cluster.master_user_password = call["MasterUserPassword"]
    if manage and not hasattr(cluster, "master_user_secret"):
        cluster.master_user_secret = MasterUserSecret(cluster, call.get("MasterUserSecretKmsKeyId"))
        cluster.manage_master_user_password = True
    elif manage is False and hasattr(cluster, "master_user_secret"):
        cluster.master_user_secret.delete_secret()
        del cluster.master_user_secret
        cluster.manage_master_user_password = False
    if call.get("RotateMasterUserPassword"):
        cluster.master_user_secret.rotate_secret()


def _log_exports(call: Call, cluster: Any) -> dict[str, list[str]]:
    """Say which log types really change, in the words of PendingCloudwatchLogsExports."""
    wanted = call.get("CloudwatchLogsExportConfiguration", {})
    held = cluster.enabled_cloudwatch_logs_exports
    on = [log for log in dict.fromkeys(wanted.get("EnableLogTypes", [])) if log not in held]
    off = [log for log in dict.fromkeys(wanted.get("DisableLogTypes", [])) if log in held]
    return {
        **({"LogTypesToEnable": on} if on else {}),
        **({"LogTypesToDisable": off} if off else {}),
    }


def _gather(call: Call, cluster: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Sort what is asked into what is to be applied now and what waits for the window."""
    now: dict[str, Any] = {}
    later: dict[str, Any] = {}
    exports = _log_exports(call, cluster)
    if exports:
        now["PendingCloudwatchLogsExports"] = exports
    if call.has("MasterUserPassword"):
        now["MasterUserPassword"] = _HIDDEN
    held = {name: getattr(cluster, attribute) for name, attribute in _ATTRIBUTE_OF.items()}
    held["EngineVersion"] = cluster.engine_version
    for parameter, pending_name in _IN_THE_WINDOW.items():
        if call.has(parameter):
            value = call[parameter]
            if parameter == "EngineVersion":
                value = engines.choose(call, cluster.engine, value)
            if value == held[pending_name]:
                extras(cluster).waiting.pop(pending_name, None)
            else:
                later[pending_name] = value
    if call.has("NewDBClusterIdentifier"):
        later["DBClusterIdentifier"] = call["NewDBClusterIdentifier"].lower()
    return now, later


def settle(world: World, cluster: Any, changes: dict[str, Any]) -> None:
    """Make pending changes true."""
    for name, attribute in _ATTRIBUTE_OF.items():
        if name in changes:
            setattr(cluster, attribute, changes[name])
    exports = changes.get("PendingCloudwatchLogsExports", {})
    kept = [
        log
        for log in cluster.enabled_cloudwatch_logs_exports
        if log not in exports.get("LogTypesToDisable", [])
    ]
    added = [log for log in exports.get("LogTypesToEnable", []) if log not in kept]
    cluster.enabled_cloudwatch_logs_exports = [*kept, *added]
    if "EngineVersion" in changes:
        _upgrade(cluster, changes["EngineVersion"])
    if "MasterUserPassword" in changes:
        world.tell("RDS-EVENT-0016", cluster)
    if "DBClusterIdentifier" in changes:
        _rename(world, cluster, changes["DBClusterIdentifier"])


def _upgrade(cluster: Any, version: str) -> None:
    cluster.engine_version = version
    if parameter_groups.is_default(cluster.parameter_group):
        cluster.parameter_group = parameter_groups.default_name(cluster.engine, version)


def _rename(world: World, cluster: Any, new: str) -> None:
    backend, old = cluster.backend, cluster.db_cluster_identifier
    members = [one for one in backend.databases.values() if one.db_cluster_identifier == old]
    backend.clusters.pop(old, None)
    cluster.db_cluster_identifier = new
    backend.clusters[new] = cluster
    for member in members:
        member.db_cluster_identifier = new
    world.tell("RDS-EVENT-0172", cluster, old=old, new=new)


def _busy_status(call: Call, changes: dict[str, Any]) -> tuple[str, timedelta]:
    lifecycle = call.world.lifecycle
    if "IAMDatabaseAuthenticationEnabled" in changes:
        return "configuring-iam-database-auth", lifecycle.configuring_iam_database_auth
    if "MasterUserPassword" in changes:
        return "resetting-master-credentials", lifecycle.modifying
    if "DBClusterIdentifier" in changes:
        return "renaming", lifecycle.modifying
    if "EngineVersion" in changes:
        return "upgrading", lifecycle.modifying
    return "modifying", lifecycle.modifying


def _completion(world: World, cluster: Any, changes: dict[str, Any]) -> Callable[[], None]:
    def complete() -> None:
        own = extras(cluster)
        for name in changes:
            own.applying.pop(name, None)
        settle(world, cluster, changes)

    return complete


def modify(call: Call) -> dict[str, Any]:
    """Answer ModifyDBCluster."""
    cluster = find_cluster(call, call["DBClusterIdentifier"])
    _check(call, cluster)
    _apply_at_once(call, cluster)
    own = extras(cluster)
    now, later = _gather(call, cluster)
    if call.get("ApplyImmediately"):
        now |= own.waiting | later
        own.waiting = {}
        # Recorded answers show a new retention at once, and not as pending.
        if "BackupRetentionPeriod" in now:
            cluster.backup_retention_period = now.pop("BackupRetentionPeriod")
    else:
        own.waiting |= later
    own.applying |= now
    item = present(call, cluster)
    if now:
        busy, duration = _busy_status(call, now)
        call.world.occupy(cluster, busy, duration, _completion(call.world, cluster, now))
    return {"DBCluster": item}


TOPIC = Topic(
    name="cluster_changes",
    operations={"ModifyDBCluster": modify},
    corrections=(
        Correction(
            name="cluster-enhanced-monitoring",
            why="moto does not keep it for clusters",
            reference="ModifyDBClusterMessage.MonitoringInterval",
            words="Valid for Cluster Type: Multi-AZ DB clusters only",
        ),
        Correction(
            name="backtracking-of-aurora-mysql",
            why="moto gives a window to clusters of any engine, and does not change it",
            reference="ModifyDBClusterMessage.BacktrackWindow",
            words="Valid for Cluster Type: Aurora MySQL DB clusters only",
        ),
        Correction(
            name="cluster-iam-authentication",
            why="moto ignores EnableIAMDatabaseAuthentication on a cluster that exists",
            reference="ModifyDBClusterMessage.EnableIAMDatabaseAuthentication",
            words=(
                "Specifies whether to enable mapping of Amazon Web Services Identity and Access Management (IAM)"
                " accounts to database accounts."
            ),
        ),
        Correction(
            name="cluster-log-exports",
            why="moto ignores CloudwatchLogsExportConfiguration on a cluster that exists",
            reference="ModifyDBClusterMessage.CloudwatchLogsExportConfiguration",
            words=(
                "The configuration setting for the log types to be enabled for export to CloudWatch Logs for a"
                " specific DB cluster."
            ),
        ),
        Correction(
            name="log-types-of-the-engine",
            why="moto exports log types that the engine does not have",
            reference="ModifyDBClusterMessage.CloudwatchLogsExportConfiguration",
            words="Aurora PostgreSQL - instance | postgresql | iam-db-auth-error",
        ),
        Correction(
            name="retention-of-a-cluster",
            why="moto takes 0 and 99 days",
            reference="ModifyDBClusterMessage.BackupRetentionPeriod",
            words="Specify a minimum value of 1.",
        ),
        Correction(
            name="changes-wait-for-the-window",
            why="moto applies everything at once, so a queued change can be neither seen nor flushed",
            reference="ModifyDBClusterMessage.ApplyImmediately",
            words=(
                "If this parameter is disabled, changes to the DB cluster are applied during the next"
                " maintenance window."
            ),
        ),
        Correction(
            name="some-changes-never-wait",
            why="deletion protection and passwords must not wait with the rest",
            reference="ModifyDBClusterMessage.ApplyImmediately",
            words=(
                "Some modifications, such as turning on deletion protection and changing the master password,"
                " are applied immediately—regardless of when you choose to apply them."
            ),
        ),
        Correction(
            name="missing-clusters-not-found",
            why="moto fails with a Python error",
            reference="ModifyDBClusterMessage.DBClusterIdentifier",
            words="Must match the identifier of an existing DB cluster.",
        ),
        Correction(
            name="busy-clusters-refuse",
            why="moto's clusters are never busy, so nobody learns to come back later",
            reference="InvalidDBClusterStateFault",
            words="The requested operation can't be performed while the cluster is in this state.",
        ),
        Correction(
            name="attached-group-must-exist",
            why="moto attaches a parameter group that does not exist",
            reference="DBClusterParameterGroupNotFoundFault",
            words="doesn't refer to an existing DB cluster parameter group.",
        ),
        Correction(
            name="attached-groups-wait-for-a-reboot",
            why="moto's members are in sync with a group that they have never read",
            reference="CreateDBClusterParameterGroup",
            words=(
                "When you associate a new DB cluster parameter group with a running Aurora DB cluster, reboot"
                " the DB instances in the DB cluster without failover for the new DB cluster parameter group and"
                " associated settings to take effect."
            ),
        ),
        Correction(
            name="a-rename-keeps-the-resource-id",
            why="moto renames at once and loses the members",
            reference="DBCluster.DbClusterResourceId",
            words="The Amazon Web Services Region-unique, immutable identifier for the DB cluster.",
        ),
        Correction(
            name="managed-passwords-exclude-passwords",
            why="moto takes a password and its management together",
            reference="ModifyDBClusterMessage.MasterUserPassword",
            words="Can't be specified if ManageMasterUserPassword is turned on.",
        ),
        Correction(
            name="major-upgrades-are-asked-for",
            why="moto changes the major version unasked",
            reference="ModifyDBClusterMessage.AllowMajorVersionUpgrade",
            words=(
                "You must allow major version upgrades when specifying a value for the EngineVersion parameter"
                " that is a different major version than the DB cluster's current version."
            ),
        ),
    ),
)
