"""Sessions that are open now: what the writer of a cluster tells through the Data API, if the policy has it asked.

It names clients that no log shows, also those that connected long ago. It proves no absence: a moment is no cycle, and
the Data API speaks with the writer, which does not know the sessions of readers.
"""

from __future__ import annotations

import re
from dataclasses import field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from warden.core import engines
from warden.core.dataclass import dataclass
from warden.core.preflight import MOST_CLIENTS, Answer, Client, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from warden.core.policy_values import PolicyValues

EVERY = timedelta(minutes=55)
"""Ticks come each five minutes, so this is once an hour."""
STALE = timedelta(hours=2)
"""After so long a sample says nothing of now; while a finding is open, the next one comes before."""
_CLUSTER = re.compile(r"arn:aws[a-z-]*:rds:[a-z0-9-]+:\d{12}:cluster:[A-Za-z0-9-]+")
_SECRET = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+")

# Each returns at least one row, so that "no such session" differs from "may not see them": without pg_read_all_stats
# (pg_monitor has it) PostgreSQL shows other users' sessions without their addresses, and MySQL's table is empty while
# performance_schema is off.
_POSTGRESQL = (
    "select pg_has_role(current_user, 'pg_read_all_stats', 'usage') as sees, s.* from (select 1) as one left join "
    "(select a.usename::text, host(a.client_addr) as address, a.datname::text, a.application_name, count(*) as number "
    "from pg_stat_activity a join pg_stat_ssl t on t.pid = a.pid where not t.ssl and a.client_addr is not null and "
    "a.pid <> pg_backend_pid() and a.usename not in ('rdsadmin', 'rdsrepladmin', 'rdstopmgr') "
    "group by 1, 2, 3, 4 limit 200) as s on true"
)
_MYSQL = (
    "select @@performance_schema as sees, s.* from (select 1 as one) as one left join "
    "(select processlist_user, processlist_host, processlist_db, '' as application, count(*) as number "
    "from performance_schema.threads where type = 'FOREGROUND' and connection_type = 'TCP/IP' and "
    "processlist_id <> connection_id() and processlist_user not in ('rdsadmin', 'rdsrepladmin', 'rdstopmgr') "
    "group by 1, 2, 3 limit 200) as s on true"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A cluster that may be asked, and with which secret."""

    cluster: str
    """Its ARN."""
    secret: str
    """The ARN of the secret with the credentials of a database user; Warden never reads it."""
    database: str = ""
    """The database to connect to; empty for the default of the Data API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The sessions without TLS that were found so far, in the cycle before the last look."""

    arn: str
    at: datetime
    why: str = ""
    """Why the last look came to nothing; empty where it did not."""
    clients: tuple[Client, ...] = ()
    noted: Mapping[str, str] = field(default_factory=dict)
    """When each client was first found, by its mark."""


def read(table: Mapping[str, Any], values: PolicyValues) -> tuple[Access, ...]:
    """Read `preflight.data_api` of the policy; raises PolicyError."""
    found = []
    for row, where in values.rows(table, "data_api"):
        key = f"preflight.{where}"
        values.keys(row, key, required={"cluster", "secret"}, optional={"database"})
        cluster, secret = (values.typed(row[name], str, f"{key}.{name}") for name in ("cluster", "secret"))
        if not _CLUSTER.fullmatch(cluster):
            values.fail(f"{key}.cluster", f"{cluster!r} is not the ARN of a cluster")
        if not _SECRET.fullmatch(secret):
            values.fail(f"{key}.secret", f"{secret!r} is not the ARN of a secret")
        database = values.typed(row.get("database", ""), str, f"{key}.database")
        found.append(Access(cluster=cluster, secret=secret, database=database))
    return tuple(found)


def statement(engine: str) -> str:
    """What the writer of a cluster of this engine is asked; empty where the Data API does not speak with it."""
    if engine not in engines.AURORA:
        return ""
    return _POSTGRESQL if engine in engines.POSTGRES else _MYSQL


def sampled(
    old: Sample | None, rows: Sequence[Sequence[Any]], *, arn: str, now: datetime, days: int
) -> Sample:
    """The sample with what a statement returned."""
    kept = old or Sample(arn=arn, at=now)
    if not rows or not rows[0][0]:
        return failed(kept, "its database user may not see other users' sessions", arn=arn, now=now)
    clients = {
        (one.mark, one.address): one
        for one in kept.clients
        if one.last_seen > f"{now - timedelta(days=days):%Y-%m-%d}"
    }
    for _, user, address, database, application, number in rows:
        if user is None:
            continue
        one = Client(
            address=str(address or ""),
            user=str(user),
            database=str(database or ""),
            application=str(application or ""),
            connections=int(number),
            # To the day: what stays open for weeks is one thing to tell, and no news each hour.
            last_seen=f"{now:%Y-%m-%d}",
        )
        before = clients.get((one.mark, one.address))
        most = max(one.connections, before.connections if before is not None else 0)
        clients[one.mark, one.address] = replace(one, connections=most)
    stamp = now.isoformat()
    noted = {one.mark: kept.noted.get(one.mark, stamp) for one in clients.values()}
    return Sample(arn=arn, at=now, clients=tuple(clients.values())[-MOST_CLIENTS:], noted=noted)


def failed(old: Sample | None, why: object, *, arn: str, now: datetime) -> Sample:
    """The sample after a look that came to nothing."""
    return replace(old or Sample(arn=arn, at=now), at=now, why=str(why).rstrip("."))


def added(answer: Answer, sample: Sample, *, noted: Mapping[str, str]) -> Answer:
    """An answer with what open sessions add to it; `noted` says when its own clients were first found.

    Where the policy wants the writer to be asked, and it could not be, nothing is clean.
    """
    if sample.clients:
        marks = {(one.mark, one.address) for one in answer.clients}
        more = tuple(one for one in sample.clients if (one.mark, one.address) not in marks)
        first = {mark: min(at, noted.get(mark, at)) for mark, at in sample.noted.items()}
        return replace(
            answer,
            outcome=Outcome.SEEN,
            until=answer.until or sample.at.isoformat(),
            clients=(*more, *answer.clients)[:MOST_CLIENTS],
            limited=answer.limited or len(more) + len(answer.clients) >= MOST_CLIENTS,
            noted=max([answer.noted, *first.values()]),
        )
    if sample.why:
        return replace(answer, outcome=Outcome.UNKNOWN, why=sample.why) if answer.is_clean else answer
    if answer.outcome is Outcome.UNKNOWN:
        return replace(answer, why=f"{answer.why}; no session that is open on its writer now is without TLS")
    return answer
