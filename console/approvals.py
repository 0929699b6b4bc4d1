"""`warden approvals`, `warden approve` and `warden reject`: what a deployment asks of people, and their answers."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from console import deployed
from warden.core import approval, preflight
from warden.core.approval import Answer, Approval
from warden.core.control import Severity
from warden.core.decision import Action
from warden.core.errors import AccessDeniedError, ConfigurationError, WardenError
from warden.core.ledger import plain
from warden.gateways.approvals import DynamoApprovals
from warden.gateways.findings import DynamoFindings
from warden.gateways.queues import SqsQueues
from warden.wiring import load_policy

if TYPE_CHECKING:
    from warden.core.finding import Finding
    from warden.core.policy import Policy

_RESOURCES = ("FindingsTable", "ApprovalsTable", "StateTable", "TriggersQueue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A finding that waits for an answer, with the answers so far."""

    id: str
    finding: Finding
    answers: tuple[Approval, ...]

    def to_json(self, policy: Policy, now: datetime) -> dict[str, Any]:
        """For `--format json`."""
        finding = self.finding
        return {
            "id": self.id,
            "severity": finding.severity,
            "control": finding.control,
            "resource": finding.arn,
            "annotation": finding.annotation,
            "since": finding.first_observed.isoformat(),
            "plan": plain(list(finding.plan)),
            "cost": finding.decision.get("cost", ""),
            "preflight": plain(finding.decision.get("preflight", {})),
            "answers": [
                {
                    "answer": one.answer.value,
                    **one.to_json(),
                    "expires": approval.expires(one.at, policy).isoformat(),
                    "objection": approval.objection(one, finding=finding, policy=policy, now=now),
                }
                for one in self.answers
            ],
        }


class Desk:
    """Where requests are read and answered."""

    def __init__(self, found: deployed.Deployed) -> None:
        self._found = found
        dynamodb = found.client("dynamodb")
        self._findings = DynamoFindings(dynamodb, found.names["FindingsTable"])
        self._approvals = DynamoApprovals(dynamodb, found.names["ApprovalsTable"], found.names["StateTable"])

    def requests(self, *, answered: bool = False) -> list[Request]:
        """Every request, the gravest and then the oldest first; those that are approved too where asked for."""
        waiting = [
            Request(
                id=str(finding.decision["request"]),
                finding=finding,
                answers=tuple(self._approvals.answers(str(finding.decision["request"]))),
            )
            for finding in self._findings.all()
            if finding.is_open
            and "request" in finding.decision
            and (answered or finding.decision.get("action") == Action.AWAIT_APPROVAL)
        ]
        return sorted(waiting, key=lambda one: (_rank(one.finding), one.finding.first_observed, one.id))

    def request(self, request_id: str) -> Request:
        """One request; ConfigurationError where nothing asks for it (any more)."""
        for request in self.requests(answered=True):
            if request.id == request_id:
                return request
        msg = (
            f"nothing asks for {request_id!r}: it was put right, or another plan took its place; "
            "`warden approvals` lists what is asked"
        )
        raise ConfigurationError(msg)

    def answer(self, given: Approval) -> None:
        """Write the caller's answer, under the caller's own key."""
        self._approvals.put(given)

    def have_it_looked_at(self, request: Request, given: Approval) -> bool:
        """Have the resource judged again now; whether that could be asked for."""
        queues = SqsQueues(self._found.client("sqs"), triggers_url=self._found.names["TriggersQueue"])
        cause = {
            "source": "manual",
            "event_name": f"warden {'approve' if given.answer is Answer.APPROVED else 'reject'}",
            "event_id": request.id,
            "at": given.at.isoformat(),
            "principal": self._found.arn,
            "session": self._found.user_id,
        }
        try:
            queues.trigger({"resource": request.finding.arn, "cause": cause})
        except WardenError:
            return False
        return True


def show(*, output: str, policy_file: str, stack: str, region: str | None, profile: str | None) -> int:
    """List what is asked; returns 1 where anything waits."""
    policy = load_policy(policy_file)
    found = deployed.find(
        *_RESOURCES, command="warden approvals", stack=stack, region=region, profile=profile
    )
    now = datetime.now(UTC)
    requests = Desk(found).requests()
    if output == "json":
        json.dump([one.to_json(policy, now) for one in requests], sys.stdout, indent=2)
        print()
    else:
        for one in requests:
            _write(one, policy, now)
        print(f"{len(requests)} to decide about." if requests else "Nothing waits for an approval.")
    return 1 if requests else 0


def answer(
    request_id: str,
    *,
    approving: bool,
    reason: str,
    policy_file: str,
    stack: str,
    region: str | None,
    profile: str | None,
) -> int:
    """Approve or reject one request."""
    if not reason.strip():
        msg = "--reason is empty; say why, it goes into the ledger"
        raise ConfigurationError(msg)
    policy = load_policy(policy_file)
    answer = Answer.APPROVED if approving else Answer.REJECTED
    command = f"warden {'approve' if approving else 'reject'}"
    found = deployed.find(*_RESOURCES, command=command, stack=stack, region=region, profile=profile)
    desk, now = Desk(found), datetime.now(UTC)
    request = desk.request(request_id)
    _write(request, policy, now)
    given = Approval(
        approver=found.user_id, request=request_id, answer=answer, at=now, reason=reason, arn=found.arn
    )
    if why := approval.objection(given, finding=request.finding, policy=policy, now=now):
        msg = f"your answer would not count: {why}"
        raise ConfigurationError(msg)
    try:
        desk.answer(given)
    except AccessDeniedError as error:
        msg = f"you may not answer: {error}; ApproverPolicyArn of the stack's outputs is the policy that lets you"
        raise ConfigurationError(msg) from None
    looked = desk.have_it_looked_at(request, given)
    when = "it is judged again now" if looked else "it is judged again with the next event or sweep"
    until = f"{approval.expires(now, policy):%Y-%m-%d %H:%M} UTC"
    if approving:
        print(f"Approved as {found.user_id}, for these calls, once, until {until}; {when}.")
    else:
        print(f"Rejected as {found.user_id}: no approval of these calls counts until {until}; {when}.")
    return 0


def _rank(finding: Finding) -> int:
    return Severity(finding.severity).rank


def _write(request: Request, policy: Policy, now: datetime) -> None:
    finding = request.finding
    print(f"{request.id}  {finding.severity}  {finding.control}")
    print(f"  {finding.arn}")
    print(f"  {finding.annotation}")
    print(f"  asked since {finding.first_observed:%Y-%m-%d %H:%M} UTC")
    if cost := finding.decision.get("cost"):
        print(f"  {cost}")
    for call in finding.plan:
        print(f"  would call {call['operation']} {json.dumps(plain(call['parameters']))}")
    if looked := preflight.answer_of(finding.decision.get("preflight")):
        print(f"  {looked.sentence}")
        for line in looked.lines:
            print(f"    {line}")
    for one in request.answers:
        why = approval.objection(one, finding=finding, policy=policy, now=now)
        print(
            f"  {one.answer.value} by {one.approver} at {one.at:%Y-%m-%d %H:%M} UTC: {one.reason}"
            + (f" (does not count: {why})" if why else "")
        )
    print()
