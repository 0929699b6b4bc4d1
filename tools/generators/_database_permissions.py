"""What the roles may do in RDS, derived from the kinds, the needs and the permits of the controls.

Nobody lists an action by hand: a control that needs another one brings it along. Only what IAM checks an action
against is written down here, because no model of AWS's API holds it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from warden.controls import all_controls
from warden.core import connection_lines, procedure
from warden.core.conditions import WRITE_NEEDS
from warden.core.kinds import EVALUATED_KINDS, KINDS, Need
from warden.core.resource import ResourceType
from warden.gateways.clients import SERVICE_OF

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
    Need.INSTANCE_GROUP_USERS: ("rds:DescribeDBInstances",),
    Need.CERTIFICATE_ROTATION: ("rds:DescribeDBEngineVersions",),
    Need.CLASS_SUPPORT: ("rds:DescribeOrderableDBInstanceOptions",),
    Need.GLOBAL_CLUSTER: ("rds:DescribeGlobalClusters",),
    Need.ENGINE_STATUS: ("rds:DescribeDBEngineVersions",),
    Need.UPGRADE_TARGETS: ("rds:DescribeDBEngineVersions",),
    Need.SUPPORT_DATES: ("rds:DescribeDBMajorEngineVersions",),
    Need.FIRING_ALARMS: ("cloudwatch:DescribeAlarms",),
    Need.BLUE_GREEN: ("rds:DescribeBlueGreenDeployments",),
    Need.STORAGE_KEY: ("kms:DescribeKey",),
    Need.INSIGHTS_KEY: ("kms:DescribeKey",),
    Need.MASTER_SECRET_KEY: ("kms:DescribeKey",),
    Need.KEY_ALIASES: ("kms:DescribeKey", "kms:ListAliases"),
    Need.KEY_USERS: (
        "rds:DescribeDBClusters",
        "rds:DescribeDBInstances",
        "rds:DescribeDBClusterSnapshots",
        "rds:DescribeDBSnapshots",
    ),
    Need.KEY_POLICY: ("kms:DescribeKey", "kms:GetKeyPolicy"),
    Need.KEY_GRANTS: ("kms:ListGrants",),
    Need.KEY_ROTATION: ("kms:GetKeyRotationStatus",),
    Need.SECRET_POLICY: ("secretsmanager:GetResourcePolicy",),
    Need.ENCRYPTED_COPIES: ("rds:DescribeDBSnapshots",),
    Need.ENCRYPTION_PROCEDURE: (
        "rds:DescribeDBClusters",
        "rds:DescribeDBClusterSnapshots",
        "rds:DescribeDBClusterSnapshotAttributes",
        "rds:DescribeDBSnapshots",
        "rds:DescribeDBSnapshotAttributes",
    ),
    Need.OWN_GROUP: (
        "rds:DescribeDBClusterParameterGroups",
        "rds:DescribeDBClusterParameters",
        "rds:DescribeDBClusters",
        "rds:DescribeDBInstances",
        "rds:DescribeDBParameterGroups",
        "rds:DescribeDBParameters",
    ),
    Need.SUCCESSOR: (
        "rds:DescribeDBClusters",
        "rds:DescribeDBClusterSnapshots",
        "rds:DescribeDBInstances",
    ),
    Need.QUOTAS: ("rds:DescribeAccountAttributes",),
    Need.SUBNET_GROUPS: ("ec2:DescribeRouteTables", "rds:DescribeDBSubnetGroups"),
    Need.INBOUND_RULES: ("ec2:DescribeSecurityGroups",),
    Need.ALIAS_KEYS: ("kms:ListAliases",),
    Need.SECURITY_GROUPS: ("ec2:DescribeSecurityGroups",),
    Need.SECURITY_GROUP_RULES: ("ec2:DescribeSecurityGroupRules",),
    Need.PREFIX_LISTS: ("ec2:GetManagedPrefixListEntries",),
    Need.GUARDED_DATABASES: (
        "rds:DescribeDBClusters",
        "rds:DescribeDBInstances",
        "rds:DescribeDBProxies",
    ),
    Need.SIBLING_RULES: ("ec2:DescribeSecurityGroupRules",),
    Need.NETWORK_INTERFACES: ("ec2:DescribeNetworkInterfaces",),
    Need.SUBNET_ROUTES: ("ec2:DescribeRouteTables", "rds:DescribeDBSubnetGroups"),
    Need.SUBNET_ACLS: ("ec2:DescribeNetworkAcls", "rds:DescribeDBSubnetGroups"),
    Need.LOG_DATABASE: ("rds:DescribeDBClusters", "rds:DescribeDBInstances"),
    Need.SUBSCRIPTION_FILTERS: ("logs:DescribeSubscriptionFilters",),
    Need.SUBSCRIPTION_POLICIES: ("logs:DescribeAccountPolicies",),
    Need.EVENT_SUBSCRIPTIONS: ("rds:DescribeEventSubscriptions",),
    Need.ALARMS: ("cloudwatch:DescribeAlarms",),
    Need.TRAILS: ("cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"),
    Need.DETECTORS: ("guardduty:ListDetectors", "guardduty:GetDetector"),
    Need.GUARDDUTY_ADMINISTRATOR: ("guardduty:GetAdministratorAccount",),
    Need.RECENT_EVENTS: ("rds:DescribeEvents",),
    Need.BACKUP_PLANS: (
        "backup:ListBackupPlans",
        "backup:GetBackupPlan",
        "backup:ListBackupSelections",
        "backup:GetBackupSelection",
    ),
    Need.RECOVERY_POINTS: ("backup:ListBackupVaults", "backup:ListRecoveryPointsByBackupVault"),
    Need.BACKUP_OPT_IN: ("backup:DescribeRegionSettings",),
    Need.DELETIONS: (
        "cloudtrail:LookupEvents",
        "rds:DescribeDBClusterAutomatedBackups",
        "rds:DescribeDBClusterSnapshots",
        "rds:DescribeDBClusters",
        "rds:DescribeDBInstanceAutomatedBackups",
        "rds:DescribeDBInstances",
        "rds:DescribeDBSnapshots",
    ),
    Need.IDENTITY_POLICIES: ("iam:GetAccountAuthorizationDetails",),
}
"""How each enrichment is read; one that no control asks for brings no permission."""

KIND_ACTIONS: Final[Mapping[ResourceType, tuple[str, ...]]] = {
    ResourceType.KMS_KEY: (
        "kms:ListResourceTags",
        "rds:DescribeDBClusters",
        "rds:DescribeDBInstances",
        "rds:DescribeDBClusterSnapshots",
        "rds:DescribeDBSnapshots",
    ),
    ResourceType.SECRET: ("secretsmanager:ListSecrets",),
    ResourceType.LOG_GROUP: ("rds:DescribeDBClusters", "rds:DescribeDBInstances"),
    ResourceType.ACCOUNT: ("rds:DescribeDBClusters", "rds:DescribeDBInstances", "cloudtrail:LookupEvents"),
}
"""How a kind is listed, where that is not the operation that describes one."""

USERS_ACTIONS: Final[Mapping[ResourceType, tuple[str, ...]]] = {
    ResourceType.ROUTE_TABLE: ("ec2:DescribeRouteTables", "rds:DescribeDBSubnetGroups"),
    ResourceType.NETWORK_ACL: ("ec2:DescribeNetworkAcls", "rds:DescribeDBSubnetGroups"),
    ResourceType.PREFIX_LIST: ("ec2:DescribeSecurityGroups",),
}
"""How what uses a shared thing is found, beside the lists of databases."""

FREE: Final = frozenset({"sts:GetCallerIdentity"})
"""What everybody may do: "No permissions are required to perform this operation" (AWS STS API Reference)."""

_CONNECTION_LOGS: Final = tuple(
    f"log-group:/aws/rds/{kind}/*/{lines.log}*"
    for kind in ("cluster", "instance")
    for lines in (connection_lines.GENERAL, connection_lines.POSTGRESQL)
)
"""The logs that have lines of connections; the end is that of the ARN of a log group in a policy, `:*`."""
PREFLIGHT_ACTIONS: Final = ("logs:DescribeLogGroups", "logs:GetQueryResults", "logs:StartQuery")
"""How a preflight finds who connects without TLS."""

RESOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "backup:DescribeRegionSettings": (),
    "backup:GetBackupPlan": ("backup-plan:*",),
    "backup:GetBackupSelection": ("backup-plan:*",),
    "backup:ListBackupPlans": (),
    "backup:ListBackupVaults": (),
    "backup:ListRecoveryPointsByBackupVault": ("backup-vault:*",),
    "backup:ListBackupSelections": ("backup-plan:*",),
    "cloudtrail:DescribeTrails": (),
    "cloudtrail:LookupEvents": (),
    "cloudtrail:GetEventSelectors": ("trail/*",),
    "cloudtrail:GetTrailStatus": ("trail/*",),
    "cloudwatch:DescribeAlarms": ("alarm:*",),
    "cloudwatch:PutMetricAlarm": ("alarm:*",),
    "guardduty:GetAdministratorAccount": (),
    "guardduty:GetDetector": ("detector/*",),
    "guardduty:ListDetectors": (),
    "guardduty:UpdateDetector": ("detector/*",),
    "logs:AssociateKmsKey": ("log-group:/aws/rds/*",),
    "logs:DescribeAccountPolicies": (),
    "logs:DescribeLogGroups": (),
    "logs:DescribeSubscriptionFilters": ("log-group:/aws/rds/*",),
    "logs:GetQueryResults": _CONNECTION_LOGS,
    "logs:StartQuery": _CONNECTION_LOGS,
    "logs:PutRetentionPolicy": ("log-group:/aws/rds/*",),
    "rds:CreateEventSubscription": ("es:*",),
    "rds:DescribeEvents": (),
    "rds:DescribeEventSubscriptions": ("es:*",),
    "ec2:DescribeNetworkAcls": (),
    "ec2:DescribeNetworkInterfaces": (),
    "ec2:DescribeRouteTables": (),
    "ec2:DescribeSecurityGroupRules": (),
    "ec2:DescribeSecurityGroups": (),
    "ec2:GetManagedPrefixListEntries": ("prefix-list/*",),
    "ec2:RevokeSecurityGroupIngress": ("security-group/*",),
    "iam:GetAccountAuthorizationDetails": (),
    "rds:DescribeDBSubnetGroups": ("subgrp:*",),
    "kms:CancelKeyDeletion": ("key/*",),
    "kms:DescribeKey": ("key/*",),
    "kms:EnableKeyRotation": ("key/*",),
    "kms:GetKeyPolicy": ("key/*",),
    "kms:GetKeyRotationStatus": ("key/*",),
    "kms:ListAliases": (),
    "kms:ListGrants": ("key/*",),
    "kms:ListResourceTags": ("key/*",),
    "secretsmanager:DescribeSecret": ("secret:*",),
    "secretsmanager:GetResourcePolicy": ("secret:*",),
    "secretsmanager:ListSecrets": (),
    "secretsmanager:RotateSecret": ("secret:*",),
    "rds:CopyDBSnapshot": ("snapshot:*",),
    "rds:CreateDBClusterSnapshot": ("cluster:*", "cluster-snapshot:*"),
    # A cluster snapshot is checked where a final one is asked for.
    "rds:DeleteDBCluster": ("cluster:*",),
    "rds:DescribeAccountAttributes": (),
    # A DB snapshot is checked where a Multi-AZ DB cluster is made of one.
    "rds:RestoreDBClusterFromSnapshot": (
        "cluster:*",
        "cluster-pg:*",
        "cluster-snapshot:*",
        "og:*",
        "subgrp:*",
    ),
    "rds:CreateDBInstance": ("cluster:*", "db:*", "og:*", "pg:*", "secgrp:*", "subgrp:*"),
    "rds:CopyDBClusterParameterGroup": ("cluster-pg:*",),
    "rds:CopyDBParameterGroup": ("pg:*",),
    "rds:CreateDBClusterParameterGroup": ("cluster-pg:*",),
    "rds:CreateDBParameterGroup": ("pg:*",),
    "rds:RebootDBCluster": ("cluster:*",),
    "rds:RebootDBInstance": ("db:*",),
    "rds:DescribeBlueGreenDeployments": ("deployment:*",),
    "rds:DescribeDBClusterParameterGroups": ("cluster-pg:*",),
    "rds:DescribeDBClusterParameters": ("cluster-pg:*",),
    "rds:DescribeDBClusters": ("cluster:*",),
    "rds:DescribeDBClusterSnapshotAttributes": ("cluster-snapshot:*",),
    "rds:DescribeDBClusterAutomatedBackups": ("cluster:*", "cluster-auto-backup:*"),
    "rds:DescribeDBInstanceAutomatedBackups": ("auto-backup:*", "db:*"),
    "rds:DescribeDBClusterSnapshots": ("cluster:*", "cluster-snapshot:*"),
    "rds:DescribeDBEngineVersions": (),
    "rds:DescribeDBMajorEngineVersions": (),
    "rds:DescribeDBInstances": ("db:*",),
    "rds:DescribeDBParameterGroups": ("pg:*",),
    "rds:DescribeDBParameters": ("pg:*",),
    "rds:DescribeDBProxies": ("db-proxy:*",),
    "rds:DescribeOrderableDBInstanceOptions": (),
    "rds:DescribeDBSnapshotAttributes": ("snapshot:*",),
    "rds:DescribeDBSnapshots": ("db:*", "snapshot:*"),
    "rds:DescribeEngineDefaultClusterParameters": (),
    "rds:DescribeEngineDefaultParameters": (),
    "rds:DescribeGlobalClusters": ("global-cluster:*",),
    "rds:DisableHttpEndpoint": ("cluster:*",),
    "rds:ModifyDBCluster": ("cluster:*", "cluster-pg:*", "og:*", "pg:*"),
    "rds:ModifyDBClusterParameterGroup": ("cluster-pg:*",),
    "rds:ModifyDBClusterSnapshotAttribute": ("cluster-snapshot:*",),
    "rds:ModifyDBInstance": ("db:*", "og:*", "pg:*", "secgrp:*", "subgrp:*"),
    "rds:ModifyDBParameterGroup": ("pg:*",),
    "rds:ModifyDBProxy": ("db-proxy:*",),
    "rds:ModifyDBSnapshotAttribute": ("snapshot:*",),
    "rds:ModifyGlobalCluster": ("global-cluster:*",),
}
"""The resources that IAM checks an action against, by the ends of their ARNs (Service Authorization Reference)."""


Conditions: TypeAlias = "Mapping[str, Mapping[str, str | tuple[str, ...]]]"
"""Operators, what each tests, and the value or the values that it may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an action is limited to, where that is less than all that IAM checks it against."""

    resources: tuple[str, ...]
    conditions: Conditions = field(default_factory=dict)


_THROUGH_RDS: Final = {"kms:ViaService": "rds.${AWS::Region}.${AWS::URLSuffix}"}
# For the secret of a master user RDS asks Secrets Manager, and that asks KMS, still in the caller's name.
_FOR_DATABASES: Final = {
    "kms:ViaService": (
        "rds.${AWS::Region}.${AWS::URLSuffix}",
        "secretsmanager.${AWS::Region}.${AWS::URLSuffix}",
    )
}
_ANY_KEY: Final = ("arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*",)
_MANAGED_SECRETS: Final = (
    "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:rds!*",
)

_OWN_CLUSTERS: Final = "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:cluster:warden-*"
_OWN_SNAPSHOTS: Final = "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:cluster-snapshot:warden-*"

_OWN_ALARMS: Final = ("arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:warden-*",)

SCOPES: Final[Mapping[str, Scope]] = {
    # PutMetricAlarm overwrites what exists: never an alarm with another's name.
    "cloudwatch:PutMetricAlarm": Scope(resources=_OWN_ALARMS),
    "cloudwatch:TagResource": Scope(resources=_OWN_ALARMS),
    # RDS asks KMS in the caller's name, so a key is used for databases or not at all.
    "kms:DescribeKey": Scope(resources=_ANY_KEY, conditions={"StringEquals": _THROUGH_RDS}),
    "kms:CreateGrant": Scope(
        resources=_ANY_KEY,
        conditions={"StringEquals": _FOR_DATABASES, "Bool": {"kms:GrantIsForAWSResource": "true"}},
    ),
    "kms:Decrypt": Scope(resources=_ANY_KEY, conditions={"StringEquals": _FOR_DATABASES}),
    "kms:GenerateDataKey": Scope(resources=_ANY_KEY, conditions={"StringEquals": _FOR_DATABASES}),
    # The secrets that RDS manages for master users: their names begin so, and nobody else can make such.
    "secretsmanager:CreateSecret": Scope(resources=_MANAGED_SECRETS),
    "secretsmanager:TagResource": Scope(resources=_MANAGED_SECRETS),
    # What a procedure makes for itself: its name begins so, and it was tagged when it was made. A cluster of another
    # name, or without the tag, is none that Warden may delete.
    "rds:RestoreDBClusterFromSnapshot": Scope(
        resources=(
            _OWN_CLUSTERS,
            "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:cluster-pg:*",
            "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:cluster-snapshot:*",
            "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:og:*",
            "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:subgrp:*",
        )
    ),
    "rds:CreateDBClusterParameterGroup": Scope(
        resources=("arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:cluster-pg:warden-*",)
    ),
    "rds:CreateDBParameterGroup": Scope(
        resources=("arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:pg:warden-*",)
    ),
    # Of any cluster: a successor begins with a snapshot of the original, under a name of Warden's own.
    "rds:CreateDBClusterSnapshot": Scope(
        resources=("arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:cluster:*", _OWN_SNAPSHOTS)
    ),
    "rds:DeleteDBCluster": Scope(
        resources=(_OWN_CLUSTERS,),
        conditions={"Null": {f"aws:ResourceTag/{procedure.NONCE}": "false"}},
    ),
    # Tags that a copy takes over from its source, those of an instance that Warden makes, and the one by which a plan
    # of AWS Backup selects a database.
    "rds:AddTagsToResource": Scope(
        resources=(
            "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:cluster:*",
            "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:db:*",
            "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:snapshot:*",
            _OWN_SNAPSHOTS,
        )
    ),
    # The role by which Enhanced Monitoring writes to CloudWatch Logs, and to no other service: a reader takes over that
    # of its writer, whatever its name. Where Warden turns Enhanced Monitoring on, the write guard lets one name pass.
    "iam:PassRole": Scope(
        resources=("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*",),
        conditions={"StringEquals": {"iam:PassedToService": "monitoring.rds.amazonaws.com"}},
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
    conditions: Conditions = field(default_factory=dict)


def read_grants() -> tuple[Grant, ...]:
    """Return what looking at databases takes: what AWS can limit to this account's, and the rest."""
    actions = {describe_action(kind) for kind in EVALUATED_KINDS}
    actions.update(action for kind in EVALUATED_KINDS for action in KIND_ACTIONS.get(kind, ()))
    actions.update(action for names in USERS_ACTIONS.values() for action in names)
    actions.update(action for need in needs_in_use() for action in need_actions(need))
    actions.update(PREFLIGHT_ACTIONS)
    actions -= FREE
    limited: dict[str, list[str]] = {}
    unlimited, queried = [], []
    for action in sorted(actions):
        if RESOURCES.get(action) == _CONNECTION_LOGS:
            queried.append(action)
        elif resources(action):
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
        Grant(sid="QueryConnections", actions=tuple(queried), resources=resources("logs:StartQuery")),
        Grant(sid="ReadWhatHasNoOwner", actions=tuple(sorted(unlimited)), resources=()),
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


def describe_action(kind: ResourceType) -> str:
    """Return the action that describes a kind."""
    describe = KINDS[kind].describe
    return f"{SERVICE_OF[describe]}:{describe}"


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
    if service == "cloudtrail":
        # A trail that records this Region may be at home in another, or belong to the organization's account.
        return f"arn:${{AWS::Partition}}:cloudtrail:*:*:{end}"
    if end.startswith("prefix-list/"):
        # Security groups also name the prefix lists of AWS itself, and those that another account shares.
        return f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:*:{end}"
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
            # Unquoted, YAML takes this operator's name for no name at all.
            lines.append('    "Null":' if operator == "Null" else f"    {operator}:")
            for key, value in tests.items():
                if isinstance(value, str):
                    lines.append(f"      {key}: {_text(value)}")
                else:
                    lines += [f"      {key}:", *(f"        - {_text(item)}" for item in value)]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return f'!Sub "{value}"' if "$" in value else f'"{value}"'


def _listed(name: str, items: Sequence[str]) -> list[str]:
    if len(items) == 1:
        return [f"  {name}: {items[0]}"]
    return [f"  {name}:", *(f"    - {item}" for item in items)]
