"""Backups of databases on the local AWS: the window of recovery, read and judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from console.local.clock import MovableClock
from gateways.estate import REGION, Estate
from warden.core.control import ComplianceType
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import ResourceRef, ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterator

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
            DBClusterIdentifier="orders", Engine="aurora-postgresql", EngineVersion="16.6", **login
        )
        rds.create_db_instance(
            DBInstanceIdentifier="billing",
            Engine="postgres",
            DBInstanceClass="db.m6g.large",
            AllocatedStorage=20,
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
