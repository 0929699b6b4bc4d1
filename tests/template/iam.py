"""IAM's evaluation logic as far as the template uses it, and the judgement of recorded calls by it.

Written apart from the local AWS, which has a smaller one for its deliveries: who records must not be who judges.
What is not known here (an operator, a policy variable) is an error, never a yes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from console.local.template import LocalTemplate

_ARN_SEGMENTS: Final = 6


class UnsupportedPolicyError(ValueError):
    """A policy uses something that cannot be judged here."""


@dataclass(frozen=True, slots=True)
class Access:
    """One action on one resource, in some circumstances; what IAM is asked."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict, hash=False)
    principal: str = ""
    """The service that asks, for a resource's policy; an identity's policy names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement, with its shorthand spelt out."""

    sid: str
    allow: bool
    origin: str = ""
    """The logical id of the role or of the managed policy that holds it."""
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict, hash=False)

    def covers(self, access: Access) -> bool:
        """Whether it has a say in this access."""
        return self.names(access) and all(
            _holds(operator, key, values, access.context)
            for operator, tests in self.conditions.items()
            for key, values in tests.items()
        )

    def names(self, access: Access) -> bool:
        """Whether principal, action and resource are its own, whatever its conditions say."""
        if self.principals and not {"*", access.principal} & set(self.principals):
            return False
        if self.not_actions:
            acts = not any(is_like(pattern, access.action, ignore_case=True) for pattern in self.not_actions)
        else:
            acts = any(is_like(pattern, access.action, ignore_case=True) for pattern in self.actions)
        if self.not_resources:
            return acts and not any(is_arn_like(pattern, access.resource) for pattern in self.not_resources)
        # A role's trust policy names no resource: it is about the role.
        is_trust = not self.resources and bool(self.principals)
        return acts and (is_trust or any(is_arn_like(pattern, access.resource) for pattern in self.resources))


@dataclass(frozen=True, slots=True)
class Decision:
    """IAM's answer, and the statement that gave it; none where nothing allows."""

    allowed: bool
    by: Statement | None

    def __str__(self) -> str:
        if self.by is None:
            return "no statement allows it"
        return f"{'allowed' if self.allowed else 'denied'} by {self.by.sid}"


def statements(document: Mapping[str, Any], origin: str = "") -> tuple[Statement, ...]:
    """Read a policy document whose references are resolved."""
    found = document["Statement"]
    return tuple(_statement(item, origin) for item in (found if isinstance(found, list) else [found]))


def decide(policies: Iterable[Statement], access: Access) -> Decision:
    """Answer as IAM does: a denial wins, and what nothing allows is not allowed."""
    covering = [statement for statement in policies if statement.covers(access)]
    for statement in covering:
        if not statement.allow:
            return Decision(allowed=False, by=statement)
    return Decision(allowed=bool(covering), by=covering[0] if covering else None)


def role_statements(stack: LocalTemplate, role: str) -> tuple[Statement, ...]:
    """Every statement that a role of the stack has, inline or by a managed policy of the stack."""
    properties = stack.resources[role].properties
    documents = [(role, policy["PolicyDocument"]) for policy in properties.get("Policies", ())]
    managed = {item.ref: item for item in stack.of_type("AWS::IAM::ManagedPolicy")}
    for arn in properties.get("ManagedPolicyArns", ()):
        if arn not in managed:
            msg = f"{role}: the managed policy {arn} is not in this stack, so what it grants is not known"
            raise UnsupportedPolicyError(msg)
        documents.append((managed[arn].logical_id, managed[arn].properties["PolicyDocument"]))
    return tuple(item for origin, document in documents for item in statements(document, origin))


def function_role(stack: LocalTemplate, function: str) -> str:
    """The logical id of a function's role."""
    role = stack.role(stack.functions[function].role_arn)
    assert role is not None, f"{function} has a role that is not in this stack"
    return role.logical_id


def is_arn_like(pattern: str, value: str) -> bool:
    """Compare segment by segment: a wildcard does not reach over a colon, except in the last segment."""
    if pattern == "*":
        return True
    wanted = pattern.split(":", _ARN_SEGMENTS - 1)
    if len(wanted) < _ARN_SEGMENTS:
        msg = f"{pattern!r} is not a whole ARN"
        raise UnsupportedPolicyError(msg)
    found = value.split(":", _ARN_SEGMENTS - 1)
    return len(found) == len(wanted) and all(is_like(*pair) for pair in zip(wanted, found, strict=True))


def is_like(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Whether `*` (any characters) and `?` (one character) make the pattern the value."""
    return _expression(pattern, ignore_case=ignore_case).fullmatch(value) is not None


@cache
def _expression(pattern: str, *, ignore_case: bool) -> re.Pattern[str]:
    if "${" in pattern:
        msg = f"policy variables are not known here: {pattern!r}"
        raise UnsupportedPolicyError(msg)
    text = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
    return re.compile(text, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _statement(item: Mapping[str, Any], origin: str) -> Statement:
    unknown = set(item) - {
        *("Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition"),
    }
    if unknown:
        msg = f"elements that are not known here: {sorted(unknown)}"
        raise UnsupportedPolicyError(msg)
    principal = item.get("Principal", {})
    parties = [principal] if isinstance(principal, str) else list(principal.values())
    return Statement(
        sid=item.get("Sid", ""),
        allow={"Allow": True, "Deny": False}[item["Effect"]],
        origin=origin,
        actions=_texts(item.get("Action")),
        not_actions=_texts(item.get("NotAction")),
        resources=_texts(item.get("Resource")),
        not_resources=_texts(item.get("NotResource")),
        principals=tuple(name for party in parties for name in _texts(party)),
        conditions={
            operator: {key: _texts(values) for key, values in tests.items()}
            for operator, tests in item.get("Condition", {}).items()
        },
    )


def _texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in items)


_OPERATORS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "StringEquals": lambda wanted, found: wanted == found,
    "StringLike": is_like,
    "ArnEquals": is_arn_like,
    "ArnLike": is_arn_like,
    "Bool": lambda wanted, found: wanted.lower() == found.lower(),
}


def _holds(operator: str, key: str, values: tuple[str, ...], context: Mapping[str, str]) -> bool:
    found = {name.lower(): value for name, value in context.items()}.get(key.lower())
    if operator == "Null":
        return [str(found is None).lower()] == list(values)
    name = operator.removesuffix("IfExists").replace("Not", "")
    if name not in _OPERATORS:
        msg = f"the condition operator {operator} is not known here"
        raise UnsupportedPolicyError(msg)
    if found is None:
        return operator.endswith("IfExists") or "Not" in operator
    return any(_OPERATORS[name](value, found) for value in values) != ("Not" in operator)
