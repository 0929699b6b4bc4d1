"""An approval from the ticket to the write, over the template's own tables, queues and roles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from stack import fleet
from stack.deployed import ACCOUNT, ALICE, Deployed, policy_text
from stack.desk import CAROL, answered, desk
from warden.core.approval import Answer, Approval
from warden.core.errors import ConfigurationError
from warden.core.finding import WorkflowStatus

if TYPE_CHECKING:
    from console.local.identity import UserIdentity
    from stack.conftest import Deploy

DATA_API = "cluster_data_api_approved"
POLICY = policy_text(only=(DATA_API,), disruption=())


@pytest.fixture
def asked(deploy: Deploy) -> Deployed:
    """Alice has turned on the Data API, which cannot be turned off without cutting somebody off."""
    stack = deploy(policy=POLICY)
    fleet.cluster(stack)
    stack.as_alice("enable_http_endpoint", ResourceArn=f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster:orders")
    return stack


def is_on(stack: Deployed) -> bool:
    return bool(stack.client("rds").describe_db_clusters()["DBClusters"][0]["HttpEndpointEnabled"])


def test_what_the_ticket_asks_for_is_done_once_it_is_approved(asked: Deployed) -> None:
    stack = asked
    [ticket] = stack.tickets
    [request] = desk(stack).requests()
    assert (ticket["decision"]["request"], ticket["plan"]) == (request.id, list(request.finding.plan))
    assert is_on(stack)

    answered(stack, request)

    assert not is_on(stack)
    assert stack.finding(DATA_API).workflow is WorkflowStatus.RESOLVED
    [intent] = stack.entries("intent")
    assert intent["after"]["approvals"][DATA_API]["approver"] == CAROL.principal_id
    assert desk(stack).requests() == []
    with pytest.raises(ConfigurationError, match="nothing asks for"):
        desk(stack).request(request.id)


def test_an_approval_is_no_standing_permission(asked: Deployed) -> None:
    stack = asked
    [request] = desk(stack).requests()
    answered(stack, request)
    stack.clock.advance(1800)
    stack.as_alice("enable_http_endpoint", ResourceArn=f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster:orders")

    assert is_on(stack)
    [again] = desk(stack).requests()
    assert again.id == request.id
    assert [one.used for one in again.answers] == [True]


@pytest.mark.parametrize(("who", "answer"), [(ALICE, Answer.APPROVED), (CAROL, Answer.REJECTED)])
def test_neither_her_own_approval_nor_a_rejection_leads_to_a_write(
    asked: Deployed, who: UserIdentity, answer: Answer
) -> None:
    stack = asked
    [request] = desk(stack).requests()

    answered(stack, request, answer, who)

    assert is_on(stack)
    assert len(desk(stack).requests()) == 1


def test_the_sweep_and_the_remediator_see_approvals_too(asked: Deployed) -> None:
    stack = asked
    [request] = desk(stack).requests()
    desk(stack).answer(
        Approval(
            approver=CAROL.principal_id,
            request=request.id,
            answer=Answer.APPROVED,
            at=stack.now(),
            reason="Nobody uses it",
        )
    )

    stack.sweep()

    assert not is_on(stack)


def test_a_row_that_somebody_wrote_by_hand_is_no_answer(asked: Deployed) -> None:
    stack = asked
    [request] = desk(stack).requests()
    for index, row in enumerate(
        ({}, {"answer": "yes"}, {"answer": "approved", "at": "today", "reason": "x"})
    ):
        item = {"approver": f"AROA{index}", "request": request.id, **row}
        stack.client("dynamodb").put_item(
            TableName=stack.template.resources["ApprovalsTable"].name,
            Item={key: {"S": value} for key, value in item.items()},
        )

    stack.sweep()

    assert is_on(stack)
    assert json.dumps(desk(stack).requests()[0].answers, default=str) == "[]"
