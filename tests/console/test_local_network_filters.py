"""The local EC2's filters that moto lacks, with the words of the API reference."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import botocore.session
import pytest

from console.local.aws import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with LocalAws(region="eu-west-1") as made:
        yield made


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ("DescribeNetworkAcls", "network-acl-id - The ID of the network ACL."),
        ("DescribeRouteTables", "route-table-id - The ID of the route table."),
        (
            "DescribeSecurityGroups",
            "ip-permission.prefix-list-id - The ID of a prefix list from which a security group rule allows inbound",
        ),
    ],
)
def test_the_api_reference_has_these_filters(operation: str, words: str) -> None:
    model = botocore.session.get_session().get_service_model("ec2").operation_model(operation)
    assert model.input_shape is not None
    text = re.sub(r"<[^>]+>", "", str(model.input_shape.members["Filters"].documentation))
    assert words in " ".join(text.split())


def test_a_network_acl_is_found_by_its_id(aws: LocalAws) -> None:
    ec2 = aws.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    own = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    found = ec2.describe_network_acls(Filters=[{"Name": "network-acl-id", "Values": [own]}])["NetworkAcls"]
    assert [acl["NetworkAclId"] for acl in found] == [own]


def test_a_security_group_is_found_by_the_prefix_list_that_a_rule_names(aws: LocalAws) -> None:
    ec2 = aws.client("ec2")
    name = ec2.create_managed_prefix_list(PrefixListName="a", MaxEntries=1, AddressFamily="IPv4")[
        "PrefixList"
    ]["PrefixListId"]
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="a", Description="a", VpcId=vpc)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "PrefixListIds": [{"PrefixListId": name}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])

    def naming(prefix_list: str) -> list[str]:
        filters = [{"Name": "ip-permission.prefix-list-id", "Values": [prefix_list]}]
        return [one["GroupId"] for one in ec2.describe_security_groups(Filters=filters)["SecurityGroups"]]

    assert naming(name) == [group]
    assert naming("pl-other") == []
