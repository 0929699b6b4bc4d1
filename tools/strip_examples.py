"""Take the examples out of a built layer's controls: they are tests and documentation, which no function has a use for.

Nothing else changes, and no line moves: a traceback names the line of the source.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def strip_examples(controls: Path) -> None:
    """Strip every control of this directory."""
    for path in sorted(controls.glob("*.py")):
        if path.name != "__init__.py":
            path.write_text(without_examples(path.read_text(encoding="utf-8")), encoding="utf-8")


def without_examples(source: str) -> str:
    """Return a control's source with `examples` of its CONTROL empty; raises ValueError where it has not just one."""
    found = [
        keyword.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Control"
        for keyword in node.keywords
        if keyword.arg == "examples"
    ]
    if len(found) != 1 or found[0].end_lineno is None or found[0].end_col_offset is None:
        msg = f"a control has {len(found)} tuples of examples, not one"
        raise ValueError(msg)
    [value] = found
    lines = source.encode().splitlines(keepends=True)
    first, last = value.lineno - 1, found[0].end_lineno - 1
    head = b"".join((*lines[:first], lines[first][: value.col_offset]))
    tail = b"".join((lines[last][found[0].end_col_offset :], *lines[last + 1 :]))
    return (head + b"(" + b"\n" * (last - first) + b")" + tail).decode()
