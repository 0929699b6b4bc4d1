"""What the reader sees of a successor, and what the writer does to a cluster that only looks like one: nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fakes import MemoryTemporaries
from gateways.estate import CONTROLS, Estate
from warden.core import procedure, successor_calls
from warden.core.errors import GuardError
from warden.core.kinds import Need
from warden.gateways.rds_writer import RdsWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warden.core.plan import Call

CONTROL = CONTROLS["cluster_storage_encrypted"]
NONCE = {"Key": procedure.NONCE, "Value": "5f3c6a0e"}


class Scene:
    """An unencrypted cluster with an instance, and a cluster that has the name of its successor."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.rds = estate.client("rds")
        self.arn = estate.aws.rds.create_legacy_unencrypted("orders", EngineVersion="16.6")
        self.rds.create_db_instance(
            DBInstanceIdentifier="orders-1",
            DBClusterIdentifier="orders",
            Engine="aurora-postgresql",
            DBInstanceClass="db.r6g.large",
        )
        [self.original] = self.rds.describe_db_clusters(DBClusterIdentifier="orders")["DBClusters"]
        self.name = successor_calls.name(self.original)
        self.records: Any = MemoryTemporaries()

    def restored(self, name: str = "", **others: Any) -> dict[str, Any]:
        """A successor as the procedure makes it, but for what is given."""
        if not self.rds.describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"]:
            self.rds.create_db_cluster_snapshot(
                DBClusterSnapshotIdentifier=self.name, DBClusterIdentifier="orders"
            )
        of = {"Key": successor_calls.SUCCESSOR_OF, "Value": self.original["DbClusterResourceId"]}
        made = self.rds.restore_db_cluster_from_snapshot(
            **{
                "DBClusterIdentifier": name or self.name,
                "SnapshotIdentifier": self.name,
                "Engine": "aurora-postgresql",
                "Tags": [*procedure.tags("cluster_successor", self.arn), of, NONCE],
                **others,
            }
        )
        return dict(made["DBCluster"])

    def written_down(self, cluster: dict[str, Any], **others: Any) -> None:
        record = procedure.Record(
            arn=cluster["DBClusterArn"],
            serves=self.arn,
            serves_key=self.arn,
            controls=(CONTROL.id,),
            pledge="0a1b",
            nonce="5f3c6a0e",
            announced_at=cluster["ClusterCreateTime"],
            resource_id=cluster["DbClusterResourceId"],
            stays=True,
        )
        self.records.put(replace(record, **others), over=None)

    def seen(self) -> dict[str, Any]:
        return dict(self.read().facts[Need.SUCCESSOR])

    def read(self) -> Any:
        return self.estate.read(CONTROL, self.arn)

    def member(self) -> Call:
        facts = self.read().facts
        [member] = successor_calls.members(facts)
        return procedure.with_nonce(successor_calls.create(facts, member), "5f3c6a0e")

    def apply(self, call: Call) -> str:
        assert CONTROL.remediation is not None
        writer = RdsWriter(self.estate._api, self.records)
        return writer.apply(call, self.read(), CONTROL.remediation.permits)

    def members(self) -> list[str]:
        [cluster] = self.rds.describe_db_clusters(DBClusterIdentifier=self.name)["DBClusters"]
        return [one["DBInstanceIdentifier"] for one in cluster["DBClusterMembers"]]


@pytest.fixture
def scene() -> Iterator[Scene]:
    with Estate() as estate:
        yield Scene(estate)


def test_a_successor_is_seen_by_its_name_and_after_a_rename_by_its_tag(scene: Scene) -> None:
    assert (scene.seen()["Cluster"], scene.seen()["Others"]) == (None, [])
    scene.restored()
    assert scene.seen()["Cluster"]["DBClusterIdentifier"] == scene.name
    assert scene.seen()["Snapshot"]["DBClusterSnapshotIdentifier"] == scene.name
    scene.rds.modify_db_cluster(
        DBClusterIdentifier=scene.name, NewDBClusterIdentifier="settled", ApplyImmediately=True
    )
    assert (scene.seen()["Cluster"], scene.seen()["Others"]) == (None, ["settled"])


def test_an_instance_is_made_in_a_successor_that_is_surely_ours(scene: Scene) -> None:
    scene.written_down(scene.restored())
    call = scene.member()
    assert scene.apply(call)
    assert scene.members() == [call.parameters["DBInstanceIdentifier"]]


def test_one_thing_that_does_not_agree_is_enough_to_make_nothing_there(scene: Scene) -> None:
    cluster, call = scene.restored(), scene.member()
    with pytest.raises(GuardError, match="no record"):
        scene.apply(call)
    for recorded in (
        {"nonce": "another"},
        {"resource_id": "cluster-ANOTHER"},
        {"serves": "arn:aws:rds:eu-west-1:123456789012:cluster:another"},
    ):
        scene.records = MemoryTemporaries()
        scene.written_down(cluster, **recorded)
        with pytest.raises(GuardError, match="not to be touched"):
            scene.apply(call)
    assert scene.members() == []


def test_no_snapshot_is_taken_that_was_not_written_down_before(scene: Scene) -> None:
    call = successor_calls.snapshot(scene.original)
    for one in (call, procedure.with_nonce(call, "made-up")):
        with pytest.raises(GuardError, match="not written down"):
            scene.apply(one)
    assert scene.rds.describe_db_cluster_snapshots(SnapshotType="manual")["DBClusterSnapshots"] == []
