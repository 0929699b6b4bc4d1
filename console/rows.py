"""The rows of a card, kept in a file until they are printed: a scan of a large account finds a hundred thousand."""

from __future__ import annotations

import json
import tempfile
import weakref
from array import array
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any

from warden.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_IN_MEMORY = 4 * 1024 * 1024
"""Bytes from which on a file is written."""
_AT_ONCE = 64 * 1024
"""Bytes that are gathered before they are written."""


class Json(str):
    """A value that is JSON text already, and is kept as it stands."""

    __slots__ = ()


class NoRoomError(ConfigurationError):
    """What was found cannot be kept."""


class Rows:
    """Objects of JSON, each kept as the text that is printed of it; memory holds where each stands, and its order."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - it goes with the rows
        weakref.finalize(self, self._file.close)
        self._gathered: list[str] = []
        self._written = 0
        self._ends = array("Q", [0])
        self._orders: list[Any] = []
        self._forms: dict[tuple[str, ...], str] = {}

    def add(self, row: Mapping[str, Any], order: Any = None) -> None:
        """Keep one more, at its place in an order; without one they come as they were added.

        Raises NoRoomError where no temporary file can be written.
        """
        # ASCII: so many characters, so many bytes.
        text = self._text(row)
        self._gathered.append(text)
        end = self._ends[-1] + len(text)
        self._ends.append(end)
        if order is not None:
            self._orders.append(order)
        if end - self._written > _AT_ONCE:
            self._write()

    def _write(self) -> None:
        try:
            self._file.write("".join(self._gathered).encode("ascii"))
        except OSError as error:
            msg = (
                f"what was found could not be kept in a temporary file: {error}; name a directory with TMPDIR"
            )
            raise NoRoomError(msg) from error
        self._gathered = []
        self._written = self._ends[-1]

    def texts(self) -> Iterator[str]:
        """Each as it is printed, in its order, indented as an item of a list of the card."""
        self._write()
        numbers = range(len(self))
        for number in sorted(numbers, key=self._orders.__getitem__) if self._orders else numbers:
            begin, end = self._ends[number], self._ends[number + 1]
            self._file.seek(begin)
            yield self._file.read(end - begin).decode("ascii")
        self._file.seek(self._written)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Each as an object again."""
        return map(json.loads, self.texts())

    def __len__(self) -> int:
        return len(self._ends) - 1

    def _text(self, row: Mapping[str, Any]) -> str:
        """Each field in a line of its own; Python's encoder is ten times as fast without an indentation."""
        names = tuple(row)
        if names not in self._forms:
            fields = ",\n      ".join(f"{json.dumps(name)}: %s" for name in names)
            self._forms[names] = f"\n    {{\n      {fields}\n    }}"
        # Most values are sentences, which need nothing of an encoder but to be quoted.
        return self._forms[names] % tuple(
            [
                encode_basestring_ascii(value) if type(value) is str else _written(value)
                for value in row.values()
            ]
        )


def _written(value: Any) -> str:
    return value if type(value) is Json else json.dumps(value)
