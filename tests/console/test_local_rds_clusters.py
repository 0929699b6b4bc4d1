from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from local_rds import a_cluster, a_member, an_instance, corrects, refused, the_cluster, the_instance

if TYPE_CHECKING:
    from console.local.aws import LocalAws
    from console.local.clock import MovableClock

POSTGRES_LOGS = ["postgresql", "instance", "iam-db-auth-error"]


@corrects("existing-clusters-stay")
def test_a_second_cluster_of_one_name_is_refused_and_the_first_keeps_its_protection(rds: Any):
    a_cluster(rds, DeletionProtection=True)
    refused(
        "DBClusterAlreadyExistsFault",
        rds.create_db_cluster,
        DBClusterIdentifier="ORDERS",
        Engine="aurora-mysql",
        MasterUsername="dbadmin",
        MasterUserPassword="correct-horse",
    )
    assert the_cluster(rds)["DeletionProtection"] is True
    assert the_cluster(rds)["Engine"] == "aurora-postgresql"


@corrects("subnet-groups-must-exist")
def test_a_cluster_needs_a_subnet_group_that_exists(rds: Any):
    with pytest.raises(rds.exceptions.DBSubnetGroupNotFoundFault):
        a_cluster(rds, DBSubnetGroupName="nowhere")
    assert rds.describe_db_clusters()["DBClusters"] == []


@pytest.mark.parametrize(
    ("engine", "version", "group"),
    [
        ("aurora-postgresql", "16.6", "default.aurora-postgresql16"),
        ("aurora-mysql", "8.0.mysql_aurora.3.08.0", "default.aurora-mysql8.0"),
        ("aurora-mysql", "5.7.mysql_aurora.2.12.0", "default.aurora-mysql5.7"),
    ],
)
@corrects("default-group-per-engine")
def test_a_cluster_without_a_group_gets_that_of_its_engine_and_version(
    rds: Any, engine: str, version: str, group: str
):
    assert a_cluster(rds, Engine=engine, EngineVersion=version)["DBClusterParameterGroup"] == group


@corrects("cluster-groups-must-exist")
def test_a_cluster_needs_a_parameter_group_that_exists(rds: Any):
    with pytest.raises(ClientError) as caught:
        a_cluster(rds, DBClusterParameterGroupName="no-such-group")
    assert caught.value.response["Error"]["Code"] == "DBClusterParameterGroupNotFound"


@pytest.mark.parametrize("days", [0, 36])
@corrects("cluster-backup-retention-range", "retention-of-a-cluster")
def test_a_clusters_backups_are_kept_for_1_to_35_days(rds: Any, days: int):
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        a_cluster(rds, BackupRetentionPeriod=days)
    a_cluster(rds)
    refused(
        "InvalidParameterValue",
        rds.modify_db_cluster,
        DBClusterIdentifier="orders",
        BackupRetentionPeriod=days,
    )
    assert the_cluster(rds)["BackupRetentionPeriod"] == 1


@corrects("storage-type-shown-if-iopt1")
def test_only_io_optimized_storage_is_shown(rds: Any):
    assert "StorageType" not in a_cluster(rds, StorageType="aurora")
    assert a_cluster(rds, "fast", StorageType="aurora-iopt1")["StorageType"] == "aurora-iopt1"


@corrects("multi-az-db-clusters")
def test_a_multi_az_db_cluster_comes_with_three_instances_in_three_zones(rds: Any):
    cluster = a_cluster(
        rds,
        Engine="postgres",
        EngineVersion="16.6",
        DBClusterInstanceClass="db.m6gd.large",
        AllocatedStorage=100,
        StorageType="io1",
        Iops=1000,
        EnableIAMDatabaseAuthentication=True,
    )
    names = [member["DBInstanceIdentifier"] for member in cluster["DBClusterMembers"]]
    assert [member["IsClusterWriter"] for member in cluster["DBClusterMembers"]] == [True, False, False]
    assert len({the_instance(rds, name)["AvailabilityZone"] for name in names}) == 3
    assert cluster["MultiAZ"] is True
    assert cluster["IAMDatabaseAuthenticationEnabled"] is True
    refused(
        "InvalidParameterCombination",
        rds.delete_db_instance,
        DBInstanceIdentifier=names[0],
        SkipFinalSnapshot=True,
    )
    rds.delete_db_cluster(DBClusterIdentifier="orders", SkipFinalSnapshot=True)
    assert rds.describe_db_instances()["DBInstances"] == []


@corrects("express-configuration")
def test_a_cluster_of_express_configuration_stands_outside_any_vpc(rds: Any):
    cluster = a_cluster(rds, WithExpressConfiguration=True)
    assert cluster["InternetAccessGatewayEnabled"] is True
    assert cluster["VPCNetworkingEnabled"] is False
    assert cluster["VpcSecurityGroups"] == []
    assert "DBSubnetGroup" not in cluster
    assert cluster["IAMDatabaseAuthenticationEnabled"] is True
    assert len(cluster["DBClusterMembers"]) == 1


@corrects("cluster-resource-id-filter")
def test_a_cluster_is_found_by_its_immutable_id(rds: Any):
    wanted = a_cluster(rds)["DbClusterResourceId"]
    a_cluster(rds, "other")
    found = rds.describe_db_clusters(Filters=[{"Name": "db-cluster-resource-id", "Values": [wanted]}])
    assert [cluster["DBClusterIdentifier"] for cluster in found["DBClusters"]] == ["orders"]
    refused(
        "InvalidParameterValue", rds.describe_db_clusters, Filters=[{"Name": "colour", "Values": ["red"]}]
    )


def test_a_cluster_is_found_by_its_arn_whatever_the_case_of_a_name(rds: Any):
    arn = a_cluster(rds)["DBClusterArn"]
    assert the_cluster(rds, arn)["DBClusterIdentifier"] == "orders"
    assert the_cluster(rds, "OrDeRs")["DBClusterArn"] == arn


@corrects("final-cluster-snapshot")
def test_a_delete_says_what_becomes_of_the_data(rds: Any):
    a_cluster(rds)
    refused("InvalidParameterCombination", rds.delete_db_cluster, DBClusterIdentifier="orders")
    rds.delete_db_cluster(DBClusterIdentifier="orders", FinalDBSnapshotIdentifier="last-words")
    left = rds.describe_db_cluster_snapshots()["DBClusterSnapshots"]
    assert [snapshot["DBClusterSnapshotIdentifier"] for snapshot in left] == ["last-words"]
    assert left[0]["StorageEncryptionType"] == "sse-rds"
    refused(
        "DBClusterNotFoundFault", rds.delete_db_cluster, DBClusterIdentifier="orders", SkipFinalSnapshot=True
    )


@corrects("automated-cluster-backups-go", "cluster-automated-backups")
def test_automated_backups_go_with_their_cluster_unless_told_to_stay(rds: Any):
    gone = a_cluster(rds)["DbClusterResourceId"]
    kept = a_cluster(rds, "kept")["DbClusterResourceId"]
    assert {
        one["Status"] for one in rds.describe_db_cluster_automated_backups()["DBClusterAutomatedBackups"]
    } == {"active"}
    rds.delete_db_cluster(DBClusterIdentifier="orders", SkipFinalSnapshot=True)
    rds.delete_db_cluster(DBClusterIdentifier="kept", SkipFinalSnapshot=True, DeleteAutomatedBackups=False)
    refused(
        "DBClusterAutomatedBackupNotFoundFault",
        rds.describe_db_cluster_automated_backups,
        DbClusterResourceId=gone,
    )
    left = rds.describe_db_cluster_automated_backups(DbClusterResourceId=kept)["DBClusterAutomatedBackups"]
    assert [one["Status"] for one in left] == ["retained"]
    automated = rds.describe_db_cluster_snapshots(SnapshotType="automated")["DBClusterSnapshots"]
    assert [one["DBClusterIdentifier"] for one in automated] == ["kept"]


@corrects("reboot-multi-az-only")
def test_an_aurora_cluster_is_not_rebooted_as_a_whole(rds: Any):
    a_cluster(rds)
    refused("InvalidParameterCombination", rds.reboot_db_cluster, DBClusterIdentifier="orders")


@corrects("http-endpoint")
def test_the_data_api_of_a_provisioned_cluster_goes_on_and_off(rds: Any):
    arn = a_cluster(rds)["DBClusterArn"]
    assert rds.enable_http_endpoint(ResourceArn=arn)["HttpEndpointEnabled"] is True
    assert the_cluster(rds)["HttpEndpointEnabled"] is True
    rds.disable_http_endpoint(ResourceArn=arn)
    assert the_cluster(rds)["HttpEndpointEnabled"] is False


@corrects("empty-members-left-out")
def test_what_is_empty_is_left_out(rds: Any):
    cluster = a_cluster(rds)
    assert {"EnabledCloudwatchLogsExports", "PendingModifiedValues", "KmsKeyId"} & set(cluster) == set()
    assert the_instance(rds, a_member(rds, "orders-1")["DBInstanceIdentifier"])["PendingModifiedValues"] == {}


@corrects("cluster-iam-authentication", "changes-wait-for-the-window")
def test_iam_authentication_waits_for_the_window(local: LocalAws, rds: Any):
    a_cluster(rds)
    rds.modify_db_cluster(DBClusterIdentifier="orders", EnableIAMDatabaseAuthentication=True)
    waiting = the_cluster(rds)
    assert waiting["IAMDatabaseAuthenticationEnabled"] is False
    assert waiting["PendingModifiedValues"] == {"IAMDatabaseAuthenticationEnabled": True}
    local.rds.maintenance_window()
    assert the_cluster(rds)["IAMDatabaseAuthenticationEnabled"] is True
    assert "PendingModifiedValues" not in the_cluster(rds)


def test_an_immediate_change_flushes_what_somebody_else_had_queued(rds: Any):
    a_cluster(rds)
    rds.modify_db_cluster(DBClusterIdentifier="orders", BackupRetentionPeriod=7)
    assert the_cluster(rds)["PendingModifiedValues"] == {"BackupRetentionPeriod": 7}
    rds.modify_db_cluster(
        DBClusterIdentifier="orders", EnableIAMDatabaseAuthentication=True, ApplyImmediately=True
    )
    cluster = the_cluster(rds)
    assert (cluster["BackupRetentionPeriod"], cluster["IAMDatabaseAuthenticationEnabled"]) == (7, True)


def test_taking_a_queued_change_back_empties_the_queue(rds: Any):
    a_cluster(rds)
    rds.modify_db_cluster(DBClusterIdentifier="orders", BackupRetentionPeriod=7)
    rds.modify_db_cluster(DBClusterIdentifier="orders", BackupRetentionPeriod=1)
    assert "PendingModifiedValues" not in the_cluster(rds)


def test_the_answer_to_a_new_retention_shows_it_at_once(rds: Any):
    a_cluster(rds)
    answer = rds.modify_db_cluster(
        DBClusterIdentifier="orders", BackupRetentionPeriod=35, ApplyImmediately=True
    )
    assert answer["DBCluster"]["BackupRetentionPeriod"] == 35
    assert "PendingModifiedValues" not in answer["DBCluster"]


@corrects("cluster-log-exports", "some-changes-never-wait")
def test_log_exports_and_deletion_protection_never_wait(rds: Any):
    a_cluster(rds, EnableCloudwatchLogsExports=["postgresql"])
    answer = rds.modify_db_cluster(
        DBClusterIdentifier="orders",
        DeletionProtection=True,
        CloudwatchLogsExportConfiguration={
            "EnableLogTypes": ["instance", "iam-db-auth-error"],
            "DisableLogTypes": ["postgresql"],
        },
    )["DBCluster"]
    assert answer["Status"] == "available"
    assert answer["DeletionProtection"] is True
    assert answer["EnabledCloudwatchLogsExports"] == ["postgresql"]
    assert answer["PendingModifiedValues"]["PendingCloudwatchLogsExports"] == {
        "LogTypesToEnable": ["instance", "iam-db-auth-error"],
        "LogTypesToDisable": ["postgresql"],
    }
    cluster = the_cluster(rds)
    assert cluster["EnabledCloudwatchLogsExports"] == ["instance", "iam-db-auth-error"]
    assert "PendingModifiedValues" not in cluster


def test_a_new_password_never_waits_and_is_never_shown(rds: Any):
    a_cluster(rds)
    answer = rds.modify_db_cluster(DBClusterIdentifier="orders", MasterUserPassword="battery-staple")
    assert answer["DBCluster"]["PendingModifiedValues"] == {"MasterUserPassword": "****"}
    assert "PendingModifiedValues" not in the_cluster(rds)


@pytest.mark.parametrize(
    ("engine", "version", "log"),
    [
        ("aurora-postgresql", "16.6", "audit"),
        ("aurora-postgresql", "13.9", "instance"),
        ("aurora-postgresql", "14.6", "iam-db-auth-error"),
        ("aurora-mysql", "8.0.mysql_aurora.3.04.0", "instance"),
        ("aurora-mysql", "8.0.mysql_aurora.3.08.0", "postgresql"),
    ],
)
@corrects("log-types-of-the-engine")
def test_a_log_type_that_the_version_does_not_have_is_refused(rds: Any, engine: str, version: str, log: str):
    a_cluster(rds, Engine=engine, EngineVersion=version)
    said = refused(
        "InvalidParameterCombination",
        rds.modify_db_cluster,
        DBClusterIdentifier="orders",
        DeletionProtection=True,
        CloudwatchLogsExportConfiguration={"EnableLogTypes": [log]},
    )
    assert f"'{log}'" in said
    assert the_cluster(rds)["DeletionProtection"] is False


@corrects("missing-clusters-not-found")
def test_a_missing_cluster_is_not_found(rds: Any):
    for call in (rds.modify_db_cluster, rds.stop_db_cluster, rds.failover_db_cluster):
        refused("DBClusterNotFoundFault", call, DBClusterIdentifier="nobody")


@corrects("busy-clusters-refuse")
def test_a_busy_cluster_refuses_with_its_status_until_the_clock_passes(
    local: LocalAws, rds: Any, clock: MovableClock
):
    arn = a_cluster(rds)["DBClusterArn"]
    local.rds.hold(arn, status="configuring-iam-database-auth", seconds=60)
    assert the_cluster(rds)["Status"] == "configuring-iam-database-auth"
    said = refused(
        "InvalidDBClusterStateFault",
        rds.modify_db_cluster,
        DBClusterIdentifier="orders",
        DeletionProtection=True,
    )
    assert said == "DB cluster is not available for modification with status configuring-iam-database-auth"
    clock.advance(60)
    rds.modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=True)
    assert the_cluster(rds)["DeletionProtection"] is True


def test_a_held_cluster_waits_until_it_is_released(local: LocalAws, rds: Any, clock: MovableClock):
    arn = a_cluster(rds)["DBClusterArn"]
    local.rds.hold(arn, status="maintenance")
    clock.advance(1_000_000)
    assert the_cluster(rds)["Status"] == "maintenance"
    local.rds.release(arn)
    assert the_cluster(rds)["Status"] == "available"


def test_a_stopped_cluster_refuses(rds: Any):
    a_cluster(rds)
    rds.stop_db_cluster(DBClusterIdentifier="orders")
    assert the_cluster(rds)["Status"] == "stopped"
    said = refused(
        "InvalidDBClusterStateFault",
        rds.modify_db_cluster,
        DBClusterIdentifier="orders",
        DeletionProtection=True,
    )
    assert said.endswith("status stopped")
    rds.start_db_cluster(DBClusterIdentifier="orders")
    assert the_cluster(rds)["Status"] == "available"


@corrects("attached-group-must-exist")
def test_attaching_a_group_that_does_not_exist_changes_nothing(rds: Any):
    a_cluster(rds)
    refused(
        "DBClusterParameterGroupNotFound",
        rds.modify_db_cluster,
        DBClusterIdentifier="orders",
        DBClusterParameterGroupName="no-such-group",
        DeletionProtection=True,
    )
    assert the_cluster(rds)["DeletionProtection"] is False


@corrects("attached-groups-wait-for-a-reboot", "reboots-apply-parameters")
def test_members_of_a_newly_attached_group_wait_until_each_is_rebooted(rds: Any):
    a_cluster(rds)
    a_member(rds, "orders-1")
    a_member(rds, "orders-2")
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="strict",
        DBParameterGroupFamily="aurora-postgresql16",
        Description="strict",
    )
    rds.modify_db_cluster(DBClusterIdentifier="orders", DBClusterParameterGroupName="strict")
    assert the_cluster(rds)["DBClusterParameterGroup"] == "strict"

    def states() -> set[str]:
        return {one["DBClusterParameterGroupStatus"] for one in the_cluster(rds)["DBClusterMembers"]}

    assert states() == {"pending-reboot"}
    rds.reboot_db_instance(DBInstanceIdentifier="orders-1")
    assert states() == {"pending-reboot", "in-sync"}
    rds.reboot_db_instance(DBInstanceIdentifier="orders-2")
    assert states() == {"in-sync"}


@corrects("a-rename-keeps-the-resource-id")
def test_a_renamed_cluster_keeps_its_id_and_its_members(rds: Any):
    before = a_cluster(rds)
    a_member(rds, "orders-1")
    answer = rds.modify_db_cluster(
        DBClusterIdentifier="orders", NewDBClusterIdentifier="Sales", ApplyImmediately=True
    )
    assert answer["DBCluster"]["DBClusterIdentifier"] == "orders"
    after = the_cluster(rds, "sales")
    assert after["DbClusterResourceId"] == before["DbClusterResourceId"]
    assert after["DBClusterArn"].endswith(":cluster:sales")
    assert [one["DBInstanceIdentifier"] for one in after["DBClusterMembers"]] == ["orders-1"]
    assert the_instance(rds, "orders-1")["DBClusterIdentifier"] == "sales"
    refused("DBClusterNotFoundFault", rds.describe_db_clusters, DBClusterIdentifier="orders")


@corrects("managed-passwords-exclude-passwords")
def test_a_password_is_either_given_or_managed(rds: Any):
    a_cluster(rds)
    refused(
        "InvalidParameterCombination",
        rds.modify_db_cluster,
        DBClusterIdentifier="orders",
        ManageMasterUserPassword=True,
        MasterUserPassword="battery-staple",
    )
    rds.modify_db_cluster(DBClusterIdentifier="orders", ManageMasterUserPassword=True)
    assert the_cluster(rds)["MasterUserSecret"]["SecretArn"].startswith("arn:aws:secretsmanager:")
    refused(
        "InvalidParameterCombination",
        rds.modify_db_cluster,
        DBClusterIdentifier="orders",
        ManageMasterUserPassword=False,
    )


@corrects("major-upgrades-are-asked-for")
def test_a_new_major_version_must_be_allowed(rds: Any):
    a_cluster(rds)
    refused(
        "InvalidParameterCombination",
        rds.modify_db_cluster,
        DBClusterIdentifier="orders",
        EngineVersion="17.5",
        ApplyImmediately=True,
    )
    rds.modify_db_cluster(
        DBClusterIdentifier="orders",
        EngineVersion="17.5",
        AllowMajorVersionUpgrade=True,
        ApplyImmediately=True,
    )
    assert the_cluster(rds)["EngineVersion"] == "17.5"
    assert the_cluster(rds)["DBClusterParameterGroup"] == "default.aurora-postgresql17"


def test_one_member_without_minor_upgrades_shows_on_the_cluster_until_the_cluster_sets_it(rds: Any):
    a_cluster(rds)
    a_member(rds, "orders-1", AutoMinorVersionUpgrade=False)
    assert the_cluster(rds)["AutoMinorVersionUpgrade"] is False
    rds.modify_db_cluster(DBClusterIdentifier="orders", AutoMinorVersionUpgrade=True)
    assert the_instance(rds, "orders-1")["AutoMinorVersionUpgrade"] is True
    assert the_cluster(rds)["AutoMinorVersionUpgrade"] is True


@corrects("performance-insights")
def test_performance_insights_of_a_cluster_are_kept_and_inherited(rds: Any):
    a_cluster(rds)
    a_member(rds, "orders-1")
    assert the_cluster(rds)["PerformanceInsightsEnabled"] is False
    rds.modify_db_cluster(DBClusterIdentifier="orders", EnablePerformanceInsights=True)
    cluster = the_cluster(rds)
    assert (cluster["PerformanceInsightsEnabled"], cluster["PerformanceInsightsRetentionPeriod"]) == (True, 7)
    assert cluster["PerformanceInsightsKMSKeyId"].startswith("arn:aws:kms:")
    assert the_instance(rds, "orders-1")["PerformanceInsightsEnabled"] is True


@corrects("performance-insights-retention")
def test_performance_insights_are_kept_for_whole_months(rds: Any):
    a_cluster(rds)
    refused(
        "InvalidParameterValue",
        rds.modify_db_cluster,
        DBClusterIdentifier="orders",
        EnablePerformanceInsights=True,
        PerformanceInsightsRetentionPeriod=94,
    )


@corrects("database-insights-mode")
def test_advanced_insights_need_performance_insights_of_465_days(rds: Any):
    a_cluster(rds)
    refused(
        "InvalidParameterCombination",
        rds.modify_db_cluster,
        DBClusterIdentifier="orders",
        DatabaseInsightsMode="advanced",
    )
    rds.modify_db_cluster(
        DBClusterIdentifier="orders",
        DatabaseInsightsMode="advanced",
        EnablePerformanceInsights=True,
        PerformanceInsightsRetentionPeriod=465,
    )
    assert the_cluster(rds)["DatabaseInsightsMode"] == "advanced"


def test_protection_stands_in_the_way_of_a_delete_and_so_do_members(rds: Any):
    a_cluster(rds, DeletionProtection=True)
    a_member(rds, "orders-1")
    refused(
        "InvalidParameterCombination",
        rds.delete_db_cluster,
        DBClusterIdentifier="orders",
        SkipFinalSnapshot=True,
    )
    rds.modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    refused(
        "InvalidDBClusterStateFault",
        rds.delete_db_cluster,
        DBClusterIdentifier="orders",
        SkipFinalSnapshot=True,
    )
    rds.delete_db_instance(DBInstanceIdentifier="orders-1")
    rds.delete_db_cluster(DBClusterIdentifier="orders", SkipFinalSnapshot=True)
    assert rds.describe_db_clusters()["DBClusters"] == []


def test_a_failover_makes_the_other_member_the_writer(rds: Any):
    a_cluster(rds)
    a_member(rds, "orders-1")
    a_member(rds, "orders-2")
    rds.failover_db_cluster(DBClusterIdentifier="orders", TargetDBInstanceIdentifier="orders-2")
    writers = [
        one["DBInstanceIdentifier"] for one in the_cluster(rds)["DBClusterMembers"] if one["IsClusterWriter"]
    ]
    assert writers == ["orders-2"]


def test_a_major_version_alone_means_its_newest(rds: Any):
    a_cluster(rds, EngineVersion="15")
    assert the_cluster(rds)["EngineVersion"] == "15.15"
    rds.modify_db_cluster(
        DBClusterIdentifier="orders", EngineVersion="16", AllowMajorVersionUpgrade=True, ApplyImmediately=True
    )
    assert the_cluster(rds)["EngineVersion"] == "16.11"


def test_clusters_of_neptune_are_listed_among_the_others(rds: Any):
    a_cluster(rds)
    rds.create_db_cluster(DBClusterIdentifier="graph", Engine="neptune")
    assert {one["Engine"] for one in rds.describe_db_clusters()["DBClusters"]} == {
        "aurora-postgresql",
        "neptune",
    }


def test_clusters_and_instances_of_one_account_and_region_stay_there(local: LocalAws, rds: Any):
    a_cluster(rds)
    an_instance(rds)
    elsewhere = local.client("rds", "eu-west-1")
    assert elsewhere.describe_db_clusters()["DBClusters"] == []
    assert elsewhere.describe_db_instances()["DBInstances"] == []


@corrects("cluster-enhanced-monitoring")
def test_enhanced_monitoring_is_set_at_a_multi_az_db_cluster_for_all_of_it_and_not_at_aurora(rds: Any):
    role = "arn:aws:iam::123456789012:role/rds-monitoring-role"
    multi_az = {
        "Engine": "mysql",
        "EngineVersion": "8.4.3",
        "DBClusterInstanceClass": "db.m6gd.large",
        "AllocatedStorage": 100,
        "StorageType": "io1",
        "Iops": 1000,
    }
    a_cluster(rds, "reports", **multi_az)
    a_cluster(rds)
    for name in ("reports", "orders"):
        rds.modify_db_cluster(DBClusterIdentifier=name, MonitoringInterval=30, MonitoringRoleArn=role)
    assert the_cluster(rds, "reports")["MonitoringInterval"] == 30
    assert "MonitoringInterval" not in the_cluster(rds)
    members = rds.describe_db_instances()["DBInstances"]
    assert {(one["MonitoringInterval"], one["MonitoringRoleArn"]) for one in members} == {(30, role)}


@corrects("backtracking-of-aurora-mysql")
def test_a_cluster_is_backtracked_from_its_creation_on_or_never(rds: Any):
    mysql = {"Engine": "aurora-mysql", "EngineVersion": "8.0.mysql_aurora.3.08.0"}
    a_cluster(rds, "rewound", BacktrackWindow=86400, **mysql)
    for seconds in (3600, 0, 7200):
        rds.modify_db_cluster(DBClusterIdentifier="rewound", BacktrackWindow=seconds)
        assert the_cluster(rds, "rewound").get("BacktrackWindow", 0) == seconds
    a_cluster(rds, "never", **mysql)
    a_cluster(rds, "postgresql")
    for name in ("never", "postgresql"):
        refused(
            "InvalidParameterCombination",
            rds.modify_db_cluster,
            DBClusterIdentifier=name,
            BacktrackWindow=3600,
        )
        assert "BacktrackWindow" not in the_cluster(rds, name)
