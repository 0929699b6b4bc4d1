"""Enhanced Monitoring: how often RDS looks into a database's operating system, for both kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import guidance
from warden.core.control import Setting, Verdict, compliant, non_compliant
from warden.core.dataclass import dataclass
from warden.core.guard import Permit, SameAs
from warden.core.kinds import KINDS, Need
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import Facts, ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource

INTERVALS = (1, 5, 10, 15, 30, 60)
""""Valid Values: 0 | 1 | 5 | 10 | 15 | 30 | 60" (ModifyDBInstance: MonitoringInterval), in seconds; 0 is off."""
ROLE_NAME = "rds-monitoring-role"
"""The one role that Warden may hand to RDS. It is the name that RDS's own console gives to the role that it makes
(RDS User Guide, "Creating an IAM role for Enhanced Monitoring"). IAM lets roles pass to that service alone; the name is
held by the write guard."""
COST = (
    "What Enhanced Monitoring sees is kept in CloudWatch Logs: in us-east-1, 0.50 USD for each GB that comes in, the "
    "more the shorter the interval."
)

MAXIMUM_SECONDS = Setting(
    name="maximum_seconds",
    default=60,
    doc="The longest interval, in seconds, at which Enhanced Monitoring may look.",
    minimum=1,
    maximum=60,
)
MONITORING_ROLE = Setting(
    name="monitoring_role",
    default="",
    doc=f"{ROLE_NAME}, once a role of that name is there in each account, which RDS uses to send what it sees to "
    "CloudWatch Logs; Warden may pass no other. Empty: Warden turns no Enhanced Monitoring on.",
    pattern=f"({ROLE_NAME})?",
)
SETTINGS = (MAXIMUM_SECONDS, MONITORING_ROLE)

_COMMANDS = {
    ResourceType.DB_CLUSTER: ("modify-db-cluster", "db-cluster-identifier", "ModifyDBCluster"),
    ResourceType.DB_INSTANCE: ("modify-db-instance", "db-instance-identifier", "ModifyDBInstance"),
}
_TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"monitoring.rds.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}]}'
)


def live_interval(facts: Facts) -> int:
    """The interval now, in seconds; 0 where it is off, for one member at least.

    A Multi-AZ DB cluster that was created without the setting may not show it; its members do.
    """
    interval = facts["MonitoringInterval"]
    if interval is not None:
        return int(interval)
    of_members = [int(Facts(member)["MonitoringInterval"]) for member in facts[Need.MEMBERS]]
    return 0 if 0 in of_members else max(of_members, default=0)


def judge(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Whether the interval is there, and no longer than the policy's: a shorter one is no fault."""
    interval, maximum = live_interval(resource.facts), settings["maximum_seconds"]
    if interval == 0:
        return non_compliant(f"{resource.ref.id} has Enhanced Monitoring off.")
    looked = f"{resource.ref.id} has Enhanced Monitoring every {interval} seconds; the policy wants {maximum} at most."
    return compliant(looked) if interval <= maximum else non_compliant(looked)


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Look at the longest interval that the policy accepts, by the role that Warden may pass.

    Neither PendingModifiedValues nor ClusterPendingModifiedValues has a member for it: it does not wait for the
    maintenance window, and ApplyImmediately, which would apply what others queued, is not needed.
    """
    wanted = max(interval for interval in INTERVALS if interval <= settings["maximum_seconds"])
    role = role_arn(resource)
    live_role = resource.facts["MonitoringRoleArn"]
    if live_interval(resource.facts) and live_role != role:
        return Manual(
            f"What is seen is sent by {live_role or 'a role that AWS does not name'}, which Warden may not pass: "
            "shorten the interval by hand.",
            (_command(resource, wanted, live_role or "YOUR-ROLE"),),
        )
    if not settings["monitoring_role"]:
        return Manual(
            "The policy names no role (monitoring_role) that RDS sends what it sees with. Make one once for the "
            "account, and turn Enhanced Monitoring on with it.",
            (*_make_the_role(resource), _command(resource, wanted, role)),
        )
    identifier = KINDS[resource.ref.resource_type].identifier
    return Plan(
        (
            Call(
                _COMMANDS[resource.ref.resource_type][2],
                {
                    identifier: resource.facts[identifier],
                    "MonitoringInterval": wanted,
                    "MonitoringRoleArn": role,
                },
            ),
        ),
        cost=COST,
    )


def role_arn(resource: Resource) -> str:
    """The role, in the account of the resource."""
    return f"arn:{resource.ref.partition}:iam::{resource.ref.account}:role/{ROLE_NAME}"


def _make_the_role(resource: Resource) -> tuple[str, ...]:
    policy = f"arn:{resource.ref.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
    return (
        guidance.command(
            resource,
            "create-role",
            {"role-name": ROLE_NAME, "assume-role-policy-document": _TRUST},
            service="iam",
        ),
        guidance.command(
            resource, "attach-role-policy", {"role-name": ROLE_NAME, "policy-arn": policy}, service="iam"
        ),
    )


def _command(resource: Resource, interval: int, role: str) -> str:
    name, option, _ = _COMMANDS[resource.ref.resource_type]
    return guidance.command(
        resource,
        name,
        {
            option: resource.facts[KINDS[resource.ref.resource_type].identifier],
            "monitoring-interval": str(interval),
            "monitoring-role-arn": role,
        },
    )


@dataclass(frozen=True, slots=True)
class ShorterInterval:
    """For the write guard: an interval that RDS knows, where there is none, or below the live one."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse to turn it off, to look less often, and what RDS does not know."""
        if type(value) is not int or value not in INTERVALS:
            return f"{value!r} is none of the intervals {list(INTERVALS)!r}"
        live = live_interval(facts)
        return None if live == 0 or value < live else f"{value} seconds are not below the live {live}"


@dataclass(frozen=True, slots=True)
class MonitoringRole:
    """For the write guard: the one role of the resource's own account that may be passed."""

    arn_fact: str

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse any other role."""
        _, partition, _, _, account, *_ = facts[self.arn_fact].split(":")
        wanted = f"arn:{partition}:iam::{account}:role/{ROLE_NAME}"
        return None if value == wanted else f"{value!r} is not {wanted!r}"


def permit(resource_type: ResourceType) -> Permit:
    """To turn it on, or shorten the interval, with the one role."""
    kind = KINDS[resource_type]
    return Permit(
        operation=_COMMANDS[resource_type][2],
        required={
            kind.identifier: SameAs(kind.identifier),
            "MonitoringInterval": ShorterInterval(),
            "MonitoringRoleArn": MonitoringRole(kind.arn),
        },
        # "You must have permission to pass the role" (RDS User Guide, "Setting up for Enhanced Monitoring").
        dependent_actions=("iam:PassRole",),
    )
