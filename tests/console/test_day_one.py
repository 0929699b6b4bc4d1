"""`warden acknowledge --day-one`: what a first sweep found is seen before anything follows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.world import PROTECTION, REMEDIATE_ALL, RETENTION, World
from scanning.runs import run
from warden.core.decision import Mode
from warden.gateways.brakes import DynamoBrakes

if TYPE_CHECKING:
    from pathlib import Path

    from scanning.books import Books

POLICY = REMEDIATE_ALL + "[day_one]\nacknowledge = true\n"
HERE = ("123456789012", "eu-west-1")
Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def world(at_hand: Books) -> World:
    """Two databases with old debts, of which a first sweep has heard."""
    world = at_hand.kept_by(World(POLICY))
    world.look(world.cluster("orders", DeletionProtection=False))
    world.look(world.cluster("billing", DeletionProtection=False, BackupRetentionPeriod=1))
    return world


@pytest.fixture
def policy(tmp_path: Path) -> str:
    file = tmp_path / "policy.toml"
    file.write_text(POLICY, encoding="utf-8")
    return str(file)


def acknowledged(at_hand: Books) -> set[tuple[str, str]]:
    return set(DynamoBrakes(at_hand.dynamodb, at_hand.names["StateTable"]).standing(*HERE).acknowledged)


def test_what_was_found_is_shown_and_nothing_follows_until_somebody_says_so(
    world: World, at_hand: Books, policy: str, capsys: Capsys
) -> None:
    asked = ("acknowledge", "--day-one", "--reason", "seen", "--policy", policy)
    done = run(capsys, *asked)
    assert done.status == 1
    assert f"     2  {PROTECTION}: 2 would be remediated" in done.out
    assert "     3  findings of first sweeps." in done.out
    assert acknowledged(at_hand) == set()
    [ref] = [ref for ref in world.aws.items if ref.id == "orders"]
    assert world.decision(world.look(ref), PROTECTION) == ("OBSERVE", "day_one")

    done = run(capsys, *asked, "--yes")
    assert done.status == 0, done.err
    assert {(PROTECTION, "ticket"), (PROTECTION, "remediate")} <= acknowledged(at_hand)
    assert world.decision(world.look(ref), PROTECTION) == ("REMEDIATE", "policy")
    entry = list(at_hand.ledger.read("deployment/123456789012/eu-west-1"))[-1].entry
    assert (entry["kind"], entry["after"]["reason"]) == ("acknowledge", "seen")
    assert f"{PROTECTION} in mode remediate" in entry["after"]["day_one"]
    done = run(capsys, *asked, "--yes")
    assert (done.status, "nothing to acknowledge" in done.out) == (1, True)


def test_one_control_can_be_let_go_on_alone(
    world: World, at_hand: Books, policy: str, capsys: Capsys
) -> None:
    done = run(
        capsys,
        "acknowledge",
        "--day-one",
        "--yes",
        "--control",
        RETENTION,
        "--reason",
        "x",
        "--policy",
        policy,
    )
    assert done.status == 0
    assert acknowledged(at_hand) == {(RETENTION, "ticket"), (RETENTION, "remediate")}


def test_what_would_only_be_told_is_not_said_to_be_put_right(
    at_hand: Books, policy: str, capsys: Capsys
) -> None:
    world = at_hand.kept_by(World(POLICY, ceiling=Mode.TICKET))
    at_hand.set_parameter("ModeCeiling", "ticket")
    world.look(world.cluster("orders", DeletionProtection=False))
    done = run(capsys, "acknowledge", "--day-one", "--reason", "x", "--policy", policy)
    assert f"     1  {PROTECTION}: 1 would be tickets" in done.out


def test_a_stricter_ceiling_acknowledges_no_looser_mode(
    world: World, at_hand: Books, policy: str, capsys: Capsys
) -> None:
    at_hand.set_parameter("ModeCeiling", "ticket")
    assert run(capsys, "acknowledge", "--day-one", "--yes", "--reason", "x", "--policy", policy).status == 0
    assert {mode for _, mode in acknowledged(at_hand)} == {"ticket"}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--control", "tea_time", "--reason", "x"), "no control 'tea_time'"),
        (("--reason", " "), "--reason is empty"),
    ],
)
def test_what_makes_no_sense_is_refused(
    at_hand: Books, capsys: Capsys, arguments: tuple[str, ...], why: str
) -> None:
    done = run(capsys, "acknowledge", "--day-one", *arguments)
    assert (done.status, why in done.err) == (2, True)
