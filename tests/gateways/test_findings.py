from __future__ import annotations

import json
import string
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes import NOW, MemoryFindings
from warden.core.control import ComplianceType
from warden.core.errors import ConflictError, RejectedError
from warden.core.finding import Finding, WorkflowStatus
from warden.core.ledger import redacted
from warden.core.resource import Facts
from warden.gateways.findings import DynamoFindings, fitting, to_row
from warden.gateways.items import encode

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from fakes.tables import Tables
    from warden.pipeline.ports import Findings

KEY = "123456789012/eu-west-1/AWS::RDS::DBCluster/cluster-ABC"
ARN = "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
LARGEST_ITEM = 400 * 1024


def finding(**changes: Any) -> Finding:
    base = Finding(
        resource_key=KEY,
        control="cluster_tls_enforced",
        arn=ARN,
        resource_type="AWS::RDS::DBCluster",
        severity="HIGH",
        title="TLS is enforced",
        workflow=WorkflowStatus.NEW,
        compliance=ComplianceType.NON_COMPLIANT,
        annotation="orders takes connections without TLS.",
        evidence={"Engine": "aurora-postgresql", "Parameters": {"rds.force_ssl": {"ParameterValue": "0"}}},
        first_observed=NOW,
        last_observed=NOW,
    )
    return replace(base, **changes)


@pytest.fixture(params=["dynamodb", "memory"])
def findings(request: pytest.FixtureRequest) -> Findings:
    if request.param == "memory":
        return MemoryFindings()
    tables: Tables = request.getfixturevalue("tables")
    return DynamoFindings(request.getfixturevalue("dynamodb"), tables.findings)


@pytest.fixture
def dynamo_findings(dynamodb: DynamoDBClient, tables: Tables) -> DynamoFindings:
    return DynamoFindings(dynamodb, tables.findings)


# --- what every store of findings does --------------------------------------------------------------------


def test_what_was_put_is_what_is_got(findings: Findings) -> None:
    kept = findings.put(finding())
    assert kept == replace(finding(), revision=1)
    assert findings.get(KEY, "cluster_tls_enforced") == kept


def test_what_is_not_there_is_none_and_empty(findings: Findings) -> None:
    assert findings.get(KEY, "cluster_tls_enforced") is None
    assert findings.of_resource(KEY) == {}
    assert findings.of_arn(ARN) == []
    assert list(findings.all()) == []


def test_findings_of_a_resource_come_by_control_and_no_others(findings: Findings) -> None:
    one = findings.put(finding())
    two = findings.put(finding(control="cluster_storage_encrypted"))
    findings.put(finding(resource_key=f"{KEY}-other"))
    assert findings.of_resource(KEY) == {one.control: one, two.control: two}


def test_findings_are_found_by_the_arn_that_they_were_last_seen_under(findings: Findings) -> None:
    first = findings.put(finding())
    moved = findings.put(replace(first, arn=f"{ARN}-renamed"))
    successor = findings.put(finding(resource_key=f"{KEY}-successor"))
    assert findings.of_arn(f"{ARN}-renamed") == [moved]
    assert findings.of_arn(ARN) == [successor]


def test_a_writer_that_read_an_older_revision_loses(findings: Findings) -> None:
    read = findings.put(finding())
    winner = findings.put(replace(read, annotation="first"))
    with pytest.raises(ConflictError, match="since revision 1"):
        findings.put(replace(read, annotation="second"))
    assert findings.get(KEY, read.control) == winner


def test_of_two_writers_that_saw_nothing_one_loses(findings: Findings) -> None:
    winner = findings.put(finding())
    with pytest.raises(ConflictError):
        findings.put(finding(annotation="second"))
    assert findings.get(KEY, winner.control) == winner


def test_a_revision_of_a_row_that_is_gone_cannot_be_written(findings: Findings) -> None:
    with pytest.raises(ConflictError):
        findings.put(finding(revision=3))
    assert findings.of_resource(KEY) == {}


def test_values_that_are_not_json_become_what_json_has(findings: Findings) -> None:
    parameters = Facts({"rds.force_ssl": "0", "unread": "1"})
    _ = parameters["rds.force_ssl"]
    kept = findings.put(finding(evidence={"Parameters": parameters, "Since": NOW, "Roles": {"b", "a"}}))
    assert kept.evidence == {
        "Parameters": {"rds.force_ssl": "0"},
        "Since": NOW.isoformat(),
        "Roles": ["a", "b"],
    }
    assert findings.get(KEY, kept.control) == kept


def test_secrets_do_not_enter_the_table(findings: Findings) -> None:
    kept = findings.put(finding(evidence={"PendingModifiedValues": {"MasterUserPassword": "hunter2"}}))
    assert kept.evidence == {"PendingModifiedValues": {"MasterUserPassword": "(redacted)"}}


@pytest.mark.parametrize("field", ["evidence", "cause"])
def test_a_finding_above_the_size_of_an_item_is_kept_without_what_is_large(
    findings: Findings, field: str
) -> None:
    large = {"Engine": "aurora-mysql", "Members": ["ü" * 1000] * 200, "Port": 3306}
    kept = findings.put(finding(**{field: large, "manual": "Ask the owner."}))
    cut = getattr(kept, field)
    assert (cut["Engine"], cut["Port"]) == ("aurora-mysql", 3306)
    assert set(cut["Members"]) == {"left_out"}
    assert kept.manual == "Ask the owner."
    assert findings.get(KEY, kept.control) == kept
    assert findings.put(replace(kept, annotation="changed")).revision == 2


# --- what DynamoDB adds -----------------------------------------------------------------------------------


def item_size(item: dict[str, Any]) -> int:
    """As DynamoDB counts: UTF-8 bytes of names and of values."""
    return sum(len(name) + sum(len(str(v).encode()) for v in value.values()) for name, value in item.items())


@pytest.mark.parametrize(
    "changes",
    [
        {"evidence": {"Members": "x" * 500_000}},
        {"evidence": {f"key-{number}": "x" * 40 for number in range(20_000)}},
        {"plan": ({"operation": "ModifyDBCluster", "parameters": {"Tags": ["x" * 1000] * 1000}},)},
        {"plan": ({"operation": "CopyDBSnapshot", "parameters": {"KmsKeyId": "x" * 500}},) * 2000},
        {"manual": "é" * 300_000},
        {"annotation": "x" * 1_000_000},
        {
            "evidence": {"a": "x" * 400_000},
            "cause": {"b": "x" * 400_000},
            "manual": "x" * 400_000,
            "annotation": "\N{SNOWMAN}" * 400_000,
        },
    ],
    ids=["value", "keys", "plan", "plans", "manual", "annotation", "everything"],
)
def test_no_finding_is_too_large_for_an_item(
    dynamodb: DynamoDBClient, tables: Tables, dynamo_findings: DynamoFindings, changes: dict[str, Any]
) -> None:
    # The longest keys that DynamoDB takes.
    longest = {"resource_key": "k" * 2048, "control": "c" * 1024, "arn": "a" * 2048}
    kept = dynamo_findings.put(finding(**longest, **changes))
    item = dynamodb.scan(TableName=tables.findings)["Items"][0]
    assert item_size(item) <= LARGEST_ITEM
    assert dynamo_findings.get(kept.resource_key, kept.control) == kept


def test_no_size_slips_through_between_what_fits_and_what_is_cut() -> None:
    longest = {"resource_key": "k" * 2048, "control": "c" * 1024, "arn": "a" * 2048}
    whole = []
    for length in range(385_000, 411_000, 500):
        kept = fitting(finding(**longest, evidence={"Members": "x" * length}))
        assert item_size(encode(to_row(kept))) <= LARGEST_ITEM
        whole.append(kept.evidence["Members"] == "x" * length)
    assert whole[0]
    assert not whole[-1]


def test_a_finding_just_within_the_size_is_kept_whole() -> None:
    large = finding(evidence={"Members": "x" * 380_000})
    assert fitting(large) == large


def test_a_cut_plan_keeps_the_shape_of_its_calls() -> None:
    call = {
        "operation": "ModifyDBCluster",
        "parameters": {"DBClusterIdentifier": "orders", "Tags": "x" * 500_000},
    }
    (kept,) = fitting(finding(plan=(call,))).plan
    assert kept["operation"] == "ModifyDBCluster"
    assert kept["parameters"]["DBClusterIdentifier"] == "orders"
    assert "left_out" in kept["parameters"]["Tags"]


def test_queries_and_scans_read_every_page(dynamo_findings: DynamoFindings) -> None:
    # DynamoDB answers with at most a megabyte at once.
    for number in range(5):
        dynamo_findings.put(finding(control=f"control_{number}", evidence={"large": "x" * 300_000}))
    controls = {f"control_{number}" for number in range(5)}
    assert set(dynamo_findings.of_resource(KEY)) == controls
    assert {kept.control for kept in dynamo_findings.of_arn(ARN)} == controls
    assert {kept.control for kept in dynamo_findings.all()} == controls


def test_pages_are_read_when_they_are_needed(
    dynamodb: DynamoDBClient, dynamo_findings: DynamoFindings
) -> None:
    for number in range(5):
        dynamo_findings.put(finding(control=f"control_{number}", evidence={"large": "x" * 300_000}))
    scans: list[str] = []
    dynamodb.meta.events.register("before-call.dynamodb.Scan", lambda **_: scans.append("scan"), "count")
    try:
        rows = dynamo_findings.all()
        next(rows)
        assert len(scans) == 1
        list(rows)
        assert len(scans) > 1
    finally:
        dynamodb.meta.events.unregister("before-call.dynamodb.Scan", unique_id="count")


def test_counts_can_be_taken_from_attributes_of_their_own(
    dynamodb: DynamoDBClient, tables: Tables, dynamo_findings: DynamoFindings
) -> None:
    dynamo_findings.put(finding())
    item = dynamodb.scan(TableName=tables.findings)["Items"][0]
    shown = {name: item[name]["S"] for name in ("arn", "workflow", "compliance", "severity", "last_observed")}
    assert shown == {
        "arn": ARN,
        "workflow": "NEW",
        "compliance": "NON_COMPLIANT",
        "severity": "HIGH",
        "last_observed": "2026-11-24T10:00:00+00:00",
    }


def test_a_row_of_an_earlier_version_is_read_with_defaults(
    dynamodb: DynamoDBClient, tables: Tables, dynamo_findings: DynamoFindings
) -> None:
    dynamo_findings.put(finding())
    item = dynamodb.scan(TableName=tables.findings)["Items"][0]
    body = json.loads(item["body"]["S"])
    for later in ("attempts", "decision", "plan", "manual", "cause", "resolved_at"):
        del body[later]
    item["body"] = {"S": json.dumps(body)}
    item["later"] = {"NULL": True}
    dynamodb.put_item(TableName=tables.findings, Item=item)
    assert dynamo_findings.get(KEY, "cluster_tls_enforced") == replace(finding(), revision=1)


def test_an_error_of_dynamodb_is_one_of_ours(dynamodb: DynamoDBClient) -> None:
    absent = DynamoFindings(dynamodb, "absent")
    for call in (
        lambda: absent.get(KEY, "c"),
        lambda: absent.put(finding()),
        lambda: absent.of_resource(KEY),
        lambda: absent.of_arn(ARN),
        lambda: list(absent.all()),
    ):
        with pytest.raises(RejectedError, match="ResourceNotFoundException"):
            call()


TEXT = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
# Secrets are tested elsewhere, and the one thing that is not kept.
DOCUMENTS = st.dictionaries(TEXT, JSON, max_size=4).filter(lambda document: redacted(document) == document)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the bounds of a strategy are naive
MEMBERS: dict[str, st.SearchStrategy[Any]] = dict(  # noqa: C408 - reads like the constructor that it feeds
    resource_key=st.text(string.ascii_letters, min_size=1, max_size=20),
    control=st.text(string.ascii_lowercase, min_size=1, max_size=20),
    arn=st.text(string.ascii_letters, min_size=1, max_size=20),
    resource_type=TEXT,
    severity=st.sampled_from(["LOW", "CRITICAL"]),
    title=TEXT,
    workflow=st.sampled_from(WorkflowStatus),
    compliance=st.sampled_from(ComplianceType),
    annotation=TEXT,
    evidence=DOCUMENTS,
    first_observed=MOMENTS,
    last_observed=MOMENTS,
    resolved_at=st.none() | MOMENTS,
    attempts=st.lists(MOMENTS, max_size=3).map(tuple),
    reverts=st.lists(DOCUMENTS, max_size=2).map(tuple),
    applied=st.text(max_size=16),
    hold=DOCUMENTS,
    decision=DOCUMENTS,
    plan=st.lists(st.fixed_dictionaries({"operation": TEXT, "parameters": DOCUMENTS}), max_size=2).map(tuple),
    manual=TEXT,
    cause=DOCUMENTS,
    tags=st.dictionaries(TEXT, TEXT, max_size=3),
)
FINDINGS = st.builds(Finding, **MEMBERS)


def test_no_member_of_a_finding_is_left_out_of_the_next_test() -> None:
    assert {field.name for field in fields(Finding)} == {*MEMBERS, "revision"}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_finding=FINDINGS)
def test_every_finding_survives_the_table(
    dynamodb: DynamoDBClient, tables: Tables, given_finding: Finding
) -> None:
    findings = DynamoFindings(dynamodb, tables.findings)
    before = findings.get(given_finding.resource_key, given_finding.control)
    written = replace(given_finding, revision=before.revision if before else 0)
    kept = findings.put(written)
    assert kept == replace(written, revision=written.revision + 1)
    assert findings.get(given_finding.resource_key, given_finding.control) == kept
