"""TLS of stand-alone instances: the parameter that demands it, and the group that it may be turned on in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines, parameters
from warden.core.dataclass import dataclass
from warden.core.errors import MissingFactError
from warden.core.kinds import Need
from warden.core.resource import Facts

if TYPE_CHECKING:
    from collections.abc import Mapping

INSTANCE_SWITCH: Mapping[str, str] = {
    "mariadb": "require_secure_transport",
    "mysql": "require_secure_transport",
    "postgres": "rds.force_ssl",
    "sqlserver": "rds.force_ssl",
}
"""The parameter that makes an instance refuse connections without TLS, for each family of engines that has one."""

# RDS User Guide, "SSL/TLS support for MariaDB DB instances on Amazon RDS".
MARIADB_SWITCH_SINCE = (10, 5)
_MARIADB_ON_SINCE = (11, 8)


def demanded(engine: str, version: str, parameter: Mapping[str, Any]) -> bool | None:
    """Whether the parameter demands TLS; None where AWS does not say.

    Where AWS leaves the value of `require_secure_transport` out, it is off, but for MariaDB since 11.8, whose
    default is on: a pass must be read, and so that is no answer.
    """
    if engine == "mariadb" and "ParameterValue" not in parameter:
        number = engines.version(version)
        if not number or number >= _MARIADB_ON_SINCE:
            return None
    return parameters.switch(parameter)


def group_of(facts: Mapping[str, Any]) -> Facts:
    """The instance's own parameter group, with its status: an instance has one."""
    groups = facts["DBParameterGroups"]
    if not groups:
        raise MissingFactError("DBParameterGroups", "AWS names no parameter group")
    return Facts(groups[0])


@dataclass(frozen=True, slots=True)
class UnsharedInstanceGroup:
    """For the write guard: the instance's own custom parameter group, as long as no other instance uses it."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse another group, a default one, and one whose other users a change would reach."""
        own = group_of(facts)["DBParameterGroupName"]
        if not isinstance(value, str) or value.startswith("default."):
            return f"{value!r} is no custom parameter group"
        if value != own:
            return f"{value!r} is not the resource's own {own!r}"
        others = set(facts[Need.INSTANCE_GROUP_USERS]) - {facts["DBInstanceArn"]}
        return f"{value!r} is also used by {sorted(others)!r}" if others else None
