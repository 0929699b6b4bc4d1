"""Everything through the same path: what a sweep sees, reports, resolves, and leaves alone."""

from __future__ import annotations

import pytest

from pipeline.world import (
    EXPORTS,
    INSTANCE_PROTECTION,
    PROTECTION,
    SNAPSHOT_PUBLIC,
    TLS,
    World,
    changed,
    writer_in,
)
from warden.core.errors import AccessDeniedError, ThrottledError
from warden.core.kinds import Need
from warden.gateways.findings import PackedFindings, to_row


def test_a_sweep_finds_what_no_event_told_of():
    world = World()
    cluster = world.cluster(DeletionProtection=False)
    instance = world.instance(DeletionProtection=False)
    snapshot = world.snapshot()
    everywhere = world.global_cluster()

    report = world.sweep()

    assert report.opened == 4
    assert dict(report.resources) == {
        "AWS::RDS::DBCluster": 1,
        "AWS::RDS::DBInstance": 1,
        "AWS::RDS::DBSnapshot": 1,
        "AWS::RDS::GlobalCluster": 1,
    }
    assert report.evaluations[PROTECTION, "NON_COMPLIANT"] == 1
    assert report.evaluations[EXPORTS, "COMPLIANT"] == 1
    assert report.problems == []
    assert {visit.arn for visit in report.visits} == {
        ref.arn for ref in (cluster, instance, snapshot, everywhere)
    }
    assert len(world.queues.remediations) == 4
    assert world.queues.triggers == []
    assert world.found(cluster, PROTECTION).cause["source"] == "sweep"
    entry = world.ledger.of_kind("sweep")[0]
    assert entry["after"]["controls"][PROTECTION] == {"NON_COMPLIANT": 1}
    assert entry["after"]["opened"] == 4


def test_a_second_sweep_writes_nothing():
    world = World("version = 1\n[defaults]\nmode = 'ticket'")
    world.cluster(DeletionProtection=False, EnabledCloudwatchLogsExports=[])
    world.instance(PubliclyAccessible=True)
    world.sweep()
    world.tell()
    writes, entries = world.findings.writes, len(world.ledger.entries)
    world.clock.advance(hours=6)

    report = world.sweep()

    assert world.findings.writes == writes
    assert [entry["kind"] for entry in world.ledger.entries[entries:]] == ["sweep"]
    assert world.queues.tickets == world.queues.triggers == []
    assert (report.opened, report.resolved, report.visits) == (0, 0, [])


def test_what_is_not_put_right_yet_is_handed_over_by_each_sweep():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.sweep()
    world.queues.remediations.clear()
    world.clock.advance(hours=6)
    world.sweep()

    assert [message.ref for message in world.queues.remediations] == [ref]


def test_a_resource_that_was_put_right_resolves():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.sweep()
    world.aws.update(ref, DeletionProtection=True)
    world.clock.advance(hours=6)

    assert world.sweep().resolved == 1
    assert world.found(ref, PROTECTION).workflow == "RESOLVED"


# --- what is not seen -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["cluster", "snapshot"])
def test_a_resource_that_is_gone_resolves_once_that_is_confirmed(kind):
    world = World()
    ref = world.cluster(DeletionProtection=False) if kind == "cluster" else world.snapshot()
    control = PROTECTION if kind == "cluster" else SNAPSHOT_PUBLIC
    world.sweep()
    key = world.key(ref)
    world.aws.remove(ref)
    world.aws.deny("resolve")
    world.aws.deny("read")
    world.clock.advance(hours=6)

    unconfirmed = world.sweep()
    assert world.findings.get(key, control).is_open
    [problem] = unconfirmed.problems
    assert problem.startswith(f"{ref.id}: its deletion could not be confirmed: ")
    assert unconfirmed.resolved == 0

    world.aws.heal()
    assert world.sweep().resolved == 1
    assert world.findings.get(key, control).workflow == "RESOLVED"
    assert world.sweep().resolved == 0


def test_a_resource_that_the_list_missed_is_not_taken_for_gone():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    snapshot = world.snapshot()
    world.sweep()
    world.wrap = _list_nothing

    report = world.sweep()

    assert report.resolved == 0
    assert report.problems == []
    assert world.found(ref, PROTECTION).is_open
    assert world.found(snapshot, SNAPSHOT_PUBLIC).is_open


def _list_nothing(name, port):
    class Blind:
        def __getattr__(self, attribute):
            return getattr(port, attribute)

        def list(self, _resource_type, _needs, **_):
            return iter(())

    return Blind() if name == "reader" else port


def test_what_a_list_holds_twice_is_visited_once():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.sweep()
    entries = len(world.ledger.entries)
    world.wrap = _list_twice
    world.clock.advance(hours=6)

    report = world.sweep()

    assert dict(report.resources) == {"AWS::RDS::DBCluster": 1}
    assert (report.opened, report.problems) == (0, [])
    assert [entry["kind"] for entry in world.ledger.entries[entries:]] == ["sweep"]
    assert world.found(ref, PROTECTION).is_open


def _list_twice(name, port):
    class Shifting:
        def __getattr__(self, attribute):
            return getattr(port, attribute)

        def list(self, resource_type, needs, **how):
            # A page begins with what the one before it ended with.
            for resource in port.list(resource_type, needs, **how):
                yield from (resource, resource)

    return Shifting() if name == "reader" else port


def test_a_rename_that_no_event_told_of_keeps_its_finding():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.sweep()
    moved = world.aws.rename(ref, "orders-blue")
    world.clock.advance(hours=6)

    report = world.sweep()

    assert (report.opened, report.resolved) == (0, 0)
    assert world.found(moved, PROTECTION).arn == moved.arn


@pytest.mark.parametrize(
    "error", [AccessDeniedError("no"), ThrottledError("slow down"), RuntimeError("a bug")], ids=repr
)
def test_a_kind_that_cannot_be_listed_is_reported_and_resolves_nothing(error):
    world = World()
    seen = world.cluster("aaa", DeletionProtection=False)
    unseen = world.cluster("zzz", DeletionProtection=False)
    instance = world.instance(DeletionProtection=False)
    world.sweep()
    world.aws.update(instance, DeletionProtection=True)
    world.clock.advance(hours=6)
    # The second page fails.
    world.aws.fail("list", error, ref=unseen)

    report = world.sweep()

    [problem] = report.problems
    assert problem.startswith("DB clusters: ")
    assert ("RuntimeError: a bug" in problem) == isinstance(error, RuntimeError)
    assert world.found(seen, PROTECTION).is_open
    assert world.found(unseen, PROTECTION).is_open
    assert world.found(instance, INSTANCE_PROTECTION).workflow == "RESOLVED", "other kinds are swept"
    assert world.ledger.of_kind("sweep")[-1]["after"]["problems"] == report.problems


def test_nothing_is_confirmed_where_a_kind_was_not_seen_whole():
    world = World()
    gone = world.cluster("aaa", DeletionProtection=False)
    other = world.cluster("zzz")
    world.sweep()
    key = world.key(gone)
    world.aws.remove(gone)
    world.aws.throttle("list", ref=other)

    assert world.sweep().resolved == 0
    assert world.findings.get(key, PROTECTION).is_open


# --- what goes wrong on the way ---------------------------------------------------------------------------


def test_a_bug_in_one_visit_is_reported_and_the_others_are_made():
    world = World()
    bad = world.cluster("bad", DeletionProtection=False)
    good = world.cluster("good", DeletionProtection=False)
    world.aws.fail("enrich", RuntimeError("a bug"), ref=bad)

    report = world.sweep()

    assert report.problems == ["bad: RuntimeError: a bug"]
    assert world.finding(good, PROTECTION) is not None
    assert report.resolved == 0


def test_what_passes_by_itself_is_left_to_the_queue_that_delivers_it_again():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.aws.throttle("enrich", times=1)

    report = world.sweep()

    assert report.problems == []
    assert [visit.skipped for visit in report.visits] == ["retry: rds:enrich: Throttling: Rate exceeded"]
    [visit] = world.deliver()
    assert visit.opened == (PROTECTION,)
    assert visit.cause["source"] == "sweep"
    assert world.found(ref, PROTECTION).is_open


@pytest.mark.parametrize("there", [True, False])
def test_a_row_that_somebody_took_to_pieces_costs_the_other_resources_nothing(there):
    world = World()
    bad = world.cluster("bad", DeletionProtection=False)
    good = world.cluster("good", DeletionProtection=False)
    world.sweep()
    rows = [to_row(finding) for finding in world.findings.all()]
    rows = [{**row, "body": "{"} if row["arn"] == bad.arn else row for row in rows]
    key = world.key(bad)
    world.aws.update(good, DeletionProtection=True)
    if not there:
        world.aws.remove(bad)
    world.wrap = _reading(rows)
    world.clock.advance(hours=6)

    report = world.sweep()

    [problem] = report.problems
    assert problem.startswith(
        "bad: JSONDecodeError: " if there else f"{key}: its findings could not be read: "
    )
    assert world.findings.get(key, PROTECTION).is_open
    assert world.found(good, PROTECTION).workflow == "RESOLVED"


def test_what_cannot_even_be_left_to_the_queue_is_a_problem():
    world = World()
    world.cluster(DeletionProtection=False)
    world.aws.throttle("enrich")

    def closed(_body):
        message = "sqs: no"
        raise AccessDeniedError(message)

    world.queues.trigger = closed
    assert world.sweep().problems == ["orders: sqs: no"]


def test_a_finding_that_another_step_wrote_meanwhile_is_judged_again():
    world = World("version = 1\n[defaults]\nmode = 'ticket'")
    ref = world.cluster(DeletionProtection=False)
    world.sweep()
    rows = [to_row(finding) for finding in world.findings.all()]
    world.tell()
    world.aws.update(ref, DeletionProtection=True)
    world.clock.advance(hours=6)
    world.wrap = _reading(rows)

    report = world.sweep()
    assert report.problems == []
    world.wrap = lambda _, port: port
    world.deliver()

    assert world.found(ref, PROTECTION).workflow == "RESOLVED"
    assert set(world.tell()) <= {"resolved", "known"}
    assert world.told()[-1] == ("RESOLVED", PROTECTION)


def _reading(rows):
    """What reads these rows of the table, and not what is there."""

    def wrap(name, port):
        class Stale:
            def __getattr__(self, attribute):
                return getattr(port, attribute)

            def as_they_are(self, resource_types):
                return PackedFindings(rows, resource_types)

        return Stale() if name == "findings" else port

    return wrap


def test_a_control_that_raises_is_reported_with_its_traceback():
    def broken(_resource, _settings):
        message = "a bug"
        raise ZeroDivisionError(message)

    world = World(controls=changed(PROTECTION, evaluate=broken))
    world.cluster()

    report = world.sweep()

    assert report.evaluations[PROTECTION, "INSUFFICIENT_DATA"] == 1
    [visit] = report.visits
    assert any("ZeroDivisionError: a bug" in j.evaluation.error for j in visit.judgements)


def test_a_throttled_need_is_insufficient_data_in_a_sweep_and_no_pass():
    world = World()
    world.cluster()
    world.without_tls()
    world.sweep()
    world.aws.parameter_groups["orders-pg16"]["rds.force_ssl"]["ParameterValue"] = "1"
    world.aws.throttle(Need.PARAMETERS)
    world.clock.advance(hours=6)

    report = world.sweep()

    assert report.evaluations[TLS, "INSUFFICIENT_DATA"] == 1
    assert report.resolved == 0
    assert [visit.arn.rpartition(":")[2] for visit in report.visits] == ["orders"]


def test_a_global_cluster_whose_writer_is_elsewhere_is_the_others_to_count():
    world = World()
    ref = world.global_cluster(writer="us-east-1")
    assert dict(world.sweep().resources) == {}

    world.aws.update(ref, GlobalClusterMembers=writer_in("eu-west-1"))
    assert dict(world.sweep().resources) == {"AWS::RDS::GlobalCluster": 1}


def test_a_kind_without_controls_is_not_even_listed():
    world = World(controls=[c for c in changed(PROTECTION) if c.resource_type == "AWS::RDS::DBInstance"])
    world.cluster()
    world.aws.fail("list", AssertionError("nobody may ask"))

    assert world.sweep().problems == []


def test_a_row_that_waits_is_not_ended_by_a_sweep():
    world = World()
    ref = world.cluster(DeletionProtection=False, Status="modifying")
    world.look(ref)
    row = world.state.waiting(ref.arn)
    world.aws.update(ref, Status="available")
    world.clock.advance(minutes=1)
    world.sweep()

    assert world.state.waiting(ref.arn) == row


def test_what_was_listed_needs_no_confirmation():
    world = World()
    world.cluster(DeletionProtection=False)
    world.snapshot()
    world.sweep()
    world.clock.advance(hours=6)
    for method in ("resolve", "read"):
        world.aws.fail(method, AssertionError("nobody may ask"))

    assert world.sweep().problems == []
