"""Which version of a control judged: a hash of its code, without docstrings and comments."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib
import inspect


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
def _tree(module: str) -> ast.Module:
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:]
    return tree
