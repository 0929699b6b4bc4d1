"""Which version of a control judged, and of Warden wrote: hashes of the code."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib
import inspect
from pathlib import Path


@functools.cache
def code_version(module: str) -> str:
    """Twelve hexadecimal digits that change when, and only when, the code of a control changes.

    Its own, and that of the predicates in core which it imports; not theirs in turn, which are the nouns.
    """
    own = _tree(module)
    shared = sorted(
        f"warden.core.{alias.name}"
        for node in ast.walk(own)
        if isinstance(node, ast.ImportFrom) and node.module == "warden.core"
        for alias in node.names
    )
    code = "".join(ast.dump(tree) for tree in (own, *map(_tree, shared)))
    return hashlib.sha256(code.encode()).hexdigest()[:12]


@functools.cache
def package_version() -> str:
    """Twelve hexadecimal digits that change with any file of this package, wherever it is installed."""
    root = Path(__file__).resolve().parent.parent
    hashed = hashlib.sha256()
    for path in sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).parts):
        hashed.update(f"{path.relative_to(root).as_posix()}\0".encode())
        hashed.update(path.read_bytes() + b"\0")
    return hashed.hexdigest()[:12]


@functools.cache
def _tree(module: str) -> ast.Module:
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:]
    return tree
