"""Calls of other services than RDS: what each leads to, and the table against AWS's own models."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path

import botocore.session
import pytest

from warden.core.errors import MalformedEventError
from warden.core.kinds import EVALUATED_KINDS, SHARED_KINDS
from warden.core.resource import ResourceType
from warden.core.trigger import Ignored, IgnoredReason, WholeKind, parse
from warden.core.trigger.other_apis import CALLS, SERVICE_EVENTS
from warden.core.trigger.rds_api import READ_ONLY_PREFIXES

EVENTS = Path(__file__).resolve().parents[2] / "events"
RECEIVED_AT = datetime(2026, 11, 24, tzinfo=UTC)
SESSION = botocore.session.get_session()
KEY = "arn:aws:kms:eu-west-1:123456789012:key/08f2c429-52e2-40a0-aefd-ce41ce4ef563"
LISTED = [(source, name) for source, calls in CALLS.items() for name in calls]


def model(source):
    service = source.removesuffix(".amazonaws.com")
    return SESSION.get_service_model({"monitoring": "cloudwatch"}.get(service, service))


def sample(name):
    return json.loads((EVENTS / name).read_text())


def targets(event):
    return [str(part.target) for part in parse(event, received_at=RECEIVED_AT)]


def without_answer(event):
    event["detail"]["responseElements"] = None
    return event


@pytest.mark.parametrize(("source", "name"), LISTED)
def test_a_call_of_the_table_is_one_of_the_service_and_changes_something(source, name):
    assert name in model(source).operation_names
    assert not name.startswith(READ_ONLY_PREFIXES)


def cased(shape):
    """CloudTrail's names: EC2's are those of its XML; lists are `items` there."""
    named = {member.serialization.get("name") or name: member for name, member in shape.members.items()}
    return {name[0].lower() + name[1:]: member for name, member in named.items()}


@pytest.mark.parametrize(("source", "name"), LISTED)
def test_a_path_of_the_table_leads_to_a_string_of_the_model(source, name):
    operation = model(source).operation_model(name)
    for place in CALLS[source][name]:
        found = [path for path in place.paths if leads_to_a_string(operation, path)]
        # Each call has the place in one of several forms; `resources` is CloudTrail's own.
        assert found or place.paths in {(), ()} or place.paths[0].startswith("record.")


def leads_to_a_string(operation, path):
    root, *steps = path.split(".")
    shape = {"in": operation.input_shape, "out": operation.output_shape}.get(root)
    for step in steps:
        step, is_list, wanted = step.partition("[")  # noqa: PLW2901 - without what follows the name
        if shape is not None and shape.type_name == "list":
            assert (step, wanted) == ("items", "]")
            shape = shape.member
        elif shape is not None and step == f"{operation.name}Request":
            # Newer operations of EC2 keep the capitals of the API.
            (member,) = steps[1:]
            return shape.members[member].type_name == "string"
        else:
            shape = None if shape is None else cased(shape).get(step)
            if is_list and shape is not None and shape.type_name == "list" and "items[]" not in path:
                shape = shape.member
                named = wanted.rstrip("]").partition("=")[0]
                assert not named or named in cased(shape)
    return shape is not None and shape.type_name == "string"


def test_what_is_named_is_judged_or_leads_to_what_is():
    kinds = {place.resource_type for calls in CALLS.values() for places in calls.values() for place in places}
    assert kinds <= {*EVALUATED_KINDS, *SHARED_KINDS}
    for calls in CALLS.values():
        for places in calls.values():
            for place in places:
                assert set(place.instead or (place.resource_type,)) <= set(EVALUATED_KINDS)


# --- one service after the other


def test_rules_of_a_group_are_named_by_the_answer_where_the_request_has_a_name_only():
    event = sample("network/AuthorizeSecurityGroupIngress_by_name.json")
    assert "groupId" not in event["detail"]["requestParameters"]
    assert targets(event) == ["arn:aws:ec2:eu-west-1:123456789012:security-group/sg-8ccba202487d261e1"]
    (part,) = parse(without_answer(event), received_at=RECEIVED_AT)
    assert part.target == WholeKind(ResourceType.SECURITY_GROUP, "123456789012", "eu-west-1")


def test_empty_collections_of_ec2_are_objects_and_no_trouble():
    event = sample("network/RevokeSecurityGroupIngress_by_warden.json")
    event["detail"]["responseElements"]["revokedSecurityGroupRuleSet"] = {}
    event["detail"]["requestParameters"] = {"groupName": "default", "ipPermissions": {}}
    assert targets(event) == [str(WholeKind(ResourceType.SECURITY_GROUP, "123456789012", "eu-west-1"))]


def test_a_key_is_named_by_cloudtrail_whatever_the_request_calls_it():
    event = sample("keys_and_secrets/ScheduleKeyDeletion.json")
    event["detail"]["requestParameters"]["keyId"] = "alias/databases"
    assert targets(event) == [KEY]
    del event["detail"]["resources"]
    assert targets(event) == [KEY], "the answer has the ARN"
    event["detail"]["requestParameters"]["keyId"] = KEY.rpartition("/")[2]
    assert targets(without_answer(event)) == [KEY]


def test_a_key_of_another_account_keeps_its_account():
    event = sample("keys_and_secrets/CreateGrant.json")
    foreign = KEY.replace("123456789012", "444455556666")
    event["detail"]["resources"][0]["ARN"] = foreign
    assert targets(event) == [foreign]


@pytest.mark.parametrize("spelling", ["arn", "aRN"])
def test_both_spellings_of_a_secrets_arn_are_read(spelling):
    event = sample("keys_and_secrets/UpdateSecret.json")
    arn = event["detail"]["responseElements"].pop("arn")
    event["detail"]["responseElements"][spelling] = arn
    assert targets(event) == [arn]


@pytest.mark.parametrize(
    "where",
    [
        ("additionalEventData", "SecretId"),
        ("additionalEventData", "ARN"),
        ("serviceEventDetails", "secretId"),
    ],
)
def test_a_rotation_that_secrets_manager_made_itself_names_its_secret(where):
    event = sample("keys_and_secrets/RotationFailed.json")
    arn = event["detail"].pop("additionalEventData")["SecretId"]
    event["detail"][where[0]] = {where[1]: arn}
    (part,) = parse(event, received_at=RECEIVED_AT)
    assert str(part.target) == arn
    assert part.cause.principal == "secretsmanager.amazonaws.com"


def test_a_rotation_that_says_that_it_failed_is_no_refused_call():
    event = sample("keys_and_secrets/RotationFailed.json")
    event["detail"]["errorCode"] = "RotationFailed"
    assert len(targets(event)) == 1


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        ("/aws/rds/cluster/orders/audit", True),
        ("/aws/rds/instance/ledger/postgresql", True),
        ("/aws/rds/proxy/orders", False),
        ("/aws/lambda/rds", False),
    ],
)
def test_a_log_group_counts_where_it_holds_the_log_of_a_database(name, is_ours):
    event = sample("logs_and_account/PutRetentionPolicy.json")
    event["detail"]["requestParameters"]["logGroupName"] = name
    (part,) = parse(event, received_at=RECEIVED_AT)
    if is_ours:
        assert str(part.target) == f"arn:aws:logs:eu-west-1:123456789012:log-group:{name}"
    else:
        assert isinstance(part, Ignored)
        assert part.reason is IgnoredReason.OTHER_RESOURCE


def test_the_account_is_the_same_whatever_the_region_of_the_call():
    event = sample("logs_and_account/CreatePolicyVersion.json")
    assert event["region"] == "us-east-1"
    assert targets(event) == targets(sample("logs_and_account/StopLogging.json"))


def test_the_account_of_another_partition_has_the_arn_of_that_partition():
    event = sample("logs_and_account/StopLogging.json")
    event["detail"]["awsRegion"] = "cn-north-1"
    assert targets(event) == ["arn:aws-cn:iam::123456789012:root"]


@pytest.mark.parametrize(
    ("source", "name"), [("network/CreateRoute", "rtb"), ("network/DeleteNetworkAclEntry", "acl")]
)
def test_an_id_that_is_none_is_refused(source, name):
    event = copy.deepcopy(sample(f"{source}.json"))
    request = event["detail"]["requestParameters"]
    key = next(key for key in request if str(request[key]).startswith(name))
    request[key] = "../../elsewhere"
    with pytest.raises(MalformedEventError, match="neither an identifier of the type AWS::EC2::"):
        parse(event, received_at=RECEIVED_AT)


def test_service_events_that_are_in_no_table_are_ignored():
    assert "EndSecretVersionDelete" not in SERVICE_EVENTS["secretsmanager.amazonaws.com"]
    (part,) = parse(sample("ignored/cloudtrail_secret_version_deleted.json"), received_at=RECEIVED_AT)
    assert part.reason is IgnoredReason.OTHER_SERVICE


def test_what_a_call_gives_a_database_is_looked_at_as_well():
    event = sample("cloudtrail/ModifyDBCluster_deletion_protection_off.json")
    event["detail"]["requestParameters"]["vpcSecurityGroupIds"] = ["sg-0a1b2c3d", "sg-4e5f6a7b"]
    assert [target.rpartition("/")[2] for target in targets(event)[1:]] == ["sg-0a1b2c3d", "sg-4e5f6a7b"]
    event["detail"]["requestParameters"]["vpcSecurityGroupIds"] = [{"items": []}]
    with pytest.raises(MalformedEventError, match=r"vpcSecurityGroupIds\[0\] is an object, not a string"):
        parse(event, received_at=RECEIVED_AT)
