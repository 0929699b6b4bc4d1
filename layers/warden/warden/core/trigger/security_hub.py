"""Security Hub: findings of its controls about databases, in ASFF and in OCSF.

One event may hold several findings, and a finding several resources; each finding has a result of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from warden.core.kinds import KINDS
from warden.core.resource import ResourceType
from warden.core.trigger.envelope import cause_of, triggers_of
from warden.core.trigger.fields import shown
from warden.core.trigger.identity import identified
from warden.core.trigger.model import Ignored, IgnoredReason, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from warden.core.trigger.envelope import Envelope
    from warden.core.trigger.fields import Node
    from warden.core.trigger.model import Target, Trigger

_IMPORTED: Final = "Security Hub Findings - Imported"
_CUSTOM_ACTION: Final = "Security Hub Findings - Custom Action"
_IMPORTED_V2: Final = "Findings Imported V2"

_PRODUCT: Final = "product/aws/securityhub"
_COMPLIANCE_CLASS: Final = 2003
# Compliance, workflow and record: what is neither passed nor taken care of nor gone.
_OPEN: Final = frozenset({("FAILED", "NEW", "ACTIVE"), ("FAILED", "NOTIFIED", "ACTIVE")})
# OCSF's status_id of a finding: 1 is New, 2 is In Progress; after that it is suppressed, resolved or gone.
_OPEN_STATUS_IDS: Final = frozenset({1, 2})
# OCSF's status_id of a compliance check: 3 is Fail.
_FAILED_ID: Final = 3

_TYPES: Final[Mapping[str, ResourceType]] = {
    **{kind.security_hub: kind.resource_type for kind in KINDS.values() if kind.security_hub},
    **{resource_type.value: resource_type for resource_type in ResourceType},
}


def read(event: Envelope) -> tuple[Trigger | Ignored, ...]:
    """Read the findings of an event."""
    reader = _READERS.get(event.detail_type)
    if reader is None:
        return (
            Ignored(
                reason=IgnoredReason.UNKNOWN_DETAIL_TYPE,
                detail=f"{shown(event.detail_type)} holds no findings.",
            ),
        )
    findings = event.detail.children("findings")
    if not findings:
        return (Ignored(reason=IgnoredReason.NO_RESOURCE, detail="The event holds no finding."),)
    parts = (part for finding in findings for part in reader(finding, event))
    # Two findings about one resource are one look, whose cause is the first.
    seen: dict[Target | Ignored, Trigger | Ignored] = {}
    for part in parts:
        seen.setdefault(part if isinstance(part, Ignored) else part.target, part)
    return tuple(seen.values())


def _asff(finding: Node, event: Envelope) -> tuple[Trigger | Ignored, ...]:
    name = finding.text("Id")
    product = finding.text("ProductArn")
    # Whoever picks a finding and sends it by a custom action wants a look, whatever its product and state.
    if event.detail_type != _CUSTOM_ACTION:
        if not product.endswith(_PRODUCT):
            return (_of_other_product(name, product),)
        state = (
            finding.maybe_child("Compliance").maybe_text("Status"),
            finding.maybe_child("Workflow").maybe_text("Status"),
            finding.maybe_text("RecordState"),
        )
        if state not in _OPEN:
            return (_not_open(name, state),)
    home = event.home(finding.maybe_text("AwsAccountId"), finding.maybe_text("Region"))
    targets = [
        identified(resource.text("Id"), _TYPES.get(resource.maybe_text("Type")), home, resource.where("Id"))
        for resource in finding.children("Resources")
    ]
    # Consolidated findings say `RDS.7`; those of one standard say it in their product fields.
    control = (
        finding.maybe_child("Compliance").maybe_text("SecurityControlId")
        or finding.maybe_child("ProductFields").maybe_text("ControlId")
        or finding.maybe_text("GeneratorId").rpartition("/")[2]
    )
    return _found(targets, name, control, event)


def _ocsf(finding: Node, event: Envelope) -> tuple[Trigger | Ignored, ...]:
    name = finding.child("finding_info").text("uid")
    product = finding.child("metadata").child("product").maybe_text("uid")
    if finding.value.get("class_uid") != _COMPLIANCE_CLASS or not product.endswith(_PRODUCT):
        return (_of_other_product(name, product),)
    compliance = finding.maybe_child("compliance")
    if not _failed(compliance) or not _is_open(finding):
        return (_not_open(name, (compliance.maybe_text("status"), finding.maybe_text("status"))),)
    cloud = finding.maybe_child("cloud")
    targets = [_ocsf_resource(resource, cloud, event) for resource in finding.children("resources")]
    return _found(targets, name, compliance.maybe_text("control"), event)


def _failed(compliance: Node) -> bool:
    return compliance.value.get("status_id") == _FAILED_ID or compliance.maybe_text("status") == "Fail"


def _is_open(finding: Node) -> bool:
    status_id = finding.value.get("status_id")
    return (
        status_id in _OPEN_STATUS_IDS if isinstance(status_id, int) else finding.maybe_text("status") == "New"
    )


def _ocsf_resource(resource: Node, cloud: Node, event: Envelope) -> Target | Ignored:
    # The ARN is in uid_alt or in uid; without one, uid is an id or a name.
    if resource.maybe_text("uid_alt").startswith("arn:"):
        key = "uid_alt"
    else:
        key = "uid" if resource.maybe_text("uid") else "name"
    home = event.home(
        resource.maybe_child("owner").maybe_child("account").maybe_text("uid")
        or cloud.maybe_child("account").maybe_text("uid"),
        resource.maybe_text("region") or cloud.maybe_text("region"),
    )
    resource_type = _TYPES.get(resource.maybe_text("type"))
    return identified(resource.text(key), resource_type, home, resource.where(key))


def _found(
    targets: list[Target | Ignored], name: str, control: str, event: Envelope
) -> tuple[Trigger | Ignored, ...]:
    if not targets:
        return (
            Ignored(reason=IgnoredReason.NO_RESOURCE, detail=f"The finding {shown(name)} names nothing."),
        )
    cause = cause_of(Source.SECURITY_HUB, event_name=control or event.detail_type, event_id=name, at=event.at)
    return triggers_of(targets, cause)


def _not_open(name: str, state: tuple[str, ...]) -> Ignored:
    said = ", ".join(shown(word) for word in state)
    return Ignored(
        reason=IgnoredReason.FINDING_NOT_OPEN, detail=f"The finding {shown(name)} is not open: {said}."
    )


def _of_other_product(name: str, product: str) -> Ignored:
    return Ignored(
        reason=IgnoredReason.OTHER_PRODUCT,
        detail=f"The finding {shown(name)} of {shown(product)} is not of one of Security Hub's controls.",
    )


_READERS: Final[Mapping[str, Callable[[Node, Envelope], tuple[Trigger | Ignored, ...]]]] = {
    _IMPORTED: _asff,
    _CUSTOM_ACTION: _asff,
    _IMPORTED_V2: _ocsf,
}
