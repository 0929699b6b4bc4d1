"""A trail of CloudTrail records every call that changes a database, in all Regions.

Why it matters
--------------
CloudTrail is the record of who changed what. It is also how Warden hears of drift: without a trail that is
logging, EventBridge gets no calls, and everything waits for the next sweep. So whoever wants to be unseen
stops the trail first, confines it to one Region, or leaves RDS out of it.

This control wants one trail that is multi-Region, logging and validated, and whose selectors record the
management calls that write, of RDS and of its Data API. Such a trail of the organization counts. Selectors
that narrow by anything else do not.

Remediation safety
------------------
Safe, because Warden writes nothing: a trail belongs to those who secure the account, as a rule in another
one, and whoever stopped it may be the one to look for. A ticket says what each trail lacks.

References
----------
- AWS CloudTrail API Reference, DescribeTrails, GetTrailStatus and GetEventSelectors
- AWS CloudTrail API Reference, AdvancedFieldSelector
- Amazon EventBridge User Guide, "AWS service events delivered via AWS CloudTrail"
- AWS Security Hub CSPM, controls CloudTrail.1 and CloudTrail.4
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import frameworks, guidance, trails
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
    compliant,
    insufficient_data,
    non_compliant,
)
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Look for one trail that does; one that cannot be read may be it."""
    found = resource.facts[Need.TRAILS]
    known = {trail["TrailARN"]: trails.shortcomings(trail) for trail in found if "Unknown" not in trail}
    if right := [arn for arn, lacks in known.items() if not lacks]:
        return compliant(f"{resource.ref.id} has every call that changes a database recorded by {right[0]}.")
    if unknown := [trail for trail in found if "Unknown" in trail]:
        return insufficient_data(
            f"{resource.ref.id} was not judged: no trail that can be read records every call, and "
            f"{unknown[0]['TrailARN']} cannot be read: {unknown[0]['Unknown'].rstrip('.')}."
        )
    if not known:
        return non_compliant(
            f"{resource.ref.id} has no trail in {resource.home}: nobody records who changes what."
        )
    told = "; ".join(f"{arn}: {', '.join(lacks)}" for arn, lacks in known.items())
    return non_compliant(
        f"{resource.ref.id} has no trail that records every call that changes a database: {told}."
    )


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Manual:
    """Say what each trail takes to do."""
    found = [trail for trail in resource.facts[Need.TRAILS] if "Unknown" not in trail]
    if not found:
        return Manual(
            "There is no trail. Make one for all Regions, best one of the organization, into a bucket that the "
            "administrators of databases cannot write to, and start it.",
            (
                guidance.command(
                    resource,
                    "create-trail",
                    {
                        "name": "management-events",
                        "s3-bucket-name": "BUCKET",
                        "is-multi-region-trail": True,
                        "enable-log-file-validation": True,
                    },
                    service="cloudtrail",
                ),
                guidance.command(
                    resource, "start-logging", {"name": "management-events"}, service="cloudtrail"
                ),
            ),
        )
    best = min(found, key=lambda trail: len(trails.shortcomings(trail)))
    arn = best["TrailARN"]
    home = resource._replace(home=best["HomeRegion"])
    stopped = (
        ""
        if best["IsLogging"]
        else " Look first who stopped it, and why: that is a common first step of an attack."
    )
    return Manual(
        f"{arn} lacks least: {', '.join(trails.shortcomings(best))}.{stopped} Put that right where the trail is at "
        "home. put-event-selectors replaces the selectors that there are: give it those for data events, too.",
        (
            guidance.command(
                home,
                "update-trail",
                {"name": arn, "is-multi-region-trail": True, "enable-log-file-validation": True},
                service="cloudtrail",
            ),
            guidance.command(
                home,
                "put-event-selectors",
                {
                    "trail-name": arn,
                    "event-selectors": '[{"ReadWriteType": "All", "IncludeManagementEvents": true}]',
                },
                service="cloudtrail",
            ),
            guidance.command(home, "start-logging", {"name": arn}, service="cloudtrail"),
        ),
    )


_ARN = "arn:aws:cloudtrail:eu-west-1:123456789012:trail/everything"
_ALL = {"ReadWriteType": "All", "IncludeManagementEvents": True, "ExcludeManagementEventSources": []}


def _trail(*, advanced: tuple[dict[str, Any], ...] = (), **other: Any) -> dict[str, Any]:
    """A trail as the reader joins it, for the examples."""
    return {
        "TrailARN": _ARN,
        "HomeRegion": "eu-west-1",
        "IsMultiRegionTrail": True,
        "LogFileValidationEnabled": True,
        "IsLogging": True,
        "EventSelectors": [] if advanced else [_ALL],
        "AdvancedEventSelectors": [{"FieldSelectors": list(advanced)}] if advanced else [],
        **other,
    }


_MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}
_WRITES = {"Field": "readOnly", "Equals": ["false"]}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="A trail records every call that changes a database, in all Regions",
    resource_type=ResourceType.ACCOUNT,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.security_hub("CloudTrail.1"),
        frameworks.security_hub("CloudTrail.4"),
        frameworks.config("multi-region-cloudtrail-enabled"),
        frameworks.config("cloud-trail-log-file-validation-enabled"),
        frameworks.prowler("cloudtrail_multi_region_enabled_logging_management_events"),
        frameworks.prowler("cloudtrail_log_file_validation_enabled"),
        frameworks.CIS_TRAIL,
        frameworks.pci_dss("10.2.1"),
        frameworks.LOGGING,
    ),
    needs=(Need.TRAILS,),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.SAFE),
    fix="""\
Look at the trails of the account {id}, and start the one that was stopped:

    aws cloudtrail describe-trails --region {region}
    aws cloudtrail start-logging --name TRAIL-ARN --region {region}

Let it record all Regions and every management call:

    aws cloudtrail update-trail --name TRAIL-ARN --is-multi-region-trail --enable-log-file-validation --region {region}
    aws cloudtrail put-event-selectors --trail-name TRAIL-ARN --region {region} \\
        --event-selectors '[{"ReadWriteType": "All", "IncludeManagementEvents": true}]'

Make it last: CloudFormation `IsMultiRegionTrail: true` of `AWS::CloudTrail::Trail`; Terraform
`is_multi_region_trail = true` of `aws_cloudtrail`; and a service control policy against `cloudtrail:StopLogging`.
""",
    examples=(
        Example(
            name="one trail records everything", facts={"Trails": [_trail()]}, expect=ComplianceType.COMPLIANT
        ),
        Example(
            name="the second trail does",
            facts={"Trails": [_trail(IsLogging=False), _trail(TrailARN=f"{_ARN}-2")]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an advanced selector of all that writes",
            facts={"Trails": [_trail(advanced=(_MANAGEMENT, _WRITES))]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an advanced selector without the noise of KMS",
            facts={
                "Trails": [
                    _trail(
                        advanced=(_MANAGEMENT, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]})
                    )
                ]
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an advanced selector without the Data API",
            facts={
                "Trails": [
                    _trail(advanced=(_MANAGEMENT, {"Field": "eventSource", "NotStartsWith": ["rdsdata."]}))
                ]
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an advanced selector of one service alone",
            facts={
                "Trails": [
                    _trail(advanced=(_MANAGEMENT, {"Field": "eventSource", "Equals": ["ec2.amazonaws.com"]}))
                ]
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an advanced selector of what is only read",
            facts={"Trails": [_trail(advanced=(_MANAGEMENT, {"Field": "readOnly", "Equals": ["true"]}))]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an advanced selector that narrows by who calls",
            facts={
                "Trails": [
                    _trail(
                        advanced=(
                            _MANAGEMENT,
                            {"Field": "userIdentity.arn", "NotStartsWith": ["arn:aws:sts"]},
                        )
                    )
                ]
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="data events alone",
            facts={"Trails": [_trail(EventSelectors=[{**_ALL, "IncludeManagementEvents": False}])]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the Data API is excluded",
            facts={
                "Trails": [
                    _trail(
                        EventSelectors=[{**_ALL, "ExcludeManagementEventSources": ["rdsdata.amazonaws.com"]}]
                    )
                ]
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the trail was stopped",
            facts={"Trails": [_trail(IsLogging=False)]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a trail of one Region, whose files are not validated",
            facts={"Trails": [_trail(IsMultiRegionTrail=False, LogFileValidationEnabled=False)]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(name="no trail", facts={"Trails": []}, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="the trail of the organization cannot be read",
            facts={
                "Trails": [
                    _trail(IsLogging=False),
                    {
                        "TrailARN": f"{_ARN}-organization",
                        "Unknown": "cloudtrail:GetTrailStatus: AccessDenied",
                    },
                ]
            },
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="the trails could not be listed",
            facts={},
            missing=("Trails",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
