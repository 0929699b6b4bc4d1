"""Which modules of a package can be reached by import statements, found without importing anything.

Statements inside functions count, because they run some day; those under `if TYPE_CHECKING:` never run.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def reachable_modules(*, site: Path, package: str, roots: Iterable[Path]) -> set[Path]:
    """Return the files of `package`, installed in `site`, that the source files `roots` reach."""
    waiting = [name for root in roots for name in _imported(root, module="", is_package=False)]
    reached: set[Path] = set()
    while waiting:
        name = waiting.pop()
        if name.split(".", 1)[0] != package:
            continue
        for part in _with_parents(name):
            path = _file_of(site, part)
            if path is None or path in reached:
                continue
            reached.add(path)
            waiting.extend(_imported(path, module=part, is_package=path.name == "__init__.py"))
    return reached


def _with_parents(name: str) -> list[str]:
    """Return `a`, `a.b`, `a.b.c` for `a.b.c`: importing the last imports them all."""
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


def _file_of(site: Path, module: str) -> Path | None:
    """Return the source file of a module; None for an attribute or a module that is not there."""
    base = site.joinpath(*module.split("."))
    return next(
        (path for path in (base / "__init__.py", base.with_name(f"{base.name}.py")) if path.is_file()), None
    )


def _imported(path: Path, *, module: str, is_package: bool) -> Iterator[str]:
    """Yield every name that the file's import statements could import; some are attributes, not modules."""
    package = module if is_package else module.rpartition(".")[0]
    for node in _running(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """Return the absolute name of the module that a `from … import` names."""
    if node.level == 0:
        return node.module or ""
    parents = package.split(".")
    base = parents[: len(parents) - (node.level - 1)]
    return ".".join([*base, *([node.module] if node.module else [])])


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes below this one, without the bodies that only type checkers read."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and _is_type_checking(child.test):
            for other in child.orelse:
                yield other
                yield from _running(other)
            continue
        yield child
        yield from _running(child)


def _is_type_checking(test: ast.expr) -> bool:
    """Say whether a condition is `TYPE_CHECKING` or `typing.TYPE_CHECKING`."""
    name = test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else ""
    return name == "TYPE_CHECKING"
