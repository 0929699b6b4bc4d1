"""Generated parts of hand-written files: text between two markers is replaced, everything else is kept."""

from __future__ import annotations

import re
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_BEGIN = "generated:begin"
_END = "generated:end"

_pending: ContextVar[Mapping[Path, str] | None] = ContextVar("_pending", default=None)


class MarkerError(ValueError):
    """The markers of a generated part are absent, doubled or in the wrong order."""


def replace_between_markers(text: str, name: str, body: str) -> str:
    """Return `text` with `body`, indented as the marker is, in place of what stood between the markers.

    A marker is any line that holds `generated:begin NAME` or `generated:end NAME`, in whatever comment syntax
    the file has (`# …` in YAML, `<!-- … -->` in Markdown).
    """
    lines = text.splitlines(keepends=True)
    begin = _only_line_with(lines, _BEGIN, name)
    end = _only_line_with(lines, _END, name)
    if end < begin:
        raise MarkerError(
            f"'{_END} {name}' (line {end + 1}) stands before '{_BEGIN} {name}' (line {begin + 1})"
        )
    indent = lines[begin][: len(lines[begin]) - len(lines[begin].lstrip())]
    filling = [f"{indent}{line}\n" if line.strip() else "\n" for line in body.strip("\n").splitlines()]
    return "".join([*lines[: begin + 1], *filling, *lines[end:]])


def current_text(path: Path) -> str:
    """Return a file's text as the generators that ran before left it, else as it is on disk.

    So two generators can each own a part of one file.
    """
    pending = _pending.get() or {}
    return pending[path] if path in pending else path.read_text(encoding="utf-8")


@contextmanager
def pending_texts(texts: Mapping[Path, str]) -> Iterator[None]:
    """Let `current_text` see these texts, which grow while generators run, before they are written."""
    token = _pending.set(texts)
    try:
        yield
    finally:
        _pending.reset(token)


def _only_line_with(lines: list[str], marker: str, name: str) -> int:
    """Return the index of the one line that holds the marker; none or two is an error, never a guess."""
    pattern = re.compile(rf"(?<![\w:.-]){re.escape(marker)} {re.escape(name)}(?![\w:.-])")
    found = [index for index, line in enumerate(lines) if pattern.search(line)]
    if len(found) != 1:
        raise MarkerError(f"expected exactly one line with '{marker} {name}', found {len(found)}")
    return found[0]
