"""A cluster cannot be deleted until somebody turns deletion protection off.

Why it matters
--------------
Without deletion protection one call deletes the cluster and, unless the caller asks otherwise, every
automated backup with it. The flag is off by default for whoever creates a cluster through the API, the
command line or infrastructure code. With it, a deletion takes two calls, and the first of them shows in
CloudTrail.

Remediation safety
------------------
Safe. The change is immediate, restarts nothing and can be taken back at any time. Pipelines that tear
clusters down on purpose must turn the flag off first, or live in a scope or an exemption of the policy.

References
----------
- Amazon RDS API Reference, ModifyDBCluster: DeletionProtection
- Amazon Aurora User Guide, "Deleting Aurora DB clusters and DB instances"
- AWS Security Hub CSPM, control RDS.7
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import deletion_protection, frameworks, scope
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Plan
    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the flag of Aurora and Multi-AZ DB clusters."""
    return scope.outside(resource) or deletion_protection.judge(resource)


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan:
    """Turn the flag on."""
    return deletion_protection.turned_on(resource, "ModifyDBCluster")


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Deletion protection is enabled on Aurora and Multi-AZ DB clusters",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.7"),
        frameworks.config("rds-cluster-deletion-protection-enabled"),
        frameworks.prowler("rds_cluster_deletion_protection"),
        frameworks.cis_database("2.11"),
        frameworks.DELETION_PROTECTION,
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(deletion_protection.permit("ModifyDBCluster", "DBClusterIdentifier"),),
        safety=Safety.SAFE,
    ),
    fix="""\
Turn it on; nothing restarts:

    aws rds modify-db-cluster --db-cluster-identifier {id} --deletion-protection --region {region}

Make it last: CloudFormation `DeletionProtection: true` of `AWS::RDS::DBCluster`; Terraform
`deletion_protection = true` of `aws_rds_cluster`.
""",
    examples=(
        Example(
            name="protected",
            facts={"DeletionProtection": True},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="not protected",
            facts={"DeletionProtection": False},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a Multi-AZ DB cluster is judged like an Aurora cluster",
            facts={"Engine": "mysql", "EngineVersion": "8.0.40", "DeletionProtection": False},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="Aurora Serverless v1 has the same flag",
            facts={"EngineMode": "serverless", "DeletionProtection": False},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a Neptune cluster is another product",
            facts={"Engine": "neptune", "DeletionProtection": False},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="an engine that nobody has heard of is not passed over",
            facts={"Engine": "aurora-quantum", "DeletionProtection": False},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="the flag is not known",
            facts={},
            missing=("DeletionProtection",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
