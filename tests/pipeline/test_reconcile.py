"""CloudTrail against the ledger: what matches, what a crash left, what differs, and what cannot be known."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fakes import MemoryReconciliations
from fakes.aws import HERE
from pipeline.world import OWN_ROLE, World
from warden.core.errors import AccessDeniedError, ThrottledError, TransientError, UnreadableRowError
from warden.core.reconciliation import Recorded
from warden.pipeline.reconcile import LATE, Reconciler, Reconciliation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from warden.core.errors import WardenError


class Trail:
    """CloudTrail: the records that have been delivered so far."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.error: WardenError | None = None

    def writes(self, *, since: datetime, until: datetime) -> Sequence[Recorded]:
        if self.error is not None:
            raise self.error
        found = [Recorded.of(record, {OWN_ROLE}) for record in self.records]
        return [one for one in found if one is not None and since <= one.at <= until]


class Both:
    """A world, and what CloudTrail recorded of it."""

    def __init__(self) -> None:
        self.world = World()
        self.trail = Trail()
        self.kept = MemoryReconciliations()
        self.arn = self.world.cluster(DeletionProtection=False)

    def record(self, operation: str, request_id: str, parameters: Any, **members: Any) -> dict[str, Any]:
        identity = {
            "type": "AssumedRole",
            "arn": "arn:aws:sts::123456789012:assumed-role/warden-remediate/session",
            "sessionContext": {"sessionIssuer": {"arn": OWN_ROLE}},
        }
        record = {
            "eventID": f"event-{len(self.trail.records)}",
            "requestID": request_id,
            "eventName": operation,
            "eventSource": "rds.amazonaws.com",
            "eventTime": self.world.clock().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "readOnly": False,
            "userIdentity": identity,
            "requestParameters": parameters,
            **members,
        }
        self.trail.records.append(record)
        return record

    def protect(self, request_id: str, *, value: bool = True, **members: Any) -> dict[str, Any]:
        """CloudTrail's record of the call that the remediation makes."""
        spelt = {
            "dBClusterIdentifier": "orders",
            "deletionProtection": value,
            "applyImmediately": True,
            "allowMajorVersionUpgrade": False,
        }
        [call] = self.world.aws.calls[-1:] or [None]
        if call is None or "ApplyImmediately" not in call.parameters:
            del spelt["applyImmediately"]
        return self.record("ModifyDBCluster", request_id, spelt, **members)

    def remediate(self) -> None:
        self.world.look(self.arn)
        self.world.remediate()

    def reconcile(self) -> Reconciliation:
        return Reconciler(
            deployment=HERE,
            trail=self.trail,
            chains=self.world.ledger,
            ledger=self.world.ledger,
            reconciliations=self.kept,
            clock=self.world.clock,
        ).reconcile()

    def later(self, **ago: float) -> Reconciliation:
        self.world.clock.advance(**(ago or {"hours": 1}))
        return self.reconcile()

    def edit(self, change: Callable[[dict[str, Any]], None], *, kind: str) -> None:
        """Change an entry of the ledger behind Warden's back."""
        chain = self.world.ledger._chains[self.world.key(self.arn)]
        [at] = [n for n, one in enumerate(chain) if one.entry["kind"] == kind]
        entry = json.loads(json.dumps(chain[at].entry))
        change(entry)
        chain[at] = replace(chain[at], entry=entry)


@pytest.fixture
def both() -> Both:
    return Both()


def crash_after_the_write(both: Both) -> None:
    """The call is made, and the step dies before it can say so."""

    class Dies:
        def __getattr__(self, name):
            return getattr(both.world.aws, name)

        def apply(self, *given):
            both.world.aws.apply(*given)
            msg = "the answer was lost"
            raise TransientError(msg)

    both.world.look(both.arn)
    both.world.wrap = lambda name, port: Dies() if name == "writer" else port
    with pytest.raises(TransientError):
        both.world.remediate()
    both.world.wrap = lambda _, port: port


def test_a_write_with_its_intent_matches_and_is_on_record(both):
    both.remediate()
    both.protect("request-1")

    found = both.later()

    assert (found.writes, found.intents, found.matched) == (1, 1, 1)
    assert (found.differences, found.settled, found.problems) == ([], [], [])
    [entry] = both.world.ledger.of_kind("reconciliation")
    assert entry["chain"] == "deployment/123456789012/eu-west-1"
    assert (entry["after"]["writes"], entry["after"]["differences"]) == (1, [])
    assert both.kept.row is not None
    assert both.kept.row.until == both.world.clock() - LATE


@pytest.mark.parametrize("operation", ["ModifyDBCluster", "DeleteDBInstance"])
def test_a_write_that_nobody_intended_differs_and_is_told_once(both, operation):
    both.record(operation, "rogue", {"dBClusterIdentifier": "orders", "deletionProtection": False})

    [difference] = both.later().differences
    assert (difference.event_id, "rogue" in difference.what) == ("event-0", True)
    [entry] = both.world.ledger.of_kind("reconciliation")
    assert entry["after"]["differences"][0]["event_id"] == "event-0"

    assert both.later(hours=23).differences == [], "the windows overlap"
    assert both.later(hours=24).differences == []


def moved(both: Both, record: dict[str, Any], **by: float) -> None:
    """Let a record be of another time."""
    record["eventTime"] = (both.world.clock() + timedelta(**by)).strftime("%Y-%m-%dT%H:%M:%SZ")


ANOTHER_SESSION = {
    "type": "AssumedRole",
    "arn": "arn:aws:sts::123456789012:assumed-role/warden-remediate/rogue",
    "sessionContext": {"sessionIssuer": {"arn": OWN_ROLE}},
}


@pytest.mark.parametrize(
    "how", ["much later", "another session", "another value", "unknown values", "five attempts"]
)
def test_a_write_once_more_was_intended_by_nobody(both, how):
    both.remediate()
    both.protect("request-1")
    if how == "five attempts":
        for number in range(3):
            both.protect(f"attempt-{number}")
    rogue = both.protect("rogue", value=how != "another value")
    if how == "much later":
        moved(both, rogue, minutes=4)
    if how == "another session":
        rogue["userIdentity"] = ANOTHER_SESSION
    if how == "unknown values":
        rogue["requestParameters"] = {"omitted": True}

    found = both.later()

    assert [one.event_id for one in found.differences] == [rogue["eventID"]]
    assert len(found.repeated) == (3 if how == "five attempts" else 0)


@pytest.mark.parametrize("crashed", [False, True])
def test_a_call_that_the_sdk_made_again_is_one_write_and_is_said(both, crashed):
    """Four attempts (`gateways.clients`), of which AWS took three; only the last answer came, or none."""
    for seconds in (0, 25):
        moved(both, both.protect(f"lost-{seconds}"), seconds=seconds)
    if crashed:
        crash_after_the_write(both)
    else:
        both.remediate()
    moved(both, both.protect("request-1"), seconds=50)

    found = both.later()

    assert (found.differences, found.problems) == ([], [])
    assert len(found.settled) == crashed
    assert len(found.repeated) == 2
    assert "request-1" in found.repeated[0].what or crashed
    [entry] = both.world.ledger.of_kind("reconciliation")
    assert len(entry["after"]["repeated"]) == 2
    assert both.later(hours=20).repeated == [], "it is said once"


def test_a_checkpoint_that_cannot_be_read_is_a_problem_and_stays(both):
    both.remediate()
    both.protect("request-1")

    def unreadable():
        msg = "the checkpoint cannot be read"
        raise UnreadableRowError(msg)

    both.kept.get = unreadable
    for _ in range(2):
        found = both.later(hours=24)
        assert found.problems == ["the checkpoint cannot be read."]
        assert both.kept.row is None, "nothing is taken for compared"
    del both.kept.get
    assert both.later().problems == []


def test_what_the_ledger_says_was_made_must_be_in_cloudtrail(both):
    both.remediate()

    [difference] = both.later().differences

    assert difference.chain == both.world.key(both.arn)
    assert "request-1" in difference.what


def test_a_record_that_comes_late_is_matched_and_one_that_comes_later_still_is_not_lost(both):
    both.remediate()
    both.world.clock.advance(minutes=10)
    assert both.reconcile().differences == [], "it is not yet missed"
    both.world.clock.advance(hours=20)
    both.record("DeleteDBInstance", "rogue", {"dBInstanceIdentifier": "x"})
    late = both.trail.records.pop()
    both.world.clock.advance(hours=4)
    both.protect("request-1")
    both.trail.records[-1]["eventTime"] = both.world.ledger.of_kind("intent")[0]["at"][:19] + "Z"
    assert both.reconcile().differences == []
    both.trail.records.append({**late, "eventID": "late"})

    assert [one.event_id for one in both.later(hours=20).differences] == ["late"]


@pytest.mark.parametrize("made", [True, False])
def test_an_intent_that_a_crash_left_is_settled_by_what_cloudtrail_shows(both, made):
    crash_after_the_write(both)
    if made:
        both.protect("unknown")

    found = both.later()

    assert found.differences == []
    [settled] = found.settled
    assert settled.what.endswith("it was made." if made else "it was not made.")
    assert both.later(hours=20).settled == []


@pytest.mark.parametrize(
    "how", ["another value", "another parameter", "too late", "too early", "another call"]
)
def test_a_crash_excuses_no_other_write(both, how):
    crash_after_the_write(both)
    record = both.protect("unknown", value=how != "another value")
    if how == "another parameter":
        record["requestParameters"]["backupRetentionPeriod"] = 1
    if how == "another call":
        record["eventName"] = "DeleteDBCluster"
    if how in {"too late", "too early"}:
        moved = timedelta(minutes=-10 if how == "too early" else 10)
        record["eventTime"] = (both.world.clock() + moved).strftime("%Y-%m-%dT%H:%M:%SZ")

    found = both.later()

    assert [one.event_id for one in found.differences] == ["event-0"]
    assert [one.what.endswith("it was not made.") for one in found.settled] == [True]


def test_a_call_that_the_ledger_says_was_refused_and_was_made_differs(both):
    both.world.aws.fail("ModifyDBCluster", AccessDeniedError("no"))
    both.remediate()
    both.protect("unknown")

    [difference] = both.later().differences
    assert "FAILED" in difference.what


@pytest.mark.parametrize(
    "members",
    [
        {"errorCode": "InvalidDBClusterStateFault"},
        {"readOnly": True},
        {"eventSource": "logs.amazonaws.com", "eventName": "CreateLogStream"},
        {"userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/alice"}},
        {
            "userIdentity": {
                "invokedBy": "rds.amazonaws.com",
                "sessionContext": {"sessionIssuer": {"arn": OWN_ROLE}},
            }
        },
    ],
    ids=["refused", "a read", "the log of the function", "somebody else's", "a service's own"],
)
def test_what_is_no_write_of_ours_is_none(both, members):
    both.protect("unknown", **members)

    found = both.later()

    assert (found.writes, found.differences) == (0, [])


def test_an_edited_entry_differs(both):
    both.remediate()
    both.protect("request-1")
    both.edit(lambda entry: entry["after"]["calls"][0]["parameters"].clear(), kind="intent")

    found = both.later()

    said = " ".join(one.what for one in found.differences)
    assert "no entry before says that it was intended" in said
    assert "was changed after it was written" in said


def test_an_entry_whose_request_id_was_edited_leaves_both_sides_alone(both):
    both.remediate()
    both.protect("request-1")
    both.edit(lambda entry: entry["after"].update(request_id="forged"), kind="outcome")

    said = " ".join(one.what for one in both.later().differences)

    assert "request id forged, and CloudTrail shows no such call" in said
    assert "request id request-1, and no entry of the ledger" in said


@pytest.mark.parametrize("error", [ThrottledError("slow down"), AccessDeniedError("no")])
def test_what_cannot_be_read_is_a_problem_and_is_read_again(both, error):
    both.record("DeleteDBInstance", "rogue", {"dBInstanceIdentifier": "x"})
    both.trail.error = error

    found = both.later()

    [problem] = found.problems
    assert str(error) in problem
    assert both.kept.row is None
    assert both.world.ledger.of_kind("reconciliation")[0]["after"]["problems"] == [problem]
    both.trail.error = None
    assert [one.event_id for one in both.reconcile().differences] == ["event-0"]


def test_what_cloudtrail_keeps_no_more_is_a_problem(both):
    both.reconcile()
    both.world.clock.advance(days=100)

    assert "90 days" in both.reconcile().problems[0]
    assert both.reconcile().problems == []
