"""The stand-alone instance refuses connections without TLS, now and not after the next reboot.

Why it matters
--------------
RDS offers TLS on every connection and demands it on few: a client that does not ask for it sends its password
and its data in clear text, and nothing shows. The instance's parameter group decides, with `rds.force_ssl`
for PostgreSQL (off by default before version 15) and SQL Server (off), and `require_secure_transport` for
MySQL (off) and MariaDB (off by default before version 11.8, and unknown to versions before 10.5).

The value in the group is half of it: it holds once the instance has taken it over, so the control also wants
the group to be in sync. Oracle and Db2 have no such parameter, so Warden cannot tell: an Oracle instance
keeps its port for clear text open beside the one that the option SSL opens, and its security group decides
who reaches it. Members of a cluster are judged at their cluster.

Remediation safety
------------------
Disruptive. Clients that connect without TLS are refused from that moment on. Warden looks for them in the log of
connections of PostgreSQL; a line of the policy is not enough, unless that shows a whole cycle in which nobody
connected so. In every other case it needs an approval, which names the clients. Warden writes to a custom parameter
group that no other instance uses, where the parameter is dynamic, which restarts nothing. An instance that uses
a default group, or shares one, gets a group of its own: one of the family, or a copy, with TLS turned on,
attached. That has effect with a reboot, which takes an approval of its own. The group stays; none is ever
deleted. For a static parameter in a group of its own, such as that of SQL Server, a ticket tells what to do.

References
----------
- Amazon RDS API Reference, ModifyDBParameterGroup
- Amazon RDS API Reference, DBParameterGroupStatus: ParameterApplyStatus
- Amazon RDS User Guide, "Requiring an SSL connection to a PostgreSQL DB instance"
- Amazon RDS User Guide, "Requiring SSL/TLS for all connections to a MySQL DB instance on Amazon RDS"
- Amazon RDS User Guide, "Requiring SSL/TLS for all connections to a MariaDB DB instance"
- Amazon RDS User Guide, "Forcing connections to your DB instance to use SSL" (Microsoft SQL Server)
- AWS Security Hub CSPM, controls RDS.38, RDS.39, RDS.41 and RDS.44
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import (
    engines,
    frameworks,
    group_status,
    guidance,
    own_group,
    own_group_examples,
    parameters,
    reboots,
    scope,
    tls,
)
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
from warden.core.guard import Fields, ListOf, Only, Permit
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan, Wait
from warden.core.preflight import Question
from warden.core.resource import Facts, ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the parameter, then whether the instance has taken it over."""
    if verdict := scope.outside_or_member(resource, "TLS") or _without_parameter(resource):
        return verdict
    engine, version = resource.facts["Engine"], resource.facts["EngineVersion"]
    name = tls.INSTANCE_SWITCH[engines.family(engine)]
    on = tls.demanded(engine, version, resource.facts[Need.INSTANCE_PARAMETERS][name])
    if on is None:
        return insufficient_data(
            f"{resource.ref.id}: AWS does not say, as far as Warden can read it, if {name} is on."
        )
    group = tls.group_of(resource.facts)
    setting = f"{name} is {'on' if on else 'off'} in {group['DBParameterGroupName']}"
    if not on:
        return non_compliant(f"{resource.ref.id} accepts connections without TLS: {setting}.")
    status = group["ParameterApplyStatus"]
    if status == group_status.APPLYING or not group_status.known([status]):
        return insufficient_data(f"{resource.ref.id}: {setting}, and its state is {status}.")
    if status != group_status.IN_SYNC:
        return non_compliant(f"{resource.ref.id} does not demand TLS yet: {setting}, but {status}.")
    return compliant(f"{resource.ref.id} refuses connections without TLS: {setting}.")


def _without_parameter(resource: Resource) -> Verdict | None:
    """The verdict on an instance that has no parameter to demand TLS with."""
    engine = resource.facts["Engine"]
    if engines.is_custom(engine):
        return not_applicable(f"{resource.ref.id} is an RDS Custom instance, whose owner configures its TLS.")
    if engines.family(engine) not in tls.INSTANCE_SWITCH:
        return insufficient_data(
            f"{resource.ref.id} runs {engine}, which has no parameter that demands TLS: Warden cannot tell who "
            "reaches its port for clear text."
        )
    version = resource.facts["EngineVersion"]
    if _is_too_old(engine, version):
        return non_compliant(
            f"{resource.ref.id} accepts connections without TLS: MariaDB {version} has no parameter that demands it."
        )
    return None


def _is_too_old(engine: str, version: str) -> bool:
    return engine == "mariadb" and () < engines.version(version) < tls.MARIADB_SWITCH_SINCE


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan | Manual | Wait:
    """Turn the parameter on in the instance's own custom group, or the next call on the way to one."""
    engine = resource.facts["Engine"]
    if _is_too_old(engine, resource.facts["EngineVersion"]):
        return Manual(
            "MariaDB knows require_secure_transport since 10.5: upgrade the instance, or demand TLS of each database "
            "user with `ALTER USER ... REQUIRE SSL`."
        )
    name = tls.INSTANCE_SWITCH[engines.family(engine)]
    item = resource.facts[Need.INSTANCE_PARAMETERS][name]
    if tls.demanded(engine, resource.facts["EngineVersion"], item):
        if (status := tls.group_of(resource.facts)["ParameterApplyStatus"]) != "pending-reboot":
            why = (
                group_status.advice([status])
                or f"Its state is {status}: wait for it, nothing needs a reboot yet."
            )
            return Manual(f"TLS is turned on in the parameter group. {why}")
        return reboots.next_of_instance(resource)
    return _turn_on(resource, name, item)


def _turn_on(resource: Resource, name: str, item: Mapping[str, Any]) -> Plan | Manual | Wait:
    group = tls.group_of(resource.facts)["DBParameterGroupName"]
    value = parameters.on_spelling(item.get("AllowedValues"), "1")
    if _is_anybody_elses(resource, group) and Facts(item)["IsModifiable"]:
        return own_group.move(resource, {name: value})
    parameter = Facts(item)
    if not parameter["IsModifiable"]:
        return Manual(f"AWS does not let {name} be modified in {group}.")
    if parameter["ApplyType"] != "dynamic":
        return Manual(
            f"{name} is a {parameter['ApplyType']} parameter in {group}: it takes effect with a reboot, which "
            "somebody must choose the moment for.",
            (
                _modify_group(resource, group, name, value, "pending-reboot"),
                *reboots.of_instance(resource),
            ),
        )
    return Plan(
        (
            Call(
                "ModifyDBParameterGroup",
                {
                    "DBParameterGroupName": group,
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
    users, own = resource.facts[Need.INSTANCE_GROUP_USERS], resource.facts["DBInstanceArn"]
    return not users or any(user != own for user in users)


def _modify_group(resource: Resource, group: str, name: str, value: str, method: str) -> str:
    return guidance.command(
        resource,
        "modify-db-parameter-group",
        {
            "db-parameter-group-name": group,
            "parameters": f"ParameterName={name},ParameterValue={value},ApplyMethod={method}",
        },
    )


def _turned_on(method: str) -> ListOf:
    """For the write guard: the parameter, and a spelling of "on"."""
    return ListOf(
        Fields(
            {
                "ParameterName": Only(tuple(sorted(set(tls.INSTANCE_SWITCH.values())))),
                "ParameterValue": parameters.TurnsOn(),
                "ApplyMethod": Only((method,)),
            }
        )
    )


def _parameter(name: str, value: str | None, **other: Any) -> dict[str, Any]:
    """An item of DescribeDBParameters, for the examples."""
    item = {
        "ParameterName": name,
        "ParameterValue": value,
        "Source": "user",
        "ApplyType": "dynamic",
        "DataType": "boolean",
        "AllowedValues": "0,1",
        "IsModifiable": True,
        "ApplyMethod": "immediate",
        **other,
    }
    return {name: {key: value for key, value in item.items() if value is not None}}


def _in_group(status: str, name: str = "billing-pg16") -> list[dict[str, str]]:
    return [{"DBParameterGroupName": name, "ParameterApplyStatus": status}]


_SQL_SERVER = {"Engine": "sqlserver-se", "EngineVersion": "16.00.4165.4.v1"}
_MARIADB = {"Engine": "mariadb", "EngineVersion": "11.4.4"}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Stand-alone RDS instances refuse connections without TLS",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.38"),
        frameworks.security_hub("RDS.39"),
        frameworks.security_hub("RDS.41"),
        frameworks.security_hub("RDS.44"),
        frameworks.config("rds-postgres-instance-encrypted-in-transit"),
        frameworks.config("rds-mysql-instance-encrypted-in-transit"),
        frameworks.config("rds-sqlserver-encrypted-in-transit"),
        frameworks.config("rds-mariadb-instance-encrypted-in-transit"),
        frameworks.prowler("rds_instance_transport_encrypted"),
        frameworks.IN_TRANSIT,
    ),
    needs=(Need.INSTANCE_PARAMETERS,),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(
            Permit(
                operation="ModifyDBParameterGroup",
                required={
                    "DBParameterGroupName": tls.UnsharedInstanceGroup(),
                    "Parameters": _turned_on("immediate"),
                },
            ),
            *own_group.permits(ResourceType.DB_INSTANCE, _turned_on(own_group.PENDING)),
            reboots.PERMITS_OF_INSTANCE[0],
        ),
        safety=Safety.DISRUPTIVE,
        needs=(Need.INSTANCE_GROUP_USERS, Need.MEMBERS, *own_group.NEEDS),
        preflight=Question.CLEAR_TEXT,
    ),
    fix="""\
Find out first who connects without TLS: on PostgreSQL `select usename, client_addr from pg_stat_ssl join
pg_stat_activity using (pid) where not ssl`. Then turn it on in the instance's custom parameter group, on
PostgreSQL with

    aws rds modify-db-parameter-group --db-parameter-group-name GROUP --region {region} \\
        --parameters ParameterName=rds.force_ssl,ParameterValue=1,ApplyMethod=immediate

on MySQL, where MariaDB writes ON for 1, with

    aws rds modify-db-parameter-group --db-parameter-group-name GROUP --region {region} \\
        --parameters ParameterName=require_secure_transport,ParameterValue=1,ApplyMethod=immediate

and on SQL Server, where it takes a reboot, with

    aws rds modify-db-parameter-group --db-parameter-group-name GROUP --region {region} \\
        --parameters ParameterName=rds.force_ssl,ParameterValue=1,ApplyMethod=pending-reboot

A `default.` group cannot be modified: create one of its family and attach it, which takes a reboot to have effect:

    aws rds modify-db-instance --db-instance-identifier {id} --db-parameter-group-name GROUP --region {region}

Make it last: CloudFormation `Parameters: {rds.force_ssl: "1"}` of `AWS::RDS::DBParameterGroup`; Terraform a
`parameter` block of `aws_db_parameter_group`.
""",
    examples=(
        Example(
            name="PostgreSQL demands it",
            facts={Need.INSTANCE_PARAMETERS: _parameter("rds.force_ssl", "1")},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="PostgreSQL does not demand it",
            facts={Need.INSTANCE_PARAMETERS: _parameter("rds.force_ssl", "0")},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="MySQL spells it 1",
            facts={
                "Engine": "mysql",
                "EngineVersion": "8.4.3",
                Need.INSTANCE_PARAMETERS: _parameter("require_secure_transport", "1"),
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="MySQL's default is off, and AWS leaves the value out",
            facts={
                "Engine": "mysql",
                "EngineVersion": "8.4.3",
                Need.INSTANCE_PARAMETERS: _parameter(
                    "require_secure_transport", None, Source="engine-default"
                ),
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="MariaDB spells it ON",
            facts={
                **_MARIADB,
                Need.INSTANCE_PARAMETERS: _parameter(
                    "require_secure_transport", "ON", AllowedValues="ON,OFF"
                ),
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="MariaDB's default is off before 11.8",
            facts={
                **_MARIADB,
                Need.INSTANCE_PARAMETERS: _parameter(
                    "require_secure_transport", None, Source="engine-default", AllowedValues="ON,OFF"
                ),
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="and on since, but a pass must be read",
            facts={
                "Engine": "mariadb",
                "EngineVersion": "11.8.3",
                Need.INSTANCE_PARAMETERS: _parameter(
                    "require_secure_transport", None, Source="engine-default", AllowedValues="ON,OFF"
                ),
            },
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="MariaDB before it had the parameter",
            facts={"Engine": "mariadb", "EngineVersion": "10.4.34", Need.INSTANCE_PARAMETERS: {}},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="SQL Server demands it",
            facts={
                **_SQL_SERVER,
                Need.INSTANCE_PARAMETERS: _parameter("rds.force_ssl", "1", ApplyType="static"),
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="SQL Server does not, and needs a reboot to",
            facts={
                **_SQL_SERVER,
                Need.INSTANCE_PARAMETERS: _parameter("rds.force_ssl", "0", ApplyType="static"),
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="on, but waiting for a reboot",
            facts={
                Need.INSTANCE_PARAMETERS: _parameter("rds.force_ssl", "1"),
                "DBParameterGroups": _in_group("pending-reboot"),
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="turned on a moment ago, and being applied",
            facts={
                Need.INSTANCE_PARAMETERS: _parameter("rds.force_ssl", "1"),
                "DBParameterGroups": _in_group("applying"),
            },
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="off in a default parameter group",
            facts={
                Need.INSTANCE_PARAMETERS: _parameter("rds.force_ssl", "0", Source="system"),
                "DBParameterGroups": _in_group("in-sync", "default.postgres14"),
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="off in a parameter group that another instance uses",
            facts={
                Need.INSTANCE_PARAMETERS: _parameter("rds.force_ssl", "0"),
                Need.INSTANCE_GROUP_USERS: [
                    "arn:aws:rds:eu-west-1:123456789012:db:billing",
                    "arn:aws:rds:eu-west-1:123456789012:db:reports",
                ],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="off, and not modifiable",
            facts={Need.INSTANCE_PARAMETERS: _parameter("rds.force_ssl", "0", IsModifiable=False)},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a spelling that nobody knows",
            facts={Need.INSTANCE_PARAMETERS: _parameter("rds.force_ssl", "perhaps")},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="Oracle cannot demand it by a parameter",
            facts={"Engine": "oracle-ee", "EngineVersion": "19.0.0.0.ru-2024-10.rur-2024-10.r1"},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="RDS Custom is configured by its owner",
            facts={"Engine": "custom-sqlserver-ee", "EngineVersion": "15.00.4261.1.v1"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a member is judged at its cluster",
            facts={"Engine": "aurora-postgresql", "DBClusterIdentifier": "orders"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="AWS names no parameter group",
            facts={Need.INSTANCE_PARAMETERS: _parameter("rds.force_ssl", "1"), "DBParameterGroups": []},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="the group does not hold the parameter",
            facts={Need.INSTANCE_PARAMETERS: {}},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        *own_group_examples.examples(
            ResourceType.DB_INSTANCE,
            {"InstanceParameters": _parameter("rds.force_ssl", "0", Source="system")},
            {"rds.force_ssl": "1"},
        ),
        Example(
            name="the parameters could not be read",
            facts={},
            missing=(Need.INSTANCE_PARAMETERS,),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
