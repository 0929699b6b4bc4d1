"""The lines that databases log of connections: which log has them, and which of them tell of a client without TLS.

PostgreSQL writes one for each connection that is authorized, where `log_connections` says so. MySQL and MariaDB write
one into the general log alone: the lines of their audit logs do not tell of TLS.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from warden.core import engines, parameters
from warden.core import group_changes as changes
from warden.core.dataclass import dataclass
from warden.core.errors import MissingFactError
from warden.core.kinds import Need
from warden.core.preflight import MOST_CLIENTS, Client
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from warden.core.resource import Facts, Resource

MOST_ROWS = 10_000
"""As many "log event results" as a page of GetQueryResults has (Amazon CloudWatch Logs API Reference)."""
_EXPORTED = "EnabledCloudwatchLogsExports"
# "rdsadmin", "rdsrepladmin" and "rdstopmgr" are AWS's own (Amazon RDS User Guide, "Understanding PostgreSQL roles and
# permissions"; "Master user account privileges"): nobody else can log in as one of them.
_AWS_OWN = "(rdsadmin|rdsrepladmin|rdstopmgr)"
_ASPECTS = frozenset({"authorization", "all"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The lines of a family of engines."""

    log: str
    """The type of log, as RDS exports it."""
    is_told: Callable[[Mapping[str, str | None]], str]
    """Why the values of parameters say that no such lines are written; empty where they are."""
    defaults: Mapping[str, str | None]
    """The parameters, with the values that their vendor documents where nobody set one."""
    written: str
    """A regular expression: the lines that each connection leaves, whatever it is."""
    harmless: tuple[str, ...]
    """Those of them that no demand for TLS can cut off: they have it, do not cross a network, or are AWS's own."""
    parts: tuple[str, ...]
    """What is parsed out of a line: `who`, and `address` where it stands apart."""
    who: re.Pattern[str]

    @property
    def coverage_query(self) -> str:
        """Counts the lines of every instance and hour."""
        return f"filter @message like /{self.written}/ | stats count(*) as lines by @logStream, bin(1h)"

    @property
    def clients_query(self) -> str:
        """Lists the clients without TLS, the most recent first."""
        tests = "".join(f" and @message not like /{pattern}/" for pattern in self.harmless)
        parsed = "".join(f" | parse @message /{pattern}/" for pattern in self.parts)
        return (
            f"filter @message like /{self.written}/{tests}{parsed}"
            " | stats count(*) as connections, max(@timestamp) as last_seen by address, who"
            f" | sort last_seen desc | limit {MOST_CLIENTS}"
        )

    def client(self, row: Mapping[str, str]) -> Client:
        """One row of the query for clients."""
        found = self.who.match(row.get("who", ""))
        told = {name: value or "" for name, value in found.groupdict().items()} if found else {}
        return Client(
            address=row.get("address", "") or told.get("address", ""),
            user=told.get("user", "") or row.get("who", ""),
            database=told.get("database", ""),
            application=told.get("application", ""),
            connections=int(float(row["connections"])),
            last_seen=_time(row.get("last_seen", "")),
        )


def _postgresql(values: Mapping[str, str | None]) -> str:
    value = values["log_connections"]
    # PostgreSQL 18 takes a list of aspects, of which `authorization` is the line that tells of TLS.
    on = parameters.is_on(value)
    if on is None and value is not None:
        on = bool({word.lower() for word in changes.words(value)} & _ASPECTS)
    return "" if on else f"log_connections is {value or 'not known'}"


def _general(values: Mapping[str, str | None]) -> str:
    if not parameters.is_on(values["general_log"]):
        return (
            f"general_log is {values['general_log'] or 'not known'}, and no other log of it tells which "
            "connections have TLS"
        )
    output = values["log_output"]
    return "" if output is None or "FILE" in output.upper() else f"log_output is {output}, and no file"


POSTGRESQL = Lines(
    log="postgresql",
    is_told=_postgresql,
    # PostgreSQL documentation, "Error Reporting and Logging".
    defaults={"log_connections": "off"},
    written=r"LOG:\s+(replication )?connection authorized: user=",
    harmless=(
        rf"connection authorized: user={_AWS_OWN}(\s|$)",
        # A socket of the host itself: rds.force_ssl is about connections by TCP.
        r"^\S+ \S+ [^:\s]+:\[local\]:",
        # At the end of the line: a client may call itself anything before that.
        r" SSL enabled \(protocol=(TLS|SSL)v[^()]*\)( GSS \([^()]*\))?\s*$",
    ),
    parts=(
        r"^\S+ \S+ [^:\s]+:(?<address>[^\s\(]*)\(\d+\):",
        r"connection authorized: (?<who>user=.*)",
    ),
    who=re.compile(
        r"user=(?P<user>.*?)(?: database=(?P<database>.*?))?(?: application_name=(?P<application>.*?))?"
        r"(?: GSS \(.*\))?\s*$"
    ),
)
GENERAL = Lines(
    log="general",
    is_told=_general,
    # MySQL Reference Manual, "Server System Variables": OFF, and FILE.
    defaults={"general_log": "OFF", "log_output": None},
    # "app@10.0.0.5 on orders using TCP/IP": the last words are the name of the transport.
    written=r"\s\d+ Connect\s+.*@.* using (TCP.IP|SSL.TLS|Socket|Named Pipe|Shared Memory)\s*$",
    harmless=(
        rf" Connect\s+{_AWS_OWN}@",
        # What require_secure_transport lets through: TLS, socket files and shared memory.
        r" using (SSL.TLS|Socket|Shared Memory)\s*$",
    ),
    parts=(r" Connect\s+(?<who>.* using .*)",),
    who=re.compile(
        r"(?P<user>.*?)@(?P<address>\S*)(?: as \S.*?)? on (?P<database>.*?) using (?P<transport>.*?)\s*$"
    ),
)


def of_engine(engine: str) -> Lines | None:
    """The lines of an engine; None where none of its logs tells which connections have TLS."""
    if engine in engines.POSTGRES:
        return POSTGRESQL
    return GENERAL if engine in engines.MYSQL or engine == "mariadb" else None


def untold(resource: Resource) -> str:
    """Why the log of a database cannot tell who connects without TLS, as it is set now; empty where it may."""
    if resource.ref.resource_type is ResourceType.DB_PROXY:
        return "a proxy tells samples of its clients (the metric ClientConnectionsNoTLS), and not each connection"
    try:
        engine = resource.facts["Engine"]
        lines = of_engine(engine)
        if lines is None:
            return f"no log of {engine} tells which connections have TLS"
        # A parameter that is off is told first: without it there is nothing to export.
        if why := _unwritten(resource, lines):
            return why
        if lines.log not in resource.facts[_EXPORTED]:
            return f"its {lines.log} log is not exported to CloudWatch Logs"
    except MissingFactError as error:
        return str(error).rstrip(".")
    return ""


def _unwritten(resource: Resource, lines: Lines) -> str:
    """Why such lines are not written, on all instances or on one, whose own group wins."""
    if resource.ref.resource_type is ResourceType.DB_INSTANCE:
        return lines.is_told(_values(resource.facts[Need.INSTANCE_PARAMETERS], lines))
    shared = resource.facts[Need.PARAMETERS]
    own = resource.facts[Need.MEMBER_PARAMETERS]
    members = sorted(one["DBInstanceIdentifier"] for one in resource.facts["DBClusterMembers"])
    for member in members:
        if why := lines.is_told(_values({**_of(shared, lines), **_of(own[member], lines)}, lines)):
            return f"on {member}, {why}"
    return "" if members else "it has no instances whose logs could be read"


def _of(items: Mapping[str, Any], lines: Lines) -> dict[str, Any]:
    return {name: items[name] for name in lines.defaults if name in items}


def _values(items: Mapping[str, Any], lines: Lines) -> dict[str, str | None]:
    return {
        name: changes.value_of(items[name], documented) if name in items else None
        for name, documented in lines.defaults.items()
    }


def log_group(resource: Resource) -> str:
    """The log group to which RDS exports the log (Amazon RDS and Aurora User Guides, publishing to CloudWatch Logs)."""
    cluster = resource.ref.resource_type is ResourceType.DB_CLUSTER
    name = resource.facts["DBClusterIdentifier" if cluster else "DBInstanceIdentifier"]
    lines = of_engine(resource.facts["Engine"])
    return f"/aws/rds/{'cluster' if cluster else 'instance'}/{name}/{lines.log if lines else ''}"


def born(facts: Facts, name: str) -> datetime:
    """When something was created; the distant past where AWS does not say."""
    return facts[name] if name in facts and facts[name] is not None else datetime(1970, 1, 1, tzinfo=UTC)


def _time(value: str) -> str:
    """A time of Logs Insights: milliseconds since 1970, or as it writes @timestamp."""
    if value.replace(".", "", 1).isdigit():
        return f"{datetime.fromtimestamp(float(value) / 1000, UTC):%Y-%m-%d %H:%M} UTC"
    return f"{value[:16]} UTC" if value else "an unknown time"
