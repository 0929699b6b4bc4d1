"""How each control's resource drifts: made as it should be, then changed by API calls that anybody might make."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from stack import fleet, joined_cases
from stack.case import Case
from stack.deployed import BACKUP_ACCOUNT, KEY, STRANGER

if TYPE_CHECKING:
    from collections.abc import Callable

    from stack.case import Drift, Seed
    from stack.deployed import Deployed

_LOGIN = {"MasterUsername": "steward", "MasterUserPassword": "correct-horse-battery"}
_CLUSTER = {"Engine": "aurora-postgresql", "EngineVersion": "16.6", **_LOGIN}
_INSTANCE = {
    "Engine": "postgres",
    "EngineVersion": "16.6",
    "DBInstanceClass": "db.m6g.large",
    "AllocatedStorage": 20,
    **_LOGIN,
}


def _rds(operation: str, identifier: str, **parameters: Any) -> Drift:
    """A call to RDS that names the resource by one of its parameters."""
    return lambda stack, name: getattr(stack.client("rds"), operation)(**{identifier: name}, **parameters)


def _modify_cluster(**changes: Any) -> Drift:
    return _rds("modify_db_cluster", "DBClusterIdentifier", ApplyImmediately=True, **changes)


def _modify_instance(**changes: Any) -> Drift:
    return _rds("modify_db_instance", "DBInstanceIdentifier", ApplyImmediately=True, **changes)


def _create_cluster(**settings: Any) -> Drift:
    return _rds("create_db_cluster", "DBClusterIdentifier", **{**_CLUSTER, **settings})


def _create_instance(**settings: Any) -> Drift:
    return _rds("create_db_instance", "DBInstanceIdentifier", **{**_INSTANCE, **settings})


def _set_in_cluster_group(**values: str) -> Drift:
    parameters = fleet.as_parameters({name.replace("__", "."): value for name, value in values.items()})
    return _rds("modify_db_cluster_parameter_group", "DBClusterParameterGroupName", Parameters=parameters)


def _set_in_instance_group(**values: str) -> Drift:
    parameters = fleet.as_parameters({name.replace("__", "."): value for name, value in values.items()})
    return _rds("modify_db_parameter_group", "DBParameterGroupName", Parameters=parameters)


def _share_cluster_snapshot(*accounts: str) -> Drift:
    return _rds(
        "modify_db_cluster_snapshot_attribute",
        "DBClusterSnapshotIdentifier",
        AttributeName="restore",
        ValuesToAdd=list(accounts),
    )


def _share_snapshot(*accounts: str) -> Drift:
    return _rds(
        "modify_db_snapshot_attribute",
        "DBSnapshotIdentifier",
        AttributeName="restore",
        ValuesToAdd=list(accounts),
    )


def _tag(kind: str, service: str = "rds") -> Drift:
    """A call that changes nothing of interest, and that AWS tells of."""
    return lambda stack, name: stack.client(service).add_tags_to_resource(
        ResourceName=_arn(kind, name), Tags=[{"Key": "looked", "Value": "at"}]
    )


def _arn(kind: str, name: str) -> str:
    return f"arn:aws:rds:eu-west-1:123456789012:{kind}:{name}"


# --- seeds --------------------------------------------------------------------------------------------------------


def _in_a_place(seed: Seed) -> Seed:
    """Also make the place in which procedures restore what they need for a while."""

    def make(stack: Deployed, name: str) -> str:
        fleet.place(stack)
        return seed(stack, name)

    return make


def _later(kind: str, prepare: Seed | None = None) -> Seed:
    """The ARN of what the drift will make, after whatever it needs was made."""

    def seed(stack: Deployed, name: str) -> str:
        if prepare is not None:
            prepare(stack, f"of-{name}")
        return _arn(kind, name)

    return seed


def _with_a_member(stack: Deployed, name: str) -> str:
    arn = fleet.cluster(stack, name)
    fleet.member(stack, f"{name}-1", name)
    return arn


def _with_a_reader(stack: Deployed, name: str) -> str:
    arn = _with_a_member(stack, name)
    fleet.member(stack, f"{name}-2", name, AvailabilityZone="eu-west-1b")
    stack.aws.rds.overlay(arn, ClusterCreateTime="2025-01-05T08:00:00Z")
    return arn


def _member_of_a_cluster(stack: Deployed, name: str) -> str:
    fleet.cluster(stack, f"of-{name}")
    return fleet.member(stack, name, f"of-{name}")


def _mysql(stack: Deployed, name: str) -> str:
    return fleet.cluster(stack, name, engine="aurora-mysql")


def _cluster_snapshot(stack: Deployed, name: str) -> str:
    # An encrypted snapshot cannot be made public.
    fleet.legacy_cluster(stack, f"of-{name}")
    return fleet.cluster_snapshot(stack, name, f"of-{name}")


def _shared_cluster_snapshot(stack: Deployed, name: str) -> str:
    fleet.cluster(stack, f"of-{name}")
    arn = fleet.cluster_snapshot(stack, name, f"of-{name}")
    with stack.quietly():
        _share_cluster_snapshot(BACKUP_ACCOUNT)(stack, name)
    return arn


def _snapshot(stack: Deployed, name: str) -> str:
    fleet.legacy_instance(stack, f"of-{name}")
    return fleet.snapshot(stack, name, f"of-{name}")


def _shared_snapshot(stack: Deployed, name: str) -> str:
    fleet.instance(stack, f"of-{name}")
    arn = fleet.snapshot(stack, name, f"of-{name}")
    with stack.quietly():
        _share_snapshot(BACKUP_ACCOUNT)(stack, name)
    return arn


def _global_cluster(stack: Deployed, name: str) -> str:
    return fleet.global_cluster(stack, name, fleet.cluster(stack, f"of-{name}"))


def _later_around(make: Callable[..., str]) -> Seed:
    """The ARN of the global cluster that the drift will make around a cluster."""

    def seed(stack: Deployed, name: str) -> str:
        make(stack, f"of-{name}")
        return f"arn:aws:rds::123456789012:global-cluster:{name}"

    return seed


def _around(**settings: Any) -> Drift:
    return lambda stack, name: stack.client("rds").create_global_cluster(
        GlobalClusterIdentifier=name, SourceDBClusterIdentifier=_arn("cluster", f"of-{name}"), **settings
    )


def _restorable(stack: Deployed, name: str) -> str:
    fleet.legacy_cluster(stack, name)
    return fleet.cluster_snapshot(stack, f"from-{name}", name)


_SUCCESSOR = ("CreateDBClusterSnapshot", "RestoreDBClusterFromSnapshot")
"""Of a cluster without instances."""
_INSIGHTS = {"EnablePerformanceInsights": True, "PerformanceInsightsKMSKeyId": KEY}
_ADVANCED = {**_INSIGHTS, "DatabaseInsightsMode": "advanced", "PerformanceInsightsRetentionPeriod": 465}
_STANDARD = {"DatabaseInsightsMode": "standard", "PerformanceInsightsRetentionPeriod": 7}


def _observed_cluster(**settings: Any) -> Seed:
    def seed(stack: Deployed, name: str) -> str:
        arn = fleet.cluster(stack, name, **settings)
        fleet.member(stack, f"{name}-1", name)
        return arn

    return seed


_MONITORING = {
    "MonitoringInterval": 60,
    "MonitoringRoleArn": "arn:aws:iam::123456789012:role/rds-monitoring-role",
}
_WITH_ROLE = 'monitoring_role = "rds-monitoring-role"'


def _monitored_cluster(stack: Deployed, name: str) -> str:
    with stack.quietly() as rds:
        made = rds.create_db_cluster(
            DBClusterIdentifier=name,
            Engine="mysql",
            EngineVersion="8.4.3",
            DBClusterInstanceClass="db.m6gd.large",
            StorageType="io1",
            Iops=1000,
            AllocatedStorage=100,
            **_LOGIN,
            **_MONITORING,
        )
    return str(made["DBCluster"]["DBClusterArn"])


def _watched(dimension: str, make: Seed) -> Seed:
    """A database whose CPU and memory somebody has alarms on."""

    def seed(stack: Deployed, name: str) -> str:
        arn = make(stack, name)
        for metric, operator in (("CPUUtilization", "GreaterThan"), ("FreeableMemory", "LessThan")):
            stack.client("cloudwatch").put_metric_alarm(
                AlarmName=f"{name} {metric}",
                AlarmActions=["arn:aws:sns:eu-west-1:123456789012:on-call"],
                Namespace="AWS/RDS",
                MetricName=metric,
                Dimensions=[{"Name": dimension, "Value": name}],
                Statistic="Average",
                Period=300,
                EvaluationPeriods=3,
                Threshold=80,
                ComparisonOperator=f"{operator}Threshold",
            )
        return arn

    return seed


def _silence(stack: Deployed, name: str) -> None:
    stack.client("cloudwatch").disable_alarm_actions(AlarmNames=[f"{name} CPUUtilization"])


_ALARMS = 'topic = "on-call"\nrequired = ["CPUUtilization", "FreeableMemory"]'


_ROOT = "arn:aws:iam::123456789012:root"


def _subscribed(stack: Deployed, name: str) -> str:
    """An account that is told of every event of RDS, by a subscription for each type of source."""
    fleet.cluster(stack, f"of-{name}")
    sources = {name: "db-cluster", "instances": "db-instance", "groups": "db-parameter-group"}
    with stack.quietly() as rds:
        for subscription, source in sources.items():
            rds.create_event_subscription(
                SubscriptionName=subscription,
                SnsTopicArn="arn:aws:sns:eu-west-1:123456789012:on-call",
                SourceType=source,
                Enabled=True,
            )
    return _ROOT


def _guarded(stack: Deployed, name: str) -> str:
    fleet.cluster(stack, f"of-{name}")
    stack.client("guardduty").create_detector(
        Enable=True, Features=[{"Name": "RDS_LOGIN_EVENTS", "Status": "ENABLED"}]
    )
    return _ROOT


def _look_away(stack: Deployed, name: str) -> None:
    del name
    guardduty = stack.client("guardduty")
    (detector,) = guardduty.list_detectors()["DetectorIds"]
    guardduty.update_detector(
        DetectorId=detector, Features=[{"Name": "RDS_LOGIN_EVENTS", "Status": "DISABLED"}]
    )


def _observed_instance(**settings: Any) -> Seed:
    return lambda stack, name: fleet.instance(stack, name, **settings)


def _managed_cluster(stack: Deployed, name: str) -> str:
    arn = fleet.cluster(stack, name)
    _manage_cluster(stack, name, MasterUserSecretKmsKeyId=KEY)
    return arn


def _manage_cluster(stack: Deployed, name: str, **settings: Any) -> None:
    with stack.quietly():
        _modify_cluster(ManageMasterUserPassword=True, **settings)(stack, name)


def _managed_instance(stack: Deployed, name: str) -> str:
    arn = fleet.instance(stack, name)
    with stack.quietly():
        _modify_instance(ManageMasterUserPassword=True, MasterUserSecretKmsKeyId=KEY)(stack, name)
    return arn


def _certified(stack: Deployed, name: str) -> str:
    arn = fleet.instance(stack, name)
    stack.aws.rds.overlay(
        arn, CertificateDetails={"CAIdentifier": "rds-ca-rsa2048-g1", "ValidTill": "2061-05-01T00:00:00Z"}
    )
    return arn


def _impaired(kind: str, describe: str, member: str) -> Drift:
    """RDS itself cannot rotate the secret any more; then somebody does something else."""

    def drift(stack: Deployed, name: str) -> None:
        arn = _arn(kind, name)
        (item,) = (
            one
            for one in getattr(stack.client("rds"), describe)()[member]
            if arn in {one.get("DBClusterArn"), one.get("DBInstanceArn")}
        )
        stack.aws.rds.overlay(arn, MasterUserSecret={**item["MasterUserSecret"], "SecretStatus": "impaired"})
        _tag(kind)(stack, name)

    return drift


def _for_hours(make: Seed) -> Seed:
    """A database that has been there for a while."""

    def seed(stack: Deployed, name: str) -> str:
        arn = make(stack, name)
        stack.aws.rds.overlay(
            arn,
            **dict.fromkeys(
                ("ClusterCreateTime", "EarliestRestorableTime", "InstanceCreateTime"), "2025-11-01T00:00:00Z"
            ),
        )
        stack.clock.advance(2 * 3600)
        return arn

    return seed


def _no_logs_for_two_hours(kind: str) -> Drift:
    """RDS itself stops to keep the transaction logs; then somebody does something else."""

    def drift(stack: Deployed, name: str) -> None:
        stopped = stack.now() - timedelta(hours=2)
        stack.aws.rds.overlay(_arn(kind, name), LatestRestorableTime=stopped.isoformat())
        _tag(kind)(stack, name)

    return drift


_BY_TAG = {"Key": "backup", "Value": "nightly"}


def _in_a_plan(make: Callable[..., str]) -> Seed:
    """A database with the tag by which a plan of AWS Backup selects it."""

    def seed(stack: Deployed, name: str) -> str:
        fleet.backup_plan(stack, _BY_TAG)
        return make(stack, name, Tags=[_BY_TAG])

    return seed


def _untag(kind: str, key: str = _BY_TAG["Key"]) -> Drift:
    return lambda stack, name: stack.client("rds").remove_tags_from_resource(
        ResourceName=_arn(kind, name), TagKeys=[key]
    )


def _owned(kind: str, make: Callable[[Deployed, str], str]) -> Seed:
    """Something with the tag that the policy of these tests wants."""

    def seed(stack: Deployed, name: str) -> str:
        arn = make(stack, name)
        stack.client("rds").add_tags_to_resource(
            ResourceName=_arn(kind, name), Tags=[{"Key": "owner", "Value": "orders-team"}]
        )
        return arn

    return seed


def _backed_up(make: Seed) -> Seed:
    """A database that was there for a while, and that its plan has backed up today."""

    def seed(stack: Deployed, name: str) -> str:
        arn = _for_hours(_in_a_plan(make))(stack, name)
        backup = stack.client("backup")
        if not backup.list_backup_vaults()["BackupVaultList"]:
            backup.create_backup_vault(BackupVaultName="databases")
        backup.start_backup_job(BackupVaultName="databases", ResourceArn=arn, IamRoleArn=fleet.BACKUP_ROLE)
        return arn

    return seed


def _delete_recovery_points(stack: Deployed, name: str) -> None:
    """Somebody deletes what the plan has made."""
    del name
    backup = stack.client("backup")
    for point in backup.list_recovery_points_by_backup_vault(BackupVaultName="databases")["RecoveryPoints"]:
        backup.delete_recovery_point(BackupVaultName="databases", RecoveryPointArn=point["RecoveryPointArn"])


def _account_with_clusters(stack: Deployed, name: str) -> str:
    """An account with a cluster that anybody may delete, and one that stays."""
    fleet.cluster(stack, name, DeletionProtection=False)
    fleet.cluster(stack, f"beside-{name}")
    return _ROOT


def _grouped(make: Callable[..., str]) -> Seed:
    return lambda stack, name: make(stack, name, VpcSecurityGroupIds=[fleet.group(stack, name)])


def _with_the_default_group(describe: str, member: str, modify: str, identifier: str, groups: str) -> Drift:
    """The default group of the VPC is attached beside the one that is there."""

    def drift(stack: Deployed, name: str) -> None:
        rds = stack.client("rds")
        (item,) = (one for one in getattr(rds, describe)()[member] if one[identifier] == name)
        attached = item.get("VpcSecurityGroups") or [
            {"VpcSecurityGroupId": one} for one in item["VpcSecurityGroupIds"]
        ]
        wanted = [one["VpcSecurityGroupId"] for one in attached] + [fleet.default_group(stack)]
        getattr(rds, modify)(**{identifier: name, groups: wanted})

    return drift


def _serverless(stack: Deployed, name: str) -> str:
    """A cluster of Serverless v2 with one instance."""
    bounds = {"MinCapacity": 2, "MaxCapacity": 16}
    arn = fleet.cluster(stack, name, ServerlessV2ScalingConfiguration=bounds)
    fleet.member(stack, f"{name}-1", name, DBInstanceClass="db.serverless")
    return arn


def _guarding(stack: Deployed, name: str) -> str:
    """A group of a database that lets its applications in by their own group."""
    made = fleet.group(stack, name)
    stack.client("ec2").authorize_security_group_ingress(
        GroupId=made,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 5432,
                "ToPort": 5432,
                "UserIdGroupPairs": [{"GroupId": fleet.group(stack, f"clients-of-{name}")}],
            }
        ],
    )
    fleet.cluster(stack, f"of-{name}", VpcSecurityGroupIds=[made])
    return f"arn:aws:ec2:eu-west-1:123456789012:security-group/{made}"


def _guarding_a_public_one(stack: Deployed, name: str) -> str:
    """The same, of an instance that the Internet can reach, too."""
    arn = _guarding(stack, name)
    groups = [arn.rpartition("/")[2]]
    fleet.instance(stack, f"open-{name}", VpcSecurityGroupIds=groups, PubliclyAccessible=True)
    return arn


def _let_in(cidr: str) -> Drift:
    def drift(stack: Deployed, name: str) -> None:
        ec2 = stack.client("ec2")
        (found,) = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [name]}])[
            "SecurityGroups"
        ]
        ec2.authorize_security_group_ingress(
            GroupId=found["GroupId"],
            IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": cidr}]}
            ],
        )

    return drift


def _another_group(stack: Deployed, name: str) -> None:
    rds = stack.client("rds")
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="another", DBParameterGroupFamily="aurora-postgresql16", Description="b"
    )
    rds.modify_db_cluster(DBClusterIdentifier=name, DBClusterParameterGroupName="another")


def _another_instance_group(stack: Deployed, name: str) -> None:
    rds = stack.client("rds")
    rds.create_db_parameter_group(
        DBParameterGroupName="another", DBParameterGroupFamily="postgres16", Description="b"
    )
    rds.modify_db_instance(DBInstanceIdentifier=name, DBParameterGroupName="another")


_CLUSTERS = ("describe_db_clusters", "DBClusters")
_INSTANCES = ("describe_db_instances", "DBInstances")

_CASES = (
    Case(
        control="account_deletions_leave_backup",
        seed=_account_with_clusters,
        drift=_rds("delete_db_cluster", "DBClusterIdentifier", SkipFinalSnapshot=True),
        told=False,
    ),
    Case(
        control="account_event_subscriptions_complete",
        seed=_subscribed,
        drift=_rds("delete_event_subscription", "SubscriptionName"),
        writes=("CreateEventSubscription",),
        settings='topic = "on-call"',
    ),
    Case(
        control="account_guardduty_rds_protection",
        seed=_guarded,
        drift=_look_away,
        writes=("UpdateDetector",),
    ),
    Case(
        control="cluster_alarms_present",
        seed=_watched("DBClusterIdentifier", _observed_cluster()),
        drift=_silence,
        writes=("PutMetricAlarm",),
        settings=_ALARMS,
    ),
    Case(
        control="cluster_backtrack_enabled",
        seed=lambda stack, name: fleet.cluster(stack, name, engine="aurora-mysql", BacktrackWindow=86400),
        drift=_modify_cluster(BacktrackWindow=3600),
        writes=("ModifyDBCluster",),
    ),
    Case(
        control="cluster_backup_plan_covers",
        seed=_in_a_plan(fleet.cluster),
        drift=_untag("cluster"),
        writes=("AddTagsToResource",),
        settings='tag = "backup=nightly"',
    ),
    Case(
        control="cluster_backup_retention_sufficient",
        seed=fleet.cluster,
        drift=_modify_cluster(BackupRetentionPeriod=1),
        writes=("ModifyDBCluster",),
    ),
    Case(
        control="cluster_connection_logging_enabled",
        seed=fleet.cluster,
        drift=_set_in_cluster_group(log_connections="0"),
        writes=("ModifyDBClusterParameterGroup",),
    ),
    Case(
        control="cluster_custom_master_username",
        seed=_later("cluster"),
        seeded=False,
        drift=_create_cluster(MasterUsername="postgres"),
    ),
    Case(
        control="cluster_customer_managed_key",
        seed=_later("cluster"),
        seeded=False,
        drift=_create_cluster(StorageEncrypted=True),
        writes=_SUCCESSOR,
    ),
    Case(
        control="cluster_data_api_approved",
        seed=fleet.cluster,
        drift=lambda stack, name: stack.client("rds").enable_http_endpoint(ResourceArn=_arn("cluster", name)),
        writes=("DisableHttpEndpoint",),
    ),
    Case(
        control="cluster_database_insights_advanced",
        seed=_observed_cluster(**_ADVANCED),
        drift=_modify_cluster(**_STANDARD),
        writes=("ModifyDBCluster",),
    ),
    Case(
        control="cluster_database_insights_enabled",
        seed=_observed_cluster(**_INSIGHTS),
        drift=_modify_cluster(EnablePerformanceInsights=False),
        writes=("ModifyDBCluster",),
    ),
    Case(
        control="cluster_deletion_protection_enabled",
        seed=fleet.cluster,
        drift=_modify_cluster(DeletionProtection=False),
        writes=("ModifyDBCluster",),
    ),
    Case(
        control="cluster_enhanced_monitoring_enabled",
        seed=_monitored_cluster,
        drift=_modify_cluster(MonitoringInterval=0),
        writes=("ModifyDBCluster",),
        settings=_WITH_ROLE,
    ),
    Case(
        control="cluster_engine_supported",
        seed=_later("cluster"),
        seeded=False,
        drift=_create_cluster(EngineVersion="11.21"),
    ),
    Case(
        control="cluster_global_secondary_present",
        seed=fleet.cluster,
        drift=lambda stack, name: stack.client("rds").add_tags_to_resource(
            ResourceName=_arn("cluster", name), Tags=[{"Key": "tier", "Value": "1"}]
        ),
        settings='tags = ["tier=1"]',
    ),
    Case(
        control="cluster_iam_auth_errors_exported",
        seed=fleet.cluster,
        drift=_modify_cluster(CloudwatchLogsExportConfiguration={"DisableLogTypes": ["iam-db-auth-error"]}),
        writes=("ModifyDBCluster",),
    ),
    Case(
        control="cluster_iam_authentication_enabled",
        seed=_with_a_member,
        drift=_modify_cluster(EnableIAMDatabaseAuthentication=False),
        writes=("ModifyDBCluster",),
    ),
    Case(
        control="cluster_insights_customer_managed_key",
        seed=fleet.cluster,
        drift=_modify_cluster(EnablePerformanceInsights=True),
    ),
    Case(
        control="cluster_log_exports_complete",
        seed=fleet.cluster,
        drift=_modify_cluster(
            CloudwatchLogsExportConfiguration={"DisableLogTypes": ["postgresql", "iam-db-auth-error"]}
        ),
        writes=("ModifyDBCluster",),
    ),
    Case(
        control="cluster_master_password_managed",
        seed=_managed_cluster,
        drift=_modify_cluster(ManageMasterUserPassword=False, MasterUserPassword="correct-horse-battery"),
        writes=("ModifyDBCluster",),
    ),
    Case(
        control="cluster_master_secret_customer_managed_key",
        seed=fleet.cluster,
        drift=_modify_cluster(ManageMasterUserPassword=True),
    ),
    Case(
        control="cluster_master_secret_healthy",
        seed=_managed_cluster,
        drift=_impaired("cluster", *_CLUSTERS),
    ),
    Case(
        control="cluster_mysql_audit_effective",
        seed=_mysql,
        drift=_set_in_cluster_group(server_audit_logging="0"),
        writes=("ModifyDBClusterParameterGroup",),
    ),
    Case(
        control="cluster_minor_upgrades_automatic",
        seed=_with_a_member,
        drift=lambda stack, name: stack.client("rds").modify_db_instance(
            DBInstanceIdentifier=f"{name}-1", AutoMinorVersionUpgrade=False
        ),
        writes=("ModifyDBCluster",),
    ),
    Case(
        control="cluster_parameter_group_in_sync",
        seed=_with_a_member,
        drift=_another_group,
        writes=("RebootDBInstance",),
    ),
    Case(
        control="cluster_port_not_default",
        seed=_later("cluster"),
        seeded=False,
        drift=_create_cluster(),
    ),
    Case(
        control="cluster_postgresql_audit_effective",
        seed=fleet.cluster,
        drift=_set_in_cluster_group(pgaudit__log="none"),
        writes=("ModifyDBClusterParameterGroup",),
    ),
    Case(
        control="cluster_recovery_point_recent",
        seed=_backed_up(fleet.cluster),
        drift=_delete_recovery_points,
    ),
    Case(
        control="cluster_recoverable_to_now",
        seed=_for_hours(fleet.cluster),
        drift=_no_logs_for_two_hours("cluster"),
    ),
    Case(
        control="cluster_readers_sufficient",
        seed=_with_a_reader,
        drift=lambda stack, name: stack.client("rds").delete_db_instance(DBInstanceIdentifier=f"{name}-2"),
        writes=("CreateDBInstance",),
    ),
    Case(
        control="cluster_required_tags_present",
        seed=_owned("cluster", fleet.cluster),
        drift=_untag("cluster", "owner"),
    ),
    Case(
        control="cluster_security_group_not_default",
        seed=_grouped(fleet.cluster),
        drift=_with_the_default_group(
            *_CLUSTERS, "modify_db_cluster", "DBClusterIdentifier", "VpcSecurityGroupIds"
        ),
        writes=("ModifyDBCluster",),
    ),
    Case(
        control="cluster_snapshots_copy_tags",
        seed=fleet.cluster,
        drift=_modify_cluster(CopyTagsToSnapshot=False),
        writes=("ModifyDBCluster",),
    ),
    Case(
        control="cluster_serverless_capacity_bounded",
        seed=_serverless,
        drift=_modify_cluster(ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 16}),
        writes=("ModifyDBCluster",),
        settings="lowest_minimum = 2",
    ),
    Case(
        control="cluster_snapshot_customer_managed_key",
        seed=_later(
            "cluster-snapshot",
            lambda stack, name: fleet.cluster(stack, name, KmsKeyId="alias/aws/rds"),
        ),
        seeded=False,
        drift=lambda stack, name: stack.client("rds").create_db_cluster_snapshot(
            DBClusterSnapshotIdentifier=name, DBClusterIdentifier=f"of-{name}"
        ),
    ),
    Case(
        control="cluster_snapshot_encrypted",
        seed=_in_a_place(_later("cluster-snapshot", fleet.legacy_cluster)),
        seeded=False,
        drift=lambda stack, name: stack.client("rds").create_db_cluster_snapshot(
            DBClusterSnapshotIdentifier=name, DBClusterIdentifier=f"of-{name}"
        ),
        writes=("RestoreDBClusterFromSnapshot", "CreateDBClusterSnapshot", "DeleteDBCluster"),
        left="delete",
    ),
    Case(
        control="cluster_snapshot_not_public",
        seed=_cluster_snapshot,
        drift=_share_cluster_snapshot("all"),
        writes=("ModifyDBClusterSnapshotAttribute",),
    ),
    Case(
        control="cluster_snapshot_required_tags_present",
        seed=_owned("cluster-snapshot", _cluster_snapshot),
        drift=_untag("cluster-snapshot", "owner"),
    ),
    Case(
        control="cluster_snapshot_shares_approved",
        seed=_shared_cluster_snapshot,
        drift=_share_cluster_snapshot(STRANGER),
        writes=("ModifyDBClusterSnapshotAttribute",),
    ),
    Case(
        control="cluster_storage_encrypted",
        seed=_later("cluster", _restorable),
        seeded=False,
        drift=lambda stack, name: stack.client("rds").restore_db_cluster_from_snapshot(
            DBClusterIdentifier=name, SnapshotIdentifier=f"from-of-{name}", Engine="aurora-postgresql"
        ),
        writes=_SUCCESSOR,
    ),
    Case(
        control="cluster_tls_enforced",
        seed=_with_a_member,
        drift=_set_in_cluster_group(rds__force_ssl="0"),
        writes=("ModifyDBClusterParameterGroup",),
    ),
    Case(
        control="cluster_without_internet_access_gateway",
        seed=_in_a_place(_later("cluster")),
        seeded=False,
        drift=_rds(
            "create_db_cluster",
            "DBClusterIdentifier",
            Engine="aurora-postgresql",
            WithExpressConfiguration=True,
        ),
        writes=(*_SUCCESSOR, "CreateDBInstance"),
    ),
    Case(
        control="db_snapshot_customer_managed_key",
        seed=_later("snapshot", lambda stack, name: fleet.instance(stack, name, KmsKeyId="alias/aws/rds")),
        seeded=False,
        drift=lambda stack, name: stack.client("rds").create_db_snapshot(
            DBSnapshotIdentifier=name, DBInstanceIdentifier=f"of-{name}"
        ),
    ),
    Case(
        control="db_snapshot_encrypted",
        seed=_later("snapshot", fleet.legacy_instance),
        seeded=False,
        drift=lambda stack, name: stack.client("rds").create_db_snapshot(
            DBSnapshotIdentifier=name, DBInstanceIdentifier=f"of-{name}"
        ),
        writes=("CopyDBSnapshot",),
        left="delete",
    ),
    Case(
        control="db_snapshot_not_public",
        seed=_snapshot,
        drift=_share_snapshot("all"),
        writes=("ModifyDBSnapshotAttribute",),
    ),
    Case(
        control="db_snapshot_required_tags_present",
        seed=_owned("snapshot", _snapshot),
        drift=_untag("snapshot", "owner"),
    ),
    Case(
        control="db_snapshot_shares_approved",
        seed=_shared_snapshot,
        drift=_share_snapshot(STRANGER),
        writes=("ModifyDBSnapshotAttribute",),
    ),
    Case(
        control="global_cluster_deletion_protection_enabled",
        seed=_global_cluster,
        drift=_rds("modify_global_cluster", "GlobalClusterIdentifier", DeletionProtection=False),
        writes=("ModifyGlobalCluster",),
    ),
    Case(
        control="global_cluster_engine_supported",
        seed=_later_around(lambda stack, name: fleet.cluster(stack, name, engine="aurora-mysql")),
        seeded=False,
        drift=_around(),
        settings='minimum_versions = { aurora-mysql = ["8.0.mysql_aurora.3.09.0"] }',
    ),
    Case(
        control="global_cluster_storage_encrypted",
        seed=_later_around(fleet.legacy_cluster),
        seeded=False,
        drift=_around(),
    ),
    Case(
        control="instance_alarms_present",
        seed=_watched("DBInstanceIdentifier", fleet.instance),
        drift=_silence,
        writes=("PutMetricAlarm",),
        settings=_ALARMS,
    ),
    Case(
        control="instance_backup_plan_covers",
        seed=_in_a_plan(fleet.instance),
        drift=_untag("db"),
        writes=("AddTagsToResource",),
        settings='tag = "backup=nightly"',
    ),
    Case(
        control="instance_backup_retention_sufficient",
        seed=fleet.instance,
        drift=_modify_instance(BackupRetentionPeriod=1),
        writes=("ModifyDBInstance",),
    ),
    Case(
        control="instance_ca_certificate_current",
        seed=_certified,
        drift=_modify_instance(CACertificateIdentifier="rds-ca-rsa4096-g1"),
        writes=("ModifyDBInstance",),
        settings='approved_authorities = ["rds-ca-rsa2048-g1"]',
    ),
    Case(
        control="instance_connection_logging_enabled",
        seed=fleet.instance,
        drift=_set_in_instance_group(log_disconnections="0"),
        writes=("ModifyDBParameterGroup",),
    ),
    Case(
        control="instance_custom_master_username",
        seed=_later("db"),
        seeded=False,
        drift=_create_instance(MasterUsername="postgres"),
    ),
    Case(
        control="instance_customer_managed_key",
        seed=_later("db"),
        seeded=False,
        drift=_create_instance(StorageEncrypted=True),
    ),
    Case(
        control="instance_database_insights_advanced",
        seed=_observed_instance(**_ADVANCED),
        drift=_modify_instance(**_STANDARD),
        writes=("ModifyDBInstance",),
    ),
    Case(
        control="instance_deletion_protection_enabled",
        seed=fleet.instance,
        drift=_modify_instance(DeletionProtection=False),
        writes=("ModifyDBInstance",),
    ),
    Case(
        control="instance_enhanced_monitoring_enabled",
        seed=_observed_instance(**_MONITORING),
        drift=_modify_instance(MonitoringInterval=0),
        writes=("ModifyDBInstance",),
        settings=_WITH_ROLE,
    ),
    Case(
        control="instance_engine_supported",
        seed=_later("db"),
        seeded=False,
        drift=_create_instance(EngineVersion="11.22"),
    ),
    Case(
        control="instance_iam_auth_errors_exported",
        seed=fleet.instance,
        drift=_modify_instance(CloudwatchLogsExportConfiguration={"DisableLogTypes": ["iam-db-auth-error"]}),
        writes=("ModifyDBInstance",),
    ),
    Case(
        control="instance_iam_authentication_enabled",
        seed=fleet.instance,
        drift=_modify_instance(EnableIAMDatabaseAuthentication=False),
        writes=("ModifyDBInstance",),
    ),
    Case(
        control="instance_insights_customer_managed_key",
        seed=fleet.instance,
        drift=_modify_instance(EnablePerformanceInsights=True),
    ),
    Case(
        control="instance_log_exports_complete",
        seed=fleet.instance,
        drift=_modify_instance(CloudwatchLogsExportConfiguration={"DisableLogTypes": ["postgresql"]}),
        writes=("ModifyDBInstance",),
    ),
    Case(
        control="instance_master_password_managed",
        seed=_managed_instance,
        drift=_modify_instance(ManageMasterUserPassword=False, MasterUserPassword="correct-horse-battery"),
        writes=("ModifyDBInstance",),
    ),
    Case(
        control="instance_master_secret_customer_managed_key",
        seed=fleet.instance,
        drift=_modify_instance(ManageMasterUserPassword=True),
    ),
    Case(
        control="instance_master_secret_healthy",
        seed=_managed_instance,
        drift=_impaired("db", *_INSTANCES),
    ),
    Case(
        control="instance_minor_upgrades_automatic",
        seed=fleet.instance,
        drift=_modify_instance(AutoMinorVersionUpgrade=False),
        writes=("ModifyDBInstance",),
    ),
    Case(
        control="instance_multi_az",
        seed=lambda stack, name: fleet.instance(stack, name, MultiAZ=True),
        drift=_modify_instance(MultiAZ=False),
        writes=("ModifyDBInstance",),
    ),
    Case(
        control="instance_not_publicly_accessible",
        seed=_member_of_a_cluster,
        drift=_rds("modify_db_instance", "DBInstanceIdentifier", PubliclyAccessible=True),
        writes=("ModifyDBInstance",),
    ),
    Case(
        control="instance_parameter_group_in_sync",
        seed=fleet.instance,
        drift=_another_instance_group,
        writes=("RebootDBInstance",),
    ),
    Case(
        control="instance_performance_insights_enabled",
        seed=_observed_instance(**_INSIGHTS),
        drift=_modify_instance(EnablePerformanceInsights=False),
        writes=("ModifyDBInstance",),
    ),
    Case(
        control="instance_port_not_default",
        seed=_later("db"),
        seeded=False,
        drift=_create_instance(),
    ),
    Case(
        control="instance_recovery_point_recent",
        seed=_backed_up(fleet.instance),
        drift=_delete_recovery_points,
    ),
    Case(
        control="instance_recoverable_to_now",
        seed=_for_hours(fleet.instance),
        drift=_no_logs_for_two_hours("db"),
    ),
    Case(
        control="instance_required_tags_present",
        seed=_owned("db", fleet.instance),
        drift=_untag("db", "owner"),
    ),
    Case(
        control="instance_security_group_not_default",
        seed=_grouped(fleet.instance),
        drift=_with_the_default_group(
            *_INSTANCES, "modify_db_instance", "DBInstanceIdentifier", "VpcSecurityGroupIds"
        ),
        writes=("ModifyDBInstance",),
    ),
    Case(
        control="instance_snapshots_copy_tags",
        seed=fleet.instance,
        drift=_modify_instance(CopyTagsToSnapshot=False),
        writes=("ModifyDBInstance",),
    ),
    Case(
        control="instance_storage_encrypted",
        seed=_later("db"),
        seeded=False,
        drift=_create_instance(),
    ),
    Case(
        control="instance_tls_enforced",
        seed=fleet.instance,
        drift=_set_in_instance_group(rds__force_ssl="0"),
        writes=("ModifyDBParameterGroup",),
    ),
    Case(
        control="proxy_requires_tls",
        seed=fleet.proxy,
        drift=_rds("modify_db_proxy", "DBProxyName", RequireTLS=False),
        writes=("ModifyDBProxy",),
    ),
    Case(
        control="proxy_security_group_not_default",
        seed=_grouped(fleet.proxy),
        drift=_with_the_default_group(
            "describe_db_proxies", "DBProxies", "modify_db_proxy", "DBProxyName", "SecurityGroups"
        ),
        writes=("ModifyDBProxy",),
    ),
    Case(
        control="security_group_not_open_to_world",
        seed=_guarding_a_public_one,
        drift=_let_in("0.0.0.0/0"),
        writes=("RevokeSecurityGroupIngress",),
    ),
    Case(
        control="security_group_sources_approved",
        seed=_guarding,
        drift=_let_in("203.0.113.0/24"),
    ),
)

CASES = {case.control: case for case in (*_CASES, *joined_cases.CASES)}
