"""A successor of an Aurora cluster with what nobody can change in place: encryption, its key, a VPC.

Prepared up to the cut-over, and no further: nothing of the original is changed, and no client notices. Each visit
makes the next call:

1. snapshot the original;
2. once that is available: restore it, with the key, and with all that the original has;
3. once that is available, and encrypted as wanted: create its instances, the writer first;
4. once all of them are available: a ticket says how to cut over. What was made stays, and is never deleted.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from warden.core import baseline, encryption, procedure, quotas, readers, successor_ticket
from warden.core import successor_calls as calls
from warden.core.dataclass import dataclass
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan, Wait

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from warden.core.resource import Facts, Resource

NEEDS = (
    Need.MEMBERS,
    Need.SUCCESSOR,
    Need.BLUE_GREEN,
    Need.QUOTAS,
    Need.SUBNET_GROUPS,
    Need.INBOUND_RULES,
    Need.ALIAS_KEYS,
)
SETTINGS = (baseline.KMS_KEY, baseline.SUCCESSOR_SUBNET_GROUP, baseline.SUCCESSOR_SECURITY_GROUP)
STALE = timedelta(days=7)
"""A snapshot that has waited for longer is not restored any more: too much was written since."""
_AVAILABLE = "available"
_BROKEN = frozenset(
    {
        *("cloning-failed", "deleting", "failed", "inaccessible-encryption-credentials"),
        *("inaccessible-encryption-credentials-recoverable", "incompatible-parameters", "migration-failed"),
        *("stopped", "stopping"),
    }
)


@dataclass(frozen=True, slots=True)
class _World:
    """What there is of the procedure."""

    resource: Resource
    settings: Mapping[str, Any]
    name: str
    pledge: tuple[Call, ...]

    @property
    def facts(self) -> Facts:
        return self.resource.facts

    @property
    def seen(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.facts[Need.SUCCESSOR]
        return found


def plan(
    resource: Resource, settings: Mapping[str, Any], by_hand: Callable[[str], Manual]
) -> Plan | Manual | Wait:
    """The next call; what is to be waited for; or what is left to a person: `by_hand`, after a sentence or none."""
    if not settings["kms_key"]:
        return by_hand("")
    if others := resource.facts[Need.SUCCESSOR]["Others"]:
        return successor_ticket.cut_over_already(others)
    if why := successor_ticket.impediment(resource.facts) or _no_place(resource.facts, settings):
        return by_hand(f"{why} ")
    facts = resource.facts
    return _next(_World(resource, settings, calls.name(facts), calls.pledge(facts, settings)))


def _next(world: _World) -> Plan | Manual | Wait:
    if (cluster := world.seen["Cluster"]) is not None:
        return _with_successor(world, cluster)
    record = world.seen["Record"]
    if record is not None and record.resource_id:
        return procedure.unseen(record, world.resource.observed_at) or Manual(
            f"Warden made the successor {world.name}, and somebody deleted it. Warden makes no other one as long as "
            f"the snapshot {world.name} is there."
        )
    if (snapshot := world.seen["Snapshot"]) is not None:
        return _with_snapshot(world, snapshot)
    return (
        procedure.unseen(world.seen["SnapshotRecord"], world.resource.observed_at)
        or _no_room(world)
        or _asked(
            world, procedure.first(world.pledge[0], world.pledge, world.seen["SnapshotRecord"], cost="")
        )
    )


def _asked(world: _World, planned: Plan) -> Plan:
    """As a person approves it, and in a change window: it is no small thing."""
    cost, notice = successor_ticket.cost(world.facts), successor_ticket.notice(world.facts, world.name)
    return replace(planned, cost=cost, notice=notice, disrupts=True)


def _go_on(world: _World, call: Call) -> Plan:
    return _asked(world, procedure.go_on(call, world.pledge))


def _no_place(facts: Facts, settings: Mapping[str, Any]) -> str:
    """Why a cluster without a VPC has no place to go to, as a sentence; empty where it has one, or needs none."""
    if calls.is_in_vpc(facts):
        return ""
    asked = ("successor_subnet_group", "successor_security_group")
    if lacking := [one for one in asked if not settings[one]]:
        return f"The policy's baseline does not say {' and '.join(lacking)}."
    subnets = facts[Need.SUBNET_GROUPS].get(settings[asked[0]])
    group = facts[Need.INBOUND_RULES].get(settings[asked[1]])
    if subnets is None or group is None:
        absent = settings[asked[0] if subnets is None else asked[1]]
        return f"The policy's baseline names {absent}, which this Region has not."
    if subnets["Public"]:
        return f"The subnet group {settings[asked[0]]} of the policy has public subnets: nothing is restored there."
    same = group["VpcId"] == subnets["VpcId"]
    return "" if same else f"{settings[asked[0]]} and {settings[asked[1]]} of the policy are of two VPCs."


def _no_room(world: _World) -> Manual | None:
    instances = len(calls.members(world.facts))
    more = {"DBClusters": 1, "ManualClusterSnapshots": 1, **({"DBInstances": instances} if instances else {})}
    if world.seen["Snapshot"] is not None:
        del more["ManualClusterSnapshots"]
    return quotas.lacking(world.resource, more=more)


def _with_snapshot(world: _World, snapshot: Mapping[str, Any]) -> Plan | Manual | Wait:
    record = world.seen["SnapshotRecord"]
    if why := _doubt(world, snapshot, record):
        return Manual(
            f"There is a snapshot {world.name}, and {why}. Warden leaves it alone: delete it, and Warden begins anew."
        )
    if snapshot["Status"] == "creating":
        return Wait(f"The snapshot {world.name} is being made.", world.pledge)
    if snapshot["Status"] != _AVAILABLE:
        return Manual(
            f"The snapshot {world.name} is {snapshot['Status']}: delete it, and Warden begins anew."
        )
    return _no_room(world) or _go_on(world, world.pledge[1])


def _doubt(world: _World, snapshot: Mapping[str, Any], record: procedure.Record | None) -> str:
    """Why it is not surely the snapshot that Warden made of this cluster for this, as half a sentence."""
    tags = {tag["Key"]: tag.get("Value", "") for tag in snapshot["TagList"]}
    if record is None:
        return "Warden has no record of making a successor from it"
    if tags.get(procedure.NONCE) != record.nonce or tags.get(procedure.SERVES) != record.serves:
        return "its tags are not those that Warden gave it"
    if snapshot["DbClusterResourceId"] != world.facts["DbClusterResourceId"]:
        return "it is of another cluster"
    stale = world.resource.observed_at - record.announced_at > STALE
    return f"it is older than {STALE.days} days" if stale else ""


def _with_successor(world: _World, cluster: Mapping[str, Any]) -> Plan | Manual | Wait:
    record = world.seen["Record"]
    if why := _not_ours(world, cluster, record):
        return Manual(
            f"There is a cluster {world.name}, and {why}. Warden leaves it alone, and prepares no successor as long as "
            "it has that name."
        )
    if (status := cluster["Status"]) in _BROKEN:
        return Manual(f"The successor {world.name} is {status}: a person has to look.")
    if status != _AVAILABLE:
        return Wait(f"The successor {world.name} is {status}.", world.pledge)
    if why := encryption.with_another_key(cluster, world.settings["kms_key"], world.facts[Need.ALIAS_KEYS]):
        return Manual(
            f"The successor {world.name} is not as the policy wants it: {why}. Delete it, and the snapshot of that "
            "name, and Warden begins anew."
        )
    following = None if record is None else _next_instance(world)
    return following or successor_ticket.cut_over(world.resource, cluster, world.seen)


def _not_ours(world: _World, cluster: Mapping[str, Any], record: procedure.Record | None) -> str:
    """Once it is done there is no record any more, and nothing is written: then name and tags will do."""
    if record is not None:
        return procedure.objection(cluster, record)
    tags = {tag["Key"]: tag.get("Value", "") for tag in cluster["TagList"]}
    wanted = (world.facts["DbClusterResourceId"], world.facts["DBClusterArn"])
    ours = (tags.get(calls.SUCCESSOR_OF), tags.get(procedure.SERVES)) == wanted
    return "" if ours else "Warden has no record of having made it"


def _next_instance(world: _World) -> Plan | Manual | Wait | None:
    """The next instance that it lacks; None once each is there and available.

    The first one that is available becomes the writer: the others wait for it, and then for nobody.
    """
    there = {one["DBInstanceIdentifier"]: one["DBInstanceStatus"] for one in world.seen["Members"]}
    for one in world.seen["Cluster"]["DBClusterMembers"]:
        there.setdefault(one["DBInstanceIdentifier"], "creating")
    wanted = {calls.member_name(member): member for member in calls.members(world.facts)}
    standing = [(name, there.get(name)) for name in wanted]
    for name, status in standing:
        if status in readers.BROKEN:
            return Manual(f"The instance {name} of the successor is {status}: a person has to look.")
    coming = [(name, status) for name, status in standing if status not in {None, _AVAILABLE}]
    missing = [name for name, status in standing if status is None]
    writer_comes = bool(coming) and coming[0] == standing[0]
    if missing and not writer_comes:
        lacking = quotas.lacking(world.resource, more={"DBInstances": 1})
        return lacking or _go_on(world, calls.create(world.facts, wanted[missing[0]]))
    if coming:
        return Wait(f"The instance {coming[0][0]} of the successor is {coming[0][1]}.", world.pledge)
    return None
