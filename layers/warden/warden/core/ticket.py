"""What people are told about a finding: one model, rendered as text and as JSON."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from warden.core.frameworks import by_framework
from warden.core.ledger import plain
from warden.core.resource import ResourceRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from warden.core.control import Control
    from warden.core.finding import Finding

SUBJECT_LIMIT = 100
"""SNS: "Subjects must be ASCII text ... and must be less than 100 characters long" (Publish)."""


class TicketState(StrEnum):
    """What a message about a ticket says."""

    OPEN = "OPEN"
    UPDATED = "UPDATED"
    RESOLVED = "RESOLVED"


_WHY = {
    "mode": "The policy says that a person decides about this.",
    "no_remediation": "Warden has no unattended remediation for what it found.",
    "policy": "Warden has been trying to put this right for a whole day: writes are stopped, or AWS takes none now.",
    "flapping": "Warden has put this right several times, and somebody keeps changing it back.",
    "refused": "The remediation was refused a short while ago, and nothing has changed since.",
    "unverified": "AWS accepted the remediation, and no look since has shown its effect.",
    "circuit_open": "The fixes of this control failed on several databases; it waits for `warden acknowledge`.",
    "owner_first": "A stack owns this resource; its owner has the first word.",
    "needs_approval": "The remediation can disturb clients or costs money, and needs an approval.",
    "blast_radius": "Warden has written as much as the policy allows, and waits for `warden acknowledge`.",
    "busy": "The database was not ready for the change for a whole day.",
    "pending": "Changes that somebody queued were in the way for a whole day.",
    "unknown_state": "It could not be read, for a whole day, whether the database may be written to.",
    "outside_window": "It waits for the next change window.",
    "frozen": "A freeze was on for a whole day.",
    "unhealthy": "The database was not healthy for a whole day.",
    "remediation_failed": "The remediation was refused by AWS.",
}


# What the tools write into the user agents of their calls.
_TOOLS = {"Terraform": "terraform", "CloudFormation": "cloudformation", "Pulumi": "pulumi"}


def _used(causes: Iterable[Mapping[str, Any]], sign: str) -> bool:
    return any(
        sign in f"{cause.get('user_agent', '')} {cause.get('principal', '')}".lower() for cause in causes
    )


def _who(cause: Mapping[str, Any]) -> str:
    """One revert in a line: when, who, what, with which tool, from where."""
    parts = [str(cause["at"])[:16].replace("T", " "), cause.get("principal") or "nobody that an event names"]
    parts += [f"({cause['event_name']})"] if cause.get("event_name") else []
    parts += [f"with {cause['user_agent']}"] if cause.get("user_agent") else []
    parts += [f"from {cause['source_ip']}"] if cause.get("source_ip") else []
    return " ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A finding as a person should read it."""

    id: str
    state: TicketState
    finding: Finding
    fix: str
    frameworks: tuple[str, ...]
    """A line for each framework: its name, and what of it the control maps to."""

    @property
    def subject(self) -> str:
        """One line that reads alone; ASCII and short, as SNS wants it."""
        ref = ResourceRef.from_arn(self.finding.arn)
        line = f"[{self.finding.severity}] {self.state}: {self.finding.title}: {ref.id}"
        line = "".join(char if " " <= char <= "~" else "?" for char in line)
        return line if len(line) < SUBJECT_LIMIT else f"{line[: SUBJECT_LIMIT - 4]}..."

    @property
    def digest(self) -> str:
        """Changes when there is something new to tell."""
        told = [
            self.state,
            self.finding.annotation,
            self.finding.decision.get("action"),
            self.finding.decision.get("reason"),
            plain(list(self.finding.plan)),
            self.finding.manual,
        ]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """For machines: queues, functions and web hooks that subscribe to the topic."""
        ref = ResourceRef.from_arn(self.finding.arn)
        return {
            "version": 1,
            "ticket": self.id,
            "state": self.state.value,
            "control": self.finding.control,
            "title": self.finding.title,
            "severity": self.finding.severity,
            "resource": self.finding.arn,
            "resource_type": self.finding.resource_type,
            "account": ref.account,
            "region": ref.region,
            "annotation": self.finding.annotation,
            "first_observed": self.finding.first_observed.isoformat(),
            "resolved_at": self.finding.resolved_at.isoformat() if self.finding.resolved_at else None,
            "evidence": plain(self.finding.evidence),
            "decision": plain(self.finding.decision),
            "plan": plain(list(self.finding.plan)),
            "manual": self.finding.manual,
            "fix": self.fix,
            "cause": plain(self.finding.cause),
            "reverts": plain(list(self.finding.reverts)),
            "frameworks": list(self.frameworks),
        }

    def _whose(self) -> list[str]:
        """Who keeps changing it back, and where it would have to be changed for good."""
        finding = self.finding
        lines: list[str] = []
        if finding.decision.get("reason") == "flapping" and finding.reverts:
            lines += ["", "Who changed it back, as the events claim:"]
            lines += [f"  {_who(cause)}" for cause in finding.reverts]
        tool = next((name for name, sign in _TOOLS.items() if _used(finding.reverts, sign)), "")
        if stack := finding.decision.get("owner_stack"):
            lines += ["", f"The CloudFormation stack {stack} owns it: change its template, as shown below."]
        elif lines and tool:
            lines += ["", f"{tool} changed it back: change its configuration, as shown below."]
        return lines

    def _how_to_approve(self, request: str) -> list[str]:
        """Both answers, ready to be copied: the id stands for the calls above and for no others."""
        cost = self.finding.decision.get("cost")
        return [
            "",
            "To let Warden make exactly these calls, once, or to tell it not to:",
            *([f"  {cost}"] if cost else []),
            f"  warden approve {request} --reason '...'",
            f"  warden reject {request} --reason '...'",
        ]

    def to_text(self) -> str:
        """For people."""
        finding = self.finding
        ref = ResourceRef.from_arn(finding.arn)
        reason = str(finding.decision.get("reason", ""))
        lines = [
            f"{finding.title}",
            "",
            f"{finding.annotation}",
            "",
            f"Control:   {finding.control} ({finding.severity})",
            f"Resource:  {ref.id} ({finding.resource_type})",
            f"ARN:       {finding.arn}",
            f"Account:   {ref.account}   Region: {ref.region or 'global'}",
            f"Since:     {finding.first_observed:%Y-%m-%d %H:%M} UTC",
        ]
        if who := finding.cause.get("principal"):
            lines.append(f"Changed by: {who} ({finding.cause.get('event_name')}), as the event claims")
        if self.state is TicketState.RESOLVED:
            lines += ["", f"Resolved at {finding.resolved_at:%Y-%m-%d %H:%M} UTC; nothing is left to do."]
            return "\n".join(lines) + "\n"
        lines += ["", "Why this is a ticket:", f"  {_WHY.get(reason, reason)}"]
        lines += self._whose()
        if finding.manual:
            lines += [
                "",
                "What a person has to know:",
                *(f"  {line}" for line in finding.manual.splitlines()),
            ]
        if finding.plan:
            lines += ["", "What Warden would call:"]
            lines += [f"  {call['operation']} {json.dumps(call['parameters'])}" for call in finding.plan]
        if reason == "needs_approval" and (request := finding.decision.get("request")):
            lines += self._how_to_approve(str(request))
        lines += ["", "How to fix it by hand:", *(f"  {line}" for line in self.fix.splitlines())]
        if finding.evidence:
            lines += ["", "What was read:"]
            lines += [f"  {key} = {json.dumps(plain(value))}" for key, value in finding.evidence.items()]
        if self.frameworks:
            lines += ["", "Frameworks:", *(f"  {line}" for line in self.frameworks)]
        return "\n".join(lines) + "\n"


def ticket(finding: Finding, control: Control | None, state: TicketState) -> Ticket:
    """The ticket of a finding; a control that no longer exists leaves the fix empty."""
    ref = ResourceRef.from_arn(finding.arn)
    fix = control.fix if control else ""
    for placeholder, value in (
        ("{id}", ref.id),
        ("{arn}", ref.arn),
        ("{region}", ref.region),
        ("{account}", ref.account),
    ):
        fix = fix.replace(placeholder, value)
    return Ticket(
        id=hashlib.sha256(finding.id.encode()).hexdigest()[:40],
        state=state,
        finding=finding,
        fix=fix,
        frameworks=tuple(
            f"{name} {', '.join(numbers)}" for name, numbers in by_framework(control.frameworks).items()
        )
        if control
        else (),
    )
