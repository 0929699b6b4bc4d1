"""Changes to the parameters of a resource's own group: a call where that is safe, else what a person does.

Also what a list parameter holds, and which values win on the members of a cluster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import group_status, guidance, reboots, tls
from warden.core import own_group as own_groups
from warden.core.dataclass import dataclass
from warden.core.guard import Permit
from warden.core.kinds import Need
from warden.core.parameters import UnsharedClusterGroup
from warden.core.plan import Call, Manual, Plan, Wait
from warden.core.resource import Facts, ResourceType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from warden.core.guard import Accepts
    from warden.core.resource import Resource

DYNAMIC, STATIC = "immediate", "pending-reboot"
"""The ApplyMethod of each ApplyType: "You can use the pending-reboot value for both dynamic and static
parameters" (ModifyDBClusterParameterGroup), and `immediate` for dynamic ones alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """Parameter groups of clusters, or of instances, in the words of the API and of the command line."""

    operation: str
    parameter: str
    need: Need
    users: Need
    arn: str
    identifier: str
    kind: str
    group_of: Callable[[Facts], str]
    accepts: Accepts
    reboot: Callable[[Resource], tuple[str, ...]]

    def command(self, verb: str) -> str:
        return f"{verb}-{self.kind}-parameter-group"


_LEVELS = {
    ResourceType.DB_CLUSTER: _Level(
        operation="ModifyDBClusterParameterGroup",
        parameter="DBClusterParameterGroupName",
        need=Need.PARAMETERS,
        users=Need.PARAMETER_GROUP_USERS,
        arn="DBClusterArn",
        identifier="DBClusterIdentifier",
        kind="db-cluster",
        group_of=lambda facts: str(facts["DBClusterParameterGroup"]),
        accepts=UnsharedClusterGroup(),
        reboot=reboots.of_cluster,
    ),
    ResourceType.DB_INSTANCE: _Level(
        operation="ModifyDBParameterGroup",
        parameter="DBParameterGroupName",
        need=Need.INSTANCE_PARAMETERS,
        users=Need.INSTANCE_GROUP_USERS,
        arn="DBInstanceArn",
        identifier="DBInstanceIdentifier",
        kind="db",
        group_of=lambda facts: str(tls.group_of(facts)["DBParameterGroupName"]),
        accepts=tls.UnsharedInstanceGroup(),
        reboot=reboots.of_instance,
    ),
}


def group(resource: Resource) -> str:
    """The name of the resource's own parameter group."""
    return _LEVELS[resource.ref.resource_type].group_of(resource.facts)


def items(resource: Resource) -> Facts:
    """The parameters of the resource's own group, by name."""
    found: Facts = resource.facts[_LEVELS[resource.ref.resource_type].need]
    return found


def value_of(item: Mapping[str, Any], documented: str | None = None) -> str | None:
    """The value of a parameter as DescribeDB(Cluster)Parameters gives it; None where AWS does not say.

    AWS leaves ParameterValue out where nobody set one and the engine's own default holds; `documented` is that
    default, where its vendor documents it.
    """
    if "ParameterValue" in item:
        return str(item["ParameterValue"])
    return documented if item.get("Source") == "engine-default" else None


def words(value: str) -> list[str]:
    """The members of a list parameter, in order and without repetition."""
    return list(dict.fromkeys(word.strip() for word in value.split(",") if word.strip()))


def extended(value: str, more: Iterable[str]) -> str:
    """A list parameter with more members: what it holds stays, in its order."""
    return ",".join(dict.fromkeys([*words(value), *more]))


def overrides(resource: Resource, names: Sequence[str]) -> dict[str, Facts]:
    """For each member of a cluster, those of these parameters that somebody set in its instance's own group.

    Such a value wins over the cluster's there, whatever it is (Aurora User Guide, "Parameter groups for Amazon
    Aurora").
    """
    own = resource.facts[Need.MEMBER_PARAMETERS]
    found: dict[str, Facts] = {}
    for member in sorted(member["DBInstanceIdentifier"] for member in resource.facts[Need.MEMBERS]):
        if set_there := {name: own[member][name] for name in names if name in own[member]}:
            found[member] = Facts(set_there)
    return found


def waiting(resource: Resource) -> list[str]:
    """The members of a cluster that have not taken over its group, each with the status."""
    states = (Facts(member) for member in resource.facts["DBClusterMembers"])
    return [
        f"{member['DBInstanceIdentifier']} ({status})"
        for member in states
        if (status := member["DBClusterParameterGroupStatus"]) != "in-sync"
    ]


def not_in_sync(resource: Resource) -> list[str]:
    """The members of a cluster, or the instance, that have not taken over the group, each with the status."""
    if resource.ref.resource_type is ResourceType.DB_CLUSTER:
        return waiting(resource)
    status = tls.group_of(resource.facts)["ParameterApplyStatus"]
    return [] if status == group_status.IN_SYNC else [f"{resource.ref.id} ({status})"]


def is_applying(resource: Resource) -> bool:
    """Whether members are just taking over a change of a dynamic parameter, and none waits for anything else."""
    return _unsettled(resource) == {group_status.APPLYING}


def not_by_reboot(resource: Resource) -> Manual | None:
    """What a person does where no reboot applies what waits: a value failed, or comes with an upgrade."""
    found = _unsettled(resource)
    return Manual(group_status.advice(found)) if found and "pending-reboot" not in found else None


def _unsettled(resource: Resource) -> set[str]:
    states = (Facts(member) for member in resource.facts["DBClusterMembers"])
    return {member["DBClusterParameterGroupStatus"] for member in states} - {group_status.IN_SYNC}


def change(
    resource: Resource, values: Mapping[str, str], *, cost: str = "", static: bool = False
) -> Plan | Manual | Wait:
    """Set parameters in the resource's own group; where it has none, make the next call on the way to one.

    `static`: whether parameters that only a reboot applies may be set in a group that is in use; the plan itself
    never reboots.
    """
    level, name = _LEVELS[resource.ref.resource_type], group(resource)
    parameters = items(resource)
    if fixed := [key for key in values if not Facts(parameters[key])["IsModifiable"]]:
        return Manual(f"AWS does not let {', '.join(fixed)} be modified in {name}.")
    own = resource.facts[level.arn]
    if name.startswith("default.") or any(user != own for user in resource.facts[level.users]):
        return own_groups.move(resource, values, cost=cost)
    methods = {key: _method(parameters[key]) for key in values}
    if not static and (slow := [key for key in values if methods[key] == STATIC]):
        return Manual(
            f"In {name}, {', '.join(slow)} takes effect with a reboot, which somebody must choose the moment for.",
            (_modify(resource, name, values, methods), *level.reboot(resource)),
        )
    return Plan(
        (
            Call(
                level.operation,
                {
                    level.parameter: name,
                    "Parameters": [
                        {"ParameterName": key, "ParameterValue": value, "ApplyMethod": methods[key]}
                        for key, value in values.items()
                    ],
                },
            ),
        ),
        cost=cost,
    )


def steps(resource: Resource, values: Mapping[str, str]) -> tuple[str, ...]:
    """The command that sets parameters in the resource's own group."""
    parameters = items(resource)
    methods = {key: _method(parameters[key]) for key in values}
    return (_modify(resource, group(resource), values, methods),)


def reboot_steps(resource: Resource) -> tuple[str, ...]:
    """The commands of the reboots that apply what waits."""
    return _LEVELS[resource.ref.resource_type].reboot(resource)


def reset_steps(resource: Resource, overridden: Mapping[str, Facts]) -> tuple[str, ...]:
    """The commands that take members' own values back, so that the cluster's count.

    One for each group: members may share one. Their group is looked up in their own Describe items.
    """
    names: dict[str, list[str]] = {}
    for member in resource.facts[Need.MEMBERS]:
        if member["DBInstanceIdentifier"] in overridden:
            own = tls.group_of(Facts(member))["DBParameterGroupName"]
            found = names.setdefault(own, [])
            found += [key for key in overridden[member["DBInstanceIdentifier"]] if key not in found]
    return tuple(
        guidance.command(
            resource,
            "reset-db-parameter-group",
            {
                "db-parameter-group-name": name,
                "parameters": [f"ParameterName={key},ApplyMethod={STATIC}" for key in keys],
            },
        )
        for name, keys in sorted(names.items())
    )


def _method(item: Mapping[str, Any]) -> str:
    return DYNAMIC if Facts(item)["ApplyType"] == "dynamic" else STATIC


def _modify(resource: Resource, name: str, values: Mapping[str, str], methods: Mapping[str, str]) -> str:
    level = _LEVELS[resource.ref.resource_type]
    return guidance.command(
        resource,
        level.command("modify"),
        {
            f"{level.kind}-parameter-group-name": name,
            # The shorthand syntax takes a comma for the end of a value unless the value stands in quotes.
            "parameters": [
                f'ParameterName={key},ParameterValue="{value}",ApplyMethod={methods[key]}'
                if "," in value
                else f"ParameterName={key},ParameterValue={value},ApplyMethod={methods[key]}"
                for key, value in values.items()
            ],
        },
    )


# --- for the write guard ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ParameterList:
    """For the write guard: a list of parameters, each one that the control declares, with a value that is declared."""

    accepts: tuple[tuple[str, str, Accepts], ...]
    """Name, ApplyMethod and value of each."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse an empty list, another parameter, method or field, and a value that is not accepted."""
        if not isinstance(value, list) or not value:
            return f"{value!r} is not a list of at least one parameter"
        return next((why for item in value if (why := self._why_not(item, facts))), None)

    def _why_not(self, item: Any, facts: Facts) -> str | None:
        fields = {"ParameterName", "ParameterValue", "ApplyMethod"}
        if not isinstance(item, dict) or set(item) != fields:
            return f"{item!r} does not have exactly the fields {sorted(fields)!r}"
        refusals = [
            accepts.refusal(item["ParameterValue"], facts)
            for name, method, accepts in self.accepts
            if (name, method) == (item["ParameterName"], item["ApplyMethod"])
        ]
        if not refusals:
            return f"no control declares {item['ParameterName']!r} with the method {item['ApplyMethod']!r}"
        return None if any(why is None for why in refusals) else f"{item['ParameterName']}: {refusals[0]}"


def permits(
    resource_type: ResourceType, accepted: tuple[tuple[str, str, Accepts], ...]
) -> tuple[Permit, ...]:
    """To set parameters in the resource's own, custom and unshared group, and to give it one where it has none.

    `accepted`: name, ApplyMethod and value of each. Before a new group is attached, nothing in it has an effect.
    """
    level = _LEVELS[resource_type]
    before = tuple((name, own_groups.PENDING, value) for name, _, value in accepted)
    return (
        Permit(
            operation=level.operation,
            required={level.parameter: level.accepts, "Parameters": ParameterList(accepted)},
        ),
        *own_groups.permits(resource_type, ParameterList(before)),
    )


@dataclass(frozen=True, slots=True)
class Extends:
    """For the write guard: a list parameter that keeps every member that it has, and gains declared ones."""

    parameter: str
    members: tuple[str, ...]
    nothing: str = ""
    """A member that stands for none, and need not be kept."""
    need: Need = Need.PARAMETERS

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse to drop or to reorder a member, to add nothing, and to add what is not declared."""
        live = words(value_of(facts[self.need][self.parameter], "") or "")
        live = [word for word in live if word != self.nothing]
        if not isinstance(value, str):
            return f"{value!r} is not a list in a text"
        wanted = value.split(",")
        if wanted[: len(live)] != live:
            return f"{value!r} does not keep {live!r}"
        added = wanted[len(live) :]
        if not added or [word for word in added if word not in self.members or word in live]:
            return f"{added!r} are not new members among {list(self.members)!r}"
        return None
