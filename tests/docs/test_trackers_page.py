"""docs/how-to/connect-a-tracker.md says all of the sinks that are reached by HTTPS, and its receiver verifies them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from docs.pages import ROOT
from fakes.trackers.desk import SYSTEMS, secret_of
from warden.core.http_sinks import HTTP_SINKS
from warden.gateways.sinks.webhook import signature

if TYPE_CHECKING:
    from warden.core.sink_types import SinkType

PAGE = (ROOT / "docs/how-to/connect-a-tracker.md").read_text(encoding="utf-8")


def section(kind: SinkType) -> str:
    """The section in which the sink's type is given."""
    name = "jira" if kind.name == "jira-data-center" else kind.name
    [found] = [part for part in PAGE.split("\n## ") if f'type = "{name}"\n' in part]
    return found


@pytest.mark.parametrize("kind", HTTP_SINKS, ids=lambda kind: kind.name)
def test_each_option_of_each_sink_is_told(kind: SinkType) -> None:
    assert f'type = "{kind.name}"' in PAGE
    for option in kind.options:
        told = section(kind)
        assert f"`{option.name}`" in told or f"\n{option.name} = " in told, option.name


@pytest.mark.parametrize("kind", HTTP_SINKS, ids=lambda kind: kind.name)
def test_each_secret_is_told_as_the_sink_reads_it(kind: SinkType) -> None:
    for key in secret_of(kind.name, SYSTEMS[kind.name]()):
        assert f'"{key}": "' in PAGE


def test_the_words_for_not_fixing_are_those_of_the_code() -> None:
    for kind in HTTP_SINKS:
        for option in kind.options:
            if option.name == "wont_fix":
                assert all(f'"{word}"' in section(kind) for word in option.default)


def test_the_receiver_of_the_page_takes_what_is_genuine_and_nothing_else() -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - the page's own lines are what is tested
    now = int(datetime.now(UTC).timestamp())
    body = b'{"type": "ping"}'

    def headers(timestamp: int, key: str = "key") -> dict[str, str]:
        return {"Warden-Timestamp": str(timestamp), "Warden-Signature": signature(key, str(timestamp), body)}

    genuine = names["is_genuine"]
    assert genuine("key", headers(now), body)
    assert not genuine("key", headers(now), body + b" ")
    assert not genuine("key", headers(now, "other"), body)
    assert not genuine("key", headers(now - 301), body)
    assert not genuine("key", {**headers(now), "Warden-Timestamp": str(now + 1)}, body)
