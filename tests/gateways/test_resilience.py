"""Resilience and lifecycle on the local AWS: made by boto3, read, judged, put right, and judged again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from controls import items
from gateways.estate import CONTROLS, REGION, Estate
from warden.core.control import ComplianceType
from warden.core.errors import GuardError, RejectedError
from warden.core.guard import check
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPLIANT, NON_COMPLIANT = ComplianceType.COMPLIANT, ComplianceType.NON_COMPLIANT
NOT_APPLICABLE, INSUFFICIENT_DATA = ComplianceType.NOT_APPLICABLE, ComplianceType.INSUFFICIENT_DATA
LOGIN = {"MasterUsername": "steward", "MasterUserPassword": "correct-horse-battery"}
ELSEWHERE = "eu-central-1"


@pytest.fixture
def estate() -> Iterator[Estate]:
    with Estate() as made:
        yield made


def cluster(estate: Estate, name: str = "orders", **settings: Any) -> str:
    made = estate.client("rds").create_db_cluster(
        DBClusterIdentifier=name,
        **{"Engine": "aurora-postgresql", "EngineVersion": "16.6", **LOGIN, **settings},
    )
    estate.aws.rds.settle()
    return str(made["DBCluster"]["DBClusterArn"])


def global_cluster(estate: Estate, writer: str, name: str = "orders-global") -> str:
    made = estate.client("rds").create_global_cluster(
        GlobalClusterIdentifier=name, SourceDBClusterIdentifier=writer
    )
    return str(made["GlobalCluster"]["GlobalClusterArn"])


def secondary(estate: Estate, name: str = "orders-there", of: str = "orders-global", **settings: Any) -> str:
    made = estate.aws.client("rds", ELSEWHERE).create_db_cluster(
        DBClusterIdentifier=name,
        GlobalClusterIdentifier=of,
        **{"Engine": "aurora-postgresql", "EngineVersion": "16.6", **settings},
    )
    estate.aws.rds.settle()
    return str(made["DBCluster"]["DBClusterArn"])


# --- global clusters: encryption --------------------------------------------------------------------------

GLOBAL_ENCRYPTION = "global_cluster_storage_encrypted"


def test_a_global_cluster_is_as_encrypted_as_the_cluster_that_it_was_made_around(estate: Estate) -> None:
    encrypted = global_cluster(estate, cluster(estate))
    found = estate.judged(GLOBAL_ENCRYPTION, encrypted)
    assert (found.compliance, "its type is sse-rds" in found.annotation) == (COMPLIANT, True)
    legacy = estate.aws.rds.create_legacy_unencrypted("legacy")
    estate.aws.rds.settle()
    open_ = global_cluster(estate, legacy, "legacy-global")
    assert estate.judged(GLOBAL_ENCRYPTION, open_).compliance is NON_COMPLIANT


def test_the_steps_lead_from_a_snapshot_of_the_writer_to_every_region(estate: Estate) -> None:
    legacy = estate.aws.rds.create_legacy_unencrypted("orders", EngineVersion="16.6")
    estate.aws.rds.settle()
    arn = global_cluster(estate, legacy)
    secondary(estate)
    told = estate.planned(GLOBAL_ENCRYPTION, arn)
    assert isinstance(told, Manual)
    assert "--db-cluster-identifier orders " in told.steps[0]
    assert all(step.endswith(f"--region {REGION}") for step in told.steps[:-1])
    assert told.steps[-1].startswith(
        "aws rds create-db-cluster --db-cluster-identifier orders-there-encrypted"
    )
    assert told.steps[-1].endswith(f"--region {ELSEWHERE}")


# --- readers ----------------------------------------------------------------------------------------------

READERS = "cluster_readers_sufficient"
MONITORING = "arn:aws:iam::123456789012:role/rds-monitoring"


def member(estate: Estate, name: str, of: str = "orders", **settings: Any) -> None:
    estate.client("rds").create_db_instance(
        DBInstanceIdentifier=name,
        DBClusterIdentifier=of,
        **{"Engine": "aurora-postgresql", "DBInstanceClass": "db.r6g.large", **settings},
    )
    estate.aws.rds.settle()


def grown(estate: Estate, **settings: Any) -> str:
    """A cluster that has been there for a while, with its writer in zone a."""
    arn = cluster(estate, **settings)
    estate.aws.rds.overlay(arn, ClusterCreateTime="2025-01-05T08:00:00Z")
    return arn


def zones(estate: Estate) -> dict[str, str]:
    items = estate.client("rds").describe_db_instances()["DBInstances"]
    return {item["DBInstanceIdentifier"]: item["AvailabilityZone"][-1] for item in items}


def test_readers_are_made_one_by_one_in_the_emptiest_zone_each_like_the_writer(estate: Estate) -> None:
    rds, key = estate.client("rds"), estate.client("kms").create_key()["KeyMetadata"]["Arn"]
    arn = grown(estate)
    member(
        estate,
        "orders-0",
        AvailabilityZone=f"{REGION}b",
        MonitoringInterval=30,
        MonitoringRoleArn=MONITORING,
        EnablePerformanceInsights=True,
        PerformanceInsightsKMSKeyId=key,
        AutoMinorVersionUpgrade=False,
        CACertificateIdentifier="rds-ca-ecc384-g1",
    )
    for number in (1, 2):
        assert estate.fixed(READERS, arn, readers=3).compliance is NON_COMPLIANT, number
        estate.aws.rds.settle()
    assert estate.fixed(READERS, arn, readers=3).compliance is COMPLIANT
    estate.aws.rds.settle()
    assert estate.judged(READERS, arn, readers=3).compliance is COMPLIANT
    made = zones(estate)
    assert made.pop("orders-0") == "b"
    assert sorted(made.values()) == ["a", "a", "c"]
    assert all(name.startswith("warden-orders-") and name[-2:] in {"-1", "-2", "-3"} for name in made)
    for name in made:
        (item,) = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
        assert (item["DBInstanceClass"], item["PromotionTier"]) == ("db.r6g.large", 1)
        assert (item["MonitoringInterval"], item["MonitoringRoleArn"]) == (30, MONITORING)
        assert (item["PerformanceInsightsEnabled"], item["PerformanceInsightsKMSKeyId"]) == (True, key)
        assert (item["PubliclyAccessible"], item["AutoMinorVersionUpgrade"]) == (False, False)
        assert item["CACertificateIdentifier"] == "rds-ca-ecc384-g1"
        assert item["TagList"] == [{"Key": "warden:control", "Value": READERS}]


def test_the_same_reader_is_not_made_twice(estate: Estate) -> None:
    arn = grown(estate)
    member(estate, "orders-0")
    planned, stale = estate.planned(READERS, arn), estate.read(CONTROLS[READERS], arn)
    assert isinstance(planned, Plan)
    permits = CONTROLS[READERS].remediation.permits  # type: ignore[union-attr] # it has one
    writer = estate.writer()
    writer.apply(planned.calls[0], stale, permits)
    with pytest.raises(RejectedError, match="AlreadyExists"):
        writer.apply(planned.calls[0], stale, permits)
    with pytest.raises(GuardError, match="the name of the next reader"):
        writer.apply(planned.calls[0], estate.read(CONTROLS[READERS], arn), permits)
    assert len(zones(estate)) == 2


def test_a_cluster_whose_subnets_are_all_in_one_zone_is_a_persons(estate: Estate) -> None:
    ec2, rds = estate.client("ec2"), estate.client("rds")
    first = [
        subnet["SubnetId"]
        for subnet in ec2.describe_subnets()["Subnets"]
        if subnet["AvailabilityZone"].endswith("a")
    ]
    rds.create_db_subnet_group(DBSubnetGroupName="narrow", DBSubnetGroupDescription="a", SubnetIds=first)
    arn = grown(estate, DBSubnetGroupName="narrow")
    member(estate, "orders-0")
    told = estate.planned(READERS, arn)
    assert isinstance(told, Manual)
    assert "no subnet in another zone" in told.why
    assert f"--db-subnet-group-name narrow --subnet-ids {first[0]} NEW-SUBNET" in told.steps[0]


def test_a_headless_cluster_of_a_global_database_has_no_instances_on_purpose(estate: Estate) -> None:
    writer = grown(estate)
    member(estate, "orders-0")
    global_cluster(estate, writer)
    secondary(estate)
    assert estate.judged(READERS, writer).compliance is NON_COMPLIANT
    headless = cluster(estate, "headless")
    estate.aws.rds.overlay(headless, GlobalClusterIdentifier="orders-global")
    assert estate.judged(READERS, headless).compliance is NOT_APPLICABLE


def test_a_look_takes_two_calls_and_a_sweep_shares_the_list_of_instances(estate: Estate) -> None:
    arn = grown(estate)
    member(estate, "orders-0")
    for name in ("billing", "shipping"):
        cluster(estate, name)
    estate.aws.calls.clear()
    estate.read(CONTROLS[READERS], arn)
    assert [call.operation for call in estate.aws.calls] == ["DescribeDBClusters", "DescribeDBInstances"]
    estate.aws.calls.clear()
    assert len(list(estate.reader(bulk=True).list(ResourceType.DB_CLUSTER, (Need.MEMBERS,)))) == 3
    assert [call.operation for call in estate.aws.calls] == ["DescribeDBClusters", "DescribeDBInstances"]


# --- stand-alone instances --------------------------------------------------------------------------------


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


def described(estate: Estate, name: str) -> dict[str, Any]:
    (item,) = estate.client("rds").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    found: dict[str, Any] = item
    return found


MULTI_AZ = "instance_multi_az"


def test_a_standby_waits_for_the_window_and_takes_no_queued_change_of_others_along(estate: Estate) -> None:
    arn = instance(estate)
    estate.client("rds").modify_db_instance(DBInstanceIdentifier="billing", AllocatedStorage=40)
    assert estate.judged(MULTI_AZ, arn).compliance is NON_COMPLIANT
    assert estate.fixed(MULTI_AZ, arn).compliance is COMPLIANT
    item = described(estate, "billing")
    assert (item["MultiAZ"], item["AllocatedStorage"]) == (False, 20)
    assert item["PendingModifiedValues"] == {"AllocatedStorage": 40, "MultiAZ": True}


def test_a_replica_is_judged_where_the_policy_says_so(estate: Estate) -> None:
    instance(estate, BackupRetentionPeriod=7)
    made = estate.client("rds").create_db_instance_read_replica(
        DBInstanceIdentifier="billing-2", SourceDBInstanceIdentifier="billing"
    )
    estate.aws.rds.settle()
    arn = made["DBInstance"]["DBInstanceArn"]
    assert estate.judged(MULTI_AZ, arn).compliance is NOT_APPLICABLE
    assert estate.judged(MULTI_AZ, arn, include_read_replicas=True).compliance is NON_COMPLIANT
    assert estate.fixed(MULTI_AZ, arn, include_read_replicas=True).compliance is COMPLIANT


# --- minor versions ---------------------------------------------------------------------------------------

CLUSTER_UPGRADES, INSTANCE_UPGRADES = "cluster_minor_upgrades_automatic", "instance_minor_upgrades_automatic"


def test_an_instance_that_has_it_off_holds_up_its_cluster_and_the_cluster_gives_it_back(
    estate: Estate,
) -> None:
    arn = cluster(estate)
    member(estate, "orders-0")
    member(estate, "orders-1", AutoMinorVersionUpgrade=False)
    assert estate.judged(CLUSTER_UPGRADES, arn).compliance is NON_COMPLIANT
    assert estate.fixed(CLUSTER_UPGRADES, arn).compliance is COMPLIANT
    assert described(estate, "orders-1")["AutoMinorVersionUpgrade"]


def test_a_multi_az_cluster_is_asked_for_its_own_flag(estate: Estate) -> None:
    arn = cluster(
        estate,
        "three",
        Engine="mysql",
        EngineVersion="8.4.3",
        DBClusterInstanceClass="db.m6gd.large",
        AllocatedStorage=100,
        StorageType="io1",
        Iops=1000,
        AutoMinorVersionUpgrade=False,
    )
    assert estate.fixed(CLUSTER_UPGRADES, arn).compliance is COMPLIANT
    assert estate.judged(READERS, arn, readers=3).compliance is COMPLIANT
    (of_it,) = {
        item["DBInstanceArn"]
        for item in estate.client("rds").describe_db_instances()["DBInstances"]
        if item["DBInstanceIdentifier"].endswith("1")
    }
    assert estate.judged(INSTANCE_UPGRADES, of_it).compliance is NOT_APPLICABLE


def test_the_members_of_a_global_database_are_not_asked(estate: Estate) -> None:
    arn = cluster(estate, AutoMinorVersionUpgrade=False)
    global_cluster(estate, arn)
    assert estate.judged(CLUSTER_UPGRADES, arn).compliance is NOT_APPLICABLE


def test_a_stand_alone_instance_is_upgraded_by_itself_from_then_on(estate: Estate) -> None:
    arn = instance(estate, AutoMinorVersionUpgrade=False)
    assert estate.fixed(INSTANCE_UPGRADES, arn).compliance is COMPLIANT
    assert described(estate, "billing")["AutoMinorVersionUpgrade"]


# --- engine versions --------------------------------------------------------------------------------------

CLUSTER_ENGINE, INSTANCE_ENGINE = "cluster_engine_supported", "instance_engine_supported"
GLOBAL_ENGINE = "global_cluster_engine_supported"


def test_what_counts_is_the_date_and_not_that_extended_support_is_the_default(estate: Estate) -> None:
    new, old = cluster(estate), cluster(estate, "legacy", EngineVersion="12.22")
    rds = estate.client("rds")
    assert {item["EngineLifecycleSupport"] for item in rds.describe_db_clusters()["DBClusters"]} == {
        "open-source-rds-extended-support"
    }
    assert estate.judged(CLUSTER_ENGINE, new).compliance is COMPLIANT
    found = estate.judged(CLUSTER_ENGINE, old)
    assert (
        found.annotation == "legacy runs aurora-postgresql 12.22: its standard support ended on 2025-02-28."
    )
    assert estate.judged(CLUSTER_ENGINE, old, extended_support=True).compliance is COMPLIANT


def test_the_upgrade_of_a_ticket_is_one_that_aws_takes_and_that_will_do(estate: Estate) -> None:
    arn = cluster(estate, "legacy", EngineVersion="12.22")
    told = estate.planned(CLUSTER_ENGINE, arn)
    assert isinstance(told, Manual)
    wanted = told.steps[-1].partition("--engine-version ")[2].split()[0]
    estate.client("rds").modify_db_cluster(
        DBClusterIdentifier="legacy",
        EngineVersion=wanted,
        AllowMajorVersionUpgrade=True,
        ApplyImmediately=True,
    )
    estate.aws.rds.settle()
    assert estate.judged(CLUSTER_ENGINE, arn).compliance is COMPLIANT


def test_a_minor_version_that_aws_took_back_is_unsupported_though_its_major_one_is_not(
    estate: Estate,
) -> None:
    with estate.aws.rds.lenient():
        arn = cluster(estate, Engine="aurora-mysql", EngineVersion="8.0.mysql_aurora.3.03.1")
        found = estate.judged(CLUSTER_ENGINE, arn, minimum_versions={})
    assert found.annotation.endswith("3.03.1: AWS does not offer it any more.")


def test_the_floor_of_a_global_database_lets_long_term_versions_pass(estate: Estate) -> None:
    mysql = {"Engine": "aurora-mysql", "EngineVersion": "8.0.mysql_aurora.3.05.2"}
    below = global_cluster(estate, cluster(estate, **mysql))
    assert "the policy wants 8.0.mysql_aurora.3.08.0" in estate.judged(GLOBAL_ENGINE, below).annotation
    told = estate.planned(GLOBAL_ENGINE, below)
    assert isinstance(told, Manual)
    assert told.steps[0].startswith("aws rds modify-global-cluster --global-cluster-identifier orders-global")
    mysql["EngineVersion"] = "8.0.mysql_aurora.3.04.2"
    long_term = global_cluster(estate, cluster(estate, "kept", **mysql), "kept-global")
    assert estate.judged(GLOBAL_ENGINE, long_term).compliance is COMPLIANT


def test_of_a_commercial_engine_there_are_no_dates_and_none_is_asked_for(estate: Estate) -> None:
    arn = instance(estate)
    estate.aws.rds.overlay(arn, Engine="sqlserver-se", EngineVersion="16.00.4165.4.v1")
    estate.aws.calls.clear()
    assert estate.judged(INSTANCE_ENGINE, arn).compliance is COMPLIANT
    assert "DescribeDBMajorEngineVersions" not in {call.operation for call in estate.aws.calls}


def test_a_sweep_asks_once_for_each_version_and_once_for_each_engine(estate: Estate) -> None:
    for number in range(3):
        cluster(estate, f"orders-{number}")
    cluster(estate, "older", EngineVersion="15.10")
    estate.aws.calls.clear()
    needs = (*CONTROLS[CLUSTER_ENGINE].needs, Need.UPGRADE_TARGETS)
    assert len(list(estate.reader(bulk=True).list(ResourceType.DB_CLUSTER, needs))) == 4
    assert sorted(call.operation for call in estate.aws.calls) == [
        "DescribeDBClusters",
        "DescribeDBEngineVersions",
        "DescribeDBEngineVersions",
        "DescribeDBMajorEngineVersions",
    ]


def test_where_the_dates_may_not_be_read_nothing_is_concluded(estate: Estate) -> None:
    arn = cluster(estate)
    estate.aws.faults.deny("rds:DescribeDBMajorEngineVersions")
    assert estate.judged(CLUSTER_ENGINE, arn).compliance is INSUFFICIENT_DATA


# --- other Regions ----------------------------------------------------------------------------------------

SECONDARY = "cluster_global_secondary_present"


def test_a_copy_in_another_region_is_counted_from_either_end(estate: Estate) -> None:
    arn = cluster(estate, Tags=[{"Key": "tier", "Value": "1"}])
    wanted = {"tags": ["tier=1"]}
    assert estate.judged(SECONDARY, arn).compliance is NOT_APPLICABLE
    assert estate.judged(SECONDARY, arn, **wanted).annotation == f"orders exists in {REGION} alone."
    global_cluster(estate, arn)
    assert estate.judged(SECONDARY, arn, **wanted).compliance is NON_COMPLIANT
    there = secondary(estate)
    assert estate.judged(SECONDARY, arn, **wanted).annotation.endswith(f"which is also in {ELSEWHERE}.")
    estate.client("rds").switchover_global_cluster(
        GlobalClusterIdentifier="orders-global", TargetDbClusterIdentifier=there
    )
    assert estate.judged(SECONDARY, arn, **wanted).compliance is COMPLIANT
    estate.aws.calls.clear()
    estate.read(CONTROLS[SECONDARY], arn)
    assert [call.operation for call in estate.aws.calls] == ["DescribeDBClusters", "DescribeGlobalClusters"]


def test_the_steps_of_a_ticket_make_the_copy(estate: Estate) -> None:
    arn = cluster(estate)
    told = estate.planned(SECONDARY, arn, clusters="all")
    assert isinstance(told, Manual)
    assert [step.split()[2] for step in told.steps] == [
        "create-global-cluster",
        "create-db-cluster",
        "create-db-instance",
    ]
    global_cluster(estate, arn)
    secondary(estate)
    assert estate.judged(SECONDARY, arn, clusters="all").compliance is COMPLIANT


# --- Serverless v2 ----------------------------------------------------------------------------------------

CAPACITY = "cluster_serverless_capacity_bounded"


def test_the_minimum_is_raised_and_the_maximum_is_left_alone(estate: Estate) -> None:
    arn = cluster(estate, ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 16})
    assert estate.judged(CAPACITY, arn).compliance is NOT_APPLICABLE
    member(estate, "orders-1")
    assert estate.judged(CAPACITY, arn, lowest_minimum=2).compliance is NOT_APPLICABLE
    member(estate, "orders-2", DBInstanceClass="db.serverless")
    assert estate.fixed(CAPACITY, arn, lowest_minimum=2, highest_maximum=64).compliance is COMPLIANT
    (item,) = estate.client("rds").describe_db_clusters()["DBClusters"]
    assert item["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 2.0, "MaxCapacity": 16.0}
    assert isinstance(estate.planned(CAPACITY, arn, lowest_minimum=2, highest_maximum=8), Manual)


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 16.0), (0.5, 16.0), (2.0, 8.0), (2.0, 256.0), (17.0, 16.0), (True, 16.0)]
)
def test_no_other_capacity_passes_the_guard(low: float, high: float) -> None:
    control = CONTROLS[CAPACITY]
    (example,) = (e for e in control.examples if e.name.startswith("half an ACU"))
    live = {"MinCapacity": 0.5, "MaxCapacity": 16.0}
    resource = items.resource(
        control.resource_type, {**example.facts, "ServerlessV2ScalingConfiguration": live}
    )
    wanted = {"MinCapacity": low, "MaxCapacity": high}
    call = Call(
        "ModifyDBCluster", {"DBClusterIdentifier": "orders", "ServerlessV2ScalingConfiguration": wanted}
    )
    with pytest.raises(GuardError):
        check(call, control.remediation.permits, resource)  # type: ignore[union-attr] # it has one
