"""What AWS tells EventBridge about a call: its CloudTrail record, and the service events of RDS."""

from __future__ import annotations

import json
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from console.local.identity import ACCOUNT_ID, UserIdentity
from console.local.spelling import request_of, response_of

if TYPE_CHECKING:
    from console.local.rds.state import Clock, ServiceEvent

Event = dict[str, Any]
Emit = Callable[[Event], None]

_MOST_BYTES = 100 * 1024
RECORDED_AS = {"cloudwatch": "monitoring"}
"""What CloudTrail calls a service, where that is not its name in AWS's models."""
_READS = ("Describe", "List", "Download", "Get")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A source type of RDS service events: its detail-type, and what its ARNs are called."""

    detail_type: str
    source_type: str


_CLUSTER = Kind(detail_type="RDS DB Cluster Event", source_type="CLUSTER")
_INSTANCE = Kind(detail_type="RDS DB Instance Event", source_type="DB_INSTANCE")
_CLUSTER_SNAPSHOT = Kind(detail_type="RDS DB Cluster Snapshot Event", source_type="CLUSTER_SNAPSHOT")
_SNAPSHOT = Kind(detail_type="RDS DB Snapshot Event", source_type="SNAPSHOT")
_PARAMETERS = Kind(detail_type="RDS DB Parameter Group Event", source_type="DB_PARAM")
_PROXY = Kind(detail_type="RDS DB Proxy Event", source_type="DB_PROXY")

# Events whose category or text depends on what they are about appear once per kind of resource.
_DEFINITIONS: Mapping[tuple[str, str], tuple[Kind, str, str]] = {
    ("RDS-EVENT-0016", "cluster"): (_CLUSTER, "configuration change", "Reset master credentials"),
    ("RDS-EVENT-0071", "cluster"): (_CLUSTER, "failover", "Completed failover to DB instance: {instance}"),
    ("RDS-EVENT-0073", "cluster"): (
        _CLUSTER,
        "failover",
        "Started cross AZ failover to DB instance: {instance}",
    ),
    ("RDS-EVENT-0150", "cluster"): (_CLUSTER, "notification", "DB cluster stopped"),
    ("RDS-EVENT-0151", "cluster"): (_CLUSTER, "notification", "DB cluster started"),
    ("RDS-EVENT-0170", "cluster"): (_CLUSTER, "creation", "DB cluster created"),
    ("RDS-EVENT-0171", "cluster"): (_CLUSTER, "deletion", "DB cluster deleted"),
    ("RDS-EVENT-0172", "cluster"): (_CLUSTER, "notification", "Renamed cluster from {old} to {new}"),
    ("RDS-EVENT-0074", "cluster-snapshot"): (_CLUSTER_SNAPSHOT, "backup", "Creating manual cluster snapshot"),
    ("RDS-EVENT-0075", "cluster-snapshot"): (_CLUSTER_SNAPSHOT, "backup", "Manual cluster snapshot created"),
    ("RDS-EVENT-0168", "cluster-snapshot"): (
        _CLUSTER_SNAPSHOT,
        "backup",
        "Creating automated cluster snapshot",
    ),
    ("RDS-EVENT-0169", "cluster-snapshot"): (
        _CLUSTER_SNAPSHOT,
        "backup",
        "Automated cluster snapshot created",
    ),
    ("RDS-EVENT-0003", "db"): (_INSTANCE, "deletion", "DB instance deleted"),
    ("RDS-EVENT-0005", "db"): (_INSTANCE, "creation", "DB instance created"),
    ("RDS-EVENT-0006", "db"): (_INSTANCE, "availability", "DB instance restarted"),
    ("RDS-EVENT-0011", "db"): (_INSTANCE, "configuration change", "Updated to use DBParameterGroup {name}"),
    ("RDS-EVENT-0016", "db"): (_INSTANCE, "configuration change", "Reset master credentials"),
    ("RDS-EVENT-0028", "db"): (
        _INSTANCE,
        "configuration change",
        "Automatic backups for this DB instance have been disabled",
    ),
    ("RDS-EVENT-0032", "db"): (
        _INSTANCE,
        "configuration change",
        "Automatic backups for this DB instance have been enabled",
    ),
    ("RDS-EVENT-0078", "db"): (
        _INSTANCE,
        "configuration change",
        "Monitoring Interval changed to {interval}",
    ),
    ("RDS-EVENT-0087", "db"): (_INSTANCE, "notification", "DB instance stopped"),
    ("RDS-EVENT-0088", "db"): (_INSTANCE, "notification", "DB instance started"),
    ("RDS-EVENT-0037", "pg"): (
        _PARAMETERS,
        "configuration change",
        "Updated parameter {name} to {value} with apply method {method}",
    ),
    ("RDS-EVENT-0040", "snapshot"): (_SNAPSHOT, "creation", "Creating manual snapshot"),
    ("RDS-EVENT-0041", "snapshot"): (_SNAPSHOT, "deletion", "Deleted manual snapshot"),
    ("RDS-EVENT-0042", "snapshot"): (_SNAPSHOT, "creation", "Manual snapshot created"),
    ("RDS-EVENT-0043", "snapshot"): (_SNAPSHOT, "restoration", "Restored from snapshot {name}"),
    ("RDS-EVENT-0059", "snapshot"): (
        _SNAPSHOT,
        "notification",
        "Started the copy of snapshot {name} from region {region}",
    ),
    ("RDS-EVENT-0060", "snapshot"): (
        _SNAPSHOT,
        "notification",
        "Finished copy of snapshot {name} from region {region}",
    ),
    ("RDS-EVENT-0061", "snapshot"): (
        _SNAPSHOT,
        "notification",
        "Canceled snapshot copy request of {name} from region {region}",
    ),
    ("RDS-EVENT-0090", "snapshot"): (_SNAPSHOT, "creation", "Creating automated snapshot"),
    ("RDS-EVENT-0091", "snapshot"): (_SNAPSHOT, "creation", "Automated snapshot created"),
    ("RDS-EVENT-0196", "snapshot"): (_SNAPSHOT, "notification", "Started copy of snapshot {name}"),
    ("RDS-EVENT-0197", "snapshot"): (_SNAPSHOT, "notification", "Finished copy of snapshot {name}"),
    ("RDS-EVENT-0203", "db-proxy"): (_PROXY, "creation", "RDS created DB Proxy {name}."),
    ("RDS-EVENT-0205", "db-proxy"): (_PROXY, "deletion", "RDS deleted DB Proxy {name}."),
}


def _small(value: Any) -> Any:
    """Leave out what is larger than CloudTrail delivers."""
    return None if len(json.dumps(value, default=str)) > _MOST_BYTES else value


def is_read(operation: str) -> bool:
    """Say whether an operation only reads, so that rules in their ordinary state never see it."""
    return operation.startswith(_READS)


def _named(record: Record) -> dict[str, Any]:
    """Name the resources of a call where the service has CloudTrail do so."""
    if not record.resources:
        return {}
    found = [
        {"accountId": arn.split(":")[4], "type": "AWS::KMS::Key", "ARN": arn} for arn in record.resources
    ]
    return {"resources": found}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One API call with its outcome, before it has CloudTrail's form."""

    operation: Any
    parameters: dict[str, Any]
    region: str
    account: str
    identity: UserIdentity
    user_agent: str
    request_id: str
    response: dict[str, Any] | None = None
    error_code: str | None = None
    error_message: str | None = None
    resources: tuple[str, ...] = ()
    """The ARNs that CloudTrail names beside the request; KMS has it name the key."""


def category_and_message(happening: ServiceEvent) -> tuple[str, str]:
    """Say of a service event what everybody is told of it, whichever way he hears."""
    _, category, message = _DEFINITIONS[happening.event_id, happening.resource_arn.split(":")[5]]
    return category, message.format(**happening.message)


class Trail:
    """Turns calls and happenings into events and hands them on, one after the other and in order."""

    def __init__(self, clock: Clock, emit: Emit | None = None) -> None:
        """Keep events, and pass them to `emit` if there is one."""
        self.clock = clock
        self.emit = emit
        self.events: list[Event] = []
        self._held: list[Event] | None = None
        self._queue: deque[Event] = deque()
        self._draining = False

    def announce(self, happening: ServiceEvent) -> None:
        """Send a service event of RDS's, after the record of the call that caused it."""
        event = self._service_event(happening)
        if self._held is None:
            self._send(event)
        else:
            self._held.append(event)

    def hold(self) -> None:
        """Keep service events back while a call is being answered."""
        self._held = []

    def release(self, record: Record | None) -> None:
        """Send the record of a call, then what it made RDS say."""
        held, self._held = self._held or [], None
        if record is not None and not is_read(record.operation.name):
            held.insert(0, self._call_event(record))
        self._queue.extend(held)
        self._drain()

    def tell(self, record: Record) -> None:
        """Send the record of a call to a service that has no events of its own."""
        self._send(self._call_event(record))

    def clear(self) -> None:
        """Forget the events that were sent."""
        self.events.clear()

    def _send(self, event: Event) -> None:
        self._queue.append(event)
        self._drain()

    def _drain(self) -> None:
        """Deliver in order, also if a delivery makes calls that cause events of their own."""
        if self._draining:
            return
        self._draining = True
        try:
            while self._queue:
                event = self._queue.popleft()
                self.events.append(event)
                if self.emit is not None:
                    self.emit(event)
        finally:
            self._draining = False

    def _envelope(
        self, detail_type: str, *, region: str, account: str, resources: list[str], service: str = "rds"
    ) -> Event:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": f"aws.{service}",
            "account": account,
            "time": self._now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": region,
            "resources": resources,
        }

    def _now(self) -> datetime:
        return self.clock.now().astimezone(UTC)

    def _call_event(self, record: Record) -> Event:
        operation = record.operation
        name = operation.service_model.service_name
        service = RECORDED_AS.get(name, name)
        event = self._envelope(
            "AWS API Call via CloudTrail",
            region=record.region,
            account=record.account,
            resources=[],
            service=service,
        )
        denied = record.error_code in {"AccessDenied", "AccessDeniedException"}
        detail: dict[str, Any] = {
            "eventVersion": "1.11",
            "userIdentity": record.identity.as_cloudtrail(now=self._now()),
            "eventTime": event["time"],
            "eventSource": f"{service}.amazonaws.com",
            "eventName": operation.name,
            "awsRegion": record.region,
            "sourceIPAddress": record.identity.source_ip_address,
            "userAgent": record.identity.agent(sent=record.user_agent),
        }
        if record.error_code is not None:
            detail["errorCode"] = self._name_of(operation, record.error_code)
            detail["errorMessage"] = record.error_message
        request = None if denied else request_of(operation, record.parameters)
        answer = None
        if not record.error_code:
            answer = response_of(operation, record.response, request_id=record.request_id)
        detail |= {
            "requestParameters": _small(request),
            "responseElements": _small(answer),
            "requestID": record.request_id,
            "eventID": str(uuid.uuid4()),
            "readOnly": False,
            **_named(record),
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": record.account,
            "eventCategory": "Management",
        }
        return event | {"detail": detail}

    @staticmethod
    def _name_of(operation: Any, code: str) -> str:
        """Name an error as CloudTrail does: by its shape, which may keep a suffix that the wire drops."""
        if operation.service_model.service_name == "ec2":
            return f"Client.{code}"  # EC2 says whose fault it was
        for shape in operation.service_model.error_shapes:
            if code in {shape.error_code, shape.name}:
                return str(shape.name)
        return code

    def _service_event(self, happening: ServiceEvent) -> Event:
        arn = happening.resource_arn
        parts = arn.split(":", 6)
        kind, _, _ = _DEFINITIONS[happening.event_id, parts[5]]
        category, message = category_and_message(happening)
        event = self._envelope(
            kind.detail_type, region=parts[3], account=parts[4] or ACCOUNT_ID, resources=[arn]
        )
        now = self._now()
        detail: dict[str, Any] = {
            "EventCategories": [category],
            "SourceType": kind.source_type,
            "SourceArn": arn,
            "Date": now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z",
            "Message": message,
            "SourceIdentifier": parts[6],
            "EventID": happening.event_id,
        }
        if happening.tags:
            detail["Tags"] = dict(happening.tags)
        return event | {"detail": detail}
