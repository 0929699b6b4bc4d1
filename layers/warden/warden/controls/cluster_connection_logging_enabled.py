"""A PostgreSQL cluster logs who connects and who leaves, on every member, and not every statement.

Why it matters
--------------
Without `log_connections` and `log_disconnections`, both off by default, PostgreSQL's log cannot say who was in
the database when something happened, nor from where. `log_statement = all` is the opposite mistake: it writes
every statement to the log, the passwords of `CREATE ROLE` and personal data among them, to everybody who may
read logs; AWS recommends `none`, and pgaudit for auditing.

A value that somebody set in the parameter group of a single instance wins there over the cluster's, so each
member counts by itself. The parameters are dynamic: what the group says is what runs, within moments.

Remediation safety
------------------
Costs. Nothing restarts, and clients notice nothing: each connection writes a few lines more. Warden writes only
to a custom parameter group that no other cluster uses, and only turns the two on. A cluster that uses a default
group, or shares one, gets a group of its own, attached, which takes a reboot of each member to have effect:
that is asked for as what is disruptive. What would log less, and members' own values, are a person's.
CloudWatch Logs bills what is exported, in us-east-1 at 0.50 USD for each GB that comes in.

References
----------
- Amazon Aurora User Guide, "Aurora PostgreSQL database log files"
- Amazon Aurora User Guide, "Parameter groups for Amazon Aurora"
- Amazon RDS API Reference, ModifyDBClusterParameterGroup
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import connection_logs, frameworks, own_group, own_group_examples, scope
from warden.core import group_changes as changes
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity
from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.control import Verdict
    from warden.core.plan import Manual, Plan, Wait
    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the cluster's group, and the members' own groups over it."""
    if verdict := scope.outside(resource) or connection_logs.other_engine(resource):
        return verdict
    overridden = changes.overrides(resource, connection_logs.NAMES)
    return connection_logs.judge(resource, settings, overridden)


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual | Wait:
    """Turn on what is off in the cluster's own group."""
    overridden = changes.overrides(resource, connection_logs.NAMES)
    return connection_logs.plan(resource, settings, overridden)


_MEMBERS = [
    {
        "DBInstanceIdentifier": name,
        "DBParameterGroups": [{"DBParameterGroupName": f"{name}-own", "ParameterApplyStatus": "in-sync"}],
    }
    for name in ("orders-1", "orders-2")
]


def _own(**values: str) -> dict[str, Any]:
    """Values that somebody set in the group of the reader, for the examples."""
    items = connection_logs.example(**values)
    return {
        "Members": _MEMBERS,
        "MemberParameters": {"orders-1": {}, "orders-2": {name: items[name] for name in values}},
    }


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="PostgreSQL clusters log connections and their ends, and not every statement",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.pci_dss("10.2.1"),
        frameworks.LOGGING,
    ),
    needs=(Need.PARAMETERS, Need.MEMBERS, Need.MEMBER_PARAMETERS),
    settings=(connection_logs.STATEMENT_LEVELS,),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=connection_logs.permits(ResourceType.DB_CLUSTER),
        safety=Safety.COSTS,
        needs=(Need.PARAMETER_GROUP_USERS, *own_group.NEEDS),
    ),
    fix="""\
Turn both on in the cluster's custom parameter group; nothing restarts:

    aws rds modify-db-cluster-parameter-group --db-cluster-parameter-group-name GROUP --region {region} \\
        --parameters ParameterName=log_connections,ParameterValue=1,ApplyMethod=immediate \\
        ParameterName=log_disconnections,ParameterValue=1,ApplyMethod=immediate

A `default.` group cannot be modified: create one of its family and attach it with

    aws rds modify-db-cluster --db-cluster-identifier {id} --db-cluster-parameter-group-name GROUP --region {region}

which takes a reboot of every instance to have effect.

Make it last: CloudFormation `Parameters: {log_connections: "1", log_disconnections: "1"}` of
`AWS::RDS::DBClusterParameterGroup`; Terraform two `parameter` blocks of `aws_rds_cluster_parameter_group`.
""",
    examples=(
        Example(
            name="both are logged",
            facts={"Parameters": connection_logs.example()},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="both, in a group that was attached and waits for a reboot",
            facts={
                "Parameters": connection_logs.example(),
                "DBClusterMembers": [
                    {"DBInstanceIdentifier": "orders-1", "DBClusterParameterGroupStatus": "pending-reboot"}
                ],
            },
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="the defaults, which AWS leaves out: neither is logged",
            facts={
                "Parameters": connection_logs.example(
                    log_connections=None, log_disconnections=None, log_statement=None
                )
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the ends are not logged",
            facts={"Parameters": connection_logs.example(log_connections="on", log_disconnections="off")},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="PostgreSQL 18 names what it logs of a connection",
            facts={
                "EngineVersion": "18.1",
                "Parameters": connection_logs.example(log_connections="receipt,authorization"),
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="PostgreSQL 18 logs that somebody connected, and not who",
            facts={"EngineVersion": "18.1", "Parameters": connection_logs.example(log_connections="receipt")},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="every statement is logged",
            facts={"Parameters": connection_logs.example(log_statement="all")},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="every statement is logged, and the policy allows it",
            facts={"Parameters": connection_logs.example(log_statement="all")},
            settings={"statements": ["ddl", "all"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a member's own group turns it off, and wins there",
            facts={"Parameters": connection_logs.example(), **_own(log_connections="0")},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member's own group logs statements, as the policy allows",
            facts={"Parameters": connection_logs.example(), **_own(log_statement="mod")},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a Multi-AZ DB cluster is judged like an Aurora cluster",
            facts={
                "Engine": "postgres",
                "Parameters": connection_logs.example(log_connections="0"),
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        *own_group_examples.examples(
            ResourceType.DB_CLUSTER,
            {"Parameters": connection_logs.example(**connection_logs.UNSET)},
            {connection_logs.CONNECTS: "1", connection_logs.DISCONNECTS: "1"},
        ),
        Example(
            name="a spelling that nobody knows",
            facts={"Parameters": connection_logs.example(log_connections="perhaps")},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="MySQL has no such parameters",
            facts={"Engine": "aurora-mysql"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the parameters could not be read",
            facts={},
            missing=("Parameters",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
