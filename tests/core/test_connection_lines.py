"""Which lines of a log are connections without TLS, and where no log tells of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from controls.items import CLUSTER, INSTANCE
from warden.core import connection_lines
from warden.core.connection_lines import GENERAL, POSTGRESQL, Lines
from warden.core.kinds import Need
from warden.core.resource import Facts, Resource, ResourceRef

ACCOUNT = "arn:aws:rds:eu-west-1:123456789012"
# PostgreSQL's postinit.c writes user, database, application_name, SSL and GSS in this order; RDS's log_line_prefix is
# "%t:%r:%u@%d:[%p]:" or, for the other choice, "%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a".
PREFIX = "2026-11-24 16:00:00 UTC:10.0.0.5(51234):app@orders:[1234]:LOG:  "
TLS = " SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)"
OLD_TLS = " SSL enabled (protocol=TLSv1.2, cipher=ECDHE-RSA-AES256-GCM-SHA384, bits=256, compression=off)"
MYSQL = "2026-11-24T16:00:00.123456Z\t   12 Connect\t"


def is_client(lines: Lines, line: str) -> bool:
    conditions = re.findall(r"@message (not )?like /([^/]*)/", lines.clients_query)
    assert len(conditions) == 1 + len(lines.harmless)
    return all((re.search(pattern, line) is None) is bool(no) for no, pattern in conditions)


def is_counted(lines: Lines, line: str) -> bool:
    return re.search(lines.written, line) is not None


@pytest.mark.parametrize(
    ("line", "client"),
    [
        (f"{PREFIX}connection authorized: user=app database=orders", True),
        (f"{PREFIX}connection authorized: user=app database=orders application_name=psql", True),
        (f"{PREFIX}replication connection authorized: user=copier application_name=debezium", True),
        (f"{PREFIX}connection authorized: user=app application_name=x SSL enabled (protocol=TLSv1) y", True),
        (f"{PREFIX}connection authorized: user=app application_name=x SSL enabled (protocol=1)", True),
        (
            f"{PREFIX}connection authorized: user=app database=orders GSS (authenticated=yes, encrypted=yes)",
            True,
        ),
        (f"{PREFIX}connection authorized: user=rdsadministrator database=orders", True),
        # A loopback connection is one by TCP, of a job for instance, and rds.force_ssl may refuse it.
        ("2026-11-24 16:00:00 UTC:127.0.0.1(5):app@orders:[9]:LOG:  connection authorized: user=app", True),
        (f"{PREFIX}connection authorized: user=app database=orders application_name=psql{TLS}", False),
        (f"{PREFIX}connection authorized: user=app database=orders{OLD_TLS}\n", False),
        (
            f"{PREFIX}connection authorized: user=app database=orders{TLS} GSS (authenticated=yes, encrypted=no)",
            False,
        ),
        (
            "2026-11-24 16:00:00 UTC::@:[99]:LOG:  connection authorized: user=rdsadmin database=rdsadmin",
            False,
        ),
        ("2026-11-24 16:00:00 UTC:[local]:app@orders:[9]:LOG:  connection authorized: user=app", False),
    ],
)
def test_a_line_of_postgresql_is_a_client_without_tls_or_a_harmless_one(line: str, client: bool) -> None:
    assert is_counted(POSTGRESQL, line)
    assert is_client(POSTGRESQL, line) is client


@pytest.mark.parametrize(
    "line",
    [
        f"{PREFIX}connection received: host=10.0.0.5 port=51234",
        f'{PREFIX}connection authenticated: identity="app" method=md5',
        f"{PREFIX}statement: select 'connection authorized: user=app'",
        f"{PREFIX}disconnection: session time: 0:00:01.002 user=app database=orders host=10.0.0.5 port=51234",
    ],
)
def test_other_lines_of_postgresql_prove_nothing(line: str) -> None:
    assert not is_counted(POSTGRESQL, line)
    assert not is_client(POSTGRESQL, line)


@pytest.mark.parametrize(
    ("line", "client"),
    [
        (f"{MYSQL}app@10.0.0.5 on orders using TCP/IP", True),
        (f"{MYSQL}app@10.0.0.5 as owner on  using TCP/IP\n", True),
        ("\t\t   13 Connect\tapp@10.0.0.5 on orders using TCP/IP", True),
        (f"{MYSQL}app@10.0.0.5 on orders using SSL/TLS", False),
        (f"{MYSQL}app@localhost on orders using Socket", False),
        (f"{MYSQL}rdsadmin@localhost on  using TCP/IP", False),
    ],
)
def test_a_line_of_the_general_log_is_a_client_without_tls_or_a_harmless_one(line: str, client: bool) -> None:
    assert is_counted(GENERAL, line)
    assert is_client(GENERAL, line) is client


@pytest.mark.parametrize(
    "line",
    [
        f"{MYSQL}Access denied for user 'app'@'10.0.0.5' (using password: YES)",
        "2026-11-24T16:00:00.123456Z\t   12 Query\tselect 'Connect app@x using TCP/IP'",
        "2026-11-24T16:00:00.123456Z\t   12 Quit\t",
    ],
)
def test_other_lines_of_the_general_log_prove_nothing(line: str) -> None:
    assert not is_counted(GENERAL, line)


@pytest.mark.parametrize(
    ("prefix", "address"),
    [
        (PREFIX, "10.0.0.5"),
        ("2026-11-24 16:00:00.123 UTC:2001:db8::1(5):app@orders:[1]:2:00000:LOG:  ", "2001:db8::1"),
    ],
)
def test_the_query_finds_address_and_name_in_a_line_of_postgresql(prefix: str, address: str) -> None:
    line = f"{prefix}connection authorized: user=app database=orders application_name=label printer v2"
    found = [re.search(part.replace("(?<", "(?P<"), line) for part in POSTGRESQL.parts]
    row = {name: value for one in found if one is not None for name, value in one.groupdict().items()}
    client = POSTGRESQL.client({**row, "connections": "7", "last_seen": "1795539600000"})
    assert (client.address, client.user, client.database) == (address, "app", "orders")
    assert (client.application, client.connections) == ("label printer v2", 7)
    assert client.last_seen == "2026-11-24 17:00 UTC"


def test_the_query_finds_who_it_is_in_a_line_of_the_general_log() -> None:
    [part] = GENERAL.parts
    found = re.search(part.replace("(?<", "(?P<"), f"{MYSQL}app@10.0.0.5 on orders using TCP/IP")
    assert found is not None
    client = GENERAL.client({**found.groupdict(), "connections": "1", "last_seen": "2026-11-24 16:00:00.000"})
    assert (client.address, client.user, client.database) == ("10.0.0.5", "app", "orders")
    assert client.last_seen == "2026-11-24 16:00 UTC"


# --- where no log tells ---------------------------------------------------------------------------------------


def parameter(name: str, value: str | None) -> dict[str, Any]:
    item = {"ParameterName": name, "Source": "user" if value else "engine-default"}
    return item if value is None else {**item, "ParameterValue": value}


def parameters(values: dict[str, str | None]) -> Facts:
    return Facts({name: parameter(name, value) for name, value in values.items()})


def cluster(
    engine: str = "aurora-postgresql", *, logs: tuple[str, ...] = ("postgresql",), **values: Any
) -> Resource:
    own = values.pop("own", {})
    names = values.pop("members", ("orders-1", "orders-2"))
    facts = {
        **CLUSTER,
        "Engine": engine,
        "EnabledCloudwatchLogsExports": list(logs),
        "DBClusterMembers": [{"DBInstanceIdentifier": name} for name in names],
        Need.PARAMETERS: parameters(values),
        Need.MEMBER_PARAMETERS: {name: parameters(own.get(name, {})) for name in names},
    }
    ref = ResourceRef.from_arn(f"{ACCOUNT}:cluster:orders")
    return Resource(
        ref=ref, key="k", facts=Facts(facts), tags={}, observed_at=datetime(2026, 11, 24, tzinfo=UTC)
    )


def instance(engine: str = "postgres", *, logs: tuple[str, ...] = ("postgresql",), **values: Any) -> Resource:
    facts = {
        **INSTANCE,
        "Engine": engine,
        "EnabledCloudwatchLogsExports": list(logs),
        Need.INSTANCE_PARAMETERS: parameters(values),
    }
    ref = ResourceRef.from_arn(f"{ACCOUNT}:db:billing")
    return Resource(
        ref=ref, key="k", facts=Facts(facts), tags={}, observed_at=datetime(2026, 11, 24, tzinfo=UTC)
    )


GENERAL_ON = {"general_log": "1", "log_output": "FILE"}


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        (cluster(log_connections="1"), ""),
        (cluster(log_connections="receipt,authorization"), ""),
        (cluster(log_connections="all"), ""),
        (
            cluster(log_connections="receipt,authentication"),
            "on orders-1, log_connections is receipt,authent",
        ),
        (cluster(log_connections="0"), "on orders-1, log_connections is 0"),
        (cluster(log_connections=None), "on orders-1, log_connections is off"),
        (cluster(), "on orders-1, log_connections is not known"),
        (
            cluster(log_connections="1", own={"orders-2": {"log_connections": "0"}}),
            "on orders-2, log_connect",
        ),
        (
            cluster(log_connections="0", own={n: {"log_connections": "1"} for n in ("orders-1", "orders-2")}),
            "",
        ),
        (cluster(log_connections="1", logs=()), "its postgresql log is not exported"),
        (cluster(log_connections="1", members=()), "it has no instances"),
        (cluster("aurora-mysql", logs=("general",), **GENERAL_ON), ""),
        (
            cluster("aurora-mysql", logs=("general",), general_log="1", log_output="TABLE"),
            "log_output is TABLE",
        ),
        (cluster("aurora-mysql", logs=("audit", "error"), **GENERAL_ON), "its general log is not exported"),
        (cluster("aurora-mysql", logs=("audit",), general_log=None), "no other log of it tells"),
        (instance(log_connections="1"), ""),
        (instance(log_connections="0"), "log_connections is 0"),
        (instance("mariadb", logs=("general",), **GENERAL_ON), ""),
        (instance("sqlserver-se", logs=("error",)), "no log of sqlserver-se tells"),
    ],
)
def test_where_the_log_cannot_tell_it_is_said_why(resource: Resource, why: str) -> None:
    told = connection_lines.untold(resource)
    assert (why in told) if why else told == ""


def test_a_fact_that_could_not_be_read_is_a_reason_too() -> None:
    known = instance(log_connections="1")
    denied = Facts(dict(known.facts), {Need.INSTANCE_PARAMETERS: "access denied"})
    resource = Resource(ref=known.ref, key="k", facts=denied, tags={}, observed_at=known.observed_at)
    assert "access denied" in connection_lines.untold(resource)


@pytest.mark.parametrize(
    ("resource", "group"),
    [
        (cluster(), f"/aws/rds/cluster/{CLUSTER['DBClusterIdentifier']}/postgresql"),
        (instance("mysql"), f"/aws/rds/instance/{INSTANCE['DBInstanceIdentifier']}/general"),
    ],
)
def test_a_log_group_has_the_name_that_rds_gives_it(resource: Resource, group: str) -> None:
    assert connection_lines.log_group(resource) == group
