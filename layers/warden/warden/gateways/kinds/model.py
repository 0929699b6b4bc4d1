"""What a kind's reader offers."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol

from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from warden.core.resource import Deployment, ResourceRef
    from warden.core.trigger import Lookup
    from warden.gateways.reads import Reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One resource as AWS described it, with what AWS omits to say "none" filled in."""

    ref: ResourceRef
    facts: Mapping[str, Any]
    immutable_id: str
    """What survives a rename; the ARN where AWS has nothing better."""
    tags: Mapping[str, str] = field(default_factory=dict)
    home: str = ""
    """The Region whose deployment acts on it; empty for the ARN's own."""
    unknown: str = ""
    """Why nothing is known of it but that it is there: it is judged, as what cannot be judged."""


class KindReader(Protocol):
    """Reads one kind; raises the errors of `core.errors`."""

    def describe(self, reads: Reads, ref: ResourceRef, here: Deployment) -> Described | None:
        """One resource, or None where there is none."""
        ...

    def items(self, reads: Reads, here: Deployment) -> Iterator[Described]:
        """Every resource of the kind that is judged, page by page."""
        ...

    def resolve(self, reads: Reads, lookup: Lookup, here: Deployment) -> ResourceRef | None:
        """The resource that has this immutable id now."""
        ...

    def users(self, reads: Reads, ref: ResourceRef, here: Deployment) -> Iterator[ResourceRef]:
        """What uses a shared thing of this kind, and must be judged when that changes."""
        ...
