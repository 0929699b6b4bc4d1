"""What each write of a control touches, and what takes it back."""

from __future__ import annotations

from typing import Any

import pytest

from warden.controls import all_controls
from warden.core.errors import GuardError
from warden.core.guard import check
from warden.core.kinds import Need
from warden.core.plan import Call, Manual
from warden.core.resource import Facts, Resource, ResourceRef
from warden.core.undo import Undoing, Write, touched, undo

CLUSTER = {"DBClusterIdentifier": "orders"}


def write(operation: str, before: dict[str, Any], **parameters: Any) -> Write:
    return Write(arn="arn", controls=("c",), call=call(operation, parameters), before=before)


def call(operation: str, parameters: dict[str, Any]) -> Call:
    return Call(operation, CLUSTER | parameters if operation == "ModifyDBCluster" else parameters)


def back(operation: str, facts: dict[str, Any], live: dict[str, Any], **parameters: Any) -> Any:
    """The parameters that take a write back, made over `facts`, with the resource as in `live` now; or why none do."""
    before = touched(call(operation, parameters), facts)
    made = undo(write(operation, before, **parameters), live)
    if isinstance(made, Manual):
        return made.why
    assert made.call.operation == operation
    return {name: value for name, value in made.call.parameters.items() if name not in CLUSTER}


@pytest.mark.parametrize(
    ("sent", "fact", "was"),
    [
        ({"DeletionProtection": True}, "DeletionProtection", False),
        ({"BackupRetentionPeriod": 35}, "BackupRetentionPeriod", 7),
        ({"CopyTagsToSnapshot": True}, "CopyTagsToSnapshot", False),
        ({"MonitoringInterval": 60}, "MonitoringInterval", 0),
        ({"BacktrackWindow": 7200}, "BacktrackWindow", 0),
    ],
    ids=str,
)
def test_a_setting_is_put_back_as_it_was(sent: dict[str, Any], fact: str, was: Any) -> None:
    [(name, value)] = sent.items()
    assert back("ModifyDBCluster", {fact: was}, {fact: value}, **sent) == {name: was}
    assert "is not as Warden set it" in back("ModifyDBCluster", {fact: was}, {fact: "other"}, **sent)
    assert "It cannot be told" in back("ModifyDBCluster", {fact: was}, {}, **sent)


def test_at_once_stays_at_once() -> None:
    off, on = {"IAMDatabaseAuthenticationEnabled": False}, {"IAMDatabaseAuthenticationEnabled": True}
    sent = {"EnableIAMDatabaseAuthentication": True, "ApplyImmediately": True}
    assert back("ModifyDBCluster", off, on, **sent) == {
        "EnableIAMDatabaseAuthentication": False,
        "ApplyImmediately": True,
    }


def test_of_log_exports_only_those_that_were_added_are_taken_back() -> None:
    sent = {"CloudwatchLogsExportConfiguration": {"EnableLogTypes": ["audit", "error"]}}
    before, after = (
        {"EnabledCloudwatchLogsExports": ["error"]},
        {"EnabledCloudwatchLogsExports": ["audit", "error", "slowquery"]},
    )
    assert back("ModifyDBCluster", before, after, **sent) == {
        "CloudwatchLogsExportConfiguration": {"DisableLogTypes": ["audit"]}
    }
    assert "is not as Warden set it" in back("ModifyDBCluster", before, before, **sent)


def test_of_parameters_each_gets_its_own_value_back_or_none_does() -> None:
    def group(**values: str | None) -> dict[str, Any]:
        return {Need.PARAMETERS: {name: {"ParameterValue": value} for name, value in values.items()}}

    item = {"ParameterName": "log_connections", "ParameterValue": "1", "ApplyMethod": "immediate"}
    sent = {"DBClusterParameterGroupName": "own", "Parameters": [item]}
    made = back(
        "ModifyDBClusterParameterGroup", group(log_connections="0"), group(log_connections="1"), **sent
    )
    assert made == {"DBClusterParameterGroupName": "own", "Parameters": [item | {"ParameterValue": "0"}]}
    unset = back(
        "ModifyDBClusterParameterGroup", group(log_connections=None), group(log_connections="1"), **sent
    )
    assert "to which Warden takes nothing back" in unset


def test_shares_are_given_back_to_accounts_and_never_to_the_world() -> None:
    def shared(*accounts: str) -> dict[Any, Any]:
        return {Need.RESTORE_ACCOUNTS: list(accounts)}

    operation, sent = "ModifyDBSnapshotAttribute", {"DBSnapshotIdentifier": "s", "AttributeName": "restore"}
    made = back(operation, shared("210987654321"), shared(), **sent, ValuesToRemove=["210987654321"])
    assert made == {**sent, "ValuesToAdd": ["210987654321"]}
    assert "takes nothing back" in back(operation, shared("all"), shared(), **sent, ValuesToRemove=["all"])


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("ModifyDBInstance", {"DBInstanceIdentifier": "i", "PubliclyAccessible": False}),
        ("ModifyDBCluster", {"ManageMasterUserPassword": True}),
        ("DisableHttpEndpoint", {"ResourceArn": "arn"}),
        ("RevokeSecurityGroupIngress", {"GroupId": "sg-1", "SecurityGroupRuleIds": ["sgr-1"]}),
        ("CreateDBInstance", {"DBInstanceIdentifier": "i"}),
        ("CopyDBSnapshot", {"TargetDBSnapshotIdentifier": "s"}),
        ("EnableKeyRotation", {"KeyId": "k"}),
        ("AssociateKmsKey", {"logGroupName": "g", "kmsKeyId": "k"}),
        ("CancelKeyDeletion", {"KeyId": "k"}),
    ],
    ids=str,
)
def test_what_would_open_a_door_or_delete_has_no_way_back(operation: str, parameters: dict[str, Any]) -> None:
    live = {"PubliclyAccessible": False}
    assert isinstance(undo(write(operation, {"PubliclyAccessible": True}, **parameters), live), Manual)


def test_an_undo_may_make_its_own_call_and_no_other() -> None:
    made = undo(
        write("ModifyDBCluster", {"BackupRetentionPeriod": 7}, BackupRetentionPeriod=35),
        {"BackupRetentionPeriod": 35},
    )
    assert isinstance(made, Undoing)
    assert made.losses == ("Backups that are older than the retention of before are deleted by AWS.",)
    ref = ResourceRef.from_arn("arn:aws:rds:eu-west-1:123456789012:cluster:orders")
    resource = Resource(ref=ref, key="k", facts=Facts({}), tags={}, observed_at=None)  # type: ignore[arg-type]
    check(made.call, made.permits, resource)
    for other in (
        {"BackupRetentionPeriod": 6},
        {"BackupRetentionPeriod": 7, "MasterUserPassword": "secret"},
        {"BackupRetentionPeriod": 7, "DeletionProtection": False},
    ):
        with pytest.raises(GuardError):
            check(Call("ModifyDBCluster", CLUSTER | other), made.permits, resource)


def test_every_operation_that_a_control_may_call_is_known_to_have_a_way_back_or_none() -> None:
    """A new operation must be thought about: whatever it is, taking it back must not raise."""
    for control in all_controls():
        for permit in control.remediation.permits if control.remediation else ():
            parameters = dict.fromkeys([*permit.required, *permit.optional], "x")
            made = undo(
                Write(arn="arn", controls=(control.id,), call=Call(permit.operation, parameters), before={}),
                {},
            )
            assert isinstance(made, Manual)


@pytest.mark.parametrize(
    "entry",
    [
        {"kind": "intent", "after": {"status": "SUCCEEDED", "calls": [{}]}},
        {"kind": "outcome", "after": {"status": "FAILED", "error": "no"}},
        {"kind": "outcome", "after": {"status": "SUCCEEDED", "calls": [{}], "undoes": 4}},
        {"kind": "ticket", "after": {}},
        {},
    ],
    ids=str,
)
def test_an_entry_that_tells_of_no_write_cannot_be_taken_back(entry: dict[str, Any]) -> None:
    assert isinstance(Write.of(entry), str)
