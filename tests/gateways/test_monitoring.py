"""Performance Insights, Enhanced Monitoring and alarms on the local AWS: read, judged, put right, judged again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateways.estate import CONTROLS, Estate
from warden.core.control import ComplianceType
from warden.core.errors import GuardError
from warden.core.guard import check
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warden.core.resource import ResourceType

COMPLIANT, NON_COMPLIANT = ComplianceType.COMPLIANT, ComplianceType.NON_COMPLIANT
NOT_APPLICABLE, INSUFFICIENT_DATA = ComplianceType.NOT_APPLICABLE, ComplianceType.INSUFFICIENT_DATA
LOGIN = {"MasterUsername": "steward", "MasterUserPassword": "correct-horse-battery"}
KEY = "alias/databases"
CLUSTERS = "cluster_database_insights_enabled"
INSTANCES = "instance_performance_insights_enabled"


@pytest.fixture
def estate() -> Iterator[Estate]:
    with Estate() as made:
        kms = made.client("kms")
        kms.create_alias(AliasName=KEY, TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
        yield made


def cluster(
    estate: Estate, name: str = "orders", *, classes: tuple[str, ...] = ("db.r6g.large",) * 2, **settings: Any
) -> str:
    rds = estate.client("rds")
    made = rds.create_db_cluster(
        DBClusterIdentifier=name,
        **{"Engine": "aurora-postgresql", "EngineVersion": "16.6", **LOGIN, **settings},
    )
    for number, instance_class in enumerate(classes):
        rds.create_db_instance(
            DBInstanceIdentifier=f"{name}-{number}",
            DBClusterIdentifier=name,
            Engine=made["DBCluster"]["Engine"],
            DBInstanceClass=instance_class,
        )
    estate.aws.rds.settle()
    return str(made["DBCluster"]["DBClusterArn"])


def instance(estate: Estate, name: str = "billing", **settings: Any) -> str:
    made = estate.client("rds").create_db_instance(
        DBInstanceIdentifier=name,
        **{
            "Engine": "postgres",
            "EngineVersion": "16.6",
            "DBInstanceClass": "db.m6g.large",
            "AllocatedStorage": 20,
            **LOGIN,
            **settings,
        },
    )
    estate.aws.rds.settle()
    return str(made["DBInstance"]["DBInstanceArn"])


def key_arn(estate: Estate) -> str:
    return str(estate.client("kms").describe_key(KeyId=KEY)["KeyMetadata"]["Arn"])


# --- Performance Insights ---------------------------------------------------------------------------------


def test_a_cluster_gets_it_for_all_instances_with_the_policys_key(estate: Estate) -> None:
    arn = cluster(estate)
    assert estate.judged(CLUSTERS, arn).compliance is NON_COMPLIANT
    assert estate.fixed(CLUSTERS, arn, kms_key=KEY).compliance is COMPLIANT
    rds = estate.client("rds")
    for item in rds.describe_db_instances()["DBInstances"]:
        assert item["PerformanceInsightsKMSKeyId"] == key_arn(estate)
        assert item["PerformanceInsightsRetentionPeriod"] == 7


def test_nothing_is_turned_on_without_a_key_of_the_policy(estate: Estate) -> None:
    assert isinstance(estate.planned(CLUSTERS, cluster(estate)), Manual)
    assert isinstance(estate.planned(INSTANCES, instance(estate)), Manual)


def test_a_cluster_whose_instances_differ_is_left_to_a_person(estate: Estate) -> None:
    arn = cluster(estate)
    estate.client("rds").modify_db_instance(
        DBInstanceIdentifier="orders-0", EnablePerformanceInsights=True, PerformanceInsightsKMSKeyId=KEY
    )
    found = estate.judged(CLUSTERS, arn)
    assert found.compliance is NON_COMPLIANT
    assert "orders-1" in found.annotation
    assert "orders-0" not in found.annotation
    planned = estate.planned(CLUSTERS, arn, kms_key=KEY)
    assert isinstance(planned, Manual)
    assert "--db-instance-identifier orders-1" in planned.steps[0]


def test_a_stand_alone_instance_gets_it_and_one_whose_class_has_none_does_not_apply(estate: Estate) -> None:
    arn = instance(estate)
    assert estate.fixed(INSTANCES, arn, kms_key=KEY).compliance is COMPLIANT
    small = instance(estate, "small", Engine="mysql", EngineVersion="8.4.3", DBInstanceClass="db.t3.micro")
    assert estate.judged(INSTANCES, small).compliance is NOT_APPLICABLE
    retired = instance(estate, "retired", DBInstanceClass="db.m3.large")
    assert estate.judged(INSTANCES, retired).compliance is INSUFFICIENT_DATA


@pytest.mark.parametrize("engine", ["mysql", "postgres"])
def test_a_multi_az_db_cluster_gets_it_at_the_cluster(estate: Estate, engine: str) -> None:
    version = {"mysql": "8.4.3", "postgres": "16.6"}[engine]
    arn = cluster(estate, classes=(), **{**MULTI_AZ, "Engine": engine, "EngineVersion": version})
    assert estate.judged(CLUSTERS, arn).compliance is NON_COMPLIANT
    assert estate.fixed(CLUSTERS, arn, kms_key=KEY).compliance is COMPLIANT


def test_the_advanced_mode_brings_what_it_takes_and_keeps_a_longer_history(estate: Estate) -> None:
    control = "cluster_database_insights_advanced"
    arn = cluster(estate)
    assert estate.fixed(control, arn, kms_key=KEY).compliance is COMPLIANT
    longer = cluster(
        estate,
        "archive",
        EnablePerformanceInsights=True,
        PerformanceInsightsKMSKeyId=KEY,
        PerformanceInsightsRetentionPeriod=731,
    )
    planned = estate.planned(control, longer)
    assert isinstance(planned, Plan)
    assert planned.calls[0].parameters["PerformanceInsightsRetentionPeriod"] == 731
    assert "PerformanceInsightsKMSKeyId" not in planned.calls[0].parameters
    assert estate.fixed(control, longer).compliance is COMPLIANT
    single = instance(estate)
    assert estate.fixed("instance_database_insights_advanced", single, kms_key=KEY).compliance is COMPLIANT


# --- Enhanced Monitoring ------------------------------------------------------------------------------------

ROLE = "arn:aws:iam::123456789012:role/rds-monitoring-role"
WITH_ROLE = {"monitoring_role": "rds-monitoring-role"}
MULTI_AZ: dict[str, Any] = {
    "Engine": "postgres",
    "EngineVersion": "16.6",
    "DBClusterInstanceClass": "db.m6gd.large",
    "AllocatedStorage": 100,
    "StorageType": "io1",
    "Iops": 1000,
}


def test_an_instance_is_looked_into_by_the_one_role(estate: Estate) -> None:
    control = "instance_enhanced_monitoring_enabled"
    arn = instance(estate)
    assert isinstance(estate.planned(control, arn), Manual)
    assert estate.fixed(control, arn, **WITH_ROLE).compliance is COMPLIANT
    (item,) = estate.client("rds").describe_db_instances()["DBInstances"]
    assert (item["MonitoringInterval"], item["MonitoringRoleArn"]) == (60, ROLE)
    # And more often, when the policy says so; between two intervals that RDS knows, the shorter.
    assert estate.judged(control, arn, maximum_seconds=20).compliance is NON_COMPLIANT
    assert estate.fixed(control, arn, **WITH_ROLE, maximum_seconds=20).compliance is COMPLIANT
    (item,) = estate.client("rds").describe_db_instances()["DBInstances"]
    assert item["MonitoringInterval"] == 15


def test_members_of_aurora_are_judged_at_the_instance_and_the_cluster_is_not(estate: Estate) -> None:
    arn = cluster(estate)
    assert estate.judged("cluster_enhanced_monitoring_enabled", arn).compliance is NOT_APPLICABLE
    member = arn.replace(":cluster:orders", ":db:orders-0")
    assert estate.fixed("instance_enhanced_monitoring_enabled", member, **WITH_ROLE).compliance is COMPLIANT


def test_a_multi_az_db_cluster_is_judged_and_its_members_are_not(estate: Estate) -> None:
    control = "cluster_enhanced_monitoring_enabled"
    arn = cluster(estate, classes=(), **MULTI_AZ)
    assert estate.judged(control, arn).compliance is NON_COMPLIANT
    assert estate.fixed(control, arn, **WITH_ROLE).compliance is COMPLIANT
    members = estate.client("rds").describe_db_instances()["DBInstances"]
    assert {member["MonitoringInterval"] for member in members} == {60}
    found = estate.judged("instance_enhanced_monitoring_enabled", members[0]["DBInstanceArn"])
    assert found.compliance is NOT_APPLICABLE


@pytest.mark.parametrize(
    ("interval", "role"),
    [(0, ROLE), (60, ROLE), (20, ROLE), (30, "arn:aws:iam::123456789012:role/Admin"), (True, ROLE)],
)
def test_the_guard_lets_nobody_look_less_often_or_pass_another_role(
    estate: Estate, interval: int, role: str
) -> None:
    control = CONTROLS["instance_enhanced_monitoring_enabled"]
    arn = instance(estate, MonitoringInterval=60, MonitoringRoleArn=ROLE)
    assert control.remediation is not None
    call = Call(
        "ModifyDBInstance",
        {"DBInstanceIdentifier": "billing", "MonitoringInterval": interval, "MonitoringRoleArn": role},
    )
    with pytest.raises(GuardError):
        check(call, control.remediation.permits, estate.read(control, arn))


# --- alarms -------------------------------------------------------------------------------------------------

WATCHED = "cluster_alarms_present"
TOPIC = {"topic": "on-call"}
ACTION = ["arn:aws:sns:eu-west-1:123456789012:on-call"]


def alarm(estate: Estate, name: str, metric: str, **settings: Any) -> None:
    estate.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        **{
            "AlarmActions": ACTION,
            "Namespace": "AWS/RDS",
            "MetricName": metric,
            "Dimensions": [{"Name": "DBClusterIdentifier", "Value": "orders"}],
            "Statistic": "Maximum",
            "Period": 60,
            "EvaluationPeriods": 5,
            "Threshold": 90,
            "ComparisonOperator": "GreaterThanThreshold",
            **settings,
        },
    )


def test_a_cluster_gets_the_alarms_that_lack_and_keeps_those_that_are_there(estate: Estate) -> None:
    arn = cluster(estate)
    alarm(estate, "busy", "CPUUtilization", Threshold=50)
    assert estate.fixed(WATCHED, arn, **TOPIC).compliance is COMPLIANT
    found = estate.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert sorted(one["AlarmName"] for one in found) == [
        "busy",
        "warden-cluster-orders-AuroraReplicaLagMaximum",
        "warden-cluster-orders-EngineUptime",
        "warden-cluster-orders-FreeableMemory",
        "warden-cluster-orders-TotalBackupStorageBilled",
    ]
    (uptime,) = (one for one in found if one["MetricName"] == "EngineUptime")
    assert {one["Name"]: one["Value"] for one in uptime["Dimensions"]} == {
        "DBClusterIdentifier": "orders",
        "Role": "WRITER",
    }
    assert (uptime["ComparisonOperator"], uptime["Threshold"]) == ("LessThanOrEqualToThreshold", 0)
    assert (uptime["AlarmActions"], uptime["TreatMissingData"]) == (ACTION, "breaching")
    tags = estate.client("cloudwatch").list_tags_for_resource(ResourceARN=uptime["AlarmArn"])["Tags"]
    assert tags == [{"Key": "warden:control", "Value": WATCHED}]


def test_an_alarm_that_exists_is_never_overwritten(estate: Estate) -> None:
    arn = cluster(estate)
    taken = "warden-cluster-orders-CPUUtilization"
    alarm(estate, taken, "CPUUtilization", ActionsEnabled=False, Threshold=42)
    required = {"required": ["CPUUtilization"], **TOPIC}
    planned = estate.planned(WATCHED, arn, **required)
    assert isinstance(planned, Manual)
    assert taken in planned.why
    # And if it came between the plan and the write, the guard would refuse it.
    estate.client("cloudwatch").delete_alarms(AlarmNames=[taken])
    planned = estate.planned(WATCHED, arn, **required)
    assert isinstance(planned, Plan)
    alarm(estate, taken, "CPUUtilization", Threshold=42)
    control = CONTROLS[WATCHED]
    assert control.remediation is not None
    with pytest.raises(GuardError, match="would be overwritten"):
        check(planned.calls[0], control.remediation.permits, estate.read(control, arn))


@pytest.mark.parametrize(
    "changes",
    [
        {"AlarmName": "orders-cpu"},
        {"AlarmName": "warden-cluster-billing-CPUUtilization"},
        {"Dimensions": [{"Name": "DBClusterIdentifier", "Value": "billing"}]},
        {"Dimensions": []},
        {"AlarmActions": []},
        {"AlarmActions": ["arn:aws:automate:eu-west-1:ec2:terminate"]},
        {"AlarmActions": ["arn:aws:sns:eu-west-1:210987654321:on-call"]},
        {"AlarmActions": ["arn:aws:lambda:eu-west-1:123456789012:function:anything"]},
        {"ActionsEnabled": False},
        {"Namespace": "AWS/EC2"},
        {"MetricName": "NetworkThroughput"},
        {"Threshold": -1},
        {"OKActions": ACTION},
    ],
)
def test_the_guard_lets_only_alarms_of_this_database_to_a_topic_of_this_account_be_made(
    estate: Estate, changes: dict[str, Any]
) -> None:
    arn = cluster(estate)
    control = CONTROLS[WATCHED]
    planned = estate.planned(WATCHED, arn, **TOPIC)
    assert control.remediation is not None
    assert isinstance(planned, Plan)
    call = Call("PutMetricAlarm", {**planned.calls[0].parameters, **changes})
    with pytest.raises(GuardError):
        check(call, control.remediation.permits, estate.read(control, arn))


def test_a_composite_alarm_with_an_action_speaks_for_those_under_it(estate: Estate) -> None:
    arn = cluster(estate)
    required = {"required": ["CPUUtilization"]}
    alarm(estate, "busy", "CPUUtilization", AlarmActions=[])
    assert estate.judged(WATCHED, arn, **required).compliance is NON_COMPLIANT
    estate.client("cloudwatch").put_composite_alarm(
        AlarmName="orders", AlarmActions=ACTION, AlarmRule='ALARM("busy") OR ALARM("other")'
    )
    assert estate.judged(WATCHED, arn, **required).compliance is COMPLIANT


def test_a_replica_gets_an_alarm_on_its_lag_and_its_storage_by_its_size(estate: Estate) -> None:
    control = "instance_alarms_present"
    instance(estate)
    estate.client("rds").create_db_instance_read_replica(
        DBInstanceIdentifier="copy", SourceDBInstanceIdentifier="billing"
    )
    estate.aws.rds.settle()
    arn = "arn:aws:rds:eu-west-1:123456789012:db:copy"
    planned = estate.planned(control, arn, **TOPIC)
    assert isinstance(planned, Plan)
    by_metric = {call.parameters["MetricName"]: call.parameters for call in planned.calls}
    assert set(by_metric) == {"CPUUtilization", "FreeableMemory", "FreeStorageSpace", "ReplicaLag"}
    assert by_metric["FreeStorageSpace"]["Threshold"] == 2 * 2**30
    assert planned.cost.startswith("4 alarms at 0.10 USD")
    assert estate.fixed(control, arn, **TOPIC).compliance is COMPLIANT


def test_the_alarms_are_listed_once_in_a_sweep_page_by_page(estate: Estate) -> None:
    for number in range(3):
        cluster(estate, f"orders-{number}", classes=())
    for number in range(101):
        alarm(estate, f"alarm-{number}", "CPUUtilization")
    assert calls(estate, CONTROLS[WATCHED].resource_type, Need.ALARMS) == ["DescribeAlarms"] * 2


# --- calls ------------------------------------------------------------------------------------------------


def calls(estate: Estate, resource_type: ResourceType, *needs: Need) -> list[str]:
    """What a sweep over a kind asks AWS for, beside the lists of the kind itself."""
    before = len(estate.aws.calls)
    list(estate.reader(bulk=True).list(resource_type, needs))
    names = [call.operation for call in estate.aws.calls[before:]]
    return [name for name in names if name not in {"DescribeDBClusters", "DescribeDBInstances"}]


def test_what_a_class_supports_is_asked_once_for_a_class_in_a_sweep(estate: Estate) -> None:
    for number in range(3):
        cluster(estate, f"orders-{number}", classes=("db.r6g.large", "db.r6i.large"))
    asked = calls(estate, CONTROLS[CLUSTERS].resource_type, Need.MEMBERS, Need.CLASS_SUPPORT)
    assert asked == ["DescribeOrderableDBInstanceOptions"] * 2
