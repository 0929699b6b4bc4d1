"""From triggers to visits: what is looked at, what is refused, what fails and is delivered again."""

from __future__ import annotations

import pytest

from pipeline.remediations import between
from pipeline.world import (
    ALICE,
    EXPORTS,
    GLOBAL_PROTECTION,
    PROTECTION,
    TLS,
    World,
    changed,
)
from warden.core.errors import ConflictError, ThrottledError, TransientError
from warden.core.kinds import Need
from warden.core.resource import ResourceRef, ResourceType
from warden.core.trigger import Lookup, Source, WholeKind

ACCOUNT, REGION = "123456789012", "eu-west-1"


def test_three_events_of_one_change_are_one_evaluation():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    by_id = Lookup(ResourceType.DB_CLUSTER, ACCOUNT, REGION, "cluster-ORDERSQQQQQQQQQQQQQQQQQQQQ")

    handled = world.evaluate(
        world.trigger(by_id, Source.CONFIG, event_name="ConfigurationItemChangeNotification"),
        world.trigger(ref, Source.RDS_EVENT, event_name="RDS-EVENT-0016"),
        world.trigger(ref, Source.CLOUDTRAIL, principal=ALICE),
    )

    [visit] = handled.visits
    assert visit.opened == (PROTECTION,)
    assert visit.cause["principal"] == ALICE, "the event that names somebody is the cause"
    assert world.found(ref, PROTECTION).cause["principal"] == ALICE
    assert len(world.queues.remediations) == 1
    assert len(world.ledger.of_kind("finding")) == 1


@pytest.mark.parametrize(
    ("sources", "told_by"),
    [
        ((Source.CLOUDTRAIL, Source.DEFERRAL), Source.DEFERRAL),
        ((Source.RDS_EVENT, Source.CLOUDTRAIL), Source.CLOUDTRAIL),
        ((Source.CONFIG, Source.RDS_EVENT), Source.RDS_EVENT),
    ],
)
def test_of_several_causes_the_one_that_tells_most_is_kept(sources, told_by):
    world = World()
    ref = world.cluster()

    [visit] = world.evaluate(*(world.trigger(ref, source) for source in sources)).visits

    assert visit.cause["source"] == told_by


def test_a_control_that_raises_is_insufficient_data_and_its_neighbours_are_judged():
    def broken(_resource, _settings):
        msg = "a bug"
        raise ZeroDivisionError(msg)

    world = World(controls=changed(PROTECTION, evaluate=broken))
    ref = world.cluster(DeletionProtection=False, EnabledCloudwatchLogsExports=[])

    visit = world.look(ref)

    assert world.compliance(visit)[PROTECTION] == "INSUFFICIENT_DATA"
    [judgement] = [j for j in visit.judgements if j.control.id == PROTECTION]
    assert "ZeroDivisionError: a bug" in judgement.evaluation.error
    assert world.finding(ref, PROTECTION) is None
    assert visit.opened == (EXPORTS,)
    assert [message.controls for message in world.queues.remediations] == [(EXPORTS,)]


@pytest.mark.parametrize("answer", [None, True, "COMPLIANT"])
def test_a_control_that_forgets_its_verdict_is_insufficient_data_and_no_pass(answer):
    world = World(controls=changed(PROTECTION, evaluate=lambda _resource, _settings: answer))
    ref = world.cluster(EnabledCloudwatchLogsExports=[])

    visit = world.look(ref)

    assert world.compliance(visit)[PROTECTION] == "INSUFFICIENT_DATA"
    assert visit.opened == (EXPORTS,)


def test_a_denied_describe_is_insufficient_data_for_every_control_and_writes_nothing():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.aws.deny("read", ref=ref)

    visit = world.look(ref)

    assert set(world.compliance(visit).values()) == {"INSUFFICIENT_DATA"}
    assert PROTECTION in world.compliance(visit)
    assert visit.cause["source"] == "cloudtrail"
    assert list(world.findings.all()) == []
    assert world.queues.remediations == []
    assert world.ledger.entries == []


def test_a_throttled_describe_is_delivered_again_and_its_neighbour_is_judged():
    world = World()
    slow, quick = world.cluster("slow"), world.cluster("quick", DeletionProtection=False)
    world.aws.throttle("read", ref=slow)
    first, second = world.trigger(slow), world.trigger(quick)

    handled = world.evaluate(first, second)

    [(failed, error)] = handled.failed
    assert failed is first
    assert isinstance(error, ThrottledError)
    assert [visit.arn for visit in handled.visits] == [quick.arn]
    assert world.found(quick, PROTECTION).is_open


def test_a_throttled_need_is_delivered_again_and_never_a_pass():
    world = World()
    ref = world.cluster()
    world.aws.throttle(Need.PARAMETERS)

    handled = world.evaluate(ref)

    assert [type(error) for _, error in handled.failed] == [ThrottledError]
    assert handled.visits == []


def test_a_denied_need_leaves_the_one_control_unjudged():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.aws.deny(Need.PARAMETERS)

    visit = world.look(ref)

    assert world.compliance(visit)[TLS] == "INSUFFICIENT_DATA"
    assert world.compliance(visit)[PROTECTION] == "NON_COMPLIANT"


def test_a_bug_in_one_visit_fails_its_own_triggers_alone():
    world = World()
    bad, good = world.cluster("bad"), world.cluster("good", DeletionProtection=False)
    world.aws.fail("read", RuntimeError("a bug"), ref=bad)

    handled = world.evaluate(bad, good, bad)

    assert [str(error) for _, error in handled.failed] == ["a bug", "a bug"]
    assert world.found(good, PROTECTION).is_open


def test_a_trigger_that_cannot_be_resolved_fails_alone():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.aws.throttle("resolve")
    lookup = Lookup(ResourceType.DB_CLUSTER, ACCOUNT, REGION, "cluster-X")

    handled = world.evaluate(lookup, ref)

    [(failed, _)] = handled.failed
    assert failed.target == lookup
    assert world.found(ref, PROTECTION).is_open


# --- what is not ours -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (
            ResourceRef.from_arn("arn:aws:rds:eu-west-1:999999999999:cluster:orders"),
            "not_governed: account 999999999999 is not 123456789012, the one this deployment governs",
        ),
        (
            ResourceRef.from_arn("arn:aws:rds:us-east-1:123456789012:cluster:orders"),
            "not_governed: Region us-east-1 is not eu-west-1, the one this deployment governs",
        ),
        (
            ResourceRef.from_arn("arn:aws-cn:rds:eu-west-1:123456789012:cluster:orders"),
            "not_governed: partition aws-cn is not aws",
        ),
        (
            ResourceRef.from_arn("arn:aws:rds:us-east-1:123456789012:cluster-pg:shared"),
            "not_governed: Region us-east-1 is not eu-west-1, the one this deployment governs",
        ),
        (
            Lookup(ResourceType.DB_CLUSTER, "999999999999", REGION, "cluster-X"),
            "not_governed: account 999999999999 is not 123456789012, the one this deployment governs",
        ),
        (
            WholeKind(ResourceType.DB_CLUSTER, ACCOUNT, "us-east-1"),
            "not_governed: Region us-east-1 is not eu-west-1, the one this deployment governs",
        ),
    ],
    ids=str,
)
def test_what_another_deployment_governs_is_refused_with_the_reason(target, reason):
    world = World()
    world.cluster(DeletionProtection=False)

    visit = world.look(target)

    assert visit.skipped == reason
    assert visit.judgements == ()
    assert world.aws.reads == []


def test_a_global_cluster_belongs_to_the_region_of_its_writer():
    world = World()
    ref = world.global_cluster(writer="us-east-1")

    away = world.look(ref)
    world.aws.update(ref, GlobalClusterMembers=[])
    here = world.look(ref)

    assert away.skipped == "not_governed: its writer is in us-east-1, whose deployment acts"
    assert here.opened == (GLOBAL_PROTECTION,)


def test_a_lookup_leads_to_the_resource_that_has_the_id_now():
    world = World()
    ref = world.cluster(DeletionProtection=False)

    visit = world.look(Lookup(ResourceType.DB_CLUSTER, ACCOUNT, REGION, "cluster-ORDERSQQQQQQQQQQQQQQQQQQQQ"))

    assert visit.arn == ref.arn
    assert visit.opened == (PROTECTION,)


def test_a_lookup_of_an_id_that_nothing_has_says_so():
    visit = World().look(Lookup(ResourceType.DB_CLUSTER, ACCOUNT, REGION, "cluster-NOBODY"))

    assert (visit.arn, visit.skipped) == ("cluster-NOBODY", "nothing_there")


def test_a_whole_kind_leads_to_everything_of_it():
    world = World()
    world.cluster("one", DeletionProtection=False)
    world.cluster("two")
    world.instance("billing", DeletionProtection=False)

    handled = world.evaluate(WholeKind(ResourceType.DB_CLUSTER, ACCOUNT, REGION))

    assert {visit.arn.rpartition(":")[2]: visit.opened for visit in handled.visits} == {
        "one": (PROTECTION,),
        "two": (),
    }


def test_one_of_a_kind_that_fails_is_looked_at_again_and_its_neighbours_are_looked_at_now():
    world = World()
    one = world.cluster("one", DeletionProtection=False)
    two = world.cluster("two", DeletionProtection=False)
    raised = []

    def fail():
        raised.append("once")
        msg = "the table is slow"
        raise TransientError(msg)

    between(world, "put", fail, port="findings", instead=True)
    everything = WholeKind(ResourceType.DB_CLUSTER, ACCOUNT, REGION)
    handled = world.evaluate(everything)

    assert raised
    [(failed, error)] = handled.failed
    assert (failed.target, str(error)) == (everything, "the table is slow")
    assert [visit.arn for visit in handled.visits] == [two.arn]
    assert [visit.opened for visit in world.evaluate(everything).visits] == [(PROTECTION,), ()]
    assert world.found(one, PROTECTION)


def test_what_is_named_beside_its_whole_kind_is_visited_once():
    world = World()
    one, two = world.cluster("one"), world.cluster("two")

    handled = world.evaluate(two, WholeKind(ResourceType.DB_CLUSTER, ACCOUNT, REGION))

    assert [visit.arn for visit in handled.visits] == [two.arn, one.arn]


def test_a_whole_kind_of_parameter_groups_leads_to_everything_that_may_use_one():
    world = World()
    world.cluster("one")
    world.instance("billing")

    clusters = world.evaluate(WholeKind(ResourceType.DB_CLUSTER_PARAMETER_GROUP, ACCOUNT, REGION))
    instances = world.evaluate(WholeKind(ResourceType.DB_PARAMETER_GROUP, ACCOUNT, REGION))
    nothing = world.evaluate(WholeKind(ResourceType.DB_SNAPSHOT, ACCOUNT, REGION))

    assert [visit.arn.rpartition(":")[2] for visit in clusters.visits] == ["one"]
    assert [visit.arn.rpartition(":")[2] for visit in instances.visits] == ["billing"]
    assert [visit.skipped for visit in nothing.visits] == ["nothing_there"]


def test_a_parameter_group_leads_to_the_clusters_that_use_it():
    world = World()
    user = world.cluster("orders")
    world.cluster("other", DBClusterParameterGroup="default.aurora-postgresql16")
    world.without_tls()
    group = ResourceRef.from_arn(f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster-pg:orders-pg16")

    visit = world.look(group, event_name="ModifyDBClusterParameterGroup")

    assert visit.arn == user.arn
    assert visit.opened == (TLS,)


# --- what is kept -----------------------------------------------------------------------------------------


def test_late_news_changes_nothing():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    stale = world.aws.read(ref, world.judge().needs(ref.resource_type))
    world.clock.advance(minutes=1)
    world.look(ref)
    world.aws.update(ref, DeletionProtection=True)
    world.clock.advance(minutes=1)
    world.look(ref)
    before, sent = world.found(ref, PROTECTION), list(world.queues.remediations)
    world.queues.tickets.clear()
    entries = len(world.ledger.entries)

    visit = world.evaluator.visitor.visit(stale, world.cause())

    assert visit.skipped == "late"
    assert world.found(ref, PROTECTION) == before
    assert world.queues.remediations == sent
    assert world.queues.tickets == []
    assert len(world.ledger.entries) == entries


def test_findings_are_written_only_on_change():
    world = World("version = 1\n[defaults]\nmode = 'observe'")
    ref = world.cluster(DeletionProtection=False, BackupRetentionPeriod=1)
    world.look(ref)
    writes, entries = world.findings.writes, len(world.ledger.entries)

    for _ in range(3):
        world.clock.advance(hours=1)
        world.look(ref)

    assert (world.findings.writes, len(world.ledger.entries)) == (writes, entries)
    world.aws.update(ref, BackupRetentionPeriod=2)
    world.look(ref)
    assert world.findings.writes == writes + 1


def test_a_compliant_resource_leaves_no_trace():
    world = World()

    visit = world.look(world.cluster())

    assert set(world.compliance(visit).values()) == {"COMPLIANT"}
    assert list(world.findings.all()) == []
    assert world.ledger.entries == []
    assert world.queues.remediations == world.queues.tickets == []


def test_insufficient_data_leaves_an_open_finding_as_it_is():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.look(ref)
    before = world.found(ref, PROTECTION)
    world.queues.remediations.clear()
    world.aws.hide("DeletionProtection")
    world.clock.advance(minutes=1)

    visit = world.look(ref)

    assert world.compliance(visit)[PROTECTION] == "INSUFFICIENT_DATA"
    assert world.found(ref, PROTECTION) == before
    assert world.queues.remediations == []


def test_a_finding_that_another_step_wrote_meanwhile_is_judged_anew_at_once():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.look(ref)
    world.queues.remediations.clear()
    world.aws.update(ref, DeletionProtection=True)
    world.wrap = _losing("findings", times=1)

    visit = world.look(ref)

    assert visit.resolved == (PROTECTION,)
    assert world.found(ref, PROTECTION).workflow == "RESOLVED"


def test_a_finding_that_others_write_all_the_time_is_left_to_the_queue():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.wrap = _losing("findings", times=99)

    handled = world.evaluate(ref)

    assert [type(error) for _, error in handled.failed] == [ConflictError]
    assert world.queues.remediations == [], "nothing is remediated that is not kept"


def _losing(name, *, times):
    left = [times]

    class Losing:
        def __init__(self, port):
            self._port = port

        def __getattr__(self, attribute):
            return getattr(self._port, attribute)

        def put(self, row):
            if left[0]:
                left[0] -= 1
                msg = "another was first"
                raise ConflictError(msg)
            return self._port.put(row)

    return lambda port_name, port: Losing(port) if port_name == name else port
