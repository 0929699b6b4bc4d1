"""What a ticket says, as structure: each rendering turns it into what one system shows.

Texts are as AWS and people wrote them: names, tags and annotations may carry markup, mentions and formulas. A rendering
escapes every one of them; only `Link.url` is ours.
"""

from __future__ import annotations

from warden.core.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, a row each."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Lines that are copied as they stand: commands, calls, values."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """Short texts, one below the other."""

    items: tuple[str, ...]
    rest: int = 0
    """How many more there are."""
    command: str = ""
    """What lists every one; where it is given, the list is shortened rather than left out."""

    @property
    def lines(self) -> tuple[str, ...]:
        """What is to be shown: the items, and that there are more."""
        if not self.rest:
            return self.items
        where = f": `{self.command}` lists every one" if self.command else ""
        return (*self.items, f"and {self.rest} more{where}")


@dataclass(frozen=True, slots=True)
class Link:
    """A label, and the https address that it leads to."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Links:
    """Where to look further."""

    items: tuple[Link, ...]


Block = Paragraph | Facts | Code | Bullets | Links


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a ticket under a heading."""

    heading: str
    """Without punctuation at its end; empty for what stands first."""
    blocks: tuple[Block, ...]
    weight: int = 0
    """What is left out first where there is too little room: the highest. 0 always stays."""
