"""What a kind of ticket sink declares: its name in the policy file, and its options there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


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

    def texts(self, value: Any) -> list[Any]:
        """What choices and pattern speak of."""
        match value:
            case str():
                return [value]
            case list():
                return value
            case dict():
                return list(value.values())
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
    tells_changes: bool = False
    """Whether it is told of what Warden put right itself, as a change that was made and not as a ticket."""
    has_secret: bool = False
    """Whether it needs a secret, whose ARN is a parameter of the template."""
