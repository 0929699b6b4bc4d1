"""Messages to channels of Slack and Teams: each has an address that is its password, kept in the secret."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from warden.core.errors import CredentialsError, SinkRefusedError
from warden.core.rendering import adaptive_card, block_kit
from warden.gateways.sinks.answers import Asked, refusal
from warden.gateways.sinks.api import USER_AGENT

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from warden.core.ticket import Ticket
    from warden.gateways.http import Answer, Http
    from warden.gateways.secrets import Secrets

# Slack, "Handling errors" of incoming webhooks: the address is not valid any more, or was taken back.
_DEAD = frozenset(
    {"no_service", "no_service_id", "no_team", "team_disabled", "invalid_token", "channel_not_found"}
)


def _redactor(url: str) -> Callable[[str], str]:
    """Takes an address, and each part of it that proves anything, out of a text."""
    parts = urlsplit(url)
    words = [*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query)), parts.query]
    taken = sorted(
        {url, parts.path, *(word for word in words if len(word) >= _TELLING)}, key=len, reverse=True
    )

    def redact(text: str) -> str:
        for part in taken:
            text = text.replace(part, "***")
        return text

    return redact


_TELLING = 8
"""Shorter parts of an address are words such as `invoke`."""


class Channel:
    """An incoming webhook."""

    def __init__(self, http: Http, secrets: Secrets, *, secret_arn: str, now: Callable[[], datetime]) -> None:
        self._http = http
        self._secrets = secrets
        self._secret_arn = secret_arn
        self._now = now

    def send(self, method: str, body: bytes | None) -> Answer:
        """Send to the address that the secret holds; where that is refused, read it anew and send once more."""
        answer = self._once(method, body)
        if answer.status in _REFUSED and self._secrets.again(self._secret_arn) is not None:
            answer = self._once(method, body)
        return answer

    def _once(self, method: str, body: bytes | None) -> Answer:
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": USER_AGENT}
        url = self._secrets.get(self._secret_arn)["url"]
        return self._http.send(method, url, headers=headers, body=body)

    def expect(self, answer: Answer, *expected: int) -> None:
        """Raise what an unexpected answer means."""
        if answer.status in expected:
            return
        secret = self._secrets.get(self._secret_arn)
        asked = Asked(what=f"POST {urlsplit(secret['url']).hostname}")
        error = refusal(answer, asked, now=self._now(), redact=_redactor(secret["url"]))
        if answer.status in _REFUSED and isinstance(error, SinkRefusedError):
            msg = f"{error}: make a new webhook, and put its address into the secret"
            raise CredentialsError(msg)
        raise error


_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


class Slack:
    """An incoming webhook of Slack; implements `ports.Notifier`."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def notify(self, ticket: Ticket) -> None:
        """Post a message."""
        body = json.dumps(block_kit.message(ticket), ensure_ascii=False).encode("utf-8", "replace")
        self._channel.expect(self._channel.send("POST", body), HTTPStatus.OK)

    def check(self) -> None:
        """See whether the webhook lives: it refuses a message without a text, and posts nothing."""
        answer = self._channel.send("POST", b"{}")
        self._channel.expect(answer, HTTPStatus.BAD_REQUEST)
        if answer.body.decode("utf-8", "replace").strip() in _DEAD:
            msg = "the webhook of Slack is not valid any more; make a new one, and put its address into the secret"
            raise CredentialsError(msg)


class Teams:
    """The webhook of a workflow in Teams; implements `ports.Notifier`."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def notify(self, ticket: Ticket) -> None:
        """Post a card; the workflow answers before it has posted."""
        body = adaptive_card.encoded(adaptive_card.message(ticket))
        self._channel.expect(self._channel.send("POST", body), HTTPStatus.OK, HTTPStatus.ACCEPTED)

    def check(self) -> None:
        """See whether the address is one, and is answered; only a message would show whether the workflow runs."""
        self._channel.send("GET", None)
