"""Messages to channels of Slack and Teams: each has an address that is its password, kept in the secret."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from warden.core.errors import ConfigurationError, CredentialsError, SinkRefusedError
from warden.core.rendering import adaptive_card, block_kit
from warden.gateways.sinks.answers import Asked, page, refusal
from warden.gateways.sinks.api import USER_AGENT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from warden.core.ticket import Ticket
    from warden.gateways.http import Answer, Http
    from warden.gateways.secrets import Secret, Secrets

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
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_NEW = "make a new webhook, and put its address into the secret"


class Channel:
    """An incoming webhook."""

    def __init__(self, http: Http, secrets: Secrets, *, secret_arn: str, now: Callable[[], datetime]) -> None:
        self._http = http
        self._secrets = secrets
        self._secret_arn = secret_arn
        self._now = now

    def send(self, method: str, body: bytes | None, *, expected: Collection[int]) -> Answer:
        """Send to the address that the secret holds; raises what an answer means that is none of the expected.

        Where the address is refused, or is none that may be called, the secret is read anew and it is sent once more.
        """

        def sent(secret: Secret) -> Answer:
            answer = self._sent(method, secret["url"], body)
            asked = Asked(what=f"{method} {urlsplit(secret['url']).hostname}")
            if answer.status not in expected:
                raise self._refusal(answer, asked, secret["url"])
            if answer.is_page and method == "POST":
                raise page(asked, answer)
            return answer

        return self._secrets.tried(self._secret_arn, sent)

    def _sent(self, method: str, url: str, body: bytes | None) -> Answer:
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": USER_AGENT}
        try:
            return self._http.send(method, url, headers=headers, body=body)
        except ConfigurationError as error:
            msg = f"the address in the secret {self._secret_arn} is not to be called: {error}"
            raise CredentialsError(msg) from error

    def _refusal(self, answer: Answer, asked: Asked, url: str) -> Exception:
        error = refusal(answer, asked, now=self._now(), redact=_redactor(url))
        if answer.status in _REFUSED and isinstance(error, SinkRefusedError):
            return CredentialsError(f"{error}: {_NEW}")
        return error


class Slack:
    """An incoming webhook of Slack; implements `ports.Notifier`."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def notify(self, ticket: Ticket) -> None:
        """Post a message."""
        body = json.dumps(block_kit.message(ticket), ensure_ascii=False).encode("utf-8", "replace")
        self._channel.send("POST", body, expected={HTTPStatus.OK})

    def check(self) -> str:
        """See whether the webhook lives: it refuses a message without a text, and posts nothing."""
        answer = self._channel.send("POST", b"{}", expected={HTTPStatus.BAD_REQUEST})
        if answer.body.decode("utf-8", "replace").strip() in _DEAD:
            msg = f"the webhook of Slack is not valid any more: {_NEW}"
            raise CredentialsError(msg)
        return ""


class Teams:
    """The webhook of a workflow in Teams; implements `ports.Notifier`."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def notify(self, ticket: Ticket) -> None:
        """Post a card; the workflow answers before it has posted."""
        body = adaptive_card.encoded(adaptive_card.message(ticket))
        self._channel.send("POST", body, expected={HTTPStatus.OK, HTTPStatus.ACCEPTED})

    def check(self) -> str:
        """See whether the address is one, and its signature is not refused: it takes nothing but messages."""
        no_message = {
            HTTPStatus.OK,
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.METHOD_NOT_ALLOWED,
        }
        self._channel.send("GET", None, expected=no_message)
        return "whether the workflow runs, and posts to the channel: only a message shows that"
