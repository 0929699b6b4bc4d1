"""Reboots that apply what waits in a parameter group: always a person's, in an order that keeps outages short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines, guidance
from warden.core.dataclass import dataclass
from warden.core.guard import Permit, SameAs
from warden.core.kinds import Need
from warden.core.plan import Call, Plan, Wait
from warden.core.resource import Facts, ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from warden.core.resource import Resource

PENDING = "pending-reboot"


def order(resource: Resource) -> str:
    """In which order the members of a cluster are rebooted, as a sentence."""
    if resource.facts["Engine"] in engines.MULTI_AZ_CLUSTER:
        return "A Multi-AZ DB cluster is rebooted as a whole."
    return (
        "Reboot the writer first, then each reader, waiting until one is available before the next; older engine "
        "versions restart every reader with the writer, which is a full outage."
    )


def next_of_cluster(resource: Resource) -> Plan | Wait:
    """The next reboot of a cluster: the writer first, then the readers one by one, each once all are available.

    A person approves them all together, and each is made once: one that is asked for again needs another approval.
    """
    if resource.facts["Engine"] in engines.MULTI_AZ_CLUSTER:
        call = Call("RebootDBCluster", {"DBClusterIdentifier": resource.facts["DBClusterIdentifier"]})
        return Plan((call,), pledge=(call,), notice=order(resource), disrupts=True)
    if waits := _waits_for(resource.facts[Need.MEMBERS]):
        return waits
    members = [Facts(member) for member in _in_order(resource)]
    waiting = [one for one in members if one["DBClusterParameterGroupStatus"] == PENDING]
    return Plan(
        (_reboot(waiting[0]),),
        pledge=tuple(_reboot(member) for member in members),
        notice=order(resource),
        disrupts=True,
    )


def next_of_instance(resource: Resource) -> Plan | Wait:
    """The reboot of an instance; of a member of a Multi-AZ DB cluster, that of the cluster.

    A member of an Aurora cluster is rebooted while all others are available: two at once are an outage.
    """
    cluster = resource.facts["DBClusterIdentifier"]
    if cluster is not None and resource.facts["Engine"] in engines.MULTI_AZ_CLUSTER:
        call = Call("RebootDBCluster", {"DBClusterIdentifier": cluster})
    else:
        if waits := _waits_for(resource.facts[Need.MEMBERS]):
            return waits
        call = _reboot(resource.facts)
    return Plan((call,), pledge=(call,), notice="A reboot interrupts every connection.", disrupts=True)


def of_a_member(resource: Resource, calls: Iterable[Call]) -> bool:
    """Whether the calls reboot an instance that is a member of a cluster."""
    reboots = any(call.operation == "RebootDBInstance" for call in calls)
    return (
        reboots
        and resource.ref.resource_type is ResourceType.DB_INSTANCE
        and resource.facts["DBClusterIdentifier"] is not None
    )


def _waits_for(members: Iterable[Mapping[str, Any]]) -> Wait | None:
    for member in members:
        if (status := member["DBInstanceStatus"]) != "available":
            return Wait(f"The member {member['DBInstanceIdentifier']} is {status}.")
    return None


def _reboot(item: Mapping[str, Any]) -> Call:
    return Call("RebootDBInstance", {"DBInstanceIdentifier": item["DBInstanceIdentifier"]})


def _in_order(resource: Resource) -> list[Mapping[str, Any]]:
    members = resource.facts["DBClusterMembers"]
    return sorted(members, key=lambda one: (not one["IsClusterWriter"], one["DBInstanceIdentifier"]))


@dataclass(frozen=True, slots=True)
class WaitingMember:
    """For the write guard: a member of the cluster that has not taken over its group."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse another instance, and a member that a reboot would do nothing for."""
        names = {one["DBInstanceIdentifier"] for one in facts["DBClusterMembers"]}
        if value not in names:
            return f"{value!r} is no member of the cluster"
        states = {
            one["DBInstanceIdentifier"]: one["DBClusterParameterGroupStatus"]
            for one in facts["DBClusterMembers"]
        }
        return None if states[value] == PENDING else f"{value!r} waits for no reboot"


@dataclass(frozen=True, slots=True)
class WaitingFor:
    """For the write guard: the name of the resource itself, or of its cluster, if anything waits for its reboot."""

    fact: str

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse another name, and a reboot that would do nothing."""
        if why := SameAs(self.fact).refusal(value, facts):
            return why
        if "DBClusterMembers" in facts:
            states = [one["DBClusterParameterGroupStatus"] for one in facts["DBClusterMembers"]]
        else:
            states = [one["ParameterApplyStatus"] for one in facts["DBParameterGroups"]]
        return None if PENDING in states else f"{value!r} waits for no reboot"


PERMITS_OF_CLUSTER = (
    Permit(operation="RebootDBInstance", required={"DBInstanceIdentifier": WaitingMember()}),
    Permit(operation="RebootDBCluster", required={"DBClusterIdentifier": WaitingFor("DBClusterIdentifier")}),
)
PERMITS_OF_INSTANCE = (
    Permit(
        operation="RebootDBInstance", required={"DBInstanceIdentifier": WaitingFor("DBInstanceIdentifier")}
    ),
    Permit(operation="RebootDBCluster", required={"DBClusterIdentifier": WaitingFor("DBClusterIdentifier")}),
)


def of_cluster(resource: Resource) -> tuple[str, ...]:
    """The commands that reboot a cluster: the writer, then the readers; a Multi-AZ DB cluster as a whole."""
    if resource.facts["Engine"] in engines.MULTI_AZ_CLUSTER:
        return (_whole_cluster(resource, resource.facts["DBClusterIdentifier"]),)
    members = sorted(resource.facts["DBClusterMembers"], key=lambda member: not member["IsClusterWriter"])
    return tuple(_instance(resource, member["DBInstanceIdentifier"]) for member in members)


def of_instance(resource: Resource) -> tuple[str, ...]:
    """The command that reboots an instance.

    "If your DB instance is part of a Multi-AZ DB cluster, you can reboot the DB cluster" (RebootDBInstance).
    """
    cluster = resource.facts["DBClusterIdentifier"]
    if cluster is not None and resource.facts["Engine"] in engines.MULTI_AZ_CLUSTER:
        return (_whole_cluster(resource, cluster),)
    return (_instance(resource, resource.facts["DBInstanceIdentifier"]),)


def _whole_cluster(resource: Resource, name: str) -> str:
    return guidance.command(resource, "reboot-db-cluster", {"db-cluster-identifier": name})


def _instance(resource: Resource, name: str) -> str:
    return guidance.command(resource, "reboot-db-instance", {"db-instance-identifier": name})
