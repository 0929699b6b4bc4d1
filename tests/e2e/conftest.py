from __future__ import annotations

import logging
import os

import pytest

from e2e import rie

# The local AWS logs a line for every request, which would bury what the functions say.
logging.getLogger("werkzeug").setLevel(logging.WARNING)


@pytest.fixture(scope="session")
def emulation() -> None:
    """What a test needs that emulates a function; under `make e2e` its absence is a failure, elsewhere a skip."""
    if reason := rie.why_not():
        unavailable(reason)


def unavailable(reason: str) -> None:
    if os.environ.get("E2E_REQUIRED") and "Linux alone" not in reason:
        pytest.fail(reason)
    pytest.skip(reason)
