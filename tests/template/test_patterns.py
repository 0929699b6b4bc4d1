"""The rules let through what Warden reads, by the samples in events/, and little else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from console.local.bus import Rule
from warden.core.kinds import EVALUATED_KINDS, KINDS
from warden.core.resource import ResourceType
from warden.core.trigger.other_apis import CALLS, SERVICE_EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from console.local.template import LocalTemplate

EVENTS = Path(__file__).resolve().parents[2] / "events"
RULE_OF = {
    "cloudtrail": "CloudTrailRule",
    "network": "NetworkCallsRule",
    "keys_and_secrets": "KeysAndSecretsRule",
    "logs_and_account": "LogsAndAccountRule",
    "backups_and_alarms": "BackupsAndAlarmsRule",
    "rds_event": "RdsEventRule",
    "config": "ConfigRule",
    "security_hub": "SecurityHubRule",
}
# EventBridge's quota, without asking AWS for more.
LONGEST_PATTERN = 2048

NOT_FROM_THE_BUS = {
    "config/custom_rule_invocation.json": "what Config gives the function of a custom rule",
    "config/notification_body.json": "what Config sends to a topic",
    "ignored/config_periodic_rule.json": "what Config gives the function of a periodic rule",
}
TOLD_APART_BY_CODE = {
    "cloudtrail_docdb.json": "the engine is not in every record",
    "cloudtrail_neptune.json": "the engine is not in every record",
    "cloudtrail_option_group.json": "a list of calls would grow with the API",
    "cloudtrail_tags_of_option_group.json": "the resource is within a text",
    "cloudtrail_unknown_api.json": "a call that is newer than Warden must not vanish silently",
    "config_rule_removed.json": "a pattern cannot ask for an object that is not null",
}


def samples(folder: str) -> list[Path]:
    found = sorted((EVENTS / folder).glob("*.json"))
    assert found, f"events/{folder} holds no sample"
    return found


def read(path: Path) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return event


def relative(path: Path) -> str:
    return path.relative_to(EVENTS).as_posix()


def from_the_bus(*folders: str) -> list[Path]:
    return [path for folder in folders for path in samples(folder) if relative(path) not in NOT_FROM_THE_BUS]


DELIVERED = from_the_bus(*RULE_OF)


@pytest.fixture(scope="module")
def rules(stack: LocalTemplate) -> dict[str, Rule]:
    """Every rule, its pattern checked as PutRule would check it."""
    return {rule.logical_id: Rule.of(rule) for rule in stack.of_type("AWS::Events::Rule")}


def matched(rules: dict[str, Rule], event: dict[str, Any]) -> list[str]:
    return [name for name, rule in rules.items() if rule.why_not(event) is None]


def test_there_are_a_few_broad_rules_whatever_the_number_of_controls(rules: dict[str, Rule]) -> None:
    assert set(rules) == set(RULE_OF.values())


@pytest.mark.parametrize("path", DELIVERED, ids=relative)
def test_every_sample_matches_the_rule_of_its_source_and_no_other(rules: dict[str, Rule], path: Path) -> None:
    expected = RULE_OF[path.parent.name]
    event = read(path)
    assert matched(rules, event) == [expected], rules[expected].why_not(event)


@pytest.mark.parametrize("path", DELIVERED, ids=relative)
def test_what_another_account_sends_to_this_bus_matches_nothing(rules: dict[str, Rule], path: Path) -> None:
    assert matched(rules, {**read(path), "account": "999999999999"}) == []


@pytest.mark.parametrize("path", from_the_bus("ignored"), ids=relative)
def test_what_the_parser_ignores_matches_nothing_where_a_pattern_can_tell(
    rules: dict[str, Rule], path: Path
) -> None:
    event = read(path)
    assert bool(matched(rules, event)) is (path.name in TOLD_APART_BY_CODE)


def test_each_exception_is_about_a_sample() -> None:
    assert set(TOLD_APART_BY_CODE) <= {path.name for path in samples("ignored")}
    assert all((EVENTS / name).is_file() for name in NOT_FROM_THE_BUS)
    assert all("detail-type" not in read(EVENTS / name) for name in NOT_FROM_THE_BUS)


def test_our_own_changes_come_back(stack: LocalTemplate, rules: dict[str, Rule]) -> None:
    """No rule leaves out what our role does: that event resolves the finding."""
    event = read(EVENTS / "cloudtrail/ModifyDBCluster_by_warden.json")
    event["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = stack.resources[
        "RemediateRole"
    ].arn
    assert matched(rules, event) == ["CloudTrailRule"]


def test_there_is_a_sample_of_every_kind_of_event_that_a_rule_names(stack: LocalTemplate) -> None:
    for folder, rule in RULE_OF.items():
        pattern = stack.resources[rule].properties["EventPattern"]
        branches = pattern.get("$or", [pattern])
        named = {detail_type for branch in branches for detail_type in branch["detail-type"]}
        assert named == {read(path)["detail-type"] for path in DELIVERED if path.parent.name == folder}


def test_a_call_that_failed_matches_nothing_even_with_an_error_that_nobody_knows(
    rules: dict[str, Rule],
) -> None:
    event = read(EVENTS / "cloudtrail/StopDBCluster.json")
    event["detail"]["errorCode"] = "SomethingNew"
    assert matched(rules, event) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("RecordState", "ARCHIVED"), ("AwsAccountId", "999999999999"), ("ProductArn", "arn:x")],
)
def test_a_security_hub_finding_that_is_not_ours_or_not_open_matches_nothing(
    rules: dict[str, Rule], field: str, value: str
) -> None:
    event = read(EVENTS / "security_hub/imported_rds7_cluster.json")
    event["detail"]["findings"][0][field] = value
    assert matched(rules, event) == []


def test_conditions_on_findings_must_hold_for_one_and_the_same_finding(rules: dict[str, Rule]) -> None:
    event = read(EVENTS / "security_hub/imported_rds7_cluster.json")
    (finding,) = event["detail"]["findings"]
    passed = {**finding, "Compliance": {"Status": "PASSED"}}
    other = {**finding, "Resources": [{"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::logs"}]}
    event["detail"]["findings"] = [passed, other]
    assert matched(rules, event) == []


def test_config_and_security_hub_name_every_type_that_they_know_and_we_evaluate(stack: LocalTemplate) -> None:
    model = botocore.session.get_session().get_service_model("config")
    recorded = {
        kind for kind in map(str, EVALUATED_KINDS) if kind in model.shape_for("ResourceType").metadata["enum"]
    }
    pattern = stack.resources["ConfigRule"].properties["EventPattern"]["detail"]["$or"]
    for branch in pattern:
        named = branch.get("configurationItem") or branch.get("configurationItemSummary") or branch
        # Rules about the account give it as the resource, though nobody records it as an item.
        judged = {str(ResourceType.ACCOUNT)} if named is branch else set()
        assert set(named["resourceType"]) == recorded | judged

    asff = {kind.security_hub for kind in KINDS.values() if kind.security_hub}
    hub = {
        branch["detail-type"][0]: branch["detail"]["findings"]
        for branch in stack.resources["SecurityHubRule"].properties["EventPattern"]["$or"]
    }
    assert set(hub["Security Hub Findings - Imported"]["Resources"]["Type"]) == asff
    assert set(hub["Security Hub Findings - Custom Action"]["Resources"]["Type"]) == asff
    ocsf = {str(kind.resource_type) for kind in KINDS.values() if kind.security_hub}
    assert set(hub["Findings Imported V2"]["resources"]["type"]) == ocsf


def test_no_pattern_is_longer_than_eventbridge_takes(stack: LocalTemplate) -> None:
    for rule in stack.of_type("AWS::Events::Rule"):
        assert len(json.dumps(rule.properties["EventPattern"])) < LONGEST_PATTERN, rule.logical_id


# --- calls of other services


def branches(pattern: Any) -> Iterator[dict[str, Any]]:
    """Each way in which a pattern can match, with `$or` multiplied out."""
    if isinstance(pattern, dict) and "$or" in pattern:
        rest = {key: value for key, value in pattern.items() if key != "$or"}
        for one in pattern["$or"]:
            yield from branches({**rest, **one})
        return
    if isinstance(pattern, dict) and isinstance(pattern.get("detail"), dict) and "$or" in pattern["detail"]:
        for detail in branches(pattern["detail"]):
            yield {**pattern, "detail": detail}
        return
    yield pattern


OTHERS = ("network", "keys_and_secrets", "logs_and_account", "backups_and_alarms")
OTHER_CALLS = [RULE_OF[folder] for folder in OTHERS]


def test_the_rules_name_exactly_the_calls_that_the_parser_looks_at(stack: LocalTemplate) -> None:
    named: dict[str, dict[str, set[str]]] = {}
    for rule in OTHER_CALLS:
        for branch in branches(stack.resources[rule].properties["EventPattern"]):
            (detail_type,), detail = branch["detail-type"], branch["detail"]
            (source,) = detail["eventSource"]
            assert f"aws.{source.removesuffix('.amazonaws.com')}" in branch["source"]
            named.setdefault(detail_type, {}).setdefault(source, set()).update(detail["eventName"])
    assert named == {
        "AWS API Call via CloudTrail": {source: set(calls) for source, calls in CALLS.items()},
        "AWS Service Event via CloudTrail": {source: set(calls) for source, calls in SERVICE_EVENTS.items()},
    }


def test_there_is_a_sample_of_each_of_these_calls() -> None:
    recorded = {
        (read(path)["detail"]["eventSource"], read(path)["detail"]["eventName"])
        for path in from_the_bus(*OTHERS)
    }
    tables = [*CALLS.items(), *SERVICE_EVENTS.items()]
    assert recorded == {(source, name) for source, calls in tables for name in calls}


@pytest.mark.parametrize(
    ("sample", "path", "value"),
    [
        ("keys_and_secrets/CreateGrant.json", "userIdentity.invokedBy", "dynamodb.amazonaws.com"),
        ("keys_and_secrets/CreateGrant.json", "userIdentity.invokedBy", "AWS Internal"),
        ("logs_and_account/PutRetentionPolicy.json", "requestParameters.logGroupName", "/aws/lambda/rds"),
        (
            "logs_and_account/AssociateKmsKey.json",
            "requestParameters.resourceIdentifier",
            "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/checkout",
        ),
        ("logs_and_account/PutAccountPolicy.json", "requestParameters.policyType", "DATA_PROTECTION_POLICY"),
        (
            "logs_and_account/PutRolePolicy.json",
            "requestParameters.policyDocument",
            '{"Action":"s3:GetObject"}',
        ),
        (
            "backups_and_alarms/DeleteRecoveryPoint.json",
            "requestParameters.recoveryPointArn",
            "arn:aws:ec2:eu-west-1::snapshot/snap-05f426fd8kdjb4224",
        ),
        ("backups_and_alarms/PutMetricAlarm.json", "requestParameters.namespace", "AWS/EC2"),
        (
            "backups_and_alarms/DeleteAlarms.json",
            "requestParameters.alarmNames",
            ["TargetTracking-table/orders-AlarmHigh-1", "TargetTracking-table/orders-AlarmLow-1"],
        ),
        ("backups_and_alarms/SetTopicAttributes.json", "requestParameters.attributeName", "DeliveryPolicy"),
        ("network/CreateRoute.json", "errorCode", "Client.DryRunOperation"),
        ("keys_and_secrets/DisableKey.json", "errorCode", "AccessDenied"),
    ],
)
def test_what_is_frequent_and_of_no_interest_does_not_reach_us(
    rules: dict[str, Rule], sample: str, path: str, value: str | list[str]
) -> None:
    event = read(EVENTS / sample)
    *steps, last = path.split(".")
    node = event["detail"]
    for step in steps:
        node = node[step]
    node[last] = value
    assert matched(rules, event) == []
