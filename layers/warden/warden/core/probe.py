"""The probe: a parameter group of the deployment's own that drifts once a day, so that a finding must follow.

A schedule sets one harmless parameter of it, and another sets it back. Nothing uses the group. What CloudTrail tells of
these calls goes the way of every event, and ends in a finding of its own: where none comes, none would come for a
database either. It is observed and no more: nobody gets a ticket for it, and Warden may not write to it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Severity,
    Verdict,
    compliant,
    non_compliant,
)
from warden.core.dataclass import dataclass
from warden.core.kinds import resource_key
from warden.core.resource import ResourceRef, ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.finding import Finding
    from warden.core.resource import Deployment, Resource

PARAMETER, AT_REST = "log_min_duration_statement", "60000"
"""In milliseconds: even somebody's cluster that were given this group would not notice one more."""
SET = "Set"
"""The fact that holds what somebody set in the group, by the parameter's name."""

OVERDUE = timedelta(hours=26)
"""A day from one drift to the next, and two hours for CloudTrail: it delivers within minutes and promises nothing."""


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Whether the parameter is where the schedule that mends leaves it."""
    value = resource.facts[SET].get(PARAMETER, AT_REST)
    if value == AT_REST:
        return compliant(f"{resource.ref.id} is at rest.")
    return non_compliant(f"{resource.ref.id} has {PARAMETER} at {value}, which is {AT_REST} at rest.")


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="The probe is at rest",
    resource_type=ResourceType.DB_CLUSTER_PARAMETER_GROUP,
    severity=Severity.LOW,
    evaluate=evaluate,
    fix="Nothing: the schedule that made it drift is followed by one that sets it back.",
    examples=(
        Example(name="at rest", facts={SET: {PARAMETER: AT_REST}}, expect=ComplianceType.COMPLIANT),
        Example(name="nothing set", facts={SET: {}}, expect=ComplianceType.COMPLIANT),
        Example(name="drifted", facts={SET: {PARAMETER: "60001"}}, expect=ComplianceType.NON_COMPLIANT),
    ),
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What the probe has proved, as of now."""

    since: datetime
    """When the last finding was opened, or the first is waited for."""
    finding: Finding | None
    """None where none was ever opened."""
    is_overdue: bool

    @property
    def seconds(self) -> float:
        """From the call that made it drift to the finding; 0 where there is none."""
        return 0.0 if self.finding is None else took(self.finding)


def proof(finding: Finding | None, *, watched_since: datetime, now: datetime) -> Proof:
    """What a finding of the probe proves; an event of either schedule that was lost leaves it old."""
    since = watched_since if finding is None else finding.first_observed
    return Proof(since=since, finding=finding, is_overdue=now - since > OVERDUE)


def took(finding: Finding) -> float:
    """Seconds from the call that the finding's event tells of to the finding."""
    return (finding.first_observed - datetime.fromisoformat(finding.cause["at"])).total_seconds()


def ref_of(group: str, deployment: Deployment) -> ResourceRef:
    """The reference of the probe, by the name of its group."""
    return ResourceRef.build(
        ResourceType.DB_CLUSTER_PARAMETER_GROUP,
        partition=deployment.partition,
        region=deployment.region,
        account=deployment.account,
        name=group,
    )


def key_of(ref: ResourceRef) -> str:
    """The key of its finding."""
    return resource_key(ref.resource_type, account=ref.account, region=ref.region, immutable_id=ref.arn)
