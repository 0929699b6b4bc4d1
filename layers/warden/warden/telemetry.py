"""What a function tells of itself, by Powertools: a JSON line for each log, and the counts of an invocation.

Powertools is imported here alone, and by functions alone: the console and the pipeline do without.
"""

from __future__ import annotations

import functools
import gc
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

# What is made while a function starts lives as long as it does; to look for garbage in it is a tenth of a cold start.
gc.disable()

from aws_lambda_powertools import Logger  # noqa: E402 - after the line above, since it is the first that is imported
from aws_lambda_powertools import Metrics as EmbeddedMetrics  # noqa: E402 - as above
from aws_lambda_powertools.metrics import MetricUnit  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.typing import LambdaContext

Answer = TypeVar("Answer")

Context: TypeAlias = "LambdaContext"
Handler: TypeAlias = "Callable[[dict[str, Any], Context], Answer]"


def collect_garbage() -> None:
    """Look for garbage in what is made from now on: after the first invocation, or before one that works long."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def logger() -> Logger:
    """The logger of a function; its time is RFC 3339, which Lambda's own filter by level asks for."""
    return Logger(use_rfc3339=True)


class Metrics(EmbeddedMetrics):
    """The counts of an invocation, in CloudWatch's embedded metric format: a line of the log is a metric."""

    def count(self, name: str, value: float) -> None:
        """Count something; several values of a name are several samples."""
        self.add_metric(name=name, unit=MetricUnit.Count, value=value)


def invocation(metrics: Metrics) -> Callable[[Handler[Answer]], Handler[Answer]]:
    """Let a handler's lines name the invocation, and write its counts at the end, whatever the end is."""

    def wrap(handler: Handler[Answer]) -> Handler[Answer]:
        told: Handler[Answer] = logger().inject_lambda_context(handler)

        @functools.wraps(handler)
        def wrapped(event: dict[str, Any], context: Context) -> Answer:
            try:
                return told(event, context)
            finally:
                if metrics.metric_set:
                    metrics.flush_metrics()
                collect_garbage()

        return wrapped

    return wrap
