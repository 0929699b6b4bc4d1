"""Random histories over the local AWS; WARDEN_SEED replays one, WARDEN_RUNS says how many are made."""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import pytest
from moto.moto_api._internal import mock_random

from simulation.weather import DRIFTS, Weather
from stack.deployed import policy_text

if TYPE_CHECKING:
    from stack.conftest import Deploy

POLICY = policy_text(only=tuple(DRIFTS))
RUNS = int(os.environ.get("WARDEN_RUNS", "30"))
FIRST = int(os.environ.get("WARDEN_SEED", "1"))
SURVIVED: Counter[str] = Counter()


def survive(deploy: Deploy, seed: int) -> None:
    # The jitter of the functions and the names that the local AWS gives: else a seed would not replay its failure.
    random.seed(seed)
    mock_random.seed(seed)
    stack = deploy(policy=POLICY)
    stack.may_fail = True
    weather = Weather(stack, Random(seed))  # noqa: S311 - a history, not a secret
    try:
        weather.run()
    except BaseException:
        tell(f"WARDEN_SEED={seed} WARDEN_RUNS=1 replays this:", *weather.happened)
        raise
    SURVIVED.update(runs=1, calls=weather.injector.calls, writes=weather.watch.writes)
    SURVIVED.update(events=weather.events.total(), faults=weather.injector.injected.total())
    so_far = ", ".join(f"{count} {what}" for what, count in SURVIVED.items())
    tell(f"seed {seed}: {weather}", f"survived so far: {so_far}")


def tell(*lines: str) -> None:
    """For `make simulate`, which captures nothing, and for the report of a failure."""
    sys.stdout.write("\n" + "\n".join(lines) + "\n")


@pytest.mark.slow
@pytest.mark.usefixtures("fresh_clients")
@pytest.mark.filterwarnings("ignore:No application metrics to publish")
@pytest.mark.parametrize("seed", range(FIRST, FIRST + RUNS))
def test_whatever_the_weather_nothing_is_lost_and_nothing_is_written_twice(deploy: Deploy, seed: int) -> None:
    survive(deploy, seed)


@pytest.mark.usefixtures("fresh_clients")
@pytest.mark.filterwarnings("ignore:No application metrics to publish")
@pytest.mark.parametrize("seed", [1001])
def test_one_such_history_in_every_run_of_the_tests(deploy: Deploy, seed: int) -> None:
    survive(deploy, seed)
