"""What sweeps remember, in the State table: a row for each thing that was read, and one for what an event announced.

Two rows, so that neither writer need know of the other: whichever time is later counts.
"""

from __future__ import annotations

import json
import threading
from dataclasses import field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass
from warden.core.errors import ThrottledError, WardenError
from warden.core.memory import Recalled, Remembered, Trust
from warden.gateways.errors import translated
from warden.gateways.items import ROOM, encode, pages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

_LIVES = timedelta(days=2)
"""Longer than anything is believed; TTL deletes within two more days, and an old row means nothing meanwhile."""
_READ, _ANNOUNCED = "read#", "announced#"
_EVERYTHING = "everything"
_BATCH = 25
"""The most items that BatchWriteItem takes."""
_BATCH_ROOM = 3_000_000
"""Bytes of JSON; a request may have 16 MB with all that stands around them."""
_TRIES = 3


class Announcements:
    """Notes that an event told of a change; implements `ports.Announcements`."""

    def __init__(self, client: DynamoDBClient, table: str, *, account: str, region: str) -> None:
        self._client = client
        self._table = table
        self._partition = _partition(account, region)

    def announce(self, arn: str, now: datetime) -> None:
        """What was read of a thing before now is not to be believed."""
        row: dict[str, str | int | bool] = {
            "pk": self._partition,
            "sk": _ANNOUNCED + arn,
            "at": now.isoformat(),
            "expires_at": int((now + _LIVES).timestamp()),
        }
        with translated("dynamodb:PutItem"):
            self._client.put_item(TableName=self._table, Item=encode(row))

    def distrust(self, now: datetime) -> None:
        """Nothing that was read before now is to be believed: events were lost, or did not say what they are about."""
        self.announce(_EVERYTHING, now)


@dataclass(frozen=True, slots=True)
class _Known:
    """What one look at the table found."""

    trust: Trust
    remembered: Mapping[str, Remembered] = field(default_factory=dict)
    """With the values as JSON."""
    announced: Mapping[str, datetime] = field(default_factory=dict)

    def believed(self, arn: str, seen: str) -> Recalled | None:
        found = self.remembered.get(arn)
        if found is None or found.seen != seen:
            return None
        told = [at for name in (arn, _EVERYTHING) if (at := self.announced.get(name)) is not None]
        if not self.trust.believes(arn, found, announced_at=max(told, default=None)):
            return None
        try:
            return Recalled(json.loads(found.value))
        except (TypeError, ValueError):
            return None


class Memory:
    """The memory of one sweep; used by several threads.

    It saves requests and decides nothing, so that its own failures cost requests and nothing else: what it cannot read
    is read from AWS, and what it cannot write is read again by the next sweep.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        *,
        account: str,
        region: str,
        clock: Callable[[], datetime],
        longest: timedelta,
        interval: timedelta,
    ) -> None:
        """Nothing is believed for longer than `longest`, if the next sweep comes after `interval`."""
        self._client = client
        self._table = table
        self._partition = _partition(account, region)
        self.clock = clock
        self._longest = longest
        self._interval = interval
        self._lock = threading.Lock()
        self._known: _Known | None = None
        self._learned: list[dict[str, str | int | bool]] = []
        self.failures: list[str] = []
        """What could not be read or written, as sentences."""

    def recall(self, arn: str, *, seen: str) -> Recalled | None:
        """What is known of a thing, if that may still be believed and the list page says of it what it said then."""
        with self._lock:
            if self._known is None:
                self._known = self._look()
        return self._known.believed(arn, seen)

    def learn(self, arn: str, *, seen: str, value: Any, read_at: datetime) -> None:
        """Remember what AWS said; `read_at` is the time before it was asked. Written in batches, and by `flush`."""
        text = json.dumps(value)
        if len(text) > ROOM:
            return
        row: dict[str, str | int | bool] = {
            "pk": self._partition,
            "sk": _READ + arn,
            "seen": seen,
            "read_at": read_at.isoformat(),
            "value": text,
            "expires_at": int((read_at + _LIVES).timestamp()),
        }
        with self._lock:
            self._learned.append(row)
            full = len(self._learned) >= _BATCH
        if full:
            self.flush()

    def flush(self) -> None:
        """Write what was learned since."""
        with self._lock:
            # A thing is read once in a sweep, but by two invocations it may be twice; no batch may name it twice.
            rows = list({row["sk"]: row for row in self._learned}.values())
            self._learned = []
        try:
            for batch in _batches(rows):
                self._write([{"PutRequest": {"Item": encode(row)}} for row in batch])
        except WardenError as error:
            self.failures.append(f"What was read could not be remembered: {error}")

    def _write(self, requests: list[Any]) -> None:
        """A few tries for what DynamoDB leaves unprocessed; a sweep does not wait for its memory."""
        for _ in range(_TRIES):
            try:
                with translated("dynamodb:BatchWriteItem"):
                    answer = self._client.batch_write_item(RequestItems={self._table: requests})
            except ThrottledError:
                continue
            requests = answer.get("UnprocessedItems", {}).get(self._table, [])
            if not requests:
                return

    def _look(self) -> _Known:
        try:
            return self._load()
        except WardenError as error:
            self.failures.append(f"What earlier sweeps read could not be recalled: {error}")
            return _Known(Trust(now=self.clock()))

    def _load(self) -> _Known:
        now = self.clock()
        remembered: dict[str, Remembered] = {}
        announced: dict[str, datetime] = {}
        rows = pages(
            self._client.query,
            "dynamodb:Query",
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=encode({":pk": self._partition}),
        )
        for row in rows:
            name: str = row["sk"]
            if name.startswith(_ANNOUNCED):
                announced[name.removeprefix(_ANNOUNCED)] = _time(row.get("at")) or now
            elif (read_at := _time(row.get("read_at"))) is not None:
                remembered[name.removeprefix(_READ)] = Remembered(
                    value=row.get("value", ""), seen=row.get("seen", ""), read_at=read_at
                )
        trust = Trust(now=now, longest=self._longest, interval=self._interval)
        return _Known(trust, remembered, announced)


def _time(text: str | None) -> datetime | None:
    """What a row says; None where somebody else wrote it."""
    try:
        time = datetime.fromisoformat(text or "")
    except (TypeError, ValueError):
        return None
    return time if time.tzinfo is not None else None


def _partition(account: str, region: str) -> str:
    return f"memory#{account}#{region}"


def _batches(rows: Iterable[dict[str, str | int | bool]]) -> list[list[dict[str, str | int | bool]]]:
    """The rows in batches that a request can hold."""
    batches: list[list[dict[str, str | int | bool]]] = [[]]
    room = _BATCH_ROOM
    for row in rows:
        size = len(str(row["value"]))
        if len(batches[-1]) == _BATCH or size > room:
            batches.append([])
            room = _BATCH_ROOM
        batches[-1].append(row)
        room -= size
    return [batch for batch in batches if batch]
