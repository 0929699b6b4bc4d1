"""A ticket as a message of Slack: Block Kit (docs.slack.dev/reference/block-kit/blocks).

What others wrote stands in `plain_text` objects, which hold no markup. Only code is `mrkdwn`: there `&`, `<` and `>`
are escaped ("Formatting message text"), so that `<!channel>` and `<@U1>` are letters, and `verbatim` links nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from warden.core.rendering.harmless import defused, one_line, printable
from warden.core.rendering.plain import announced
from warden.core.sections import Bullets, Code, Facts, Links, Paragraph
from warden.core.ticket_room import cut, fitted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from warden.core.sections import Block, Section
    from warden.core.ticket import Ticket

HEADER_LIMIT = 150
TEXT_LIMIT = 3_000
"""Characters of the text of one section block."""
BLOCKS_LIMIT = 50
"""Blocks of one message."""
MESSAGE_LIMIT = 32_000
"""Characters of all blocks as JSON: what a channel still reads, and below the 40,000 at which Slack truncates texts."""
FALLBACK_LIMIT = 400

Node = dict[str, Any]


def message(ticket: Ticket) -> Node:
    """The body for an incoming webhook."""
    blocks = _blocks(fitted(ticket, lambda candidate: _fits(_blocks(candidate))))
    return {"text": cut(_entities(announced(ticket)), FALLBACK_LIMIT), "blocks": blocks}


def _fits(blocks: list[Node]) -> bool:
    return len(blocks) <= BLOCKS_LIMIT and len(json.dumps(blocks, ensure_ascii=False)) <= MESSAGE_LIMIT


def _blocks(ticket: Ticket) -> list[Node]:
    title = cut(defused(announced(ticket)), HEADER_LIMIT)
    blocks: list[Node] = [{"type": "header", "text": _plain(title)}]
    blocks += _texts(ticket.summary)
    for section in ticket.sections:
        blocks += _section(section)
    return blocks


def _section(section: Section) -> Iterable[Node]:
    if section.heading:
        # Headings are ours.
        yield {"type": "section", "text": _marked(f"*{_entities(section.heading)}*")}
    for block in section.blocks:
        yield from _block(block)


def _block(block: Block) -> Iterable[Node]:
    match block:
        case Paragraph(text=words):
            return _texts(words)
        case Facts(rows=rows):
            return _texts("\n".join(f"{one_line(name)}: {one_line(value)}" for name, value in rows))
        case Code(text=lines):
            return _code(lines)
        case Bullets(lines=items):
            return _texts("\n".join(f"• {one_line(item)}" for item in items))
        case Links(items=items):
            text = "\n".join(f"<{_address(link.url)}|{_entities(one_line(link.label))}>" for link in items)
            return [{"type": "section", "text": _marked(text)}] if items else []


def _texts(words: str) -> Iterable[Node]:
    return [{"type": "section", "text": _plain(part)} for part in _pieces(defused(words).strip(), TEXT_LIMIT)]


def _code(lines: str) -> Iterable[Node]:
    # Each of its backticks is parted from the next, or three would end the block.
    safe = _entities(printable(lines).replace("``", "`\u200b`").replace("``", "`\u200b`"))
    return [
        {"type": "section", "text": _marked(f"```{part}```")}
        for part in _pieces(safe, TEXT_LIMIT - len("``````"))
    ]


def _pieces(text: str, room: int) -> Iterable[str]:
    """The text in pieces of at most `room` characters, parted at ends of lines where there are any."""
    while len(text) > room:
        # Not within an entity such as &amp;, which is at most five long.
        at = text.rfind("\n", 1, room) if "\n" in text[1:room] else text.rfind("&", room - 5, room)
        at = at if at > 0 else room
        yield text[:at].strip("\n")
        text = text[at:].lstrip("\n")
    if text.strip():
        yield text


def _plain(text: str) -> Node:
    return {"type": "plain_text", "text": text, "emoji": False}


def _marked(text: str) -> Node:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _entities(text: str) -> str:
    return printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _address(url: str) -> str:
    return _entities(url).replace("|", "%7C").replace(" ", "%20")
