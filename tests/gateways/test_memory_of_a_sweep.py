"""How much memory a sweep takes for each further cluster with what belongs to it: little, whatever it reads of them."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from controls.detection_items import LOG_GROUP
from controls.items import CLUSTER, CLUSTER_SNAPSHOT, INSTANCE, KEY_METADATA, SECRET
from fakes import NOW
from gateways.estate import CONTROLS, REGION
from gateways.test_findings import finding
from pipeline.world import World
from warden.core.errors import AccessDeniedError
from warden.core.policy import parse_policy
from warden.core.resource import Deployment
from warden.gateways.engine_facts import EngineFacts
from warden.gateways.findings import PackedFindings, to_row
from warden.gateways.rds_reader import RdsReader

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from warden.pipeline.sweep_report import SweepReport

FEW, MANY = 200, 400
"""Clusters; of fewer, what the threads are ahead of the sweep counts for more than what is kept."""
MOST = 12_000
"""Bytes for each cluster, with two instances, three snapshots, a log group, a secret, its key and six findings."""


def fresh(value: Any) -> Any:
    """The same of strings of its own, as an answer is made of."""
    match value:
        case str():
            return value.encode().decode()
        case dict():
            return {name: fresh(one) for name, one in value.items()}
        case list():
            return [fresh(one) for one in value]
    return value


def named(item: Any, old: str, number: int) -> Any:
    """An item that is about another database."""
    match item:
        case str():
            return item.replace(old, f"c{number:05}")
        case dict():
            return {name: named(one, old, number) for name, one in item.items()}
        case list():
            return [named(one, old, number) for one in item]
    return fresh(item)


class Fleet:
    """AWS with so many clusters; what it answers it does not keep."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.engines = EngineFacts(self)  # type: ignore[arg-type]

    def _items(self, operation: str, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        prefix = str(parameters.get("logGroupNamePrefix", ""))
        for number in range(self.size):
            key = fresh(f"{KEY_METADATA['Arn'][:-5]}{number:05}")
            keys = {"KmsKeyId": key}
            of_cluster = {**keys, "PerformanceInsightsKMSKeyId": key, "MasterUserSecret": None}
            identity = {"DbClusterResourceId": f"cluster-{number}"}
            match operation:
                case "DescribeDBClusters":
                    yield {
                        **named(CLUSTER, "orders", number),
                        **of_cluster,
                        **identity,
                        "DeletionProtection": False,
                    }
                case "DescribeDBInstances":
                    for member in (1, 2):
                        own = {
                            "DbiResourceId": f"db-{number}-{member}",
                            "DBClusterIdentifier": f"c{number:05}",
                        }
                        item = named(INSTANCE, "billing", number)
                        item["DBInstanceIdentifier"] += f"-{member}"
                        item["DBInstanceArn"] += f"-{member}"
                        yield {**item, **of_cluster, **own, "Engine": "aurora-postgresql"}
                case "DescribeDBClusterSnapshots":
                    for day in range(3):
                        item = named(CLUSTER_SNAPSHOT, "orders", number)
                        item["DBClusterSnapshotIdentifier"] += f"-{day}"
                        item["DBClusterSnapshotArn"] += f"-{day}"
                        yield {**item, **keys, **identity}
                case "DescribeLogGroups" if "cluster" in prefix:
                    yield {
                        **fresh(dict(LOG_GROUP)),
                        "logGroupName": f"/aws/rds/cluster/c{number:05}/postgresql",
                    }
                case "ListSecrets":
                    yield {**named(SECRET, "cluster-0a1b2c3d", number), **keys}
                case _:
                    return

    def pages(self, operation: str, **parameters: Any) -> Iterator[list[dict[str, Any]]]:
        if any(name.endswith("GroupName") for name in parameters):
            raise AccessDeniedError(operation, code="AccessDenied")
        page: list[dict[str, Any]] = []
        for item in self._items(operation, parameters):
            page.append(item)
            if len(page) == 100:
                yield page
                page = []
        yield page

    def every(self, operation: str, **parameters: Any) -> list[dict[str, Any]]:
        return [item for page in self.pages(operation, **parameters) for item in page]

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        match operation:
            case "GetCallerIdentity":
                return {"Account": "123456789012"}
            case "DescribeKey":
                key = parameters["KeyId"]
                return {
                    "KeyMetadata": {**fresh(dict(KEY_METADATA)), "Arn": key, "KeyId": key.rpartition("/")[2]}
                }
        raise AccessDeniedError(operation, code="AccessDenied")


class Forgetful:
    """What tables hold is no memory of a sweep: six findings of each cluster are read, and none is kept."""

    def __init__(self, size: int) -> None:
        self._size = size

    def as_they_are(self, resource_types: Collection[str]) -> PackedFindings:
        return PackedFindings(map(fresh, self._rows()), resource_types)

    def _rows(self) -> Iterator[dict[str, Any]]:
        for number in range(self._size):
            key = f"123456789012/{REGION}/AWS::RDS::DBCluster/cluster-{number}"
            for control in sorted(CONTROLS)[:6]:
                drift = finding(resource_key=key, control=control, evidence=named(CLUSTER, "orders", number))
                yield to_row(
                    replace(drift, arn=named(CLUSTER["DBClusterArn"], "orders", number), last_observed=NOW)
                )

    def put(self, kept: Any) -> Any:
        return kept

    def append(self, entry: Any) -> None:
        """Keep nothing."""


def swept(size: int) -> tuple[SweepReport, int]:
    """The report of a sweep, and the most memory that it held at a time."""
    world = World(controls=tuple(CONTROLS.values()))
    world.policy = parse_policy("version = 1\n[defaults]\nmode = 'observe'", controls=world.controls)
    world.clock.advance(hours=6)
    fleet: Any = Fleet(size)
    ports = {
        "reader": RdsReader(
            fleet, deployment=Deployment("123456789012", REGION), clock=world.clock, bulk=True
        ),
        "findings": Forgetful(size),
        "ledger": Forgetful(size),
    }
    world.wrap = ports.get
    tracemalloc.start()
    try:
        report = world.sweeper.sweep(run_id="run", tell=lambda _: None)
        return report, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_a_sweep_holds_little_of_each_cluster() -> None:
    swept(1)
    (_, few), (report, many) = swept(FEW), swept(MANY)
    assert dict(report.resources) == {
        "AWS::RDS::DBCluster": MANY,
        "AWS::RDS::DBInstance": 2 * MANY,
        "AWS::RDS::DBClusterSnapshot": 3 * MANY,
        "AWS::::Account": 1,
        "AWS::Logs::LogGroup": MANY,
        "AWS::KMS::Key": MANY,
        "AWS::SecretsManager::Secret": MANY,
    }
    assert (many - few) / (MANY - FEW) < MOST
