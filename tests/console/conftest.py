from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from console.local.aws import LocalAws
from console.local.clock import MovableClock

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(NOON)


@pytest.fixture
def local(clock: MovableClock) -> Iterator[LocalAws]:
    with LocalAws(clock=clock) as aws:
        yield aws


@pytest.fixture
def rds(local: LocalAws) -> Any:
    return local.client("rds")
