"""Permissions in RDS come from the controls, and one that nobody has thought through stops the generator."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tools.generators._database_permissions import (
    NEED_OPERATIONS,
    RESOURCE_TYPES,
    UnknownActionError,
    as_yaml,
    read_grants,
    write_grants,
    writers,
)
from warden.controls import all_controls
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


def test_an_operation_of_which_nobody_knows_what_it_touches_is_refused() -> None:
    with pytest.raises(UnknownActionError, match="rds:RebootDBCluster: add to RESOURCE_TYPES"):
        write_grants([control_with(permit("RebootDBCluster"))])


def test_a_dependent_action_that_nobody_has_limited_is_refused() -> None:
    with pytest.raises(UnknownActionError, match="iam:PassRole: add to DEPENDENT_SCOPES"):
        write_grants([control_with(permit("ModifyDBInstance", "iam:PassRole"))])


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
    limited, unlimited = read_grants()
    assert all(RESOURCE_TYPES[action] for action in limited.actions)
    assert not any(RESOURCE_TYPES[action] for action in unlimited.actions)
    assert limited.resources
    assert unlimited.resources == ()
    assert 'Resource: "*"' in as_yaml([unlimited])
    assert 'Resource: "*"' not in as_yaml([limited])


def test_every_need_is_read_by_operations_that_the_gateways_may_call() -> None:
    assert set(NEED_OPERATIONS) == set(Need)
    assert {name for names in NEED_OPERATIONS.values() for name in names} <= set(OPERATIONS["rds"])
