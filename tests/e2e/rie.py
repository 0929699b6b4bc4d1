"""A function run as Lambda runs it: AWS's runtime interface emulator and runtime client, without a container.

The emulator comes inside aws-sam-cli (.venv-sam); the client, awslambdaric, is the only package in .venv-rie, so
that whatever the function imports has to come from its own artifact and its layers. Both are made by `make e2e`.
"""

from __future__ import annotations

import http.client
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-rie/bin/python"
_EMULATORS = {"x86_64": "aws-lambda-rie-x86_64", "aarch64": "aws-lambda-rie-arm64"}
_INVOKE = "/2015-03-31/functions/function/invocations"
_READY_WITHIN = 30.0
# How often the emulator is asked whether it is up, in seconds.
_POLL = 0.02


def emulator() -> Path | None:
    """Return AWS's emulator for this machine, or None where .venv-sam is not made or has none."""
    name = _EMULATORS.get(platform.machine())
    pattern = f".venv-sam/lib/python*/site-packages/samcli/local/rapid/{name}"
    return next(iter(ROOT.glob(pattern)), None) if name else None


def why_not() -> str | None:
    """Return why functions cannot be emulated here, or None."""
    if sys.platform != "linux":
        return "AWS's runtime interface emulator runs on Linux alone"
    if emulator() is None:
        return "no .venv-sam with AWS's runtime interface emulator: run `make e2e`"
    if not PYTHON.exists():
        return "no .venv-rie with AWS's runtime interface client: run `make e2e`"
    return None


def unpack_layers(layers: Iterable[Path], into: Path) -> Path:
    """Lay the layers over each other in one directory, as Lambda unpacks them into /opt; return it."""
    for layer in layers:
        shutil.copytree(layer, into, dirs_exist_ok=True)
    return into


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """What the emulator is to run, and how it is configured."""

    name: str
    code: Path
    opt: Path
    handler: str = "app.handler"
    environment: Mapping[str, str]
    timeout: int = 30
    memory: int = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """The answer to an invocation."""

    payload: Any

    @property
    def error_type(self) -> str | None:
        """Return the class of an exception that the handler raised, or None."""
        return self.payload.get("errorType") if isinstance(self.payload, dict) else None


class EmulatedFunction:
    """One execution environment of a function: started on entry, stopped on exit, warm in between."""

    def __init__(self, function: Function, *, scratch: Path) -> None:
        self._function = function
        self._scratch = scratch
        self._log = scratch / f"{function.name}.log"
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [
            str(emulator()),
            # Both addresses: the emulator's own defaults are open to the network.
            f"--runtime-interface-emulator-address=127.0.0.1:{self._port}",
            f"--runtime-api-address=127.0.0.1:{_free_port()}",
            str(PYTHON),
            "-m",
            "awslambdaric",
            self._function.handler,
        ]
        with self._log.open("wb") as log:
            self._process = self._start(command, log)
        self._wait_until_ready(self._process)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the emulator and the runtime that it started, which share a process group of their own."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    @property
    def logs(self) -> str:
        """Return all that the function and the emulator have written so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def invoke(self, event: object) -> Invocation:
        """Invoke the function synchronously, and wait for as long as it may run."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._function.timeout + 30)
        try:
            connection.request("POST", _INVOKE, body=json.dumps(event))
            body = connection.getresponse().read().decode()
        finally:
            connection.close()
        try:
            return Invocation(payload=json.loads(body))
        except json.JSONDecodeError:
            # A timeout is told in plain text.
            return Invocation(payload=body)

    def _start(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        function = self._function
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._scratch),
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": str(function.opt / "python"),
            # Lambda's file systems are read-only: nothing may appear in the artifact.
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "LAMBDA_TASK_ROOT": str(function.code),
            **{name: self._in_opt(value) for name, value in function.environment.items()},
        }
        return subprocess.Popen(  # noqa: S603 - AWS's emulator, from a hashed requirement
            command,
            cwd=function.code,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _in_opt(self, value: str) -> str:
        """Return the value of a variable with /opt standing for where this machine unpacked the layers."""
        return str(self._function.opt / value.removeprefix("/opt/")) if value.startswith("/opt/") else value

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = monotonic() + _READY_WITHIN
        while monotonic() < deadline:
            try:
                status = process.wait(timeout=_POLL)
            except subprocess.TimeoutExpired:
                if _answers(self._port):
                    return
            else:
                raise RuntimeError(f"the emulator ended with {status}:\n{self.logs}")
        self.__exit__()
        raise RuntimeError(f"the emulator did not answer within {_READY_WITHIN} s:\n{self.logs}")


def _free_port() -> int:
    """Return a port that nobody uses at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    """Say whether something accepts connections on the port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
