"""Who uses a route table, a network ACL, a prefix list or a DB subnet group, on the local AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateways.estate import Estate
from gateways.test_network import cluster, group, instance, main_table, subnets_of, vpc
from warden.core.resource import ResourceRef

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = "eu-west-1:123456789012"


@pytest.fixture
def estate() -> Iterator[Estate]:
    with Estate() as made:
        yield made


def users(estate: Estate, kind: str, name: str) -> list[str]:
    return sorted(user.id for user in estate.reader().users(ResourceRef.from_arn(f"arn:aws:{kind}{name}")))


def of_table(estate: Estate, name: str) -> list[str]:
    return users(estate, f"ec2:{HERE}:route-table/", name)


def of_acl(estate: Estate, name: str) -> list[str]:
    return users(estate, f"ec2:{HERE}:network-acl/", name)


def subnet_group(estate: Estate, name: str, *subnets: str) -> str:
    estate.client("rds").create_db_subnet_group(
        DBSubnetGroupName=name, DBSubnetGroupDescription=name, SubnetIds=list(subnets)
    )
    return name


@pytest.fixture
def divided(estate: Estate) -> tuple[str, str]:
    """A cluster in the first two subnets, an instance in the others; both groups' subnets."""
    first, second, *rest = subnets_of(estate)
    databases = group(estate, "databases")
    cluster(estate, "orders", databases, DBSubnetGroupName=subnet_group(estate, "one", first, second))
    instance(estate, "ledger", databases, DBSubnetGroupName=subnet_group(estate, "other", *rest))
    return first, rest[0]


def test_the_main_route_table_is_used_by_subnets_without_one_of_their_own(
    estate: Estate, divided: tuple[str, str]
) -> None:
    assert of_table(estate, main_table(estate)) == ["ledger", "orders"]
    ec2 = estate.client("ec2")
    own = ec2.create_route_table(VpcId=vpc(estate))["RouteTable"]["RouteTableId"]
    assert of_table(estate, own) == []
    for subnet in subnets_of(estate)[2:]:
        ec2.associate_route_table(RouteTableId=own, SubnetId=subnet)
    assert of_table(estate, own) == ["ledger"]
    assert of_table(estate, main_table(estate)) == ["orders"]
    ec2.associate_route_table(RouteTableId=own, SubnetId=divided[0])
    assert of_table(estate, own) == ["ledger", "orders"]


def test_a_route_table_that_is_gone_is_used_by_nothing(estate: Estate, divided: tuple[str, str]) -> None:
    del divided
    assert of_table(estate, "rtb-0123456789abcdef0") == []


def test_a_network_acl_is_used_by_the_databases_in_its_subnets(
    estate: Estate, divided: tuple[str, str]
) -> None:
    ec2 = estate.client("ec2")
    [default] = ec2.describe_network_acls()["NetworkAcls"]
    assert of_acl(estate, default["NetworkAclId"]) == ["ledger", "orders"]
    own = ec2.create_network_acl(VpcId=vpc(estate))["NetworkAcl"]["NetworkAclId"]
    assert of_acl(estate, own) == []
    (associated,) = (one for one in default["Associations"] if one["SubnetId"] == divided[1])
    ec2.replace_network_acl_association(AssociationId=associated["NetworkAclAssociationId"], NetworkAclId=own)
    assert of_acl(estate, own) == ["ledger"]


def test_a_subnet_group_is_used_by_what_stands_in_it(estate: Estate, divided: tuple[str, str]) -> None:
    del divided
    subgrp = f"rds:{HERE}:subgrp:"
    assert users(estate, subgrp, "one") == ["orders"]
    assert users(estate, subgrp, "other") == ["ledger"]
    assert users(estate, subgrp, "third") == []


def test_a_prefix_list_is_used_by_the_groups_of_databases_that_name_it(estate: Estate) -> None:
    ec2 = estate.client("ec2")
    names = [
        ec2.create_managed_prefix_list(PrefixListName=name, MaxEntries=5, AddressFamily="IPv4")["PrefixList"][
            "PrefixListId"
        ]
        for name in ("offices", "others")
    ]
    ours, foreign = group(estate, "databases"), group(estate, "web")
    for name in (ours, foreign):
        ec2.authorize_security_group_ingress(
            GroupId=name,
            IpPermissions=[
                {
                    "IpProtocol": "tcp",
                    "FromPort": 5432,
                    "ToPort": 5432,
                    "PrefixListIds": [{"PrefixListId": names[0]}],
                }
            ],
        )
    cluster(estate, "orders", ours)
    assert users(estate, f"ec2:{HERE}:prefix-list/", names[0]) == [ours]
    assert users(estate, f"ec2:{HERE}:prefix-list/", names[1]) == []


def test_what_nobody_uses_costs_no_list_of_databases(estate: Estate) -> None:
    ec2 = estate.client("ec2")
    lonely = ec2.create_route_table(VpcId=vpc(estate))["RouteTable"]["RouteTableId"]
    acl = ec2.create_network_acl(VpcId=vpc(estate))["NetworkAcl"]["NetworkAclId"]
    secret = f"arn:aws:secretsmanager:{HERE}:secret:prod/db-Qm4ZtX"
    estate.aws.calls.clear()
    assert of_table(estate, lonely) == of_acl(estate, acl) == []
    assert users(estate, f"ec2:{HERE}:prefix-list/", "pl-0123456789abcdef0") == []
    assert list(estate.reader().users(ResourceRef.from_arn(secret))) == []
    assert [call.operation for call in estate.aws.calls] == [
        "DescribeRouteTables",
        "DescribeNetworkAcls",
        "DescribeSecurityGroups",
    ]


def test_a_secret_that_rds_manages_leads_to_its_database(estate: Estate) -> None:
    made: dict[str, Any] = estate.client("rds").create_db_cluster(
        DBClusterIdentifier="orders",
        Engine="aurora-postgresql",
        MasterUsername="steward",
        ManageMasterUserPassword=True,
    )["DBCluster"]
    arn = made["MasterUserSecret"]["SecretArn"]
    assert [user.id for user in estate.reader().users(ResourceRef.from_arn(arn))] == ["orders"]


@pytest.mark.parametrize("kind", ["route-table", "network-acl"])
def test_what_decides_for_subnets_is_described_and_listed_like_anything_else(
    estate: Estate, kind: str
) -> None:
    ec2 = estate.client("ec2")
    name = (
        main_table(estate)
        if kind == "route-table"
        else ec2.describe_network_acls()["NetworkAcls"][0]["NetworkAclId"]
    )
    ref = ResourceRef.from_arn(f"arn:aws:ec2:{HERE}:{kind}/{name}")
    assert estate.reader().read(ref, ()).facts["VpcId"] == vpc(estate)
    assert ref in [resource.ref for resource in estate.reader(bulk=True).list(ref.resource_type, ())]
