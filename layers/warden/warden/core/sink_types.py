"""What a kind of ticket sink declares: its name in the policy file, and its options there."""

from __future__ import annotations

from typing import Any

from warden.core.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A typed value that a sink takes from its table in the policy file."""

    name: str
    default: Any
    """The value where the policy is silent; its type (str, bool, int, list, dict) is what the policy must give."""
    doc: str
    required: bool = False
    choices: tuple[str, ...] = ()
    pattern: str = ""
    """A regular expression that a string, each string of a list, or each value of a table must match in full."""
    may_be_json: bool = False
    """Whether a text that begins like JSON is read as such."""

    def texts(self, value: Any, where: str) -> list[tuple[str, Any]]:
        """What choices and pattern speak of, each with its key, where `where` is that of the whole."""
        match value:
            case str():
                return [(where, value)]
            case list():
                return [(f"{where}[{number}]", text) for number, text in enumerate(value)]
            case dict():
                return [(f"{where}.{name}", text) for name, text in value.items()]
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkType:
    """One kind of sink."""

    name: str
    doc: str
    """What it tells whom, in half a sentence."""
    options: tuple[Option, ...] = ()
    keeps_tickets: bool = False
    """Whether people work on tickets in it (`ports.Tracker`), or it only tells (`ports.Notifier`)."""
    is_limited: bool = True
    """Whether it takes no more than so many new tickets in a day: what it tells is read by people, who have to cope."""
    is_machine: bool = False
    """Whether it is read by programs, to which each finding is told by itself, however many there are."""
    tells_changes: bool = False
    """Whether it is told of what Warden put right itself, as a change that was made and not as a ticket."""
