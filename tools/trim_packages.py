"""Take out of the layer's packages what each cold start would import, register or make, and no function uses.

| what | becomes |
| --- | --- |
| botocore's writing of docstrings | three classes of an empty text |
| botocore's handlers of other services, and of docstrings | gone: a session registers each, a client copies each |
| urllib3's HTTP/2, for which the layer has no package | the question whether it is there |
| dateutil's parser, of times that `moment` in `gateways/clients.py` cannot read | imported with the first such time |

A package that is not as expected stops the build: what is taken out here is looked at again with each new version.
"""

from __future__ import annotations

import ast
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_DOCSTRINGS = '''"""Methods of clients have no docstrings in a function."""


class _Nothing(str):
    def __new__(cls, *_, **__):
        return super().__new__(cls)


ClientMethodDocstring = PaginatorDocstring = WaiterDocstring = _Nothing
'''
_PARSER = '''"""dateutil's parser, imported when something is parsed."""


def parse(*args, **kwargs):
    from dateutil.parser import _parser

    return _parser.parse(*args, **kwargs)


def isoparse(*args, **kwargs):
    from dateutil.parser import isoparser

    return isoparser.isoparse(*args, **kwargs)
'''


def trim_packages(python: Path, services: Collection[str]) -> None:
    """Trim the packages of this directory in place; `services` are all names that botocore has for those called."""
    drop_docstrings(python / "botocore" / "docs")
    drop_http2(python / "urllib3" / "http2")
    defer_parser(python / "dateutil" / "parser")
    handlers = python / "botocore" / "handlers.py"
    _replace(handlers, trim_handlers(handlers.read_text(encoding="utf-8"), services))


def drop_docstrings(docs: Path) -> None:
    """Leave of botocore's package of docstrings what its other modules import."""
    for path in docs.iterdir():
        if path.name not in {"__init__.py", "utils.py"}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    _replace(docs / "__init__.py", "")
    _replace(docs / "docstring.py", _DOCSTRINGS)


def drop_http2(http2: Path) -> None:
    """Leave of urllib3's HTTP/2 the module that its connections import, and that knows of none."""
    for path in http2.iterdir():
        if path.name not in {"__init__.py", "probe.py"}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    _replace(http2 / "__init__.py", "")


def defer_parser(parser: Path) -> None:
    """Have dateutil's parser imported by its first use."""
    _replace(parser / "__init__.py", _PARSER)


def trim_handlers(source: str, services: Collection[str]) -> str:
    """Return botocore's module of handlers with those of these services and those of all; raises ValueError."""
    found = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "BUILTIN_HANDLERS"
    ]
    if len(found) != 1 or not isinstance(found[0].value, ast.List):
        msg = "botocore.handlers has no list BUILTIN_HANDLERS any more"
        raise ValueError(msg)
    [assigned], listed = found, found[0].value
    kept = [ast.get_source_segment(source, one) for one in listed.elts if _is_for(one, services)]
    lines = source.splitlines(keepends=True)
    text = "".join(f"    {one},\n" for one in kept)
    return "".join(
        (*lines[: assigned.lineno - 1], f"BUILTIN_HANDLERS = [\n{text}]\n", *lines[assigned.end_lineno :])
    )


def _is_for(handler: ast.expr, services: Collection[str]) -> bool:
    """Whether a handler, `('event.service.Operation', function)`, can be called for one of these services."""
    if not isinstance(handler, ast.Tuple) or not isinstance(handler.elts[0], ast.Constant):
        msg = f"a handler of botocore is not as expected: {ast.unparse(handler)}"
        raise ValueError(msg)  # noqa: TRY004 - of a source, not of an argument
    event, *rest = str(handler.elts[0].value).split(".")
    return event != "docs" and (not rest or "*" in rest[0] or rest[0] in services)


def _replace(path: Path, text: str) -> None:
    """Write a new file: installed files may be links into a cache."""
    path.unlink(missing_ok=True)
    path.write_text(text, encoding="utf-8")
