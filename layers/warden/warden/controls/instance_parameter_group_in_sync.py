"""What the instance's parameter group says is what runs.

Why it matters
--------------
A parameter that was changed in the group and waits for a reboot protects nobody: whoever reads the group
believes that TLS is demanded or that logins are logged, and the running instance does neither. The
maintenance window does not apply it; it waits for ever, and then takes effect at a failover at night, all at
once. A value that failed to apply leaves the group in a state that AWS calls invalid.

Members of a cluster have such a group of their own, beside the cluster's, and are judged like all others. AWS
tells the status and not since when, so a change is reported as soon as it waits.

Remediation safety
------------------
Disruptive: a reboot interrupts every connection, so that Warden makes none without somebody's approval, whatever the
policy allows. A member of a Multi-AZ DB cluster is rebooted with its cluster. Where a reboot would not help, a ticket
says what would.

References
----------
- Amazon RDS API Reference, DBParameterGroupStatus: ParameterApplyStatus
- Amazon RDS API Reference, RebootDBInstance
- Amazon RDS User Guide, "Overview of parameter groups"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines, frameworks, group_status, reboots, scope
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
    compliant,
    insufficient_data,
    non_compliant,
    not_applicable,
)
from warden.core.kinds import Need
from warden.core.plan import Manual, Plan, Wait
from warden.core.resource import ResourceType
from warden.core.tls import group_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the status of the instance's own group."""
    if verdict := scope.outside(resource):
        return verdict
    if engines.is_custom(resource.facts["Engine"]):
        # "This setting doesn't apply to RDS Custom DB instances" (ModifyDBInstance.DBParameterGroupName).
        return not_applicable(
            f"{resource.ref.id} is an RDS Custom instance, which has no parameter group in use."
        )
    own = group_of(resource.facts)
    group, status = own["DBParameterGroupName"], own["ParameterApplyStatus"]
    if status == group_status.IN_SYNC:
        return compliant(f"{resource.ref.id} has {group} in effect.")
    if status == group_status.APPLYING:
        return insufficient_data(f"{resource.ref.id} is just applying a change in {group}.")
    if not group_status.known([status]):
        return insufficient_data(
            f"{resource.ref.id} has {group} in a status that Warden does not know: {status!r}."
        )
    return non_compliant(
        f"{resource.ref.id} has a change in {group} without effect: it {group_status.in_words(status)}."
    )


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan | Manual | Wait:
    """The reboot, or what else a person does."""
    status = group_of(resource.facts)["ParameterApplyStatus"]
    why = group_status.advice([status])
    return reboots.next_of_instance(resource) if status == reboots.PENDING else Manual(why)


def _in_group(status: str) -> dict[str, Any]:
    return {"DBParameterGroups": [{"DBParameterGroupName": "billing-pg16", "ParameterApplyStatus": status}]}


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Instance parameter groups are in effect",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.LOW,
    frameworks=frameworks.CONFIGURATION,
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan, permits=reboots.PERMITS_OF_INSTANCE, safety=Safety.DISRUPTIVE, needs=(Need.MEMBERS,)
    ),
    fix="""\
Look what waits:

    aws rds describe-db-instances --db-instance-identifier {id} --region {region} \\
        --query "DBInstances[].DBParameterGroups[]"

Where it waits for a reboot, choose the moment:

    aws rds reboot-db-instance --db-instance-identifier {id} --region {region}

Where a value failed to apply, the instance's events say why; set one that the engine takes:

    aws rds describe-events --source-type db-instance --source-identifier {id} --duration 1440 --region {region}

Make it last: CloudFormation `DBParameterGroupName: GROUP` of `AWS::RDS::DBInstance` takes effect with a reboot, too,
so plan one with each change; Terraform applies `apply_method = "pending-reboot"` no sooner.
""",
    examples=(
        Example(name="in effect", facts=_in_group("in-sync"), expect=ComplianceType.COMPLIANT),
        Example(
            name="waiting for a reboot",
            facts=_in_group("pending-reboot"),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a value that the engine does not take",
            facts=_in_group("failed-to-apply"),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a change that comes with an upgrade",
            facts=_in_group("pending-database-upgrade"),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member of an Aurora cluster has a group of its own",
            facts={
                **_in_group("pending-reboot"),
                "Engine": "aurora-postgresql",
                "DBClusterIdentifier": "orders",
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member of a Multi-AZ DB cluster is rebooted with its cluster",
            facts={**_in_group("pending-reboot"), "DBClusterIdentifier": "orders"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a change that is being applied is neither",
            facts=_in_group("applying"),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a status that nobody knows",
            facts=_in_group("pondering"),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="RDS Custom is configured by its owner",
            facts={"Engine": "custom-oracle-ee"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the group is not known",
            facts={},
            missing=("DBParameterGroups",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
