from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from local_rds import a_cluster, a_member, an_instance, corrects, refused, the_cluster, the_instance

if TYPE_CHECKING:
    from console.local.aws import LocalAws
    from console.local.clock import MovableClock


def a_key(local: LocalAws, region: str = "us-east-1", alias: str | None = None) -> str:
    kms = local.client("kms", region)
    key = kms.create_key()["KeyMetadata"]
    if alias:
        kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    return str(key["Arn"])


def a_snapshot(rds: Any, name: str = "before", cluster: str = "orders", **settings: Any) -> dict[str, Any]:
    rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier=cluster, **settings)
    return the_snapshot(rds, name)


def the_snapshot(rds: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)[
        "DBClusterSnapshots"
    ][0]
    return found


def an_instance_snapshot(
    rds: Any, name: str = "before", instance: str = "reports", **settings: Any
) -> dict[str, Any]:
    rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier=instance, **settings)
    found: dict[str, Any] = rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]
    return found


@corrects("encryption-type", "aws-owned-key-by-default", "key-only-if-encrypted")
def test_a_new_cluster_is_encrypted_with_a_key_that_nobody_sees(rds: Any):
    cluster = a_cluster(rds)
    assert (cluster["StorageEncrypted"], cluster["StorageEncryptionType"]) == (False, "sse-rds")
    assert "KmsKeyId" not in cluster
    member = a_member(rds, "orders-1")
    assert (member["StorageEncrypted"], member["StorageEncryptionType"]) == (False, "sse-rds")
    snapshot = a_snapshot(rds)
    assert (snapshot["StorageEncrypted"], snapshot["StorageEncryptionType"]) == (False, "sse-rds")


@corrects("default-key-of-the-account")
def test_encryption_without_a_key_takes_the_accounts_default_which_aws_manages(local: LocalAws, rds: Any):
    cluster = a_cluster(rds, StorageEncrypted=True)
    assert (cluster["StorageEncrypted"], cluster["StorageEncryptionType"]) == (True, "sse-kms")
    key = local.client("kms").describe_key(KeyId=cluster["KmsKeyId"])["KeyMetadata"]
    assert key["KeyManager"] == "AWS"


def test_a_key_of_ones_own_may_be_named_by_its_alias(local: LocalAws, rds: Any):
    key = a_key(local, alias="alias/databases")
    assert a_cluster(rds, StorageEncrypted=True, KmsKeyId="alias/databases")["KmsKeyId"] == key
    assert local.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyManager"] == "CUSTOMER"


@corrects("unusable-keys-refused")
def test_a_key_that_is_missing_disabled_or_elsewhere_is_refused(local: LocalAws, rds: Any):
    disabled = a_key(local)
    local.client("kms").disable_key(KeyId=disabled.rpartition("/")[2])
    for key in (
        "alias/nothing",
        "arn:aws:kms:us-east-1:123456789012:key/none",
        disabled,
        a_key(local, "eu-west-1"),
    ):
        with pytest.raises(ClientError, match="KMSKeyNotAccessibleFault"):
            a_cluster(rds, StorageEncrypted=True, KmsKeyId=key)


@corrects("instances-unencrypted-by-default")
def test_a_stand_alone_instance_is_not_encrypted_unless_asked(rds: Any):
    assert an_instance(rds)["StorageEncryptionType"] == "none"
    instance = an_instance(rds, "billing", StorageEncrypted=True)
    assert (instance["StorageEncrypted"], instance["StorageEncryptionType"]) == (True, "sse-kms")


def test_a_cluster_from_before_encryption_was_the_default_stays_as_it_was(local: LocalAws, rds: Any):
    local.rds.create_legacy_unencrypted("orders", EngineVersion="11.9")
    cluster = the_cluster(rds)
    assert (cluster["StorageEncryptionType"], cluster["EngineVersion"]) == ("none", "11.9")
    assert a_member(rds, "orders-1")["StorageEncryptionType"] == "none"
    assert a_snapshot(rds)["StorageEncryptionType"] == "none"
    assert next(event["detail"].get("eventName") for event in local.events) == "CreateDBInstance"


@corrects("no-encryption-by-copying-a-cluster-snapshot")
def test_an_unencrypted_cluster_snapshot_is_not_encrypted_by_copying(local: LocalAws, rds: Any):
    local.rds.create_legacy_unencrypted("orders")
    a_snapshot(rds)
    refused(
        "InvalidParameterCombination",
        rds.copy_db_cluster_snapshot,
        SourceDBClusterSnapshotIdentifier="before",
        TargetDBClusterSnapshotIdentifier="after",
        KmsKeyId=a_key(local),
    )
    refused(
        "DBClusterSnapshotNotFoundFault",
        rds.describe_db_cluster_snapshots,
        DBClusterSnapshotIdentifier="after",
    )


@corrects("copies-keep-their-key")
def test_a_copied_cluster_snapshot_keeps_its_key_or_takes_a_new_one(local: LocalAws, rds: Any):
    first, second = a_key(local), a_key(local)
    source = a_snapshot(
        rds, cluster=a_cluster(rds, StorageEncrypted=True, KmsKeyId=first)["DBClusterIdentifier"]
    )
    for name, asked, expected in (("same", {}, first), ("other", {"KmsKeyId": second}, second)):
        answer = rds.copy_db_cluster_snapshot(
            SourceDBClusterSnapshotIdentifier="before", TargetDBClusterSnapshotIdentifier=name, **asked
        )["DBClusterSnapshot"]
        assert answer["Status"] == "copying"
        copied = the_snapshot(rds, name)
        assert (copied["KmsKeyId"], copied["StorageEncryptionType"]) == (expected, "sse-kms")
        assert copied["SourceDBClusterSnapshotArn"] == source["DBClusterSnapshotArn"]
        assert copied["Status"] == "available"


@corrects("encryption-by-copying-a-snapshot")
def test_an_instance_snapshot_is_encrypted_by_copying(local: LocalAws, rds: Any):
    an_instance(rds)
    assert an_instance_snapshot(rds)["StorageEncryptionType"] == "none"
    key = a_key(local, alias="alias/databases")
    rds.copy_db_snapshot(
        SourceDBSnapshotIdentifier="before", TargetDBSnapshotIdentifier="after", KmsKeyId="alias/databases"
    )
    copied = rds.describe_db_snapshots(DBSnapshotIdentifier="after")["DBSnapshots"][0]
    assert (copied["Encrypted"], copied["KmsKeyId"], copied["StorageEncryptionType"]) == (
        True,
        key,
        "sse-kms",
    )


@corrects("keys-stay-in-their-region")
def test_an_encrypted_copy_in_another_region_needs_a_key_of_that_region(local: LocalAws, rds: Any):
    an_instance(rds, StorageEncrypted=True, KmsKeyId=a_key(local))
    arn = an_instance_snapshot(rds)["DBSnapshotArn"]
    elsewhere = local.client("rds", "eu-west-1")
    copy = {"SourceDBSnapshotIdentifier": arn, "TargetDBSnapshotIdentifier": "after"}
    refused("InvalidParameterValue", elsewhere.copy_db_snapshot, **copy)
    elsewhere.copy_db_snapshot(**copy, KmsKeyId=a_key(local, "eu-west-1"))
    copied = elsewhere.describe_db_snapshots(DBSnapshotIdentifier="after")["DBSnapshots"][0]
    assert copied["SourceDBSnapshotIdentifier"] == arn
    assert copied["SourceRegion"] == "us-east-1"


@corrects("copies-of-available-snapshots")
def test_a_snapshot_that_is_being_made_can_be_neither_copied_shared_restored_nor_deleted(
    local: LocalAws, rds: Any
):
    a_cluster(rds)
    local.rds.hold(a_snapshot(rds)["DBClusterSnapshotArn"], status="creating", seconds=60)
    assert the_snapshot(rds, "before")["Status"] == "creating"
    fault = "InvalidDBClusterSnapshotStateFault"
    refused(fault, rds.delete_db_cluster_snapshot, DBClusterSnapshotIdentifier="before")
    refused(
        fault,
        rds.copy_db_cluster_snapshot,
        SourceDBClusterSnapshotIdentifier="before",
        TargetDBClusterSnapshotIdentifier="after",
    )
    refused(
        fault,
        rds.modify_db_cluster_snapshot_attribute,
        DBClusterSnapshotIdentifier="before",
        AttributeName="restore",
        ValuesToAdd=["210987654321"],
    )
    refused(
        fault,
        rds.restore_db_cluster_from_snapshot,
        DBClusterIdentifier="copy",
        SnapshotIdentifier="before",
        Engine="aurora-postgresql",
    )


@corrects("cluster-snapshots-of-available-clusters")
def test_a_snapshot_needs_a_cluster_at_rest(local: LocalAws, rds: Any):
    local.rds.hold(a_cluster(rds)["DBClusterArn"], status="modifying")
    with pytest.raises(ClientError, match="InvalidDBClusterStateFault"):
        a_snapshot(rds)


@corrects("snapshots-of-available-instances")
def test_a_member_has_no_snapshots_of_its_own_and_a_busy_instance_none_now(local: LocalAws, rds: Any):
    a_cluster(rds)
    a_member(rds, "orders-1")
    with pytest.raises(ClientError, match="CreateDBClusterSnapshot"):
        an_instance_snapshot(rds, instance="orders-1")
    assert rds.describe_db_snapshots()["DBSnapshots"] == []
    local.rds.hold(an_instance(rds)["DBInstanceArn"], status="modifying")
    with pytest.raises(ClientError, match="InvalidDBInstanceState"):
        an_instance_snapshot(rds)


@corrects("manual-snapshots-count")
def test_a_hundred_manual_snapshots_are_enough(rds: Any):
    a_cluster(rds)
    for number in range(100):
        rds.create_db_cluster_snapshot(
            DBClusterSnapshotIdentifier=f"s-{number}", DBClusterIdentifier="orders"
        )
    with pytest.raises(rds.exceptions.SnapshotQuotaExceededFault):
        a_snapshot(rds)
    rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="s-7")
    assert a_snapshot(rds)["SnapshotType"] == "manual"


@corrects("quotas-are-told")
def test_what_is_used_and_what_may_be_used_is_told(rds: Any):
    def told() -> dict[str, tuple[int, int]]:
        quotas = rds.describe_account_attributes()["AccountQuotas"]
        return {one["AccountQuotaName"]: (one["Used"], one["Max"]) for one in quotas}

    assert told()["DBClusters"] == (0, 40)
    a_cluster(rds)
    assert told()["ManualClusterSnapshots"] == (0, 100)
    a_snapshot(rds)
    assert told()["DBClusters"] == (1, 40)
    assert told()["ManualClusterSnapshots"] == (1, 100)
    assert told()["DBClusterParameterGroups"] == (0, 50)


@corrects("snapshots-keep-the-resource-id")
def test_a_snapshot_remembers_whose_it_is(rds: Any):
    cluster = a_cluster(rds, Tags=[{"Key": "env", "Value": "prod"}], CopyTagsToSnapshot=True)
    snapshot = a_snapshot(rds)
    assert snapshot["DbClusterResourceId"] == cluster["DbClusterResourceId"]
    assert snapshot["TagList"] == [{"Key": "env", "Value": "prod"}]
    assert a_snapshot(rds, "bare", Tags=[{"Key": "own", "Value": "1"}])["TagList"] == [
        {"Key": "own", "Value": "1"}
    ]


@corrects("automated-snapshots-by-type")
def test_an_automated_snapshot_is_found_by_its_name_and_its_type(rds: Any):
    a_cluster(rds)
    an_instance(rds)
    name = {"DBClusterSnapshotIdentifier": "rds:orders-2026-11-24-12-00"}
    refused("DBClusterSnapshotNotFoundFault", rds.describe_db_cluster_snapshots, **name)
    found = rds.describe_db_cluster_snapshots(**name, SnapshotType="automated")["DBClusterSnapshots"]
    assert [one["SnapshotType"] for one in found] == ["automated"]
    taken = rds.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"]
    assert [one["DbiResourceId"] for one in taken] == [the_instance(rds, "reports")["DbiResourceId"]]


@corrects("replicas-are-instances-of-their-own")
def test_a_read_replica_is_an_instance_of_its_own(rds: Any):
    source = an_instance(rds, StorageEncrypted=True, Tags=[{"Key": "env", "Value": "prod"}])
    rds.create_db_instance_read_replica(DBInstanceIdentifier="copy", SourceDBInstanceIdentifier="reports")
    replica = the_instance(rds, "copy")
    assert replica["DbiResourceId"] != source["DbiResourceId"]
    assert replica["ReadReplicaSourceDBInstanceIdentifier"] == "reports"
    assert (replica["BackupRetentionPeriod"], replica["KmsKeyId"]) == (0, source["KmsKeyId"])
    assert the_instance(rds, "reports")["ReadReplicaDBInstanceIdentifiers"] == ["copy"]
    rds.modify_db_instance(DBInstanceIdentifier="copy", DeletionProtection=True)
    assert the_instance(rds, "reports")["DeletionProtection"] is False
    refused(
        "InvalidParameterCombination",
        rds.modify_db_instance,
        DBInstanceIdentifier="reports",
        BackupRetentionPeriod=0,
    )


@corrects("only-manual-snapshots-deleted", "only-manual-snapshots-shared")
def test_automated_snapshots_are_neither_deleted_nor_shared(local: LocalAws, rds: Any, clock: MovableClock):
    a_cluster(rds)
    automated = rds.describe_db_cluster_snapshots(SnapshotType="automated")["DBClusterSnapshots"]
    name = automated[0]["DBClusterSnapshotIdentifier"]
    assert name == "rds:orders-2026-11-24-12-00"
    refused("InvalidParameterValue", rds.delete_db_cluster_snapshot, DBClusterSnapshotIdentifier=name)
    refused(
        "InvalidDBClusterSnapshotStateFault",
        rds.modify_db_cluster_snapshot_attribute,
        DBClusterSnapshotIdentifier=name,
        AttributeName="restore",
        ValuesToAdd=["210987654321"],
    )
    an_instance(rds)
    arn = rds.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"][0]["DBSnapshotArn"]
    refused(
        "InvalidDBSnapshotState",
        rds.modify_db_snapshot_attribute,
        DBSnapshotIdentifier=arn,
        AttributeName="restore",
        ValuesToAdd=["all"],
    )


def test_the_backup_window_brings_another_automated_snapshot(local: LocalAws, rds: Any, clock: MovableClock):
    arn = a_cluster(rds)["DBClusterArn"]
    clock.advance(24 * 3600)
    taken = local.rds.take_automated_snapshot(arn)
    assert taken.endswith(":cluster-snapshot:rds:orders-2026-11-25-12-00")
    assert len(rds.describe_db_cluster_snapshots(SnapshotType="automated")["DBClusterSnapshots"]) == 2


@corrects("encrypted-snapshots-stay-private")
def test_only_an_unencrypted_snapshot_can_be_made_public(local: LocalAws, rds: Any):
    local.rds.create_legacy_unencrypted("orders")
    a_snapshot(rds, "open")
    a_cluster(rds, "safe")
    a_cluster(rds, "safer", StorageEncrypted=True)
    public = {"AttributeName": "restore", "ValuesToAdd": ["all"]}
    rds.modify_db_cluster_snapshot_attribute(DBClusterSnapshotIdentifier="open", **public)
    assert attributes(rds, "open") == ["all"]
    for cluster in ("safe", "safer"):
        a_snapshot(rds, cluster, cluster=cluster)
        refused(
            "InvalidDBClusterSnapshotStateFault",
            rds.modify_db_cluster_snapshot_attribute,
            DBClusterSnapshotIdentifier=cluster,
            **public,
        )
        assert attributes(rds, cluster) == []


def attributes(rds: Any, name: str) -> list[str]:
    answer = rds.describe_db_cluster_snapshot_attributes(DBClusterSnapshotIdentifier=name)
    found = answer["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"]
    assert [one["AttributeName"] for one in found] == ["restore"]
    values: list[str] = found[0]["AttributeValues"]
    return values


@corrects("twenty-accounts")
def test_a_snapshot_is_shared_with_twenty_accounts_at_most(local: LocalAws, rds: Any):
    local.rds.create_legacy_unencrypted("orders")
    a_snapshot(rds)
    share = {"DBClusterSnapshotIdentifier": "before", "AttributeName": "restore"}
    accounts = [f"{number:012d}" for number in range(1, 21)]
    rds.modify_db_cluster_snapshot_attribute(**share, ValuesToAdd=[*accounts, "all"])
    rds.modify_db_cluster_snapshot_attribute(**share, ValuesToAdd=accounts[:3])
    refused(
        "SharedSnapshotQuotaExceeded",
        rds.modify_db_cluster_snapshot_attribute,
        **share,
        ValuesToAdd=["999999999999"],
    )
    assert attributes(rds, "before") == [*accounts, "all"]


@corrects("accounts-outlast-all")
def test_taking_all_away_leaves_the_accounts(local: LocalAws, rds: Any):
    local.rds.create_legacy_unencrypted("orders")
    a_snapshot(rds)
    share = {"DBClusterSnapshotIdentifier": "before", "AttributeName": "restore"}
    rds.modify_db_cluster_snapshot_attribute(**share, ValuesToAdd=["210987654321", "all"])
    answer = rds.modify_db_cluster_snapshot_attribute(**share, ValuesToRemove=["all"])
    assert answer["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"] == [
        {"AttributeName": "restore", "AttributeValues": ["210987654321"]}
    ]
    refused(
        "InvalidParameterCombination",
        rds.modify_db_cluster_snapshot_attribute,
        **share,
        ValuesToAdd=["all"],
        ValuesToRemove=["all"],
    )


def test_an_instance_snapshot_is_shared_and_unshared(rds: Any):
    an_instance(rds)
    an_instance_snapshot(rds)
    share = {"DBSnapshotIdentifier": "before", "AttributeName": "restore"}
    rds.modify_db_snapshot_attribute(**share, ValuesToAdd=["all", "210987654321"])
    answer = rds.modify_db_snapshot_attribute(**share, ValuesToRemove=["all", "210987654321"])
    assert answer["DBSnapshotAttributesResult"]["DBSnapshotAttributes"][0]["AttributeValues"] == []


@corrects("public-snapshots-listed-on-request")
def test_public_snapshots_are_listed_only_on_request(local: LocalAws, rds: Any):
    local.rds.create_legacy_unencrypted("orders")
    a_snapshot(rds)
    rds.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier="before", AttributeName="restore", ValuesToAdd=["all"]
    )
    listed = rds.describe_db_cluster_snapshots(SnapshotType="public")["DBClusterSnapshots"]
    assert [one["DBClusterSnapshotIdentifier"] for one in listed] == ["before"]
    assert rds.describe_db_cluster_snapshots(SnapshotType="shared")["DBClusterSnapshots"] == []
    refused("InvalidParameterValue", rds.describe_db_cluster_snapshots, SnapshotType="blurred")


@corrects("restores-encrypt", "restores-make-no-instances")
def test_an_unencrypted_cluster_snapshot_is_restored_into_an_encrypted_cluster(local: LocalAws, rds: Any):
    local.rds.create_legacy_unencrypted("orders", BackupRetentionPeriod=7, Port=6543)
    a_member(rds, "orders-1")
    a_snapshot(rds)
    key = a_key(local)
    answer = rds.restore_db_cluster_from_snapshot(
        DBClusterIdentifier="orders-encrypted",
        SnapshotIdentifier="before",
        Engine="aurora-postgresql",
        KmsKeyId=key,
    )["DBCluster"]
    assert answer["Status"] == "creating"
    cluster = the_cluster(rds, "orders-encrypted")
    assert (cluster["StorageEncryptionType"], cluster["KmsKeyId"]) == ("sse-kms", key)
    assert (cluster["BackupRetentionPeriod"], cluster["Port"]) == (7, 6543)
    assert cluster["DBClusterMembers"] == []
    taken = a_snapshot(rds, "encrypted", cluster="orders-encrypted")
    assert (taken["StorageEncryptionType"], taken["KmsKeyId"]) == ("sse-kms", key)


@corrects("restores-inherit-the-key", "restores-without-a-key")
def test_a_restore_without_a_key_is_as_its_snapshot_was(local: LocalAws, rds: Any):
    key = a_key(local)
    a_cluster(rds, StorageEncrypted=True, KmsKeyId=key)
    local.rds.create_legacy_unencrypted("old")
    for name in ("orders", "old"):
        a_snapshot(rds, f"of-{name}", cluster=name)
        rds.restore_db_cluster_from_snapshot(
            DBClusterIdentifier=f"{name}-again", SnapshotIdentifier=f"of-{name}", Engine="aurora-postgresql"
        )
    assert the_cluster(rds, "orders-again")["KmsKeyId"] == key
    assert the_cluster(rds, "old-again")["StorageEncryptionType"] == "none"


@corrects("restores-draw-windows")
def test_a_restored_cluster_has_windows_of_its_own_unless_one_is_asked_for(rds: Any):
    a_cluster(rds, PreferredBackupWindow="05:00-05:30", PreferredMaintenanceWindow="sun:06:00-sun:06:30")
    a_snapshot(rds)
    for name, asked in (("drawn", {}), ("asked", {"PreferredBackupWindow": "05:00-05:30"})):
        rds.restore_db_cluster_from_snapshot(
            DBClusterIdentifier=name, SnapshotIdentifier="before", Engine="aurora-postgresql", **asked
        )
    assert the_cluster(rds, "drawn")["PreferredBackupWindow"] != "05:00-05:30"
    assert the_cluster(rds, "drawn")["PreferredMaintenanceWindow"] != "sun:06:00-sun:06:30"
    assert the_cluster(rds, "asked")["PreferredBackupWindow"] == "05:00-05:30"


@corrects("restores-into-a-vpc")
def test_a_cluster_of_the_express_configuration_is_restored_into_a_vpc(rds: Any):
    rds.create_db_cluster(
        DBClusterIdentifier="trial", Engine="aurora-postgresql", WithExpressConfiguration=True
    )
    a_snapshot(rds, cluster="trial")
    asked = {
        "DBClusterIdentifier": "settled",
        "SnapshotIdentifier": "before",
        "Engine": "aurora-postgresql",
        "EnableVPCNetworking": True,
    }
    refused("InvalidParameterCombination", rds.restore_db_cluster_from_snapshot, **asked)
    asked["EnableInternetAccessGateway"] = False
    refused("InvalidParameterCombination", rds.restore_db_cluster_from_snapshot, **asked)
    rds.restore_db_cluster_from_snapshot(**asked, EnableIAMDatabaseAuthentication=True)
    cluster = the_cluster(rds, "settled")
    assert (cluster["VPCNetworkingEnabled"], cluster["InternetAccessGatewayEnabled"]) == (True, False)
    assert cluster["DBSubnetGroup"]


@corrects("restores-start-with-defaults")
def test_a_restored_cluster_starts_without_what_was_switched_on(rds: Any):
    a_cluster(
        rds,
        DeletionProtection=True,
        EnableIAMDatabaseAuthentication=True,
        EnableCloudwatchLogsExports=["postgresql"],
        CopyTagsToSnapshot=True,
        Tags=[{"Key": "env", "Value": "prod"}],
    )
    a_snapshot(rds)
    rds.restore_db_cluster_from_snapshot(
        DBClusterIdentifier="again", SnapshotIdentifier="before", Engine="aurora-postgresql"
    )
    cluster = the_cluster(rds, "again")
    assert cluster["DeletionProtection"] is False
    assert cluster["IAMDatabaseAuthenticationEnabled"] is False
    assert cluster["CopyTagsToSnapshot"] is False
    assert "EnabledCloudwatchLogsExports" not in cluster
    assert cluster["TagList"] == [{"Key": "env", "Value": "prod"}]
    rds.restore_db_cluster_from_snapshot(
        DBClusterIdentifier="anew",
        SnapshotIdentifier="before",
        Engine="aurora-postgresql",
        Tags=[{"Key": "temporary", "Value": "yes"}],
    )
    assert the_cluster(rds, "anew")["TagList"] == [{"Key": "temporary", "Value": "yes"}]


@corrects("points-in-time-keep-encryption")
def test_a_point_in_time_keeps_its_key_or_takes_a_new_one_and_never_gets_its_first(local: LocalAws, rds: Any):
    first, second = a_key(local), a_key(local)
    a_cluster(rds, StorageEncrypted=True, KmsKeyId=first)
    local.rds.create_legacy_unencrypted("old")
    latest = {"UseLatestRestorableTime": True}
    rds.restore_db_cluster_to_point_in_time(
        DBClusterIdentifier="a", SourceDBClusterIdentifier="orders", **latest
    )
    rds.restore_db_cluster_to_point_in_time(
        DBClusterIdentifier="b", SourceDBClusterIdentifier="orders", KmsKeyId=second, **latest
    )
    assert (the_cluster(rds, "a")["KmsKeyId"], the_cluster(rds, "b")["KmsKeyId"]) == (first, second)
    refused(
        "InvalidParameterCombination",
        rds.restore_db_cluster_to_point_in_time,
        DBClusterIdentifier="c",
        SourceDBClusterIdentifier="old",
        KmsKeyId=first,
        **latest,
    )


def test_a_deleted_clusters_retained_backup_is_restored_by_its_resource_id(rds: Any):
    wanted = a_cluster(rds)["DbClusterResourceId"]
    rds.delete_db_cluster(DBClusterIdentifier="orders", SkipFinalSnapshot=True, DeleteAutomatedBackups=False)
    rds.restore_db_cluster_to_point_in_time(
        DBClusterIdentifier="again", SourceDbClusterResourceId=wanted, UseLatestRestorableTime=True
    )
    assert the_cluster(rds, "again")["EngineVersion"] == "16.6"


def test_an_instance_is_restored_from_a_snapshot_and_from_a_point_in_time(rds: Any):
    an_instance(rds, StorageEncrypted=True, Tags=[{"Key": "env", "Value": "prod"}])
    an_instance_snapshot(rds)
    rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="again", DBSnapshotIdentifier="before")
    rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier="reports",
        TargetDBInstanceIdentifier="earlier",
        UseLatestRestorableTime=True,
    )
    for name in ("again", "earlier"):
        assert the_instance(rds, name)["StorageEncryptionType"] == "sse-kms"
        assert the_instance(rds, name)["DBInstanceClass"] == "db.r6g.large"
    assert the_instance(rds, "again")["TagList"] == [{"Key": "env", "Value": "prod"}]
