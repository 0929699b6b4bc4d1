"""Where a recorded call names the resources that it changed: the words of the tables of APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from warden.core.resource import ResourceType


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record names one resource; the first path that holds something is it.

    A path begins with `in` (requestParameters), `out` (responseElements) or `record` (the record itself).
    """

    resource_type: ResourceType
    """What a bare name is of; an ARN says itself what it is of."""
    paths: tuple[str, ...]
    """Of ARNs and names, best first: the response's ARN has the stored case and the true Region."""
    resource_ids: tuple[str, ...] = ()
    """Of immutable ids, for calls that name nothing else."""
    optional: bool = False
    """Whether nothing there is normal. Otherwise CloudTrail left it out, and all of the type is looked at."""
    instead: tuple[ResourceType, ...] = ()
    """What is looked at then, when that is not the resource type alone."""
    part: Callable[[str], str | None] | None = None
    """What names the resource within a text that is a name of something else: empty where the text is about something
    of another type, None where it does not say what it is about, which is like nothing there."""
    unless: tuple[str, ...] = ()
    """Paths at which another place finds what this one would look for."""


def of(resource_type: ResourceType, *paths: str) -> Place:
    """A resource that the record must name."""
    return Place(resource_type, paths)


def maybe(resource_type: ResourceType, *paths: str) -> Place:
    """A resource that the record may name."""
    return Place(resource_type, paths, optional=True)


def any_of(types: tuple[ResourceType, ...], *paths: str) -> Place:
    """A resource of one of several types, which the ARN tells."""
    return Place(types[0], paths, instead=types)


def shared(resource_type: ResourceType, users: tuple[ResourceType, ...], *paths: str) -> Place:
    """A thing that is judged by what uses it, which is looked at when it is not known which one it was."""
    return Place(resource_type, paths, instead=users)
