"""What each write does to the world of `FakeAws`; the sentences in quotes are the API reference's."""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.validate import ParamValidator

from warden.core.errors import RejectedError, ResourceBusyError, ResourceGoneError
from warden.core.kinds import KINDS
from warden.core.resource import ResourceRef, ResourceType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.model import ServiceModel

    from fakes.aws import FakeAws
    from warden.core.plan import Call

_MOST_PARAMETERS = 20
_LONGEST_RETENTION = 35

# Request parameter: the member of the Describe item that shows it.
_CLUSTER_MEMBERS = {
    "AutoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "BackupRetentionPeriod": "BackupRetentionPeriod",
    "CopyTagsToSnapshot": "CopyTagsToSnapshot",
    "DBClusterParameterGroupName": "DBClusterParameterGroup",
    "DatabaseInsightsMode": "DatabaseInsightsMode",
    "DeletionProtection": "DeletionProtection",
    "EnableHttpEndpoint": "HttpEndpointEnabled",
    "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
    "EnablePerformanceInsights": "PerformanceInsightsEnabled",
    "EngineVersion": "EngineVersion",
    "MonitoringInterval": "MonitoringInterval",
    "MonitoringRoleArn": "MonitoringRoleArn",
    "PerformanceInsightsKMSKeyId": "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
}
_INSTANCE_MEMBERS = {
    "AutoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "BackupRetentionPeriod": "BackupRetentionPeriod",
    "CopyTagsToSnapshot": "CopyTagsToSnapshot",
    "DatabaseInsightsMode": "DatabaseInsightsMode",
    "DeletionProtection": "DeletionProtection",
    "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
    "EnablePerformanceInsights": "PerformanceInsightsEnabled",
    "EngineVersion": "EngineVersion",
    "MonitoringInterval": "MonitoringInterval",
    "MonitoringRoleArn": "MonitoringRoleArn",
    "MultiAZ": "MultiAZ",
    "PerformanceInsightsKMSKeyId": "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
    "PubliclyAccessible": "PubliclyAccessible",
}
# What can wait for the maintenance window: members of ClusterPendingModifiedValues and PendingModifiedValues.
_CAN_WAIT = {"BackupRetentionPeriod", "EngineVersion", "IAMDatabaseAuthenticationEnabled", "MultiAZ"}


@cache
def _rds() -> ServiceModel:
    return botocore.session.get_session().get_service_model("rds")


def check_parameters(call: Call) -> None:
    """Refuse what boto3 would not even send."""
    shape: Any = _rds().operation_model(call.operation).input_shape
    report = ParamValidator().validate(dict(call.parameters), shape)
    if report.has_errors():
        msg = f"rds:{call.operation}: {report.generate_report()}"
        raise RejectedError(msg, code="ParamValidation")


def make(aws: FakeAws, call: Call, target: ResourceRef) -> None:
    """Change the world as the call says, or refuse as AWS does."""
    OPERATIONS[call.operation](aws, target, copy.deepcopy(dict(call.parameters)))


def _live(aws: FakeAws, ref: ResourceRef, code: str) -> dict[str, Any]:
    if ref not in aws.items:
        msg = f"{code}: {ref.id} not found"
        raise ResourceGoneError(msg, code=code)
    return aws.items[ref]


def _available(item: Mapping[str, Any], ref: ResourceRef, code: str) -> None:
    status = item.get(KINDS[ref.resource_type].status or "", "available")
    if status not in {"available", "storage-optimization"}:
        msg = f"{code}: {ref.id} is {status}"
        raise ResourceBusyError(msg, code=code)


def _modify_cluster(aws: FakeAws, ref: ResourceRef, parameters: dict[str, Any]) -> None:
    item = _live(aws, ref, "DBClusterNotFoundFault")
    _available(item, ref, "InvalidDBClusterStateFault")
    if group := parameters.get("DBClusterParameterGroupName"):
        aws.parameter_group(group)
    at_once = bool(parameters.pop("ApplyImmediately", False))
    _modify(item, parameters, _CLUSTER_MEMBERS, at_once=at_once)
    # "Settings for Database Insights apply to all DB instances in your DB cluster."
    shared = {name: value for name, value in parameters.items() if "Insights" in name}
    for member in aws.of_type(ResourceType.DB_INSTANCE).values():
        if member.get("DBClusterIdentifier") == ref.id:
            member.update({_INSTANCE_MEMBERS[name]: value for name, value in shared.items()})
    if at_once:
        # "... and any pending modifications are asynchronously applied as soon as possible": a member's as well.
        for member in aws.of_type(ResourceType.DB_INSTANCE).values():
            if member.get("DBClusterIdentifier") == ref.id:
                _flush(member)


def _modify_instance(aws: FakeAws, ref: ResourceRef, parameters: dict[str, Any]) -> None:
    item = _live(aws, ref, "DBInstanceNotFound")
    _available(item, ref, "InvalidDBInstanceState")
    at_once = bool(parameters.pop("ApplyImmediately", False))
    # "If you change the parameter from one non-zero value to another non-zero value, the change is asynchronously
    # applied as soon as possible."
    days = parameters.get("BackupRetentionPeriod")
    if days and item.get("BackupRetentionPeriod"):
        _check_retention(days)
        item["BackupRetentionPeriod"] = parameters.pop("BackupRetentionPeriod")
    _modify(item, parameters, _INSTANCE_MEMBERS, at_once=at_once)


def _modify(
    item: dict[str, Any], parameters: dict[str, Any], members: Mapping[str, str], *, at_once: bool
) -> None:
    for identifier in ("DBClusterIdentifier", "DBInstanceIdentifier"):
        parameters.pop(identifier, None)
    _check_retention(parameters.get("BackupRetentionPeriod", 1))
    exports = parameters.pop("CloudwatchLogsExportConfiguration", None)
    if unknown := set(parameters) - set(members):
        msg = f"FakeAws does not know what {sorted(unknown)} do"
        raise NotImplementedError(msg)
    if exports is not None:
        _export(item, exports)
    pending = item.setdefault("PendingModifiedValues", {})
    for name, value in parameters.items():
        member = members[name]
        if member in _CAN_WAIT and item.get(member) != value:
            pending[member] = value
        else:
            item[member] = value
    if at_once:
        _flush(item)


def _flush(item: dict[str, Any]) -> None:
    item.update(item.get("PendingModifiedValues", {}))
    item["PendingModifiedValues"] = {}


def _check_retention(days: int) -> None:
    if not 0 <= days <= _LONGEST_RETENTION:
        msg = f"InvalidParameterValue: Invalid backup retention period: {days}. Must be between 0 and 35."
        raise RejectedError(msg, code="InvalidParameterValue")


def _export(item: dict[str, Any], configuration: Mapping[str, list[str]]) -> None:
    exported = set(item.get("EnabledCloudwatchLogsExports", []))
    exported |= set(configuration.get("EnableLogTypes", []))
    exported -= set(configuration.get("DisableLogTypes", []))
    item["EnabledCloudwatchLogsExports"] = sorted(exported)


def _create_instance(aws: FakeAws, ref: ResourceRef, parameters: dict[str, Any]) -> None:
    """A member of a cluster; a stand-alone instance nobody creates."""
    name = parameters["DBClusterIdentifier"]
    cluster_ref = ResourceRef.build(
        ResourceType.DB_CLUSTER,
        partition=ref.partition,
        region=ref.region,
        account=ref.account,
        name=name,
    )
    cluster = _live(aws, cluster_ref, "DBClusterNotFoundFault")
    _available(cluster, cluster_ref, "InvalidDBClusterStateFault")
    if ref in aws.items:
        msg = f"DBInstanceAlreadyExists: {ref.id}"
        raise RejectedError(msg, code="DBInstanceAlreadyExists")
    role = {
        "DBInstanceIdentifier": ref.id,
        "IsClusterWriter": False,
        "DBClusterParameterGroupStatus": "in-sync",
        "PromotionTier": parameters.get("PromotionTier", 1),
    }
    cluster["DBClusterMembers"] = [*cluster.get("DBClusterMembers", []), role]
    group = {
        "DBParameterGroupName": parameters.pop("DBParameterGroupName"),
        "ParameterApplyStatus": "in-sync",
    }
    aws.add(
        ResourceType.DB_INSTANCE,
        {
            **{name: value for name, value in parameters.items() if name != "Tags"},
            "DBInstanceArn": ref.arn,
            "DBInstanceStatus": "creating",
            "DBParameterGroups": [group],
            "TagList": parameters.get("Tags", []),
        },
    )


def _modify_global_cluster(aws: FakeAws, ref: ResourceRef, parameters: dict[str, Any]) -> None:
    item = _live(aws, ref, "GlobalClusterNotFoundFault")
    _available(item, ref, "InvalidGlobalClusterStateFault")
    del parameters["GlobalClusterIdentifier"]
    if set(parameters) != {"DeletionProtection"}:
        msg = f"FakeAws does not know what {sorted(parameters)} do"
        raise NotImplementedError(msg)
    item.update(parameters)


def _modify_parameter_group(aws: FakeAws, ref: ResourceRef, parameters: dict[str, Any]) -> None:
    group = aws.parameter_group(ref.id)
    wanted = parameters["Parameters"]
    if len(wanted) > _MOST_PARAMETERS:
        # "A maximum of 20 parameters can be modified in a single request."
        msg = f"InvalidParameterValue: {len(wanted)} parameters in one request"
        raise RejectedError(msg, code="InvalidParameterValue")
    for change in wanted:
        live = group.get(change["ParameterName"])
        if live is None or not live["IsModifiable"]:
            msg = f"InvalidParameterValue: the parameter {change['ParameterName']} cannot be modified"
            raise RejectedError(msg, code="InvalidParameterValue")
        if live["ApplyType"] == "static" and change["ApplyMethod"] == "immediate":
            # "You can use the immediate value with dynamic parameters only."
            msg = f"InvalidParameterCombination: {change['ParameterName']} is static"
            raise RejectedError(msg, code="InvalidParameterCombination")
    for change in wanted:
        group[change["ParameterName"]].update(change, Source="user")


def _modify_restore_attribute(aws: FakeAws, ref: ResourceRef, parameters: dict[str, Any]) -> None:
    _live(aws, ref, "DBSnapshotNotFound")
    if parameters["AttributeName"] != "restore":
        msg = f"FakeAws knows the attribute restore, not {parameters['AttributeName']}"
        raise NotImplementedError(msg)
    accounts = [*aws.restore_accounts.get(ref, []), *parameters.get("ValuesToAdd", [])]
    removed = parameters.get("ValuesToRemove", [])
    aws.restore_accounts[ref] = [account for account in dict.fromkeys(accounts) if account not in removed]


def _copy_snapshot(aws: FakeAws, ref: ResourceRef, parameters: dict[str, Any]) -> None:
    name = parameters["SourceDBSnapshotIdentifier"]
    source_arn = name if name.startswith("arn:") else f"{ref.arn.removesuffix(ref.id)}{name}"
    source = _live(aws, ResourceRef.from_arn(source_arn), "DBSnapshotNotFound")
    if ref in aws.items:
        msg = f"DBSnapshotAlreadyExists: {ref.id}"
        raise RejectedError(msg, code="DBSnapshotAlreadyExists")
    item = {
        **copy.deepcopy(source),
        "DBSnapshotIdentifier": ref.id,
        "DBSnapshotArn": ref.arn,
        "SnapshotType": "manual",
        "Status": "creating",
        "PercentProgress": 0,
        "SnapshotCreateTime": aws.clock(),
        "TagList": [
            *(source.get("TagList", []) if parameters.get("CopyTags") else []),
            *parameters.get("Tags", []),
        ],
    }
    if key := parameters.get("KmsKeyId"):
        item |= {"Encrypted": True, "KmsKeyId": key, "StorageEncryptionType": "sse-kms"}
    aws.add(ResourceType.DB_SNAPSHOT, item)


def _add_tags(aws: FakeAws, ref: ResourceRef, parameters: dict[str, Any]) -> None:
    tags = {tag["Key"]: tag for tag in _live(aws, ref, "DBClusterNotFoundFault").get("TagList", [])}
    aws.items[ref]["TagList"] = list({**tags, **{tag["Key"]: tag for tag in parameters["Tags"]}}.values())


OPERATIONS: Mapping[str, Callable[[FakeAws, ResourceRef, dict[str, Any]], None]] = {
    "ModifyDBCluster": _modify_cluster,
    "ModifyDBInstance": _modify_instance,
    "CreateDBInstance": _create_instance,
    "AddTagsToResource": _add_tags,
    "ModifyGlobalCluster": _modify_global_cluster,
    "ModifyDBClusterParameterGroup": _modify_parameter_group,
    "ModifyDBClusterSnapshotAttribute": _modify_restore_attribute,
    "ModifyDBSnapshotAttribute": _modify_restore_attribute,
    "CopyDBSnapshot": _copy_snapshot,
}
