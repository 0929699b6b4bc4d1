"""The cluster refuses connections without TLS, on every instance and now.

Why it matters
--------------
RDS offers TLS on every connection and demands it on none: a client that does not ask for it sends its
password and its data in clear text, and nothing shows. The cluster's parameter group decides, with
`rds.force_ssl` for PostgreSQL (off by default before Aurora PostgreSQL 17) and `require_secure_transport` for
MySQL (off by default).

The value in the group is half of it. It holds only on members that have taken it over, so the control also
wants each member's parameter group to be in sync; a value that waits for a reboot protects nobody yet. The
parameter groups of the members themselves cannot undo it: Aurora's have neither parameter, and AWS lets
nobody give one to a member of a Multi-AZ DB cluster.

Remediation safety
------------------
Disruptive. Clients that connect without TLS are refused from that moment on. Warden looks for them in the log of
connections of PostgreSQL; a line of the policy is not enough, unless that shows a whole cycle in which nobody
connected so. In every other case it needs an approval, which names the clients. Warden writes to a custom parameter
group that no other cluster uses, where the parameter is dynamic, which restarts nothing. A cluster that uses a
default group, or shares one, gets a group of its own: one of the family, or a copy, with TLS turned on,
attached. That has effect with a reboot of each member, which takes an approval of its own. The group stays;
none is ever deleted.

References
----------
- Amazon Aurora User Guide, "Requiring an SSL/TLS connection to an Aurora PostgreSQL DB cluster"
- Amazon Aurora User Guide, "Requiring an SSL/TLS connection to an Aurora MySQL DB cluster"
- Amazon RDS API Reference, ModifyDBClusterParameterGroup
- Amazon RDS API Reference, DBClusterMember: DBClusterParameterGroupStatus
- Amazon Aurora User Guide, "Aurora PostgreSQL instance-level parameters"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import (
    engines,
    frameworks,
    guidance,
    own_group,
    own_group_examples,
    parameters,
    reboots,
    scope,
)
from warden.core import group_changes as changes
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
)
from warden.core.guard import Fields, ListOf, Only, Permit
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan, Wait
from warden.core.preflight import Question
from warden.core.resource import Facts, ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource

GROUP = "DBClusterParameterGroup"


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the parameter, then whether every member has taken it over."""
    if verdict := scope.outside(resource):
        return verdict
    name = parameters.TLS_SWITCH[resource.facts["Engine"]]
    on = parameters.switch(resource.facts[Need.PARAMETERS][name])
    if on is None:
        return insufficient_data(
            f"{resource.ref.id}: AWS does not say, as far as Warden can read it, if {name} is on."
        )
    group = resource.facts[GROUP]
    if not on:
        return non_compliant(f"{resource.ref.id} accepts connections without TLS: {name} is off in {group}.")
    return _judge_members(resource, f"{name} is on in {group}")


def _judge_members(resource: Resource, setting: str) -> Verdict:
    if changes.is_applying(resource):
        return insufficient_data(f"{resource.ref.id} is just taking over the group: {setting}.")
    if waiting := changes.waiting(resource):
        return non_compliant(
            f"{resource.ref.id} does not demand TLS everywhere yet: {setting}, but pending on {', '.join(waiting)}."
        )
    if resource.facts["DBClusterMembers"]:
        return compliant(f"{resource.ref.id} refuses connections without TLS: {setting} and on every member.")
    if resource.facts["EngineMode"] == engines.SERVERLESS_V1:
        return insufficient_data(
            f"{resource.ref.id} is Aurora Serverless v1: {setting}, but AWS does not show whether it has effect."
        )
    return compliant(
        f"{resource.ref.id} has no instances, and any that is created will demand TLS: {setting}."
    )


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan | Manual | Wait:
    """Turn the parameter on in the cluster's own custom group, or the next call on the way to one."""
    group = resource.facts[GROUP]
    name = parameters.TLS_SWITCH[resource.facts["Engine"]]
    item = resource.facts[Need.PARAMETERS][name]
    if parameters.switch(item):
        return changes.not_by_reboot(resource) or reboots.next_of_cluster(resource)
    parameter = Facts(item)
    value = parameters.on_spelling(item.get("AllowedValues"), "1" if name == "rds.force_ssl" else "ON")
    if _is_anybody_elses(resource, group) and parameter["IsModifiable"]:
        return own_group.move(resource, {name: value})
    if not parameter["IsModifiable"]:
        return Manual(f"AWS does not let {name} be modified in {group}.")
    if parameter["ApplyType"] != "dynamic":
        return Manual(
            f"{name} is a {parameter['ApplyType']} parameter in {group}: it takes effect with a reboot of every "
            "member, which somebody must choose the moment for.",
            (
                _modify_group(resource, group, name, value, "pending-reboot"),
                *reboots.of_cluster(resource),
            ),
        )
    return Plan(
        (
            Call(
                "ModifyDBClusterParameterGroup",
                {
                    "DBClusterParameterGroupName": group,
                    "Parameters": [
                        {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "immediate"}
                    ],
                },
            ),
        )
    )


def _is_anybody_elses(resource: Resource, group: str) -> bool:
    """Whether the group is a default one, of which AWS names no users, or somebody else uses it."""
    if group.startswith("default."):
        return True
    # They may be as many as the fleet: the first other one says enough.
    users, own = resource.facts[Need.PARAMETER_GROUP_USERS], resource.facts["DBClusterArn"]
    return not users or any(user != own for user in users)


def _modify_group(resource: Resource, group: str, name: str, value: str, method: str) -> str:
    return guidance.command(
        resource,
        "modify-db-cluster-parameter-group",
        {
            "db-cluster-parameter-group-name": group,
            "parameters": f"ParameterName={name},ParameterValue={value},ApplyMethod={method}",
        },
    )


def _turned_on(method: str) -> ListOf:
    """For the write guard: the parameter, and a spelling of "on"."""
    return ListOf(
        Fields(
            {
                "ParameterName": Only(tuple(sorted(set(parameters.TLS_SWITCH.values())))),
                "ParameterValue": parameters.TurnsOn(),
                "ApplyMethod": Only((method,)),
            }
        )
    )


def _parameter(name: str, value: str | None, **other: Any) -> dict[str, Any]:
    """An item of DescribeDBClusterParameters, for the examples."""
    item = {
        "ParameterName": name,
        "ParameterValue": value,
        "Description": "Force SSL connections.",
        "Source": "user",
        "ApplyType": "dynamic",
        "DataType": "boolean",
        "AllowedValues": "0,1" if name == "rds.force_ssl" else "ON,OFF",
        "IsModifiable": True,
        "ApplyMethod": "immediate",
        **other,
    }
    return {name: {key: value for key, value in item.items() if value is not None}}


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
    title="Clusters refuse connections without TLS",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.prowler("rds_instance_transport_encrypted"),
        frameworks.cis_database("2.3"),
        frameworks.IN_TRANSIT,
    ),
    needs=(Need.PARAMETERS,),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(
            Permit(
                operation="ModifyDBClusterParameterGroup",
                required={
                    "DBClusterParameterGroupName": parameters.UnsharedClusterGroup(),
                    "Parameters": _turned_on("immediate"),
                },
            ),
            *own_group.permits(ResourceType.DB_CLUSTER, _turned_on(own_group.PENDING)),
            *reboots.PERMITS_OF_CLUSTER,
        ),
        safety=Safety.DISRUPTIVE,
        needs=(Need.PARAMETER_GROUP_USERS, Need.MEMBERS, Need.MEMBER_PARAMETERS, *own_group.NEEDS),
        preflight=Question.CLEAR_TEXT,
    ),
    fix="""\
Find out first who connects without TLS: on PostgreSQL `select usename, client_addr from pg_stat_ssl join
pg_stat_activity using (pid) where not ssl`. Then turn it on in the cluster's custom parameter group, on PostgreSQL
with

    aws rds modify-db-cluster-parameter-group --db-cluster-parameter-group-name GROUP --region {region} \\
        --parameters ParameterName=rds.force_ssl,ParameterValue=1,ApplyMethod=immediate

and on MySQL with

    aws rds modify-db-cluster-parameter-group --db-cluster-parameter-group-name GROUP --region {region} \\
        --parameters ParameterName=require_secure_transport,ParameterValue=ON,ApplyMethod=immediate

A `default.` group cannot be modified: create one of its family and attach it with

    aws rds modify-db-cluster --db-cluster-identifier {id} --db-cluster-parameter-group-name GROUP --region {region}

which takes a reboot of every instance to have effect.

Make it last: CloudFormation `Parameters: {rds.force_ssl: "1"}` of `AWS::RDS::DBClusterParameterGroup`; Terraform a
`parameter` block of `aws_rds_cluster_parameter_group`.
""",
    examples=(
        Example(
            name="PostgreSQL demands it on every member",
            facts={"Parameters": _parameter("rds.force_ssl", "1")},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="PostgreSQL does not demand it",
            facts={"Parameters": _parameter("rds.force_ssl", "0")},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="MySQL spells it ON",
            facts={
                "Engine": "aurora-mysql",
                "EngineVersion": "8.0.mysql_aurora.3.08.0",
                "Parameters": _parameter("require_secure_transport", "ON"),
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="and another engine version spells it 1",
            facts={
                "Engine": "aurora-mysql",
                "EngineVersion": "8.0.mysql_aurora.3.08.0",
                "Parameters": _parameter("require_secure_transport", "1", AllowedValues="0,1"),
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="MySQL does not demand it",
            facts={
                "Engine": "aurora-mysql",
                "EngineVersion": "8.0.mysql_aurora.3.08.0",
                "Parameters": _parameter("require_secure_transport", "OFF"),
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="MySQL's default is off, and AWS leaves the value out",
            facts={
                "Engine": "mysql",
                "EngineVersion": "8.0.40",
                "Parameters": _parameter("require_secure_transport", None, Source="engine-default"),
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a value is left out and no default is known",
            facts={"Parameters": _parameter("rds.force_ssl", None, Source="engine-default")},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a spelling that nobody knows",
            facts={"Parameters": _parameter("rds.force_ssl", "perhaps")},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="on, but a reader waits for a reboot",
            facts={
                "Parameters": _parameter("rds.force_ssl", "1"),
                "DBClusterMembers": [
                    _member("orders-2", "pending-reboot"),
                    _member("orders-1", "in-sync", writer=True),
                ],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="on, and a member is just taking it over",
            facts={
                "Parameters": _parameter("rds.force_ssl", "1"),
                "DBClusterMembers": [_member("orders-1", "applying", writer=True)],
            },
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="on, but it could not be applied to a member",
            facts={
                "Parameters": _parameter("rds.force_ssl", "1"),
                "DBClusterMembers": [
                    _member("orders-1", "failed-to-apply", writer=True),
                    _member("orders-2", "applying"),
                ],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="on, but a Multi-AZ DB cluster waits for a reboot",
            facts={
                "Engine": "postgres",
                "EngineVersion": "16.4",
                "Parameters": _parameter("rds.force_ssl", "1"),
                "DBClusterMembers": [_member("orders-1", "pending-reboot", writer=True)],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="on, and a member does not tell its status",
            facts={
                "Parameters": _parameter("rds.force_ssl", "1"),
                "DBClusterMembers": [{"DBInstanceIdentifier": "orders-1", "IsClusterWriter": True}],
            },
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="on, and there are no instances",
            facts={"Parameters": _parameter("rds.force_ssl", "1"), "DBClusterMembers": []},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="on, and Aurora Serverless v1 does not show its members",
            facts={
                "EngineMode": "serverless",
                "Parameters": _parameter("rds.force_ssl", "1"),
                "DBClusterMembers": [],
            },
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="off in a default parameter group",
            facts={
                GROUP: "default.aurora-postgresql16",
                "Parameters": _parameter("rds.force_ssl", "0", Source="system"),
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="off in a parameter group that another cluster uses",
            facts={
                "Parameters": _parameter("rds.force_ssl", "0"),
                "ParameterGroupUsers": [
                    "arn:aws:rds:eu-west-1:123456789012:cluster:orders",
                    "arn:aws:rds:eu-west-1:123456789012:cluster:reports",
                ],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        *own_group_examples.examples(
            ResourceType.DB_CLUSTER,
            {"Parameters": _parameter("rds.force_ssl", "0", Source="system")},
            {"rds.force_ssl": "1"},
        ),
        Example(
            name="off, and static",
            facts={"Parameters": _parameter("rds.force_ssl", "0", ApplyType="static")},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="off, and not modifiable",
            facts={"Parameters": _parameter("rds.force_ssl", "0", IsModifiable=False)},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a DocumentDB cluster is another product",
            facts={"Engine": "docdb", "Parameters": {}},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the group does not hold the parameter",
            facts={"Parameters": {}},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="the parameters could not be read",
            facts={},
            missing=("Parameters",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
