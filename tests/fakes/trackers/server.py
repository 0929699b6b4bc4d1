"""One server for all dialects, over TLS, with faults at will."""

from __future__ import annotations

import json
import socket
import struct
import threading
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from openapi_core import OpenAPI
from openapi_core.testing import MockRequest
from urllib3.connection import HTTPSConnection
from yaml import CSafeLoader, load

from fakes.trackers.certificates import contexts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from ssl import SSLContext

SPECIFICATIONS = Path(__file__).parent / "specifications"


@dataclass(frozen=True)
class TrackerRequest:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def segments(self) -> list[str]:
        return [unquote(part) for part in self.path.strip("/").split("/")]


@dataclass(frozen=True)
class TrackerAnswer:
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What goes wrong with the next request that `on` begins ("POST /rest" ...)."""

    on: str = ""
    answer: TrackerAnswer | None = None
    """Said instead of the true answer."""
    commits: bool = False
    """Whether the request is carried out nevertheless."""
    resets: bool = False
    stalls: bool = False
    drips: bool = False
    breaks_off: bool = False
    after: int = 0
    """How many such requests are answered truly before."""


class Dialect(Protocol):
    host: str
    specification: str

    def answer(self, request: TrackerRequest) -> TrackerAnswer: ...


def _names_in_queries(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if node.get("in") == "query":
            yield node["name"]
        for value in node.values():
            yield from _names_in_queries(value)
    elif isinstance(node, list):
        for value in node:
            yield from _names_in_queries(value)


class Specification:
    """Refuses requests that the minimal specification of a vendor's API does not know."""

    _kept: ClassVar[dict[str, Specification]] = {}

    def __init__(self, name: str) -> None:
        text = (SPECIFICATIONS / name).read_text(encoding="utf-8")
        self.document = load(text, Loader=CSafeLoader)
        self._openapi = OpenAPI.from_dict(self.document)
        self._declared = set(_names_in_queries(self.document))
        self._known: dict[Any, str] = {}

    @classmethod
    def named(cls, name: str) -> Specification:
        if name not in cls._kept:
            cls._kept[name] = cls(name)
        return cls._kept[name]

    def check(self, request: TrackerRequest) -> str:
        """What is wrong with a request; empty where nothing is. Tests send much the same again and again."""
        headers = tuple(
            sorted((name, value) for name, value in request.headers.items() if name != "authorization")
        )
        key = (request.method, request.path, tuple(sorted(request.query.items())), headers, request.body)
        if key not in self._known:
            self._known[key] = self._wrong(request)
        return self._known[key]

    def _wrong(self, request: TrackerRequest) -> str:
        mock = MockRequest(
            self.document["servers"][0]["url"],
            request.method,
            request.path,
            args=dict(request.query),
            headers=dict(request.headers),
            data=request.body or None,
            content_type=request.headers.get("content-type", "").partition(";")[0],
        )
        for error in self._openapi.iter_request_errors(mock):
            reasons = getattr(error.__cause__, "schema_errors", None) or [error.__cause__ or error]
            return f"{error}: {'; '.join(str(reason)[:600] for reason in reasons)}"
        # openapi-core takes members of a query that nothing declares.
        undeclared = set(request.query) - self._declared
        return f"the query has {sorted(undeclared)}, which nobody declared" if undeclared else ""


class Server:
    """Listens until it is closed; `reset` gives each test dialects of its own."""

    def __init__(self, directory: Path, hosts: tuple[str, ...]) -> None:
        serving, self.trust = contexts(directory, hosts)
        self.dialects: dict[str, Dialect] = {}
        self.requests: list[tuple[str, TrackerRequest]] = []
        self.refused: list[str] = []
        self.faults: list[Fault] = []
        self.released = threading.Event()
        self._lock = threading.RLock()
        self._listening = _Listening(serving, self)
        threading.Thread(
            target=self._listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    @property
    def port(self) -> int:
        return int(self._listening.server_address[1])

    def close(self) -> None:
        self.released.set()
        self._listening.shutdown()
        self._listening.server_close()

    def reset(self, *dialects: Dialect) -> None:
        self.released.set()
        self.released = threading.Event()
        self.dialects = {dialect.host: dialect for dialect in dialects}
        self.requests.clear()
        self.refused.clear()
        self.faults.clear()

    def connect(self, host: str, port: int) -> HTTPSConnection:
        """Lead to this server whatever the host is; its certificate still has to be that of the host."""
        del port
        return HTTPSConnection(
            "127.0.0.1",
            self.port,
            timeout=5,
            ssl_context=self.trust,
            server_hostname=host,
            assert_hostname=host,
        )

    def calls(self, method: str) -> list[TrackerRequest]:
        return [request for _, request in self.requests if request.method == method]

    def handle(self, host: str, request: TrackerRequest) -> tuple[TrackerAnswer, Fault]:
        with self._lock:
            self.requests.append((host, request))
            dialect = self.dialects.get(host)
            if dialect is None:
                return TrackerAnswer(421, {"message": f"nobody is {host}"}), Fault()
            line = f"{request.method} {request.path}"
            fault = next((one for one in self.faults if line.startswith(one.on)), None)
            if fault is not None:
                self.faults.remove(fault)
                if fault.after:
                    self.faults.insert(0, replace(fault, after=fault.after - 1))
                    fault = None
            if fault is not None and not fault.commits:
                return fault.answer or TrackerAnswer(500), fault
            if wrong := Specification.named(dialect.specification).check(request):
                self.refused.append(f"{line}: {wrong}")
                return TrackerAnswer(400, {"message": wrong}), fault or Fault()
            answer = dialect.answer(request)
            return (fault.answer or answer if fault else answer), fault or Fault()


class _Listening(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, context: SSLContext, server: Server) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._context = context
        self.fake = server

    def get_request(self) -> tuple[socket.socket, Any]:
        accepted, address = super().get_request()
        return self._context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listening

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        """Say nothing."""

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        request = TrackerRequest(
            method=self.command,
            path=parts.path,
            query={
                name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()
            },
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )
        released = self.server.fake.released
        answer, fault = self.server.fake.handle(self.headers.get("Host", ""), request)
        if fault.resets:
            self._reset()
        elif fault.stalls:
            released.wait(10)
        else:
            self._answer(answer, fault, released)
        self.close_connection = True

    def _answer(self, answer: TrackerAnswer, fault: Fault, released: threading.Event) -> None:
        body = answer.body if isinstance(answer.body, bytes) else b""
        if answer.body is not None and not isinstance(answer.body, bytes):
            body = json.dumps(answer.body).encode()
        lines = [f"HTTP/1.1 {answer.status} Said", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        if fault.drips:
            # A byte at a time, sooner than any timeout between two of them.
            for byte in head + body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                if released.wait(0.02):
                    return
        self.wfile.write((head + body)[: -1 if fault.breaks_off else None])
        self.wfile.flush()

    def _reset(self) -> None:
        """Hang up without a farewell."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket.close(self.connection)
