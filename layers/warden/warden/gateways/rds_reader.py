"""Resources as AWS describes them: identities become facts here.

Calls for one resource: one Describe, plus one for each enrichment that is asked for and not shared
(`enrichments`). A list takes one call for each hundred resources of the kind (`kinds`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core.errors import MissingFactError, RefusedError, ResourceGoneError, TransientError
from warden.core.kinds import KINDS, Need, resource_key
from warden.core.resource import Facts, Resource, ResourceRef, ResourceType
from warden.gateways.enrichments import ANSWERS
from warden.gateways.kinds import READERS
from warden.gateways.reads import Reads

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from datetime import datetime

    from warden.core.resource import Deployment
    from warden.core.trigger import Lookup
    from warden.gateways.kinds.model import Described
    from warden.gateways.rds import Rds
    from warden.gateways.temporaries import DynamoTemporaries

_MISSING: tuple[type[Exception], ...] = (RefusedError, MissingFactError, KeyError)
"""What makes one fact missing rather than the whole visit fail."""
_ORDER = {need: position for position, need in enumerate(Need)}


class RdsReader:
    """Implements the pipeline's `Reader` over the live API.

    With `bulk`, whole lists are read once and shared for the lifetime of the reader: for a sweep or a scan.
    """

    def __init__(
        self,
        rds: Rds,
        *,
        deployment: Deployment,
        clock: Callable[[], datetime],
        bulk: bool = False,
        temporaries: DynamoTemporaries | None = None,
    ) -> None:
        self._deployment = deployment
        self._clock = clock
        self._reads = Reads(rds, bulk=bulk, temporaries=temporaries)

    def read(self, ref: ResourceRef, needs: Collection[Need]) -> Resource:
        """Describe one resource with its enrichments."""
        described = READERS[ref.resource_type].describe(self._reads, ref, self._deployment)
        if described is None:
            msg = f"there is no {KINDS[ref.resource_type].name} {ref.id}"
            raise ResourceGoneError(msg)
        return self.enrich(self._resource(described), needs)

    def enrich(self, resource: Resource, needs: Collection[Need]) -> Resource:
        """The same resource with more facts; what AWS refuses to say is a missing fact with its reason."""
        return self._enriched(resource, needs, passing=())

    def resolve(self, lookup: Lookup) -> ResourceRef | None:
        """The resource that has this immutable id now."""
        return READERS[lookup.resource_type].resolve(self._reads, lookup, self._deployment)

    def users(self, ref: ResourceRef) -> Iterable[ResourceRef]:
        """What uses a shared thing, such as the databases of a parameter group."""
        return list(READERS[ref.resource_type].users(self._reads, ref, self._deployment))

    def list(
        self,
        resource_type: ResourceType,
        needs: Collection[Need],
        *,
        but: Callable[[str], bool] | None = None,
    ) -> Iterator[Resource]:
        """Every resource of a type; one that cannot be enriched costs its neighbours nothing."""
        for described in READERS[resource_type].items(self._reads, self._deployment):
            if self._deployment.refusal(described.ref) is None:
                resource = self._resource(described)
                known = but is not None and but(resource.key)
                yield resource if known else self._enriched(resource, needs, passing=(TransientError,))

    def _resource(self, described: Described) -> Resource:
        ref = described.ref
        home = described.home or ref.region or self._deployment.region
        return Resource(
            ref=ref,
            facts=Facts(described.facts),
            observed_at=self._clock(),
            key=resource_key(
                ref.resource_type,
                account=ref.account,
                region=ref.region,
                immutable_id=described.immutable_id,
            ),
            tags=described.tags,
            home=home,
        )

    def _enriched(
        self, resource: Resource, needs: Collection[Need], *, passing: tuple[type[Exception], ...]
    ) -> Resource:
        if not needs:
            return resource
        facts, known, missing = resource.facts.opened()
        resource = resource.with_facts(facts)
        # In the order of their declaration: some build on others, and say so.
        for need in sorted(needs, key=_ORDER.__getitem__):
            try:
                known[need] = ANSWERS[need](self._reads, resource)
            except (*_MISSING, *passing) as error:
                missing[need] = f"{error}"
        return resource
