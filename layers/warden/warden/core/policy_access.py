"""Whom a policy that stands on a resource lets in: strangers, and whether an account that should be is.

`iam_policy` reads the language; this weighs it. A wish for certainty decides every doubt: what cannot be shown
to keep strangers out does not, and what cannot be shown to let a partner in is unknown.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from warden.core.dataclass import dataclass
from warden.core.iam_policy import ANYONE, Effect, matches

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from warden.core.iam_policy import Condition, Principals, Statement

_ACCOUNT = re.compile(r"\d{12}")
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
# "When you delete a user or role, its principal element becomes the id": it then matches nobody that exists
# (IAM User Guide, "AWS JSON policy elements: Principal").
_DELETED = re.compile(r"A(IDA|ROA|GPA|NPA)[A-Z0-9]{12,}")
_ARN_FIELDS_TO_ACCOUNT = 5
_WILD = re.compile(r"[*?$]")

_EQUAL = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"})
_UNEQUAL = frozenset(
    {"stringnotequals", "stringnotequalsignorecase", "stringnotlike", "arnnotequals", "arnnotlike"}
)
# Keys whose fixed values say which accounts a caller can be of. The source keys are there only in calls that a
# service makes for somebody, so that demanding one keeps everybody else out.
_ACCOUNT_KEYS = frozenset({"aws:principalaccount", "kms:calleraccount", "aws:sourceaccount"})
_ORGANIZATION_KEYS = frozenset({"aws:principalorgid", "aws:sourceorgid"})
_PATH_KEYS = frozenset({"aws:principalorgpaths", "aws:sourceorgpaths"})
_ARN_KEYS = frozenset({"aws:principalarn", "aws:sourcearn"})
_SERVICE_KEY = "aws:principalisawsservice"
# "This key is included in the request context for all requests including anonymous requests": only of this one
# `IfExists` takes nothing away.
_ALWAYS_THERE = frozenset({"aws:principalaccount"})


@dataclass(frozen=True, slots=True)
class Trusted:
    """Who may be let in: accounts, the resource's own among them, and organizations."""

    accounts: frozenset[str]
    organizations: frozenset[str] = frozenset()

    def holds(self, who: str) -> bool:
        """Whether it is one of them."""
        return who in self.accounts or who in self.organizations


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody whom a statement lets in and who is not trusted."""

    statement: str
    who: str
    """An account, an organization, `*` for everybody, or the principal as it stands there."""

    def __str__(self) -> str:
        return f"{self.statement} lets in {'everybody' if self.who == ANYONE else self.who}"


def strangers(statements: Iterable[Statement], trusted: Trusted) -> tuple[Stranger, ...]:
    """Everybody whom the policy lets in and who is not trusted, by statement; denials are weighed.

    Principals of AWS services are no strangers: what they do for whom is another question.
    """
    policy = tuple(statements)
    denials = [statement for statement in policy if statement.effect is Effect.DENY]
    return tuple(
        Stranger(statement.name, who)
        for statement in policy
        if statement.effect is Effect.ALLOW
        for who in sorted(_let_in(statement, denials, trusted))
    )


def _let_in(statement: Statement, denials: Sequence[Statement], trusted: Trusted) -> set[str]:
    limits = [limit for condition in statement.conditions if (limit := _limit(condition)) is not None]
    limits += [
        limit for denial in denials if _covers(denial, statement) and (limit := _spared(denial)) is not None
    ]
    who = {ANYONE} if statement.not_principals is not None else _named(statement.principals)
    for limit in limits:
        if all(trusted.holds(one) for one in limit):
            return set()
        who = _meet(who, limit)
    return {one for one in who if not trusted.holds(one)}


def _meet(who: set[str], limit: frozenset[str]) -> set[str]:
    """Those who are in both. An account may be of any organization, so an organization takes none away."""
    if ANYONE in who:
        return set(limit)
    if any(_ACCOUNT.fullmatch(one) is None for one in limit):
        return who
    return {one for one in who if one in limit or _ACCOUNT.fullmatch(one) is None}


def _named(principals: Principals | None) -> set[str]:
    """Accounts, `*`, or names that say nothing about an account."""
    if principals is None:
        return set()
    who = {account_of(name) for name in (*principals.aws, *principals.federated)}
    who |= set(principals.canonical)
    if any(_WILD.search(name) for name in principals.services):
        who.add(ANYONE)
    return who - {""}


def account_of(name: str) -> str:
    """The account that a principal is of; empty for one that was deleted; itself where it tells no account."""
    if name == ANYONE or _ACCOUNT.fullmatch(name):
        return name
    if _DELETED.fullmatch(name):
        return ""
    parts = name.split(":")
    if len(parts) > _ARN_FIELDS_TO_ACCOUNT and parts[0] == "arn":
        account = parts[_ARN_FIELDS_TO_ACCOUNT - 1]
        return account if _ACCOUNT.fullmatch(account) else ANYONE
    return name


def _limit(condition: Condition) -> frozenset[str] | None:
    """Who can be let in where this holds; None where it keeps nobody out for certain."""
    if condition.qualifier == "forallvalues":
        # "returns true if there are no keys in the request".
        return None
    if condition.if_exists and condition.key not in _ALWAYS_THERE:
        return None
    if condition.key == _SERVICE_KEY:
        return frozenset() if condition.operator == "bool" and condition.values == ("true",) else None
    return _who(condition) if condition.operator in _EQUAL else None


def _spared(denial: Statement) -> frozenset[str] | None:
    """Whom a denial spares; None where it spares people that it does not name for certain.

    It strikes only where all its conditions hold, so it spares whoever escapes one of them.
    """
    spared: set[str] = set()
    if denial.not_principals is not None:
        spared |= _named(denial.not_principals)
    elif denial.principals is None or ANYONE not in denial.principals.aws:
        return None
    for condition in denial.conditions:
        escaped = _escaped(condition)
        if escaped is None:
            return None
        spared |= escaped
    return None if ANYONE in spared else frozenset(spared)


def _escaped(condition: Condition) -> frozenset[str] | None:
    """Who does not meet a denial's condition; a denial that names whom it does not strike holds for all others.

    A negated operator also holds where the key is absent, except behind `ForAnyValue`.
    """
    if condition.key == _SERVICE_KEY and condition.operator == "bool" and condition.values == ("false",):
        # Where the key is absent, a plain Bool does not hold, and the denial would not strike.
        return frozenset() if condition.if_exists else None
    if condition.operator not in _UNEQUAL or condition.qualifier == "foranyvalue":
        return None
    return _who(condition)


def _who(condition: Condition) -> frozenset[str] | None:
    """The accounts or organizations that the values name; None where one of them is not fixed."""
    found: set[str] = set()
    for value in condition.values:
        who = _fixed(condition.key, value)
        if who is None:
            return None
        found.add(who)
    return frozenset(found)


def _fixed(key: str, value: str) -> str | None:
    if key in _ACCOUNT_KEYS:
        return value if _ACCOUNT.fullmatch(value) else None
    if key in _ORGANIZATION_KEYS:
        return value if _ORGANIZATION.fullmatch(value) else None
    if key in _PATH_KEYS:
        organization, slash, _ = value.partition("/")
        return organization if slash and _ORGANIZATION.fullmatch(organization) else None
    if key in _ARN_KEYS:
        parts = value.split(":")
        to_account = parts[:_ARN_FIELDS_TO_ACCOUNT]
        if len(parts) > _ARN_FIELDS_TO_ACCOUNT and not _WILD.search(":".join(to_account)):
            return to_account[-1] if _ACCOUNT.fullmatch(to_account[-1]) else None
    return None


def _covers(denial: Statement, statement: Statement) -> bool:
    """Whether a denial strikes everything that a statement allows."""
    if denial.not_actions or denial.not_resources:
        return False
    if denial.resources and ANYONE not in denial.resources:
        return False
    wanted = statement.actions or (ANYONE,)
    return all(
        any(matches(struck, action, ignore_case=True) for struck in denial.actions) for action in wanted
    )


class Answer(StrEnum):
    """Whether an account may do something."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def may(
    statements: Iterable[Statement], account: str, action: str, *, granted: Collection[str] = ()
) -> Answer:
    """Whether a resource's policy lets an account, or an identity of it, do an action.

    `granted` are condition keys of which the caller knows that the calls in question meet them. Any other
    condition makes the answer unknown.
    """
    policy = [statement for statement in statements if statement.covers_action(action)]
    struck = {_strikes(s, account) for s in policy if s.effect is Effect.DENY}
    allowed = {_allows(s, account, granted) for s in policy if s.effect is Effect.ALLOW}
    if Answer.YES in struck or not allowed - {Answer.NO}:
        return Answer.NO
    if Answer.YES in allowed and struck <= {Answer.NO}:
        return Answer.YES
    return Answer.UNKNOWN


def _strikes(denial: Statement, account: str) -> Answer:
    """Whether a denial strikes all of an account."""
    spared = _spared(denial)
    if spared is not None:
        organizations = any(_ACCOUNT.fullmatch(one) is None for one in spared)
        return Answer.NO if account in spared else Answer.UNKNOWN if organizations else Answer.YES
    if not _is_of(denial, account) or any(_is_plain_text(one) for one in denial.conditions):
        return Answer.NO
    whole = denial.principals is not None and any(
        name in {ANYONE, account} or name.endswith(f"::{account}:root") for name in denial.principals.aws
    )
    return Answer.YES if whole and not denial.conditions else Answer.UNKNOWN


def _is_plain_text(condition: Condition) -> bool:
    """Whether a condition holds for calls without TLS alone, which services do not make."""
    return (condition.operator, condition.key, condition.values) == (
        "bool",
        "aws:securetransport",
        ("false",),
    )


def _is_of(statement: Statement, account: str) -> bool:
    if statement.not_principals is not None:
        return account not in _named(statement.not_principals)
    return bool({ANYONE, account} & _named(statement.principals))


def _allows(statement: Statement, account: str, granted: Collection[str]) -> Answer:
    if not _is_of(statement, account):
        return Answer.NO
    answer = Answer.YES
    for condition in statement.conditions:
        if condition.key in granted:
            continue
        limit = _limit(condition)
        if limit is None or (account not in limit and any(not _ACCOUNT.fullmatch(one) for one in limit)):
            answer = Answer.UNKNOWN
        elif account not in limit:
            return Answer.NO
    return answer
