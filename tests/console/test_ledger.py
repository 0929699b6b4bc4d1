"""`warden ledger`: what it shows of what a deployment's steps have written, under whatever name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import ledger_text
from console.ledger import moment
from pipeline.world import ALICE, PROTECTION, World
from scanning.runs import run
from warden.core.errors import ConfigurationError
from warden.core.ledger import EntryKind, Link
from warden.core.version import package_version

if TYPE_CHECKING:
    from scanning.books import Books
    from warden.core.resource import ResourceRef

Capsys = pytest.CaptureFixture[str]
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def world(at_hand: Books) -> World:
    return at_hand.kept_by(World())


@pytest.fixture
def fixed(world: World) -> ResourceRef:
    """Alice has turned deletion protection off, and it was turned on again."""
    ref = world.cluster(DeletionProtection=False)
    world.look(ref, principal=ALICE, user_agent="aws-cli/2.31", source_ip="203.0.113.9")
    world.remediate()
    world.look(ref, event_id="e-2")
    return ref


def test_a_resource_s_history_is_told_from_the_cause_to_the_request_id(
    world: World, fixed: ResourceRef, capsys: Capsys
) -> None:
    done = run(capsys, "ledger", fixed.arn)
    assert (done.status, done.err) == (0, "")
    for told in (
        "finding  cluster_deletion_protection_enabled  orders",
        "NEW: orders can be deleted by a single call: deletion protection is off.",
        "read: DeletionProtection = false",
        "REMEDIATE because of policy: the policy wants it fixed, and every guard lets it pass",
        f"cause: ModifyDBCluster (cloudtrail) by {ALICE}, at 2026-",
        "with aws-cli/2.31, from 203.0.113.9, event e-1",
        'call: ModifyDBCluster {"DBClusterIdentifier": "orders", "DeletionProtection": true}',
        "before: DeletionProtection = false",
        "SUCCEEDED ModifyDBCluster, request id ",
        "NEW → RESOLVED: ",
        f"policy {world.policy.version}, code {package_version()}",
        f"entry 1 of {world.key(fixed)}",
        "6 entries.",
    ):
        assert told in done.out
    assert done.out.index("NEW: orders") < done.out.index("SUCCEEDED") < done.out.index("RESOLVED")


def test_the_json_is_the_entries_with_their_places(world: World, fixed: ResourceRef, capsys: Capsys) -> None:
    card = run(capsys, "ledger", fixed.arn, "--format", "json").card
    assert (card["version"], card["left_out"]) == (1, 0)
    assert [one["kind"] for one in card["entries"]] == [
        *("finding", "decision", "intent", "outcome", "verification", "finding")
    ]
    links = list(world.ledger.read(world.key(fixed)))
    assert card["entries"] == [
        {**link.entry, "sequence": link.sequence, "previous": link.previous, "hash": link.hash}
        for link in links
    ]


def test_a_renamed_resource_has_its_whole_history_under_both_names(
    world: World, fixed: ResourceRef, capsys: Capsys
) -> None:
    key = world.key(fixed)
    renamed = world.aws.rename(fixed, "invoices")
    world.aws.update(renamed, DeletionProtection=False)
    world.look(renamed)
    assert world.key(renamed) == key
    for name in (fixed.arn, renamed.arn, fixed.arn.replace(":orders", ":ORDERS"), key):
        card = run(capsys, "ledger", name, "--format", "json").card
        assert [one["sequence"] for one in card["entries"]] == list(range(1, 9)), name
        assert {one["arn"] for one in card["entries"]} == {fixed.arn, renamed.arn}


def test_two_resources_that_had_one_name_are_both_shown(
    world: World, fixed: ResourceRef, capsys: Capsys
) -> None:
    world.aws.remove(fixed)
    other = world.cluster(DbClusterResourceId="cluster-ANOTHER4ANOTHER4ANOTHER4", DeletionProtection=False)
    assert other == fixed
    world.look(other)
    done = run(capsys, "ledger", fixed.arn)
    assert "8 entries of 2 resources that had this name." in done.out
    assert f"entry 1 of {world.key(other)}" in done.out


def test_without_a_name_the_newest_of_all_are_shown_the_oldest_first(world: World, capsys: Capsys) -> None:
    for name in ("orders", "billing", "ledger"):
        world.look(world.cluster(name, DeletionProtection=False))
        world.clock.advance(hours=1)
    card = run(capsys, "ledger", "--limit", "3", "--format", "json").card
    assert card["left_out"] == 3
    assert [one["arn"].rpartition(":")[2] for one in card["entries"]] == ["billing", "ledger", "ledger"]
    assert run(capsys, "ledger", "--limit", "3").out.startswith(
        "3 older entries are left out; --limit shows more."
    )
    assert len(run(capsys, "ledger", "--limit", "0", "--format", "json").card["entries"]) == 6


def test_since_leaves_out_what_is_older(world: World, capsys: Capsys) -> None:
    for name in ("orders", "billing"):
        world.look(world.cluster(name, DeletionProtection=False))
        world.clock.advance(hours=1)
    since = (world.clock() - timedelta(minutes=90)).isoformat()
    card = run(capsys, "ledger", "--since", since, "--format", "json").card
    assert {one["arn"].rpartition(":")[2] for one in card["entries"]} == {"billing"}
    assert card["left_out"] == 0, "what was not asked for is not left out"


def test_an_entry_that_somebody_made_unreadable_is_shown_as_the_newest(
    at_hand: Books, world: World, fixed: ResourceRef, capsys: Capsys
) -> None:
    row = at_hand.rows(world.key(fixed))[1]
    at_hand.put({**row, "entry": {"S": "{"}})
    done = run(capsys, "ledger", "--since", "1h")
    assert done.status == 0
    assert f"entry 2 of {world.key(fixed)}" in done.out


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
)
MEMBERS = ("at", "actor", "kind", "control", "arn", "before", "after", "evidence", "cause", "code_version")


@given(
    entry=st.dictionaries(st.sampled_from(MEMBERS), JSON),
    kind=st.sampled_from(EntryKind),
    after=JSON
    | st.dictionaries(st.sampled_from(["plan", "calls", "approvals", "approval", "manual", "error"]), JSON),
)
def test_whatever_somebody_made_of_an_entry_it_is_shown_in_plain_lines(
    entry: Any, kind: EntryKind, after: Any
) -> None:
    link = Link(sequence=1, previous="", hash="", entry={**entry, "kind": kind.value, "after": after})
    told = list(ledger_text.lines("chain", link))
    assert told[-1] == "    entry 1 of chain"
    assert all(line.isprintable() for line in told)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("36h", NOW - timedelta(hours=36)),
        ("7d", NOW - timedelta(days=7)),
        ("2w", NOW - timedelta(days=14)),
        ("2026-11-24", datetime(2026, 11, 24, tzinfo=UTC)),
        ("2026-11-24T10:00:00Z", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        ("2026-11-24T10:00:00+02:00", datetime(2026, 11, 24, 8, tzinfo=UTC)),
    ],
)
def test_a_time_is_a_day_a_moment_or_how_long_ago(text: str, wanted: datetime) -> None:
    assert moment(text, NOW) == wanted


@pytest.mark.parametrize("text", ["yesterday", "7", "2026-13-01", "99999999999h", ""])
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(ConfigurationError, match="write a day"):
        moment(text, NOW)


@pytest.mark.usefixtures("world")
def test_what_left_no_entry_is_told_so(capsys: Capsys) -> None:
    assert run(capsys, "ledger").out == "The ledger has no such entry.\n"
    done = run(capsys, "ledger", "arn:aws:rds:eu-west-1:123456789012:cluster:quiet")
    assert done.status == 0
    assert "no such entry of arn:aws:rds:eu-west-1:123456789012:cluster:quiet" in done.out


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("name", ["orders", "arn:aws:s3:::bucket", "verfiy"])
def test_what_is_neither_an_arn_nor_a_chain_is_refused(capsys: Capsys, name: str) -> None:
    done = run(capsys, "ledger", name)
    assert (done.status, done.out) == (2, "")
    assert "give an ARN, or a chain" in done.err


def test_it_reads_and_writes_nothing(
    at_hand: Books, world: World, fixed: ResourceRef, capsys: Capsys
) -> None:
    before = len(at_hand.aws.calls)
    run(capsys, "ledger", fixed.arn)
    run(capsys, "ledger")
    assert world.found(fixed, PROTECTION)
    assert {call.operation for call in at_hand.aws.calls[before:]} <= {"Query", "Scan", "GetItem"}


@pytest.mark.usefixtures("stack")
def test_a_stack_that_does_not_exist_is_told_so(capsys: Capsys) -> None:
    done = run(capsys, "ledger", "--stack", "elsewhere")
    assert (done.status, done.out) == (2, "")
    assert "the stack 'elsewhere' in eu-west-1 has no FindingsTable" in done.err
