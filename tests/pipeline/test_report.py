"""Visits as log lines, counts, and the answer to a manual invoke."""

from __future__ import annotations

from pipeline.world import ALICE, CONTROLS, EXPORTS, PROTECTION, World, changed
from warden.pipeline import report

CLUSTER_CONTROLS = sum(control.resource_type == "AWS::RDS::DBCluster" for control in CONTROLS)


def _broken(_resource, _settings):
    message = "a bug"
    raise ZeroDivisionError(message)


def visits():
    world = World(controls=changed(EXPORTS, evaluate=_broken))
    drifted, fine = world.cluster("drifted", DeletionProtection=False), world.cluster("fine")
    visits = world.evaluate(drifted, fine, event_id="e-1", principal=ALICE).visits
    world.aws.remove(fine)
    return [*visits, world.look(fine)]


def test_everything_is_counted():
    assert dict(report.counts(visits())) == {
        "Visits": 3,
        "FindingsOpened": 1,
        "FindingsResolved": 0,
        "Skipped": 1,
        "Evaluations": 2 * CLUSTER_CONTROLS,
        "ControlErrors": 2,
        "InsufficientData": 2,
        "BudgetSpent": 0,
        "CircuitOpen": 0,
        "DayOne": 0,
        "DecisionRemediate": 1,
    }


def test_each_decision_and_each_bug_is_a_line():
    first, second, third = (report.lines(visit) for visit in visits())

    assert {(message, fields["control"]) for message, fields in first} == {
        ("decided", EXPORTS),
        ("decided", PROTECTION),
    }
    [decided] = [fields for _, fields in first if fields["control"] == PROTECTION]
    assert (decided["action"], decided["reason"], decided["event_id"]) == ("REMEDIATE", "policy", "e-1")
    [bug] = [fields for _, fields in second]
    assert "ZeroDivisionError: a bug" in bug["error"]
    assert "evidence" not in bug
    assert third == [
        ("skipped", {"arn": "arn:aws:rds:eu-west-1:123456789012:cluster:fine", "reason": "gone"})
    ]


def test_a_manual_invoke_answers_every_judgement():
    first, _, gone = report.summary(visits())

    assert first["opened"] == [PROTECTION]
    assert first["handed_over"] == [[PROTECTION, "REMEDIATE"]]
    assert len(first["evaluations"]) == CLUSTER_CONTROLS
    assert gone["skipped"] == "gone"
