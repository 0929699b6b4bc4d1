"""A ticket as Atlassian Document Format: what Jira Cloud takes for a description or a comment.

A document is a tree (developer.atlassian.com/cloud/jira/platform/apis/document/structure): a text node is text,
whatever markup or mention it seems to hold, so nothing is escaped here; but no text node may be empty.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from warden.core.rendering.harmless import one_line, printable, uncalculated
from warden.core.sections import Bullets, Code, Facts, Links, Paragraph
from warden.core.ticket_room import cut, fitted, length

if TYPE_CHECKING:
    from collections.abc import Iterable

    from warden.core.sections import Block, Section
    from warden.core.ticket import Ticket

LIMIT = 32_767
"""Characters of a text field of Jira; of the document as JSON, which is the strictest way to count them."""

Node = dict[str, Any]


def document(ticket: Ticket) -> Node:
    """The whole ticket but its title, within Jira's limit."""
    return _document(fitted(ticket, lambda candidate: _length(_document(candidate)) <= LIMIT))


def comment(text: str) -> Node:
    """Plain text, a paragraph for each line, within Jira's limit."""
    room = LIMIT
    while _length(made := _root(_paragraphs(cut(text, room)))) > LIMIT:
        room //= 2
    return made


def _document(ticket: Ticket) -> Node:
    return _root(
        [
            *_paragraphs(ticket.summary),
            *(node for section in ticket.sections for node in _section(section)),
        ]
    )


def _length(node: Node) -> int:
    return length(json.dumps(node, ensure_ascii=False))


def _root(content: list[Node]) -> Node:
    return {"type": "doc", "version": 1, "content": content or _paragraphs("-")}


def _section(section: Section) -> Iterable[Node]:
    if section.heading:
        yield {"type": "heading", "attrs": {"level": 3}, "content": _text(section.heading)}
    for block in section.blocks:
        yield from _block(block)


def _block(block: Block) -> list[Node]:
    match block:
        case Paragraph(text=words):
            return _paragraphs(words)
        case Code(text=lines):
            return [{"type": "codeBlock", "attrs": {}, "content": _text(printable(lines))}]
        case Facts(rows=rows):
            return _list(
                [*_text(f"{one_line(name)}: ", "strong"), *_text(one_line(value), "code")]
                for name, value in rows
            )
        case Bullets(lines=items):
            return _list(_text(one_line(item)) for item in items)
        case Links(items=items):
            return _list([_link(link.label, link.url)] for link in items)


def _list(items: Iterable[list[Node]]) -> list[Node]:
    content = [{"type": "listItem", "content": [{"type": "paragraph", "content": item}]} for item in items]
    return [{"type": "bulletList", "content": content}] if content else []


def _paragraphs(text: str) -> list[Node]:
    lines = (one_line(line) for line in printable(text).splitlines())
    return [{"type": "paragraph", "content": _text(uncalculated(line))} for line in lines if line]


def _text(text: str, mark: str = "") -> list[Node]:
    if not text:
        return []
    return [{"type": "text", "text": text, **({"marks": [{"type": mark}]} if mark else {})}]


def _link(label: str, url: str) -> Node:
    return {
        "type": "text",
        "text": one_line(label) or url,
        "marks": [{"type": "link", "attrs": {"href": url}}],
    }
