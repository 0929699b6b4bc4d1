"""The decision table, over every combination of its inputs."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from warden.core.control import ComplianceType
from warden.core.decision import Action, Mode, Reason, Situation, approval_missing, decide

if TYPE_CHECKING:
    from collections.abc import Iterator

FLAGS = (
    "exempt", "undone", "preview", "day_one", "remediable", "flapping", "refused", "unverified", "circuit_open",
    "owner_first", "looking", "approval_missing", "unknown_state", "busy", "settling", "pending", "frozen",
    "outside_window", "unhealthy", "canary", "budget_spent", "containment",
)  # fmt: skip

# Which of DESIGN's guards a row stands for, in the order of the table; those marked do not hold up containment.
GUARDS = (
    ("exempt", Action.SUPPRESS, Reason.EXEMPT, False),
    ("undone", Action.SUPPRESS, Reason.UNDONE, False),
    ("preview", Action.OBSERVE, Reason.PREVIEW, False),
    ("day_one", Action.OBSERVE, Reason.DAY_ONE, False),
    ("flapping", Action.TICKET, Reason.FLAPPING, False),
    ("refused", Action.TICKET, Reason.REFUSED, False),
    ("unverified", Action.TICKET, Reason.UNVERIFIED, False),
    ("circuit_open", Action.TICKET, Reason.CIRCUIT_OPEN, False),
    ("owner_first", Action.TICKET, Reason.OWNER_FIRST, True),
    ("looking", Action.DEFER, Reason.PREFLIGHT, False),
    ("approval_missing", Action.AWAIT_APPROVAL, Reason.NEEDS_APPROVAL, False),
    ("unknown_state", Action.DEFER, Reason.UNKNOWN_STATE, False),
    ("busy", Action.DEFER, Reason.BUSY, False),
    ("settling", Action.DEFER, Reason.SETTLING, False),
    ("pending", Action.DEFER, Reason.PENDING, False),
    ("frozen", Action.DEFER, Reason.FROZEN, True),
    ("outside_window", Action.DEFER, Reason.OUTSIDE_WINDOW, True),
    ("unhealthy", Action.DEFER, Reason.UNHEALTHY, True),
    ("canary", Action.DEFER, Reason.CANARY, True),
    ("budget_spent", Action.DEFER, Reason.BLAST_RADIUS, False),
)


def expected(situation: Situation) -> tuple[Action, Reason]:
    """The table of the design, said a second time and differently: as the list of rows that hold."""
    if situation.compliance is not ComplianceType.NON_COMPLIANT:
        return Action.OBSERVE, Reason(situation.compliance.lower())
    rows: list[tuple[float, Action, Reason]] = []
    for order, (flag, action, reason, passes) in enumerate(GUARDS):
        if getattr(situation, flag) and not (passes and situation.containment):
            rows.append((order, action, reason))
    if situation.mode is Mode.OBSERVE:
        rows.append((1.5, Action.OBSERVE, Reason.MODE))
    if situation.mode is Mode.TICKET:
        rows.append((3.1, Action.TICKET, Reason.MODE))
    if not situation.remediable:
        rows.append((3.2, Action.TICKET, Reason.NO_REMEDIATION))
    rows.append((99, Action.REMEDIATE, Reason.POLICY))
    _, action, reason = min(rows)
    return action, reason


def situations(apart: int) -> Iterator[dict[str, bool]]:
    """Every situation in which no more than so many flags differ from the best, or from the worst.

    A row asks one or two flags, so that a wrong order, or a row that holds where it should not, shows in few.
    """
    best = dict.fromkeys(FLAGS, False) | {"remediable": True}
    for size in range(apart + 1):
        for changed in itertools.combinations(FLAGS, size):
            near = {name: best[name] is not (name in changed) for name in FLAGS}
            yield near
            yield {name: not value for name, value in near.items()}


@pytest.mark.parametrize("apart", [4, pytest.param(6, marks=pytest.mark.slow)])
def test_every_combination_of_the_inputs_is_decided_as_the_table_says(apart):
    remediated = 0
    for flags in situations(apart):
        for mode in Mode:
            situation = Situation(compliance=ComplianceType.NON_COMPLIANT, mode=mode, **flags)
            decision = decide(situation)

            assert (decision.action, decision.reason) == expected(situation)
            if decision.action is Action.REMEDIATE:
                remediated += 1
                _assert_every_guard_passed(situation)
    assert remediated > 0


def _assert_every_guard_passed(situation: Situation) -> None:
    assert situation.mode is Mode.REMEDIATE
    assert situation.remediable
    for flag, _, _, passes in GUARDS:
        assert not getattr(situation, flag) or (passes and situation.containment)


def test_nothing_but_drift_is_ever_acted_upon():
    for compliance in set(ComplianceType) - {ComplianceType.NON_COMPLIANT}:
        for mode in Mode:
            decision = decide(
                Situation(
                    compliance=compliance,
                    mode=mode,
                    remediable=True,
                    approval_missing=False,
                    unknown_state=False,
                    budget_spent=False,
                )
            )

            assert decision.action is Action.OBSERVE
            assert decision.would is Action.OBSERVE


def test_a_situation_of_which_nothing_is_known_is_never_remediated():
    assert decide(Situation(compliance=ComplianceType.NON_COMPLIANT)).action is Action.OBSERVE
    cautious = Situation(compliance=ComplianceType.NON_COMPLIANT, mode=Mode.REMEDIATE, remediable=True)
    assert decide(cautious).action is Action.AWAIT_APPROVAL


def test_would_says_what_remediate_would_do_whatever_the_mode():
    ready = {
        "compliance": ComplianceType.NON_COMPLIANT,
        "remediable": True,
        "approval_missing": False,
        "unknown_state": False,
        "budget_spent": False,
    }
    for mode in Mode:
        assert decide(Situation(mode=mode, **ready)).would is Action.REMEDIATE
        assert decide(Situation(mode=mode, **{**ready, "busy": True})).would is Action.DEFER
        assert decide(Situation(mode=mode, **{**ready, "day_one": True})).would is Action.REMEDIATE


def test_an_approval_is_missing_unless_all_is_clean_and_allowed_or_somebody_approved():
    for safe, clean, allowed, approved in itertools.product((False, True), repeat=4):
        missing = approval_missing(safe=safe, preflight_clean=clean, allowed=allowed, approved=approved)
        if approved:
            assert not missing
        elif not clean:
            assert missing
        else:
            assert missing is not (safe or allowed)


def test_the_lowest_of_the_modes_counts():
    assert min(Mode.REMEDIATE, Mode.OBSERVE, Mode.TICKET) is Mode.OBSERVE
    assert Mode.parse("Ticket") is Mode.TICKET
    assert Mode.TICKET.word == "ticket"
