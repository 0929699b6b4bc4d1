"""Answers byte by byte, as servers, proxies and load balancers send them."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest
from urllib3.connection import HTTPConnection

from warden.core.errors import AmbiguousError, LaterError, WardenError
from warden.gateways.http import Answer, Http

if TYPE_CHECKING:
    from collections.abc import Sequence

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def answered(parts: Sequence[bytes], *, repeatable: bool = False) -> Answer:
    """What comes of these bytes in answer to a request."""

    def serve(listening: socket.socket) -> None:
        with listening, listening.accept()[0] as accepted:
            # All of the request: what is left unread when a socket closes resets the connection.
            received = b""
            while not received.endswith(b"\r\n\r\n{}"):
                received += accepted.recv(65536)
            for part in parts:
                accepted.sendall(part)

    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    thread = threading.Thread(target=serve, args=(listening,), daemon=True)
    thread.start()
    http = Http(
        ["x.example"], connect=lambda host, _: HTTPConnection("127.0.0.1", port, timeout=3), deadline=3
    )
    try:
        return http.send("POST", "https://x.example/s3cret", headers={}, body=b"{}", repeatable=repeatable)
    finally:
        thread.join()


@pytest.mark.parametrize(
    ("parts", "body"),
    [
        ([OK + b"Content-Length: 5\r\n\r\nhello"], b"hello"),
        ([CHUNKED, b"5\r\nhello\r\n", b"6\r\n world\r\n0\r\n\r\n"], b"hello world"),
        ([OK + b"Connection: close\r\n\r\n", b"hel", b"lo"], b"hello"),
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], b""),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", OK + b"Content-Length: 2\r\n\r\nok"], b"ok"),
        ([b"HTTP/1.0 200 OK\r\n\r\nold"], b"old"),
    ],
)
def test_every_framing_is_read(parts: list[bytes], body: bytes) -> None:
    assert answered(parts).body == body


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"HTTP/1.1 20"],
        [b"\x00\x01garbage\r\n\r\n"],
        [OK + b"X: " + b"a" * 70_000 + b"\r\n\r\n"],
        [OK + b"Content-Length: 50\r\n\r\nhello"],
        [CHUNKED, b"5\r\nhello\r\n", b"6\r\n wo"],
        [CHUNKED, b"5\r\nhello\r\n"],
        [CHUNKED, b"zz\r\nhello\r\n"],
    ],
)
@pytest.mark.parametrize(("repeatable", "error"), [(False, AmbiguousError), (True, LaterError)])
def test_half_an_answer_is_none(parts: list[bytes], repeatable: bool, error: type[WardenError]) -> None:
    with pytest.raises(error) as caught:
        answered(parts, repeatable=repeatable)
    assert "s3cret" not in str(caught.value)
