"""What reading costs: the calls of each kind, one by one and in a sweep, as the readers' docstrings say them.

A call that a page of resources needs is made once for the page; one that each resource needs is written down here.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from gateways.estate import REGION, Estate
from warden.controls import all_controls
from warden.core.kinds import EVALUATED_KINDS
from warden.core.resource import ResourceRef, ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PASSWORD = "correct-horse-battery"
T = ResourceType

DATABASES = {"DescribeDBClusters": 1, "DescribeDBInstances": 1}
GUARDED = {**DATABASES, "DescribeDBProxies": 1}
OF_KEYS = {**DATABASES, "DescribeDBClusterSnapshots": 1, "DescribeDBSnapshots": 1}

ONE: Mapping[ResourceType, Mapping[str, int]] = {
    T.DB_CLUSTER: {"DescribeDBClusters": 1},
    T.DB_INSTANCE: {"DescribeDBInstances": 1},
    T.DB_CLUSTER_SNAPSHOT: {"DescribeDBClusterSnapshots": 1},
    T.DB_SNAPSHOT: {"DescribeDBSnapshots": 1},
    T.GLOBAL_CLUSTER: {"DescribeGlobalClusters": 1},
    T.DB_PROXY: {"DescribeDBProxies": 1},
    T.SECURITY_GROUP: {"DescribeSecurityGroups": 1},
    # A cluster proves that there are databases; where there is none, instances and then deletions are looked for.
    T.ACCOUNT: {"DescribeDBClusters": 1, "GetCallerIdentity": 1},
    T.LOG_GROUP: {"DescribeLogGroups": 1, "DescribeDBClusters": 1},
    T.KMS_KEY: {"DescribeKey": 1, "ListResourceTags": 1},
    T.SECRET: {"DescribeSecret": 1},
}
"""The calls that describe one resource, without enrichments."""

LIST: Mapping[ResourceType, Mapping[str, int]] = {
    **{kind: ONE[kind] for kind in (T.DB_CLUSTER, T.DB_INSTANCE, T.DB_CLUSTER_SNAPSHOT, T.DB_SNAPSHOT)},
    T.GLOBAL_CLUSTER: {"DescribeGlobalClusters": 1},
    T.DB_PROXY: {"DescribeDBProxies": 1},
    T.SECURITY_GROUP: {**GUARDED, "DescribeSecurityGroups": 1},
    T.ACCOUNT: {"DescribeDBClusters": 1, "GetCallerIdentity": 1},
    # One for each of the two prefixes.
    T.LOG_GROUP: {**DATABASES, "DescribeLogGroups": 2},
    T.KMS_KEY: OF_KEYS,
    T.SECRET: {"ListSecrets": 1},
}
"""The calls that list a page of them, without enrichments, whatever their number."""

EACH: Mapping[ResourceType, Mapping[str, int]] = {T.KMS_KEY: {"DescribeKey": 1, "ListResourceTags": 1}}
"""The calls that each further one takes beside."""

# AWS tells these of one thing at a time: a snapshot's shares; a key with its tags, its policy, its grants and its
# rotation; a secret's policy; the filters of a log group.
ENRICHED = frozenset(
    {
        "DescribeDBClusterSnapshotAttributes",
        "DescribeDBSnapshotAttributes",
        "DescribeKey",
        "ListResourceTags",
        "GetKeyPolicy",
        "ListGrants",
        "GetKeyRotationStatus",
        "GetResourcePolicy",
        "DescribeSubscriptionFilters",
    }
)
"""The calls that a sweep makes once for each snapshot, key, secret or log group; all others are shared."""


@pytest.fixture
def estate() -> Iterator[Estate]:
    with Estate() as made:
        yield made


def populate(estate: Estate, number: int) -> dict[ResourceType, str]:
    """So many more of each kind; returns the ARN of the last of each."""
    rds, account = estate.client("rds"), estate.aws.account
    here = f"{REGION}:{account}"
    login = {"MasterUsername": "steward", "MasterUserPassword": PASSWORD}
    start = len(rds.describe_db_clusters()["DBClusters"])
    for index in range(start, start + number):
        key = estate.client("kms").create_key()["KeyMetadata"]["Arn"]
        name = f"orders-{index}"
        cluster = rds.create_db_cluster(
            DBClusterIdentifier=name,
            Engine="aurora-postgresql",
            StorageEncrypted=True,
            KmsKeyId=key,
            VpcSecurityGroupIds=[_group(estate, name)],
            **login,
        )["DBCluster"]["DBClusterArn"]
        instance = rds.create_db_instance(
            DBInstanceIdentifier=f"billing-{index}",
            Engine="postgres",
            DBInstanceClass="db.m6g.large",
            AllocatedStorage=20,
            **login,
        )["DBInstance"]["DBInstanceArn"]
        estate.aws.rds.settle()
        rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier=name)
        rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier=f"billing-{index}")
        rds.create_global_cluster(GlobalClusterIdentifier=f"world-{index}", SourceDBClusterIdentifier=cluster)
        proxy = _proxy(estate, name)
        secret = estate.client("secretsmanager").create_secret(Name=name, SecretString="{}")["ARN"]
        estate.client("logs").create_log_group(logGroupName=f"/aws/rds/cluster/{name}/postgresql")
    estate.aws.rds.settle()
    group = rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]["VpcSecurityGroups"][0]
    return {
        T.DB_CLUSTER: cluster,
        T.DB_INSTANCE: instance,
        T.DB_CLUSTER_SNAPSHOT: f"arn:aws:rds:{here}:cluster-snapshot:{name}",
        T.DB_SNAPSHOT: f"arn:aws:rds:{here}:snapshot:{name}",
        T.GLOBAL_CLUSTER: f"arn:aws:rds::{account}:global-cluster:world-{index}",
        T.DB_PROXY: proxy,
        T.SECURITY_GROUP: f"arn:aws:ec2:{here}:security-group/{group['VpcSecurityGroupId']}",
        T.ACCOUNT: f"arn:aws:iam::{account}:root",
        T.LOG_GROUP: f"arn:aws:logs:{here}:log-group:/aws/rds/cluster/{name}/postgresql",
        T.KMS_KEY: key,
        T.SECRET: secret,
    }


def _group(estate: Estate, name: str) -> str:
    ec2 = estate.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    return str(ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"])


def _proxy(estate: Estate, name: str) -> str:
    made = estate.client("rds").create_db_proxy(
        DBProxyName=name,
        EngineFamily="POSTGRESQL",
        Auth=[
            {"AuthScheme": "SECRETS", "SecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x"}
        ],
        RoleArn="arn:aws:iam::123456789012:role/proxy",
        VpcSubnetIds=[one["SubnetId"] for one in estate.client("ec2").describe_subnets()["Subnets"]],
    )
    return str(made["DBProxy"]["DBProxyArn"])


def calls(estate: Estate, read: Any) -> Counter[str]:
    """What a read asks of AWS."""
    estate.aws.calls.clear()
    read()
    return Counter(call.operation for call in estate.aws.calls)


def test_every_kind_that_is_judged_has_its_numbers() -> None:
    assert set(ONE) == set(LIST) == set(EVALUATED_KINDS)


def test_one_resource_takes_the_calls_of_its_kind(estate: Estate) -> None:
    arns = populate(estate, 1)

    made = {
        kind: dict(calls(estate, lambda kind=kind: estate.reader().read(ResourceRef(kind, arns[kind]), ())))
        for kind in EVALUATED_KINDS
    }

    assert made == ONE


def test_a_page_of_resources_takes_the_calls_of_its_kind_whatever_their_number(estate: Estate) -> None:
    populate(estate, 1)
    few = {kind: calls(estate, lambda kind=kind: listed(estate, kind)) for kind in EVALUATED_KINDS}
    populate(estate, 3)
    many = {kind: calls(estate, lambda kind=kind: listed(estate, kind)) for kind in EVALUATED_KINDS}

    for kind in EVALUATED_KINDS:
        each = Counter(EACH.get(kind, {}))
        assert few[kind] == Counter(LIST[kind]) + each, kind
        assert many[kind] - few[kind] == Counter({name: 3 * number for name, number in each.items()}), kind


def listed(estate: Estate, kind: ResourceType) -> list[Any]:
    return list(estate.reader(bulk=True).list(kind, ()))


def test_a_sweep_shares_all_reads_but_those_that_aws_answers_one_by_one(estate: Estate) -> None:
    populate(estate, 2)
    few = swept(estate)
    populate(estate, 3)
    more = swept(estate) - few

    assert more == Counter(dict.fromkeys(ENRICHED, 3)), "of five things instead of two, each once more"


def swept(estate: Estate) -> Counter[str]:
    """What a sweep asks that enriches every resource with everything that its controls need."""
    needs = {
        kind: {n for c in all_controls() if c.resource_type is kind for n in c.needs}
        for kind in EVALUATED_KINDS
    }
    reader = estate.reader(bulk=True)
    return calls(estate, lambda: [list(reader.list(kind, needs[kind])) for kind in EVALUATED_KINDS])
