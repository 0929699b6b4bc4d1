"""The reads beyond a Describe item that a control may ask for: each theme's module answers some needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from warden.core.kinds import Need
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

Answer: TypeAlias = Callable[[Reads, Resource], Any]
"""Raises the errors of `core.errors`; MissingFactError or KeyError where the answer lacks something."""

BUILDS_ON_OTHERS = frozenset(
    {
        Need.CLASS_SUPPORT,
        Need.MEMBER_PARAMETERS,
        Need.PREFIX_LISTS,
        Need.SIBLING_RULES,
        Need.GUARDDUTY_ADMINISTRATOR,
    }
)
"""Needs whose answers read those of others, which have to be there before; the others are read at the same time."""

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
