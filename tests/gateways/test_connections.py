"""Calls over a real socket, byte by byte: what comes of an answer is what botocore's own session makes of it."""

from __future__ import annotations

import gc
import socket
import ssl
import struct
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import (
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)
from botocore.httpsession import URLLib3Session

from fakes.trackers.certificates import contexts
from gateways.estate import REGION
from warden.core.errors import ResourceGoneError, ThrottledError, TransientError, WardenError
from warden.gateways.clients import Clients
from warden.gateways.connections import Connections
from warden.gateways.headers import Headers
from warden.gateways.rds import Rds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSE, RESET, SILENCE = b"close", b"reset", b"silence"


def whole(body: bytes, *, status: bytes = b"200 OK", more: bytes = b"") -> bytes:
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status, more, len(body), body)


class Server:
    """Gives each request, over whichever connection it comes, the next answer; the last one for ever."""

    def __init__(self, answers: Sequence[Sequence[bytes]], tls: ssl.SSLContext | None = None) -> None:
        self.answers = list(answers)
        self.seen: list[tuple[int, bytes]] = []
        """The number of the connection, and what came over it."""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._accepted: list[socket.socket] = []
        self._tls = tls
        port = self._listening.getsockname()[1]
        self.url = f"https://localhost:{port}/" if tls else f"http://127.0.0.1:{port}/"
        self._answering: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._serve, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        # Else a thread that waits for something would still get it.
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._accepting.join()
        for accepted in self._accepted:
            with suppress(OSError):
                accepted.shutdown(socket.SHUT_RDWR)
        for thread in self._answering:
            thread.join()
        for accepted in self._accepted:
            accepted.close()

    def connections(self) -> list[int]:
        """Over which connection each request came."""
        return [number for number, _ in self.seen]

    def _serve(self) -> None:
        while True:
            try:
                accepted, _ = self._listening.accept()
            except OSError:
                return
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                accepted = self._tls.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
            self._accepted.append(accepted)
            thread = threading.Thread(target=self._answer, args=(accepted, len(self._accepted)), daemon=True)
            self._answering.append(thread)
            thread.start()

    def _answer(self, accepted: socket.socket, number: int) -> None:
        # Such as somebody who does not trust this server, or does not want to hear the rest.
        with suppress(OSError):
            while (said := self._request(accepted)) is not None:
                with self._lock:
                    self.seen.append((number, said))
                    answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if not self._play(accepted, answer):
                    return

    def _request(self, accepted: socket.socket) -> bytes | None:
        data = b""
        while b"\r\n\r\n" not in data:
            if not (piece := accepted.recv(65536)):
                return None
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        while len(body) < int(lengths[0].partition(b":")[2] if lengths else 0):
            body += accepted.recv(65536)
        return head + b"\r\n\r\n" + body

    def _play(self, accepted: socket.socket, answer: Sequence[bytes]) -> bool:
        for part in answer:
            if part == SILENCE:
                return True
            if part == RESET:
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if part in {CLOSE, RESET}:
                accepted.close()
                return False
            accepted.sendall(part)
        return True


@contextmanager
def serving(*answers: Sequence[bytes], tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(answers, tls)
    try:
        yield server
    finally:
        server.close()


def request(url: str, body: Any = b"Action=Ask", **headers: Any) -> AWSPreparedRequest:
    made: Any = AWSPreparedRequest
    length = {"Content-Length": str(len(body))} if isinstance(body, (str, bytes)) else {}
    return made("POST", url, Headers({"User-Agent": "test", **length, **headers}.items()), body, False, {})


def session(seconds: float = 20, **more: Any) -> Any:
    return URLLib3Session(timeout=(3, seconds), **more)


def patience(answer: Sequence[bytes]) -> float:
    """How long to wait for an answer, in seconds."""
    return 1 if SILENCE in answer else 20


def outcome(sends: Any, url: str) -> Any:
    """What comes of a second request, after one that went well; and whether a third goes over the same connection."""
    assert sends.send(request(url)).status_code == 200
    try:
        answer = sends.send(request(url))
    except HTTPClientError as error:
        said: Any = type(error)
    else:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        said = (answer.status_code, headers, answer.content, b"".join(answer.raw.stream()) or answer.content)
    assert sends.send(request(url)).content == b"fine"
    return said


ANSWERS: dict[str, Sequence[bytes]] = {
    "of a known length": [whole(b"hello")],
    "in pieces": [b"HTTP/1.1 200", b" OK\r\nContent-", b"Length: 5\r\n\r", b"\nhel", b"lo"],
    "empty": [whole(b"")],
    "longer than a piece": [whole(b"x" * 300_000)],
    "chunked": [CHUNKED, b"5\r\nhello\r\n", b"6\r\n world\r\n0\r\n\r\n"],
    "chunked, with extensions and trailers": [CHUNKED, b"5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n"],
    "chunked in one piece": [CHUNKED + b"A\r\n0123456789\r\n0\r\n\r\n"],
    "to the end of the connection": [OK + b"\r\n", b"hel", b"lo", CLOSE],
    "of an old server": [b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold", CLOSE],
    "the last of its connection": [whole(b"bye", more=b"Connection: close\r\n"), CLOSE],
    "without a body": [b"HTTP/1.1 204 No Content\r\n\r\n"],
    "announced": [b"HTTP/1.1 100 Continue\r\n\r\n" + whole(b"ok")],
    "with a header twice": [whole(b"ok", more=b"X-A: 1\r\nx-a: 2\r\nX-Empty:\r\n")],
    "with a header of two lines": [whole(b"ok", more=b"X-A: 1\r\n  2\r\n")],
    "with headers beyond ASCII": [whole(b"ok", more=b"X-A: \xe4\xc3\xa4\r\n")],
    "without a reason": [whole(b"ok", status=b"200")],
    "of plain line ends": [b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"],
    "a page": [whole(b"<html>", status=b"404 Not Found", more=b"Content-Type: text/html\r\n")],
    "a redirect": [whole(b"", status=b"302 Found", more=b"Location: http://x.example/\r\n")],
    "a failure": [whole(b"<html>oops", status=b"503 Service Unavailable")],
    "compressed": [whole(b"\x1f\x8b\x08", more=b"Content-Encoding: gzip\r\n")],
    "none": [CLOSE],
    "a reset": [RESET],
    "half a status": [b"HTTP/1.1 20", CLOSE],
    "no HTTP": [b"\x00\x01garbage\r\n\r\n", CLOSE],
    "silence": [SILENCE],
    "silence after its headers": [OK + b"Content-Length: 50\r\n\r\nhel", SILENCE],
    "half of its chunks": [CHUNKED, b"5\r\nhello\r\n", b"6\r\n wo", CLOSE],
    "a chunk of no size": [CHUNKED, b"zz\r\nhello\r\n", CLOSE],
    "a reset in the middle": [OK + b"Content-Length: 50\r\n\r\nhello", RESET],
}


def each(names: Iterable[str]) -> Any:
    return pytest.mark.parametrize(
        "answer",
        [
            pytest.param(ANSWERS[name], id=name, marks=[pytest.mark.slow] * (SILENCE in ANSWERS[name]))
            for name in names
        ],
    )


@each(ANSWERS)
def test_what_comes_of_an_answer_is_what_botocore_makes_of_it(answer: Sequence[bytes]) -> None:
    fine = [whole(b"fine")]
    with serving(fine, answer, fine) as one, serving(fine, answer, fine) as other:
        ours, botocores = Connections(session(patience(answer))), session(patience(answer))
        assert outcome(ours, one.url) == outcome(botocores, other.url)
        assert one.connections() == other.connections(), "a connection is used again where botocore does"
        # Host apart, of which the port differs.
        sent, theirs = (
            [
                sorted(line for line in said.split(b"\r\n") if not line.startswith(b"Host"))
                for _, said in to.seen
            ]
            for to in (one, other)
        )
        assert sent == theirs
        ours.close()
        botocores.close()


@pytest.mark.parametrize("half", [b"Content-", b"Content-Length: 50\r\n\r\nhello", b"no header\r\n\r\n"])
def test_half_of_an_answer_is_none(half: bytes) -> None:
    """botocore's own session passes half a page on, or an empty one, which in JSON may pass for an answer."""
    fine = [whole(b"fine")]
    with serving(fine, [OK + half, CLOSE], fine) as server:
        ours = Connections(session())
        assert outcome(ours, server.url) is ConnectionClosedError
        ours.close()


def test_what_nobody_asked_for_is_not_the_next_answer() -> None:
    with serving([whole(b"a")], [whole(b"b") + whole(b"not asked")], [whole(b"c")]) as server:
        ours = Connections(session())
        assert [ours.send(request(server.url)).content for _ in range(3)] == [b"a", b"b", b"c"]
        assert server.connections() == [1, 1, 2]
        ours.close()


@pytest.mark.slow
def test_a_late_answer_is_not_the_next_one() -> None:
    with serving([whole(b"a")], [SILENCE], [whole(b"c")]) as server:
        ours = Connections(session(seconds=1))
        ours.send(request(server.url))
        with pytest.raises(ReadTimeoutError):
            ours.send(request(server.url))
        with suppress(OSError):
            server._accepted[0].sendall(whole(b"late"))
        assert ours.send(request(server.url)).content == b"c"
        ours.close()


def test_a_connection_that_the_server_closed_while_it_was_idle_is_not_used() -> None:
    with serving([whole(b"a")], [whole(b"b"), CLOSE], [whole(b"c")]) as server:
        ours = Connections(session())
        ours.send(request(server.url))
        ours.send(request(server.url))
        # Until the end of the connection has come.
        while next(iter(ours._idle.values()))[0].is_connected:
            pass
        assert ours.send(request(server.url)).content == b"c"
        assert server.connections() == [1, 1, 2]
        ours.close()


def test_headers_that_never_end_are_no_answer() -> None:
    with serving([whole(b"a")], [OK + b"X: " + b"a" * 200_000, SILENCE]) as server:
        ours = Connections(session())
        ours.send(request(server.url))
        with pytest.raises(ConnectionClosedError):
            ours.send(request(server.url))
        ours.close()


@pytest.mark.parametrize(
    "asked",
    [
        {"Host": "other.example"},
        {"X-A": "1\r\nX-B: 2"},
        {"X-A": "\N{SNOWMAN}".encode()},
        {"Connection": "close"},
    ],
)
def test_an_unusual_request_is_botocores_business(asked: dict[str, Any]) -> None:
    said = []
    for make in (lambda: Connections(session()), session):
        with serving([whole(b"a")]) as server:
            sends: Any = make()
            sends.send(request(server.url))
            try:
                sends.send(request(server.url, **asked))
            except Exception as error:  # noqa: BLE001 - whatever it is
                said.append(repr(type(error)))
            else:
                said.append(server.seen[-1][1].replace(server.url[7:-1].encode(), b""))
            sends.close()
    assert said[0] == said[1]


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/", "http://[::1", "gopher://x/"])
def test_an_address_that_is_none_is_botocores_business(url: str) -> None:
    said = []
    for sends in (Connections(session()), session()):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is
            sends.send(request(url))
        said.append(caught.type)
    assert said[0] is said[1]


def test_where_nobody_listens_the_error_is_botocores() -> None:
    with serving([whole(b"a")]) as server:
        ours = Connections(session())
        ours.send(request(server.url))
        server.close()
        with pytest.raises(EndpointConnectionError):
            ours.send(request(server.url))
        ours.close()


@pytest.mark.parametrize("sends", [Connections, lambda made: made], ids=["ours", "botocore's"])
def test_a_proxy_is_botocores_business(sends: Any) -> None:
    with serving([whole(b"by the proxy")]) as server:
        one = sends(URLLib3Session(timeout=(3, 3), proxies={"http": server.url}))
        for _ in range(3):
            assert one.send(request("http://nowhere.example/x")).content == b"by the proxy"
        assert server.connections() == [1, 1, 1]
        assert {said.split(b"\r\n")[0] for _, said in server.seen} == {
            b"POST http://nowhere.example/x HTTP/1.1"
        }
        one.close()


def test_many_threads_each_get_their_own_answer_over_no_more_connections_than_threads() -> None:
    class Echo(Server):
        def _play(self, accepted: socket.socket, answer: Sequence[bytes]) -> bool:
            del answer
            accepted.sendall(whole(self.seen_of(accepted)))
            return True

        def _request(self, accepted: socket.socket) -> bytes | None:
            said = super()._request(accepted)
            self.last = {**getattr(self, "last", {}), accepted.fileno(): said}
            return said

        def seen_of(self, accepted: socket.socket) -> bytes:
            said: bytes = self.last[accepted.fileno()]
            return said.partition(b"\r\n\r\n")[2]

    server = Echo([[b""]])
    ours = Connections(URLLib3Session(timeout=(3, 20)))
    wrong: list[bytes] = []

    def ask(of: int) -> None:
        for number in range(50):
            body = b"%d-%d" % (of, number)
            if ours.send(request(server.url, body)).content != body:
                wrong.append(body)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(server.seen) == 400
    assert len(set(server.connections())) <= 8
    assert sum(map(len, ours._idle.values())) <= 8
    ours.close()
    server.close()


def test_who_is_forgotten_leaves_no_connection_open() -> None:
    with serving([whole(b"a")]) as server:
        ours: Any = Connections(session())
        ours.send(request(server.url))
        kept = next(iter(ours._idle.values()))[0].sock
        del ours
        gc.collect()
        assert kept.fileno() == -1


# --- TLS ----------------------------------------------------------------------------------------------------


def authority(directory: Path, *hosts: str) -> tuple[ssl.SSLContext, str]:
    """A server that is these hosts, and the file of the authority that says so."""
    directory.mkdir()
    server, trusting = contexts(directory, hosts)
    bundle = directory / "authority.pem"
    bundle.write_text("".join(map(ssl.DER_cert_to_PEM_cert, trusting.get_ca_certs(binary_form=True))))
    return server, str(bundle)


@each(("of a known length", "longer than a piece", "none", "silence"))
def test_over_tls_it_is_the_same(tmp_path: Path, answer: Sequence[bytes]) -> None:
    server, bundle = authority(tmp_path / "a", "localhost")
    fine = [whole(b"fine")]
    with serving(fine, answer, fine, tls=server) as one, serving(fine, answer, fine, tls=server) as other:
        botocores = session(patience(answer), verify=bundle)
        ours = Connections(session(patience(answer), verify=bundle))
        assert outcome(ours, one.url) == outcome(botocores, other.url)
        assert one.connections() == other.connections()
        ours.close()
        botocores.close()


def test_over_tls_what_nobody_asked_for_is_not_the_next_answer_either(tmp_path: Path) -> None:
    """TLS decrypts more than was asked for, and keeps it where no one sees it on the wire."""
    server, bundle = authority(tmp_path / "a", "localhost")
    surplus = [whole(b"x" * 20_000) + whole(b"not asked")]
    with serving([whole(b"a")], surplus, [whole(b"c")], tls=server) as one:
        ours = Connections(session(verify=bundle))
        assert [ours.send(request(one.url)).content[:1] for _ in range(3)] == [b"a", b"x", b"c"]
        ours.close()


def test_who_is_trusted_by_one_client_is_not_trusted_by_another(tmp_path: Path) -> None:
    server, bundle = authority(tmp_path / "a", "localhost")
    _, another = authority(tmp_path / "b", "localhost")
    with serving([whole(b"a")], tls=server) as at:
        trusting = Connections(session(verify=bundle))
        assert trusting.send(request(at.url)).content == b"a"
        for stranger in (another, True):
            distrusting = Connections(session(verify=stranger))
            with pytest.raises(SSLError):
                distrusting.send(request(at.url))
        # Nor does it matter that somebody asked for no verification at all.
        careless = Connections(session(verify=False))
        with pytest.warns(Warning, match="Unverified"):
            assert careless.send(request(at.url)).content == b"a"
        strict = Connections(session(verify=another))
        with pytest.raises(SSLError):
            strict.send(request(at.url))
        trusting.close()
        careless.close()


def test_another_host_than_the_certificates_is_refused(tmp_path: Path) -> None:
    server, bundle = authority(tmp_path / "a", "elsewhere.example")
    with serving([whole(b"a")], tls=server) as at, pytest.raises(SSLError):
        Connections(session(verify=bundle)).send(request(at.url))


def test_authorities_that_cannot_be_read_are_told_as_botocore_tells_it(tmp_path: Path) -> None:
    server, _ = authority(tmp_path / "a", "localhost")
    said = []
    for make in (Connections, lambda made: made):
        with serving([whole(b"a")], tls=server) as at, pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is
            make(session(verify=str(tmp_path / "none.pem"))).send(request(at.url))
        said.append(caught.type)
    assert said[0] is said[1]


# --- a client -----------------------------------------------------------------------------------------------

SHARED = whole(
    b"<DescribeDBSnapshotAttributesResponse><DescribeDBSnapshotAttributesResult><DBSnapshotAttributesResult>"
    b"<DBSnapshotIdentifier>s</DBSnapshotIdentifier></DBSnapshotAttributesResult>"
    b"</DescribeDBSnapshotAttributesResult></DescribeDBSnapshotAttributesResponse>"
)


def refusal(code: bytes, status: bytes = b"400 Bad Request") -> bytes:
    said = b"<ErrorResponse><Error><Code>%s</Code><Message>no</Message></Error></ErrorResponse>"
    return whole(said % code, status=status)


FAULTS: dict[str, tuple[Sequence[bytes], type[Exception]]] = {
    "no answer": ([CLOSE], TransientError),
    "a reset": ([RESET], TransientError),
    "half an answer": ([OK + b"Content-Length: 500\r\n\r\n<Describe", CLOSE], TransientError),
    "no HTTP": ([b"what?\r\n\r\n", CLOSE], TransientError),
    "a page that says 500": (
        [whole(b"<html>oops", status=b"500 Internal Server Error")],
        TransientError,
    ),
    "503, and a connection that ends": (
        [whole(b"", status=b"503 Service Unavailable", more=b"Connection: close\r\n"), CLOSE],
        TransientError,
    ),
    "a throttling": ([refusal(b"Throttling")], ThrottledError),
}
_ATTEMPTS = 5


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes the calls of a client to a server, without a pause between attempts."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    made: list[Any] = []

    def of(server: Server) -> Rds:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        clients = Clients(account="1")
        made.append(clients.get("rds", account="1", region=REGION))
        return Rds(clients, account="1", region=REGION)

    yield of
    for client in made:
        client.close()


def ask(api: Rds) -> dict[str, Any]:
    return api.call("DescribeDBSnapshotAttributes", DBSnapshotIdentifier="s")


@pytest.mark.parametrize(("fault", "error"), FAULTS.values(), ids=FAULTS)
def test_what_passes_is_asked_again(api: Any, fault: Sequence[bytes], error: type[Exception]) -> None:
    del error
    with serving([SHARED], fault, fault, [SHARED]) as server:
        asking = api(server)
        answers = [ask(asking) for _ in range(3)]
    assert [answer["DBSnapshotAttributesResult"]["DBSnapshotIdentifier"] for answer in answers] == ["s"] * 3
    assert [answer["ResponseMetadata"]["RetryAttempts"] for answer in answers] == [0, 2, 0]
    assert len(server.seen) == 5


@pytest.mark.parametrize(("fault", "error"), FAULTS.values(), ids=FAULTS)
def test_what_does_not_pass_is_told(api: Any, fault: Sequence[bytes], error: type[Exception]) -> None:
    with serving([SHARED], *[fault] * _ATTEMPTS, [SHARED]) as server:
        asking = api(server)
        ask(asking)
        with pytest.raises(error):
            ask(asking)
        assert ask(asking)["DBSnapshotAttributesResult"]["DBSnapshotIdentifier"] == "s"
    assert len(server.seen) == 1 + _ATTEMPTS + 1


class Forgetful(Server):
    """Answers after a while, so that several connections are open at a time; then it knows none of them any more."""

    def __init__(self, answers: Sequence[Sequence[bytes]]) -> None:
        self.gone: set[int] = set()
        super().__init__(answers)

    def _play(self, accepted: socket.socket, answer: Sequence[bytes]) -> bool:
        if id(accepted) in self.gone:
            return super()._play(accepted, [RESET])
        time.sleep(0.2)
        return super()._play(accepted, answer)


def test_of_connections_that_died_unseen_one_is_tried_and_no_other() -> None:
    """As those of a function that was frozen: each retry would find the next one dead."""
    server = Forgetful([[whole(b"a")]])
    ours = Connections(session())
    threads = [threading.Thread(target=ours.send, args=(request(server.url),)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.gone = {id(accepted) for accepted in server._accepted}
    assert len(server.gone) > 2

    with pytest.raises(ConnectionClosedError):
        ours.send(request(server.url))
    assert ours.send(request(server.url)).content == b"a"
    ours.close()
    server.close()


def test_how_often_a_write_is_sent_is_botocores_business(api: Any) -> None:
    """Half of an answer to a write says that it was made: to send it again would make it twice."""
    half = [OK + b"Content-Length: 500\r\n\r\n<Modify", CLOSE]
    with serving([SHARED], half) as server:
        asking = api(server)
        ask(asking)
        with pytest.raises(WardenError):
            asking.call("ModifyDBCluster", DBClusterIdentifier="orders", DeletionProtection=True)
    writes = [said for _, said in server.seen if b"ModifyDBCluster" in said]
    assert len(writes) == 1


def test_a_refusal_is_told_at_once(api: Any) -> None:
    with serving([SHARED], [refusal(b"DBSnapshotNotFound", b"404 Not Found")], [SHARED]) as server:
        asking = api(server)
        ask(asking)
        with pytest.raises(ResourceGoneError):
            ask(asking)
        ask(asking)
    assert server.connections() == [1, 1, 1]


def test_an_answer_that_is_no_xml_is_none(api: Any) -> None:
    with serving([SHARED], [whole(b'{"not": "xml"}')], [SHARED]) as server:
        asking = api(server)
        ask(asking)
        with pytest.raises(Exception, match="does not implement"):
            ask(asking)
