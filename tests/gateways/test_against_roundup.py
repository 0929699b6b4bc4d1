"""The client and the life of a ticket against a real tracker: Roundup, in this process, by its REST interface.

Roundup wants an ETag with each change, keeps keywords apart, and words its errors in its own way: none of it was
written for these tests.
"""

from __future__ import annotations

import base64
import io
import re
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from urllib3.connection import HTTPSConnection

from fakes import NOW
from fakes.trackers.certificates import contexts
from fakes.trackers.desk import SecretsManager, a_ticket, arn_of
from warden.core.errors import CredentialsError, RejectedError, TicketGoneError
from warden.core.rendering import plain
from warden.core.ticket import Handle, Remote, RemoteState, TicketState
from warden.gateways.http import Http
from warden.gateways.secrets import Secret, Secrets
from warden.gateways.sinks.api import Api

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from warden.core.ticket import Ticket

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
PASSWORD = "s3cret-admin"
HOST = "roundup.acme.example"
DOCUMENT = ("rest", "data")
OPENED, RESOLVED = "1", "8"


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        """Say nothing."""


@dataclass
class Roundup:
    port: int
    trust: ssl.SSLContext

    def connect(self, host: str, port: int) -> HTTPSConnection:
        return HTTPSConnection(
            "127.0.0.1",
            self.port,
            timeout=5,
            ssl_context=self.trust,
            server_hostname=host,
            assert_hostname=host,
        )


@pytest.fixture(scope="module")
def roundup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Roundup]:
    from roundup.admin import AdminTool
    from roundup.cgi.wsgi_handler import RequestDispatcher

    home = tmp_path_factory.mktemp("roundup") / "home"
    patch = pytest.MonkeyPatch()
    for words in (["install", "classic", "sqlite"], ["initialise", PASSWORD]):
        patch.setattr(sys, "argv", ["roundup-admin", "-i", str(home), *words])
        patch.setattr(sys, "stdout", io.StringIO())
        assert AdminTool().main() == 0
        patch.undo()
        config = home / "config.ini"
        text = config.read_text(encoding="utf-8")
        for name, value in (("web", f"https://{HOST}/"), ("domain", "acme.example"), ("host", "localhost")):
            text = re.sub(rf"(?m)^#?{name} = .*$", f"{name} = {value}", text)
        config.write_text(text, encoding="utf-8")
    serving, trust = contexts(home, (HOST,))
    server = make_server("127.0.0.1", 0, RequestDispatcher(str(home)), handler_class=Quiet)
    server.socket = serving.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield Roundup(server.server_port, trust)
    server.shutdown()
    server.server_close()


def authorization(secret: Secret) -> dict[str, str]:
    pair = f"{secret['username']}:{secret['password']}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


class RoundupSink:
    """A `ports.Tracker` as somebody would write one for a tracker that Warden does not know."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def find(self, ticket: Ticket) -> Handle | None:
        keyword = self._keyword(ticket.id)
        if keyword is None:
            return None
        found = self._data("GET", "issue", query={"keyword": keyword, "@sort": "id"})["collection"]
        return Handle(found[0]["id"], found[0]["link"]) if found else None

    def create(self, ticket: Ticket) -> Handle:
        keyword = self._keyword(ticket.id) or self._data("POST", "keyword", body={"name": ticket.id})["id"]
        body = {"title": ticket.title, "keyword": [keyword], "status": OPENED, "priority": "2"}
        made = self._data("POST", "issue", body=body, creates=True)
        handle = Handle(made["id"], made["link"])
        self.comment(handle, ticket, plain.text(ticket))
        return handle

    def update(self, handle: Handle, ticket: Ticket) -> None:
        self._change(handle, {"title": ticket.title})

    def comment(self, handle: Handle, ticket: Ticket, text: str) -> None:
        message = self._data("POST", "msg", body={"content": text, "author": "1"})["id"]
        known = [one["id"] for one in self._read(handle)["attributes"]["messages"]]
        self._change(handle, {"messages": [*known, message]})

    def resolve(self, handle: Handle, ticket: Ticket) -> bool:
        del ticket
        if self.remote(handle).state is RemoteState.OPEN:
            self._change(handle, {"status": RESOLVED})
        return True

    def reopen(self, handle: Handle, ticket: Ticket) -> None:
        self._change(handle, {"status": OPENED, "title": ticket.title})

    def remote(self, handle: Handle) -> Remote:
        try:
            status = self._read(handle)["attributes"]["status"]["id"]
        except TicketGoneError:
            return Remote(RemoteState.GONE)
        return Remote(RemoteState.CLOSED if status == RESOLVED else RemoteState.OPEN)

    def check(self) -> str:
        self._data("GET", "status")
        return ""

    def messages(self, handle: Handle) -> list[str]:
        numbers = [one["id"] for one in self._read(handle)["attributes"]["messages"]]
        return [
            self._data("GET", "msg", number, query={"@verbose": "3"})["attributes"]["content"]
            for number in numbers
        ]

    def _keyword(self, name: str) -> str | None:
        found = self._data("GET", "keyword", query={"name": name, "@fields": "name"})["collection"]
        return next((one["id"] for one in found if one["name"] == name), None)

    def _read(self, handle: Handle) -> dict[str, Any]:
        read: dict[str, Any] = self._data("GET", "issue", handle.id, of_ticket=True)
        return read

    def _change(self, handle: Handle, body: dict[str, Any]) -> None:
        tag = self._read(handle)["@etag"]
        self._data("PATCH", "issue", handle.id, body={**body, "@etag": tag}, of_ticket=True)

    def _data(self, method: str, *path: str, **options: Any) -> Any:
        return self._api.call(method, *DOCUMENT, *path, **options)["data"]


def sink_of(roundup: Roundup, password: str = PASSWORD) -> RoundupSink:
    secrets = SecretsManager({"roundup": {"username": "admin", "password": password}})
    api = Api(
        Http([HOST], connect=roundup.connect),
        Secrets(lambda: secrets, clock=lambda: NOW),
        secret_arn=arn_of("roundup"),
        base_url=f"https://{HOST}",
        authorization=authorization,
        now=lambda: NOW,
        headers={"X-Requested-With": "rest", "Origin": f"https://{HOST}", "Referer": f"https://{HOST}/"},
    )
    return RoundupSink(api)


def test_the_life_of_a_ticket_in_roundup(roundup: Roundup) -> None:
    sink = sink_of(roundup)
    sink.check()
    ticket = a_ticket(id="1" * 40)
    assert sink.find(ticket) is None
    handle = sink.create(ticket)
    assert sink.find(ticket) == handle
    assert sink.remote(handle).state is RemoteState.OPEN
    sink.update(handle, a_ticket(TicketState.UPDATED, id="1" * 40))
    resolved = a_ticket(TicketState.RESOLVED, id="1" * 40)
    assert sink.resolve(handle, resolved)
    sink.comment(handle, resolved, resolved.summary)
    assert sink.remote(handle).state is RemoteState.OPEN, "Roundup opens again what somebody remarks on"
    sink.resolve(handle, resolved)
    assert sink.remote(handle).state is RemoteState.CLOSED
    assert "orders takes TLS only." in sink.messages(handle)[-1]
    sink.reopen(handle, ticket)
    assert sink.remote(handle).state is RemoteState.OPEN
    assert sink.find(a_ticket(id="2" * 40)) is None


def test_what_others_wrote_arrives_as_they_wrote_it(roundup: Roundup) -> None:
    sink = sink_of(roundup)
    hostile = "<script>alert(1)</script> {{x}} =1+1 @all größer 日本 & % + ?"
    handle = sink.create(a_ticket(id="3" * 40, title=hostile, summary=hostile))
    assert sink._read(handle)["attributes"]["title"] == hostile
    assert hostile in sink.messages(handle)[0]


def test_a_ticket_that_is_not_there_is_gone(roundup: Roundup) -> None:
    sink = sink_of(roundup)
    assert sink.remote(Handle("999")).state is RemoteState.GONE
    with pytest.raises(TicketGoneError):
        sink.reopen(Handle("999"), a_ticket())


def test_what_roundup_does_not_take_is_refused_in_its_words(roundup: Roundup) -> None:
    sink = sink_of(roundup)
    with pytest.raises(RejectedError, match="nonsense"):
        sink._data("POST", "issue", body={"title": "x", "nonsense": "1"})


def test_a_wrong_password_is_a_matter_of_the_secret(roundup: Roundup) -> None:
    with pytest.raises(CredentialsError) as caught:
        sink_of(roundup, password="wr0ng-password").check()
    assert "wr0ng-password" not in str(caught.value)
