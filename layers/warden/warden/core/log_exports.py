"""Log exports to CloudWatch Logs: which required types are lacking, for clusters and instances alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core.control import (
    Setting,
    Verdict,
    compliant,
    insufficient_data,
    non_compliant,
    not_applicable,
)
from warden.core.engines import DOCUMENTED_LOG_TYPES, family
from warden.core.guard import Fields, NonEmptyListOf, Permit, SameAs
from warden.core.kinds import KINDS, Need
from warden.core.plan import Call, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warden.core.resource import Resource

# Those that every version of an engine knows, those that only some do, and the log of an option of Oracle.
LOG_TYPES = tuple(sorted({"iam-db-auth-error", "instance", "oemagent"}.union(*DOCUMENTED_LOG_TYPES.values())))

COST = (
    "CloudWatch Logs bills what is exported: in us-east-1, 0.50 USD for each GB that comes in and 0.03 USD for "
    "each GB that is kept for a month."
)


def required_setting(default: Mapping[str, list[str]], doc: str) -> Setting:
    """The setting `required`: the log types to export, for each family of engines."""
    return Setting(name="required", default=dict(default), doc=doc, choices=LOG_TYPES)


def _lacking(resource: Resource, required: Mapping[str, Sequence[str]]) -> list[str]:
    """The required types that are neither exported nor about to be."""
    return sorted(set(required[family(resource.facts["Engine"])]) - _exported(resource))


def exports(resource: Resource, kind: str) -> bool:
    """Whether a log type is exported or about to be."""
    return kind in _exported(resource)


def _exported(resource: Resource) -> set[str]:
    """What is exported, once what has been asked for is done.

    EnabledCloudwatchLogsExports shows what is; what has been asked for and is not done yet stands in
    PendingModifiedValues, where AWS leaves out what does not change.
    """
    pending = resource.facts["PendingModifiedValues"].get("PendingCloudwatchLogsExports", {})
    exported = set(resource.facts["EnabledCloudwatchLogsExports"])
    exported |= set(pending.get("LogTypesToEnable", []))
    return exported - set(pending.get("LogTypesToDisable", []))


def missing(resource: Resource, required: Mapping[str, Sequence[str]]) -> list[str]:
    """The required types that this engine version could export and does not."""
    lacking = _lacking(resource, required)
    return [kind for kind in lacking if kind in resource.facts[Need.EXPORTABLE_LOG_TYPES]]


def judge(resource: Resource, required: Mapping[str, Sequence[str]]) -> Verdict:
    """Whether every required log type that the engine version has is exported."""
    engine = resource.facts["Engine"]
    if family(engine) not in required:
        return insufficient_data(f"{resource.ref.id} runs {engine}, whose logs Warden does not know here.")
    if not required[family(engine)]:
        return not_applicable(
            f"{resource.ref.id} needs to export nothing: the policy requires no log type of {family(engine)}."
        )
    lacking = _lacking(resource, required)
    if absent := missing(resource, required):
        return non_compliant(f"{resource.ref.id} does not export these logs: {', '.join(absent)}.")
    if lacking:
        return compliant(
            f"{resource.ref.id} exports every required log that it can: {engine} "
            f"{resource.facts['EngineVersion']} cannot export {', '.join(lacking)}."
        )
    return compliant(f"{resource.ref.id} exports every required log.")


def plan(resource: Resource, required: Mapping[str, Sequence[str]], operation: str) -> Plan:
    """Enable what is missing; what is exported beyond that stays."""
    identifier = KINDS[resource.ref.resource_type].identifier
    return Plan(
        (
            Call(
                operation,
                {
                    identifier: resource.facts[identifier],
                    "CloudwatchLogsExportConfiguration": {"EnableLogTypes": missing(resource, required)},
                },
            ),
        ),
        cost=COST,
    )


def permit(operation: str, identifier: str) -> Permit:
    """To enable exports of documented log types, and to disable none."""
    return Permit(
        operation=operation,
        required={
            identifier: SameAs(identifier),
            "CloudwatchLogsExportConfiguration": Fields(
                {"EnableLogTypes": NonEmptyListOf(members=LOG_TYPES)}
            ),
        },
    )
