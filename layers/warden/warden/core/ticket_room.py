"""How much of a ticket there is room for: in a system that limits lengths, and in any.

AWS limits names and tags to some hundred characters, and nothing limits what evidence quotes. What is beyond all bounds
is cut before anything is rendered, so that no rendering has to try for seconds how much of it fits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from warden.core.sections import Bullets, Code, Facts, Links, Paragraph, Section

if TYPE_CHECKING:
    from collections.abc import Callable

    from warden.core.finding import Finding
    from warden.core.sections import Block
    from warden.core.ticket import Ticket

ROOM = 16_384
"""Characters of one text of a ticket; what AWS calls a document, such as a key's policy of 32 KB, may have more."""
_DOCUMENT = 4
_LADDER = (8_192, 2_048, 512, 128)
_NAME = 512
_ADDRESS = 2_048
_NAMED = 160
"""Characters in which an ARN finds room, with the severity before it."""
_ITEM = 20
"""Characters: of so many things to list there is room for one."""


def length(text: str) -> int:
    """How many characters a text has by the strictest count: Java and JavaScript count what is beyond 16 bits twice."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, room: int) -> str:
    """The beginning of a text, in at most `room` characters by `length`, with a mark where something is left out."""
    if len(text) <= room and length(text) <= room:
        return text
    kept = text[: max(room - 3, 0)]
    while length(kept) > max(room - 3, 0):
        # Each of what is too much is one character at least, and two at most.
        kept = kept[: -max((length(kept) - max(room - 3, 0)) // 2, 1)]
    return f"{kept}..."


# --- in any system ---


def bounded(ticket: Ticket, room: int = ROOM) -> Ticket:
    """The ticket with no text longer than `room`; names are shorter still, and documents may be longer."""
    name = min(room, _NAME)
    return replace(
        ticket,
        title=cut(ticket.title, name),
        summary=cut(ticket.summary, room),
        owner=cut(ticket.owner, name),
        fix=cut(ticket.fix, room),
        sections=tuple(
            replace(section, blocks=tuple(_block(block, room) for block in section.blocks))
            for section in ticket.sections
        ),
        findings=tuple(_finding(finding, room) for finding in ticket.findings),
    )


def within(ticket: Ticket, fits: Callable[[Ticket], bool]) -> Ticket:
    """The ticket with as little cut as needed for it to fit; what fits in no way is cut as short as it gets."""
    for room in _LADDER:
        if fits(ticket):
            return ticket
        ticket = bounded(ticket, room)
    return ticket


def _block(block: Block, room: int) -> Block:
    match block:
        case Paragraph():
            return Paragraph(cut(block.text, room))
        case Code():
            return Code(cut(block.text, room * _DOCUMENT))
        case Facts():
            return Facts(
                tuple((cut(name, room), cut(value, room)) for name, value in block.rows[: room // _ITEM])
            )
        case Bullets():
            return _first(block, room // _ITEM, room)
        case Links():
            # Half an address leads nowhere.
            return Links(tuple(link for link in block.items if len(link.url) <= _ADDRESS))


def _first(block: Bullets, count: int, width: int) -> Bullets:
    """So many of the items, each of at most so many characters; of the others, how many there are."""
    kept = tuple(cut(item, width) for item in block.items[:count])
    return replace(block, items=kept, rest=block.rest + len(block.items) - len(kept))


def _finding(finding: Finding, room: int) -> Finding:
    return replace(
        finding,
        arn=cut(finding.arn, _ADDRESS if room > _NAME else _NAME),
        title=cut(finding.title, min(room, _NAME)),
        annotation=cut(finding.annotation, room),
        manual=cut(finding.manual, room),
        evidence=_value(finding.evidence, room * _DOCUMENT),
        decision=_value(finding.decision, room * _DOCUMENT),
        plan=_value(finding.plan, room * _DOCUMENT),
        cause=_value(finding.cause, room * _DOCUMENT),
        reverts=_value(finding.reverts, room * _DOCUMENT),
        tags=_value(finding.tags, room * _DOCUMENT),
    )


def _value(value: Any, room: int) -> Any:
    match value:
        case str():
            return cut(value, room)
        case Mapping():
            return {
                cut(name, room) if isinstance(name, str) else name: _value(one, room)
                for name, one in value.items()
            }
        case list():
            return [_value(one, room) for one in value]
        case tuple():
            return tuple(_value(one, room) for one in value)
    return value


# --- in one system ---


def fitted(ticket: Ticket, fits: Callable[[Ticket], bool]) -> Ticket:
    """The ticket with as little left out as needed: whole sections, the heaviest first, then ends of lists and texts.

    `fits` renders it and says whether that is short enough. What is left out is said.
    """
    ticket = bounded(ticket)
    if fits(ticket):
        return ticket
    weights = sorted({section.weight for section in ticket.sections if section.weight}, reverse=True)
    candidate = ticket
    for weight in weights:
        kept = tuple(s for s in ticket.sections if s.weight < weight)
        candidate = replace(ticket, sections=(*kept, _left_out(ticket, weight)))
        if fits(candidate):
            return candidate
    if (listing := _listing(candidate, fits)) is not None:
        return listing
    for room in _LADDER:
        candidate = bounded(candidate, room)
        if fits(candidate):
            return candidate
    return replace(candidate, sections=())


def _listing(ticket: Ticket, fits: Callable[[Ticket], bool]) -> Ticket | None:
    """The ticket with as much of its list as fits: each item in full, else the beginnings of as many as can be."""
    longest = max((len(block.items) for block in _lists(ticket)), default=0)
    for width in (ROOM, _NAMED) if longest else ():
        low, high = 0, longest
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if fits(_shortened(ticket, middle, width)) else (low, middle - 1)
        if low == longest or (low and width == _NAMED):
            return _shortened(ticket, low, width)
    return None


def _lists(ticket: Ticket) -> list[Bullets]:
    blocks = (block for section in ticket.sections for block in section.blocks)
    return [block for block in blocks if isinstance(block, Bullets) and block.command]


def _shortened(ticket: Ticket, count: int, width: int) -> Ticket:
    def shorter(block: Block) -> Block:
        return _first(block, count, width) if isinstance(block, Bullets) and block.command else block

    return replace(
        ticket,
        sections=tuple(replace(s, blocks=tuple(shorter(b) for b in s.blocks)) for s in ticket.sections),
    )


def _left_out(ticket: Ticket, weight: int) -> Section:
    names = ", ".join(s.heading for s in ticket.sections if s.weight >= weight)
    # Of many findings, what may be left out is what is always so of their control.
    where = f"docs/reference/controls/{ticket.control}.md" if _lists(ticket) else "`warden ledger`"
    return Section(heading="Left out for length", blocks=(Paragraph(f"{names}: {where} has all of it."),))
