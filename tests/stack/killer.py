"""Ends the process of a function at one of its calls to AWS."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import botocore.client
import pytest

from console.local.identity import current_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stack.deployed import Deployed

_CLIENT: Any = botocore.client.BaseClient


class _Killed(BaseException):
    """The end of a process: no handler of exceptions sees it."""


class Killer:
    """Ends the process of a function at its nth call to AWS, before or after the call has its effect."""

    def __init__(
        self, stack: Deployed, moment: int, *, after: bool, counts: Callable[[str], bool] = lambda _: True
    ) -> None:
        """`counts`: which operations are moments; a death at a read is one after the last call that changed a thing."""
        self._counts = counts
        self.calls = 0
        self.killed = ""
        self.operations: list[str] = []
        self._moment = moment
        self._after = after
        self._call: Callable[..., Any] = _CLIENT._make_api_call
        self._stack = stack
        self._invoke = stack._invoke

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Stand in the one place of botocore through which each call goes exactly once."""

        def make_api_call(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
            return self.call(client, operation, parameters)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_CLIENT, "_make_api_call", make_api_call)
            patch.setattr(self._stack.runtime, "_invoke", self.invoke)
            yield

    def call(self, client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        identity = current_identity()
        if identity is None or not identity.lambda_function_arn or not self._counts(operation):
            return self._call(client, operation, parameters)
        self.calls += 1
        self.operations.append(operation)
        dies = self.calls == self._moment
        if dies:
            self.killed = operation
        if dies and not self._after:
            raise _Killed
        answer = self._call(client, operation, parameters)
        if dies:
            raise _Killed
        return answer

    def invoke(self, logical_id: str, event: dict[str, Any]) -> object:
        try:
            return self._invoke(logical_id, event)
        except _Killed:
            msg = "Runtime exited"
            raise RuntimeError(msg) from None


def changes(operation: str) -> bool:
    """Whether an operation changes anything, in AWS or in Warden's own tables."""
    return not operation.startswith(("Describe", "Get", "List", "Lookup", "Query", "Scan"))
