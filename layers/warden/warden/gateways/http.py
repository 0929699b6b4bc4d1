"""HTTPS to ticket systems: one request, one answer, within a time, to a host that the policy lists, and nowhere else.

urllib3 comes with botocore. Its connection is used without its pool: then connecting and sending are two steps, so that
it is known whether a request can have arrived; nothing is followed, repeated or logged by itself; and no proxy is taken
from the environment.
"""

from __future__ import annotations

import functools
import json
import socket
import ssl
import threading
from contextlib import suppress
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import urlsplit

from warden.core.dataclass import dataclass
from warden.core.errors import AmbiguousError, ConfigurationError, LaterError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from types import TracebackType

    from urllib3.connection import HTTPConnection

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
"""Between two pieces of an answer."""
DEADLINE_SECONDS = 20.0
"""For everything from connecting to the last byte, however slowly a server drips."""
ANSWER_LIMIT = 1024 * 1024
"""Bytes: no answer that is asked for is a tenth as long."""
_BEGINNING = 256
_PIECE = 64 * 1024
_HTTPS = 443


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said."""

    status: int
    headers: Mapping[str, str]
    """By lower-case names."""
    body: bytes

    def json(self) -> Any:
        """The body as JSON; ValueError where it is none, or deeper than anything that is asked for."""
        try:
            return json.loads(self.body)
        except RecursionError:
            msg = "nested too deeply"
        raise ValueError(msg)

    @property
    def is_page(self) -> bool:
        """Whether it is a page for people, such as a proxy's or a login's: then the system itself has not spoken."""
        begins = self.body[:_BEGINNING].lstrip().lower()
        return begins.startswith((b"<!doctype html", b"<html"))


class Connect(Protocol):
    """Makes a connection that will verify the server's certificate."""

    def __call__(self, host: str, port: int) -> HTTPConnection:
        """A connection to a host, not yet connected."""
        ...


def verified(host: str, port: int) -> HTTPConnection:
    """A connection that trusts what the system trusts, or what SSL_CERT_FILE names."""
    # Only the ticket function pays for the import, and only once it has something to send.
    from urllib3.connection import HTTPSConnection  # noqa: PLC0415

    return HTTPSConnection(host, port, timeout=CONNECT_SECONDS, ssl_context=_trust())


@functools.cache
def _trust() -> ssl.SSLContext:
    """Made once: reading a system's certificates takes twenty milliseconds."""
    return ssl.create_default_context()


class Http:
    """Sends requests to the hosts that it was given, written as the policy writes them: `name`, or `name:port`."""

    def __init__(
        self,
        hosts: Collection[str],
        *,
        connect: Connect = verified,
        deadline: float = DEADLINE_SECONDS,
        left: Callable[[], float] = lambda: DEADLINE_SECONDS,
    ) -> None:
        """Take `left`, the seconds that whoever runs this has left for all requests together."""
        self._hosts = frozenset(host.lower().removesuffix(f":{_HTTPS}") for host in hosts)
        self._connect = connect
        self._deadline = deadline
        self._left = left

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        repeatable: bool = True,
    ) -> Answer:
        """Make one request; whatever the status is, it is an answer.

        Raises ConfigurationError for an address that may not be called; LaterError where nothing can have arrived,
        or the request is `repeatable`; AmbiguousError where one that is not may have been carried out. No message
        holds more of the address than its host: the path of a webhook is its password.
        """
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - as above

        host, port, target = self._address(url)
        seconds = min(self._deadline, self._left())
        if seconds <= 0:
            # Nobody's fault, least of all the sink's.
            msg = f"{method} {host}: no time is left for it"
            raise LaterError(msg, alone=True, arrived=False)
        connection = self._connect(host, port)
        sent = False
        with _Watch(connection, seconds) as watch:
            try:
                connection.connect()
                sent = True
                return _exchange(connection, method, target, {**headers, "Host": _named(host, port)}, body)
            except (OSError, HTTPException, HTTPError, ValueError, _BrokenAnswerError) as error:
                said = _said(error)
        if watch.fired:
            said = f"no whole answer within {seconds:.3g} seconds"
        message = f"{method} {host}: {said}"
        raise AmbiguousError(message) if sent and not repeatable else LaterError(message, arrived=sent)

    def _address(self, url: str) -> tuple[str, int, str]:
        """Host, port and what follows; raises ConfigurationError where the policy does not let it be called."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port or _HTTPS
        except ValueError:
            host, port = "", 0
        if not host or parts.scheme != "https" or parts.username or parts.password or not _plain(url):
            msg = (
                f"the address of a ticket sink at {host or 'no host'} is no https address without a user name"
            )
            raise ConfigurationError(msg)
        if _named(host, port) not in self._hosts:
            msg = f"the policy does not list the host {_named(host, port)} among those that tickets may go to"
            raise ConfigurationError(msg)
        return host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


class _BrokenAnswerError(Exception):
    """An answer that cannot be used."""


class _Watch:
    """Cuts a connection at the deadline: timeouts of a socket begin anew with each byte."""

    def __init__(self, connection: HTTPConnection, seconds: float) -> None:
        self._connection = connection
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self.fired = False

    def _cut(self) -> None:
        self.fired = True
        with suppress(OSError, AttributeError):
            # Of the socket below TLS, which may be in use by the other thread.
            socket.socket.shutdown(self._connection.sock, socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._connection.close()


def _exchange(
    connection: HTTPConnection, method: str, target: str, headers: Mapping[str, str], body: bytes | None
) -> Answer:
    # urllib3 gives the socket the connection's own timeout with each request.
    connection.timeout = READ_SECONDS
    connection.request(
        method, target, body=body, headers=headers, preload_content=False, decode_content=False
    )
    response = connection.getresponse()
    pieces: list[bytes] = []
    size = 0
    # read1 returns what has arrived, and nothing at the end.
    while piece := response.read1(_PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > ANSWER_LIMIT:
            msg = f"its answer is longer than {ANSWER_LIMIT} bytes"
            raise _BrokenAnswerError(msg)
    length = response.headers.get("content-length", "")
    if method != "HEAD" and length.isdigit() and size < int(length):
        msg = "its answer broke off"
        raise _BrokenAnswerError(msg)
    return Answer(
        status=response.status,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=b"".join(pieces),
    )


def _named(host: str, port: int) -> str:
    return host if port == _HTTPS else f"{host}:{port}"


def _plain(url: str) -> bool:
    """Whether an address holds nothing that could end a line of a request."""
    return all("!" <= char <= "~" for char in url)


def _said(error: Exception) -> str:
    """What went wrong, in words of ours: those of urllib3 and http.client repeat addresses and headers."""
    if isinstance(error, _BrokenAnswerError):
        return str(error)
    reason = error.__cause__ or error
    told = f": {reason.verify_message}" if isinstance(reason, ssl.SSLCertVerificationError) else ""
    return type(reason).__name__ + told
