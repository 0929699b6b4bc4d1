from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from console.local.aws import LocalAws
from console.local.identity import acting_as, assumed_role, aws_service, iam_user
from console.local.rds.state import Lifecycle
from console.local.spelling import lower_first
from local_rds import a_cluster, a_member, an_instance, refused, the_cluster

if TYPE_CHECKING:
    from console.local.clock import MovableClock

ROLE = "arn:aws:iam::123456789012:role/warden/remediate-role"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:warden-remediate"


def said(local: LocalAws) -> list[str]:
    """Name the events sent, calls by their name and RDS's own by their number."""
    return [event["detail"].get("eventName") or event["detail"]["EventID"] for event in local.events]


def last_call(local: LocalAws) -> dict[str, Any]:
    event = next(event for event in reversed(local.events) if "eventName" in event["detail"])
    detail: dict[str, Any] = event["detail"]
    return detail


def test_a_call_is_told_in_the_envelope_of_eventbridge(local: LocalAws, rds: Any):
    a_cluster(rds)
    event = local.events[0]
    assert {name: event[name] for name in event if name not in {"id", "detail"}} == {
        "version": "0",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.rds",
        "account": "123456789012",
        "time": "2026-11-24T12:00:00Z",
        "region": "us-east-1",
        "resources": [],
    }
    detail = event["detail"]
    assert set(detail) == {
        *("eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion"),
        *("sourceIPAddress", "userAgent", "requestParameters", "responseElements", "requestID", "eventID"),
        *("readOnly", "eventType", "managementEvent", "recipientAccountId", "eventCategory"),
    }
    assert (detail["eventVersion"], detail["eventSource"]) == ("1.11", "rds.amazonaws.com")
    assert (detail["readOnly"], detail["managementEvent"]) == (False, True)
    assert json.loads(json.dumps(event)) == event


def test_the_request_id_is_the_one_that_the_caller_got(local: LocalAws, rds: Any):
    answer = rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="g", DBParameterGroupFamily="aurora-mysql8.0", Description="d"
    )
    assert answer["ResponseMetadata"]["RequestId"] == last_call(local)["requestID"]


def test_members_are_spelt_as_botocore_spells_them_but_for_the_first_letter(local: LocalAws, rds: Any):
    a_cluster(rds, StorageEncrypted=True, EnableIAMDatabaseAuthentication=True)
    detail = last_call(local)
    assert detail["requestParameters"]["dBClusterIdentifier"] == "orders"
    assert detail["requestParameters"]["enableIAMDatabaseAuthentication"] is True
    answer = detail["responseElements"]
    assert answer["dBClusterArn"].endswith(":cluster:orders")
    assert answer["iAMDatabaseAuthenticationEnabled"] is True
    assert answer["dbClusterResourceId"].startswith("cluster-")
    assert answer["status"] == "creating"
    assert answer["clusterCreateTime"] == "Nov 24, 2026 12:00:00 PM"
    assert {lower_first(name) for name in the_cluster(rds)} <= set(answer)


def test_identifiers_of_a_request_keep_the_callers_case_and_those_of_the_answer_do_not(
    local: LocalAws, rds: Any
):
    a_cluster(rds, "Orders")
    detail = last_call(local)
    assert detail["requestParameters"]["dBClusterIdentifier"] == "Orders"
    assert detail["responseElements"]["dBClusterIdentifier"] == "orders"


def test_passwords_are_hidden(local: LocalAws, rds: Any):
    a_cluster(rds)
    assert last_call(local)["requestParameters"]["masterUserPassword"] == "HIDDEN_DUE_TO_SECURITY_REASONS"
    rds.modify_db_cluster(DBClusterIdentifier="orders", MasterUserPassword="battery-staple")
    assert "battery-staple" not in json.dumps(local.events)
    assert last_call(local)["responseElements"]["pendingModifiedValues"] == {"masterUserPassword": "****"}


def test_a_modification_tells_what_was_asked_with_the_primitives_that_nobody_sent(local: LocalAws, rds: Any):
    a_cluster(rds)
    rds.modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    detail = last_call(local)
    assert detail["requestParameters"] == {
        "dBClusterIdentifier": "orders",
        "applyImmediately": False,
        "allowMajorVersionUpgrade": False,
        "allowEngineModeChange": False,
        "deletionProtection": False,
    }
    assert detail["responseElements"]["status"] == "available"


def test_the_wrapper_is_dropped_but_for_proxies_and_answers_of_several_members(local: LocalAws, rds: Any):
    arn = a_cluster(rds)["DBClusterArn"]
    assert "dBCluster" not in last_call(local)["responseElements"]
    rds.enable_http_endpoint(ResourceArn=arn)
    assert last_call(local)["responseElements"] == {"resourceArn": arn, "httpEndpointEnabled": True}
    subnets = [one["SubnetId"] for one in local.client("ec2").describe_subnets()["Subnets"]][:2]
    rds.create_db_proxy(
        DBProxyName="p",
        EngineFamily="MYSQL",
        Auth=[{"AuthScheme": "SECRETS"}],
        RoleArn="arn:aws:iam::123456789012:role/p",
        VpcSubnetIds=subnets,
    )
    assert last_call(local)["responseElements"]["dBProxy"]["dBProxyArn"].split(":")[5] == "db-proxy"


def test_an_answer_without_members_is_null(local: LocalAws, rds: Any):
    arn = a_cluster(rds)["DBClusterArn"]
    rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "env", "Value": "prod"}])
    detail = last_call(local)
    assert detail["requestParameters"] == {"resourceName": arn, "tags": [{"key": "env", "value": "prod"}]}
    assert detail["responseElements"] is None


def test_parameters_are_told_in_the_clear_and_by_the_name_of_their_group(local: LocalAws, rds: Any):
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="strict", DBParameterGroupFamily="aurora-postgresql16", Description="d"
    )
    rds.modify_db_cluster_parameter_group(
        DBClusterParameterGroupName="strict",
        Parameters=[{"ParameterName": "rds.force_ssl", "ParameterValue": "0", "ApplyMethod": "immediate"}],
    )
    detail = last_call(local)
    assert detail["requestParameters"]["parameters"] == [
        {
            "parameterName": "rds.force_ssl",
            "parameterValue": "0",
            "applyMethod": "immediate",
            "isModifiable": False,
        }
    ]
    assert detail["responseElements"] == {"dBClusterParameterGroupName": "strict"}


def test_sharing_is_told_with_the_whole_list_and_without_an_arn(local: LocalAws, rds: Any):
    local.rds.create_legacy_unencrypted("orders")
    rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="before", DBClusterIdentifier="orders")
    rds.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier="before", AttributeName="restore", ValuesToAdd=["210987654321"]
    )
    rds.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier="before", AttributeName="restore", ValuesToAdd=["all"]
    )
    detail = last_call(local)
    assert detail["requestParameters"] == {
        "dBClusterSnapshotIdentifier": "before",
        "attributeName": "restore",
        "valuesToAdd": ["all"],
    }
    assert detail["responseElements"] == {
        "dBClusterSnapshotIdentifier": "before",
        "dBClusterSnapshotAttributes": [
            {"attributeName": "restore", "attributeValues": ["210987654321", "all"]}
        ],
    }
    assert "arn:" not in json.dumps([detail["requestParameters"], detail["responseElements"]])


def test_reading_is_not_told(local: LocalAws, rds: Any):
    arn = a_cluster(rds)["DBClusterArn"]
    before = len(local.events)
    rds.describe_db_clusters()
    rds.describe_db_cluster_parameters(DBClusterParameterGroupName="default.aurora-postgresql16")
    rds.list_tags_for_resource(ResourceName=arn)
    refused("DBClusterNotFoundFault", rds.describe_db_clusters, DBClusterIdentifier="nobody")
    assert len(local.events) == before


def test_a_refused_call_is_told_with_its_error_and_without_an_answer(local: LocalAws, rds: Any):
    local.rds.hold(a_cluster(rds)["DBClusterArn"], status="configuring-iam-database-auth")
    refused(
        "InvalidDBClusterStateFault",
        rds.modify_db_cluster,
        DBClusterIdentifier="orders",
        DeletionProtection=True,
    )
    detail = last_call(local)
    assert detail["errorCode"] == "InvalidDBClusterStateFault"
    assert detail["errorMessage"].endswith("with status configuring-iam-database-auth")
    assert detail["responseElements"] is None
    assert detail["requestParameters"]["dBClusterIdentifier"] == "orders"


def test_an_error_is_named_by_its_shape_though_the_wire_drops_the_suffix(local: LocalAws, rds: Any):
    refused("DBInstanceNotFound", rds.modify_db_instance, DBInstanceIdentifier="nobody")
    assert last_call(local)["errorCode"] == "DBInstanceNotFoundFault"


def test_a_denied_call_tells_neither_what_was_asked_nor_answered(local: LocalAws, rds: Any):
    a_cluster(rds)
    local.faults.deny("ModifyDBCluster")
    message = refused(
        "AccessDenied", rds.modify_db_cluster, DBClusterIdentifier="orders", DeletionProtection=True
    )
    assert "is not authorized to perform: rds:ModifyDBCluster" in message
    detail = last_call(local)
    assert (detail["errorCode"], detail["requestParameters"], detail["responseElements"]) == (
        "AccessDenied",
        None,
        None,
    )
    assert the_cluster(rds)["DeletionProtection"] is False
    local.faults.allow("ModifyDBCluster")
    rds.modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=True)


def test_a_call_is_throttled_as_often_as_asked(local: LocalAws, rds: Any):
    a_cluster(rds)
    local.faults.inject("DescribeDBClusters", "Throttling", times=2)
    for _ in range(2):
        refused("Throttling", rds.describe_db_clusters)
    assert len(rds.describe_db_clusters()["DBClusters"]) == 1
    local.faults.inject("rds:ModifyDBCluster", "ServiceUnavailable")
    with pytest.raises(ClientError) as caught:
        rds.modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=True)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert the_cluster(rds)["DeletionProtection"] is False


def test_other_services_are_refused_and_recorded_too(local: LocalAws):
    local.faults.inject("dynamodb:ListTables", "ProvisionedThroughputExceededException")
    local.faults.deny("sqs:ListQueues")
    refused("ProvisionedThroughputExceededException", local.client("dynamodb").list_tables)
    refused("AccessDeniedException", local.client("sqs").list_queues)
    assert local.client("dynamodb").list_tables()["TableNames"] == []
    assert [call.action for call in local.calls] == [
        "dynamodb:ListTables",
        "sqs:ListQueues",
        "dynamodb:ListTables",
    ]


def test_a_user_has_no_session_and_a_role_names_its_issuer(local: LocalAws, rds: Any):
    with acting_as(iam_user("alice")):
        a_cluster(rds)
    alice = last_call(local)["userIdentity"]
    assert (alice["type"], alice["arn"], alice["userName"]) == (
        "IAMUser",
        "arn:aws:iam::123456789012:user/alice",
        "alice",
    )
    assert "sessionContext" not in alice
    with acting_as(assumed_role(ROLE, "warden", lambda_function_arn=FUNCTION)):
        rds.modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=True)
    detail = last_call(local)
    role = detail["userIdentity"]
    assert role["arn"] == "arn:aws:sts::123456789012:assumed-role/remediate-role/warden"
    issuer = role["sessionContext"]["sessionIssuer"]
    assert (issuer["type"], issuer["arn"], issuer["userName"]) == ("Role", ROLE, "remediate-role")
    assert role["principalId"] == f"{issuer['principalId']}:warden"
    assert role["sessionContext"]["attributes"]["mfaAuthenticated"] == "false"
    assert role["inScopeOf"] == {"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": FUNCTION}
    assert detail["userAgent"].endswith("exec-env/AWS_Lambda_python3.13")


def test_a_service_acts_in_its_own_name(local: LocalAws, rds: Any):
    with acting_as(aws_service("backup.amazonaws.com")):
        a_cluster(rds)
    detail = last_call(local)
    assert detail["userIdentity"] == {"type": "AWSService", "invokedBy": "backup.amazonaws.com"}
    assert (detail["userAgent"], detail["sourceIPAddress"]) == (
        "backup.amazonaws.com",
        "backup.amazonaws.com",
    )


def test_calls_are_recorded_with_their_caller_unless_switched_off(local: LocalAws, rds: Any):
    alice = iam_user("alice")
    with acting_as(alice):
        rds.describe_db_clusters(MaxRecords=20)
    call = local.calls[-1]
    assert (call.action, call.parameters, call.region, call.identity) == (
        "rds:DescribeDBClusters",
        {"MaxRecords": 20},
        "us-east-1",
        alice,
    )
    local.record_calls = False
    rds.describe_db_clusters()
    assert len(local.calls) == 1


def test_new_databases_are_announced_after_the_record_of_the_call(local: LocalAws, rds: Any):
    a_cluster(rds, Tags=[{"Key": "env", "Value": "prod"}])
    a_member(rds, "orders-1")
    assert said(local) == ["CreateDBCluster", "RDS-EVENT-0170", "CreateDBInstance", "RDS-EVENT-0005"]
    event = local.events[1]
    arn = "arn:aws:rds:us-east-1:123456789012:cluster:orders"
    assert {name: event[name] for name in event if name != "id"} == {
        "version": "0",
        "detail-type": "RDS DB Cluster Event",
        "source": "aws.rds",
        "account": "123456789012",
        "time": "2026-11-24T12:00:00Z",
        "region": "us-east-1",
        "resources": [arn],
        "detail": {
            "EventCategories": ["creation"],
            "SourceType": "CLUSTER",
            "SourceArn": arn,
            "Date": "2026-11-24T12:00:00.000Z",
            "Message": "DB cluster created",
            "SourceIdentifier": "orders",
            "EventID": "RDS-EVENT-0170",
            "Tags": {"env": "prod"},
        },
    }
    assert local.events[3]["detail-type"] == "RDS DB Instance Event"
    assert "Tags" not in local.events[3]["detail"]


def test_a_restored_cluster_is_announced_as_created(local: LocalAws, rds: Any):
    a_cluster(rds)
    rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="before", DBClusterIdentifier="orders")
    assert said(local)[-3:] == ["CreateDBClusterSnapshot", "RDS-EVENT-0074", "RDS-EVENT-0075"]
    rds.restore_db_cluster_from_snapshot(
        DBClusterIdentifier="again", SnapshotIdentifier="before", Engine="aurora-postgresql"
    )
    assert said(local)[-2:] == ["RestoreDBClusterFromSnapshot", "RDS-EVENT-0170"]


def test_the_life_of_instances_and_their_snapshots_is_told(local: LocalAws, rds: Any):
    an_instance(rds)
    rds.create_db_snapshot(DBSnapshotIdentifier="before", DBInstanceIdentifier="reports")
    assert said(local)[-3:] == ["CreateDBSnapshot", "RDS-EVENT-0040", "RDS-EVENT-0042"]
    rds.copy_db_snapshot(SourceDBSnapshotIdentifier="before", TargetDBSnapshotIdentifier="after")
    assert said(local)[-3:] == ["CopyDBSnapshot", "RDS-EVENT-0196", "RDS-EVENT-0197"]
    arn = local.events[-1]["detail"]["SourceArn"].replace(":after", ":before")
    elsewhere = local.client("rds", "eu-west-1")
    elsewhere.copy_db_snapshot(SourceDBSnapshotIdentifier=arn, TargetDBSnapshotIdentifier="abroad")
    assert said(local)[-3:] == ["CopyDBSnapshot", "RDS-EVENT-0059", "RDS-EVENT-0060"]
    assert {event["region"] for event in local.events[-3:]} == {"eu-west-1"}
    rds.delete_db_instance(DBInstanceIdentifier="reports", SkipFinalSnapshot=True)
    assert said(local)[-2:] == ["DeleteDBInstance", "RDS-EVENT-0003"]


def test_deletions_and_renames_of_clusters_are_told(local: LocalAws, rds: Any):
    a_cluster(rds)
    rds.modify_db_cluster(DBClusterIdentifier="orders", NewDBClusterIdentifier="sales", ApplyImmediately=True)
    assert said(local)[-2:] == ["ModifyDBCluster", "RDS-EVENT-0172"]
    rds.delete_db_cluster(DBClusterIdentifier="sales", SkipFinalSnapshot=True)
    assert said(local)[-2:] == ["DeleteDBCluster", "RDS-EVENT-0171"]
    assert local.events[-1]["detail"]["SourceArn"].endswith(":cluster:sales")


def test_an_automated_snapshot_keeps_the_colon_in_its_name(local: LocalAws, rds: Any):
    local.rds.take_automated_snapshot(a_cluster(rds)["DBClusterArn"])
    assert said(local)[-2:] == ["RDS-EVENT-0168", "RDS-EVENT-0169"]
    detail = local.events[-1]["detail"]
    assert detail["SourceIdentifier"] == "rds:orders-2026-11-24-12-00-2"
    assert detail["SourceArn"].endswith(":cluster-snapshot:rds:orders-2026-11-24-12-00-2")


def test_instance_groups_tell_of_each_parameter_and_cluster_groups_do_not(local: LocalAws, rds: Any):
    change = [{"ParameterName": "log_statement", "ParameterValue": "ddl", "ApplyMethod": "immediate"}]
    rds.create_db_parameter_group(
        DBParameterGroupName="own", DBParameterGroupFamily="postgres16", Description="d"
    )
    rds.modify_db_parameter_group(DBParameterGroupName="own", Parameters=change)
    assert said(local)[-2:] == ["ModifyDBParameterGroup", "RDS-EVENT-0037"]
    detail = local.events[-1]["detail"]
    assert detail["Message"] == "Updated parameter log_statement to ddl with apply method immediate"
    assert (local.events[-1]["detail-type"], detail["SourceType"]) == (
        "RDS DB Parameter Group Event",
        "DB_PARAM",
    )
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="own", DBParameterGroupFamily="aurora-postgresql16", Description="d"
    )
    rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName="own", Parameters=change)
    assert said(local)[-1] == "ModifyDBClusterParameterGroup"


def test_most_drift_has_no_event_of_rdss_own(local: LocalAws, rds: Any):
    a_cluster(rds)
    a_member(rds, "orders-1")
    before = len(local.events)
    rds.modify_db_cluster(
        DBClusterIdentifier="orders",
        DeletionProtection=True,
        EnableIAMDatabaseAuthentication=True,
        BackupRetentionPeriod=7,
        CopyTagsToSnapshot=True,
        CloudwatchLogsExportConfiguration={"EnableLogTypes": ["postgresql"]},
        ApplyImmediately=True,
    )
    rds.modify_db_instance(DBInstanceIdentifier="orders-1", PubliclyAccessible=True)
    assert said(local)[before:] == ["ModifyDBCluster", "ModifyDBInstance"]


def test_a_slow_creation_is_announced_when_the_clock_gets_there(clock: MovableClock):
    with LocalAws(clock=clock, lifecycle=Lifecycle.like_aws()) as local:
        rds = local.client("rds")
        assert a_cluster(rds)["Status"] == "creating"
        assert said(local) == ["CreateDBCluster"]
        refused(
            "InvalidDBClusterStateFault",
            rds.modify_db_cluster,
            DBClusterIdentifier="orders",
            DeletionProtection=True,
        )
        clock.advance(300)
        assert the_cluster(rds)["Status"] == "available"
        assert said(local)[-1] == "RDS-EVENT-0170"
        rds.modify_db_cluster(
            DBClusterIdentifier="orders", EnableIAMDatabaseAuthentication=True, ApplyImmediately=True
        )
        busy = the_cluster(rds)
        assert (busy["Status"], busy["IAMDatabaseAuthenticationEnabled"]) == (
            "configuring-iam-database-auth",
            False,
        )
        assert busy["PendingModifiedValues"] == {"IAMDatabaseAuthenticationEnabled": True}
        local.rds.settle()
        assert the_cluster(rds)["IAMDatabaseAuthenticationEnabled"] is True


def test_a_slow_deletion_is_told_at_its_end_and_not_begun_twice(clock: MovableClock):
    with LocalAws(clock=clock, lifecycle=Lifecycle(deleting=Lifecycle.like_aws().deleting)) as local:
        rds = local.client("rds")
        a_cluster(rds)
        a_member(rds, "orders-1")
        rds.delete_db_instance(DBInstanceIdentifier="orders-1")
        assert rds.describe_db_instances()["DBInstances"][0]["DBInstanceStatus"] == "deleting"
        refused("InvalidDBInstanceState", rds.delete_db_instance, DBInstanceIdentifier="orders-1")
        rds.delete_db_cluster(DBClusterIdentifier="orders", SkipFinalSnapshot=True)
        assert the_cluster(rds)["Status"] == "deleting"
        refused(
            "InvalidDBClusterStateFault",
            rds.delete_db_cluster,
            DBClusterIdentifier="orders",
            SkipFinalSnapshot=True,
        )
        clock.advance(300)
        assert rds.describe_db_clusters()["DBClusters"] == []
        assert said(local)[-2:] == ["RDS-EVENT-0003", "RDS-EVENT-0171"]


def test_events_go_to_whoever_listens_in_order_even_if_the_listener_calls_back(clock: MovableClock):
    heard: list[str] = []
    with LocalAws(clock=clock) as local:
        rds = local.client("rds")

        def listen(event: dict[str, Any]) -> None:
            name = event["detail"].get("eventName") or event["detail"]["EventID"]
            heard.append(name)
            if name == "CreateDBCluster":
                rds.modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=True)

        local.emit = listen
        a_cluster(rds)
        assert heard == ["CreateDBCluster", "RDS-EVENT-0170", "ModifyDBCluster"]
        assert the_cluster(rds)["DeletionProtection"] is True


def test_what_is_too_large_for_cloudtrail_is_left_out(local: LocalAws, rds: Any):
    tags = [{"Key": f"key-{number}", "Value": "v" * 250} for number in range(450)]
    arn = a_cluster(rds)["DBClusterArn"]
    rds.add_tags_to_resource(ResourceName=arn, Tags=tags)
    assert last_call(local)["requestParameters"] is None
