"""Names, tags and annotations as they may be shown: who can tag a database must not mention a channel."""

from __future__ import annotations

import re
import unicodedata

_BREAK = "\u200b"
"""ZERO WIDTH SPACE: shown as nothing, and it parts a sign from what would give it a meaning."""
_MENTION = re.compile(r"@(?=\w)")
_MARKED = re.compile(r"<(?=[!@#/\w])")
_ADDRESS = re.compile(r"(?<=\w):(?=//)")
_WWW = re.compile(r"\bwww\.(?=\w)", re.IGNORECASE)
_REFERENCE = re.compile(r"#(?=\d)|\bGH-(?=\d)|(?<!\w):(?=[\w+-]+:)|:(?=secret:)", re.IGNORECASE)
_KEPT = frozenset("\n\t")
_FORMULA = re.compile(r"[\s\u200b]*[=+\-@\uff1d\uff0b\uff0d\uff20]")


def printable(text: str) -> str:
    """A text without control and format characters, which hide or reorder what is read."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(
        char
        if char in _KEPT or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
        else "\ufffd"
        for char in text
    )


def defused(text: str) -> str:
    """A text in which nothing mentions, links or opens a tag; it reads the same."""
    text = _MENTION.sub(f"@{_BREAK}", printable(text))
    text = _MARKED.sub(f"<{_BREAK}", text)
    text = _WWW.sub(lambda found: f"{found[0][:3]}{_BREAK}.", text)
    return _ADDRESS.sub(f":{_BREAK}", text)


def unreferenced(text: str) -> str:
    """A text in which GitHub finds neither the numbers of issues nor the names of emoji.

    It looks for both after Markdown has been read, where a backslash is there no more ("Autolinked references and
    URLs"). ARNs stay whole, but for those of Secrets Manager, whose `:secret:` is an emoji.
    """
    return _REFERENCE.sub(lambda found: f"{found[0]}{_BREAK}", text)


def uncalculated(text: str) -> str:
    """A text that no spreadsheet takes for a formula: trackers export what they hold, and cells begin with it."""
    return f"{_BREAK}{text}" if _FORMULA.match(text) else text


def one_line(text: str) -> str:
    """A text on one line."""
    return " ".join(printable(text).split())
