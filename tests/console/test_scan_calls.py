"""What a scan of a fleet of known shape asks of AWS: exactly so many calls, and none for what was not chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from console import paths
from console.local.aws import LocalAws
from console.local.identity import ACCOUNT_ID
from console.rows import NoRoomError, Rows
from console.scan import scan_account
from warden.controls import all_controls
from warden.core import conditions
from warden.core.kinds import Need
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
    """The calls of a scan of some controls, or of all."""
    policy = load_policy(paths.POLICY)
    chosen = [CONTROLS[name] for name in controls] or list(CONTROLS.values())
    scan = scan_account(regions=[REGION], controls=chosen, policy=policy)
    assert len(scan.not_evaluated) == 0 or not controls
    return dict(scan.api_calls)


@pytest.mark.usefixtures("aws")
def test_what_a_list_holds_takes_a_page_of_the_list() -> None:
    assert calls("instance_not_publicly_accessible") == {
        "rds:DescribeDBInstances": 1,
        "sts:GetCallerIdentity": 1,
    }


@pytest.mark.usefixtures("aws")
def test_snapshots_take_one_call_for_each_manual_one_since_aws_has_no_other() -> None:
    assert calls("cluster_snapshot_not_public") == {
        "rds:DescribeDBClusterSnapshots": 1,
        "rds:DescribeDBClusterSnapshotAttributes": SNAPSHOTS,
        "sts:GetCallerIdentity": 1,
    }


@pytest.mark.usefixtures("aws")
def test_parameters_take_one_call_for_each_custom_group_and_the_defaults_of_a_family_once() -> None:
    found = calls("cluster_tls_enforced")

    assert found["rds:DescribeDBClusterParameters"] == GROUPS
    family = found.pop("rds:DescribeEngineDefaultClusterParameters")
    assert calls("cluster_tls_enforced")["rds:DescribeEngineDefaultClusterParameters"] == family
    # Once for all of them: whose the databases are and which family they have, and who else has the groups.
    assert {name: count for name, count in found.items() if name != "rds:DescribeDBClusterParameters"} == {
        "rds:DescribeDBClusters": 1,
        "rds:DescribeDBInstances": 1,
        "rds:DescribeDBEngineVersions": 1,
    }


@pytest.mark.usefixtures("aws")
def test_what_only_a_successor_needs_is_not_read_where_the_policy_wants_none() -> None:
    assert calls("cluster_customer_managed_key") == {
        "rds:DescribeDBClusters": 1,
        # Whoever writes to a cluster must know its members.
        "rds:DescribeDBInstances": 1,
    }


@pytest.mark.usefixtures("aws")
def test_what_a_control_judges_by_is_read_though_plans_take_it_for_granted() -> None:
    assert calls("cluster_master_password_managed") == {
        "rds:DescribeDBClusters": 1,
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


# --- what is taken for granted ---------------------------------------------------------------------------------------


def test_what_is_taken_for_granted_lets_every_plan_be_made() -> None:
    """A plan that asked for more of it than is given would be no plan in a scan."""
    needed = {
        need for control in CONTROLS.values() if control.remediation for need in control.remediation.needs
    }
    of_writes = {need for needs in conditions.WRITE_NEEDS.values() for need in needs}

    assert set(conditions.SOME_DAY) <= needed | of_writes
    assert set(conditions.SOME_DAY[Need.QUOTAS]) >= {"DBClusters", "DBInstances", "DBClusterParameterGroups"}


def test_a_plan_begins_at_its_beginning_whatever_is_in_its_way_today(aws: LocalAws) -> None:
    policy = load_policy(paths.POLICY)
    for operation in (
        "DescribeBlueGreenDeployments",
        "DescribeAccountAttributes",
        "DescribeDBClusterParameterGroups",
    ):
        aws.faults.deny(f"rds:{operation}")
    try:
        scan = scan_account(regions=[REGION], controls=[CONTROLS["cluster_tls_enforced"]], policy=policy)
    finally:
        aws.faults.clear()

    plans = {finding["resource"].rpartition(":")[2]: finding["plan"] for finding in scan.findings}
    assert len(plans) == CLUSTERS
    assert [call["operation"] for call in plans[f"c{CLUSTERS - 1}"]] == ["CreateDBClusterParameterGroup"]
    assert {finding["decision"]["would"] for finding in scan.findings} == {"AWAIT_APPROVAL"}


# --- whose the databases are -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("aws")
def test_the_list_of_clusters_says_whose_they_are() -> None:
    assert calls("cluster_deletion_protection_enabled") == {
        "rds:DescribeDBClusters": 1,
        "rds:DescribeDBInstances": 1,
    }


def test_where_no_cluster_can_say_so_sts_is_asked(aws: LocalAws) -> None:
    policy, chosen = load_policy(paths.POLICY), [CONTROLS["cluster_deletion_protection_enabled"]]

    elsewhere = scan_account(regions=["eu-north-1"], controls=chosen, policy=policy)
    aws.faults.deny("rds:DescribeDBClusters")
    try:
        denied = scan_account(regions=[REGION], controls=chosen, policy=policy)
    finally:
        aws.faults.clear()

    assert (elsewhere.account, denied.account) == (ACCOUNT_ID, ACCOUNT_ID)
    assert elsewhere.api_calls == {"rds:DescribeDBClusters": 1, "sts:GetCallerIdentity": 1}
    assert len(denied.not_evaluated) == 1


# --- what is kept ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("aws")
def test_a_scan_that_can_keep_nothing_ends_and_calls_no_kind_unlisted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def add(*_: object) -> None:
        raise NoRoomError

    monkeypatch.setattr(Rows, "add", add)

    with pytest.raises(NoRoomError):
        calls()
