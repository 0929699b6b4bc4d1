"""What would be written: calls as data, before any deed.

After `Evaluation` in the flow: a control's remediation yields a `Plan` or says why a person must act.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass
from warden.core.resource import ResourceRef, ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Call:
    """One API operation with its parameters, exactly as boto3 takes them; `WRITES` knows its service."""

    operation: str
    parameters: Mapping[str, Any] = field(hash=False)

    def to_json(self) -> dict[str, Any]:
        """The call as JSON for messages, the ledger and `warden scan`."""
        return {"operation": self.operation, "parameters": dict(self.parameters)}


class Stage(StrEnum):
    """Where in a procedure, which takes several visits, the calls of a plan stand."""

    WHOLE = "whole"
    """No procedure: these calls are all there is to do."""
    BEGIN = "begin"
    GO_ON = "go_on"
    """An earlier visit has begun: what it did is there, or on record."""
    CLEAN_UP = "clean_up"
    """Takes away what the procedure made for itself; nobody's database is touched."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The calls that would make a resource compliant with one control; of a procedure, the next ones."""

    calls: tuple[Call, ...]
    cost: str = ""
    """What it costs, as a sentence; empty when it costs nothing."""
    pledge: tuple[Call, ...] = ()
    """All calls of a procedure, from the first to the last, whatever is done already: what a person approves."""
    stage: Stage = Stage.WHOLE
    notice: str = ""
    """What a person has to know who is to approve it, beside the calls."""
    disrupts: bool = False
    """Whether these calls can disturb clients, whatever the control's plans do otherwise."""

    def __post_init__(self) -> None:
        """Refuse an empty plan: it would look like a fix and be none."""
        if not self.calls:
            msg = "a plan holds at least one call; return Manual where there is nothing to call"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Manual:
    """These facts have no unattended remediation; the sentence says why, the steps what a person does."""

    why: str
    steps: tuple[str, ...] = ()
    done: bool = False
    """Whether a procedure has come to its end: what is left was a person's from the beginning."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A step of a procedure is on its way: nothing is to be called until AWS is done with it."""

    why: str
    pledge: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """What an operation writes to: its service, and the parameter that names a resource of a type."""

    service: str
    parameter: str
    resource_type: ResourceType


# From the API reference of each operation.
WRITES: Mapping[str, Target] = {
    "ModifyDBCluster": Target("rds", "DBClusterIdentifier", ResourceType.DB_CLUSTER),
    "ModifyDBInstance": Target("rds", "DBInstanceIdentifier", ResourceType.DB_INSTANCE),
    "CreateDBInstance": Target("rds", "DBInstanceIdentifier", ResourceType.DB_INSTANCE),
    # The parameter takes an ARN, whose type counts: a cluster's or an instance's.
    "AddTagsToResource": Target("rds", "ResourceName", ResourceType.DB_CLUSTER),
    "ModifyGlobalCluster": Target("rds", "GlobalClusterIdentifier", ResourceType.GLOBAL_CLUSTER),
    "ModifyDBClusterParameterGroup": Target(
        "rds", "DBClusterParameterGroupName", ResourceType.DB_CLUSTER_PARAMETER_GROUP
    ),
    "ModifyDBParameterGroup": Target("rds", "DBParameterGroupName", ResourceType.DB_PARAMETER_GROUP),
    "ModifyDBProxy": Target("rds", "DBProxyName", ResourceType.DB_PROXY),
    "DisableHttpEndpoint": Target("rds", "ResourceArn", ResourceType.DB_CLUSTER),
    "ModifyDBClusterSnapshotAttribute": Target(
        "rds", "DBClusterSnapshotIdentifier", ResourceType.DB_CLUSTER_SNAPSHOT
    ),
    "ModifyDBSnapshotAttribute": Target("rds", "DBSnapshotIdentifier", ResourceType.DB_SNAPSHOT),
    "CancelKeyDeletion": Target("kms", "KeyId", ResourceType.KMS_KEY),
    "EnableKeyRotation": Target("kms", "KeyId", ResourceType.KMS_KEY),
    "RotateSecret": Target("secretsmanager", "SecretId", ResourceType.SECRET),
    "PutRetentionPolicy": Target("logs", "logGroupName", ResourceType.LOG_GROUP),
    "AssociateKmsKey": Target("logs", "logGroupName", ResourceType.LOG_GROUP),
    "CreateEventSubscription": Target("rds", "SubscriptionName", ResourceType.ACCOUNT),
    "PutMetricAlarm": Target("cloudwatch", "AlarmName", ResourceType.ACCOUNT),
    "UpdateDetector": Target("guardduty", "DetectorId", ResourceType.ACCOUNT),
    "CopyDBSnapshot": Target("rds", "TargetDBSnapshotIdentifier", ResourceType.DB_SNAPSHOT),
    "RevokeSecurityGroupIngress": Target("ec2", "GroupId", ResourceType.SECURITY_GROUP),
    "RestoreDBClusterFromSnapshot": Target("rds", "DBClusterIdentifier", ResourceType.DB_CLUSTER),
    "CreateDBClusterSnapshot": Target("rds", "DBClusterSnapshotIdentifier", ResourceType.DB_CLUSTER_SNAPSHOT),
    "DeleteDBCluster": Target("rds", "DBClusterIdentifier", ResourceType.DB_CLUSTER),
    "CreateDBClusterParameterGroup": Target(
        "rds", "DBClusterParameterGroupName", ResourceType.DB_CLUSTER_PARAMETER_GROUP
    ),
    "CopyDBClusterParameterGroup": Target(
        "rds", "TargetDBClusterParameterGroupIdentifier", ResourceType.DB_CLUSTER_PARAMETER_GROUP
    ),
    "CreateDBParameterGroup": Target("rds", "DBParameterGroupName", ResourceType.DB_PARAMETER_GROUP),
    "CopyDBParameterGroup": Target(
        "rds", "TargetDBParameterGroupIdentifier", ResourceType.DB_PARAMETER_GROUP
    ),
    "RebootDBInstance": Target("rds", "DBInstanceIdentifier", ResourceType.DB_INSTANCE),
    "RebootDBCluster": Target("rds", "DBClusterIdentifier", ResourceType.DB_CLUSTER),
}

ONLY_APPROVED = frozenset({"RebootDBInstance", "RebootDBCluster"})
"""Calls that a person approves each time, whatever the policy allows: they interrupt every connection."""


def written(call: Call, resource: ResourceRef, *, region: str) -> ResourceRef:
    """What the call writes to; the account is the resource's own."""
    target = WRITES[call.operation]
    return ResourceRef.build(
        target.resource_type,
        partition=resource.partition,
        region=resource.region or region,
        account=resource.account,
        name=str(call.parameters[target.parameter]),
    )


def needs_apply_immediately(calls: Iterable[Call]) -> bool:
    """Whether a call sets ApplyImmediately, which also applies every change that somebody queued earlier."""
    return any(call.parameters.get("ApplyImmediately") is True for call in calls)


def merge(plans: Sequence[Plan]) -> tuple[Call, ...]:
    """The fewest calls that do what all plans ask, in the order in which they were first asked for.

    Calls of one operation on one target become one: enabling IAM authentication, for one, blocks every other
    modification of a cluster for a while. Lists are united; two plans that want different values of one
    parameter, of the call or of a parameter group, are not merged but kept as two calls.
    """
    merged: list[Call] = []
    for call in (call for plan in plans for call in plan.calls):
        for index, earlier in enumerate(merged):
            if is_about(earlier, call):
                united = _unite(earlier.parameters, call.parameters)
                if united is not None:
                    merged[index] = Call(call.operation, united)
                    break
        else:
            merged.append(call)
    return tuple(merged)


def is_about(one: Call, other: Call) -> bool:
    """Whether two calls are the same operation on the same thing."""
    if one.operation != other.operation or one.operation not in WRITES:
        return False
    parameter = WRITES[one.operation].parameter
    return bool(one.parameters.get(parameter) == other.parameters.get(parameter))


def _unite(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any] | None:
    united = dict(one)
    for key, value in other.items():
        if key not in united:
            united[key] = value
        elif isinstance(value, dict) and isinstance(united[key], dict):
            inner = _unite(united[key], value)
            if inner is None:
                return None
            united[key] = inner
        elif isinstance(value, list) and isinstance(united[key], list):
            more = [item for item in value if item not in united[key]]
            if _named(united[key]) & _named(more):
                return None
            united[key] = united[key] + more
        elif key == "ApplyImmediately":
            united[key] = bool(value or united[key])
        elif united[key] != value:
            return None
    return united


def _named(items: Sequence[Any]) -> set[str]:
    """The parameters that a list of settings names: two values of one of them cannot be one call."""
    return {item["ParameterName"] for item in items if isinstance(item, dict) and "ParameterName" in item}


def digest(calls: Iterable[Call]) -> str:
    """A hash of the calls, so that an approval or a log line can name exactly them."""
    text = json.dumps([call.to_json() for call in calls], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
