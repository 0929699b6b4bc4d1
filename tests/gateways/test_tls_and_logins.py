"""TLS, certificates and logins on the local AWS: made by boto3, read, judged, put right, and judged again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from gateways.estate import CONTROLS, Estate
from warden.core.control import ComplianceType
from warden.core.errors import GuardError
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import ResourceRef, ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPLIANT, NON_COMPLIANT = ComplianceType.COMPLIANT, ComplianceType.NON_COMPLIANT
NOT_APPLICABLE, INSUFFICIENT_DATA = ComplianceType.NOT_APPLICABLE, ComplianceType.INSUFFICIENT_DATA
LOGIN = {"MasterUsername": "steward", "MasterUserPassword": "correct-horse-battery"}
ENGINES = {
    "postgres": ("16.6", "postgres16", "rds.force_ssl"),
    "mysql": ("8.4.3", "mysql8.4", "require_secure_transport"),
    "mariadb": ("11.4.4", "mariadb11.4", "require_secure_transport"),
}


@pytest.fixture
def estate() -> Iterator[Estate]:
    with Estate() as made:
        yield made


def cluster(estate: Estate, name: str = "orders", *, members: int = 1, **settings: Any) -> str:
    rds = estate.client("rds")
    made = rds.create_db_cluster(
        DBClusterIdentifier=name,
        **{"Engine": "aurora-postgresql", "EngineVersion": "16.6", **LOGIN, **settings},
    )
    for number in range(members):
        rds.create_db_instance(
            DBInstanceIdentifier=f"{name}-{number}",
            DBClusterIdentifier=name,
            Engine=made["DBCluster"]["Engine"],
            DBInstanceClass="db.r6g.large",
        )
    estate.aws.rds.settle()
    return str(made["DBCluster"]["DBClusterArn"])


def instance(estate: Estate, name: str = "billing", engine: str = "postgres", **settings: Any) -> str:
    made = estate.client("rds").create_db_instance(
        DBInstanceIdentifier=name,
        **{
            "Engine": engine,
            "EngineVersion": ENGINES[engine][0],
            "DBInstanceClass": "db.m6g.large",
            "AllocatedStorage": 20,
            **LOGIN,
            **settings,
        },
    )
    estate.aws.rds.settle()
    return str(made["DBInstance"]["DBInstanceArn"])


def group(estate: Estate, name: str, engine: str) -> str:
    estate.client("rds").create_db_parameter_group(
        DBParameterGroupName=name, DBParameterGroupFamily=ENGINES[engine][1], Description="TLS"
    )
    return name


def switch_off(estate: Estate, name: str, engine: str) -> None:
    estate.client("rds").modify_db_parameter_group(
        DBParameterGroupName=name,
        Parameters=[
            {
                "ParameterName": ENGINES[engine][2],
                "ParameterValue": "OFF" if engine == "mariadb" else "0",
                "ApplyMethod": "immediate",
            }
        ],
    )


# --- TLS --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_an_instance_is_made_to_demand_tls_in_its_own_group(estate: Estate, engine: str) -> None:
    arn = instance(estate, engine=engine, DBParameterGroupName=group(estate, "own", engine))
    switch_off(estate, "own", engine)
    assert estate.judged("instance_tls_enforced", arn).compliance is NON_COMPLIANT
    assert estate.fixed("instance_tls_enforced", arn).compliance is COMPLIANT


def operations(planned: object) -> list[str]:
    """The calls of a whole procedure, of which a plan holds the first."""
    assert isinstance(planned, Plan)
    return [call.operation for call in planned.pledge]


def test_an_instance_in_a_default_group_is_moved_to_a_group_of_its_own(estate: Estate) -> None:
    arn = instance(estate, engine="mysql")
    assert estate.judged("instance_tls_enforced", arn).compliance is NON_COMPLIANT
    planned = estate.planned("instance_tls_enforced", arn)
    assert operations(planned) == ["CreateDBParameterGroup", "ModifyDBParameterGroup", "ModifyDBInstance"]
    create, modify, _ = planned.pledge
    assert create.parameters["DBParameterGroupFamily"] == "mysql8.4"
    assert [item["ParameterValue"] for item in modify.parameters["Parameters"]] == ["1"]


def test_a_group_of_two_instances_is_not_written_to(estate: Estate) -> None:
    shared = group(estate, "shared", "postgres")
    switch_off(estate, shared, "postgres")
    arn = instance(estate, DBParameterGroupName=shared)
    other = instance(estate, "reports", DBParameterGroupName=shared)
    planned = estate.planned("instance_tls_enforced", arn)
    assert operations(planned) == ["CopyDBParameterGroup", "ModifyDBParameterGroup", "ModifyDBInstance"]
    assert planned.pledge[1].parameters["DBParameterGroupName"] != shared
    control = CONTROLS["instance_tls_enforced"]
    assert control.remediation is not None
    resource = estate.read(control, arn)
    assert sorted(resource.facts[Need.INSTANCE_GROUP_USERS]) == sorted([arn, other])
    parameter = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}
    call = Call("ModifyDBParameterGroup", {"DBParameterGroupName": shared, "Parameters": [parameter]})
    with pytest.raises(GuardError, match="also used by"):
        estate.writer().apply(call, resource, control.remediation.permits)


def test_an_instance_without_a_parameter_group_is_not_judged_and_stops_no_sweep(estate: Estate) -> None:
    arn = instance(estate)
    estate.aws.rds.overlay(arn, DBParameterGroups=[])
    for control in ("instance_tls_enforced", "instance_parameter_group_in_sync"):
        judged = estate.judged(control, arn)
        assert judged.compliance is INSUFFICIENT_DATA
        assert "AWS names no parameter group" in judged.annotation


@pytest.mark.parametrize("bulk", [True, False])
@pytest.mark.parametrize("denied", [False, True])
def test_the_family_of_a_custom_group_is_that_of_the_version_or_the_groups_own(
    estate: Estate, *, denied: bool, bulk: bool
) -> None:
    arn = instance(estate, "billing", "postgres", DBParameterGroupName=group(estate, "g", "postgres"))
    if denied:
        estate.aws.faults.deny("rds:DescribeDBEngineVersions")
    estate.aws.calls.clear()

    needs = (Need.INSTANCE_PARAMETERS,)
    reader = estate.reader(bulk=bulk)
    if bulk:
        [resource] = reader.list(ResourceType.DB_INSTANCE, needs)
    else:
        resource = reader.read(ResourceRef.from_arn(arn), needs)

    assert resource.facts[Need.INSTANCE_PARAMETERS]["rds.force_ssl"]["ParameterValue"] == "1"
    # "can be applied only to a DB instance running a database engine and engine version compatible with that DB
    # parameter group family" (CreateDBParameterGroup).
    asked = {call.operation for call in estate.aws.calls}
    assert ("DescribeDBParameterGroups" in asked) is denied


def test_a_group_that_was_attached_waits_for_a_reboot(estate: Estate) -> None:
    arn = instance(estate)
    assert estate.judged("instance_tls_enforced", arn).compliance is COMPLIANT
    rds = estate.client("rds")
    rds.modify_db_instance(
        DBInstanceIdentifier="billing", DBParameterGroupName=group(estate, "own", "postgres")
    )
    for control in ("instance_tls_enforced", "instance_parameter_group_in_sync"):
        assert estate.judged(control, arn).compliance is NON_COMPLIANT
        assert operations(estate.planned(control, arn)) == ["RebootDBInstance"], "once somebody approved"
    rds.reboot_db_instance(DBInstanceIdentifier="billing")
    estate.aws.rds.settle()
    for control in ("instance_tls_enforced", "instance_parameter_group_in_sync"):
        assert estate.judged(control, arn).compliance is COMPLIANT


def test_members_of_a_cluster_wait_for_a_reboot_of_the_writer_first(estate: Estate) -> None:
    arn = cluster(estate, members=2)
    rds = estate.client("rds")
    assert estate.judged("cluster_parameter_group_in_sync", arn).compliance is COMPLIANT
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="own", DBParameterGroupFamily="aurora-postgresql16", Description="x"
    )
    rds.modify_db_cluster(DBClusterIdentifier="orders", DBClusterParameterGroupName="own")
    estate.aws.rds.settle()
    judged = estate.judged("cluster_parameter_group_in_sync", arn)
    assert judged.compliance is NON_COMPLIANT
    assert "orders-0 (waits for a reboot), orders-1 (waits for a reboot)" in judged.annotation
    planned = estate.planned("cluster_parameter_group_in_sync", arn)
    assert operations(planned) == ["RebootDBInstance"] * 2
    assert [call.parameters["DBInstanceIdentifier"] for call in planned.pledge] == ["orders-0", "orders-1"]
    for name in ("orders-0", "orders-1"):
        rds.reboot_db_instance(DBInstanceIdentifier=name)
        estate.aws.rds.settle()
    assert estate.judged("cluster_parameter_group_in_sync", arn).compliance is COMPLIANT


def test_a_proxy_is_made_to_require_tls(estate: Estate) -> None:
    subnets = [one["SubnetId"] for one in estate.client("ec2").describe_subnets()["Subnets"]]
    made = estate.client("rds").create_db_proxy(
        DBProxyName="orders-proxy",
        EngineFamily="POSTGRESQL",
        Auth=[{"AuthScheme": "SECRETS", "IAMAuth": "REQUIRED"}],
        RoleArn="arn:aws:iam::123456789012:role/proxy",
        VpcSubnetIds=subnets[:2],
        IdleClientTimeout=900,
    )
    estate.aws.rds.settle()
    arn = made["DBProxy"]["DBProxyArn"]
    assert estate.judged("proxy_requires_tls", arn).compliance is NON_COMPLIANT
    assert estate.fixed("proxy_requires_tls", arn).compliance is COMPLIANT
    [proxy] = estate.client("rds").describe_db_proxies()["DBProxies"]
    assert proxy["IdleClientTimeout"] == 900


# --- certificates -----------------------------------------------------------------------------------------


def test_a_certificate_of_another_authority_is_changed_in_the_maintenance_window(estate: Estate) -> None:
    arn = instance(estate, CACertificateIdentifier="rds-ca-2019")
    assert estate.judged("instance_ca_certificate_current", arn).compliance is NON_COMPLIANT
    queued = estate.fixed("instance_ca_certificate_current", arn)
    assert queued.compliance is COMPLIANT
    assert "once a queued change is applied" in queued.annotation
    estate.aws.rds.maintenance_window()
    assert "once" not in estate.judged("instance_ca_certificate_current", arn).annotation
    [item] = estate.client("rds").describe_db_instances()["DBInstances"]
    assert item["CertificateDetails"]["CAIdentifier"] == "rds-ca-rsa2048-g1"


def test_the_policys_first_authority_is_the_one_that_an_instance_gets(estate: Estate) -> None:
    arn = instance(estate)
    approved = {"approved_authorities": ["rds-ca-none-g9", "rds-ca-ecc384-g1", "rds-ca-rsa4096-g1"]}
    assert estate.judged("instance_ca_certificate_current", arn, **approved).compliance is NON_COMPLIANT
    assert "rds-ca-ecc384-g1" in estate.fixed("instance_ca_certificate_current", arn, **approved).annotation


def test_a_certificate_that_was_not_renewed_is_told_with_its_maintenance(estate: Estate) -> None:
    arn = instance(estate)
    assert estate.judged("instance_ca_certificate_current", arn).compliance is COMPLIANT
    soon = estate.aws.clock.now() + timedelta(days=60)
    estate.aws.rds.overlay(arn, CertificateDetails={"CAIdentifier": "rds-ca-rsa2048-g1", "ValidTill": soon})
    judged = estate.judged("instance_ca_certificate_current", arn)
    assert judged.compliance is NON_COMPLIANT
    assert f"{soon:%Y-%m-%d}" in judged.annotation
    planned = estate.planned("instance_ca_certificate_current", arn)
    assert isinstance(planned, Manual)
    assert "--apply-action ca-certificate-rotation" in planned.steps[1]
    estate.aws.rds.overlay(arn, CertificateDetails={"CAIdentifier": "rds-ca-rsa2048-g1"})
    assert estate.judged("instance_ca_certificate_current", arn).missing == "ValidTill"


def test_an_engine_version_that_restarts_for_it_is_left_to_a_person(estate: Estate) -> None:
    with estate.aws.rds.lenient():
        arn = instance(estate, engine="mysql", EngineVersion="5.7.44", CACertificateIdentifier="rds-ca-2019")
    planned = estate.planned("instance_ca_certificate_current", arn)
    assert isinstance(planned, Manual)
    assert "restarts" in planned.why


# --- master users -----------------------------------------------------------------------------------------


@pytest.fixture
def key(estate: Estate) -> str:
    kms = estate.client("kms")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/databases", TargetKeyId=arn)
    return str(arn)


@pytest.mark.parametrize("kind", ["cluster", "instance"])
def test_rds_is_given_the_master_password_in_a_secret_with_the_policys_key(
    estate: Estate, key: str, kind: str
) -> None:
    arn = cluster(estate) if kind == "cluster" else instance(estate)
    control = f"{kind}_master_password_managed"
    assert estate.judged(control, arn, kms_key=key).compliance is NON_COMPLIANT
    assert estate.judged(f"{kind}_master_secret_healthy", arn).compliance is NOT_APPLICABLE
    assert isinstance(estate.planned(control, arn), Manual)
    assert estate.fixed(control, arn, kms_key=key).compliance is COMPLIANT
    secret = estate.read(CONTROLS[control], arn).facts["MasterUserSecret"]
    assert secret["KmsKeyId"] == key
    assert estate.judged(f"{kind}_master_secret_healthy", arn).compliance is COMPLIANT
    estate.aws.rds.overlay(arn, MasterUserSecret={**secret, "SecretStatus": "impaired"})
    assert estate.judged(f"{kind}_master_secret_healthy", arn).compliance is NON_COMPLIANT
    planned = estate.planned(f"{kind}_master_secret_healthy", arn)
    assert isinstance(planned, Manual)
    assert f"--key-id {key} " in planned.steps[1]


def test_a_member_of_a_global_database_cannot_have_it(estate: Estate) -> None:
    arn = cluster(estate)
    estate.client("rds").create_global_cluster(
        GlobalClusterIdentifier="everywhere", SourceDBClusterIdentifier=arn
    )
    judged = estate.judged("cluster_master_password_managed", arn)
    assert judged.compliance is NOT_APPLICABLE
    assert "everywhere" in judged.annotation


def test_an_instance_with_a_replica_and_its_replica_cannot_have_it(estate: Estate) -> None:
    arn = instance(estate, BackupRetentionPeriod=7)
    made = estate.client("rds").create_db_instance_read_replica(
        DBInstanceIdentifier="billing-replica", SourceDBInstanceIdentifier="billing"
    )
    estate.aws.rds.settle()
    replica = made["DBInstance"]["DBInstanceArn"]
    assert "billing-replica" in estate.judged("instance_master_password_managed", arn).annotation
    for control in ("master_password_managed", "custom_master_username", "master_secret_healthy"):
        judged = estate.judged(f"instance_{control}", replica)
        assert judged.compliance is NOT_APPLICABLE
        assert "read replica of billing" in judged.annotation


@pytest.mark.parametrize(("name", "expected"), [("postgres", NON_COMPLIANT), ("steward", COMPLIANT)])
def test_a_master_user_by_a_default_name_is_told(estate: Estate, name: str, expected: ComplianceType) -> None:
    of_cluster = cluster(estate, MasterUsername=name, members=0)
    of_instance = instance(estate, MasterUsername=name)
    assert estate.judged("cluster_custom_master_username", of_cluster).compliance is expected
    assert estate.judged("instance_custom_master_username", of_instance).compliance is expected


# --- ways in ----------------------------------------------------------------------------------------------


def test_the_data_api_is_turned_off_unless_the_policy_approves_the_cluster(estate: Estate) -> None:
    arn = cluster(estate, EnableHttpEndpoint=True)
    control = CONTROLS["cluster_data_api_approved"]
    approved = [estate.read(control, arn).facts["DbClusterResourceId"]]
    assert estate.judged(control.id, arn, approved_clusters=approved).compliance is COMPLIANT
    assert estate.judged(control.id, arn).compliance is NON_COMPLIANT
    assert estate.fixed(control.id, arn).compliance is COMPLIANT
    [item] = estate.client("rds").describe_db_clusters()["DBClusters"]
    assert item["HttpEndpointEnabled"] is False


def test_a_cluster_of_express_configuration_is_outside_any_vpc_and_knows_no_password(estate: Estate) -> None:
    made = estate.client("rds").create_db_cluster(
        DBClusterIdentifier="express",
        Engine="aurora-postgresql",
        WithExpressConfiguration=True,
    )
    estate.aws.rds.settle()
    express, ordinary = made["DBCluster"]["DBClusterArn"], cluster(estate)
    assert estate.judged("cluster_without_internet_access_gateway", express).compliance is NON_COMPLIANT
    assert estate.judged("cluster_without_internet_access_gateway", ordinary).compliance is COMPLIANT
    assert estate.judged("cluster_master_password_managed", express).compliance is NOT_APPLICABLE


def test_ports_are_those_of_the_endpoints(estate: Estate) -> None:
    of_cluster, of_instance = cluster(estate), instance(estate)
    assert estate.judged("cluster_port_not_default", of_cluster).compliance is NON_COMPLIANT
    assert estate.judged("instance_port_not_default", of_instance).compliance is NON_COMPLIANT
    other_cluster, other_instance = (
        cluster(estate, "other", Port=6432),
        instance(estate, "another", Port=6432),
    )
    assert estate.judged("cluster_port_not_default", other_cluster).compliance is COMPLIANT
    assert estate.judged("instance_port_not_default", other_instance).compliance is COMPLIANT
    member = estate.client("rds").describe_db_instances(DBInstanceIdentifier="orders-0")["DBInstances"][0]
    assert estate.judged("instance_port_not_default", member["DBInstanceArn"]).compliance is NOT_APPLICABLE


@pytest.mark.parametrize("kind", ["cluster", "instance"])
def test_failed_logins_by_token_are_exported_beside_what_is(estate: Estate, kind: str) -> None:
    settings = {"EnableIAMDatabaseAuthentication": True, "EnableCloudwatchLogsExports": ["postgresql"]}
    new_enough = "16.9" if kind == "instance" else "16.6"
    make = cluster if kind == "cluster" else instance
    arn = make(estate, EngineVersion=new_enough, **settings)
    control = f"{kind}_iam_auth_errors_exported"
    assert estate.judged(control, arn).compliance is NON_COMPLIANT
    assert estate.fixed(control, arn).compliance is COMPLIANT
    exported = estate.read(CONTROLS[control], arn).facts["EnabledCloudwatchLogsExports"]
    assert sorted(exported) == ["iam-db-auth-error", "postgresql"]


def test_an_engine_version_that_cannot_export_them_is_left_alone(estate: Estate) -> None:
    arn = instance(estate, EnableIAMDatabaseAuthentication=True)
    judged = estate.judged("instance_iam_auth_errors_exported", arn)
    assert judged.compliance is NOT_APPLICABLE
    assert "postgres 16.6, which cannot export" in judged.annotation


@pytest.mark.parametrize("kind", ["cluster", "instance"])
def test_where_nobody_logs_in_by_token_nothing_is_asked(estate: Estate, kind: str) -> None:
    arn = (cluster if kind == "cluster" else instance)(estate)
    assert estate.judged(f"{kind}_iam_auth_errors_exported", arn).compliance is NOT_APPLICABLE
