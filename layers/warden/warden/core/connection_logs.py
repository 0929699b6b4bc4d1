"""Who connected to PostgreSQL, and when: whether its log says so, for clusters and instances alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines, parameters
from warden.core import group_changes as changes
from warden.core.control import Setting, Verdict, compliant, insufficient_data, non_compliant, not_applicable
from warden.core.plan import Manual, Plan, Wait

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warden.core.guard import Permit
    from warden.core.resource import Facts, Resource, ResourceType

CONNECTS, DISCONNECTS, STATEMENTS = "log_connections", "log_disconnections", "log_statement"
NAMES = (CONNECTS, DISCONNECTS, STATEMENTS)
# PostgreSQL documentation, "Error Reporting and Logging": off, off and none unless somebody sets them.
_DOCUMENTED = {CONNECTS: "off", DISCONNECTS: "off", STATEMENTS: "none"}
# PostgreSQL 18 takes a list of aspects for log_connections, of which these tell who it was.
_ASPECTS = frozenset({"receipt", "authentication", "authorization", "setup_durations", "all"})
_TELLING = frozenset({"authentication", "authorization", "all"})

COST = (
    "Every connection writes a few lines; where the log is exported, CloudWatch Logs bills them: in us-east-1, "
    "0.50 USD for each GB that comes in and 0.03 USD for each GB that is kept for a month."
)

STATEMENT_LEVELS = Setting(
    name="statements",
    default=["none", "ddl", "mod"],
    doc="The values that log_statement may have. `all` writes every statement to the log, with the passwords and the "
    "personal data in it.",
    choices=("none", "ddl", "mod", "all"),
)


def other_engine(resource: Resource) -> Verdict | None:
    """Why a database is none of PostgreSQL; None where it is one."""
    engine = resource.facts["Engine"]
    if engine in engines.POSTGRES:
        return None
    return not_applicable(
        f"{resource.ref.id} runs {engine}: log_connections and log_disconnections are PostgreSQL's."
    )


def values_of(items: Mapping[str, Any], names: Sequence[str] = NAMES) -> dict[str, str | None]:
    """The values of these parameters; None where AWS does not say."""
    return {name: changes.value_of(items[name], _DOCUMENTED[name]) for name in names}


def own_values(found: Facts, values: Mapping[str, str | None]) -> dict[str, str | None]:
    """The values on a member: those of its own group over those of its cluster's."""
    return {**values, **values_of(found, tuple(found))}


def unknown(values: Mapping[str, str | None]) -> list[str]:
    """The parameters whose value AWS does not tell, or tells in words that nobody knows."""
    return [
        name
        for name, value in values.items()
        if value is None or (name != STATEMENTS and is_logged(value) is None)
    ]


def faults(values: Mapping[str, str | None], settings: Mapping[str, Any]) -> list[str]:
    """What is wrong with the values, each as a clause."""
    found = [
        f"{name} is {values[name]}" for name in (CONNECTS, DISCONNECTS) if not is_logged(values[name] or "")
    ]
    if values[STATEMENTS] not in settings["statements"]:
        found.append(f"{STATEMENTS} is {values[STATEMENTS]}")
    return found


def judge(resource: Resource, settings: Mapping[str, Any], overridden: Mapping[str, Facts]) -> Verdict:
    """Whether connections and their ends are logged everywhere; who has overriding values is given."""
    values = values_of(changes.items(resource))
    everywhere = {"": values, **{member: own_values(found, values) for member, found in overridden.items()}}
    for member, own in everywhere.items():
        if absent := unknown(own):
            where = f"on {member}, " if member else ""
            return insufficient_data(
                f"{resource.ref.id}: {where}AWS does not say, as far as Warden can read it, what {absent[0]} is."
            )
    group, shared = changes.group(resource), faults(values, settings)
    wrong = [f"in {group}, {fault}" for fault in shared]
    wrong += [
        f"on {member} by its own group, {fault}"
        for member, own in everywhere.items()
        for fault in faults(own, settings)
        if member and fault not in shared
    ]
    if wrong:
        return non_compliant(f"{resource.ref.id} does not log connections as it should: {'; '.join(wrong)}.")
    if waiting := changes.not_in_sync(resource):
        # A group that was just attached has no effect before a reboot; of one that had effect before, what waits may
        # be another parameter.
        return insufficient_data(
            f"{resource.ref.id} should log connections by {group}, which is not in sync on {', '.join(waiting)}: AWS "
            "does not say whether these parameters have effect."
        )
    return compliant(
        f"{resource.ref.id} logs connections and their ends, and of statements {values[STATEMENTS]}, by {group}."
    )


def plan(
    resource: Resource, settings: Mapping[str, Any], overridden: Mapping[str, Facts]
) -> Plan | Manual | Wait:
    """Turn on what is off in the resource's own group; less logging, and members' own values, are a person's."""
    items = changes.items(resource)
    values = values_of(items)
    wanted = {
        name: parameters.on_spelling(items[name].get("AllowedValues"), "1")
        for name in (CONNECTS, DISCONNECTS)
        if not is_logged(values[name] or "")
    }
    if wanted:
        return changes.change(resource, wanted, cost=COST)
    if values[STATEMENTS] not in settings["statements"]:
        level = (settings["statements"] or ["none"])[0]
        return Manual(
            f"{STATEMENTS} is {values[STATEMENTS]}, which the policy does not allow. Somebody may need it now: ask, "
            f"and set it to {level}, or allow it in the policy.",
            changes.steps(resource, {STATEMENTS: level}),
        )
    wrong = {
        member: found for member, found in overridden.items() if faults(own_values(found, values), settings)
    }
    return Manual(
        f"The instance groups of {', '.join(wrong)} have values of their own, which win there. Take them back, so that "
        "the cluster's count.",
        changes.reset_steps(resource, wrong),
    )


def permits(resource_type: ResourceType) -> tuple[Permit, ...]:
    """To turn the log of connections and of their ends on in the resource's own group, and nothing off."""
    return changes.permits(
        resource_type,
        tuple((name, changes.DYNAMIC, parameters.TurnsOn()) for name in (CONNECTS, DISCONNECTS)),
    )


def is_logged(value: str) -> bool | None:
    """Whether a value of log_connections or log_disconnections logs who it was; None where nobody knows it."""
    on = parameters.is_on(value)
    if on is not None:
        return on
    aspects = {word.lower() for word in changes.words(value)}
    if not aspects:
        return False
    return bool(aspects & _TELLING) if aspects <= _ASPECTS else None


UNSET: dict[str, str | None] = dict.fromkeys(NAMES)
"""For `example`: nobody has set any of them."""


def example(**values: str | None) -> dict[str, Any]:
    """For examples: the items of the parameters; None is a value that AWS leaves out."""
    given: dict[str, str | None] = {CONNECTS: "1", DISCONNECTS: "1", STATEMENTS: "ddl", **values}
    return {
        name: {
            "ParameterName": name,
            **({} if value is None else {"ParameterValue": value}),
            "Source": "engine-default" if value is None else "user",
            "ApplyType": "dynamic",
            "DataType": "string" if name == STATEMENTS else "boolean",
            "AllowedValues": "none,ddl,mod,all" if name == STATEMENTS else "0,1",
            "IsModifiable": True,
            "ApplyMethod": "immediate",
        }
        for name, value in given.items()
    }
