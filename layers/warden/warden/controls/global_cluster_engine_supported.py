"""A global cluster runs an engine version that AWS offers, and supports for long enough.

Why it matters
--------------
After its end of life nobody fixes the holes of an engine version any more; until then AWS does. What counts is the
date until when AWS supports the major version, and whether it still offers the minor one, both asked of AWS itself.
RDS Extended Support, which continues for three years, costs more than the database as a rule, so it counts only where
the policy says so. That a database is enrolled in it says nothing: that is the default, years before it has an effect.

A global database is upgraded as a whole, and never by itself: its members are left out of automatic upgrades, so that
nobody notices when its version gets old. For Aurora MySQL the shipped floor is that of Security Hub's RDS.51, which
lets its long-term support versions pass.

Remediation safety
------------------
Disruptive, and never done by Warden: an upgrade is an outage in every Region, it cannot be taken back, and another
major version can break clients. A ticket names the nearest version that will do, with the command for the whole.

References
----------
- Amazon RDS API Reference, ModifyGlobalCluster: EngineVersion, AllowMajorVersionUpgrade
- Amazon RDS API Reference, DescribeDBMajorEngineVersions: SupportedEngineLifecycles
- Amazon Aurora User Guide, "Upgrading an Amazon Aurora global database"
- AWS Security Hub CSPM, control RDS.51
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engine_support, engines, frameworks, scope, upgrades
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.engine_examples import dates, targets
from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Manual
    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the engine version of Aurora global clusters."""
    return scope.outside(resource) or engine_support.judge(resource, settings)


def plan(resource: Resource, settings: Mapping[str, Any]) -> Manual:
    """Tell a person what to upgrade to, and how."""
    return upgrades.told(
        resource,
        settings,
        modify="modify-global-cluster",
        options={"global-cluster-identifier": resource.facts["GlobalClusterIdentifier"]},
    )


_MYSQL = [dates("5.7", (2024, 10, 31), (2027, 2, 28)), dates("8.0", (2028, 4, 30), (2029, 7, 31))]
_OLD = {
    "Engine": "aurora-mysql",
    "EngineVersion": "5.7.mysql_aurora.2.12.5",
    "SupportDates": _MYSQL,
    "UpgradeTargets": targets("8.0.mysql_aurora.3.07.1!", "8.0.mysql_aurora.3.08.2!"),
    "EngineLifecycleSupport": "open-source-rds-extended-support",
}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Global clusters run engine versions that AWS supports",
    resource_type=ResourceType.GLOBAL_CLUSTER,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.51"),
        frameworks.config("rds-global-cluster-aurora-mysql-supported-version"),
        frameworks.pci_dss("6.3.3"),
        frameworks.PATCHING,
    ),
    needs=(Need.ENGINE_STATUS, Need.SUPPORT_DATES),
    settings=(
        engine_support.NOTICE_DAYS,
        engine_support.EXTENDED_SUPPORT,
        engine_support.minimum_versions(*sorted(engines.AURORA), floor=True),
        engine_support.LONG_TERM_VERSIONS,
    ),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE, needs=(Need.UPGRADE_TARGETS,)),
    fix="""\
Look what it can be upgraded to, take a snapshot of its writer, upgrade the whole; {id} is out of service meanwhile:

    aws rds describe-db-engine-versions --engine ENGINE --engine-version VERSION --region REGION
    aws rds modify-global-cluster --global-cluster-identifier {id} --engine-version NEW-VERSION \\
        --allow-major-version-upgrade --region REGION

Make it last: CloudFormation `EngineVersion: NEW-VERSION` of `AWS::RDS::GlobalCluster`; Terraform `engine_version` of
`aws_rds_global_cluster`.
""",
    examples=(
        Example(
            name="supported for years",
            facts={"SupportDates": [dates("16", (2029, 2, 28), (2032, 2, 29))]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(name="past standard support", facts=_OLD, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="past standard support, where the policy takes Extended Support, but below its lowest version",
            facts=_OLD,
            settings={"extended_support": True},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="below the lowest version",
            facts={**_OLD, "EngineVersion": "8.0.mysql_aurora.3.05.2"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the lowest version",
            facts={**_OLD, "EngineVersion": "8.0.mysql_aurora.3.08.0"},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="with long-term support, below the lowest version",
            facts={**_OLD, "EngineVersion": "8.0.mysql_aurora.3.04.4"},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a global cluster of DocumentDB is another product's",
            facts={"Engine": "docdb"},
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
