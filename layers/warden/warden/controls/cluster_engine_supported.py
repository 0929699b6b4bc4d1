"""A cluster runs an engine version that AWS offers, and supports for long enough.

Why it matters
--------------
After its end of life nobody fixes the holes of an engine version any more; until then AWS does. What counts is the
date until when AWS supports the major version, and whether it still offers the minor one, both asked of AWS itself.
RDS Extended Support, which continues for three years, costs more than the database as a rule, so it counts only where
the policy says so. That a database is enrolled in it says nothing: that is the default, years before it has an effect.

Aurora Serverless v1 has ended, whatever the version. For Aurora MySQL the shipped floor is that of Security Hub's
RDS.51, which lets its long-term support versions pass.

Remediation safety
------------------
Disruptive, and never done by Warden: an upgrade is an outage, it cannot be taken back, and another major version can
break clients. A ticket names the nearest version that will do, with the commands: a snapshot first, then the upgrade,
for a member of a global database that of the whole.

References
----------
- Amazon RDS API Reference, DescribeDBMajorEngineVersions: SupportedEngineLifecycles
- Amazon RDS API Reference, DescribeDBEngineVersions: Status, ValidUpgradeTarget
- Amazon Aurora User Guide, "Viewing support dates for engine versions in Amazon RDS Extended Support"
- Amazon Aurora User Guide, "Using Amazon Aurora Serverless v1"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engine_support, engines, frameworks, guidance, scope, upgrades
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
    non_compliant,
)
from warden.core.engine_examples import dates, targets
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the engine version of Aurora and Multi-AZ DB clusters."""
    if verdict := scope.outside(resource):
        return verdict
    if resource.facts["EngineMode"] == engines.SERVERLESS_V1:
        return non_compliant(f"{resource.ref.id} runs on Aurora Serverless v1, which AWS has ended.")
    return engine_support.judge(resource, settings)


def plan(resource: Resource, settings: Mapping[str, Any]) -> Manual:
    """Tell a person what to upgrade to, and how."""
    facts = resource.facts
    identifier = facts["DBClusterIdentifier"]
    snapshot = guidance.command(
        resource,
        "create-db-cluster-snapshot",
        {
            "db-cluster-identifier": identifier,
            "db-cluster-snapshot-identifier": f"{identifier}-before-upgrade",
        },
    )
    if facts["EngineMode"] == engines.SERVERLESS_V1:
        return _from_serverless_v1(resource, snapshot)
    if facts["GlobalClusterIdentifier"] is not None:
        return upgrades.told(
            resource,
            settings,
            modify="modify-global-cluster",
            options={"global-cluster-identifier": facts["GlobalClusterIdentifier"]},
            before=(snapshot,),
        )
    custom = not facts["DBClusterParameterGroup"].startswith("default.")
    return upgrades.told(
        resource,
        settings,
        modify="modify-db-cluster",
        options={"db-cluster-identifier": identifier},
        group="db-cluster-parameter-group-name" if custom else None,
        before=(snapshot,),
    )


def _from_serverless_v1(resource: Resource, snapshot: str) -> Manual:
    return Manual(
        "Make it a provisioned cluster, and give that one instances of Serverless v2; each step restarts it.",
        (
            snapshot,
            guidance.command(
                resource,
                "modify-db-cluster",
                {
                    "db-cluster-identifier": resource.facts["DBClusterIdentifier"],
                    "engine-mode": "provisioned",
                    "allow-engine-mode-change": True,
                    "db-cluster-instance-class": "INSTANCE-CLASS",
                },
            ),
        ),
    )


_POSTGRESQL = [
    dates("12", (2025, 2, 28), (2028, 2, 29)),
    dates("13", (2026, 2, 28), (2029, 2, 28)),
    dates("14", (2027, 2, 28), (2030, 2, 28)),
    dates("16", (2029, 2, 28), (2032, 2, 29)),
    dates("17", (2030, 2, 28), (2033, 2, 28)),
]
_MYSQL = [dates("5.7", (2024, 10, 31), (2027, 2, 28)), dates("8.0", (2028, 4, 30), (2029, 7, 31))]
_OLD = {
    "EngineVersion": "13.18",
    "SupportDates": _POSTGRESQL,
    "UpgradeTargets": targets("13.20", "14.15!", "16.6!", "16.8!", "17.4!"),
    "EngineLifecycleSupport": "open-source-rds-extended-support",
}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Clusters run engine versions that AWS supports",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.prowler("rds_instance_extended_support"),
        frameworks.prowler("rds_instance_deprecated_engine_version"),
        frameworks.pci_dss("6.3.3"),
        frameworks.PATCHING,
    ),
    needs=(Need.ENGINE_STATUS, Need.SUPPORT_DATES),
    settings=(
        engine_support.NOTICE_DAYS,
        engine_support.EXTENDED_SUPPORT,
        engine_support.minimum_versions(*sorted(engines.CLUSTER_ENGINES), floor=True),
        engine_support.LONG_TERM_VERSIONS,
    ),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE, needs=(Need.UPGRADE_TARGETS,)),
    fix="""\
Look what it can be upgraded to, take a snapshot, upgrade; a custom parameter group must be of the new family:

    aws rds describe-db-engine-versions --engine ENGINE --engine-version VERSION --region {region}
    aws rds create-db-cluster-snapshot --db-cluster-identifier {id} \\
        --db-cluster-snapshot-identifier {id}-before-upgrade --region {region}
    aws rds modify-db-cluster --db-cluster-identifier {id} --engine-version NEW-VERSION \\
        --allow-major-version-upgrade --region {region}

Make it last: CloudFormation `EngineVersion: NEW-VERSION` of `AWS::RDS::DBCluster`; Terraform `engine_version` of
`aws_rds_cluster`.
""",
    examples=(
        Example(
            name="supported for years",
            facts={"EngineVersion": "16.4", "SupportDates": _POSTGRESQL},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="supported, and enrolled in Extended Support by default",
            facts={
                "EngineVersion": "16.4",
                "SupportDates": _POSTGRESQL,
                "EngineLifecycleSupport": "open-source-rds-extended-support",
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(name="past standard support", facts=_OLD, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="past standard support, with parameter groups of the engine's default",
            facts={**_OLD, "DBClusterParameterGroup": "default.aurora-postgresql13"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="past standard support, where the policy takes Extended Support",
            facts=_OLD,
            settings={"extended_support": True},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="past standard support, and not enrolled in Extended Support",
            facts={**_OLD, "EngineLifecycleSupport": "open-source-rds-extended-support-disabled"},
            settings={"extended_support": True},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="standard support ends soon",
            facts={"EngineVersion": "14.9", "SupportDates": _POSTGRESQL},
            settings={"notice_days": 120},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="standard support ends, but not that soon",
            facts={"EngineVersion": "14.9", "SupportDates": _POSTGRESQL},
            settings={"notice_days": 90},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="AWS does not offer the minor version any more",
            facts={
                "EngineVersion": "16.1",
                "SupportDates": _POSTGRESQL,
                "EngineStatus": "deprecated",
                "UpgradeTargets": targets("16.6", "16.8", "17.4!"),
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="AWS does not even list the version",
            facts={"EngineVersion": "9.6.22", "SupportDates": _POSTGRESQL, "EngineStatus": None},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="Aurora MySQL below the lowest version",
            facts={
                "Engine": "aurora-mysql",
                "EngineVersion": "8.0.mysql_aurora.3.05.2",
                "SupportDates": _MYSQL,
                "UpgradeTargets": targets("8.0.mysql_aurora.3.07.1", "8.0.mysql_aurora.3.08.2"),
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="Aurora MySQL with long-term support, below the lowest version",
            facts={
                "Engine": "aurora-mysql",
                "EngineVersion": "8.0.mysql_aurora.3.04.4",
                "SupportDates": _MYSQL,
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a member of a global database, which is upgraded as a whole",
            facts={**_OLD, "GlobalClusterIdentifier": "orders-global"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a Multi-AZ DB cluster",
            facts={
                "Engine": "mysql",
                "EngineVersion": "8.0.40",
                "SupportDates": [
                    dates("8.0", (2026, 7, 31), (2029, 7, 31)),
                    dates("8.4", (2029, 7, 31), None),
                ],
                "UpgradeTargets": targets("8.0.42", "8.4.5!"),
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="Aurora Serverless v1 has ended",
            facts={"EngineMode": "serverless"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a major version of which AWS names no dates",
            facts={"EngineVersion": "99.1", "SupportDates": _POSTGRESQL},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a status that nobody has heard of",
            facts={"EngineVersion": "16.4", "SupportDates": _POSTGRESQL, "EngineStatus": "beta"},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a Neptune cluster is another product",
            facts={"Engine": "neptune"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the dates could not be read",
            facts={},
            missing=("SupportDates",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
