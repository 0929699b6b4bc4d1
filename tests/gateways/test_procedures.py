"""What the writer does to a temporary cluster: nothing, unless name, tags and record agree that Warden made it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fakes import MemoryTemporaries
from gateways.estate import CONTROLS, Estate
from warden.core import procedure, snapshot_procedure
from warden.core.encryption import copy_name
from warden.core.errors import ConflictError, GuardError, ResourceGoneError
from warden.core.kinds import Need
from warden.core.plan import Call
from warden.core.resource import Facts
from warden.gateways.rds_writer import RdsWriter
from warden.gateways.temporaries import DynamoTemporaries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from fakes.tables import Tables

CONTROL = CONTROLS["cluster_snapshot_encrypted"]
NAME = copy_name("orders-2026", limit=63)
DELETE = Call("DeleteDBCluster", {"DBClusterIdentifier": NAME, "SkipFinalSnapshot": True})


class Scene:
    """A snapshot, and a cluster that has the name of its temporary cluster."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.rds = estate.client("rds")
        estate.aws.rds.create_legacy_unencrypted("orders", EngineVersion="16.6")
        made = self.rds.create_db_cluster_snapshot(
            DBClusterSnapshotIdentifier="orders-2026", DBClusterIdentifier="orders"
        )
        self.arn = made["DBClusterSnapshot"]["DBClusterSnapshotArn"]
        self.records: Any = MemoryTemporaries()

    def restore(self, **others: Any) -> dict[str, Any]:
        """A cluster as the procedure makes it, but for what is given."""
        tags = [
            *procedure.tags(CONTROL.id, self.arn),
            {"Key": procedure.NONCE, "Value": "5f3c6a0e"},
        ]
        made = self.rds.restore_db_cluster_from_snapshot(
            **{
                "DBClusterIdentifier": NAME,
                "SnapshotIdentifier": "orders-2026",
                "Engine": "aurora-postgresql",
                "Tags": tags,
                **others,
            }
        )
        return dict(made["DBCluster"])

    def record(self, cluster: dict[str, Any], **others: Any) -> procedure.Record:
        record = procedure.Record(
            arn=cluster["DBClusterArn"],
            serves=self.arn,
            serves_key=self.arn,
            controls=(CONTROL.id,),
            pledge="0a1b",
            nonce="5f3c6a0e",
            announced_at=cluster["ClusterCreateTime"],
            resource_id=cluster["DbClusterResourceId"],
        )
        record = replace(record, **others)
        self.records.put(record, over=None)
        return record

    def apply(self, call: Call = DELETE) -> str:
        writer = RdsWriter(self.estate._api, self.records)
        assert CONTROL.remediation is not None
        return writer.apply(call, self.estate.read(CONTROL, self.arn), CONTROL.remediation.permits)

    def clusters(self) -> list[str]:
        return [one["DBClusterIdentifier"] for one in self.rds.describe_db_clusters()["DBClusters"]]


@pytest.fixture
def scene() -> Iterator[Scene]:
    with Estate() as estate:
        yield Scene(estate)


def test_what_a_procedure_made_is_deleted_without_a_snapshot(scene: Scene) -> None:
    scene.record(scene.restore())
    assert scene.apply()
    assert scene.clusters() == ["orders"]
    snapshots = scene.rds.describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"]
    assert [one["DBClusterSnapshotIdentifier"] for one in snapshots] == ["orders-2026"]


@pytest.mark.parametrize(
    ("made", "recorded"),
    [
        ({"Tags": []}, {}),
        ({"Tags": [{"Key": procedure.NONCE, "Value": "5f3c6a0e"}]}, {}),
        ({}, {"nonce": "another"}),
        ({}, {"nonce": ""}),
        ({}, {"serves": "arn:aws:rds:eu-west-1:123456789012:cluster-snapshot:another"}),
        ({}, {"resource_id": "cluster-ANOTHER"}),
        ({"Tags": []}, {"resource_id": ""}),
    ],
    ids=str,
)
def test_one_thing_that_does_not_agree_is_enough_to_leave_a_cluster_alone(
    scene: Scene, made: dict[str, Any], recorded: dict[str, Any]
) -> None:
    scene.record(scene.restore(**made), **recorded)
    with pytest.raises(GuardError, match="is not to be touched"):
        scene.apply()
    assert NAME in scene.clusters()


def test_without_a_record_no_cluster_is_ours_whatever_it_is_called(scene: Scene) -> None:
    scene.restore()
    with pytest.raises(GuardError, match="no record"):
        scene.apply()
    assert NAME in scene.clusters()


def test_a_cluster_that_somebody_gave_an_instance_is_left_alone(scene: Scene) -> None:
    scene.record(scene.restore())
    scene.rds.create_db_instance(
        DBInstanceIdentifier="intruder",
        DBClusterIdentifier=NAME,
        Engine="aurora-postgresql",
        DBInstanceClass="db.r6g.large",
    )
    with pytest.raises(GuardError, match="it has instances"):
        scene.apply()


def test_a_cluster_whose_creation_was_never_answered_is_adopted_by_its_word_and_its_time(
    scene: Scene,
) -> None:
    record = scene.record(cluster := scene.restore(), resource_id="")
    scene.apply()
    assert scene.records.get(record.arn).resource_id == cluster["DbClusterResourceId"]
    assert scene.clusters() == ["orders"]


def test_a_cluster_that_is_older_than_its_record_is_not_adopted(scene: Scene) -> None:
    cluster = scene.restore()
    later = cluster["ClusterCreateTime"] + timedelta(hours=1)
    scene.record(cluster, resource_id="", announced_at=later)
    with pytest.raises(GuardError, match="older"):
        scene.apply()


def test_no_other_cluster_may_even_be_named(scene: Scene) -> None:
    scene.record(scene.restore())
    for call in (
        Call("DeleteDBCluster", {"DBClusterIdentifier": "orders", "SkipFinalSnapshot": True}),
        Call("DeleteDBCluster", {"DBClusterIdentifier": NAME}),
        Call("DeleteDBCluster", {**DELETE.parameters, "SkipFinalSnapshot": False}),
        Call("DeleteDBCluster", {**DELETE.parameters, "FinalDBSnapshotIdentifier": "last"}),
    ):
        with pytest.raises(GuardError):
            scene.apply(call)


def test_what_is_gone_already_is_said_to_be_gone(scene: Scene) -> None:
    scene.record(scene.restore())
    scene.apply()
    with pytest.raises(ResourceGoneError):
        scene.apply()


def test_nothing_is_restored_that_was_not_written_down_before(scene: Scene) -> None:
    settings = {
        **CONTROL.defaults(),
        "kms_key": "alias/databases",
        "temporary_subnet_group": "isolated",
        "temporary_security_group": "sg-0a1b2c3d",
    }
    resource = scene.estate.read(CONTROL, scene.arn)
    place = {
        Need.SUBNET_GROUPS: {"isolated": {"VpcId": "vpc-1", "Public": []}},
        Need.INBOUND_RULES: {"sg-0a1b2c3d": {"VpcId": "vpc-1", "Inbound": 0}},
    }
    resource = resource.with_facts(Facts({**resource.facts, **place}))
    restore = snapshot_procedure.pledge(resource, settings, CONTROL.id)[0]
    assert CONTROL.remediation is not None
    writer = RdsWriter(scene.estate._api, scene.records)
    for call in (restore, procedure.with_nonce(restore, "made-up")):
        with pytest.raises(GuardError, match="not written down"):
            writer.apply(call, resource, CONTROL.remediation.permits)
    assert scene.clusters() == ["orders"]


# --- records ----------------------------------------------------------------------------------------------


@pytest.fixture(params=["memory", "dynamodb"])
def records(request: pytest.FixtureRequest) -> Any:
    """Both stores: the pipeline's tests run on the one, the functions on the other."""
    if request.param == "memory":
        return MemoryTemporaries()
    tables: Tables = request.getfixturevalue("tables")
    client: DynamoDBClient = request.getfixturevalue("dynamodb")
    return DynamoTemporaries(client, tables.state)


def _record(**others: Any) -> procedure.Record:
    values: dict[str, Any] = {
        "arn": "arn:aws:rds:eu-west-1:123456789012:cluster:warden-orders-0a1b2c3d",
        "serves": "arn:aws:rds:eu-west-1:123456789012:cluster-snapshot:orders",
        "serves_key": "123456789012/eu-west-1/AWS::RDS::DBClusterSnapshot/orders",
        "controls": ("cluster_snapshot_encrypted",),
        "pledge": "0a1b",
        "nonce": "5f3c",
        "announced_at": datetime(2026, 11, 24, tzinfo=UTC),
    }
    return procedure.Record(**{**values, **others})


def test_a_record_is_kept_as_it_was_written(records: Any) -> None:
    record = _record()
    records.put(record, over=None)
    assert records.get(record.arn) == record
    completed = replace(record, resource_id="cluster-1")
    records.put(completed, over=record)
    assert records.all() == [completed]
    records.remove(completed)
    assert records.get(record.arn) is None


def test_a_record_is_written_over_what_was_read_or_not_at_all(records: Any) -> None:
    record = _record()
    records.put(record, over=None)
    with pytest.raises(ConflictError):
        records.put(_record(nonce="another"), over=None)
    with pytest.raises(ConflictError):
        records.put(_record(nonce="another"), over=_record(resource_id="cluster-1"))
    records.remove(_record(nonce="another"))
    assert records.get(record.arn) == record
