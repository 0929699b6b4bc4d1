"""Performance Insights and Database Insights: what counts as on, and how they are turned on, for both kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import customer_keys, engines, guidance
from warden.core.control import Setting, Verdict, compliant, non_compliant, not_applicable
from warden.core.dataclass import dataclass
from warden.core.encryption import CustomerKey
from warden.core.errors import MissingFactError
from warden.core.guard import Only, Permit, SameAs
from warden.core.kinds import KINDS, Need
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import Facts, ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warden.core.resource import Resource

LONG_ENOUGH = 465
"""The days of history that the Advanced mode takes (ModifyDBCluster: DatabaseInsightsMode)."""
ADVANCED = "advanced"
ADVANCED_COST = (
    "The Advanced mode is billed by the size of the database: in us-east-1, 0.0125 USD for each vCPU and hour, "
    "0.003125 USD for each ACU and hour."
)
FEWEST_ACUS = 2
"""Aurora User Guide, "Performance and scaling for Aurora Serverless v2": with Performance Insights, a minimum
capacity of 2 ACUs or more is advised."""

ADVANCED_TAGS = Setting(
    name="advanced_tags",
    default=[],
    doc="The tags (key=value) of the databases that must have the Advanced mode. Empty: all of them.",
    pattern=r"[^=]{1,128}=.{0,256}",
)

# RDS asks KMS in the caller's name (RDS User Guide, "AWS KMS key management" and "Changing an AWS KMS policy for
# Performance Insights"); each is allowed through RDS alone.
_KEY_ACTIONS = ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey")
_COMMANDS = {
    ResourceType.DB_CLUSTER: ("modify-db-cluster", "db-cluster-identifier", "ModifyDBCluster"),
    ResourceType.DB_INSTANCE: ("modify-db-instance", "db-instance-identifier", "ModifyDBInstance"),
}


def members_by_state(resource: Resource) -> tuple[list[Facts], list[Facts]]:
    """The members of a cluster with Performance Insights on, and those without it."""
    members = [Facts(member) for member in resource.facts[Need.MEMBERS]]
    known = {member["DBInstanceIdentifier"] for member in members}
    for listed in resource.facts["DBClusterMembers"]:
        if listed["DBInstanceIdentifier"] not in known:
            # The cluster's own list is newer or older than the instances': a member that was not seen may be off.
            raise MissingFactError(Need.MEMBERS, f"{listed['DBInstanceIdentifier']} was not among them")
    on = [member for member in members if member["PerformanceInsightsEnabled"]]
    return on, [member for member in members if not member["PerformanceInsightsEnabled"]]


def names(members: Sequence[Facts]) -> str:
    """The names of members, for a sentence."""
    return ", ".join(sorted(member["DBInstanceIdentifier"] for member in members))


def supports(resource: Resource, instance_class: str) -> bool | None:
    """Whether the engine version has Performance Insights on this class; None where AWS no longer offers the two."""
    found = resource.facts[Need.CLASS_SUPPORT].get(instance_class)
    return None if found is None else bool(found["SupportsPerformanceInsights"])


def is_serverless_v1(resource: Resource) -> bool:
    """Whether a cluster is of Aurora Serverless v1, which has no Performance Insights."""
    return bool(resource.facts["EngineMode"] == engines.SERVERLESS_V1)


def judge_advanced(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """The verdict on the mode, and the history that it takes, where the policy wants it by the database's tags."""
    if wanted := settings["advanced_tags"]:
        tags = {f"{tag['Key']}={tag.get('Value', '')}" for tag in resource.facts["TagList"]}
        if tags.isdisjoint(wanted):
            return not_applicable(f"{resource.ref.id} carries none of the tags {', '.join(wanted)}.")
    mode = resource.facts["DatabaseInsightsMode"]
    if mode != ADVANCED:
        return non_compliant(f"{resource.ref.id} has the {mode} mode of Database Insights.")
    days = resource.facts["PerformanceInsightsRetentionPeriod"]
    if not days or days < LONG_ENOUGH:
        return non_compliant(
            f"{resource.ref.id} has the Advanced mode of Database Insights, and a history of {days or 0} days; it "
            f"takes {LONG_ENOUGH}."
        )
    return compliant(
        f"{resource.ref.id} has the Advanced mode of Database Insights, with {days} days of history."
    )


def enabled(resource: Resource, key: str) -> Plan | Manual:
    """Turn Performance Insights on, with a history of seven days and the policy's key.

    "Apply during the next scheduled maintenance window … your instance ignores this setting and turns on
    Performance Insights immediately" (RDS User Guide, "Turning Performance Insights on and off"), so nothing of
    what others have queued needs to be applied with it.
    """
    if not key:
        return no_key(resource, {})
    identifier = KINDS[resource.ref.resource_type].identifier
    return Plan(
        (
            Call(
                _COMMANDS[resource.ref.resource_type][2],
                {
                    identifier: resource.facts[identifier],
                    "EnablePerformanceInsights": True,
                    "PerformanceInsightsKMSKeyId": key,
                },
            ),
        )
    )


def no_key(resource: Resource, more: Mapping[str, str]) -> Manual:
    """Without a key RDS takes the account's default key, which cannot be changed in place."""
    return Manual(
        "The policy names no key (baseline.kms_key) for what Performance Insights keeps. Without one RDS takes the "
        "default key of the account, and that can only be changed by losing the history.",
        (command(resource, {**more, "performance-insights-kms-key-id": "YOUR-KEY"}),),
    )


def command(resource: Resource, options: Mapping[str, str]) -> str:
    """The command that turns it on at the resource."""
    name, option, _ = _COMMANDS[resource.ref.resource_type]
    identifier = resource.facts[KINDS[resource.ref.resource_type].identifier]
    return guidance.command(
        resource, name, {option: identifier, "enable-performance-insights": True, **options}
    )


def member_by_member(
    resource: Resource, off: Sequence[Facts], settings: Mapping[str, Any]
) -> tuple[str, ...]:
    """The commands that turn it on at single members, with the key that a person is told to use.

    The members of a Multi-AZ DB cluster have no setting of their own: there it is one command for the cluster.
    """
    key = {"performance-insights-kms-key-id": customer_keys.preferred({"allowed_keys": [], **settings})}
    if resource.facts["Engine"] in engines.MULTI_AZ_CLUSTER:
        return (command(resource, key),)
    return tuple(
        guidance.command(
            resource,
            "modify-db-instance",
            {
                "db-instance-identifier": member["DBInstanceIdentifier"],
                "enable-performance-insights": True,
                **key,
            },
        )
        for member in off
    )


def permit(resource_type: ResourceType) -> Permit:
    """To turn it on with a customer managed key; never to turn it off."""
    identifier = KINDS[resource_type].identifier
    return Permit(
        operation=_COMMANDS[resource_type][2],
        required={
            identifier: SameAs(identifier),
            "EnablePerformanceInsights": Only((True,)),
            "PerformanceInsightsKMSKeyId": CustomerKey(),
        },
        dependent_actions=_KEY_ACTIONS,
    )


def advanced_permit(resource_type: ResourceType) -> Permit:
    """To turn the Advanced mode on, with a history that is no shorter; never the Standard mode."""
    identifier = KINDS[resource_type].identifier
    return Permit(
        operation=_COMMANDS[resource_type][2],
        required={
            identifier: SameAs(identifier),
            "DatabaseInsightsMode": Only((ADVANCED,)),
            "EnablePerformanceInsights": Only((True,)),
            "PerformanceInsightsRetentionPeriod": LongerHistory(),
        },
        optional={"PerformanceInsightsKMSKeyId": CustomerKey()},
        dependent_actions=_KEY_ACTIONS,
    )


@dataclass(frozen=True, slots=True)
class LongerHistory:
    """For the write guard: what the Advanced mode takes, or the live retention where that is longer."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse to shorten the history, and any other number."""
        live = facts["PerformanceInsightsRetentionPeriod"] if facts["PerformanceInsightsEnabled"] else 0
        wanted = max(LONG_ENOUGH, live)
        return None if type(value) is int and value == wanted else f"{value!r} is not {wanted}"


def advanced(resource: Resource, *, is_on: bool, key: str) -> Plan | Manual:
    """Turn the Advanced mode on, and what it takes: Performance Insights, and its longer history.

    A key is passed only where Performance Insights is off: of what is on, it cannot be changed.
    """
    if not is_on and not key:
        return no_key(
            resource,
            {"database-insights-mode": ADVANCED, "performance-insights-retention-period": str(LONG_ENOUGH)},
        )
    identifier = KINDS[resource.ref.resource_type].identifier
    kept = resource.facts["PerformanceInsightsRetentionPeriod"] if is_on else 0
    return Plan(
        (
            Call(
                _COMMANDS[resource.ref.resource_type][2],
                {
                    identifier: resource.facts[identifier],
                    "DatabaseInsightsMode": ADVANCED,
                    "EnablePerformanceInsights": True,
                    "PerformanceInsightsRetentionPeriod": max(kept, LONG_ENOUGH),
                    **({} if is_on else {"PerformanceInsightsKMSKeyId": key}),
                },
            ),
        ),
        cost=ADVANCED_COST,
    )
