"""One row for each resource type: how AWS names, describes and omits things there.

Beside `ResourceRef` in the flow: everything that is true of a type and not of one resource.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping


class Need(StrEnum):
    """An enrichment that a control asks for; the value is the key of the fact."""

    MEMBERS = "Members"
    """The Describe items of a cluster's instances."""
    PARAMETERS = "Parameters"
    """The parameters of a cluster's parameter group by name, as DescribeDBClusterParameters gives them; those
    that nobody set come from DescribeEngineDefaultClusterParameters."""
    INSTANCE_PARAMETERS = "InstanceParameters"
    """The same of a stand-alone instance's parameter group."""
    MEMBER_PARAMETERS = "MemberParameters"
    """For each member of a cluster by name, what somebody set in its instance's group. Needs `MEMBERS`."""
    EXPORTABLE_LOG_TYPES = "ExportableLogTypes"
    """The log types that this engine version can export (DescribeDBEngineVersions)."""
    RESTORE_ACCOUNTS = "RestoreAccounts"
    """The values of a snapshot's `restore` attribute: account ids, or `all`."""
    PARAMETER_GROUP_USERS = "ParameterGroupUsers"
    """ARNs of all clusters that use the cluster's parameter group, itself included."""
    BLUE_GREEN = "BlueGreenDeployments"
    """The blue/green deployments that this database is part of and that are not yet done."""
    ENCRYPTED_COPIES = "EncryptedCopies"
    """The manual snapshots of a snapshot's instance, among which its encrypted copies are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How one resource type is named, described and identified."""

    resource_type: ResourceType
    name: str
    """As a person says it, in a sentence."""
    describe: str
    """The API operation that describes it."""
    identifier: str
    """The member of the Describe item that holds the name."""
    arn: str
    immutable_id: str | None
    """The member that survives a rename; None where AWS has none and the ARN serves."""
    status: str | None = "Status"
    omitted: Mapping[str, Any] = field(default_factory=dict)
    """What AWS leaves out to say "none": botocore's rds model marks each of these optional, and the API
    reference describes their presence as conditional. Filled in once, by the reader."""
    security_hub: str | None = None
    """The resource type's name in ASFF."""


KINDS: Mapping[ResourceType, Kind] = {
    kind.resource_type: kind
    for kind in (
        Kind(
            resource_type=ResourceType.DB_CLUSTER,
            name="DB cluster",
            describe="DescribeDBClusters",
            identifier="DBClusterIdentifier",
            arn="DBClusterArn",
            immutable_id="DbClusterResourceId",
            security_hub="AwsRdsDbCluster",
            omitted={
                # A list that is empty is left out of the answer; the others are described as present "if
                # enabled", "if ... then" or "returned only when".
                "EnabledCloudwatchLogsExports": [],
                "PendingModifiedValues": {},
                "KmsKeyId": None,
                "StorageEncryptionType": None,
                "DBClusterMembers": [],
                "TagList": [],
                "GlobalClusterIdentifier": None,
                "AwsBackupRecoveryPointArn": None,
                "ReplicationSourceIdentifier": None,
                "ReadReplicaIdentifiers": [],
                "InternetAccessGatewayEnabled": None,
                "EngineMode": None,
                "ServerlessV2ScalingConfiguration": None,
                "DBClusterInstanceClass": None,
            },
        ),
        Kind(
            resource_type=ResourceType.DB_INSTANCE,
            name="DB instance",
            describe="DescribeDBInstances",
            identifier="DBInstanceIdentifier",
            arn="DBInstanceArn",
            immutable_id="DbiResourceId",
            status="DBInstanceStatus",
            security_hub="AwsRdsDbInstance",
            omitted={
                # Only on a member of a cluster.
                "DBClusterIdentifier": None,
                "EnabledCloudwatchLogsExports": [],
                "PendingModifiedValues": {},
                "KmsKeyId": None,
                "StorageEncryptionType": None,
                "TagList": [],
                "ReadReplicaSourceDBInstanceIdentifier": None,
                "ReadReplicaSourceDBClusterIdentifier": None,
                "ReadReplicaDBInstanceIdentifiers": [],
                "AwsBackupRecoveryPointArn": None,
                "DBSubnetGroup": None,
                "VpcSecurityGroups": [],
            },
        ),
        Kind(
            resource_type=ResourceType.DB_CLUSTER_SNAPSHOT,
            name="DB cluster snapshot",
            describe="DescribeDBClusterSnapshots",
            identifier="DBClusterSnapshotIdentifier",
            arn="DBClusterSnapshotArn",
            immutable_id=None,
            security_hub="AwsRdsDbClusterSnapshot",
            omitted={
                "KmsKeyId": None,
                "StorageEncryptionType": None,
                "TagList": [],
                "SourceDBClusterSnapshotArn": None,
            },
        ),
        Kind(
            resource_type=ResourceType.DB_SNAPSHOT,
            name="DB snapshot",
            describe="DescribeDBSnapshots",
            identifier="DBSnapshotIdentifier",
            arn="DBSnapshotArn",
            immutable_id=None,
            security_hub="AwsRdsDbSnapshot",
            omitted={
                "KmsKeyId": None,
                "StorageEncryptionType": None,
                "TagList": [],
                "SourceDBSnapshotIdentifier": None,
            },
        ),
        Kind(
            resource_type=ResourceType.GLOBAL_CLUSTER,
            name="global cluster",
            describe="DescribeGlobalClusters",
            identifier="GlobalClusterIdentifier",
            arn="GlobalClusterArn",
            immutable_id="GlobalClusterResourceId",
            omitted={"GlobalClusterMembers": [], "StorageEncryptionType": None, "TagList": []},
        ),
        Kind(
            resource_type=ResourceType.DB_PROXY,
            name="DB proxy",
            describe="DescribeDBProxies",
            identifier="DBProxyName",
            arn="DBProxyArn",
            # The ARN of a proxy holds its generated id (…:db-proxy:prx-…), not its name.
            immutable_id=None,
        ),
        Kind(
            resource_type=ResourceType.DB_CLUSTER_PARAMETER_GROUP,
            name="DB cluster parameter group",
            describe="DescribeDBClusterParameterGroups",
            identifier="DBClusterParameterGroupName",
            arn="DBClusterParameterGroupArn",
            immutable_id=None,
            status=None,
        ),
        Kind(
            resource_type=ResourceType.DB_PARAMETER_GROUP,
            name="DB parameter group",
            describe="DescribeDBParameterGroups",
            identifier="DBParameterGroupName",
            arn="DBParameterGroupArn",
            immutable_id=None,
            status=None,
        ),
    )
}

EVALUATED_KINDS: tuple[ResourceType, ...] = (
    ResourceType.DB_CLUSTER,
    ResourceType.DB_INSTANCE,
    ResourceType.DB_CLUSTER_SNAPSHOT,
    ResourceType.DB_SNAPSHOT,
    ResourceType.GLOBAL_CLUSTER,
    ResourceType.DB_PROXY,
)
"""The kinds that are judged themselves; the others are shared things that lead to what uses them."""


def resource_key(ref_type: ResourceType, *, account: str, region: str, immutable_id: str) -> str:
    """The key of a resource's state: what survives a rename."""
    return f"{account}/{region or 'global'}/{ref_type}/{immutable_id}"
