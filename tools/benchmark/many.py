"""A server that answers for many copies of a small fleet: moto takes minutes to make thousands of clusters.

    python -m tools.benchmark.many --truth truth.json --copies 50 http://127.0.0.1:5000 5001

What moto answers for one cluster is answered for each of its copies, with other names and ids; the first copy is moto's
own. Lists come in AWS's pages. DynamoDB is `rows`, and a message to a queue is taken and forgotten. The fleet never
changes, so that moto is asked each thing once.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote, urlencode

from tools.benchmark.counting import Counting, serve
from tools.benchmark.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.benchmark.counting import Request

_CLUSTER = re.compile(r"\bc(\d{5})\b")
_ID = re.compile(
    r"\b(?:(?:cluster|db)-[A-Z0-9]{20,}|sgr?-[0-9a-f]{17}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b"
)


class Pages(NamedTuple):
    """How a list comes in pages: names of the size and token of a request, of the token of an answer, and the size."""

    most: str
    token: str
    more: str
    size: int


_RDS = Pages("MaxRecords", "Marker", "Marker", 100)
_EC2 = Pages("MaxResults", "NextToken", "nextToken", 1000)
_LISTS: dict[str, Pages] = {
    **dict.fromkeys(
        (
            "DescribeDBClusters",
            "DescribeDBInstances",
            "DescribeDBClusterSnapshots",
            "DescribeDBSnapshots",
            "DescribeDBClusterParameterGroups",
            "DescribeDBParameterGroups",
        ),
        _RDS,
    ),
    **dict.fromkeys(("DescribeSecurityGroups", "DescribeSecurityGroupRules"), _EC2),
    "ListSecrets": Pages("MaxResults", "NextToken", "NextToken", 100),
    "DescribeLogGroups": Pages("limit", "nextToken", "nextToken", 50),
    "ListAliases": Pages("Limit", "Marker", "NextMarker", 50),
}


@dataclass(slots=True)
class Copies:
    """The names of the copies of a fleet: the cluster 3 of the second copy of 100 clusters is `c00103`."""

    size: int
    own: frozenset[str]
    """The ids that each copy has of its own: keys and security groups; what else has an id of these is shared."""
    _made: dict[str, tuple[str, int]] = field(default_factory=dict)

    def told(self, text: str, copy: int) -> str:
        """What moto says, as it is said of a copy."""
        if not copy:
            return text
        text = _CLUSTER.sub(lambda found: f"c{int(found[1]) + copy * self.size:05}", text)
        return _ID.sub(lambda found: self._id(found[0], copy), text)

    def _id(self, text: str, copy: int) -> str:
        if not text.startswith(("sgr-", "cluster-", "db-")) and text not in self.own:
            return text
        prefix, dash, rest = (
            text.partition("-") if text.startswith(("sg", "cluster", "db")) else ("", "", text)
        )
        made = f"{prefix}{dash}{copy:04}{rest[4:]}"
        self._made[made] = (text, copy)
        return made

    def asked(self, text: str) -> tuple[str, frozenset[int]]:
        """What moto is asked instead, and of which copies; of none where nothing is named that a copy has."""
        copies: set[int] = set()

        def name(found: re.Match[str]) -> str:
            copy, number = divmod(int(found[1]), self.size)
            copies.add(copy)
            return f"c{number:05}"

        def known(found: re.Match[str]) -> str:
            original, copy = self._made.get(found[0], (found[0], 0))
            if copy or original in self.own or original.startswith(("cluster-", "db-")):
                copies.add(copy)
            return original

        return _ID.sub(known, _CLUSTER.sub(name, text)), frozenset(copies)

    def has(self, text: str) -> bool:
        """Whether a part of an answer is of something that each copy has of its own."""
        return bool(_CLUSTER.search(text)) or any(found in self.own for found in _ID.findall(text))


class Many(Counting):
    """Counts, and answers for all copies."""

    def __init__(self, behind: str, copies: Copies, count: int) -> None:
        super().__init__(behind)
        self.copies = copies
        self.count_of_copies = count
        self.rows = Rows()
        self.asked |= {"/units": self.rows.units, "/forget": self.rows.forget}
        self._cache: dict[tuple[str, ...], tuple[int, dict[str, str], bytes]] = {}
        self._whole: dict[tuple[str, str], tuple[str, list[str], str]] = {}

    def answer(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        """What AWS would answer if all copies were there."""
        if request.service == "dynamodb":
            status, body = self.rows.answer(request.operation, request.body)
            return status, {"Content-Type": "application/x-amz-json-1.0"}, body
        if request.service == "sqs" and request.operation == "SendMessage":
            return 200, {"Content-Type": "application/x-amz-json-1.0"}, _sent(request.body)
        try:
            text = unquote(request.body.decode()) if request.asked else request.body.decode()
        except UnicodeDecodeError:
            return self.forward(request.method, request.path, request.headers, request.body)
        stripped, copies = self.copies.asked(text)
        if len(copies) > 1:
            message = f"{request.operation} asks of several copies of the fleet: {text[:500]}"
            return 501, {"Content-Type": "text/plain"}, message.encode()
        if not copies and request.operation in _LISTS:
            return self._list(request, _LISTS[request.operation])
        (copy,) = copies or {0}
        status, headers, body = self._asked(request, stripped)
        return status, headers, self.copies.told(body.decode(), copy).encode() if copy else body

    def _asked(self, request: Request, stripped: str) -> tuple[int, dict[str, str], bytes]:
        """What moto answers, which it is asked once."""
        key = (request.service, request.operation, request.path, stripped)
        if key not in self._cache:
            asked = {name: self.copies.asked(value)[0] for name, value in request.asked.items()}
            behind = replace(
                request,
                asked=asked,
                path=quote(self.copies.asked(unquote(request.path))[0], safe="/?&=%:"),
                body=urlencode(asked).encode() if asked else stripped.encode(),
            )
            self._cache[key] = super().answer(behind)
        return self._cache[key]

    def _list(self, request: Request, pages: Pages) -> tuple[int, dict[str, str], bytes]:
        asked: dict[str, Any] = dict(request.asked) or json.loads(request.body)
        most, token = int(asked.pop(pages.most, 0) or pages.size), asked.pop(pages.token, None)
        key = (request.operation, json.dumps(asked, sort_keys=True))
        if key not in self._whole:
            self._whole[key] = self._multiplied(request, asked, pages)
        head, items, tail = self._whole[key]
        first = int(token) if token else 0
        page, more = items[first : first + most], str(first + most) if first + most < len(items) else ""
        if request.asked:
            marker = f"<{pages.more}>{more}</{pages.more}>" if more else ""
            return 200, {"Content-Type": "text/xml"}, f"{head}{''.join(page)}{tail % marker}".encode()
        marker = f', "{pages.more}": "{more}"' if more else ""
        if pages.more == "NextMarker":
            marker += f', "Truncated": {json.dumps(bool(more))}'
        body = f"{head}{', '.join(page)}]{marker}{tail}"
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, body.encode()

    def _multiplied(
        self, request: Request, asked: dict[str, Any], pages: Pages
    ) -> tuple[str, list[str], str]:
        """What stands before the items of a list, all of them, and what stands after them."""
        xml, items, token = bool(request.asked), [], None
        head = tail = ""
        while True:
            more: dict[str, str] = {pages.token: token} if token else {}
            body = urlencode({**asked, **more}) if xml else json.dumps({**asked, **more})
            status, _, data = self.forward(request.method, request.path, request.headers, body.encode())
            if status != 200:  # noqa: PLR2004 - http's
                raise RuntimeError(data.decode())
            if xml:
                head, page, tail, token = _of_xml(data.decode(), pages.more)
            else:
                head, page, tail, token = _of_json(data.decode(), pages.more)
            items += page
            if not token:
                break
        own = [item for item in items if self.copies.has(item)]
        others = range(1, self.count_of_copies)
        return head, items + [self.copies.told(item, copy) for copy in others for item in own], tail


def _of_xml(text: str, more: str) -> tuple[str, list[str], str, str | None]:
    root = ET.fromstring(re.sub(r'\sxmlns="[^"]*"', "", text, count=1))  # noqa: S314 - our own server
    result = root[0] if root[0].tag.endswith("Result") else root
    listed = next(child for child in result if child.tag not in {more, "requestId"})
    token = result.findtext(more)
    inner = f"<{result.tag}>" if result is not root else ""
    closed = f"</{result.tag}>" if result is not root else ""
    told = "<ResponseMetadata><RequestId>many</RequestId></ResponseMetadata>" if result is not root else ""
    return (
        f"<{root.tag}>{inner}<{listed.tag}>",
        [ET.tostring(item, encoding="unicode") for item in listed],
        f"</{listed.tag}>%s{closed}{told}</{root.tag}>",
        token,
    )


def _of_json(text: str, more: str) -> tuple[str, list[str], str, str | None]:
    answer = json.loads(text)
    name = next(name for name, value in answer.items() if isinstance(value, list))
    return f'{{"{name}": [', [json.dumps(item) for item in answer[name]], "}", answer.get(more)


def _sent(body: bytes) -> bytes:
    message = json.loads(body)["MessageBody"].encode()
    digest = hashlib.md5(message, usedforsecurity=False).hexdigest()
    return json.dumps(
        {"MessageId": "00000000-0000-0000-0000-000000000000", "MD5OfMessageBody": digest}
    ).encode()


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until the process ends."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmark.many")
    parser.add_argument("behind")
    parser.add_argument("port", type=int)
    parser.add_argument("--truth", type=Path, required=True, help="what `fleet` wrote")
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--latency", type=int, default=0, metavar="MILLISECONDS")
    arguments = parser.parse_args(argv)
    truth = json.loads(arguments.truth.read_text(encoding="utf-8"))
    copies = Copies(truth["size"], frozenset(truth["own"]))
    many = Many(arguments.behind, copies, arguments.copies)
    serve(many, arguments.port, latency=arguments.latency / 1000).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
