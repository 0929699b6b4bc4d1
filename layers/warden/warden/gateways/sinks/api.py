"""An API of a ticket system: its address, its credentials, and calls of JSON that raise the errors of `core.errors`."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from warden.core.errors import AmbiguousError, LaterError
from warden.gateways.sinks.answers import Asked, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from warden.gateways.http import Answer, Http
    from warden.gateways.secrets import Secret, Secrets

USER_AGENT = "aurora-warden"
"""GitHub refuses requests without one ("Getting started with the REST API")."""


class Api:
    """Calls one system with one secret."""

    def __init__(
        self,
        http: Http,
        secrets: Secrets,
        *,
        secret_arn: str,
        base_url: str,
        authorization: Callable[[Secret], Mapping[str, str]],
        now: Callable[[], datetime],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Take `authorization`, which makes of the secret the headers that prove who we are."""
        self._http = http
        self._secrets = secrets
        self._secret_arn = secret_arn
        self._base = base_url.rstrip("/")
        self._authorization = authorization
        self._now = now
        self._headers = dict(headers or {})

    def call(
        self,
        method: str,
        *path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        creates: bool = False,
        of_ticket: bool = False,
        expect: type = dict,
    ) -> Any:
        """Call and return the JSON of the answer, which is of the type `expect`, or None where it is empty.

        `path` is its segments, each escaped here. `creates`: a second call would make a second thing, so a failure that
        leaves it open whether it happened is AmbiguousError. `of_ticket`: 404 means that the ticket is gone. Where the
        credentials are refused, the secret is read anew and the call made once more. What is read is never empty.
        """
        url = "/".join([self._base, *(quote(part, safe="") for part in path)])
        url += f"?{urlencode(query)}" if query else ""
        asked = Asked(what=f"{method} {urlsplit(self._base).hostname}", creates=creates, of_ticket=of_ticket)

        def sent(secret: Secret) -> Answer:
            answer = self._send(method, url, secret, body, creates=creates)
            if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
                raise refusal(answer, asked, now=self._now(), redact=self._redactor(secret))
            return answer

        answer = self._secrets.tried(self._secret_arn, sent)
        if not answer.body.strip() and method != "GET":
            return None
        try:
            told = answer.json()
        except ValueError:
            told = None
        if isinstance(told, expect):
            return told
        # A page of a proxy, or of a maintenance: the system itself has not spoken.
        message = f"{asked.what}: {answer.status}: its answer is not the JSON that is expected"
        raise AmbiguousError(message) if creates else LaterError(message)

    def _send(self, method: str, url: str, secret: Secret, body: Any, *, creates: bool) -> Answer:
        headers = {
            "Accept": "application/json",
            "User-Agent": USER_AGENT,
            **self._headers,
            **self._authorization(secret),
        }
        encoded = None
        if body is not None:
            # Without a charset: JSON has none (RFC 8259, 11), and some servers refuse one.
            headers["Content-Type"] = "application/json"
            encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        return self._http.send(method, url, headers=headers, body=encoded, repeatable=not creates)

    def _redactor(self, secret: Secret) -> Callable[[str], str]:
        proofs = [value for value in self._authorization(secret).values() if value]

        def redact(text: str) -> str:
            for proof in proofs:
                text = text.replace(proof, "***").replace(proof.partition(" ")[2] or proof, "***")
            return secret.redact(text)

        return redact
