"""A mapping whose values are made when they are first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_K = TypeVar("_K")
_V = TypeVar("_V")


class Lazy(Mapping[_K, _V]):
    """Knows its keys, makes each value once, and keeps none that could not be made."""

    __slots__ = ("_keys", "_made", "_make")

    def __init__(self, keys: Iterable[_K], make: Callable[[_K], _V]) -> None:
        self._keys = dict.fromkeys(keys)
        self._make = make
        self._made: dict[_K, _V] = {}

    def __getitem__(self, key: _K) -> _V:
        if key not in self._made:
            if key not in self._keys:
                raise KeyError(key)
            self._made[key] = self._make(key)
        return self._made[key]

    # Those of Mapping take a KeyError of the making for an absent key.

    def get(self, key: _K, default: Any = None) -> Any:
        """The value; the default only where there is no such key, whatever its making raises."""
        return self[key] if key in self._keys else default

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[_K]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)
