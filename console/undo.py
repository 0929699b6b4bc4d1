"""`warden undo`: take a write of Warden's back, as its entry of the ledger tells it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from console import deployed
from console.asking import confirmed
from warden import wiring
from warden.core import approval
from warden.core.approval import Answer, Approval
from warden.core.errors import AccessDeniedError, ConfigurationError, WardenError
from warden.core.ledger import chained, plain
from warden.core.messages import UndoMessage
from warden.core.plan import Manual
from warden.core.resource import Deployment, ResourceRef
from warden.core.undo import Undoing, Write, request_id, undo
from warden.gateways.approvals import DynamoApprovals
from warden.gateways.clients import Clients
from warden.gateways.ledger import DynamoLedger
from warden.gateways.queues import SqsQueues
from warden.gateways.rds import Rds
from warden.gateways.rds_reader import RdsReader

if TYPE_CHECKING:
    from warden.core.ledger import Link
    from warden.core.resource import Resource
    from warden.pipeline.ports import Reader

_ENTRY = re.compile(r"(?P<chain>\d{12}/.+)@(?P<sequence>[1-9]\d*)")
_RESOURCES = ("LedgerTable", "StateTable", "ApprovalsTable", "RemediationsQueue")


def run(
    *,
    entry: str,
    reason: str,
    yes: bool,
    policy_file: str | None,
    stack: str,
    region: str | None,
    profile: str | None,
) -> int:
    """Show what taking a write back would call, and ask for it; 1 where it cannot be, or was not asked for."""
    if not reason.strip():
        msg = "--reason is empty; say why, it goes into the ledger"
        raise ConfigurationError(msg)
    parsed = _ENTRY.fullmatch(entry)
    if parsed is None:
        msg = f"{entry!r} is no entry; give CHAIN@NUMBER, as `warden ledger` shows it beneath a write"
        raise ConfigurationError(msg)
    found = deployed.find(*_RESOURCES, command="warden undo", stack=stack, region=region, profile=profile)
    policy = deployed.policy(deployed.parameters(found, stack), policy_file)
    desk = Desk(
        found,
        RdsReader(
            Rds(Clients(account=found.account, profile=profile), account=found.account, region=found.region),
            deployment=Deployment(found.account, found.region, found.arn.split(":")[1]),
            clock=wiring.now,
            bulk=False,
        ),
    )
    link = desk.link(parsed["chain"], int(parsed["sequence"]))
    write = desk.write(link)
    undoing = undo(write, desk.read(write, parsed["chain"]).facts)
    if isinstance(undoing, Manual):
        print(f"It cannot be taken back: {undoing.why}")
        return 1
    _show(write, undoing)
    if not (yes or confirmed("Take it back?")):
        print("Nothing was asked for.")
        return 1
    given = Approval(
        approver=found.user_id,
        request=request_id(parsed["chain"], link.sequence, link.hash),
        answer=Answer.APPROVED,
        at=wiring.now(),
        reason=reason,
        arn=found.arn,
    )
    if why := approval.standing_objection(given, policy=policy, now=wiring.now()):
        msg = f"you may not take it back: {why}"
        raise ConfigurationError(msg)
    desk.ask(
        given,
        UndoMessage(
            ref=ResourceRef.from_arn(write.arn),
            chain=parsed["chain"],
            sequence=link.sequence,
            entry_hash=link.hash,
        ),
    )
    print(
        f"Asked for as {found.user_id}. What became of it is in `warden ledger {write.arn}` within a minute:"
    )
    print(f"an outcome that undoes entry {link.sequence}, or why it was refused.")
    print(f"Then Warden leaves it alone for {policy.undo.hold_hours} hours (undo.hold_hours).")
    return 0


class Desk:
    """Where an undo is looked up and asked for."""

    def __init__(self, found: deployed.Deployed, reader: Reader) -> None:
        self._found = found
        self._reader = reader
        dynamodb = found.client("dynamodb")
        self._ledger = DynamoLedger(dynamodb, found.names["LedgerTable"], found.names["StateTable"])
        self._approvals = DynamoApprovals(dynamodb, found.names["ApprovalsTable"], found.names["StateTable"])

    def link(self, chain: str, sequence: int) -> Link:
        """The entry; ConfigurationError where there is none, or where somebody changed it."""
        link = next((one for one in self._ledger.read(chain) if one.sequence == sequence), None)
        if link is None:
            msg = f"the ledger has no entry {sequence} of {chain}; `warden ledger` shows those that it has"
            raise ConfigurationError(msg)
        if chained(link.entry, sequence=link.sequence, previous=link.previous) != link.hash:
            msg = f"entry {sequence} of {chain} is not as it was written; `warden ledger verify` tells more"
            raise ConfigurationError(msg)
        return link

    def write(self, link: Link) -> Write:
        """The write that the entry tells of; ConfigurationError where it tells of none."""
        write = Write.of(link.entry)
        if isinstance(write, str):
            msg = f"entry {link.sequence}: {write}"
            raise ConfigurationError(msg)
        return write

    def read(self, write: Write, chain: str) -> Resource:
        """The resource as it is now; ConfigurationError where it cannot be read, or is another."""
        try:
            resource = self._reader.read(ResourceRef.from_arn(write.arn), write.needs)
        except WardenError as error:
            msg = f"{write.arn} cannot be read: {error}"
            raise ConfigurationError(msg) from None
        if resource.key != chain:
            msg = f"{write.arn} is another resource now than the one that was written to"
            raise ConfigurationError(msg)
        return resource

    def ask(self, given: Approval, message: UndoMessage) -> None:
        """Write the request under the caller's own key, and have it done."""
        try:
            self._approvals.put(given)
            queues = SqsQueues(
                self._found.client("sqs"), remediations_url=self._found.names["RemediationsQueue"]
            )
            queues.remediate(message, deduplication_id=given.id)
        except AccessDeniedError as error:
            msg = f"you may not ask: {error}; ApproverPolicyArn of the stack's outputs is the policy that lets you"
            raise ConfigurationError(msg) from None


def _show(write: Write, undoing: Undoing) -> None:
    print(f"{', '.join(write.controls)}")
    print(f"  {write.arn}")
    print(f"  Warden called  {write.call.operation} {json.dumps(plain(write.call.parameters))}")
    print(f"  before it      {json.dumps(plain(write.before))}")
    print(f"  would call     {undoing.call.operation} {json.dumps(plain(undoing.call.parameters))}")
    for loss in undoing.losses:
        print(f"  {loss}")
