"""The parameters of parameter groups: what somebody set, over the defaults of the engine.

One call for each custom group, and one list of defaults for each family, which a function keeps while it lives.
A `default.` group cannot be modified, so nobody can have set anything there, and it is not read. What sweeps remember
of a custom group counts while the database at hand is in sync with it.
"""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING, Any

from warden.core import engines
from warden.core.dataclass import dataclass
from warden.core.errors import MissingFactError, RefusedError, UnsupportedError
from warden.core.kinds import Need
from warden.core.memory import Recalled
from warden.core.resource import Facts, ResourceType
from warden.core.tls import group_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warden.core.resource import Resource
    from warden.gateways.enrichments import Answer
    from warden.gateways.reads import Reads

DEFAULT_GROUP = "default."
_IN_SYNC = "in-sync"
_CLUSTER_STATUS, _INSTANCE_STATUS = "DBClusterParameterGroupStatus", "ParameterApplyStatus"


@dataclass(frozen=True, slots=True)
class _Level:
    """Parameter groups of clusters, or of instances."""

    parameters: str
    groups: str
    name: str
    defaults: str
    kind: ResourceType


_CLUSTER = _Level(
    parameters="DescribeDBClusterParameters",
    groups="DescribeDBClusterParameterGroups",
    name="DBClusterParameterGroupName",
    defaults="DescribeEngineDefaultClusterParameters",
    kind=ResourceType.DB_CLUSTER_PARAMETER_GROUP,
)
_INSTANCE = _Level(
    parameters="DescribeDBParameters",
    groups="DescribeDBParameterGroups",
    name="DBParameterGroupName",
    defaults="DescribeEngineDefaultParameters",
    kind=ResourceType.DB_PARAMETER_GROUP,
)


def _cluster_parameters(reads: Reads, resource: Resource) -> Facts | Recalled:
    facts = resource.facts
    statuses = [member.get(_CLUSTER_STATUS, "") for member in facts["DBClusterMembers"]]
    return _effective(reads, resource, _CLUSTER, str(facts["DBClusterParameterGroup"]), statuses)


def _instance_parameters(reads: Reads, resource: Resource) -> Facts | Recalled:
    """Of the instance's own group: an instance has one, but for those of RDS Custom, where AWS may name none."""
    group = group_of(resource.facts)
    statuses = [group.get(_INSTANCE_STATUS, "")]
    return _effective(reads, resource, _INSTANCE, str(group["DBParameterGroupName"]), statuses)


def _member_parameters(reads: Reads, resource: Resource) -> dict[str, Facts] | Recalled:
    """For each member by name, what somebody set in its instance's group: it wins over the cluster's.

    "the value in the DB parameter group ... overrides" when its source is `user` (Aurora User Guide, "Parameter
    groups for Amazon Aurora"); what nobody set there does not count.
    """
    found: dict[str, Facts] = {}
    recalled = False
    for member in resource.facts[Need.MEMBERS]:
        set_there: dict[str, Any] = {}
        for group in member.get("DBParameterGroups", []):
            name, status = str(group["DBParameterGroupName"]), group.get(_INSTANCE_STATUS, "")
            if not name.startswith(DEFAULT_GROUP):
                user = _set_by_users(reads, resource, _INSTANCE, name, [status])
                recalled = recalled or type(user) is Recalled
                set_there |= user.value if type(user) is Recalled else user
        found[str(member["DBInstanceIdentifier"])] = Facts(set_there, otherwise="nobody set it there")
    return Recalled(found) if recalled else found


def _effective(
    reads: Reads, resource: Resource, level: _Level, group: str, statuses: Sequence[str]
) -> Facts | Recalled:
    user: dict[str, Any] | Recalled = {}
    if not group.startswith(DEFAULT_GROUP):
        user = _set_by_users(reads, resource, level, group, statuses)
    if type(user) is Recalled:
        recalled, values = True, user.value
    else:
        recalled, values = False, user
    key = ("parameters", level.name, group, recalled)
    facts = reads.once(key, lambda: _over_defaults(reads, resource, level, group, values)).fresh()
    return Recalled(facts) if recalled else facts


def _over_defaults(
    reads: Reads, resource: Resource, level: _Level, group: str, user: dict[str, Any]
) -> Facts:
    try:
        family = _family(reads, resource, level, group)
        defaults = reads.api.engines.defaults(level.defaults, family)
    except UnsupportedError as error:
        # No AWS endpoint: a local emulator. What the documentation gives as off may be taken as off; what it
        # gives as on is left unknown, since a pass must be read and not assumed.
        engine, version = str(resource.facts["Engine"]), str(resource.facts["EngineVersion"])
        return Facts({**engines.documented_off(engine, version), **user}, otherwise=str(error))
    # A thousand groups of a family share its defaults.
    return Facts(ChainMap(user, defaults), otherwise=f"the parameter group family {family} does not hold it")


def _set_by_users(
    reads: Reads, resource: Resource, level: _Level, group: str, statuses: Sequence[str]
) -> dict[str, dict[str, Any]] | Recalled:
    """The parameters of a group that somebody set, by name.

    A status other than `in-sync` tells of a change, which may be one of which no event came.
    """
    key = ("set by users", level.name, group)
    if not reads.remembers:
        return reads.once(key, lambda: _read_set_by_users(reads, level, group))
    arn, seen = resource.ref.beside(level.kind, group).arn, _family_of_group(reads, level, group)
    if all(status == _IN_SYNC for status in statuses) and not reads.has(key):
        recalled = reads.recalled(arn, seen=seen)
        if recalled is not None:
            return recalled
    return reads.once(
        key, lambda: reads.learned(arn, lambda: _read_set_by_users(reads, level, group), seen=seen)
    )


def _read_set_by_users(reads: Reads, level: _Level, group: str) -> dict[str, dict[str, Any]]:
    return {
        item["ParameterName"]: item
        for item in reads.api.every(level.parameters, **{level.name: group}, Source="user")
    }


def _family(reads: Reads, resource: Resource, level: _Level, group: str) -> str:
    """The family of a group that a database uses.

    "can be applied only to a DB cluster running a database engine and engine version compatible with that DB cluster
    parameter group family" (CreateDBClusterParameterGroup; the other operation says the same of instances): it is the
    version's, and that is known as a rule. Else the group itself is asked for.
    """
    if group.startswith(DEFAULT_GROUP):
        return group.removeprefix(DEFAULT_GROUP)
    return _family_of_version(reads, resource) or _family_of_group(reads, level, group)


def _family_of_group(reads: Reads, level: _Level, group: str) -> str:
    if reads.bulk and (listed := reads.by(level.groups, level.name).get(group)):
        return str(listed[0]["DBParameterGroupFamily"])
    for item in reads.api.every(level.groups, **{level.name: group}):
        return str(item["DBParameterGroupFamily"])
    raise MissingFactError(group, "AWS lists no parameter group of that name")


def _family_of_version(reads: Reads, resource: Resource) -> str:
    """Empty where AWS does not say, or says several."""
    engine, version = str(resource.facts["Engine"]), str(resource.facts["EngineVersion"])
    try:
        found = reads.api.engines.versions(engine, version)
    except UnsupportedError:
        raise
    except RefusedError:
        return ""
    families = {str(one.get("DBParameterGroupFamily", "")) for one in found}
    return families.pop() if len(families) == 1 else ""


ANSWERS: Mapping[Need, Answer] = {
    Need.PARAMETERS: _cluster_parameters,
    Need.INSTANCE_PARAMETERS: _instance_parameters,
    Need.MEMBER_PARAMETERS: _member_parameters,
}
