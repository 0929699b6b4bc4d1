"""A parameter group of its own for a database that uses a default one, or shares one: make, set, attach.

A default group can be neither modified nor copied; a change in a shared one would reach its other users. Each
visit makes the next call: create a group of the family, or copy the shared one; set the wanted parameters in
it, as long as nobody uses it; attach it. What is set has effect with a reboot, which is asked for by itself.
The group stays, and is never deleted: it is the database's from then on.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from warden.core import procedure, quotas
from warden.core.dataclass import dataclass
from warden.core.guard import Permit, SameAs
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan, Wait
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.guard import Accepts
    from warden.core.resource import Facts, Resource

DESCRIPTION = "Made by Aurora Warden"
"""The beginning of the description of such a group; the random word of its record is the end."""
NEEDS = (Need.OWN_GROUP, Need.QUOTAS)
PENDING = "pending-reboot"
# Parameters that controls set: where several want a group of their own, it is one.
_OF_CONTROLS = frozenset(
    {
        "rds.force_ssl",
        "require_secure_transport",
        "log_connections",
        "log_disconnections",
        "shared_preload_libraries",
        "pgaudit.log",
        "server_audit_logging",
        "server_audit_events",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Groups of clusters, or of instances, in the words of the API."""

    create: str
    copy: str
    modify: str
    attach: str
    parameter: str
    prefix: str
    """What the parameters of the copying operation begin with, after Source and Target."""
    identifier: str
    resource_id: str
    arn: str
    parameters: Need
    quota: str

    def name(self, facts: Mapping[str, Any]) -> str:
        """The name of the group: the same at every visit, another for every database.

        "Must be 1 to 255 letters, numbers, or hyphens" (CreateDBClusterParameterGroup, CreateDBParameterGroup).
        """
        digest = hashlib.sha256(str(facts[self.resource_id]).encode()).hexdigest()[:8]
        return f"{procedure.PREFIX}{facts[self.identifier]}-{digest}"

    def current(self, facts: Mapping[str, Any]) -> str:
        """The name of the group that it uses."""
        if self.parameter == "DBParameterGroupName":
            return str(facts["DBParameterGroups"][0]["DBParameterGroupName"])
        return str(facts["DBClusterParameterGroup"])


LEVELS: Mapping[ResourceType, Level] = {
    ResourceType.DB_CLUSTER: Level(
        create="CreateDBClusterParameterGroup",
        copy="CopyDBClusterParameterGroup",
        modify="ModifyDBClusterParameterGroup",
        attach="ModifyDBCluster",
        parameter="DBClusterParameterGroupName",
        prefix="DBClusterParameterGroup",
        identifier="DBClusterIdentifier",
        resource_id="DbClusterResourceId",
        arn="DBClusterArn",
        parameters=Need.PARAMETERS,
        quota="DBClusterParameterGroups",
    ),
    ResourceType.DB_INSTANCE: Level(
        create="CreateDBParameterGroup",
        copy="CopyDBParameterGroup",
        modify="ModifyDBParameterGroup",
        attach="ModifyDBInstance",
        parameter="DBParameterGroupName",
        prefix="DBParameterGroup",
        identifier="DBInstanceIdentifier",
        resource_id="DbiResourceId",
        arn="DBInstanceArn",
        parameters=Need.INSTANCE_PARAMETERS,
        quota="DBParameterGroups",
    ),
}


def move(resource: Resource, values: Mapping[str, str], *, cost: str = "") -> Plan | Manual | Wait:
    """The next call on the way to a group of its own, with these values; or why a person has to look."""
    level, facts = LEVELS[resource.ref.resource_type], resource.facts
    own = facts[Need.OWN_GROUP]
    name = level.name(facts)
    pledge = (_make(level, facts), _set(level, name, values), _attach(level, facts))
    record = own["Record"]
    if own["Description"] is None:
        if waits := procedure.unseen(record, resource.observed_at):
            return waits
        return quotas.lacking(resource, level.quota) or _disrupting(
            procedure.first(pledge[0], pledge, record, cost=cost)
        )
    if why := _objection(level, facts, values):
        return Manual(
            f"There is a parameter group {name}, and {why}. Warden leaves it alone: delete it, and Warden makes one."
        )
    missing = {key: value for key, value in values.items() if own["Values"].get(key) != value}
    following = _set(level, name, missing) if missing else pledge[2]
    return _disrupting(procedure.go_on(following, pledge, cost=cost))


def _disrupting(plan: Plan) -> Plan:
    """Any reboot from then on applies the group; so that it is asked for as what can disturb clients."""
    return replace(plan, disrupts=True)


def _objection(level: Level, facts: Facts, values: Mapping[str, str]) -> str:
    """Why the group is not surely what Warden made, with nothing else in it."""
    own = facts[Need.OWN_GROUP]
    record = own["Record"]
    if record is None or own["Description"] != f"{DESCRIPTION} {record.nonce}":
        return "Warden has no record of having made it"
    if own["Users"]:
        return f"{', '.join(own['Users'])} uses it"
    copied = {
        key: str(item["ParameterValue"])
        for key, item in facts[level.parameters].items()
        if item.get("Source") == "user" and "ParameterValue" in item
    }
    known = {*values, *_OF_CONTROLS}
    names = {*own["Values"], *copied} - known
    foreign = sorted(name for name in names if own["Values"].get(name) != copied.get(name))
    return f"{', '.join(foreign)} differs from {level.current(facts)}" if foreign else ""


def _make(level: Level, facts: Facts) -> Call:
    current = level.current(facts)
    if current.startswith("default."):
        return Call(
            level.create,
            {
                level.parameter: level.name(facts),
                "DBParameterGroupFamily": current.removeprefix("default."),
                "Description": DESCRIPTION,
            },
        )
    return Call(
        level.copy,
        {
            f"Source{level.prefix}Identifier": current,
            f"Target{level.prefix}Identifier": level.name(facts),
            f"Target{level.prefix}Description": DESCRIPTION,
        },
    )


def _set(level: Level, name: str, values: Mapping[str, str]) -> Call:
    return Call(
        level.modify,
        {
            level.parameter: name,
            "Parameters": [
                {"ParameterName": key, "ParameterValue": value, "ApplyMethod": PENDING}
                for key, value in values.items()
            ],
        },
    )


def _attach(level: Level, facts: Facts) -> Call:
    """Without ApplyImmediately: "The DB parameter group name itself is changed immediately" (ModifyDBInstance)."""
    return Call(level.attach, {level.identifier: facts[level.identifier], level.parameter: level.name(facts)})


# --- for the write guard ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OwnName:
    """For the write guard: the one name that Warden gives to a group of this database's own."""

    resource_type: ResourceType

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse any other name."""
        wanted = LEVELS[self.resource_type].name(facts)
        return None if value == wanted else f"{value!r} is not {wanted!r}, the name of its own group"


@dataclass(frozen=True, slots=True)
class CurrentGroup:
    """For the write guard: the custom group that the database uses, or the family of its default one."""

    resource_type: ResourceType
    family: bool = False

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse another group, and another family."""
        current = LEVELS[self.resource_type].current(facts)
        is_default = current.startswith("default.")
        wanted = current.removeprefix("default.") if self.family else current
        if is_default is not self.family:
            return f"{current!r} is {'' if is_default else 'no '}default group"
        return None if value == wanted else f"{value!r} is not {wanted!r}"


@dataclass(frozen=True, slots=True)
class OwnDescription:
    """For the write guard: the description that says who made it, with or without the word of the record."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse any other text."""
        del facts
        words = str(value).removeprefix(DESCRIPTION).split()
        if str(value).startswith(DESCRIPTION) and len(words) <= 1 and all(word.isalnum() for word in words):
            return None
        return f"{value!r} does not say that Warden made it"


def permits(resource_type: ResourceType, parameters: Accepts) -> tuple[Permit, ...]:
    """To make, set and attach the database's own group; `parameters` says what may be set in it."""
    level, name = LEVELS[resource_type], OwnName(resource_type)
    return (
        Permit(
            operation=level.create,
            required={
                level.parameter: name,
                "DBParameterGroupFamily": CurrentGroup(resource_type, family=True),
                "Description": OwnDescription(),
            },
        ),
        Permit(
            operation=level.copy,
            required={
                f"Source{level.prefix}Identifier": CurrentGroup(resource_type),
                f"Target{level.prefix}Identifier": name,
                f"Target{level.prefix}Description": OwnDescription(),
            },
        ),
        Permit(operation=level.modify, required={level.parameter: name, "Parameters": parameters}),
        Permit(
            operation=level.attach,
            required={level.identifier: SameAs(level.identifier), level.parameter: name},
        ),
    )
