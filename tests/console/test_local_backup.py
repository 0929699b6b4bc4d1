"""What the local AWS answers for AWS Backup where moto does not, by the words of the API reference."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from local_rds import a_cluster, an_instance, plain, refused

if TYPE_CHECKING:
    from console.local.aws import LocalAws
    from console.local.clock import MovableClock

ROLE = "arn:aws:iam::123456789012:role/backup"


@cache
def _model() -> Any:
    return (
        botocore.session.get_session().get_component("data_loader").load_service_model("backup", "service-2")
    )


def says(operation: str, words: str) -> bool:
    return words in plain(_model()["operations"][operation]["documentation"])


@pytest.fixture
def backup(local: LocalAws) -> Any:
    return local.client("backup")


@pytest.fixture
def plan(backup: Any) -> str:
    rule = {"RuleName": "daily", "TargetBackupVaultName": "databases", "Lifecycle": {"DeleteAfterDays": 90}}
    made = backup.create_backup_plan(BackupPlan={"BackupPlanName": "nightly", "Rules": [rule]})
    return str(made["BackupPlanId"])


def selection(name: str = "databases", **more: Any) -> dict[str, Any]:
    return {"SelectionName": name, "IamRoleArn": ROLE, **more}


def test_a_selection_is_listed_without_what_it_selects_and_got_with_it(backup: Any, plan: str):
    assert says("ListBackupSelections", "metadata of the resources associated with the target backup plan")
    given = selection(
        Resources=["arn:aws:rds:*:*:cluster:*"],
        Conditions={"StringEquals": [{"ConditionKey": "aws:ResourceTag/backup", "ConditionValue": "yes"}]},
    )
    made = backup.create_backup_selection(BackupPlanId=plan, BackupSelection=given)
    (listed,) = backup.list_backup_selections(BackupPlanId=plan)["BackupSelectionsList"]
    assert (listed["SelectionId"], listed["SelectionName"]) == (made["SelectionId"], "databases")
    assert "BackupSelection" not in listed
    got = backup.get_backup_selection(BackupPlanId=plan, SelectionId=made["SelectionId"])
    assert got["BackupSelection"] == given


def test_a_selection_that_was_deleted_is_gone_and_so_are_those_of_a_deleted_plan(backup: Any, plan: str):
    made = backup.create_backup_selection(BackupPlanId=plan, BackupSelection=selection())
    backup.delete_backup_selection(BackupPlanId=plan, SelectionId=made["SelectionId"])
    assert backup.list_backup_selections(BackupPlanId=plan)["BackupSelectionsList"] == []
    of_it = {"BackupPlanId": plan, "SelectionId": made["SelectionId"]}
    refused("ResourceNotFoundException", backup.get_backup_selection, **of_it)
    assert says("ListBackupPlans", "Lists the active backup plans for the account.")
    backup.delete_backup_plan(BackupPlanId=plan)
    assert backup.list_backup_plans()["BackupPlansList"] == []
    refused("ResourceNotFoundException", backup.list_backup_selections, BackupPlanId=plan)


def test_more_patterns_than_aws_takes_are_refused(backup: Any, plan: str):
    shape = _model()["shapes"]["BackupSelection"]["members"]["Resources"]
    assert "500 without wildcards, or 30 ARNs with wildcards" in plain(shape["documentation"])
    many = [f"arn:aws:rds:*:*:cluster:orders-{number}-*" for number in range(31)]
    refused(
        "InvalidParameterValueException",
        backup.create_backup_selection,
        BackupPlanId=plan,
        BackupSelection=selection(Resources=many),
    )


def test_a_service_is_opted_out_of_in_one_region_alone(local: LocalAws, backup: Any):
    assert says("DescribeRegionSettings", "Returns the current service opt-in settings for the Region.")
    backup.update_region_settings(ResourceTypeOptInPreference={"Aurora": False})
    assert backup.describe_region_settings()["ResourceTypeOptInPreference"]["Aurora"] is False
    assert backup.describe_region_settings()["ResourceTypeOptInPreference"]["RDS"] is True
    elsewhere = local.client("backup", "eu-central-1").describe_region_settings()
    assert elsewhere["ResourceTypeOptInPreference"]["Aurora"] is True


def test_a_job_makes_a_recovery_point_that_is_encrypted_as_the_database_is(
    local: LocalAws, clock: MovableClock, rds: Any, backup: Any
):
    backup.create_backup_vault(BackupVaultName="databases")
    cluster = a_cluster(rds, StorageEncrypted=True)["DBClusterArn"]
    legacy = local.rds.create_legacy_unencrypted("old")
    instance = an_instance(rds, StorageEncrypted=True)["DBInstanceArn"]
    for arn in (cluster, instance, cluster.replace(":orders", ":old")):
        backup.start_backup_job(BackupVaultName="databases", ResourceArn=arn, IamRoleArn=ROLE)
    assert legacy
    found = backup.list_recovery_points_by_backup_vault(BackupVaultName="databases")["RecoveryPoints"]
    assert [(one["ResourceType"], one["IsEncrypted"], one["Status"]) for one in found] == [
        ("Aurora", True, "COMPLETED"),
        ("RDS", True, "COMPLETED"),
        ("Aurora", False, "COMPLETED"),
    ]
    assert {one["CreationDate"] for one in found} == {clock.now()}
    refused(
        "InvalidParameterValueException",
        backup.start_backup_job,
        BackupVaultName="databases",
        ResourceArn=cluster.replace(":orders", ":nothing"),
        IamRoleArn=ROLE,
    )


def test_recovery_points_are_listed_by_resource_by_type_and_by_age(
    clock: MovableClock, rds: Any, backup: Any
):
    backup.create_backup_vault(BackupVaultName="databases")
    cluster, instance = a_cluster(rds)["DBClusterArn"], an_instance(rds)["DBInstanceArn"]
    before = clock.now()
    for arn in (cluster, instance):
        backup.start_backup_job(BackupVaultName="databases", ResourceArn=arn, IamRoleArn=ROLE)
        clock.advance(3600)

    def listed(**which: Any) -> list[str]:
        answer = backup.list_recovery_points_by_backup_vault(BackupVaultName="databases", **which)
        return [point["ResourceArn"] for point in answer["RecoveryPoints"]]

    assert listed(ByResourceArn=instance) == listed(ByResourceType="RDS") == [instance]
    assert listed(ByResourceType="Aurora") == [cluster]
    assert listed(ByCreatedAfter=before) == [instance]
    assert says("ListRecoveryPointsByBackupVault", "stored in a backup vault")
    refused("ResourceNotFoundException", backup.list_recovery_points_by_backup_vault, BackupVaultName="none")


def test_a_recovery_point_in_a_locked_vault_cannot_be_deleted(rds: Any, backup: Any):
    lock = _model()["shapes"]["DescribeBackupVaultOutput"]["members"]["Locked"]
    assert "causes delete or update operations on the recovery points" in plain(lock["documentation"])
    backup.create_backup_vault(BackupVaultName="databases")
    arn = a_cluster(rds)["DBClusterArn"]
    points = [
        backup.start_backup_job(BackupVaultName="databases", ResourceArn=arn, IamRoleArn=ROLE)[
            "RecoveryPointArn"
        ]
        for _ in range(2)
    ]
    backup.delete_recovery_point(BackupVaultName="databases", RecoveryPointArn=points[0])
    backup.put_backup_vault_lock_configuration(BackupVaultName="databases")
    assert backup.list_backup_vaults()["BackupVaultList"][0]["Locked"] is True
    refused(
        "InvalidRequestException",
        backup.delete_recovery_point,
        BackupVaultName="databases",
        RecoveryPointArn=points[1],
    )
    left = backup.list_recovery_points_by_backup_vault(BackupVaultName="databases")["RecoveryPoints"]
    assert [point["RecoveryPointArn"] for point in left] == [points[1]]
