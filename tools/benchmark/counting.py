"""A server in front of moto's: it counts the calls that arrive, and cuts lists of RDS into pages as AWS does.

    python -m tools.benchmark.counting http://127.0.0.1:5000 5001

`GET /counted` answers what arrived since the last time, by operation, and begins anew. Clients are not asked.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.client
import json
import re
import sys
import threading
import time
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_PAGE = 100
_LISTS = re.compile(
    r"Describe(?:DB(?:Clusters|Instances|ClusterSnapshots|Snapshots|ClusterParameterGroups|ParameterGroups)|GlobalClusters)"
)
_PARAMETERS = "DescribeDBClusterParameters"
# What moto leaves out of parameters, and the value that a default group has of each (Aurora User Guide).
_SWITCHES = {
    "rds.force_ssl": ("boolean", "postgresql", "0"),
    "require_secure_transport": ("string", "mysql", "OFF"),
}
_NO_SNAPSHOTS = b"<DescribeSnapshotsResponse><snapshotSet/></DescribeSnapshotsResponse>"
_LENGTH_OF_ID = 26
_KEPT = ("content-type", "x-amzn-requestid")


@dataclass(frozen=True, slots=True)
class Request:
    """What has arrived: of the service that it is signed for, with the parameters of a form."""

    service: str
    operation: str
    asked: dict[str, str]
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Counting:
    """What has arrived, and the lists that pages are cut of."""

    def __init__(self, behind: str) -> None:
        self.address = urlsplit(behind).netloc
        self.seen: Counter[str] = Counter()
        self.asked: dict[str, Callable[[], Mapping[str, float]]] = {"/counted": self.taken}
        """What is answered to whoever measures, by path."""
        self._lists: dict[str, ET.Element] = {}
        self._local = threading.local()
        self._lock = threading.Lock()

    def count(self, operation: str) -> None:
        """Note a call."""
        with self._lock:
            self.seen[operation] += 1

    def taken(self) -> dict[str, int]:
        """What has arrived since the last time."""
        with self._lock:
            taken, self.seen = dict(self.seen), Counter()
            self._lists.clear()
        return taken

    def forward(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """What moto answers, over a connection that is kept."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection(self.address)
        kept = {
            name: value
            for name, value in headers.items()
            if name.lower() not in {"host", "connection", "content-length"}
        }
        try:
            connection.request(method, path, body, kept)
            answer = connection.getresponse()
            data = answer.read()
        except (http.client.HTTPException, OSError):
            self._local.connection = None
            connection = self._local.connection = http.client.HTTPConnection(self.address)
            connection.request(method, path, body, kept)
            answer = connection.getresponse()
            data = answer.read()
        told = {name: value for name, value in answer.getheaders() if name.lower() in _KEPT}
        return answer.status, told, _told_apart(data)

    def answer(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        """What is answered to a request: a page, parameters as AWS has them, or what moto says."""
        if request.service == "rds" and _LISTS.fullmatch(request.operation):
            return self.page(request.asked, request.headers)
        if request.operation == "DescribeSnapshots":
            # Of moto a thousand of AWS's own images, which no account has: Prowler asks for the shares of each.
            return 200, {"Content-Type": "text/xml"}, _NO_SNAPSHOTS
        if request.operation == _PARAMETERS:
            return self.parameters(request.asked, request.headers)
        return self.forward(request.method, request.path, request.headers, request.body)

    def page(self, asked: dict[str, str], headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        """One page of a list of RDS: the whole is asked of moto once for all of its pages."""
        most, marker = int(asked.pop("MaxRecords", _PAGE)), asked.pop("Marker", None)
        key = json.dumps(asked, sort_keys=True)
        first = int(base64.b64decode(marker)) if marker else 0
        whole = self._lists.get(key) if marker else None
        if whole is None:
            parts: list[bytes] = []
            token = None
            while True:
                more: dict[str, str] = {"Marker": token} if token else {}
                status, told, data = self.forward("POST", "/", headers, urlencode({**asked, **more}).encode())
                if status != http.HTTPStatus.OK:
                    return status, told, data
                parts.append(data)
                root = ET.fromstring(data)  # noqa: S314 - our own server
                token = root.findtext("{*}" + f"{asked['Action']}Result/" + "{*}Marker")
                items = _list_of(root[0])
                if whole is None:
                    whole, into = root, items
                elif into is not None and items is not None:
                    into.extend(list(items))
                if not token:
                    break
            self._lists[key] = whole
        return 200, {"Content-Type": "text/xml"}, _cut(whole, first, most)

    def parameters(
        self, asked: dict[str, str], headers: Mapping[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        """The parameters of a group with their types; of a default group, which moto does not find, what counts."""
        group, only = asked["DBClusterParameterGroupName"], asked.get("Source")
        if group.startswith("default."):
            items = [
                f"<Parameter><ParameterName>{name}</ParameterName><ParameterValue>{value}</ParameterValue>"
                f"<DataType>{kind}</DataType><Source>engine-default</Source><IsModifiable>true</IsModifiable></Parameter>"
                for name, (kind, engine, value) in _SWITCHES.items()
                if engine in group and only != "user"
            ]
            result = f"<Parameters>{''.join(items)}</Parameters>"
            body = f"<{_PARAMETERS}Response><{_PARAMETERS}Result>{result}</{_PARAMETERS}Result></{_PARAMETERS}Response>"
            return 200, {"Content-Type": "text/xml"}, body.encode()
        status, told, data = self.forward("POST", "/", headers, urlencode(asked).encode())
        for name, (kind, _, _) in _SWITCHES.items():
            named = f"<ParameterName>{name}</ParameterName>".encode()
            if b"<DataType>" not in data:
                data = data.replace(named, named + f"<DataType>{kind}</DataType>".encode())
        return status, told, data


def _told_apart(data: bytes) -> bytes:
    """Each instance with an immutable id of its own; in moto all of them have the same."""
    first, *instances = data.split(b"<DBInstance>")
    for number, instance in enumerate(instances):
        name = re.search(rb"<DBInstanceIdentifier>([^<]+)<", instance)
        made = base64.b32encode(hashlib.sha256(name[1] if name else b"").digest())[:_LENGTH_OF_ID]
        instances[number] = re.sub(rb"(<DbiResourceId>)[^<]+", rb"\1db-" + made, instance)
    return b"<DBInstance>".join((first, *instances))


def _list_of(result: ET.Element) -> ET.Element | None:
    return next((child for child in result if not child.tag.endswith("Marker")), None)


def _cut(whole: ET.Element, first: int, most: int) -> bytes:
    answer = ET.Element(whole.tag)
    result = ET.SubElement(answer, whole[0].tag)
    items = _list_of(whole[0])
    if items is not None:
        some = ET.SubElement(result, items.tag)
        some.extend(items[first : first + most])
        if first + most < len(items):
            namespace = whole.tag.partition("}")[0] + "}" if "}" in whole.tag else ""
            ET.SubElement(result, f"{namespace}Marker").text = base64.b64encode(
                str(first + most).encode()
            ).decode()
    answer.extend(whole[1:])
    return ET.tostring(answer)


def serve(counting: Counting, port: int, *, latency: float = 0.0) -> ThreadingHTTPServer:
    """The server; it serves once `serve_forever` is called, and lets everybody wait for so many seconds first."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            service = _service(self.headers.get("Authorization", ""))
            asked = _asked(body) if "X-Amz-Target" not in self.headers else {}
            operation = asked.get("Action") or self.headers.get("X-Amz-Target", self.path).rpartition(".")[2]
            counting.count(f"{service}:{operation}")
            time.sleep(latency)
            told = counting.answer(
                Request(service, operation, asked, self.command, self.path, dict(self.headers), body)
            )
            self._answer(*told)

        def do_GET(self) -> None:
            asked = counting.asked.get(self.path)
            if asked is not None:
                self._answer(200, {"Content-Type": "application/json"}, json.dumps(asked()).encode())
            else:
                self.do_POST()

        do_PUT = do_DELETE = do_POST  # noqa: N815 - the names are http.server's

        def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the names are http.server's
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    return server


def _service(authorization: str) -> str:
    """The service that a request is signed for."""
    found = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", authorization)
    return found[1] if found else "?"


def _asked(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except UnicodeDecodeError:
        return {}


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until the process ends."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmark.counting")
    parser.add_argument("behind")
    parser.add_argument("port", type=int)
    parser.add_argument("--latency", type=int, default=0, metavar="MILLISECONDS")
    arguments = parser.parse_args(argv)
    serve(Counting(arguments.behind), arguments.port, latency=arguments.latency / 1000).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
