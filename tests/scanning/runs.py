"""Runs of `warden`, here or as a process of their own, and an AWS behind an address."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

from console import cli, paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

REGION = "eu-west-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": REGION,
    # Nobody asks the machine that the tests run on who it is.
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the command line."""

    status: int
    out: str
    err: str

    @property
    def card(self) -> dict[str, Any]:
        """The JSON that it printed, and nothing beside it."""
        read: dict[str, Any] = json.loads(self.out)
        return read

    @property
    def drifted(self) -> set[tuple[str, str]]:
        """What is non-compliant, as control and the name of the resource."""
        return {
            (finding["control"], finding["resource"].rpartition(":")[2])
            for finding in self.card["findings"]
            if finding["compliance"] == "NON_COMPLIANT"
        }

    @property
    def unjudged(self) -> dict[str, str]:
        """The reason of each control that could not judge something."""
        return {missed["control"]: missed["annotation"] for missed in self.card["not_evaluated"]}


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Run:
    """Run `warden` in this process; a traceback would fail the test by itself."""
    capsys.readouterr()
    try:
        status = cli.main(arguments)
    except SystemExit as exit_:
        status = int(exit_.code or 0)
    captured = capsys.readouterr()
    return Run(status, captured.out, captured.err)


def scan(capsys: pytest.CaptureFixture[str], *arguments: str, controls: tuple[str, ...] = ()) -> Run:
    """Run `warden scan --format json`, of some controls or of all."""
    chosen = [part for control in controls for part in ("--control", control)]
    return run(capsys, "scan", "--format", "json", *chosen, *arguments)


def warden(*arguments: str, **environment: str) -> Run:
    """Run `warden` as a process of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(  # noqa: S603 - our own command line
        [sys.executable, "-m", "console.cli", *arguments],
        cwd=paths.ROOT,
        env={**inherited, **CREDENTIALS, "PYTHONPATH": str(paths.ROOT / "layers" / "warden"), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return Run(done.returncode, done.stdout, done.stderr)


@contextlib.contextmanager
def moto_server() -> Iterator[str]:
    """A moto server without any correction, as a process of its own; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(  # noqa: S603 - moto's server
        [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            # It says so when it listens; then it goes on to say things, which somebody has to read.
            assert any("Running on" in line for line in process.stderr), "moto's server did not start"
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def empty(url: str) -> None:
    """Empty the account behind a moto server."""
    request = urllib.request.Request(f"{url}/moto-api/reset", method="POST")  # noqa: S310 - our own server
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - the same
        answer.read()


def client(url: str, service: str = "rds", region: str = REGION) -> Any:
    """A client of whatever AWS is behind an address."""
    return boto3.client(
        service,  # type: ignore[call-overload] # any service of moto's
        endpoint_url=url,
        region_name=region,
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="secret",
    )
