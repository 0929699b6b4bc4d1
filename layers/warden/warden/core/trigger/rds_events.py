"""Service events of RDS: what happened to a resource, told by RDS itself, at best effort."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from warden.core.resource import ResourceRef, ResourceType
from warden.core.trigger.envelope import cause_of, triggers_of
from warden.core.trigger.fields import shown
from warden.core.trigger.identity import Home, named, reference
from warden.core.trigger.model import Ignored, IgnoredReason, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from warden.core.trigger.envelope import Envelope
    from warden.core.trigger.fields import Node
    from warden.core.trigger.model import Target, Trigger

_OURS: Final = frozenset(
    {
        "RDS DB Cluster Event",
        "RDS DB Cluster Snapshot Event",
        "RDS DB Instance Event",
        "RDS DB Parameter Group Event",
        "RDS DB Proxy Event",
        "RDS DB Snapshot Event",
    }
)
_OTHERS: Final[Mapping[str, str]] = {
    "RDS Blue Green Deployment Event": "a blue/green deployment",
    "RDS Custom Engine Version Event": "a custom engine version",
    "RDS DB Security Group Event": "a DB security group",
    "RDS DB Shard Group Event": "a DB shard group",
    "RDS Zero ETL Event": "a zero-ETL integration",
}

_PROXY_ID: Final = re.compile(r"prx-[0-9a-f]+")
_RENAMED: Final = "RDS-EVENT-0172"
# "Renamed cluster from `name` to `name`." (Aurora User Guide, event messages); the event has no other field
# for the second name, and no word on which of them SourceArn has.
_NAMES: Final = re.compile(r"from ([a-zA-Z][a-zA-Z0-9-]*) to ([a-zA-Z][a-zA-Z0-9-]*)")


def read(event: Envelope) -> tuple[Trigger | Ignored, ...]:
    """Read an event by its detail-type; the identity is in SourceArn alone."""
    if event.detail_type in _OTHERS:
        return (
            Ignored(
                reason=IgnoredReason.OTHER_RESOURCE,
                detail=f"{event.detail_type} is about {_OTHERS[event.detail_type]}.",
            ),
        )
    if event.detail_type not in _OURS:
        return (
            Ignored(
                reason=IgnoredReason.UNKNOWN_DETAIL_TYPE,
                detail=f"{shown(event.detail_type)} is not a kind of event that RDS documents.",
            ),
        )
    detail = event.detail
    cause = cause_of(
        Source.RDS_EVENT,
        event_name=detail.maybe_text("EventID") or event.detail_type,
        event_id=event.id,
        at=detail.maybe_moment("Date") or event.at,
    )
    return triggers_of(_targets(detail), cause)


def _targets(detail: Node) -> Iterator[Target | Ignored]:
    # SourceIdentifier is no identity: it is the endpoint in an event of a proxy's endpoint, and AWS's own
    # samples put `rds:` before the names of clusters.
    source = reference(detail.text("SourceArn"), detail.where("SourceArn"))
    if isinstance(source, Ignored):
        yield source
        return
    if source.resource_type is ResourceType.DB_PROXY and not _PROXY_ID.fullmatch(source.id):
        # AWS's sample has the proxy's name here, which no real ARN holds.
        yield Home(source.account, source.region).every(ResourceType.DB_PROXY)
        return
    yield source
    yield from _renamed(detail, source)


def _renamed(detail: Node, source: ResourceRef) -> Iterator[Target | Ignored]:
    message = detail.maybe_text("Message")
    names = _NAMES.search(message) if detail.maybe_text("EventID") == _RENAMED else None
    if names:
        where = detail.where("Message")
        home = Home(source.account, source.region)
        yield from (named(source.resource_type, name, home, where) for name in names.groups())
