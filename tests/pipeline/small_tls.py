"""Demands TLS by the parameter group of a cluster: a control for tests, whose write goes to something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.control import Control, Remediation, Safety, Severity, Verdict, compliant, non_compliant
from warden.core.guard import Fields, ListOf, Only, Permit, SameAs
from warden.core.kinds import Need
from warden.core.plan import Call, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource

_PARAMETER = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the parameter."""
    if resource.facts[Need.PARAMETERS]["rds.force_ssl"]["ParameterValue"] == "1":
        return compliant("It demands TLS.")
    return non_compliant("It does not demand TLS.")


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan:
    """Turn the parameter on."""
    group = resource.facts["DBClusterParameterGroup"]
    parameters = {"DBClusterParameterGroupName": group, "Parameters": [dict(_PARAMETER)]}
    return Plan((Call("ModifyDBClusterParameterGroup", parameters),))


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Clusters demand TLS",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.MEDIUM,
    evaluate=evaluate,
    fix="Turn it on.",
    examples=(),
    needs=(Need.PARAMETERS,),
    remediation=Remediation(
        plan=plan,
        permits=(
            Permit(
                operation="ModifyDBClusterParameterGroup",
                required={
                    "DBClusterParameterGroupName": SameAs("DBClusterParameterGroup"),
                    "Parameters": ListOf(
                        Fields({name: Only((value,)) for name, value in _PARAMETER.items()})
                    ),
                },
            ),
        ),
        safety=Safety.DISRUPTIVE,
    ),
)
