"""A cluster exports the logs that the policy wants to CloudWatch Logs.

Why it matters
--------------
Logs on the database's own storage go within days, can be read by whoever runs the database, and reach no
alarm and no SIEM. Exported, they are kept where the database's administrators cannot edit them.

An export is only a pipe. Whether the audit log of Aurora MySQL holds anything is up to `server_audit_logging`
and `server_audit_events`, and the slow query log to `slow_query_log`. `general` is not required by default:
it records every statement, with the passwords in it. To satisfy RDS.9 to the letter, add it in the policy.

Remediation safety
------------------
Costs. There is no outage, nothing that is exported is ever disabled, and what is added is the difference
only. AWS creates a log group for each log that keeps everything for ever: create the groups first, with a
retention and a key, or set both afterwards. In us-east-1, CloudWatch Logs takes 0.50 USD for each GB that
comes in.

References
----------
- Amazon RDS API Reference, ModifyDBCluster: CloudwatchLogsExportConfiguration
- Amazon RDS API Reference, DescribeDBEngineVersions: ExportableLogTypes
- Amazon Aurora User Guide, "Publishing Amazon Aurora MySQL logs to Amazon CloudWatch Logs"
- AWS Security Hub CSPM, controls RDS.34 and RDS.37
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines, frameworks, log_exports, scope
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
    not_applicable,
)
from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Plan
    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the exports of Aurora and Multi-AZ DB clusters."""
    if verdict := scope.outside(resource):
        return verdict
    if resource.facts["EngineMode"] == engines.SERVERLESS_V1:
        return not_applicable(
            f"{resource.ref.id} is Aurora Serverless v1, which exports what its parameters turn on."
        )
    return log_exports.judge(resource, settings["required"])


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan:
    """Enable what is missing."""
    return log_exports.plan(resource, settings["required"], "ModifyDBCluster")


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Clusters export every required log to CloudWatch Logs",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.34"),
        frameworks.security_hub("RDS.37"),
        frameworks.security_hub("RDS.9"),
        frameworks.config("rds-aurora-mysql-audit-logging-enabled"),
        frameworks.config("rds-aurora-postgresql-logs-to-cloudwatch"),
        frameworks.config("rds-logging-enabled"),
        frameworks.prowler("rds_cluster_integration_cloudwatch_logs"),
        frameworks.cis_database("2.5"),
        frameworks.pci_dss("10.2.1"),
        frameworks.pci_dss("10.4.2"),
        frameworks.nist("SC-7(10)"),
        frameworks.LOGGING,
    ),
    needs=(Need.EXPORTABLE_LOG_TYPES,),
    settings=(
        log_exports.required_setting(
            {
                "aurora-mysql": ["audit", "error", "slowquery"],
                "aurora-postgresql": ["postgresql"],
                "mysql": ["error", "slowquery"],
                "postgres": ["postgresql", "upgrade"],
            },
            "The log types that clusters export, for each engine; those that an engine version cannot export are "
            "not asked for. `mysql` and `postgres` are Multi-AZ DB clusters.",
        ),
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(log_exports.permit("ModifyDBCluster", "DBClusterIdentifier"),),
        safety=Safety.COSTS,
    ),
    fix="""\
Enable what is missing, here the log of Aurora PostgreSQL; nothing restarts:

    aws rds modify-db-cluster --db-cluster-identifier {id} --region {region} \\
        --cloudwatch-logs-export-configuration '{"EnableLogTypes": ["postgresql"]}'

Give its log group a retention, since AWS sets none:

    aws logs put-retention-policy --log-group-name /aws/rds/cluster/{id}/postgresql --retention-in-days 365 \\
        --region {region}

Make it last: CloudFormation `EnableCloudwatchLogsExports: [postgresql]` of `AWS::RDS::DBCluster`; Terraform
`enabled_cloudwatch_logs_exports = ["postgresql"]` of `aws_rds_cluster`.
""",
    examples=(
        Example(
            name="everything required is exported",
            facts={"EnabledCloudwatchLogsExports": ["postgresql"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="more than required is exported",
            facts={"EnabledCloudwatchLogsExports": ["iam-db-auth-error", "postgresql"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="nothing is exported",
            facts={"EnabledCloudwatchLogsExports": []},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="one log is exported and the audit log is not",
            facts={
                "Engine": "aurora-mysql",
                "EngineVersion": "8.0.mysql_aurora.3.08.0",
                "EnabledCloudwatchLogsExports": ["error"],
                "ExportableLogTypes": ["audit", "error", "general", "slowquery"],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an export that is being enabled counts",
            facts={
                "EnabledCloudwatchLogsExports": [],
                "PendingModifiedValues": {
                    "PendingCloudwatchLogsExports": {"LogTypesToEnable": ["postgresql"]},
                },
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an export that is being disabled does not",
            facts={
                "EnabledCloudwatchLogsExports": ["postgresql"],
                "PendingModifiedValues": {
                    "PendingCloudwatchLogsExports": {"LogTypesToDisable": ["postgresql"]},
                },
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="what the engine version cannot export is not asked for",
            facts={
                "Engine": "aurora-mysql",
                "EngineVersion": "8.0.mysql_aurora.3.08.0",
                "EnabledCloudwatchLogsExports": ["error", "slowquery"],
                "ExportableLogTypes": ["error", "general", "slowquery"],
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a policy that wants the errors of IAM logins too",
            facts={
                "EnabledCloudwatchLogsExports": ["postgresql"],
                "ExportableLogTypes": ["iam-db-auth-error", "instance", "postgresql"],
            },
            settings={"required": {"aurora-postgresql": ["iam-db-auth-error", "postgresql"]}},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a Multi-AZ DB cluster has other logs",
            facts={
                "Engine": "postgres",
                "EngineVersion": "16.4",
                "EnabledCloudwatchLogsExports": ["postgresql"],
                "ExportableLogTypes": ["iam-db-auth-error", "postgresql", "upgrade"],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a policy that requires nothing of this engine",
            facts={"EnabledCloudwatchLogsExports": []},
            settings={"required": {"aurora-postgresql": []}},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="Aurora Serverless v1 takes no such setting",
            facts={"EngineMode": "serverless", "EnabledCloudwatchLogsExports": []},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a DocumentDB cluster is another product",
            facts={"Engine": "docdb", "EnabledCloudwatchLogsExports": []},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="what the engine version can export is not known, and does not matter",
            facts={"EnabledCloudwatchLogsExports": ["postgresql"]},
            missing=("ExportableLogTypes",),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="what the engine version can export is not known, and matters",
            facts={"EnabledCloudwatchLogsExports": []},
            missing=("ExportableLogTypes",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="the exports are not known",
            facts={},
            missing=("EnabledCloudwatchLogsExports",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
