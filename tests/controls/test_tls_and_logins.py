"""What drift of TLS, certificates and logins leads to, exactly, and the predicates behind it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from controls import items
from controls.test_plans import annotation, calls, manual, outcome
from warden.controls import all_controls
from warden.core import authentication, engines, log_exports, reboots, tls
from warden.core.control import ComplianceType
from warden.core.evaluation import evaluate
from warden.core.plan import Call, Plan, Wait
from warden.core.resource import ResourceType

CONTROLS = {control.id: control for control in all_controls()}
OLD = {"CACertificateIdentifier": "rds-ca-2019"}


def parameter(name: str, value: str | None, **other: Any) -> dict[str, Any]:
    item = {
        "ParameterName": name,
        "ParameterValue": value,
        "ApplyType": "dynamic",
        "AllowedValues": "0,1",
        "IsModifiable": True,
        **other,
    }
    return {"InstanceParameters": {name: {key: one for key, one in item.items() if one is not None}}}


# --- TLS of instances -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("engine", "version", "allowed", "value"),
    [("mysql", "8.4.3", "0,1", "1"), ("mariadb", "11.4.4", "ON,OFF", "ON"), ("mysql", "8.4.3", None, "1")],
)
def test_tls_is_turned_on_as_the_engine_spells_it(
    engine: str, version: str, allowed: str | None, value: str
) -> None:
    facts = {
        "Engine": engine,
        "EngineVersion": version,
        **parameter("require_secure_transport", "0", AllowedValues=allowed),
    }
    assert calls("instance_tls_enforced", facts) == (
        Call(
            "ModifyDBParameterGroup",
            {
                "DBParameterGroupName": "billing-pg16",
                "Parameters": [
                    {
                        "ParameterName": "require_secure_transport",
                        "ParameterValue": value,
                        "ApplyMethod": "immediate",
                    }
                ],
            },
        ),
    )


def test_sql_server_waits_for_a_reboot_that_a_person_chooses() -> None:
    facts = {"Engine": "sqlserver-se", **parameter("rds.force_ssl", "0", ApplyType="static")}
    made = manual("instance_tls_enforced", facts)
    assert [step.split()[2] for step in made.steps] == ["modify-db-parameter-group", "reboot-db-instance"]
    assert "ApplyMethod=pending-reboot" in made.steps[0]


def test_what_cannot_be_turned_on_is_told_with_the_reason() -> None:
    fixed = manual("instance_tls_enforced", parameter("rds.force_ssl", "0", IsModifiable=False))
    assert "does not let rds.force_ssl be modified in billing-pg16" in fixed.why
    old = manual("instance_tls_enforced", {"Engine": "mariadb", "EngineVersion": "10.4.34"})
    assert "since 10.5" in old.why
    assert old.steps == ()


@pytest.mark.parametrize(
    ("engine", "version", "item", "expected"),
    [
        ("mariadb", "10.6.20", {}, False),
        ("mariadb", "11.7.2", {}, False),
        ("mariadb", "11.8.0", {}, None),
        ("mariadb", "next", {}, None),
        ("mariadb", "11.8.0", {"ParameterValue": "OFF"}, False),
        ("mariadb", "11.8.0", {"ParameterValue": "ON"}, True),
        ("mysql", "11.8.0", {}, False),
    ],
)
def test_what_aws_leaves_out_is_off_but_for_newer_mariadb(
    engine: str, version: str, item: dict[str, str], expected: bool | None
) -> None:
    whole = {"ParameterName": "require_secure_transport", "Source": "engine-default", **item}
    assert tls.demanded(engine, version, whole) is expected


def test_every_family_with_a_tls_switch_is_one_of_instances() -> None:
    assert set(tls.INSTANCE_SWITCH) < {engines.family(name) for name in engines.DOCUMENTED_LOG_TYPES}


# --- reboots and statuses ---------------------------------------------------------------------------------


def test_a_multi_az_cluster_is_rebooted_as_a_whole_whoever_asks() -> None:
    cluster = items.resource(ResourceType.DB_CLUSTER, {"Engine": "mysql"})
    member = items.resource(ResourceType.DB_INSTANCE, {"DBClusterIdentifier": "orders"})
    command = "aws rds reboot-db-cluster --db-cluster-identifier orders --region eu-west-1"
    assert reboots.of_cluster(cluster) == reboots.of_instance(member) == (command,)
    assert "as a whole" in reboots.order(cluster)
    assert "writer first" in reboots.order(items.resource(ResourceType.DB_CLUSTER))


def _member(name: str, status: str, *, writer: bool = False) -> dict[str, Any]:
    return {
        "DBInstanceIdentifier": name,
        "IsClusterWriter": writer,
        "DBClusterParameterGroupStatus": status,
    }


def test_what_waits_for_a_reboot_is_rebooted_the_writer_first_and_one_at_a_time() -> None:
    group = [{"DBParameterGroupName": "billing-pg16", "ParameterApplyStatus": "pending-reboot"}]
    reboot = Call("RebootDBInstance", {"DBInstanceIdentifier": "billing"})
    assert calls("instance_parameter_group_in_sync", {"DBParameterGroups": group}) == (reboot,)
    members = [
        _member("orders-1", "pending-reboot"),
        _member("orders-2", "pending-reboot", writer=True),
        _member("orders-3", "in-sync"),
    ]
    control = "cluster_parameter_group_in_sync"
    made = outcome(control, {"DBClusterMembers": members})
    assert isinstance(made, Plan)
    assert made.calls == (Call("RebootDBInstance", {"DBInstanceIdentifier": "orders-2"}),)
    # What a person approves names every member, so that the approval holds as one after the other is done.
    named = [call.parameters["DBInstanceIdentifier"] for call in made.pledge]
    assert named == ["orders-2", "orders-1", "orders-3"]
    members[1] = _member("orders-2", "in-sync", writer=True)
    again = outcome(control, {"DBClusterMembers": members})
    assert isinstance(again, Plan)
    assert again.calls == (Call("RebootDBInstance", {"DBInstanceIdentifier": "orders-1"}),)
    assert again.pledge == made.pledge
    rebooting = [{"DBInstanceIdentifier": "orders-2", "DBInstanceStatus": "rebooting"}]
    waits = outcome(control, {"DBClusterMembers": members, "Members": rebooting})
    assert isinstance(waits, Wait)


def test_a_member_is_not_rebooted_while_another_is_away() -> None:
    facts = {
        "Engine": "aurora-postgresql",
        "DBClusterIdentifier": "orders",
        "DBParameterGroups": [
            {"DBParameterGroupName": "billing-pg16", "ParameterApplyStatus": "pending-reboot"}
        ],
    }
    others = [{"DBInstanceIdentifier": "orders-1", "DBInstanceStatus": "rebooting"}]
    ref = items.resource(ResourceType.DB_INSTANCE, {**facts, "Members": others})
    planned = reboots.next_of_instance(ref)
    assert isinstance(planned, Wait)
    assert planned.why == "The member orders-1 is rebooting."
    alone = items.resource(ResourceType.DB_INSTANCE, {**facts, "Members": []})
    assert isinstance(reboots.next_of_instance(alone), Plan)


def test_a_member_that_waits_for_nothing_is_not_rebooted_whoever_asks() -> None:
    facts = {"DBClusterMembers": [_member("orders-1", "in-sync"), _member("orders-2", "pending-reboot")]}
    cluster = items.resource(ResourceType.DB_CLUSTER, facts)
    [permit, whole] = reboots.PERMITS_OF_CLUSTER
    accepts = permit.required["DBInstanceIdentifier"]
    assert accepts.refusal("orders-2", cluster.facts) is None
    assert accepts.refusal("orders-1", cluster.facts)
    assert accepts.refusal("billing", cluster.facts)
    assert whole.required["DBClusterIdentifier"].refusal("billing", cluster.facts)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("failed-to-apply", "a reboot will not help"),
        ("pending-database-upgrade", "with the upgrade"),
    ],
)
def test_what_no_reboot_helps_is_a_persons(status: str, words: str) -> None:
    steps = 0
    group = [{"DBParameterGroupName": "billing-pg16", "ParameterApplyStatus": status}]
    made = manual("instance_parameter_group_in_sync", {"DBParameterGroups": group})
    assert words in made.why
    assert len(made.steps) == steps
    members = [
        {"DBInstanceIdentifier": "orders-1", "IsClusterWriter": True, "DBClusterParameterGroupStatus": status}
    ]
    made = manual("cluster_parameter_group_in_sync", {"DBClusterMembers": members})
    assert words in made.why
    assert len(made.steps) == steps


# --- certificates -----------------------------------------------------------------------------------------


def test_the_authority_is_changed_to_the_first_approved_one_and_waits_for_the_window() -> None:
    assert calls("instance_ca_certificate_current", OLD) == (
        Call(
            "ModifyDBInstance",
            {"DBInstanceIdentifier": "billing", "CACertificateIdentifier": "rds-ca-rsa2048-g1"},
        ),
    )


def test_a_member_of_a_multi_az_cluster_gets_its_authority_from_the_cluster() -> None:
    made = manual("instance_ca_certificate_current", {**OLD, "DBClusterIdentifier": "orders"})
    [step] = made.steps
    assert step == (
        "aws rds modify-db-cluster --db-cluster-identifier orders --ca-certificate-identifier rds-ca-rsa2048-g1 "
        "--region eu-west-1"
    )


@pytest.mark.parametrize(
    ("hour", "expected"), [(9, ComplianceType.NON_COMPLIANT), (10, ComplianceType.COMPLIANT)]
)
def test_a_certificate_must_be_valid_for_as_long_as_the_policy_says(
    hour: int, expected: ComplianceType
) -> None:
    # Observed on 2026-11-24 at 10:00.
    ends = datetime(2026, 12, 4, hour, tzinfo=UTC)
    resource = items.resource(
        ResourceType.DB_INSTANCE,
        {"CertificateDetails": {"CAIdentifier": "rds-ca-rsa2048-g1", "ValidTill": ends}},
    )
    control = CONTROLS["instance_ca_certificate_current"]
    settings = {**control.defaults(), "minimum_days": 10}
    assert evaluate(control, resource, settings).compliance is expected


def test_a_queued_change_shows_in_the_sentence() -> None:
    queued = {**OLD, "PendingModifiedValues": {"CACertificateIdentifier": "rds-ca-rsa4096-g1"}}
    assert annotation("instance_ca_certificate_current", queued) == (
        "billing will have a certificate of rds-ca-rsa4096-g1, once a queued change is applied."
    )
    back = {"PendingModifiedValues": {"CACertificateIdentifier": "rds-ca-2019"}}
    assert "billing will have a certificate of rds-ca-2019" in annotation(
        "instance_ca_certificate_current", back
    )


# --- logins -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "operation", "identifier"),
    [
        ("cluster", "ModifyDBCluster", {"DBClusterIdentifier": "orders"}),
        ("instance", "ModifyDBInstance", {"DBInstanceIdentifier": "billing"}),
    ],
)
def test_the_master_password_is_handed_over_with_a_key_or_not_at_all(
    kind: str, operation: str, identifier: dict[str, str]
) -> None:
    facts = {"MasterUserSecret": None}
    parameters = {
        **identifier,
        "ManageMasterUserPassword": True,
        "MasterUserSecretKmsKeyId": "alias/databases",
    }
    control = f"{kind}_master_password_managed"
    assert calls(control, facts, {"kms_key": "alias/databases"}) == (Call(operation, parameters),)
    without = manual(control, facts)
    assert "baseline.kms_key" in without.why
    assert "--master-user-secret-kms-key-id YOUR-KEY " in without.steps[0]


@pytest.mark.parametrize("kind", ["cluster", "instance"])
def test_no_line_of_a_policy_lets_a_master_password_change_unapproved(kind: str) -> None:
    remediation = CONTROLS[f"{kind}_master_password_managed"].remediation
    assert remediation is not None
    assert remediation.preflight is not None


def test_an_impaired_secret_whose_key_is_not_told_is_looked_at_all_the_same() -> None:
    secret = {
        "SecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!x",
        "SecretStatus": "impaired",
    }
    made = manual("cluster_master_secret_healthy", {"MasterUserSecret": secret})
    assert [step.split()[1:3] for step in made.steps] == [
        ["secretsmanager", "describe-secret"],
        ["rds", "modify-db-cluster"],
    ]
    made = manual("cluster_master_secret_healthy", {"MasterUserSecret": {**secret, "KmsKeyId": items.KEY}})
    assert made.steps[1] == f"aws kms describe-key --key-id {items.KEY} --region eu-west-1"


def test_the_data_api_is_disabled_by_the_clusters_arn() -> None:
    assert calls("cluster_data_api_approved", {"HttpEndpointEnabled": True}) == (
        Call("DisableHttpEndpoint", {"ResourceArn": items.CLUSTER["DBClusterArn"]}),
    )
    old = manual("cluster_data_api_approved", {"HttpEndpointEnabled": True, "EngineMode": "serverless"})
    assert "--no-enable-http-endpoint" in old.steps[0]


def test_an_express_cluster_is_restored_and_never_deleted() -> None:
    made = manual("cluster_without_internet_access_gateway", {"InternetAccessGatewayEnabled": True})
    assert [step.split()[2] for step in made.steps] == [
        "create-db-cluster-snapshot",
        "wait",
        "restore-db-cluster-from-snapshot",
        "wait",
        "create-db-instance",
    ]
    assert "--enable-vpc-networking --no-enable-internet-access-gateway" in made.steps[2]


def test_only_the_log_of_failed_logins_is_enabled() -> None:
    facts = {"EnabledCloudwatchLogsExports": []}
    [call] = calls("cluster_iam_auth_errors_exported", facts)
    assert call.parameters["CloudwatchLogsExportConfiguration"] == {"EnableLogTypes": ["iam-db-auth-error"]}
    resource = items.resource(ResourceType.DB_INSTANCE, {"Engine": "oracle-ee"})
    assert authentication.only_errors(resource) == {"oracle": ["iam-db-auth-error"]}
    assert log_exports.exports(resource, "upgrade")
    assert not log_exports.exports(resource, "listener")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("failed-to-apply", "a reboot will not help"),
        ("pending-database-upgrade", "with the upgrade"),
    ],
)
def test_tls_that_waits_for_no_reboot_is_told_without_one(status: str, words: str) -> None:
    group = [{"DBParameterGroupName": "billing-pg16", "ParameterApplyStatus": status}]
    made = manual("instance_tls_enforced", {**parameter("rds.force_ssl", "1"), "DBParameterGroups": group})
    assert words in made.why
    assert made.steps == ()


def test_performance_insights_of_a_multi_az_cluster_is_turned_on_at_the_cluster() -> None:
    members = [
        {
            "DBInstanceIdentifier": f"orders-{number}",
            "DBInstanceClass": "db.r7g.large",
            "PerformanceInsightsEnabled": number == 1,
        }
        for number in (1, 2)
    ]
    facts = {"Engine": "postgres", "EngineVersion": "16.4", "Members": members}
    [step] = manual("cluster_database_insights_enabled", facts).steps
    assert step.startswith("aws rds modify-db-cluster --db-cluster-identifier")


# --- default security groups ------------------------------------------------------------------------------


def test_rds_custom_takes_no_other_list_of_security_groups() -> None:
    own, default = "sg-0a1b2c3d4e5f60718", "sg-0fedcba9876543210"
    facts = {
        "VpcSecurityGroups": [{"VpcSecurityGroupId": one, "Status": "active"} for one in (own, default)],
        "SecurityGroups": [
            {"GroupId": own, "GroupName": "databases", "VpcId": "vpc-0a1b2c3d4e5f60718"},
            {"GroupId": default, "GroupName": "default", "VpcId": "vpc-0a1b2c3d4e5f60718"},
        ],
    }
    assert calls("instance_security_group_not_default", facts)[0].parameters["VpcSecurityGroupIds"] == [own]
    # "RDS Custom ... If supplied, must match existing VPC security group IDs" (ModifyDBInstance).
    assert (
        "RDS Custom"
        in manual("instance_security_group_not_default", {**facts, "Engine": "custom-oracle-ee"}).why
    )
