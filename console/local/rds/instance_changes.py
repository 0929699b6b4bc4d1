"""ModifyDBInstance: what applies at once, what waits for the window, and what only the cluster can change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.rds.models import MasterUserSecret
from moto.rds.utils import valid_preferred_maintenance_window

from console.local.rds import certificates, engines, insights, network, parameter_groups
from console.local.rds.call import (
    Call,
    check_identifier,
    check_retention,
    conflicting,
    find_instance,
    invalid,
    refuse,
)
from console.local.rds.cluster_items import AVAILABLE, is_multi_az
from console.local.rds.instance_items import is_member, present, status
from console.local.rds.registry import Correction, Topic
from console.local.rds.state import World, extras

if TYPE_CHECKING:
    from collections.abc import Callable

# What the cluster manages; AWS refuses to change it on a member, in these words of its own.
_OF_THE_CLUSTER = {
    "BackupRetentionPeriod": "backup retention",
    "PreferredBackupWindow": "backup window",
    "DeletionProtection": "deletion protection",
    "VpcSecurityGroupIds": "vpc security group",
    "MasterUserPassword": "master user password",
    "ManageMasterUserPassword": "master user password management",
    "DBPortNumber": "database endpoint port number",
    "EngineVersion": "the DB engine version",
    "EnableIAMDatabaseAuthentication": "IAM database authentication",
    "CloudwatchLogsExportConfiguration": "CloudWatch Logs exports",
    "DatabaseInsightsMode": "Database Insights mode",
    "EngineLifecycleSupport": "engine lifecycle support",
}
_AT_ONCE = {
    "PubliclyAccessible": "publicly_accessible",
    "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
    "CopyTagsToSnapshot": "copy_tags_to_snapshot",
    "DeletionProtection": "deletion_protection",
    "VpcSecurityGroupIds": "vpc_security_group_ids",
    "PreferredBackupWindow": "preferred_backup_window",
    "PromotionTier": "promotion_tier",
    "MaxAllocatedStorage": "max_allocated_storage",
    "LicenseModel": "license_model",
    "DBPortNumber": "port",
}
_IN_THE_WINDOW = {
    "DBInstanceClass": ("DBInstanceClass", "db_instance_class"),
    "AllocatedStorage": ("AllocatedStorage", "allocated_storage"),
    "MultiAZ": ("MultiAZ", "multi_az"),
    "EngineVersion": ("EngineVersion", "engine_version"),
    "Iops": ("Iops", "iops"),
    "StorageType": ("StorageType", "storage_type"),
    "EnableIAMDatabaseAuthentication": (
        "IAMDatabaseAuthenticationEnabled",
        "enable_iam_database_authentication",
    ),
    "CACertificateIdentifier": ("CACertificateIdentifier", "ca_certificate_identifier"),
}
_ATTRIBUTE_OF = dict(_IN_THE_WINDOW.values()) | {"BackupRetentionPeriod": "backup_retention_period"}


def _check_member(call: Call, instance: Any) -> None:
    if is_multi_az(instance.cluster):
        conflicting("Modifying an individual DB instance of a Multi-AZ DB cluster isn't supported.")
    for parameter, what in _OF_THE_CLUSTER.items():
        if call.has(parameter):
            conflicting(
                f"The specified DB Instance is a member of a cluster. Modify {what} for the DB Cluster using"
                " the ModifyDbCluster API"
            )


def _check(call: Call, instance: Any) -> None:
    if is_member(instance):
        _check_member(call, instance)
    if status(call, instance) != AVAILABLE:
        refuse("InvalidDBInstanceState", "Database instance is not in available state.")
    if call.has("BackupRetentionPeriod"):
        check_retention(call["BackupRetentionPeriod"], least=0)
        if call["BackupRetentionPeriod"] == 0 and instance.replicas:
            conflicting("Automated backups can't be disabled for a DB instance that has read replicas.")
    exports = call.get("CloudwatchLogsExportConfiguration", {})
    named_logs = [*exports.get("EnableLogTypes", []), *exports.get("DisableLogTypes", [])]
    engines.check_log_types(instance.engine, instance.engine_version, named_logs)
    _check_windows(call, instance)
    _check_monitoring(call, instance)
    if call.has("EngineVersion"):
        engines.choose(call, instance.engine, call["EngineVersion"])
    _check_rename(call)
    if call.get("RotateMasterUserPassword") and not call.get("ApplyImmediately"):
        conflicting("You must specify apply immediately when rotating the master user password.")


def _check_rename(call: Call) -> None:
    if call.has("NewDBInstanceIdentifier"):
        new = call["NewDBInstanceIdentifier"]
        check_identifier(new, "NewDBInstanceIdentifier")
        if new.lower() in call.backend.databases:
            refuse("DBInstanceAlreadyExists", "DB instance already exists")


def _check_windows(call: Call, instance: Any) -> None:
    if not (call.has("PreferredMaintenanceWindow") or call.has("PreferredBackupWindow")):
        return
    problem = valid_preferred_maintenance_window(
        call.get("PreferredMaintenanceWindow", instance.preferred_maintenance_window).lower(),
        call.get("PreferredBackupWindow", instance.preferred_backup_window),
    )
    if problem:
        invalid(problem)


def _check_monitoring(call: Call, instance: Any) -> None:
    interval = call.get("MonitoringInterval", instance.monitoring_interval)
    role = call.get("MonitoringRoleArn", instance.monitoring_role_arn)
    if interval not in {0, 1, 5, 10, 15, 30, 60}:
        invalid(f"Invalid value for MonitoringInterval: {interval}")
    if call.get("MonitoringInterval") and not role:
        conflicting(
            "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0."
        )
    if call.has("MonitoringRoleArn") and not interval:
        conflicting(
            "You must specify a MonitoringInterval value other than 0 when you specify a MonitoringRoleARN value."
        )


def _apply_at_once(call: Call, instance: Any) -> None:
    """Apply what never waits; what may still be refused comes first, so that a refusal changes nothing."""
    own = extras(instance)
    group = subnets = None
    if call.has("DBParameterGroupName"):
        group = parameter_groups.attachable_instance_group(
            call, call["DBParameterGroupName"], instance.engine, instance.engine_version
        )
    if call.has("DBSubnetGroupName") and not is_member(instance):
        subnets = network.subnet_group(call, call["DBSubnetGroupName"])
    if call.has("EnablePerformanceInsights") or call.has("DatabaseInsightsMode"):
        insights.apply(call, own)
    if group is not None and group.name != instance.db_parameter_group_name:
        instance.db_parameter_group_name = group.name
        own.apply_status = "pending-reboot"
        call.world.tell("RDS-EVENT-0011", instance, name=group.name)
    if subnets is not None:
        instance.db_subnet_group_name = subnets.name
    for parameter, attribute in _AT_ONCE.items():
        if call.has(parameter):
            setattr(instance, attribute, call[parameter])
    if call.has("PreferredMaintenanceWindow"):
        instance.preferred_maintenance_window = call["PreferredMaintenanceWindow"].lower()
    _apply_monitoring(call, instance)
    _apply_secret(call, instance)
    if call.has("EngineLifecycleSupport"):
        own.members["EngineLifecycleSupport"] = call["EngineLifecycleSupport"]


def _apply_monitoring(call: Call, instance: Any) -> None:
    if call.has("MonitoringRoleArn"):
        instance.monitoring_role_arn = call["MonitoringRoleArn"]
    if call.has("MonitoringInterval") and call["MonitoringInterval"] != instance.monitoring_interval:
        instance.monitoring_interval = call["MonitoringInterval"]
        call.world.tell("RDS-EVENT-0078", instance, interval=str(call["MonitoringInterval"]))


def _apply_secret(call: Call, instance: Any) -> None:
    manage = call.get("ManageMasterUserPassword")
    if manage and not hasattr(instance, "master_user_secret"):
        instance.master_user_secret = MasterUserSecret(instance, call.get("MasterUserSecretKmsKeyId"))
        instance.manage_master_user_password = True
    elif manage is False and hasattr(instance, "master_user_secret"):
        instance.master_user_secret.delete_secret()
        del instance.master_user_secret
        instance.manage_master_user_password = False
    if call.get("RotateMasterUserPassword"):
        instance.master_user_secret.rotate_secret()


def _gather(call: Call, instance: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Sort what is asked into what is to be applied now and what waits for the window."""
    now: dict[str, Any] = {}
    later: dict[str, Any] = {}
    exports = call.get("CloudwatchLogsExportConfiguration", {})
    held = instance.enabled_cloudwatch_logs_exports
    on = [log for log in dict.fromkeys(exports.get("EnableLogTypes", [])) if log not in held]
    off = [log for log in dict.fromkeys(exports.get("DisableLogTypes", [])) if log in held]
    if on or off:
        now["PendingCloudwatchLogsExports"] = {
            **({"LogTypesToEnable": on} if on else {}),
            **({"LogTypesToDisable": off} if off else {}),
        }
    if call.has("MasterUserPassword"):
        now["MasterUserPassword"] = "****"
    for parameter, (name, attribute) in _IN_THE_WINDOW.items():
        if call.has(parameter):
            value = call[parameter]
            if parameter == "EngineVersion":
                value = engines.choose(call, instance.engine, value)
            if value == getattr(instance, attribute):
                extras(instance).waiting.pop(name, None)
            else:
                later[name] = value
    if call.has("BackupRetentionPeriod"):
        days, current = call["BackupRetentionPeriod"], instance.backup_retention_period
        if days != current:
            # From one non-zero value to another applies by itself; on and off wait for the window.
            (now if days and current else later)["BackupRetentionPeriod"] = days
    if call.has("NewDBInstanceIdentifier"):
        later["DBInstanceIdentifier"] = call["NewDBInstanceIdentifier"].lower()
    return now, later


def settle(world: World, instance: Any, changes: dict[str, Any]) -> None:
    """Make pending changes true."""
    if "BackupRetentionPeriod" in changes:
        before, after = instance.backup_retention_period, changes["BackupRetentionPeriod"]
        if bool(before) != bool(after):
            world.tell("RDS-EVENT-0032" if after else "RDS-EVENT-0028", instance)
    for name, attribute in _ATTRIBUTE_OF.items():
        if name in changes:
            setattr(instance, attribute, changes[name])
    if "CACertificateIdentifier" in changes:
        certificates.issue(world, instance)
    exports = changes.get("PendingCloudwatchLogsExports", {})
    kept = [
        log
        for log in instance.enabled_cloudwatch_logs_exports
        if log not in exports.get("LogTypesToDisable", [])
    ]
    instance.enabled_cloudwatch_logs_exports = [*kept, *exports.get("LogTypesToEnable", [])]
    if "EngineVersion" in changes and parameter_groups.is_default(instance.db_parameter_group_name or ""):
        instance.db_parameter_group_name = parameter_groups.default_name(
            instance.engine, changes["EngineVersion"]
        )
    if "MasterUserPassword" in changes:
        world.tell("RDS-EVENT-0016", instance)
    if "DBInstanceIdentifier" in changes:
        databases = instance.backend.databases
        databases.pop(instance.db_instance_identifier, None)
        instance.db_instance_identifier = changes["DBInstanceIdentifier"]
        databases[instance.db_instance_identifier] = instance


def _completion(world: World, instance: Any, changes: dict[str, Any]) -> Callable[[], None]:
    def complete() -> None:
        for name in changes:
            extras(instance).applying.pop(name, None)
        settle(world, instance, changes)

    return complete


def modify(call: Call) -> dict[str, Any]:
    """Answer ModifyDBInstance."""
    instance = find_instance(call, call["DBInstanceIdentifier"])
    _check(call, instance)
    _apply_at_once(call, instance)
    own = extras(instance)
    now, later = _gather(call, instance)
    if call.get("ApplyImmediately"):
        now |= own.waiting | later
        own.waiting = {}
    else:
        own.waiting |= later
    own.applying |= now
    item = present(call, instance)
    if now:
        configures = "IAMDatabaseAuthenticationEnabled" in now
        lifecycle = call.world.lifecycle
        call.world.occupy(
            instance,
            "configuring-iam-database-auth" if configures else "modifying",
            lifecycle.configuring_iam_database_auth if configures else lifecycle.modifying,
            _completion(call.world, instance, now),
        )
    return {"DBInstance": item}


TOPIC = Topic(
    name="instance_changes",
    operations={"ModifyDBInstance": modify},
    corrections=(
        Correction(
            name="public-access-never-waits",
            why="moto's PendingModifiedValues cannot show that this one setting is not among them",
            reference="ModifyDBInstanceMessage.PubliclyAccessible",
            words=(
                "Changes to the PubliclyAccessible parameter are applied immediately regardless of the value of"
                " the ApplyImmediately parameter."
            ),
        ),
        Correction(
            name="instance-log-exports-never-wait",
            why="moto exports log types that the engine does not have",
            reference="ModifyDBInstanceMessage.CloudwatchLogsExportConfiguration",
            words=(
                "A change to the CloudwatchLogsExportConfiguration parameter is always applied to the DB instance"
                " immediately. Therefore, the ApplyImmediately parameter has no effect."
            ),
        ),
        Correction(
            name="instance-backup-retention",
            why="moto fails on BackupRetentionPeriod for members, and applies on and off at once elsewhere",
            reference="ModifyDBInstanceMessage.BackupRetentionPeriod",
            words=(
                "If you change the parameter from one non-zero value to another non-zero value, the change is"
                " asynchronously applied as soon as possible."
            ),
        ),
        Correction(
            name="backups-on-and-off-wait",
            why="moto switches automated backups on and off at once",
            reference="ModifyDBInstanceMessage.BackupRetentionPeriod",
            words=(
                "These changes are applied during the next maintenance window unless the ApplyImmediately"
                " parameter is enabled for this request."
            ),
        ),
        Correction(
            name="the-cluster-manages-retention",
            why="moto raises a Python error",
            reference="ModifyDBInstanceMessage.BackupRetentionPeriod",
            words="The retention period for automated backups is managed by the DB cluster.",
        ),
        Correction(
            name="the-cluster-manages-protection",
            why="moto protects a member on its own",
            reference="ModifyDBInstanceMessage.DeletionProtection",
            words="This setting doesn't apply to Amazon Aurora DB instances.",
        ),
        Correction(
            name="the-cluster-manages-iam",
            why="moto switches IAM authentication on for a member on its own",
            reference="ModifyDBInstanceMessage.EnableIAMDatabaseAuthentication",
            words="This setting doesn't apply to Amazon Aurora.",
        ),
        Correction(
            name="the-cluster-manages-log-exports",
            why="moto exports logs of a member on its own",
            reference="CreateDBInstanceMessage.EnableCloudwatchLogsExports",
            words="CloudWatch Logs exports are managed by the DB cluster.",
        ),
        Correction(
            name="the-cluster-copies-tags",
            why="moto shows for a member what has no effect there",
            reference="ModifyDBInstanceMessage.CopyTagsToSnapshot",
            words="Setting this value for an Aurora DB instance has no effect on the DB cluster setting.",
        ),
        Correction(
            name="multi-az-members-are-left-alone",
            why="moto modifies a member of a Multi-AZ DB cluster like any instance",
            reference="ModifyDBCluster",
            words="Modifies the settings of an Amazon Aurora DB cluster or a Multi-AZ DB cluster.",
        ),
        Correction(
            name="instance-changes-wait",
            why="moto ignores ApplyImmediately",
            reference="ModifyDBInstanceMessage.ApplyImmediately",
            words=(
                "Specifies whether the modifications in this request and any pending modifications are"
                " asynchronously applied as soon as possible"
            ),
        ),
        Correction(
            name="busy-instances-refuse",
            why="moto's instances are never busy",
            reference="InvalidDBInstanceStateFault",
            words="The DB instance isn't in a valid state.",
        ),
        Correction(
            name="instance-groups-wait-for-a-reboot",
            why="moto's instances are in sync with a group that they have never read",
            reference="ModifyDBInstanceMessage.DBParameterGroupName",
            words=(
                "The parameter group name itself is changed immediately, but the actual parameter changes are not"
                " applied until you reboot the instance without failover."
            ),
        ),
    ),
)
