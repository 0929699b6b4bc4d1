from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from local_rds import a_cluster, a_member, an_instance, corrects, refused, the_cluster, the_instance

if TYPE_CHECKING:
    from console.local.aws import LocalAws
    from console.local.clock import MovableClock


def modify(rds: Any, name: str = "reports", **settings: Any) -> dict[str, Any]:
    answer: dict[str, Any] = rds.modify_db_instance(DBInstanceIdentifier=name, **settings)["DBInstance"]
    return answer


@corrects("instance-resource-ids-differ")
def test_every_instance_has_an_id_of_its_own_by_which_it_is_found(rds: Any):
    first, second = an_instance(rds), an_instance(rds, "billing")
    assert first["DbiResourceId"] != second["DbiResourceId"]
    found = rds.describe_db_instances(
        Filters=[{"Name": "dbi-resource-id", "Values": [second["DbiResourceId"]]}]
    )
    assert [one["DBInstanceIdentifier"] for one in found["DBInstances"]] == ["billing"]


@corrects("public-by-default")
def test_aurora_is_private_and_everything_else_public_unless_asked(rds: Any):
    a_cluster(rds)
    assert a_member(rds, "orders-1")["PubliclyAccessible"] is False
    assert an_instance(rds)["PubliclyAccessible"] is True
    assert an_instance(rds, "billing", PubliclyAccessible=False)["PubliclyAccessible"] is False


@corrects("members-follow-their-cluster")
def test_a_member_shows_what_its_cluster_has(rds: Any):
    a_cluster(
        rds, Port=6543, EnableIAMDatabaseAuthentication=True, EnableCloudwatchLogsExports=["postgresql"]
    )
    member = a_member(rds, "orders-1")
    assert member["Endpoint"]["Port"] == 6543
    assert member["IAMDatabaseAuthenticationEnabled"] is True
    assert member["EnabledCloudwatchLogsExports"] == ["postgresql"]
    rds.modify_db_cluster(DBClusterIdentifier="orders", BackupRetentionPeriod=14, ApplyImmediately=True)
    assert the_instance(rds, "orders-1")["BackupRetentionPeriod"] == 14


@pytest.mark.parametrize(
    "setting",
    [
        {"DeletionProtection": True},
        {"BackupRetentionPeriod": 7},
        {"EnableCloudwatchLogsExports": ["postgresql"]},
    ],
)
@corrects("members-are-not-set-apart")
def test_a_new_member_cannot_be_given_what_its_cluster_has(rds: Any, setting: dict[str, Any]):
    a_cluster(rds)
    with pytest.raises(ClientError, match="will be a member of a DB Cluster"):
        a_member(rds, "orders-1", **setting)
    assert the_cluster(rds)["DBClusterMembers"] == []


@corrects("members-are-spread")
def test_members_stand_in_different_zones(rds: Any):
    a_cluster(rds)
    zones = {a_member(rds, f"orders-{number}")["AvailabilityZone"] for number in (1, 2, 3)}
    assert len(zones) == 3
    assert the_cluster(rds)["MultiAZ"] is True


@corrects("final-snapshot", "members-are-not-protected")
def test_a_stand_alone_instance_says_what_becomes_of_its_data_and_a_member_has_none(rds: Any):
    an_instance(rds)
    refused("InvalidParameterCombination", rds.delete_db_instance, DBInstanceIdentifier="reports")
    rds.delete_db_instance(DBInstanceIdentifier="reports", FinalDBSnapshotIdentifier="last-words")
    left = rds.describe_db_snapshots()["DBSnapshots"]
    assert [one["DBSnapshotIdentifier"] for one in left] == ["last-words"]
    a_cluster(rds, DeletionProtection=True)
    a_member(rds, "orders-1")
    rds.delete_db_instance(DBInstanceIdentifier="orders-1")
    assert the_cluster(rds)["DBClusterMembers"] == []


@corrects("enhanced-monitoring-arn")
def test_enhanced_monitoring_says_where_it_writes(rds: Any):
    assert "EnhancedMonitoringResourceArn" not in an_instance(rds)
    refused(
        "InvalidParameterCombination",
        rds.modify_db_instance,
        DBInstanceIdentifier="reports",
        MonitoringInterval=60,
    )
    modify(rds, MonitoringInterval=60, MonitoringRoleArn="arn:aws:iam::123456789012:role/monitoring")
    instance = the_instance(rds, "reports")
    assert instance["EnhancedMonitoringResourceArn"].endswith(f":log-stream:{instance['DbiResourceId']}")


@corrects("public-access-never-waits")
def test_public_access_ends_at_once_without_asking_for_it(rds: Any):
    an_instance(rds)
    answer = modify(rds, PubliclyAccessible=False)
    assert answer["PubliclyAccessible"] is False
    assert answer["PendingModifiedValues"] == {}
    a_cluster(rds)
    a_member(rds, "orders-1", PubliclyAccessible=True)
    modify(rds, "orders-1", PubliclyAccessible=False)
    assert the_instance(rds, "orders-1")["PubliclyAccessible"] is False


@corrects("instance-log-exports-never-wait")
def test_log_exports_of_an_instance_never_wait(rds: Any):
    an_instance(rds)
    answer = modify(rds, CloudwatchLogsExportConfiguration={"EnableLogTypes": ["postgresql", "upgrade"]})
    assert answer["PendingModifiedValues"] == {
        "PendingCloudwatchLogsExports": {"LogTypesToEnable": ["postgresql", "upgrade"]}
    }
    assert the_instance(rds, "reports")["EnabledCloudwatchLogsExports"] == ["postgresql", "upgrade"]
    refused(
        "InvalidParameterCombination",
        rds.modify_db_instance,
        DBInstanceIdentifier="reports",
        CloudwatchLogsExportConfiguration={"EnableLogTypes": ["audit"]},
    )


@corrects("instance-backup-retention")
def test_one_retention_follows_another_by_itself(rds: Any):
    an_instance(rds, BackupRetentionPeriod=1)
    modify(rds, BackupRetentionPeriod=35)
    assert the_instance(rds, "reports")["BackupRetentionPeriod"] == 35
    refused(
        "InvalidParameterValue",
        rds.modify_db_instance,
        DBInstanceIdentifier="reports",
        BackupRetentionPeriod=36,
    )


@corrects("backups-on-and-off-wait")
def test_backups_go_on_in_the_window_unless_asked_at_once(local: LocalAws, rds: Any):
    an_instance(rds, BackupRetentionPeriod=0)
    answer = modify(rds, BackupRetentionPeriod=7)
    assert answer["PendingModifiedValues"] == {"BackupRetentionPeriod": 7}
    assert the_instance(rds, "reports")["BackupRetentionPeriod"] == 0
    local.rds.maintenance_window(answer["DBInstanceArn"])
    assert the_instance(rds, "reports")["BackupRetentionPeriod"] == 7
    modify(rds, BackupRetentionPeriod=0, ApplyImmediately=True)
    assert the_instance(rds, "reports")["BackupRetentionPeriod"] == 0


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        ({"BackupRetentionPeriod": 7}, "backup retention"),
        ({"DeletionProtection": True}, "deletion protection"),
        ({"EnableIAMDatabaseAuthentication": True}, "IAM database authentication"),
        (
            {"CloudwatchLogsExportConfiguration": {"EnableLogTypes": ["postgresql"]}},
            "CloudWatch Logs exports",
        ),
        ({"VpcSecurityGroupIds": ["sg-1"]}, "vpc security group"),
    ],
)
@corrects(
    "the-cluster-manages-retention",
    "the-cluster-manages-protection",
    "the-cluster-manages-iam",
    "the-cluster-manages-log-exports",
)
def test_a_member_is_not_given_what_its_cluster_manages(rds: Any, setting: dict[str, Any], what: str):
    a_cluster(rds)
    before = a_member(rds, "orders-1")
    said = refused(
        "InvalidParameterCombination",
        rds.modify_db_instance,
        DBInstanceIdentifier="orders-1",
        PubliclyAccessible=True,
        **setting,
    )
    assert said == (
        f"The specified DB Instance is a member of a cluster. Modify {what} for the DB Cluster using the"
        " ModifyDbCluster API"
    )
    assert the_instance(rds, "orders-1") == before


@corrects("the-cluster-copies-tags")
def test_copying_tags_has_no_effect_on_a_member(rds: Any):
    a_cluster(rds)
    a_member(rds, "orders-1")
    modify(rds, "orders-1", CopyTagsToSnapshot=True)
    assert the_instance(rds, "orders-1")["CopyTagsToSnapshot"] is False
    assert the_cluster(rds)["CopyTagsToSnapshot"] is False


@corrects("multi-az-members-are-left-alone")
def test_a_member_of_a_multi_az_db_cluster_is_not_modified(rds: Any):
    cluster = a_cluster(
        rds,
        Engine="mysql",
        EngineVersion="8.0.40",
        DBClusterInstanceClass="db.m6gd.large",
        AllocatedStorage=100,
        StorageType="io1",
        Iops=1000,
    )
    member = cluster["DBClusterMembers"][0]["DBInstanceIdentifier"]
    refused(
        "InvalidParameterCombination",
        rds.modify_db_instance,
        DBInstanceIdentifier=member,
        PubliclyAccessible=False,
    )


@corrects("instance-changes-wait")
def test_a_new_class_waits_and_an_immediate_change_flushes_it(rds: Any):
    an_instance(rds)
    assert modify(rds, DBInstanceClass="db.r6g.xlarge")["PendingModifiedValues"] == {
        "DBInstanceClass": "db.r6g.xlarge"
    }
    assert the_instance(rds, "reports")["DBInstanceClass"] == "db.r6g.large"
    modify(rds, MultiAZ=True, ApplyImmediately=True)
    instance = the_instance(rds, "reports")
    assert (instance["DBInstanceClass"], instance["MultiAZ"]) == ("db.r6g.xlarge", True)
    assert instance["PendingModifiedValues"] == {}


@corrects("busy-instances-refuse")
def test_a_busy_instance_refuses_until_the_clock_passes(local: LocalAws, rds: Any, clock: MovableClock):
    arn = an_instance(rds)["DBInstanceArn"]
    local.rds.hold(arn, status="backing-up", seconds=30)
    assert the_instance(rds, "reports")["DBInstanceStatus"] == "backing-up"
    said = refused(
        "InvalidDBInstanceState",
        rds.modify_db_instance,
        DBInstanceIdentifier="reports",
        PubliclyAccessible=False,
    )
    assert said == "Database instance is not in available state."
    clock.advance(30)
    assert modify(rds, PubliclyAccessible=False)["PubliclyAccessible"] is False


def test_a_missing_instance_is_not_found(rds: Any):
    refused(
        "DBInstanceNotFound", rds.modify_db_instance, DBInstanceIdentifier="nobody", PubliclyAccessible=False
    )
    with pytest.raises(rds.exceptions.DBInstanceNotFoundFault):
        rds.describe_db_instances(DBInstanceIdentifier="nobody")


@corrects("instance-groups-wait-for-a-reboot")
def test_a_newly_attached_group_waits_for_a_reboot(rds: Any):
    an_instance(rds)
    rds.create_db_parameter_group(
        DBParameterGroupName="strict", DBParameterGroupFamily="postgres16", Description="s"
    )
    modify(rds, DBParameterGroupName="strict")
    group = {"DBParameterGroupName": "strict", "ParameterApplyStatus": "pending-reboot"}
    assert the_instance(rds, "reports")["DBParameterGroups"] == [group]
    rds.reboot_db_instance(DBInstanceIdentifier="reports")
    assert the_instance(rds, "reports")["DBParameterGroups"] == [group | {"ParameterApplyStatus": "in-sync"}]


def test_a_renamed_instance_keeps_its_id(rds: Any):
    before = an_instance(rds)["DbiResourceId"]
    modify(rds, NewDBInstanceIdentifier="Archive", ApplyImmediately=True)
    assert the_instance(rds, "archive")["DbiResourceId"] == before
    refused("DBInstanceNotFound", rds.describe_db_instances, DBInstanceIdentifier="reports")


def test_a_stopped_instance_starts_again(rds: Any):
    an_instance(rds)
    rds.stop_db_instance(DBInstanceIdentifier="reports")
    assert the_instance(rds, "reports")["DBInstanceStatus"] == "stopped"
    refused(
        "InvalidDBInstanceState",
        rds.modify_db_instance,
        DBInstanceIdentifier="reports",
        PubliclyAccessible=False,
    )
    rds.start_db_instance(DBInstanceIdentifier="reports")
    assert the_instance(rds, "reports")["DBInstanceStatus"] == "available"
    a_cluster(rds)
    a_member(rds, "orders-1")
    refused("InvalidDBClusterStateFault", rds.stop_db_instance, DBInstanceIdentifier="orders-1")


def test_a_cluster_of_its_own_account_and_engine_is_what_a_member_needs(rds: Any):
    with pytest.raises(ClientError, match="DBClusterNotFoundFault"):
        a_member(rds, "orders-1")
    a_cluster(rds)
    with pytest.raises(ClientError, match="doesn't match"):
        a_member(rds, "orders-1", Engine="aurora-mysql")
    with pytest.raises(ClientError, match="DBClusterIdentifier must be provided"):
        an_instance(rds, Engine="aurora-postgresql")


@corrects("certificates-end")
def test_a_certificate_is_valid_for_a_year_and_renewed_at_half_of_it(
    local: LocalAws, rds: Any, clock: MovableClock
) -> None:
    born = an_instance(rds)["CertificateDetails"]
    assert born["CAIdentifier"] == "rds-ca-rsa2048-g1"
    assert timedelta(days=364) < born["ValidTill"] - clock.now() <= timedelta(days=365)
    clock.advance(170 * 86_400)
    assert the_instance(rds, "reports")["CertificateDetails"] == born
    clock.advance(20 * 86_400)
    renewed = the_instance(rds, "reports")["CertificateDetails"]
    assert renewed["ValidTill"] - born["ValidTill"] == timedelta(days=182.5)
    modify(rds, CACertificateIdentifier="rds-ca-ecc384-g1")
    assert the_instance(rds, "reports")["CertificateDetails"] == renewed
    local.rds.maintenance_window()
    changed = the_instance(rds, "reports")["CertificateDetails"]
    assert changed["CAIdentifier"] == "rds-ca-ecc384-g1"
    assert timedelta(days=364) < changed["ValidTill"] - clock.now() <= timedelta(days=365)
