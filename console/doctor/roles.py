"""Whether the roles may do what they were given to do: by IAM's own simulation, which knows boundaries and SCPs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.doctor.report import failed, fine
from warden.gateways.errors import translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from console.deployed import Deployed, StackResource
    from console.doctor.report import Line

_LOOK = (
    "rds:DescribeDBClusters",
    "rds:DescribeDBInstances",
    "rds:DescribeDBClusterSnapshots",
    "rds:DescribeDBClusterParameters",
    "cloudtrail:DescribeTrails",
)
_WRITE = {
    "rds:ModifyDBCluster": "cluster",
    "rds:ModifyDBInstance": "db",
    "rds:ModifyDBClusterSnapshotAttribute": "cluster-snapshot",
}
_TODO = (
    "The role of the stack allows it, so a permissions boundary or a service control policy takes it away, or the role "
    "was changed: compare it with docs/reference/permissions.md."
)


def permissions(
    found: Deployed, resources: Sequence[StackResource], parameters: Mapping[str, str]
) -> Iterator[Line]:
    """What each role may not do of what it must, as far as IAM tells whoever asks."""
    secrets = tuple(filter(None, parameters.get("TicketSecretArns", "").split(",")))
    wanted: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
        ("EvaluateRole", _LOOK, ()),
        ("SweepRole", _LOOK, ()),
        ("TicketRole", ("sns:Publish",), (found.names["Topic"],)),
    ]
    if parameters.get("ModeCeiling") == "remediate":
        here = f"{found.region}:{found.account}"
        databases = tuple(
            f"arn:{_partition(found)}:rds:{here}:{kind}:x" for kind in ("cluster", "db", "cluster-snapshot")
        )
        wanted += [
            ("RemediateRole", (action,), (arn,)) for action, arn in zip(_WRITE, databases, strict=True)
        ]
    if secrets:
        wanted.append(("TicketRole", ("secretsmanager:GetSecretValue",), secrets))
    names = {one.logical: one.physical for one in resources if one.type == "AWS::IAM::Role"}
    for role, actions, on in wanted:
        if names.get(role):
            yield from _simulated(found, role, names[role], actions, on)


def _simulated(
    found: Deployed, role: str, name: str, actions: tuple[str, ...], on: tuple[str, ...]
) -> Iterator[Line]:
    arn = f"arn:{_partition(found)}:iam::{found.account}:role/{name}"
    with translated("iam:SimulatePrincipalPolicy"):
        answer = found.client("iam").simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=list(actions), **({"ResourceArns": list(on)} if on else {})
        )
    denied = [one for one in answer["EvaluationResults"] if one["EvalDecision"] != "allowed"]
    for one in denied:
        on_what = one.get("EvalResourceName", "*")
        by = _by_whom(one)
        yield failed("roles", f"{role} may not {one['EvalActionName']} on {on_what}{by}", _TODO)
    if not denied:
        yield fine("roles", f"{role} may {', '.join(actions)}")


def _by_whom(result: Mapping[str, object]) -> str:
    for key, member, who in (
        ("OrganizationsDecisionDetail", "AllowedByOrganizations", "a service control policy"),
        ("PermissionsBoundaryDecisionDetail", "AllowedByPermissionsBoundary", "the permissions boundary"),
    ):
        detail = result.get(key)
        if isinstance(detail, dict) and detail.get(member) is False:
            return f" ({who} does not allow it)"
    return ""


def _partition(found: Deployed) -> str:
    return found.arn.split(":", 2)[1]
