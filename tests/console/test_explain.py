"""`warden explain`: for each row of the decision table, what it says of then, of now, and of what would change it."""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - of a dataclass
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from console import reasons
from pipeline.world import ALICE, PROTECTION, REMEDIATE_ALL, TLS, World
from scanning.runs import run
from warden import wiring
from warden.core.decision import ROWS, Mode, Reason
from warden.core.rows import Stop

if TYPE_CHECKING:
    from pathlib import Path

    from scanning.books import Books
    from scanning.runs import Run
    from warden.core.resource import ResourceRef

Capsys = pytest.CaptureFixture[str]
ORDERS = "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
KEY = "cluster-ORDERSQQQQQQQQQQQQQQQQQQQQ"
EXPORTS = "cluster_log_exports_complete"


class Case:
    """A deployment with a policy of its own, and `warden explain` about it."""

    def __init__(self, books: Books, capsys: Capsys, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.books, self.file = books, file
        self._capsys, self._patch = capsys, monkeypatch

    def world(self, policy: str = REMEDIATE_ALL, *, ceiling: Mode = Mode.REMEDIATE) -> World:
        world = self.books.kept_by(World(policy, ceiling=ceiling))
        self.file.write_text(policy, encoding="utf-8")
        self._patch.setattr(wiring, "clock", world.clock)
        return world

    def run(self, *arguments: str) -> Run:
        return run(self._capsys, "explain", *arguments, "--policy", str(self.file))

    def card(self, control: str = PROTECTION, arn: str = ORDERS) -> dict[str, Any]:
        [finding] = self.run(arn, control, "--format", "json").card["findings"]
        known: dict[str, Any] = finding
        return known


@pytest.fixture
def case(at_hand: Books, capsys: Capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    return Case(at_hand, capsys, tmp_path / "policy.toml", monkeypatch)


def row(card: dict[str, Any], reason: str, action: str | None = None) -> dict[str, Any]:
    [found] = [one for one in card["rows"] if one["reason"] == reason and action in {None, one["action"]}]
    known: dict[str, Any] = found
    return known


def drift(world: World, **members: Any) -> ResourceRef:
    """Alice turns deletion protection off, and it is looked at."""
    ref = world.cluster(**{"DeletionProtection": False, **members})
    world.look(ref, principal=ALICE, user_agent="aws-cli/2.31", source_ip="203.0.113.9")
    world.tell()
    return ref


# --- every row ------------------------------------------------------------------------------------------------


def no_remediation(world: World) -> None:
    drift(world, StorageEncrypted=False, KmsKeyId=None, StorageEncryptionType="none")


def flapping(world: World) -> None:
    ref = world.cluster()
    for _ in range(4):
        world.aws.update(ref, DeletionProtection=False)
        world.look(ref, principal=ALICE)
        if world.queues.remediations:
            world.remediate()
            world.look(ref)
        world.clock.advance(minutes=10)


def refused(world: World) -> None:
    world.aws.reject("DeletionProtection", "InvalidParameterCombination: not here")
    drift(world)
    world.remediate()
    world.tell()


def owned(world: World) -> None:
    drift(world, TagList=[{"Key": "aws:cloudformation:stack-name", "Value": "orders"}])


def asked(world: World) -> None:
    drift(world, EnabledCloudwatchLogsExports=[])


def busy(world: World) -> None:
    drift(world, Status="modifying")


HEAD = 'version = 1\n[defaults]\nmode = "remediate"\n'
EXEMPTION = f"""
[[exemptions]]
control = "*"
resource = "{KEY}"
owner = "orders-team"
reason = "Torn down every night"
expires = 2026-11-30
"""
FREEZE = """
[[freezes]]
from = 2026-11-20T00:00:00Z
until = 2026-12-01T06:00:00Z
reason = "Black Friday"
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What was done under a policy, the decision that it led to, and how what would change that begins."""

    policy: str
    do: Callable[[World], Any]
    control: str
    decided: tuple[str, str]
    change: str


TOLD = (
    Told(
        HEAD + EXEMPTION,
        drift,
        PROTECTION,
        ("SUPPRESS", "exempt"),
        "The exemption of orders-team would have to end: it lasts to the end of 2026-11-30, or until the policy "
        "drops it.",
    ),
    Told(
        f'version = 1\n[controls.{PROTECTION}]\nmode = "observe"',
        drift,
        PROTECTION,
        ("OBSERVE", "mode"),
        f"The mode would have to be remediate: controls.{PROTECTION}.mode of the policy says observe.",
    ),
    Told(
        'version = 1\n[defaults]\nmode = "ticket"',
        drift,
        PROTECTION,
        ("TICKET", "mode"),
        "The mode would have to be remediate: defaults.mode of the policy says ticket.",
    ),
    Told(
        HEAD + '[[scopes]]\nname = "test"\nmode = "observe"\nregions = ["eu-west-1"]',
        drift,
        PROTECTION,
        ("OBSERVE", "mode"),
        "The mode would have to be remediate: the scope 'test' says observe.",
    ),
    Told(
        HEAD + '[[scopes]]\nname = "test"\nmode = "ticket"\ntags = {env = "test"}',
        lambda world: drift(world, TagList=[{"Key": "env", "Value": "test"}]),
        PROTECTION,
        ("TICKET", "mode"),
        "The mode would have to be remediate: the scope 'test' (tags env=test) may say ticket, which cannot be seen "
        "from here.",
    ),
    Told(
        HEAD,
        no_remediation,
        "cluster_storage_encrypted",
        ("TICKET", "no_remediation"),
        "A person has to act, for Warden has no calls for it: ",
    ),
    Told(
        HEAD,
        flapping,
        PROTECTION,
        ("TICKET", "flapping"),
        f"Whoever changes it back ({ALICE}) would have to stop; at 2026-11-25 10:00 UTC the attempts are fewer than "
        "3 again.",
    ),
    Told(
        HEAD,
        refused,
        PROTECTION,
        ("TICKET", "remediation_failed"),
        "The calls that were refused are tried again from 2026-11-24 18:00 UTC on, or once they differ: The "
        "remediation was refused: ",
    ),
    Told(
        HEAD + "[limits]\nowner_grace_hours = 48",
        owned,
        PROTECTION,
        ("TICKET", "owner_first"),
        "The grace period of the stack's owner would have to end, as it does at 2026-11-26 10:00 UTC.",
    ),
    Told(
        HEAD,
        asked,
        EXPORTS,
        ("AWAIT_APPROVAL", "needs_approval"),
        "Somebody would have to approve it (`warden approve ",
    ),
    Told(
        HEAD,
        busy,
        PROTECTION,
        ("DEFER", "busy"),
        "The database would have to be available, with no blue/green deployment of it under way.",
    ),
    Told(
        HEAD + FREEZE,
        drift,
        PROTECTION,
        ("DEFER", "frozen"),
        "The freeze would have to end, as it does at 2026-12-01 06:00 UTC: Black Friday.",
    ),
    Told(
        HEAD + "[limits]\nwrites_per_hour = 0",
        drift,
        PROTECTION,
        ("DEFER", "blast_radius"),
        "Somebody would have to look at what was written, and call `warden acknowledge`: the budget ",
    ),
)


@pytest.mark.parametrize("told", TOLD, ids=lambda told: ".".join(told.decided))
def test_each_row_says_what_would_have_to_change(case: Case, told: Told) -> None:
    control, decided, change = told.control, told.decided, told.change
    told.do(case.world(told.policy))
    card = case.card(control)
    assert (card["decision"]["action"], card["decision"]["reason"]) == decided
    assert card["decision"]["sentence"] == reasons.why(card["decision"])
    assert [one for one in card["changes"] if one.startswith(change)], card["changes"]
    assert card["notes"] == []
    [place] = [place for place, one in enumerate(card["rows"]) if one["then"] == "decided"]
    assert {one["then"] for one in card["rows"][:place]} <= {"did not hold"}
    assert {one["then"] for one in card["rows"][place + 1 :]} <= {"not asked"}
    wanted = "policy" if decided[1] == "remediation_failed" else decided[1]
    assert card["rows"][place]["reason"] == wanted
    assert card["rows"][place]["holds_now"] is not False or wanted == "policy"
    text = case.run(ORDERS, control)
    assert text.status == 0
    assert f"  - {change}" in text.out
    assert f"{decided[0]} because of {decided[1]}: " in text.out
    assert f"{decided[0]} because of {decided[1]}: " in " ".join(case.run(ORDERS).out.split())


def test_every_reason_has_words_and_every_row_a_change() -> None:
    assert set(reasons.REASONS) == {reason.value for reason in Reason} | {"remediation_failed"}
    from console.obstacles import _ASK, _CHANGES

    assert {reason for _, reason in ROWS} == set(_ASK) | set(_CHANGES) | {Reason.MODE, Reason.POLICY}
    assert set(_ASK).isdisjoint(_CHANGES)


# --- more than one thing in the way ---------------------------------------------------------------------------


def test_everything_that_is_in_the_way_is_told_in_the_order_of_the_table(case: Case) -> None:
    world = case.world(HEAD + "[limits]\nwrites_per_hour = 0" + EXEMPTION + FREEZE)
    drift(world)
    world.state.set_stop(Stop(by="bob", reason="INC-4711", at=world.clock()))
    changes = case.card()["changes"]
    assert [one.partition(" would")[0].partition(" (")[0] for one in changes] == [
        "The exemption of orders-team",
        "The freeze",
        "Somebody",
        "`warden resume`",
    ]
    assert "bob stopped all writes at 2026-11-24 10:00 UTC: INC-4711" in changes[-1]


def test_what_held_then_and_holds_no_more_is_left_to_the_next_look(case: Case) -> None:
    world = case.world(HEAD + FREEZE)
    drift(world)
    world.clock.advance(days=7)
    card = case.card()
    assert row(card, "frozen")["then"] == "decided"
    assert row(card, "frozen")["holds_now"] is False
    [change] = card["changes"]
    assert change.startswith(
        "Nothing that is known from here: what decided then holds no more, and it is looked at "
    )


def test_the_ceiling_of_the_stack_counts(case: Case) -> None:
    world = case.world(HEAD, ceiling=Mode.OBSERVE)
    drift(world)
    case.books.set_parameter("ModeCeiling", "observe")
    assert case.card()["changes"] == [
        "The mode would have to be remediate: the ceiling of the deployment (ModeCeiling) says observe."
    ]
    case.books.aws.faults.deny("cloudformation:DescribeStacks")
    card = case.card()
    assert "The ceiling of the deployment could not be read." in card["notes"]
    assert row(card, "mode", "OBSERVE")["holds_now"] is None
    assert "may say observe, which cannot be seen from here" in card["changes"][0]


def test_another_policy_than_the_one_that_decided_is_told(case: Case) -> None:
    drift(case.world())
    case.file.write_text(HEAD + EXEMPTION, encoding="utf-8")
    [note] = case.card()["notes"]
    assert note.startswith("It was decided by the policy ")


def test_a_control_that_the_policy_no_longer_enables_is_told(case: Case) -> None:
    drift(case.world())
    case.file.write_text(f"{HEAD}[controls.{PROTECTION}]\nenabled = false", encoding="utf-8")
    assert case.card()["changes"][0].startswith("The policy would have to enable the control")


def test_a_control_that_this_checkout_has_not_is_explained_as_far_as_it_goes(case: Case) -> None:
    world = case.world()
    world.without_tls()
    world.look(world.cluster())
    card = case.card(TLS)
    assert "This checkout has no control small_tls." in card["notes"]
    assert row(card, "needs_approval")["holds_now"] is None


# --- the parts ------------------------------------------------------------------------------------------------


def test_cause_facts_calls_and_what_was_written_are_told(case: Case) -> None:
    world = case.world()
    ref = drift(world)
    card = case.card()
    assert (card["cause"]["principal"], card["cause"]["user_agent"]) == (ALICE, "aws-cli/2.31")
    assert card["evidence"]["DeletionProtection"] is False
    assert [call["operation"] for call in card["plan"]] == ["ModifyDBCluster"]
    assert (card["decided_at"], card["policy_version"]) == ("2026-11-24T10:00:00+00:00", world.policy.version)
    assert card["last_write"] is None
    assert card["changes"] == [
        "Nothing: it was handed to remediate, and the next event or sweep looks again."
    ]
    world.remediate()
    card = case.card()
    assert (card["last_write"]["status"], card["last_write"]["request_id"]) == ("SUCCEEDED", "request-1")
    assert card["attempts"]["recent"] == 1
    assert card["budget"] == {
        "spent": 1,
        "limit": 20,
        "containment": False,
        "latched": [],
        "spent_by_control": 1,
    }
    assert card["due"]["reason"] == "verify"
    world.look(ref, event_id="e-2")
    card = case.card()
    assert (card["workflow"], card["changes"]) == ("RESOLVED", [])
    assert card["last_cause"]["event_id"] == "e-2"
    done = case.run(ORDERS, PROTECTION)
    for told in (f"by {ALICE}", "DeletionProtection = true", "request id request-1", "1 finding, 0 open."):
        assert told in done.out


def test_a_call_without_an_outcome_is_told(case: Case) -> None:
    world = case.world()
    drift(world)
    world.aws.fail("ModifyDBCluster", RuntimeError("a crash"))
    with pytest.raises(RuntimeError):
        world.remediate()
    assert case.card()["last_write"]["status"] == "an intent without an outcome: the call may have been made"


def test_exemptions_are_told_whether_they_cover_or_have_expired(case: Case) -> None:
    expired = EXEMPTION.replace("2026-11-30", "2026-11-01").replace("orders-team", "old-team")
    later = EXEMPTION.replace("2026-11-30", "2027-11-30").replace(KEY, "cluster-ANOTHER4ANOTHER4ANOTHER4")
    drift(case.world(HEAD + expired + EXEMPTION + later))
    assert {one["owner"]: one["state"] for one in case.card()["exemptions"]} == {
        "old-team": "expired",
        "orders-team": "covers it, and ends soon",
    }
    done = case.run(ORDERS, PROTECTION)
    assert (
        "covers it, and ends soon: orders-team, to the end of 2026-11-30: Torn down every night" in done.out
    )


def test_due_row_and_ticket_are_told(case: Case) -> None:
    world = case.world(HEAD)
    drift(world, Status="modifying", EnabledCloudwatchLogsExports=[])
    card = case.card(EXPORTS)
    assert (card["due"]["at"], card["due"]["reason"]) == ("2026-11-24T10:05:00+00:00", "busy")
    assert card["ticket"]["state"] == "open"
    told = " ".join(case.run(ORDERS).out.split())
    assert "It waits until 2026-11-24 10:05 UTC because the database is not ready for a change" in told
    assert "Its ticket is open, since 2026-11-24 10:00 UTC." in told


# --- which resource -------------------------------------------------------------------------------------------


def test_each_finding_has_a_paragraph_the_open_ones_first(case: Case) -> None:
    world = case.world()
    ref = drift(world, BackupRetentionPeriod=1)
    world.aws.update(ref, BackupRetentionPeriod=35)
    world.look(ref)
    done = case.run(ORDERS)
    assert done.out.index(f"{PROTECTION}  HIGH  orders  NEW") < done.out.index("orders  RESOLVED")
    assert "2 findings, 1 open." in done.out


def test_a_renamed_resource_is_explained_by_either_name(case: Case) -> None:
    world = case.world()
    renamed = world.aws.rename(drift(world), "invoices")
    world.look(renamed)
    for name in (ORDERS, renamed.arn):
        assert case.card(arn=name)["resource"] == renamed.arn
    assert f"It is called {renamed.arn} now." in case.run(ORDERS).out
    assert "is called" not in case.run(renamed.arn).out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((ORDERS,), "nobody looked, or each look found it compliant or not applicable, or could not tell."),
        (
            (ORDERS, PROTECTION),
            f"There is no finding of {PROTECTION} for {ORDERS}: nobody looked",
        ),
        ((ORDERS, "instance_multi_az"), "it judges AWS::RDS::DBInstance, and this is AWS::RDS::DBCluster."),
        ((ORDERS.replace("eu-west-1", "us-east-1"),), "Region us-east-1 is not eu-west-1"),
        ((ORDERS.replace("123456789012", "210987654321"),), "account 210987654321 is not 123456789012"),
    ],
)
def test_what_has_no_finding_is_told_so_with_what_would_tell(
    case: Case, arguments: tuple[str, ...], why: str
) -> None:
    case.world(HEAD)
    done = case.run(*arguments)
    assert done.status == 0
    assert why in done.out
    card = case.run(*arguments, "--format", "json").card
    assert (card["findings"], card["nothing"]) == ([], done.out.rstrip())


def test_a_scan_is_proposed_where_it_would_tell(case: Case) -> None:
    case.world(HEAD)
    assert "`warden scan --region eu-west-1` judges it now." in case.run(ORDERS).out
    told = case.run(ORDERS, PROTECTION).out
    assert f"`warden scan --region eu-west-1 --control {PROTECTION}` judges it now." in told
    case.file.write_text(f"{HEAD}[controls.{PROTECTION}]\nenabled = false", encoding="utf-8")
    assert (
        f"the policy does not enable it (controls.{PROTECTION}.enabled)." in case.run(ORDERS, PROTECTION).out
    )


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("orders",), "give an ARN, or a chain"),
        ((ORDERS, "cluster_flies"), "there is no control 'cluster_flies'"),
    ],
)
def test_what_cannot_be_meant_is_refused(case: Case, arguments: tuple[str, ...], why: str) -> None:
    case.world(HEAD)
    done = case.run(*arguments)
    assert (done.status, done.out) == (2, "")
    assert why in done.err


def test_it_reads_and_writes_nothing(case: Case) -> None:
    drift(case.world())
    before = len(case.books.aws.calls)
    case.run(ORDERS, PROTECTION)
    made = {call.operation for call in case.books.aws.calls[before:]}
    assert made <= {"DescribeStacks", "Query", "Scan", "GetItem"}


def test_without_a_file_the_policy_is_the_one_that_the_stack_names(
    case: Case, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    drift(case.world())
    case.books.set_parameter("PolicyFile", "essential.toml")
    read: list[str] = []
    whole = wiring.load_policy
    monkeypatch.setattr(wiring, "load_policy", lambda file: (read.append(str(file)), whole(file))[1])
    assert run(capsys, "explain", ORDERS).status == 0
    assert [one.rpartition("/")[2] for one in read] == ["essential.toml"]


def test_a_stop_row_that_cannot_be_read_is_told_as_one_that_stops(case: Case) -> None:
    drift(case.world())
    case.books.dynamodb.put_item(
        TableName=case.books.names["StateTable"], Item={"pk": {"S": "stop"}, "sk": {"S": "stop"}}
    )
    assert "the STOP row cannot be read, so nothing is written" in case.card()["changes"][-1]
