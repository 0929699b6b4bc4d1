"""A ticket as plain text: mails, text fields, terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core.rendering.harmless import one_line, printable, uncalculated
from warden.core.sections import Bullets, Code, Facts, Links, Paragraph

if TYPE_CHECKING:
    from collections.abc import Iterable

    from warden.core.sections import Block, Section
    from warden.core.ticket import Ticket

SUBJECT_LIMIT = 100
"""SNS: "Subjects must be ASCII text ... and must be less than 100 characters long" (Publish)."""


def announced(ticket: Ticket) -> str:
    """The title with what has become of the ticket, for what shows one message after another."""
    return one_line(ticket.title).replace("] ", f"] {ticket.state}: ", 1)


def subject(ticket: Ticket) -> str:
    """One line that reads alone; ASCII and short, as SNS wants it."""
    line = announced(ticket)
    line = "".join(char if " " <= char <= "~" else "?" for char in line)
    return line if len(line) < SUBJECT_LIMIT else f"{line[: SUBJECT_LIMIT - 4]}..."


def text(ticket: Ticket, *, titled: bool = True) -> str:
    """The whole ticket; `titled`: with its title as the first line, for what has no field of its own for it."""
    parts = [one_line(ticket.title)] if titled else []
    parts += [printable(ticket.summary), *(_section(section) for section in ticket.sections)]
    return uncalculated("\n\n".join(parts)) + "\n"


def _section(section: Section) -> str:
    lines = [line for block in section.blocks for line in _lines(block)]
    if not section.heading:
        return "\n".join(lines)
    return "\n".join([f"{section.heading}:", *(f"  {line}" if line else "" for line in lines)])


def _lines(block: Block) -> Iterable[str]:
    match block:
        case Paragraph(text=words) | Code(text=words):
            return printable(words).splitlines()
        case Facts(rows=rows):
            width = max((len(name) for name, _ in rows), default=0) + 1
            return [f"{name + ':':<{width}} {one_line(value)}" for name, value in rows]
        case Bullets(lines=items):
            return [one_line(item) for item in items]
        case Links(items=items):
            return [f"{link.label}: {link.url}" for link in items]
