"""Many things of one kind in little memory, each to be had by itself.

Two clusters, or two findings of one control, differ in a few words of thousands. So each is compressed by what it has
in common with one that was seen before: of three to seven kilobytes some hundred bytes stay, in ten microseconds.
"""

from __future__ import annotations

import importlib
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Item = dict[str, Any]

PLAIN = 100
"""Items of a list that are kept as they are: a page, so that a short list takes no time."""
_RAW = -15
_LEVEL = 3
"""Beyond it, what is saved is less than the time that it takes."""
_SAMPLE = 16_384
"""Bytes of a sample that count: to look at them takes time with each thing that is packed."""


class Packer:
    """Packs things of one kind, made of what JSON has and of times; the first is the sample by which all are read."""

    __slots__ = ("_pickle", "_sample")

    def __init__(self) -> None:
        self._sample = b""
        self._pickle: Any = None

    def pack(self, thing: Any) -> bytes:
        """The thing in few bytes."""
        if self._pickle is None:
            # An event packs nothing, and need not import it.
            self._pickle = importlib.import_module("pickle")
        plain = self._pickle.dumps(thing, self._pickle.HIGHEST_PROTOCOL)
        if not self._sample:
            self._sample = plain[:_SAMPLE]
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW, zdict=self._sample)
        return packer.compress(plain) + packer.flush()

    def unpack(self, packed: bytes) -> Any:
        """One like what `pack` was given."""
        plain = zlib.decompressobj(_RAW, zdict=self._sample).decompress(packed)
        return self._pickle.loads(plain)  # packed above, and by this process


class Items(Sequence["Item"]):
    """The items of a list, in its order; what is taken of those that are packed is a new item each time."""

    __slots__ = ("_packed", "_packer", "_plain", "_room")

    def __init__(self, items: Iterable[Item] = (), *, plain: int = PLAIN) -> None:
        """Keep so many `plain`, as they are."""
        self._room = plain
        self._plain: list[Item] = []
        self._packed: list[bytes] = []
        self._packer = Packer()
        self.extend(items)

    def extend(self, items: Iterable[Item]) -> None:
        """Keep more of them."""
        for item in items:
            if len(self._plain) < self._room:
                self._plain.append(item)
            else:
                self._packed.append(self._packer.pack(item))

    def __len__(self) -> int:
        return len(self._plain) + len(self._packed)

    def __iter__(self) -> Iterator[Item]:
        yield from self._plain
        yield from map(self._packer.unpack, self._packed)

    def __getitem__(self, place: Any) -> Any:
        """The item in a place; there are no slices, and nothing is counted from the end."""
        if place < 0:
            raise IndexError(place)
        if place < len(self._plain):
            return self._plain[place]
        return self._packer.unpack(self._packed[place - len(self._plain)])


class Index(Mapping[Any, "list[Item]"]):
    """The items of a list by a value of each, or by several, in their order: a fleet is not searched for its parts."""

    __slots__ = ("_items", "_places")

    def __init__(
        self, items: Items, values: Callable[[Item], Iterable[Any]], *, known: Iterable[Any] = ()
    ) -> None:
        """Take what gives the values of an item; those that are `known` are there without an item, too."""
        self._items = items
        self._places: dict[Any, array[int]] = {value: array("I") for value in known}
        for place, item in enumerate(items):
            for value in values(item):
                self._places.setdefault(value, array("I")).append(place)

    def __getitem__(self, value: Any) -> list[Item]:
        return [self._items[place] for place in self._places[value]]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
