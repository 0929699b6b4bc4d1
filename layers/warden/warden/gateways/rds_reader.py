"""Resources as AWS describes them: identities become facts here.

Calls for one resource: one Describe, plus one for each enrichment that is asked for and not shared
(`enrichments`). A list takes one call for each hundred resources of the kind (`kinds`).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from warden.core.errors import MissingFactError, RefusedError, ResourceGoneError, TransientError
from warden.core.kinds import KINDS, Need, resource_key
from warden.core.memory import Recalled
from warden.core.resource import Facts, Resource, ResourceRef, ResourceType
from warden.gateways.enrichments import ANSWERS, BUILDS_ON_OTHERS
from warden.gateways.kinds import READERS
from warden.gateways.reads import Reads
from warden.gateways.together import at_once, in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from datetime import datetime

    from warden.core.resource import Deployment
    from warden.core.trigger import Lookup
    from warden.gateways.enrichments import Answer
    from warden.gateways.kinds.model import Described
    from warden.gateways.memory import Memory
    from warden.gateways.rds import Rds
    from warden.gateways.temporaries import DynamoTemporaries

_MISSING: tuple[type[Exception], ...] = (RefusedError, MissingFactError, KeyError)
"""What makes one fact missing rather than the whole visit fail."""
_ORDER = {need: position for position, need in enumerate(Need)}


@functools.lru_cache(maxsize=64)
def _waves(needs: frozenset[Need]) -> tuple[list[tuple[Need, Answer]], list[tuple[Need, Answer]]]:
    """Needs with their answers, first those that build on no other; that one cannot be imported is no missing fact."""
    wanted = [(need, ANSWERS[need]) for need in sorted(needs, key=_ORDER.__getitem__)]
    return (
        [one for one in wanted if one[0] not in BUILDS_ON_OTHERS],
        [one for one in wanted if one[0] in BUILDS_ON_OTHERS],
    )


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
        once: bool = False,
        temporaries: DynamoTemporaries | None = None,
        memory: Memory | None = None,
        shared: Reads | None = None,
    ) -> None:
        """Take `once` where nobody looks again at what was throttled: one fact is missing then, and not them all.

        With a `memory`, which needs `bulk`, facts of a list may be those that an earlier sweep has read. Who has read
        whole lists already hands over those that are `shared`, and need not say `bulk`.
        """
        self._deployment = deployment
        self._clock = clock
        self._passing: tuple[type[Exception], ...] = (TransientError,) if once else ()
        self._api = rds
        self._temporaries = temporaries
        self._remembering = Reads(rds, bulk=True, temporaries=temporaries, memory=memory) if bulk else shared
        # What a plan needs, and what is looked for by name, is read as it is now.
        self._shared = self._remembering.afresh() if self._remembering is not None else None

    def read(self, ref: ResourceRef, needs: Collection[Need]) -> Resource:
        """Describe one resource with its enrichments."""
        reads = self._look()
        described = READERS[ref.resource_type].describe(reads, ref, self._deployment)
        if described is None:
            msg = f"there is no {KINDS[ref.resource_type].name} {ref.id}"
            raise ResourceGoneError(msg)
        return self._enriched(reads, self._resource(described), needs, passing=self._passing)

    def enrich(self, resource: Resource, needs: Collection[Need]) -> Resource:
        """The same resource with more facts; what AWS refuses to say is a missing fact with its reason."""
        # Where whole lists are shared, nearly all of it has been read: to hand it to threads takes longer than to look.
        return self._enriched(
            self._look(), resource, needs, passing=self._passing, alone=self._shared is None
        )

    def afresh(self, resource: Resource) -> Resource:
        """The same resource with the facts that were remembered read from AWS; a throttled one is a missing fact."""
        needs = [need for need in Need if need in resource.remembered]
        return self._enriched(self._look(), resource, needs, passing=(TransientError,))._replace(
            remembered=frozenset()
        )

    def resolve(self, lookup: Lookup) -> ResourceRef | None:
        """The resource that has this immutable id now."""
        return READERS[lookup.resource_type].resolve(self._look(), lookup, self._deployment)

    def users(self, ref: ResourceRef) -> Iterable[ResourceRef]:
        """What uses a shared thing, such as the databases of a parameter group."""
        return list(READERS[ref.resource_type].users(self._look(), ref, self._deployment))

    def list(
        self,
        resource_type: ResourceType,
        needs: Collection[Need],
        *,
        but: Callable[[str], bool] | None = None,
        complete: Callable[[Resource], Resource] | None = None,
    ) -> Iterator[Resource]:
        """Every resource of a type; one that cannot be enriched costs its neighbours nothing."""
        reads = self._remembering or self._look()

        def enriched(described: Described) -> Resource:
            resource = self._resource(described)
            if but is not None and but(resource.key):
                return resource
            resource = self._enriched(reads, resource, needs, passing=(TransientError,), alone=False)
            try:
                return resource if complete is None else complete(resource)
            except Exception:  # noqa: BLE001 - whoever judges it asks again, and hears why
                return resource

        items = READERS[resource_type].items(reads, self._deployment)
        ours = (described for described in items if self._deployment.refusal(described.ref) is None)
        try:
            yield from in_order(enriched, ours)
        finally:
            reads.flush()

    def _look(self) -> Reads:
        """What is shared: everything where whole lists are, else what one look at one resource asks for twice."""
        return self._shared or Reads(self._api, bulk=False, temporaries=self._temporaries)

    def _resource(self, described: Described) -> Resource:
        ref = described.ref
        home = described.home or ref.region or self._deployment.region
        return Resource(
            ref=ref,
            facts=Facts(described.facts, otherwise=described.unknown)
            if described.unknown
            else Facts(described.facts),
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
        self,
        reads: Reads,
        resource: Resource,
        needs: Collection[Need],
        *,
        passing: tuple[type[Exception], ...],
        alone: bool = True,
    ) -> Resource:
        if not needs:
            return resource
        facts, known, missing = resource.facts.opened()
        resource = resource.with_facts(facts)
        remembered: set[Need] = set()

        def answer(asked: tuple[Need, Answer]) -> None:
            need, read = asked
            try:
                value = read(reads, resource)
            except (*_MISSING, *passing) as error:
                # What was remembered is not true any more.
                known.pop(need, None)
                missing[need] = f"{error}"
                return
            if type(value) is Recalled:
                remembered.add(need)
                value = value.value
            known[need] = value

        for wave in _waves(frozenset(needs)):
            if alone:
                at_once(answer, wave)
            else:
                for asked in wave:
                    answer(asked)
        return resource._replace(remembered=resource.remembered | remembered) if remembered else resource
