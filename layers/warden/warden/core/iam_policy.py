"""IAM's policy language, read exactly: whom a policy lets in, and what it lets them do.

For the policies of keys and of secrets, and for what roles may do. A document that breaks the grammar is no
policy to guess about: `UnreadablePolicyError`, which a control answers with INSUFFICIENT_DATA.

Sources: IAM User Guide, "Grammar of the IAM JSON policy language", "AWS JSON policy elements: Principal",
"... Condition operators", "AWS global condition context keys".
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

ANYONE = "*"
"""The principal that is every AWS account and, where the service lets them in, whoever has none."""

_TOP = frozenset({"Version", "Id", "Statement"})
_ELEMENTS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"}
    | {"Resource", "NotResource", "Condition"}
)
_KINDS_OF_PRINCIPAL = ("AWS", "Service", "Federated", "CanonicalUser")
_IF_EXISTS = "ifexists"
_OPERATOR = re.compile(r"(?:(forallvalues|foranyvalue):)?([a-z]+?)(ifexists)?", re.IGNORECASE)


class UnreadablePolicyError(ValueError):
    """A document that is no policy; the message says where it stops being one."""


class Effect(StrEnum):
    """What a statement does."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One key of a condition: it holds if one of the values matches; all conditions of a statement must hold."""

    operator: str
    """In lower case, without qualifier and `IfExists`."""
    key: str
    """In lower case: "Condition key names are not case-sensitive"."""
    values: tuple[str, ...]
    qualifier: str = ""
    """`forallvalues` or `foranyvalue`, for keys of many values."""
    if_exists: bool = False
    """Whether it also holds where the request has no such key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principals:
    """Whom an element names, by the kinds of principals."""

    aws: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    federated: tuple[str, ...] = ()
    canonical: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement; what an element does not say is empty."""

    name: str
    """Its Sid, or its place in the policy: `statement 2`."""
    effect: Effect
    principals: Principals | None = None
    not_principals: Principals | None = None
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()

    def covers_action(self, action: str) -> bool:
        """Whether it speaks of an action such as `kms:Decrypt`; prefixes and names are not case-sensitive."""
        if self.not_actions:
            return not any(matches(pattern, action, ignore_case=True) for pattern in self.not_actions)
        return any(matches(pattern, action, ignore_case=True) for pattern in self.actions)


def matches(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """Whether a pattern covers a text: `*` is any run of characters, `?` any one, all else is itself.

    The text may be a pattern itself: then whether everything that it covers is covered, so that `?` does not
    cover a `*`.
    """
    expression = "".join({"*": ".*", "?": "[^*]"}.get(one, re.escape(one)) for one in pattern)
    return re.fullmatch(expression, text, (re.IGNORECASE if ignore_case else 0) | re.DOTALL) is not None


def parse(document: str | Mapping[str, Any]) -> tuple[Statement, ...]:
    """Read a policy: JSON as KMS and Secrets Manager give it, or the mapping that boto3 makes of one for IAM."""
    policy = _loaded(document) if isinstance(document, str) else document
    _elements(policy, _TOP, "the policy")
    if "Statement" not in policy:
        msg = "the policy has no Statement"
        raise UnreadablePolicyError(msg)
    statements = policy["Statement"]
    if not isinstance(statements, list):
        statements = [statements]
    return tuple(_statement(item, number) for number, item in enumerate(statements, start=1))


def _loaded(document: str) -> Any:
    try:
        return json.loads(document, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        msg = f"it is no JSON of a policy: {error}"
        raise UnreadablePolicyError(msg) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two elements of one name, Python would keep the last; nobody knows which one is meant."""
    found = dict(pairs)
    if len(found) != len(pairs):
        msg = f"an element is there twice among {sorted(found)}"
        raise ValueError(msg)
    return found


def _elements(item: Any, known: frozenset[str], where: str) -> None:
    if not isinstance(item, dict):
        msg = f"{where} is no object"
        raise UnreadablePolicyError(msg)
    if unknown := sorted(set(item) - known):
        msg = f"{where} has elements that IAM does not have: {', '.join(map(str, unknown))}"
        raise UnreadablePolicyError(msg)


def _statement(item: Any, number: int) -> Statement:
    where = f"statement {number}"
    _elements(item, _ELEMENTS, where)
    if item.get("Effect") not in set(Effect):
        msg = f"{where} has the Effect {item.get('Effect')!r}"
        raise UnreadablePolicyError(msg)
    for one, other in (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal")):
        if one in item and other in item:
            msg = f"{where} has both {one} and {other}"
            raise UnreadablePolicyError(msg)
    actions, not_actions = _texts(item, "Action", where), _texts(item, "NotAction", where)
    if not actions and not not_actions:
        msg = f"{where} has no Action"
        raise UnreadablePolicyError(msg)
    return Statement(
        name=_name(item, where),
        effect=Effect(item["Effect"]),
        principals=_principals(item, "Principal", where),
        not_principals=_principals(item, "NotPrincipal", where),
        actions=actions,
        not_actions=not_actions,
        resources=_texts(item, "Resource", where),
        not_resources=_texts(item, "NotResource", where),
        conditions=_conditions(item.get("Condition", {}), where),
    )


def _name(item: Mapping[str, Any], where: str) -> str:
    sid = item.get("Sid", "")
    if not isinstance(sid, str):
        msg = f"{where} has a Sid that is no text"
        raise UnreadablePolicyError(msg)
    return sid or where


def _texts(item: Mapping[str, Any], element: str, where: str) -> tuple[str, ...]:
    """A text or a list of texts."""
    given = item.get(element, [])
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        msg = f"{where} has a {element} that is neither a text nor a list of texts"
        raise UnreadablePolicyError(msg)
    return tuple(texts)


def _principals(item: Mapping[str, Any], element: str, where: str) -> Principals | None:
    if element not in item:
        return None
    given = item[element]
    if given == ANYONE:
        # "the following elements are equivalent": "*" and {"AWS": "*"}, in a policy that stands on a resource.
        return Principals(aws=(ANYONE,))
    _elements(given, frozenset(_KINDS_OF_PRINCIPAL), f"the {element} of {where}")
    aws, services, federated, canonical = (
        _texts(given, kind, f"the {element} of {where}") for kind in _KINDS_OF_PRINCIPAL
    )
    return Principals(aws=aws, services=services, federated=federated, canonical=canonical)


def _conditions(given: Any, where: str) -> tuple[Condition, ...]:
    if not isinstance(given, dict):
        msg = f"the Condition of {where} is no object"
        raise UnreadablePolicyError(msg)
    found = []
    for operator, tests in given.items():
        read = _OPERATOR.fullmatch(operator)
        if read is None or not isinstance(tests, dict):
            msg = f"the Condition of {where} has an operator {operator!r} that cannot be read"
            raise UnreadablePolicyError(msg)
        qualifier, word, if_exists = read.groups()
        found += [
            Condition(
                operator=word.lower(),
                key=key.lower(),
                values=_values(values, where),
                qualifier=(qualifier or "").lower(),
                if_exists=bool(if_exists),
            )
            for key, values in tests.items()
        ]
    return tuple(found)


def _values(given: Any, where: str) -> tuple[str, ...]:
    """Texts; IAM also takes numbers and truth values without quotes."""
    values = given if isinstance(given, list) else [given]
    if not all(isinstance(value, (str, int, float)) for value in values):
        msg = f"the Condition of {where} has a value that is neither text, number nor truth value"
        raise UnreadablePolicyError(msg)
    return tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in values)
