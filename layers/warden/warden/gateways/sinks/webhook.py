"""A generic webhook: the ticket as JSON, signed, to an address of the policy.

The receiver computes HMAC-SHA256 with the shared key over the time, a full stop and the body as it came, compares it in
constant time with what follows `v1=`, and refuses times that are more than five minutes off. `Warden-Delivery` is the
same when the same is told again, and another after each change: the ticket's revision is in the body.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from warden.core.rendering import machine
from warden.gateways.sinks.answers import Asked, page, refusal
from warden.gateways.sinks.api import USER_AGENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import Any

    from warden.core.ticket import Ticket
    from warden.gateways.http import Http
    from warden.gateways.secrets import Secret, Secrets


def signature(key: str, timestamp: str, body: bytes) -> str:
    """What `Warden-Signature` holds."""
    signed = hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"v1={signed.hexdigest()}"


class Webhook:
    """One address that takes tickets; implements `ports.Notifier`."""

    def __init__(
        self, http: Http, secrets: Secrets, *, secret_arn: str, url: str, now: Callable[[], datetime]
    ) -> None:
        self._http = http
        self._secrets = secrets
        self._secret_arn = secret_arn
        self._url = url
        self._now = now

    def notify(self, ticket: Ticket) -> None:
        """Send the ticket as it stands."""
        self._send({"type": "ticket", **machine.document(ticket)})

    def check(self) -> str:
        """Send a `ping`, which a receiver answers with any success and otherwise ignores."""
        self._send({"type": "ping", "version": 1})
        return ""

    def _send(self, document: Mapping[str, Any]) -> None:
        body = json.dumps(document, sort_keys=True).encode()
        self._secrets.tried(self._secret_arn, lambda secret: self._signed(body, secret))

    def _signed(self, body: bytes, secret: Secret) -> None:
        timestamp = str(int(self._now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "Warden-Delivery": hashlib.sha256(body).hexdigest()[:40],
            "Warden-Timestamp": timestamp,
            "Warden-Signature": signature(secret["key"], timestamp, body),
        }
        answer = self._http.send("POST", self._url, headers=headers, body=body)
        asked = Asked(what=f"POST {urlsplit(self._url).hostname}")
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            raise refusal(answer, asked, now=self._now(), redact=secret.redact)
        if answer.is_page:
            raise page(asked, answer)
