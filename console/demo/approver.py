"""Somebody who approves on the local AWS, as `warden approve` does in an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3

from console.approvals import Desk
from console.deployed import Deployed
from warden.core.approval import Answer, Approval

if TYPE_CHECKING:
    from console.local.identity import UserIdentity
    from console.local.stack import LocalStack

_TABLES = ("FindingsTable", "ApprovalsTable", "StateTable")


def desk(stack: LocalStack, who: UserIdentity) -> Desk:
    """Where requests of a local stack are read and answered, by whoever is given."""
    names = {name: stack.template.resources[name].name for name in _TABLES}
    queue = stack.template.resources["TriggersQueue"].name
    names["TriggersQueue"] = stack.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]
    return Desk(
        Deployed(
            session=boto3.session.Session(region_name=stack.region),
            account=stack.aws.account,
            region=stack.region,
            arn=who.arn,
            user_id=who.principal_id,
            names=names,
        )
    )


def approve(stack: LocalStack, who: UserIdentity, control: str, *, reason: str) -> None:
    """Approve what is asked for one control."""
    at = desk(stack, who)
    for request in at.requests():
        if request.finding.control == control:
            given = Approval(
                approver=who.principal_id,
                request=request.id,
                answer=Answer.APPROVED,
                at=stack.clock.now(),
                reason=reason,
                arn=who.arn,
            )
            at.answer(given)
            at.have_it_looked_at(request, given)
