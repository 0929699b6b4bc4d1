"""Which version of a control judged, and of Warden wrote: hashes of the code.

To read and hash all code takes 15 ms, and to parse a control with its predicates 10 to 20. A built layer, which nobody
changes, has the answers in a file.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib
import inspect
import json
from pathlib import Path
from typing import Any

VERSIONS = "versions.json"
"""Beside the package's modules, in a built layer alone: `tools/trim_layer.py` writes it."""


@functools.cache
def _written() -> dict[str, Any]:
    path = _root() / VERSIONS
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


@functools.cache
def code_version(module: str) -> str:
    """Twelve hexadecimal digits that change when, and only when, the code of a control changes.

    Its own, and that of the predicates in core which it imports; not theirs in turn, which are the nouns.
    """
    if module in (written := _written().get("controls", {})):
        return str(written[module])
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
    if "package" in _written():
        return str(_written()["package"])
    root = _root()
    hashed = hashlib.sha256()
    for path in sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).parts):
        hashed.update(f"{path.relative_to(root).as_posix()}\0".encode())
        hashed.update(path.read_bytes() + b"\0")
    return hashed.hexdigest()[:12]


def _root() -> Path:
    return Path(__file__).resolve().parent.parent


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
