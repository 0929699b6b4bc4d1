"""Recorded calls: which resources they name, who called, and what is left alone."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path

import botocore.session
import pytest

from warden.core.errors import MalformedEventError
from warden.core.kinds import EVALUATED_KINDS
from warden.core.resource import ResourceRef, ResourceType
from warden.core.trigger import Ignored, IgnoredReason, Lookup, Source, WholeKind, parse
from warden.core.trigger.identity import partition_of

EVENTS = Path(__file__).resolve().parents[2] / "events"
RECEIVED_AT = datetime(2026, 11, 24, tzinfo=UTC)
ACCOUNT = "123456789012"
HERE = "arn:aws:rds:eu-west-1:123456789012"


def sample(name):
    return json.loads((EVENTS / name).read_text())


def call(name, request, response=None, **record):
    """A call as CloudTrail records it, with nothing that the parser may ignore."""
    return {
        "version": "0",
        "id": "0e0f9ab4-7c5d-4f7b-8f7e-d2a4f3c51a6e",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.rds",
        "account": ACCOUNT,
        "time": "2026-11-23T09:00:00Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": {
            "userIdentity": {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root"},
            "eventTime": "2026-11-23T08:59:58Z",
            "eventSource": "rds.amazonaws.com",
            "eventName": name,
            "awsRegion": "eu-west-1",
            "requestParameters": request,
            "responseElements": response,
            "eventID": "c64a3e6c-5d6f-4d37-90d5-0f8d0c1f0d57",
            "readOnly": False,
            "recipientAccountId": ACCOUNT,
            **record,
        },
    }


def targets(event):
    return [str(part.target) for part in parse(event, received_at=RECEIVED_AT)]


def cause(event):
    return parse(event, received_at=RECEIVED_AT)[0].cause


def reason(event):
    (part,) = parse(event, received_at=RECEIVED_AT)
    assert isinstance(part, Ignored)
    assert part.detail.endswith(".")
    return part.reason


# --- identity


def test_the_answers_arn_wins_over_the_requests_name_and_case():
    event = call(
        "ModifyDBCluster",
        {"dBClusterIdentifier": "ORDERS-Prod"},
        {"dBClusterArn": f"{HERE}:cluster:orders-prod", "dBClusterIdentifier": "orders-prod"},
    )
    assert targets(event) == [f"{HERE}:cluster:orders-prod"]


def test_a_name_of_any_case_becomes_the_arn_with_the_stored_case():
    assert targets(call("StopDBCluster", {"dBClusterIdentifier": "ORDERS-Prod"})) == [
        f"{HERE}:cluster:orders-prod"
    ]


def test_an_identifier_may_be_an_arn_where_aws_takes_either():
    arn = "arn:aws:rds:eu-central-1:123456789012:db:ledger-prod"
    event = call("ModifyDBInstance", {"dBInstanceIdentifier": arn})
    assert targets(event) == [arn]


@pytest.mark.parametrize(
    ("api", "request_", "expected"),
    [
        ("ModifyDBCluster", {"dBClusterIdentifier": "orders"}, "cluster:orders"),
        ("RemoveFromGlobalCluster", {"dbClusterIdentifier": f"{HERE}:cluster:orders"}, "cluster:orders"),
        ("FailoverGlobalCluster", {"targetDbClusterIdentifier": f"{HERE}:cluster:orders"}, "cluster:orders"),
        (
            "SwitchoverGlobalCluster",
            {"targetDbClusterIdentifier": f"{HERE}:cluster:orders"},
            "cluster:orders",
        ),
        ("EnableHttpEndpoint", {"resourceArn": f"{HERE}:cluster:orders"}, "cluster:orders"),
        ("AddTagsToResource", {"resourceName": f"{HERE}:cluster:orders"}, "cluster:orders"),
        (
            "ApplyPendingMaintenanceAction",
            {"resourceIdentifier": f"{HERE}:cluster:orders"},
            "cluster:orders",
        ),
    ],
)
def test_seven_keys_of_the_api_name_the_same_cluster(api, request_, expected):
    assert f"{HERE}:{expected}" in targets(call(api, {"globalClusterIdentifier": "g", **request_}))


def test_one_cluster_is_the_same_in_all_five_casings_and_sources():
    """CloudTrail, Config's two, ASFF and boto3's: every source leads to the one reference."""
    names = [
        "cloudtrail/ModifyDBCluster_deletion_protection_off.json",  # dBClusterArn
        "config/item_change_dbcluster.json",  # dbclusterArn, dbClusterResourceId
        "config/notification_body.json",
        "security_hub/imported_rds7_cluster.json",  # DbClusterIdentifier
        "security_hub/v2_rds7_uid_alt.json",  # uid_alt
        "rds_event/cluster_created_0170.json",  # SourceArn
    ]
    assert {tuple(targets(sample(name))) for name in names} == {(f"{HERE}:cluster:orders-prod",)}
    # boto3's own casing is no casing of CloudTrail: it is not half understood, but as if left out.
    event = call("ModifyDBCluster", {"DBClusterIdentifier": "orders-prod"})
    (part,) = parse(event, received_at=RECEIVED_AT)
    assert part.target == WholeKind(ResourceType.DB_CLUSTER, ACCOUNT, "eu-west-1")


def test_the_event_of_a_snapshots_attribute_has_no_arn_and_one_is_built():
    event = sample("cloudtrail/ModifyDBClusterSnapshotAttribute_public.json")
    assert "arn:aws:rds" not in json.dumps(event["detail"])
    assert targets(event) == [f"{HERE}:cluster-snapshot:orders-before-release-42"]


def test_the_arn_of_a_global_cluster_has_an_empty_region():
    event = call("ModifyGlobalCluster", {"globalClusterIdentifier": "Orders-Global"})
    (part,) = parse(event, received_at=RECEIVED_AT)
    assert isinstance(part.target, ResourceRef)
    assert part.target.region == ""
    assert part.target.arn == f"arn:aws:rds::{ACCOUNT}:global-cluster:orders-global"


def test_the_account_is_the_recipients_and_not_the_callers():
    identity = {"type": "AWSAccount", "accountId": "999999999999", "principalId": "AROAJ45Q7YFFAREXAMPLE"}
    event = call("StopDBCluster", {"dBClusterIdentifier": "orders"}, userIdentity=identity)
    assert targets(event) == [f"{HERE}:cluster:orders"]


def test_without_a_recipient_and_a_region_the_envelope_says_where():
    event = call("StopDBCluster", {"dBClusterIdentifier": "orders"})
    del event["detail"]["recipientAccountId"], event["detail"]["awsRegion"]
    assert targets(event) == [f"{HERE}:cluster:orders"]


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("us-gov-west-1", "aws-us-gov"),
        ("cn-northwest-1", "aws-cn"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_an_arn_is_built_in_the_partition_of_the_region(region, partition):
    event = call("AddRoleToDBCluster", {"dBClusterIdentifier": "orders"}, awsRegion=region)
    assert targets(event) == [f"arn:{partition}:rds:{region}:{ACCOUNT}:cluster:orders"]


def test_every_region_that_botocore_knows_is_in_the_partition_that_botocore_says():
    session = botocore.session.get_session()
    regions = [
        (region, partition)
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("rds", partition)
    ]
    assert len(regions) > 30
    assert [region for region, partition in regions if partition_of(region) != partition] == []


# --- families


def test_a_rename_looks_at_both_names():
    event = call(
        "ModifyDBCluster",
        {"dBClusterIdentifier": "orders", "newDBClusterIdentifier": "Sales"},
        {"dBClusterArn": f"{HERE}:cluster:orders"},
    )
    assert targets(event) == [f"{HERE}:cluster:orders", f"{HERE}:cluster:sales"]


@pytest.mark.parametrize(
    "api", ["CreateDBInstance", "ModifyDBInstance", "DeleteDBInstance", "RebootDBInstance"]
)
def test_a_call_about_a_member_looks_at_its_cluster_too(api):
    response = {"dBInstanceArn": f"{HERE}:db:orders-1", "dBClusterIdentifier": "orders"}
    event = call(api, {"dBInstanceIdentifier": "orders-1"}, response)
    assert targets(event) == [f"{HERE}:db:orders-1", f"{HERE}:cluster:orders"]


def test_an_instance_without_a_cluster_stays_alone():
    event = call(
        "ModifyDBInstance", {"dBInstanceIdentifier": "ledger"}, {"dBInstanceArn": f"{HERE}:db:ledger"}
    )
    assert targets(event) == [f"{HERE}:db:ledger"]


def test_of_a_copy_the_target_counts_in_the_region_of_the_call():
    event = call(
        "CopyDBClusterSnapshot",
        {
            "sourceDBClusterSnapshotIdentifier": f"{HERE}:cluster-snapshot:before",
            "targetDBClusterSnapshotIdentifier": "Before-DR",
        },
        awsRegion="eu-central-1",
    )
    assert targets(event) == ["arn:aws:rds:eu-central-1:123456789012:cluster-snapshot:before-dr"]


@pytest.mark.parametrize(
    ("api", "source", "target", "kind"),
    [
        ("CopyDBSnapshot", "sourceDBSnapshotIdentifier", "targetDBSnapshotIdentifier", "snapshot"),
        (
            "CopyDBParameterGroup",
            "sourceDBParameterGroupIdentifier",
            "targetDBParameterGroupIdentifier",
            "pg",
        ),
        (
            "CopyDBClusterParameterGroup",
            "sourceDBClusterParameterGroupIdentifier",
            "targetDBClusterParameterGroupIdentifier",
            "cluster-pg",
        ),
    ],
)
def test_of_every_copy_the_target_counts_when_the_answer_is_missing(api, source, target, kind):
    assert targets(call(api, {source: "old", target: "new"})) == [f"{HERE}:{kind}:new"]


@pytest.mark.parametrize("service", ["redshift", "elasticache"])
def test_tags_of_a_cluster_of_another_service_are_not_tags_of_rds(service):
    event = call("AddTagsToResource", {"resourceName": f"arn:aws:{service}:eu-west-1:{ACCOUNT}:cluster:x"})
    assert reason(event) == IgnoredReason.OTHER_RESOURCE


def test_the_final_snapshot_of_a_deletion_is_looked_at():
    event = call("DeleteDBInstance", {"dBInstanceIdentifier": "ledger", "finalDBSnapshotIdentifier": "Last"})
    assert targets(event) == [f"{HERE}:db:ledger", f"{HERE}:snapshot:last"]


def test_a_tenant_database_matters_only_for_the_snapshot_that_its_deletion_leaves():
    request = {"dBInstanceIdentifier": "cdb", "tenantDBName": "t1", "skipFinalSnapshot": True}
    assert reason(call("DeleteTenantDatabase", request)) == IgnoredReason.OTHER_RESOURCE
    kept = call("DeleteTenantDatabase", {**request, "finalDBSnapshotIdentifier": "t1-final"})
    assert targets(kept) == [f"{HERE}:snapshot:t1-final"]


def test_a_member_in_another_region_and_the_global_cluster_are_both_looked_at():
    far = "arn:aws:rds:ap-southeast-2:123456789012:cluster:orders-sydney"
    event = call(
        "SwitchoverGlobalCluster",
        {"globalClusterIdentifier": "orders-global", "targetDbClusterIdentifier": far},
    )
    assert targets(event) == [f"arn:aws:rds::{ACCOUNT}:global-cluster:orders-global", far]


def test_a_cluster_that_joins_a_global_cluster_changes_that_too():
    event = call(
        "CreateDBCluster",
        {"dBClusterIdentifier": "orders-dr", "globalClusterIdentifier": "orders-global"},
        {"dBClusterArn": f"{HERE}:cluster:orders-dr", "engine": "aurora-postgresql"},
    )
    assert targets(event) == [
        f"{HERE}:cluster:orders-dr",
        f"arn:aws:rds::{ACCOUNT}:global-cluster:orders-global",
    ]


def test_backups_of_a_deleted_cluster_lead_to_its_immutable_id_when_nothing_else_is_recorded():
    request = {"dbClusterResourceId": "cluster-4XJTUA6VH3YBSNXAQ2MPLOKD7E"}
    (part,) = parse(call("DeleteDBClusterAutomatedBackup", request), received_at=RECEIVED_AT)
    assert part.target == Lookup(
        ResourceType.DB_CLUSTER, ACCOUNT, "eu-west-1", "cluster-4XJTUA6VH3YBSNXAQ2MPLOKD7E"
    )


def test_a_blue_green_deployment_of_an_instance_leads_to_instances():
    answer = {
        "blueGreenDeployment": {"source": f"{HERE}:db:ledger", "target": f"{HERE}:db:ledger-green-a1b2c3"}
    }
    event = call("DeleteBlueGreenDeployment", {"blueGreenDeploymentIdentifier": "bgd-k2l3m4"}, answer)
    assert targets(event) == [f"{HERE}:db:ledger", f"{HERE}:db:ledger-green-a1b2c3"]


def test_one_resource_named_twice_is_one_trigger():
    answer = {
        "blueGreenDeployment": {
            "source": f"{HERE}:db:ledger",
            "switchoverDetails": [{"sourceMember": f"{HERE}:db:ledger", "status": "AVAILABLE"}],
        }
    }
    event = call("SwitchoverBlueGreenDeployment", {"blueGreenDeploymentIdentifier": "bgd-k2l3m4"}, answer)
    assert targets(event) == [f"{HERE}:db:ledger"]


# --- what CloudTrail left out


@pytest.mark.parametrize(
    "left_out",
    [None, {}, {"omitted": True, "originalSize": 104870, "reason": "requestParameters too large"}],
)
def test_parameters_that_cloudtrail_left_out_lead_to_all_of_the_type(left_out):
    (part,) = parse(call("ModifyDBCluster", left_out, left_out), received_at=RECEIVED_AT)
    assert part.target == WholeKind(ResourceType.DB_CLUSTER, ACCOUNT, "eu-west-1")


def test_missing_parameters_are_like_left_out_ones():
    event = call("DeleteDBSnapshot", None)
    del event["detail"]["requestParameters"], event["detail"]["responseElements"]
    (part,) = parse(event, received_at=RECEIVED_AT)
    assert part.target == WholeKind(ResourceType.DB_SNAPSHOT, ACCOUNT, "eu-west-1")


@pytest.mark.parametrize(
    ("api", "resource_type"),
    [
        ("ModifyDBClusterParameterGroup", ResourceType.DB_CLUSTER),
        ("ResetDBParameterGroup", ResourceType.DB_INSTANCE),
    ],
)
def test_a_group_of_nobody_knows_which_name_leads_to_all_that_may_use_it(api, resource_type):
    (part,) = parse(call(api, None), received_at=RECEIVED_AT)
    assert part.target == WholeKind(resource_type, ACCOUNT, "eu-west-1")


def test_tags_of_nobody_knows_what_lead_to_everything_that_is_evaluated():
    parts = parse(call("AddTagsToResource", None), received_at=RECEIVED_AT)
    of_rds = [kind for kind in EVALUATED_KINDS if kind.startswith("AWS::RDS::")]
    assert [part.target.resource_type for part in parts] == of_rds


@pytest.mark.parametrize(
    "api", ["DeregisterDBProxyTargets", "ModifyDBProxyTargetGroup", "DeleteDBProxyEndpoint"]
)
def test_a_proxy_that_is_named_by_its_name_leads_to_all_proxies(api):
    event = call(api, {"dBProxyName": "orders-proxy", "targetGroupName": "default"}, {})
    (part,) = parse(event, received_at=RECEIVED_AT)
    assert part.target == WholeKind(ResourceType.DB_PROXY, ACCOUNT, "eu-west-1")


# --- what is left alone


def test_a_failed_call_is_ignored_although_it_names_a_cluster():
    event = sample("ignored/cloudtrail_failed_call.json")
    assert event["detail"]["requestParameters"]["dBClusterIdentifier"] == "orders-prod"
    assert reason(event) == IgnoredReason.FAILED_CALL


def test_access_denied_with_null_parameters_is_ignored():
    event = sample("ignored/cloudtrail_access_denied.json")
    assert event["detail"]["requestParameters"] is None
    assert event["detail"]["responseElements"] is None
    assert reason(event) == IgnoredReason.FAILED_CALL


@pytest.mark.parametrize("engine", ["neptune", "docdb"])
@pytest.mark.parametrize("where", ["request", "response"])
def test_neptune_and_documentdb_under_the_name_of_rds_are_ignored(engine, where):
    given = {"dBClusterIdentifier": "other"}
    answer = {"dBClusterArn": f"{HERE}:cluster:other"}
    (given if where == "request" else answer)["engine"] = engine
    assert reason(call("CreateDBCluster", given, answer)) == IgnoredReason.OTHER_ENGINE


@pytest.mark.parametrize("family", ["neptune1.4", "docdb5.0"])
def test_parameter_groups_of_neptune_and_documentdb_are_ignored(family):
    given = {"dBClusterParameterGroupName": "other", "dBParameterGroupFamily": family}
    assert reason(call("CreateDBClusterParameterGroup", given)) == IgnoredReason.OTHER_ENGINE


def test_an_engine_of_rds_that_is_not_aurora_is_not_ignored():
    answer = {"dBInstanceArn": f"{HERE}:db:erp", "engine": "oracle-ee"}
    assert targets(call("ModifyDBInstance", {}, answer)) == [f"{HERE}:db:erp"]


@pytest.mark.parametrize("api", ["DescribeDBClusters", "ListTagsForResource", "DownloadDBLogFilePortion"])
def test_a_reading_call_is_ignored_even_by_records_too_old_to_say_that_it_reads(api):
    event = call(api, {})
    del event["detail"]["readOnly"]
    assert reason(event) == IgnoredReason.READ_ONLY


def test_a_call_that_says_that_it_reads_is_believed_when_the_table_does_not_know_it():
    assert reason(call("CheckDBClusterUpgrade", {}, readOnly=True)) == IgnoredReason.READ_ONLY


def test_a_call_of_the_table_is_looked_at_whatever_it_says_of_itself():
    event = call("StopDBCluster", {"dBClusterIdentifier": "orders"}, readOnly=True)
    assert targets(event) == [f"{HERE}:cluster:orders"]


def test_an_api_that_is_newer_than_the_table_is_counted():
    assert reason(call("ModifyDBClusterWeather", {"dBClusterIdentifier": "orders"})) == "unknown_api"


@pytest.mark.parametrize("kind", ["og", "es", "secgrp", "cluster-endpoint", "auto-backup"])
def test_tags_of_what_is_not_ours_are_ignored(kind):
    event = call("RemoveTagsFromResource", {"resourceName": f"{HERE}:{kind}:something"})
    assert reason(event) == IgnoredReason.OTHER_RESOURCE


@pytest.mark.parametrize(
    "service",
    ["ec2", "kms", "secretsmanager", "logs", "cloudtrail", "guardduty", "iam", "backup", "monitoring", "sns"],
)
def test_a_call_that_is_in_no_table_is_ignored_before_anything_of_it_is_read(service):
    event = call("Anything", "not even an object", eventSource=f"{service}.amazonaws.com")
    event["source"] = f"aws.{service}"
    assert reason(event) == IgnoredReason.OTHER_RESOURCE


@pytest.mark.parametrize("service", ["rdsdata", "sqs", "s3", "cloudwatch"])
def test_calls_of_other_services_are_ignored_before_anything_of_them_is_read(service):
    event = call("Anything", "not even an object", eventSource=f"{service}.amazonaws.com")
    event["source"] = f"aws.{service}"
    assert reason(event) == IgnoredReason.OTHER_SERVICE


# --- the cause


def test_a_role_is_the_principal_and_not_its_session():
    found = cause(sample("cloudtrail/ModifyDBCluster_by_warden.json"))
    assert found.principal == "arn:aws:iam::123456789012:role/aurora-warden-remediate"
    assert found.source is Source.CLOUDTRAIL
    assert found.event_name == "ModifyDBCluster"
    assert found.user_agent.endswith("exec-env/AWS_Lambda_python3.13")


def test_a_role_keeps_the_path_that_its_sessions_arn_does_not_have():
    found = cause(sample("cloudtrail/RestoreDBInstanceToPointInTime.json"))
    assert found.principal == "arn:aws:iam::123456789012:role/service-role/AWSBackupDefaultServiceRole"
    assert found.invoked_by == "backup.amazonaws.com"


def test_an_empty_session_issuer_leaves_the_user_as_principal():
    event = sample("cloudtrail/CreateDBCluster.json")
    assert event["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"] == {}
    assert cause(event).principal == "arn:aws:iam::123456789012:user/e.dubois"


IDENTITIES = {
    "Root": ({"type": "Root", "arn": "arn:aws:iam::123456789012:root"}, "arn:aws:iam::123456789012:root"),
    "AWSService": ({"type": "AWSService", "invokedBy": "rds.amazonaws.com"}, "rds.amazonaws.com"),
    "IdentityCenterUser": (
        {
            "type": "IdentityCenterUser",
            "accountId": ACCOUNT,
            "onBehalfOf": {
                "userId": "544894e8-80c1-707f-60e3-3ba6510dfac1",
                "identityStoreArn": f"arn:aws:identitystore::{ACCOUNT}:identitystore/d-9067642ac7",
            },
            "credentialId": "90e292de-5eb8-446e-9602-90f7c45044f7",
        },
        "",
    ),
    "WebIdentityUser": (
        {
            "type": "WebIdentityUser",
            "principalId": "accounts.google.com:app-id:user-id",
            "userName": "user-id",
            "identityProvider": "accounts.google.com",
        },
        "",
    ),
    "a role through web identity": (
        {
            "type": "AssumedRole",
            "arn": "arn:aws:sts::123456789012:assumed-role/Deploy/gha",
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::123456789012:role/ci/Deploy"},
                "webIdFederationData": {
                    "federatedProvider": "arn:aws:iam::123456789012:oidc-provider/token.actions",
                    "attributes": {},
                },
            },
        },
        "arn:aws:iam::123456789012:role/ci/Deploy",
    ),
    "nothing": (None, ""),
}


@pytest.mark.parametrize(("identity", "principal"), IDENTITIES.values(), ids=IDENTITIES)
def test_every_type_of_identity_has_its_principal(identity, principal):
    event = call("StopDBCluster", {"dBClusterIdentifier": "orders"}, userIdentity=identity)
    assert cause(event).principal == principal


def test_the_calls_own_time_and_id_are_kept():
    found = cause(call("StopDBCluster", {"dBClusterIdentifier": "orders"}))
    assert found.at == datetime(2026, 11, 23, 8, 59, 58, tzinfo=UTC)
    assert found.event_id == "c64a3e6c-5d6f-4d37-90d5-0f8d0c1f0d57"


def test_what_a_caller_writes_is_cut_to_one_printable_line():
    agent = "evil\r\nFAKE LOG LINE\x1b[31m" + "x" * 5000
    found = cause(call("StopDBCluster", {"dBClusterIdentifier": "orders"}, userAgent=agent))
    assert len(found.user_agent) == 256
    assert found.user_agent.isprintable()
    assert found.user_agent.startswith("evil  FAKE LOG LINE")


def test_a_password_that_a_call_was_given_is_nowhere():
    secret = "correct-horse-battery-staple"
    event = call("ModifyDBCluster", {"dBClusterIdentifier": "orders", "masterUserPassword": secret})
    assert secret not in repr(parse(event, received_at=RECEIVED_AT))


# --- what is no call


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"eventName": None}, "detail.eventName is missing"),
        ({"eventName": ""}, "detail.eventName is empty"),
        ({"eventName": 7}, "detail.eventName is a number, not a string"),
        ({"eventSource": None}, "detail.eventSource is missing"),
        ({"userIdentity": "root"}, "detail.userIdentity is a string, not an object"),
        ({"eventTime": "yesterday"}, "detail.eventTime is 'yesterday', not an ISO 8601 timestamp"),
        ({"requestParameters": []}, "detail.requestParameters is a list, not an object"),
        ({"recipientAccountId": "12345"}, "the account is '12345', not twelve digits"),
        ({"awsRegion": "Ireland"}, "the Region is 'Ireland', which is no Region's name"),
        (
            {"requestParameters": {"dBClusterIdentifier": {"name": "x"}}},
            "detail.requestParameters.dBClusterIdentifier is an object, not a string",
        ),
        (
            {"requestParameters": {"dBClusterIdentifier": "two words"}},
            "detail.requestParameters.dBClusterIdentifier is 'two words', which is neither an identifier",
        ),
        (
            {"responseElements": {"dBClusterArn": "arn:aws:rds:nowhere:123456789012:cluster:x"}},
            "its Region is no Region's name",
        ),
    ],
)
def test_a_record_of_another_shape_is_refused_and_the_sentence_names_the_place(change, sentence):
    event = copy.deepcopy(call("ModifyDBCluster", {"dBClusterIdentifier": "orders"}))
    event["detail"].update(change)
    with pytest.raises(MalformedEventError) as refusal:
        parse(event, received_at=RECEIVED_AT)
    assert sentence in str(refusal.value)
