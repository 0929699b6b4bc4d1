"""CloudWatch Logs Insights on this machine: moto knows fields, sort and limit, and ignores every other command.

Answers the commands that Warden sends, and refuses others rather than ignoring them. Citations are of the Amazon
CloudWatch Logs User Guide, "CloudWatch Logs Insights language query syntax", and of the API Reference, StartQuery and
GetQueryResults.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import moto.logs.models
from moto.logs.exceptions import InvalidParameterException
from moto.logs.models import LogQuery

from console.local.rds.registry import Patch

if TYPE_CHECKING:
    from collections.abc import Callable

_execute = moto.logs.models.execute_query
_result = LogQuery.to_result_json
_CONDITION = re.compile(r"(@\w+) (not )?like /((?:[^/])*)/")
_CALL = re.compile(r"(count\(\*\)|max\(@timestamp\)) as (\w+)")


def _execute_query(log_groups: list[Any], query: str, start_time: int, end_time: int) -> list[dict[str, str]]:
    """Run the commands one after the other over the events of the time range.

    "The range is inclusive, so the specified end time is included in the query" (StartQuery): in seconds.
    """
    if "stats " not in query:
        found: list[dict[str, str]] = _execute(log_groups, query, start_time, end_time)
        return found
    rows = [
        {"@message": event.message, "@timestamp": event.timestamp, "@logStream": stream.log_stream_name}
        for group in log_groups
        for stream in group.streams.values()
        for event in stream.events
        if start_time * 1000 <= event.timestamp < (end_time + 1) * 1000
    ]
    scanned = (len(rows), sum(len(row["@message"].encode()) for row in rows))
    for command in query.split(" | "):
        name, _, rest = command.strip().partition(" ")
        if name not in _COMMANDS:
            msg = f"the local AWS does not know the command {name!r}"
            raise InvalidParameterException(msg)
        rows = _COMMANDS[name](rows, rest)
    answer = _Rows({name: str(value) for name, value in row.items()} for row in rows)
    answer.scanned = scanned
    return answer


def _filter(rows: list[dict[str, Any]], rest: str) -> list[dict[str, Any]]:
    """A pattern between slashes is a regular expression."""
    conditions = _CONDITION.findall(rest)
    if " and ".join(f"{field} {no}like /{pattern}/" for field, no, pattern in conditions) != rest:
        msg = f"the local AWS does not know the condition {rest!r}"
        raise InvalidParameterException(msg)
    return [
        row
        for row in rows
        if all((re.search(pattern, str(row[field])) is None) is bool(no) for field, no, pattern in conditions)
    ]


def _parse(rows: list[dict[str, Any]], rest: str) -> list[dict[str, Any]]:
    """Extract fields by the named groups of a pattern; a line that does not match has none of them."""
    field, _, pattern = rest.partition(" ")
    compiled = re.compile(pattern.strip("/").replace("(?<", "(?P<"))
    return [
        {**row, **(found.groupdict() if (found := compiled.search(str(row[field]))) else {})} for row in rows
    ]


def _stats(rows: list[dict[str, Any]], rest: str) -> list[dict[str, Any]]:
    """One row for each combination; a field that an event has not is left out of its row."""
    calls, _, by = rest.partition(" by ")
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[tuple(_value(row, name) for name in by.split(", "))].append(row)
    return [
        {
            **{name: value for name, value in zip(by.split(", "), key, strict=True) if value is not None},
            **{
                alias: len(group) if call == "count(*)" else max(row["@timestamp"] for row in group)
                for call, alias in _CALL.findall(calls)
            },
        }
        for key, group in groups.items()
    ]


def _value(row: dict[str, Any], name: str) -> Any:
    """A field of a row; `bin(1h)` "rounds the value of @timestamp to the given time period and then truncates"."""
    if name != "bin(1h)":
        return row.get(name)
    moment = datetime.fromtimestamp(row["@timestamp"] / 1000, UTC)
    return f"{moment:%Y-%m-%d %H}:00:00.000"


def _sort(rows: list[dict[str, Any]], rest: str) -> list[dict[str, Any]]:
    field, _, order = rest.partition(" ")
    return sorted(rows, key=lambda row: row[field], reverse=order == "desc")


def _limit(rows: list[dict[str, Any]], rest: str) -> list[dict[str, Any]]:
    return rows[: int(rest)]


_COMMANDS: dict[str, Callable[[list[dict[str, Any]], str], list[dict[str, Any]]]] = {
    "filter": _filter,
    "parse": _parse,
    "stats": _stats,
    "sort": _sort,
    "limit": _limit,
}


class _Rows(list[dict[str, str]]):
    """The rows of a query, with what it took to find them."""

    scanned: tuple[int, int] = (0, 0)


def _to_result_json(query: Any) -> dict[str, Any]:
    """With the statistics: "the total number of bytes in the log events scanned during the query"."""
    answer: dict[str, Any] = _result(query)
    records, size = getattr(query.results, "scanned", (0, 0))
    return {**answer, "statistics": {"recordsScanned": float(records), "bytesScanned": float(size)}}


PATCHES = (
    Patch(target=moto.logs.models, attribute="execute_query", replacement=_execute_query),
    Patch(target=LogQuery, attribute="to_result_json", replacement=_to_result_json),
)
