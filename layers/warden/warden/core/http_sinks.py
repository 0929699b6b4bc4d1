"""The sinks that are reached by HTTPS, as the policy file declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warden.core.sink_types import SinkType

HTTP_SINKS: tuple[SinkType, ...] = ()
