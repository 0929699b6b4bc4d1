"""Audit and connection logs on the local AWS: made by boto3, read, judged, put right, and judged again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateways.estate import Estate
from warden.core.control import ComplianceType
from warden.core.plan import Manual, Plan

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPLIANT, NON_COMPLIANT = ComplianceType.COMPLIANT, ComplianceType.NON_COMPLIANT
MYSQL = {"Engine": "aurora-mysql", "EngineVersion": "8.0.mysql_aurora.3.08.0"}
POSTGRES = {"Engine": "aurora-postgresql", "EngineVersion": "16.6"}
FAMILIES = {"aurora-mysql": "aurora-mysql8.0", "aurora-postgresql": "aurora-postgresql16"}


@pytest.fixture
def estate() -> Iterator[Estate]:
    with Estate() as made:
        yield made


def cluster(estate: Estate, name: str, engine: dict[str, str], *, group: str = "", members: int = 1) -> str:
    """A cluster in a parameter group of its own, or in the given one."""
    rds = estate.client("rds")
    if not group:
        group = f"{name}-group"
        rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=group,
            DBParameterGroupFamily=FAMILIES[engine["Engine"]],
            Description="Logs",
        )
    made = rds.create_db_cluster(
        DBClusterIdentifier=name,
        MasterUsername="steward",
        MasterUserPassword="correct-horse-battery",
        DBClusterParameterGroupName=group,
        **engine,
    )
    for number in range(members):
        rds.create_db_instance(
            DBInstanceIdentifier=f"{name}-{number}",
            DBClusterIdentifier=name,
            Engine=engine["Engine"],
            DBInstanceClass="db.r6g.large",
        )
    estate.aws.rds.settle()
    return str(made["DBCluster"]["DBClusterArn"])


def set_parameters(estate: Estate, group: str, method: str = "immediate", **values: str) -> None:
    parameters = [
        {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}
        for name, value in values.items()
    ]
    estate.client("rds").modify_db_cluster_parameter_group(
        DBClusterParameterGroupName=group, Parameters=parameters
    )


def parameters_of(estate: Estate, group: str) -> dict[str, Any]:
    pages = estate.client("rds").get_paginator("describe_db_cluster_parameters")
    found = pages.paginate(DBClusterParameterGroupName=group).search("Parameters")
    return {item["ParameterName"]: item.get("ParameterValue") for item in found}


# --- Aurora MySQL -----------------------------------------------------------------------------------------


def test_the_audit_log_of_mysql_is_turned_on_with_the_events_that_lack(estate: Estate) -> None:
    arn = cluster(estate, "shop", MYSQL)
    set_parameters(estate, "shop-group", server_audit_events="TABLE")
    before = estate.judged("cluster_mysql_audit_effective", arn)
    assert before.compliance is NON_COMPLIANT
    assert "server_audit_logging is off" in before.annotation
    assert "lacks CONNECT, QUERY_DCL, QUERY_DDL" in before.annotation
    assert estate.fixed("cluster_mysql_audit_effective", arn).compliance is COMPLIANT
    live = parameters_of(estate, "shop-group")
    assert live["server_audit_events"] == "TABLE,CONNECT,QUERY_DCL,QUERY_DDL"
    assert live["server_audit_logging"] == "1"


def test_a_user_who_is_left_out_of_the_audit_log_is_a_persons_question(estate: Estate) -> None:
    arn = cluster(estate, "shop", MYSQL)
    set_parameters(estate, "shop-group", server_audit_excl_users="app,agent")
    # What can be put right is; who is left out remains.
    after = estate.fixed("cluster_mysql_audit_effective", arn, excluded_users=["agent"])
    assert after.compliance is NON_COMPLIANT
    assert after.annotation.endswith("server_audit_excl_users leaves out app.")
    told = estate.planned("cluster_mysql_audit_effective", arn, excluded_users=["agent"])
    assert isinstance(told, Manual)
    assert "ParameterName=server_audit_excl_users" in told.steps[0]


def test_instead_of_a_default_and_of_a_shared_group_there_is_one_of_its_own(estate: Estate) -> None:
    default = cluster(estate, "plain", MYSQL, group="default.aurora-mysql8.0")
    shared = cluster(estate, "shop", MYSQL)
    cluster(estate, "stock", MYSQL, group="shop-group")
    for arn, operation, source in (
        (default, "CreateDBClusterParameterGroup", {"DBParameterGroupFamily": "aurora-mysql8.0"}),
        (
            shared,
            "CopyDBClusterParameterGroup",
            {"SourceDBClusterParameterGroupIdentifier": "shop-group"},
        ),
    ):
        assert estate.judged("cluster_mysql_audit_effective", arn).compliance is NON_COMPLIANT
        planned = estate.planned("cluster_mysql_audit_effective", arn)
        assert isinstance(planned, Plan)
        assert planned.disrupts
        [call] = planned.calls
        assert call.operation == operation
        assert source.items() <= call.parameters.items()


def test_the_second_path_of_mysql_stands_in_the_evidence(estate: Estate) -> None:
    arn = cluster(estate, "shop", MYSQL)
    set_parameters(
        estate,
        "shop-group",
        server_audit_logging="1",
        server_audit_events="CONNECT,QUERY",
        server_audit_logs_upload="1",
    )
    found = estate.judged("cluster_mysql_audit_effective", arn)
    assert found.compliance is COMPLIANT
    assert found.evidence["Parameters"]["server_audit_logs_upload"]["ParameterValue"] == "1"


# --- Aurora PostgreSQL ------------------------------------------------------------------------------------


def test_pgaudit_is_appended_and_waits_for_a_reboot_that_a_person_makes(estate: Estate) -> None:
    arn = cluster(estate, "orders", POSTGRES, members=2)
    before = estate.judged("cluster_postgresql_audit_effective", arn)
    assert before.compliance is NON_COMPLIANT
    assert "shared_preload_libraries lacks pgaudit" in before.annotation
    after = estate.fixed("cluster_postgresql_audit_effective", arn)
    live = parameters_of(estate, "orders-group")
    assert live["shared_preload_libraries"] == "pg_stat_statements,pgaudit"
    assert live["pgaudit.log"] == "ddl,role"
    assert after.compliance is NON_COMPLIANT
    assert "orders-0 (pending-reboot), orders-1 (pending-reboot)" in after.annotation
    told = estate.planned("cluster_postgresql_audit_effective", arn)
    assert isinstance(told, Manual)
    assert "CREATE EXTENSION" in told.why
    for step in told.steps:
        estate.client("rds").reboot_db_instance(DBInstanceIdentifier=step.split()[4])
    estate.aws.rds.settle()
    assert estate.judged("cluster_postgresql_audit_effective", arn).compliance is COMPLIANT


def test_classes_are_added_to_those_that_somebody_chose(estate: Estate) -> None:
    arn = cluster(estate, "orders", POSTGRES, members=0)
    set_parameters(
        estate,
        "orders-group",
        "pending-reboot",
        **{"shared_preload_libraries": "pg_stat_statements,pgaudit,pg_cron", "pgaudit.log": "none,write"},
    )
    assert estate.fixed("cluster_postgresql_audit_effective", arn).compliance is COMPLIANT
    live = parameters_of(estate, "orders-group")
    assert live["pgaudit.log"] == "write,ddl,role"
    assert live["shared_preload_libraries"] == "pg_stat_statements,pgaudit,pg_cron"


def own_group(estate: Estate, name: str, **values: str) -> None:
    """Give an instance a parameter group of its own, with values that win over its cluster's."""
    rds = estate.client("rds")
    rds.create_db_parameter_group(
        DBParameterGroupName=f"{name}-own", DBParameterGroupFamily="aurora-postgresql16", Description="Own"
    )
    parameters = [
        {"ParameterName": key, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
        for key, value in values.items()
    ]
    rds.modify_db_parameter_group(DBParameterGroupName=f"{name}-own", Parameters=parameters)
    rds.modify_db_instance(
        DBInstanceIdentifier=name, DBParameterGroupName=f"{name}-own", ApplyImmediately=True
    )
    rds.reboot_db_instance(DBInstanceIdentifier=name)
    estate.aws.rds.settle()


def test_a_member_with_values_of_its_own_is_judged_by_them(estate: Estate) -> None:
    arn = cluster(estate, "orders", POSTGRES, members=2)
    set_parameters(
        estate,
        "orders-group",
        "pending-reboot",
        **{"shared_preload_libraries": "pg_stat_statements,pgaudit", "pgaudit.log": "ddl,role"},
    )
    for name in ("orders-0", "orders-1"):
        estate.client("rds").reboot_db_instance(DBInstanceIdentifier=name)
    estate.aws.rds.settle()
    assert estate.judged("cluster_postgresql_audit_effective", arn).compliance is COMPLIANT
    own_group(estate, "orders-1", **{"pgaudit.log": "write"})
    found = estate.judged("cluster_postgresql_audit_effective", arn)
    assert found.compliance is NON_COMPLIANT
    assert "on orders-1 by its own group, pgaudit.log lacks ddl, role" in found.annotation
    told = estate.planned("cluster_postgresql_audit_effective", arn)
    assert isinstance(told, Manual)
    assert "reset-db-parameter-group --db-parameter-group-name orders-1-own" in told.steps[0]


# --- connections ------------------------------------------------------------------------------------------


def test_the_log_of_connections_is_turned_on_at_once(estate: Estate) -> None:
    arn = cluster(estate, "orders", POSTGRES)
    before = estate.judged("cluster_connection_logging_enabled", arn)
    assert before.compliance is NON_COMPLIANT
    assert "log_connections is 0; in orders-group, log_disconnections is 0" in before.annotation
    assert estate.fixed("cluster_connection_logging_enabled", arn).compliance is COMPLIANT
    own_group(estate, "orders-0", log_connections="0")
    after = estate.judged("cluster_connection_logging_enabled", arn)
    assert after.annotation.endswith("on orders-0 by its own group, log_connections is 0.")


def test_a_log_of_every_statement_is_taken_back_by_a_person(estate: Estate) -> None:
    arn = cluster(estate, "orders", POSTGRES)
    set_parameters(estate, "orders-group", log_statement="all")
    assert estate.fixed("cluster_connection_logging_enabled", arn).compliance is NON_COMPLIANT
    told = estate.planned("cluster_connection_logging_enabled", arn)
    assert isinstance(told, Manual)
    assert "ParameterName=log_statement,ParameterValue=none" in told.steps[0]
    allowed = estate.judged("cluster_connection_logging_enabled", arn, statements=["all"])
    assert allowed.compliance is COMPLIANT


def test_an_instance_logs_connections_by_its_own_group(estate: Estate) -> None:
    rds = estate.client("rds")
    rds.create_db_parameter_group(
        DBParameterGroupName="reports-group", DBParameterGroupFamily="postgres16", Description="Logs"
    )
    made = rds.create_db_instance(
        DBInstanceIdentifier="reports",
        Engine="postgres",
        EngineVersion="16.6",
        DBInstanceClass="db.m6g.large",
        AllocatedStorage=20,
        MasterUsername="steward",
        MasterUserPassword="correct-horse-battery",
        DBParameterGroupName="reports-group",
    )
    estate.aws.rds.settle()
    arn = made["DBInstance"]["DBInstanceArn"]
    assert estate.judged("instance_connection_logging_enabled", arn).compliance is NON_COMPLIANT
    assert estate.fixed("instance_connection_logging_enabled", arn).compliance is COMPLIANT
    rds.modify_db_instance(DBInstanceIdentifier="reports", DBParameterGroupName="default.postgres16")
    estate.aws.rds.settle()
    planned = estate.planned("instance_connection_logging_enabled", arn)
    assert isinstance(planned, Plan)
    assert planned.calls[0].parameters["DBParameterGroupFamily"] == "postgres16"
