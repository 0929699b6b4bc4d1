"""What can happen to a call of a function's to AWS: each kind of fault, at each call."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import botocore.client
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from console.local.identity import current_identity
from warden import wiring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stack.deployed import Deployed

_CLIENT: Any = botocore.client.BaseClient


class _Killed(BaseException):
    """The end of a process: no handler of exceptions sees it."""


def _refused(operation: str, code: str, status: int) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": "injected"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, operation)


def _killed(*_: str) -> BaseException:
    return _Killed()


# Raised instead of the call, or after it has had its effect. botocore's own retries are over when these come.
_BEFORE: dict[str, Callable[[str], BaseException]] = {
    "killed before": _killed,
    "throttled": lambda operation: _refused(operation, "ThrottlingException", 400),
    "server error": lambda operation: _refused(operation, "InternalFailure", 500),
    "denied": lambda operation: _refused(operation, "AccessDeniedException", 403),
    "unreachable": lambda _: EndpointConnectionError(endpoint_url="injected"),
}
_AFTER: dict[str, Callable[[str], BaseException]] = {
    "killed after": _killed,
    "answer lost": lambda _: ReadTimeoutError(endpoint_url="injected"),
}
KINDS = (*_BEFORE, *_AFTER)


class Injector:
    """Stands between the functions of a stack and AWS; `choose` says what happens to each call, by its number."""

    def __init__(
        self,
        stack: Deployed,
        choose: Callable[[int, str], str],
        *,
        counts: Callable[[str, str, dict[str, Any]], bool] = lambda *_: True,
    ) -> None:
        """`counts`: which operations, of which function and event, are calls that something can happen to."""
        self.calls = 0
        self.injected: Counter[str] = Counter()
        self.last = ""
        """The operation that met the last fault."""
        self.before_call: list[Callable[[str, dict[str, Any]], None]] = []
        """What is to be looked at, or to happen, just before a function's call."""
        self.event: tuple[str, dict[str, Any]] = ("", {})
        """The invocation at hand: its function, and its event."""
        self._choose = choose
        self._counts = counts
        self._stack = stack
        self._call: Callable[..., Any] = _CLIENT._make_api_call
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
        """One call, with whatever happens to it."""
        identity = current_identity()
        if identity is None or not identity.lambda_function_arn or not self._counts(operation, *self.event):
            return self._call(client, operation, parameters)
        self.calls += 1
        kind = self._choose(self.calls, operation)
        if kind:
            self.injected[kind] += 1
            self.last = operation
        if kind in _BEFORE:
            raise _BEFORE[kind](operation)
        for watch in self.before_call:
            watch(operation, parameters)
        answer = self._call(client, operation, parameters)
        if kind in _AFTER:
            raise _AFTER[kind](operation)
        return answer

    def invoke(self, logical_id: str, event: dict[str, Any]) -> object:
        """One invocation; a killed one fails as Lambda tells it, and the next begins in a new process."""
        outer, self.event = self.event, (logical_id, event)
        try:
            return self._invoke(logical_id, event)
        except _Killed:
            wiring.forget()
            msg = "Runtime exited"
            raise RuntimeError(msg) from None
        finally:
            self.event = outer
