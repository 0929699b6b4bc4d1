"""What surrounds the databases of `items`: a security group and its rules, routes, network ACLs, the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT = "123456789012"
REGION = "eu-west-1"
GROUP_ID = "sg-0a1b2c3d4e5f60718"
SUBNET_ID = "subnet-0a1b2c3d4e5f60718"

SECURITY_GROUP: Mapping[str, Any] = {
    "GroupId": GROUP_ID,
    "GroupName": "databases",
    "Description": "Databases",
    "OwnerId": ACCOUNT,
    "VpcId": "vpc-0a1b2c3d4e5f60718",
    "SecurityGroupArn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/{GROUP_ID}",
    "IpPermissions": [],
    "IpPermissionsEgress": [],
    "Tags": [{"Key": "team", "Value": "orders"}],
}
ACCOUNT_ITEM: Mapping[str, Any] = {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:root"}


def inbound_rule(number: int, **source: Any) -> dict[str, Any]:
    return {
        "SecurityGroupRuleId": f"sgr-{number:017x}",
        "GroupId": GROUP_ID,
        "IsEgress": False,
        "IpProtocol": "tcp",
        "FromPort": 5432,
        "ToPort": 5432,
        **source,
    }


INBOUND_RULES = [
    inbound_rule(1, ReferencedGroupInfo={"GroupId": "sg-0123456789abcdef0", "UserId": ACCOUNT}),
    inbound_rule(2, CidrIpv4="10.20.0.0/16"),
]
GUARDED = [
    {
        "Arn": f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:orders",
        "Name": "orders",
        "Engine": "aurora-postgresql",
        "Port": 5432,
        "SecurityGroups": [GROUP_ID],
        "PubliclyAccessible": False,
    }
]
SUBNET_ROUTES = [
    {
        "SubnetId": SUBNET_ID,
        "RouteTableId": "rtb-0a1b2c3d4e5f60718",
        "Routes": [
            {"DestinationCidrBlock": "10.20.0.0/16", "GatewayId": "local", "State": "active"},
            {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-0a1b2c3d4e5f60718", "State": "active"},
        ],
    }
]


def _acl_entry(number: int, action: str, cidr: str, *, egress: bool) -> dict[str, Any]:
    return {
        "RuleNumber": number,
        "Protocol": "-1",
        "RuleAction": action,
        "Egress": egress,
        "CidrBlock": cidr,
    }


SUBNET_ACLS = [
    {
        "SubnetId": SUBNET_ID,
        "NetworkAclId": "acl-0a1b2c3d4e5f60718",
        "Entries": [
            _acl_entry(number, action, cidr, egress=egress)
            for egress in (True, False)
            for number, action, cidr in ((100, "allow", "10.0.0.0/8"), (32767, "deny", "0.0.0.0/0"))
        ],
    }
]
OF_A_DATABASE: Mapping[str, Any] = {
    "SecurityGroups": [SECURITY_GROUP],
    "SecurityGroupRules": INBOUND_RULES,
    "PrefixLists": {},
    "SubnetRoutes": SUBNET_ROUTES,
    "SubnetNetworkAcls": SUBNET_ACLS,
}
OF_A_SECURITY_GROUP: Mapping[str, Any] = {
    "GuardedDatabases": GUARDED,
    "SecurityGroupRules": INBOUND_RULES,
    "PrefixLists": {},
    "NetworkInterfaces": [],
    "SiblingRules": [],
}
OF_THE_ACCOUNT: Mapping[str, Any] = {"IdentityPolicies": []}
