"""Writes requests to connections that botocore has opened, and reads what is answered, without urllib3's ceremony.

botocore's own session makes every connection, with its first request: names, TLS, certificates, timeouts and errors of
connecting are its and urllib3's. So is whatever is unusual: a proxy, a stream, a body that is no bytes. What is left
is what nearly every call of a scan is: some bytes to a connection that is open, and an answer of a known length.

The authorities that are trusted are read once for all clients. urllib3 reads them for each connection.
"""

from __future__ import annotations

import functools
import queue
import re
import ssl
import weakref
from collections import deque
from contextlib import suppress
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, HTTPClientError, ReadTimeoutError, SSLError
from botocore.httpsession import create_urllib3_context

from warden.gateways.headers import Headers

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from botocore.awsrequest import AWSPreparedRequest

_KEPT = 10
"""Connections to one address that are kept, as many as botocore keeps."""
_PIECE = 64 * 1024
_HEAD_LIMIT = 64 * 1024
"""Bytes of a status line and headers, or of the line before a chunk: AWS's are a hundredth of it."""
_UNUSUAL = frozenset({"host", "accept-encoding", "transfer-encoding", "expect", "connection"})
"""Headers of a request that mean that somebody wants something unusual."""
_PORTS = {"http": 80, "https": 443}
_OK = 200
_BODILESS = frozenset({204, 304})
_TARGET = re.compile(r"/[A-Za-z0-9/._~:@!$&'()*+,;=?%-]*")
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([0-9]{3})(?: .*)?")
_SIZE_OF_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")


class _Read(NamedTuple):
    """An answer as it was read."""

    status: int
    headers: Headers
    body: bytes
    lasts: bool
    """Whether the connection can be used again."""


class _Body(BytesIO):
    """A body that has been read, in the form in which botocore asks for one."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """All of it."""
        yield self.read()


class _Response(AWSResponse):
    """An answer whose headers need not be copied, nor its body be read again."""

    def __init__(self, url: str, read: _Read) -> None:
        self.url = url
        self.status_code = read.status
        self.headers: Any = read.headers
        self.raw: Any = _Body(read.body)
        self._content = read.body


class _Place(NamedTuple):
    """Where a request goes."""

    address: tuple[str, str]
    """The scheme, and the host with its port, as the URL has them."""
    host: str
    target: str


@functools.lru_cache(maxsize=256)
def _place(url: str) -> _Place | None:
    """Where a URL leads; None where it is an unusual one."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    if parts.scheme not in _PORTS or not _HOST.fullmatch(host) or not _TARGET.fullmatch(target):
        return None
    if ":" in host:
        host = f"[{host}]"
    if port not in {None, _PORTS[parts.scheme]}:
        host = f"{host}:{port}"
    return _Place((parts.scheme, parts.netloc), host, target)


class Connections:
    """Stands for a session of botocore; many threads use it at a time, and none of them a connection of another's."""

    def __init__(self, session: Any) -> None:
        # A URLLib3Session, of which the types that we check with say little.
        self._session = session
        self._idle: dict[tuple[str, str], deque[Any]] = {}
        weakref.finalize(self, _close, self._idle)
        self._seconds = session._timeout.read_timeout  # noqa: SLF001 - botocore keeps it for itself
        self._proxied = bool(session._proxy_config._proxies)  # noqa: SLF001 - as above
        if session._cert_file is None:  # noqa: SLF001 - as above
            session._setup_ssl_cert = functools.partial(_trust, session._setup_ssl_cert)  # noqa: SLF001 - as above

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """What AWS answers; raises what botocore's session raises."""
        if not isinstance(request.headers, Headers):
            # Made by botocore, since it changes something: what half of an answer means is botocore's, too.
            plain: AWSResponse = self._session.send(request)
            return plain
        place = None if self._proxied else _place(request.url)
        said = place and _written(request, place)
        if place is None or said is None:
            return self._sent_by_botocore(request)
        connection = self._taken(place.address)
        if connection is None:
            answer = self._sent_by_botocore(request)
            self._keep(place.address, request.url)
            return answer
        read = None
        try:
            read = _exchanged(connection.sock, said)
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
        except ssl.SSLError as error:
            raise SSLError(endpoint_url=request.url, error=error) from error
        except (OSError, HTTPException) as error:
            raise ConnectionClosedError(error=error, request=request, endpoint_url=request.url) from error
        except Exception as error:
            raise HTTPClientError(error=error) from error
        finally:
            # Whatever went wrong, half of an answer may still come, and must not be the next one's.
            self._give_back(place.address, connection, lasts=read is not None and read.lasts)
            if read is None:
                # What froze with a function is dead as a whole, and a retry must not try one after the other.
                _close({place.address: self._idle.get(place.address, deque())})
        return _Response(request.url, read)

    def _sent_by_botocore(self, request: AWSPreparedRequest) -> AWSResponse:
        answer: AWSResponse = self._session.send(request)
        # botocore takes half of an answer for an answer: half of XML cannot be read, and of JSON sometimes can.
        if not request.stream_output and (missing := _missing(request.method, answer)) > 0:
            half = IncompleteRead(b"", missing)
            raise ConnectionClosedError(error=half, request=request, endpoint_url=request.url)
        return answer

    def close(self) -> None:
        """Close what is idle."""
        _close(self._idle)
        self._session.close()

    def _taken(self, address: tuple[str, str]) -> Any:
        """An open connection that nobody else uses; None where there is none."""
        idle = self._idle.get(address)
        while idle:
            try:
                connection = idle.pop()
            except IndexError:
                return None
            if connection.is_connected:
                return connection
            # The server has closed it, or says something that nobody has asked for.
            connection.close()
        return None

    def _keep(self, address: tuple[str, str], url: str) -> None:
        """Take the connection that botocore has just used out of its pool."""
        pool = self._session._manager.connection_from_url(url)  # noqa: SLF001 - botocore keeps it for itself
        try:
            connection = pool.pool.get(block=False)
        except queue.Empty:
            return
        if connection is None or connection.sock is None:
            pool._put_conn(connection)  # noqa: SLF001 - as above
            return
        connection.sock.settimeout(self._seconds)
        self._give_back(address, connection, lasts=True)

    def _give_back(self, address: tuple[str, str], connection: Any, *, lasts: bool) -> None:
        idle = self._idle.setdefault(address, deque())
        if lasts and len(idle) < _KEPT:
            idle.append(connection)
        else:
            connection.close()


def _missing(method: str, answer: AWSResponse) -> int:
    """How many bytes of a body have not come."""
    length = answer.headers.get("Content-Length", "")
    framed_otherwise = (
        method == "HEAD" or answer.status_code in _BODILESS or "Transfer-Encoding" in answer.headers
    )
    return 0 if framed_otherwise or not length.isdecimal() else int(length) - len(answer.content)


def _trust(set_up: Callable[..., None], pool: Any, url: str, verify: Any) -> None:
    """Let the connections of a pool trust what botocore trusts, without that each of them reads it anew."""
    set_up(pool, url, verify)
    if pool.ca_certs is None:
        return
    # Where it cannot be read, connecting says so.
    with suppress(OSError):
        pool.conn_kw["ssl_context"] = _trusting(pool.ca_certs)
        pool.ca_certs = None


@functools.lru_cache(maxsize=4)
def _trusting(bundle: str) -> ssl.SSLContext:
    """A context that trusts the authorities of a file, of which botocore's has 140: to read them takes 16 ms."""
    context: ssl.SSLContext = create_urllib3_context()
    context.load_verify_locations(bundle)
    return context


def _close(idle: dict[tuple[str, str], deque[Any]]) -> None:
    for connections in list(idle.values()):
        while connections:
            connections.pop().close()


def _written(request: Any, place: _Place) -> bytes | None:
    """A request as it is sent; None where botocore must send it."""
    body = request.body
    if request.stream_output or (request.context and request.context.get("read_timeout") is not None):
        return None
    if isinstance(body, str):
        body = body.encode()
    elif body is None:
        body = b""
    elif not isinstance(body, bytes):
        return None
    lines = [f"{request.method} {place.target} HTTP/1.1", f"Host: {place.host}", "Accept-Encoding: identity"]
    for name, value in request.headers.items():
        if name.lower() in _UNUSUAL:
            return None
        lines.append(f"{name}: {value.decode('latin-1') if isinstance(value, bytes) else value}")
    head = "\r\n".join(lines)
    ends = len(lines) - 1
    if head.count("\n") != ends or head.count("\r") != ends or not head.isascii():
        # Such as a value that would begin a header of its own: urllib3 says what is wrong with it.
        return None
    sent: bytes = head.encode() + b"\r\n\r\n" + body
    return sent


def _exchanged(sock: socket.socket, said: bytes) -> _Read:
    """Write a request, and read its answer; raises OSError and HTTPException."""
    # Who does not want to read all of it may have said why.
    with suppress(BrokenPipeError, ConnectionResetError):
        sock.sendall(said)
    reading = _Reading(sock)
    while True:
        lines = reading.head().split(b"\n")
        status_line = _STATUS_LINE.fullmatch(lines[0].rstrip(b"\r"))
        if status_line is None:
            msg = f"this is no status: {lines[0][:80]!r}"
            raise HTTPException(msg)
        status = int(status_line[2])
        # What is below 200 announces an answer.
        if status >= _OK:
            break
    headers = _headers(lines[1:])
    lasts = status_line[1] == b"1" and "close" not in headers.get("Connection", "").lower()
    coding, length = headers.get("Transfer-Encoding"), headers.get("Content-Length")
    if status in _BODILESS:
        body = b""
    elif coding is not None and coding.lower().rpartition(",")[2].strip() == "chunked":
        body = reading.chunks()
    elif coding is None and length is not None:
        if not length.isdecimal():
            msg = f"this is no length: {length[:80]}"
            raise HTTPException(msg)
        body = reading.exactly(int(length))
    else:
        body, lasts = reading.rest(), False
    # What nobody asked for must not be the next answer; TLS may hold it where no one sees it on the wire.
    lasts = lasts and not reading.left and not getattr(sock, "pending", int)()
    return _Read(status, headers, body, lasts)


def _headers(lines: list[bytes]) -> Headers:
    headers = Headers()
    name = ""
    for line in lines:
        said = line.decode("latin-1").rstrip("\r")
        if said[:1] in {" ", "\t"} and name:
            # A line that goes on with the one before, which nobody should write any more.
            headers[name] = f"{headers[name]} {said.strip()}"
            continue
        name, colon, value = said.partition(":")
        if not colon:
            msg = f"this is no header: {said[:80]!r}"
            raise HTTPException(msg)
        headers.add(name, value.strip())
    return headers


class _Reading:
    """What a server says, piece by piece."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.left = b""
        """What has come, and is read by nobody yet."""

    def head(self) -> bytes:
        """A status line and its headers."""
        while (end := _END_OF_HEAD.search(self.left)) is None:
            self._bound()
            self._more()
        head, self.left = self.left[: end.start()], self.left[end.end() :]
        return head

    def exactly(self, size: int) -> bytes:
        """So many bytes."""
        if (missing := size - len(self.left)) > 0:
            pieces = [self.left]
            while missing > 0:
                piece = self._sock.recv(_PIECE)
                if not piece:
                    raise IncompleteRead(b"", missing)
                pieces.append(piece)
                missing -= len(piece)
            self.left = b"".join(pieces)
        read, self.left = self.left[:size], self.left[size:]
        return read

    def chunks(self) -> bytes:
        """Chunk by chunk until an empty one, and the headers that may follow it."""
        chunks = []
        while True:
            size = _SIZE_OF_CHUNK.fullmatch(self._line())
            if size is None:
                msg = "this is no size of a chunk"
                raise HTTPException(msg)
            if not int(size[1], 16):
                break
            chunks.append(self.exactly(int(size[1], 16)))
            if self._line():
                msg = "a chunk is longer than it said"
                raise HTTPException(msg)
        while self._line():
            pass
        return b"".join(chunks)

    def rest(self) -> bytes:
        """Everything until the server closes the connection."""
        pieces = [self.left]
        self.left = b""
        while piece := self._sock.recv(_PIECE):
            pieces.append(piece)
        return b"".join(pieces)

    def _line(self) -> bytes:
        while (end := self.left.find(b"\n")) < 0:
            self._bound()
            self._more()
        line, self.left = self.left[:end], self.left[end + 1 :]
        return line.rstrip(b"\r")

    def _bound(self) -> None:
        if len(self.left) > _HEAD_LIMIT:
            msg = "the server does not come to the end of its headers"
            raise HTTPException(msg)

    def _more(self) -> None:
        piece = self._sock.recv(_PIECE)
        if not piece:
            msg = "the server closed the connection in the middle of an answer"
            raise RemoteDisconnected(msg)
        self.left += piece
