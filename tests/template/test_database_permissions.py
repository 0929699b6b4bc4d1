"""Permissions in RDS come from the controls, and one that nobody has thought through stops the generator."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tools.generators import _database_permissions
from tools.generators._database_permissions import (
    NEED_ACTIONS,
    RESOURCES,
    UnknownActionError,
    as_yaml,
    need_actions,
    read_grants,
    write_grants,
    writers,
)
from warden.controls import all_controls
from warden.core.conditions import WRITE_NEEDS
from warden.core.guard import Permit
from warden.core.kinds import Need
from warden.gateways.clients import OPERATIONS

if TYPE_CHECKING:
    from warden.core.control import Control


def control_with(*permits: Permit) -> Control:
    control = next(c for c in all_controls() if c.id == "cluster_deletion_protection_enabled")
    assert control.remediation is not None
    return replace(control, remediation=replace(control.remediation, permits=permits))


def permit(operation: str, *dependent: str) -> Permit:
    return Permit(operation=operation, required={}, dependent_actions=dependent)


def test_an_operation_of_which_nobody_knows_what_it_touches_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(RESOURCES, "rds:ModifyDBCluster")
    with pytest.raises(UnknownActionError, match="rds:ModifyDBCluster: add to RESOURCES"):
        write_grants([control_with(permit("ModifyDBCluster"))])


def test_a_dependent_action_that_nobody_has_limited_is_refused() -> None:
    with pytest.raises(UnknownActionError, match="iam:CreateRole: add to RESOURCES"):
        write_grants([control_with(permit("ModifyDBInstance", "iam:CreateRole"))])


def test_an_operation_of_many_controls_is_allowed_once() -> None:
    controls = [control_with(permit("ModifyDBCluster")), control_with(permit("ModifyDBCluster"))]
    assert [grant.actions for grant in write_grants(controls)] == [("rds:ModifyDBCluster",)]


def test_a_control_without_permits_brings_no_permission() -> None:
    assert writers([control_with()]) == {}
    assert write_grants([control_with()]) == ()


def test_a_control_brings_its_operation_its_dependent_actions_and_itself() -> None:
    control = control_with(permit("CopyDBSnapshot", "kms:DescribeKey"))
    assert writers([control]) == {"rds:CopyDBSnapshot": [control.id], "kms:DescribeKey": [control.id]}
    copy, key = write_grants([control])
    assert copy.resources == ("arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:snapshot:*",)
    assert key.conditions == {"StringEquals": {"kms:ViaService": "rds.${AWS::Region}.${AWS::URLSuffix}"}}


def test_what_needs_no_resource_is_the_only_thing_that_is_allowed_on_everything() -> None:
    *limited, unlimited = read_grants()
    assert limited
    for grant in limited:
        assert all(RESOURCES[action] for action in grant.actions)
        assert grant.resources
        assert 'Resource: "*"' not in as_yaml([grant])
    assert not any(RESOURCES[action] for action in unlimited.actions)
    assert 'Resource: "*"' in as_yaml([unlimited])


def test_every_need_is_read_by_operations_that_the_gateways_may_call() -> None:
    callable_actions = {f"{service}:{name}" for service, names in OPERATIONS.items() for name in names}
    assert {action for need in Need for action in need_actions(need)} <= callable_actions


def test_a_need_that_no_control_has_brings_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_database_permissions, "all_controls", tuple)
    needed = {need for needs in WRITE_NEEDS.values() for need in needs}
    assert set(_database_permissions.needs_in_use()) == needed
    granted = {action for grant in read_grants() for action in grant.actions}
    assert "rds:DescribeDBClusterParameters" not in granted
    assert "rds:DescribeBlueGreenDeployments" in granted


def test_a_need_that_nobody_says_how_to_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(NEED_ACTIONS, Need.MEMBERS)
    with pytest.raises(UnknownActionError, match="add to NEED_ACTIONS"):
        read_grants()
