"""Whether a policy allows an action: the part of IAM's evaluation that decides on deliveries.

moto knows actions only (a resource ARN in an Allow denies everything there), so queue policies, key policies
and roles are judged here. What this cannot judge, it refuses to judge: an unknown condition operator is an
error, not a yes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_ARN_SECTIONS: Final = 6
_ANY: Final = ("*",)


class UnsupportedPolicyError(ValueError):
    """A policy uses something that the local AWS cannot judge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement of a policy with every shorthand spelt out as a tuple; an absent element is None."""

    allow: bool
    actions: tuple[str, ...] | None = None
    not_actions: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    not_resources: tuple[str, ...] | None = None
    principals: Mapping[str, tuple[str, ...]] | None = None
    not_principals: Mapping[str, tuple[str, ...]] | None = None
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    sid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who wants to do what to which resource, in which circumstances."""

    action: str
    resource: str
    service: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)


def parse_policy(document: Mapping[str, Any]) -> tuple[Statement, ...]:
    """Read a policy document's statements."""
    statements = document.get("Statement", ())
    return tuple(
        _parse_statement(item) for item in ([statements] if isinstance(statements, dict) else statements)
    )


def allows(statements: Iterable[Statement], request: Request) -> bool:
    """Say whether some statement allows the request and none denies it."""
    applicable = [statement for statement in statements if _applies(statement, request)]
    return bool(applicable) and all(statement.allow for statement in applicable)


def managed_policy(arn: str) -> tuple[Statement, ...] | None:
    """Return the statements of an AWS managed policy that SAM attaches, or None for an unknown one."""
    grants = _MANAGED.get(arn.rpartition("/")[2]) if ":aws:policy/" in arn else None
    return None if grants is None else (Statement(allow=True, actions=grants, resources=_ANY),)


_LOGS: Final = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
_MANAGED: Final[Mapping[str, tuple[str, ...]]] = {
    "AWSLambdaBasicExecutionRole": _LOGS,
    "AWSLambdaSQSQueueExecutionRole": (
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        *_LOGS,
    ),
    "AWSXRayDaemonWriteAccess": (
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:GetSamplingStatisticSummaries",
    ),
    "AWSXrayWriteOnlyAccess": (
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:GetSamplingStatisticSummaries",
    ),
}


def _parse_statement(item: Mapping[str, Any]) -> Statement:
    return Statement(
        allow=item["Effect"] == "Allow",
        actions=_texts(item.get("Action")),
        not_actions=_texts(item.get("NotAction")),
        resources=_texts(item.get("Resource")),
        not_resources=_texts(item.get("NotResource")),
        principals=_principals(item.get("Principal")),
        not_principals=_principals(item.get("NotPrincipal")),
        conditions={
            operator: {key: _texts(values) or () for key, values in tests.items()}
            for operator, tests in item.get("Condition", {}).items()
        },
        sid=item.get("Sid", ""),
    )


def _texts(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    items = value if isinstance(value, list) else [value]
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in items)


def _principals(value: object) -> Mapping[str, tuple[str, ...]] | None:
    if value is None:
        return None
    if isinstance(value, dict):
        return {kind: _texts(names) or () for kind, names in value.items()}
    return {"*": (str(value),)}


def _applies(statement: Statement, request: Request) -> bool:
    return (
        _principal_applies(statement, request)
        and _listed(statement.actions, statement.not_actions, request.action, ignore_case=True)
        and _listed(statement.resources, statement.not_resources, request.resource)
        and all(
            _condition_holds(operator, key, values, request.context)
            for operator, tests in statement.conditions.items()
            for key, values in tests.items()
        )
    )


def _principal_applies(statement: Statement, request: Request) -> bool:
    if statement.not_principals is not None:
        return not _is_among(statement.not_principals, request.service)
    if statement.principals is None:  # an identity's policy speaks of its identity only
        return True
    return _is_among(statement.principals, request.service)


def _is_among(principals: Mapping[str, tuple[str, ...]], service: str | None) -> bool:
    everybody = "*" in principals.get("*", ()) or "*" in principals.get("AWS", ())
    return everybody or service in principals.get("Service", ())


def _listed(
    names: tuple[str, ...] | None, excluded: tuple[str, ...] | None, value: str, *, ignore_case: bool = False
) -> bool:
    if excluded is not None:
        return not any(_glob(name, ignore_case).fullmatch(value) for name in excluded)
    return names is None or any(_glob(name, ignore_case).fullmatch(value) for name in names)


@lru_cache(maxsize=1024)
def _glob(pattern: str, ignore_case: bool) -> re.Pattern[str]:  # noqa: FBT001 — lru_cache keys are positional
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _like(pattern: str, value: str) -> bool:
    return _glob(pattern, False).fullmatch(value) is not None  # noqa: FBT003 — lru_cache keys are positional


def _arn_like(pattern: str, value: str) -> bool:
    """Compare section by section: a wildcard does not reach over a colon, except in the last section."""
    wanted, found = pattern.split(":", _ARN_SECTIONS - 1), value.split(":", _ARN_SECTIONS - 1)
    return len(wanted) == len(found) and all(map(_like, wanted, found))


def _equal(pattern: str, value: str) -> bool:
    return pattern == value


def _equal_ignoring_case(pattern: str, value: str) -> bool:
    return pattern.lower() == value.lower()


_OPERATORS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "StringEquals": _equal,
    "StringEqualsIgnoreCase": _equal_ignoring_case,
    "StringLike": _like,
    "ArnEquals": _arn_like,  # IAM: "ArnEquals and ArnLike behave identically"
    "ArnLike": _arn_like,
    "Bool": _equal_ignoring_case,
}
_NEGATED: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "StringNotEquals": _equal,
    "StringNotEqualsIgnoreCase": _equal_ignoring_case,
    "StringNotLike": _like,
    "ArnNotEquals": _arn_like,
    "ArnNotLike": _arn_like,
}


def _condition_holds(operator: str, key: str, values: tuple[str, ...], context: Mapping[str, str]) -> bool:
    found = next((value for name, value in context.items() if name.lower() == key.lower()), None)
    if operator == "Null":
        return _equal_ignoring_case(values[0], str(found is None))
    name = operator.removesuffix("IfExists")
    if name in _NEGATED:
        return found is None or not any(_NEGATED[name](value, found) for value in values)
    if name not in _OPERATORS:
        raise UnsupportedPolicyError(f"the local AWS cannot judge the condition operator {operator}")
    if found is None:
        return operator.endswith("IfExists")
    return any(_OPERATORS[name](value, found) for value in values)
