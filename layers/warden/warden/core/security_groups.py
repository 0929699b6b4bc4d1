"""Security groups of databases: who an inbound rule lets in, and when that is the world.

Rules are items of DescribeSecurityGroupRules, inbound ones alone. A database is the item that the reader makes
for `Need.GUARDED_DATABASES`.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from warden.core import engines
from warden.core.addresses import BITS, Addresses, block_size, public
from warden.core.control import Setting
from warden.core.dataclass import dataclass
from warden.core.errors import MissingFactError
from warden.core.kinds import Need

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from warden.core.resource import Facts, Resource

    Rule = Mapping[str, Any]
    PrefixLists = Mapping[str, Sequence[str]]

DEFAULT_NAME = "default"
"""The name of the group that comes with each VPC; "the name can't be ... default" of any other."""

# "-1 to specify all protocols" (IpPermission.IpProtocol); 6 is TCP's number, by which it may be given.
_CARRIES_TCP = frozenset({"-1", "tcp", "6"})
_ALL_PORTS = -1

LARGEST_PUBLIC_IPV4 = Setting(
    name="largest_public_ipv4",
    default=8,
    doc="The prefix length of the largest IPv4 network that may be let in from the Internet. More public addresses "
    "than one such network holds, counted over all rules together, are the world. Private addresses do not count.",
    minimum=1,
    maximum=32,
)
LARGEST_PUBLIC_IPV6 = Setting(
    name="largest_public_ipv6",
    default=16,
    doc="The same for IPv6, whose Internet is 2000::/3.",
    minimum=4,
    maximum=128,
)


@dataclass(frozen=True, slots=True)
class Opening:
    """A port that too many addresses can reach, and the rules that let them."""

    version: int
    """Of the Internet Protocol."""
    port: int
    rules: tuple[str, ...]
    """Ids, of the widest rules first: without these, what is left is narrow enough."""
    share: float
    """How much of the Internet gets in, from 0 to 1."""


def covers(rule: Rule, port: int) -> bool:
    """Whether a rule lets TCP through to a port."""
    if rule["IpProtocol"] not in _CARRIES_TCP:
        return False
    # "If the protocol is ... all protocols", ports mean nothing: the answer has -1, or leaves them out.
    first, last = rule.get("FromPort", _ALL_PORTS), rule.get("ToPort", _ALL_PORTS)
    return bool(rule["IpProtocol"] == "-1" or first == _ALL_PORTS or first <= port <= last)


def source_blocks(rule: Rule, prefix_lists: PrefixLists) -> list[str]:
    """The CIDR blocks that a rule lets in; none where it lets in another security group."""
    if "PrefixListId" in rule:
        return list(prefix_lists[rule["PrefixListId"]])
    return [rule[member] for member in ("CidrIpv4", "CidrIpv6") if member in rule]


def source_name(rule: Rule) -> str:
    """Who a rule lets in, as a person names it."""
    if "ReferencedGroupInfo" in rule:
        return str(rule["ReferencedGroupInfo"]["GroupId"])
    return str(rule.get("PrefixListId") or rule.get("CidrIpv4") or rule.get("CidrIpv6"))


def openings(
    rules: Iterable[Rule], prefix_lists: PrefixLists, port: int, settings: Mapping[str, Any]
) -> list[Opening]:
    """How a port is open to the world: for IPv4, for IPv6, for both, or not at all."""
    covering = [rule for rule in rules if covers(rule, port)]
    limits = {4: settings[LARGEST_PUBLIC_IPV4.name], 6: settings[LARGEST_PUBLIC_IPV6.name]}
    found = (_opening(covering, prefix_lists, port, version, limits[version]) for version in BITS)
    return [opening for opening in found if opening is not None]


def _opening(
    rules: Sequence[Rule], prefix_lists: PrefixLists, port: int, version: int, limit: int
) -> Opening | None:
    admitted = {
        str(rule["SecurityGroupRuleId"]): public(Addresses.of(version, source_blocks(rule, prefix_lists)))
        for rule in rules
    }
    allowed = block_size(version, limit)
    everything = _union(version, admitted.values())
    if everything.size <= allowed:
        return None
    # The widest go first, and rules of one width together: which of many equal pieces is the one too many?
    widest_first = sorted(admitted, key=lambda rule: (-admitted[rule].size, rule))
    too_wide: list[str] = []
    for _, equals in groupby(widest_first, key=lambda rule: admitted[rule].size):
        left = (addresses for rule, addresses in admitted.items() if rule not in too_wide)
        if _union(version, left).size <= allowed:
            break
        too_wide += equals
    internet = public(_everything(version)).size
    return Opening(version, port, tuple(too_wide), everything.size / internet)


def _everything(version: int) -> Addresses:
    return Addresses(version, ((0, (1 << BITS[version]) - 1),))


def _union(version: int, parts: Iterable[Addresses]) -> Addresses:
    return Addresses.joined(version, (interval for part in parts for interval in part.intervals))


def lets_in_the_public(rule: Rule, prefix_lists: PrefixLists) -> bool:
    """Whether a rule lets in any address of the Internet."""
    blocks = source_blocks(rule, prefix_lists)
    return any(public(Addresses.of(version, blocks)) for version in BITS)


# --- what a group guards ----------------------------------------------------------------------------------


def guarded(resource: Resource) -> list[Mapping[str, Any]]:
    """The databases behind a group that Warden judges: not those of Neptune and DocumentDB."""
    return [item for item in resource.facts[Need.GUARDED_DATABASES] if is_ours(item)]


def is_ours(database: Mapping[str, Any]) -> bool:
    """Whether a database behind a group is one that Warden judges."""
    engine = str(database["Engine"])
    return engines.is_governed_cluster(engine) or engines.is_governed_instance(engine)


def ports(databases: Iterable[Mapping[str, Any]]) -> list[int]:
    """The ports that these databases answer on, as far as they are known."""
    return sorted({database["Port"] for database in databases if database["Port"] is not None})


def refuse_unknown_ports(databases: Iterable[Mapping[str, Any]]) -> None:
    """Raise MissingFactError for a database without a port: RDS names it once the database is made."""
    for database in databases:
        if database["Port"] is None:
            raise MissingFactError("Port", f"{database['Name']} does not have one yet")


def names(databases: Iterable[Mapping[str, Any]], *, most: int = 3) -> str:
    """The databases by name; of many, the first few."""
    found = sorted(str(database["Name"]) for database in databases)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more


def attached_elsewhere(resource: Resource) -> list[str]:
    """What a group is attached to that is no database of ours, each as a person names it."""
    others = [
        f"{item['Name']} ({item['Engine']})"
        for item in resource.facts[Need.GUARDED_DATABASES]
        if not is_ours(item)
    ]
    interfaces = [item for item in resource.facts[Need.NETWORK_INTERFACES] if not _is_of_rds(item)]
    return [*others, *(_named(item) for item in interfaces)]


def _is_of_rds(interface: Mapping[str, Any]) -> bool:
    """Whether RDS made and manages a network interface: of an instance, or of a proxy.

    `RequesterManaged` cannot be had by whoever writes a description of his own. RDS asks as `amazon-rds` and
    describes as "RDSNetworkInterface"; for proxies, as "Network interface for DBProxy" and the name.
    """
    if not interface.get("RequesterManaged"):
        return False
    description = str(interface.get("Description", ""))
    return interface.get("RequesterId") == "amazon-rds" or description.startswith(
        ("RDSNetworkInterface", "Network interface for DBProxy")
    )


def _named(interface: Mapping[str, Any]) -> str:
    attached_to = interface.get("Attachment", {}).get("InstanceId")
    what = attached_to or interface.get("Description") or interface.get("InterfaceType") or "unattached"
    return f"{interface['NetworkInterfaceId']} ({what})"


# --- the write guard --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PublicRules:
    """For the write guard: inbound rules of the group itself, each of which lets in addresses of the Internet."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse an empty list, rules that are not there, and rules that let in private networks or groups alone."""
        if not isinstance(value, list) or not value or len(set(map(str, value))) != len(value):
            return f"{value!r} is not a list of different rules"
        live = {str(rule["SecurityGroupRuleId"]): rule for rule in facts[Need.SECURITY_GROUP_RULES]}
        for name in value:
            rule = live.get(name)
            if rule is None or rule["IsEgress"] or rule["GroupId"] != facts["GroupId"]:
                return f"{name!r} is no inbound rule of {facts['GroupId']}"
            if not lets_in_the_public(rule, facts[Need.PREFIX_LISTS]):
                return f"{name!r} lets in nobody from the Internet"
        return None


@dataclass(frozen=True, slots=True)
class WithoutDefaultGroup:
    """For the write guard: the live security groups, all of them but the VPC's default one."""

    fact: str
    """The member of the item that lists the live groups, as ids or as memberships."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse an empty list, a group that is not attached, and the loss of one that is no default group."""
        if not isinstance(value, list) or not value:
            return f"{value!r} is not a list of at least one group"
        live = attached_ids(facts[self.fact])
        if strangers := [group for group in value if group not in live]:
            return f"{strangers!r} are not in the live {self.fact}"
        defaults = default_ids(facts[Need.SECURITY_GROUPS])
        if lost := [group for group in live if group not in value and group not in defaults]:
            return f"{lost!r} would be lost"
        return None


def attached_ids(memberships: Collection[Any]) -> list[str]:
    """The ids of attached groups, from ids or from memberships; one that is being removed is no longer attached."""
    return [
        member if isinstance(member, str) else str(member["VpcSecurityGroupId"])
        for member in memberships
        if isinstance(member, str) or member.get("Status") != "removing"
    ]


def default_ids(groups: Iterable[Mapping[str, Any]]) -> set[str]:
    """The ids of those groups that are a VPC's default one."""
    return {str(group["GroupId"]) for group in groups if group["GroupName"] == DEFAULT_NAME}
