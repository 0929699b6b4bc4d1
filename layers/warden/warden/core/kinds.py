"""One row for each resource type: how AWS names, describes and omits things there.

Beside `ResourceRef` in the flow: everything that is true of a type and not of one resource.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass
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
    CLASS_SUPPORT = "ClassSupport"
    """For the class of an instance, or of each member of a cluster, what this engine version supports on it
    (DescribeOrderableDBInstanceOptions); a class is left out that is no longer offered. Needs `MEMBERS`."""
    MEMBER_PARAMETERS = "MemberParameters"
    """For each member of a cluster by name, what somebody set in its instance's group. Needs `MEMBERS`."""
    EXPORTABLE_LOG_TYPES = "ExportableLogTypes"
    """The log types that this engine version can export (DescribeDBEngineVersions)."""
    RESTORE_ACCOUNTS = "RestoreAccounts"
    """The values of a snapshot's `restore` attribute: account ids, or `all`."""
    PARAMETER_GROUP_USERS = "ParameterGroupUsers"
    """ARNs of all clusters that use the cluster's parameter group, itself included."""
    INSTANCE_GROUP_USERS = "InstanceParameterGroupUsers"
    """ARNs of all instances that use the instance's parameter group, itself included."""
    CERTIFICATE_ROTATION = "CertificateRotation"
    """Which CAs this engine version takes, and whether it changes certificates without a restart
    (DescribeDBEngineVersions)."""
    BLUE_GREEN = "BlueGreenDeployments"
    """The blue/green deployments that this database is part of and that are not yet done."""
    STORAGE_KEY = "StorageKey"
    """What KMS says of the key that encrypts the storage (DescribeKey of KmsKeyId); None where none is named."""
    INSIGHTS_KEY = "InsightsKey"
    """The same of the key of Performance Insights."""
    MASTER_SECRET_KEY = "MasterSecretKey"  # noqa: S105 - the name of a fact
    """The same of the key of the secret in which RDS keeps the master password."""
    KEY_ALIASES = "KeyAliases"
    """The ARNs of the aliases of each of this account's keys that the resource names, by the key's ARN."""
    KEY_USERS = "KeyUsers"
    """How many clusters, instances and snapshots use a key (Count), and the first of them (Some)."""
    KEY_POLICY = "KeyPolicy"
    """The key policy, as JSON, of a key or of the key that a snapshot names; None where none is named."""
    KEY_GRANTS = "KeyGrants"
    """The grants of a key but those to services of AWS (ListGrants)."""
    KEY_ROTATION = "KeyRotation"
    """Whether a key rotates, and how often (GetKeyRotationStatus)."""
    SECRET_POLICY = "SecretPolicy"  # noqa: S105 - the name of a fact
    """The policy of a secret, as JSON; None where it has none (GetResourcePolicy)."""
    ENCRYPTED_COPIES = "EncryptedCopies"
    """The manual snapshots of a snapshot's instance, among which its encrypted copies are."""
    ENCRYPTION_PROCEDURE = "EncryptionProcedure"
    """What an encrypted copy of a snapshot is made with: the cluster (Temporary) and the snapshot (Result) that have
    the name of the copy, each with its accounts, or None; and what Warden wrote down of it (Record), or None."""
    OWN_GROUP = "OwnGroup"
    """The parameter group that has the name of a database's own one: its Description, None where there is none; what
    somebody set in it (Values), who uses it (Users), and what Warden wrote down of it (Record), or None."""
    SUCCESSOR = "Successor"
    """What a cluster's successor is made with: the Cluster of its name, that one's Members, the Snapshot of its name,
    each None or empty where there is none; what Warden wrote down of them (Record, SnapshotRecord); and the names of
    other clusters that are tagged as its successors (Others)."""
    QUOTAS = "Quotas"
    """How many of each thing the account has in this Region (Used), and may have (Max), by the quota's name
    (DescribeAccountAttributes)."""
    SUBNET_GROUPS = "SubnetGroups"
    """The DB subnet groups of the Region by name, each with its VPC and those of its subnets that are public."""
    INBOUND_RULES = "InboundRules"
    """The security groups of the Region by id, each with its VPC and the number of its inbound rules."""
    ALIAS_KEYS = "AliasKeys"
    """The ids of the keys behind the aliases of the account, by the names of the aliases (ListAliases)."""
    SECURITY_GROUPS = "SecurityGroups"
    """The Describe items of the security groups that a database or a proxy has."""
    SECURITY_GROUP_RULES = "SecurityGroupRules"
    """The inbound rules of a security group, or of all that a database has (DescribeSecurityGroupRules)."""
    PREFIX_LISTS = "PrefixLists"
    """The CIDR blocks of each prefix list that the rules name, by its id. Needs `SECURITY_GROUP_RULES`."""
    GUARDED_DATABASES = "GuardedDatabases"
    """The clusters, stand-alone instances and proxies that have a security group, each with its port and whether
    it is publicly accessible."""
    SIBLING_RULES = "SiblingRules"
    """The inbound rules of the other security groups of the same databases. Needs `GUARDED_DATABASES`."""
    NETWORK_INTERFACES = "NetworkInterfaces"
    """The network interfaces that have a security group, of databases or of anything else."""
    SUBNET_ROUTES = "SubnetRoutes"
    """The routes of each subnet of a database's subnet group: of its own route table, or of the VPC's main one."""
    SUBNET_ACLS = "SubnetNetworkAcls"
    """The entries of the network ACL of each subnet of a database's subnet group."""
    LOG_DATABASE = "LogDatabase"
    """The Describe item of the cluster or instance whose log a log group holds."""
    SUBSCRIPTION_FILTERS = "SubscriptionFilters"
    """The subscription filters of a log group (DescribeSubscriptionFilters)."""
    SUBSCRIPTION_POLICIES = "SubscriptionPolicies"
    """The subscription filters that the account has for all log groups (DescribeAccountPolicies)."""
    EVENT_SUBSCRIPTIONS = "EventSubscriptions"
    """The account's subscriptions to RDS's events in this Region (DescribeEventSubscriptions)."""
    ALARMS = "Alarms"
    """The metric alarms (Metric) that may be about a cluster or an instance, and the composite alarms over these
    (Composite), as far as `core.alarms` reads them (DescribeAlarms)."""
    FIRING_ALARMS = "FiringAlarms"
    """The names of the metric alarms about a cluster, its instances or an instance that are in the state ALARM
    (DescribeAlarms)."""
    TRAILS = "Trails"
    """The trails that record this Region, each with whether it is logging and its event selectors."""
    DETECTORS = "Detectors"
    """GuardDuty's detector of this Region, with its status and features; empty where there is none."""
    GUARDDUTY_ADMINISTRATOR = "GuardDutyAdministrator"
    """The other account that administers this one's GuardDuty; None where none does. Needs `DETECTORS`."""
    RECENT_EVENTS = "RecentEvents"
    """What RDS reported of a cluster or an instance within the last hour, the oldest first (DescribeEvents)."""
    BACKUP_PLANS = "BackupPlans"
    """The plans of AWS Backup in this Region, each with its rules, and with what of its selections concerns the
    resource (ListBackupPlans, GetBackupPlan, ListBackupSelections, GetBackupSelection)."""
    RECOVERY_POINTS = "RecoveryPoints"
    """The recovery points of a database in AWS Backup of the last weeks, the newest first, each with whether its vault
    is locked, and its continuous backup (ListBackupVaults, ListRecoveryPointsByBackupVault)."""
    BACKUP_OPT_IN = "BackupOptIn"
    """Whether AWS Backup is opted in to the resource's type in this Region (DescribeRegionSettings)."""
    GLOBAL_CLUSTER = "GlobalCluster"
    """The Describe item of the global cluster that a cluster belongs to; None where it belongs to none."""
    ENGINE_STATUS = "EngineStatus"
    """Whether AWS offers this engine version, `available` or `deprecated`; None where it does not list it at all
    (DescribeDBEngineVersions)."""
    UPGRADE_TARGETS = "UpgradeTargets"
    """The versions that this one can be upgraded to, each with whether that is another major one."""
    SUPPORT_DATES = "SupportDates"
    """Until when AWS supports each major version of the engine (DescribeDBMajorEngineVersions); empty for engines
    of which it publishes no dates."""
    DELETIONS = "Deletions"
    """The databases that were deleted in this Region within two weeks (LookupEvents), each with its snapshots and
    whether its automated backups are retained."""
    IDENTITY_POLICIES = "IdentityPolicies"
    """The policies that identities of the account have, each with its document and who has it
    (GetAccountAuthorizationDetails)."""


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
                # Lists that AWS leaves out where they are empty.
                "AssociatedRoles": [],
                "DomainMemberships": [],
                "InternetAccessGatewayEnabled": None,
                "VPCNetworkingEnabled": None,
                "MasterUserSecret": None,
                "EngineMode": None,
                "ServerlessV2ScalingConfiguration": None,
                "DBClusterInstanceClass": None,
                # "standard (the default)" for Aurora; Multi-AZ DB clusters have none.
                "ClusterScalabilityType": None,
                # A cluster of the express configuration stands in no VPC.
                "DBSubnetGroup": None,
                "VpcSecurityGroups": [],
                "PerformanceInsightsKMSKeyId": None,
                # "only for Aurora DB clusters and Multi-AZ DB clusters", and where it is set at the cluster.
                "PerformanceInsightsEnabled": None,
                # Aurora MySQL alone can have one, from its creation on ("Valid for Cluster Type: Aurora MySQL").
                "BacktrackWindow": None,
                # There is none while a first backup is to come ("can be restored with point-in-time restore").
                "EarliestRestorableTime": None,
                "LatestRestorableTime": None,
                "PerformanceInsightsRetentionPeriod": None,
                # "only for ... Aurora DB clusters and Multi-AZ DB clusters", and where it is set at the cluster.
                "MonitoringInterval": None,
                "MonitoringRoleArn": None,
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
                "MasterUserSecret": None,
                "ReadReplicaDBClusterIdentifiers": [],
                # "applies only to RDS for MySQL and RDS for PostgreSQL".
                "EngineLifecycleSupport": None,
                # "If present, specifies the name of the secondary Availability Zone".
                "SecondaryAvailabilityZone": None,
                # RDS for Oracle alone has tenants.
                "MultiTenant": None,
                # There is none without automated backups, and while the first one is to come.
                "LatestRestorableTime": None,
                "PerformanceInsightsKMSKeyId": None,
                # Only where Performance Insights, or Enhanced Monitoring, is on.
                "PerformanceInsightsRetentionPeriod": None,
                "MonitoringRoleArn": None,
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
        Kind(
            resource_type=ResourceType.DB_SUBNET_GROUP,
            name="DB subnet group",
            describe="DescribeDBSubnetGroups",
            identifier="DBSubnetGroupName",
            arn="DBSubnetGroupArn",
            immutable_id=None,
            status=None,
        ),
        Kind(
            resource_type=ResourceType.ROUTE_TABLE,
            name="route table",
            describe="DescribeRouteTables",
            identifier="RouteTableId",
            arn="RouteTableArn",
            immutable_id=None,
            status=None,
        ),
        Kind(
            resource_type=ResourceType.NETWORK_ACL,
            name="network ACL",
            describe="DescribeNetworkAcls",
            identifier="NetworkAclId",
            arn="NetworkAclArn",
            immutable_id=None,
            status=None,
        ),
        Kind(
            resource_type=ResourceType.PREFIX_LIST,
            name="prefix list",
            # What the rules of security groups name; of the list itself only its entries are read.
            describe="GetManagedPrefixListEntries",
            identifier="PrefixListId",
            arn="PrefixListArn",
            immutable_id=None,
            status=None,
        ),
        Kind(
            resource_type=ResourceType.SECURITY_GROUP,
            name="security group",
            describe="DescribeSecurityGroups",
            identifier="GroupId",
            arn="SecurityGroupArn",
            # The id that the ARN ends with is never given twice.
            immutable_id=None,
            status=None,
            security_hub="AwsEc2SecurityGroup",
        ),
        Kind(
            resource_type=ResourceType.LOG_GROUP,
            name="log group",
            describe="DescribeLogGroups",
            identifier="logGroupName",
            arn="logGroupArn",
            # Nobody can rename a log group.
            immutable_id=None,
            status=None,
            omitted={
                # "To set a log group so that its log events do not expire, use DeleteRetentionPolicy": then there
                # is none. A key and a policy of the account are there once they are associated.
                "retentionInDays": None,
                "kmsKeyId": None,
                "retentionPolicyName": None,
            },
        ),
        Kind(
            resource_type=ResourceType.ACCOUNT,
            name="account",
            describe="GetCallerIdentity",
            identifier="Account",
            arn="Arn",
            immutable_id=None,
            status=None,
        ),
        Kind(
            resource_type=ResourceType.KMS_KEY,
            name="KMS key",
            describe="DescribeKey",
            identifier="KeyId",
            arn="Arn",
            immutable_id=None,
            # KeyState is what is judged: a key that waits for its deletion must not count as busy.
            status=None,
            security_hub="AwsKmsKey",
            # "This field is present only when ...", each of them.
            omitted={"DeletionDate": None, "MultiRegionConfiguration": None, "CustomKeyStoreId": None},
        ),
        Kind(
            resource_type=ResourceType.SECRET,
            name="secret",
            describe="DescribeSecret",
            identifier="Name",
            arn="ARN",
            immutable_id=None,
            status=None,
            security_hub="AwsSecretsManagerSecret",
            # "this field is omitted", or "Secrets Manager returns null".
            omitted={
                "KmsKeyId": None,
                "RotationEnabled": None,
                "RotationLambdaARN": None,
                "RotationRules": None,
                "LastRotatedDate": None,
                "NextRotationDate": None,
                "DeletedDate": None,
                "OwningService": None,
                "PrimaryRegion": None,
                "Tags": [],
            },
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
    ResourceType.SECURITY_GROUP,
    ResourceType.ACCOUNT,
    ResourceType.LOG_GROUP,
    ResourceType.KMS_KEY,
    ResourceType.SECRET,
)
"""The kinds that are judged themselves; the others are shared things that lead to what uses them."""

SHARED_KINDS: Mapping[ResourceType, tuple[ResourceType, ...]] = {
    ResourceType.DB_CLUSTER_PARAMETER_GROUP: (ResourceType.DB_CLUSTER,),
    ResourceType.DB_PARAMETER_GROUP: (ResourceType.DB_INSTANCE,),
    ResourceType.DB_SUBNET_GROUP: (ResourceType.DB_CLUSTER, ResourceType.DB_INSTANCE),
    ResourceType.ROUTE_TABLE: (ResourceType.DB_CLUSTER, ResourceType.DB_INSTANCE),
    ResourceType.NETWORK_ACL: (ResourceType.DB_CLUSTER, ResourceType.DB_INSTANCE),
    ResourceType.PREFIX_LIST: (ResourceType.SECURITY_GROUP,),
}
"""What may use a shared thing, and is judged again when that changes."""

JUDGED_WITH_USERS = frozenset({ResourceType.SECRET})
"""Kinds that are judged themselves, and whose changes also show in the databases that use them: whether RDS can
rotate a master password is a fact of the database. Rules of a security group and states of a key are not."""


def resource_key(ref_type: ResourceType, *, account: str, region: str, immutable_id: str) -> str:
    """The key of a resource's state: what survives a rename."""
    return f"{account}/{region or 'global'}/{ref_type}/{immutable_id}"
