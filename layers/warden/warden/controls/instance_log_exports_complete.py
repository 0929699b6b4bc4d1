"""A stand-alone instance exports the logs that the policy wants to CloudWatch Logs.

Why it matters
--------------
Logs on the database's own storage go within days, can be read by whoever runs the database, and reach no
alarm and no SIEM. Exported, they are kept where the database's administrators cannot edit them.

An export is only a pipe. The audit log of MySQL and MariaDB exists only where the option group holds
MARIADB_AUDIT_PLUGIN, which RDS does not tell with the instance; an export without it would look like an audit
trail and be none. So `audit` is not required of them by default: add it in the policy once the option groups
have the plugin, which RDS.9 and RDS.42 ask for. `general` records every statement, with the passwords in it,
and is not required by default either.

Members of a cluster are judged at their cluster, and RDS Custom manages its logs itself.

Remediation safety
------------------
Costs. There is no outage, nothing that is exported is ever disabled, and what is added is the difference
only. AWS creates a log group for each log that keeps everything for ever: create the groups first, with a
retention and a key, or set both afterwards. In us-east-1, CloudWatch Logs takes 0.50 USD for each GB that
comes in.

References
----------
- Amazon RDS API Reference, ModifyDBInstance and CreateDBInstance: CloudwatchLogsExportConfiguration
- Amazon RDS API Reference, DescribeDBEngineVersions: ExportableLogTypes
- Amazon RDS User Guide, "Publishing database logs to Amazon CloudWatch Logs"
- AWS Security Hub CSPM, controls RDS.9, RDS.36, RDS.40 and RDS.42
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
    """Judge the exports of instances that belong to no cluster."""
    if verdict := scope.outside_or_member(resource, "the export of logs"):
        return verdict
    if engines.is_custom(resource.facts["Engine"]):
        # "This setting doesn't apply to RDS Custom DB instances" (ModifyDBInstance).
        return not_applicable(
            f"{resource.ref.id} is an RDS Custom instance, which exports no logs through RDS."
        )
    return log_exports.judge(resource, settings["required"])


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan:
    """Enable what is missing."""
    return log_exports.plan(resource, settings["required"], "ModifyDBInstance")


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Stand-alone RDS instances export every required log to CloudWatch Logs",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.9"),
        frameworks.security_hub("RDS.36"),
        frameworks.security_hub("RDS.40"),
        frameworks.security_hub("RDS.42"),
        frameworks.config("rds-logging-enabled"),
        frameworks.config("rds-postgresql-logs-to-cloudwatch"),
        frameworks.config("rds-sql-server-logs-to-cloudwatch"),
        frameworks.config("mariadb-publish-logs-to-cloudwatch-logs"),
        frameworks.prowler("rds_instance_integration_cloudwatch_logs"),
        frameworks.pci_dss("10.2.1"),
        frameworks.pci_dss("10.4.2"),
        frameworks.nist("SC-7(10)"),
        frameworks.LOGGING,
    ),
    needs=(Need.EXPORTABLE_LOG_TYPES,),
    settings=(
        log_exports.required_setting(
            {
                "mysql": ["error", "slowquery"],
                "mariadb": ["error", "slowquery"],
                "postgres": ["postgresql", "upgrade"],
                "oracle": ["alert", "audit", "listener"],
                "sqlserver": ["agent", "error"],
                "db2": ["diag.log", "notify.log"],
            },
            "The log types that stand-alone instances export, for each family of engines; those that an engine "
            "version cannot export are not asked for. Add `audit` for `mysql` and `mariadb` once their option "
            "groups hold MARIADB_AUDIT_PLUGIN.",
        ),
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(log_exports.permit("ModifyDBInstance", "DBInstanceIdentifier"),),
        safety=Safety.COSTS,
    ),
    fix="""\
Enable what is missing, here the logs of PostgreSQL; nothing restarts:

    aws rds modify-db-instance --db-instance-identifier {id} --region {region} \\
        --cloudwatch-logs-export-configuration '{"EnableLogTypes": ["postgresql", "upgrade"]}'

Give each log group a retention, since AWS sets none:

    aws logs put-retention-policy --log-group-name /aws/rds/instance/{id}/postgresql --retention-in-days 365 \\
        --region {region}

Make it last: CloudFormation `EnableCloudwatchLogsExports: [postgresql, upgrade]` of `AWS::RDS::DBInstance`;
Terraform `enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]` of `aws_db_instance`.
""",
    examples=(
        Example(
            name="everything required is exported",
            facts={"EnabledCloudwatchLogsExports": ["postgresql", "upgrade"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a part of it is exported",
            facts={"EnabledCloudwatchLogsExports": ["postgresql"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an export that is being enabled counts",
            facts={
                "EnabledCloudwatchLogsExports": ["postgresql"],
                "PendingModifiedValues": {"PendingCloudwatchLogsExports": {"LogTypesToEnable": ["upgrade"]}},
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="the edition of the engine does not matter",
            facts={
                "Engine": "oracle-se2-cdb",
                "EngineVersion": "19.0.0.0.ru-2026-07.rur-2026-07.r1",
                "EnabledCloudwatchLogsExports": ["alert", "trace"],
                "ExportableLogTypes": ["alert", "audit", "listener", "oemagent", "trace"],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="MySQL's audit log is asked for by a policy only",
            facts={
                "Engine": "mysql",
                "EngineVersion": "8.4.6",
                "EnabledCloudwatchLogsExports": ["error", "slowquery"],
                "ExportableLogTypes": ["audit", "error", "general", "iam-db-auth-error", "slowquery"],
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="and then it is missed",
            facts={
                "Engine": "mysql",
                "EngineVersion": "8.4.6",
                "EnabledCloudwatchLogsExports": ["error", "slowquery"],
                "ExportableLogTypes": ["audit", "error", "general", "iam-db-auth-error", "slowquery"],
            },
            settings={"required": {"mysql": ["audit", "error", "slowquery"]}},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member's logs are exported by its cluster",
            facts={
                "Engine": "aurora-mysql",
                "DBClusterIdentifier": "orders",
                "EnabledCloudwatchLogsExports": [],
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="RDS Custom takes no such setting",
            facts={"Engine": "custom-sqlserver-ee", "EnabledCloudwatchLogsExports": []},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="an engine that nobody has heard of is not passed over",
            facts={"Engine": "informix", "EnabledCloudwatchLogsExports": []},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="an Aurora instance that names no cluster",
            facts={"Engine": "aurora-mysql", "EnabledCloudwatchLogsExports": []},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="what the engine version can export is not known",
            facts={"EnabledCloudwatchLogsExports": []},
            missing=("ExportableLogTypes",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
