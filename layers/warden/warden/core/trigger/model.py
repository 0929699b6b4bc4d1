"""Why a resource is looked at: the source, the caller and the time of an event, as claimed by the event."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Look at this resource: an identity and a cause, nothing about its state."""

    target: ResourceRef | Lookup | WholeKind
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """An event, or a part of one, that leads to no look, with its reason."""

    reason: str
    """A snake_case word for counting, such as `unknown_resource_type`."""
    detail: str
    """A sentence for a person."""
