"""Taking a remediation back: the values that a write touches, and the calls that put them as they were.

What a write touches goes into its entry of the ledger; its inverse is computed from that entry alone, and made only
while the resource is still as the write left it. Some writes have no inverse, or none that Warden may make: it makes
nothing public, and deletes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from warden.core.dataclass import dataclass
from warden.core.errors import MissingFactError
from warden.core.guard import Accepts, Only, Permit
from warden.core.kinds import Need
from warden.core.ledger import plain
from warden.core.parameters import UnsharedClusterGroup
from warden.core.plan import WRITES, Call, Manual
from warden.core.tls import UnsharedInstanceGroup

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverse:
    """How one parameter of an operation is taken back."""

    before: Callable[[Any, Facts], Any]
    """What the value is before the write."""
    back: Callable[[Any, Any], Mapping[str, Any] | None]
    """The parameters that put it back, from the value that was sent and the one before; None where nothing does."""
    holds: Callable[[Any, Facts], bool]
    """Whether the resource still is as the write left it."""
    loses: str = ""
    """What is lost by putting it back, as a sentence."""


def _member(fact: str, loses: str = "") -> Inverse:
    """A setting that Describe tells under a name of its own."""
    return Inverse(
        before=lambda _, facts: facts[fact],
        back=lambda _, was: None if was is None else {"": was},
        holds=lambda sent, facts: bool(facts[fact] == sent),
        loses=loses,
    )


def _exports_before(_: Any, facts: Facts) -> list[str]:
    return sorted(facts["EnabledCloudwatchLogsExports"])


def _exports_back(sent: Any, was: Any) -> Mapping[str, Any] | None:
    added = sorted(set(sent["EnableLogTypes"]) - set(was))
    return {"": {"DisableLogTypes": added}} if added else None


def _exports_hold(sent: Any, facts: Facts) -> bool:
    return set(sent["EnableLogTypes"]) <= set(facts["EnabledCloudwatchLogsExports"])


def _groups(facts: Facts) -> list[str]:
    return sorted(group["VpcSecurityGroupId"] for group in facts["VpcSecurityGroups"])


def _shares_back(_: Any, was: Any) -> Mapping[str, Any] | None:
    # "all" makes a snapshot public: that is not taken back by a machine.
    return None if "all" in was or not was else {"ValuesToAdd": was}


_NONE = Inverse(before=lambda *_: None, back=lambda *_: None, holds=lambda *_: False)
_EXPORTS = Inverse(before=_exports_before, back=_exports_back, holds=_exports_hold)
_SECURITY_GROUPS = Inverse(
    before=lambda _, facts: _groups(facts),
    back=lambda _, was: {"": was} if was else None,
    holds=lambda sent, facts: sorted(sent) == _groups(facts),
)
_SHARES = Inverse(
    before=lambda sent, facts: sorted(set(sent) & set(facts[Need.RESTORE_ACCOUNTS])),
    back=_shares_back,
    holds=lambda sent, facts: not set(sent) & set(facts[Need.RESTORE_ACCOUNTS]),
)
_CAPACITY = Inverse(
    before=lambda sent, facts: {key: facts["ServerlessV2ScalingConfiguration"][key] for key in sent},
    back=lambda _, was: {"": was},
    holds=lambda sent, facts: all(
        facts["ServerlessV2ScalingConfiguration"].get(key) == value for key, value in sent.items()
    ),
)
_OLDER_BACKUPS = "Backups that are older than the retention of before are deleted by AWS."
_HISTORY = "The history that was collected since is deleted by AWS."


def _parameters(need: Need) -> Inverse:
    """Parameters of a group: a value each; one that had none cannot be given none again by the same call."""

    def before(sent: Any, facts: Facts) -> dict[str, str | None]:
        live = facts[need]
        names = [item["ParameterName"] for item in sent]
        return {name: live[name].get("ParameterValue") if name in live else None for name in names}

    def back(sent: Any, was: Any) -> Mapping[str, Any] | None:
        if any(was.get(item["ParameterName"]) is None for item in sent):
            return None
        return {"": [{**item, "ParameterValue": was[item["ParameterName"]]} for item in sent]}

    def holds(sent: Any, facts: Facts) -> bool:
        live = facts[need]
        return all(
            live.get(item["ParameterName"], {}).get("ParameterValue") == item["ParameterValue"]
            for item in sent
        )

    return Inverse(before=before, back=back, holds=holds)


_DATABASE: Mapping[str, Inverse] = {
    "DeletionProtection": _member("DeletionProtection"),
    "BackupRetentionPeriod": _member("BackupRetentionPeriod", _OLDER_BACKUPS),
    "CopyTagsToSnapshot": _member("CopyTagsToSnapshot"),
    "AutoMinorVersionUpgrade": _member("AutoMinorVersionUpgrade"),
    "EnableIAMDatabaseAuthentication": _member("IAMDatabaseAuthenticationEnabled"),
    "CloudwatchLogsExportConfiguration": _EXPORTS,
    "VpcSecurityGroupIds": _SECURITY_GROUPS,
    "MonitoringInterval": _member("MonitoringInterval"),
    "EnablePerformanceInsights": _member("PerformanceInsightsEnabled", _HISTORY),
}
_INVERSES: Mapping[str, Mapping[str, Inverse]] = {
    "ModifyDBCluster": {
        **_DATABASE,
        "BacktrackWindow": _member(
            "BacktrackWindow", "What lies before the window of then cannot be rewound to."
        ),
        "ServerlessV2ScalingConfiguration": _CAPACITY,
    },
    "ModifyDBInstance": {
        **_DATABASE,
        "MultiAZ": _member("MultiAZ"),
        "CACertificateIdentifier": _member("CACertificateIdentifier"),
    },
    "ModifyGlobalCluster": {"DeletionProtection": _member("DeletionProtection")},
    "ModifyDBClusterParameterGroup": {"Parameters": _parameters(Need.PARAMETERS)},
    "ModifyDBParameterGroup": {"Parameters": _parameters(Need.INSTANCE_PARAMETERS)},
    "ModifyDBClusterSnapshotAttribute": {"ValuesToRemove": _SHARES},
    "ModifyDBSnapshotAttribute": {"ValuesToRemove": _SHARES},
    "PutRetentionPolicy": {"retentionInDays": _member("retentionInDays", "AWS deletes what is older then.")},
}
"""What can be taken back at all, by operation and parameter."""

# Sent along, and sent along again: they say how, or of what.
_CARRIED = frozenset({"ApplyImmediately", "AttributeName"})
# Nothing by itself, and no trace of its own: the role is needed again should monitoring be turned on.
_LEFT = frozenset({"MonitoringRoleArn", "PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod"})

NEEDS: Mapping[str, tuple[Need, ...]] = {
    "ModifyDBClusterParameterGroup": (Need.PARAMETERS, Need.PARAMETER_GROUP_USERS),
    "ModifyDBParameterGroup": (Need.INSTANCE_PARAMETERS, Need.INSTANCE_GROUP_USERS),
    "ModifyDBClusterSnapshotAttribute": (Need.RESTORE_ACCOUNTS,),
    "ModifyDBSnapshotAttribute": (Need.RESTORE_ACCOUNTS,),
}
"""What must be read to see whether a resource is still as a write left it."""

# A group that others have come to use since is changed for them by nobody.
_GROUPS: Mapping[str, Accepts] = {
    "ModifyDBClusterParameterGroup": UnsharedClusterGroup(),
    "ModifyDBParameterGroup": UnsharedInstanceGroup(),
}


def touched(call: Call, facts: Facts) -> dict[str, Any]:
    """The values that a call is about to change, by parameter, as far as they are known."""
    values: dict[str, Any] = {}
    for name, inverse in _INVERSES.get(call.operation, {}).items():
        if name in call.parameters:
            try:
                values[name] = inverse.before(call.parameters[name], facts)
            except (MissingFactError, KeyError, TypeError):
                continue
    return values


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A write as its entry of the ledger tells it: one call, and what it touched."""

    arn: str
    controls: tuple[str, ...]
    call: Call
    before: Mapping[str, Any]

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Write | str:
        """The write of an entry; a sentence where it tells of none that was made."""
        match entry:
            case {"kind": "outcome", "after": {"status": "SUCCEEDED", "undoes": _}}:
                return "the entry is an undo itself; the drift is put right again once its hold ends"
            case {
                "kind": "outcome",
                "arn": str(arn),
                "control": str(controls),
                "before": dict(before),
                "after": {
                    "status": "SUCCEEDED",
                    "calls": [{"operation": str(operation), "parameters": dict(parameters)}],
                },
            }:
                names = tuple(filter(None, controls.split(",")))
                return cls(arn=arn, controls=names, call=Call(operation, parameters), before=before)
        return "the entry tells of no write that AWS accepted; name an `outcome` that SUCCEEDED"

    @property
    def needs(self) -> tuple[Need, ...]:
        """What must be read to take it back."""
        return NEEDS.get(self.call.operation, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """The call that takes a write back, and what is lost by it, in sentences."""

    call: Call
    losses: tuple[str, ...] = ()

    @property
    def permits(self) -> tuple[Permit, ...]:
        """What the write guard is to let pass: this very call, value by value, and nothing else."""
        required: dict[str, Accepts] = {name: Only((value,)) for name, value in self.call.parameters.items()}
        if (group := _GROUPS.get(self.call.operation)) is not None:
            required[WRITES[self.call.operation].parameter] = group
        return (Permit(operation=self.call.operation, required=required),)


class _Impossible(Exception):  # noqa: N818 - no error of anybody's
    """There is no way back that Warden may go; the message says why."""


def undo(write: Write, facts: Facts) -> Undoing | Manual:
    """How a write is taken back, or why a person would have to; `facts` are the resource's live ones."""
    operation, sent = write.call.operation, write.call.parameters
    inverses = _INVERSES.get(operation)
    if inverses is None:
        return Manual(f"Warden makes no call that takes {operation} back.")
    carried = {WRITES[operation].parameter, *_CARRIED}
    parameters = {name: value for name, value in sent.items() if name in carried}
    losses: list[str] = []
    taken = [name for name in sent if name not in carried | _LEFT]
    if not taken:
        return Manual(f"{operation} changed nothing that can be taken back.")
    try:
        for name in taken:
            inverse = inverses.get(name, _NONE)
            parameters |= _taken_back(name, inverse, write, facts)
            losses += filter(None, [inverse.loses])
    except _Impossible as why:
        return Manual(str(why))
    return Undoing(call=Call(operation, parameters), losses=tuple(losses))


def _taken_back(name: str, inverse: Inverse, write: Write, facts: Facts) -> dict[str, Any]:
    """The parameters that take one back."""
    sent = write.call.parameters[name]
    if inverse is _NONE:
        msg = f"Nothing that Warden may call takes {name} of {write.call.operation} back."
        raise _Impossible(msg)
    if name not in write.before:
        msg = f"The ledger does not say what {name} was before."
        raise _Impossible(msg)
    try:
        holds = inverse.holds(sent, facts)
    except (MissingFactError, KeyError, TypeError) as error:
        msg = f"It cannot be told whether {name} is still as Warden set it: {error}."
        raise _Impossible(msg) from error
    if not holds:
        msg = f"{name} is not as Warden set it: somebody changed it since, or AWS has not applied it yet."
        raise _Impossible(msg)
    back = inverse.back(sent, write.before[name])
    if back is None:
        msg = f"{name} was {write.before[name]!r} before, to which Warden takes nothing back."
        raise _Impossible(msg)
    return {key or name: value for key, value in back.items()}


def is_undone(write: Write, facts: Facts) -> bool:
    """Whether every value of the write is as it was before: it has been taken back already."""
    return bool(dict(write.before) == plain(touched(write.call, facts)))


def request_id(chain: str, sequence: int, entry_hash: str) -> str:
    """The id of the request to take the write of an entry back; another entry is another request."""
    text = f"undo|{chain}|{sequence}|{entry_hash}"
    return f"undo-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
