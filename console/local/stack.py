"""Warden deployed on the embedded local AWS: the template, the handlers, and an account with databases.

API calls become events by themselves, the template's rules decide who hears of them, and the real handlers run.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import sys
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from console import paths
from console.local.aws import LocalAws
from console.local.clock import MovableClock
from console.local.identity import acting_as, assumed_role
from console.local.infrastructure import create_infrastructure
from console.local.runtime import LocalRuntime
from console.local.template import load_template
from warden import wiring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import ModuleType, TracebackType

    from console.local.identity import UserIdentity
    from console.local.template import LocalFunction

REGION = "eu-west-1"
_HANDLERS: dict[str, ModuleType] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    """Lambda's context object, as far as the handlers look at it."""

    function_name: str
    invoked_function_arn: str
    memory_limit_in_mb: int
    function_version: str = "$LATEST"
    log_group_name: str = "/aws/lambda/local"
    log_stream_name: str = "local"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def get_remaining_time_in_millis(self) -> int:
        """The time that is left; the local AWS never runs out of it."""
        return 60_000


class LocalStack:
    """One deployment in one account and Region, and everything that happens there."""

    def __init__(
        self,
        *,
        mode: str = "remediate",
        policy: Path | str = paths.POLICY,
        clock: MovableClock | None = None,
        region: str = REGION,
        parameters: Mapping[str, str] | None = None,
        template: Path = paths.TEMPLATE,
    ) -> None:
        """Say what to deploy; entering the context deploys it."""
        self.clock = clock or MovableClock()
        self.region = region
        self.policy = str(policy)
        self.events: list[dict[str, Any]] = []
        """Everything that came onto the bus, in order."""
        self.logs: list[dict[str, Any]] = []
        """What the handlers logged, parsed."""
        self._parameters = {"ModeCeiling": mode, **(parameters or {})}
        self._template_file = template
        self._exit = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Deploy."""
        with contextlib.ExitStack() as stack:
            self.template = load_template(self._template_file, self._parameters, region=self.region)
            self.aws = stack.enter_context(LocalAws(clock=self.clock, region=self.region))
            create_infrastructure(self.template, self.aws.client)
            self.runtime = LocalRuntime(
                self.template, self.clock, self._invoke, sqs=self.aws.client("sqs"), client=self.aws.client
            )
            # Before there were rules, nobody heard of anything.
            self.aws.emit = self.put
            stack.enter_context(_replaced_clock(self.clock))
            self._exit = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tear everything down."""
        self._exit.__exit__(kind, error, trace)

    def put(self, event: dict[str, Any]) -> None:
        """Put an event onto the bus; API calls do so by themselves."""
        self.events.append(event)
        self.runtime.put(event)

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client of the local AWS."""
        return self.aws.client(service, region)

    def by(self, identity: UserIdentity) -> contextlib.AbstractContextManager[UserIdentity]:
        """Whose calls the following ones are."""
        return acting_as(identity)

    def table(self, logical_id: str) -> list[dict[str, Any]]:
        """Every item of a table, with DynamoDB's types taken off."""
        name = self.template.resources[logical_id].name
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=name)
        return [
            {key: next(iter(value.values())) for key, value in item.items()}
            for page in pages
            for item in page["Items"]
        ]

    def function(self, folder: str) -> LocalFunction:
        """The function whose code lies in `functions/<folder>`."""
        for resource in self.template.of_type("AWS::Lambda::Function"):
            function = self.template.function(resource.logical_id)
            if function is not None and (function.code_uri or "").rstrip("/").endswith(f"functions/{folder}"):
                return function
        msg = f"the template has no function with the code of functions/{folder}"
        raise LookupError(msg)

    @contextlib.contextmanager
    def environment_of(self, function: LocalFunction) -> Iterator[None]:
        """The environment of a function, as Lambda would set it, for the time of an invocation."""
        wanted = {
            **function.environment,
            "AWS_REGION": self.region,
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            # The policy layer is mounted at /opt in Lambda.
            "WARDEN_POLICY_FILE": self.policy,
        }
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

    # --- running ------------------------------------------------------------------------------------------

    def _invoke(self, logical_id: str, event: dict[str, Any]) -> object:
        function = self.template.function(logical_id)
        if function is None:
            msg = f"the template has no function {logical_id}"
            raise LookupError(msg)
        folder = (function.code_uri or "").rstrip("/").rpartition("/")[2]
        identity = assumed_role(function.role_arn, session=function.name, lambda_function_arn=function.arn)
        context = _Context(
            function_name=function.name,
            invoked_function_arn=function.arn,
            memory_limit_in_mb=function.memory,
        )
        with self.environment_of(function), self._captured(), acting_as(identity):
            return _handler(folder)(event, context)

    @contextlib.contextmanager
    def _captured(self) -> Iterator[None]:
        """Take what the handlers log."""
        with contextlib.redirect_stdout(_OUTPUT):
            try:
                yield
            finally:
                written = _OUTPUT.getvalue()
                _OUTPUT.seek(0)
                _OUTPUT.truncate()
                self.logs.extend(_parsed(written))


_OUTPUT = io.StringIO()


def _handler(folder: str) -> Callable[[dict[str, Any], _Context], object]:
    """The handler of `functions/<folder>/app.py`, imported once."""
    if folder not in _HANDLERS:
        name = f"warden_function_{folder}"
        spec = importlib.util.spec_from_file_location(name, paths.FUNCTIONS / folder / "app.py")
        if spec is None or spec.loader is None:
            msg = f"functions/{folder}/app.py cannot be imported"
            raise ImportError(msg)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        _HANDLERS[folder] = module
    handler: Callable[[dict[str, Any], _Context], object] = _HANDLERS[folder].handler
    return handler


def _take_no_time(seconds: float) -> None:
    del seconds


@contextlib.contextmanager
def _replaced_clock(clock: Callable[[], Any]) -> Iterator[None]:
    before = wiring.clock, wiring.pause
    # What waits between its requests would do so in real time.
    wiring.clock, wiring.pause = clock, _take_no_time
    # What was built for another run holds clients of a world that is gone.
    wiring.forget()
    try:
        yield
    finally:
        wiring.clock, wiring.pause = before
        wiring.forget()


def _parsed(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        try:
            parsed = json.loads(line)
        except ValueError:
            parsed = {"message": line}
        yield parsed if isinstance(parsed, dict) else {"message": parsed}
