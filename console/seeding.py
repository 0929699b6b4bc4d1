"""Puts the resource that an event names onto the local AWS, drifted as far as AWS lets it be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.backends import get_backend

from console.local.rds.snapshots import take_of_cluster, take_of_instance
from console.seeding_shared import SharedSeeder
from warden.core.kinds import KINDS
from warden.core.resource import ResourceRef, ResourceType
from warden.core.trigger import Lookup, WholeKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from console.local.stack import LocalStack
    from warden.core.trigger import Trigger

PASSWORD = "correct-horse-battery"  # noqa: S105 - of databases that exist in this process alone
_PARTITION_REGION = "eu-west-1"


class Seeder:
    """Seeds the targets of triggers, each once; making them is no news to anybody."""

    def __init__(self, stack: LocalStack, event: Mapping[str, Any]) -> None:
        self._stack = stack
        detail = event.get("detail")
        self._detail: Mapping[str, Any] = detail if isinstance(detail, dict) else {}
        self._seeded: set[tuple[ResourceType, str]] = set()
        self._shared = SharedSeeder(stack, self._cluster, self._instance)

    def seed(self, triggers: list[Trigger]) -> list[str]:
        """Make what the triggers name; returns the names of what was made, as sentences tell them."""
        emit, self._stack.aws.emit = self._stack.aws.emit, None
        made: list[str] = []
        try:
            for trigger in triggers:
                made.extend(self._one(trigger))
        finally:
            self._stack.aws.emit = emit
        return made

    def _one(self, trigger: Trigger) -> list[str]:
        match trigger.target:
            case Lookup(resource_type=resource_type, resource_id=resource_id):
                name = f"seeded-{resource_id.rpartition('-')[2][:8].lower()}"
                self._make(resource_type, name)
                self._give_id(resource_type, name, resource_id)
            case WholeKind(resource_type=resource_type):
                name = "seeded"
                self._make(resource_type, name)
            case ref:
                if ref.account != self._stack.aws.account or ref.region not in {"", self._stack.region}:
                    return []
                resource_type, name = ref.resource_type, ref.id
                self._make(resource_type, name)
        return [f"{KINDS[resource_type].name} {name}"]

    def _make(self, resource_type: ResourceType, name: str) -> str:
        if (resource_type, name) in self._seeded:
            return ""
        self._seeded.add((resource_type, name))
        make = {
            ResourceType.DB_CLUSTER: self._cluster,
            ResourceType.DB_INSTANCE: self._instance,
            ResourceType.DB_CLUSTER_SNAPSHOT: self._cluster_snapshot,
            ResourceType.DB_SNAPSHOT: self._snapshot,
            ResourceType.GLOBAL_CLUSTER: self._global_cluster,
            ResourceType.DB_PROXY: self._proxy,
            ResourceType.DB_CLUSTER_PARAMETER_GROUP: self._cluster_group,
            ResourceType.DB_PARAMETER_GROUP: self._group,
            **self._shared.makers,
        }[resource_type]
        return make(name)

    def _give_id(self, resource_type: ResourceType, name: str, resource_id: str) -> None:
        """Let a resource have the immutable id that the event names; AWS chooses it, and so nobody can ask for one."""
        match resource_type:
            case ResourceType.DB_CLUSTER:
                self._backend.clusters[name].db_cluster_resource_id = resource_id
            case ResourceType.DB_INSTANCE:
                self._backend.databases[name].dbi_resource_id = resource_id
            case ResourceType.GLOBAL_CLUSTER:
                self._backend.global_clusters[name].global_cluster_resource_id = resource_id
            case _:
                pass

    @property
    def _backend(self) -> Any:
        return get_backend("rds")[self._stack.aws.account][self._stack.region]

    @property
    def _rds(self) -> Any:
        return self._stack.client("rds")

    def _engine(self) -> str:
        response = self._detail.get("responseElements")
        engine = response.get("engine") if isinstance(response, dict) else None
        return engine if isinstance(engine, str) and engine.startswith("aurora-") else "aurora-postgresql"

    def _cluster(self, name: str, **settings: Any) -> str:
        password = {} if "ManageMasterUserPassword" in settings else {"MasterUserPassword": PASSWORD}
        self._seeded.add((ResourceType.DB_CLUSTER, name))
        cluster = self._rds.create_db_cluster(
            DBClusterIdentifier=name,
            Engine=self._engine(),
            MasterUsername="steward",
            **password,
            **settings,
        )["DBCluster"]
        return str(cluster["DBClusterArn"])

    def _instance(self, name: str) -> str:
        response = self._detail.get("responseElements")
        cluster = response.get("dBClusterIdentifier") if isinstance(response, dict) else None
        common = {"DBInstanceIdentifier": name, "DBInstanceClass": "db.r6g.large", "PubliclyAccessible": True}
        if isinstance(cluster, str):
            self._make(ResourceType.DB_CLUSTER, cluster)
            made = self._rds.create_db_instance(DBClusterIdentifier=cluster, Engine=self._engine(), **common)
        else:
            made = self._rds.create_db_instance(
                Engine="postgres",
                AllocatedStorage=20,
                MasterUsername="steward",
                MasterUserPassword=PASSWORD,
                **common,
            )
        return str(made["DBInstance"]["DBInstanceArn"])

    def _cluster_snapshot(self, name: str) -> str:
        source = "seeded-source"
        if (ResourceType.DB_CLUSTER, source) not in self._seeded:
            self._seeded.add((ResourceType.DB_CLUSTER, source))
            source_arn = self._stack.aws.rds.create_legacy_unencrypted(source, engine=self._engine())
        else:
            source_arn = self._rds.describe_db_clusters(DBClusterIdentifier=source)["DBClusters"][0][
                "DBClusterArn"
            ]
        if name.startswith("rds:"):
            take_of_cluster(self._backend, self._backend.clusters[source], name, kind="automated")
            return source_arn
        made = self._rds.create_db_cluster_snapshot(
            DBClusterSnapshotIdentifier=name, DBClusterIdentifier=source
        )
        self._rds.modify_db_cluster_snapshot_attribute(
            DBClusterSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=["all"]
        )
        return str(made["DBClusterSnapshot"]["DBClusterSnapshotArn"])

    def _snapshot(self, name: str) -> str:
        source = "seeded-source"
        if (ResourceType.DB_INSTANCE, source) not in self._seeded:
            self._seeded.add((ResourceType.DB_INSTANCE, source))
            source_arn = self._stack.aws.rds.create_legacy_unencrypted_instance(source)
        else:
            source_arn = self._rds.describe_db_instances(DBInstanceIdentifier=source)["DBInstances"][0][
                "DBInstanceArn"
            ]
        if name.startswith("rds:"):
            take_of_instance(self._backend, self._backend.databases[source], name, kind="automated")
            return source_arn
        if ":" in name:
            # AWS Backup names its snapshots so, and only AWS Backup can.
            return ""
        made = self._rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier=source)
        self._rds.modify_db_snapshot_attribute(
            DBSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=["all"]
        )
        return str(made["DBSnapshot"]["DBSnapshotArn"])

    def _global_cluster(self, name: str) -> str:
        arn = self._cluster(f"{name}-writer")
        made = self._rds.create_global_cluster(GlobalClusterIdentifier=name, SourceDBClusterIdentifier=arn)
        return str(made["GlobalCluster"]["GlobalClusterArn"])

    def _proxy(self, name: str) -> str:
        subnets = self._stack.client("ec2").describe_subnets()["Subnets"]
        made = self._rds.create_db_proxy(
            DBProxyName="seeded",
            EngineFamily="POSTGRESQL",
            Auth=[
                {
                    "AuthScheme": "SECRETS",
                    "SecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x",
                }
            ],
            RoleArn="arn:aws:iam::123456789012:role/proxy",
            VpcSubnetIds=[subnet["SubnetId"] for subnet in subnets],
        )["DBProxy"]
        if name.startswith("prx-"):
            arn = ResourceRef.build(
                ResourceType.DB_PROXY,
                partition="aws",
                region=self._stack.region,
                account=self._stack.aws.account,
                name=name,
            ).arn
            self._stack.aws.rds.overlay(str(made["DBProxyArn"]), DBProxyArn=arn)
        return str(made["DBProxyArn"])

    def _cluster_group(self, name: str) -> str:
        family, parameter, off = {
            "aurora-postgresql": ("aurora-postgresql16", "rds.force_ssl", "0"),
            "aurora-mysql": ("aurora-mysql8.0", "require_secure_transport", "OFF"),
        }[self._engine()]
        made = self._rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=name, DBParameterGroupFamily=family, Description="seeded"
        )
        self._rds.modify_db_cluster_parameter_group(
            DBClusterParameterGroupName=name,
            Parameters=[{"ParameterName": parameter, "ParameterValue": off, "ApplyMethod": "immediate"}],
        )
        version = "16.6" if family == "aurora-postgresql16" else "8.0.mysql_aurora.3.08.0"
        self._cluster(f"{name}-user", DBClusterParameterGroupName=name, EngineVersion=version)
        return str(made["DBClusterParameterGroup"]["DBClusterParameterGroupArn"])

    def _group(self, name: str) -> str:
        made = self._rds.create_db_parameter_group(
            DBParameterGroupName=name, DBParameterGroupFamily="postgres16", Description="seeded"
        )
        self._rds.create_db_instance(
            DBInstanceIdentifier=f"{name}-user",
            Engine="postgres",
            EngineVersion="16.6",
            DBInstanceClass="db.r6g.large",
            AllocatedStorage=20,
            MasterUsername="steward",
            MasterUserPassword=PASSWORD,
            DBParameterGroupName=name,
            PubliclyAccessible=True,
        )
        return str(made["DBParameterGroup"]["DBParameterGroupArn"])
