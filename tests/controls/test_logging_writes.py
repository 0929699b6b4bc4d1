"""What the guard lets pass of writes to logs, audit parameters and the account, and what lies just beside it."""

from __future__ import annotations

from typing import Any

import pytest

from controls import items
from controls.detection_items import LOG_GROUP, OF_THE_ACCOUNT
from controls.test_plans import calls, manual
from warden.controls import all_controls
from warden.core import audit, connection_logs, trails
from warden.core.errors import GuardError
from warden.core.evaluation import plan
from warden.core.guard import check
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan, written
from warden.core.resource import ResourceType

CONTROLS = {control.id: control for control in all_controls()}
NAME = LOG_GROUP["logGroupName"]
DETECTOR = OF_THE_ACCOUNT[Need.DETECTORS][0]["DetectorId"]
TOPIC = f"arn:aws:sns:{items.REGION}:{items.ACCOUNT}:databases"
SUBSCRIPTION = {
    "SubscriptionName": "warden-db-cluster",
    "SnsTopicArn": TOPIC,
    "SourceType": "db-cluster",
    "EventCategories": ["failover"],
    "Enabled": True,
}
FEATURE = {"Name": "RDS_LOGIN_EVENTS", "Status": "ENABLED"}


def parameter(name: str, value: str | None, **other: Any) -> dict[str, Any]:
    item = {"ParameterName": name, "Source": "user", "ApplyType": "dynamic", "IsModifiable": True, **other}
    return {name: item if value is None else {**item, "ParameterValue": value}}


MYSQL = {
    "Engine": "aurora-mysql",
    "Parameters": {
        **parameter("server_audit_logging", "0", AllowedValues="0,1"),
        **parameter("server_audit_events", "TABLE"),
        **parameter("server_audit_excl_users", ""),
        **parameter("server_audit_incl_users", ""),
    },
}
POSTGRES = {
    "Parameters": {
        **parameter("shared_preload_libraries", "pg_stat_statements,pg_cron", ApplyType="static"),
        **parameter("pgaudit.log", "none"),
    }
}


def group(name: str, value: str, method: str = "immediate") -> dict[str, Any]:
    changed = {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}
    return {"DBClusterParameterGroupName": "orders-pg16", "Parameters": [changed]}


def checked(control_id: str, facts: dict[str, Any], operation: str, parameters: dict[str, Any]) -> None:
    control = CONTROLS[control_id]
    assert control.remediation is not None
    resource = items.resource(control.resource_type, facts)
    check(Call(operation, parameters), control.remediation.permits, resource)


GROUP = "ModifyDBClusterParameterGroup"
CASES: list[tuple[str, dict[str, Any], str, dict[str, Any], list[dict[str, Any]]]] = [
    (
        "cluster_mysql_audit_effective", MYSQL, GROUP,
        group("server_audit_events", "TABLE,CONNECT"),
        [
            group("server_audit_events", "CONNECT"),  # drops one
            group("server_audit_events", "CONNECT,TABLE"),  # is not the live list, extended
            group("server_audit_events", "TABLE"),  # adds none
            group("server_audit_events", "TABLE,TABLE"),
            group("server_audit_events", "TABLE,connect"),
            group("server_audit_events", ""),
            group("server_audit_events", "TABLE,CONNECT", "pending-reboot"),
            group("server_audit_logging", "0"),
            group("server_audit_excl_users", "app"),
            group("require_secure_transport", "ON"),
            {**group("server_audit_events", "TABLE,CONNECT"), "DBClusterParameterGroupName": "reports"},
            {"DBClusterParameterGroupName": "orders-pg16", "Parameters": []},
            {"DBClusterParameterGroupName": "orders-pg16", "Parameters": [{"ParameterName": "server_audit_logging"}]},
        ],
    ),
    (
        "cluster_postgresql_audit_effective", POSTGRES, GROUP,
        group("shared_preload_libraries", "pg_stat_statements,pg_cron,pgaudit", "pending-reboot"),
        [
            group("shared_preload_libraries", "pgaudit", "pending-reboot"),
            group("shared_preload_libraries", "pg_stat_statements,pg_cron,pgaudit"),
            group("shared_preload_libraries", "pg_stat_statements,pg_cron,plrust", "pending-reboot"),
            group("pgaudit.log", "none"),
            group("pgaudit.log", "-ddl"),
            group("pgaudit.log", "ddl", "pending-reboot"),
        ],
    ),
    (
        "cluster_postgresql_audit_effective", POSTGRES, GROUP, group("pgaudit.log", "ddl,role"),
        [group("pgaudit.role", "rds_pgaudit")],
    ),
    (
        "cluster_connection_logging_enabled", {}, GROUP, group("log_connections", "1"),
        [group("log_connections", "0"), group("log_statement", "none"), group("log_statement", "all")],
    ),
    (
        "log_group_retention_sufficient", {"retentionInDays": 30}, "PutRetentionPolicy",
        {"logGroupName": NAME, "retentionInDays": 60},
        [
            {"logGroupName": NAME, "retentionInDays": 30},
            {"logGroupName": NAME, "retentionInDays": 14},
            {"logGroupName": NAME, "retentionInDays": 61},
            {"logGroupName": NAME, "retentionInDays": True},
            {"logGroupName": "/aws/rds/cluster/reports/postgresql", "retentionInDays": 60},
        ],
    ),
    (
        "log_group_retention_sufficient", {"retentionInDays": None}, "PutRetentionPolicy",
        {"logGroupName": NAME, "retentionInDays": 365},
        [{"logGroupName": NAME, "retentionInDays": 180}, {"logGroupName": NAME, "retentionInDays": 1}],
    ),
    (
        "log_group_encrypted", {"kmsKeyId": None}, "AssociateKmsKey",
        {"logGroupName": NAME, "kmsKeyId": items.KEY},
        [
            {"logGroupName": NAME, "kmsKeyId": "alias/databases"},
            {"logGroupName": NAME, "kmsKeyId": ""},
            {"logGroupName": "/aws/lambda/x", "kmsKeyId": items.KEY},
            {"resourceIdentifier": f"{LOG_GROUP['logGroupArn']}", "kmsKeyId": items.KEY},
        ],
    ),
    (
        "account_event_subscriptions_complete", {}, "CreateEventSubscription", SUBSCRIPTION,
        [
            {**SUBSCRIPTION, "SubscriptionName": "mine"},
            {**SUBSCRIPTION, "SnsTopicArn": TOPIC.replace(items.ACCOUNT, "666666666666")},
            {**SUBSCRIPTION, "SnsTopicArn": f"{TOPIC}.fifo"},
            {**SUBSCRIPTION, "SnsTopicArn": "databases"},
            {**SUBSCRIPTION, "Enabled": False},
            {**SUBSCRIPTION, "EventCategories": []},
            {**SUBSCRIPTION, "SourceIds": ["orders"]},
        ],
    ),
    (
        "account_guardduty_rds_protection", {}, "UpdateDetector",
        {"DetectorId": DETECTOR, "Features": [FEATURE]},
        [
            {"DetectorId": "0", "Features": [FEATURE]},
            {"DetectorId": DETECTOR, "Features": [{**FEATURE, "Status": "DISABLED"}]},
            {"DetectorId": DETECTOR, "Features": [{**FEATURE, "Name": "EKS_AUDIT_LOGS"}]},
            {"DetectorId": DETECTOR, "Features": [FEATURE], "Enable": False},
            {"DetectorId": DETECTOR, "Features": []},
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("control_id", "facts", "operation", "good", "bad"), CASES)
def test_the_guard_lets_one_call_pass_and_none_beside_it(
    control_id: str,
    facts: dict[str, Any],
    operation: str,
    good: dict[str, Any],
    bad: list[dict[str, Any]],
) -> None:
    checked(control_id, facts, operation, good)
    for parameters in bad:
        with pytest.raises(GuardError):
            checked(control_id, facts, operation, parameters)


def test_a_key_or_a_detector_that_is_somebody_elses_to_decide_is_not_written_to() -> None:
    with pytest.raises(GuardError, match="the log group has the key"):
        checked("log_group_encrypted", {}, "AssociateKmsKey", {"logGroupName": NAME, "kmsKeyId": items.KEY})
    call = {"DetectorId": DETECTOR, "Features": [FEATURE]}
    with pytest.raises(GuardError, match="210987654321 administers"):
        checked(
            "account_guardduty_rds_protection",
            {"GuardDutyAdministrator": "210987654321"},
            "UpdateDetector",
            call,
        )
    suspended = [{"DetectorId": DETECTOR, "Status": "DISABLED", "Features": []}]
    with pytest.raises(GuardError, match="is not among"):
        checked("account_guardduty_rds_protection", {"Detectors": suspended}, "UpdateDetector", call)


def test_what_is_written_to_is_the_log_group_or_the_account() -> None:
    log_group = items.resource(ResourceType.LOG_GROUP).ref
    put = Call("PutRetentionPolicy", {"logGroupName": NAME, "retentionInDays": 365})
    assert written(put, log_group, region=items.REGION) == log_group
    account = items.resource(ResourceType.ACCOUNT).ref
    for call in (
        Call("CreateEventSubscription", SUBSCRIPTION),
        Call("UpdateDetector", {"DetectorId": DETECTOR, "Features": [FEATURE]}),
    ):
        assert written(call, account, region=items.REGION) == account


# --- plans ------------------------------------------------------------------------------------------------


def planned(control_id: str, facts: dict[str, Any], **settings: Any) -> Plan | Manual:
    control = CONTROLS[control_id]
    return plan(control, items.resource(control.resource_type, facts), {**control.defaults(), **settings})


def test_everything_that_lacks_is_set_in_one_call_by_the_method_that_each_parameter_takes() -> None:
    made = planned("cluster_postgresql_audit_effective", POSTGRES)
    assert isinstance(made, Plan)
    [call] = made.calls
    assert call.parameters["Parameters"] == [
        {
            "ParameterName": "shared_preload_libraries",
            "ParameterValue": "pg_stat_statements,pg_cron,pgaudit",
            "ApplyMethod": "pending-reboot",
        },
        {"ParameterName": "pgaudit.log", "ParameterValue": "ddl,role", "ApplyMethod": "immediate"},
    ]


def test_a_class_that_is_taken_away_later_is_not_added_in_vain() -> None:
    facts = {
        "Parameters": {
            **parameter("shared_preload_libraries", "pgaudit", ApplyType="static"),
            **parameter("pgaudit.log", "ddl,role,-role"),
        }
    }
    made = planned("cluster_postgresql_audit_effective", facts)
    assert isinstance(made, Manual)
    assert "takes role away again" in made.why


def test_the_retention_is_the_shortest_that_exists_and_suffices() -> None:
    made = planned("log_group_retention_sufficient", {"retentionInDays": 1}, minimum_days=181)
    assert isinstance(made, Plan)
    assert made.calls[0].parameters["retentionInDays"] == 365


def test_a_policy_of_the_account_is_changed_there() -> None:
    facts = {"retentionInDays": 1, "retentionPolicyName": "a-day"}
    made = planned("log_group_retention_sufficient", facts)
    assert isinstance(made, Manual)
    assert "--policy-type RETENTION_POLICY --policy-name a-day" in made.steps[0]


def test_the_trail_that_lacks_least_is_put_right_where_it_is_at_home() -> None:
    [trail] = OF_THE_ACCOUNT[Need.TRAILS]
    broken = {**trail, "IsLogging": False, "IsMultiRegionTrail": False}
    abroad = {**trail, "TrailARN": "arn:aws:cloudtrail:us-east-1:1:trail/abroad", "IsLogging": False}
    made = planned(
        "account_cloudtrail_covers_rds", {"Trails": [broken, {**abroad, "HomeRegion": "us-east-1"}]}
    )
    assert isinstance(made, Manual)
    assert all("trail/abroad" in step and "--region us-east-1" in step for step in made.steps)


# --- words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "recorded"),
    [
        ("", set()),
        ("none", set()),
        ("DDL, Role", {"ddl", "role"}),
        ("all", set(audit.CLASSES)),
        ("all,-read,-write", {"ddl", "function", "misc", "role"}),
        ("-ddl,all", set(audit.CLASSES)),
        ("all,-all,ddl", {"ddl"}),
        ("everything", set()),
    ],
)
def test_classes_of_pgaudit_are_taken_in_their_order(value: str, recorded: set[str]) -> None:
    assert audit.recorded_classes(value) == recorded


def test_all_stands_for_every_class_where_it_is_required() -> None:
    assert audit.lacking(["all"], {"ddl", "function", "misc", "read", "role"}) == ["write"]


@pytest.mark.parametrize(
    ("value", "unknown"),
    [
        ("on", False),
        ("TRUE", False),
        ("all", False),
        ("receipt,setup_durations", False),
        ("maybe", True),
        (None, True),
    ],
)
def test_a_value_of_log_connections_is_understood_or_said_not_to_be(value: str | None, unknown: bool) -> None:
    assert bool(connection_logs.unknown({"log_connections": value})) is unknown


@pytest.mark.parametrize(
    ("field", "covers"),
    [
        ({"Field": "eventSource", "StartsWith": ["rds"]}, True),
        ({"Field": "eventSource", "EndsWith": [".amazonaws.com"]}, True),
        ({"Field": "eventSource", "NotEndsWith": [".amazonaws.com"]}, False),
        ({"Field": "eventSource", "StartsWith": ["ec2", "s3"]}, False),
        ({"Field": "eventSource", "NotEquals": ["rds.amazonaws.com"]}, False),
        ({"Field": "eventName", "NotEquals": ["ModifyDBCluster"]}, False),
    ],
)
def test_an_advanced_selector_covers_rds_only_if_every_field_does(
    field: dict[str, Any], covers: bool
) -> None:
    [trail] = OF_THE_ACCOUNT[Need.TRAILS]
    selector = {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}, field]}
    lacks = trails.shortcomings({**trail, "EventSelectors": [], "AdvancedEventSelectors": [selector]})
    assert (lacks == []) is covers


def test_a_log_group_is_given_no_key_that_the_policy_does_not_approve() -> None:
    other = items.KEY.replace("key/", "key/0")
    assert manual("log_group_encrypted", {"kmsKeyId": None}, {"keys": [items.KEY], "approved_keys": [other]})
    made = calls(
        "log_group_encrypted", {"kmsKeyId": None}, {"keys": [other, items.KEY], "approved_keys": [items.KEY]}
    )
    assert made[0].parameters["kmsKeyId"] == items.KEY
