from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from console.local.aws import LocalAws
from console.local.identity import assumed_role
from console.local.rds.state import SystemClock
from local_rds import a_cluster, refused, the_cluster

if TYPE_CHECKING:
    from console.local.clock import MovableClock

ROLE = "arn:aws:iam::123456789012:role/warden-remediate"
CALLER = """
import boto3, json, sys
rds = boto3.client("rds", endpoint_url=sys.argv[1])
rds.modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=True)
print(json.dumps(rds.describe_db_clusters()["DBClusters"][0]["DeletionProtection"]))
"""


def test_an_account_begins_empty_and_leaves_nothing_behind():
    for _ in range(2):
        with LocalAws() as local:
            assert local.client("rds").describe_db_clusters()["DBClusters"] == []
            a_cluster(local.client("rds"))


def test_a_client_is_made_once_for_all_accounts():
    with LocalAws() as first:
        rds = first.client("rds")
    with LocalAws() as second:
        assert second.client("rds") is rds
        assert second.client("rds", "eu-west-1") is not rds
        assert rds.describe_db_clusters()["DBClusters"] == []


def test_the_environment_is_given_back(monkeypatch: Any):
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    monkeypatch.delenv("AWS_REGION", raising=False)
    with LocalAws(region="eu-west-1"):
        assert "AWS_PROFILE" not in os.environ
        assert boto3.Session().region_name == "eu-west-1"
        assert boto3.client("sts").get_caller_identity()["Account"] == "123456789012"
    assert (os.environ["AWS_PROFILE"], os.environ["AWS_DEFAULT_REGION"]) == ("mine", "ap-south-1")
    assert "AWS_REGION" not in os.environ
    assert "AWS_ACCESS_KEY_ID" not in os.environ or os.environ["AWS_ACCESS_KEY_ID"] != "FOOBARKEY"


def test_a_reset_empties_resources_events_calls_refusals_and_plans(local: LocalAws, rds: Any):
    local.faults.deny("DescribeDBClusters")
    a = rds.create_db_cluster(
        DBClusterIdentifier="orders",
        Engine="aurora-mysql",
        MasterUsername="dbadmin",
        MasterUserPassword="correct-horse",
    )
    assert a["DBCluster"]["Status"] == "creating"
    local.reset()
    assert rds.describe_db_clusters()["DBClusters"] == []
    assert local.events == []
    assert [call.operation for call in local.calls] == ["DescribeDBClusters"]


def test_times_are_the_clocks(local: LocalAws, rds: Any, clock: MovableClock):
    clock.advance(3600)
    assert a_cluster(rds)["ClusterCreateTime"] == clock.now()
    clock.advance(3600)
    cluster = the_cluster(rds)
    assert (clock.now() - cluster["LatestRestorableTime"]).total_seconds() == 240
    assert local.events[0]["time"] == "2026-11-24T13:00:00Z"


def test_without_a_clock_time_is_real():
    with LocalAws() as local:
        created = a_cluster(local.client("rds"))["ClusterCreateTime"]
        assert abs((SystemClock().now() - created).total_seconds()) < 60


def test_retries_of_botocore_get_through_an_injected_refusal(local: LocalAws):
    patient = boto3.client(
        "rds", region_name="us-east-1", config=Config(retries={"total_max_attempts": 2, "mode": "standard"})
    )
    local.faults.inject("DescribeDBClusters", "InternalFailure")
    refused("InternalFailure", local.client("rds").describe_db_clusters)
    assert patient.describe_db_clusters()["DBClusters"] == []


def test_another_process_sees_the_same_account_and_is_known_by_its_key(local: LocalAws, rds: Any):
    a_cluster(rds)
    role = assumed_role(ROLE, "warden")
    with local.serve() as server:
        environment = {**os.environ, **local.credentials(role)}
        done = subprocess.run(  # noqa: S603 - this interpreter with a script of our own
            [sys.executable, "-c", CALLER, server.url],
            env=environment,
            capture_output=True,
            check=True,
            timeout=60,
        )
    assert json.loads(done.stdout) is True
    assert the_cluster(rds)["DeletionProtection"] is True
    detail = local.events[-1]["detail"]
    assert (detail["eventName"], detail["userIdentity"]["arn"]) == ("ModifyDBCluster", role.arn)
    assert [call.identity for call in local.calls if call.operation == "ModifyDBCluster"] == [role]


def test_the_same_process_reaches_the_server_too(local: LocalAws, rds: Any):
    a_cluster(rds)
    with local.serve() as server:
        remote = boto3.client("rds", region_name="us-east-1", endpoint_url=server.url)
        assert [one["DBClusterIdentifier"] for one in remote.describe_db_clusters()["DBClusters"]] == [
            "orders"
        ]
        refused("DBClusterNotFoundFault", remote.describe_db_clusters, DBClusterIdentifier="nobody")


def test_what_no_call_can_bring_about_is_laid_over_a_description(local: LocalAws, rds: Any):
    arn = a_cluster(rds)["DBClusterArn"]
    local.rds.overlay(arn, ActivityStreamStatus="started", AwsBackupRecoveryPointArn="arn:aws:backup:x")
    assert the_cluster(rds)["ActivityStreamStatus"] == "started"
    refused(
        "InvalidParameterCombination",
        rds.modify_db_cluster,
        DBClusterIdentifier="orders",
        BackupRetentionPeriod=7,
    )
    local.rds.overlay(arn, ActivityStreamStatus=None)
    assert "ActivityStreamStatus" not in the_cluster(rds)
