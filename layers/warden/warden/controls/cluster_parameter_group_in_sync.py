"""What the cluster's parameter group says is what runs on every member.

Why it matters
--------------
A parameter that was changed in the group and waits for a reboot protects nobody: whoever reads the group
believes that TLS is demanded or that the audit log records, and the running instances do neither. The
maintenance window does not apply it; it waits for ever, and then takes effect at a failover at night, all at
once. A value that failed to apply leaves the group in a state that AWS calls invalid.

AWS tells the status and not since when, so a change is reported as soon as it waits.

Remediation safety
------------------
Disruptive: a reboot interrupts every connection, so that Warden makes none without somebody's approval, whatever the
policy allows. One approval is for each member once: the writer first, then the readers one by one, each when all are
available again. Older engine versions restart every reader with the writer, which is a full outage. A Multi-AZ DB
cluster is rebooted as a whole. Where a reboot would not help, a ticket says what would.

References
----------
- Amazon RDS API Reference, DBClusterMember: DBClusterParameterGroupStatus
- Amazon RDS API Reference, DBParameterGroupStatus: ParameterApplyStatus
- Amazon RDS API Reference, RebootDBInstance, RebootDBCluster
- Amazon Aurora User Guide, "Working with DB cluster parameter groups"
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
from warden.core.resource import Facts, ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the status of the group on each member."""
    if verdict := scope.outside(resource):
        return verdict
    if resource.facts["EngineMode"] == engines.SERVERLESS_V1:
        return not_applicable(
            f"{resource.ref.id} is Aurora Serverless v1, which shows no instances that could be in sync."
        )
    return _judge(resource, resource.facts["DBClusterParameterGroup"], _statuses(resource))


def _judge(resource: Resource, group: str, statuses: Mapping[str, str]) -> Verdict:
    if not group_status.known(statuses.values()):
        return insufficient_data(
            f"{resource.ref.id} has a parameter group in a status that Warden does not know: {_told(statuses)}."
        )
    drifted = {
        name: status
        for name, status in statuses.items()
        if status not in {group_status.IN_SYNC, group_status.APPLYING}
    }
    if drifted:
        return non_compliant(f"{resource.ref.id} has a change in {group} without effect on {_told(drifted)}.")
    if group_status.APPLYING in statuses.values():
        return insufficient_data(f"{resource.ref.id} is just applying a change in {group}.")
    if not statuses:
        return compliant(f"{resource.ref.id} has no instances on which {group} could lack effect.")
    return compliant(f"{resource.ref.id} has {group} in effect on every member.")


def _statuses(resource: Resource) -> dict[str, str]:
    members = (Facts(member) for member in resource.facts["DBClusterMembers"])
    return {member["DBInstanceIdentifier"]: member["DBClusterParameterGroupStatus"] for member in members}


def _told(statuses: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({group_status.in_words(status)})" for name, status in sorted(statuses.items()))


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan | Manual | Wait:
    """The next reboot, or what else a person does."""
    statuses = set(_statuses(resource).values())
    why = group_status.advice(statuses)
    if "pending-reboot" not in statuses:
        return Manual(why)
    return reboots.next_of_cluster(resource)


def _member(name: str, status: str, *, writer: bool = False) -> dict[str, Any]:
    return {
        "DBInstanceIdentifier": name,
        "IsClusterWriter": writer,
        "DBClusterParameterGroupStatus": status,
        "PromotionTier": 1,
    }


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Cluster parameter groups are in effect on every member",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.LOW,
    frameworks=frameworks.CONFIGURATION,
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=reboots.PERMITS_OF_CLUSTER,
        safety=Safety.DISRUPTIVE,
        needs=(Need.MEMBERS,),
    ),
    fix="""\
Look which member waits, and for what:

    aws rds describe-db-clusters --db-cluster-identifier {id} --region {region} \\
        --query "DBClusters[].DBClusterMembers[].[DBInstanceIdentifier,IsClusterWriter,DBClusterParameterGroupStatus]"

Reboot the writer first, then each reader, waiting until one is available before the next. Older engine versions
restart every reader with the writer, which is a full outage:

    aws rds reboot-db-instance --db-instance-identifier MEMBER --region {region}

Where a value failed to apply, the instance's events say why; set one that the engine takes:

    aws rds describe-events --source-type db-instance --source-identifier MEMBER --duration 1440 --region {region}

Make it last: CloudFormation `DBClusterParameterGroupName: GROUP` of `AWS::RDS::DBCluster` takes effect with a reboot,
too, so plan one with each change; Terraform applies `apply_method = "pending-reboot"` no sooner.
""",
    examples=(
        Example(name="in effect everywhere", facts={}, expect=ComplianceType.COMPLIANT),
        Example(
            name="a reader waits for a reboot",
            facts={
                "DBClusterMembers": [
                    _member("orders-1", "in-sync", writer=True),
                    _member("orders-2", "pending-reboot"),
                ]
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a value that the engine does not take",
            facts={"DBClusterMembers": [_member("orders-1", "failed-to-apply", writer=True)]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a change that comes with an upgrade",
            facts={"DBClusterMembers": [_member("orders-1", "pending-database-upgrade", writer=True)]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a Multi-AZ DB cluster is rebooted as a whole",
            facts={
                "Engine": "postgres",
                "EngineVersion": "16.4",
                "DBClusterMembers": [_member("orders-1", "pending-reboot", writer=True)],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a change that is being applied is neither",
            facts={"DBClusterMembers": [_member("orders-1", "applying", writer=True)]},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a status that nobody knows",
            facts={"DBClusterMembers": [_member("orders-1", "pondering", writer=True)]},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(name="no instances", facts={"DBClusterMembers": []}, expect=ComplianceType.COMPLIANT),
        Example(
            name="Aurora Serverless v1 shows no members",
            facts={"EngineMode": "serverless", "DBClusterMembers": []},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a DocumentDB cluster is another product",
            facts={"Engine": "docdb"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a member does not tell its status",
            facts={"DBClusterMembers": [{"DBInstanceIdentifier": "orders-1", "IsClusterWriter": True}]},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="the members are not known",
            facts={},
            missing=("DBClusterMembers",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
