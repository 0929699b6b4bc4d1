"""Reads the values of a policy file, and refuses what they must not be, by file, key and remedy."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, NoReturn

from warden.core.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Mapping

_ACCOUNT = re.compile(r"\d{12}")


class PolicyValues:
    """What each section of the policy is read with; `where` is the key, as errors name it."""

    def __init__(self, source: str) -> None:
        self.source = source

    def table(self, document: Mapping[str, Any], key: str, prefix: str = "") -> Mapping[str, Any]:
        """A table of the document; empty where it is absent."""
        table: Mapping[str, Any] = self.typed(document.get(key, {}), dict, prefix + key)
        return table

    def rows(self, document: Mapping[str, Any], key: str) -> list[tuple[Mapping[str, Any], str]]:
        """The tables of an array, each with its key."""
        rows = self.typed(document.get(key, []), list, key)
        return [
            (self.typed(row, dict, f"{key}[{index}]"), f"{key}[{index}]") for index, row in enumerate(rows)
        ]

    def keys(
        self,
        table: Mapping[str, Any],
        where: str,
        *,
        required: set[str] = frozenset(),  # type: ignore[assignment]  # an empty default that nothing mutates
        optional: set[str] = frozenset(),  # type: ignore[assignment]  # the same
    ) -> None:
        """Refuse a key that does not exist, and the absence of one that is required."""
        dot = f"{where}." if where else ""
        for key in sorted(required - set(table)):
            self.fail(f"{dot}{key}", "is missing; it is required")
        for key in sorted(set(table) - required - optional):
            known = ", ".join(sorted(required | optional)) or "none"
            self.fail(f"{dot}{key}", f"is not a key that exists here; known are {known}")

    def typed(self, value: Any, wanted: type, where: str) -> Any:
        """The value, which must be of exactly this type: `true` is no 1."""
        if type(value) is not wanted:
            self.fail(where, f"{value!r} is not a {wanted.__name__}")
        return value

    def number(self, table: Mapping[str, Any], where: str, default: int, *, low: int, high: int) -> int:
        """The whole number of a table's member, `where` with the table's name before it, within its bounds."""
        value: int = self.typed(table.get(where.rpartition(".")[2], default), int, where)
        if not low <= value <= high:
            self.fail(where, f"{value} is not between {low} and {high}")
        return value

    def strings(self, value: Any, where: str) -> list[str]:
        """The value, which must be a list of strings."""
        return [self.typed(item, str, where) for item in self.typed(value, list, where)]

    def accounts(self, value: Any, where: str) -> list[str]:
        """The value, which must be a list of account ids."""
        accounts = self.strings(value, where)
        for account in accounts:
            if not _ACCOUNT.fullmatch(account):
                self.fail(where, f"{account!r} is not an account id; write the twelve digits in quotes")
        return accounts

    def moment(self, value: Any, where: str) -> datetime:
        """A date or time; midnight, and UTC, where it says neither."""
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        if not isinstance(value, date):
            self.fail(where, f"{value!r} is not a date or time; write it as 2026-12-20T18:00:00Z")
        return datetime.combine(value, time(), UTC)

    def fail(self, where: str, why: str) -> NoReturn:
        """Refuse the file."""
        msg = f"{self.source}: {where}: {why}"
        raise PolicyError(msg)
