"""Who may log in to databases by IAM: what identity policies say of `rds-db:connect`, and when that is too much.

A resource of it is `arn:aws:rds-db:region:account:dbuser:database/user`, where the database is a
DbClusterResourceId, a DbiResourceId or the id of a proxy (IAM User Guide for RDS, "Creating and using an IAM
policy for IAM database access").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass
from warden.core.iam_policy import Effect, matches, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from warden.core.iam_policy import Statement

CONNECT = "rds-db:connect"
_SERVICE = "rds-db"
_WILD = ("*", "?")
# arn:partition:rds-db:region:account:dbuser:database/user
_PARTS = 7


@dataclass(frozen=True, slots=True)
class Grant:
    """A statement of a policy that lets its holders log in as more than a named user of a named database."""

    statement: str
    resource: str
    what: str
    """Ends the sentence "lets its holders log in …"."""


def speaks_of_connecting(document: str | Mapping[str, Any]) -> bool:
    """Whether a policy allows anybody to log in to any database at all; raises UnreadablePolicyError."""
    return any(_allows(statement) for statement in parse(document))


def too_wide(document: str | Mapping[str, Any], *, administrators: bool) -> list[Grant]:
    """What a policy allows too widely; statements that are about every service only where asked for."""
    return [
        grant
        for statement in parse(document)
        if _allows(statement) and (administrators or names_the_service(statement))
        for grant in _grants(statement)
    ]


def names_the_service(statement: Statement) -> bool:
    """Whether a statement means logins in particular, and does not just allow everything of every service."""
    return any(_means(pattern) for pattern in statement.actions)


def _means(pattern: str) -> bool:
    service, colon, _ = pattern.partition(":")
    return bool(colon) and service != "*" and matches(pattern, CONNECT, ignore_case=True)


def _allows(statement: Statement) -> bool:
    return statement.effect is Effect.ALLOW and statement.covers_action(CONNECT)


def _grants(statement: Statement) -> Iterator[Grant]:
    for resource in statement.not_resources[:1]:
        yield Grant(
            statement.name, f"all but {resource}", "as any user to any database that it does not name"
        )
    for resource in statement.resources:
        if what := _too_much(resource):
            yield Grant(statement.name, resource, what)


def _too_much(resource: str) -> str:
    """What a resource opens beyond one user of one database; empty where it is one, or no login at all."""
    if not _reaches(resource):
        return ""
    parts = resource.split(":", _PARTS - 1)
    if len(parts) == _PARTS:
        database, slash, user = parts[-1].partition("/")
    elif _is_wild(resource):
        # A wildcard stands for the parts that are not there, as in `*`, `arn:aws:rds-db:*` or `arn:aws:rds-db:*/jane`.
        database, (_, slash, user) = "*", resource.partition("/")
    else:
        return ""
    any_database = _is_wild(database)
    any_user = _is_wild(user) or (not slash and any_database)
    match any_database, any_user:
        case True, True:
            return f"as {_whom(user)} to any database"
        case True, False:
            return f"as {user} to any database"
        case False, True:
            return f"as {_whom(user)} to {database}"
    return ""


def _whom(user: str) -> str:
    return "any user" if user in {"", "*"} else f"any user like {user}"


def _is_wild(text: str) -> bool:
    """Whether a part stands for several: a policy variable such as `${aws:username}` stands for one."""
    return any(one in text for one in _WILD)


def _reaches(resource: str) -> bool:
    """Whether a pattern can be an ARN of a login at all, by its service."""
    head, service = resource.split(":")[:2], resource.split(":")[2:3]
    return any("*" in part for part in head) or any(matches(part, _SERVICE) for part in service)
