"""Preflight: who connects without TLS now, judged from the lines that PostgreSQL logs; never from their absence.

Beside `Approval` in the flow. "None seen" takes a log that is proven to have been written on every day of the cycle, by
every instance; whatever falls short of that is unknown, with its reason, and asks a person.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from warden.core import connection_logs, engines
from warden.core.errors import MissingFactError
from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from warden.core.policy_values import PolicyValues
    from warden.core.resource import Resource

DAYS = 14
_LONGEST_CYCLE = 92
MOST_CLIENTS = 200
MOST_ROWS = 10_000
"""What StartQuery lets a query return (Amazon CloudWatch Logs API Reference, StartQuery: limit)."""
SHOWN = 20
FRESH = timedelta(hours=6)
"""So long an answer counts: each new one scans the whole cycle's log, which CloudWatch Logs bills by the gigabyte."""

# "rdsadmin", "rdsrepladmin" and "rdstopmgr" are AWS's own (Amazon RDS User Guide, "Understanding PostgreSQL roles and
# permissions"). TLS is told at the end of the line: a client may call itself anything before that.
_LINES = "@message like /connection authorized: user=/"
COVERAGE_QUERY = f"filter {_LINES} | stats count(*) as lines by @logStream, bin(1d) | limit {MOST_ROWS}"
CLIENTS_QUERY = (
    f"filter {_LINES}"
    r" and @message not like /connection authorized: user=(rdsadmin|rdsrepladmin|rdstopmgr)(\s|$)/"
    r" and @message not like / SSL enabled \(protocol=[^()]*\)( GSS \([^()]*\))?\s*$/"
    r" | parse @message /^\S+ \S+ [^:\s]+:(?<address>[^\s\(]*)\(\d+\):/"
    r" | parse @message /connection authorized: (?<who>user=.*)/"
    " | stats count(*) as connections, max(@timestamp) as last_seen by address, who"
    f" | sort last_seen desc | limit {MOST_CLIENTS}"
)
_WHO = re.compile(
    r"user=(?P<user>.*?)(?: database=(?P<database>.*?))?(?: application_name=(?P<application>.*?))?"
    r"(?: GSS \(.*\))?\s*$"
)
_EXPORTED = "EnabledCloudwatchLogsExports"


class Question(StrEnum):
    """What must be known about live use before a control writes."""

    CLEAR_TEXT = "clear_text"
    """Who connects without TLS."""
    PASSWORD = "password"  # noqa: S105 - the name of a question
    """Who logs in with the present master password: nothing that AWS keeps tells it."""


class Outcome(StrEnum):
    """What a preflight found."""

    NONE_SEEN = "none_seen"
    SEEN = "seen"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One client that connected without TLS, as the log tells it."""

    address: str
    user: str
    database: str
    application: str
    connections: int
    last_seen: str

    @property
    def mark(self) -> str:
        """What makes it the same client again; not its address, which changes with every new container."""
        return f"{self.user}|{self.database}|{self.application}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a preflight found, for people and for the ledger."""

    outcome: Outcome
    why: str = ""
    """Of an unknown answer: why."""
    days: int = DAYS
    until: str = ""
    """The moment up to which the log was read."""
    clients: tuple[Client, ...] = ()
    """The most recently seen, at most `MOST_CLIENTS`."""
    limited: bool = False
    """Whether there may be more."""
    noted: str = ""
    """When the newest of them was first found by a preflight: what was approved before that did not know it."""

    @property
    def is_clean(self) -> bool:
        """Whether nobody was seen, over a whole cycle."""
        return self.outcome is Outcome.NONE_SEEN

    @property
    def sentence(self) -> str:
        """The answer, as a sentence."""
        if self.outcome is Outcome.UNKNOWN:
            return f"Whether anybody connects without TLS is unknown: {self.why}."
        span = f"in the {self.days} days up to {self.until[:16].replace('T', ' ')} UTC"
        if self.outcome is Outcome.NONE_SEEN:
            return f"Nobody was seen to connect without TLS {span}."
        number = f"{'At least ' if self.limited else ''}{len(self.clients)}"
        return f"{number} client{'' if len(self.clients) == 1 else 's'} connected without TLS {span}."

    @property
    def lines(self) -> tuple[str, ...]:
        """Its clients, a line for each; at most `SHOWN`."""
        shown = tuple(
            f"{one.user} of {one.address or 'an unknown address'}, database {one.database or '-'}, application "
            f"{one.application or '-'}: {one.connections} times, last at {one.last_seen}"
            for one in self.clients[:SHOWN]
        )
        left = len(self.clients) - len(shown)
        return (*shown, f"and {left} more") if left else shown

    def to_json(self) -> dict[str, Any]:
        """For the finding, the ledger and the State table."""
        return {
            **asdict(self),
            "outcome": self.outcome.value,
            "clients": [asdict(one) for one in self.clients],
        }


def answer_of(kept: Mapping[str, Any] | None) -> Answer | None:
    """The answer that `to_json` made; None where nothing was asked."""
    if not kept:
        return None
    clients = tuple(Client(**{**one, "connections": int(one["connections"])}) for one in kept["clients"])
    return Answer(
        **{**kept, "outcome": Outcome(kept["outcome"]), "days": int(kept["days"]), "clients": clients}
    )


def unknown(why: object, *, days: int = DAYS) -> Answer:
    """The answer that is none, with its reason as a clause."""
    return Answer(outcome=Outcome.UNKNOWN, why=str(why).rstrip("."), days=days)


def untold(resource: Resource) -> str:
    """Why the log of a database cannot tell who connects without TLS; empty where it may."""
    if resource.ref.resource_type is ResourceType.DB_PROXY:
        return "a proxy tells samples of its clients (the metric ClientConnectionsNoTLS), and not each connection"
    try:
        engine = resource.facts["Engine"]
        if engine not in engines.POSTGRES:
            return f"no log of {engine} that Warden reads tells which connections have TLS"
        if "postgresql" not in resource.facts[_EXPORTED]:
            return "its PostgreSQL log is not exported to CloudWatch Logs"
        cluster = resource.ref.resource_type is ResourceType.DB_CLUSTER
        items = resource.facts[Need.PARAMETERS if cluster else Need.INSTANCE_PARAMETERS]
        value = connection_logs.values_of(items, (connection_logs.CONNECTS,))[connection_logs.CONNECTS]
    except MissingFactError as error:
        return str(error)
    if not connection_logs.is_logged(value or ""):
        return f"log_connections is {value or 'not known'}"
    return ""


def instances(resource: Resource) -> tuple[str, ...]:
    """The names of the instances whose logs must be there; raises MissingFactError."""
    if resource.ref.resource_type is ResourceType.DB_INSTANCE:
        return (str(resource.facts["DBInstanceIdentifier"]),)
    return tuple(sorted(one["DBInstanceIdentifier"] for one in resource.facts["DBClusterMembers"]))


def log_group(resource: Resource) -> str:
    """The log group to which RDS exports a PostgreSQL log (Amazon RDS and Aurora User Guides)."""
    cluster = resource.ref.resource_type is ResourceType.DB_CLUSTER
    name = resource.facts["DBClusterIdentifier" if cluster else "DBInstanceIdentifier"]
    return f"/aws/rds/{'cluster' if cluster else 'instance'}/{name}/postgresql"


def begins(now: datetime, days: int) -> datetime:
    """The beginning of the cycle: so many whole days of UTC before this one."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)


def too_young(created: datetime | None, retention: int | None, *, now: datetime, days: int) -> str:
    """Why a log group does not hold a whole cycle; empty where it does."""
    if created is None:
        return "its log group does not exist"
    if created > begins(now, days):
        return f"its log group exists since {created:%Y-%m-%d %H:%M} UTC, and the cycle is {days} whole days"
    if retention is not None and retention <= days:
        return f"its log group keeps {retention} days, and {days} whole days take {days + 1}"
    return ""


def judge(
    coverage: Sequence[Mapping[str, str]],
    clients: Sequence[Mapping[str, str]],
    *,
    names: Iterable[str],
    now: datetime,
    days: int,
) -> Answer:
    """The answer, from the rows of the two queries."""
    until = now.astimezone(UTC).isoformat()
    if clients:
        seen = tuple(_client(row) for row in clients)
        return Answer(
            outcome=Outcome.SEEN, days=days, until=until, clients=seen, limited=len(clients) >= MOST_CLIENTS
        )
    if not coverage:
        return unknown(f"its log holds no connection at all in {days} days", days=days)
    if len(coverage) >= MOST_ROWS:
        return unknown("the query returned as many rows as it may", days=days)
    logged: set[tuple[str, str]] = set()
    for row in coverage:
        stream, day = row.get("@logStream", ""), row.get("bin(1d)", "")[:10]
        logged.add((stream.rpartition(".")[0] or stream, day))
    first = begins(now, days)
    wanted = [f"{first + timedelta(days=number):%Y-%m-%d}" for number in range(days)]
    every = tuple(names)
    if not every:
        return unknown("it has no instances whose logs could be read", days=days)
    for name in every:
        if absent := [day for day in wanted if (name, day) not in logged]:
            return unknown(
                f"{name} logged no connection on {len(absent)} of the last {days} days, such as {absent[0]}",
                days=days,
            )
    return Answer(outcome=Outcome.NONE_SEEN, days=days, until=until)


def _client(row: Mapping[str, str]) -> Client:
    found = _WHO.match(row.get("who", ""))
    told = {name: value or "" for name, value in found.groupdict().items()} if found else {}
    return Client(
        address=row.get("address", ""),
        user=told.get("user", ""),
        database=told.get("database", ""),
        application=told.get("application", ""),
        connections=int(float(row["connections"])),
        last_seen=_time(row.get("last_seen", "")),
    )


def _time(value: str) -> str:
    """A time of Logs Insights: milliseconds since 1970, or as it writes @timestamp."""
    if value.replace(".", "", 1).isdigit():
        return f"{datetime.fromtimestamp(float(value) / 1000, UTC):%Y-%m-%d %H:%M} UTC"
    return f"{value[:16]} UTC" if value else "an unknown time"


def read_days(table: Mapping[str, Any], values: PolicyValues) -> int:
    """The section `preflight`: the days of a business cycle."""
    values.keys(table, "preflight", optional={"days"})
    return values.number(table, "preflight.days", DAYS, low=1, high=_LONGEST_CYCLE)
