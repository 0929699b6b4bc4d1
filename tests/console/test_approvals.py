"""`warden approvals`, `warden approve`, `warden reject`: what they print, write and refuse."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from console import cli, deployed
from fakes.tables import Tables
from gateways.conftest import _client
from warden.core.approval import request_id
from warden.core.control import ComplianceType
from warden.core.finding import Finding, WorkflowStatus
from warden.core.plan import Call
from warden.gateways.approvals import DynamoApprovals
from warden.gateways.findings import DynamoFindings

if TYPE_CHECKING:
    from collections.abc import Iterator

from moto import mock_aws

ME = "AROA3RX7T65BFEXAMPLE:carol"
CALL = Call("ModifyDBClusterParameterGroup", {"DBClusterParameterGroupName": "orders-pg16"})
KEY = "123456789012/eu-west-1/AWS::RDS::DBCluster/cluster-A"
TLS = "cluster_tls_enforced"
ID = request_id(KEY, TLS, [CALL])
Capsys = pytest.CaptureFixture[str]


class Session:
    """A session whose clients are moto's."""

    def client(self, service: str) -> Any:
        return _client(service)


@pytest.fixture
def tables() -> Iterator[Tables]:
    with mock_aws():
        made = Tables("findings", "ledger", "state")
        made.create(_client("dynamodb"))
        yield made


@pytest.fixture
def queue(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> str:
    """The triggers queue of a deployment that the commands find."""
    url = str(_client("sqs").create_queue(QueueName="triggers")["QueueUrl"])
    names = {
        "FindingsTable": tables.findings,
        "ApprovalsTable": tables.approvals,
        "StateTable": tables.state,
        "TriggersQueue": url,
    }

    def find(*_names: str, **_options: Any) -> deployed.Deployed:
        return deployed.Deployed(
            session=Session(),  # type: ignore[arg-type]  # as much of one as is needed
            account="123456789012",
            region="eu-west-1",
            arn="arn:aws:sts::123456789012:assumed-role/dba/carol",
            user_id=ME,
            names=names,
        )

    monkeypatch.setattr(deployed, "find", find)
    return url


@pytest.fixture
def asked(tables: Tables, queue: str) -> Finding:
    now = datetime.now(UTC) - timedelta(hours=1)
    finding = Finding(
        resource_key=KEY,
        control=TLS,
        arn="arn:aws:rds:eu-west-1:123456789012:cluster:orders",
        resource_type="AWS::RDS::DBCluster",
        severity="HIGH",
        title="Clusters refuse connections without TLS",
        workflow=WorkflowStatus.NOTIFIED,
        compliance=ComplianceType.NON_COMPLIANT,
        annotation="orders accepts connections without TLS.",
        evidence={},
        first_observed=now,
        last_observed=now,
        decision={
            "action": "AWAIT_APPROVAL",
            "reason": "needs_approval",
            "request": ID,
            "cost": "It costs 3 USD.",
        },
        plan=(CALL.to_json(),),
        cause={"session": "AROA3RX7T65BFEXAMPLE:alice"},
    )
    return DynamoFindings(_client("dynamodb"), tables.findings).put(finding)


def answers(tables: Tables) -> list[tuple[str, str, str]]:
    found = DynamoApprovals(_client("dynamodb"), tables.approvals, tables.state).answers(ID)
    return [(one.approver, one.answer.value, one.reason) for one in found]


def sent(queue: str) -> list[Any]:
    messages = _client("sqs").receive_message(QueueUrl=queue).get("Messages", [])
    return [json.loads(message["Body"]) for message in messages]


@pytest.mark.usefixtures("queue")
def test_where_nothing_is_asked_it_says_so_and_succeeds(capsys: Capsys) -> None:
    assert cli.main(["approvals"]) == 0
    assert capsys.readouterr().out == "Nothing waits for an approval.\n"


@pytest.mark.usefixtures("asked")
def test_a_request_is_shown_with_its_exact_calls_and_what_they_cost(capsys: Capsys) -> None:
    assert cli.main(["approvals"]) == 1

    text = capsys.readouterr().out
    assert f"{ID}  HIGH  {TLS}" in text
    assert 'would call ModifyDBClusterParameterGroup {"DBClusterParameterGroupName": "orders-pg16"}' in text
    assert "It costs 3 USD." in text
    assert "1 to decide about." in text


@pytest.mark.usefixtures("asked")
def test_a_machine_reads_json(capsys: Capsys, tables: Tables) -> None:
    cli.main(["approve", ID, "--reason", "All clients are ready"])
    capsys.readouterr()
    assert cli.main(["approvals", "--format", "json"]) == 1

    [request] = json.loads(capsys.readouterr().out)
    assert (request["id"], request["control"]) == (ID, TLS)
    [answer] = request["answers"]
    assert (answer["approver"], answer["answer"], answer["objection"]) == (ME, "approved", "")


@pytest.mark.parametrize(("command", "word"), [("approve", "approved"), ("reject", "rejected")])
def test_an_answer_is_written_under_ones_own_key_and_the_resource_is_looked_at(
    asked: Finding, tables: Tables, queue: str, command: str, word: str
) -> None:
    assert cli.main([command, ID, "--reason", "I have looked"]) == 0

    assert answers(tables) == [(ME, word, "I have looked")]
    [trigger] = sent(queue)
    assert trigger["resource"] == asked.arn


@pytest.mark.usefixtures("asked")
def test_what_nothing_asks_for_is_refused(tables: Tables, capsys: Capsys) -> None:
    assert cli.main(["approve", "0123456789ab", "--reason", "I have looked"]) == 2
    assert "nothing asks for '0123456789ab'" in capsys.readouterr().err
    assert answers(tables) == []


@pytest.mark.usefixtures("asked")
def test_an_answer_without_a_reason_is_refused(tables: Tables, capsys: Capsys) -> None:
    assert cli.main(["approve", ID, "--reason", " "]) == 2
    assert "--reason is empty" in capsys.readouterr().err
    assert answers(tables) == []


def test_an_answer_that_would_not_count_is_refused_at_once(
    asked: Finding, tables: Tables, capsys: Capsys
) -> None:
    DynamoFindings(_client("dynamodb"), tables.findings).put(replace(asked, cause={"session": ME}))

    assert cli.main(["approve", ID, "--reason", "I did it"]) == 2
    assert "whoever made the change" in capsys.readouterr().err
    assert answers(tables) == []


@pytest.mark.usefixtures("asked")
def test_without_a_way_to_have_it_looked_at_the_answer_stands(
    tables: Tables, queue: str, capsys: Capsys
) -> None:
    _client("sqs").delete_queue(QueueUrl=queue)

    assert cli.main(["approve", ID, "--reason", "I have looked"]) == 0
    assert "judged again with the next event or sweep" in capsys.readouterr().out
    assert len(answers(tables)) == 1
