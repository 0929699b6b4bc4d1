"""One recorded call, and what it names at the places that the tables of APIs give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from warden.core.dataclass import dataclass
from warden.core.log_groups import source
from warden.core.resource import ResourceType
from warden.core.trigger.fields import Node, shown
from warden.core.trigger.identity import named
from warden.core.trigger.model import Ignored, IgnoredReason, Lookup

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from warden.core.resource import ResourceRef
    from warden.core.trigger.identity import Home
    from warden.core.trigger.model import Cause, Target
    from warden.core.trigger.places import Place

# What the tables call the two halves of a record.
_ROOTS: Final[Mapping[str, str]] = {"in": "requestParameters", "out": "responseElements"}


@dataclass(frozen=True, slots=True)
class Call:
    """One recorded call: its name, where it was made, and what it was given and answered."""

    name: str
    service: str
    home: Home
    record: Node
    cause: Cause

    def part(self, root: str) -> Node:
        """The request (`in`) or the response (`out`); empty when CloudTrail recorded null or left it out."""
        return self.record.maybe_child(_ROOTS[root])

    def texts(self, path: str) -> tuple[str, ...]:
        """The strings at a path of a table."""
        root, _, rest = path.partition(".")
        return (self.record if root == "record" else self.part(root)).strings_at(rest)


def targets(place: Place, call: Call) -> Iterator[Target | Ignored]:
    """What a record names at one of the places of its API."""
    if any(call.texts(path) for path in place.unless):
        return
    for path in place.paths:
        texts = call.texts(path)
        if texts:
            yield from _at_path(place, path, texts, call)
            return
    for path in place.resource_ids:
        for text in call.texts(path):
            yield Lookup(place.resource_type, call.home.account, call.home.region, text)
            return
    yield from _in_place_of(place, call)


def _at_path(place: Place, path: str, texts: tuple[str, ...], call: Call) -> Iterator[Target | Ignored]:
    for text in texts:
        name = text if place.part is None else place.part(text)
        if name is None:
            yield from _in_place_of(place, call)
        elif name:
            yield _of_interest(named(place.resource_type, name, call.home, _spelt_out(path)))


def _in_place_of(place: Place, call: Call) -> Iterator[Target]:
    """What is looked at where nothing says which resource it is; there is but one account."""
    if place.resource_type is ResourceType.ACCOUNT:
        yield call.home.the_account()
    elif not place.optional:
        yield from (call.home.every(kind) for kind in place.instead or (place.resource_type,))


def _of_interest(target: ResourceRef | Ignored) -> ResourceRef | Ignored:
    """A log group only if it holds the log of a database: others are many, and their names say so."""
    if isinstance(target, Ignored) or target.resource_type is not ResourceType.LOG_GROUP or source(target.id):
        return target
    what = f"{shown(target.id)} is not a log group that RDS writes to."
    return Ignored(reason=IgnoredReason.OTHER_RESOURCE, detail=what)


def _spelt_out(path: str) -> str:
    root, _, rest = path.partition(".")
    return f"detail.{_ROOTS[root]}.{rest}" if root in _ROOTS else f"detail.{rest}"
