"""The API of RDS as a table: where a record of each call names the resources that the call changed.

A row says for one API where CloudTrail puts the names. Members are those of AWS's service model with the
first letter in lower case; a single wrapper member of the response (DBCluster, DBInstance, …) is left out, except
those of proxies and blue/green deployments.

In the table is what creates, changes or deletes a resource of Warden's, something that the resource's own
description shows, or something that its controls read. OTHERS holds the calls after which no description of one of
Warden's resources differs.
A call that is in neither is newer than this table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from warden.core.kinds import EVALUATED_KINDS, SHARED_KINDS
from warden.core.resource import ARN_TYPE_OF, ResourceType
from warden.core.trigger.places import Place, any_of, maybe, of, shared

if TYPE_CHECKING:
    from collections.abc import Mapping

_CLUSTER: Final = ResourceType.DB_CLUSTER
_INSTANCE: Final = ResourceType.DB_INSTANCE
_CLUSTER_SNAPSHOT: Final = ResourceType.DB_CLUSTER_SNAPSHOT
_SNAPSHOT: Final = ResourceType.DB_SNAPSHOT
_GLOBAL: Final = ResourceType.GLOBAL_CLUSTER
_PROXY: Final = ResourceType.DB_PROXY
_CLUSTER_GROUP: Final = ResourceType.DB_CLUSTER_PARAMETER_GROUP
_GROUP: Final = ResourceType.DB_PARAMETER_GROUP
_ACCOUNT: Final = ResourceType.ACCOUNT
_SUBNET_GROUP: Final = ResourceType.DB_SUBNET_GROUP


def _group(resource_type: ResourceType, *paths: str) -> Place:
    return shared(resource_type, SHARED_KINDS[resource_type], *paths)


_THE_CLUSTER = of(_CLUSTER, "out.dBClusterArn", "in.dBClusterIdentifier")
_NAMED_CLUSTER = of(_CLUSTER, "in.dBClusterIdentifier")
_ANSWERED_CLUSTER = of(_CLUSTER, "out.dBClusterIdentifier", "in.dBClusterIdentifier")
_CLUSTER_OF_ENDPOINT = of(_CLUSTER, "out.dBClusterIdentifier")
_JOINED_GLOBAL = maybe(_GLOBAL, "in.globalClusterIdentifier", "out.globalClusterIdentifier")
_CLUSTER_OR_INSTANCE = (_CLUSTER, _INSTANCE)
_ARN_OF_EITHER = any_of(_CLUSTER_OR_INSTANCE, "in.resourceArn")

_THE_INSTANCE = of(_INSTANCE, "out.dBInstanceArn", "in.dBInstanceIdentifier")
_NAMED_INSTANCE = of(_INSTANCE, "in.dBInstanceIdentifier")
# A cluster's description lists its members, and settings of a member can be the cluster's.
_CLUSTER_OF_MEMBER = maybe(_CLUSTER, "out.dBClusterIdentifier")
_MEMBER = (_THE_INSTANCE, _CLUSTER_OF_MEMBER)
_REPLICATED_INSTANCE = of(_INSTANCE, "out.dBInstanceArn", "in.sourceDBInstanceArn")

# What a call gives a database is judged as well: an open group or a key without rotation was nobody's concern before.
_GIVEN_GROUPS = maybe(ResourceType.SECURITY_GROUP, "in.vpcSecurityGroupIds[]")
_GIVEN_KEY = maybe(ResourceType.KMS_KEY, "out.kmsKeyId")
_GIVEN = (_GIVEN_GROUPS, _GIVEN_KEY)

_THE_CLUSTER_SNAPSHOT = of(_CLUSTER_SNAPSHOT, "out.dBClusterSnapshotArn", "in.dBClusterSnapshotIdentifier")
_THE_SNAPSHOT = of(_SNAPSHOT, "out.dBSnapshotArn", "in.dBSnapshotIdentifier")
_FINAL_SNAPSHOT = maybe(_SNAPSHOT, "in.finalDBSnapshotIdentifier")

_THE_GLOBAL = of(_GLOBAL, "out.globalClusterArn", "in.globalClusterIdentifier")
# These calls name the member by its ARN, because it may be in another Region than the call.
_GLOBAL_AND_TARGET = (_THE_GLOBAL, of(_CLUSTER, "in.targetDbClusterIdentifier"))

_THE_PROXY = of(_PROXY, "out.dBProxy.dBProxyArn")
# These name the proxy by its name, and a proxy's ARN holds an id instead: all proxies are looked at.
_SOME_PROXY = (Place(_PROXY, ()),)

_CLUSTER_GROUP_PATHS = ("out.dBClusterParameterGroupName", "in.dBClusterParameterGroupName")
_GROUP_PATHS = ("out.dBParameterGroupName", "in.dBParameterGroupName")
_DEPLOYMENT = tuple(
    Place(_CLUSTER, (f"out.blueGreenDeployment.{path}",), optional=optional, instead=_CLUSTER_OR_INSTANCE)
    for path, optional in (
        ("source", False),
        ("target", True),
        ("switchoverDetails[].sourceMember", True),
        ("switchoverDetails[].targetMember", True),
    )
)
# The account's subscriptions are judged together, as one fact of the account.
_SUBSCRIPTIONS = (Place(_ACCOUNT, ()),)
# Every resource of RDS that can be tagged, should CloudTrail have left out which one was.
_TAGGED = (any_of(tuple(kind for kind in EVALUATED_KINDS if kind in ARN_TYPE_OF), "in.resourceName"),)
_HTTP_ENDPOINT = (of(_CLUSTER, "out.resourceArn", "in.resourceArn"),)

OPERATIONS: Final[Mapping[str, tuple[Place, ...]]] = {
    # Clusters
    "CreateDBCluster": (
        _THE_CLUSTER,
        _JOINED_GLOBAL,
        maybe(_CLUSTER, "in.replicationSourceIdentifier"),
        *_GIVEN,
    ),
    "RestoreDBClusterFromS3": (_THE_CLUSTER, *_GIVEN),
    "RestoreDBClusterFromSnapshot": (_THE_CLUSTER, *_GIVEN),
    "RestoreDBClusterToPointInTime": (_THE_CLUSTER, *_GIVEN),
    # The response keeps the old name when the request gives a new one.
    "ModifyDBCluster": (_THE_CLUSTER, maybe(_CLUSTER, "in.newDBClusterIdentifier"), _GIVEN_GROUPS),
    "DeleteDBCluster": (_THE_CLUSTER, maybe(_CLUSTER_SNAPSHOT, "in.finalDBSnapshotIdentifier")),
    "StartDBCluster": (_THE_CLUSTER,),
    "StopDBCluster": (_THE_CLUSTER,),
    "RebootDBCluster": (_THE_CLUSTER,),
    "FailoverDBCluster": (_THE_CLUSTER,),
    "PromoteReadReplicaDBCluster": (_THE_CLUSTER,),
    "AddRoleToDBCluster": (_NAMED_CLUSTER,),
    "RemoveRoleFromDBCluster": (_NAMED_CLUSTER,),
    "BacktrackDBCluster": (_ANSWERED_CLUSTER,),
    "ModifyCurrentDBClusterCapacity": (_ANSWERED_CLUSTER,),
    "CreateDBClusterEndpoint": (_ANSWERED_CLUSTER,),
    "ModifyDBClusterEndpoint": (_CLUSTER_OF_ENDPOINT,),
    "DeleteDBClusterEndpoint": (_CLUSTER_OF_ENDPOINT,),
    "DeleteDBClusterAutomatedBackup": (Place(_CLUSTER, ("out.dBClusterArn",), ("in.dbClusterResourceId",)),),
    "EnableHttpEndpoint": _HTTP_ENDPOINT,
    "DisableHttpEndpoint": _HTTP_ENDPOINT,
    "StartActivityStream": (_ARN_OF_EITHER,),
    "StopActivityStream": (_ARN_OF_EITHER,),
    "ModifyActivityStream": (_ARN_OF_EITHER,),
    # Instances
    "CreateDBInstance": (
        _THE_INSTANCE,
        maybe(_CLUSTER, "out.dBClusterIdentifier", "in.dBClusterIdentifier"),
        *_GIVEN,
    ),
    "CreateDBInstanceReadReplica": (
        _THE_INSTANCE,
        maybe(_INSTANCE, "in.sourceDBInstanceIdentifier"),
        maybe(_CLUSTER, "in.sourceDBClusterIdentifier"),
        *_GIVEN,
    ),
    "RestoreDBInstanceFromDBSnapshot": (*_MEMBER, *_GIVEN),
    "RestoreDBInstanceFromS3": (*_MEMBER, *_GIVEN),
    "RestoreDBInstanceToPointInTime": (
        of(_INSTANCE, "out.dBInstanceArn", "in.targetDBInstanceIdentifier"),
        _CLUSTER_OF_MEMBER,
        *_GIVEN,
    ),
    "ModifyDBInstance": (*_MEMBER, maybe(_INSTANCE, "in.newDBInstanceIdentifier"), _GIVEN_GROUPS),
    "DeleteDBInstance": (*_MEMBER, _FINAL_SNAPSHOT),
    "StartDBInstance": _MEMBER,
    "StopDBInstance": (*_MEMBER, maybe(_SNAPSHOT, "in.dBSnapshotIdentifier")),
    "RebootDBInstance": _MEMBER,
    "PromoteReadReplica": _MEMBER,
    "SwitchoverReadReplica": _MEMBER,
    "AddRoleToDBInstance": (_NAMED_INSTANCE,),
    "RemoveRoleFromDBInstance": (_NAMED_INSTANCE,),
    "DeleteDBInstanceAutomatedBackup": (Place(_INSTANCE, ("out.dBInstanceArn",), ("in.dbiResourceId",)),),
    # The call is made in the Region that the backups go to; the source's ARN names its own Region.
    "StartDBInstanceAutomatedBackupsReplication": (_REPLICATED_INSTANCE,),
    "StopDBInstanceAutomatedBackupsReplication": (_REPLICATED_INSTANCE,),
    "DeleteTenantDatabase": (_FINAL_SNAPSHOT,),
    # Snapshots; of a copy the target, in whose Region the call is made
    "CreateDBClusterSnapshot": (_THE_CLUSTER_SNAPSHOT,),
    "CopyDBClusterSnapshot": (
        of(_CLUSTER_SNAPSHOT, "out.dBClusterSnapshotArn", "in.targetDBClusterSnapshotIdentifier"),
    ),
    "DeleteDBClusterSnapshot": (_THE_CLUSTER_SNAPSHOT,),
    "ModifyDBClusterSnapshotAttribute": (
        of(_CLUSTER_SNAPSHOT, "out.dBClusterSnapshotIdentifier", "in.dBClusterSnapshotIdentifier"),
    ),
    "CreateDBSnapshot": (_THE_SNAPSHOT,),
    "CopyDBSnapshot": (of(_SNAPSHOT, "out.dBSnapshotArn", "in.targetDBSnapshotIdentifier"),),
    "ModifyDBSnapshot": (_THE_SNAPSHOT,),
    "DeleteDBSnapshot": (_THE_SNAPSHOT,),
    "ModifyDBSnapshotAttribute": (of(_SNAPSHOT, "out.dBSnapshotIdentifier", "in.dBSnapshotIdentifier"),),
    # Global clusters
    "CreateGlobalCluster": (_THE_GLOBAL, maybe(_CLUSTER, "in.sourceDBClusterIdentifier")),
    "ModifyGlobalCluster": (_THE_GLOBAL, maybe(_GLOBAL, "in.newGlobalClusterIdentifier")),
    "DeleteGlobalCluster": (_THE_GLOBAL,),
    "RemoveFromGlobalCluster": (_THE_GLOBAL, of(_CLUSTER, "in.dbClusterIdentifier")),
    "FailoverGlobalCluster": _GLOBAL_AND_TARGET,
    "SwitchoverGlobalCluster": _GLOBAL_AND_TARGET,
    # Proxies
    "CreateDBProxy": (_THE_PROXY, _GIVEN_GROUPS),
    "ModifyDBProxy": (_THE_PROXY, maybe(ResourceType.SECURITY_GROUP, "in.securityGroups[]")),
    "DeleteDBProxy": (_THE_PROXY,),
    "CreateDBProxyEndpoint": _SOME_PROXY,
    "ModifyDBProxyEndpoint": _SOME_PROXY,
    "DeleteDBProxyEndpoint": _SOME_PROXY,
    "ModifyDBProxyTargetGroup": _SOME_PROXY,
    "RegisterDBProxyTargets": _SOME_PROXY,
    "DeregisterDBProxyTargets": _SOME_PROXY,
    # Parameter groups
    "CreateDBClusterParameterGroup": (
        _group(_CLUSTER_GROUP, "out.dBClusterParameterGroupArn", "in.dBClusterParameterGroupName"),
    ),
    "CopyDBClusterParameterGroup": (
        _group(
            _CLUSTER_GROUP, "out.dBClusterParameterGroupArn", "in.targetDBClusterParameterGroupIdentifier"
        ),
    ),
    "ModifyDBClusterParameterGroup": (_group(_CLUSTER_GROUP, *_CLUSTER_GROUP_PATHS),),
    "ResetDBClusterParameterGroup": (_group(_CLUSTER_GROUP, *_CLUSTER_GROUP_PATHS),),
    "DeleteDBClusterParameterGroup": (_group(_CLUSTER_GROUP, "in.dBClusterParameterGroupName"),),
    "CreateDBParameterGroup": (_group(_GROUP, "out.dBParameterGroupArn", "in.dBParameterGroupName"),),
    "CopyDBParameterGroup": (
        _group(_GROUP, "out.dBParameterGroupArn", "in.targetDBParameterGroupIdentifier"),
    ),
    "ModifyDBParameterGroup": (_group(_GROUP, *_GROUP_PATHS),),
    "ResetDBParameterGroup": (_group(_GROUP, *_GROUP_PATHS),),
    "DeleteDBParameterGroup": (_group(_GROUP, "in.dBParameterGroupName"),),
    # DB subnet groups
    "CreateDBSubnetGroup": (_group(_SUBNET_GROUP, "out.dBSubnetGroupArn", "in.dBSubnetGroupName"),),
    "ModifyDBSubnetGroup": (_group(_SUBNET_GROUP, "out.dBSubnetGroupArn", "in.dBSubnetGroupName"),),
    "DeleteDBSubnetGroup": (_group(_SUBNET_GROUP, "in.dBSubnetGroupName"),),
    # The account's subscriptions to RDS's events
    "CreateEventSubscription": _SUBSCRIPTIONS,
    "ModifyEventSubscription": _SUBSCRIPTIONS,
    "DeleteEventSubscription": _SUBSCRIPTIONS,
    "AddSourceIdentifierToSubscription": _SUBSCRIPTIONS,
    "RemoveSourceIdentifierFromSubscription": _SUBSCRIPTIONS,
    # Blue/green deployments: the request of a create names the source, the others a deployment only
    "CreateBlueGreenDeployment": (
        any_of(_CLUSTER_OR_INSTANCE, "out.blueGreenDeployment.source", "in.source"),
        *_DEPLOYMENT[1:],
    ),
    "SwitchoverBlueGreenDeployment": _DEPLOYMENT,
    "DeleteBlueGreenDeployment": _DEPLOYMENT,
    # Anything
    "AddTagsToResource": _TAGGED,
    "RemoveTagsFromResource": _TAGGED,
    "ApplyPendingMaintenanceAction": (
        any_of(_CLUSTER_OR_INSTANCE, "out.resourceIdentifier", "in.resourceIdentifier"),
    ),
}

_OTHERS: Final[Mapping[str, str]] = {
    "a capacity reservation": (
        "CreateDBCapacityReservation ModifyDBCapacityReservation CancelDBCapacityReservation"
    ),
    "a certificate of the account": "ModifyCertificates",
    "a custom engine version": (
        "CreateCustomDBEngineVersion ModifyCustomDBEngineVersion DeleteCustomDBEngineVersion"
    ),
    "a DB security group": (
        "CreateDBSecurityGroup DeleteDBSecurityGroup "
        "AuthorizeDBSecurityGroupIngress RevokeDBSecurityGroupIngress"
    ),
    "a DB shard group": "CreateDBShardGroup ModifyDBShardGroup DeleteDBShardGroup RebootDBShardGroup",
    "a recommendation": "ModifyDBRecommendation",
    "a reserved instance": "PurchaseReservedDBInstancesOffering",
    "a tenant database": "CreateTenantDatabase ModifyTenantDatabase",
    "a zero-ETL integration": "CreateIntegration ModifyIntegration DeleteIntegration",
    "an export to S3": "StartExportTask CancelExportTask",
    "an option group": "CreateOptionGroup CopyOptionGroup ModifyOptionGroup DeleteOptionGroup",
}

OTHERS: Final[Mapping[str, str]] = {api: subject for subject, apis in _OTHERS.items() for api in apis.split()}
"""The calls that change none of Warden's resources, with what they are about."""

READ_ONLY_PREFIXES: Final = ("Describe", "Download", "Get", "List")
"""How the names of calls that change nothing begin; records before version 1.06 do not say `readOnly`."""
