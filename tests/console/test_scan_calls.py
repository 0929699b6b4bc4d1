"""What a scan of a fleet of known shape asks of AWS: exactly so many calls, and none for what was not chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from console import paths
from console.local.aws import LocalAws
from console.scan import scan_account
from warden.controls import all_controls
from warden.wiring import load_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "eu-west-1"
CLUSTERS, GROUPS, SNAPSHOTS = 12, 5, 7
LOGIN = {"MasterUsername": "steward", "MasterUserPassword": "correct-horse-battery"}
CONTROLS = {control.id: control for control in all_controls()}


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """Clusters, some with a custom group of their own, some with a manual snapshot, each with a member."""
    with LocalAws(region=REGION) as made:
        rds = made.client("rds")
        for number in range(CLUSTERS):
            name = f"c{number}"
            more: dict[str, Any] = {}
            if number < GROUPS:
                more["DBClusterParameterGroupName"] = name
                rds.create_db_cluster_parameter_group(
                    DBClusterParameterGroupName=name,
                    DBParameterGroupFamily="aurora-postgresql16",
                    Description=name,
                )
            rds.create_db_cluster(
                DBClusterIdentifier=name, Engine="aurora-postgresql", EngineVersion="16.6", **more, **LOGIN
            )
            rds.create_db_instance(
                DBInstanceIdentifier=f"{name}-0",
                DBClusterIdentifier=name,
                Engine="aurora-postgresql",
                DBInstanceClass="db.r6g.large",
            )
            made.rds.settle()
            if number < SNAPSHOTS:
                rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier=name)
        made.rds.settle()
        yield made


def calls(*controls: str) -> dict[str, int]:
    """The calls of a scan of some controls, or of all, but for who we are."""
    policy = load_policy(paths.POLICY)
    chosen = [CONTROLS[name] for name in controls] or list(CONTROLS.values())
    scan = scan_account(regions=[REGION], controls=chosen, policy=policy)
    assert scan.not_evaluated == [] or not controls
    return {name: count for name, count in scan.api_calls.items() if not name.startswith("sts:")}


@pytest.mark.usefixtures("aws")
def test_what_a_list_holds_takes_a_page_of_the_list() -> None:
    assert calls("instance_not_publicly_accessible") == {"rds:DescribeDBInstances": 1}


@pytest.mark.usefixtures("aws")
def test_snapshots_take_one_call_for_each_manual_one_since_aws_has_no_other() -> None:
    assert calls("cluster_snapshot_not_public") == {
        "rds:DescribeDBClusterSnapshots": 1,
        "rds:DescribeDBClusterSnapshotAttributes": SNAPSHOTS,
    }


@pytest.mark.usefixtures("aws")
def test_parameters_take_one_call_for_each_custom_group_and_the_defaults_of_a_family_once() -> None:
    found = calls("cluster_tls_enforced")

    assert found["rds:DescribeDBClusterParameters"] == GROUPS
    family = found.pop("rds:DescribeEngineDefaultClusterParameters")
    assert calls("cluster_tls_enforced")["rds:DescribeEngineDefaultClusterParameters"] == family
    # Once for all of them: what a change of what drifted would meet, and who else has the groups.
    assert {name: count for name, count in found.items() if name != "rds:DescribeDBClusterParameters"} == {
        "rds:DescribeDBClusters": 1,
        "rds:DescribeDBInstances": 1,
        "rds:DescribeDBClusterParameterGroups": 1,
        "rds:DescribeBlueGreenDeployments": 1,
        "rds:DescribeAccountAttributes": 1,
    }


@pytest.mark.usefixtures("aws")
def test_what_only_a_successor_needs_is_not_read_where_the_policy_wants_none() -> None:
    assert calls("cluster_customer_managed_key") == {
        "rds:DescribeDBClusters": 1,
        # Whoever writes to a cluster must know its members.
        "rds:DescribeDBInstances": 1,
        "rds:DescribeBlueGreenDeployments": 1,
    }


@pytest.mark.usefixtures("aws")
def test_with_all_controls_only_what_aws_tells_one_by_one_grows_with_the_fleet() -> None:
    found = calls()

    of_each = {
        "rds:DescribeDBClusterParameters": GROUPS,
        "rds:DescribeDBClusterSnapshotAttributes": SNAPSHOTS,
    }
    assert {name: count for name, count in found.items() if name in of_each} == of_each
    # Pages of parameters of a family, and one call for each of the two prefixes, five deletions, and snapshots.
    assert {name for name, count in found.items() if count >= CLUSTERS} == set()
