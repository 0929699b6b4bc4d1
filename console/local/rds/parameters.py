"""The parameters of every family: the ones that decide something by hand, the rest from their names."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from console.local.rds import engines
from console.local.rds.parameter_names import AURORA_MYSQL_ONLY, AURORA_POSTGRES_ONLY, MYSQL, POSTGRES

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOOLEAN = "0,1"
_ON_OFF = "ON,OFF"
_NATURAL = "0-2147483647"
_WHOLE = "-1-2147483647"
_PRELOADABLE = (
    "auto_explain,orafce,pg_bigm,pg_cron,pg_hint_plan,pg_prewarm,pg_similarity,pg_stat_statements,"
    "pg_tle,pgaudit,pglogical,pgactive,plprofiler,rdsutils"
)
_PGAUDIT_CLASSES = "ddl,function,misc,read,role,write,none,all,-ddl,-function,-misc,-read,-role,-write"
_AUDIT_EVENTS = "CONNECT,QUERY,QUERY_DCL,QUERY_DDL,QUERY_DML,QUERY_DML_NO_SELECT,TABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One parameter of one family, with the value it has before anybody changes it."""

    name: str
    value: str | None = None
    source: str = "engine-default"
    apply_type: str = "dynamic"
    data_type: str = "string"
    allowed: str | None = None
    modifiable: bool = True
    description: str = ""
    in_cluster: bool = True
    in_instance: bool = True

    def item(self, *, value: str | None = None, method: str = "pending-reboot") -> dict[str, Any]:
        """Render the parameter as AWS lists it; a value makes it the user's."""
        effective = self.value if value is None else value
        item: dict[str, Any] = {"ParameterName": self.name}
        if effective is not None:
            item["ParameterValue"] = effective
        item |= {
            "Description": self.description,
            "Source": self.source if value is None else "user",
            "ApplyType": self.apply_type,
            "DataType": self.data_type,
        }
        if self.allowed is not None:
            item["AllowedValues"] = self.allowed
        return item | {"IsModifiable": self.modifiable, "ApplyMethod": method}

    def allows(self, value: str) -> bool:
        """Say whether AWS would take a value."""
        if self.allowed is None:
            return True
        bounds = re.fullmatch(r"(-?\d+)-(-?\d+)", self.allowed)
        if bounds:
            try:
                return float(bounds[1]) <= float(value) <= float(bounds[2])
            except ValueError:
                return "{" in value  # a formula over the instance class
        choices = set(self.allowed.split(","))
        if self.data_type == "list":
            return {part.strip() for part in value.split(",") if part.strip()} <= choices
        return value in choices


def _postgres_that_matter(engine: str, major: int) -> Iterator[Definition]:
    is_aurora = engine == "aurora-postgresql"
    enforced_since = 17 if is_aurora else 15
    yield Definition(
        name="rds.force_ssl",
        value="1" if major >= enforced_since else "0",
        source="system",
        data_type="boolean",
        allowed=_BOOLEAN,
        description="Force SSL connections.",
        in_instance=not is_aurora,
    )
    yield Definition(
        name="shared_preload_libraries",
        value="pg_stat_statements" if is_aurora else "rdsutils,pg_stat_statements",
        source="system",
        apply_type="static",
        data_type="list",
        allowed=_PRELOADABLE,
        description="Lists shared libraries to preload into server.",
    )
    yield Definition(
        name="pgaudit.log",
        data_type="list",
        allowed=_PGAUDIT_CLASSES,
        description="Specifies which classes of statements will be logged by session audit logging.",
    )
    yield Definition(
        name="pgaudit.role",
        description="Specifies the master role to use for object audit logging.",
        allowed="rds_pgaudit",
    )
    yield Definition(
        name="pgaudit.log_catalog",
        data_type="boolean",
        allowed=_BOOLEAN,
        description="Specifies that session logging should be enabled if all relations are in pg_catalog.",
    )
    for name, what in (
        ("log_connections", "Logs each successful connection."),
        ("log_disconnections", "Logs end of a session, including duration."),
    ):
        yield Definition(
            name=name, value="0", source="system", data_type="boolean", allowed=_BOOLEAN, description=what
        )
    yield Definition(
        name="log_statement",
        allowed="none,ddl,mod,all",
        description="Sets the type of statements logged.",
    )
    yield Definition(
        name="log_min_duration_statement",
        data_type="integer",
        allowed=_WHOLE,
        description="(ms) Sets the minimum execution time above which statements will be logged.",
    )
    yield Definition(
        name="rds.log_retention_period",
        value="4320",
        source="system",
        data_type="integer",
        allowed="1440-10080",
        description="Amount of time to retain PostgreSQL log in minutes.",
    )
    yield Definition(
        name="rds.logical_replication",
        value="0",
        source="system",
        apply_type="static",
        data_type="boolean",
        allowed=_BOOLEAN,
        description="Enables logical decoding.",
        in_instance=not is_aurora,
    )
    if is_aurora:
        yield Definition(
            name="rds.global_db_rpo",
            data_type="integer",
            allowed="20-2147483647",
            description="(s) Recovery point objective threshold that blocks user commits when it is violated.",
            in_instance=False,
        )
    yield Definition(
        name="rds.force_admin_logging_level",
        allowed="disabled,debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,fatal,panic",
        description="See log messages for RDS admin user actions in customer databases.",
    )
    yield Definition(
        name="rds.restrict_password_commands",
        apply_type="static",
        data_type="boolean",
        allowed=_BOOLEAN,
        description="Restricts password-related commands to members of rds_password.",
        in_instance=not is_aurora,
    )
    yield Definition(
        name="rds.accepted_password_auth_method",
        value="md5+scram",
        source="system",
        allowed="md5+scram,scram",
        description="Force authentication for connections with passwords stored locally.",
        in_instance=not is_aurora,
    )
    yield Definition(
        name="password_encryption",
        value="scram-sha-256" if major >= 14 else "md5",  # noqa: PLR2004 - PostgreSQL's own change of default
        source="system",
        allowed="md5,scram-sha-256",
        description="Encrypt passwords.",
        in_instance=not is_aurora,
    )
    yield Definition(
        name="ssl_min_protocol_version",
        value="TLSv1.2",
        source="system",
        allowed="TLSv1,TLSv1.1,TLSv1.2,TLSv1.3",
        description="Sets the minimum SSL/TLS protocol version to use.",
        in_instance=not is_aurora,
    )
    yield Definition(
        name="ssl_ciphers",
        description="Sets the list of allowed TLS ciphers to be used on secure connections.",
        in_instance=not is_aurora,
    )


def _secure_transport(engine: str, major: str) -> Definition:
    value, allowed = {
        "aurora-mysql": ("OFF", _ON_OFF),
        "mariadb": ("ON" if major == "11.8" else "OFF", _ON_OFF),
    }.get(engine, ("0", _BOOLEAN))
    return Definition(
        name="require_secure_transport",
        value=value,
        data_type="boolean",
        allowed=allowed,
        description="Whether client connections to the server are required to use some form of secure transport.",
        in_instance=engine != "aurora-mysql",
    )


def _mysql_that_matter(engine: str, major: str) -> Iterator[Definition]:
    is_aurora = engine == "aurora-mysql"
    yield _secure_transport(engine, major)
    yield Definition(
        name="tls_version",
        value="TLSv1.2" if major == "5.7" else "TLSv1.2,TLSv1.3",
        source="system",
        apply_type="static",
        data_type="list",
        allowed="TLSv1,TLSv1.1,TLSv1.2,TLSv1.3",
        description="Protocols permitted for encrypted connections.",
        in_instance=not is_aurora,
    )
    for name, what in (
        ("general_log", "Whether the general query log is enabled."),
        ("slow_query_log", "Enable or disable the slow query log."),
        ("local_infile", "Controls whether LOCAL is supported for LOAD DATA INFILE."),
    ):
        yield Definition(
            name=name,
            value="1" if name == "local_infile" else None,
            data_type="boolean",
            allowed=_BOOLEAN,
            description=what,
        )
    yield Definition(
        name="log_output",
        value="FILE" if is_aurora else "TABLE",
        source="system",
        allowed="TABLE,FILE,NONE",
        description="Controls where to store query logs.",
    )
    yield Definition(
        name="long_query_time",
        data_type="float",
        allowed="0-31536000",
        description="Defines what MySQL considers long queries.",
    )
    yield Definition(
        name="default_password_lifetime",
        value="0",
        data_type="integer",
        allowed="0-65535",
        description="The global automatic password expiration policy.",
    )
    if is_aurora:
        yield from _aurora_mysql_auditing()


def _aurora_mysql_auditing() -> Iterator[Definition]:
    for name, what in (
        ("server_audit_logging", "Enables audit logging."),
        ("server_audit_logs_upload", "Enables publishing the audit log to CloudWatch Logs."),
        ("server_audit_cw_upload", "Deprecated: publishes the audit log to CloudWatch Logs."),
    ):
        yield Definition(
            name=name,
            value="0",
            source="system",
            data_type="boolean",
            allowed=_BOOLEAN,
            description=what,
            in_instance=False,
        )
    yield Definition(
        name="server_audit_events",
        data_type="list",
        allowed=_AUDIT_EVENTS,
        description="If set it specifies the set of types of events to log.",
        in_instance=False,
    )
    for name in ("server_audit_excl_users", "server_audit_incl_users", "aws_default_logs_role"):
        yield Definition(
            name=name, description=f"Aurora MySQL setting {name.replace('_', ' ')}.", in_instance=False
        )


_UNCHANGEABLE = re.compile(
    r"(_file|_directory|_dir|dir|directories|_path|file_mode|hba_file|ident_file|socket|pid_file|server_version.*"
    r"|have_.*|listen_addresses|port|server_encoding|ssl|fsync|full_page_writes|archive_command|datadir)$"
)
_STATIC = re.compile(
    r"^(max_connections|shared_buffers|max_worker_processes|max_wal_senders|max_prepared_transactions"
    r"|max_locks_per_transaction|huge_pages|wal_(buffers|level)|innodb_(buffer_pool_(size|instances)|page_size"
    r"|log_file.*|flush_method|undo_.*|read_io_threads|write_io_threads|purge_threads|autoinc_lock_mode)"
    r"|performance_schema.*|lower_case_table_names|binlog_format|gtid-mode|skip_name_resolve|.*preload.*"
    r"|track_activity_query_size|autovacuum_max_workers|autovacuum_freeze_max_age|thread_stack|back_log)$"
)
_YES_NO = re.compile(
    r"^(enable_.*|have_.*|debug_.*|track_(activities|counts|io_timing|wal_io_timing)|autovacuum|geqo|jit|fsync"
    r"|log_(checkpoints|duration|hostname|lock_waits|.*_stats|queries_.*|slow_.*|replication_commands)"
    r"|innodb_(.*_enabled|strict_mode|deadlock_detect|print_.*|adaptive_(flushing|hash_index)|file_per_table"
    r"|stats_(auto_recalc|on_metadata|persistent)|rollback_on_timeout)|.*\.(enable_.*|enabled|log_.*|track_.*)"
    r"|autocommit|event_scheduler|performance_schema|skip_.*|super_read_only|read_only|aurora_enable_.*"
    r"|apg_enable_.*|apg_.*_enabled|low_priority_updates|partial_revokes)$"
)
_NUMBER = re.compile(
    r"(_size|_limit|_timeout|_delay|_cost|_age|_threshold|_workers?|_threads?|_connections|_interval|_duration"
    r"|_mem|_pct|_count|_length|_cache|_level|_files|_factor|_period|_seconds|_target|_buffers|_min|_max|_depth"
    r"|_classes|_instances|_handles|_percentage|_naptime|_collapse_limit|_capacity|_segments|_parts|_slots)$"
)


def _derived(name: str) -> Definition:
    """Tell about a parameter what its name tells."""
    description = f"Engine setting {name.replace('_', ' ').replace('.', ': ')}."
    modifiable = not _UNCHANGEABLE.search(name)
    data_type, allowed = ("string", None)
    if _YES_NO.match(name):
        data_type, allowed = ("boolean", _BOOLEAN)
    elif _NUMBER.search(name):
        data_type, allowed = ("integer", _NATURAL)
    return Definition(
        name=name,
        source="engine-default" if modifiable else "system",
        apply_type="static" if _STATIC.match(name) or not modifiable else "dynamic",
        data_type=data_type,
        allowed=allowed,
        modifiable=modifiable,
        description=description,
        # A third of AWS's own lists exists for clusters alone; a stable choice per name will do here.
        in_instance=modifiable and hashlib.sha256(name.encode()).digest()[0] % 3 != 0,
    )


@cache
def definitions(family: str, *, cluster: bool) -> dict[str, Definition]:
    """List a family's parameters by name, for cluster groups or for instance groups."""
    engine = engines.engine_of(family)
    major = family.removeprefix(engine)
    if engine.endswith(("postgresql", "postgres")):
        chosen = list(_postgres_that_matter(engine, int(major)))
        names = POSTGRES.split() + (AURORA_POSTGRES_ONLY.split() if engine.startswith("aurora") else [])
    elif engine:
        chosen = list(_mysql_that_matter(engine, major))
        names = MYSQL.split() + (AURORA_MYSQL_ONLY.split() if engine.startswith("aurora") else [])
    else:
        return {}
    known = {one.name for one in chosen}
    every = [*chosen, *(_derived(name) for name in names if name not in known)]
    is_aurora = engine.startswith("aurora")
    kept = [
        one
        for one in every
        if (one.in_cluster if cluster else one.in_instance or (not is_aurora and one not in chosen))
    ]
    return {one.name: one for one in sorted(kept, key=lambda one: one.name)}
