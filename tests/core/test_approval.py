"""Whose answer counts, for what, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fakes import NOW
from warden.core.approval import Answer, Approval, expires, in_force, objection, request_id
from warden.core.control import ComplianceType
from warden.core.errors import PolicyError
from warden.core.finding import Finding, WorkflowStatus
from warden.core.plan import Call
from warden.core.policy import parse_policy

ROLE = "AROA3RX7T65BFEXAMPLE"
CAROL = f"{ROLE}:carol"
CALLS = (Call("ModifyDBCluster", {"DBClusterIdentifier": "orders", "Port": 5432}),)
FINDING = Finding(
    resource_key="123456789012/eu-west-1/AWS::RDS::DBCluster/cluster-A",
    control="cluster_tls_enforced",
    arn="arn:aws:rds:eu-west-1:123456789012:cluster:orders",
    resource_type="AWS::RDS::DBCluster",
    severity="HIGH",
    title="Clusters refuse connections without TLS",
    workflow=WorkflowStatus.NOTIFIED,
    compliance=ComplianceType.NON_COMPLIANT,
    annotation="orders accepts connections without TLS.",
    evidence={},
    first_observed=NOW,
    last_observed=NOW,
    cause={"session": f"{ROLE}:alice"},
)
YES = Approval(
    approver=CAROL,
    request="0123456789ab",
    answer=Answer.APPROVED,
    at=NOW + timedelta(hours=1),
    reason="Tonight",
)


def policy(text=""):
    return parse_policy(f"version = 1\n{text}", controls=())


def holds(*answers, at=NOW + timedelta(hours=2), text=""):
    return in_force(answers, finding=FINDING, policy=policy(text), now=at)


def test_an_approval_holds():
    assert holds(YES) == YES


def test_without_an_answer_there_is_none():
    assert holds() is None


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (replace(YES, approver=f"{ROLE}:alice"), "whoever made the change"),
        (replace(YES, at=NOW + timedelta(hours=3)), "from the future"),
        (replace(YES, at=NOW - timedelta(hours=1)), "older than the finding"),
        (replace(YES, used=True), "was used"),
    ],
)
def test_an_answer_that_does_not_count_says_why(answer, why):
    assert holds(answer) is None
    now = NOW + timedelta(hours=2)
    assert why in objection(answer, finding=FINDING, policy=policy(), now=now)


def test_a_role_that_the_policy_names_approves_nothing():
    assert holds(YES, text=f'[approvals]\nnever = ["{ROLE}"]') is None


def test_anybodys_rejection_outweighs_all_approvals():
    no = replace(YES, approver=f"{ROLE}:dave", answer=Answer.REJECTED)

    assert holds(YES, no) is None
    assert holds(YES, replace(no, approver=f"{ROLE}:alice")) == YES, "but for one that does not count"


def test_an_approval_expires():
    assert holds(YES, at=YES.at + timedelta(hours=167, minutes=59)) == YES
    assert holds(YES, at=YES.at + timedelta(hours=168)) is None
    assert holds(YES, at=YES.at + timedelta(hours=2), text="[approvals]\nvalid_hours = 2") is None


def test_but_not_before_the_end_of_the_next_change_window():
    # NOW is a Tuesday; the next Monday's window is six days away.
    text = '[approvals]\nvalid_hours = 2\n[[change_windows]]\ndays = ["mon"]\nfrom = 01:00:00\nhours = 3'
    end = policy(text).change_windows[0].next(YES.at).end

    assert expires(YES.at, policy(text)) == end > YES.at + timedelta(days=1)
    assert holds(YES, at=end - timedelta(minutes=1), text=text) == YES
    assert holds(YES, at=end, text=text) is None


def test_a_request_is_for_these_calls_of_this_finding_alone():
    ours = request_id(FINDING.resource_key, FINDING.control, CALLS)
    other_calls = (Call("ModifyDBCluster", {"DBClusterIdentifier": "orders", "Port": 5433}),)

    assert ours == request_id(FINDING.resource_key, FINDING.control, CALLS)
    others = {
        request_id(FINDING.resource_key, FINDING.control, other_calls),
        request_id(FINDING.resource_key, "another", CALLS),
        request_id(f"{FINDING.resource_key}B", FINDING.control, CALLS),
    }
    assert len(others) == 3
    assert ours not in others


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[approvals]\nvalid_hours = 0", "approvals.valid_hours: 0 is not between 1 and 2160"),
        ('[approvals]\nnever = ["arn:aws:iam::123456789012:role/ci"]', "approvals.never: .* get-role"),
        ("[approvals]\nby = 3", "approvals.by: is not a key"),
        ('[[change_windows]]\ndays = ["monday"]\nfrom = 01:00:00\nhours = 3', "days: 'monday' is not a day"),
        ("[[change_windows]]\ndays = []\nfrom = 01:00:00\nhours = 3", "days: is empty"),
        ('[[change_windows]]\ndays = ["mon"]\nfrom = "01:00"\nhours = 3', "write it as 01:30:00"),
        (
            '[[change_windows]]\ndays = ["mon"]\nfrom = 01:00:00\nhours = 25',
            "hours: 25 is not between 1 and 24",
        ),
        ('[[change_windows]]\ndays = ["mon"]\nhours = 3', "change_windows.0..from: is missing"),
    ],
)
def test_the_policy_file_is_refused_with_key_and_remedy(text, message):
    with pytest.raises(PolicyError, match=message):
        policy(text)
