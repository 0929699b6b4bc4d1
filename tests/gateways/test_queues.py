from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from fakes import FixedClock, MemoryQueues
from warden.core.errors import ConfigurationError, RejectedError
from warden.core.messages import RemediationMessage, TicketEvent, TicketMessage
from warden.core.resource import ResourceRef
from warden.gateways.queues import SqsQueues

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_sqs import SQSClient

    from warden.pipeline.ports import Queues

REF = ResourceRef.from_arn("arn:aws:rds:eu-west-1:123456789012:cluster:orders")
OTHER = ResourceRef.from_arn("arn:aws:rds:eu-west-1:123456789012:cluster:payments")
MESSAGE = RemediationMessage(
    ref=REF, controls=("cluster_tls_enforced",), policy_version="abc", cause={"principal": "ädä"}
)
TICKET = TicketMessage(event=TicketEvent.OPEN, resource_key="key", control="cluster_tls_enforced")


@dataclass(frozen=True, slots=True)
class Addresses:
    triggers: str
    remediations: str
    tickets: str


@dataclass(frozen=True, slots=True)
class Ends:
    """Queues, and what a consumer reads from each."""

    queues: Queues
    remediations: Callable[[], list[RemediationMessage]]
    tickets: Callable[[], list[TicketMessage]]
    triggers: Callable[[], list[dict[str, Any]]]


@pytest.fixture
def addresses(sqs: SQSClient) -> Addresses:
    name = uuid.uuid4().hex
    fifo: Any = {"FifoQueue": "true", "ContentBasedDeduplication": "false"}
    return Addresses(
        triggers=sqs.create_queue(QueueName=f"triggers-{name}")["QueueUrl"],
        remediations=sqs.create_queue(QueueName=f"remediations-{name}.fifo", Attributes=fifo)["QueueUrl"],
        tickets=sqs.create_queue(QueueName=f"tickets-{name}")["QueueUrl"],
    )


def received(sqs: SQSClient, url: str) -> list[dict[str, Any]]:
    """Everything in a queue, each message with its attributes."""
    messages: list[Any] = []
    while True:
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        )
        if "Messages" not in answer:
            return messages
        for message in answer["Messages"]:
            messages.append(message)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


@pytest.fixture(params=["sqs", "memory"])
def ends(request: pytest.FixtureRequest) -> Ends:
    if request.param == "memory":
        fake = MemoryQueues()
        return Ends(fake, lambda: fake.remediations, lambda: fake.tickets, lambda: fake.triggers)
    sqs: SQSClient = request.getfixturevalue("sqs")
    urls: Addresses = request.getfixturevalue("addresses")
    return Ends(
        SqsQueues(
            sqs, triggers_url=urls.triggers, remediations_url=urls.remediations, tickets_url=urls.tickets
        ),
        lambda: [RemediationMessage.decode(m["Body"]) for m in received(sqs, urls.remediations)],
        lambda: [TicketMessage.decode(m["Body"]) for m in received(sqs, urls.tickets)],
        lambda: [json.loads(m["Body"]) for m in received(sqs, urls.triggers)],
    )


def test_a_remediation_arrives_as_it_was_sent(ends: Ends) -> None:
    ends.queues.remediate(MESSAGE, deduplication_id="one")
    assert ends.remediations() == [MESSAGE]
    assert ends.tickets() == []
    assert ends.triggers() == []


def test_a_decision_that_is_sent_twice_arrives_once(ends: Ends) -> None:
    ends.queues.remediate(MESSAGE, deduplication_id="one")
    ends.queues.remediate(MESSAGE, deduplication_id="one")
    assert ends.remediations() == [MESSAGE]


def test_the_same_message_of_another_decision_arrives(ends: Ends) -> None:
    ends.queues.remediate(MESSAGE, deduplication_id="one")
    ends.queues.remediate(MESSAGE, deduplication_id="two")
    assert ends.remediations() == [MESSAGE, MESSAGE]


def test_a_deduplication_id_may_be_any_text(ends: Ends) -> None:
    # SQS itself takes 128 characters of printable ASCII.
    ends.queues.remediate(MESSAGE, deduplication_id="ä b" * 500)
    ends.queues.remediate(MESSAGE, deduplication_id="ä b" * 501)
    assert len(ends.remediations()) == 2


def test_what_sqs_gets_as_deduplication_id_is_one_that_it_takes(sqs: SQSClient, addresses: Addresses) -> None:
    queues = SqsQueues(sqs, remediations_url=addresses.remediations)
    queues.remediate(MESSAGE, deduplication_id="ä b" * 500)
    (message,) = received(sqs, addresses.remediations)
    assert re.fullmatch("[!-~]{1,128}", message["Attributes"]["MessageDeduplicationId"])


def test_a_ticket_arrives_as_it_was_sent(ends: Ends) -> None:
    ends.queues.ticket(TICKET)
    assert ends.tickets() == [TICKET]
    assert ends.remediations() == []


def test_a_trigger_arrives_as_it_was_sent(ends: Ends) -> None:
    body = {"resource": REF.arn, "cause": {"source": "deferral", "event_name": "busy"}}
    ends.queues.trigger(body)
    assert ends.triggers() == [body]
    assert ends.tickets() == []


def test_messages_of_one_resource_are_one_group_in_order(sqs: SQSClient, addresses: Addresses) -> None:
    queues = SqsQueues(sqs, remediations_url=addresses.remediations)
    other = RemediationMessage(ref=OTHER, controls=("c",), policy_version="abc")
    for number, message in enumerate([MESSAGE, other, MESSAGE]):
        queues.remediate(message, deduplication_id=str(number))
    groups = [m["Attributes"]["MessageGroupId"] for m in received(sqs, addresses.remediations)]
    assert sorted(groups) == sorted([MESSAGE.group, other.group, MESSAGE.group])
    assert MESSAGE.group != other.group


@pytest.mark.parametrize(
    ("send", "variable"),
    [
        (lambda queues: queues.trigger({}), "WARDEN_TRIGGERS_QUEUE_URL"),
        (lambda queues: queues.remediate(MESSAGE, deduplication_id="1"), "WARDEN_REMEDIATIONS_QUEUE_URL"),
        (lambda queues: queues.ticket(TICKET), "WARDEN_TICKETS_QUEUE_URL"),
    ],
)
def test_a_queue_that_a_function_was_not_given_is_named(
    sqs: SQSClient, send: Callable[[Queues], None], variable: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"{variable} is not set"):
        send(SqsQueues(sqs))


def test_an_error_of_sqs_is_one_of_ours(sqs: SQSClient, addresses: Addresses) -> None:
    sqs.delete_queue(QueueUrl=addresses.tickets)
    with pytest.raises(RejectedError, match="sqs:SendMessage"):
        SqsQueues(sqs, tickets_url=addresses.tickets).ticket(TICKET)


def test_the_fake_forgets_a_deduplication_id_after_five_minutes() -> None:
    clock = FixedClock()
    fake = MemoryQueues(clock)
    fake.remediate(MESSAGE, deduplication_id="one")
    clock.advance(minutes=4.9)
    fake.remediate(MESSAGE, deduplication_id="one")
    assert (len(fake.remediations), len(fake.deduplicated)) == (1, 1)
    clock.advance(minutes=0.1)
    fake.remediate(MESSAGE, deduplication_id="one")
    assert len(fake.remediations) == 2
