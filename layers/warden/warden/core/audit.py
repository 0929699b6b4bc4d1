"""What the audit logs of Aurora record: the events of Aurora MySQL, the statement classes of pgaudit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core import engines, scope
from warden.core.control import Verdict, compliant, insufficient_data, non_compliant, not_applicable
from warden.core.group_changes import is_applying, waiting, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from warden.core.resource import Resource

COST = (
    "More is logged; where the log is exported, CloudWatch Logs bills it: in us-east-1, 0.50 USD for each GB that "
    "comes in and 0.03 USD for each GB that is kept for a month."
)

# Aurora User Guide, "Using Advanced Auditing with an Amazon Aurora MySQL DB cluster": server_audit_events.
MYSQL_EVENTS = ("CONNECT", "QUERY", "QUERY_DCL", "QUERY_DDL", "QUERY_DML", "TABLE")
_QUERIES = frozenset({"QUERY_DCL", "QUERY_DDL", "QUERY_DML"})
"""What QUERY alone records, too: these are "similar to the QUERY event" but return one kind of query only."""

# The README of pgaudit, "pgaudit.log"; Aurora User Guide, "Reference for the pgAudit extension".
CLASSES = ("ddl", "function", "misc", "read", "role", "write")
EVERY_CLASS = "all"


def elsewhere(resource: Resource, engine: str, what: str) -> Verdict | None:
    """Why a cluster is none of this engine; None where it is one."""
    if verdict := scope.outside(resource):
        return verdict
    actual = resource.facts["Engine"]
    if actual == engine:
        return None
    return not_applicable(f"{resource.ref.id} runs {actual}: {what} is a matter of {engine} alone.")


def recorded_events(value: str) -> set[str]:
    """The events that a value of server_audit_events records.

    "Specify the events in all caps": what is spelt otherwise is taken for what MySQL does not know.
    """
    events = set(words(value))
    return events | _QUERIES if "QUERY" in events else events


def recorded_classes(value: str) -> set[str]:
    """The statement classes that a value of pgaudit.log records.

    They are taken in order, in any case of letters; `-class` takes one away again, and `none` adds nothing.
    """
    found: set[str] = set()
    for word in words(value):
        name = word.lower().removeprefix("-")
        named = set(CLASSES) if name == EVERY_CLASS else {name} & set(CLASSES)
        found = found - named if word.startswith("-") else found | named
    return found


def lacking(required: Iterable[str], recorded: set[str]) -> list[str]:
    """What is required and not recorded; `all` stands for every class."""
    wanted = {name for word in required for name in (CLASSES if word == EVERY_CLASS else (word,))}
    return sorted(wanted - recorded)


def judge_members(resource: Resource, setting: str) -> Verdict:
    """Whether the members of a cluster have taken over a group whose values are right."""
    if is_applying(resource):
        return insufficient_data(f"{resource.ref.id} is just taking over the group: {setting}.")
    if pending := waiting(resource):
        return non_compliant(
            f"{resource.ref.id} does not record it everywhere yet: {setting}, but pending on {', '.join(pending)}."
        )
    if not resource.facts["DBClusterMembers"]:
        if resource.facts["EngineMode"] == engines.SERVERLESS_V1:
            return insufficient_data(
                f"{resource.ref.id} is Aurora Serverless v1: {setting}, but AWS does not show whether it has effect."
            )
        return compliant(
            f"{resource.ref.id} has no instances, and any that is created will record: {setting}."
        )
    return compliant(f"{resource.ref.id} records on every member: {setting}.")
