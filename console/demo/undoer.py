"""Somebody who takes a write back on the local AWS, as `warden undo` does in an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3

from console.deployed import Deployed
from console.undo import Desk
from warden.core.approval import Answer, Approval
from warden.core.messages import UndoMessage
from warden.core.resource import Deployment, ResourceRef
from warden.core.undo import request_id
from warden.gateways.clients import Clients
from warden.gateways.ledger import DynamoLedger
from warden.gateways.rds import Rds
from warden.gateways.rds_reader import RdsReader

if TYPE_CHECKING:
    from console.local.identity import UserIdentity
    from console.local.stack import LocalStack
    from warden.core.ledger import Link

_TABLES = ("LedgerTable", "ApprovalsTable", "StateTable")


def take_back(stack: LocalStack, who: UserIdentity, control: str, *, reason: str) -> None:
    """Ask for the last write of a control to be taken back."""
    names = {name: stack.template.resources[name].name for name in _TABLES}
    queue = stack.template.resources["RemediationsQueue"].name
    names["RemediationsQueue"] = stack.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]
    account, region = stack.aws.account, stack.region
    desk = Desk(
        Deployed(
            session=boto3.session.Session(region_name=region),
            account=account,
            region=region,
            arn=who.arn,
            user_id=who.principal_id,
            names=names,
        ),
        RdsReader(
            Rds(Clients(account=account), account=account, region=region),
            deployment=Deployment(account, region),
            clock=stack.clock.now,
        ),
    )
    chain, link = _last_write(stack, names, control)
    given = Approval(
        approver=who.principal_id,
        request=request_id(chain, link.sequence, link.hash),
        answer=Answer.APPROVED,
        at=stack.clock.now(),
        reason=reason,
        arn=who.arn,
    )
    ref = ResourceRef.from_arn(desk.write(link).arn)
    desk.ask(given, UndoMessage(ref=ref, chain=chain, sequence=link.sequence, entry_hash=link.hash))


def _last_write(stack: LocalStack, names: dict[str, str], control: str) -> tuple[str, Link]:
    ledger = DynamoLedger(stack.client("dynamodb"), names["LedgerTable"], names["StateTable"])
    writes = [
        (chain, link)
        for chain, link in ledger.all(text=f'"control": "{control}"')
        if link.entry["kind"] == "outcome" and link.entry["after"]["status"] == "SUCCEEDED"
    ]
    return max(writes, key=lambda one: str(one[1].entry["at"]))
