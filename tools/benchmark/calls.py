"""The processor time of one call to AWS: Warden's client beside one of plain botocore, against canned answers.

    python -m tools.benchmark.calls --times 2000 --rounds 5

The server is a process of its own, keeps connections, and answers each operation with the same bytes. What is printed
is the least of several rounds: what else the machine does can only add to it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import xform_name
from botocore.config import Config

from tools.benchmark.fleet import CREDENTIALS, REGION
from warden.gateways.clients import SERVICE_OF, Clients
from warden.gateways.rds import Rds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ACCOUNT = "123456789012"
_ATTRIBUTES = (
    b'<DescribeDBSnapshotAttributesResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/">'
    b"<DescribeDBSnapshotAttributesResult><DBSnapshotAttributesResult>"
    b"<DBSnapshotIdentifier>orders-1</DBSnapshotIdentifier><DBSnapshotAttributes><DBSnapshotAttribute>"
    b"<AttributeName>restore</AttributeName><AttributeValues/></DBSnapshotAttribute></DBSnapshotAttributes>"
    b"</DBSnapshotAttributesResult></DescribeDBSnapshotAttributesResult>"
    b"<ResponseMetadata><RequestId>523e3218-afc7-11c3-90f5-f90431260ab4</RequestId></ResponseMetadata>"
    b"</DescribeDBSnapshotAttributesResponse>"
)
_POLICY = b'{"Policy":"{\\"Version\\":\\"2012-10-17\\",\\"Statement\\":[]}","PolicyName":"default"}'
_ROW = b'{"Item":{"pk":{"S":"probe"},"since":{"S":"2026-01-01T00:00:00+00:00"}}}'
ASKED: Mapping[str, tuple[dict[str, Any], str, bytes]] = {
    "DescribeDBSnapshotAttributes": ({"DBSnapshotIdentifier": "orders-1"}, "text/xml", _ATTRIBUTES),
    "GetKeyPolicy": (
        {"KeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/523e3218-afc7-11c3-90f5-f90431260ab4"},
        "application/x-amz-json-1.1",
        _POLICY,
    ),
    "GetItem": (
        {"TableName": "state", "Key": {"pk": {"S": "probe"}, "sk": {"S": "probe"}}, "ConsistentRead": True},
        "application/x-amz-json-1.0",
        _ROW,
    ),
}
"""The operations that are measured: what they ask, and what is answered."""


def serve(listener: socket.socket) -> None:
    """Answer whoever connects, for as long as the process lives."""
    answers = {
        name.encode(): b"HTTP/1.1 200 OK\r\n"
        b"x-amzn-RequestId: 523e3218-afc7-11c3-90f5-f90431260ab4\r\n"
        b"Content-Type: %s\r\nContent-Length: %d\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n%s"
        % (kind.encode(), len(body), body)
        for name, (_, kind, body) in ASKED.items()
    }

    def answer(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                if not (more := connection.recv(65536)):
                    return
                data += more
            head, _, body = data.partition(b"\r\n\r\n")
            length = next(
                int(line.partition(b":")[2])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            )
            while len(body) < length:
                body += connection.recv(65536)
            connection.sendall(next(answers[name] for name in answers if name in head or name in body))
            data = body[length:]

    while True:
        threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()


def spent(call: Callable[[], Any], *, times: int, rounds: int, threads: int) -> float:
    """Milliseconds of this process for each call: the least of some rounds."""
    with ThreadPoolExecutor(threads) as pool:

        def some(_: int) -> None:
            for _ in range(times // threads):
                call()

        list(pool.map(some, range(threads)))
        least = float("inf")
        for _ in range(rounds):
            before = time.process_time()
            list(pool.map(some, range(threads)))
            least = min(least, time.process_time() - before)
    return 1000 * least / times


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line for each operation."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmark.calls")
    parser.add_argument("--times", type=int, default=2000, help="calls of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="that call at the same time")
    arguments = parser.parse_args(argv)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    server = multiprocessing.get_context("fork").Process(target=serve, args=(listener,), daemon=True)
    server.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()
    os.environ.update(
        AWS_ENDPOINT_URL=address,
        AWS_ACCESS_KEY_ID=CREDENTIALS["aws_access_key_id"],
        AWS_SECRET_ACCESS_KEY=CREDENTIALS["aws_secret_access_key"],
        AWS_DEFAULT_REGION=REGION,
    )
    plain = botocore.session.Session()
    api = Rds(Clients(account=ACCOUNT), account=ACCOUNT, region=REGION)
    for operation, (asked, _, _) in ASKED.items():
        client = plain.create_client(SERVICE_OF[operation], config=Config(retries={"mode": "standard"}))
        method = getattr(client, xform_name(operation))
        of_botocore, ours = (
            spent(call, times=arguments.times, rounds=arguments.rounds, threads=arguments.threads)
            for call in (lambda: method(**asked), lambda: api.call(operation, **asked))  # noqa: B023 - called at once
        )
        print(f"{operation:<32}plain botocore {of_botocore:.3f} ms, Warden {ours:.3f} ms", flush=True)
    server.terminate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
