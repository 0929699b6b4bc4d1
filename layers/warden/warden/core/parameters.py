"""Database parameters: what counts as on, and how to write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass
from warden.core.guard import CustomGroup
from warden.core.kinds import Need

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Facts

_ON = frozenset({"1", "on", "true", "yes"})
_OFF = frozenset({"0", "off", "false", "no"})


def is_on(value: str | None) -> bool | None:
    """Whether a switch is on; None where the spelling is not known (engines write 1, ON, on, true)."""
    if value is None:
        return None
    word = value.strip().lower()
    if word in _ON:
        return True
    return False if word in _OFF else None


def on_spelling(allowed: str | None, default: str) -> str:
    """How this engine spells "on": a member of the parameter's AllowedValues, such as `1` of `0,1`."""
    if allowed:
        for word in allowed.split(","):
            if word.strip().lower() in _ON:
                return word.strip()
    return default


TLS_SWITCH: Mapping[str, str] = {
    "aurora-postgresql": "rds.force_ssl",
    "postgres": "rds.force_ssl",
    "aurora-mysql": "require_secure_transport",
    "mysql": "require_secure_transport",
}
"""The parameter that makes an engine refuse connections without TLS."""


def switch(parameter: Mapping[str, Any]) -> bool | None:
    """Whether a switch among DescribeDBClusterParameters' items is on; None where AWS does not say.

    AWS leaves ParameterValue out where nobody set one and the engine's own default holds. MySQL documents
    that default of `require_secure_transport` as OFF; of no other parameter is it assumed.
    """
    if "ParameterValue" in parameter:
        return is_on(parameter["ParameterValue"])
    is_default = parameter.get("Source") == "engine-default"
    return False if is_default and parameter["ParameterName"] == "require_secure_transport" else None


@dataclass(frozen=True, slots=True)
class TurnsOn:
    """For the write guard: a spelling of "on" and nothing else."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse "off", what nobody can read, and other types."""
        del facts
        if isinstance(value, str) and is_on(value):
            return None
        return f"{value!r} does not turn the parameter on"


@dataclass(frozen=True, slots=True)
class UnsharedClusterGroup:
    """For the write guard: the cluster's own custom parameter group, as long as no other cluster uses it."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse another group, a default one, and one whose other users a change would reach."""
        if why := CustomGroup("DBClusterParameterGroup").refusal(value, facts):
            return why
        others = set(facts[Need.PARAMETER_GROUP_USERS]) - {facts["DBClusterArn"]}
        return f"{value!r} is also used by {sorted(others)!r}" if others else None
