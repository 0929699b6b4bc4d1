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
