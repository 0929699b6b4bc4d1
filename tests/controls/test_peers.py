"""Where other tools judge otherwise: their known false verdicts, and that ours are right.

Each case is a row of docs/explanation/peers.md, which says whose verdict it is. The peers were read in source: Prowler
5.46, Cloud Custodian 0.9.53, Automated Security Response 3.1.5, and the control descriptions of AWS Security Hub.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from controls import items
from controls.network_items import GUARDED, inbound_rule
from warden.controls import all_controls
from warden.core.control import ComplianceType
from warden.core.evaluation import evaluate, plan
from warden.core.kinds import KINDS
from warden.core.plan import WRITES, Manual, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.control import Control
    from warden.core.evaluation import Evaluation

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "peers.md"
CONTROLS = {control.id: control for control in all_controls()}
YES, NO = ComplianceType.COMPLIANT, ComplianceType.NON_COMPLIANT
NONE, UNKNOWN = ComplianceType.NOT_APPLICABLE, ComplianceType.INSUFFICIENT_DATA

MEMBER = {"Engine": "aurora-postgresql", "DBClusterIdentifier": "orders"}
MYSQL = {"Engine": "aurora-mysql", "EngineVersion": "8.0.mysql_aurora.3.08.0"}


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the page, and one control's verdict on one resource."""

    row: str
    control: str
    facts: Mapping[str, Any]
    expect: ComplianceType
    settings: Mapping[str, Any] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    says: str = ""
    """What the sentence of the verdict must say."""


def parameter(name: str, value: str, **other: Any) -> dict[str, Any]:
    """One parameter as DescribeDB(Cluster)Parameters gives it."""
    return {name: {"ParameterName": name, "ParameterValue": value, "IsModifiable": True, **other}}


def cluster_tls(value: str, engine: Mapping[str, Any] = MYSQL) -> dict[str, Any]:
    """A cluster of MySQL whose group has this value."""
    return {**engine, "Parameters": parameter("require_secure_transport", value)}


def instance_tls(engine: str, version: str, name: str, value: str) -> dict[str, Any]:
    """A stand-alone instance whose group has this value."""
    return {"Engine": engine, "EngineVersion": version, "InstanceParameters": parameter(name, value)}


def subscription(source: str | None, *categories: str, **other: Any) -> dict[str, Any]:
    """An item of DescribeEventSubscriptions; AWS leaves out what stands for all."""
    item = {
        "CustSubscriptionId": "ops",
        "SnsTopicArn": "arn:aws:sns:eu-west-1:123456789012:databases",
        "Status": "active",
        "Enabled": True,
        "SourceType": source,
        "EventCategoriesList": list(categories),
        **other,
    }
    return {key: value for key, value in item.items() if value not in (None, [])}


FAILURES = {"db-cluster": ["failure", "maintenance"], "db-instance": ["failure"], "db-parameter-group": []}


def backup_plan(**selection: Any) -> list[dict[str, Any]]:
    """One plan of AWS Backup with one selection."""
    empty: dict[str, Any] = {name: [] for name in ("Resources", "NotResources", "ListOfTags")}
    given = {"SelectionName": "databases", "Everything": False, **empty, "Conditions": {}, **selection}
    rule = {"RuleName": "daily", "TargetBackupVaultName": "databases", "KeptDays": [90]}
    return [{"BackupPlanName": "nightly", "Rules": [rule], "Selections": [given]}]


TAG = {"ConditionKey": "team", "ConditionValue": "orders"}
HALVES = [inbound_rule(5, CidrIpv4="0.0.0.0/1"), inbound_rule(6, CidrIpv4="128.0.0.0/1")]
WORLD = inbound_rule(7, CidrIpv4="0.0.0.0/0")

CASES = (
    # Encryption.
    Case(
        "aws-owned-key-is-encryption",
        "cluster_storage_encrypted",
        {"StorageEncrypted": False, "StorageEncryptionType": "sse-rds", "KmsKeyId": None},
        YES,
    ),
    Case(
        "aws-owned-key-is-encryption",
        "cluster_customer_managed_key",
        {"StorageEncrypted": False, "StorageEncryptionType": "sse-rds", "KmsKeyId": None, "StorageKey": None},
        NO,
    ),
    Case(
        "member-is-encrypted-by-its-cluster",
        "instance_storage_encrypted",
        {**MEMBER, "StorageEncrypted": False, "StorageEncryptionType": None},
        NONE,
    ),
    # TLS.
    *(
        Case("spellings-of-on", "cluster_tls_enforced", cluster_tls(value), YES)
        for value in ("1", "on", "ON", "true")
    ),
    *(
        Case("spellings-of-on", "instance_tls_enforced", instance_tls(*engine, value), YES)
        for engine in (
            ("mysql", "8.4.3", "require_secure_transport"),
            ("mariadb", "11.4.4", "require_secure_transport"),
            ("postgres", "16.4", "rds.force_ssl"),
        )
        for value in ("1", "on", "ON")
    ),
    Case("spellings-of-on", "cluster_tls_enforced", cluster_tls("OFF"), NO),
    Case(
        "parameter-waits-for-a-reboot",
        "cluster_tls_enforced",
        {
            "DBClusterMembers": [
                {**items.CLUSTER["DBClusterMembers"][0], "DBClusterParameterGroupStatus": "pending-reboot"},
                items.CLUSTER["DBClusterMembers"][1],
            ]
        },
        NO,
    ),
    Case(
        "parameter-waits-for-a-reboot",
        "instance_tls_enforced",
        {"DBParameterGroups": [{"DBParameterGroupName": "own", "ParameterApplyStatus": "pending-reboot"}]},
        NO,
    ),
    Case("parameters-unread", "cluster_tls_enforced", {}, UNKNOWN, missing=("Parameters",)),
    Case("parameters-unread", "instance_tls_enforced", {}, UNKNOWN, missing=("InstanceParameters",)),
    Case("aurora-has-a-tls-control", "cluster_tls_enforced", cluster_tls("0"), NO),
    Case(
        "tls-of-members-is-the-clusters", "instance_tls_enforced", {**MEMBER, "InstanceParameters": {}}, NONE
    ),
    # Certificates.
    Case(
        "certificate-unread", "instance_ca_certificate_current", {}, UNKNOWN, missing=("CertificateDetails",)
    ),
    # Networks.
    Case(
        "public-flag-behind-a-closed-group",
        "instance_not_publicly_accessible",
        {"PubliclyAccessible": True, "SecurityGroupRules": []},
        NO,
    ),
    Case("world-in-two-halves", "security_group_not_open_to_world", {"SecurityGroupRules": HALVES}, NO),
    Case(
        "another-port-than-the-databases",
        "security_group_not_open_to_world",
        {"SecurityGroupRules": [WORLD], "GuardedDatabases": [{**GUARDED[0], "Port": 15432}]},
        YES,
    ),
    # Logins.
    Case(
        "iam-flag-of-members",
        "instance_iam_authentication_enabled",
        {**MEMBER, "IAMDatabaseAuthenticationEnabled": False},
        NONE,
    ),
    Case(
        "secret-never-set-to-rotate",
        "secret_rotation_enabled",
        {
            "Name": "prod/db/orders",
            "OwningService": None,
            "RotationEnabled": None,
            "RotationRules": None,
            "LastRotatedDate": None,
        },
        NO,
        settings={"secret_name_prefixes": ["prod/db/"]},
    ),
    # Logs.
    Case(
        "one-log-of-several",
        "cluster_log_exports_complete",
        {
            **MYSQL,
            "EnabledCloudwatchLogsExports": ["error"],
            "ExportableLogTypes": ["audit", "error", "slowquery"],
        },
        NO,
        says="audit",
    ),
    Case(
        "one-log-of-several",
        "instance_log_exports_complete",
        {
            "Engine": "mysql",
            "EngineVersion": "8.4.3",
            "EnabledCloudwatchLogsExports": ["error"],
            "ExportableLogTypes": ["audit", "error", "general", "slowquery"],
        },
        NO,
        says="slowquery",
    ),
    Case(
        "exported-audit-log-that-records-nothing",
        "cluster_mysql_audit_effective",
        {
            **MYSQL,
            "EnabledCloudwatchLogsExports": ["audit", "error", "slowquery"],
            "Parameters": {
                **parameter("server_audit_logging", "0", ApplyType="dynamic"),
                **parameter("server_audit_events", "", ApplyType="dynamic"),
                **parameter("server_audit_excl_users", "", ApplyType="dynamic"),
                **parameter("server_audit_incl_users", "", ApplyType="dynamic"),
            },
        },
        NO,
    ),
    # Snapshots.
    *(
        case
        for kind in ("cluster_snapshot", "db_snapshot")
        for case in (
            Case(
                "all-and-accounts-is-public",
                f"{kind}_not_public",
                {"RestoreAccounts": ["111122223333", "all"]},
                NO,
            ),
            Case(
                "shared-with-a-stranger",
                f"{kind}_shares_approved",
                {"RestoreAccounts": ["111122223333"]},
                NO,
                settings={"approved_accounts": ["210987654321"]},
                says="111122223333",
            ),
            Case("shares-unread", f"{kind}_not_public", {}, UNKNOWN, missing=("RestoreAccounts",)),
        )
    ),
    # Backups.
    Case(
        "a-day-of-backups",
        "instance_backup_retention_sufficient",
        {"BackupRetentionPeriod": 1},
        NO,
        says="1 day",
    ),
    Case(
        "a-day-of-backups",
        "cluster_backup_retention_sufficient",
        {"BackupRetentionPeriod": 1},
        NO,
        says="1 day",
    ),
    Case(
        "backups-of-members",
        "instance_backup_retention_sufficient",
        {**MEMBER, "BackupRetentionPeriod": 1},
        NONE,
    ),
    Case("plan-by-tag", "cluster_backup_plan_covers", {"BackupPlans": backup_plan(ListOfTags=[TAG])}, YES),
    Case("plan-by-tag", "instance_backup_plan_covers", {"BackupPlans": backup_plan(ListOfTags=[TAG])}, YES),
    Case(
        "plan-by-pattern",
        "cluster_backup_plan_covers",
        {"BackupPlans": backup_plan(Resources=["arn:aws:rds:*:*:cluster:ord*"])},
        YES,
    ),
    Case(
        "plan-by-pattern",
        "instance_backup_plan_covers",
        {"BackupPlans": backup_plan(Resources=["arn:aws:rds:*:*:db:*"])},
        YES,
    ),
    Case(
        "plan-that-excludes",
        "cluster_backup_plan_covers",
        {"BackupPlans": backup_plan(Resources=["*"], NotResources=[items.CLUSTER["DBClusterArn"]])},
        NO,
    ),
    Case(
        "backtrack-that-cannot-be",
        "cluster_backtrack_enabled",
        {**MYSQL, "GlobalClusterIdentifier": "orders-global", "BacktrackWindow": None},
        NONE,
    ),
    # Deletion.
    Case(
        "deletion-protection-of-members",
        "instance_deletion_protection_enabled",
        {**MEMBER, "DeletionProtection": False},
        NONE,
    ),
    # Monitoring.
    Case(
        "monitoring-that-was-turned-off",
        "instance_enhanced_monitoring_enabled",
        {
            "MonitoringInterval": 0,
            "EnhancedMonitoringResourceArn": "arn:aws:logs:eu-west-1:123456789012:log-group:RDSOSMetrics",
        },
        NO,
    ),
    Case(
        "monitoring-more-often-than-asked",
        "instance_enhanced_monitoring_enabled",
        {"MonitoringInterval": 15},
        YES,
        settings={"maximum_seconds": 60},
    ),
    # Versions.
    *(
        Case(
            "opted-in-to-extended-support",
            control,
            {"EngineLifecycleSupport": "open-source-rds-extended-support"},
            YES,
        )
        for control in (
            "cluster_engine_supported",
            "instance_engine_supported",
            "global_cluster_engine_supported",
        )
    ),
    # Event subscriptions.
    *(
        Case(
            "subscription-to-more-than-asked",
            "account_event_subscriptions_complete",
            {"EventSubscriptions": subscriptions},
            YES,
            settings={"required": FAILURES},
        )
        for subscriptions in (
            [
                subscription("db-cluster", "failover", "failure", "maintenance", "notification"),
                subscription("db-instance", "failure", "low storage"),
                subscription("db-snapshot", "deletion"),
            ],
            [subscription(None)],
            [
                subscription("db-cluster", "failure"),
                subscription("db-cluster", "maintenance"),
                subscription("db-instance"),
            ],
        )
    ),
    Case("no-subscription-at-all", "account_event_subscriptions_complete", {"EventSubscriptions": []}, NO),
)


def judged(case: Case) -> Evaluation:
    control = CONTROLS[case.control]
    resource = items.resource(control.resource_type, case.facts, missing=case.missing)
    return evaluate(control, resource, {**control.defaults(), **case.settings})


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.row}-{case.control}")
def test_what_others_judge_wrongly_is_judged_rightly(case: Case) -> None:
    found = judged(case)
    assert found.error == ""
    assert found.compliance is case.expect, found.annotation
    assert case.says in found.annotation


# --- what holds for all controls ----------------------------------------------------------------------------

OF_AN_ENGINE = {ResourceType.DB_CLUSTER, ResourceType.DB_INSTANCE, ResourceType.DB_CLUSTER_SNAPSHOT}


@pytest.mark.parametrize("engine", ["neptune", "docdb"])
@pytest.mark.parametrize(
    "control", [one for one in CONTROLS.values() if one.resource_type in OF_AN_ENGINE], ids=lambda one: one.id
)
def test_other_products_are_not_judged_as_rds(control: Control, engine: str) -> None:
    """The row `neptune-is-not-rds`."""
    resource = items.resource(control.resource_type, {"Engine": engine, "EngineVersion": "1.3.2.1"})
    assert evaluate(control, resource, control.defaults()).compliance is NONE


def test_a_public_instance_is_closed_without_setting_loose_what_others_have_queued() -> None:
    """The row `fix-that-flushes-queued-changes`."""
    control = CONTROLS["instance_not_publicly_accessible"]
    resource = items.resource(
        control.resource_type,
        {"PubliclyAccessible": True, "PendingModifiedValues": {"DBInstanceClass": "db.m7g.xlarge"}},
    )
    made = plan(control, resource, control.defaults())
    assert isinstance(made, Plan)
    [call] = made.calls
    assert call.operation == "ModifyDBInstance"
    assert "ApplyImmediately" not in call.parameters


def test_a_member_of_a_multi_az_cluster_is_left_to_a_person() -> None:
    """The row `fix-that-aws-refuses`: "ModifyDBInstance" is refused for members of Multi-AZ DB clusters."""
    control = CONTROLS["instance_not_publicly_accessible"]
    facts = {"PubliclyAccessible": True, "Engine": "postgres", "DBClusterIdentifier": "orders"}
    assert isinstance(plan(control, items.resource(control.resource_type, facts), control.defaults()), Manual)


def test_un_sharing_takes_the_public_and_every_stranger_and_leaves_the_partner() -> None:
    """The row `un-sharing-leaves-strangers`."""
    for kind in ("cluster_snapshot", "db_snapshot"):
        control = CONTROLS[f"{kind}_shares_approved"]
        accounts = ["111122223333", "210987654321", "444455556666"]
        resource = items.resource(control.resource_type, {"RestoreAccounts": accounts})
        settings = {**control.defaults(), "approved_accounts": ["210987654321"]}
        made = plan(control, resource, settings)
        assert isinstance(made, Plan)
        [call] = made.calls
        assert call.parameters["ValuesToRemove"] == ["111122223333", "444455556666"]


def test_no_remediation_deletes_anything() -> None:
    """The row `fix-that-deletes-the-original`: no plan may make such a call, whatever it plans.

    But for one: a temporary cluster that the plan's own procedure made (`tests/gateways/test_procedures.py`).
    """
    assert [name for name in WRITES if name.startswith(("Delete", "Stop", "Terminate"))] == [
        "DeleteDBCluster"
    ]
    [(control, permit)] = [
        (control.id, permit)
        for control in CONTROLS.values()
        for permit in (control.remediation.permits if control.remediation else ())
        if permit.operation == "DeleteDBCluster"
    ]
    assert control == "cluster_snapshot_encrypted"
    original = items.resource(CONTROLS[control].resource_type)
    name = original.facts["DBClusterSnapshotIdentifier"]
    for other in (name, original.facts["DBClusterIdentifier"], "warden-orders-00000000"):
        assert permit.required["DBClusterIdentifier"].refusal(other, original.facts)
    assert permit.required["SkipFinalSnapshot"].refusal(False, original.facts)
    assert set(permit.required) == {"DBClusterIdentifier", "SkipFinalSnapshot"}
    assert not permit.optional


def test_an_unencrypted_cluster_snapshot_is_not_copied() -> None:
    """The row `fix-that-aws-refuses`: "the copy operation results in an error" (CopyDBClusterSnapshot, KmsKeyId)."""
    control = CONTROLS["cluster_snapshot_encrypted"]
    facts = {"StorageEncrypted": False, "StorageEncryptionType": "none", "KmsKeyId": None}
    made = plan(control, items.resource(control.resource_type, facts), control.defaults())
    assert isinstance(made, Manual)
    assert not [step for step in made.steps if "copy-db-cluster-snapshot" in step]


# --- the page -----------------------------------------------------------------------------------------------


def rows() -> dict[str, str]:
    """The rows of the page by their ids, each with the file whose tests hold it."""
    text = PAGE.read_text(encoding="utf-8")
    return dict(re.findall(r"^\|.*\| `([a-z-]+)` \| \[\w+\.py\]\(\.\./\.\./(\S+)\) \|$", text, re.MULTILINE))


def test_every_case_is_a_row_of_the_page_and_every_row_is_held_by_the_file_that_it_names() -> None:
    found = rows()
    assert len(found) > len({case.row for case in CASES})
    for row, file in found.items():
        text = (PAGE.parents[2] / file).read_text(encoding="utf-8")
        assert re.search(rf"[`\"]{row}[`\"]", text), row
    here = {row for row, file in found.items() if file == "tests/controls/test_peers.py"}
    assert here == set(re.findall(r"The row `([a-z-]+)`", _this_file())) | {case.row for case in CASES}


def _this_file() -> str:
    return Path(__file__).read_text(encoding="utf-8")


def test_the_kinds_of_other_products_are_those_that_have_an_engine() -> None:
    assert {kind for kind in KINDS if "Engine" in items.ITEMS.get(kind, {})} - OF_AN_ENGINE == {
        ResourceType.DB_SNAPSHOT,  # Neptune and DocumentDB have snapshots of clusters alone
        ResourceType.GLOBAL_CLUSTER,
    }
