"""A finding through random histories, against a model that says the same in fewer words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fakes import NOW
from pipeline.crashes import assert_the_ledger_is_whole
from pipeline.world import CONTROLS, OWN_ROLE, PROTECTION, REMEDIATE_ALL, World, policy_of
from warden.core.control import ComplianceType
from warden.core.evaluation import Evaluation
from warden.core.finding import WorkflowStatus, advance
from warden.core.rows import Stop
from warden.core.trigger import Source

[CONTROL] = [control for control in CONTROLS if control.id == PROTECTION]
_TIMES = st.integers(0, 20).map(lambda minutes: NOW + timedelta(minutes=minutes))


class FindingMachine(RuleBasedStateMachine):
    """`advance` alone: evaluations of any outcome and of any age, in any order, and tickets in between."""

    @initialize()
    def begin(self):
        self.world = World()
        self.ref = self.world.cluster()
        self.finding = None
        # The model: what was last known to change, when, and what for.
        self.open = False
        self.since = self.last = None
        self.told = False
        self.annotation = ""

    @rule(
        compliance=st.sampled_from(list(ComplianceType)),
        at=_TIMES,
        annotation=st.sampled_from(["one", "two"]),
    )
    def observe(self, compliance, at, annotation):
        evaluation = Evaluation(
            control=CONTROL, ref=self.ref, compliance=compliance, annotation=annotation, evidence={"x": 1}
        )
        before = self.finding
        self.finding = advance(before, evaluation, resource_key="key", observed_at=at)

        if compliance is ComplianceType.INSUFFICIENT_DATA or (self.last is not None and at < self.last):
            assert self.finding is before
        elif compliance is ComplianceType.NON_COMPLIANT:
            if not self.open:
                self.open, self.since, self.last, self.told = True, at, at, False
            elif annotation != self.annotation:
                self.last = at
            self.annotation = annotation
        elif self.open:
            self.open, self.last = False, at
        else:
            assert self.finding is before

    @precondition(lambda self: self.finding is not None and self.finding.workflow is WorkflowStatus.NEW)
    @rule()
    def tell(self):
        self.finding = replace(
            self.finding, workflow=WorkflowStatus.NOTIFIED, revision=self.finding.revision + 1
        )
        self.told = True

    @precondition(lambda self: self.finding is not None)
    @rule()
    def attempt(self):
        self.finding = replace(self.finding, attempts=(*self.finding.attempts, NOW))

    @invariant()
    def model_agrees(self):
        if self.last is None:
            assert self.finding is None
            return
        assert self.finding.is_open == self.open
        assert self.finding.last_observed == self.last
        assert (self.finding.resolved_at is None) == self.open
        if self.open:
            assert self.finding.first_observed == self.since
            assert self.finding.annotation == self.annotation
            assert (self.finding.workflow is WorkflowStatus.NOTIFIED) == self.told


class PipelineMachine(RuleBasedStateMachine):
    """The four steps around one cluster, whatever happens to it and in whatever order messages are handled."""

    MODES = ("observe", "ticket", "remediate")

    @initialize(mode=st.sampled_from(MODES))
    def begin(self, mode):
        self.world = World()
        self.ref = self.world.cluster()
        self.the_policy_changes_to(mode)
        self.writes = 0
        self.drifts = 0

    def _now(self):
        self.world.clock.advance(seconds=30)

    # --- the world ----------------------------------------------------------------------------------------

    @rule(protected=st.booleans(), seen=st.booleans())
    def somebody_changes_it(self, protected, seen):
        item = self.world.aws.items[self.ref]
        self.drifts += item["DeletionProtection"] and not protected
        self.world.aws.update(self.ref, DeletionProtection=protected)
        if seen:
            self.evaluate(own=False)

    @rule(mode=st.sampled_from(MODES))
    def the_policy_changes(self, mode):
        self.the_policy_changes_to(mode)

    def the_policy_changes_to(self, mode):
        self.mode = mode
        self.world.policy = policy_of(REMEDIATE_ALL.replace('"remediate"', f'"{mode}"'))

    @rule(
        what=st.sampled_from(
            ["available", "modifying", "stop", "resume", "read: throttle", "read: deny", "read: heal"]
        )
    )
    def something_else_happens(self, what):
        """One rule for all of this: what is changed, judged and told must happen more often."""
        world = self.world
        match what:
            case "stop":
                world.state.set_stop(Stop(by="alice", reason="an incident", at=world.clock()))
            case "resume":
                world.state.set_stop(None)
            case "read: heal":
                world.aws.heal()
            case "read: throttle" | "read: deny":
                getattr(world.aws, what.removeprefix("read: "))("read")
            case status:
                world.aws.update(self.ref, Status=status)

    # --- the steps ----------------------------------------------------------------------------------------

    @rule()
    def our_own_write_comes_back(self):
        self.evaluate(own=True)

    def evaluate(self, *, own):
        self._now()
        handled = self.world.evaluate(self.ref, principal=OWN_ROLE if own else "")
        if own:
            assert all(
                not visit.handed_over or visit.handed_over[0][1] != "REMEDIATE" for visit in handled.visits
            )

    @rule()
    def sweep(self):
        self._now()
        self.world.sweep()

    @rule(minutes=st.sampled_from([0, 10, 70, 500]))
    def tick(self, minutes):
        self.world.clock.advance(minutes=minutes)
        self.world.waiting.look_again()
        self._now()
        self.world.deliver()

    @precondition(lambda self: self.world.queues.remediations)
    @rule(data=st.data())
    def remediate(self, data):
        self._now()
        queue = self.world.queues.remediations
        message = queue.pop(data.draw(st.integers(0, len(queue) - 1)))
        item = self.world.aws.items[self.ref]
        needed = not item["DeletionProtection"]
        may = (
            item["Status"] == "available"
            and self.mode == "remediate"
            and self.world.state.stop() is None
            and message.policy_version == self.world.policy.version
        )
        before = len(self.world.aws.attempts)
        self.world.remediate(message)
        made = len(self.world.aws.attempts) - before
        assert made <= (1 if needed and may else 0)
        self.writes += made

    @precondition(lambda self: self.world.queues.tickets)
    @rule(data=st.data())
    def tell(self, data):
        queue = self.world.queues.tickets
        self.world.ticketer.handle(queue.pop(data.draw(st.integers(0, len(queue) - 1))))

    # --- what must always hold ----------------------------------------------------------------------------

    @invariant()
    def no_write_without_a_drift(self):
        assert self.writes <= self.drifts

    @invariant()
    def nothing_is_leased_at_rest(self):
        assert self.world.state.leased == []

    @invariant()
    def the_ledger_is_whole(self):
        assert_the_ledger_is_whole(self.world)

    def teardown(self):
        """In the end everybody agrees with the world, once it holds still."""
        world = getattr(self, "world", None)
        if world is None:
            return
        world.aws.heal()
        world.aws.update(self.ref, Status="available")
        world.state.set_stop(None)
        world.clock.advance(days=2)
        for _ in range(8):
            world.clock.advance(minutes=70)
            world.evaluate(self.ref, source=Source.RDS_EVENT)
            world.waiting.look_again()
            world.deliver()
            while world.queues.remediations:
                world.remediate()
            world.tell()
        finding = world.finding(self.ref, PROTECTION)
        protected = world.aws.items[self.ref]["DeletionProtection"]
        if self.mode == "remediate":
            assert protected
        assert (finding is not None and finding.is_open) == (not protected)
        rows = [row.state for row in world.tickets.rows.values()]
        if protected:
            assert set(rows) <= {"resolved"}
        elif self.mode == "ticket":
            assert rows == ["open"]
            assert finding.workflow == "NOTIFIED"
        assert world.state.due(world.clock() + timedelta(days=1)) == []
        writes, told = world.findings.writes, len(world.sink.delivered)
        world.clock.advance(hours=1)
        world.sweep()
        assert (world.findings.writes, len(world.sink.delivered)) == (writes, told)


_SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
FindingMachine.TestCase.settings = settings(_SETTINGS, max_examples=150, stateful_step_count=25)
PipelineMachine.TestCase.settings = settings(_SETTINGS, max_examples=80, stateful_step_count=40)
TestFinding = FindingMachine.TestCase
TestPipeline = PipelineMachine.TestCase
