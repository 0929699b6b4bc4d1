"""Snapshots of a cluster carry the cluster's tags.

Why it matters
--------------
A snapshot is all the data of its cluster. Its tags say whose data that is, how it is classified and how long it
must be kept; access by tags, bills and clean-up go by them. RDS copies them only where somebody asked for it, and
a snapshot that was made without them does not get them later.

Remediation safety
------------------
Safe. The flag restarts nothing, costs nothing and can be turned off again. It works for snapshots that are made
from then on. Those that exist keep the tags that they have; Warden does not touch them.

References
----------
- Amazon RDS API Reference, ModifyDBCluster: CopyTagsToSnapshot
- Amazon Aurora User Guide, "Tagging Amazon Aurora and Amazon RDS resources", "Copying tags to DB cluster snapshots"
- AWS Security Hub CSPM, controls RDS.16, RDS.47 and RDS.48
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
    """Judge the flag of Aurora and Multi-AZ DB clusters."""
    return scope.outside(resource) or snapshot_tags.judge(resource)


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan:
    """Turn the flag on."""
    return snapshot_tags.turned_on(resource, "ModifyDBCluster")


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Aurora and Multi-AZ DB clusters copy their tags to their snapshots",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.LOW,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.16"),
        frameworks.security_hub("RDS.47"),
        frameworks.security_hub("RDS.48"),
        frameworks.config("rds-pgsql-cluster-copy-tags-to-snapshot-check"),
        frameworks.config("rds-mysql-cluster-copy-tags-to-snapshot-check"),
        frameworks.prowler("rds_cluster_copy_tags_to_snapshots"),
        frameworks.TAGGING,
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(snapshot_tags.permit("ModifyDBCluster", "DBClusterIdentifier"),),
        safety=Safety.SAFE,
    ),
    fix="""\
Turn it on; nothing restarts:

    aws rds modify-db-cluster --db-cluster-identifier {id} --copy-tags-to-snapshot --region {region}

Snapshots that exist do not get the tags by that: add them with `aws rds add-tags-to-resource`.

Make it last: CloudFormation `CopyTagsToSnapshot: true` of `AWS::RDS::DBCluster`; Terraform
`copy_tags_to_snapshot = true` of `aws_rds_cluster`.
""",
    examples=(
        Example(name="copied", facts={"CopyTagsToSnapshot": True}, expect=ComplianceType.COMPLIANT),
        Example(name="not copied", facts={"CopyTagsToSnapshot": False}, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="a cluster without a single tag may get one later",
            facts={"CopyTagsToSnapshot": False, "TagList": []},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a Multi-AZ DB cluster of MySQL",
            facts={"Engine": "mysql", "EngineVersion": "8.0.40", "CopyTagsToSnapshot": False},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a secondary of a global database has a flag of its own",
            facts={"GlobalClusterIdentifier": "orders-global", "CopyTagsToSnapshot": False},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a Neptune cluster is another product",
            facts={"Engine": "neptune", "CopyTagsToSnapshot": False},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="an engine that nobody has heard of is not passed over",
            facts={"Engine": "aurora-quantum", "CopyTagsToSnapshot": True},
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
