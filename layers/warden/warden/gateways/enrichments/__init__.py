"""The reads beyond a Describe item that a control may ask for: each theme's module answers some needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from warden.core.resource import Resource
from warden.gateways.enrichments import (
    alarms,
    backups,
    deletions,
    detection,
    identity,
    keys,
    lifecycle,
    network,
    parameters,
    procedures,
    rds,
    secrets_manager,
    successors,
    tls,
)
from warden.gateways.reads import Reads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.kinds import Need

Answer: TypeAlias = Callable[[Reads, Resource], Any]
"""Raises the errors of `core.errors`; MissingFactError or KeyError where the answer lacks something."""

ANSWERS: Mapping[Need, Answer] = {
    **rds.ANSWERS,
    **parameters.ANSWERS,
    **tls.ANSWERS,
    **keys.ANSWERS,
    **secrets_manager.ANSWERS,
    **network.ANSWERS,
    **identity.ANSWERS,
    **detection.ANSWERS,
    **alarms.ANSWERS,
    **lifecycle.ANSWERS,
    **backups.ANSWERS,
    **deletions.ANSWERS,
    **procedures.ANSWERS,
    **successors.ANSWERS,
}
