"""A ticket as Markdown: GitHub, OpsCenter, and what else shows CommonMark."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from warden.core.rendering.harmless import defused, one_line, printable, uncalculated, unreferenced
from warden.core.sections import Bullets, Code, Facts, Links, Paragraph

if TYPE_CHECKING:
    from warden.core.sections import Block, Section
    from warden.core.ticket import Ticket

# CommonMark 0.31, "Backslash escapes": any ASCII punctuation may be escaped; these begin or end something.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!$&])")
_AT_BEGIN = re.compile(r"^(\s*)([-+=]|\d+[.)])(?=\s|$|[-=])")
_FENCES = re.compile(r"`{3,}")
_TICKS = re.compile(r"`+")


def escaped(text: str) -> str:
    """A text that Markdown shows as it stands, on one line, mentioning nobody."""
    line = _SPECIAL.sub(r"\\\1", unreferenced(defused(one_line(text))))
    return _AT_BEGIN.sub(lambda found: f"{found[1]}{_escape_marker(found[2])}", line)


def code_span(text: str) -> str:
    """A text as inline code, whatever backticks it holds."""
    line = one_line(text)
    ticks = "`" * (max((len(run) for run in _TICKS.findall(line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line.strip() else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def text(ticket: Ticket) -> str:
    """The whole ticket but its title, which every sink has a field for."""
    parts = ["\n\n".join(escaped(line) for line in ticket.summary.splitlines() if line.strip())]
    parts += [_section(section) for section in ticket.sections]
    return uncalculated("\n\n".join(part for part in parts if part)) + "\n"


def _section(section: Section) -> str:
    parts = [f"### {escaped(section.heading)}"] if section.heading else []
    parts += [rendered for block in section.blocks if (rendered := _block(block))]
    return "\n\n".join(parts)


def _block(block: Block) -> str:
    match block:
        case Paragraph(text=words):
            return "  \n".join(escaped(line) for line in words.splitlines() if line.strip())
        case Facts(rows=rows):
            return "\n".join(f"- **{escaped(name)}**: {code_span(value)}" for name, value in rows)
        case Code(text=lines):
            longest = max((len(run) for run in _FENCES.findall(lines)), default=2)
            fence = "`" * (longest + 1)
            return f"{fence}text\n{printable(lines)}\n{fence}"
        case Bullets(lines=items):
            return "\n".join(f"- {escaped(item)}" for item in items)
        case Links(items=items):
            return "\n".join(f"- [{escaped(link.label)}]({_address(link.url)})" for link in items)


def _address(url: str) -> str:
    return (
        url.replace("(", "%28")
        .replace(")", "%29")
        .replace(" ", "%20")
        .replace("<", "%3C")
        .replace(">", "%3E")
    )


def _escape_marker(marker: str) -> str:
    return f"{marker[:-1]}\\{marker[-1]}"
