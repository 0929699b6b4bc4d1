"""Which instance classes can be had with an engine version, and what they support there."""

from __future__ import annotations

from typing import Any

from console.local.rds import engines
from console.local.rds.call import Call, invalid
from console.local.rds.registry import Correction, Topic

# A few of each generation; AWS lists hundreds. "db.serverless" is Aurora's alone.
_CLASSES = (
    *("db.t3.micro", "db.t3.small", "db.t3.medium", "db.t4g.medium", "db.t4g.large"),
    *("db.m5.large", "db.m6g.large", "db.m6i.large", "db.m7g.large"),
    *("db.r5.large", "db.r6g.large", "db.r6i.large", "db.r7g.large", "db.r6gd.large", "db.m6gd.large"),
)
_WITHOUT_INSIGHTS = frozenset({"db.t3.micro", "db.t3.small"})


def _options(engine: str, version: str) -> list[dict[str, Any]]:
    is_aurora = engine.startswith("aurora-")
    return [
        {
            "Engine": engine,
            "EngineVersion": version,
            "DBInstanceClass": name,
            "LicenseModel": "general-public-license",
            "AvailabilityZones": [],
            "MultiAZCapable": not is_aurora,
            "ReadReplicaCapable": True,
            "Vpc": True,
            "SupportsStorageEncryption": True,
            "StorageType": "aurora" if is_aurora else "gp3",
            "SupportsIops": False,
            "SupportsEnhancedMonitoring": True,
            "SupportsIAMDatabaseAuthentication": True,
            "SupportsPerformanceInsights": name not in _WITHOUT_INSIGHTS,
            "SupportedEngineModes": ["provisioned"] if is_aurora else [],
        }
        for name in (*_CLASSES, *(("db.serverless",) if is_aurora else ()))
    ]


def describe(call: Call) -> dict[str, Any]:
    """Answer DescribeOrderableDBInstanceOptions; of engines whose versions are not listed here, any can be had."""
    engine, version, name = call["Engine"], call.get("EngineVersion"), call.get("DBInstanceClass")
    if engines.has_versions(engine):
        offered = [
            one.version for one in engines.versions() if one.engine == engine and not one.is_deprecated
        ]
    elif engine.startswith(("custom-", "db2-", "oracle-", "sqlserver-", "neptune", "docdb")):
        offered = [version or "1"]
    else:
        invalid(f"Unrecognized engine name: {engine}")
    found = [
        option
        for one in offered
        if version in {None, one}
        for option in _options(engine, one)
        if name in {None, option["DBInstanceClass"]}
    ]
    return {"OrderableDBInstanceOptions": found}


TOPIC = Topic(
    name="orderable",
    operations={"DescribeOrderableDBInstanceOptions": describe},
    corrections=(
        Correction(
            name="orderable-options",
            why="moto lists the instance classes of Aurora PostgreSQL and Neptune alone, and filters by none",
            reference="DescribeOrderableDBInstanceOptionsMessage.DBInstanceClass",
            words="A filter to include only the available options for the specified DB instance class.",
        ),
    ),
)
