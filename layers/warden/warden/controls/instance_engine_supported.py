"""A stand-alone instance runs an engine version that AWS offers, and supports for long enough.

Why it matters
--------------
After its end of life nobody fixes the holes of an engine version any more; until then AWS does. What counts is the
date until when AWS supports the major version, and whether it still offers the minor one, both asked of AWS itself.
RDS Extended Support, which continues for three years, costs more than the database as a rule, so it counts only where
the policy says so. That a database is enrolled in it says nothing: that is the default, years before it has an effect.

Of Oracle, SQL Server and Db2 AWS publishes no dates: there it decides whether AWS still offers the version. Members of
a cluster are judged with their cluster; the engine of RDS Custom is its owner's.

Remediation safety
------------------
Disruptive, and never done by Warden: an upgrade is an outage, it cannot be taken back, and another major version can
break clients. A ticket names the nearest version that will do, with the commands: a snapshot first, then the upgrade.

References
----------
- Amazon RDS API Reference, DescribeDBMajorEngineVersions: SupportedEngineLifecycles
- Amazon RDS API Reference, DescribeDBEngineVersions: Status, ValidUpgradeTarget
- Amazon RDS User Guide, "Viewing support dates for engine versions in Amazon RDS Extended Support"
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
    not_applicable,
)
from warden.core.engine_examples import dates, targets
from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Manual
    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the engine version of stand-alone instances."""
    if verdict := scope.outside_or_member(resource, "the engine version"):
        return verdict
    if engines.is_custom(resource.facts["Engine"]):
        return not_applicable(f"{resource.ref.id} is of RDS Custom, whose engine is its owner's.")
    return engine_support.judge(resource, settings)


def plan(resource: Resource, settings: Mapping[str, Any]) -> Manual:
    """Tell a person what to upgrade to, and how."""
    identifier = resource.facts["DBInstanceIdentifier"]
    groups = [group["DBParameterGroupName"] for group in resource.facts["DBParameterGroups"]]
    custom = any(not group.startswith("default.") for group in groups)
    return upgrades.told(
        resource,
        settings,
        modify="modify-db-instance",
        options={"db-instance-identifier": identifier},
        group="db-parameter-group-name" if custom else None,
        before=(
            guidance.command(
                resource,
                "create-db-snapshot",
                {
                    "db-instance-identifier": identifier,
                    "db-snapshot-identifier": f"{identifier}-before-upgrade",
                },
            ),
        ),
    )


_POSTGRESQL = [
    dates("13", (2026, 2, 28), (2029, 2, 28)),
    dates("16", (2029, 2, 28), (2032, 2, 29)),
]
_OLD = {
    "EngineVersion": "13.18",
    "SupportDates": _POSTGRESQL,
    "UpgradeTargets": targets("13.20", "16.6!", "16.8!"),
    "EngineLifecycleSupport": "open-source-rds-extended-support",
}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Stand-alone instances run engine versions that AWS supports",
    resource_type=ResourceType.DB_INSTANCE,
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
        engine_support.minimum_versions("mariadb", "mysql", "postgres", floor=False),
    ),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE, needs=(Need.UPGRADE_TARGETS,)),
    fix="""\
Look what it can be upgraded to, take a snapshot, upgrade; a custom parameter group must be of the new family:

    aws rds describe-db-engine-versions --engine ENGINE --engine-version VERSION --region {region}
    aws rds create-db-snapshot --db-instance-identifier {id} --db-snapshot-identifier {id}-before-upgrade \\
        --region {region}
    aws rds modify-db-instance --db-instance-identifier {id} --engine-version NEW-VERSION \\
        --allow-major-version-upgrade --region {region}

Make it last: CloudFormation `EngineVersion: NEW-VERSION` of `AWS::RDS::DBInstance`; Terraform `engine_version` of
`aws_db_instance`.
""",
    examples=(
        Example(
            name="supported for years",
            facts={"EngineVersion": "16.4", "SupportDates": _POSTGRESQL},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(name="past standard support", facts=_OLD, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="past standard support, with the engine's default parameter group",
            facts={
                **_OLD,
                "DBParameterGroups": [
                    {"DBParameterGroupName": "default.postgres13", "ParameterApplyStatus": "in-sync"}
                ],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="past standard support, where the policy takes Extended Support",
            facts=_OLD,
            settings={"extended_support": True},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="MariaDB has no Extended Support",
            facts={
                "Engine": "mariadb",
                "EngineVersion": "10.5.27",
                "SupportDates": [dates("10.5", (2025, 8, 31), None), dates("10.11", (2028, 2, 29), None)],
                "UpgradeTargets": targets("10.5.29", "10.6.21!", "10.11.11!"),
                "EngineLifecycleSupport": None,
            },
            settings={"extended_support": True},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="below the lowest version",
            facts={
                "EngineVersion": "16.4",
                "SupportDates": _POSTGRESQL,
                "UpgradeTargets": targets("16.6", "16.8"),
            },
            settings={"minimum_versions": {"postgres": ["16.8"]}},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="SQL Server, of which AWS publishes no dates",
            facts={"Engine": "sqlserver-se", "EngineVersion": "16.00.4165.4.v1", "SupportDates": []},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an Oracle version that AWS does not offer any more",
            facts={
                "Engine": "oracle-ee",
                "EngineVersion": "19.0.0.0.ru-2021-01.rur-2021-01.r1",
                "EngineStatus": "deprecated",
                "SupportDates": [],
                "UpgradeTargets": targets("19.0.0.0.ru-2026-07.rur-2026-07.r1"),
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="no direct way to a version that will do",
            facts={**_OLD, "UpgradeTargets": targets("13.20")},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="RDS Custom",
            facts={"Engine": "custom-oracle-ee", "EngineVersion": "19.cev"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a member is judged with its cluster",
            facts={"Engine": "aurora-postgresql", "DBClusterIdentifier": "orders", "EngineVersion": "13.18"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="an instance of DocumentDB is another product's",
            facts={"Engine": "docdb"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="it is not known whether AWS offers the version",
            facts={},
            missing=("EngineStatus",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
