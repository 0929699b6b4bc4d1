"""What AWS documents about engines: which are ours, and what each can export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

AURORA = frozenset({"aurora-mysql", "aurora-postgresql"})
MULTI_AZ_CLUSTER = frozenset({"mysql", "postgres"})
"""Engines of Multi-AZ DB clusters, which DescribeDBClusters returns beside Aurora."""
CLUSTER_ENGINES = AURORA | MULTI_AZ_CLUSTER
"""DescribeDBClusters also returns Neptune and DocumentDB; they are products of their own."""
SERVERLESS_V1 = "serverless"
"""The EngineMode of Aurora Serverless v1 alone: "Aurora Serverless v2 DB clusters use the provisioned engine
mode" (CreateDBCluster)."""
POSTGRES = frozenset({"aurora-postgresql", "postgres"})
MYSQL = frozenset({"aurora-mysql", "mysql"})
_INSTANCE_PREFIXES = ("sqlserver-", "oracle-", "custom-", "db2-")
INSTANCE_ENGINES = AURORA | frozenset({"mysql", "postgres", "mariadb"})

# CreateDBCluster.EnableCloudwatchLogsExports and CreateDBInstance.EnableCloudwatchLogsExports, "The following
# values are valid for each DB engine". Types that only some engine versions know are left out, so that what
# stands here is valid for every version: Aurora's `instance`, and `iam-db-auth-error`.
DOCUMENTED_LOG_TYPES: Mapping[str, frozenset[str]] = {
    "aurora-mysql": frozenset({"audit", "error", "general", "slowquery"}),
    "aurora-postgresql": frozenset({"postgresql"}),
    "mysql": frozenset({"audit", "error", "general", "slowquery"}),
    "mariadb": frozenset({"audit", "error", "general", "slowquery"}),
    "postgres": frozenset({"postgresql", "upgrade"}),
    "sqlserver": frozenset({"agent", "error"}),
    "oracle": frozenset({"alert", "audit", "listener", "trace"}),
    "db2": frozenset({"diag.log", "notify.log"}),
}


def family(engine: str) -> str:
    """The engine without its edition: `oracle` for `oracle-ee`, `sqlserver` for `sqlserver-web`."""
    for name in ("oracle", "sqlserver", "db2"):
        if engine.startswith((f"{name}-", f"custom-{name}-")):
            return name
    return engine


def is_governed_cluster(engine: str) -> bool:
    """Whether a cluster of this engine is Aurora or a Multi-AZ DB cluster, not Neptune or DocumentDB."""
    return engine in CLUSTER_ENGINES


def is_governed_instance(engine: str) -> bool:
    """Whether an instance of this engine is one of RDS, not Neptune's or DocumentDB's."""
    return engine in INSTANCE_ENGINES or engine.startswith(_INSTANCE_PREFIXES)


def is_custom(engine: str) -> bool:
    """Whether the engine is RDS Custom, whose hosts its owner administers."""
    return engine.startswith("custom-")


def version(text: str) -> tuple[int, ...]:
    """The leading numbers of an engine version: `8.0.mysql_aurora.3.08.0` is (8, 0), `16.4` is (16, 4)."""
    numbers: list[int] = []
    for part in text.split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


_FORCE_SSL_ON_SINCE = {"aurora-postgresql": 17, "postgres": 15}


def documented_off(engine: str, engine_version: str) -> dict[str, dict[str, Any]]:
    """The TLS switches that AWS documents as off by default for this engine version, as parameter items.

    Aurora User Guide, "Securing Aurora PostgreSQL data with SSL/TLS" (on since version 17) and "Requiring an
    SSL/TLS connection to an Aurora MySQL DB cluster"; RDS User Guide for Multi-AZ DB clusters (PostgreSQL: on
    since 15). What is documented as on is left out: a pass must be read.
    """
    if engine in MYSQL:
        return {"require_secure_transport": _documented("require_secure_transport", "OFF")}
    major = version(engine_version)[:1]
    if engine in POSTGRES and major and major[0] < _FORCE_SSL_ON_SINCE[engine]:
        return {"rds.force_ssl": _documented("rds.force_ssl", "0")}
    return {}


def _documented(name: str, value: str) -> dict[str, Any]:
    return {"ParameterName": name, "ParameterValue": value, "Source": "documented-default"}
