"""A ticket as Jira's text formatting notation ("wiki markup"), which Jira Data Center shows.

Jira's help "Text formatting notation": a backslash takes the meaning from the sign after it, and nothing has a meaning
within `{noformat}` but its end.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from warden.core.rendering.harmless import defused, one_line, printable, uncalculated
from warden.core.sections import Bullets, Code, Facts, Links, Paragraph
from warden.core.ticket_room import cut, fitted, length

if TYPE_CHECKING:
    from warden.core.sections import Block, Section
    from warden.core.ticket import Ticket

LIMIT = 32_767
"""Characters: Jira's default `jira.text.field.character.limit`."""
_BREAK = "\u200b"
_SPECIAL = re.compile(r"[\\{}\[\]*_?\-+^~|!#@]")
_AT_BEGIN = re.compile(r"^(?=(?:h[1-6]|bq)\.)")
_ENDS_VERBATIM = re.compile(r"\{(?=noformat)", re.IGNORECASE)


def text(ticket: Ticket) -> str:
    """The whole ticket but its title, within Jira's limit."""
    return _text(fitted(ticket, lambda candidate: length(_text(candidate)) <= LIMIT))


def comment(words: str) -> str:
    """Plain text, escaped, within Jira's limit."""
    return cut(uncalculated(_lines(words)), LIMIT)


def escaped(words: str) -> str:
    """A text that Jira shows as it stands, on one line, mentioning nobody."""
    return _AT_BEGIN.sub(_BREAK, _SPECIAL.sub(_escape, defused(one_line(words))))


def _escape(sign: re.Match[str]) -> str:
    # Two backslashes would be a line break.
    return "&#92;" if sign[0] == "\\" else f"\\{sign[0]}"


def _text(ticket: Ticket) -> str:
    parts = [_lines(ticket.summary), *(_section(section) for section in ticket.sections)]
    return uncalculated("\n\n".join(part for part in parts if part)) + "\n"


def _section(section: Section) -> str:
    parts = [f"h3. {escaped(section.heading)}"] if section.heading else []
    parts += [rendered for block in section.blocks if (rendered := _block(block))]
    return "\n\n".join(parts)


def _block(block: Block) -> str:
    match block:
        case Paragraph(text=words):
            return _lines(words)
        case Facts(rows=rows):
            return "\n".join(f"* *{escaped(name)}*: {escaped(value)}" for name, value in rows)
        case Code(text=lines):
            return f"{{noformat}}\n{_ENDS_VERBATIM.sub('{' + _BREAK, printable(lines))}\n{{noformat}}"
        case Bullets(lines=items):
            return "\n".join(f"* {escaped(item)}" for item in items)
        case Links(items=items):
            return "\n".join(f"* [{escaped(link.label)}|{_address(link.url)}]" for link in items)


def _lines(words: str) -> str:
    return "\n".join(escaped(line) for line in words.splitlines() if line.strip())


def _address(url: str) -> str:
    return url.replace("|", "%7C").replace("]", "%5D").replace("[", "%5B").replace(" ", "%20")
