"""Clients that are made once: making one takes longer than all that a test asks of it; so it is in Lambda, too."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from warden.gateways.clients import Clients

if TYPE_CHECKING:
    from collections.abc import Iterator

_MADE: dict[tuple[str, str], Any] = {}


@contextlib.contextmanager
def made_once() -> Iterator[None]:
    """For as long as this lasts: elsewhere in the process, clients are of another world."""
    with pytest.MonkeyPatch.context() as patch:
        make = Clients._make

        def once(self: Clients, service: str, region: str) -> Any:
            if self._on_call is not None:
                return make(self, service, region)
            if (service, region) not in _MADE:
                _MADE[service, region] = make(self, service, region)
            return _MADE[service, region]

        patch.setattr(Clients, "_make", once)
        yield


def forget() -> None:
    """Make them anew when they are next asked for."""
    _MADE.clear()
