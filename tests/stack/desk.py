"""Answering what a deployed stack asks, as `warden approve` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3

from console import deployed
from console.demo import approver
from console.local.identity import assumed_role
from console.stop import set_acknowledged, set_stop
from stack.deployed import ACCOUNT, BOB
from warden.core.approval import Answer, Approval

if TYPE_CHECKING:
    import pytest

    from console.approvals import Desk, Request
    from console.local.identity import UserIdentity
    from stack.deployed import Deployed

CAROL = assumed_role(f"arn:aws:iam::{ACCOUNT}:role/dba", "carol")


def desk(stack: Deployed, who: UserIdentity = CAROL) -> Desk:
    return approver.desk(stack, who)


def commands_find(stack: Deployed, monkeypatch: pytest.MonkeyPatch, who: UserIdentity) -> None:
    """Let the commands of `warden` find a local stack, as called by somebody."""

    def find(*names: str, **_options: Any) -> deployed.Deployed:
        return deployed.Deployed(
            session=boto3.session.Session(region_name=stack.region),
            account=ACCOUNT,
            region=stack.region,
            arn=who.arn,
            user_id=who.principal_id,
            names={name: stack.template.resources[name].ref for name in names},
        )

    monkeypatch.setattr(deployed, "find", find)
    monkeypatch.setattr(deployed, "parameters", lambda *_: {"ModeCeiling": "remediate"})


def answered(
    stack: Deployed, request: Request, answer: Answer = Answer.APPROVED, who: UserIdentity = CAROL
) -> None:
    given = Approval(
        approver=who.principal_id, request=request.id, answer=answer, at=stack.now(), reason="Nobody uses it"
    )
    desk(stack, who).answer(given)
    assert desk(stack, who).have_it_looked_at(request, given)
    stack.settle()


def acknowledge(stack: Deployed) -> bool:
    """What `warden acknowledge` does once it knows the tables."""
    return set_acknowledged(
        stack.client("dynamodb"),
        state_table=stack.template.resources["StateTable"].name,
        ledger_table=stack.template.resources["LedgerTable"].name,
        account=ACCOUNT,
        region=stack.region,
        by=BOB.arn,
        reason="as planned",
        now=stack.now(),
    )


def stopped(stack: Deployed, *, stopping: bool) -> None:
    """What `warden stop` does once it knows the tables."""
    set_stop(
        stack.client("dynamodb"),
        state_table=stack.template.resources["StateTable"].name,
        ledger_table=stack.template.resources["LedgerTable"].name,
        deployment=f"deployment/{ACCOUNT}/{stack.region}",
        by=BOB.arn,
        reason="something is odd",
        stopping=stopping,
        now=stack.now(),
    )
