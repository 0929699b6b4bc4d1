"""A stand-alone PostgreSQL instance logs who connects and who leaves, and not every statement.

Why it matters
--------------
Without `log_connections` and `log_disconnections`, both off by default, PostgreSQL's log cannot say who was in
the database when something happened, nor from where. `log_statement = all` is the opposite mistake: it writes
every statement to the log, the passwords of `CREATE ROLE` and personal data among them, to everybody who may
read logs.

The parameters are dynamic: what the instance's group says is what runs, within moments. Members of a cluster
are judged at their cluster, their own groups included.

Remediation safety
------------------
Costs. Nothing restarts, and clients notice nothing: each connection writes a few lines more. Warden writes only
to a custom parameter group that no other instance uses, and only turns the two on. An instance that uses a
default group, or shares one, gets a group of its own, attached, which takes a reboot to have effect: that is
asked for as what is disruptive. What would log less is a person's. CloudWatch Logs bills what is exported, in
us-east-1 at 0.50 USD for each GB that comes in.

References
----------
- Amazon RDS User Guide, "RDS for PostgreSQL database log files"
- Amazon RDS API Reference, ModifyDBParameterGroup
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import connection_logs, frameworks, own_group, own_group_examples, scope
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity
from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.control import Verdict
    from warden.core.plan import Manual, Plan, Wait
    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the parameters of stand-alone PostgreSQL instances."""
    return (
        scope.outside_or_member(resource, "the log of connections")
        or connection_logs.other_engine(resource)
        or connection_logs.judge(resource, settings, {})
    )


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual | Wait:
    """Turn on what is off in the instance's own group."""
    return connection_logs.plan(resource, settings, {})


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Stand-alone PostgreSQL instances log connections and their ends, and not every statement",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.pci_dss("10.2.1"),
        frameworks.LOGGING,
    ),
    needs=(Need.INSTANCE_PARAMETERS,),
    settings=(connection_logs.STATEMENT_LEVELS,),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=connection_logs.permits(ResourceType.DB_INSTANCE),
        safety=Safety.COSTS,
        needs=(Need.INSTANCE_GROUP_USERS, *own_group.NEEDS),
    ),
    fix="""\
Turn both on in the instance's custom parameter group; nothing restarts:

    aws rds modify-db-parameter-group --db-parameter-group-name GROUP --region {region} \\
        --parameters ParameterName=log_connections,ParameterValue=1,ApplyMethod=immediate \\
        ParameterName=log_disconnections,ParameterValue=1,ApplyMethod=immediate

A `default.` group cannot be modified: create one of its family and attach it with

    aws rds modify-db-instance --db-instance-identifier {id} --db-parameter-group-name GROUP --region {region}

which takes a reboot to have effect.

Make it last: CloudFormation `Parameters: {log_connections: "1", log_disconnections: "1"}` of
`AWS::RDS::DBParameterGroup`; Terraform two `parameter` blocks of `aws_db_parameter_group`.
""",
    examples=(
        Example(
            name="both are logged",
            facts={"InstanceParameters": connection_logs.example()},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="both, in a group that was attached and waits for a reboot",
            facts={
                "InstanceParameters": connection_logs.example(),
                "DBParameterGroups": [
                    {"DBParameterGroupName": "billing-pg16", "ParameterApplyStatus": "pending-reboot"}
                ],
            },
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="the defaults, which AWS leaves out: neither is logged",
            facts={
                "InstanceParameters": connection_logs.example(
                    log_connections=None, log_disconnections=None, log_statement=None
                )
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="connections are not logged",
            facts={"InstanceParameters": connection_logs.example(log_connections="0")},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="every statement is logged",
            facts={"InstanceParameters": connection_logs.example(log_statement="all")},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        *own_group_examples.examples(
            ResourceType.DB_INSTANCE,
            {"InstanceParameters": connection_logs.example(**connection_logs.UNSET)},
            {connection_logs.CONNECTS: "1", connection_logs.DISCONNECTS: "1"},
        ),
        Example(
            name="a member is judged at its cluster",
            facts={"Engine": "aurora-postgresql", "DBClusterIdentifier": "orders"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="MySQL has no such parameters",
            facts={"Engine": "mysql"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="AWS names no parameter group",
            facts={"InstanceParameters": connection_logs.example(), "DBParameterGroups": []},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="the parameters could not be read",
            facts={},
            missing=("InstanceParameters",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
