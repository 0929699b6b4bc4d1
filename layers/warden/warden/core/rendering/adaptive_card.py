"""A ticket as an Adaptive Card for a channel of Teams (adaptivecards.io, version 1.4).

A `TextBlock` reads Markdown; the runs of a `RichTextBlock` do not, so everything that others wrote stands in runs. A
mention needs an entity that the message names, and there is none.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from warden.core.rendering.harmless import defused, one_line, printable
from warden.core.rendering.plain import announced
from warden.core.sections import Bullets, Code, Facts, Links, Paragraph
from warden.core.ticket_room import cut, fitted

if TYPE_CHECKING:
    from warden.core.sections import Block, Section
    from warden.core.ticket import Ticket

LIMIT = 25_000
"""Bytes of the message, of the 28 KB that Teams takes ("Webhooks and connectors": message size)."""
TITLE_LIMIT = 250
ACTIONS_LIMIT = 6
"""Teams shows six actions of a card."""
_CONTENT_TYPE = "application/vnd.microsoft.card.adaptive"
_COLORS = {"CRITICAL": "attention", "HIGH": "attention", "MEDIUM": "warning"}

Node = dict[str, Any]


def message(ticket: Ticket) -> Node:
    """The body for the webhook of a workflow."""
    return _message(fitted(ticket, lambda candidate: _bytes(_message(candidate)) <= LIMIT))


def encoded(node: Node) -> bytes:
    """As it is sent."""
    return json.dumps(node, ensure_ascii=False, separators=(",", ":")).encode()


def _bytes(node: Node) -> int:
    return len(encoded(node))


def _message(ticket: Ticket) -> Node:
    color = _COLORS.get(ticket.severity, "default") if ticket.is_open else "good"
    title = _run(cut(announced(ticket), TITLE_LIMIT), weight="bolder", size="medium", color=color)
    body = [_line(title), *_lines(ticket.summary)]
    for section in ticket.sections:
        body += _section(section)
    card: Node = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "msteams": {"width": "Full"},
    }
    if actions := [_action(link.label, link.url) for link in ticket.links][:ACTIONS_LIMIT]:
        card["actions"] = actions
    return {
        "type": "message",
        "attachments": [{"contentType": _CONTENT_TYPE, "contentUrl": None, "content": card}],
    }


def _section(section: Section) -> list[Node]:
    lines = [line for block in section.blocks for line in _block(block)]
    if section.heading and lines:
        return [{**_line(_run(section.heading, weight="bolder")), "separator": True}, *lines]
    return lines


def _block(block: Block) -> list[Node]:
    match block:
        case Paragraph(text=words):
            return _lines(words)
        case Facts(rows=rows):
            return [
                _line(_run(f"{one_line(name)}: ", weight="bolder"), _run(one_line(value)), spacing="small")
                for name, value in rows
            ]
        case Code(text=lines):
            return [
                _line(_run(line, fontType="monospace"), spacing="none")
                for line in printable(lines).splitlines()
                if line.strip()
            ]
        case Bullets(lines=items):
            return [_line(_run(f"• {one_line(item)}"), spacing="small") for item in items]
        case Links():
            # They are the buttons below the card.
            return []


def _lines(words: str) -> list[Node]:
    return [_line(_run(line)) for line in printable(words).splitlines() if line.strip()]


def _line(*runs: Node, spacing: str = "") -> Node:
    return {"type": "RichTextBlock", "inlines": list(runs), **({"spacing": spacing} if spacing else {})}


def _run(text: str, **style: str) -> Node:
    # Cards know functions for dates, {{DATE(...)}}, and templates ${...}.
    safe = defused(text).replace("{{", "{\u200b{").replace("${", "$\u200b{")
    return {"type": "TextRun", "text": safe or " ", **style}


def _action(label: str, url: str) -> Node:
    return {"type": "Action.OpenUrl", "title": one_line(label), "url": url}
