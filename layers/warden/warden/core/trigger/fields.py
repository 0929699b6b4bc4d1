"""Typed reading of an event's fields: whatever is not as AWS documents it raises MalformedEventError.

The event dict ends here: the readers of the sources see `Node`s, and every complaint names its place.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from warden.core.dataclass import dataclass
from warden.core.errors import MalformedEventError

_SHOWN: Final = 120
_NESTED: Final = "an object"


def kind_of(value: object) -> str:
    """What a JSON value is, as a sentence says it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, list):
        return "a list"
    return _NESTED if isinstance(value, dict) else f"a {type(value).__name__}"


def shown(text: str) -> str:
    """A text of the event as a message may repeat it: quoted, on one line, not longer than it helps."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def clipped(text: str, limit: int) -> str:
    """A text that a caller chose, made fit for a ledger: one printable line of at most `limit` characters."""
    line = "".join(character if character.isprintable() else " " for character in text[: limit + 1])
    return line if len(line) <= limit else line[: limit - 1] + "…"


def moment(text: str, where: str) -> datetime:
    """A timestamp in UTC; AWS writes UTC where it writes no offset."""
    try:
        parsed = datetime.fromisoformat(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        msg = f"{where} is {shown(text)}, not an ISO 8601 timestamp"
        raise MalformedEventError(msg) from None


@dataclass(frozen=True, slots=True)
class Node:
    """One JSON object of an event and the path that led to it."""

    value: dict[str, Any]
    path: str = ""

    @classmethod
    def of(cls, value: object, path: str) -> Node:
        """A value that must be an object."""
        if not isinstance(value, dict):
            raise MalformedEventError(_wrong(path or "the event", value, _NESTED))
        return cls(value, path)

    def where(self, key: str) -> str:
        """The path of a member."""
        return f"{self.path}.{key}" if self.path else key

    def text(self, key: str) -> str:
        """A member that must be a string with something in it."""
        text = self.maybe_text(key)
        if not text:
            state = "empty" if self.value.get(key) == "" else "missing"
            msg = f"{self.where(key)} is {state}"
            raise MalformedEventError(msg)
        return text

    def maybe_text(self, key: str) -> str:
        """A string; empty when the member is missing or null."""
        value = self.value.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise MalformedEventError(_wrong(self.where(key), value, "a string"))
        return value

    def maybe_moment(self, key: str) -> datetime | None:
        """A timestamp, or None when the member is missing or null."""
        text = self.maybe_text(key)
        return moment(text, self.where(key)) if text else None

    def child(self, key: str) -> Node:
        """A member that must be an object."""
        if self.value.get(key) is None:
            msg = f"{self.where(key)} is missing"
            raise MalformedEventError(msg)
        return Node.of(self.value[key], self.where(key))

    def maybe_child(self, key: str) -> Node:
        """An object; an empty one when the member is missing or null."""
        value = self.value.get(key)
        return Node({} if value is None else Node.of(value, self.where(key)).value, self.where(key))

    def children(self, key: str) -> tuple[Node, ...]:
        """The objects of a list; none when the member is missing or null."""
        value = self.value.get(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise MalformedEventError(_wrong(self.where(key), value, "a list"))
        return tuple(Node.of(item, f"{self.where(key)}[{index}]") for index, item in enumerate(value))

    def strings_at(self, path: str) -> tuple[str, ...]:
        """The strings at a dotted path; empty ones say nothing.

        `name[]` goes through a list, and `name[member=text]` through those of its objects that have this text there.
        """
        key, _, rest = path.partition(".")
        key, is_list, wanted = key.partition("[")
        if not rest and is_list:
            return self._texts(key)
        if not rest:
            text = self.maybe_text(key)
            return (text,) if text else ()
        nodes = self.children(key) if is_list else (self.maybe_child(key),)
        member, _, value = wanted.rstrip("]").partition("=")
        return tuple(
            text
            for node in nodes
            if not member or node.maybe_text(member) == value
            for text in node.strings_at(rest)
        )

    def _texts(self, key: str) -> tuple[str, ...]:
        """The strings of a list; none when the member is missing or null."""
        value = self.value.get(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise MalformedEventError(_wrong(self.where(key), value, "a list"))
        for index, item in enumerate(value):
            if not isinstance(item, str):
                raise MalformedEventError(_wrong(f"{self.where(key)}[{index}]", item, "a string"))
        return tuple(text for text in value if text)


def _wrong(where: str, value: object, wanted: str) -> str:
    return f"{where} is {kind_of(value)}, not {wanted}"
