"""What functions write: a JSON line for each log, and one for the counts of an invocation."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from warden import telemetry


@dataclass(frozen=True)
class Invocation:
    function_name: str = "warden-evaluate"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:warden-evaluate"
    aws_request_id: str = "7f1c"

    def get_remaining_time_in_millis(self) -> int:
        return 1000


@pytest.fixture(autouse=True)
def _deployed(monkeypatch):
    # A logger writes to the standard output that it finds when it is made.
    logging.root.manager.loggerDict.pop("warden-evaluate", None)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "warden-evaluate")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "AuroraWarden")


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def invoked(handler):
    metrics = telemetry.Metrics()
    wrapped = telemetry.invocation(metrics)(lambda event, _: handler(event, telemetry.logger(), metrics))
    return lambda event=None: wrapped(event or {}, Invocation())


def test_a_line_says_what_happened_in_which_invocation(capsys):
    call = invoked(lambda event, logger, metrics: logger.info("evaluated", extra={"arn": event["arn"]}))
    call({"arn": "arn:one"})
    call({"arn": "arn:two"})

    first, second = lines(capsys)
    assert (
        first.items()
        >= {
            "level": "INFO",
            "message": "evaluated",
            "arn": "arn:one",
            "service": "warden-evaluate",
            "function_request_id": "7f1c",
        }.items()
    )
    assert second["arn"] == "arn:two"


def test_the_time_is_one_that_lambda_can_read(capsys):
    invoked(lambda _event, logger, _metrics: logger.info("evaluated"))()

    # RFC 3339, for Lambda's filter by level.
    assert datetime.fromisoformat(lines(capsys)[0]["timestamp"]).utcoffset() == timedelta(0)


def test_an_error_comes_with_its_traceback(capsys):
    def handler(_event, logger, _metrics):
        try:
            {}["missing"]
        except KeyError as error:
            logger.warning("retry", exc_info=error)

    invoked(handler)()

    [line] = lines(capsys)
    assert (line["level"], line["exception_name"]) == ("WARNING", "KeyError")
    assert "Traceback" in line["exception"]


def test_what_is_no_json_is_written_as_text(capsys):
    invoked(lambda _event, logger, _metrics: logger.info("odd", extra={"what": {1, 2}}))()

    assert lines(capsys)[0]["what"] == "{1, 2}"


def test_counts_are_written_once_for_each_invocation_even_if_it_fails(capsys):
    def handler(event, _logger, metrics):
        metrics.count("Visits", 2)
        metrics.count("Visits", 3)
        if event.get("fails"):
            raise ValueError("broken")

    call = invoked(handler)
    call()
    with pytest.raises(ValueError, match="broken"):
        call({"fails": True})

    for line in lines(capsys):
        [about] = line["_aws"]["CloudWatchMetrics"]
        assert about == {
            "Namespace": "AuroraWarden",
            "Dimensions": [["service"]],
            "Metrics": [{"Name": "Visits", "Unit": "Count"}],
        }
        assert (line["Visits"], line["service"]) == ([2, 3], "warden-evaluate")


def test_an_invocation_that_counted_nothing_writes_no_counts(capsys):
    invoked(lambda *_: None)()

    assert lines(capsys) == []
