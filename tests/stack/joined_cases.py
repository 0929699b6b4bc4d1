"""How what databases are joined with drifts: keys, secrets, log groups, subnets, the account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.secretsmanager.models import secretsmanager_backends

from stack import fleet
from stack.case import Case
from stack.deployed import BACKUP_ACCOUNT, KEY, KEY_ARN, STRANGER

if TYPE_CHECKING:
    from collections.abc import Callable

    from stack.case import Drift, Seed
    from stack.deployed import Deployed

_ROOT = "arn:aws:iam::123456789012:root"
_OWN = {"Effect": "Allow", "Principal": {"AWS": _ROOT}, "Action": "kms:*", "Resource": "*"}


def _log_group(stack: Deployed, name: str) -> str:
    """The log group of a cluster, with a key and a retention; returns its ARN."""
    fleet.cluster(stack, f"of-{name}")
    logs, group = stack.client("logs"), _group_name(name)
    logs.create_log_group(logGroupName=group, kmsKeyId=_key_arn(stack))
    logs.put_retention_policy(logGroupName=group, retentionInDays=400)
    return f"arn:aws:logs:eu-west-1:123456789012:log-group:{group}"


def _group_name(name: str) -> str:
    return f"/aws/rds/cluster/of-{name}/postgresql"


def _delivered(stack: Deployed, name: str) -> str:
    arn = _log_group(stack, name)
    logs = stack.client("logs")
    kinesis = stack.client("kinesis")
    kinesis.create_stream(StreamName="siem", ShardCount=1)
    destination = kinesis.describe_stream_summary(StreamName="siem")["StreamDescriptionSummary"]["StreamARN"]
    logs.put_subscription_filter(
        logGroupName=_group_name(name), filterName="siem", filterPattern="", destinationArn=destination
    )
    return arn


def _key_arn(stack: Deployed, key_id: str = "") -> str:
    return str(stack.client("kms").describe_key(KeyId=key_id or fleet.key(stack))["KeyMetadata"]["Arn"])


def _key(stack: Deployed, name: str) -> str:
    """A key of a cluster alone, which rotates; returns its ARN."""
    kms = stack.client("kms")
    arn = str(kms.create_key(Description=name)["KeyMetadata"]["Arn"])
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=arn)
    kms.enable_key_rotation(KeyId=arn)
    fleet.cluster(stack, f"of-{name}", KmsKeyId=arn)
    return arn


def _with_the_key(operation: str, **parameters: Any) -> Drift:
    def drift(stack: Deployed, name: str) -> None:
        key = _key_arn(stack, f"alias/{name}")
        getattr(stack.client("kms"), operation)(KeyId=key, **parameters)

    return drift


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _for(account: str, *actions: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": list(actions),
        "Resource": "*",
    }


def _shared(kind: str) -> Seed:
    """A snapshot that is shared with the backup account, which may use its key; returns its ARN."""

    def seed(stack: Deployed, name: str) -> str:
        kms = stack.client("kms")
        arn = str(kms.create_key(Description=name)["KeyMetadata"]["Arn"])
        kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=arn)
        kms.put_key_policy(
            KeyId=arn,
            PolicyName="default",
            Policy=_policy(_OWN, _for(BACKUP_ACCOUNT, "kms:Decrypt", "kms:DescribeKey", "kms:CreateGrant")),
        )
        make, take, share = _SNAPSHOTS[kind]
        make(stack, f"of-{name}", KmsKeyId=arn)
        made = take(stack, name, f"of-{name}")
        with stack.quietly() as rds:
            share(rds, name)
        return made

    return seed


def _share_cluster_snapshot(rds: Any, name: str) -> None:
    rds.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=[BACKUP_ACCOUNT]
    )


def _share_snapshot(rds: Any, name: str) -> None:
    rds.modify_db_snapshot_attribute(
        DBSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=[BACKUP_ACCOUNT]
    )


_SNAPSHOTS: dict[str, tuple[Callable[..., str], Callable[..., str], Callable[..., None]]] = {
    "cluster": (fleet.cluster, fleet.cluster_snapshot, _share_cluster_snapshot),
    "instance": (fleet.instance, fleet.snapshot, _share_snapshot),
}


def _managed_secret(stack: Deployed, name: str) -> str:
    """The secret in which RDS keeps a cluster's master password; returns its ARN."""
    fleet.cluster(stack, f"of-{name}")
    with stack.quietly() as rds:
        rds.modify_db_cluster(
            DBClusterIdentifier=f"of-{name}",
            ManageMasterUserPassword=True,
            MasterUserSecretKmsKeyId=KEY,
            ApplyImmediately=True,
        )
    return _secret_of(stack, name)


def _secret_of(stack: Deployed, name: str) -> str:
    (item,) = stack.client("rds").describe_db_clusters(DBClusterIdentifier=f"of-{name}")["DBClusters"]
    return str(item["MasterUserSecret"]["SecretArn"])


def _with_the_secret(operation: str, **parameters: Any) -> Drift:
    return lambda stack, name: getattr(stack.client("secretsmanager"), operation)(
        SecretId=_secret_of(stack, name), **parameters
    )


def _subnets_open(stack: Deployed, name: str) -> None:
    """The main route table leads to the Internet."""
    del name
    ec2 = stack.client("ec2")
    if ec2.describe_internet_gateways()["InternetGateways"]:
        return
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    (table,) = ec2.describe_route_tables(Filters=[{"Name": "association.main", "Values": ["true"]}])[
        "RouteTables"
    ]
    ec2.create_route(RouteTableId=table["RouteTableId"], GatewayId=gateway, DestinationCidrBlock="0.0.0.0/0")


def _behind_an_acl(make: Callable[..., str]) -> Seed:
    def seed(stack: Deployed, name: str) -> str:
        arn = make(stack, name)
        if not _denials(stack):
            stack.client("ec2").create_network_acl_entry(**_acl(stack), **_DENY)
        return arn

    return seed


_DENY = {
    "Protocol": "6",
    "PortRange": {"From": 5000, "To": 6000},
    "RuleAction": "deny",
    "CidrBlock": "0.0.0.0/0",
}


def _acl(stack: Deployed) -> dict[str, Any]:
    (acl,) = stack.client("ec2").describe_network_acls()["NetworkAcls"]
    return {"NetworkAclId": acl["NetworkAclId"], "RuleNumber": 90, "Egress": False}


def _denials(stack: Deployed) -> list[dict[str, Any]]:
    (acl,) = stack.client("ec2").describe_network_acls()["NetworkAcls"]
    return [entry for entry in acl["Entries"] if entry["RuleNumber"] == _acl(stack)["RuleNumber"]]


def _acl_opened(stack: Deployed, name: str) -> None:
    del name
    if _denials(stack):
        stack.client("ec2").delete_network_acl_entry(**_acl(stack))


def _trail(stack: Deployed, name: str) -> str:
    fleet.cluster(stack, f"of-{name}")
    stack.client("s3").create_bucket(
        Bucket="trails", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    cloudtrail = stack.client("cloudtrail")
    cloudtrail.create_trail(
        Name=name, S3BucketName="trails", IsMultiRegionTrail=True, EnableLogFileValidation=True
    )
    cloudtrail.start_logging(Name=name)
    return _ROOT


def _role(stack: Deployed, name: str) -> str:
    fleet.cluster(stack, f"of-{name}")
    stack.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=_policy())
    return _ROOT


def _connect_as_anybody(stack: Deployed, name: str) -> None:
    statement = {
        "Effect": "Allow",
        "Action": "rds-db:connect",
        "Resource": "arn:aws:rds-db:eu-west-1:123456789012:dbuser:*/*",
    }
    stack.client("iam").put_role_policy(
        RoleName=name, PolicyName="connect", PolicyDocument=_policy(statement)
    )


def _streaming(stack: Deployed, name: str) -> str:
    arn = fleet.cluster(stack, name)
    stack.aws.rds.overlay(arn, ActivityStreamStatus="started")
    return arn


def _stopped(stack: Deployed, name: str) -> None:
    """The stream stops: moto knows no StopActivityStream, whose effect this is."""
    stack.aws.rds.overlay(
        f"arn:aws:rds:eu-west-1:123456789012:cluster:{name}", ActivityStreamStatus="stopped"
    )
    stack.client("rds").add_tags_to_resource(
        ResourceName=f"arn:aws:rds:eu-west-1:123456789012:cluster:{name}",
        Tags=[{"Key": "looked", "Value": "at"}],
    )


def _aged(stack: Deployed, name: str) -> None:
    """A hundred days pass without a rotation, and without any of the sweeps that they would bring."""
    backend = secretsmanager_backends["123456789012"]["eu-west-1"]
    secret = backend.secrets[_secret_of(stack, name)]
    secret.created_date -= 100 * 86_400
    secret.next_rotation_date -= 100 * 86_400


CASES = (
    Case(
        control="account_cloudtrail_covers_rds",
        seed=_trail,
        drift=lambda stack, name: stack.client("cloudtrail").stop_logging(Name=name),
    ),
    Case(
        control="account_iam_database_connect_restricted",
        seed=_role,
        drift=_connect_as_anybody,
        told=False,
    ),
    Case(control="cluster_activity_stream_started", seed=_streaming, drift=_stopped),
    Case(
        control="cluster_network_acl_closed",
        seed=_behind_an_acl(fleet.cluster),
        drift=_acl_opened,
    ),
    Case(
        control="cluster_snapshot_shares_usable",
        seed=_shared("cluster"),
        drift=_with_the_key("put_key_policy", PolicyName="default", Policy=_policy(_OWN)),
        told=False,
    ),
    Case(control="cluster_subnets_private", seed=fleet.cluster, drift=_subnets_open),
    Case(
        control="db_snapshot_shares_usable",
        seed=_shared("instance"),
        drift=_with_the_key("put_key_policy", PolicyName="default", Policy=_policy(_OWN)),
        told=False,
    ),
    Case(
        control="instance_network_acl_closed",
        seed=_behind_an_acl(fleet.instance),
        drift=_acl_opened,
    ),
    Case(control="instance_subnets_private", seed=fleet.instance, drift=_subnets_open),
    Case(
        control="kms_key_policy_restricted",
        seed=_key,
        drift=_with_the_key(
            "put_key_policy", PolicyName="default", Policy=_policy(_OWN, _for(STRANGER, "kms:Decrypt"))
        ),
    ),
    Case(
        control="kms_key_rotation_enabled",
        seed=_key,
        drift=_with_the_key("disable_key_rotation"),
        writes=("EnableKeyRotation",),
    ),
    Case(
        control="kms_key_usable",
        seed=_key,
        drift=_with_the_key("schedule_key_deletion", PendingWindowInDays=7),
        writes=("CancelKeyDeletion",),
        left="enable-key",
    ),
    Case(
        control="log_group_delivered",
        seed=_delivered,
        drift=lambda stack, name: stack.client("logs").delete_subscription_filter(
            logGroupName=_group_name(name), filterName="siem"
        ),
    ),
    Case(
        control="log_group_encrypted",
        seed=_log_group,
        drift=lambda stack, name: stack.client("logs").disassociate_kms_key(logGroupName=_group_name(name)),
        writes=("AssociateKmsKey",),
        settings=f'keys = ["{KEY_ARN}"]',
    ),
    Case(
        control="log_group_retention_sufficient",
        seed=_log_group,
        drift=lambda stack, name: stack.client("logs").put_retention_policy(
            logGroupName=_group_name(name), retentionInDays=7
        ),
        writes=("PutRetentionPolicy",),
    ),
    Case(
        control="secret_policy_restricted",
        seed=_managed_secret,
        drift=_with_the_secret(
            "put_resource_policy", ResourcePolicy=_policy(_for(STRANGER, "secretsmanager:GetSecretValue"))
        ),
    ),
    Case(control="secret_rotated_recently", seed=_managed_secret, drift=_aged, told=False),
    Case(
        control="secret_rotation_enabled",
        seed=_managed_secret,
        drift=_with_the_secret("cancel_rotate_secret"),
        writes=("RotateSecret",),
    ),
)
