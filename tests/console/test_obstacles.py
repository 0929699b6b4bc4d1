"""The rows of the table that need a window, an approval or a preview, over findings that are made here."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from console.explanation import Explanation
from console.known import Case, Known
from console.obstacles import Row, rows
from warden.controls import all_controls
from warden.core.approval import Answer, Approval
from warden.core.brakes import Canary, Spent, Standing
from warden.core.control import ComplianceType, Maturity
from warden.core.decision import Mode, Reason
from warden.core.finding import Finding, WorkflowStatus
from warden.core.plan import Call, digest
from warden.core.policy import parse_policy

if TYPE_CHECKING:
    from warden.core.control import Control

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # a Tuesday
TLS = "cluster_tls_enforced"
DATA_API = "cluster_data_api_approved"
CONTROLS = {control.id: control for control in all_controls()}
REMEDIATE = 'version = 1\n[defaults]\nmode = "remediate"\n'
ALLOWED = f'{REMEDIATE}[allow]\ndisruption = ["{DATA_API}"]\n'
WINDOW = '[[change_windows]]\ndays = ["sat"]\nfrom = 01:30:00\nhours = 3\n'


def finding(control: str = DATA_API, **changes: Any) -> Finding:
    made = Finding(
        resource_key="123456789012/eu-west-1/AWS::RDS::DBCluster/cluster-A",
        control=control,
        arn="arn:aws:rds:eu-west-1:123456789012:cluster:orders",
        resource_type="AWS::RDS::DBCluster",
        severity="HIGH",
        title="Title",
        workflow=WorkflowStatus.NEW,
        compliance=ComplianceType.NON_COMPLIANT,
        annotation="orders is not as it should be.",
        evidence={},
        first_observed=NOW - timedelta(days=1),
        last_observed=NOW - timedelta(days=1),
        decision={
            "action": "AWAIT_APPROVAL",
            "reason": "needs_approval",
            "would": "AWAIT_APPROVAL",
            "request": "r",
        },
        plan=({"operation": "DisableHttpEndpoint", "parameters": {}},),
        cause={"session": "AROAALICE:alice"},
    )
    return replace(made, **changes)


def case(of: Finding, policy: str, control: Control | None = None, **known: Any) -> Case:
    return Case(
        finding=of,
        control=control or CONTROLS[of.control],
        policy=parse_policy(policy, controls=all_controls()),
        known=Known(now=NOW, region="eu-west-1", ceiling=Mode.REMEDIATE, **known),
    )


def said(
    reason: Reason, policy: str, *, of: Finding | None = None, control: Control | None = None, **known: Any
) -> Row:
    table = rows(case(of or finding(), policy, control, **known))
    return next(row for row in table if row.reason is reason)


def answer(**changes: Any) -> Approval:
    made = Approval(
        approver="AROACAROL:carol",
        request="r",
        answer=Answer.APPROVED,
        at=NOW - timedelta(hours=1),
        reason="Nobody uses it",
        arn="arn:aws:sts::123456789012:assumed-role/dba/carol",
    )
    return replace(made, **changes)


def test_a_closed_window_is_told_with_its_next_opening() -> None:
    row = said(Reason.OUTSIDE_WINDOW, ALLOWED + WINDOW)
    assert (row.holds, row.change) == (
        True,
        "A change window would have to open, as at 2026-11-28 01:30 UTC.",
    )
    assert (
        said(Reason.OUTSIDE_WINDOW, ALLOWED + WINDOW.replace("sat", "tue").replace("01:30", "11:30")).holds
        is False
    )
    assert said(Reason.OUTSIDE_WINDOW, ALLOWED).holds is False


def test_what_the_policy_allows_needs_no_approval() -> None:
    assert said(Reason.NEEDS_APPROVAL, ALLOWED).holds is False
    row = said(Reason.NEEDS_APPROVAL, REMEDIATE)
    assert row.holds is True
    assert row.what == "its safety is disruptive; nobody has answered"
    assert (
        row.change
        == "Somebody would have to approve it (`warden approve r`), or the policy list it under allow.disruption."
    )


def test_what_the_policy_cannot_allow_is_only_for_somebody_to_approve() -> None:
    row = said(Reason.NEEDS_APPROVAL, f'{REMEDIATE}[allow]\ndisruption = ["{TLS}"]\n', of=finding(TLS))
    assert (row.holds, row.change) == (True, "Somebody would have to approve it (`warden approve r`).")


def test_an_approval_in_force_is_told_with_who_gave_it() -> None:
    row = said(Reason.NEEDS_APPROVAL, REMEDIATE, answers=(answer(),))
    assert row.holds is False
    assert row.what == (
        "arn:aws:sts::123456789012:assumed-role/dba/carol approved at 2026-11-24 11:00 UTC: Nobody uses it"
    )


def test_an_approval_that_does_not_count_is_told_with_why() -> None:
    row = said(
        Reason.NEEDS_APPROVAL,
        REMEDIATE,
        answers=(answer(used=True), answer(answer=Answer.REJECTED, arn="dan")),
    )
    assert row.holds is True
    assert (
        "approved by arn:aws:sts::123456789012:assumed-role/dba/carol, which does not count: it was used"
        in row.what
    )
    assert "rejected by dan" in row.what


def test_a_preview_only_observes() -> None:
    preview = replace(CONTROLS[DATA_API], maturity=Maturity.PREVIEW)
    row = said(Reason.PREVIEW, ALLOWED, control=preview)
    assert (row.holds, row.what) == (True, "the control is a preview")


def test_containment_passes_a_freeze_and_the_owner() -> None:
    freeze = '[[freezes]]\nfrom = 2026-11-20\nuntil = 2026-12-01\nreason = "Black Friday"\n'
    public = finding("instance_not_publicly_accessible")
    assert said(Reason.FROZEN, REMEDIATE + freeze, of=public).holds is False
    assert said(Reason.FROZEN, REMEDIATE + freeze).holds is True
    grace = REMEDIATE + "[limits]\nowner_grace_hours = 90\n"
    assert said(Reason.OWNER_FIRST, grace, of=public).holds is False
    assert said(Reason.OWNER_FIRST, grace).holds is None, "whether a stack owns it is not kept"


def test_calls_that_were_refused_rest_and_then_do_not() -> None:
    refused = {**finding().decision, "refused": "", "refused_at": (NOW - timedelta(hours=1)).isoformat()}
    row = said(Reason.REFUSED, ALLOWED, of=finding(decision=refused))
    assert (row.holds, row.what) == (True, "what was refused rests until 2026-11-24 19:00 UTC")
    long_ago = refused | {"refused_at": (NOW - timedelta(hours=9)).isoformat()}
    assert said(Reason.REFUSED, ALLOWED, of=finding(decision=long_ago)).holds is False


def test_the_last_row_holds_where_no_other_can() -> None:
    assert said(Reason.POLICY, REMEDIATE).holds is False
    assert said(Reason.POLICY, ALLOWED).holds is None, "whether it is busy is not known here"


def test_a_decision_of_another_version_is_explained_without_its_row() -> None:
    other = case(finding(decision={"action": "PONDER", "reason": "tea_time"}), ALLOWED)
    assert {row.then for row in rows(other)} == {"unknown"}
    explained = Explanation.of(other)
    assert explained.to_json()["decision"]["sentence"] == "tea_time"
    assert explained.changes == [
        "Another version of Warden decided, by a row that is not known here; the next event or sweep looks again."
    ]


def test_a_budget_stays_spent_until_somebody_acknowledges_it() -> None:
    assert said(Reason.BLAST_RADIUS, ALLOWED, spent=Spent(writes=19)).holds is False
    assert said(Reason.BLAST_RADIUS, ALLOWED, spent=Spent(writes=20)).holds is True
    row = said(Reason.BLAST_RADIUS, ALLOWED, standing=Standing(latched=frozenset({"normal"})))
    assert row.holds is True
    assert row.what == "0 of 20 writes of this hour are spent, and nobody has acknowledged that"


def test_a_control_has_a_budget_of_its_own_and_a_share_of_what_it_judges() -> None:
    own = Spent(writes=10, by_control={DATA_API: 10})
    row = said(Reason.BLAST_RADIUS, ALLOWED, spent=own)
    assert (row.holds, row.what) == (
        True,
        "10 of 20 writes of this hour are spent, 10 of 10 for this control",
    )
    few = Standing(census={"AWS::RDS::DBCluster": 30})
    assert said(Reason.BLAST_RADIUS, ALLOWED, spent=Spent(writes=6, by_control={DATA_API: 6})).holds is False
    row = said(Reason.BLAST_RADIUS, ALLOWED, spent=Spent(writes=6, by_control={DATA_API: 6}), standing=few)
    assert (row.holds, row.what) == (True, "6 of 20 writes of this hour are spent, 6 of 6 for this control")


def test_an_open_circuit_and_a_canary_are_told_with_what_ends_them() -> None:
    row = said(Reason.CIRCUIT_OPEN, ALLOWED, standing=Standing(circuits={DATA_API: NOW}))
    assert row.holds is True
    assert row.change.endswith("and call `warden acknowledge`.")
    canary = ALLOWED + "[canary]\nsoak_hours = 24\n"
    first = Canary(resource_key="the/first/one", begun_at=NOW)
    assert said(Reason.CANARY, canary).holds is False, "it may be the first"
    row = said(Reason.CANARY, canary, standing=Standing(canaries={DATA_API: first}))
    assert (row.holds, row.what) == (True, "its control is being tried on the/first/one first")
    verified = Standing(canaries={DATA_API: replace(first, verified_at=NOW)})
    assert said(Reason.CANARY, canary, standing=verified).holds is None, "its tags are not kept"


def test_a_first_sweep_is_acknowledged_for_each_mode() -> None:
    policy = ALLOWED + "[day_one]\nacknowledge = true\n"
    assert said(Reason.DAY_ONE, ALLOWED).holds is False
    assert said(Reason.DAY_ONE, policy).holds is True
    ticket = {(DATA_API, "ticket")}
    assert said(Reason.DAY_ONE, policy, standing=Standing(acknowledged=frozenset(ticket))).holds is None
    both = frozenset({*ticket, (DATA_API, "remediate")})
    assert said(Reason.DAY_ONE, policy, standing=Standing(acknowledged=both)).holds is False


def test_what_was_taken_back_is_left_alone_until_its_day() -> None:
    hold = {"until": "2026-12-01T00:00:00+00:00", "by": "dora", "reason": "the application broke"}
    row = said(Reason.UNDONE, ALLOWED, of=finding(hold=hold))
    assert (row.holds, row.what) == (True, "dora took it back: the application broke")
    assert (
        said(Reason.UNDONE, ALLOWED, of=finding(hold=hold | {"until": "2026-11-23T00:00:00+00:00"})).holds
        is False
    )


def test_a_fix_without_effect_waits_and_then_is_a_persons_business() -> None:
    applied = digest([Call("DisableHttpEndpoint", {})])
    recent = finding(applied=applied, attempts=(NOW - timedelta(minutes=59),))
    assert said(Reason.SETTLING, ALLOWED, of=recent).holds is True
    assert said(Reason.UNVERIFIED, ALLOWED, of=recent).holds is False
    old = finding(applied=applied, attempts=(NOW - timedelta(minutes=60),))
    assert said(Reason.UNVERIFIED, ALLOWED, of=old).holds is True
