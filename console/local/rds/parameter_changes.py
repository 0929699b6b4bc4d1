"""Changing parameters: what AWS takes, what it refuses, and who must be rebooted for it."""

from __future__ import annotations

from typing import Any

from moto.rds.models import DBClusterParameterGroup

from console.local.rds.call import Call, conflicting, invalid
from console.local.rds.parameter_groups import check_name, cluster_group, instance_group, known, users
from console.local.rds.registry import Correction, Topic
from console.local.rds.state import extras

_MOST_PER_CALL = 20


def _check_changes(group: Any, changes: list[dict[str, Any]], *, with_values: bool) -> None:
    if len(changes) > _MOST_PER_CALL:
        invalid(f"A maximum of {_MOST_PER_CALL} parameters can be modified in a single request.")
    by_name = known(group)
    for change in changes:
        name = change["ParameterName"]
        definition = by_name.get(name)
        if definition is None:
            invalid(f"Could not find parameter with name: {name}")
        if not definition.modifiable:
            invalid(f"The parameter {name} cannot be modified.")
        if change.get("ApplyMethod") == "immediate" and definition.apply_type == "static":
            conflicting("cannot use immediate apply method for static parameter")
        if with_values and not definition.allows(change.get("ParameterValue") or ""):
            invalid(
                f"Invalid parameter value: {change.get('ParameterValue')} for: {name}"
                f" allowed values are: {definition.allowed}"
            )


def _mark_pending(call: Call, group: Any, changes: list[dict[str, Any]]) -> None:
    """Let everything that uses a group wait for a reboot if a change needs one."""
    by_name = known(group)
    needs_reboot = any(
        change.get("ApplyMethod") != "immediate" or by_name[change["ParameterName"]].apply_type == "static"
        for change in changes
    )
    if not needs_reboot:
        return
    for user in users(call, group):
        if isinstance(group, DBClusterParameterGroup):
            for member in call.members_of(user):
                extras(member).cluster_apply_status = "pending-reboot"
        else:
            extras(user).apply_status = "pending-reboot"


def _modify(call: Call, group: Any, parameter: str) -> list[dict[str, Any]]:
    check_name(group.name, parameter)
    changes: list[dict[str, Any]] = call.get("Parameters", [])
    _check_changes(group, changes, with_values=True)
    for change in changes:
        group.parameters[change["ParameterName"]] = {
            "ParameterName": change["ParameterName"],
            "ParameterValue": change["ParameterValue"],
            "ApplyMethod": change.get("ApplyMethod", "pending-reboot"),
        }
    _mark_pending(call, group, changes)
    return changes


def modify_cluster_group(call: Call) -> dict[str, Any]:
    """Answer ModifyDBClusterParameterGroup."""
    group = cluster_group(call, call["DBClusterParameterGroupName"])
    _modify(call, group, "DBClusterParameterGroupName")
    return {"DBClusterParameterGroupName": group.name}


def modify_instance_group(call: Call) -> dict[str, Any]:
    """Answer ModifyDBParameterGroup."""
    group = instance_group(call, call["DBParameterGroupName"])
    for change in _modify(call, group, "DBParameterGroupName"):
        call.world.tell(
            "RDS-EVENT-0037",
            group,
            name=change["ParameterName"],
            value=change["ParameterValue"],
            method=change.get("ApplyMethod", "pending-reboot"),
        )
    return {"DBParameterGroupName": group.name}


def _reset(call: Call, group: Any, parameter: str) -> None:
    check_name(group.name, parameter)
    changes: list[dict[str, Any]] = call.get("Parameters", [])
    if call.get("ResetAllParameters") and changes:
        conflicting("ResetAllParameters cannot be used together with a list of parameters.")
    if not call.get("ResetAllParameters") and not changes:
        invalid("At least one parameter must be given, or ResetAllParameters.")
    _check_changes(group, changes, with_values=False)
    if call.get("ResetAllParameters"):
        by_name = known(group)
        changes = [
            {
                "ParameterName": name,
                "ApplyMethod": "immediate" if by_name[name].apply_type == "dynamic" else "pending-reboot",
            }
            for name in group.parameters
        ]
    for change in changes:
        group.parameters.pop(change["ParameterName"], None)
    _mark_pending(call, group, changes)


def reset_cluster_group(call: Call) -> dict[str, Any]:
    """Answer ResetDBClusterParameterGroup."""
    group = cluster_group(call, call["DBClusterParameterGroupName"])
    _reset(call, group, "DBClusterParameterGroupName")
    return {"DBClusterParameterGroupName": group.name}


def reset_instance_group(call: Call) -> dict[str, Any]:
    """Answer ResetDBParameterGroup."""
    group = instance_group(call, call["DBParameterGroupName"])
    _reset(call, group, "DBParameterGroupName")
    return {"DBParameterGroupName": group.name}


TOPIC = Topic(
    name="parameter_changes",
    operations={
        "ModifyDBClusterParameterGroup": modify_cluster_group,
        "ModifyDBParameterGroup": modify_instance_group,
        "ResetDBClusterParameterGroup": reset_cluster_group,
        "ResetDBParameterGroup": reset_instance_group,
    },
    corrections=(
        Correction(
            name="twenty-parameters-per-call",
            why="moto takes any number",
            reference="ModifyDBClusterParameterGroup",
            words="A maximum of 20 parameters can be modified in a single request.",
        ),
        Correction(
            name="unknown-parameters-refused",
            why="moto stores any name and any value",
            reference="Parameter.AllowedValues",
            words="Specifies the valid range of values for the parameter.",
        ),
        Correction(
            name="fixed-parameters-refused",
            why="moto changes parameters that AWS lets nobody change",
            reference="Parameter.IsModifiable",
            words="Some parameters have security or operational implications that prevent them from being changed.",
        ),
        Correction(
            name="static-parameters-wait",
            why="moto takes `immediate` for static parameters",
            reference="ModifyDBClusterParameterGroupMessage.Parameters",
            words="You can use the immediate value with dynamic parameters only.",
        ),
        Correction(
            name="changes-wait-for-a-reboot",
            why="moto's members are in sync whatever happens to their group",
            reference="ModifyDBClusterParameterGroupMessage.Parameters",
            words=(
                "When the application method is pending-reboot, changes to dynamic and static parameters are"
                " applied after a reboot without failover to the DB clusters associated with the parameter group."
            ),
        ),
        Correction(
            name="parameters-reset",
            why="moto cannot reset a group",
            reference="ResetDBClusterParameterGroup",
            words="Modifies the parameters of a DB cluster parameter group to the default value.",
        ),
    ),
)
