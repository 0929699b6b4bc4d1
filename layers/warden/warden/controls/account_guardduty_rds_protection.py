"""GuardDuty looks at the logins to databases: RDS Protection is on.

Why it matters
--------------
A stolen password works. What gives it away is that it is used from where nobody used it before, a thousand
times in an hour, or through Tor: RDS Protection learns how each Aurora and RDS database is logged in to, and
reports what differs. It needs no agent and no log export, and changes nothing in the database.

GuardDuty has one detector in each account and Region, which must be enabled, and RDS Protection is one of its
features.

Remediation safety
------------------
Costs. Warden turns on the one feature of a detector that is enabled, and nothing else of it. In us-east-1 RDS
Protection is billed at 1.00 USD for each vCPU and month, 0.25 USD for each ACU of Aurora Serverless v2, after
thirty days on trial. Where GuardDuty itself is off, another account administers it, or a GuardDuty policy
manages the feature, Warden does nothing: those decide for many accounts, and would take it back.

References
----------
- Amazon GuardDuty API Reference, UpdateDetector: Features, RDS_LOGIN_EVENTS
- Amazon GuardDuty API Reference, GetAdministratorAccount
- Amazon GuardDuty User Guide, "GuardDuty RDS Protection"
- AWS Security Hub CSPM, control GuardDuty.9
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
    Severity,
    Verdict,
    compliant,
    non_compliant,
)
from warden.core.dataclass import dataclass
from warden.core.guard import Fields, ListOf, Only, Permit
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Facts, Resource

FEATURE = "RDS_LOGIN_EVENTS"
ENABLED = "ENABLED"
COST = (
    "RDS Protection is billed by the size of the databases: in us-east-1, 1.00 USD for each vCPU and month, 0.25 USD "
    "for each ACU of Aurora Serverless v2."
)


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Look for a detector that is enabled, and in it for the feature."""
    detectors = resource.facts[Need.DETECTORS]
    where = f"{resource.ref.id}, in {resource.home},"
    if not detectors:
        return non_compliant(f"{where} has no GuardDuty: nobody looks at the logins to databases.")
    if (status := detectors[0]["Status"]) != ENABLED:
        return non_compliant(
            f"{where} has GuardDuty {status.lower()}: nobody looks at the logins to databases."
        )
    if _feature(detectors[0]).get("Status") != ENABLED:
        return non_compliant(f"{where} has GuardDuty without RDS Protection.")
    return compliant(f"{where} has GuardDuty with RDS Protection.")


def _feature(detector: Mapping[str, Any]) -> Mapping[str, Any]:
    """The feature of a detector; empty where GuardDuty does not list it, as in Regions that lack it."""
    return next((item for item in detector["Features"] if item["Name"] == FEATURE), {})


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan | Manual:
    """Turn the feature on, where nobody else decides about it."""
    detectors = resource.facts[Need.DETECTORS]
    if not detectors:
        return Manual(
            "GuardDuty is off in this account and Region. It looks at much more than databases, so somebody must "
            "decide about all of it; in an organization, its delegated administrator.",
            (guidance.command(resource, "create-detector", {"enable": True}, service="guardduty"),),
        )
    detector = detectors[0]
    if administrator := resource.facts[Need.GUARDDUTY_ADMINISTRATOR]:
        return Manual(
            f"The account {administrator} administers GuardDuty here: ask there to turn RDS Protection on, for this "
            "account or for all.",
            (_update_members(resource),),
        )
    if detector["Status"] != ENABLED:
        return Manual(
            "Somebody suspended GuardDuty in this account and Region: ask why. Enabling it starts all of it.",
            (
                guidance.command(
                    resource,
                    "update-detector",
                    {"detector-id": detector["DetectorId"], "enable": True},
                    service="guardduty",
                ),
            ),
        )
    if manager := _feature(detector).get("ManagedBy"):
        return Manual(
            f"{manager} manages RDS Protection here, and would take a change back: change it in the GuardDuty "
            "policy of the organization."
        )
    return Plan(
        (
            Call(
                "UpdateDetector",
                {
                    "DetectorId": detector["DetectorId"],
                    "Features": [{"Name": FEATURE, "Status": ENABLED}],
                },
            ),
        ),
        cost=COST,
    )


def _update_members(resource: Resource) -> str:
    """What the administrator calls, with its own detector."""
    return guidance.command(
        resource,
        "update-member-detectors",
        {
            "detector-id": "ADMINISTRATORS-DETECTOR",
            "account-ids": [resource.ref.account],
            "features": [f"Name={FEATURE},Status={ENABLED}"],
        },
        service="guardduty",
    )


@dataclass(frozen=True, slots=True)
class OwnDetector:
    """For the write guard: the account's own detector, which is enabled, and which no other account administers."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse another detector, one that is suspended, and one that another account decides about."""
        if administrator := facts[Need.GUARDDUTY_ADMINISTRATOR]:
            return f"the account {administrator} administers GuardDuty"
        own = [item["DetectorId"] for item in facts[Need.DETECTORS] if item["Status"] == ENABLED]
        return None if isinstance(value, str) and value in own else f"{value!r} is not among {own!r}"


def _detector(feature: str | None, *, status: str = ENABLED, **more: str) -> dict[str, Any]:
    """A detector, for the examples."""
    features = [{"Name": "S3_DATA_EVENTS", "Status": ENABLED}]
    if feature is not None:
        features.append({"Name": FEATURE, "Status": feature, **more})
    return {"DetectorId": "12abc34d567e8fa901bc2d34e56789f0", "Status": status, "Features": features}


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="GuardDuty RDS Protection is on",
    resource_type=ResourceType.ACCOUNT,
    severity=Severity.HIGH,
    # The nearest relative is GuardDuty.1, that GuardDuty is enabled at all.
    frameworks=frameworks.mapping(
        frameworks.security_hub("GuardDuty.9"),
        frameworks.config("guardduty-rds-protection-enabled"),
        frameworks.prowler("guardduty_rds_protection_enabled"),
        frameworks.pci_dss("11.5.1"),
        frameworks.nist("AC-2(12)", "AU-6(1)", "CA-7", "SI-3(8)", "SI-4", "SI-4(20)"),
        frameworks.hipaa("164.308(a)(1)(ii)(D)", "164.308(a)(5)(ii)(C)"),
        frameworks.iso_27001("A.8.16"),
        frameworks.soc_2("CC7.2"),
    ),
    needs=(Need.DETECTORS,),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(
            Permit(
                operation="UpdateDetector",
                required={
                    "DetectorId": OwnDetector(),
                    "Features": ListOf(Fields({"Name": Only((FEATURE,)), "Status": Only((ENABLED,))})),
                },
            ),
        ),
        safety=Safety.COSTS,
        needs=(Need.GUARDDUTY_ADMINISTRATOR,),
    ),
    fix="""\
Find the detector of the account {id}, and turn the feature on:

    aws guardduty list-detectors --region {region}
    aws guardduty update-detector --detector-id DETECTOR --features Name=RDS_LOGIN_EVENTS,Status=ENABLED \\
        --region {region}

In an organization, the delegated administrator turns it on for all accounts, and for those to come.

Make it last: CloudFormation `Features: [{Name: RDS_LOGIN_EVENTS, Status: ENABLED}]` of `AWS::GuardDuty::Detector`;
Terraform `aws_guardduty_detector_feature`, or `aws_guardduty_organization_configuration_feature`.
""",
    examples=(
        Example(name="on", facts={"Detectors": [_detector(ENABLED)]}, expect=ComplianceType.COMPLIANT),
        Example(
            name="off", facts={"Detectors": [_detector("DISABLED")]}, expect=ComplianceType.NON_COMPLIANT
        ),
        Example(
            name="not among the detector's features",
            facts={"Detectors": [_detector(None)]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="on, in a detector that is suspended",
            facts={"Detectors": [_detector(ENABLED, status="DISABLED")]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(name="no GuardDuty", facts={"Detectors": []}, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="off, and another account administers it",
            facts={"Detectors": [_detector("DISABLED")], "GuardDutyAdministrator": "210987654321"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="off, and a policy of the organization manages it",
            facts={"Detectors": [_detector("DISABLED", ManagedBy="GUARDDUTY_POLICY")]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="GuardDuty could not be read",
            facts={},
            missing=("Detectors",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
