from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from console import deployed
from console.local.aws import LocalAws
from console.local.clock import MovableClock
from fakes.trackers import desk
from scanning.books import Books
from scanning.runs import CREDENTIALS, REGION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fakes.trackers import Server

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


@pytest.fixture
def stack(person: None) -> Iterator[Books]:
    """The tables of a deployment, empty."""
    with LocalAws(region=REGION) as aws:
        yield Books.make(aws)


@pytest.fixture
def at_hand(stack: Books, monkeypatch: pytest.MonkeyPatch) -> Books:
    """The same, found without asking CloudFormation each time, which takes longer than all else."""
    monkeypatch.setattr(deployed, "find", stack.found)
    return stack


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Somebody with a laptop: nothing of this machine's own configuration is seen."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.fixture(scope="session")
def trackers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server that is every ticket system in turn."""
    server = desk.start(tmp_path_factory.mktemp("trackers"))
    yield server
    server.close()
