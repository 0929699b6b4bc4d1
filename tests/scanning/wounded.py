"""An AWS that is unwell: it passes calls on to another endpoint, and answers some of them in its own way."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

PAGE = b"<!DOCTYPE html><html><body><h1>Gateway</h1><p>Something is <b>wrong</b></body></html>"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered instead; without a status, the connection is closed."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/xml"


class Wounded:
    """An endpoint in front of `url`; `answers` and `before` are by operation, `*` is any."""

    def __init__(self, url: str) -> None:
        self.answers: dict[str, Answer] = {}
        self.of_one: dict[tuple[str, str], Answer] = {}
        """The same by operation, and by what the request has to hold, such as the name of one resource."""
        self.before: dict[str, Callable[[], Any]] = {}
        """What happens once, just before an operation is passed on."""
        self.seen: list[str] = []
        wounded = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                wounded.answer(self, url, body)

            do_GET = do_POST  # noqa: N815 - the name is http.server's

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the names are http.server's
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: BaseHTTPRequestHandler, url: str, body: bytes) -> None:
        operation = _operation(request, body)
        self.seen.append(operation)
        hook = self.before.pop(operation, None)
        if hook is not None:
            hook()
        wanted = self.answers.get(operation) or self.answers.get("*")
        for (of, text), answer in self.of_one.items():
            if of == operation and text in body.decode():
                wanted = answer
        if wanted is None:
            wanted = _passed_on(request, url, body)
        if not wanted.status:
            request.close_connection = True
            return
        request.send_response(wanted.status)
        request.send_header("Content-Type", wanted.content_type)
        request.send_header("Content-Length", str(len(wanted.body)))
        request.end_headers()
        request.wfile.write(wanted.body)


def _operation(request: BaseHTTPRequestHandler, body: bytes) -> str:
    """The name of the operation, in the query protocol or in JSON's header."""
    target = request.headers.get("X-Amz-Target")
    if target:
        return target.rpartition(".")[2]
    try:
        return parse_qs(body.decode())["Action"][0]
    except (KeyError, UnicodeDecodeError):
        return json.dumps(request.path)


def _passed_on(request: BaseHTTPRequestHandler, url: str, body: bytes) -> Answer:
    passed = urllib.request.Request(url + request.path, data=body, method=request.command)  # noqa: S310 - our own server
    for name, value in request.headers.items():
        if name.lower() not in {"host", "content-length", "connection"}:
            passed.add_header(name, value)
    try:
        with urllib.request.urlopen(passed) as answer:  # noqa: S310 - the same
            return Answer(answer.status, answer.read(), answer.headers.get("Content-Type", ""))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read(), error.headers.get("Content-Type", ""))
