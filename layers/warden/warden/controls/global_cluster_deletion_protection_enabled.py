"""A global cluster cannot be deleted until somebody turns deletion protection off.

Why it matters
--------------
A global cluster ties Aurora clusters of several Regions together; recovery from the loss of a Region rests on
it. Its deletion protection is a flag of its own: that of a member cluster protects that cluster alone.

Remediation safety
------------------
Safe. The change is immediate and restarts nothing in any Region. Only the deployment in the Region of the
writer makes it.

References
----------
- Amazon RDS API Reference, ModifyGlobalCluster: DeletionProtection
- Amazon Aurora User Guide, "Deleting an Amazon Aurora global database"
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
    """Judge the flag of Aurora global clusters."""
    return scope.outside(resource) or deletion_protection.judge(resource)


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan:
    """Turn the flag on."""
    return deletion_protection.turned_on(resource, "ModifyGlobalCluster")


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Deletion protection is enabled on Aurora global clusters",
    resource_type=ResourceType.GLOBAL_CLUSTER,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.cis_database("2.11"),
        frameworks.DELETION_PROTECTION,
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(deletion_protection.permit("ModifyGlobalCluster", "GlobalClusterIdentifier"),),
        safety=Safety.SAFE,
    ),
    fix="""\
Turn it on, in the Region of its writer; nothing restarts:

    aws rds modify-global-cluster --global-cluster-identifier {id} --deletion-protection --region REGION

Make it last: CloudFormation `DeletionProtection: true` of `AWS::RDS::GlobalCluster`; Terraform
`deletion_protection = true` of `aws_rds_global_cluster`.
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
            name="a global cluster of Neptune is another product's",
            facts={"Engine": "neptune", "DeletionProtection": False},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the flag is not known",
            facts={},
            missing=("DeletionProtection",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
