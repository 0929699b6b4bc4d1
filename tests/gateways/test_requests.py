"""Our way of making and signing requests is botocore's: each operation that we call, with all its parameters."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse, HeadersDict
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.session import Session

from gateways.estate import REGION
from warden.gateways.clients import _CONFIG, OPERATIONS, Clients
from warden.gateways.headers import Headers
from warden.gateways.requests import _Request, _signing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.model import Shape

NOW = datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)
TEXT = "a b/c~d*e+f=g&h%i\N{LATIN SMALL LETTER U WITH DIAERESIS}\N{SNOWMAN}" + 40 * "-x"
_VALUES: dict[str, Any] = {
    "boolean": True,
    "integer": 100,
    "long": 100,
    "float": 1.5,
    "double": 2.5,
    "blob": b"hi",
    "timestamp": NOW,
}
_SESSION = Session()
_OURS = Clients(account="1")


class Time:
    """The clock of both."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    clock = Time()
    for module in ("botocore.auth", "warden.gateways.requests", "botocore.endpoint"):
        monkeypatch.setattr(f"{module}.get_current_datetime", clock)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=7))
    return clock


CREDENTIALS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")


class Sent:
    """What a client would send, and an answer to it."""

    def __init__(self, client: Any, *statuses: int) -> None:
        self.client = client
        self.requests: list[Any] = []
        self._statuses = list(statuses)
        client.meta.events.register_first("before-send", self._send)

    def _send(self, request: Any, **_: Any) -> AWSResponse:
        headers = {
            name: value.decode() if isinstance(value, bytes) else value
            for name, value in request.headers.items()
        }
        self.requests.append((request.method, request.url, headers, request.body))
        status = self._statuses.pop(0) if self._statuses else 400
        answer: Any = AWSResponse
        return answer(request.url, status, {"Date": "Tue, 24 Nov 2026 23:59:59 GMT"}, Body())


class Body:
    def stream(self) -> Iterator[bytes]:
        yield b"<ErrorResponse><Error><Code>Refused</Code></Error></ErrorResponse>"


def both(service: str, credentials: Any, *statuses: int) -> tuple[Sent, Sent]:
    """A client of ours, and one of botocore's."""
    _OURS._session._credentials = _SESSION._credentials = credentials
    ours = _OURS._make(service, REGION)
    botocores = _SESSION.create_client(service, region_name=REGION, config=_CONFIG)  # type: ignore[call-overload]
    return Sent(ours, *statuses), Sent(botocores, *statuses)


def value(shape: Shape, depth: int = 0) -> Any:
    """A value with every member, to a depth."""
    match shape.type_name:
        case "structure":
            members = list(shape.members.items())
            if getattr(shape, "is_tagged_union", False):
                members = members[:1]
            required = getattr(shape, "required_members", [])
            return {name: value(of, depth + 1) for name, of in members if depth < 4 or name in required}
        case "list":
            return [value(shape.member, depth + 1)]
        case "map":
            return {value(shape.key, depth + 1): value(shape.value, depth + 1)}
        case "string":
            return (getattr(shape, "enum", None) or [TEXT])[0]
    return _VALUES[shape.type_name]


@pytest.mark.usefixtures("time")
@pytest.mark.parametrize("token", [None, "token/with+signs=="])
@pytest.mark.parametrize("service", OPERATIONS)
def test_each_request_is_the_one_that_botocore_makes(service: str, token: str | None) -> None:
    sent = both(service, Credentials("AKIDEXAMPLE", "secret/+=", token))
    for operation in OPERATIONS[service]:
        shape = _SESSION.get_service_model(service).operation_model(operation).input_shape
        asked = value(shape) if shape is not None else {}
        # A global endpoint of EventBridge is signed for by another library.
        asked.pop("EndpointId", None)
        needed = {name: asked[name] for name in getattr(shape, "required_members", [])}
        for parameters in (asked, needed):
            for each in sent:
                with pytest.raises(ClientError, match="Refused"):
                    getattr(each.client, xform_name(operation))(**parameters)
    ours, botocores = sent
    assert len(ours.requests) == 2 * len(OPERATIONS[service])
    assert ours.requests == botocores.requests


def test_an_attempt_that_is_repeated_is_made_and_signed_anew(time: Time) -> None:
    requests = []
    for each in both("rds", CREDENTIALS, 500, 503, 400):
        time.now = NOW
        each.client.meta.events.register("before-send", lambda **_: later(time))
        with pytest.raises(ClientError, match="Refused"):
            each.client.describe_db_clusters(DBClusterIdentifier="orders")
        requests.append(each.requests)
    assert requests[0] == requests[1]
    assert [headers["amz-sdk-request"].partition("attempt=")[2] for _, _, headers, _ in requests[0]] == [
        "1; max=5",
        "2; max=5",
        "3; max=5",
    ]
    assert len({headers["Authorization"] for _, _, headers, _ in requests[0]}) == 3


def later(time: Time) -> None:
    """A second, which here is also another day."""
    time.now += timedelta(seconds=1)


@pytest.mark.usefixtures("time")
@pytest.mark.parametrize("event", ["before-sign", "request-created"])
def test_what_handlers_change_is_signed_and_sent(event: str) -> None:
    def change(request: Any, **_: Any) -> None:
        request.data["Filters.Filter.1.Name"] = "engine"
        request.headers["X-Other"] = "  a   b "
        request.url += "some%20path/../x?b=2&a=1%2F"

    requests = []
    for each in both("rds", CREDENTIALS):
        each.client.meta.events.register_first(f"{event}.rds", change)
        with pytest.raises(ClientError, match="Refused"):
            each.client.describe_db_clusters()
        requests.append(each.requests)
    assert requests[0] == requests[1]
    assert "engine" in str(requests[0])


def test_who_has_no_credentials_is_told_so() -> None:
    for each in both("rds", CREDENTIALS):
        each.client._request_signer._credentials = None
        with pytest.raises(NoCredentialsError):
            each.client.describe_db_clusters()
        assert each.requests == []


_EVENTS = (
    "creating-client-class",
    "choose-service-name",
    "getattr",
    "provide-client-params",
    "before-parameter-build",
    "before-endpoint-resolution",
    "before-call",
    "request-created",
    "choose-signer",
    "before-sign",
    "before-send",
    "response-received",
    "before-parse",
    "needs-retry",
    "after-call",
    "after-call-error",
)


@pytest.mark.parametrize("service", [*OPERATIONS, "sts", "sso", "sso-oidc", "signin"])
def test_each_event_is_handled_by_whom_botocore_lets_handle_it(service: str) -> None:
    model = _SESSION.get_service_model(service)
    operations = OPERATIONS.get(service, model.operation_names)
    for name in {service, model.service_id.hyphenize(), model.endpoint_prefix}:
        for event in _EVENTS:
            for what in (f"{event}.{name}", *(f"{event}.{name}.{operation}" for operation in operations)):
                assert handlers(_OURS._session, what) == handlers(_SESSION, what)


def handlers(session: Any, event: str) -> Any:
    emitter = session.get_component("event_emitter")
    return emitter._emitter._handlers.prefix_search(emitter._alias_event_name(event))


# --- the signature alone ------------------------------------------------------------------------------------


def signed(
    make: Callable[..., Any], request: Any, credentials: Credentials, *, region: str = REGION
) -> dict[str, str]:
    frozen = ReadOnlyCredentials(credentials.access_key, credentials.secret_key, credentials.token, None)
    make(credentials=frozen, service_name="rds", region_name=region).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


def asked(*, ours: bool, context: dict[str, Any] | None = None, **headers: str) -> Any:
    params: dict[str, Any] = {
        "method": "POST",
        "url": "https://rds.eu-west-1.amazonaws.com/",
        "headers": {"Content-Type": "x", "User-Agent": "us", **headers},
        "body": {"Action": "Ask", "Name": "a b"},
        "context": dict(context or {}),
    }
    if ours:
        return _Request(params)
    request: Any = AWSRequest(params["method"], params["url"], params["headers"], params["body"])
    request.context = params["context"]
    return request


def test_another_day_region_or_secret_has_another_key(time: Time) -> None:
    ours = _signing(SigV4Auth)
    seen = set()
    another = Credentials("AKIDEXAMPLE", "another")
    with_token = Credentials("ASIAEXAMPLE", CREDENTIALS.secret_key, "token")
    for now, region, credentials in (
        (NOW, REGION, CREDENTIALS),
        (NOW + timedelta(days=1), REGION, CREDENTIALS),
        (NOW, REGION, CREDENTIALS),
        (NOW, "us-east-1", CREDENTIALS),
        (NOW, REGION, another),
        (NOW, REGION, CREDENTIALS),
        (NOW, REGION, with_token),
    ):
        time.now = now
        said = signed(ours, asked(ours=True), credentials, region=region)
        assert said == signed(SigV4Auth, asked(ours=False), credentials, region=region)
        seen.add(said["authorization"])
    assert len(seen) == 5


@pytest.mark.usefixtures("time")
@pytest.mark.parametrize(
    ("context", "headers"),
    [
        ({"payload_signing_enabled": False}, {}),
        ({"checksum": {"request_algorithm": {"in": "trailer", "algorithm": "crc32"}}}, {}),
        ({"checksum": {"response_algorithms": ["crc32"]}}, {}),
        ({}, {"Date": "Tue, 24 Nov 2026 10:00:00 GMT"}),
        ({}, {"X-Amz-Content-SHA256": "abc"}),
        ({}, {"Authorization": "somebody's", "X-Amz-Date": "20200101T000000Z"}),
        ({}, {"X-Amz-Security-Token": "old"}),
        ({}, {"Host": "other.example"}),
        ({}, {"Expect": "100-continue", "Connection": "x", "X-Amzn-Trace-Id": "Root=1"}),
    ],
)
def test_an_unusual_request_is_signed_as_botocore_signs_it(
    context: dict[str, Any], headers: dict[str, str]
) -> None:
    for credentials in (CREDENTIALS, Credentials("ASIA", "secret", "token")):
        said = signed(_signing(SigV4Auth), asked(ours=True, context=context, **headers), credentials)
        assert said == signed(SigV4Auth, asked(ours=False, context=context, **headers), credentials)


def test_another_way_to_sign_is_botocores_business() -> None:
    class Other(SigV4Auth):
        pass

    made = _signing(Other)(credentials=None, service_name="rds", region_name=REGION)
    assert type(made) is Other


# --- headers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Headers, HeadersDict])
def test_headers_are_those_of_botocore(kind: Any) -> None:
    headers = kind([("A", 1), ("b-C", 2), ("D", 4)])
    headers["a"] = 3
    del headers["B-c"]
    assert (headers["A"], headers.get("d"), headers.get("x"), headers.get("x", 5)) == (3, 4, None, 5)
    assert ("a" in headers, "B-C" in headers, len(headers)) == (True, False, 2)
    assert [name.lower() for name in headers] == ["a", "d"]
    copy = headers.copy()
    copy["a"] = 6
    assert headers.pop("d") == 4
    assert [value for _, value in headers.items()] == list(headers.values()) == [3]
    for missing in (lambda: headers["d"], lambda: headers.pop("d")):
        with pytest.raises(KeyError):
            missing()
