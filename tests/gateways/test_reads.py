"""What one reader shares within a sweep: answers, and refusals that asking again would not change."""

from __future__ import annotations

import gc
import weakref

import pytest
from botocore.exceptions import ClientError

from fakes import NOW, MemoryTemporaries
from warden.core.errors import AccessDeniedError, RejectedError, ThrottledError, UnsupportedError
from warden.core.procedure import Record
from warden.gateways.errors import translated
from warden.gateways.reads import Reads


class Answers:
    """Gives one answer after the other, and counts what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = 0

    def __call__(self):
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def ask(reads, answers):
    return reads.once("key", answers)


def test_within_a_sweep_an_answer_is_read_once():
    reads, answers = Reads(None, bulk=True), Answers([], ["never"])

    assert (ask(reads, answers), ask(reads, answers), answers.asked) == ([], [], 1)


@pytest.mark.parametrize("refusal", [AccessDeniedError("no"), UnsupportedError("what?")])
def test_that_we_may_not_ask_is_heard_once_and_told_to_everybody(refusal):
    reads, answers = Reads(None, bulk=True), Answers(refusal, "never")

    for _ in range(3):
        with pytest.raises(type(refusal)):
            ask(reads, answers)
    assert answers.asked == 1


def test_a_refusal_that_is_told_again_and_again_keeps_nothing_of_who_heard_it():
    reads, answers = Reads(None, bulk=True), Answers(AccessDeniedError("no"))
    depths = set()
    for _ in range(5):
        with pytest.raises(AccessDeniedError) as heard:
            ask(reads, answers)
        depths.add(len(list(heard.traceback)))

    assert max(depths) <= 5


def test_a_refusal_keeps_nothing_of_what_its_first_hearer_had_read():
    class Page(list):
        """What can be seen to be let go."""

    reads = Reads(None, bulk=True)
    seen = []

    def read():
        page = Page([1])
        seen.append(weakref.ref(page))
        message = "no"
        raise AccessDeniedError(message, code="AccessDenied") from ClientError({}, "DescribeKey")

    with pytest.raises(AccessDeniedError):
        reads.once("key", read)
    gc.collect()
    assert seen[0]() is None
    with pytest.raises(AccessDeniedError, match="no") as heard:
        reads.once("key", read)
    assert (heard.value.code, heard.value.__cause__, len(seen)) == ("AccessDenied", None, 1)


@pytest.mark.parametrize("failure", [ThrottledError("slower"), RejectedError("not this one")])
def test_what_may_pass_by_itself_is_asked_again(failure):
    reads, answers = Reads(None, bulk=True), Answers(failure, "now")

    with pytest.raises(type(failure)):
        ask(reads, answers)
    assert ask(reads, answers) == "now"


def test_what_does_not_pass_is_not_asked_for_by_everybody():
    reads, answers = Reads(None, bulk=True), Answers(*[ThrottledError("slower")] * 3)

    for _ in range(10):
        with pytest.raises(ThrottledError):
            ask(reads, answers)
    assert answers.asked == 3


def page_of_html():
    # What botocore makes of an answer of status 404 that it cannot parse.
    return ClientError(
        {
            "Error": {"Code": "404", "Message": "<!doctype html>"},
            "ResponseMetadata": {"HTTPStatusCode": 404},
        },
        "DescribeRegionSettings",
    )


def test_an_emulator_that_answers_with_a_page_does_not_know_the_call():
    with pytest.raises(UnsupportedError, match="does not implement"), translated("backup:X", emulator=True):
        raise page_of_html()


def test_aws_never_does_so_because_it_does_not_know_a_call():
    with pytest.raises(RejectedError), translated("backup:X", emulator=False):
        raise page_of_html()


class Counting(MemoryTemporaries):
    """Records that count how they are asked for."""

    def __init__(self, *records):
        super().__init__()
        for record in records:
            self.put(record, over=None)
        self.asked = []

    def get(self, arn):
        self.asked.append(arn)
        return super().get(arn)

    def all(self):
        self.asked.append("all")
        return super().all()


@pytest.mark.parametrize(("bulk", "asked"), [(True, ["all"]), (False, ["made", "other", "made"])])
def test_the_records_of_procedures_are_read_once_for_a_list_and_afresh_for_an_event(bulk, asked):
    record = Record(
        arn="made",
        serves="snapshot",
        serves_key="key",
        controls=("control",),
        pledge="p",
        nonce="n",
        announced_at=NOW,
    )
    kept = Counting(record)
    reads = Reads(None, bulk=bulk, temporaries=kept)

    assert [reads.record(arn) for arn in ("made", "other", "made")] == [record, None, record]
    assert kept.asked == asked
    assert Reads(None, bulk=bulk).record("made") is None
