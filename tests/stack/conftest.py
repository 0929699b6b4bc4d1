from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from fakes.trackers import desk
from stack import clients
from stack.deployed import Deployed, policy_text
from stack.waiting import waits_take_no_time

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.trackers import Server

Deploy = Callable[..., Deployed]


@pytest.fixture(scope="module", autouse=True)
def _clients_are_made_once() -> Iterator[None]:
    with clients.made_once():
        yield


@pytest.fixture
def fresh_clients() -> Iterator[None]:
    """Clients of a test's own: botocore remembers that it was throttled, and slows down."""
    clients.forget()
    yield
    clients.forget()


@pytest.fixture
def deploy(tmp_path: Path) -> Iterator[Deploy]:
    """Deploys once; what always holds is checked at the end."""
    with contextlib.ExitStack() as stack:
        deployed: list[Deployed] = []

        def make(*, policy: str = policy_text(), **options: Any) -> Deployed:
            file = tmp_path / "policy.toml"
            file.write_text(policy, encoding="utf-8")
            deployed.append(stack.enter_context(Deployed(policy=file, **options)))
            stack.enter_context(waits_take_no_time(deployed[-1].clock))
            return deployed[-1]

        yield make
        for one in deployed:
            one.check()


@pytest.fixture
def stack(deploy: Deploy) -> Deployed:
    """A deployment that remediates everything that it can."""
    return deploy()


@pytest.fixture(scope="session")
def trackers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server that is every ticket system in turn."""
    server = desk.start(tmp_path_factory.mktemp("trackers"))
    yield server
    server.close()
