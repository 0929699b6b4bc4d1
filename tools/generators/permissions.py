"""docs/reference/permissions.md: what each role may do, where, and for which controls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.generators import _database_permissions as permissions
from tools.generators._template_pages import REFERENCE, as_list, code, page, parsed, resources, said, table
from warden.controls import all_controls
from warden.core.kinds import EVALUATED_KINDS, KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_ABOUT = """\
Each function has a role of its own, and `remediate` alone may write to databases. No action is allowed by a
wildcard. A resource is one of this account and, but for global clusters, of this Region; the page leaves the
beginning of its ARN out.

The actions of RDS are derived: what is read, from the kinds and from what controls need; what is written, from
what the remediations of controls declare. IAM cannot limit an action to a parameter or a value, such as
`ModifyDBCluster` to `DeletionProtection=true`: the write guard does, and each control's page lists what it lets
pass. The tests run the functions on the local AWS and judge every call by these statements; an action that no
call uses fails them too."""
_READS = """\
`evaluate`, `remediate` and `sweep` look at the same things, by one list (`{policy}`)."""
_WRITES = """\
By `{role}` alone, whose role also denies, whatever else may be allowed one day: {never}. And it denies, as \
far as what a procedure made for itself is not meant: {others}."""


_WRITER = "RemediateRole"


def generate() -> Mapping[Path, str]:
    """Return the page."""
    document = parsed()
    functions = resources(document, "AWS::Serverless::Function")
    roles = resources(document, "AWS::IAM::Role")
    by_role = {said(function["Role"]): name for name, function in functions.items()}
    sections = [_role(name, role, by_role.get(name)) for name, role in roles.items()]
    sections.append(_approver(resources(document, "AWS::IAM::ManagedPolicy")["ApproverPolicy"]))
    text = page("Permissions", _ABOUT, *sections, _reads(), _writes(roles))
    return {REFERENCE / "permissions.md": text}


def _role(name: str, role: Mapping[str, Any], function: str | None) -> str:
    user = f"The role of `{function}`." if function else "The role of the schedules."
    rows = [
        _row(statement)
        for policy in role["Policies"]
        for statement in map(_where_wanted, policy["PolicyDocument"]["Statement"])
        if statement["Effect"] == "Allow" and not (name == _WRITER and _is_brought_along(statement))
    ]
    shared = ["It also reads databases, see below."] if role.get("ManagedPolicyArns") else []
    lines = table(("Statement", "Actions", "On", "Only if"), rows)
    return "\n".join([f"## {name}", "", " ".join([f"{role['Description']}.", user, *shared]), "", *lines])


def _approver(policy: Mapping[str, Any]) -> str:
    rows = [_row(statement) for statement in policy["PolicyDocument"]["Statement"]]
    about = f"{policy['Description']}. For the role of the people who [approve](../how-to/approve.md)."
    lines = table(("Statement", "Actions", "On", "Only if"), rows)
    return "\n".join(["## ApproverPolicy", "", about, "", *lines])


def _row(statement: Mapping[str, Any]) -> tuple[str, str, str, str]:
    conditions = [
        f"`{key}` is " + " or ".join(f"`{said(one)}`" for one in as_list(value))
        for tests in statement.get("Condition", {}).values()
        for key, value in tests.items()
    ]
    return (
        statement["Sid"],
        code(as_list(statement["Action"])),
        code(as_list(statement["Resource"])),
        "<br>".join(conditions),
    )


def _where_wanted(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    """The statement that a condition of the template adds; the others as they are."""
    return statement["Fn::If"][1] if "Fn::If" in statement else statement


def _is_brought_along(statement: Mapping[str, Any]) -> bool:
    """Say whether controls bring this statement along; such statements have a table of their own."""
    return set(as_list(statement["Action"])) <= permissions.writers(all_controls()).keys()


def _reads() -> str:
    purposes: dict[str, list[str]] = {}
    for kind in EVALUATED_KINDS:
        for action in dict.fromkeys(
            (permissions.describe_action(kind), *permissions.KIND_ACTIONS.get(kind, ()))
        ):
            purposes.setdefault(action, []).append(f"every {KINDS[kind].name}")
    for kind, actions in permissions.USERS_ACTIONS.items():
        for action in actions:
            purposes.setdefault(action, []).append(f"what uses a {KINDS[kind].name}")
    for need in permissions.needs_in_use():
        for action in permissions.need_actions(need):
            purposes.setdefault(action, []).append(f"`{need.value}`")
    for action in permissions.PREFLIGHT_ACTIONS:
        purposes.setdefault(action, []).append("who connects without TLS")
    rows = [
        (f"`{action}`", ", ".join(purposes[action]), code(permissions.RESOURCES[action]) or "everything")
        for action in sorted(purposes.keys() - permissions.FREE)
    ]
    lines = table(("Action", "To know", "On"), rows)
    return "\n".join(["## Reads of databases", "", _READS.format(policy="ReadDatabasesPolicy"), "", *lines])


def _writes(roles: Mapping[str, Mapping[str, Any]]) -> str:
    users = permissions.writers(all_controls())
    statements = {
        action: statement
        for statement in _statements(roles["RemediateRole"])
        if statement["Effect"] == "Allow"
        for action in as_list(statement["Action"])
    }
    rows = [
        (
            f"`{action}`",
            "<br>".join(f"[{control}](controls/{control}.md)" for control in users[action]),
            *_row(statements[action])[2:],
        )
        for action in sorted(users)
    ]
    denied = [item for item in _statements(roles["RemediateRole"]) if item["Effect"] == "Deny"]
    never = ", ".join(f"`{action}`" for action in denied[0]["Action"])
    others = "; ".join(_but(item) for item in denied[1:])
    lines = table(("Action", "For", "On", "Only if"), rows)
    return "\n".join(
        [
            "## Writes to databases",
            "",
            _WRITES.format(role="remediate", never=never, others=others),
            "",
            *lines,
        ]
    )


def _but(statement: Mapping[str, Any]) -> str:
    """Say what a denial is about, and what it leaves alone."""
    actions = ", ".join(f"`{action}`" for action in as_list(statement["Action"]))
    if "NotResource" in statement:
        return f"{actions} on anything but {code(as_list(statement['NotResource'])).replace('<br>', ', ')}"
    return f"{actions} on what lacks the tag `warden:nonce`"


def _statements(role: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"]]
