"""The documents as data: pages, their links and headings, their fenced blocks, and the commands in these."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
)
"""Every page, those that are generated too."""

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(([^)\s]+)\)")
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_ENDS_A_COMMAND = frozenset("();<>|&\n")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: where it is, and the words behind the fence."""

    page: Path
    line: int
    words: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        """As a test's report says it."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def language(self) -> str:
        return self.words[0] if self.words else ""


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a `console` block, and what it prints."""

    command: str
    output: str


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def of_each(*more: Path) -> Any:
    """Runs a test for each page; for those that are generated, one like the other, with the slow tests."""
    generated = ROOT / "docs" / "reference" / "controls"
    return pytest.mark.parametrize(
        "page",
        [
            pytest.param(page, id=name(page), marks=[pytest.mark.slow] if generated in page.parents else [])
            for page in (*WRITTEN, *more)
        ],
    )


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> Iterator[Block]:
    whole = text(page)
    for match in _FENCE.finditer(whole):
        indent = len(match["indent"])
        body = "".join(
            line[indent:] if line.strip() else line for line in match["body"].splitlines(keepends=True)
        )
        yield Block(page, whole[: match.start()].count("\n") + 1, tuple(match["info"].split()), body)


def prose(page: Path) -> str:
    """The page without its fenced blocks; lines keep their places."""
    return _FENCE.sub(lambda match: "\n" * match[0].count("\n"), text(page))


def links(page: Path) -> Iterator[str]:
    without_code = _SPAN.sub("", prose(page))
    return (match[1] for match in _LINK.finditer(without_code))


def spans(page: Path) -> Iterator[str]:
    """Inline code."""
    return (match[1] for match in _SPAN.finditer(prose(page)))


def anchors(page: Path) -> set[str]:
    """The fragments by which GitHub lets the page's headings be linked to."""
    return {
        re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(" ", "-")
        for heading in _HEADING.findall(prose(page))
    }


def steps(block: Block) -> list[Step]:
    """The commands of a `console` block: `$` begins one, `>` goes on with it, the rest is what it prints."""
    found: list[Step] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append(Step(line[2:], ""))
        elif line.startswith(("> ", ">")) and found and not found[-1].output:
            found[-1] = Step(f"{found[-1].command}\n{line[2:]}", "")
        else:
            assert found, f"{block.name} prints before it runs something: {line}"
            found[-1] = Step(found[-1].command, f"{found[-1].output}{line}\n")
    return found


def shell(block: Block) -> Iterator[str]:
    """The shell text of a block, of whichever kind."""
    if block.language == "console":
        yield from (step.command for step in steps(block))
    elif block.language == "sh":
        yield block.text


def commands(script: str) -> Iterator[list[str]]:
    """The simple commands of a script, as words, without assignments and comments."""
    script = re.sub(r"<<'(\w+)'\n.*?^\1$", "", script, flags=re.MULTILINE | re.DOTALL)
    script = re.sub(r"(^|\s)#\s.*$", "", script.replace("\\\n", " "), flags=re.MULTILINE)
    lexer = shlex.shlex(script.replace("`", ""), posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t", True, ""
    words: list[str] = []
    for token in [*lexer, "\n"]:
        if set(token) <= _ENDS_A_COMMAND:
            while words and re.match(r"\w+=", words[0]):
                words.pop(0)
            if words:
                yield words
            words = []
        else:
            words.append(token)


def tables(page: Path) -> list[list[list[str]]]:
    """The tables of a page: rows of cells, without the head's rule."""
    found: list[list[list[str]]] = []
    inside = False
    for line in prose(page).splitlines():
        stripped = line.strip()
        if stripped.startswith("|"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", stripped)[1:-1]]
            if not inside:
                found.append([])
            if not all(re.fullmatch(r"-+", cell) for cell in cells):
                found[-1].append(cells)
        inside = stripped.startswith("|")
    return found


def table(page: Path, head: str) -> list[list[str]]:
    """The rows of the one table whose first column has this head."""
    [rows] = [rows for rows in tables(page) if rows[0][0] == head]
    return rows[1:]


def codes(cell: str) -> list[str]:
    """The inline code of a cell."""
    return _SPAN.findall(cell)
