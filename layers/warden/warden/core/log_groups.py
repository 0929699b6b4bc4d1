"""Log groups that RDS writes database logs to: whose log one holds, and what every control of them needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from warden.core.resource import Resource

PREFIXES = {
    "/aws/rds/cluster/": ResourceType.DB_CLUSTER,
    "/aws/rds/instance/": ResourceType.DB_INSTANCE,
}
"""How the names of such groups begin (Aurora and RDS User Guides, "Publishing database logs to Amazon CloudWatch
Logs"): then come the database and the log type."""

_REST = re.compile(r"([^/]+)/([^/]+)")


class Source(NamedTuple):
    """Which log of which database a group holds."""

    resource_type: ResourceType
    database: str
    log_type: str


def source(name: str) -> Source | None:
    """Whose log a group holds, by its name; None where it is none of RDS's."""
    for prefix, resource_type in PREFIXES.items():
        match = _REST.fullmatch(name.removeprefix(prefix)) if name.startswith(prefix) else None
        if match is not None:
            return Source(resource_type, match[1], match[2])
    return None


def is_fed(resource: Resource) -> bool:
    """Whether the database exports this log now; what was exported once stays in its group."""
    found = source(resource.facts["logGroupName"])
    exported = resource.facts[Need.LOG_DATABASE]["EnabledCloudwatchLogsExports"]
    return found is not None and found.log_type in exported
