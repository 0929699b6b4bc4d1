"""The releases of each engine: their minor versions, what each can export, and until when they are supported."""

from __future__ import annotations

from dataclasses import dataclass

MYSQL_LOGS = ("audit", "error", "general", "slowquery")


IAM_ERRORS = "iam-db-auth-error"


INSTANCE_LOG = "instance"


_PG = ("postgresql",)


_AURORA_PG_FULL = (*_PG, INSTANCE_LOG, IAM_ERRORS)


_RDS_PG = ("postgresql", "upgrade", IAM_ERRORS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The minor versions of one major version of an engine.

    `since` maps a log type to the first minor version whose logs RDS can export; a type not named is
    exportable in all. `gone` minors are deprecated: only IncludeAll lists them and nothing new runs them.
    """

    engine: str
    major: str
    minors: tuple[str, ...]
    logs: tuple[str, ...]
    since: tuple[tuple[str, str], ...] = ()
    gone: tuple[str, ...] = ()
    support_ends: str
    extended_support_ends: str | None = None


def _minors(major: str, first: int, last: int) -> tuple[str, ...]:
    return tuple(f"{major}.{minor}" for minor in range(first, last + 1))


def _aurora_mysql(prefix: str, *minors: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.mysql_aurora.{minor}" for minor in minors)


def _aurora_postgresql(
    major: str, first: int, last: int, ends: str, extended: str, *, since: int | None, gone: int = 0
) -> Release:
    if since is None:
        logs: tuple[str, ...] = _PG
        first_with: tuple[tuple[str, str], ...] = ()
    else:
        logs = _AURORA_PG_FULL
        first_with = ((INSTANCE_LOG, f"{major}.{since}"), (IAM_ERRORS, f"{major}.{since}"))
    return Release(
        engine="aurora-postgresql",
        major=major,
        minors=_minors(major, first, last),
        logs=logs,
        since=first_with,
        gone=_minors(major, first, gone) if gone else (),
        support_ends=ends,
        extended_support_ends=extended,
    )


def _postgres(major: str, first: int, last: int, ends: str, extended: str, *, since: int) -> Release:
    return Release(
        engine="postgres",
        major=major,
        minors=_minors(major, first, last),
        logs=_RDS_PG,
        since=((IAM_ERRORS, f"{major}.{since}"),),
        support_ends=ends,
        extended_support_ends=extended,
    )


def _mysql(major: str, first: int, last: int, ends: str, extended: str, *, since: int) -> Release:
    return Release(
        engine="mysql",
        major=major,
        minors=_minors(major, first, last),
        logs=(*MYSQL_LOGS, IAM_ERRORS),
        since=((IAM_ERRORS, f"{major}.{since}"),),
        support_ends=ends,
        extended_support_ends=extended,
    )


def _mariadb(major: str, first: int, last: int, ends: str) -> Release:
    return Release(
        engine="mariadb",
        major=major,
        minors=_minors(major, first, last),
        logs=(*MYSQL_LOGS, IAM_ERRORS),
        since=((IAM_ERRORS, f"{major}.{last - 2}"),),
        support_ends=ends,
    )


RELEASES: tuple[Release, ...] = (
    Release(
        engine="aurora-mysql",
        major="5.7",
        minors=_aurora_mysql("5.7", "2.07.2", "2.11.2", "2.11.6", "2.12.0", "2.12.4", "2.12.5"),
        logs=MYSQL_LOGS,
        gone=_aurora_mysql("5.7", "2.07.2", "2.11.2"),
        support_ends="2024-10-31",
        extended_support_ends="2027-02-28",
    ),
    Release(
        engine="aurora-mysql",
        major="8.0",
        minors=_aurora_mysql(
            "8.0",
            *("3.02.0", "3.03.1", "3.04.0", "3.04.1", "3.04.2", "3.04.3", "3.04.4", "3.05.2", "3.06.1"),
            *("3.07.1", "3.08.0", "3.08.1", "3.08.2", "3.09.0", "3.10.0", "3.10.1", "3.10.2", "3.11.0"),
        ),
        logs=(*MYSQL_LOGS, INSTANCE_LOG, IAM_ERRORS),
        since=(
            (INSTANCE_LOG, "8.0.mysql_aurora.3.08.0"),
            (IAM_ERRORS, "8.0.mysql_aurora.3.08.0"),
        ),
        gone=_aurora_mysql("8.0", "3.02.0", "3.03.1"),
        support_ends="2028-04-30",
        extended_support_ends="2029-07-31",
    ),
    _aurora_postgresql("11", 9, 21, "2024-02-29", "2027-03-31", since=None, gone=20),
    _aurora_postgresql("12", 9, 22, "2025-02-28", "2028-02-29", since=None, gone=21),
    _aurora_postgresql("13", 9, 23, "2026-02-28", "2029-02-28", since=None),
    _aurora_postgresql("14", 6, 20, "2027-02-28", "2030-02-28", since=13),
    _aurora_postgresql("15", 2, 15, "2028-02-29", "2031-02-28", since=8),
    _aurora_postgresql("16", 1, 11, "2029-02-28", "2032-02-29", since=4),
    _aurora_postgresql("17", 4, 7, "2030-02-28", "2033-02-28", since=4),
    _mysql("5.7", 44, 44, "2024-02-29", "2027-02-28", since=45),
    _mysql("8.0", 28, 44, "2026-07-31", "2029-07-31", since=40),
    _mysql("8.4", 3, 7, "2029-07-31", "2032-07-31", since=3),
    _postgres("11", 22, 22, "2024-02-29", "2027-03-31", since=23),
    _postgres("12", 22, 22, "2025-02-28", "2028-02-29", since=23),
    _postgres("13", 11, 23, "2026-02-28", "2029-02-28", since=20),
    _postgres("14", 8, 20, "2027-02-28", "2030-02-28", since=17),
    _postgres("15", 3, 15, "2028-02-29", "2031-02-28", since=12),
    _postgres("16", 1, 11, "2029-02-28", "2032-02-29", since=8),
    _postgres("17", 1, 7, "2030-02-28", "2033-02-28", since=4),
    _postgres("18", 1, 1, "2031-02-28", "2034-02-28", since=1),
    _mariadb("10.5", 25, 29, "2025-08-31"),
    _mariadb("10.6", 16, 24, "2026-08-31"),
    _mariadb("10.11", 7, 15, "2028-02-29"),
    _mariadb("11.4", 3, 9, "2029-06-30"),
    _mariadb("11.8", 3, 5, "2028-07-31"),
)


DEFAULTS = {
    "aurora-mysql": "8.0.mysql_aurora.3.08.2",
    "aurora-postgresql": "17.5",
    "mysql": "8.4.6",
    "postgres": "17.6",
    "mariadb": "11.4.8",
}
