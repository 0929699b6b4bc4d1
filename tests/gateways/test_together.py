"""Reads at the same time: in their order, each with its own fault, nothing asked for twice."""

from __future__ import annotations

import inspect
import itertools
import threading
from typing import TYPE_CHECKING

import pytest

from gateways.estate import REGION, Estate
from warden.controls import all_controls
from warden.core.kinds import Need
from warden.core.resource import ResourceType
from warden.gateways import together
from warden.gateways.clients import Clients
from warden.gateways.enrichments import ANSWERS, BUILDS_ON_OTHERS
from warden.gateways.rds import Rds
from warden.gateways.reads import Reads

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def estate() -> Iterator[Estate]:
    """A cluster and an instance that stands alone."""
    login = {"MasterUsername": "steward", "MasterUserPassword": "correct-horse-battery"}
    with Estate() as made:
        rds = made.client("rds")
        rds.create_db_cluster(DBClusterIdentifier="orders", Engine="aurora-postgresql", **login)
        rds.create_db_instance(
            DBInstanceIdentifier="reports",
            Engine="postgres",
            DBInstanceClass="db.m6g.large",
            AllocatedStorage=20,
            **login,
        )
        yield made


@pytest.fixture(params=[1, 8], ids=["one thread", "eight"])
def _threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "threads", request.param)


@pytest.mark.usefixtures("_threads")
def test_what_is_read_at_the_same_time_comes_in_its_order() -> None:
    assert list(together.in_order(lambda number: number * 2, range(200))) == list(range(0, 400, 2))
    assert together.at_once(str, [3, 1, 2]) == ["3", "1", "2"]


def test_several_are_under_way_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "threads", 8)
    all_there = threading.Barrier(8)
    assert together.at_once(lambda _: all_there.wait(timeout=20) >= 0, list(range(8))) == [True] * 8


def test_whoever_is_one_of_the_threads_waits_for_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "threads", 4)
    all_there = threading.Barrier(4)

    def work(number: int) -> list[int]:
        if number % 5 == 0 and number < 20:
            all_there.wait(timeout=20)
        return together.at_once(lambda more: number + more, [1, 2, 3])

    assert list(together.in_order(work, range(40))) == [[n + 1, n + 2, n + 3] for n in range(40)]


@pytest.mark.usefixtures("_threads")
def test_a_failure_comes_where_its_item_stands_and_what_was_before_it_came() -> None:
    def work(number: int) -> int:
        if number == 42:
            raise LookupError(number)
        return number

    came: list[int] = []
    with pytest.raises(LookupError):
        came.extend(together.in_order(work, range(100)))
    assert came == list(range(42))


@pytest.mark.usefixtures("_threads")
def test_a_list_is_not_read_further_than_somebody_takes_of_it() -> None:
    read = []

    def items() -> object:
        for number in range(1000):
            read.append(number)
            yield number

    taken = together.in_order(lambda number: number, items())  # type: ignore[arg-type]
    assert next(taken) == 0
    taken.close()  # type: ignore[attr-defined]
    assert len(read) < 100


def test_who_takes_long_hands_back_what_he_has_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "threads", 4)
    clock = itertools.count(step=2 * together._LONG)
    monkeypatch.setattr(together.time, "perf_counter", lambda: next(clock))
    at_work: dict[int, str] = {}

    def work(number: int) -> int:
        at_work[number] = threading.current_thread().name
        return number

    assert list(together.in_order(work, range(100))) == list(range(100))
    assert sorted(at_work) == list(range(100)), "each of them once, and none is lost"


def test_of_a_list_memory_holds_few_items_that_nobody_has_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "threads", 4)
    monkeypatch.setattr(together.time, "perf_counter", itertools.count(step=1e-9).__next__)
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(5000):
            taken.append(number)
            yield number

    most = 0
    for number in together.in_order(lambda number: number, items()):
        most = max(most, len(taken) - number)
    assert 0 < most <= 5 * 16 + 16


def test_where_nothing_is_waited_for_no_thread_is_asked_and_where_something_is_they_are_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(together, "threads", 4)
    now = [0.0]
    monkeypatch.setattr(together.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(together.time, "thread_time", lambda: 0.0)
    names: list[str] = []

    def work(number: int) -> int:
        # Of the second thousand, each waits for an answer.
        if number >= 1000:
            now[0] += 0.004
        names.append(threading.current_thread().name)
        return number

    assert list(together.in_order(work, range(1300))) == list(range(1300))
    own = [name == threading.current_thread().name for name in names]
    assert all(own[500:1000])
    assert not any(own[-100:])


def test_what_many_ask_for_at_once_is_asked_of_aws_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "threads", 8)
    reads, all_there, asked = Reads(None, bulk=True), threading.Barrier(8), []  # type: ignore[arg-type]

    def ask(_: int) -> str:
        all_there.wait(timeout=20)
        return reads.once("key", lambda: asked.append(1) or "answer")  # type: ignore[func-returns-value]

    assert together.at_once(ask, list(range(8))) == ["answer"] * 8
    assert len(asked) == 1


def test_what_an_event_needs_twice_is_asked_for_once_and_the_next_event_asks_afresh(estate: Estate) -> None:
    key = estate.client("kms").create_key()["KeyMetadata"]["Arn"]
    rds = estate.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="sealed",
        Engine="aurora-postgresql",
        MasterUsername="steward",
        MasterUserPassword="correct-horse-battery",
        StorageEncrypted=True,
        KmsKeyId=key,
    )
    clusters = estate.reader(bulk=True).list(ResourceType.DB_CLUSTER, ())
    ref = next(one.ref for one in clusters if one.ref.id == "sealed")
    reader = estate.reader()
    for times in (1, 2):
        reader.read(ref, (Need.STORAGE_KEY, Need.KEY_ALIASES))
        asked = [call for call in estate.aws.calls if call.operation == "DescribeKey"]
        assert len(asked) == times


@pytest.mark.parametrize("need", ANSWERS, ids=str)
def test_an_answer_that_builds_on_others_says_so(need: Need) -> None:
    """A fact of another need that is read at the same time would be missing, or not, by chance."""
    source = inspect.getsource(ANSWERS[need])
    builds = "facts[Need." in source or "behind(resource)" in source
    assert builds is (need in BUILDS_ON_OTHERS)


@pytest.mark.parametrize("resource_type", [ResourceType.DB_CLUSTER, ResourceType.DB_INSTANCE], ids=str)
def test_no_answer_reads_one_that_is_read_at_the_same_time(
    estate: Estate, resource_type: ResourceType
) -> None:
    controls = [control for control in all_controls() if control.resource_type is resource_type]
    needs = {need for control in controls for need in control.needs}
    needs |= {need for one in controls if one.remediation is not None for need in one.remediation.needs}
    reads = Reads(
        Rds(Clients(account=estate.aws.account), account=estate.aws.account, region=REGION), bulk=True
    )
    answered = set()
    for resource in estate.reader(bulk=True).list(resource_type, needs):
        for need in needs & set(resource.facts):
            facts = resource.facts.fresh()
            ANSWERS[need](reads, resource.with_facts(facts))
            built_on = set(facts.read) & set(Need)
            assert not built_on or (need in BUILDS_ON_OTHERS and not built_on & BUILDS_ON_OTHERS)
            answered.add(need)
    assert len(answered) > 10, "or this would test nothing"
