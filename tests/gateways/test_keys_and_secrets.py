"""Keys and secrets on the local AWS: made by boto3, read where databases use them, judged, put right, judged again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gateways.estate import Estate
from warden.controls import all_controls, by_type
from warden.core.control import ComplianceType
from warden.core.decision import Mode
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.policy import parse_policy
from warden.core.resource import ResourceRef, ResourceType
from warden.pipeline.judge import Judge

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPLIANT, NON_COMPLIANT = ComplianceType.COMPLIANT, ComplianceType.NON_COMPLIANT
NOT_APPLICABLE, INSUFFICIENT = ComplianceType.NOT_APPLICABLE, ComplianceType.INSUFFICIENT_DATA
PARTNER, STRANGER = "210987654321", "666666666666"
LOGIN = {"MasterUsername": "steward", "MasterUserPassword": "correct-horse-battery"}


@pytest.fixture
def estate() -> Iterator[Estate]:
    with Estate() as made:
        yield made


def key(estate: Estate, alias: str = "", **settings: Any) -> str:
    kms = estate.client("kms")
    metadata = kms.create_key(**settings)["KeyMetadata"]
    if alias:
        kms.create_alias(AliasName=alias, TargetKeyId=metadata["KeyId"])
    return str(metadata["Arn"])


def cluster(estate: Estate, name: str = "orders", **settings: Any) -> str:
    made = estate.client("rds").create_db_cluster(
        DBClusterIdentifier=name, Engine="aurora-postgresql", **{**LOGIN, **settings}
    )
    return str(made["DBCluster"]["DBClusterArn"])


def encrypted(estate: Estate, key_id: str, name: str = "orders", **settings: Any) -> str:
    return cluster(estate, name, StorageEncrypted=True, KmsKeyId=key_id, **settings)


def instance(estate: Estate, name: str = "billing", **settings: Any) -> str:
    made = estate.client("rds").create_db_instance(
        DBInstanceIdentifier=name,
        Engine="postgres",
        DBInstanceClass="db.m6g.large",
        AllocatedStorage=20,
        **LOGIN,
        **settings,
    )
    return str(made["DBInstance"]["DBInstanceArn"])


def account_statement(estate: Estate) -> dict[str, Any]:
    return statement(f"arn:aws:iam::{estate.aws.account}:root", "kms:*")


def statement(principal: str, *actions: str, **more: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": list(actions),
        "Resource": "*",
        **more,
    }


def set_policy(estate: Estate, key_arn: str, *statements: dict[str, Any]) -> None:
    policy = {"Version": "2012-10-17", "Statement": [account_statement(estate), *statements]}
    estate.client("kms").put_key_policy(KeyId=key_arn, PolicyName="default", Policy=json.dumps(policy))


# --- the keys of databases --------------------------------------------------------------------------------


def test_a_cluster_is_judged_by_the_key_that_it_has(estate: Estate) -> None:
    control = "cluster_customer_managed_key"
    arn = encrypted(estate, key(estate, "alias/databases"))
    assert estate.judged(control, arn).compliance is COMPLIANT
    assert estate.judged(control, arn, allowed_keys=["alias/databases"]).compliance is COMPLIANT
    assert estate.judged(control, arn, allowed_keys=["alias/others"]).compliance is NON_COMPLIANT
    owned = cluster(estate, "by-default")
    assert "a key that AWS owns" in estate.judged(control, owned).annotation
    managed = cluster(estate, "legacy", StorageEncrypted=True)
    assert "a key that AWS manages" in estate.judged(control, managed).annotation
    assert estate.judged(control, managed, key_requirement="kms").compliance is COMPLIANT
    assert estate.judged(control, owned, key_requirement="any").compliance is COMPLIANT
    assert isinstance(estate.planned(control, owned), Manual)


def test_an_instance_and_the_snapshots_of_both_are_judged_alike(estate: Estate) -> None:
    rds = estate.client("rds")
    own = key(estate)
    found = instance(estate, StorageEncrypted=True, KmsKeyId=own)
    legacy = instance(estate, "legacy", StorageEncrypted=True)
    assert estate.judged("instance_customer_managed_key", found).compliance is COMPLIANT
    assert estate.judged("instance_customer_managed_key", legacy).compliance is NON_COMPLIANT
    taken = rds.create_db_snapshot(DBSnapshotIdentifier="kept", DBInstanceIdentifier="legacy")
    snapshot = taken["DBSnapshot"]["DBSnapshotArn"]
    assert estate.judged("db_snapshot_customer_managed_key", snapshot).compliance is NON_COMPLIANT
    encrypted(estate, own)
    taken = rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="c", DBClusterIdentifier="orders")
    snapshot = taken["DBClusterSnapshot"]["DBClusterSnapshotArn"]
    assert estate.judged("cluster_snapshot_customer_managed_key", snapshot).compliance is COMPLIANT


def test_each_key_is_described_once_in_a_sweep(estate: Estate) -> None:
    own = key(estate)
    for number in range(3):
        encrypted(estate, own, f"orders-{number}")
    estate.aws.calls.clear()
    clusters = list(
        estate.reader(bulk=True).list(ResourceType.DB_CLUSTER, (Need.STORAGE_KEY, Need.KEY_ALIASES))
    )
    assert [item.facts[Need.STORAGE_KEY]["Arn"] for item in clusters] == [own] * 3
    asked = [call.operation for call in estate.aws.calls if call.service == "kms"]
    assert sorted(asked) == ["DescribeKey", "ListAliases"]


def test_a_key_that_may_not_be_described_leaves_the_question_open(estate: Estate) -> None:
    arn = encrypted(estate, key(estate))
    estate.aws.faults.deny("kms:DescribeKey")
    found = estate.judged("cluster_customer_managed_key", arn)
    assert (found.compliance, found.missing) == (INSUFFICIENT, Need.STORAGE_KEY)
    assert estate.judged("cluster_storage_encrypted", arn).compliance is COMPLIANT


# --- keys themselves --------------------------------------------------------------------------------------


def test_the_keys_that_databases_use_are_listed_and_no_others(estate: Estate) -> None:
    used, insights, unused = key(estate), key(estate), key(estate)
    encrypted(estate, used)
    instance(estate, EnablePerformanceInsights=True, PerformanceInsightsKMSKeyId=insights)
    listed = {
        item.ref.arn: item.facts[Need.KEY_USERS]
        for item in estate.reader(bulk=True).list(ResourceType.KMS_KEY, (Need.KEY_USERS,))
    }
    assert unused not in listed
    assert listed[used]["Some"][0].endswith(":cluster:orders")
    assert listed[insights]["Some"][0].endswith(":db:billing")
    ref = ResourceRef.from_arn(unused)
    assert estate.reader().read(ref, (Need.KEY_USERS,)).facts[Need.KEY_USERS]["Count"] == 0
    assert [user.id for user in estate.reader().users(ResourceRef.from_arn(used))] == ["orders"]


def test_a_deletion_is_cancelled_and_the_key_stays_disabled_for_a_person(estate: Estate) -> None:
    own = key(estate)
    encrypted(estate, own)
    control = "kms_key_usable"
    assert estate.judged(control, own).compliance is COMPLIANT
    estate.client("kms").schedule_key_deletion(KeyId=own, PendingWindowInDays=7)
    assert "scheduled for deletion" in estate.judged(control, own).annotation
    fixed = estate.fixed(control, own)
    assert (fixed.compliance, "is disabled" in fixed.annotation) == (NON_COMPLIANT, True)
    left = estate.planned(control, own)
    assert isinstance(left, Manual)
    assert left.steps[0].startswith("aws kms enable-key --key-id")
    estate.client("kms").enable_key(KeyId=own)
    assert estate.judged(control, own).compliance is COMPLIANT


def test_a_key_that_is_gone_stays_drift_while_a_cluster_names_it(estate: Estate) -> None:
    arn = encrypted(estate, key(estate))
    gone = f"arn:aws:kms:eu-west-1:{estate.aws.account}:key/00000000-0000-4000-8000-000000000000"
    estate.aws.rds.overlay(arn, KmsKeyId=gone)
    found = estate.judged("kms_key_usable", gone)
    assert (found.compliance, "does not exist" in found.annotation) == (NON_COMPLIANT, True)
    assert isinstance(estate.planned("kms_key_usable", gone), Manual)
    assert estate.judged("kms_key_rotation_enabled", gone).compliance is NOT_APPLICABLE
    assert estate.judged("kms_key_policy_restricted", gone).compliance is NOT_APPLICABLE


def test_what_is_not_scheduled_for_deletion_is_not_cancelled(estate: Estate) -> None:
    own = key(estate)
    with pytest.raises(estate.client("kms").exceptions.KMSInvalidStateException):
        estate.client("kms").cancel_key_deletion(KeyId=own)
    estate.client("kms").disable_key(KeyId=own)
    with pytest.raises(estate.client("kms").exceptions.DisabledException):
        estate.client("kms").enable_key_rotation(KeyId=own)


def test_rotation_is_turned_on(estate: Estate) -> None:
    own = key(estate)
    encrypted(estate, own)
    assert estate.judged("kms_key_rotation_enabled", own).compliance is NON_COMPLIANT
    assert estate.fixed("kms_key_rotation_enabled", own).compliance is COMPLIANT
    assert estate.client("kms").get_key_rotation_status(KeyId=own)["KeyRotationEnabled"] is True


def test_strangers_in_a_key_policy_and_in_grants_are_found(estate: Estate) -> None:
    own = key(estate)
    encrypted(estate, own)
    control = "kms_key_policy_restricted"
    assert estate.judged(control, own).compliance is COMPLIANT
    set_policy(estate, own, statement(f"arn:aws:iam::{PARTNER}:root", "kms:Decrypt"))
    assert PARTNER in estate.judged(control, own).annotation
    assert estate.judged(control, own, approved_accounts=[PARTNER]).compliance is COMPLIANT
    set_policy(estate, own, statement("*", "kms:Decrypt"))
    assert "everybody" in estate.judged(control, own, approved_accounts=[PARTNER]).annotation
    set_policy(estate, own)
    for grantee in ("rds.amazonaws.com", f"arn:aws:iam::{STRANGER}:role/Export"):
        estate.client("kms").create_grant(KeyId=own, GranteePrincipal=grantee, Operations=["Decrypt"])
    found = estate.judged(control, own)
    assert found.compliance is NON_COMPLIANT
    assert STRANGER in found.annotation
    assert "rds.amazonaws.com" not in found.annotation
    made = estate.planned(control, own)
    assert isinstance(made, Manual)
    assert [step.split()[2] for step in made.steps] == ["get-key-policy", "put-key-policy", "revoke-grant"]


def test_a_key_of_aws_and_a_key_that_nothing_uses_are_not_judged(estate: Estate) -> None:
    legacy = cluster(estate, StorageEncrypted=True)
    items = estate.client("rds").describe_db_clusters(DBClusterIdentifier="orders")["DBClusters"]
    assert legacy == items[0]["DBClusterArn"]
    assert estate.judged("kms_key_usable", items[0]["KmsKeyId"]).compliance is NOT_APPLICABLE


# --- what is shared ---------------------------------------------------------------------------------------


def test_a_partner_needs_the_key_of_what_is_shared_with_it(estate: Estate) -> None:
    rds, own = estate.client("rds"), key(estate)
    encrypted(estate, own)
    taken = rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="c", DBClusterIdentifier="orders")
    snapshot = taken["DBClusterSnapshot"]["DBClusterSnapshotArn"]
    control = "cluster_snapshot_shares_usable"
    rds.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier="c", AttributeName="restore", ValuesToAdd=[PARTNER]
    )
    found = estate.judged(control, snapshot, approved_accounts=[PARTNER])
    assert (found.compliance, PARTNER in found.annotation) == (NON_COMPLIANT, True)
    assert estate.judged(control, snapshot).compliance is COMPLIANT
    set_policy(
        estate,
        own,
        statement(PARTNER, "kms:Decrypt", "kms:DescribeKey"),
        statement(PARTNER, "kms:CreateGrant"),
    )
    assert estate.judged(control, snapshot, approved_accounts=[PARTNER]).compliance is COMPLIANT


# --- secrets ----------------------------------------------------------------------------------------------


def secret(estate: Estate, name: str, **settings: Any) -> str:
    made = estate.client("secretsmanager").create_secret(Name=name, SecretString="{}", **settings)
    return str(made["ARN"])


def test_a_managed_password_has_a_key_and_a_secret_of_its_own(estate: Estate) -> None:
    own = key(estate)
    made = estate.client("rds").create_db_cluster(
        DBClusterIdentifier="orders",
        Engine="aurora-postgresql",
        MasterUsername="steward",
        ManageMasterUserPassword=True,
        MasterUserSecretKmsKeyId=own,
    )["DBCluster"]
    control = "cluster_master_secret_customer_managed_key"
    assert estate.judged(control, made["DBClusterArn"]).compliance is COMPLIANT
    assert own in {item.ref.arn for item in estate.reader(bulk=True).list(ResourceType.KMS_KEY, ())}


def test_which_secrets_are_of_databases_the_policy_says(estate: Estate) -> None:
    control = "secret_rotation_enabled"
    named = secret(estate, "prod/db/orders", Tags=[{"Key": "holds", "Value": "database"}])
    assert estate.judged(control, named).compliance is NOT_APPLICABLE
    by_name = estate.judged(control, named, secret_name_prefixes=["prod/db/"])
    assert by_name.compliance is NON_COMPLIANT
    assert estate.judged(control, named, secret_tags=["holds=database"]).compliance is NON_COMPLIANT
    assert estate.judged(control, named, secret_tags=["holds=tokens"]).compliance is NOT_APPLICABLE
    assert isinstance(estate.planned(control, named), Manual)


def test_the_schedule_of_a_secret_that_rds_manages_is_set_and_nothing_rotates(estate: Estate) -> None:
    managed = secret(estate, "rds!cluster-0a1b2c3d")
    before = estate.client("secretsmanager").describe_secret(SecretId=managed)["VersionIdsToStages"]
    control = "secret_rotation_enabled"
    assert estate.judged(control, managed).compliance is NON_COMPLIANT
    assert estate.fixed(control, managed, maximum_days=30).compliance is COMPLIANT
    item = estate.client("secretsmanager").describe_secret(SecretId=managed)
    assert item["RotationRules"]["AutomaticallyAfterDays"] == 30
    assert item["VersionIdsToStages"] == before


def test_the_age_of_a_secret_is_counted_from_its_last_rotation(estate: Estate) -> None:
    managed = secret(estate, "rds!cluster-0a1b2c3d")
    assert estate.judged("secret_rotated_recently", managed).compliance is COMPLIANT


def test_strangers_in_the_policy_of_a_secret_are_found(estate: Estate) -> None:
    managed = secret(estate, "rds!cluster-0a1b2c3d")
    control = "secret_policy_restricted"
    assert estate.judged(control, managed).compliance is COMPLIANT
    policy = {"Version": "2012-10-17", "Statement": [statement(STRANGER, "secretsmanager:GetSecretValue")]}
    estate.client("secretsmanager").put_resource_policy(SecretId=managed, ResourcePolicy=json.dumps(policy))
    assert STRANGER in estate.judged(control, managed).annotation
    assert estate.judged(control, managed, approved_accounts=[STRANGER]).compliance is COMPLIANT


def test_a_secret_that_is_gone_is_gone(estate: Estate) -> None:
    managed = secret(estate, "rds!cluster-0a1b2c3d")
    estate.client("secretsmanager").delete_secret(SecretId=managed, ForceDeleteWithoutRecovery=True)
    with pytest.raises(Exception, match="there is no secret"):
        estate.reader().read(ResourceRef.from_arn(managed), ())


def test_of_a_list_of_secrets_only_those_of_databases_are_asked_for_their_policy(estate: Estate) -> None:
    for name in ("prod/db/orders", "mail/relay", "api/token"):
        estate.client("secretsmanager").create_secret(Name=name, SecretString="{}")
    policy = parse_policy(
        'version = 1\n[baseline]\nsecret_name_prefixes = ["prod/db/"]',
        controls=all_controls(),
        source="policy.toml",
    )
    reader = estate.reader(bulk=True)
    judge = Judge.of(by_type(), policy=policy, ceiling=Mode.OBSERVE, reader=reader)
    estate.aws.calls.clear()

    verdicts = {}
    for listed in reader.list(ResourceType.SECRET, judge.needs_of_a_list(ResourceType.SECRET)):
        found = {one.control.id: one for one in judge.evaluate(judge.completed(listed))}
        verdicts[listed.facts["Name"]] = found["secret_policy_restricted"].compliance.value

    assert verdicts == {
        "prod/db/orders": "COMPLIANT",
        "mail/relay": "NOT_APPLICABLE",
        "api/token": "NOT_APPLICABLE",
    }
    asked = [call for call in estate.aws.calls if call.operation == "GetResourcePolicy"]
    assert [call.parameters["SecretId"].rpartition("-")[0].rpartition("secret:")[2] for call in asked] == [
        "prod/db/orders"
    ]
