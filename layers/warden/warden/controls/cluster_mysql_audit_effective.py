"""The audit log of Aurora MySQL really records: it is on, holds the required events, and leaves nobody out.

Why it matters
--------------
Exporting the audit log proves nothing: with `server_audit_logging` off, or `server_audit_events` empty, which
are the defaults, the export is an empty pipe. Security Hub's RDS.34 passes such a cluster; only RDS.45 looks
at the parameters, and is content with any one event.

This control wants the switch on, every event that the policy names, no user left out whom the policy does not
name, and every member in sync with the parameter group, since a value that waits for a reboot records
nothing. `server_audit_excl_users` leaves users out; `server_audit_incl_users`, once it names anybody, leaves
out everybody else. Connections are recorded whoever it is, so neither of them matters to CONNECT alone.

Where the log goes is another condition, `cluster_log_exports_complete`. Aurora MySQL has a second path to
CloudWatch Logs, `server_audit_logs_upload`, which no Describe item shows: the evidence of this control names it.

Remediation safety
------------------
Costs. The parameters are dynamic: nothing restarts, and clients notice nothing but the writing of the log.
Warden writes only to a custom parameter group that no other cluster uses, turns the log on and adds the events
that lack; it removes none. A cluster that uses a default group, or shares one, gets a group of its own,
attached, which takes a reboot of each member to have effect: that is asked for as what is disruptive. Who is
left out, and reboots that are due, are a person's. CloudWatch Logs bills what is exported, in us-east-1 at 0.50
USD for each GB that comes in.

References
----------
- Amazon Aurora User Guide, "Using Advanced Auditing with an Amazon Aurora MySQL DB cluster"
- Amazon Aurora User Guide, "Publishing Amazon Aurora MySQL logs to Amazon CloudWatch Logs"
- Amazon RDS API Reference, ModifyDBClusterParameterGroup
- Amazon RDS API Reference, DBClusterMember: DBClusterParameterGroupStatus
- AWS Security Hub CSPM, control RDS.45
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import audit, frameworks, guidance, own_group, own_group_examples, parameters, reboots
from warden.core import group_changes as changes
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Setting,
    Severity,
    Verdict,
    insufficient_data,
    non_compliant,
)
from warden.core.kinds import Need
from warden.core.plan import Manual, Plan, Wait
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource

SWITCH, EVENTS = "server_audit_logging", "server_audit_events"
LEFT_OUT, ONLY = "server_audit_excl_users", "server_audit_incl_users"
SECOND_PATH = "server_audit_logs_upload"
# "This parameter defaults to OFF"; the other three are empty unless somebody sets them.
_DOCUMENTED = {SWITCH: "OFF", EVENTS: "", LEFT_OUT: "", ONLY: ""}


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge switch, events and users, then whether every member has taken them over."""
    if verdict := audit.elsewhere(resource, "aurora-mysql", "its audit log"):
        return verdict
    values = {
        name: changes.value_of(resource.facts[Need.PARAMETERS][name], _DOCUMENTED[name])
        for name in _DOCUMENTED
    }
    unknown = [name for name, value in values.items() if value is None]
    on = parameters.is_on(values[SWITCH])
    if unknown or on is None:
        return insufficient_data(
            f"{resource.ref.id}: AWS does not say, as far as Warden can read it, what {(unknown or [SWITCH])[0]} is."
        )
    group = resource.facts["DBClusterParameterGroup"]
    if faults := _faults(values, settings, on=on):
        return non_compliant(
            f"{resource.ref.id} does not record what it should: in {group}, {'; '.join(faults)}."
        )
    recorded = ", ".join(changes.words(values[EVENTS] or ""))
    return audit.judge_members(resource, f"{recorded} in {group}{_second_path(resource)}")


def _faults(values: Mapping[str, str | None], settings: Mapping[str, Any], *, on: bool) -> list[str]:
    faults = [] if on else [f"{SWITCH} is off"]
    if lacking := _lacking(values, settings):
        faults.append(f"{EVENTS} lacks {', '.join(lacking)}")
    if hidden := _hidden(values, settings):
        faults.append(f"{LEFT_OUT} leaves out {', '.join(hidden)}")
    if only := changes.words(values[ONLY] or ""):
        faults.append(f"{ONLY} leaves out everybody but {', '.join(only)}")
    return faults


def _lacking(values: Mapping[str, str | None], settings: Mapping[str, Any]) -> list[str]:
    return audit.lacking(settings["events"], audit.recorded_events(values[EVENTS] or ""))


def _hidden(values: Mapping[str, str | None], settings: Mapping[str, Any]) -> list[str]:
    """Who is left out and may not be; "if a user is in both, it is audited" (server_audit_incl_users)."""
    return [
        user
        for user in changes.words(values[LEFT_OUT] or "")
        if user not in settings["excluded_users"] and user not in changes.words(values[ONLY] or "")
    ]


def _second_path(resource: Resource) -> str:
    """Whether the log also goes to CloudWatch Logs without an export; "the parameter defaults to 0"."""
    known = resource.facts[Need.PARAMETERS]
    if SECOND_PATH not in known or not parameters.is_on(changes.value_of(known[SECOND_PATH], "0")):
        return ""
    return f", and {SECOND_PATH} sends it to CloudWatch Logs beside the exports"


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual | Wait:
    """Turn the log on and add the events that lack, if the group can be written to."""
    items = resource.facts[Need.PARAMETERS]
    values = {name: changes.value_of(items[name], _DOCUMENTED[name]) for name in _DOCUMENTED}
    wanted: dict[str, str] = {}
    if not parameters.is_on(values[SWITCH]):
        wanted[SWITCH] = parameters.on_spelling(items[SWITCH].get("AllowedValues"), "1")
    if lacking := _lacking(values, settings):
        wanted[EVENTS] = changes.extended(values[EVENTS] or "", lacking)
    if wanted:
        return changes.change(resource, wanted, cost=audit.COST)
    if _hidden(values, settings) or values[ONLY]:
        return _everybody(resource, values, settings)
    if told := changes.not_by_reboot(resource):
        return told
    return Manual(
        "The audit log is configured, and waits for a reboot of the members that are not in sync. "
        + reboots.order(resource),
        changes.reboot_steps(resource),
    )


def _everybody(resource: Resource, values: Mapping[str, str | None], settings: Mapping[str, Any]) -> Manual:
    hidden = _hidden(values, settings)
    reset = [*([LEFT_OUT] if hidden else []), *([ONLY] if values[ONLY] else [])]
    return Manual(
        f"Somebody chose who is recorded, with {' and '.join(reset)}: ask why, since a busy user may fill the log. "
        "Then take it back, or name the users under excluded_users in the policy.",
        (
            guidance.command(
                resource,
                "reset-db-cluster-parameter-group",
                {
                    "db-cluster-parameter-group-name": changes.group(resource),
                    "parameters": [f"ParameterName={name},ApplyMethod=immediate" for name in reset],
                },
            ),
        ),
    )


def _parameters(**values: str | None) -> dict[str, Any]:
    """Items of DescribeDBClusterParameters, for the examples; None is a value that AWS leaves out."""
    given = {
        SWITCH: "1",
        EVENTS: "CONNECT,QUERY_DCL,QUERY_DDL",
        LEFT_OUT: None,
        ONLY: None,
        SECOND_PATH: "0",
        **values,
    }
    return {
        name: {
            "ParameterName": name,
            **({} if value is None else {"ParameterValue": value}),
            "Source": "engine-default" if value is None else "user",
            "ApplyType": "dynamic",
            "DataType": "boolean" if name in {SWITCH, SECOND_PATH} else "list",
            **({"AllowedValues": "0,1"} if name in {SWITCH, SECOND_PATH} else {}),
            "IsModifiable": True,
            "ApplyMethod": "pending-reboot",
        }
        for name, value in given.items()
    }


def _mysql(parameters: dict[str, Any], **facts: Any) -> dict[str, Any]:
    return {
        "Engine": "aurora-mysql",
        "EngineVersion": "8.0.mysql_aurora.3.08.0",
        "DBClusterParameterGroup": "orders-mysql8",
        "Parameters": parameters,
        **facts,
    }


def _member(name: str, status: str, *, writer: bool = False) -> dict[str, Any]:
    return {"DBInstanceIdentifier": name, "IsClusterWriter": writer, "DBClusterParameterGroupStatus": status}


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="The audit log of Aurora MySQL records the required events of everybody",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.45"),
        frameworks.config("aurora-mysql-cluster-audit-logging"),
        frameworks.cis_database("2.5"),
        frameworks.pci_dss("10.2.1"),
        frameworks.LOGGING,
    ),
    needs=(Need.PARAMETERS,),
    settings=(
        Setting(
            name="events",
            default=["CONNECT", "QUERY_DCL", "QUERY_DDL"],
            doc="The events that the audit log records at least; QUERY is all of the QUERY_ ones.",
            choices=audit.MYSQL_EVENTS,
        ),
        Setting(
            name="excluded_users",
            default=[],
            doc="The database users that may be left out of the audit log, such as a monitoring agent.",
            pattern=r"[^\s,]+",
        ),
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=changes.permits(
            ResourceType.DB_CLUSTER,
            (
                (SWITCH, changes.DYNAMIC, parameters.TurnsOn()),
                (EVENTS, changes.DYNAMIC, changes.Extends(EVENTS, audit.MYSQL_EVENTS)),
            ),
        ),
        safety=Safety.COSTS,
        needs=(Need.PARAMETER_GROUP_USERS, *own_group.NEEDS),
    ),
    fix="""\
Turn the log on and name the events in the cluster's custom parameter group; nothing restarts:

    aws rds modify-db-cluster-parameter-group --db-cluster-parameter-group-name GROUP --region {region} \\
        --parameters ParameterName=server_audit_logging,ParameterValue=1,ApplyMethod=immediate \\
        'ParameterName=server_audit_events,ParameterValue="CONNECT,QUERY_DCL,QUERY_DDL",ApplyMethod=immediate'

A `default.` group cannot be modified: create one of its family and attach it with

    aws rds modify-db-cluster --db-cluster-identifier {id} --db-cluster-parameter-group-name GROUP --region {region}

which takes a reboot of every instance to have effect. Then see that `audit` is exported.

Make it last: CloudFormation `Parameters: {server_audit_logging: "1"}` of `AWS::RDS::DBClusterParameterGroup`, with
the events beside it; Terraform two `parameter` blocks of `aws_rds_cluster_parameter_group`.
""",
    examples=(
        Example(
            name="the required events of everybody",
            facts=_mysql(_parameters()),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="QUERY records every kind of query",
            facts=_mysql(_parameters(server_audit_events="QUERY,CONNECT", server_audit_logging="ON")),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="the second path to CloudWatch Logs is on, too",
            facts=_mysql(_parameters(server_audit_logs_upload="1")),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="the log is off",
            facts=_mysql(_parameters(server_audit_logging="0")),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the defaults, which AWS leaves out: off, and no event",
            facts=_mysql(_parameters(server_audit_logging=None, server_audit_events=None)),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="on, and without any event nothing is recorded",
            facts=_mysql(_parameters(server_audit_events="")),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an event lacks",
            facts=_mysql(_parameters(server_audit_events="CONNECT,TABLE")),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an event in small letters is none",
            facts=_mysql(_parameters(server_audit_events="connect,QUERY")),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a user is left out",
            facts=_mysql(_parameters(server_audit_excl_users="rdsadmin,app")),
            settings={"excluded_users": ["rdsadmin"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a user is left out whom the policy names",
            facts=_mysql(_parameters(server_audit_excl_users="rdsadmin")),
            settings={"excluded_users": ["rdsadmin"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="only one user is recorded",
            facts=_mysql(_parameters(server_audit_incl_users="root")),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="recorded, and a reader is just taking it over",
            facts=_mysql(_parameters(), DBClusterMembers=[_member("orders-1", "applying", writer=True)]),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="recorded, but a reader waits for a reboot",
            facts=_mysql(
                _parameters(),
                DBClusterMembers=[
                    _member("orders-2", "pending-reboot"),
                    _member("orders-1", "in-sync", writer=True),
                ],
            ),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        *own_group_examples.examples(
            ResourceType.DB_CLUSTER,
            _mysql(_parameters(**dict.fromkeys((*_DOCUMENTED, SECOND_PATH)))),
            {SWITCH: "1", EVENTS: "CONNECT,QUERY_DCL,QUERY_DDL"},
            family="aurora-mysql8.0",
        ),
        Example(
            name="recorded by any instance that is created",
            facts=_mysql(_parameters(), DBClusterMembers=[]),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="Aurora Serverless v1 does not show its members",
            facts=_mysql(_parameters(), DBClusterMembers=[], EngineMode="serverless"),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a value that AWS does not tell",
            facts=_mysql({**_parameters(), EVENTS: {"ParameterName": EVENTS, "Source": "system"}}),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a spelling that nobody knows",
            facts=_mysql(_parameters(server_audit_logging="perhaps")),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="Aurora PostgreSQL has another audit log",
            facts={},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the parameters could not be read",
            facts=_mysql({}),
            missing=("Parameters",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
