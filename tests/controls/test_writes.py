"""What the permits of all controls together let pass, and what they refuse: the guard is their union."""

from __future__ import annotations

from typing import Any

import pytest

from controls import items, service
from warden.controls import all_controls
from warden.core.control import ComplianceType
from warden.core.encryption import copy_name
from warden.core.errors import GuardError
from warden.core.evaluation import evaluate, plan
from warden.core.guard import check
from warden.core.plan import Call, Plan, merge
from warden.core.resource import ResourceType

CONTROLS = all_controls()
PERMITS = tuple(permit for c in CONTROLS if c.remediation is not None for permit in c.remediation.permits)
STRANGER = "666666666666"
PARTNER = "210987654321"
SETTINGS = {
    "minimum_days": 35,
    "kms_key": items.KEY,
    "approved_accounts": [PARTNER],
}

# Facts that break every condition of a kind that Warden can put right by itself.
BROKEN: dict[ResourceType, dict[str, Any]] = {
    ResourceType.DB_CLUSTER: {
        "DeletionProtection": False,
        "CopyTagsToSnapshot": False,
        "MasterUserSecret": None,
        "IAMDatabaseAuthenticationEnabled": False,
        "BackupRetentionPeriod": 1,
        "EnabledCloudwatchLogsExports": [],
        "Parameters": {
            name: {
                "ParameterName": name,
                "ParameterValue": value,
                "ApplyType": "dynamic",
                "AllowedValues": "0,1",
                "IsModifiable": True,
            }
            for name, value in (
                ("rds.force_ssl", "0"),
                ("log_connections", "0"),
                ("log_disconnections", "0"),
                ("log_statement", "none"),
            )
        },
    },
    ResourceType.DB_INSTANCE: {
        "DeletionProtection": False,
        "CopyTagsToSnapshot": False,
        "MasterUserSecret": None,
        "IAMDatabaseAuthenticationEnabled": False,
        "BackupRetentionPeriod": 1,
        "EnabledCloudwatchLogsExports": [],
        "PubliclyAccessible": True,
        "CACertificateIdentifier": "rds-ca-2019",
        "InstanceParameters": {
            "rds.force_ssl": {
                "ParameterName": "rds.force_ssl",
                "ParameterValue": "0",
                "ApplyType": "dynamic",
                "AllowedValues": "0,1",
                "IsModifiable": True,
            }
        },
    },
    ResourceType.DB_CLUSTER_SNAPSHOT: {"RestoreAccounts": ["all", PARTNER, STRANGER]},
    ResourceType.DB_SNAPSHOT: {
        "RestoreAccounts": ["all", PARTNER, STRANGER],
        "Encrypted": False,
        "StorageEncryptionType": "none",
    },
    ResourceType.GLOBAL_CLUSTER: {"DeletionProtection": False},
    ResourceType.DB_PROXY: {"RequireTLS": False},
}


def plans(resource_type: ResourceType) -> list[Plan]:
    """The plans of every control that finds drift in the broken resource of a type."""
    resource = items.resource(resource_type, BROKEN[resource_type])
    made = []
    for control in CONTROLS:
        if control.resource_type is not resource_type or not (
            control.remediation and control.remediation.permits
        ):
            continue
        settings = {name: SETTINGS.get(name, value) for name, value in control.defaults().items()}
        if evaluate(control, resource, settings).compliance is ComplianceType.NON_COMPLIANT:
            outcome = plan(control, resource, settings)
            assert isinstance(outcome, Plan), control.id
            made.append(outcome)
    return made


def refused(resource_type: ResourceType, operation: str, parameters: dict[str, Any]) -> str:
    resource = items.resource(resource_type, BROKEN[resource_type])
    with pytest.raises(GuardError) as caught:
        check(Call(operation, parameters), PERMITS, resource)
    return str(caught.value)


@pytest.mark.parametrize("resource_type", BROKEN, ids=str)
def test_the_plans_of_one_resource_merge_into_one_valid_call_per_operation(
    resource_type: ResourceType,
) -> None:
    resource = items.resource(resource_type, BROKEN[resource_type])
    calls = merge(plans(resource_type))
    operations = [call.operation for call in calls]
    assert operations
    assert len(operations) == len(set(operations))
    for call in calls:
        check(call, PERMITS, resource)
        assert service.objections(dict(call.parameters), service.input_of(call.operation)) == ""


def test_one_modification_of_a_cluster_does_what_many_controls_ask() -> None:
    [modify, group] = sorted(
        merge(plans(ResourceType.DB_CLUSTER)), key=lambda call: len(call.parameters), reverse=True
    )
    assert modify == Call(
        "ModifyDBCluster",
        {
            "DBClusterIdentifier": "orders",
            "BackupRetentionPeriod": 35,
            "CopyTagsToSnapshot": True,
            "DeletionProtection": True,
            "EnableIAMDatabaseAuthentication": True,
            "ApplyImmediately": True,
            "CloudwatchLogsExportConfiguration": {"EnableLogTypes": ["postgresql"]},
            "ManageMasterUserPassword": True,
            "MasterUserSecretKmsKeyId": items.KEY,
        },
    )
    assert group == Call(
        "ModifyDBClusterParameterGroup",
        {
            "DBClusterParameterGroupName": "orders-pg16",
            "Parameters": [
                {"ParameterName": name, "ParameterValue": "1", "ApplyMethod": "immediate"}
                for name in ("log_connections", "log_disconnections", "rds.force_ssl")
            ],
        },
    )


@pytest.mark.parametrize(
    ("resource_type", "operation"),
    [
        (ResourceType.DB_CLUSTER_SNAPSHOT, "ModifyDBClusterSnapshotAttribute"),
        (ResourceType.DB_SNAPSHOT, "ModifyDBSnapshotAttribute"),
    ],
    ids=str,
)
def test_the_public_and_strangers_are_removed_in_one_call_and_the_partner_stays(
    resource_type: ResourceType, operation: str
) -> None:
    [call] = [call for call in merge(plans(resource_type)) if call.operation == operation]
    assert sorted(call.parameters["ValuesToRemove"]) == [STRANGER, "all"]
    assert call.parameters["AttributeName"] == "restore"
    assert "ValuesToAdd" not in call.parameters


# --- what is refused --------------------------------------------------------------------------------------


def test_no_operation_passes_but_those_that_controls_declare() -> None:
    declared = {permit.operation for permit in PERMITS}
    assert declared == {
        "AddTagsToResource",
        "PutMetricAlarm",
        "CreateDBInstance",
        "RotateSecret",
        "CancelKeyDeletion",
        "RevokeSecurityGroupIngress",
        "UpdateDetector",
        "PutRetentionPolicy",
        "CreateEventSubscription",
        "AssociateKmsKey",
        "EnableKeyRotation",
        "CopyDBSnapshot",
        "CreateDBClusterSnapshot",
        "CopyDBClusterParameterGroup",
        "CopyDBParameterGroup",
        "CreateDBClusterParameterGroup",
        "CreateDBParameterGroup",
        "DeleteDBCluster",
        "RestoreDBClusterFromSnapshot",
        "RebootDBCluster",
        "RebootDBInstance",
        "DisableHttpEndpoint",
        "ModifyDBCluster",
        "ModifyDBClusterParameterGroup",
        "ModifyDBClusterSnapshotAttribute",
        "ModifyDBInstance",
        "ModifyDBParameterGroup",
        "ModifyDBProxy",
        "ModifyDBSnapshotAttribute",
        "ModifyGlobalCluster",
    }
    for operation in set(service.model().operation_names) - declared:
        assert "no control declares" in refused(
            ResourceType.DB_CLUSTER, operation, {"DBClusterIdentifier": "orders"}
        )


_ALL_DECLARED = {
    "ModifyDBClusterParameterGroup",
    "ModifyDBParameterGroup",
    # What is added, is added to a copy that a procedure made; see the next test.
    "ModifyDBClusterSnapshotAttribute",
    "ModifyDBSnapshotAttribute",
}


@pytest.mark.parametrize("resource_type", BROKEN, ids=str)
def test_no_parameter_passes_but_those_that_controls_declare(resource_type: ResourceType) -> None:
    for call in merge(plans(resource_type)):
        declared = {
            name
            for permit in PERMITS
            if permit.operation == call.operation
            for name in (*permit.required, *permit.optional)
        }
        others = set(service.input_of(call.operation).members) - declared
        assert others or call.operation in _ALL_DECLARED
        for name in others:
            why = refused(resource_type, call.operation, {**call.parameters, name: "anything"})
            assert f"no control declares the parameter {name}" in why


def test_a_snapshot_is_shared_only_if_it_is_the_copy_and_taken_back_only_if_it_is_the_original() -> None:
    kind = ResourceType.DB_CLUSTER_SNAPSHOT
    own = {"AttributeName": "restore", "DBClusterSnapshotIdentifier": "orders-before-upgrade"}
    copy = {**own, "DBClusterSnapshotIdentifier": copy_name("orders-before-upgrade", limit=63)}
    resource = items.resource(kind, BROKEN[kind])
    check(Call("ModifyDBClusterSnapshotAttribute", {**copy, "ValuesToAdd": [PARTNER]}), PERMITS, resource)
    check(Call("ModifyDBClusterSnapshotAttribute", {**own, "ValuesToRemove": [STRANGER]}), PERMITS, resource)
    operation = "ModifyDBClusterSnapshotAttribute"
    assert "ValuesToAdd" in refused(
        kind, operation, {**own, "ValuesToRemove": ["all"], "ValuesToAdd": [PARTNER]}
    )
    assert refused(kind, operation, {**copy, "ValuesToAdd": ["all"]})
    assert refused(kind, operation, {**copy, "ValuesToAdd": ["999999999999"]})
    assert refused(kind, operation, {**copy, "ValuesToAdd": [PARTNER], "ValuesToRemove": [STRANGER]})


@pytest.mark.parametrize("resource_type", BROKEN, ids=str)
def test_the_same_call_on_another_resource_is_refused(resource_type: ResourceType) -> None:
    for call in merge(plans(resource_type)):
        for name, value in call.parameters.items():
            if isinstance(value, str) and name.endswith(("Identifier", "Name")) and name != "AttributeName":
                refused(resource_type, call.operation, {**call.parameters, name: f"{value}-2"})


CLUSTER = {"DBClusterIdentifier": "orders"}
INSTANCE = {"DBInstanceIdentifier": "billing"}
COPY = {
    "SourceDBSnapshotIdentifier": "billing-before-upgrade",
    "TargetDBSnapshotIdentifier": copy_name("billing-before-upgrade"),
    "KmsKeyId": items.KEY,
    "CopyTags": True,
}


def _group(**parameter: str) -> dict[str, Any]:
    good = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}
    other = {**good, "ParameterName": "log_connections", **parameter}
    return {"DBClusterParameterGroupName": "orders-pg16", "Parameters": [good, other]}


def _instance_group(**parameter: str) -> dict[str, Any]:
    return {"DBParameterGroupName": "billing-pg16", "Parameters": _group(**parameter)["Parameters"]}


HOSTILE: list[tuple[str, ResourceType, str, dict[str, Any]]] = [
    (name, getattr(ResourceType, kind), operation, parameters)
    for name, kind, operation, parameters in (
        ("a password beside a good flag", "DB_CLUSTER", "ModifyDBCluster",
         {**CLUSTER, "DeletionProtection": True, "MasterUserPassword": "hunter2"}),
        ("the Data API enabled", "DB_CLUSTER", "EnableHttpEndpoint", {"ResourceArn": items.CLUSTER["DBClusterArn"]}),
        ("the Data API of another cluster disabled", "DB_CLUSTER", "DisableHttpEndpoint",
         {"ResourceArn": "arn:aws:rds:eu-west-1:123456789012:cluster:reports"}),
        ("the Data API enabled by a flag", "DB_CLUSTER", "ModifyDBCluster",
         {**CLUSTER, "EnableHttpEndpoint": True}),
        ("another port", "DB_CLUSTER", "ModifyDBCluster", {**CLUSTER, "Port": 6432}),
        ("a managed password given back", "DB_CLUSTER", "ModifyDBCluster",
         {**CLUSTER, "ManageMasterUserPassword": False, "MasterUserSecretKmsKeyId": items.KEY}),
        ("a managed password given back for one that somebody chose", "DB_CLUSTER", "ModifyDBCluster",
         {**CLUSTER, "ManageMasterUserPassword": False, "MasterUserPassword": "hunter2"}),
        ("a managed password in a secret with AWS's own key", "DB_CLUSTER", "ModifyDBCluster",
         {**CLUSTER, "ManageMasterUserPassword": True, "MasterUserSecretKmsKeyId": "alias/aws/secretsmanager"}),
        ("a managed password in a secret with any key", "DB_INSTANCE", "ModifyDBInstance",
         {**INSTANCE, "ManageMasterUserPassword": True}),
        ("a managed password beside one that somebody chose", "DB_INSTANCE", "ModifyDBInstance",
         {**INSTANCE, "ManageMasterUserPassword": True, "MasterUserSecretKmsKeyId": items.KEY,
          "MasterUserPassword": "hunter2"}),
        ("a rotation of the password", "DB_INSTANCE", "ModifyDBInstance",
         {**INSTANCE, "RotateMasterUserPassword": True, "ApplyImmediately": True}),
        ("protection turned off", "DB_CLUSTER", "ModifyDBCluster", {**CLUSTER, "DeletionProtection": False}),
        ("1 for true", "DB_CLUSTER", "ModifyDBCluster", {**CLUSTER, "DeletionProtection": 1}),
        ("nothing but the flush of what is queued", "DB_CLUSTER", "ModifyDBCluster",
         {**CLUSTER, "ApplyImmediately": True}),
        ("nothing at all", "DB_CLUSTER", "ModifyDBCluster", CLUSTER),
        ("no identifier", "DB_CLUSTER", "ModifyDBCluster", {"DeletionProtection": True}),
        ("the same retention", "DB_CLUSTER", "ModifyDBCluster", {**CLUSTER, "BackupRetentionPeriod": 1}),
        ("a lower retention", "DB_CLUSTER", "ModifyDBCluster", {**CLUSTER, "BackupRetentionPeriod": 0}),
        ("more than AWS takes", "DB_CLUSTER", "ModifyDBCluster", {**CLUSTER, "BackupRetentionPeriod": 36}),
        ("a truth value for days", "DB_CLUSTER", "ModifyDBCluster", {**CLUSTER, "BackupRetentionPeriod": True}),
        ("IAM authentication turned off", "DB_CLUSTER", "ModifyDBCluster",
         {**CLUSTER, "EnableIAMDatabaseAuthentication": False, "ApplyImmediately": True}),
        ("a log disabled", "DB_CLUSTER", "ModifyDBCluster",
         {**CLUSTER, "CloudwatchLogsExportConfiguration": {"DisableLogTypes": ["postgresql"]}}),
        ("a log disabled beside one enabled", "DB_CLUSTER", "ModifyDBCluster",
         {**CLUSTER, "CloudwatchLogsExportConfiguration":
          {"EnableLogTypes": ["postgresql"], "DisableLogTypes": ["audit"]}}),
        ("no log enabled", "DB_CLUSTER", "ModifyDBCluster",
         {**CLUSTER, "CloudwatchLogsExportConfiguration": {"EnableLogTypes": []}}),
        ("a log that is none", "DB_CLUSTER", "ModifyDBCluster",
         {**CLUSTER, "CloudwatchLogsExportConfiguration": {"EnableLogTypes": ["keystrokes"]}}),
        ("another parameter group attached", "DB_CLUSTER", "ModifyDBCluster",
         {**CLUSTER, "DeletionProtection": True, "DBClusterParameterGroupName": "lax"}),
        ("a default parameter group", "DB_CLUSTER", "ModifyDBClusterParameterGroup",
         {**_group(), "DBClusterParameterGroupName": "default.aurora-postgresql16"}),
        ("another cluster's parameter group", "DB_CLUSTER", "ModifyDBClusterParameterGroup",
         {**_group(), "DBClusterParameterGroupName": "reports-pg16"}),
        ("TLS turned off", "DB_CLUSTER", "ModifyDBClusterParameterGroup", _group(ParameterValue="0")),
        ("a value that nobody can read", "DB_CLUSTER", "ModifyDBClusterParameterGroup",
         _group(ParameterValue="")),
        ("another parameter beside it", "DB_CLUSTER", "ModifyDBClusterParameterGroup",
         _group(ParameterName="log_statement")),
        ("a change that waits for a reboot", "DB_CLUSTER", "ModifyDBClusterParameterGroup",
         _group(ApplyMethod="pending-reboot")),
        ("a parameter with more fields", "DB_CLUSTER", "ModifyDBClusterParameterGroup",
         _group(Description="innocent")),
        ("no parameter", "DB_CLUSTER", "ModifyDBClusterParameterGroup", {**_group(), "Parameters": []}),
        ("one parameter twice", "DB_CLUSTER", "ModifyDBClusterParameterGroup",
         _group(ParameterName="rds.force_ssl")),
        ("TLS of a proxy turned off", "DB_PROXY", "ModifyDBProxy",
         {"DBProxyName": "orders-proxy", "RequireTLS": False}),
        ("another role for a proxy", "DB_PROXY", "ModifyDBProxy",
         {"DBProxyName": "orders-proxy", "RequireTLS": True, "RoleArn": "arn:aws:iam::123456789012:role/admin"}),
        ("an instance's default parameter group", "DB_INSTANCE", "ModifyDBParameterGroup",
         {**_instance_group(), "DBParameterGroupName": "default.postgres16"}),
        ("another instance's parameter group", "DB_INSTANCE", "ModifyDBParameterGroup",
         {**_instance_group(), "DBParameterGroupName": "reports-pg16"}),
        ("TLS of an instance turned off", "DB_INSTANCE", "ModifyDBParameterGroup",
         _instance_group(ParameterValue="0")),
        ("another parameter of an instance", "DB_INSTANCE", "ModifyDBParameterGroup",
         _instance_group(ParameterName="log_statement")),
        ("the present certificate authority", "DB_INSTANCE", "ModifyDBInstance",
         {**INSTANCE, "CACertificateIdentifier": "rds-ca-2019"}),
        ("a certificate authority that the engine version does not take", "DB_INSTANCE", "ModifyDBInstance",
         {**INSTANCE, "CACertificateIdentifier": "rds-ca-rsa8192-g9"}),
        ("what is no certificate authority", "DB_INSTANCE", "ModifyDBInstance",
         {**INSTANCE, "CACertificateIdentifier": "self-signed"}),
        ("a certificate that is not loaded by a restart", "DB_INSTANCE", "ModifyDBInstance",
         {**INSTANCE, "CACertificateIdentifier": "rds-ca-rsa2048-g1", "CertificateRotationRestart": False}),
        ("an instance made public", "DB_INSTANCE", "ModifyDBInstance",
         {**INSTANCE, "PubliclyAccessible": True}),
        ("backups turned off", "DB_INSTANCE", "ModifyDBInstance", {**INSTANCE, "BackupRetentionPeriod": 0}),
        ("another class", "DB_INSTANCE", "ModifyDBInstance",
         {**INSTANCE, "DeletionProtection": True, "DBInstanceClass": "db.t3.micro"}),
        ("a global cluster unprotected", "GLOBAL_CLUSTER", "ModifyGlobalCluster",
         {"GlobalClusterIdentifier": "orders-global", "DeletionProtection": False}),
        ("a global cluster renamed", "GLOBAL_CLUSTER", "ModifyGlobalCluster",
         {"GlobalClusterIdentifier": "orders-global", "DeletionProtection": True,
          "NewGlobalClusterIdentifier": "mine"}),
        ("a snapshot shared", "DB_SNAPSHOT", "ModifyDBSnapshotAttribute",
         {"DBSnapshotIdentifier": "billing-before-upgrade", "AttributeName": "restore",
          "ValuesToAdd": [STRANGER]}),
        ("a snapshot shared while the public is removed", "DB_SNAPSHOT", "ModifyDBSnapshotAttribute",
         {"DBSnapshotIdentifier": "billing-before-upgrade", "AttributeName": "restore",
          "ValuesToRemove": ["all"], "ValuesToAdd": [STRANGER]}),
        ("a share removed that is not there", "DB_SNAPSHOT", "ModifyDBSnapshotAttribute",
         {"DBSnapshotIdentifier": "billing-before-upgrade", "AttributeName": "restore",
          "ValuesToRemove": ["000000000000"]}),
        ("another attribute", "DB_CLUSTER_SNAPSHOT", "ModifyDBClusterSnapshotAttribute",
         {"DBClusterSnapshotIdentifier": "orders-before-upgrade", "AttributeName": "other",
          "ValuesToRemove": ["all"]}),
        ("a copy under another name", "DB_SNAPSHOT", "CopyDBSnapshot",
         {**COPY, "TargetDBSnapshotIdentifier": "warden-mine"}),
        ("a copy with AWS's own key", "DB_SNAPSHOT", "CopyDBSnapshot", {**COPY, "KmsKeyId": "alias/aws/rds"}),
        ("a copy with no key", "DB_SNAPSHOT", "CopyDBSnapshot",
         {name: value for name, value in COPY.items() if name != "KmsKeyId"}),
        ("a copy that sheds its tags", "DB_SNAPSHOT", "CopyDBSnapshot", {**COPY, "CopyTags": False}),
        ("a copy of another snapshot", "DB_SNAPSHOT", "CopyDBSnapshot",
         {**COPY, "SourceDBSnapshotIdentifier": "salaries"}),
        ("a copy from elsewhere", "DB_SNAPSHOT", "CopyDBSnapshot",
         {**COPY, "PreSignedUrl": "https://rds.us-east-1.amazonaws.com/?Action=CopyDBSnapshot"}),
        ("a deletion", "DB_CLUSTER", "DeleteDBCluster", {**CLUSTER, "SkipFinalSnapshot": True}),
        ("a deletion of a snapshot", "DB_SNAPSHOT", "DeleteDBSnapshot",
         {"DBSnapshotIdentifier": "billing-before-upgrade"}),
        ("a reboot", "DB_INSTANCE", "RebootDBInstance", INSTANCE),
        ("a failover", "DB_CLUSTER", "FailoverDBCluster", CLUSTER),
    )
]  # fmt: skip


@pytest.mark.parametrize(
    ("resource_type", "operation", "parameters"),
    [row[1:] for row in HOSTILE],
    ids=[row[0] for row in HOSTILE],
)
def test_a_hostile_call_is_refused(
    resource_type: ResourceType, operation: str, parameters: dict[str, Any]
) -> None:
    assert refused(resource_type, operation, parameters)


def test_the_hostile_calls_are_near_misses_of_good_ones() -> None:
    cluster = items.resource(ResourceType.DB_CLUSTER, BROKEN[ResourceType.DB_CLUSTER])
    snapshot = items.resource(ResourceType.DB_SNAPSHOT, BROKEN[ResourceType.DB_SNAPSHOT])
    check(Call("ModifyDBCluster", {**CLUSTER, "DeletionProtection": True}), PERMITS, cluster)
    check(Call("ModifyDBCluster", {**CLUSTER, "BackupRetentionPeriod": 2}), PERMITS, cluster)
    check(Call("ModifyDBClusterParameterGroup", _group()), PERMITS, cluster)
    check(Call("CopyDBSnapshot", COPY), PERMITS, snapshot)


def test_a_parameter_group_that_another_cluster_uses_is_refused() -> None:
    other = "arn:aws:rds:eu-west-1:123456789012:cluster:reports"
    resource = items.resource(
        ResourceType.DB_CLUSTER, {"ParameterGroupUsers": [items.CLUSTER["DBClusterArn"], other]}
    )
    with pytest.raises(GuardError, match="also used by"):
        check(Call("ModifyDBClusterParameterGroup", _group()), PERMITS, resource)


def test_a_parameter_group_whose_users_are_not_known_is_refused() -> None:
    resource = items.resource(ResourceType.DB_CLUSTER, missing=("ParameterGroupUsers",))
    with pytest.raises(GuardError, match="ParameterGroupUsers is not known"):
        check(Call("ModifyDBClusterParameterGroup", _group()), PERMITS, resource)


@pytest.mark.parametrize(
    ("facts", "missing", "why"),
    [
        (
            {
                "InstanceParameterGroupUsers": [
                    items.INSTANCE["DBInstanceArn"],
                    "arn:aws:rds:eu-west-1:1:db:x",
                ]
            },
            (),
            "also used by",
        ),
        ({}, ("InstanceParameterGroupUsers",), "InstanceParameterGroupUsers is not known"),
        ({"DBParameterGroups": []}, (), "AWS names no parameter group"),
    ],
)
def test_an_instances_group_that_is_not_known_to_be_its_own_is_refused(
    facts: dict[str, Any], missing: tuple[str, ...], why: str
) -> None:
    resource = items.resource(ResourceType.DB_INSTANCE, facts, missing=missing)
    with pytest.raises(GuardError, match=why):
        check(Call("ModifyDBParameterGroup", _instance_group()), PERMITS, resource)


def test_a_change_of_certificate_that_restarts_is_refused() -> None:
    call = Call("ModifyDBInstance", {**INSTANCE, "CACertificateIdentifier": "rds-ca-ecc384-g1"})
    rotation = items.enrichments(ResourceType.DB_INSTANCE)["CertificateRotation"]
    check(call, PERMITS, items.resource(ResourceType.DB_INSTANCE, {"CertificateRotation": rotation}))
    restarts = {**rotation, "SupportsCertificateRotationWithoutRestart": False}
    with pytest.raises(GuardError, match="restarts the database"):
        check(call, PERMITS, items.resource(ResourceType.DB_INSTANCE, {"CertificateRotation": restarts}))
    unsaid = {"SupportedCACertificateIdentifiers": ["rds-ca-ecc384-g1"]}
    with pytest.raises(GuardError, match="is not known"):
        check(call, PERMITS, items.resource(ResourceType.DB_INSTANCE, {"CertificateRotation": unsaid}))
