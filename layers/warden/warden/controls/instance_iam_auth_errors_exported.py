"""A stand-alone instance with IAM authentication exports the logins by token that failed.

Why it matters
--------------
A login by IAM token leaves no trace in CloudTrail: the token is made on the client and checked by the
database. The log `iam-db-auth-error` is the only record of one that was refused, and so of whoever tries
tokens that are stolen, expired or for another user. It stays empty while all is well, and costs next to
nothing.

Engine versions that cannot export it are left out, and members of a cluster are judged at their cluster.

Remediation safety
------------------
Costs. There is no outage, and nothing that is exported is ever disabled. AWS creates the log group without a
retention: create it first, with one and a key, or set both afterwards. In us-east-1, CloudWatch Logs takes
0.50 USD for each GB that comes in.

References
----------
- Amazon RDS API Reference, ModifyDBInstance: CloudwatchLogsExportConfiguration
- Amazon RDS API Reference, DescribeDBEngineVersions: ExportableLogTypes
- Amazon RDS User Guide, "Troubleshooting for IAM DB authentication"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import frameworks, log_exports, scope
from warden.core.authentication import judge_error_exports, only_errors
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
)
from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Plan
    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge instances that accept tokens and could export what goes wrong with them."""
    return scope.outside_or_member(resource, "the export of failed logins") or judge_error_exports(resource)


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan:
    """Enable this one export."""
    return log_exports.plan(resource, only_errors(resource), "ModifyDBInstance")


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Stand-alone RDS instances with IAM authentication export failed logins by token",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.LOW,
    frameworks=frameworks.FAILED_LOGINS,
    needs=(Need.EXPORTABLE_LOG_TYPES,),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(log_exports.permit("ModifyDBInstance", "DBInstanceIdentifier"),),
        safety=Safety.COSTS,
    ),
    fix="""\
Enable the export; nothing restarts:

    aws rds modify-db-instance --db-instance-identifier {id} --region {region} \\
        --cloudwatch-logs-export-configuration '{"EnableLogTypes": ["iam-db-auth-error"]}'

Give its log group a retention, since AWS sets none:

    aws logs put-retention-policy --log-group-name /aws/rds/instance/{id}/iam-db-auth-error --retention-in-days 365 \\
        --region {region}

Make it last: CloudFormation `EnableCloudwatchLogsExports: [iam-db-auth-error, ...]` of `AWS::RDS::DBInstance`;
Terraform `enabled_cloudwatch_logs_exports` of `aws_db_instance`.
""",
    examples=(
        Example(
            name="exported",
            facts={"EnabledCloudwatchLogsExports": ["iam-db-auth-error", "postgresql"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="not exported",
            facts={"EnabledCloudwatchLogsExports": ["postgresql"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="not exported by MySQL",
            facts={
                "Engine": "mysql",
                "EngineVersion": "8.4.3",
                "EnabledCloudwatchLogsExports": ["error"],
                Need.EXPORTABLE_LOG_TYPES: ["audit", "error", "general", "iam-db-auth-error", "slowquery"],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="being enabled",
            facts={
                "EnabledCloudwatchLogsExports": ["postgresql"],
                "PendingModifiedValues": {
                    "PendingCloudwatchLogsExports": {"LogTypesToEnable": ["iam-db-auth-error"]}
                },
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="no logins by token",
            facts={"IAMDatabaseAuthenticationEnabled": False, "EnabledCloudwatchLogsExports": []},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="an engine version that cannot export it",
            facts={
                "EnabledCloudwatchLogsExports": ["postgresql"],
                Need.EXPORTABLE_LOG_TYPES: ["postgresql", "upgrade"],
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a member is judged at its cluster",
            facts={
                "Engine": "aurora-postgresql",
                "DBClusterIdentifier": "orders",
                "EnabledCloudwatchLogsExports": [],
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="what the engine version can export is not known, and matters",
            facts={"EnabledCloudwatchLogsExports": []},
            missing=(Need.EXPORTABLE_LOG_TYPES,),
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
