"""The write guard: a call passes only if a control declares it, each of its parameters, and each value.

IAM cannot limit ModifyDBCluster to `DeletionProtection=true`, so this does. It is data, declared next to the
plan that needs it, and checked by the gateway before every write, whoever asks.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol

from warden.core.dataclass import dataclass
from warden.core.errors import GuardError, MissingFactError
from warden.core.plan import WRITES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from warden.core.plan import Call
    from warden.core.resource import Facts, Resource


class Accepts(Protocol):
    """A declaration of the values that one parameter may take."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Why the value is refused, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Only:
    """One of these values and no other."""

    values: tuple[Any, ...]

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse a value that is not listed; `True` is not `1`."""
        del facts
        if any(type(value) is type(allowed) and value == allowed for allowed in self.values):
            return None
        return f"{value!r} is not one of {list(self.values)!r}"


@dataclass(frozen=True, slots=True)
class SameAs:
    """The value of a fact of the resource itself: its name, its parameter group."""

    fact: str

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse any other resource's name."""
        actual = facts[self.fact]
        return (
            None
            if isinstance(value, str) and value == actual
            else f"{value!r} is not the resource's own {actual!r}"
        )


@dataclass(frozen=True, slots=True)
class CustomGroup:
    """The resource's own parameter group, unless it is a `default.` group, which AWS lets nobody modify."""

    fact: str

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse another group, and a default one."""
        if str(value).startswith("default."):
            return f"{value!r} is a default parameter group"
        return SameAs(self.fact).refusal(value, facts)


@dataclass(frozen=True, slots=True)
class Raises:
    """A whole number above the live value of a fact, at most `maximum`."""

    fact: str
    maximum: int

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse to lower, or to go beyond what the API takes."""
        live = facts[self.fact]
        if not isinstance(value, int) or isinstance(value, bool) or not isinstance(live, int):
            return f"{value!r} is not a whole number"
        if value <= live:
            return f"{value} does not raise the live {self.fact} of {live}"
        return None if value <= self.maximum else f"{value} is above {self.maximum}"


@dataclass(frozen=True, slots=True)
class NonEmptyListOf:
    """A list of strings with at least one member, each from `members` when that is given."""

    members: tuple[str, ...] = ()
    within: str = ""
    """A fact (a list) that must hold every member: what is removed must be there."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse an empty list, other types, and members that are not declared."""
        if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
            return f"{value!r} is not a list of at least one string"
        if self.members and (unknown := [item for item in value if item not in self.members]):
            return f"{unknown!r} are not among {list(self.members)!r}"
        if self.within and (absent := [item for item in value if item not in facts[self.within]]):
            return f"{absent!r} are not in the live {self.within}"
        return None


@dataclass(frozen=True, slots=True)
class Text:
    """A non-empty string, with the given prefix."""

    prefix: str = ""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse other types and prefixes."""
        del facts
        if isinstance(value, str) and value and value.startswith(self.prefix):
            return None
        return f"{value!r} is not a string that begins with {self.prefix!r}"


@dataclass(frozen=True, slots=True)
class Fields:
    """A structure of exactly these fields, all of them required."""

    fields: Mapping[str, Accepts] = field(hash=False)

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse a missing, an additional or a wrong field."""
        if not isinstance(value, dict) or set(value) != set(self.fields):
            return f"{value!r} does not have exactly the fields {sorted(self.fields)!r}"
        for name, accepts in self.fields.items():
            if why := accepts.refusal(value[name], facts):
                return f"{name}: {why}"
        return None


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of at least one member, each accepted by `member`."""

    member: Accepts

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse an empty list and any member that is not accepted."""
        if not isinstance(value, list) or not value:
            return f"{value!r} is not a list of at least one member"
        return next((why for item in value if (why := self.member.refusal(item, facts))), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """One operation that a remediation may call: with these parameters, each of these values."""

    operation: str
    required: Mapping[str, Accepts] = field(hash=False)
    optional: Mapping[str, Accepts] = field(default_factory=dict, hash=False)
    dependent_actions: tuple[str, ...] = ()
    """IAM actions that the call needs and never show as calls of ours (each with its source)."""

    @property
    def action(self) -> str:
        """The IAM action of the operation itself."""
        return f"{WRITES[self.operation].service}:{self.operation}"


def check(call: Call, permits: Iterable[Permit], resource: Resource) -> None:
    """Raise GuardError unless declared permits cover the call wholly.

    A merged call may draw its parameters from several permits of one operation; each required parameter of at
    least one permit must be there, and each parameter must be accepted by a permit that declares it. So may a list
    draw its members: the parameters of one group that two controls set.
    """
    candidates = [permit for permit in permits if permit.operation == call.operation]
    if not candidates:
        msg = f"no control declares {call.operation}"
        raise GuardError(msg)
    if call.operation not in WRITES:
        msg = f"what {call.operation} writes to is not known"
        raise GuardError(msg)
    candidates = _about(call, candidates, resource.facts) or candidates
    if not any(set(permit.required) <= set(call.parameters) for permit in candidates):
        msg = f"{call.operation} lacks the parameters that a control declares for it"
        raise GuardError(msg)
    for name, value in call.parameters.items():
        declared = [
            accepts
            for permit in candidates
            if (accepts := {**permit.optional, **permit.required}.get(name)) is not None
        ]
        if not declared:
            msg = f"no control declares the parameter {name} of {call.operation}"
            raise GuardError(msg)
        if why := _refused(declared, value, resource.facts):
            msg = f"{call.operation}.{name} is refused: {why}"
            raise GuardError(msg)


def _about(call: Call, candidates: Sequence[Permit], facts: Facts) -> list[Permit]:
    """The permits for what the call is about: what one lets pass on a copy, none lets pass on the original."""
    parameter = WRITES[call.operation].parameter
    return [
        permit
        for permit in candidates
        if (accepts := permit.required.get(parameter)) is not None
        and _refusal(accepts, call.parameters.get(parameter), facts) is None
    ]


def _refused(declared: Sequence[Accepts], value: Any, facts: Facts) -> str | None:
    """Why no declaration accepts the value, or the members of a list one by one; None if they do."""
    if isinstance(value, list):
        named = [
            item["ParameterName"] for item in value if isinstance(item, dict) and "ParameterName" in item
        ]
        if len(named) != len(set(named)):
            return f"{value!r} sets a parameter twice"
    refusals = [_refusal(accepts, value, facts) for accepts in declared]
    if None in refusals or not isinstance(value, list) or not value:
        return None if None in refusals else refusals[0]
    return next((why for item in value if (why := _refused_member(declared, item, facts))), None)


def _refused_member(declared: Sequence[Accepts], item: Any, facts: Facts) -> str | None:
    refusals = [_refusal(accepts, [item], facts) for accepts in declared]
    return None if None in refusals else refusals[0]


def _refusal(accepts: Accepts, value: Any, facts: Facts) -> str | None:
    try:
        return accepts.refusal(value, facts)
    except MissingFactError as error:
        return str(error)
