"""What the answers of ticket systems mean: each status becomes one of the errors of `core.errors`."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass
from warden.core.errors import (
    AmbiguousError,
    CredentialsError,
    ForbiddenTicketError,
    LaterError,
    RejectedError,
    SinkRefusedError,
    TicketGoneError,
    WardenError,
)
from warden.core.rendering.harmless import one_line
from warden.core.ticket_room import cut

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from warden.gateways.http import Answer

SAID_LIMIT = 300
AFTER_LIMIT = 86_400.0
"""Seconds: whoever asks for more has made a mistake, or his clock has."""
_SECONDARY_SECONDS = 60.0
"""GitHub, "Rate limits for the REST API": without a header "wait for at least one minute"."""
_SECONDARY = (b"secondary rate limit", b"abuse detection")
"""What GitHub calls that limit, and GitHub Enterprise Server called it before."""
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.MOVED_PERMANENTLY})
_LATER = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.PRECONDITION_FAILED,
        HTTPStatus.LOCKED,
        HTTPStatus.TOO_EARLY,
    }
)
# Somebody else is at this one ticket.
_BUSY = _LATER - {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY}
# This ticket is refused; another may be taken.
_REJECTED = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
)


def retry_after(answer: Answer, now: datetime) -> float | None:
    """Seconds that a server asks to be left alone for; None where it does not say.

    `Retry-After` holds seconds or a date (RFC 9110, 10.2.3). Others send the time of the next window instead: GitHub
    and ServiceNow as seconds since 1970 ("Rate limits for the REST API"; "Inbound REST API rate limiting"), Jira in
    ISO 8601 ("Rate limiting"). GitHub sends it with each answer, where it means nothing unless no request is left.
    """
    headers = answer.headers
    value = headers.get("retry-after", "").strip()
    at: datetime | float | None = None
    if _is_number(value):
        at = now.timestamp() + float(value)
    elif value:
        with suppress(ValueError, OverflowError):
            at = parsedate_to_datetime(value)
    elif not _is_window_over(answer):
        return None
    elif _is_number(reset := headers.get("x-ratelimit-reset", "").strip()):
        at = float(reset)
    elif reset:
        with suppress(ValueError):
            at = datetime.fromisoformat(reset)
    if isinstance(at, datetime):
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return None if at is None else min(max(at - now.timestamp(), 0.0), AFTER_LIMIT)


def _is_window_over(answer: Answer) -> bool:
    """Whether no request is left before the next window begins; who does not count what is left says so by 429."""
    left = answer.headers.get("x-ratelimit-remaining", "").strip()
    return left == "0" or (not left and answer.status == HTTPStatus.TOO_MANY_REQUESTS)


def _is_number(text: str) -> bool:
    # There are digits beyond ASCII, which no number is read from.
    return text.isascii() and text.isdigit()


def is_throttled(answer: Answer) -> bool:
    """Whether a server asks to slow down; GitHub does so with 403 as well."""
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    return answer.status == HTTPStatus.FORBIDDEN and (
        "retry-after" in answer.headers
        or answer.headers.get("x-ratelimit-remaining") == "0"
        or any(words in answer.body.lower() for words in _SECONDARY)
    )


def is_throttled_alone(answer: Answer) -> bool:
    """Whether one ticket alone was written to too often ("Rate limiting": `jira-per-issue-on-write`)."""
    return "per-issue" in answer.headers.get("ratelimit-reason", "")


def is_of_token(answer: Answer) -> bool:
    """Whether GitHub refuses the token, whatever it is used for ("Troubleshooting the REST API"; SAML's header)."""
    return "x-github-sso" in answer.headers or b"resource not accessible by" in answer.body.lower()


def is_captcha(answer: Answer) -> bool:
    """Whether Jira wants a person to log in: after failed logins it refuses right ones too ("Basic auth": CAPTCHA)."""
    return "AUTHENTICATION_DENIED" in answer.headers.get("x-seraph-loginreason", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request was for, as far as it matters to what its answer means."""

    what: str
    """Method and host, for messages."""
    creates: bool = False
    """Whether doing it twice makes two."""
    of_ticket: bool = False
    """Whether the address names a ticket: then it may be gone, or closed to us, and others are not."""


def refusal(answer: Answer, asked: Asked, *, now: datetime, redact: Callable[[str], str]) -> WardenError:
    """The error for an answer that is no success."""
    kind, hint = _meaning(answer, asked)
    said = ": ".join(filter(None, [asked.what, str(answer.status), excerpt(answer, redact), hint]))
    after = retry_after(answer, now)
    if issubclass(kind, AmbiguousError):
        return AmbiguousError(said, after=after)
    if not issubclass(kind, LaterError):
        return kind(said)
    return LaterError(
        said,
        after=_SECONDARY_SECONDS if after is None and is_throttled(answer) else after,
        alone=asked.of_ticket and (answer.status in _BUSY or is_throttled_alone(answer)),
        arrived=answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR,
    )


def _meaning(answer: Answer, asked: Asked) -> tuple[type[WardenError], str]:
    """The kind of error, and what a person should do."""
    status = answer.status
    # RFC 9110, 15.6.4: "currently unable to handle the request". That is believed of a remark, which would be lost
    # otherwise, and not of a ticket, of which there would be two.
    is_unavailable = status == HTTPStatus.SERVICE_UNAVAILABLE and asked.of_ticket
    meanings: tuple[tuple[bool, type[WardenError], str], ...] = (
        (is_throttled(answer), LaterError, ""),
        (is_captcha(answer), SinkRefusedError, "log in as this user in a browser, and answer the CAPTCHA"),
        (
            status == HTTPStatus.UNAUTHORIZED,
            CredentialsError,
            "the credentials are not valid (any more); put new ones into the secret",
        ),
        (
            status >= HTTPStatus.INTERNAL_SERVER_ERROR,
            AmbiguousError if asked.creates and not is_unavailable else LaterError,
            "",
        ),
        (asked.of_ticket and status in _GONE, TicketGoneError, ""),
        (
            (asked.of_ticket or asked.creates) and status == HTTPStatus.FORBIDDEN and not is_of_token(answer),
            ForbiddenTicketError,
            # ServiceNow's "REST response codes": 403 is also "caused by ACL failures, or business rule or data policy".
            "the account may not do this, or a rule of the system forbids it",
        ),
        (
            HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST,
            SinkRefusedError,
            "it redirects, and no redirect is followed; give the final address in the policy",
        ),
        (status in _LATER, LaterError, ""),
        (status in _REJECTED, RejectedError, ""),
    )
    found = next(((kind, hint) for holds, kind, hint in meanings if holds), None)
    return found or (SinkRefusedError, _HINTS.get(status, ""))


_HINTS: Mapping[int, str] = {
    HTTPStatus.FORBIDDEN: "the account may not do this",
    HTTPStatus.NOT_FOUND: "the address, project, repository or table is wrong, or hidden from the account",
    HTTPStatus.GONE: "what the policy names is no more, or is disabled",
}


def page(asked: Asked, answer: Answer) -> LaterError:
    """The error for a success that is a page for people."""
    return LaterError(f"{asked.what}: {answer.status}: it answers with a page for people")


def excerpt(answer: Answer, redact: Callable[[str], str]) -> str:
    """What a server says is wrong, on a line, without secrets."""
    text = answer.body.decode("utf-8", "replace")
    try:
        told = answer.json()
    except ValueError:
        told = None
    if isinstance(told, dict):
        chosen = {name: told[name] for name in _TELLING if told.get(name)}
        with suppress(RecursionError):
            text = "; ".join(_words(chosen or told))
    # Redacted before it is cut: half a secret is a secret.
    return cut(one_line(redact(text)), SAID_LIMIT) or "no explanation"


_TELLING = ("errorMessages", "errors", "error", "message", "detail")


def _words(value: Any) -> list[str]:
    """The texts in a JSON value, with the name of the field that each is about."""
    if isinstance(value, dict):
        found = [(str(name), text) for name, one in value.items() for text in _words(one)]
        return [text if name in _TELLING else f"{name}: {text}" for name, text in found]
    if isinstance(value, list):
        return [text for one in value for text in _words(one)]
    return [value if isinstance(value, str) else json.dumps(value)]
