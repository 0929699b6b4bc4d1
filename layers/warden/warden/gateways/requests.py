"""Requests as botocore makes and signs them, in a fourth of its time.

Every event of botocore is emitted as before, and decides what it decides: who signs, and how; what is signed; retries.
Two things are done otherwise. Headers are kept in one dictionary, and a body is encoded once. And of a signature of the
fourth version, the key is derived once a day: by its definition it depends on the secret, the date, the Region and the
service. Whatever is unusual is left to botocore, and so is whatever is no read.
"""

from __future__ import annotations

import functools
import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from botocore import auth
from botocore.auth import SIGNED_HEADERS_BLACKLIST, SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.compat import get_current_datetime
from botocore.endpoint import Endpoint
from botocore.exceptions import NoCredentialsError

from warden.gateways.connections import Connections
from warden.gateways.headers import Headers

if TYPE_CHECKING:
    from collections.abc import Callable

_READS = ("Describe", "Get", "List", "Lookup", "Query", "Scan")
"""What changes something is botocore's from end to end, and so is how often it is sent."""
_UNSIGNED = frozenset(SIGNED_HEADERS_BLACKLIST)
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
_LENGTHS = ("Content-Length", "Transfer-Encoding")
_DATED = ("Date", "X-Amz-Content-SHA256")
"""Headers by which botocore signs otherwise."""

# The types of botocore that we check with leave out what these are made of.
_Endpoint: Any = Endpoint
_AwsRequest: Any = AWSRequest
_SigV4: Any = SigV4Auth


def quicken(client: Any) -> None:
    """Let a client make, sign and send its requests in our way."""
    signer, endpoint = client._request_signer, client._endpoint  # noqa: SLF001 - botocore keeps them for itself
    signer.get_auth_instance = _signing(signer.get_auth_instance)
    client._endpoint = _Quick(  # noqa: SLF001 - as above
        endpoint.host,
        endpoint._endpoint_prefix,  # noqa: SLF001 - as above
        endpoint._event_emitter,  # noqa: SLF001 - as above
        endpoint._response_parser_factory,  # noqa: SLF001 - as above
        Connections(endpoint.http_session),
    )


class _Quick(_Endpoint):  # type: ignore[misc]
    """Makes requests of ours; sends, parses and repeats them as botocore does."""

    def create_request(self, params: dict[str, Any], operation_model: Any = None) -> Any:
        if (
            operation_model is None
            or operation_model.has_streaming_input
            or not operation_model.name.startswith(_READS)
        ):
            return super().create_request(params, operation_model)
        request = _Request(params)
        request.stream_output = (
            operation_model.has_streaming_output or operation_model.has_event_stream_output
        )
        service = operation_model.service_model.service_id.hyphenize()
        self._event_emitter.emit(
            f"request-created.{service}.{operation_model.name}",
            request=request,
            operation_name=operation_model.name,
        )
        return self.prepare_request(request)


class _Request(_AwsRequest):  # type: ignore[misc]
    """A request whose headers are a dictionary, and whose body is encoded when it is first asked for."""

    def __init__(self, params: dict[str, Any]) -> None:
        self._request_preparer = self._REQUEST_PREPARER_CLS()
        self.method = params["method"]
        self.url = params["url"]
        self.headers = Headers(params["headers"].items())
        self.data = params["body"]
        self.params: dict[str, Any] = {}
        self.auth_path = params.get("auth_path")
        self.stream_output = False
        self.context = params["context"]
        self._encoded: tuple[Any, Any] = (None, None)

    def encoded(self) -> Any:
        """The body as it will be sent."""
        data = self.data
        # A handler may change it, or put another in its place.
        of = tuple(data.items()) if isinstance(data, dict) else data
        if self._encoded[0] is None or self._encoded[0] != of:
            self._encoded = (of, self._request_preparer._prepare_body(self))  # noqa: SLF001 - botocore keeps it for itself
        return self._encoded[1]

    @property
    def body(self) -> Any:
        body = self.encoded()
        return body.encode() if isinstance(body, str) else body

    def prepare(self) -> Any:
        body, headers = self.encoded(), self.headers.copy()
        usual = body is None or isinstance(body, bytes) or (isinstance(body, str) and body.isascii())
        if self.params or not usual or any(name in headers for name in _LENGTHS):
            return super().prepare()
        if self.method not in _BODILESS:
            headers["Content-Length"] = str(len(body or ""))
        return AWSPreparedRequest(self.method, self.url, headers, body, self.stream_output, self.context)


class _Derived(NamedTuple):
    """A key to sign with, and what it was derived from."""

    secret: str
    date: str
    region: str
    service: str
    key: bytes


def _signing(make: Callable[..., Any]) -> Callable[..., Any]:
    """What makes signers, of which those of the fourth version are ours."""
    kept: list[_Derived] = []

    def signer(*wanted: Any, **named: Any) -> Any:
        made = make(*wanted, **named)
        return _Signature(made, kept) if type(made) is SigV4Auth else made

    return signer


class _Signature(_SigV4):  # type: ignore[misc]
    """Signs a request as botocore's does, with a key that is derived once."""

    def __init__(self, of: Any, kept: list[_Derived]) -> None:
        super().__init__(of.credentials, of._service_name, of._region_name)  # noqa: SLF001 - botocore keeps them for itself
        self._kept = kept

    def add_auth(self, request: Any) -> None:
        if self.credentials is None:
            raise NoCredentialsError
        headers, context = request.headers, request.context
        if (
            not isinstance(headers, Headers)
            or request.params
            or context.get("checksum")
            or not context.get("payload_signing_enabled", True)
            or any(name in headers for name in _DATED)
        ):
            super().add_auth(request)
            return
        timestamp = context["timestamp"] = get_current_datetime().strftime(SIGV4_TIMESTAMP)
        if "Authorization" in headers:
            del headers["Authorization"]
        headers["X-Amz-Date"] = timestamp
        if self.credentials.token:
            headers["X-Amz-Security-Token"] = self.credentials.token
        host, path, query = _parts(request.url)
        signed = [(name, value) for name, value in headers.lowered() if name not in _UNSIGNED]
        if "host" not in headers:
            signed.append(("host", host))
        signed.sort()
        names = ";".join([name for name, _ in signed])
        said = "\n".join([f"{name}:{' '.join(value.split())}" for name, value in signed])
        content = sha256(request.body or b"").hexdigest()
        canonical = f"{request.method.upper()}\n{path}\n{query}\n{said}\n\n{names}\n{content}"
        date, region, service = timestamp[:8], self._region_name, self._service_name
        scope = f"{date}/{region}/{service}/aws4_request"
        to_sign = f"AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self._key(date, region, service), to_sign.encode(), "sha256").hex()
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.credentials.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )

    def _key(self, date: str, region: str, service: str) -> bytes:
        wanted = (self.credentials.secret_key, date, region, service)
        for derived in self._kept:
            if derived[:4] == wanted:
                return derived.key
        key = f"AWS4{self.credentials.secret_key}".encode()
        for part in (date, region, service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        # The last one alone: credentials change, and days pass.
        self._kept[:] = [_Derived(*wanted, key)]
        return key


@functools.lru_cache(maxsize=64)
def _parts(url: str) -> tuple[str, str, str]:
    """The host, the path and the query of an address as they are signed."""
    parts = urlsplit(url)
    signer = _SigV4(None, "", "")
    path, query = signer._normalize_url_path(parts.path), signer._canonical_query_string_url(parts)  # noqa: SLF001
    host: str = auth._host_from_url(url)  # type: ignore[attr-defined]  # noqa: SLF001
    return host, path, query
