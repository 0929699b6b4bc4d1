"""Why a resource is looked at: the source, the caller and the time of an event, as claimed by the event."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from warden.core.resource import ResourceRef, ResourceType


class Source(StrEnum):
    """Where a trigger came from."""

    RDS_EVENT = "rds_event"
    CLOUDTRAIL = "cloudtrail"
    CONFIG = "config"
    SECURITY_HUB = "security_hub"
    SWEEP = "sweep"
    DEFERRAL = "deferral"
    MANUAL = "manual"


class IgnoredReason(StrEnum):
    """Why an event, or a part of one, leads to no look; a word for counting."""

    CUSTOM_EVENT = "custom_event"
    """Put on the bus by an application or a test: only AWS may send a source that begins with `aws.`."""
    UNKNOWN_SOURCE = "unknown_source"
    """An AWS service that sends nothing about databases; the rule's pattern is too wide."""
    UNKNOWN_DETAIL_TYPE = "unknown_detail_type"
    """A service that Warden listens to, with a kind of event that it does not know."""
    SCHEDULED = "scheduled"
    """A clock's tick: no resource is named."""
    OTHER_SERVICE = "other_service"
    """A recorded call or event of a service whose calls Warden does not read."""
    OTHER_RESOURCE = "other_resource"
    """A resource of another type than Warden's, or a call that changes nothing of its resources."""
    OTHER_ENGINE = "other_engine"
    """Neptune or DocumentDB, which answer under the name of RDS."""
    UNKNOWN_API = "unknown_api"
    """A call that the table of RDS's operations does not hold: the table may be older than the API."""
    READ_ONLY = "read_only"
    """A call that changes nothing."""
    FAILED_CALL = "failed_call"
    """A call that AWS refused, so that nothing changed."""
    NO_EVALUATION = "no_evaluation"
    """A Config rule that no longer says anything about the resource."""
    FINDING_NOT_OPEN = "finding_not_open"
    """A Security Hub finding that passed, is archived, or is taken care of."""
    OTHER_PRODUCT = "other_product"
    """A finding that is not one of Security Hub's own controls; Warden's own findings among them."""
    NO_RESOURCE = "no_resource"
    """A finding, or a list of findings, that names nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Who did what, when: an allow-list of the event's fields, for the ledger and for tickets.

    It is a claim of the event and never decides anything; no request parameter enters it.
    """

    source: Source
    event_name: str
    """`ModifyDBCluster`, `RDS-EVENT-0170`, a Config message type, a Security Hub control, `sweep`."""
    event_id: str
    at: datetime
    principal: str = ""
    """ARN of the role behind the session, or of the user; empty where the event names none."""
    user_agent: str = ""
    source_ip: str = ""
    session: str = ""
    """The caller's unique id, the `aws:userid` of their policies: `AROA…:session`, or a user's `AIDA…`."""
    invoked_by: str = ""
    error_code: str = ""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A resource of which the event gives only the immutable id (Config, some Security Hub findings)."""

    resource_type: ResourceType
    account: str
    region: str
    resource_id: str


@dataclass(frozen=True, slots=True)
class WholeKind:
    """Everything of one type: CloudTrail omitted the parameters of a call that named one of them."""

    resource_type: ResourceType
    account: str
    region: str


Target: TypeAlias = "ResourceRef | Lookup | WholeKind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Look at this resource: an identity and a cause, nothing about its state."""

    target: Target
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """An event, or a part of one, that leads to no look, with its reason."""

    reason: IgnoredReason
    detail: str
    """A sentence for a person."""
