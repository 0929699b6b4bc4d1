"""Keeps the requests to RDS within the rate of the policy: each attempt takes a token before it is sent.

The functions of a deployment share one row of the State table; they take some tokens at once, so that a sweep of a
thousand requests writes it a hundred times. What they do not use is lost: fewer requests, never more.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Protocol

from warden.core.errors import ConflictError, ThrottledError
from warden.core.tokens import Tokens
from warden.gateways.errors import THROTTLED, is_emulator, translated
from warden.gateways.items import conditional, decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.awsrequest import AWSPreparedRequest
    from mypy_boto3_dynamodb import DynamoDBClient

    from warden.core.tokens import Draw, Rate

paced = True
"""Whether AWS's own endpoints are asked at the rate of the policy; the local AWS, whose names are AWS's, says no."""

_TRIES = 8
_THOUSAND = 1000


class Bucket(Protocol):
    """Where the tokens are."""

    def draw(self, rate: Rate, draw: Draw, now: float) -> tuple[int, float]:
        """How many are granted, or in how many seconds to ask again."""
        ...

    def slow_down(self, rate: Rate, now: float) -> None:
        """AWS has throttled somebody."""
        ...


class LocalBucket:
    """Of one process alone, such as `warden scan`."""

    def __init__(self) -> None:
        self._tokens: Tokens | None = None

    def draw(self, rate: Rate, draw: Draw, now: float) -> tuple[int, float]:
        """How many are granted, or in how many seconds to ask again."""
        tokens = self._tokens or Tokens.full(rate, now)
        self._tokens, granted, wait = tokens.drawn(rate, draw, now)
        return granted, wait

    def slow_down(self, rate: Rate, now: float) -> None:
        """Empty it, and fill it half as fast."""
        self._tokens = (self._tokens or Tokens.full(rate, now)).throttled(rate, now)


class SharedBucket:
    """A row of the State table, which everybody of a deployment takes of."""

    def __init__(self, client: DynamoDBClient, table: str, *, account: str, region: str) -> None:
        self._client = client
        self._table = table
        self._key = {"pk": f"tokens#{account}#{region}", "sk": "rds"}

    def draw(self, rate: Rate, draw: Draw, now: float) -> tuple[int, float]:
        """How many are granted, or in how many seconds to ask again."""
        for _ in range(_TRIES):
            revision, tokens = self._read(rate, now)
            after, granted, wait = tokens.drawn(rate, draw, now)
            if not granted:
                return 0, wait
            try:
                self._write(after, revision)
            except ConflictError:
                continue
            return granted, 0.0
        return 0, 1 / rate.per_second

    def slow_down(self, rate: Rate, now: float) -> None:
        """Empty it, and fill it half as fast; where many say so at once, once is enough."""
        revision, tokens = self._read(rate, now)
        try:
            self._write(tokens.throttled(rate, now), revision)
        except ConflictError:
            return

    def _read(self, rate: Rate, now: float) -> tuple[int, Tokens]:
        with translated("dynamodb:GetItem"):
            answer = self._client.get_item(TableName=self._table, Key=encode(self._key), ConsistentRead=True)
        row = decode(answer.get("Item", {}))
        try:
            left, at, slowed = (int(row[name]) / _THOUSAND for name in ("left", "at", "slowed"))
        except (KeyError, ValueError):
            # None yet, or one that somebody else wrote.
            return int(row.get("revision", 0)), Tokens.full(rate, now)
        return int(row["revision"]), Tokens(left=left, at=at, slowed=slowed)

    def _write(self, tokens: Tokens, revision: int) -> None:
        with conditional("dynamodb:PutItem"):
            self._client.put_item(
                TableName=self._table,
                Item=encode(
                    {
                        **self._key,
                        "left": int(tokens.left * _THOUSAND),
                        "at": int(tokens.at * _THOUSAND),
                        "slowed": int(tokens.slowed * _THOUSAND),
                        "revision": revision + 1,
                    }
                ),
                ConditionExpression="attribute_not_exists(pk) OR revision = :revision",
                ExpressionAttributeValues=encode({":revision": revision}),
            )


class Pace:
    """Waits for a token before each attempt, as long as its patience lasts; then the attempt is not made."""

    def __init__(
        self,
        rate: Rate,
        bucket: Bucket,
        draw: Draw,
        *,
        patience: float,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._bucket = bucket
        self._draw = draw
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._held = 0
        self._lock = threading.Lock()

    def watch(self, client: Any) -> None:
        """Hold a client of RDS to it: every attempt counts against AWS's quota, retries included."""
        if self._rate.everywhere or (paced and not is_emulator(client.meta.endpoint_url)):
            client.meta.events.register("before-send.rds", self._before)
            client.meta.events.register("response-received.rds", self._after)

    def take(self) -> None:
        """Take a token; ThrottledError where there is none for longer than we may wait."""
        with self._lock:
            waited = 0.0
            while not self._held:
                self._held, wait = self._bucket.draw(self._rate, self._draw, self._clock())
                if self._held:
                    break
                waited += wait
                if waited > self._patience:
                    msg = (
                        f"Warden's own {self._rate.per_second} requests a second to RDS are spent; "
                        f"the next one would have to wait for {waited:.0f} s"
                    )
                    raise ThrottledError(msg)
                self._sleep(wait)
            self._held -= 1

    def _before(self, request: AWSPreparedRequest, **_: Any) -> None:
        del request
        self.take()

    def _after(self, parsed_response: dict[str, Any] | None = None, **_: Any) -> None:
        code = (parsed_response or {}).get("Error", {}).get("Code", "")
        if code in THROTTLED:
            with self._lock:
                self._held = 0
                self._bucket.slow_down(self._rate, self._clock())
