"""The one place where a difference between moto's RDS and AWS is named, justified and applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from console.local.rds.call import Call

Handler = Callable[["Call"], dict[str, Any]]
Presenter = Callable[["Call", Any], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One way in which the local RDS differs from moto's, and the sentence of AWS's that demands it.

    `reference` names a place in botocore's copy of the API reference: an operation, a shape, or
    `Shape.Member`. `words` stand there literally; a test looks them up.
    """

    name: str
    why: str
    reference: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A replacement for an attribute of moto's, put in place on entry and taken out on exit.

    Where moto has no such attribute, it is an operation that moto lacks.
    """

    target: Any
    attribute: str
    replacement: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """The corrections of one subject with the code that makes them."""

    name: str
    corrections: tuple[Correction, ...]
    operations: Mapping[str, Handler] = field(default_factory=dict)
    presenters: Mapping[str, Presenter] = field(default_factory=dict)
    patches: tuple[Patch, ...] = ()


_ABSENT = object()


class Patches:
    """The patches now in place, and what they replaced."""

    def __init__(self) -> None:
        """Start with nothing replaced."""
        self._replaced: list[tuple[Any, str, Any]] = []

    def apply(self, patches: tuple[Patch, ...]) -> None:
        """Put the patches in place; twice is once."""
        if self._replaced:
            return
        for patch in patches:
            original = vars(patch.target).get(patch.attribute, _ABSENT)
            self._replaced.append((patch.target, patch.attribute, original))
            setattr(patch.target, patch.attribute, patch.replacement)

    def revert(self) -> None:
        """Give moto its own code back."""
        while self._replaced:
            target, attribute, original = self._replaced.pop()
            if original is _ABSENT:
                delattr(target, attribute)
            else:
                setattr(target, attribute, original)
