"""SQS on a movable clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from console.local.clock import MovableClock
from console.local.mappings import record
from console.local.queues import LocalQueue, QueueError, Queues, QueueSettings

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DEAD = "arn:aws:sqs:eu-west-1:123456789012:dead"


def settings(name="work", **changes):
    arn = f"arn:aws:sqs:eu-west-1:123456789012:{name}"
    url = f"https://sqs.eu-west-1.amazonaws.com/123456789012/{name}"
    return QueueSettings(name=name, arn=arn, url=url, logical_id=name.title(), **changes)


@pytest.fixture
def clock():
    return MovableClock(START)


@pytest.fixture
def queue(clock):
    return LocalQueue(settings(visibility_timeout=60), clock)


@pytest.fixture
def fifo(clock):
    return LocalQueue(settings("work.fifo", fifo=True, visibility_timeout=60), clock)


@pytest.fixture
def redriven(clock):
    """A queue that gives up after two receives, and its dead-letter queue."""
    work = settings(visibility_timeout=60, dead_letter_arn=DEAD, max_receive_count=2)
    queues = Queues([work, settings("dead", retention_period=3600)], clock)
    return queues["work"], queues["dead"]


def bodies(messages):
    return [message.body for message in messages]


def fail(queue, clock):
    """Receive everything, and let the visibility timeout pass."""
    received = queue.receive(10)
    clock.advance(queue.settings.visibility_timeout)
    return bodies(received)


def test_a_message_is_received_and_deleted(queue):
    queue.send("hello")
    [message] = queue.receive(10)
    assert (message.body, message.receive_count) == ("hello", 1)
    assert queue.delete(message.receipt_handle)
    assert queue.messages == ()


def test_a_received_message_is_hidden_until_its_visibility_timeout_ends(queue, clock):
    queue.send("hello")
    queue.receive(1)
    clock.advance(59)
    assert (queue.receive(1), queue.in_flight) == ([], 1)
    clock.advance(1)
    assert bodies(queue.receive(1)) == ["hello"]


def test_no_more_messages_are_handed_out_than_asked_for(queue):
    for number in range(5):
        queue.send(str(number))
    assert bodies(queue.receive(2)) == ["0", "1"]
    assert bodies(queue.receive(10)) == ["2", "3", "4"]


def test_a_queue_delays_its_messages(clock):
    queue = LocalQueue(settings(delay_seconds=45), clock)
    queue.send("slow")
    assert (queue.receive(1), queue.delayed, queue.next_visible()) == ([], 1, START + timedelta(seconds=45))
    clock.advance(45)
    assert bodies(queue.receive(1)) == ["slow"]


def test_a_message_may_have_a_delay_of_its_own(clock):
    queue = LocalQueue(settings(delay_seconds=45), clock)
    queue.send("at once", delay_seconds=0)
    queue.send("later", delay_seconds=900)
    [message] = queue.receive(10)
    assert message.body == "at once"
    queue.delete(message.receipt_handle)
    assert queue.next_visible() == START + timedelta(seconds=900)


def test_an_overtaken_receipt_handle_deletes_nothing(queue, clock):
    queue.send("hello")
    [message] = queue.receive(1)
    old = message.receipt_handle
    clock.advance(60)
    queue.receive(1)
    assert not queue.delete(old)
    assert len(queue.messages) == 1


def test_a_visibility_timeout_can_be_changed(queue, clock):
    queue.send("hello")
    [message] = queue.receive(1)
    assert queue.change_visibility(message.receipt_handle, 0)
    assert bodies(queue.receive(1)) == ["hello"]
    clock.advance(60)
    assert not queue.change_visibility(message.receipt_handle, 30)


def test_a_message_is_kept_for_the_retention_period_only(clock):
    queue = LocalQueue(settings(retention_period=120), clock)
    queue.send("old")
    clock.advance(60)
    queue.send("young")
    clock.advance(60)
    assert bodies(queue.messages) == ["young"]


def test_a_message_received_too_often_goes_to_the_dead_letter_queue(redriven, clock):
    work, dead = redriven
    sent = work.send("poison")
    assert [fail(work, clock) for _ in range(3)] == [["poison"], ["poison"], []]
    [buried] = dead.messages
    assert (buried.message_id, buried.dead_letter_source_arn) == (sent.message_id, work.settings.arn)
    assert work.messages == ()


def test_a_dead_letter_goes_on_counting_its_receives_and_its_age(redriven, clock):
    work, dead = redriven
    work.send("poison")
    for _ in range(3):
        fail(work, clock)
    [buried] = dead.receive(1)
    assert (buried.receive_count, buried.sent_at) == (3, START)
    clock.move_to(START + timedelta(hours=1))
    assert dead.messages == ()


def test_the_rest_of_a_batch_is_received_beside_a_dead_letter(redriven, clock):
    work, dead = redriven
    work.send("poison")
    fail(work, clock)
    fail(work, clock)
    work.send("good")
    assert bodies(work.receive(10)) == ["good"]
    assert bodies(dead.messages) == ["poison"]


def test_a_redrive_policy_that_names_no_queue_of_the_stack_is_refused(clock):
    with pytest.raises(ValueError, match="no dead-letter queue"):
        Queues([settings(dead_letter_arn=DEAD, max_receive_count=1)], clock)


def test_a_queue_is_found_by_every_name_it_has(clock):
    queues = Queues([settings()], clock)
    [queue] = queues
    for reference in (queue.settings.arn, queue.settings.url, "work", "Work"):
        assert queues[reference] is queue
    assert queues.get("nothing") is None


def send_to(fifo, *texts):
    for text in texts:
        group, _, _ = text.partition("-")
        fifo.send(text, group_id=group, deduplication_id=text)


def test_a_group_is_received_in_order(fifo):
    send_to(fifo, "a-1", "b-1", "a-2")
    assert bodies(fifo.receive(10)) == ["a-1", "b-1", "a-2"]


def test_a_group_in_flight_holds_back_its_later_messages_and_no_others(fifo):
    send_to(fifo, "a-1", "a-2", "b-1")
    assert bodies(fifo.receive(1)) == ["a-1"]
    assert bodies(fifo.receive(10)) == ["b-1"]
    assert fifo.receive(10) == []


def test_a_group_goes_on_once_its_message_is_deleted(fifo):
    send_to(fifo, "a-1", "a-2")
    [first] = fifo.receive(1)
    fifo.delete(first.receipt_handle)
    assert bodies(fifo.receive(10)) == ["a-2"]


def test_a_failed_message_comes_again_before_the_rest_of_its_group(fifo, clock):
    send_to(fifo, "a-1", "a-2")
    assert fail(fifo, clock) == ["a-1", "a-2"]
    assert bodies(fifo.receive(1)) == ["a-1"]


def test_a_message_of_a_fifo_queue_cannot_be_deleted_after_its_timeout(fifo, clock):
    send_to(fifo, "a-1")
    [message] = fifo.receive(1)
    clock.advance(60)
    assert not fifo.delete(message.receipt_handle)


def test_a_dead_letter_of_a_fifo_queue_lets_its_group_go_on(clock):
    work = settings(
        "work.fifo", fifo=True, visibility_timeout=60, dead_letter_arn=f"{DEAD}.fifo", max_receive_count=1
    )
    queues = Queues([work, settings("dead.fifo", fifo=True)], clock)
    queue = queues["work.fifo"]
    send_to(queue, "a-1", "a-2")
    assert bodies(queue.receive(1)) == ["a-1"]
    clock.advance(60)
    assert bodies(queue.receive(1)) == ["a-2"]
    assert bodies(queues["dead.fifo"].messages) == ["a-1"]


def test_the_same_deduplication_id_is_accepted_once_in_five_minutes(fifo, clock):
    first = fifo.send("x", group_id="a", deduplication_id="id")
    clock.advance(299)
    second = fifo.send("y", group_id="b", deduplication_id="id")
    assert (second.duplicate, second.message_id) == (True, first.message_id)
    clock.advance(1)
    assert not fifo.send("z", group_id="a", deduplication_id="id").duplicate
    assert bodies(fifo.messages) == ["x", "z"]


def test_a_deduplication_id_outlives_its_message(fifo):
    fifo.send("x", group_id="a", deduplication_id="id")
    [message] = fifo.receive(1)
    fifo.delete(message.receipt_handle)
    assert fifo.send("x", group_id="a", deduplication_id="id").duplicate


def test_deduplication_may_be_limited_to_a_group(clock):
    queue = LocalQueue(settings("work.fifo", fifo=True, deduplicates_per_group=True), clock)
    queue.send("x", group_id="a", deduplication_id="id")
    assert not queue.send("y", group_id="b", deduplication_id="id").duplicate


def test_content_may_be_its_own_deduplication_id(clock):
    queue = LocalQueue(settings("work.fifo", fifo=True, content_based_deduplication=True), clock)
    queue.send("same", group_id="a")
    assert queue.send("same", group_id="a").duplicate
    assert not queue.send("other", group_id="a").duplicate
    assert not queue.send("same", group_id="a", deduplication_id="mine").duplicate


def test_a_whole_fifo_queue_can_be_delayed(clock):
    queue = LocalQueue(settings("work.fifo", fifo=True, delay_seconds=10), clock)
    send_to(queue, "a-1")
    assert queue.receive(1) == []
    clock.advance(10)
    assert bodies(queue.receive(1)) == ["a-1"]


@pytest.mark.parametrize(
    ("name", "arguments", "code", "reason"),
    [
        ("work", {"delay_seconds": 901}, "InvalidParameterValue", "DelaySeconds 901"),
        ("work", {"delay_seconds": -1}, "InvalidParameterValue", "DelaySeconds -1"),
        ("work", {"deduplication_id": "x"}, "InvalidParameterValue", "not valid for this queue type"),
        ("work.fifo", {"group_id": "a"}, "InvalidParameterValue", "ContentBasedDeduplication enabled or"),
        ("work.fifo", {"deduplication_id": "x"}, "MissingParameter", "MessageGroupId"),
        (
            "work.fifo",
            {"group_id": "a", "deduplication_id": "x", "delay_seconds": 1},
            "InvalidParameterValue",
            "type",
        ),
        (
            "work.fifo",
            {"group_id": "a b", "deduplication_id": "x"},
            "InvalidParameterValue",
            "MessageGroupId 'a b'",
        ),
        (
            "work.fifo",
            {"group_id": "a", "deduplication_id": "x" * 129},
            "InvalidParameterValue",
            "MessageDeduplic",
        ),
    ],
)
def test_what_sqs_refuses_is_refused(clock, name, arguments, code, reason):
    queue = LocalQueue(settings(name, fifo=name.endswith(".fifo")), clock)
    with pytest.raises(QueueError, match=reason) as refusal:
        queue.send("body", **arguments)
    assert refusal.value.code == code
    assert queue.messages == ()


def test_a_message_without_a_body_is_refused(queue):
    with pytest.raises(QueueError, match="MessageBody"):
        queue.send("")


def test_the_size_of_a_message_counts_its_attributes(clock):
    queue = LocalQueue(settings(maximum_message_size=1024), clock)
    attribute = {"kind": {"DataType": "String", "StringValue": "x" * 10}}
    queue.send("x" * 1004, attributes=attribute)
    with pytest.raises(QueueError, match="shorter than 1024"):
        queue.send("x" * 1005, attributes=attribute)


def test_a_standard_queue_takes_a_group_and_does_not_order_by_it(queue):
    queue.send("a-1", group_id="a")
    queue.send("a-2", group_id="a")
    queue.receive(1)
    assert bodies(queue.receive(1)) == ["a-2"]


def test_a_record_is_as_lambda_receives_it(fifo, clock):
    fifo.send('{"n": 1}', group_id="a", deduplication_id="one")
    clock.advance(2.5)
    [message] = fifo.receive(1)
    assert record(message, fifo, "eu-west-1") == {
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": '{"n": 1}',
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1772366400000",
            "SenderId": "AIDAEXAMPLESENDER1234",
            "ApproximateFirstReceiveTimestamp": "1772366402500",
            "MessageGroupId": "a",
            "MessageDeduplicationId": "one",
            "SequenceNumber": "00000000000000000001",
        },
        "messageAttributes": {},
        "md5OfBody": "96d730b7a405ed0e9cb1068b43e06fe4",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:work.fifo",
        "awsRegion": "eu-west-1",
    }


def test_message_attributes_are_spelt_as_in_lambdas_event(queue):
    queue.send(
        "x",
        attributes={
            "reason": {"DataType": "String", "StringValue": "policy"},
            "blob": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
        },
    )
    [message] = queue.receive(1)
    found = record(message, queue, "eu-west-1")
    assert found["messageAttributes"]["reason"] == {
        "stringValue": "policy",
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": "String",
    }
    assert found["messageAttributes"]["blob"]["binaryValue"] == "AAE="
    # the digest that moto, too, gives for these attributes
    assert found["md5OfMessageAttributes"] == "224c9860b20affbec7c7a8e4534c7ad6"


def test_bodies_are_parsed_for_whoever_looks_into_a_queue(queue):
    queue.send(json.dumps({"control": "cluster_deletion_protection"}))
    assert queue.bodies == ({"control": "cluster_deletion_protection"},)
    queue.purge()
    assert queue.bodies == ()
