"""The log group of a database keeps what it gets for as long as the policy wants.

Why it matters
--------------
Whoever looks into an incident needs the log of the day on which it began, which is often months ago. Anybody
may shorten a log group's retention in a moment, and what is older is deleted. On the other side, a group that
RDS creates keeps everything for ever, which some rules forbid, and the bill grows.

Only log groups of RDS are judged whose database exists. Those that keep for ever have no retention, which fails
unless the policy says that it passes. A policy of the account that sets the retention of many groups counts, too.

Remediation safety
------------------
Costs. Warden only ever lengthens a retention: then more is kept, in us-east-1 at 0.03 USD for each GB and
month. Where a group keeps for ever, a person is told; a retention is set only if the policy says that such groups
get an end, and only to a year or more, since it deletes what is older. A retention that a policy of the account sets
is that policy's to change: a group's own would have no effect.

References
----------
- Amazon CloudWatch Logs API Reference, PutRetentionPolicy: retentionInDays
- Amazon CloudWatch Logs API Reference, LogGroup: retentionPolicyName
- Amazon Aurora User Guide, "Publishing Aurora PostgreSQL logs to Amazon CloudWatch Logs"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import frameworks, guidance
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Setting,
    Severity,
    Verdict,
    compliant,
    non_compliant,
)
from warden.core.dataclass import dataclass
from warden.core.guard import Permit, SameAs
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Facts, Resource

# "Possible values are: ..." (PutRetentionPolicy).
POSSIBLE = (
    *(
        1,
        3,
        5,
        7,
        14,
        30,
        60,
        90,
        120,
        150,
        180,
        365,
        400,
        545,
        731,
        1096,
        1827,
        2192,
        2557,
        2922,
        3288,
        3653,
    ),
)
A_YEAR = 365
COST = "What is kept for longer is billed for longer: in us-east-1, 0.03 USD for each GB and month."


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Compare the retention, if there is one, with the policy's."""
    days, minimum = resource.facts["retentionInDays"], settings["minimum_days"]
    by = resource.facts["retentionPolicyName"]
    source = f", by the account's policy {by}" if by else ""
    if days is None:
        kept = f"{resource.ref.id} keeps everything for ever{source}"
        if settings["never_expires"] == "passes":
            return compliant(f"{kept}, and the policy wants {minimum} days.")
        return non_compliant(f"{kept}; the policy wants an end after {minimum} days or more.")
    kept = f"{resource.ref.id} keeps what it gets for {days} days{source}; the policy wants {minimum}."
    return compliant(kept) if days >= minimum else non_compliant(kept)


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Set the shortest retention that CloudWatch Logs knows and the policy accepts."""
    days, minimum = resource.facts["retentionInDays"], settings["minimum_days"]
    name = resource.facts["logGroupName"]
    wanted = next(possible for possible in POSSIBLE if possible >= minimum)
    if by := resource.facts["retentionPolicyName"]:
        return Manual(
            f"The account's retention policy {by} decides, and a retention of the log group's own would have no "
            "effect: change that policy, or what it selects.",
            (
                guidance.command(
                    resource,
                    "describe-account-policies",
                    {"policy-type": "RETENTION_POLICY", "policy-name": by},
                    service="logs",
                ),
            ),
        )
    if days is None and settings["never_expires"] != "ends":
        return Manual(
            "It keeps everything for ever, as RDS creates it. A retention deletes what is older than that: look "
            'whether anybody needs it, and set it. never_expires = "ends" in the policy has Warden do so, and "passes" '
            "leaves it.",
            (_put(resource, wanted),),
        )
    if days is None and wanted < A_YEAR:
        return Manual(
            f"It keeps everything for ever, and a retention of {wanted} days would delete what is older than that: "
            "look whether anybody needs it, and set it then.",
            (_put(resource, wanted),),
        )
    return Plan(
        (Call("PutRetentionPolicy", {"logGroupName": name, "retentionInDays": wanted}),),
        cost=COST,
    )


def _put(resource: Resource, days: int) -> str:
    return guidance.command(
        resource,
        "put-retention-policy",
        {"log-group-name": resource.facts["logGroupName"], "retention-in-days": str(days)},
        service="logs",
    )


@dataclass(frozen=True, slots=True)
class LongerRetention:
    """For the write guard: a possible retention above the live one, or of at least a year where there is none."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse to shorten, to delete anything within a year, and what CloudWatch Logs does not know."""
        if type(value) is not int or value not in POSSIBLE:
            return f"{value!r} is no possible retention"
        live = facts["retentionInDays"]
        if live is None:
            return None if value >= A_YEAR else f"{value} days would delete what is kept for ever now"
        return None if value > live else f"{value} does not raise the live retention of {live} days"


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Log groups of databases keep what they get for as long as the policy wants",
    resource_type=ResourceType.LOG_GROUP,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.security_hub("CloudWatch.16"),
        frameworks.config("cw-loggroup-retention-period-check"),
        frameworks.prowler("cloudwatch_log_group_retention_policy_specific_days_enabled"),
        frameworks.pci_dss("10.5.1"),
        frameworks.nist("AU-10", "AU-11", "AU-6(3)", "AU-6(4)", "CA-7", "SI-12"),
        frameworks.hipaa("164.312(b)"),
        frameworks.iso_27001("A.5.33", "A.8.15"),
        frameworks.soc_2("CC7.2"),
    ),
    settings=(
        Setting(
            name="minimum_days",
            default=365,
            doc="The fewest days that the logs of databases are kept.",
            minimum=1,
            maximum=POSSIBLE[-1],
        ),
        Setting(
            name="never_expires",
            default="fails",
            doc="What a log group does that keeps everything for ever: it passes, it fails and a person is told, or it "
            "fails and Warden gives it an end.",
            choices=("passes", "fails", "ends"),
        ),
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(
            Permit(
                operation="PutRetentionPolicy",
                required={"logGroupName": SameAs("logGroupName"), "retentionInDays": LongerRetention()},
            ),
        ),
        safety=Safety.COSTS,
    ),
    fix="""\
Lengthen the retention; what was deleted already does not come back:

    aws logs put-retention-policy --log-group-name {id} --retention-in-days 365 --region {region}

Make it last: CloudFormation `RetentionInDays: 365` of `AWS::Logs::LogGroup`; Terraform `retention_in_days = 365` of
`aws_cloudwatch_log_group`. Create the group before the export is enabled, and RDS uses it.
""",
    examples=(
        Example(name="long enough", facts={"retentionInDays": 400}, expect=ComplianceType.COMPLIANT),
        Example(name="exactly long enough", facts={"retentionInDays": 365}, expect=ComplianceType.COMPLIANT),
        Example(name="too short", facts={"retentionInDays": 30}, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="a minimum between two possible retentions",
            facts={"retentionInDays": 365},
            settings={"minimum_days": 366},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="for ever, as RDS creates it",
            facts={"retentionInDays": None},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="for ever, which the policy accepts",
            facts={"retentionInDays": None},
            settings={"never_expires": "passes"},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="for ever, and the policy sets an end",
            facts={"retentionInDays": None},
            settings={"never_expires": "ends"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="for ever, and the policy wants an end too soon for Warden to set it",
            facts={"retentionInDays": None},
            settings={"never_expires": "ends", "minimum_days": 30},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="too short by a policy of the account",
            facts={"retentionInDays": 30, "retentionPolicyName": "thirty-days"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the retention is not known",
            facts={},
            missing=("retentionInDays",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
