"""Where the chains of the ledger end, as it is kept elsewhere: in a file, or in the log of the daily job.

Whoever may write to the tables can cut off the end of a chain and set its head back. A head that was told before, where
nobody who can write to the tables can take it back, shows that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.ledger import Head

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MESSAGE = "heads"
"""The message of the log lines."""
_OF_A_LINE = 500
"""Heads of a line: each takes some two hundred bytes, and a line of a log has room for 256 KB."""


def lines(heads: Mapping[str, Head]) -> Iterator[dict[str, Any]]:
    """The fields of the log lines that tell all heads."""
    told = sorted(heads.items())
    parts = [told[first : first + _OF_A_LINE] for first in range(0, len(told), _OF_A_LINE)]
    for number, part in enumerate(parts, start=1):
        yield {
            "part": number,
            "of": len(parts),
            "heads": {chain: [head.sequence, head.hash] for chain, head in part},
        }


def told(found: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Head], list[tuple[str, int]]]:
    """The furthest head of each chain that any line tells, and where two lines tell differently of one.

    The furthest, since whoever can write to the log can add a line that says less, and take none away. Raises KeyError,
    ValueError or TypeError where a line is none of ours.
    """
    furthest: dict[str, Head] = {}
    hashes: dict[tuple[str, int], str] = {}
    differ: dict[tuple[str, int], None] = {}
    for line in found:
        for chain, (sequence, hashed) in dict(line["heads"]).items():
            head = Head(sequence=int(sequence), hash=str(hashed))
            if hashes.setdefault((chain, head.sequence), head.hash) != head.hash:
                differ[chain, head.sequence] = None
            if chain not in furthest or furthest[chain].sequence < head.sequence:
                furthest[chain] = head
    return furthest, list(differ)
