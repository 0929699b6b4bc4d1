"""A ticket as a custom notification: Amazon Q Developer in chat applications shows it in Slack and Teams channels.

The form is that of its administrator guide, "Custom notifications". Each ticket is a thread of its own, where the
channel's preferences allow threads.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from warden.core.rendering.harmless import defused, one_line
from warden.core.sections import Code, Paragraph
from warden.core.ticket_room import cut

if TYPE_CHECKING:
    from collections.abc import Iterable

    from warden.core.ticket import Ticket

_TITLE, _DESCRIPTION, _STEP, _CONTEXT = 250, 4_000, 1_000, 300
"""Characters: far within what SNS carries, and what a channel can show in one message."""
_STEPS, _RESOURCES = 5, 10
# Both platforms' markdown: what begins or ends emphasis, code, quotes and links.
_SPECIAL = re.compile(r"[*_~`|\[\]]")
_SIGNS = {"OPEN": ":rotating_light:", "REOPENED": ":rotating_light:", "UPDATED": ":pencil2:"}
_DONE = ":white_check_mark:"
_NEXT = ("How to fix it by hand", "How to approve", "What Warden did")


def notification(ticket: Ticket) -> dict[str, Any]:
    """The message, as an object."""
    sign = _SIGNS.get(ticket.state, _DONE)
    return {
        "version": "1.0",
        "source": "custom",
        "id": f"{ticket.id}-{ticket.state.lower()}",
        "content": {
            "textType": "client-markdown",
            "title": f"{sign} {cut(_plain(ticket.title), _TITLE)}",
            "description": cut(_description(ticket), _DESCRIPTION),
            **({"nextSteps": steps} if (steps := list(_steps(ticket))) else {}),
            "keywords": [word for word in (ticket.severity, ticket.control, ticket.account) if word],
        },
        "metadata": {
            "threadId": ticket.id,
            "summary": cut(_plain(ticket.title), _TITLE),
            "eventType": ticket.state.value,
            "relatedResources": [finding.arn for finding in ticket.findings[:_RESOURCES]],
            "additionalContext": {
                "ticket": ticket.id,
                "severity": ticket.severity,
                "control": ticket.control or "several",
                "account": ticket.account,
                "region": ticket.region or "global",
                "owner": cut(_plain(ticket.owner), _CONTEXT) or "unknown",
            },
        },
    }


def _plain(text: str) -> str:
    """A text that neither platform takes for markup."""
    return _SPECIAL.sub(lambda sign: f"{sign[0]}\u200b", defused(one_line(text)))


def _description(ticket: Ticket) -> str:
    lines = [_plain(line) for line in ticket.summary.splitlines() if line.strip()]
    for section in ticket.sections:
        if section.heading == "Why this is a ticket":
            lines += [_plain(block.text) for block in section.blocks if isinstance(block, Paragraph)]
    lines.append(f"Owner: {_plain(ticket.owner)}. Ticket: {ticket.id}.")
    return "\n".join(lines)


def _steps(ticket: Ticket) -> Iterable[str]:
    """Commands, as code: in it, nothing is markup but the backtick that would end it."""
    codes = [
        block.text
        for section in ticket.sections
        if section.heading in _NEXT
        for block in section.blocks
        if isinstance(block, Code)
    ]
    for code in codes[:_STEPS]:
        yield f"`{cut(one_line(code).replace('`', chr(0x2019)), _STEP)}`"
