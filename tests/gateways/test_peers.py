"""What other tools lose on their way to a verdict, on the local AWS; the rows of docs/explanation/peers.md say whose.

`parameters-after-the-first-page`, `groups-of-one-name`, `one-group-is-denied`, `a-snapshot-goes-in-mid-sweep`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateways.estate import CONTROLS, Estate
from warden.core.control import ComplianceType
from warden.core.evaluation import evaluate

if TYPE_CHECKING:
    from collections.abc import Iterator

LOGIN = {"MasterUsername": "steward", "MasterUserPassword": "correct-horse-battery"}
TLS = "cluster_tls_enforced"
YES, NO, UNKNOWN = (
    ComplianceType.COMPLIANT,
    ComplianceType.NON_COMPLIANT,
    ComplianceType.INSUFFICIENT_DATA,
)


@pytest.fixture
def estate() -> Iterator[Estate]:
    with Estate() as made:
        yield made


def cluster(estate: Estate, name: str, *, group: str = "", engine: str = "aurora-mysql", **other: Any) -> str:
    """A cluster with one instance, and with a group of its own if one is named."""
    versions = {"aurora-mysql": "8.0.mysql_aurora.3.08.0", "aurora-postgresql": "16.6"}
    made = estate.client("rds").create_db_cluster(
        DBClusterIdentifier=name,
        Engine=engine,
        **{"EngineVersion": versions[engine], **LOGIN, **other},
        **({"DBClusterParameterGroupName": group} if group else {}),
    )
    estate.client("rds").create_db_instance(
        DBInstanceIdentifier=f"{name}-1",
        DBClusterIdentifier=name,
        Engine=engine,
        DBInstanceClass="db.r6g.large",
    )
    estate.aws.rds.settle()
    return str(made["DBCluster"]["DBClusterArn"])


def cluster_group(estate: Estate, name: str, value: str) -> str:
    """A cluster parameter group that demands TLS or does not."""
    rds = estate.client("rds")
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName=name, DBParameterGroupFamily="aurora-mysql8.0", Description="TLS"
    )
    rds.modify_db_cluster_parameter_group(
        DBClusterParameterGroupName=name,
        Parameters=[
            {
                "ParameterName": "require_secure_transport",
                "ParameterValue": value,
                "ApplyMethod": "immediate",
            }
        ],
    )
    return name


def swept(estate: Estate, control: str) -> dict[str, ComplianceType]:
    """What a sweep says of everything that the control judges, by name."""
    judging = CONTROLS[control]
    resources = estate.reader(bulk=True).list(judging.resource_type, judging.needs)
    return {found.ref.id: evaluate(judging, found, judging.defaults()).compliance for found in resources}


@pytest.mark.parametrize(("value", "expected"), [("ON", YES), ("OFF", NO)])
def test_a_parameter_after_the_first_page_counts(
    estate: Estate, value: str, expected: ComplianceType
) -> None:
    arn = cluster(estate, "orders", group=cluster_group(estate, "own", value))
    page = estate.client("rds").describe_db_cluster_parameters(DBClusterParameterGroupName="own")
    assert "Marker" in page
    assert "require_secure_transport" not in {item["ParameterName"] for item in page["Parameters"]}
    assert estate.judged(TLS, arn).compliance is expected


@pytest.mark.parametrize(("version", "expected"), [("16.6", NO), ("17.4", YES)])
def test_a_default_after_the_first_page_counts(
    estate: Estate, version: str, expected: ComplianceType
) -> None:
    """Aurora PostgreSQL demands TLS by default since version 17."""
    arn = cluster(estate, "orders", engine="aurora-postgresql", EngineVersion=version)
    assert estate.judged(TLS, arn).compliance is expected


def test_groups_of_one_name_are_two_groups(estate: Estate) -> None:
    """One of clusters and one of instances, and a second of each: none answers for another."""
    rds = estate.client("rds")
    for name, on in (("own", True), ("other", False)):
        cluster(estate, f"cluster-{name}", group=cluster_group(estate, name, "ON" if on else "OFF"))
        rds.create_db_parameter_group(
            DBParameterGroupName=name, DBParameterGroupFamily="mysql8.4", Description="TLS"
        )
        item = {"ParameterName": "require_secure_transport", "ParameterValue": "0" if on else "1"}
        rds.modify_db_parameter_group(
            DBParameterGroupName=name, Parameters=[{**item, "ApplyMethod": "immediate"}]
        )
        rds.create_db_instance(
            DBInstanceIdentifier=f"instance-{name}",
            Engine="mysql",
            EngineVersion="8.4.3",
            DBInstanceClass="db.m6g.large",
            AllocatedStorage=20,
            DBParameterGroupName=name,
            **LOGIN,
        )
    estate.aws.rds.settle()
    assert swept(estate, TLS) == {"cluster-own": YES, "cluster-other": NO}
    of_instances = swept(estate, "instance_tls_enforced")
    assert {name: of_instances[name] for name in ("instance-own", "instance-other")} == {
        "instance-own": NO,
        "instance-other": YES,
    }


def test_one_group_that_may_not_be_read_costs_its_own_clusters_their_verdict(estate: Estate) -> None:
    for name in ("first", "second", "third"):
        cluster(estate, name, group=cluster_group(estate, f"group-{name}", "OFF"))
    estate.aws.faults.inject("rds:DescribeDBClusterParameters", "AccessDenied", times=1)
    found = swept(estate, TLS)
    assert sorted(found.values()) == sorted([UNKNOWN, NO, NO])


def test_a_snapshot_that_goes_in_mid_sweep_takes_no_other_along(estate: Estate) -> None:
    rds = estate.client("rds")
    cluster(estate, "orders", StorageEncrypted=False)
    for number in range(25):
        name = f"snapshot-{number:02}"
        rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier="orders")
        rds.modify_db_cluster_snapshot_attribute(
            DBClusterSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=["111122223333"]
        )
    estate.aws.rds.settle()
    estate.aws.faults.inject(
        "rds:DescribeDBClusterSnapshotAttributes", "DBClusterSnapshotNotFoundFault", times=1
    )
    control = CONTROLS["cluster_snapshot_shares_approved"]
    settings = {**control.defaults(), "approved_accounts": [estate.aws.account]}
    resources = estate.reader(bulk=True).list(control.resource_type, control.needs)
    found = [
        evaluate(control, one, settings).compliance for one in resources if one.ref.id.startswith("snapshot-")
    ]
    assert sorted(found) == sorted([UNKNOWN, *[NO] * 24])
