"""What each kind of drift leads to, exactly: the calls, or the reason why a person must act."""

from __future__ import annotations

from typing import Any

import pytest

from controls import items, network_items
from warden.controls import all_controls
from warden.core.control import ComplianceType
from warden.core.encryption import copy_name
from warden.core.evaluation import evaluate, plan
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan, Stage, Wait

CONTROLS = {control.id: control for control in all_controls()}
TAKEN_BY_MISTAKE = {"Encrypted": False, "StorageEncryptionType": "none", "KmsKeyId": None}


def outcome(
    control_id: str, facts: dict[str, Any], settings: dict[str, Any] | None = None
) -> Plan | Manual | Wait:
    """The plan for a resource that really is non-compliant."""
    control = CONTROLS[control_id]
    resource = items.resource(control.resource_type, facts)
    wanted = {**control.defaults(), **(settings or {})}
    assert evaluate(control, resource, wanted).compliance is ComplianceType.NON_COMPLIANT
    return plan(control, resource, wanted)


def calls(control_id: str, facts: dict[str, Any], settings: dict[str, Any] | None = None) -> tuple[Call, ...]:
    made = outcome(control_id, facts, settings)
    assert isinstance(made, Plan)
    return made.calls


def manual(control_id: str, facts: dict[str, Any], settings: dict[str, Any] | None = None) -> Manual:
    made = outcome(control_id, facts, settings)
    assert isinstance(made, Manual)
    return made


def annotation(control_id: str, facts: dict[str, Any], settings: dict[str, Any] | None = None) -> str:
    control = CONTROLS[control_id]
    wanted = {**control.defaults(), **(settings or {})}
    return evaluate(control, items.resource(control.resource_type, facts), wanted).annotation


@pytest.mark.parametrize(
    ("control_id", "call"),
    [
        (
            "cluster_deletion_protection_enabled",
            Call("ModifyDBCluster", {"DBClusterIdentifier": "orders", "DeletionProtection": True}),
        ),
        (
            "instance_deletion_protection_enabled",
            Call("ModifyDBInstance", {"DBInstanceIdentifier": "billing", "DeletionProtection": True}),
        ),
        (
            "global_cluster_deletion_protection_enabled",
            Call(
                "ModifyGlobalCluster",
                {"GlobalClusterIdentifier": "orders-global", "DeletionProtection": True},
            ),
        ),
    ],
)
def test_deletion_protection_is_turned_on(control_id: str, call: Call) -> None:
    assert calls(control_id, {"DeletionProtection": False}) == (call,)


def test_iam_authentication_is_enabled_at_once() -> None:
    assert calls("instance_iam_authentication_enabled", {"IAMDatabaseAuthenticationEnabled": False}) == (
        Call(
            "ModifyDBInstance",
            {
                "DBInstanceIdentifier": "billing",
                "EnableIAMDatabaseAuthentication": True,
                "ApplyImmediately": True,
            },
        ),
    )


@pytest.mark.parametrize("instance_class", ["db.t2.small", "db.t3.micro", "db.t4g.micro", "db.t4g.small"])
def test_iam_authentication_is_left_to_a_person_where_memory_is_short(instance_class: str) -> None:
    facts = {"IAMDatabaseAuthenticationEnabled": False}
    members = [
        {"DBInstanceIdentifier": "orders-1", "DBInstanceClass": "db.r7g.large"},
        {"DBInstanceIdentifier": "orders-2", "DBInstanceClass": instance_class},
    ]
    assert (
        instance_class
        in manual("instance_iam_authentication_enabled", {**facts, "DBInstanceClass": instance_class}).why
    )
    why = manual("cluster_iam_authentication_enabled", {**facts, "Members": members}).why
    assert f"orders-2 ({instance_class})" in why
    assert "orders-1" not in why


@pytest.mark.parametrize("instance_class", ["db.t4g.medium", "db.m7g.large", "db.r8g.48xlarge"])
def test_iam_authentication_is_enabled_where_there_is_memory(instance_class: str) -> None:
    members = [{"DBInstanceIdentifier": "orders-1", "DBInstanceClass": instance_class}]
    assert calls(
        "cluster_iam_authentication_enabled",
        {"IAMDatabaseAuthenticationEnabled": False, "Members": members},
    )


def test_a_class_that_aurora_mysql_excludes_is_named_as_such() -> None:
    facts = {
        "IAMDatabaseAuthenticationEnabled": False,
        "Engine": "aurora-mysql",
        "Members": [{"DBInstanceIdentifier": "orders-1", "DBInstanceClass": "db.t3.small"}],
    }
    assert "does not support IAM authentication" in manual("cluster_iam_authentication_enabled", facts).why
    facts["Engine"] = "aurora-postgresql"
    assert "Look at their FreeableMemory" in manual("cluster_iam_authentication_enabled", facts).why


def test_retention_is_raised_to_what_the_policy_wants_without_flushing_what_is_queued() -> None:
    assert calls(
        "cluster_backup_retention_sufficient", {"BackupRetentionPeriod": 1}, {"minimum_days": 35}
    ) == (Call("ModifyDBCluster", {"DBClusterIdentifier": "orders", "BackupRetentionPeriod": 35}),)
    assert calls(
        "instance_backup_retention_sufficient", {"BackupRetentionPeriod": 3}, {"minimum_days": 14}
    ) == (Call("ModifyDBInstance", {"DBInstanceIdentifier": "billing", "BackupRetentionPeriod": 14}),)


def test_backups_that_are_off_are_turned_on_by_a_person() -> None:
    made = manual("instance_backup_retention_sufficient", {"BackupRetentionPeriod": 0})
    assert "suspends I/O" in made.why
    [step] = made.steps
    assert step == (
        "aws rds modify-db-instance --db-instance-identifier billing --backup-retention-period 7 "
        "--region eu-west-1"
    )


@pytest.mark.parametrize(
    "control_id", ["cluster_backup_retention_sufficient", "instance_backup_retention_sufficient"]
)
def test_a_retention_that_somebody_else_set_or_queued_is_left_to_a_person(control_id: str) -> None:
    recovery_point = "arn:aws:backup:eu-west-1:123456789012:recovery-point:continuous:x-1"
    backed_up = {"BackupRetentionPeriod": 3, "AwsBackupRecoveryPointArn": recovery_point}
    assert recovery_point in manual(control_id, backed_up).why
    lowered = {"BackupRetentionPeriod": 35, "PendingModifiedValues": {"BackupRetentionPeriod": 1}}
    assert "queued a shorter retention" in manual(control_id, lowered).why


def test_a_queued_change_shows_in_the_sentence() -> None:
    assert (
        annotation(
            "cluster_backup_retention_sufficient",
            {"BackupRetentionPeriod": 1, "PendingModifiedValues": {"BackupRetentionPeriod": 35}},
        )
        == "orders will keep automated backups for 35 days, once a queued change is applied (now 1 day); "
        "the policy wants 7 days."
    )
    assert (
        annotation(
            "instance_backup_retention_sufficient",
            {"BackupRetentionPeriod": 7, "PendingModifiedValues": {"BackupRetentionPeriod": 0}},
        )
        == "billing will have automated backups turned off; the policy wants 7 days."
    )
    assert (
        annotation("instance_backup_retention_sufficient", {"BackupRetentionPeriod": 0})
        == "billing has automated backups turned off; the policy wants 7 days."
    )
    assert annotation(
        "cluster_iam_authentication_enabled",
        {
            "IAMDatabaseAuthenticationEnabled": True,
            "PendingModifiedValues": {"IAMDatabaseAuthenticationEnabled": False},
        },
    ).endswith("does not accept IAM database authentication, once a queued change is applied.")


def test_only_missing_logs_are_enabled_and_in_a_stable_order() -> None:
    assert calls(
        "cluster_log_exports_complete",
        {
            "Engine": "aurora-mysql",
            "EnabledCloudwatchLogsExports": ["general", "error"],
            "ExportableLogTypes": ["slowquery", "general", "error", "audit"],
        },
    ) == (
        Call(
            "ModifyDBCluster",
            {
                "DBClusterIdentifier": "orders",
                "CloudwatchLogsExportConfiguration": {"EnableLogTypes": ["audit", "slowquery"]},
            },
        ),
    )


def test_what_an_engine_version_cannot_export_is_told_and_not_asked_for() -> None:
    facts = {
        "Engine": "aurora-mysql",
        "EngineVersion": "8.0.mysql_aurora.3.08.0",
        "EnabledCloudwatchLogsExports": ["error", "slowquery"],
        "ExportableLogTypes": ["error", "slowquery"],
    }
    assert annotation("cluster_log_exports_complete", facts).endswith(
        "aurora-mysql 8.0.mysql_aurora.3.08.0 cannot export audit."
    )


def test_public_access_is_turned_off_without_flushing_what_is_queued() -> None:
    assert calls("instance_not_publicly_accessible", {"PubliclyAccessible": True}) == (
        Call("ModifyDBInstance", {"DBInstanceIdentifier": "billing", "PubliclyAccessible": False}),
    )


def test_a_member_of_a_multi_az_cluster_is_left_to_a_person_and_one_of_aurora_is_not() -> None:
    facts = {"PubliclyAccessible": True, "DBClusterIdentifier": "orders"}
    assert "Multi-AZ" in manual("instance_not_publicly_accessible", {**facts, "Engine": "postgres"}).why
    assert calls("instance_not_publicly_accessible", {**facts, "Engine": "aurora-mysql"})


@pytest.mark.parametrize("kind", ["cluster", "db"])
def test_strangers_are_removed_and_nobody_else(kind: str) -> None:
    shared = {"RestoreAccounts": ["all", "210987654321", "666666666666", "123456789012", "555555555555"]}
    [call] = calls(f"{kind}_snapshot_shares_approved", shared, {"approved_accounts": ["210987654321"]})
    assert call.parameters["ValuesToRemove"] == ["555555555555", "666666666666"]
    [call] = calls(f"{kind}_snapshot_not_public", shared)
    assert call.parameters["ValuesToRemove"] == ["all"]


@pytest.mark.parametrize("kind", ["cluster", "db"])
def test_nobody_is_removed_while_the_policy_approves_nobody(kind: str) -> None:
    shared = {"RestoreAccounts": ["210987654321"]}
    assert "baseline.approved_accounts" in manual(f"{kind}_snapshot_shares_approved", shared).why
    own = {"approved_accounts": ["123456789012"]}
    [call] = calls(f"{kind}_snapshot_shares_approved", shared, own)
    assert call.parameters["ValuesToRemove"] == ["210987654321"]


# --- encryption -------------------------------------------------------------------------------------------


def test_an_instance_snapshot_gets_one_encrypted_copy() -> None:
    name = "warden-billing-before-upgrade-aa475afe"
    assert copy_name("billing-before-upgrade") == name
    assert calls("db_snapshot_encrypted", TAKEN_BY_MISTAKE, {"kms_key": "alias/databases"}) == (
        Call(
            "CopyDBSnapshot",
            {
                "SourceDBSnapshotIdentifier": "billing-before-upgrade",
                "TargetDBSnapshotIdentifier": name,
                "KmsKeyId": "alias/databases",
                "CopyTags": True,
            },
        ),
    )


def test_a_second_copy_is_not_made_and_the_original_is_a_persons_to_delete() -> None:
    copy = {**items.SNAPSHOT, "DBSnapshotIdentifier": "warden-billing-1", "StorageEncryptionType": "sse-kms"}
    del copy["KmsKeyId"]
    made = manual(
        "db_snapshot_encrypted",
        {**TAKEN_BY_MISTAKE, "EncryptedCopies": [copy]},
        {"kms_key": "alias/databases"},
    )
    assert "warden-billing-1" in made.why
    assert made.steps[-1] == (
        "aws rds delete-db-snapshot --db-snapshot-identifier billing-before-upgrade --region eu-west-1"
    )


@pytest.mark.parametrize(
    "difference",
    [
        {"Encrypted": False, "StorageEncryptionType": "none"},
        {"DbiResourceId": "db-ANOTHERINSTANCEWITHTHATNAME"},
        {"DBSnapshotIdentifier": "billing-before-upgrade"},
    ],
)
def test_what_is_no_encrypted_copy_of_this_snapshot_does_not_count(difference: dict[str, Any]) -> None:
    other = {**items.SNAPSHOT, "DBSnapshotIdentifier": "other", **difference}
    assert calls(
        "db_snapshot_encrypted",
        {**TAKEN_BY_MISTAKE, "EncryptedCopies": [other]},
        {"kms_key": "alias/databases"},
    )


def test_a_copy_from_another_region_counts_by_its_source() -> None:
    other = {
        **items.SNAPSHOT,
        "DBSnapshotIdentifier": "from-afar",
        "DbiResourceId": "db-ANOTHER",
        "SourceDBSnapshotIdentifier": items.SNAPSHOT["DBSnapshotArn"],
    }
    assert (
        "from-afar" in manual("db_snapshot_encrypted", {**TAKEN_BY_MISTAKE, "EncryptedCopies": [other]}).why
    )


def test_without_a_key_in_the_policy_nothing_is_copied() -> None:
    assert "baseline.kms_key" in manual("db_snapshot_encrypted", TAKEN_BY_MISTAKE).why


def test_a_snapshot_of_rds_custom_is_not_copied() -> None:
    facts = {**TAKEN_BY_MISTAKE, "Engine": "custom-oracle-ee"}
    assert "RDS Custom" in manual("db_snapshot_encrypted", facts, {"kms_key": items.KEY}).why


def test_a_temporary_cluster_has_a_name_that_a_cluster_may_have() -> None:
    facts = {
        "DBClusterSnapshotIdentifier": "a" * 255,
        "StorageEncrypted": False,
        "StorageEncryptionType": "none",
    }
    words = manual("cluster_snapshot_encrypted", facts).steps[0].split()
    assert len(words[words.index("--db-cluster-identifier") + 1]) == 63


def test_a_cluster_snapshot_is_never_copied_but_restored_by_a_person() -> None:
    facts = {"StorageEncrypted": False, "StorageEncryptionType": "none"}
    made = manual("cluster_snapshot_encrypted", facts, {"kms_key": items.KEY})
    operations = [step.split()[2] for step in made.steps]
    assert operations == [
        "restore-db-cluster-from-snapshot",
        "wait",
        "create-db-cluster-snapshot",
        "wait",
        "describe-db-cluster-snapshots",
        "delete-db-cluster",
    ]
    restore, *_, delete = made.steps
    temporary = copy_name("orders-before-upgrade", limit=63)
    assert f"--db-cluster-identifier {temporary} " in restore
    assert f"--kms-key-id {items.KEY} " in restore
    assert "--db-cluster-instance-class" not in restore
    # What is deleted is the temporary cluster, never the snapshot or its cluster.
    assert f"--db-cluster-identifier {temporary} " in delete
    multi_az = manual("cluster_snapshot_encrypted", {**facts, "Engine": "mysql"})
    assert "--db-cluster-instance-class" in multi_az.steps[0]
    assert "--no-publicly-accessible" in multi_az.steps[0]
    assert "--kms-key-id YOUR-KEY" in multi_az.steps[0]


def test_an_encrypted_successor_of_a_cluster_carries_its_network_and_its_instances() -> None:
    made = manual("cluster_storage_encrypted", {"StorageEncrypted": False, "StorageEncryptionType": "none"})
    restore = next(step for step in made.steps if "restore-db-cluster-from-snapshot" in step)
    for words in (
        "--db-subnet-group-name databases-private",
        "--vpc-security-group-ids sg-0a1b2c3d4e5f60718",
        "--db-cluster-parameter-group-name orders-pg16",
        "--engine-version 16.4",
        "--deletion-protection",
    ):
        assert words in restore
    instances = [step for step in made.steps if "create-db-instance" in step]
    assert len(instances) == 2
    assert all("--db-cluster-identifier orders-encrypted " in step for step in instances)
    assert all("--no-publicly-accessible" in step for step in instances)
    assert not any("delete" in step for step in made.steps)


def test_an_encrypted_successor_of_an_instance_comes_from_an_encrypted_copy() -> None:
    facts = {"StorageEncrypted": False, "StorageEncryptionType": "none"}
    made = manual("instance_storage_encrypted", facts, {"kms_key": items.KEY})
    copy = next(step for step in made.steps if "copy-db-snapshot" in step)
    restore = made.steps[-1]
    assert f"--kms-key-id {items.KEY}" in copy
    for words in (
        "--db-snapshot-identifier billing-for-encryption",
        "--db-subnet-group-name databases-private",
        "--db-parameter-group-name billing-pg16",
        "--db-instance-class db.m7g.large",
        "--multi-az",
        "--no-publicly-accessible",
    ):
        assert words in restore
    classic = manual("instance_storage_encrypted", {**facts, "DBSubnetGroup": None, "MultiAZ": False})
    assert "--db-subnet-group-name" not in classic.steps[-1]
    assert "--no-multi-az" in classic.steps[-1]


# --- TLS --------------------------------------------------------------------------------------------------


def switch(value: str, **other: Any) -> dict[str, Any]:
    found = items.enrichments(CONTROLS["cluster_tls_enforced"].resource_type)[Need.PARAMETERS]
    item = {**found["rds.force_ssl"], "ParameterValue": value, **other}
    return {"Parameters": {"rds.force_ssl": item}}


def test_tls_is_turned_on_in_the_clusters_own_group_as_the_engine_spells_it() -> None:
    [call] = calls("cluster_tls_enforced", switch("0"))
    assert call == Call(
        "ModifyDBClusterParameterGroup",
        {
            "DBClusterParameterGroupName": "orders-pg16",
            "Parameters": [
                {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}
            ],
        },
    )
    mysql = {
        "Engine": "aurora-mysql",
        "Parameters": {
            "require_secure_transport": {
                "ParameterName": "require_secure_transport",
                "ParameterValue": "OFF",
                "AllowedValues": "OFF,ON",
                "ApplyType": "dynamic",
                "IsModifiable": True,
            }
        },
    }
    [call] = calls("cluster_tls_enforced", mysql)
    assert call.parameters["Parameters"][0]["ParameterValue"] == "ON"


def _operations(made: Any) -> list[str]:
    assert isinstance(made, Plan)
    return [call.operation for call in made.pledge]


def test_a_default_group_is_neither_modified_nor_copied_but_replaced_by_one_of_its_family() -> None:
    default = {**switch("0"), "DBClusterParameterGroup": "default.aurora-postgresql16"}
    made = outcome("cluster_tls_enforced", default)
    assert _operations(made) == [
        "CreateDBClusterParameterGroup",
        "ModifyDBClusterParameterGroup",
        "ModifyDBCluster",
    ]
    assert isinstance(made, Plan)
    [create] = made.calls
    assert create.parameters["DBParameterGroupFamily"] == "aurora-postgresql16"
    assert made.stage is Stage.BEGIN
    # Whatever was begun, the group that it uses is not written to.
    named = {call.parameters["DBClusterParameterGroupName"] for call in made.pledge}
    assert len(named) == 1
    assert not [name for name in named if name.startswith("default.")]


def test_a_shared_group_is_copied_so_that_a_change_reaches_nobody_else() -> None:
    users = [items.CLUSTER["DBClusterArn"], "arn:aws:rds:eu-west-1:123456789012:cluster:reports"]
    made = outcome("cluster_tls_enforced", {**switch("0"), "ParameterGroupUsers": users})
    assert _operations(made)[0] == "CopyDBClusterParameterGroup"
    assert isinstance(made, Plan)
    assert made.calls[0].parameters["SourceDBClusterParameterGroupIdentifier"] == "orders-pg16"
    assert "orders-pg16" not in [call.parameters.get("DBClusterParameterGroupName") for call in made.pledge]


def test_a_static_parameter_waits_for_reboots_that_a_person_chooses() -> None:
    made = manual("cluster_tls_enforced", switch("0", ApplyType="static"))
    assert "ApplyMethod=pending-reboot" in made.steps[0]
    assert "reboot" in made.steps[1]


def test_a_parameter_that_cannot_be_modified_is_told() -> None:
    assert (
        "does not let rds.force_ssl be modified"
        in manual("cluster_tls_enforced", switch("0", IsModifiable=False)).why
    )


def test_the_writer_is_rebooted_before_the_readers() -> None:
    members = [
        {
            "DBInstanceIdentifier": "a-reader",
            "IsClusterWriter": False,
            "DBClusterParameterGroupStatus": "in-sync",
        },
        {
            "DBInstanceIdentifier": "the-writer",
            "IsClusterWriter": True,
            "DBClusterParameterGroupStatus": "pending-reboot",
        },
    ]
    made = outcome("cluster_tls_enforced", {**switch("1"), "DBClusterMembers": members})
    assert isinstance(made, Plan)
    named = [call.parameters["DBInstanceIdentifier"] for call in made.pledge]
    assert named == ["the-writer", "a-reader"]
    facts = {**switch("1"), "DBClusterMembers": members, "Engine": "postgres"}
    assert calls("cluster_tls_enforced", facts) == (
        Call("RebootDBCluster", {"DBClusterIdentifier": "orders"}),
    )


def test_a_pending_member_is_named_with_its_status() -> None:
    members = [{"DBInstanceIdentifier": "orders-1", "DBClusterParameterGroupStatus": "pending-reboot"}]
    assert "orders-1 (pending-reboot)" in annotation(
        "cluster_tls_enforced", {**switch("1"), "DBClusterMembers": members}
    )


@pytest.mark.parametrize(
    ("control_id", "facts"),
    [
        ("cluster_storage_encrypted", {"StorageEncrypted": False, "StorageEncryptionType": "none"}),
        (
            "cluster_customer_managed_key",
            {"StorageEncrypted": False, "StorageEncryptionType": "sse-rds", "KmsKeyId": None},
        ),
    ],
)
def test_the_successor_of_a_multi_az_cluster_is_not_public(control_id: str, facts: dict[str, Any]) -> None:
    """RestoreDBClusterFromSnapshot: "If the subnets are part of a VPC that has an internet gateway attached to it, the
    DB cluster is public", where PubliclyAccessible is not given."""
    multi_az = {"Engine": "postgres", "EngineVersion": "16.4", "DBClusterInstanceClass": "db.m6gd.large"}
    [restore] = [
        step for step in manual(control_id, {**facts, **multi_az}).steps if "restore-db-cluster" in step
    ]
    assert "--no-publicly-accessible" in restore


def test_the_successor_of_an_express_cluster_does_not_stand_in_the_default_vpc() -> None:
    steps = manual(
        "cluster_customer_managed_key",
        {
            "StorageEncrypted": False,
            "StorageEncryptionType": "sse-rds",
            "KmsKeyId": None,
            "InternetAccessGatewayEnabled": True,
            "VPCNetworkingEnabled": False,
            "DBSubnetGroup": None,
            "VpcSecurityGroups": [],
        },
    ).steps
    [restore] = [step for step in steps if "restore-db-cluster" in step]
    assert "--db-subnet-group-name YOUR-PRIVATE-SUBNETS" in restore
    assert "--vpc-security-group-ids YOUR-SECURITY-GROUP" in restore
    assert "--enable-iam-database-authentication" in restore


def test_an_express_cluster_moves_to_a_vpc_with_the_logins_by_iam_that_the_api_requires() -> None:
    """RestoreDBClusterFromSnapshot.EnableVPCNetworking: "You must also specify EnableIAMDatabaseAuthentication"."""
    steps = manual("cluster_without_internet_access_gateway", {"InternetAccessGatewayEnabled": True}).steps
    [restore] = [step for step in steps if "restore-db-cluster" in step]
    assert "--enable-vpc-networking" in restore
    assert "--enable-iam-database-authentication" in restore


@pytest.mark.parametrize("engine", ["aurora-postgresql", "postgres"])
def test_the_temporary_cluster_of_a_rekeyed_snapshot_is_closed_and_goes_again(engine: str) -> None:
    steps = manual(
        "cluster_snapshot_customer_managed_key",
        {"Engine": engine, "StorageEncrypted": False, "StorageEncryptionType": "sse-rds", "KmsKeyId": None},
    ).steps
    assert "--vpc-security-group-ids YOUR-CLOSED-SECURITY-GROUP" in steps[0]
    assert ("--no-publicly-accessible" in steps[0]) == (engine == "postgres")
    assert ("--db-cluster-instance-class" in steps[0]) == (engine == "postgres")
    assert [step.split()[2] for step in steps[-2:]] == ["describe-db-cluster-snapshots", "delete-db-cluster"]


def test_nothing_is_turned_on_where_aws_advises_against_it() -> None:
    """Aurora User Guide, long-term support releases: AWS advises to leave AutoMinorVersionUpgrade off there."""
    control = CONTROLS["cluster_minor_upgrades_automatic"]
    for engine, version in (
        ("aurora-mysql", "8.0.mysql_aurora.3.04.4"),
        ("aurora-mysql", "8.0.mysql_aurora.3.10.2"),
        ("aurora-postgresql", "16.8"),
    ):
        facts = {"Engine": engine, "EngineVersion": version, "AutoMinorVersionUpgrade": False}
        judged = evaluate(control, items.resource(control.resource_type, facts), control.defaults())
        assert judged.compliance is ComplianceType.NOT_APPLICABLE, version
    beside = {"EngineVersion": "16.80", "AutoMinorVersionUpgrade": False}
    assert calls("cluster_minor_upgrades_automatic", beside)


@pytest.mark.parametrize(
    ("control_id", "facts"),
    [
        ("cluster_tls_enforced", switch("1")),
        (
            "cluster_mysql_audit_effective",
            {
                "Engine": "aurora-mysql",
                "EngineVersion": "8.0.mysql_aurora.3.08.0",
                "Parameters": {
                    name: {"ParameterName": name, "ParameterValue": value}
                    for name, value in (
                        ("server_audit_logging", "1"),
                        ("server_audit_events", "CONNECT,QUERY_DCL,QUERY_DDL"),
                        ("server_audit_excl_users", ""),
                        ("server_audit_incl_users", ""),
                    )
                },
            },
        ),
        ("cluster_postgresql_audit_effective", {}),
    ],
)
def test_nobody_is_told_to_reboot_for_a_value_that_failed(control_id: str, facts: dict[str, Any]) -> None:
    members = [
        {
            "DBInstanceIdentifier": "orders-1",
            "IsClusterWriter": True,
            "DBClusterParameterGroupStatus": "failed-to-apply",
        }
    ]
    made = manual(control_id, {**facts, "DBClusterMembers": members})
    assert "a reboot will not help" in made.why
    assert not made.steps


def _inbound(number: int, **source: Any) -> dict[str, Any]:
    return {
        "SecurityGroupRuleId": f"sgr-{number:017x}",
        "GroupId": "sg-0a1b2c3d4e5f60718",
        "IsEgress": False,
        "IpProtocol": "tcp",
        "FromPort": 5432,
        "ToPort": 5432,
        **source,
    }


@pytest.mark.parametrize(
    ("source", "is_way_in"), [("sg-0a1b2c3d4e5f60718", False), ("sg-0123456789abcdef0", True)]
)
def test_a_rule_that_lets_in_the_group_itself_is_no_other_way_in(source: str, *, is_way_in: bool) -> None:
    rules = [_inbound(1, CidrIpv4="0.0.0.0/0"), _inbound(2, ReferencedGroupInfo={"GroupId": source})]
    # Beside a public one; before private ones alone it is left to a person, whatever other rules there are.
    public = {**network_items.GUARDED[0], "Name": "open", "PubliclyAccessible": True}
    assert "public address" in manual("security_group_not_open_to_world", {"SecurityGroupRules": rules}).why
    facts = {"SecurityGroupRules": rules, "GuardedDatabases": [*network_items.GUARDED, public]}
    if is_way_in:
        assert calls("security_group_not_open_to_world", facts)[0].parameters["SecurityGroupRuleIds"] == [
            rules[0]["SecurityGroupRuleId"]
        ]
    else:
        assert "No other rule" in manual("security_group_not_open_to_world", facts).why


@pytest.mark.parametrize(("most", "is_small"), [(1, True), (1.5, False)])
def test_iam_authentication_is_not_enabled_where_serverless_cannot_grow(most: float, is_small: bool) -> None:
    made = outcome(
        "cluster_iam_authentication_enabled",
        {
            "IAMDatabaseAuthenticationEnabled": False,
            "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "MaxCapacity": most},
            "Members": [{"DBInstanceIdentifier": "orders-1", "DBInstanceClass": "db.serverless"}],
        },
    )
    assert isinstance(made, Manual) is is_small


def test_a_new_key_of_performance_insights_takes_neither_mode_nor_retention_away() -> None:
    facts = {
        "DatabaseInsightsMode": "advanced",
        "PerformanceInsightsEnabled": True,
        "PerformanceInsightsRetentionPeriod": 465,
        "InsightsKey": {**items.KEY_METADATA, "KeyManager": "AWS"},
    }
    off, _, on = manual("cluster_insights_customer_managed_key", facts).steps
    assert "--database-insights-mode standard --no-enable-performance-insights" in off
    assert "--performance-insights-retention-period 465 --database-insights-mode advanced" in on


def test_a_new_key_of_an_instances_performance_insights_keeps_its_retention() -> None:
    facts = {
        "PerformanceInsightsEnabled": True,
        "PerformanceInsightsRetentionPeriod": 93,
        "InsightsKey": {**items.KEY_METADATA, "KeyManager": "AWS"},
    }
    assert (
        "--performance-insights-retention-period 93"
        in manual("instance_insights_customer_managed_key", facts).steps[-1]
    )
