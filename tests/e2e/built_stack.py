"""Warden deployed from the build: the local AWS, but every function runs from its artifact in AWS's emulator.

The built template decides which code and which layers a function has, what its environment is, and which queue it
reads; the functions reach the local AWS over HTTP, each with the credentials of its own role.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from console.local.clock import MovableClock
from console.local.identity import assumed_role
from console.local.stack import LocalStack
from e2e.rie import EmulatedFunction, Function, unpack_layers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".aws-sam/build"
TEMPLATE = BUILD / "template.yaml"


class FunctionError(RuntimeError):
    """What a function's answer says that it raised."""


class BuiltStack(LocalStack):
    """A local stack whose handlers are the built artifacts; functions start when first invoked and stay warm."""

    def __init__(self, *, scratch: Path, variables: Mapping[str, str] | None = None, **options: Any) -> None:
        # The functions have the machine's clock; the local AWS starts with the same time and runs ahead of it.
        super().__init__(template=TEMPLATE, clock=MovableClock(datetime.now(UTC)), **options)
        self._scratch = scratch
        self._variables = variables or {}
        self._emulated: dict[str, EmulatedFunction] = {}
        self._processes = contextlib.ExitStack()

    def __enter__(self) -> Self:
        super().__enter__()
        self._url = self._processes.enter_context(self.aws.serve()).url
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the functions and the server, then tear the account down."""
        self._processes.close()
        super().__exit__(kind, error, trace)

    @property
    def function_logs(self) -> str:
        """Return what all functions have written."""
        return "\n".join(emulated.logs for emulated in self._emulated.values())

    @property
    def running(self) -> set[str]:
        """Return the logical ids of the functions that have been invoked."""
        return set(self._emulated)

    def _invoke(self, logical_id: str, event: dict[str, Any]) -> object:
        if logical_id not in self._emulated:
            self._emulated[logical_id] = self._processes.enter_context(
                EmulatedFunction(self._built(logical_id), scratch=self._scratch)
            )
        emulated = self._emulated[logical_id]
        answer = emulated.invoke(event)
        if answer.error_type is not None:
            raise FunctionError(f"{logical_id}: {answer.payload}\n{emulated.logs}")
        return answer.payload

    def _built(self, logical_id: str) -> Function:
        function = self.template.functions[logical_id]
        opt = self._scratch / f"opt-{logical_id}"
        role = assumed_role(function.role_arn, session=function.name, lambda_function_arn=function.arn)
        return Function(
            name=function.name,
            code=BUILD / str(function.code_uri),
            opt=unpack_layers([BUILD / layer for layer in function.layer_uris], into=opt),
            handler=function.handler,
            timeout=function.timeout,
            memory=function.memory,
            environment={
                **function.environment,
                **self.aws.credentials(role),
                "AWS_REGION": self.region,
                "AWS_ENDPOINT_URL": self._url,
                **self._variables,
            },
        )
