"""What a function is handed, and what it answers: a message that cannot be handled fails alone."""

from __future__ import annotations

import json

import pytest

from fakes import NOW
from warden.core.errors import MalformedEventError, ThrottledError
from warden.core.trigger import IgnoredReason, Source
from warden.pipeline import intake

ARN = "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
EVENT = {
    "version": "0",
    "id": "e-1",
    "detail-type": "RDS DB Cluster Event",
    "source": "aws.rds",
    "account": "123456789012",
    "time": "2026-11-24T09:59:00Z",
    "region": "eu-west-1",
    "resources": [ARN],
    "detail": {"SourceType": "CLUSTER", "SourceArn": ARN, "EventID": "RDS-EVENT-0016", "Message": "reset"},
}
CUSTOM = {**EVENT, "source": "my.test"}


def batch(*bodies: object) -> dict[str, object]:
    return {
        "Records": [
            {"messageId": f"m-{number}", "body": body if isinstance(body, str) else json.dumps(body)}
            for number, body in enumerate(bodies, 1)
        ]
    }


def test_each_record_of_a_batch_is_read():
    read = intake.read(batch(EVENT, {"resource": ARN}, CUSTOM), received_at=NOW)

    assert [(message, trigger.target.arn) for message, trigger in read.triggers] == [
        ("m-1", ARN),
        ("m-2", ARN),
    ]
    assert [trigger.cause.source for _, trigger in read.triggers] == [Source.RDS_EVENT, Source.MANUAL]
    assert [ignored.reason for ignored in read.ignored] == [IgnoredReason.CUSTOM_EVENT]
    assert read.malformed == []


@pytest.mark.parametrize(
    "body",
    [
        "not JSON",
        "",
        "[]",
        "{}",
        "null",
        '{"resource": "orders"}',
        "[" * 100_000,
        '{"detail-type": "RDS DB Cluster Event", "source": "aws.rds"}',
    ],
    ids=lambda body: body[:20],
)
def test_a_malformed_record_fails_alone(body):
    read = intake.read(batch(EVENT, body, EVENT), received_at=NOW)

    assert [message for message, _ in read.malformed] == ["m-2"]
    assert [message for message, _ in read.triggers] == ["m-1", "m-3"]


def test_a_reader_with_a_bug_fails_its_own_record_alone(monkeypatch):
    def parse(event, *, received_at):
        if event == {}:
            message = "a bug"
            raise RuntimeError(message)
        return original(event, received_at=received_at)

    original = intake.parse
    monkeypatch.setattr(intake, "parse", parse)

    read = intake.read(batch(EVENT, {}, EVENT), received_at=NOW)

    [(message, error)] = read.malformed
    assert message == "m-2"
    assert str(error) == "the event could not be read: RuntimeError: a bug"
    assert len(read.triggers) == 2


def test_a_trigger_knows_the_message_that_brought_it():
    read = intake.read(batch({"resource": ARN}, {"resource": ARN}), received_at=NOW)
    first, second = (trigger for _, trigger in read.triggers)

    assert list(read.message_of(first)) == ["m-1"]
    assert list(read.message_of(second)) == ["m-2"]


def test_a_bare_event_is_read_and_says_what_is_wrong_with_it():
    assert not intake.is_batch(EVENT)
    assert [trigger.target.arn for _, trigger in intake.read(EVENT, received_at=NOW).triggers] == [ARN]
    with pytest.raises(MalformedEventError):
        intake.read({"Records": "no list"}, received_at=NOW)


def test_what_failed_is_answered_in_the_shape_that_sqs_expects():
    assert intake.failures({"m-2", "m-1"}) == {
        "batchItemFailures": [{"itemIdentifier": "m-1"}, {"itemIdentifier": "m-2"}]
    }
    assert intake.failures(set()) == {"batchItemFailures": []}


def test_messages_are_handled_one_by_one():
    handled = []

    def handle(body):
        if body == "bad":
            raise ThrottledError(body)
        handled.append(body)

    answer, errors = intake.each(batch("first", "bad", "last"), handle)

    assert handled == ["first", "last"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-2"}]}
    assert [str(error) for error in errors] == ["bad"]
