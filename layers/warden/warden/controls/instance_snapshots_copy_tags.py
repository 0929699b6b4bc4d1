"""Snapshots of a stand-alone instance carry the instance's tags.

Why it matters
--------------
A snapshot is all the data of its instance. Its tags say whose data that is, how it is classified and how long it
must be kept; access by tags, bills and clean-up go by them. RDS copies them only where somebody asked for it, and
a snapshot that was made without them does not get them later.

Members of a cluster are not judged here: their data is in the cluster's snapshots, and the flag is the cluster's.

Remediation safety
------------------
Safe. The flag restarts nothing, costs nothing and can be turned off again. It works for snapshots that are made
from then on. Those that exist keep the tags that they have; Warden does not touch them.

References
----------
- Amazon RDS API Reference, ModifyDBInstance: CopyTagsToSnapshot
- Amazon RDS User Guide, "Tagging Amazon RDS resources", "Copying tags to DB instance snapshots"
- AWS Security Hub CSPM, control RDS.17
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import frameworks, scope, snapshot_tags
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Plan
    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the flag of instances that belong to no cluster."""
    return scope.outside_or_member(resource, "copying tags to snapshots") or snapshot_tags.judge(resource)


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan:
    """Turn the flag on."""
    return snapshot_tags.turned_on(resource, "ModifyDBInstance")


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Stand-alone RDS instances copy their tags to their snapshots",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.LOW,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.17"),
        frameworks.prowler("rds_instance_copy_tags_to_snapshots"),
        frameworks.TAGGING,
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(snapshot_tags.permit("ModifyDBInstance", "DBInstanceIdentifier"),),
        safety=Safety.SAFE,
    ),
    fix="""\
Turn it on; nothing restarts:

    aws rds modify-db-instance --db-instance-identifier {id} --copy-tags-to-snapshot --region {region}

Snapshots that exist do not get the tags by that: add them with `aws rds add-tags-to-resource`.

Make it last: CloudFormation `CopyTagsToSnapshot: true` of `AWS::RDS::DBInstance`; Terraform
`copy_tags_to_snapshot = true` of `aws_db_instance`.
""",
    examples=(
        Example(name="copied", facts={"CopyTagsToSnapshot": True}, expect=ComplianceType.COMPLIANT),
        Example(name="not copied", facts={"CopyTagsToSnapshot": False}, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="an Oracle instance has the flag too",
            facts={"Engine": "oracle-ee", "CopyTagsToSnapshot": False},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a read replica is created without it, whatever its source has",
            facts={"ReadReplicaSourceDBInstanceIdentifier": "billing", "CopyTagsToSnapshot": False},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member's own flag has no effect",
            facts={"Engine": "aurora-mysql", "DBClusterIdentifier": "orders", "CopyTagsToSnapshot": False},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a member of a Multi-AZ DB cluster",
            facts={"Engine": "mysql", "DBClusterIdentifier": "orders", "CopyTagsToSnapshot": False},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a DocumentDB instance is another product's",
            facts={"Engine": "docdb", "DBClusterIdentifier": "papers", "CopyTagsToSnapshot": False},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="whether it is a member is not known",
            facts={"CopyTagsToSnapshot": False},
            missing=("DBClusterIdentifier",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="the flag is not known",
            facts={},
            missing=("CopyTagsToSnapshot",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
