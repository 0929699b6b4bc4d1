"""Headers of a request or an answer, by their names in any case.

botocore keeps those of a request in an email's header, and copies them into its own dictionary, each of whose keys is
an object with a hash of its own. That is a tenth of what a call costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.awsrequest import HeadersDict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


# The types of botocore that we check with say less of it than it is.
_HeadersDict: Any = HeadersDict


class Headers(_HeadersDict):  # type: ignore[misc]
    """A dictionary of botocore's, with what its handlers ask of the headers of a request."""

    def __init__(self, items: Iterable[tuple[str, Any]] = ()) -> None:
        # The names as they are written, and the values, by the names in lower case.
        self._dict: dict[str, tuple[str, Any]] = {name.lower(): (name, value) for name, value in items}

    def __setitem__(self, name: str, value: Any) -> None:
        self._dict[name.lower()] = (name, value)

    def __getitem__(self, name: str) -> Any:
        return self._dict[name.lower()][1]

    def __delitem__(self, name: str) -> None:
        del self._dict[name.lower()]

    def __contains__(self, name: object) -> bool:
        return str(name).lower() in self._dict

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, _ in self._dict.values()])

    def __len__(self) -> int:
        return len(self._dict)

    def __repr__(self) -> str:
        return repr(dict(self._dict.values()))

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a header."""
        found = self._dict.get(name.lower())
        return default if found is None else found[1]

    def items(self) -> Any:
        """The names as they are written, with their values."""
        return list(self._dict.values())

    def lowered(self) -> Iterable[tuple[str, Any]]:
        """The names in lower case, with their values."""
        return [(name, value) for name, (_, value) in self._dict.items()]

    def replace_header(self, name: str, value: Any) -> None:
        """Another value for a header that is there; KeyError where it is not."""
        self._dict[name.lower()] = (self._dict[name.lower()][0], value)

    def add(self, name: str, value: str) -> None:
        """A header that may come twice: its values become one, as in urllib3."""
        there = self.get(name)
        self[name] = value if there is None else f"{there}, {value}"

    def copy(self) -> Headers:
        """The same, to be changed."""
        return Headers(self.items())
