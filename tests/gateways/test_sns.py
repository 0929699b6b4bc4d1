from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fakes import NOW, MemorySink
from warden.core.control import ComplianceType
from warden.core.errors import RejectedError, ThrottledError
from warden.core.finding import Finding, WorkflowStatus
from warden.core.rendering import plain
from warden.core.rendering.machine import document as machine
from warden.core.ticket_text import ticket
from warden.gateways.sns import SnsSink, publication

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

    from warden.core.ticket import Ticket

FINDING = Finding(
    resource_key="123456789012/eu-west-1/AWS::RDS::DBCluster/cluster-ABC",
    control="cluster_tls_enforced",
    arn="arn:aws:rds:eu-west-1:123456789012:cluster:orders",
    resource_type="AWS::RDS::DBCluster",
    severity="HIGH",
    title="TLS is enforced on Aurora clusters",
    workflow=WorkflowStatus.NEW,
    compliance=ComplianceType.NON_COMPLIANT,
    annotation="orders takes connections without TLS.",
    evidence={"Engine": "aurora-postgresql", "Note": "größer"},
    first_observed=NOW,
    last_observed=NOW,
    decision={"action": "TICKET", "reason": "mode", "would": "REMEDIATE"},
    plan=(
        {
            "operation": "ModifyDBClusterParameterGroup",
            "parameters": {"DBClusterParameterGroupName": "orders"},
        },
    ),
)


def of(finding: Finding) -> Ticket:
    return replace(ticket(finding, None), fix="Turn it on.", frameworks=("CIS 2.1",))


TICKET = of(FINDING)


class Topic:
    """A topic with a queue that subscribes to it."""

    def __init__(self, sns: SNSClient, sqs: SQSClient, policy: dict[str, Any] | None = None) -> None:
        name = uuid.uuid4().hex
        self._sqs = sqs
        self.arn = sns.create_topic(Name=name)["TopicArn"]
        self._url = sqs.create_queue(QueueName=name)["QueueUrl"]
        queue = sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        attributes = {} if policy is None else {"FilterPolicy": json.dumps(policy)}
        sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=queue, Attributes=attributes)

    def received(self) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def size(parameters: dict[str, Any]) -> int:
    attributes = parameters["MessageAttributes"]
    return len(parameters["Message"].encode()) + sum(
        len(name.encode()) + len(value["DataType"].encode()) + len(value["StringValue"].encode())
        for name, value in attributes.items()
    )


def texts(ticket: Ticket) -> dict[str, str]:
    """What each protocol gets."""
    message: dict[str, str] = json.loads(publication(ticket)["Message"])
    return message


def test_a_queue_that_subscribes_gets_the_ticket_as_json(sns: SNSClient, sqs: SQSClient) -> None:
    topic = Topic(sns, sqs)
    SnsSink(sns, topic.arn).notify(TICKET)
    (envelope,) = topic.received()
    assert json.loads(envelope["Message"]) == machine(TICKET)
    assert envelope["Subject"] == plain.subject(TICKET)


@pytest.mark.parametrize(
    ("policy", "arrives"),
    [
        ({"severity": ["HIGH", "CRITICAL"], "state": ["OPEN"]}, True),
        ({"control": ["cluster_tls_enforced"]}, True),
        ({"account": ["123456789012"], "region": ["eu-west-1"]}, True),
        ({"severity": ["LOW"]}, False),
        ({"state": ["RESOLVED"]}, False),
    ],
)
def test_subscribers_can_filter(
    sns: SNSClient, sqs: SQSClient, policy: dict[str, Any], arrives: bool
) -> None:
    topic = Topic(sns, sqs, policy)
    SnsSink(sns, topic.arn).notify(TICKET)
    assert bool(topic.received()) is arrives


def test_people_get_text_and_machines_json() -> None:
    sent = texts(TICKET)
    assert sent["default"] == plain.text(TICKET)
    # What is not named takes the default: email is for people.
    assert "email" not in sent
    for protocol in ("sqs", "lambda", "http", "https", "firehose", "email-json"):
        assert json.loads(sent[protocol]) == machine(TICKET)


def test_a_telephone_gets_one_short_message() -> None:
    long = of(replace(FINDING, title="Ä very long title " * 10))
    for told in (TICKET, long):
        sms = texts(told)["sms"]
        assert sms.isascii()
        assert len(sms) <= 140
        assert "123456789012" in sms


def test_a_global_cluster_has_a_region_to_filter_by() -> None:
    arn = "arn:aws:rds::123456789012:global-cluster:orders"
    sent = publication(of(replace(FINDING, arn=arn)))
    assert sent["MessageAttributes"]["region"]["StringValue"] == "global"


def test_a_ticket_that_fits_is_not_cut() -> None:
    whole = of(replace(FINDING, evidence={"Members": "x" * 20_000}))
    assert json.loads(texts(whole)["sqs"]) == machine(whole)


@pytest.mark.parametrize(
    "changes",
    [
        {"evidence": {"Members": ["ü" * 100] * 3000, "Engine": "aurora-mysql"}},
        {"evidence": {"Engine": "aurora-mysql", **{f"key-{n}": "x" * 500 for n in range(600)}}},
        {"evidence": {"Engine": "aurora-mysql", "Quotes": '"' * 100_000}},
        {"evidence": {"Engine": "aurora-mysql"}, "cause": {"user_agent": "x" * 300_000}},
        {"plan": ({"operation": "ModifyDBCluster", "parameters": {"Tags": ["x" * 100] * 5000}},)},
        {"manual": "é" * 300_000},
        {"annotation": "x" * 300_000},
    ],
    ids=["value", "keys", "quotes", "cause", "plan", "manual", "annotation"],
)
def test_a_ticket_beyond_the_limit_is_cut_where_it_hurts_least(
    sns: SNSClient, sqs: SQSClient, changes: dict[str, Any]
) -> None:
    large = of(replace(FINDING, **changes))
    sent = publication(large)
    assert size(sent) <= 256 * 1024
    document = json.loads(json.loads(sent["Message"])["sqs"])
    assert "left_out" in json.dumps(document) or "left out" in json.dumps(document)
    assert document["fix"] == "Turn it on."
    if "evidence" in changes:
        assert document["evidence"]["Engine"] == "aurora-mysql"
        assert document["plan"] == machine(TICKET)["plan"]
    topic = Topic(sns, sqs)
    SnsSink(sns, topic.arn).notify(large)
    assert len(topic.received()) == 1


def test_no_size_slips_through_between_what_fits_and_what_is_cut() -> None:
    whole = []
    for length in range(35_000, 43_000, 250):
        sent = publication(of(replace(FINDING, evidence={"Members": "x" * length})))
        assert size(sent) <= 256 * 1024
        whole.append("x" * length in json.loads(sent["Message"])["sqs"])
    assert whole[0]
    assert not whole[-1]


def test_evidence_goes_before_what_a_person_needs() -> None:
    large = replace(FINDING, evidence={"Members": "x" * 200_000}, manual="Read the runbook. " * 500)
    document = json.loads(texts(of(large))["sqs"])
    assert document["manual"] == large.manual
    assert "left_out" in document["evidence"]["Members"]


def test_an_error_of_sns_is_one_of_ours(sns: SNSClient) -> None:
    with pytest.raises(RejectedError, match="sns:Publish"):
        SnsSink(sns, "arn:aws:sns:eu-west-1:123456789012:absent").notify(TICKET)


def test_the_fake_sink_keeps_tickets_and_fails_when_told() -> None:
    sink = MemorySink()
    sink.failures.append(ThrottledError("sns:Publish: Throttled"))
    with pytest.raises(ThrottledError):
        sink.notify(TICKET)
    sink.notify(TICKET)
    assert sink.delivered == [TICKET]
