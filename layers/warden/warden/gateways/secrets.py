"""The secrets of ticket sinks: JSON objects of strings in Secrets Manager, kept in memory for some minutes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from warden.core.dataclass import dataclass
from warden.core.errors import CredentialsError, RefusedError
from warden.gateways.errors import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

T = TypeVar("T")
KEPT = timedelta(minutes=5)
"""A rotated secret is used within five minutes, and at once where the old one is refused."""
AGAIN = timedelta(minutes=1)
"""A sink that refuses its credentials does not have the secret read with every ticket."""


class Secret:
    """The values of one secret; none of them is ever in its text."""

    __slots__ = ("_values", "arn")

    def __init__(self, arn: str, values: Mapping[str, str]) -> None:
        self.arn = arn
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        """A value; raises CredentialsError naming the secret and the key."""
        value = self._values.get(name, "")
        if not value:
            msg = f"the secret {self.arn} has no key {name!r}; docs/how-to/connect-a-tracker.md shows what it must hold"
            raise CredentialsError(msg)
        if not value.isprintable():
            # The line break that an editor or `echo` left there; a header with one would be two.
            msg = f"{name!r} in the secret {self.arn} holds a line break or another control character; take it out"
            raise CredentialsError(msg)
        return value

    def __contains__(self, name: object) -> bool:
        return bool(self._values.get(str(name)))

    def __repr__(self) -> str:
        return f"Secret({self.arn!r})"

    def redact(self, text: str) -> str:
        """The text without any value of the secret: servers repeat in errors what they were sent."""
        for value in sorted(self._values.values(), key=len, reverse=True):
            if len(value) >= _SHORTEST:
                text = text.replace(value, "***")
        return text


_SHORTEST = 4
"""A user name of three letters is no secret, and would tear holes into every sentence."""


@dataclass(slots=True)
class _Kept:
    secret: Secret
    at: datetime
    again_at: datetime | None = None


class Secrets:
    """Reads secrets, and keeps them in this process alone."""

    def __init__(self, client: Callable[[], Any], *, clock: Callable[[], datetime]) -> None:
        """Take what makes a client of Secrets Manager: it is not made before a secret is needed."""
        self._client = client
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def get(self, arn: str) -> Secret:
        """The secret, at most five minutes old.

        Raises CredentialsError naming the ARN where it is missing, denied or no JSON object of strings, and
        TransientError where Secrets Manager cannot be asked now.
        """
        kept = self._kept.get(arn)
        if kept is None or self._clock() - kept.at >= KEPT:
            kept = self._kept[arn] = _Kept(self._read(arn), self._clock())
        return kept.secret

    def tried(self, arn: str, act: Callable[[Secret], T]) -> T:
        """What comes of something that needs the secret; where that is refused, once more with it as it is now.

        `act` raises CredentialsError where it is refused, or is none that it can use.
        """
        secret = self.get(arn)
        try:
            return act(secret)
        except CredentialsError:
            newer = self._again(arn)
            if newer is None:
                raise
        return act(newer)

    def _again(self, arn: str) -> Secret | None:
        """The secret as it is now, after it was refused; None if that was done less than a minute ago."""
        now = self._clock()
        kept = self._kept.get(arn)
        if kept is not None and kept.again_at is not None and now - kept.again_at < AGAIN:
            return None
        self._kept[arn] = _Kept(self._read(arn), now, again_at=now)
        return self._kept[arn].secret

    def _read(self, arn: str) -> Secret:
        try:
            with translated("secretsmanager:GetSecretValue"):
                answer = self._client().get_secret_value(SecretId=arn)
        except RefusedError as error:
            msg = f"the secret {arn} cannot be read: {error}"
            raise CredentialsError(msg) from error
        return Secret(arn, _parsed(arn, answer.get("SecretString")))


def _parsed(arn: str, text: str | None) -> dict[str, str]:
    # No message says what was there instead, and none keeps the exception: its document would be the secret.
    try:
        values = json.loads(text or "")
    except ValueError:
        values = None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        msg = f"the secret {arn} is no JSON object of strings; docs/how-to/connect-a-tracker.md shows what it must hold"
        raise CredentialsError(msg)
    return values
