"""Service events, Config, Security Hub, and which source an event is of."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from warden.core.errors import MalformedEventError
from warden.core.resource import ResourceType
from warden.core.trigger import Ignored, IgnoredReason, Lookup, Source, WholeKind, parse

EVENTS = Path(__file__).resolve().parents[2] / "events"
RECEIVED_AT = datetime(2026, 11, 24, tzinfo=UTC)
ACCOUNT = "123456789012"
HERE = "arn:aws:rds:eu-west-1:123456789012"


def sample(name):
    return json.loads((EVENTS / name).read_text())


def targets(event):
    return [str(part.target) for part in parse(event, received_at=RECEIVED_AT)]


def only(event):
    (part,) = parse(event, received_at=RECEIVED_AT)
    return part


def reason(event):
    part = only(event)
    assert isinstance(part, Ignored)
    return part.reason


def refusal(event):
    with pytest.raises(MalformedEventError) as refused:
        parse(event, received_at=RECEIVED_AT)
    return str(refused.value)


# --- service events of RDS


def test_the_identity_of_a_service_event_is_its_arn_and_never_its_source_identifier():
    event = sample("rds_event/cluster_created_0170.json")
    event["detail"]["SourceIdentifier"] = "rds:something-else"
    assert targets(event) == [f"{HERE}:cluster:orders-prod"]


def test_the_id_of_an_automated_snapshot_keeps_its_colon():
    part = only(sample("rds_event/cluster_snapshot_automated_0169.json"))
    assert part.target.id == "rds:orders-prod-2026-11-23-02-04"


def test_an_event_without_an_id_goes_by_its_kind():
    assert only(sample("rds_event/cluster_created_0170.json")).cause.event_name == "RDS-EVENT-0170"
    cause = only(sample("rds_event/cluster_without_event_id.json")).cause
    assert cause.event_name == "RDS DB Cluster Event"
    assert cause.source is Source.RDS_EVENT


def test_the_date_of_a_service_event_is_finer_than_the_envelopes_and_wins():
    event = sample("rds_event/cluster_created_0170.json")
    assert only(event).cause.at == datetime.fromisoformat(event["detail"]["Date"])


def test_a_rename_names_the_second_cluster_in_prose_alone():
    event = sample("rds_event/cluster_renamed_0172.json")
    assert set(targets(event)) == {f"{HERE}:cluster:orders-clone", f"{HERE}:cluster:orders-staging"}
    event["detail"]["Message"] = "Renamed cluster."
    assert targets(event) == [f"{HERE}:cluster:orders-staging"]


def test_prose_of_another_event_names_nothing():
    event = sample("rds_event/cluster_created_0170.json")
    event["detail"]["Message"] = "Restored from orders-old to orders-prod"
    assert targets(event) == [f"{HERE}:cluster:orders-prod"]


def test_an_arn_with_a_proxys_name_is_no_reference():
    part = only(sample("rds_event/proxy_by_name_0203.json"))
    assert part.target == WholeKind(ResourceType.DB_PROXY, ACCOUNT, "eu-west-1")


def test_an_event_of_a_known_kind_about_an_unknown_resource_is_ignored():
    event = sample("rds_event/cluster_created_0170.json")
    event["detail"]["SourceArn"] = f"{HERE}:limitless:orders"
    assert reason(event) == IgnoredReason.OTHER_RESOURCE


# --- Config


def test_the_arn_of_an_item_wins_over_its_names():
    event = sample("config/item_change_dbcluster.json")
    event["detail"]["configurationItem"]["resourceName"] = "another"
    assert targets(event) == [f"{HERE}:cluster:orders-prod"]


def test_a_deleted_item_has_no_configuration_and_is_looked_at():
    event = sample("config/item_deleted_dbcluster.json")
    assert event["detail"]["configurationItem"]["configuration"] is None
    assert targets(event) == [f"{HERE}:cluster:orders-restored"]


@pytest.mark.parametrize("kind", ["DBSnapshot", "DBClusterSnapshot"])
def test_a_snapshot_is_judged_by_its_name(kind):
    event = sample("config/compliance_change_dbclustersnapshot.json")
    event["detail"].update(resourceType=f"AWS::RDS::{kind}", resourceId="rds:orders-2026-11-23-02-04")
    assert only(event).target.id == "rds:orders-2026-11-23-02-04"


def test_an_instance_that_a_custom_rule_names_by_its_name_is_a_reference():
    event = sample("config/compliance_change_dbinstance_compliant.json")
    event["detail"]["resourceId"] = "orders-prod-1"
    assert targets(event) == [f"{HERE}:db:orders-prod-1"]


@pytest.mark.parametrize("judgement", ["COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE"])
def test_whatever_a_rule_says_is_looked_at(judgement):
    event = sample("config/compliance_change_dbcluster.json")
    event["detail"]["newEvaluationResult"]["complianceType"] = judgement
    assert isinstance(only(event).target, Lookup)


def test_a_notification_without_an_envelope_has_its_own_time():
    body = sample("config/notification_body.json")
    assert only(body).cause.at == datetime.fromisoformat(body["notificationCreationTime"])
    del body["notificationCreationTime"]
    assert only(body).cause.at == RECEIVED_AT


@pytest.mark.parametrize("kind", ["DBSecurityGroup", "EventSubscription", "OptionGroup"])
def test_items_of_other_types_of_rds_are_ignored(kind):
    event = sample("config/item_change_dbcluster.json")
    event["detail"]["configurationItem"]["resourceType"] = f"AWS::RDS::{kind}"
    assert reason(event) == IgnoredReason.OTHER_RESOURCE


def test_json_within_json_that_is_no_object_is_refused():
    event = sample("config/custom_rule_invocation.json")
    assert refusal(event | {"invokingEvent": "[]"}) == "invokingEvent is a list, not an object"
    assert refusal(event | {"invokingEvent": "[" * 100_000}) == "invokingEvent is not JSON"


# --- Security Hub


def finding(name="security_hub/imported_rds7_cluster.json", **changes):
    event = sample(name)
    event["detail"]["findings"][0].update(changes)
    return event


@pytest.mark.parametrize(
    "changes",
    [
        {"Compliance": {"Status": "PASSED", "SecurityControlId": "RDS.7"}},
        {"Compliance": {"Status": "WARNING", "SecurityControlId": "RDS.7"}},
        {"Compliance": None},
        {"Workflow": {"Status": "SUPPRESSED"}},
        {"Workflow": {"Status": "RESOLVED"}},
        {"Workflow": {}},
        {"RecordState": "ARCHIVED"},
    ],
)
def test_a_finding_that_is_not_open_is_ignored(changes):
    assert reason(finding(**changes)) == IgnoredReason.FINDING_NOT_OPEN


@pytest.mark.parametrize(
    "product", ["aws/guardduty", "aws/config", "123456789012/default", "prowler/prowler"]
)
def test_a_finding_of_another_product_is_ignored(product):
    event = finding(ProductArn=f"arn:aws:securityhub:eu-west-1::product/{product}")
    assert reason(event) == IgnoredReason.OTHER_PRODUCT


def test_a_custom_action_is_a_persons_wish_whatever_the_findings_state_and_product():
    event = sample("security_hub/custom_action.json")
    event["detail"]["findings"][0].update(
        ProductArn="arn:aws:securityhub:eu-west-1::product/prowler/prowler", RecordState="ARCHIVED"
    )
    assert targets(event) == [f"{HERE}:cluster:orders-prod"]


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        (
            f"{HERE}:dbinstance:db-WMDXDSGF3AMIMZHKBUTOTGXBOM",
            (ResourceType.DB_INSTANCE, "db-WMDXDSGF3AMIMZHKBUTOTGXBOM"),
        ),
        (
            f"{HERE}:db:db-WMDXDSGF3AMIMZHKBUTOTGXBOM",
            (ResourceType.DB_INSTANCE, "db-WMDXDSGF3AMIMZHKBUTOTGXBOM"),
        ),
        (
            f"{HERE}:dbcluster:cluster-OXLVXLNGPLQPGVOBEFU4C4OPFA",
            (ResourceType.DB_CLUSTER, "cluster-OXLVXLNGPLQPGVOBEFU4C4OPFA"),
        ),
        (
            f"{HERE}:cluster:cluster-OXLVXLNGPLQPGVOBEFU4C4OPFA",
            (ResourceType.DB_CLUSTER, "cluster-OXLVXLNGPLQPGVOBEFU4C4OPFA"),
        ),
    ],
)
def test_an_arn_that_ends_with_an_immutable_id_needs_a_lookup(identifier, expected):
    event = finding(Resources=[{"Type": "AwsRdsDbInstance", "Id": identifier}])
    assert only(event).target == Lookup(expected[0], ACCOUNT, "eu-west-1", expected[1])


@pytest.mark.parametrize("service", ["redshift", "elasticache", "docdb-elastic"])
def test_a_cluster_of_another_service_is_no_cluster_of_rds(service):
    arn = f"arn:aws:{service}:eu-west-1:123456789012:cluster:orders"
    event = finding(Resources=[{"Type": "AwsRdsDbCluster", "Id": arn}])
    assert reason(event) == IgnoredReason.OTHER_RESOURCE


@pytest.mark.parametrize("name", ["cluster-prod", "db-orders", "db-0123456789abcdef0123456789"])
def test_a_name_that_begins_like_an_immutable_id_is_a_name(name):
    event = finding(Resources=[{"Type": "AwsRdsDbCluster", "Id": f"{HERE}:cluster:{name}"}])
    assert targets(event) == [f"{HERE}:cluster:{name}"]


@pytest.mark.parametrize("identifier", ["AWS::::Account:123456789012", "i-0c8d1f6b2a97e4350"])
def test_a_resource_that_is_no_arn_and_no_database_is_ignored(identifier):
    event = finding(Resources=[{"Type": "Other", "Id": identifier}])
    assert reason(event) == IgnoredReason.OTHER_RESOURCE


def test_several_resources_of_one_finding_are_several_triggers():
    """The row `the-second-resource` of docs/explanation/peers.md."""
    resources = [
        {"Type": "AwsRdsDbCluster", "Id": f"{HERE}:cluster:orders"},
        {"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::orders-logs"},
        {"Type": "AwsRdsDbInstance", "Id": f"{HERE}:db:orders-1"},
    ]
    assert targets(finding(Resources=resources)) == [f"{HERE}:cluster:orders", f"{HERE}:db:orders-1"]


@pytest.mark.parametrize(
    ("kind", "arn"),
    [
        ("AwsEc2SecurityGroup", "arn:aws:ec2:eu-west-1:123456789012:security-group/sg-8ccba202487d261e1"),
        ("AwsKmsKey", "arn:aws:kms:eu-west-1:123456789012:key/0d1c"),
        ("AwsSecretsManagerSecret", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-Qm4ZtX"),
    ],
)
def test_a_finding_about_something_that_databases_use_leads_to_it(kind, arn):
    assert targets(finding(Resources=[{"Type": kind, "Id": arn}])) == [arn]


@pytest.mark.parametrize(
    ("kind", "identifier", "arn"),
    [
        ("AWS::EC2::SecurityGroup", "sg-8ccba202487d261e1", "ec2:{here}:security-group/sg-8ccba202487d261e1"),
        (
            "AWS::KMS::Key",
            "mrk-5f0c8d7e1b3a49628d4c7e6f9a0b1c2d",
            "kms:{here}:key/mrk-5f0c8d7e1b3a49628d4c7e6f9a0b1c2d",
        ),
        (
            "AWS::Logs::LogGroup",
            "/aws/rds/cluster/orders/audit",
            "logs:{here}:log-group:/aws/rds/cluster/orders/audit",
        ),
        ("AWS::::Account", "123456789012", "iam::123456789012:root"),
    ],
)
def test_what_config_names_by_its_id_gets_the_arn_of_its_service(kind, identifier, arn):
    event = sample("config/item_change_dbcluster.json")
    event["detail"]["configurationItem"] |= {"resourceType": kind, "resourceId": identifier, "ARN": None}
    assert targets(event) == ["arn:aws:" + arn.format(here="eu-west-1:123456789012")]


def test_two_findings_about_one_resource_are_one_look():
    event = sample("security_hub/imported_rds7_cluster.json")
    second = copy.deepcopy(event["detail"]["findings"][0]) | {"Id": "another"}
    event["detail"]["findings"].append(second)
    assert targets(event) == [f"{HERE}:cluster:orders-prod"]


def test_a_finding_of_another_region_looks_there():
    event = sample("security_hub/v2_rds7_name.json")
    event["detail"]["findings"][0]["resources"][0]["region"] = "eu-central-1"
    assert targets(event) == ["arn:aws:rds:eu-central-1:123456789012:cluster:orders-prod"]


def test_the_control_of_a_finding_is_the_events_name():
    assert only(sample("security_hub/imported_rds7_cluster.json")).cause.event_name == "RDS.7"
    assert only(sample("security_hub/imported_rds6_resource_id.json")).cause.event_name == "RDS.6"
    assert only(sample("security_hub/v2_rds7_uid.json")).cause.event_name == "RDS.7"
    older = finding(
        Compliance={"Status": "FAILED"}, ProductFields={"ControlId": "RDS.7"}, GeneratorId="aws-fsbp/1"
    )
    assert only(older).cause.event_name == "RDS.7"
    bare = finding(Compliance={"Status": "FAILED"}, ProductFields={}, GeneratorId="security-control/RDS.7")
    assert only(bare).cause.event_name == "RDS.7"


def test_findings_that_are_none_say_so():
    event = sample("security_hub/imported_rds7_cluster.json")
    event["detail"]["findings"] = []
    assert reason(event) == IgnoredReason.NO_RESOURCE
    assert reason(finding(Resources=[])) == IgnoredReason.NO_RESOURCE


@pytest.mark.parametrize(
    "changes",
    [
        {"status_id": 3, "status": "Suppressed"},
        {"status_id": 4, "status": "Resolved"},
        {"compliance": {"status": "Pass", "status_id": 1}},
        {"compliance": {}},
    ],
)
def test_an_ocsf_finding_that_is_not_open_is_ignored(changes):
    assert reason(finding("security_hub/v2_rds7_uid.json", **changes)) == IgnoredReason.FINDING_NOT_OPEN


def test_an_ocsf_finding_of_another_class_or_product_is_ignored():
    name = "security_hub/v2_rds7_uid.json"
    assert reason(finding(name, class_uid=2004)) == IgnoredReason.OTHER_PRODUCT
    prowler = {"product": {"uid": "arn:aws:securityhub:eu-west-1::productv2/prowler/prowler"}}
    assert reason(finding(name, metadata=prowler)) == IgnoredReason.OTHER_PRODUCT


def test_an_alternative_id_that_is_no_arn_does_not_hide_the_arn():
    event = sample("security_hub/v2_rds7_uid.json")
    event["detail"]["findings"][0]["resources"][0]["uid_alt"] = "orders"
    assert targets(event) == [f"{HERE}:cluster:orders-prod"]


def test_an_ocsf_finding_that_gives_its_state_in_words_alone_is_understood():
    event = finding("security_hub/v2_rds7_uid.json", status="New", compliance={"status": "Fail"})
    del event["detail"]["findings"][0]["status_id"]
    assert targets(event) == [f"{HERE}:cluster:orders-prod"]


def test_insights_are_no_findings():
    event = sample("security_hub/imported_rds7_cluster.json")
    event["detail-type"] = "Security Hub Insight Results"
    assert reason(event) == IgnoredReason.UNKNOWN_DETAIL_TYPE


# --- which source it is


@pytest.mark.parametrize("junk", [None, 7, 1.5, True, "orders-prod", [], [{}]])
def test_what_is_no_object_is_refused(junk):
    assert refusal(junk).endswith("not an object")


def test_an_empty_object_is_refused():
    assert refusal({}) == "the event has neither EventBridge's `detail-type` nor `resource` with an ARN"


@pytest.mark.parametrize("key", ["source", "detail", "detail-type"])
def test_an_envelope_that_lacks_a_part_says_which(key):
    event = sample("rds_event/cluster_created_0170.json")
    del event[key]
    assert f"{key}" in refusal(event)
    assert "is missing" in refusal(event)


def test_an_event_without_a_time_is_as_old_as_its_arrival():
    event = sample("rds_event/cluster_created_0170.json")
    del event["time"], event["detail"]["Date"]
    assert only(event).cause.at == RECEIVED_AT


def test_a_time_with_an_offset_is_kept_in_utc():
    event = sample("rds_event/cluster_created_0170.json")
    event["detail"]["Date"] = "2026-11-23T10:00:00+02:00"
    assert only(event).cause.at == datetime(2026, 11, 23, 8, tzinfo=UTC)
    event["detail"]["Date"] = "0001-01-01T00:00:00+14:00"
    assert "not an ISO 8601 timestamp" in refusal(event)


def test_a_custom_event_dressed_as_a_service_event_is_ignored():
    event = sample("rds_event/cluster_created_0170.json")
    event["source"] = "com.example.drill"
    assert reason(event) == IgnoredReason.CUSTOM_EVENT


@pytest.mark.parametrize("source", ["aws.events", "aws.scheduler"])
@pytest.mark.parametrize("detail", [{}, "{}", None])
def test_a_clocks_tick_is_ignored_whatever_its_detail(source, detail):
    event = sample("ignored/eventbridge_schedule.json") | {"source": source, "detail": detail}
    assert reason(event) == IgnoredReason.SCHEDULED
