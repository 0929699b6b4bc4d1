"""A small DynamoDB, for tables of 200,000 rows: moto looks through all rows of a table for each query.

It knows the operations and the expressions that Warden uses, and refuses the others; a test compares it with moto.
"""

from __future__ import annotations

import functools
import json
import re
import threading
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

Attribute = dict[str, Any]
Item = dict[str, Attribute]
Key = tuple[Any, ...]

_PAGE = 1_000_000
"""Bytes of items after which a page of a Query or a Scan ends."""
_READ_UNIT, _WRITE_UNIT = 4096, 1024
_MOST_WRITTEN, _MOST_READ = 25, 100
_FAILED = "ConditionalCheckFailedException"


class RefusedError(Exception):
    """An answer that is an error: DynamoDB's name of it, and further fields of its body."""

    def __init__(self, name: str, message: str = "", **fields: Any) -> None:
        super().__init__(message)
        self.name = name
        self.fields = fields


# --- expressions ----------------------------------------------------------------------------------------------

_TOKENS = re.compile(r"\s*([:#]?\w+|<=|>=|<>|[=<>(),+-])")
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


@dataclass(slots=True)
class _Scope:
    """What the names of an expression stand for."""

    item: Item
    names: Mapping[str, str]
    values: Mapping[str, Attribute]

    def name(self, token: str) -> str:
        return self.names[token] if token.startswith("#") else token

    def value(self, token: str) -> Attribute | None:
        return self.values[token] if token.startswith(":") else self.item.get(self.name(token))


def _plain(attribute: Attribute | None) -> tuple[str, Any]:
    """The type and the value, so that two of them compare as DynamoDB compares them."""
    if attribute is None:
        return "", None
    ((kind, value),) = attribute.items()
    return kind, Decimal(value) if kind == "N" else value


class _Parser:
    """Reads conditions (also of keys and filters) by recursive descent."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.at = 0

    def next(self, wanted: str = "") -> str:
        token = self.tokens[self.at] if self.at < len(self.tokens) else ""
        if not token or (wanted and token.upper() != wanted):
            message = f"{self.text}: {wanted or 'more'} expected"
            raise RefusedError("ValidationException", message)
        self.at += 1
        return token

    def peek(self) -> str:
        return self.tokens[self.at].upper() if self.at < len(self.tokens) else ""

    def whole(self) -> Callable[[_Scope], bool]:
        condition = self.either()
        if self.peek():
            raise RefusedError("ValidationException", f"{self.text}: {self.peek()}")
        return condition

    def either(self) -> Callable[[_Scope], bool]:
        parts = [self.both()]
        while self.peek() == "OR":
            self.next()
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else lambda scope: any(part(scope) for part in parts)

    def both(self) -> Callable[[_Scope], bool]:
        parts = [self.one()]
        while self.peek() == "AND":
            self.next()
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else lambda scope: all(part(scope) for part in parts)

    def one(self) -> Callable[[_Scope], bool]:
        first = self.next()
        if first.upper() == "NOT":
            inner = self.one()
            return lambda scope: not inner(scope)
        if first == "(":
            inner = self.either()
            self.next(")")
            return inner
        if self.peek() == "(":
            return self.function(first)
        if self.peek() == "BETWEEN":
            self.next()
            low, _, high = self.next(), self.next("AND"), self.next()
            return lambda scope: (
                _holds("<=", scope.value(low), scope.value(first))
                and _holds("<=", scope.value(first), scope.value(high))
            )
        sign, other = self.next(), self.next()
        if sign not in _COMPARED:
            raise RefusedError("ValidationException", f"{self.text}: {sign}")
        return lambda scope: _holds(sign, scope.value(first), scope.value(other))

    def function(self, name: str) -> Callable[[_Scope], bool]:
        self.next("(")
        arguments = [self.next()]
        while self.peek() == ",":
            self.next()
            arguments.append(self.next())
        self.next(")")
        first = arguments[0]
        if name == "attribute_not_exists":
            return lambda scope: scope.value(first) is None
        if name == "attribute_exists":
            return lambda scope: scope.value(first) is not None
        if name not in {"begins_with", "contains"}:
            raise RefusedError("ValidationException", f"{self.text}: {name}")

        def holds(scope: _Scope) -> bool:
            (kind, whole), (other, part) = (_plain(scope.value(argument)) for argument in arguments)
            if (kind, other) != ("S", "S"):
                return False
            return bool(whole.startswith(part) if name == "begins_with" else part in whole)

        return holds


def _tokens(text: str) -> list[str]:
    tokens = _TOKENS.findall(text)
    if re.sub(r"\s", "", text) != "".join(tokens):
        raise RefusedError("ValidationException", text)
    return tokens


def _holds(sign: str, left: Attribute | None, right: Attribute | None) -> bool:
    (kind, one), (other, two) = _plain(left), _plain(right)
    if kind != other or not kind:
        return sign == "<>"
    return _COMPARED[sign](one, two)


@functools.lru_cache(maxsize=256)
def _condition(text: str) -> Callable[[_Scope], bool]:
    return _Parser(text).whole()


def _true(text: str | None, item: Item, asked: Mapping[str, Any]) -> bool:
    if text is None:
        return True
    return _condition(text)(_scope(item, asked))


def _scope(item: Item, asked: Mapping[str, Any]) -> _Scope:
    return _Scope(
        item, asked.get("ExpressionAttributeNames") or {}, asked.get("ExpressionAttributeValues") or {}
    )


def _updated(text: str, item: Item, asked: Mapping[str, Any]) -> Item:
    """What an UpdateExpression makes of an item: SET of a value, ADD of a number, REMOVE."""
    scope, after = _scope(item, asked), dict(item)
    verb = ""
    for part in re.split(r"\b(SET|ADD|REMOVE)\b|,", text):
        if part is None or not part.strip():
            continue
        if part in {"SET", "ADD", "REMOVE"}:
            verb = part
            continue
        match verb, _tokens(part):
            case "SET", [name, "=", value] if value in scope.values:
                after[scope.name(name)] = scope.values[value]
            case "ADD", [name, value]:
                before = _plain(item.get(scope.name(name), {"N": "0"}))[1]
                after[scope.name(name)] = {"N": str(before + _plain(scope.values[value])[1])}
            case "REMOVE", [name]:
                after.pop(scope.name(name), None)
            case _:
                raise RefusedError("ValidationException", text)
    return after


# --- tables ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Table:
    """The rows of a table by its key, in the order in which they came, and by the keys of its indexes."""

    schema: Sequence[str]
    indexes: Mapping[str, Sequence[str]]
    items: dict[Key, Item] = field(default_factory=dict)
    _places: dict[Key, int] = field(default_factory=dict)
    _order: list[Key | None] = field(default_factory=list)
    _groups: dict[tuple[str, Any], dict[Key, None]] = field(default_factory=dict)

    def key(self, item: Item, schema: Sequence[str] = ()) -> Key:
        """The values of its key, or of an index's."""
        return tuple(_plain(item[name])[1] for name in schema or self.schema)

    def put(self, item: Item) -> None:
        """Keep an item instead of what had its key."""
        key = self.key(item)
        self._forget(key)
        self.items[key] = item
        if key not in self._places:
            self._places[key] = len(self._order)
            self._order.append(key)
        for group in self._groups_of(item):
            self._groups.setdefault(group, {})[key] = None

    def delete(self, key: Key) -> None:
        """Forget the item of a key, if there is one."""
        self._forget(key)
        if self.items.pop(key, None) is not None:
            self._order[self._places.pop(key)] = None

    def _forget(self, key: Key) -> None:
        if key in self.items:
            for group in self._groups_of(self.items[key]):
                self._groups[group].pop(key, None)

    def _groups_of(self, item: Item) -> Iterator[tuple[str, Any]]:
        for name, schema in {"": self.schema, **self.indexes}.items():
            if all(attribute in item for attribute in schema):
                yield name, _plain(item[schema[0]])[1]

    def group(self, index: str, value: Any) -> list[Item]:
        """The items of one partition key, sorted by what follows it."""
        schema = self.indexes[index] if index else self.schema
        found = [self.items[key] for key in self._groups.get((index, value), ())]
        return sorted(found, key=lambda item: (self.key(item, schema), self.key(item)))

    def after(self, start: Item | None) -> Iterator[Item]:
        """All items that came after one."""
        first = self._places.get(self.key(start), -1) + 1 if start else 0
        for key in self._order[first:]:
            if key is not None:
                yield self.items[key]


class Rows:
    """Tables, and the answers to operations on them."""

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        self._units = {"reads": 0.0, "writes": 0.0}
        self._lock = threading.Lock()

    def answer(self, operation: str, body: bytes) -> tuple[int, bytes]:
        """The status and the body that DynamoDB would answer."""
        try:
            with self._lock:
                answer = getattr(self, f"_{operation}", self._unknown)(json.loads(body))
        except RefusedError as error:
            told = {"__type": f"com.amazonaws.dynamodb.v20120810#{error.name}", "message": str(error)}
            return 400, json.dumps({**told, **error.fields}).encode()
        return 200, json.dumps(answer).encode()

    def units(self) -> dict[str, float]:
        """What DynamoDB would have billed since this was last asked, on demand."""
        with self._lock:
            units, self._units = self._units, {"reads": 0.0, "writes": 0.0}
        return units

    def forget(self) -> dict[str, float]:
        """Begin anew, without tables."""
        with self._lock:
            self.tables.clear()
        return {}

    def _count_read(self, size: int, asked: Mapping[str, Any]) -> None:
        """A unit for each 4 KB that are read consistently, half of one where they are not."""
        units = max(1, -(-size // _READ_UNIT))
        self._units["reads"] += units if asked.get("ConsistentRead") else units / 2

    def _unknown(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        raise RefusedError("ValidationException", f"not known here: {sorted(asked)}")

    def _table(self, asked: Mapping[str, Any]) -> Table:
        try:
            return self.tables[asked["TableName"]]
        except KeyError:
            raise RefusedError("ResourceNotFoundException", asked["TableName"]) from None

    def _ListTables(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802 - the names are DynamoDB's
        del asked
        return {"TableNames": sorted(self.tables)}

    def _CreateTable(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        def schema(of: Mapping[str, Any]) -> list[str]:
            return [part["AttributeName"] for part in of["KeySchema"]]

        self.tables[asked["TableName"]] = Table(
            schema(asked), {one["IndexName"]: schema(one) for one in asked.get("GlobalSecondaryIndexes", ())}
        )
        return {"TableDescription": {"TableName": asked["TableName"], "TableStatus": "ACTIVE"}}

    def _GetItem(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        table = self._table(asked)
        item = table.items.get(table.key(asked["Key"]))
        self._count_read(_size(item or {}), asked)
        return {} if item is None else {"Item": _projected(item, asked)}

    def _PutItem(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._put(self._checked(asked, asked["Item"]), asked["Item"])
        return {}

    def _DeleteItem(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        table = self._checked(asked, asked["Key"])
        self._delete(table, asked["Key"])
        return {}

    def _UpdateItem(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        before = self._table(asked).items.get(self._table(asked).key(asked["Key"]), asked["Key"])
        after = self._update(asked)
        told = asked.get("ReturnValues", "NONE")
        if told == "UPDATED_NEW":
            return {"Attributes": {name: after[name] for name in after if after[name] != before.get(name)}}
        if told not in {"NONE", "ALL_NEW"}:
            raise RefusedError("ValidationException", told)
        return {"Attributes": after} if told == "ALL_NEW" else {}

    def _update(self, asked: Mapping[str, Any]) -> Item:
        table = self._checked(asked, asked["Key"])
        before = table.items.get(table.key(asked["Key"]), asked["Key"])
        after = _updated(asked["UpdateExpression"], before, asked)
        self._put(table, after)
        return after

    def _TransactWriteItems(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        reasons: list[dict[str, Any]] = []
        for write in asked["TransactItems"]:
            ((_, what),) = write.items()
            try:
                self._checked(what, what.get("Item") or what["Key"])
            except RefusedError as error:
                if error.name != _FAILED:
                    raise
                reasons.append({"Code": "ConditionalCheckFailed", "Message": str(error)})
            else:
                reasons.append({"Code": "None"})
        if any(reason["Code"] != "None" for reason in reasons):
            raise RefusedError("TransactionCanceledException", "cancelled", CancellationReasons=reasons)
        # "Two writes are needed for each item of a transaction": one prepares, one commits.
        units = self._units["writes"]
        for write in asked["TransactItems"]:
            ((verb, what),) = write.items()
            if verb == "Update":
                self._update(what)
            elif verb == "Put":
                self._put(self._table(what), what["Item"])
            elif verb == "Delete":
                self._delete(self._table(what), what["Key"])
        self._units["writes"] += self._units["writes"] - units
        return {}

    def _BatchWriteItem(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        writes = [
            (self._table({"TableName": name}), write)
            for name, of_table in asked["RequestItems"].items()
            for write in of_table
        ]
        if len(writes) > _MOST_WRITTEN:
            raise RefusedError("ValidationException", "Too many items requested for the BatchWriteItem call")
        for table, write in writes:
            if "PutRequest" in write:
                self._put(table, write["PutRequest"]["Item"])
            else:
                self._delete(table, write["DeleteRequest"]["Key"])
        return {"UnprocessedItems": {}}

    def _BatchGetItem(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        found: dict[str, list[Item]] = {}
        if sum(len(of_table["Keys"]) for of_table in asked["RequestItems"].values()) > _MOST_READ:
            raise RefusedError("ValidationException", "Too many items requested for the BatchGetItem call")
        for name, of_table in asked["RequestItems"].items():
            of = {"TableName": name, **of_table}
            answers = [self._GetItem({**of, "Key": key}) for key in of_table["Keys"]]
            found[name] = [answer["Item"] for answer in answers if answer]
        return {"Responses": found, "UnprocessedKeys": {}}

    def _checked(self, asked: Mapping[str, Any], key: Item) -> Table:
        """The table, if the condition holds of what it has."""
        table = self._table(asked)
        if not _true(asked.get("ConditionExpression"), table.items.get(table.key(key), {}), asked):
            raise RefusedError(_FAILED, "The conditional request failed")
        return table

    def _put(self, table: Table, item: Item) -> None:
        """Keep an item; each index that holds it, or held it under another key, is a write of its own."""
        before = table.items.get(table.key(item), {})
        size = max(_size(item), _size(before))
        for schema in (table.schema, *table.indexes.values()):
            keys = {
                tuple(str(one.get(name)) for name in schema) for one in (item, before) if schema[0] in one
            }
            self._units["writes"] += len(keys) * -(-size // _WRITE_UNIT)
        table.put(item)

    def _delete(self, table: Table, key: Item) -> None:
        before = table.items.get(table.key(key), {})
        held = sum(schema[0] in before for schema in (table.schema, *table.indexes.values()))
        self._units["writes"] += max(1, held * -(-_size(before) // _WRITE_UNIT))
        table.delete(table.key(key))

    def _Query(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        table, index = self._table(asked), asked.get("IndexName", "")
        text = asked["KeyConditionExpression"]
        values = asked.get("ExpressionAttributeValues") or {}
        schema = table.indexes[index] if index else table.schema
        names = asked.get("ExpressionAttributeNames") or {}
        equal = re.search(r"([#\w]+)\s*=\s*(:\w+)", text)
        if equal is None or names.get(equal[1], equal[1]) != schema[0]:
            raise RefusedError("ValidationException", text)
        found = table.group(index, _plain(values[equal[2]])[1])
        if asked.get("ScanIndexForward") is False:
            found.reverse()
        items = iter([item for item in found if _true(text, item, asked)])
        if start := asked.get("ExclusiveStartKey"):
            begin = table.key(start)
            for item in items:
                if table.key(item) == begin:
                    break
        return self._page(table, items, asked, index)

    def _Scan(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        table = self._table(asked)
        return self._page(table, table.after(asked.get("ExclusiveStartKey")), asked, "")

    def _page(
        self, table: Table, items: Iterator[Item], asked: Mapping[str, Any], index: str
    ) -> dict[str, Any]:
        found: list[Item] = []
        size = scanned = 0
        last: Item | None = None
        for item in items:
            if size >= _PAGE or scanned == asked.get("Limit"):
                keys = {*table.schema, *(table.indexes[index] if index else ())}
                more = {name: value for name, value in (last or {}).items() if name in keys}
                self._count_read(size, asked)
                return {
                    "Items": found,
                    "Count": len(found),
                    "ScannedCount": scanned,
                    "LastEvaluatedKey": more,
                }
            size += _size(item)
            scanned += 1
            last = item
            if _true(asked.get("FilterExpression"), item, asked):
                found.append(_projected(item, asked))
        self._count_read(size, asked)
        return {"Items": found, "Count": len(found), "ScannedCount": scanned}


def _size(item: Item) -> int:
    return sum(len(name) + len(str(*value.values())) for name, value in item.items())


def _projected(item: Item, asked: Mapping[str, Any]) -> Item:
    text = asked.get("ProjectionExpression")
    if text is None:
        return item
    names = {_scope(item, asked).name(part.strip()) for part in text.split(",")}
    return {name: value for name, value in item.items() if name in names}
