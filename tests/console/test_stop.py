"""`warden stop` and `warden resume`: the row, its record, and what is said where there is no such deployment."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from console.local.aws import LocalAws
from console.stop import set_stop
from scanning.runs import CREDENTIALS, REGION, run
from warden.core.ledger import verify
from warden.core.rows import Due
from warden.gateways.ledger import DynamoLedger
from warden.gateways.state import DynamoState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Capsys = pytest.CaptureFixture[str]
DEPLOYMENT = f"deployment/123456789012/{REGION}"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
_TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    },
}
_LEDGER = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "chain", "AttributeType": "S"},
            {"AttributeName": "sequence", "AttributeType": "N"},
        ],
        "KeySchema": [
            {"AttributeName": "chain", "KeyType": "HASH"},
            {"AttributeName": "sequence", "KeyType": "RANGE"},
        ],
    },
}


@pytest.fixture(autouse=True)
def _somebody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with LocalAws(region=REGION) as local:
        yield local


@pytest.fixture
def tables(aws: LocalAws) -> tuple[str, str]:
    """The two tables of a stack that CloudFormation made; their names are CloudFormation's."""
    cloudformation = aws.client("cloudformation")
    template = {"Resources": {"StateTable": _TABLE, "LedgerTable": _LEDGER}}
    cloudformation.create_stack(StackName="aurora-warden", TemplateBody=json.dumps(template))
    found = cloudformation.describe_stack_resources(StackName="aurora-warden")["StackResources"]
    names = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
    return names["StateTable"], names["LedgerTable"]


def _state(aws: LocalAws, tables: tuple[str, str]) -> DynamoState:
    return DynamoState(aws.client("dynamodb"), tables[0])


def _entries(aws: LocalAws, tables: tuple[str, str]) -> list[dict[str, Any]]:
    ledger = DynamoLedger(aws.client("dynamodb"), tables[1], tables[0])
    links = list(ledger.read(DEPLOYMENT))
    assert verify(links, ledger.head(DEPLOYMENT)) == []
    return [dict(link.entry) for link in links]


def test_stop_sets_the_row_and_records_who_and_why(
    aws: LocalAws, tables: tuple[str, str], capsys: Capsys
) -> None:
    done = run(capsys, "stop", "--reason", "something is odd")
    assert done.status == 0
    assert "no write starts from now on" in done.out
    stop = _state(aws, tables).stop()
    assert stop is not None
    assert stop.reason == "something is odd"
    assert stop.by.startswith("arn:aws:")
    (entry,) = _entries(aws, tables)
    assert (entry["kind"], entry["actor"]) == ("stop", stop.by)
    assert (entry["before"], entry["after"]) == (
        {"stopped": False},
        {"stopped": True, "reason": "something is odd"},
    )


def test_resume_takes_it_away_and_records_that_too(
    aws: LocalAws, tables: tuple[str, str], capsys: Capsys
) -> None:
    run(capsys, "stop", "--reason", "something is odd")
    done = run(capsys, "resume", "--reason", "it was nothing")
    assert done.status == 0
    assert "writes go on" in done.out
    assert _state(aws, tables).stop() is None
    assert [entry["after"]["stopped"] for entry in _entries(aws, tables)] == [True, False]


def test_stopping_twice_is_recorded_twice_and_stops_once(
    aws: LocalAws, tables: tuple[str, str], capsys: Capsys
) -> None:
    for reason in ("one", "two"):
        assert run(capsys, "stop", "--reason", reason).status == 0
    assert [entry["before"]["stopped"] for entry in _entries(aws, tables)] == [False, True]
    assert run(capsys, "resume", "--reason", "enough").status == 0
    assert _state(aws, tables).stop() is None


def test_resuming_has_what_waited_judged_at_once(aws: LocalAws, tables: tuple[str, str]) -> None:
    state = _state(aws, tables)
    for name, hours in (("soon", -1), ("late", 5)):
        state.defer(
            Due(
                arn=f"arn:aws:rds:eu-west-1:123456789012:cluster:{name}",
                due_at=NOW + timedelta(hours=hours),
                first_at=NOW - timedelta(hours=9),
                attempt=7,
                reason="stopped",
            )
        )
    for stopping in (True, False):
        assert len(state.due(NOW)) == 1
        set_stop(
            aws.client("dynamodb"),
            state_table=tables[0],
            ledger_table=tables[1],
            deployment=DEPLOYMENT,
            by="arn:aws:iam::123456789012:user/bob",
            reason="odd",
            stopping=stopping,
            now=NOW,
        )
    due = state.due(NOW)
    assert [row.due_at - NOW for row in due] == [timedelta(hours=-1), timedelta(0)]
    assert {(row.attempt, row.first_at) for row in due} == {(7, NOW - timedelta(hours=9))}, "the rest is kept"


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("command", ["stop", "resume"])
def test_a_stack_that_does_not_exist_is_told_so(capsys: Capsys, command: str) -> None:
    done = run(capsys, command, "--reason", "odd", "--stack", "elsewhere")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("warden: the stack 'elsewhere' in eu-west-1 has no StateTable: ")
    assert done.err.rstrip().endswith("give --stack, --region")


def test_a_stack_of_another_region_is_not_found(
    aws: LocalAws, tables: tuple[str, str], capsys: Capsys
) -> None:
    done = run(capsys, "stop", "--reason", "odd", "--region", "us-east-1")
    assert done.status == 2
    assert "in us-east-1 has no StateTable" in done.err
    assert _state(aws, tables).stop() is None


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("reason", ["", "   "])
def test_an_empty_reason_is_refused(aws: LocalAws, capsys: Capsys, reason: str) -> None:
    calls = len(aws.calls)
    done = run(capsys, "stop", "--reason", reason)
    assert (done.status, done.out) == (2, "")
    assert "say why, it goes into the ledger" in done.err
    assert len(aws.calls) == calls


@pytest.mark.usefixtures("aws")
def test_no_region_is_told_so(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    done = run(capsys, "stop", "--reason", "odd")
    assert (done.status, done.out) == (2, "")
    assert "no Region is configured" in done.err


@pytest.mark.usefixtures("aws")
def test_a_profile_that_does_not_exist_is_told_so(capsys: Capsys) -> None:
    done = run(capsys, "stop", "--reason", "odd", "--profile", "nobody")
    assert (done.status, done.out) == (2, "")
    assert "The config profile (nobody) could not be found" in done.err


def test_who_may_not_stop_is_told_so(aws: LocalAws, tables: tuple[str, str], capsys: Capsys) -> None:
    aws.faults.deny("dynamodb:PutItem")
    done = run(capsys, "stop", "--reason", "odd")
    assert (done.status, done.out) == (2, "")
    assert "is not authorized to perform: dynamodb:PutItem" in done.err
    aws.faults.allow("dynamodb:PutItem")
    assert _state(aws, tables).stop() is None
    aws.faults.deny("sts:GetCallerIdentity")
    done = run(capsys, "stop", "--reason", "odd")
    assert (done.status, done.out) == (2, "")
    assert "sts:GetCallerIdentity" in done.err


def test_a_record_that_cannot_be_written_does_not_keep_writes_going(
    aws: LocalAws, tables: tuple[str, str], capsys: Capsys
) -> None:
    aws.faults.deny("dynamodb:TransactWriteItems")
    done = run(capsys, "stop", "--reason", "odd")
    assert done.status == 2
    assert _state(aws, tables).stop() is not None, "stopping comes first"
    assert "dynamodb:TransactWriteItems" in done.err


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("address", ["nonsense", "http://127.0.0.1:99999999"])
def test_an_endpoint_that_is_no_address_is_told_so(
    capsys: Capsys, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    done = run(capsys, "stop", "--reason", "odd")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("warden: ")


def test_a_row_that_nobody_can_read_can_still_be_replaced(
    aws: LocalAws, tables: tuple[str, str], capsys: Capsys
) -> None:
    aws.client("dynamodb").put_item(
        TableName=tables[0], Item={"pk": {"S": "stop"}, "sk": {"S": "stop"}, "by": {"S": "a hand"}}
    )
    assert run(capsys, "resume", "--reason", "the row was written by hand").status == 0
    assert _state(aws, tables).stop() is None
