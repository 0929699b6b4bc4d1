"""What the roles may do in RDS, derived from the kinds, the needs and the permits of the controls.

Nobody lists an action by hand: a control that needs another one brings it along. Only what IAM checks an action
against is written down here, because no model of AWS's API holds it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from warden.controls import all_controls
from warden.core.kinds import EVALUATED_KINDS, KINDS, Need

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from warden.core.control import Control

NEED_OPERATIONS: Final[Mapping[Need, tuple[str, ...]]] = {
    Need.PARAMETERS: (
        "DescribeDBClusterParameterGroups",
        "DescribeDBClusterParameters",
        "DescribeEngineDefaultClusterParameters",
    ),
    Need.EXPORTABLE_LOG_TYPES: ("DescribeDBEngineVersions",),
    Need.RESTORE_ACCOUNTS: ("DescribeDBClusterSnapshotAttributes", "DescribeDBSnapshotAttributes"),
    Need.MEMBERS: ("DescribeDBInstances",),
    Need.PARAMETER_GROUP_USERS: ("DescribeDBClusters",),
    Need.BLUE_GREEN: ("DescribeBlueGreenDeployments",),
    Need.ENCRYPTED_COPIES: ("DescribeDBSnapshots",),
}
"""How each enrichment is read."""

RESOURCE_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "rds:CopyDBSnapshot": ("snapshot",),
    "rds:DescribeBlueGreenDeployments": ("deployment",),
    "rds:DescribeDBClusterParameterGroups": ("cluster-pg",),
    "rds:DescribeDBClusterParameters": ("cluster-pg",),
    "rds:DescribeDBClusters": ("cluster",),
    "rds:DescribeDBClusterSnapshotAttributes": ("cluster-snapshot",),
    "rds:DescribeDBClusterSnapshots": ("cluster", "cluster-snapshot"),
    "rds:DescribeDBEngineVersions": (),
    "rds:DescribeDBInstances": ("db",),
    "rds:DescribeDBProxies": ("db-proxy",),
    "rds:DescribeDBSnapshotAttributes": ("snapshot",),
    "rds:DescribeDBSnapshots": ("db", "snapshot"),
    "rds:DescribeEngineDefaultClusterParameters": (),
    "rds:DescribeGlobalClusters": ("global-cluster",),
    "rds:ModifyDBCluster": ("cluster", "cluster-pg", "og", "pg"),
    "rds:ModifyDBClusterParameterGroup": ("cluster-pg",),
    "rds:ModifyDBClusterSnapshotAttribute": ("cluster-snapshot",),
    "rds:ModifyDBInstance": ("db", "og", "pg", "secgrp", "subgrp"),
    "rds:ModifyDBSnapshotAttribute": ("snapshot",),
    "rds:ModifyGlobalCluster": ("global-cluster",),
}
"""The types of resource that IAM checks an action against (Service Authorization Reference, "Amazon RDS")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an action is limited to, where that is not a type of resource of RDS."""

    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


_THROUGH_RDS: Final = {"kms:ViaService": "rds.${AWS::Region}.${AWS::URLSuffix}"}
_ANY_KEY: Final = ("arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*",)

DEPENDENT_SCOPES: Final[Mapping[str, Scope]] = {
    # RDS asks KMS in the caller's name, so a key is used for databases or not at all.
    "kms:DescribeKey": Scope(resources=_ANY_KEY, conditions={"StringEquals": _THROUGH_RDS}),
    "kms:CreateGrant": Scope(
        resources=_ANY_KEY,
        conditions={"StringEquals": _THROUGH_RDS, "Bool": {"kms:GrantIsForAWSResource": "true"}},
    ),
    # Tags that a copy takes over from its source.
    "rds:AddTagsToResource": Scope(
        resources=("arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:snapshot:*",)
    ),
}
"""Actions that a call of ours needs and that never show as calls of their own, as narrow as they can be."""


class UnknownActionError(LookupError):
    """A control or a need brings an action of which nobody has written down what IAM checks it against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One statement that allows something."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_grants() -> tuple[Grant, ...]:
    """Return what looking at databases takes: what AWS can limit to this account's, and the rest."""
    operations = {KINDS[kind].describe for kind in EVALUATED_KINDS}
    operations.update(operation for need in Need for operation in NEED_OPERATIONS[need])
    actions = sorted(f"rds:{operation}" for operation in operations)
    limited = tuple(action for action in actions if resource_types(action))
    types = sorted({name for action in limited for name in resource_types(action)})
    return (
        # One list of resources for all: an action is only ever checked against its own types of them.
        Grant(sid="ReadDatabases", actions=limited, resources=tuple(rds_arn(name) for name in types)),
        Grant(
            sid="ReadWhatHasNoOwner",
            actions=tuple(action for action in actions if action not in limited),
            resources=(),
        ),
    )


def write_grants(controls: Iterable[Control]) -> tuple[Grant, ...]:
    """Return what remediations take: a statement for each action, and one for each that it depends on."""
    users = writers(controls)
    return tuple(
        _write_grant(action) for action in sorted(users, key=lambda action: (action[:4] != "rds:", action))
    )


def writers(controls: Iterable[Control]) -> dict[str, list[str]]:
    """Return the ids of the controls whose remediation needs an action, by action."""
    users: dict[str, list[str]] = {}
    for control in controls:
        permits = control.remediation.permits if control.remediation else ()
        for action in {action for permit in permits for action in (permit.action, *permit.dependent_actions)}:
            users.setdefault(action, []).append(control.id)
    return {action: sorted(ids) for action, ids in users.items()}


def resource_types(action: str) -> tuple[str, ...]:
    """Return the types of resource that IAM checks an action of RDS against; none where it checks none."""
    try:
        return RESOURCE_TYPES[action]
    except KeyError:
        raise UnknownActionError(
            f"{action}: add to RESOURCE_TYPES what the Service Authorization Reference says that it is checked against"
        ) from None


def rds_arn(resource_type: str) -> str:
    """Return the ARN of every resource of a type, as a text for Fn::Sub."""
    region = "" if resource_type == "global-cluster" else "${AWS::Region}"
    return f"arn:${{AWS::Partition}}:rds:{region}:${{AWS::AccountId}}:{resource_type}:*"


def as_yaml(grants: Sequence[Grant]) -> str:
    """Write statements as they stand in the template."""
    return "".join(_statement(grant) for grant in grants)


def reads() -> str:
    """Return the statements of the policy that all who look share."""
    return as_yaml(read_grants())


def writes() -> str:
    """Return the statements with which `remediate` writes."""
    return as_yaml(write_grants(all_controls()))


def _write_grant(action: str) -> Grant:
    service, _, name = action.partition(":")
    if scope := DEPENDENT_SCOPES.get(action):
        sid = f"{service.capitalize()}{name}" if service != "rds" else name
        return Grant(sid=sid, actions=(action,), resources=scope.resources, conditions=scope.conditions)
    if service != "rds":
        raise UnknownActionError(f"{action}: add to DEPENDENT_SCOPES what it is to be limited to")
    return Grant(
        sid=name, actions=(action,), resources=tuple(rds_arn(kind) for kind in resource_types(action))
    )


def _statement(grant: Grant) -> str:
    lines = [f"- Sid: {grant.sid}", "  Effect: Allow", *_listed("Action", grant.actions)]
    if grant.resources:
        lines += _listed("Resource", [f'!Sub "{arn}"' for arn in grant.resources])
    else:
        lines.append('  Resource: "*" # AWS checks these against nothing narrower')
    if grant.conditions:
        lines.append("  Condition:")
        for operator, tests in grant.conditions.items():
            lines.append(f"    {operator}:")
            lines += [
                f'      {key}: !Sub "{value}"' if "$" in value else f'      {key}: "{value}"'
                for key, value in tests.items()
            ]
    return "\n".join(lines) + "\n"


def _listed(name: str, items: Sequence[str]) -> list[str]:
    if len(items) == 1:
        return [f"  {name}: {items[0]}"]
    return [f"  {name}:", *(f"    - {item}" for item in items)]
