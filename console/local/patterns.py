"""EventBridge's event patterns, matched as strictly as EventBridge matches them.

A pattern that matches here and not in AWS is an event lost in production, so this follows the observable
behaviour of AWS's own matcher also where it surprises: patterns see leaves only, a boolean is not a number,
conditions on an array of objects must hold within one element, and whatever AWS would refuse is refused.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from console.local.operators import Condition, InvalidPatternError, kind_of, parse_conditions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Alternative = dict[str, tuple[Condition, ...]]
    Membership = dict[int, int]

__all__ = ["InvalidPatternError", "Matcher", "compile_pattern"]

_OR: Final = "$or"
_MAX_ALTERNATIVES: Final = 1000
_MIN_OR: Final = 2
# AWS keeps these names for operators, so inside `$or` they can only be a misplaced operator.
_RESERVED_IN_OR: Final = frozenset(
    {
        *(
            "exactly",
            "equals-ignore-case",
            "prefix",
            "suffix",
            "anything-but",
            "exists",
            "wildcard",
            "numeric",
            "cidr",
        ),
        *("=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case"),
        *("date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range"),
        *("ip-address-in-range", "ip-address-not-in-range"),
    }
)


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A value of an event, and for every array around it the index of the element that holds it."""

    value: object
    membership: Membership


class Matcher:
    """A compiled pattern: a field-by-field conjunction for every combination of its `$or` branches."""

    __slots__ = ("_alternatives", "_prefixes")

    def __init__(self, alternatives: Sequence[Alternative]) -> None:
        self._alternatives = tuple(alternatives)
        paths = {path for alternative in alternatives for path in alternative}
        # Only what the pattern names is read from an event; CloudTrail records are large and patterns small.
        self._prefixes = paths | {path[:end] for path in paths for end in _dots(path)}

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Say whether the event satisfies the pattern."""
        leaves = self._leaves(event)
        return any(_holds(sorted(alternative.items()), 0, leaves, {}) for alternative in self._alternatives)

    def explain(self, event: Mapping[str, Any]) -> str:
        """Name the first field that does not match, in the alternative that comes nearest to matching."""
        if self.matches(event):
            return "every field matches"
        leaves = self._leaves(event)
        nearest = min(
            self._alternatives, key=lambda alternative: sum(1 for _ in _failures(alternative, leaves))
        )
        failure = next(_failures(nearest, leaves), None)
        if failure is None:
            shared = " and ".join(
                path for path in nearest if any(leaf.membership for leaf in leaves.get(path, ()))
            )
            reason = f"no single array element satisfies {shared} together"
        else:
            reason = _describe(failure, nearest[failure], leaves.get(failure, []), event)
        if len(self._alternatives) == 1:
            return reason
        return f"none of {len(self._alternatives)} alternatives matches; in the nearest, {reason}"

    def _leaves(self, event: Mapping[str, Any]) -> dict[str, list[_Leaf]]:
        leaves: dict[str, list[_Leaf]] = {}
        _Flattening(self._prefixes, leaves).walk_object(event, "", {})
        return leaves


def compile_pattern(pattern: Mapping[str, Any]) -> Matcher:
    """Compile a pattern, or refuse it with the path and the reason, as EventBridge's PutRule would."""
    if not isinstance(pattern, dict):
        raise InvalidPatternError("", f"must be an object, not {kind_of(pattern)}")
    alternatives: list[Alternative] = []
    _parse_object(pattern, (), alternatives, inside_or=False)
    if len(alternatives) > _MAX_ALTERNATIVES:
        raise InvalidPatternError(
            _OR, f"{len(alternatives)} combinations are more than the {_MAX_ALTERNATIVES} allowed"
        )
    return Matcher(alternatives)


def _parse_object(
    pattern: Mapping[str, Any], steps: tuple[str, ...], alternatives: list[Alternative], *, inside_or: bool
) -> None:
    """Add an object's fields to every alternative; a later mention of a field replaces an earlier one."""
    if not pattern:
        raise InvalidPatternError(".".join(steps), "empty objects are not allowed")
    for key, value in pattern.items():
        path = ".".join((*steps, key))
        if key == _OR:
            _parse_or(value, steps, alternatives)
        elif inside_or and key in _RESERVED_IN_OR:
            raise InvalidPatternError(path, f"{key} is a reserved name and cannot be a field inside {_OR}")
        elif isinstance(value, dict):
            _parse_object(value, (*steps, key), alternatives, inside_or=inside_or)
        elif isinstance(value, list):
            conditions = parse_conditions(path, value)
            if not alternatives:
                alternatives.append({})
            for alternative in alternatives:
                alternative[path] = conditions
        else:
            raise InvalidPatternError(path, f"must be an object or an array, not {kind_of(value)}")


def _parse_or(branches: object, steps: tuple[str, ...], alternatives: list[Alternative]) -> None:
    path = ".".join((*steps, _OR))
    if not isinstance(branches, list) or len(branches) < _MIN_OR:
        raise InvalidPatternError(path, "must be an array of at least two objects")
    before = [dict(alternative) for alternative in alternatives] or [{}]
    alternatives.clear()
    for index, branch in enumerate(branches):
        if not isinstance(branch, dict):
            raise InvalidPatternError(f"{path}[{index}]", f"must be an object, not {kind_of(branch)}")
        branched = [dict(alternative) for alternative in before]
        _parse_object(branch, steps, branched, inside_or=True)
        alternatives.extend(branched)


class _Flattening:
    """One walk over an event that collects the leaves under the paths that a pattern names."""

    __slots__ = ("_arrays", "_leaves", "_prefixes")

    def __init__(self, prefixes: set[str], leaves: dict[str, list[_Leaf]]) -> None:
        self._prefixes = prefixes
        self._leaves = leaves
        self._arrays = 0

    def walk_object(self, node: Mapping[str, Any], prefix: str, membership: Membership) -> None:
        for key, value in node.items():
            path = f"{prefix}.{key}" if prefix else key
            if path in self._prefixes:
                self._walk(value, path, membership)

    def _walk(self, value: object, path: str, membership: Membership) -> None:
        if isinstance(value, dict):
            self.walk_object(value, path, membership)
        elif isinstance(value, list):
            array = self._arrays
            self._arrays += 1
            for index, element in enumerate(value):
                # A bare value stands for the whole array; only what is nested belongs to one element.
                nested = isinstance(element, (dict, list))
                self._walk(element, path, {**membership, array: index} if nested else membership)
        else:
            self._leaves.setdefault(path, []).append(_Leaf(value=value, membership=membership))


def _holds(
    fields: Sequence[tuple[str, tuple[Condition, ...]]],
    position: int,
    leaves: Mapping[str, list[_Leaf]],
    membership: Membership,
) -> bool:
    """Say whether the remaining fields find leaves of which no two are in different elements of one array."""
    if position == len(fields):
        return True
    path, conditions = fields[position]
    reachable = [
        (leaf.value, joined)
        for leaf in leaves.get(path, ())
        if (joined := _join(membership, leaf.membership)) is not None
    ]
    if any(
        _accepted(conditions, value) and _holds(fields, position + 1, leaves, joined)
        for value, joined in reachable
    ):
        return True
    absence = any(condition.accepts is None for condition in conditions)
    return absence and not reachable and _holds(fields, position + 1, leaves, membership)


def _join(membership: Membership, other: Membership) -> Membership | None:
    if any(membership.get(array, index) != index for array, index in other.items()):
        return None
    return {**membership, **other}


def _accepted(conditions: tuple[Condition, ...], value: object) -> bool:
    return any(condition.accepts is not None and condition.accepts(value) for condition in conditions)


def _failures(alternative: Alternative, leaves: Mapping[str, list[_Leaf]]) -> Iterator[str]:
    """Yield the fields that fail on their own, in the pattern's order."""
    for path, conditions in alternative.items():
        if not _holds([(path, conditions)], 0, leaves, {}):
            yield path


def _describe(
    path: str, conditions: tuple[Condition, ...], leaves: list[_Leaf], event: Mapping[str, Any]
) -> str:
    wanted = " or ".join(condition.text for condition in conditions)
    if leaves:
        found = ", ".join(json.dumps(leaf.value, ensure_ascii=False) for leaf in leaves)
        return f"{path} is {found}; the pattern wants {wanted}"
    what = _what_is_at(event, path.split("."))
    return f"{path} is {what}; the pattern wants {wanted}"


def _what_is_at(node: object, steps: Sequence[str]) -> str:
    for step in steps:
        if not isinstance(node, dict) or step not in node:
            return "absent"
        node = node[step]
    return "an object, and patterns see only leaves" if isinstance(node, dict) else "an empty array"


def _dots(path: str) -> Iterator[int]:
    return (index for index, character in enumerate(path) if character == ".")
