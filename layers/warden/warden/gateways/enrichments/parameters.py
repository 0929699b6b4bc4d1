"""The parameters of parameter groups: what somebody set, over the defaults of the engine.

One call for each custom group, and one list of defaults for each family, which a function keeps while it lives.
A `default.` group cannot be modified, so nobody can have set anything there, and it is not read.
"""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING, Any

from warden.core import engines
from warden.core.dataclass import dataclass
from warden.core.errors import UnsupportedError
from warden.core.kinds import Need
from warden.core.resource import Facts
from warden.core.tls import group_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource
    from warden.gateways.enrichments import Answer
    from warden.gateways.reads import Reads

DEFAULT_GROUP = "default."


@dataclass(frozen=True, slots=True)
class _Level:
    """Parameter groups of clusters, or of instances."""

    parameters: str
    groups: str
    name: str
    defaults: str


_CLUSTER = _Level(
    parameters="DescribeDBClusterParameters",
    groups="DescribeDBClusterParameterGroups",
    name="DBClusterParameterGroupName",
    defaults="DescribeEngineDefaultClusterParameters",
)
_INSTANCE = _Level(
    parameters="DescribeDBParameters",
    groups="DescribeDBParameterGroups",
    name="DBParameterGroupName",
    defaults="DescribeEngineDefaultParameters",
)


def _cluster_parameters(reads: Reads, resource: Resource) -> Facts:
    return _effective(reads, resource, _CLUSTER, str(resource.facts["DBClusterParameterGroup"]))


def _instance_parameters(reads: Reads, resource: Resource) -> Facts:
    """Of the instance's own group: an instance has one, but for those of RDS Custom, where AWS may name none."""
    return _effective(reads, resource, _INSTANCE, str(group_of(resource.facts)["DBParameterGroupName"]))


def _member_parameters(reads: Reads, resource: Resource) -> dict[str, Facts]:
    """For each member by name, what somebody set in its instance's group: it wins over the cluster's.

    "the value in the DB parameter group ... overrides" when its source is `user` (Aurora User Guide, "Parameter
    groups for Amazon Aurora"); what nobody set there does not count.
    """
    found: dict[str, Facts] = {}
    for member in resource.facts[Need.MEMBERS]:
        groups = [str(group["DBParameterGroupName"]) for group in member.get("DBParameterGroups", [])]
        set_there: dict[str, Any] = {}
        for group in groups:
            if not group.startswith(DEFAULT_GROUP):
                set_there |= _set_by_users(reads, _INSTANCE, group)
        found[str(member["DBInstanceIdentifier"])] = Facts(set_there, otherwise="nobody set it there")
    return found


def _effective(reads: Reads, resource: Resource, level: _Level, group: str) -> Facts:
    return reads.once(("parameters", level.name, group), lambda: _read(reads, resource, level, group)).fresh()


def _read(reads: Reads, resource: Resource, level: _Level, group: str) -> Facts:
    user = {} if group.startswith(DEFAULT_GROUP) else _set_by_users(reads, level, group)
    try:
        family = _family(reads, level, group)
        defaults = reads.api.engines.defaults(level.defaults, family)
    except UnsupportedError as error:
        # No AWS endpoint: a local emulator. What the documentation gives as off may be taken as off; what it
        # gives as on is left unknown, since a pass must be read and not assumed.
        engine, version = str(resource.facts["Engine"]), str(resource.facts["EngineVersion"])
        return Facts({**engines.documented_off(engine, version), **user}, otherwise=str(error))
    # A thousand groups of a family share its defaults.
    return Facts(ChainMap(user, defaults), otherwise=f"the parameter group family {family} does not hold it")


def _set_by_users(reads: Reads, level: _Level, group: str) -> dict[str, dict[str, Any]]:
    """The parameters of a group that somebody set, by name."""
    return reads.once(
        ("set by users", level.name, group),
        lambda: {
            item["ParameterName"]: item
            for item in reads.api.every(level.parameters, **{level.name: group}, Source="user")
        },
    )


def _family(reads: Reads, level: _Level, group: str) -> str:
    if group.startswith(DEFAULT_GROUP):
        return group.removeprefix(DEFAULT_GROUP)
    if reads.bulk and (listed := reads.by(level.groups, level.name).get(group)):
        return str(listed[0]["DBParameterGroupFamily"])
    return str(reads.api.every(level.groups, **{level.name: group})[0]["DBParameterGroupFamily"])


ANSWERS: Mapping[Need, Answer] = {
    Need.PARAMETERS: _cluster_parameters,
    Need.INSTANCE_PARAMETERS: _instance_parameters,
    Need.MEMBER_PARAMETERS: _member_parameters,
}
