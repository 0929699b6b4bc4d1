"""What a function tells of itself: a JSON line for each thing worth a log, and one with the counts of an invocation.

The counts are in CloudWatch's embedded metric format, so that a line of the log is a metric without a call. Both go to
the standard output, where Lambda takes them. The libraries that do the same take longer to import than botocore.
"""

from __future__ import annotations

import functools
import gc
import json
import logging
import os
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

# What is made while a function starts lives as long as it does; to look for garbage in it is a tenth of a cold start.
gc.disable()

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
"""The members that every record has; the others were given with it."""


class Context(Protocol):
    """Lambda's context object, as far as it is looked at."""

    @property
    def function_name(self) -> str:
        """The function."""
        ...

    @property
    def memory_limit_in_mb(self) -> int:
        """Its memory."""
        ...

    @property
    def invoked_function_arn(self) -> str:
        """Its ARN."""
        ...

    @property
    def aws_request_id(self) -> str:
        """The invocation."""
        ...

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""
        ...


Handler: TypeAlias = "Callable[[dict[str, Any], Context], Answer]"


class _Lines(logging.Handler):
    """Writes records as JSON, with the invocation that they belong to."""

    def __init__(self) -> None:
        super().__init__()
        self.invocation: dict[str, Any] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line to whatever the standard output is now."""
        line: dict[str, Any] = {
            "level": record.levelname,
            "location": f"{record.funcName}:{record.lineno}",
            "message": record.getMessage(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "service": os.environ.get("WARDEN_SERVICE", ""),
            **self.invocation,
            **{name: value for name, value in vars(record).items() if name not in _OWN},
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = logging.Formatter().formatException(record.exc_info)
            line["exception_name"] = record.exc_info[0].__name__
        _write(line)


_LINES = _Lines()


def logger() -> logging.Logger:
    """The logger of a function; what is given as `extra` becomes members of the line."""
    named = logging.getLogger("warden")
    if _LINES not in named.handlers:
        named.addHandler(_LINES)
        named.propagate = False
        named.setLevel(os.environ.get("WARDEN_LOG_LEVEL", "INFO"))
    return named


class Metrics:
    """The counts of an invocation."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, list[float]] = defaultdict(list)

    def add_metric(self, *, name: str, value: float) -> None:
        """Count something; several values of a name are several samples."""
        self._counts[name].append(value)

    def flush(self) -> None:
        """Write the line of this invocation, if anything was counted."""
        if not self._counts:
            return
        metrics = [{"Name": name, "Unit": "Count"} for name in self._counts]
        namespace = os.environ.get("WARDEN_METRICS_NAMESPACE", "AuroraWarden")
        about = {"Namespace": namespace, "Dimensions": [["service"]], "Metrics": metrics}
        _write(
            {
                "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [about]},
                "service": os.environ.get("WARDEN_SERVICE", ""),
                **self._counts,
            }
        )
        self._counts.clear()


def invocation(metrics: Metrics) -> Callable[[Handler[Answer]], Handler[Answer]]:
    """Let a handler's lines name the invocation, and write its counts at the end, whatever the end is."""
    first = [True]

    def wrap(handler: Handler[Answer]) -> Handler[Answer]:
        @functools.wraps(handler)
        def wrapped(event: dict[str, Any], context: Context) -> Answer:
            _LINES.invocation = {
                "cold_start": first.pop() if first else False,
                "function_name": context.function_name,
                "function_memory_size": context.memory_limit_in_mb,
                "function_arn": context.invoked_function_arn,
                "function_request_id": context.aws_request_id,
            }
            try:
                return handler(event, context)
            finally:
                metrics.flush()
                if not gc.isenabled():
                    gc.freeze()
                    gc.enable()

        return wrapped

    return wrap


def _write(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, default=str, separators=(",", ":")) + "\n")
    sys.stdout.flush()
