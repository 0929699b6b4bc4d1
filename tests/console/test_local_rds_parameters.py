from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from local_rds import (
    a_cluster,
    a_member,
    all_pages,
    an_instance,
    corrects,
    refused,
    the_cluster,
    the_instance,
)

if TYPE_CHECKING:
    from console.local.aws import LocalAws


def a_group(rds: Any, name: str = "strict", family: str = "aurora-postgresql16") -> str:
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName=name, DBParameterGroupFamily=family, Description="for tests"
    )
    return name


def parameters(rds: Any, group: str, **conditions: Any) -> dict[str, dict[str, Any]]:
    found = all_pages(
        rds.describe_db_cluster_parameters, "Parameters", DBClusterParameterGroupName=group, **conditions
    )
    return {one["ParameterName"]: one for one in found}


def instance_parameters(rds: Any, group: str) -> dict[str, dict[str, Any]]:
    found = all_pages(rds.describe_db_parameters, "Parameters", DBParameterGroupName=group)
    return {one["ParameterName"]: one for one in found}


def change(rds: Any, name: str, value: str, method: str = "immediate", group: str = "strict") -> None:
    rds.modify_db_cluster_parameter_group(
        DBClusterParameterGroupName=group,
        Parameters=[{"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}],
    )


@corrects("parameter-lists", "default-groups-exist")
def test_a_default_group_lists_its_familys_parameters_over_several_pages(rds: Any):
    first = rds.describe_db_cluster_parameters(DBClusterParameterGroupName="default.aurora-postgresql16")
    assert len(first["Parameters"]) == 100
    every = parameters(rds, "default.aurora-postgresql16")
    assert 230 <= len(every) <= 400
    assert every["shared_preload_libraries"] == {
        "ParameterName": "shared_preload_libraries",
        "ParameterValue": "pg_stat_statements",
        "Description": "Lists shared libraries to preload into server.",
        "Source": "system",
        "ApplyType": "static",
        "DataType": "list",
        "AllowedValues": every["shared_preload_libraries"]["AllowedValues"],
        "IsModifiable": True,
        "MinimumEngineVersion": "16.1",
        "ApplyMethod": "pending-reboot",
        "SupportedEngineModes": ["provisioned"],
    }
    assert "pgaudit" in every["shared_preload_libraries"]["AllowedValues"].split(",")
    assert "ParameterValue" not in every["pgaudit.log"]


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        ("default.aurora-postgresql16", "rds.force_ssl", "0"),
        ("default.aurora-postgresql17", "rds.force_ssl", "1"),
        ("default.aurora-mysql8.0", "require_secure_transport", "OFF"),
        ("default.aurora-mysql8.0", "server_audit_logging", "0"),
        ("default.mysql8.0", "require_secure_transport", "0"),
    ],
)
def test_a_clusters_defaults_are_those_of_its_family(rds: Any, group: str, name: str, value: str):
    assert parameters(rds, group)[name]["ParameterValue"] == value


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        ("default.postgres14", "rds.force_ssl", "0"),
        ("default.postgres15", "rds.force_ssl", "1"),
        ("default.mysql8.4", "require_secure_transport", "0"),
        ("default.mariadb11.4", "require_secure_transport", "OFF"),
        ("default.mariadb11.8", "require_secure_transport", "ON"),
    ],
)
def test_an_instances_defaults_are_those_of_its_family(rds: Any, group: str, name: str, value: str):
    assert instance_parameters(rds, group)[name]["ParameterValue"] == value


def test_what_only_a_cluster_can_enforce_is_not_in_its_instances_groups(rds: Any):
    assert "rds.force_ssl" not in instance_parameters(rds, "default.aurora-postgresql16")
    aurora_mysql = instance_parameters(rds, "default.aurora-mysql8.0")
    assert {"require_secure_transport", "server_audit_logging"} & set(aurora_mysql) == set()
    assert {"general_log", "slow_query_log"} <= set(aurora_mysql)


@corrects("parameter-source-filter")
def test_the_source_tells_an_override_from_a_default(rds: Any):
    a_group(rds)
    assert parameters(rds, "strict", Source="user") == {}
    change(rds, "rds.force_ssl", "1")
    assert parameters(rds, "strict", Source="user").keys() == {"rds.force_ssl"}
    mine = parameters(rds, "strict")["rds.force_ssl"]
    assert (mine["ParameterValue"], mine["Source"], mine["ApplyMethod"]) == ("1", "user", "immediate")
    assert "rds.force_ssl" not in parameters(rds, "strict", Source="system")
    refused(
        "InvalidParameterValue",
        rds.describe_db_cluster_parameters,
        DBClusterParameterGroupName="strict",
        Source="me",
    )


@corrects("parameter-name-filter")
def test_parameters_are_found_by_name(rds: Any):
    wanted = [{"Name": "parameter-name", "Values": ["rds.force_ssl", "pgaudit.log"]}]
    assert set(parameters(rds, "default.aurora-postgresql16", Filters=wanted)) == {
        "rds.force_ssl",
        "pgaudit.log",
    }


@corrects("engine-default-parameters")
def test_a_familys_defaults_are_known_without_a_group(rds: Any):
    answer = rds.describe_engine_default_cluster_parameters(
        DBParameterGroupFamily="aurora-mysql8.0", MaxRecords=20
    )
    defaults = answer["EngineDefaults"]
    assert len(defaults["Parameters"]) == 20
    again = rds.describe_engine_default_cluster_parameters(
        DBParameterGroupFamily="aurora-mysql8.0", MaxRecords=20, Marker=defaults["Marker"]
    )["EngineDefaults"]
    assert again["Parameters"][0]["ParameterName"] > defaults["Parameters"][-1]["ParameterName"]
    names = [
        one["ParameterName"]
        for page in rds.get_paginator("describe_engine_default_parameters").paginate(
            DBParameterGroupFamily="postgres16"
        )
        for one in page["EngineDefaults"]["Parameters"]
    ]
    assert "rds.force_ssl" in names
    refused(
        "InvalidParameterValue",
        rds.describe_engine_default_cluster_parameters,
        DBParameterGroupFamily="dbase4",
    )


@corrects("default-groups-stay", "default-groups-not-copied", "default-groups-not-deleted")
def test_a_default_group_is_neither_changed_copied_nor_deleted(rds: Any):
    default = "default.aurora-postgresql16"
    a_cluster(rds)
    setting = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}
    refused(
        "InvalidParameterValue",
        rds.modify_db_cluster_parameter_group,
        DBClusterParameterGroupName=default,
        Parameters=[setting],
    )
    refused(
        "InvalidParameterValue",
        rds.copy_db_cluster_parameter_group,
        SourceDBClusterParameterGroupIdentifier=default,
        TargetDBClusterParameterGroupIdentifier="mine",
        TargetDBClusterParameterGroupDescription="mine",
    )
    refused(
        "InvalidParameterValue", rds.delete_db_cluster_parameter_group, DBClusterParameterGroupName=default
    )
    assert parameters(rds, default)["rds.force_ssl"]["Source"] == "system"


def test_a_custom_group_is_copied_with_its_values(rds: Any):
    a_group(rds)
    change(rds, "rds.force_ssl", "1")
    rds.copy_db_cluster_parameter_group(
        SourceDBClusterParameterGroupIdentifier="strict",
        TargetDBClusterParameterGroupIdentifier="Mine",
        TargetDBClusterParameterGroupDescription="mine",
    )
    change(rds, "rds.force_ssl", "0")
    assert parameters(rds, "mine")["rds.force_ssl"]["ParameterValue"] == "1"
    refused(
        "DBParameterGroupAlreadyExists",
        rds.create_db_cluster_parameter_group,
        DBClusterParameterGroupName="MINE",
        DBParameterGroupFamily="aurora-postgresql16",
        Description="again",
    )


@corrects("attached-groups-not-deleted")
def test_a_group_in_use_is_not_deleted(rds: Any):
    a_group(rds)
    a_cluster(rds, DBClusterParameterGroupName="strict")
    refused(
        "InvalidDBParameterGroupState",
        rds.delete_db_cluster_parameter_group,
        DBClusterParameterGroupName="strict",
    )
    rds.delete_db_cluster(DBClusterIdentifier="orders", SkipFinalSnapshot=True)
    rds.delete_db_cluster_parameter_group(DBClusterParameterGroupName="strict")
    refused(
        "DBParameterGroupNotFound",
        rds.describe_db_cluster_parameter_groups,
        DBClusterParameterGroupName="strict",
    )


@corrects("twenty-parameters-per-call")
def test_twenty_parameters_are_a_call(rds: Any):
    a_group(rds)
    names = [
        name
        for name, one in parameters(rds, "strict").items()
        if one.get("AllowedValues") == "0,1" and one["IsModifiable"]
    ]
    settings = [
        {"ParameterName": name, "ParameterValue": "1", "ApplyMethod": "pending-reboot"} for name in names[:21]
    ]
    refused(
        "InvalidParameterValue",
        rds.modify_db_cluster_parameter_group,
        DBClusterParameterGroupName="strict",
        Parameters=settings,
    )
    assert parameters(rds, "strict", Source="user") == {}
    rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName="strict", Parameters=settings[:20])
    assert len(parameters(rds, "strict", Source="user")) == 20


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rds.enforce_tls", "1"),
        ("rds.force_ssl", "yes"),
        ("shared_preload_libraries", "pgaudit,mine"),
        ("log_rotation_age", "-5"),
    ],
)
@corrects("unknown-parameters-refused")
def test_unknown_names_and_values_are_refused(rds: Any, name: str, value: str):
    a_group(rds)
    refused(
        "InvalidParameterValue",
        rds.modify_db_cluster_parameter_group,
        DBClusterParameterGroupName="strict",
        Parameters=[{"ParameterName": name, "ParameterValue": value, "ApplyMethod": "pending-reboot"}],
    )


@corrects("fixed-parameters-refused")
def test_what_aws_fixed_is_not_changed(rds: Any):
    a_group(rds)
    assert parameters(rds, "strict")["data_directory"]["IsModifiable"] is False
    refused(
        "InvalidParameterValue",
        rds.modify_db_cluster_parameter_group,
        DBClusterParameterGroupName="strict",
        Parameters=[
            {"ParameterName": "data_directory", "ParameterValue": "/x", "ApplyMethod": "pending-reboot"}
        ],
    )


@corrects("static-parameters-wait")
def test_a_static_parameter_does_not_apply_at_once(rds: Any):
    a_group(rds)
    libraries = {"ParameterName": "shared_preload_libraries", "ParameterValue": "pg_stat_statements,pgaudit"}
    refused(
        "InvalidParameterCombination",
        rds.modify_db_cluster_parameter_group,
        DBClusterParameterGroupName="strict",
        Parameters=[libraries | {"ApplyMethod": "immediate"}],
    )
    change(rds, libraries["ParameterName"], libraries["ParameterValue"], "pending-reboot")
    assert (
        parameters(rds, "strict")["shared_preload_libraries"]["ParameterValue"]
        == "pg_stat_statements,pgaudit"
    )


@corrects("changes-wait-for-a-reboot")
def test_members_wait_for_a_reboot_after_a_static_change_and_not_after_a_dynamic_one(rds: Any):
    a_group(rds)
    a_cluster(rds, DBClusterParameterGroupName="strict")
    a_member(rds, "orders-1")

    def state() -> str:
        return str(the_cluster(rds)["DBClusterMembers"][0]["DBClusterParameterGroupStatus"])

    change(rds, "rds.force_ssl", "1")
    assert state() == "in-sync"
    change(rds, "shared_preload_libraries", "pgaudit", "pending-reboot")
    assert state() == "pending-reboot"
    rds.reboot_db_instance(DBInstanceIdentifier="orders-1")
    assert state() == "in-sync"


def test_an_instance_waits_for_a_reboot_after_a_static_change_of_its_group(rds: Any):
    rds.create_db_parameter_group(
        DBParameterGroupName="own", DBParameterGroupFamily="postgres16", Description="d"
    )
    an_instance(rds, DBParameterGroupName="own")
    rds.modify_db_parameter_group(
        DBParameterGroupName="own",
        Parameters=[
            {
                "ParameterName": "shared_preload_libraries",
                "ParameterValue": "pgaudit",
                "ApplyMethod": "pending-reboot",
            }
        ],
    )
    assert the_instance(rds, "reports")["DBParameterGroups"][0]["ParameterApplyStatus"] == "pending-reboot"


@corrects("parameters-reset")
def test_a_reset_brings_the_default_back(rds: Any):
    a_group(rds)
    change(rds, "rds.force_ssl", "1")
    change(rds, "log_statement", "ddl")
    rds.reset_db_cluster_parameter_group(
        DBClusterParameterGroupName="strict",
        Parameters=[{"ParameterName": "rds.force_ssl", "ApplyMethod": "immediate"}],
    )
    assert parameters(rds, "strict", Source="user").keys() == {"log_statement"}
    answer = rds.reset_db_cluster_parameter_group(
        DBClusterParameterGroupName="strict", ResetAllParameters=True
    )
    assert answer["DBClusterParameterGroupName"] == "strict"
    assert parameters(rds, "strict", Source="user") == {}


@corrects("groups-match-the-family")
def test_a_group_of_another_family_is_not_attached(rds: Any):
    a_group(rds, "other", "aurora-postgresql15")
    a_cluster(rds)
    refused(
        "InvalidParameterCombination",
        rds.modify_db_cluster,
        DBClusterIdentifier="orders",
        DBClusterParameterGroupName="other",
    )
    assert the_cluster(rds)["DBClusterParameterGroup"] == "default.aurora-postgresql16"


def test_an_unknown_family_is_refused(rds: Any):
    refused(
        "InvalidParameterValue",
        rds.create_db_cluster_parameter_group,
        DBClusterParameterGroupName="x",
        DBParameterGroupFamily="aurora-postgresql99",
        Description="d",
    )


def test_a_missing_group_is_not_found(rds: Any):
    refused(
        "DBParameterGroupNotFound", rds.describe_db_cluster_parameters, DBClusterParameterGroupName="nobody"
    )
    refused("DBParameterGroupNotFound", rds.describe_db_parameters, DBParameterGroupName="default.dbase4")


@corrects("engine-versions")
def test_each_version_says_which_logs_it_can_export(rds: Any):
    def logs(engine: str, version: str) -> list[str]:
        found = rds.describe_db_engine_versions(Engine=engine, EngineVersion=version)["DBEngineVersions"]
        assert [one["EngineVersion"] for one in found] == [version]
        assert found[0]["SupportsLogExportsToCloudwatchLogs"] is True
        types: list[str] = found[0]["ExportableLogTypes"]
        return types

    assert logs("aurora-postgresql", "13.9") == ["postgresql"]
    assert logs("aurora-postgresql", "16.6") == ["postgresql", "instance", "iam-db-auth-error"]
    assert logs("aurora-mysql", "5.7.mysql_aurora.2.12.0") == ["audit", "error", "general", "slowquery"]
    assert logs("postgres", "16.8") == ["postgresql", "upgrade", "iam-db-auth-error"]


@corrects("engine-version-defaults")
def test_a_cluster_without_a_version_runs_the_engines_default(rds: Any):
    for engine in ("aurora-postgresql", "aurora-mysql"):
        default = rds.describe_db_engine_versions(Engine=engine, DefaultOnly=True)["DBEngineVersions"]
        rds.create_db_cluster(
            DBClusterIdentifier=engine,
            Engine=engine,
            MasterUsername="dbadmin",
            MasterUserPassword="correct-horse",
        )
        assert [the_cluster(rds, engine)["EngineVersion"]] == [one["EngineVersion"] for one in default]
        assert (
            the_cluster(rds, engine)["DBClusterParameterGroup"]
            == f"default.{default[0]['DBParameterGroupFamily']}"
        )


@corrects("engine-versions-retired")
def test_a_retired_version_is_listed_on_request_and_runs_nothing_new(local: LocalAws, rds: Any):
    retired = {"Engine": "aurora-postgresql", "EngineVersion": "11.9"}
    assert rds.describe_db_engine_versions(**retired)["DBEngineVersions"] == []
    listed = rds.describe_db_engine_versions(**retired, IncludeAll=True)["DBEngineVersions"]
    assert [one["Status"] for one in listed] == ["deprecated"]
    master = {"MasterUsername": "dbadmin", "MasterUserPassword": "correct-horse"}
    for version in ("11.9", "99.1"):
        asked = retired | {"EngineVersion": version}
        refused(
            "InvalidParameterCombination", rds.create_db_cluster, DBClusterIdentifier="old", **asked, **master
        )
    local.rds.create_legacy_unencrypted("old", EngineVersion="9.6.12")
    assert the_cluster(rds, "old")["EngineVersion"] == "9.6.12"


def test_versions_are_filtered_and_paged(rds: Any):
    every = all_pages(rds.describe_db_engine_versions, "DBEngineVersions", MaxRecords=50)
    assert {one["Engine"] for one in every} == {
        "aurora-mysql",
        "aurora-postgresql",
        "mysql",
        "postgres",
        "mariadb",
    }
    family = [{"Name": "db-parameter-group-family", "Values": ["aurora-postgresql16"]}]
    found = rds.describe_db_engine_versions(Filters=family)["DBEngineVersions"]
    assert {one["MajorEngineVersion"] for one in found} == {"16"}
    targets = found[0]["ValidUpgradeTarget"]
    assert {one["IsMajorVersionUpgrade"] for one in targets} == {False, True}
    refused("InvalidParameterValue", rds.describe_db_engine_versions, Engine="dbase")


@corrects("engine-lifecycles")
def test_a_major_version_says_until_when_it_is_supported(rds: Any):
    found = rds.describe_db_major_engine_versions(Engine="aurora-postgresql", MajorEngineVersion="13")
    standard, extended = found["DBMajorEngineVersions"][0]["SupportedEngineLifecycles"]
    assert standard["LifecycleSupportName"] == "open-source-rds-standard-support"
    assert standard["LifecycleSupportEndDate"].date().isoformat() == "2026-02-28"
    assert extended["LifecycleSupportEndDate"] > standard["LifecycleSupportEndDate"]


@corrects("engine-versions-of-others")
def test_a_commercial_engine_offers_whatever_version_is_asked_for_and_has_no_dates(rds: Any):
    (found,) = rds.describe_db_engine_versions(Engine="sqlserver-se", EngineVersion="16.00.4165.4.v1")[
        "DBEngineVersions"
    ]
    assert (found["Status"], found["EngineVersion"]) == ("available", "16.00.4165.4.v1")
    assert found["ExportableLogTypes"] == ["agent", "error"]
    assert rds.describe_db_engine_versions(Engine="oracle-ee")["DBEngineVersions"] == []
    assert rds.describe_db_major_engine_versions(Engine="sqlserver-se")["DBMajorEngineVersions"] == []
