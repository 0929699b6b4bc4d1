"""How far a sweep has come: the rows of the State table, and the same in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fakes import NOW, MemorySweeps
from warden.core.errors import ConflictError
from warden.core.progress import Progress
from warden.core.unannounced import NOTHING, Run
from warden.gateways.sweeps import DynamoSweeps

CLUSTERS, SNAPSHOTS = "AWS::RDS::DBCluster", "AWS::RDS::DBSnapshot"


@pytest.fixture(params=["dynamodb", "memory"])
def sweeps(request):
    if request.param == "memory":
        return MemorySweeps()
    tables = request.getfixturevalue("tables")
    return DynamoSweeps(
        request.getfixturevalue("dynamodb"), tables.state, account="123456789012", region="eu-west-1"
    )


def progress(run_id="run"):
    return Progress(run_id=run_id, began=NOW, policy_version="abc")


def marks(one, *names):
    return [one.mark(name) for name in names]


def test_there_is_none_until_one_is_kept_and_none_once_it_has_ended(sweeps):
    assert sweeps.current() is None
    later = progress().kept(done=(CLUSTERS,), counts={"opened": 3, "controls": {"x": {"COMPLIANT": 2}}})
    sweeps.keep(later, SNAPSHOTS, [])
    assert sweeps.current() == later
    sweeps.end()
    assert sweeps.current() is None


def test_what_was_visited_adds_up_by_type(sweeps):
    one = progress().kept(done=(), counts={})
    sweeps.keep(one, CLUSTERS, marks(one, "a", "b"))
    two = one.kept(done=(), counts={})
    sweeps.keep(two, CLUSTERS, marks(two, "c"))
    three = two.kept(done=(CLUSTERS,), counts={})
    sweeps.keep(three, SNAPSHOTS, marks(three, "a"))

    assert sweeps.visited(three, CLUSTERS) == frozenset(marks(one, "a", "b", "c"))
    assert sweeps.visited(three, SNAPSHOTS) == frozenset(marks(one, "a"))


def test_marks_of_another_sweep_do_not_count(sweeps):
    one = progress("first").kept(done=(), counts={})
    sweeps.keep(one, CLUSTERS, marks(one, "a"))

    assert sweeps.visited(progress("second"), CLUSTERS) == frozenset()
    assert one.mark("a") != progress("second").mark("a")


def test_many_thousand_marks_fit(sweeps):
    one = progress().kept(done=(), counts={})
    many = marks(one, *(f"key-{number}" for number in range(20_000)))
    sweeps.keep(one, CLUSTERS, many)

    assert sweeps.visited(one, CLUSTERS) == frozenset(many)
    assert len(set(many)) == 20_000


def test_a_sweep_is_good_for_a_day_and_for_its_policy():
    one = progress()
    assert one.is_good(NOW + timedelta(hours=23), "abc")
    assert not one.is_good(NOW + timedelta(hours=24), "abc")
    assert not one.is_good(NOW, "def")


def test_what_a_sweep_leaves_is_what_the_next_one_finds_and_nobody_writes_over_another(sweeps):
    assert sweeps.last() == NOTHING
    run = Run(run_id="one", ended=NOW, expected=frozenset({"a", "b"}))
    left = NOTHING.after(run, judged_by="policy/code", judged=frozenset({"a", "b", "c"}))
    sweeps.leave(left)

    found = sweeps.last()
    assert replace(found, revision=0) == left
    with pytest.raises(ConflictError):
        sweeps.leave(left)
    sweeps.leave(found.counted(found.due(NOW + timedelta(hours=1))))
    assert sweeps.last().runs == ()
    assert sweeps.last().judged == left.judged
    assert sweeps.current() is None
