"""The API of RDS as a table: where a record of each call names the resources that the call changed.

A row says for one API where CloudTrail puts the names. Members are those of AWS's service model with the
first letter in lower case; `in` is requestParameters, `out` is responseElements, in which a single wrapper
member (DBCluster, DBInstance, …) is left out, except those of proxies and blue/green deployments.

In the table is what creates, changes or deletes a resource of Warden's, or something that the resource's own
description shows. OTHERS holds the calls after which no description of one of Warden's resources differs.
A call that is in neither is newer than this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from warden.core.kinds import EVALUATED_KINDS
from warden.core.resource import ResourceType

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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record names one resource; the first path that holds something is it."""

    resource_type: ResourceType
    """What a bare name is of; an ARN says itself what it is of."""
    paths: tuple[str, ...]
    """Of ARNs and names, best first: the response's ARN has the stored case and the true Region."""
    resource_ids: tuple[str, ...] = ()
    """Of immutable ids, for calls that name nothing else."""
    optional: bool = False
    """Whether nothing there is normal. Otherwise CloudTrail left it out, and all of the type is looked at."""
    instead: tuple[ResourceType, ...] = ()
    """What is looked at then, when that is not the resource type alone."""


def _of(resource_type: ResourceType, *paths: str) -> Place:
    return Place(resource_type, paths)


def _maybe(resource_type: ResourceType, *paths: str) -> Place:
    return Place(resource_type, paths, optional=True)


def _any_of(types: tuple[ResourceType, ...], *paths: str) -> Place:
    return Place(types[0], paths, instead=types)


def _group(resource_type: ResourceType, *paths: str) -> Place:
    # A group is judged by the databases that use it, so those are looked at when it is not known which it was.
    return Place(resource_type, paths, instead=(_CLUSTER if resource_type is _CLUSTER_GROUP else _INSTANCE,))


_THE_CLUSTER = _of(_CLUSTER, "out.dBClusterArn", "in.dBClusterIdentifier")
_NAMED_CLUSTER = _of(_CLUSTER, "in.dBClusterIdentifier")
_ANSWERED_CLUSTER = _of(_CLUSTER, "out.dBClusterIdentifier", "in.dBClusterIdentifier")
_CLUSTER_OF_ENDPOINT = _of(_CLUSTER, "out.dBClusterIdentifier")
_JOINED_GLOBAL = _maybe(_GLOBAL, "in.globalClusterIdentifier", "out.globalClusterIdentifier")
_CLUSTER_OR_INSTANCE = (_CLUSTER, _INSTANCE)
_ARN_OF_EITHER = _any_of(_CLUSTER_OR_INSTANCE, "in.resourceArn")

_THE_INSTANCE = _of(_INSTANCE, "out.dBInstanceArn", "in.dBInstanceIdentifier")
_NAMED_INSTANCE = _of(_INSTANCE, "in.dBInstanceIdentifier")
# A cluster's description lists its members, and settings of a member can be the cluster's.
_CLUSTER_OF_MEMBER = _maybe(_CLUSTER, "out.dBClusterIdentifier")
_MEMBER = (_THE_INSTANCE, _CLUSTER_OF_MEMBER)
_REPLICATED_INSTANCE = _of(_INSTANCE, "out.dBInstanceArn", "in.sourceDBInstanceArn")

_THE_CLUSTER_SNAPSHOT = _of(_CLUSTER_SNAPSHOT, "out.dBClusterSnapshotArn", "in.dBClusterSnapshotIdentifier")
_THE_SNAPSHOT = _of(_SNAPSHOT, "out.dBSnapshotArn", "in.dBSnapshotIdentifier")
_FINAL_SNAPSHOT = _maybe(_SNAPSHOT, "in.finalDBSnapshotIdentifier")

_THE_GLOBAL = _of(_GLOBAL, "out.globalClusterArn", "in.globalClusterIdentifier")
# These calls name the member by its ARN, because it may be in another Region than the call.
_GLOBAL_AND_TARGET = (_THE_GLOBAL, _of(_CLUSTER, "in.targetDbClusterIdentifier"))

_THE_PROXY = _of(_PROXY, "out.dBProxy.dBProxyArn")
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
# Every resource that can be tagged, should CloudTrail have left out which one was.
_TAGGED = (_any_of(EVALUATED_KINDS, "in.resourceName"),)
_HTTP_ENDPOINT = (_of(_CLUSTER, "out.resourceArn", "in.resourceArn"),)

OPERATIONS: Final[Mapping[str, tuple[Place, ...]]] = {
    # Clusters
    "CreateDBCluster": (_THE_CLUSTER, _JOINED_GLOBAL, _maybe(_CLUSTER, "in.replicationSourceIdentifier")),
    "RestoreDBClusterFromS3": (_THE_CLUSTER,),
    "RestoreDBClusterFromSnapshot": (_THE_CLUSTER,),
    "RestoreDBClusterToPointInTime": (_THE_CLUSTER,),
    # The response keeps the old name when the request gives a new one.
    "ModifyDBCluster": (_THE_CLUSTER, _maybe(_CLUSTER, "in.newDBClusterIdentifier")),
    "DeleteDBCluster": (_THE_CLUSTER, _maybe(_CLUSTER_SNAPSHOT, "in.finalDBSnapshotIdentifier")),
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
        _maybe(_CLUSTER, "out.dBClusterIdentifier", "in.dBClusterIdentifier"),
    ),
    "CreateDBInstanceReadReplica": (
        _THE_INSTANCE,
        _maybe(_INSTANCE, "in.sourceDBInstanceIdentifier"),
        _maybe(_CLUSTER, "in.sourceDBClusterIdentifier"),
    ),
    "RestoreDBInstanceFromDBSnapshot": _MEMBER,
    "RestoreDBInstanceFromS3": _MEMBER,
    "RestoreDBInstanceToPointInTime": (
        _of(_INSTANCE, "out.dBInstanceArn", "in.targetDBInstanceIdentifier"),
        _CLUSTER_OF_MEMBER,
    ),
    "ModifyDBInstance": (*_MEMBER, _maybe(_INSTANCE, "in.newDBInstanceIdentifier")),
    "DeleteDBInstance": (*_MEMBER, _FINAL_SNAPSHOT),
    "StartDBInstance": _MEMBER,
    "StopDBInstance": (*_MEMBER, _maybe(_SNAPSHOT, "in.dBSnapshotIdentifier")),
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
        _of(_CLUSTER_SNAPSHOT, "out.dBClusterSnapshotArn", "in.targetDBClusterSnapshotIdentifier"),
    ),
    "DeleteDBClusterSnapshot": (_THE_CLUSTER_SNAPSHOT,),
    "ModifyDBClusterSnapshotAttribute": (
        _of(_CLUSTER_SNAPSHOT, "out.dBClusterSnapshotIdentifier", "in.dBClusterSnapshotIdentifier"),
    ),
    "CreateDBSnapshot": (_THE_SNAPSHOT,),
    "CopyDBSnapshot": (_of(_SNAPSHOT, "out.dBSnapshotArn", "in.targetDBSnapshotIdentifier"),),
    "ModifyDBSnapshot": (_THE_SNAPSHOT,),
    "DeleteDBSnapshot": (_THE_SNAPSHOT,),
    "ModifyDBSnapshotAttribute": (_of(_SNAPSHOT, "out.dBSnapshotIdentifier", "in.dBSnapshotIdentifier"),),
    # Global clusters
    "CreateGlobalCluster": (_THE_GLOBAL, _maybe(_CLUSTER, "in.sourceDBClusterIdentifier")),
    "ModifyGlobalCluster": (_THE_GLOBAL, _maybe(_GLOBAL, "in.newGlobalClusterIdentifier")),
    "DeleteGlobalCluster": (_THE_GLOBAL,),
    "RemoveFromGlobalCluster": (_THE_GLOBAL, _of(_CLUSTER, "in.dbClusterIdentifier")),
    "FailoverGlobalCluster": _GLOBAL_AND_TARGET,
    "SwitchoverGlobalCluster": _GLOBAL_AND_TARGET,
    # Proxies
    "CreateDBProxy": (_THE_PROXY,),
    "ModifyDBProxy": (_THE_PROXY,),
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
    # Blue/green deployments: the request of a create names the source, the others a deployment only
    "CreateBlueGreenDeployment": (
        _any_of(_CLUSTER_OR_INSTANCE, "out.blueGreenDeployment.source", "in.source"),
        *_DEPLOYMENT[1:],
    ),
    "SwitchoverBlueGreenDeployment": _DEPLOYMENT,
    "DeleteBlueGreenDeployment": _DEPLOYMENT,
    # Anything
    "AddTagsToResource": _TAGGED,
    "RemoveTagsFromResource": _TAGGED,
    "ApplyPendingMaintenanceAction": (
        _any_of(_CLUSTER_OR_INSTANCE, "out.resourceIdentifier", "in.resourceIdentifier"),
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
    "a DB subnet group": "CreateDBSubnetGroup ModifyDBSubnetGroup DeleteDBSubnetGroup",
    "a recommendation": "ModifyDBRecommendation",
    "a reserved instance": "PurchaseReservedDBInstancesOffering",
    "a tenant database": "CreateTenantDatabase ModifyTenantDatabase",
    "a zero-ETL integration": "CreateIntegration ModifyIntegration DeleteIntegration",
    "an event subscription": (
        "CreateEventSubscription ModifyEventSubscription DeleteEventSubscription "
        "AddSourceIdentifierToSubscription RemoveSourceIdentifierFromSubscription"
    ),
    "an export to S3": "StartExportTask CancelExportTask",
    "an option group": "CreateOptionGroup CopyOptionGroup ModifyOptionGroup DeleteOptionGroup",
}

OTHERS: Final[Mapping[str, str]] = {api: subject for subject, apis in _OTHERS.items() for api in apis.split()}
"""The calls that change none of Warden's resources, with what they are about."""

READ_ONLY_PREFIXES: Final = ("Describe", "Download", "Get", "List")
"""How the names of calls that change nothing begin; records before version 1.06 do not say `readOnly`."""
