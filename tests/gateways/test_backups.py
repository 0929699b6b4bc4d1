"""Backups of databases on the local AWS: the window of recovery, plans and recovery points, read and judged."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from console.local.clock import MovableClock
from gateways.estate import REGION, Estate
from warden.core.control import ComplianceType
from warden.core.errors import GuardError
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import ResourceRef, ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterator

# Real reads and writes of thirty estates and more; what they prove is in the examples of the controls too.
pytestmark = pytest.mark.slow

COMPLIANT, NON_COMPLIANT = ComplianceType.COMPLIANT, ComplianceType.NON_COMPLIANT
UNKNOWN, NOT_APPLICABLE = ComplianceType.INSUFFICIENT_DATA, ComplianceType.NOT_APPLICABLE
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
CLUSTER, INSTANCE = "cluster_recoverable_to_now", "instance_recoverable_to_now"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(NOON)


@pytest.fixture
def estate(clock: MovableClock) -> Iterator[Estate]:
    """A cluster and an instance that were made two days ago."""
    login = {"MasterUsername": "steward", "MasterUserPassword": "correct-horse-battery"}
    with Estate(clock=clock) as made:
        rds = made.client("rds")
        rds.create_db_cluster(
            DBClusterIdentifier="orders",
            Engine="aurora-postgresql",
            EngineVersion="16.6",
            StorageEncrypted=True,
            **login,
        )
        rds.create_db_instance(
            DBInstanceIdentifier="billing",
            Engine="postgres",
            DBInstanceClass="db.m6g.large",
            AllocatedStorage=20,
            StorageEncrypted=True,
            BackupRetentionPeriod=7,
            **login,
        )
        made.aws.rds.settle()
        clock.advance(2 * 86_400)
        yield made


def arn(estate: Estate, name: str = "orders") -> str:
    kind = {"orders": "cluster", "billing": "db"}[name]
    return f"arn:aws:rds:{REGION}:{estate.aws.account}:{kind}:{name}"


def behind(estate: Estate, name: str, **by: float) -> None:
    latest = estate.aws.clock.now() - timedelta(**by)
    estate.aws.rds.overlay(arn(estate, name), LatestRestorableTime=latest.isoformat())


@pytest.mark.parametrize(("control", "name"), [(CLUSTER, "orders"), (INSTANCE, "billing")])
def test_a_window_that_stopped_to_move_is_found_once_nothing_excuses_it(
    estate: Estate, control: str, name: str
) -> None:
    assert estate.judged(control, arn(estate, name)).compliance is COMPLIANT
    behind(estate, name, minutes=90)
    found = estate.judged(control, arn(estate, name))
    assert found.compliance is NON_COMPLIANT
    assert found.annotation.endswith("1 h 30 min ago; the policy accepts 30 minutes.")
    assert estate.judged(control, arn(estate, name), maximum_minutes=120).compliance is COMPLIANT
    told = estate.planned(control, arn(estate, name))
    assert isinstance(told, Manual)
    assert told.steps[0].split()[2] == "describe-events"


def test_an_instance_that_was_stopped_for_the_night_is_no_finding_in_the_morning(
    estate: Estate, clock: MovableClock
) -> None:
    rds = estate.client("rds")
    rds.stop_db_instance(DBInstanceIdentifier="billing")
    clock.advance(10 * 3600)
    behind(estate, "billing", hours=10)
    assert estate.judged(INSTANCE, arn(estate, "billing")).compliance is NOT_APPLICABLE
    rds.start_db_instance(DBInstanceIdentifier="billing")
    found = estate.judged(INSTANCE, arn(estate, "billing"))
    assert found.compliance is UNKNOWN
    assert found.annotation.endswith("RDS reported within the last hour: DB instance started.")
    # Had it been for another reason, it would be one an hour later.
    clock.advance(3601)
    assert estate.judged(INSTANCE, arn(estate, "billing")).compliance is NON_COMPLIANT


def test_a_database_that_was_just_made_is_not_judged(estate: Estate, clock: MovableClock) -> None:
    estate.aws.rds.overlay(arn(estate), ClusterCreateTime=clock.now().isoformat(), LatestRestorableTime=None)
    assert estate.judged(CLUSTER, arn(estate)).compliance is NOT_APPLICABLE


def test_events_are_read_once_for_a_sweep_and_by_name_for_an_event(estate: Estate) -> None:
    def reads() -> list[dict[str, Any]]:
        return [call.parameters for call in estate.aws.calls if call.operation == "DescribeEvents"]

    for kind in (ResourceType.DB_CLUSTER, ResourceType.DB_INSTANCE):
        reader = estate.reader(bulk=True)
        assert (
            len([*reader.list(kind, (Need.RECENT_EVENTS,)), *reader.list(kind, (Need.RECENT_EVENTS,))]) == 2
        )
    assert reads() == [{"SourceType": kind, "Duration": 60} for kind in ("db-cluster", "db-instance")]
    estate.aws.calls.clear()
    estate.reader().read(ResourceRef.from_arn(arn(estate)), (Need.RECENT_EVENTS,))
    assert reads() == [{"SourceType": "db-cluster", "SourceIdentifier": "orders", "Duration": 60}]


def test_events_that_may_not_be_read_excuse_nothing_and_accuse_nobody(estate: Estate) -> None:
    estate.aws.faults.deny("rds:DescribeEvents")
    assert estate.judged(CLUSTER, arn(estate)).compliance is COMPLIANT
    behind(estate, "orders", hours=2)
    assert estate.judged(CLUSTER, arn(estate)).compliance is UNKNOWN


# --- plans of AWS Backup ----------------------------------------------------------------------------------

COVERED, INSTANCE_COVERED = "cluster_backup_plan_covers", "instance_backup_plan_covers"


def a_plan(estate: Estate, name: str = "nightly", days: int | None = 90, **rule: Any) -> str:
    lifecycle = {} if days is None else {"Lifecycle": {"DeleteAfterDays": days}}
    made = estate.client("backup").create_backup_plan(
        BackupPlan={
            "BackupPlanName": name,
            "Rules": [{"RuleName": "daily", "TargetBackupVaultName": "databases", **lifecycle, **rule}],
        }
    )
    return str(made["BackupPlanId"])


def select(estate: Estate, plan: str, name: str = "databases", **what: Any) -> None:
    estate.client("backup").create_backup_selection(
        BackupPlanId=plan,
        BackupSelection={
            "SelectionName": name,
            "IamRoleArn": "arn:aws:iam::123456789012:role/backup",
            **what,
        },
    )


def by_tag(key: str = "backup", value: str = "nightly") -> dict[str, Any]:
    return {"ListOfTags": [{"ConditionType": "STRINGEQUALS", "ConditionKey": key, "ConditionValue": value}]}


def tags(estate: Estate, name: str = "orders") -> dict[str, str]:
    found = estate.client("rds").list_tags_for_resource(ResourceName=arn(estate, name))["TagList"]
    return {tag["Key"]: tag["Value"] for tag in found}


@pytest.mark.parametrize(("control", "name"), [(COVERED, "orders"), (INSTANCE_COVERED, "billing")])
def test_the_policys_tag_puts_a_database_under_the_plan_that_selects_by_it(
    estate: Estate, control: str, name: str
) -> None:
    select(estate, a_plan(estate), **by_tag())
    estate.client("rds").add_tags_to_resource(
        ResourceName=arn(estate, name), Tags=[{"Key": "team", "Value": "orders"}]
    )
    before = estate.judged(control, arn(estate, name))
    assert before.annotation == f"{name} is in no plan of AWS Backup."
    assert isinstance(estate.planned(control, arn(estate, name)), Manual)
    after = estate.fixed(control, arn(estate, name), tag="backup=nightly")
    assert after.annotation == f"{name} is in the backup plan nightly, which keeps backups for 90 days."
    assert tags(estate, name) == {"team": "orders", "backup": "nightly"}


def test_a_tag_that_somebody_gave_another_value_is_left_alone(estate: Estate) -> None:
    select(estate, a_plan(estate), **by_tag())
    call = estate.planned(COVERED, arn(estate), tag="backup=nightly")
    assert isinstance(call, Plan)
    estate.client("rds").add_tags_to_resource(
        ResourceName=arn(estate), Tags=[{"Key": "backup", "Value": "never"}]
    )
    told = estate.planned(COVERED, arn(estate), tag="backup=nightly")
    assert isinstance(told, Manual)
    assert "the tag backup=never already" in told.why
    # And the plan from before does not pass the write guard any more.
    with pytest.raises(GuardError, match="has a tag 'backup' already"):
        estate.apply(COVERED, arn(estate), call.calls[0])
    assert tags(estate) == {"backup": "never"}


def test_no_tag_is_added_but_one_by_which_a_plan_selects(estate: Estate) -> None:
    select(estate, a_plan(estate), **by_tag())
    told = estate.planned(COVERED, arn(estate), tag="admin=yes")
    assert isinstance(told, Manual)
    assert "would not help" in told.why
    for given in (
        [{"Key": "admin", "Value": "yes"}],
        [{"Key": "backup", "Value": "nightly"}, {"Key": "admin", "Value": "yes"}],
        [],
    ):
        with pytest.raises(GuardError):
            estate.apply(
                COVERED,
                arn(estate),
                Call("AddTagsToResource", {"ResourceName": arn(estate), "Tags": given}),
            )
    assert tags(estate) == {}


def test_a_tag_does_not_help_where_a_condition_or_an_exclusion_stands_against_it(estate: Estate) -> None:
    select(estate, a_plan(estate), NotResources=[arn(estate)], **by_tag())
    told = estate.planned(COVERED, arn(estate), tag="backup=nightly")
    assert isinstance(told, Manual)
    assert "would not help" in told.why


def test_a_plan_that_keeps_too_little_counts_by_its_copies_too(estate: Estate) -> None:
    select(estate, a_plan(estate, days=7), Resources=["arn:aws:rds:*:*:cluster:*"])
    assert estate.judged(COVERED, arn(estate)).compliance is COMPLIANT
    found = estate.judged(COVERED, arn(estate), minimum_retention_days=90)
    assert (
        found.annotation
        == "orders is in backup plans that keep too little: nightly (7 days); the policy wants 90 days."
    )
    vault = "arn:aws:backup:eu-central-1:123456789012:backup-vault:far"
    copy = {"DestinationBackupVaultArn": vault, "Lifecycle": {"DeleteAfterDays": 365}}
    select(estate, a_plan(estate, "weekly", 7, CopyActions=[copy]), Resources=["*"])
    assert estate.judged(COVERED, arn(estate), minimum_retention_days=90).compliance is COMPLIANT
    select(estate, a_plan(estate, "kept", None), Resources=[arn(estate)])
    assert estate.judged(COVERED, arn(estate), minimum_retention_days=3650).compliance is COMPLIANT


def test_who_is_not_opted_in_is_told_to_and_what_that_means(estate: Estate) -> None:
    plan = a_plan(estate)
    select(estate, plan, **by_tag())
    select(estate, plan, "types", Resources=["arn:aws:rds:*:*:cluster:*", "arn:aws:rds:*:*:db:*"])
    settings = {"Aurora": False, "RDS": False}
    estate.client("backup").update_region_settings(ResourceTypeOptInPreference=settings)
    found = estate.judged(COVERED, arn(estate))
    assert (
        found.annotation
        == "orders is in no backup plan: AWS Backup is not opted in to Aurora in this Region."
    )
    # A pattern that names instances needs no opting in.
    assert estate.judged(INSTANCE_COVERED, arn(estate, "billing")).compliance is COMPLIANT
    told = estate.planned(COVERED, arn(estate), tag="backup=nightly")
    assert isinstance(told, Manual)
    assert "--resource-type-opt-in-preference Aurora=true" in told.steps[0]


def test_plans_are_read_once_for_a_sweep_however_many_databases_there_are(estate: Estate) -> None:
    rds = estate.client("rds")
    for number in range(5):
        rds.create_db_cluster(
            DBClusterIdentifier=f"c-{number}",
            Engine="aurora-postgresql",
            MasterUsername="steward",
            MasterUserPassword="correct-horse-battery",
        )
    for name in ("nightly", "weekly"):
        plan = a_plan(estate, name)
        select(estate, plan, "by tag", **by_tag())
        select(estate, plan, "others", Resources=["arn:aws:dynamodb:*"])
    estate.aws.calls.clear()
    needs = (Need.BACKUP_PLANS, Need.BACKUP_OPT_IN)
    swept = list(estate.reader(bulk=True).list(ResourceType.DB_CLUSTER, needs))
    assert len(swept) == 6
    calls = Counter(call.operation for call in estate.aws.calls if call.service == "backup")
    assert calls == {
        "ListBackupPlans": 1,
        "GetBackupPlan": 2,
        "ListBackupSelections": 2,
        "GetBackupSelection": 4,
        "DescribeRegionSettings": 1,
    }
    # What does not concern a database is no evidence about it.
    names = [
        item["SelectionName"] for plan in swept[0].facts[Need.BACKUP_PLANS] for item in plan["Selections"]
    ]
    assert names == ["by tag", "by tag"]


@pytest.mark.parametrize(
    "operation",
    [
        "ListBackupPlans",
        "GetBackupPlan",
        "ListBackupSelections",
        "GetBackupSelection",
        "DescribeRegionSettings",
    ],
)
def test_plans_that_may_not_be_read_are_no_pass_and_no_finding(estate: Estate, operation: str) -> None:
    select(estate, a_plan(estate), Resources=["*"])
    estate.aws.faults.deny(f"backup:{operation}")
    found = estate.judged(COVERED, arn(estate))
    assert found.compliance is UNKNOWN
    assert operation in found.annotation


@pytest.mark.parametrize("operation", ["GetBackupPlan", "ListBackupSelections", "GetBackupSelection"])
def test_a_plan_that_is_deleted_while_plans_are_read_protects_nobody_and_the_others_still_do(
    estate: Estate, operation: str
) -> None:
    select(estate, a_plan(estate, "short-lived"), Resources=["*"])
    select(estate, a_plan(estate, "nightly"), Resources=["*"])
    estate.aws.faults.inject(f"backup:{operation}", "ResourceNotFoundException")
    [swept] = estate.reader(bulk=True).list(ResourceType.DB_CLUSTER, (Need.BACKUP_PLANS,))
    assert [plan["BackupPlanName"] for plan in swept.facts[Need.BACKUP_PLANS]] == ["nightly"]


# --- recovery points --------------------------------------------------------------------------------------

RECENT, INSTANCE_RECENT = "cluster_recovery_point_recent", "instance_recovery_point_recent"


def a_vault(estate: Estate, name: str = "databases", *, locked: bool = False) -> str:
    estate.client("backup").create_backup_vault(BackupVaultName=name)
    if locked:
        estate.client("backup").put_backup_vault_lock_configuration(BackupVaultName=name)
    return name


def back_up(estate: Estate, name: str = "orders", vault: str = "databases") -> str:
    made = estate.client("backup").start_backup_job(
        BackupVaultName=vault,
        ResourceArn=arn(estate, name),
        IamRoleArn="arn:aws:iam::123456789012:role/backup",
    )
    return str(made["RecoveryPointArn"])


@pytest.mark.parametrize(("control", "name"), [(RECENT, "orders"), (INSTANCE_RECENT, "billing")])
def test_what_a_plan_selects_must_have_a_recent_recovery_point(
    estate: Estate, clock: MovableClock, control: str, name: str
) -> None:
    assert estate.judged(control, arn(estate, name)).compliance is NOT_APPLICABLE
    assert estate.judged(control, arn(estate, name), required=True).compliance is NON_COMPLIANT
    select(estate, a_plan(estate), Resources=["*"])
    a_vault(estate)
    a_vault(estate, "others")
    found = estate.judged(control, arn(estate, name))
    assert found.annotation == (
        f"{name} has no recovery point of the last weeks in AWS Backup; the policy wants one of the last 36 hours."
    )
    told = estate.planned(control, arn(estate, name))
    assert isinstance(told, Manual)
    assert "start-backup-job --backup-vault-name databases --resource-arn" in told.steps[1]
    back_up(estate, name)
    clock.advance(35 * 3600)
    assert estate.judged(control, arn(estate, name)).compliance is COMPLIANT
    clock.advance(2 * 3600)
    old = estate.judged(control, arn(estate, name))
    assert old.compliance is NON_COMPLIANT
    assert "has its newest recovery point of 2026-11-26 12:00 UTC in databases" in old.annotation


def test_one_that_is_not_encrypted_is_found_and_an_encrypted_one_beside_it_counts(
    estate: Estate, clock: MovableClock
) -> None:
    select(estate, a_plan(estate), Resources=["*"])
    a_vault(estate)
    estate.aws.rds.create_legacy_unencrypted("old")
    legacy = arn(estate).replace(":orders", ":old")
    estate.client("backup").start_backup_job(
        BackupVaultName="databases", ResourceArn=legacy, IamRoleArn="arn:aws:iam::123456789012:role/backup"
    )
    found = estate.judged(RECENT, legacy)
    assert found.annotation == (
        "old has its newest recovery point, of 2026-11-26 12:00 UTC in databases, not encrypted."
    )
    back_up(estate)
    assert estate.judged(RECENT, arn(estate)).compliance is COMPLIANT


def test_a_lock_is_looked_for_where_the_policy_wants_one(estate: Estate) -> None:
    select(estate, a_plan(estate), Resources=["*"])
    a_vault(estate)
    a_vault(estate, "locked", locked=True)
    back_up(estate)
    assert estate.judged(RECENT, arn(estate)).compliance is COMPLIANT
    found = estate.judged(RECENT, arn(estate), locked_vault=True)
    assert found.annotation == (
        "orders has recent recovery points in databases only, which Vault Lock does not protect."
    )
    back_up(estate, vault="locked")
    assert estate.judged(RECENT, arn(estate), locked_vault=True).compliance is COMPLIANT


def test_a_recovery_point_that_was_deleted_is_missed(estate: Estate) -> None:
    select(estate, a_plan(estate), Resources=["*"])
    a_vault(estate)
    point = back_up(estate)
    estate.client("backup").delete_recovery_point(BackupVaultName="databases", RecoveryPointArn=point)
    assert estate.judged(RECENT, arn(estate)).compliance is NON_COMPLIANT


def test_a_continuous_backup_is_as_old_as_what_it_restores(estate: Estate, clock: MovableClock) -> None:
    select(estate, a_plan(estate), Resources=["*"])
    a_vault(estate)
    point = back_up(estate)
    clock.advance(60 * 86_400)
    assert estate.judged(RECENT, arn(estate)).compliance is NON_COMPLIANT
    estate.aws.rds.overlay(arn(estate), AwsBackupRecoveryPointArn=point)
    assert estate.judged(RECENT, arn(estate)).compliance is COMPLIANT
    behind(estate, "orders", hours=40)
    assert estate.judged(RECENT, arn(estate)).compliance is NON_COMPLIANT


def test_a_vault_that_is_deleted_while_vaults_are_read_costs_the_others_nothing(estate: Estate) -> None:
    for name in ("abandoned", "databases"):
        a_vault(estate, name)
    point = back_up(estate)
    estate.aws.faults.inject("backup:ListRecoveryPointsByBackupVault", "ResourceNotFoundException")
    [swept] = estate.reader(bulk=True).list(ResourceType.DB_CLUSTER, (Need.RECOVERY_POINTS,))
    assert [one["RecoveryPointArn"] for one in swept.facts[Need.RECOVERY_POINTS]] == [point]


def test_a_sweep_lists_each_vault_once_for_each_type(estate: Estate) -> None:
    for vault in ("databases", "others"):
        a_vault(estate, vault)
    for name in ("orders", "billing"):
        back_up(estate, name)
    estate.aws.calls.clear()
    reader = estate.reader(bulk=True)
    swept = [
        resource
        for _ in range(3)
        for kind in (ResourceType.DB_CLUSTER, ResourceType.DB_INSTANCE)
        for resource in reader.list(kind, (Need.RECOVERY_POINTS,))
    ]
    assert [len(resource.facts[Need.RECOVERY_POINTS]) for resource in swept] == [1] * 6
    calls = Counter(call.operation for call in estate.aws.calls if call.service == "backup")
    assert calls == {"ListBackupVaults": 1, "ListRecoveryPointsByBackupVault": 4}
    estate.aws.calls.clear()
    estate.reader().read(ResourceRef.from_arn(arn(estate)), (Need.RECOVERY_POINTS,))
    calls = Counter(call.operation for call in estate.aws.calls if call.service == "backup")
    assert calls == {"ListBackupVaults": 1, "ListRecoveryPointsByBackupVault": 2}


@pytest.mark.parametrize("operation", ["ListBackupVaults", "ListRecoveryPointsByBackupVault"])
def test_recovery_points_that_may_not_be_read_are_no_pass_and_no_finding(
    estate: Estate, operation: str
) -> None:
    select(estate, a_plan(estate), Resources=["*"])
    a_vault(estate)
    back_up(estate)
    estate.aws.faults.deny(f"backup:{operation}")
    assert estate.judged(RECENT, arn(estate)).compliance is UNKNOWN


# --- backtracking -----------------------------------------------------------------------------------------


def test_a_window_is_lengthened_and_never_begun(estate: Estate) -> None:
    rds = estate.client("rds")
    for name, window in (("rewound", {"BacktrackWindow": 3600}), ("never", {})):
        rds.create_db_cluster(
            DBClusterIdentifier=name,
            Engine="aurora-mysql",
            EngineVersion="8.0.mysql_aurora.3.08.0",
            MasterUsername="steward",
            MasterUserPassword="correct-horse-battery",
            **window,
        )
    rewound, never = (arn(estate).replace(":orders", f":{name}") for name in ("rewound", "never"))
    assert estate.judged("cluster_backtrack_enabled", arn(estate)).compliance is NOT_APPLICABLE
    fixed = estate.fixed("cluster_backtrack_enabled", rewound, minimum_hours=48)
    assert fixed.annotation == "rewound can be backtracked for 48 hours."
    assert estate.judged("cluster_backtrack_enabled", never).compliance is NON_COMPLIANT
    told = estate.planned("cluster_backtrack_enabled", never)
    assert isinstance(told, Manual)
    assert "--backtrack-window 86400" in told.steps[1]
    for window in (3600, 48 * 3600, 73 * 3600):
        with pytest.raises(GuardError):
            estate.apply(
                "cluster_backtrack_enabled",
                rewound,
                Call("ModifyDBCluster", {"DBClusterIdentifier": "rewound", "BacktrackWindow": window}),
            )


# --- deletions --------------------------------------------------------------------------------------------

DELETIONS = "account_deletions_leave_backup"


def account(estate: Estate) -> str:
    return f"arn:aws:iam::{estate.aws.account}:root"


def delete(estate: Estate, name: str, **how: Any) -> None:
    rds = estate.client("rds")
    if name == "orders":
        rds.delete_db_cluster(DBClusterIdentifier=name, **how)
    else:
        rds.delete_db_instance(DBInstanceIdentifier=name, **how)
    estate.aws.rds.settle()


@pytest.mark.parametrize("name", ["orders", "billing"])
def test_a_database_that_is_deleted_for_good_is_told_with_who_did_it(
    estate: Estate, clock: MovableClock, name: str
) -> None:
    assert estate.judged(DELETIONS, account(estate)).compliance is COMPLIANT
    delete(estate, name, SkipFinalSnapshot=True)
    found = estate.judged(DELETIONS, account(estate))
    assert found.compliance is NON_COMPLIANT
    assert f" {name} (" in found.annotation
    assert "on 2026-11-26 12:00 UTC by arn:aws:iam::" in found.annotation
    told = estate.planned(DELETIONS, account(estate))
    assert isinstance(told, Manual)
    assert told.steps[0].split()[2] == "list-recovery-points-by-resource"
    clock.advance(8 * 86_400)
    assert estate.judged(DELETIONS, account(estate)).compliance is COMPLIANT
    assert estate.judged(DELETIONS, account(estate), days=14).compliance is NON_COMPLIANT


@pytest.mark.parametrize("name", ["orders", "billing"])
@pytest.mark.parametrize(
    "how",
    [
        {"SkipFinalSnapshot": False, "FinalDBSnapshotIdentifier": "the-last"},
        {"SkipFinalSnapshot": True, "DeleteAutomatedBackups": False},
    ],
)
def test_a_final_snapshot_or_retained_backups_are_enough(
    estate: Estate, name: str, how: dict[str, Any]
) -> None:
    delete(estate, name, **how)
    assert estate.judged(DELETIONS, account(estate)).compliance is COMPLIANT


def test_a_snapshot_that_is_deleted_after_its_database_is_missed(estate: Estate) -> None:
    delete(estate, "orders", FinalDBSnapshotIdentifier="the-last")
    estate.client("rds").delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="the-last")
    assert estate.judged(DELETIONS, account(estate)).compliance is NON_COMPLIANT


def test_members_replicas_and_calls_that_failed_deleted_nothing(estate: Estate) -> None:
    rds = estate.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="orders-1",
        DBClusterIdentifier="orders",
        Engine="aurora-postgresql",
        DBInstanceClass="db.r6g.large",
    )
    rds.create_db_instance_read_replica(
        DBInstanceIdentifier="billing-2", SourceDBInstanceIdentifier="billing"
    )
    rds.modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=True)
    estate.aws.rds.settle()
    with pytest.raises(rds.exceptions.ClientError):
        delete(estate, "orders", SkipFinalSnapshot=True)
    for name in ("orders-1", "billing-2"):
        delete(estate, name, SkipFinalSnapshot=True)
    assert estate.judged(DELETIONS, account(estate)).compliance is COMPLIANT


def test_deletions_that_may_not_be_looked_up_are_no_pass(estate: Estate) -> None:
    estate.aws.faults.deny("cloudtrail:LookupEvents")
    assert estate.judged(DELETIONS, account(estate)).compliance is UNKNOWN


def test_the_last_database_of_an_account_does_not_take_the_finding_with_it(estate: Estate) -> None:
    delete(estate, "billing", SkipFinalSnapshot=False, FinalDBSnapshotIdentifier="the-last")
    delete(estate, "orders", SkipFinalSnapshot=True)

    assert estate.listed(DELETIONS) == [estate.aws.account]
    assert estate.judged(DELETIONS, account(estate)).compliance is NON_COMPLIANT
