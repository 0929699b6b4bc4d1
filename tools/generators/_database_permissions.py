"""What the roles may do in RDS, derived from the kinds, the needs and the permits of the controls.

Nobody lists an action by hand: a control that needs another one brings it along. Only what IAM checks an action
against is written down here, because no model of AWS's API holds it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from warden.controls import all_controls
from warden.core.conditions import WRITE_NEEDS
from warden.core.kinds import EVALUATED_KINDS, KINDS, Need

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from warden.core.control import Control

NEED_ACTIONS: Final[Mapping[Need, tuple[str, ...]]] = {
    Need.PARAMETERS: (
        "rds:DescribeDBClusterParameterGroups",
        "rds:DescribeDBClusterParameters",
        "rds:DescribeEngineDefaultClusterParameters",
    ),
    Need.INSTANCE_PARAMETERS: (
        "rds:DescribeDBParameterGroups",
        "rds:DescribeDBParameters",
        "rds:DescribeEngineDefaultParameters",
    ),
    Need.MEMBER_PARAMETERS: ("rds:DescribeDBParameters",),
    Need.EXPORTABLE_LOG_TYPES: ("rds:DescribeDBEngineVersions",),
    Need.RESTORE_ACCOUNTS: (
        "rds:DescribeDBClusterSnapshotAttributes",
        "rds:DescribeDBSnapshotAttributes",
    ),
    Need.MEMBERS: ("rds:DescribeDBInstances",),
    Need.PARAMETER_GROUP_USERS: ("rds:DescribeDBClusters",),
    Need.BLUE_GREEN: ("rds:DescribeBlueGreenDeployments",),
    Need.ENCRYPTED_COPIES: ("rds:DescribeDBSnapshots",),
}
"""How each enrichment is read; one that no control asks for brings no permission."""

RESOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "rds:CopyDBSnapshot": ("snapshot:*",),
    "rds:DescribeBlueGreenDeployments": ("deployment:*",),
    "rds:DescribeDBClusterParameterGroups": ("cluster-pg:*",),
    "rds:DescribeDBClusterParameters": ("cluster-pg:*",),
    "rds:DescribeDBClusters": ("cluster:*",),
    "rds:DescribeDBClusterSnapshotAttributes": ("cluster-snapshot:*",),
    "rds:DescribeDBClusterSnapshots": ("cluster:*", "cluster-snapshot:*"),
    "rds:DescribeDBEngineVersions": (),
    "rds:DescribeDBInstances": ("db:*",),
    "rds:DescribeDBParameterGroups": ("pg:*",),
    "rds:DescribeDBParameters": ("pg:*",),
    "rds:DescribeDBProxies": ("db-proxy:*",),
    "rds:DescribeDBSnapshotAttributes": ("snapshot:*",),
    "rds:DescribeDBSnapshots": ("db:*", "snapshot:*"),
    "rds:DescribeEngineDefaultClusterParameters": (),
    "rds:DescribeEngineDefaultParameters": (),
    "rds:DescribeGlobalClusters": ("global-cluster:*",),
    "rds:ModifyDBCluster": ("cluster:*", "cluster-pg:*", "og:*", "pg:*"),
    "rds:ModifyDBClusterParameterGroup": ("cluster-pg:*",),
    "rds:ModifyDBClusterSnapshotAttribute": ("cluster-snapshot:*",),
    "rds:ModifyDBInstance": ("db:*", "og:*", "pg:*", "secgrp:*", "subgrp:*"),
    "rds:ModifyDBSnapshotAttribute": ("snapshot:*",),
    "rds:ModifyGlobalCluster": ("global-cluster:*",),
}
"""The resources that IAM checks an action against, by the ends of their ARNs (Service Authorization Reference)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an action is limited to, where that is less than all that IAM checks it against."""

    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


_THROUGH_RDS: Final = {"kms:ViaService": "rds.${AWS::Region}.${AWS::URLSuffix}"}
_ANY_KEY: Final = ("arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*",)

SCOPES: Final[Mapping[str, Scope]] = {
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
"""Actions that a call of ours needs beside its own, each as narrow as it can be."""


class UnknownActionError(LookupError):
    """A control or a need brings an action of which nobody has written down what it is limited to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One statement that allows something."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_grants() -> tuple[Grant, ...]:
    """Return what looking at databases takes: what AWS can limit to this account's, and the rest."""
    actions = {f"rds:{KINDS[kind].describe}" for kind in EVALUATED_KINDS}
    actions.update(action for need in needs_in_use() for action in need_actions(need))
    limited: dict[str, list[str]] = {}
    unlimited = []
    for action in sorted(actions):
        if resources(action):
            limited.setdefault(action.partition(":")[0], []).append(action)
        else:
            unlimited.append(action)
    return (
        # One list of resources for all of a service: an action is only ever checked against its own among them.
        *(
            Grant(
                sid="ReadDatabases" if service == "rds" else f"Read{service.capitalize()}",
                actions=tuple(names),
                resources=tuple(sorted({arn for name in names for arn in resources(name)}, key=_by_type)),
            )
            for service, names in sorted(limited.items(), key=lambda item: item[0] != "rds")
        ),
        Grant(sid="ReadWhatHasNoOwner", actions=tuple(unlimited), resources=()),
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


def needs_in_use() -> tuple[Need, ...]:
    """Return the enrichments that a control asks for, or that must be known before anything is written."""
    controls = all_controls()
    used = {need for needs in WRITE_NEEDS.values() for need in needs}
    used.update(need for control in controls for need in control.needs)
    used.update(need for control in controls if control.remediation for need in control.remediation.needs)
    return tuple(need for need in Need if need in used)


def need_actions(need: Need) -> tuple[str, ...]:
    """Return the actions that an enrichment takes."""
    try:
        return NEED_ACTIONS[need]
    except KeyError:
        raise UnknownActionError(f"{need!r}: add to NEED_ACTIONS the actions that it is read with") from None


def resources(action: str) -> tuple[str, ...]:
    """Return the ARNs that an action can be limited to, as texts for Fn::Sub; none where AWS offers none."""
    try:
        ends = RESOURCES[action]
    except KeyError:
        raise UnknownActionError(
            f"{action}: add to RESOURCES what the Service Authorization Reference says that it is checked against"
        ) from None
    return tuple(arn(action.partition(":")[0], end) for end in ends)


def arn(service: str, end: str) -> str:
    """Return an ARN in this account and Region by its end, as a text for Fn::Sub."""
    region = "" if end.startswith("global-cluster:") else "${AWS::Region}"
    return f"arn:${{AWS::Partition}}:{service}:{region}:${{AWS::AccountId}}:{end}"


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
    sid = name if service == "rds" else f"{service.capitalize()}{name}"
    if scope := SCOPES.get(action):
        return Grant(sid=sid, actions=(action,), resources=scope.resources, conditions=scope.conditions)
    return Grant(sid=sid, actions=(action,), resources=resources(action))


def _by_type(arn: str) -> str:
    return arn.rpartition("}:")[2].removesuffix(":*")


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
