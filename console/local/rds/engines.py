"""The database engines: versions, families, log types and dates of support that AWS would list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from console.local.rds.call import Call, conflicting, invalid
from console.local.rds.registry import Correction, Topic
from console.local.rds.releases import DEFAULTS, RELEASES, Release

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


CLUSTER_ENGINES = ("aurora-mysql", "aurora-postgresql", "mysql", "postgres", "neptune")
_KNOWN_WITHOUT_VERSIONS = ("custom-", "db2-", "oracle-", "sqlserver-", "neptune", "docdb")
_OTHER_LOGS = {
    "oracle": ("alert", "audit", "listener", "oemagent", "trace"),
    "sqlserver": ("agent", "error"),
    "db2": ("diag.log", "notify.log"),
}
_CERTIFICATES = ("rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineVersion:
    """One version of an engine, as DescribeDBEngineVersions would tell."""

    engine: str
    version: str
    major: str
    family: str
    log_types: tuple[str, ...]
    is_default: bool = False
    is_deprecated: bool = False


@cache
def versions() -> tuple[EngineVersion, ...]:
    """List every version of every engine, oldest first."""
    return tuple(_expand(RELEASES))


def _expand(releases: Iterable[Release]) -> Iterator[EngineVersion]:
    for release in releases:
        order = {minor: place for place, minor in enumerate(release.minors)}
        since = dict(release.since)
        for minor in release.minors:
            yield EngineVersion(
                engine=release.engine,
                version=minor,
                major=release.major,
                family=f"{release.engine}{release.major}",
                log_types=tuple(
                    log
                    for log in release.logs
                    if log not in since or order[minor] >= order.get(since[log], len(order))
                ),
                is_default=DEFAULTS[release.engine] == minor,
                is_deprecated=minor in release.gone,
            )


@cache
def find(engine: str, version: str) -> EngineVersion | None:
    """Find a version by its full name."""
    return next((one for one in versions() if (one.engine, one.version) == (engine, version)), None)


@cache
def families() -> frozenset[str]:
    """List the parameter group families of all versions."""
    return frozenset(one.family for one in versions())


def engine_of(family: str) -> str:
    """Take the engine out of a family's name."""
    return next((one.engine for one in versions() if one.family == family), "")


def family_of(engine: str, version: str) -> str:
    """Say which family a version belongs to; engines without a list of versions follow their number."""
    known = find(engine, version)
    if known is not None:
        return known.family
    numbers = version.split(".")
    whole = 1 if engine.endswith(("postgresql", "postgres")) else 2
    return engine + ".".join(numbers[:whole])


def has_versions(engine: str) -> bool:
    """Say whether this module lists versions of an engine."""
    return engine in DEFAULTS


def choose(call: Call, engine: str, wanted: str | None) -> str:
    """Settle on a version: the one asked for, the newest of a major, or the engine's default."""
    if not has_versions(engine):
        return wanted or ""
    if wanted is None:
        return DEFAULTS[engine]
    exact = find(engine, wanted)
    if exact is not None and (call.world.lenient or not exact.is_deprecated):
        return exact.version
    of_major = [one for one in versions() if (one.engine, one.major) == (engine, wanted)]
    if of_major:
        return next((one.version for one in of_major if one.is_default), of_major[-1].version)
    if not call.world.lenient:
        conflicting(f"Cannot find version {wanted} for {engine}")
    return wanted


def check_log_types(engine: str, version: str, log_types: Iterable[str], *, multi_az: bool = False) -> None:
    """Refuse log types that this version cannot export."""
    known = find(engine, version)
    if known is None:
        return
    valid = set(known.log_types) - ({"audit"} if multi_az else set())
    wrong = [log for log in log_types if log not in valid]
    if wrong:
        quoted = ", ".join(f"'{log}'" for log in wrong)
        conflicting(
            f"You cannot use the log types {quoted} with engine version {engine} {version}."
            " For supported log types, see the documentation."
        )


def _targets(one: EngineVersion) -> list[dict[str, Any]]:
    later = [
        other
        for other in versions()[versions().index(one) + 1 :]
        if other.engine == one.engine and not other.is_deprecated
    ]
    newest = {other.major: other for other in later}
    later = [other for other in later if other.major == one.major or newest[other.major] is other]
    return [
        {
            "Engine": other.engine,
            "EngineVersion": other.version,
            "Description": _description(other),
            "AutoUpgrade": False,
            "IsMajorVersionUpgrade": other.major != one.major,
            **({"SupportedEngineModes": ["provisioned"]} if one.engine.startswith("aurora") else {}),
        }
        for other in later
    ]


def _description(one: EngineVersion) -> str:
    names = {
        "aurora-mysql": "Aurora MySQL",
        "aurora-postgresql": "Aurora PostgreSQL",
        "mysql": "MySQL",
        "postgres": "PostgreSQL",
        "mariadb": "MariaDB",
    }
    return f"{names[one.engine]} {one.version}"


@cache
def _item(one: EngineVersion) -> dict[str, Any]:
    is_aurora = one.engine.startswith("aurora-")
    return {
        "Engine": one.engine,
        "MajorEngineVersion": one.major,
        "EngineVersion": one.version,
        "DBParameterGroupFamily": one.family,
        "DBEngineDescription": _description(one).rpartition(" ")[0],
        "DBEngineVersionDescription": _description(one),
        "ValidUpgradeTarget": _targets(one),
        "ExportableLogTypes": list(one.log_types),
        "SupportsLogExportsToCloudwatchLogs": bool(one.log_types),
        "SupportsReadReplica": not is_aurora,
        "SupportedEngineModes": ["provisioned"] if is_aurora else [],
        "SupportedFeatureNames": ["Bedrock", "Lambda", "s3Export", "s3Import"] if is_aurora else [],
        "Status": "deprecated" if one.is_deprecated else "available",
        "SupportsParallelQuery": one.engine == "aurora-mysql",
        "SupportsGlobalDatabases": is_aurora,
        "SupportsBabelfish": one.engine == "aurora-postgresql" and int(one.major) >= 13,  # noqa: PLR2004 - since 13
        "SupportsLimitlessDatabase": False,
        "SupportsCertificateRotationWithoutRestart": one.major not in {"5.7", "11", "12"},
        "SupportedCACertificateIdentifiers": list(_CERTIFICATES),
        "SupportsLocalWriteForwarding": is_aurora,
        "SupportsIntegrations": True,
        "TagList": [],
    }


def _as_asked(engine: str | None, version: str | None) -> list[dict[str, Any]]:
    """Offer whatever version is asked for of an engine of which no versions are listed here."""
    if not engine or not version or has_versions(engine):
        return []
    return [
        {
            "Engine": engine,
            "MajorEngineVersion": ".".join(version.split(".")[:2]),
            "EngineVersion": version,
            "DBParameterGroupFamily": family_of(engine, version),
            "ValidUpgradeTarget": [],
            "ExportableLogTypes": next(
                (list(logs) for name, logs in _OTHER_LOGS.items() if f"{name}-" in engine), []
            ),
            "Status": "available",
            "SupportsCertificateRotationWithoutRestart": False,
            "SupportedCACertificateIdentifiers": list(_CERTIFICATES),
        }
    ]


_FILTERS = {
    "db-parameter-group-family": "DBParameterGroupFamily",
    "engine": "Engine",
    "engine-version": "EngineVersion",
    "status": "Status",
}


def _check_engine(engine: str | None) -> None:
    if engine and not has_versions(engine) and not engine.startswith(_KNOWN_WITHOUT_VERSIONS):
        invalid(f"Unrecognized engine name: {engine}")


def describe_versions(call: Call) -> dict[str, Any]:
    """Answer DescribeDBEngineVersions."""
    engine = call.get("Engine")
    _check_engine(engine)
    version = call.get("EngineVersion")
    family = call.get("DBParameterGroupFamily")
    wanted = [
        one
        for one in versions()
        if (engine is None or one.engine == engine)
        and (version is None or version in {one.version, one.major})
        and (family is None or one.family == family)
        and (call.get("IncludeAll") or not one.is_deprecated)
    ]
    if call.get("DefaultOnly"):
        wanted = [one for one in wanted if one.is_default] or wanted[-1:]
    items = [_item(one) for one in wanted] or _as_asked(engine, version)
    for condition in call.get("Filters", []):
        if condition["Name"] == "engine-mode":
            items = [item for item in items if set(condition["Values"]) & set(item["SupportedEngineModes"])]
        elif condition["Name"] in _FILTERS:
            member = _FILTERS[condition["Name"]]
            items = [item for item in items if item[member] in condition["Values"]]
        else:
            invalid(f"Unrecognized filter name: {condition['Name']}")
    return {"DBEngineVersions": items}


def describe_majors(call: Call) -> dict[str, Any]:
    """Answer DescribeDBMajorEngineVersions."""
    engine = call.get("Engine")
    _check_engine(engine)
    major = call.get("MajorEngineVersion")
    return {
        "DBMajorEngineVersions": [
            {
                "Engine": release.engine,
                "MajorEngineVersion": release.major,
                "SupportedEngineLifecycles": _lifecycles(release),
            }
            for release in RELEASES
            if (engine is None or release.engine == engine) and (major is None or release.major == major)
        ]
    }


def _lifecycles(release: Release) -> list[dict[str, Any]]:
    def day(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    standard_ends = day(release.support_ends)
    phases = [
        {
            "LifecycleSupportName": "open-source-rds-standard-support",
            "LifecycleSupportStartDate": standard_ends.replace(year=standard_ends.year - 5, day=28),
            "LifecycleSupportEndDate": standard_ends.replace(hour=23, minute=59, second=59),
        }
    ]
    if release.extended_support_ends:
        ends = day(release.extended_support_ends)
        phases.append(
            {
                "LifecycleSupportName": "open-source-rds-extended-support",
                "LifecycleSupportStartDate": standard_ends,
                "LifecycleSupportEndDate": ends.replace(hour=23, minute=59, second=59),
            }
        )
    return phases


TOPIC = Topic(
    name="engines",
    operations={
        "DescribeDBEngineVersions": describe_versions,
        "DescribeDBMajorEngineVersions": describe_majors,
    },
    corrections=(
        Correction(
            name="engine-versions",
            why="moto has no list of engine versions, so nothing can ask which logs a version can export",
            reference="DBEngineVersion.ExportableLogTypes",
            words="The types of logs that the database engine has available for export to CloudWatch Logs.",
        ),
        Correction(
            name="engine-version-defaults",
            why="moto creates clusters of versions that AWS retired years ago",
            reference="DescribeDBEngineVersionsMessage.DefaultOnly",
            words="Specifies whether to return only the default version of the specified engine",
        ),
        Correction(
            name="engine-versions-retired",
            why="moto runs any version, also one that AWS no longer offers",
            reference="DescribeDBEngineVersionsMessage.IncludeAll",
            words="The default is to list only available engine versions.",
        ),
        Correction(
            name="engine-versions-of-others",
            why="no versions of the commercial engines are listed here, and each that runs must be one that is offered",
            reference="DBEngineVersion.Status",
            words="The status of the DB engine version, either available or deprecated.",
        ),
        Correction(
            name="engine-lifecycles",
            why="moto cannot say until when a major version is supported",
            reference="SupportedEngineLifecycle",
            words="You can use the information that this data type returns to plan for upgrades.",
        ),
    ),
)
