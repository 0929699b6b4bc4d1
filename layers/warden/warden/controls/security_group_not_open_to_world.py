"""No security group of a database lets the world in to the database's port.

Why it matters
--------------
A security group that admits every address makes the password the only wall. The flag for public access and
the routes of the subnet may hold today; they are changed by other people, for other reasons, and inside the
VPC, its peers and its VPN everybody is "every address" too.

What counts is what all rules of the group admit together, for each port that a database behind it answers on:
clusters, stand-alone instances and proxies, whatever port they were given. `0.0.0.0/1` with `128.0.0.0/1` is the
world, and so are a hundred networks of the size of a country, and a prefix list that holds them. How much of the
Internet may get in is a setting: by default at most as many public addresses as one network of length 8 has
(IPv4) or one of length 16 (IPv6). Private addresses never count.

Remediation safety
------------------
Safe, and containment: neither a freeze nor a stack's owner holds it up. Warden revokes exactly the rules that are
too wide, by their ids, the widest first, and stops where what is left is narrow enough. Established connections
stay; whoever came from the Internet cannot come again, and that is what it is for. It is done unattended only
where the policy names this control, and never

- where the group is also attached to anything but databases: somebody else may live by that rule,
- where no database behind the group, on a port that is open, is publicly accessible: the Internet does not reach it,
  and its own applications may come by this very rule, whatever other rules there are,
- where one of several databases has no public address, and no other rule lets anybody in to it. A rule that lets in
  the group itself is no other: nothing but databases is in it.

Those are left to a person, who gets the commands.

References
----------
- Amazon EC2 API Reference, RevokeSecurityGroupIngress: SecurityGroupRuleIds
- Amazon VPC User Guide, "Security group rules"
- Amazon RDS User Guide, "Controlling access with security groups"
- AWS Security Hub CSPM, controls EC2.18 and EC2.19, which know neither custom ports nor split networks
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import frameworks, guidance, security_groups
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
    compliant,
    non_compliant,
    not_applicable,
)
from warden.core.guard import Permit, SameAs
from warden.core.kinds import Need
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource
    from warden.core.security_groups import Opening


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge what the rules admit together, for the port of each database."""
    databases = security_groups.guarded(resource)
    if not databases:
        return not_applicable(f"{resource.ref.id} is attached to no database that Warden judges.")
    if openings := _openings(resource, settings):
        first = openings[0]
        behind = [item for item in databases if item["Port"] == first.port]
        others = [opening for opening in openings[1:] if opening.port != first.port]
        more = f", and other ports with {len(others)} more" if others else ""
        return non_compliant(
            f"{resource.ref.id} lets {first.share:.2%} of the IPv{first.version} Internet reach port {first.port} of "
            f"{security_groups.names(behind)}, by {', '.join(first.rules)}{more}."
        )
    security_groups.refuse_unknown_ports(databases)
    return compliant(
        f"{resource.ref.id} does not let the world reach {security_groups.names(databases)} on the database's port."
    )


def _openings(resource: Resource, settings: Mapping[str, Any]) -> list[Opening]:
    rules, prefix_lists = resource.facts[Need.SECURITY_GROUP_RULES], resource.facts[Need.PREFIX_LISTS]
    return [
        opening
        for port in security_groups.ports(security_groups.guarded(resource))
        for opening in security_groups.openings(rules, prefix_lists, port, settings)
    ]


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Revoke the rules that are too wide."""
    openings = _openings(resource, settings)
    too_wide = sorted({rule for opening in openings for rule in opening.rules})
    others = security_groups.attached_elsewhere(resource)
    if others:
        return Manual(
            f"The group is also attached to what is no database of Warden's: {', '.join(others[:5])}. Give the "
            "databases a group of their own, or make sure that nothing else needs these rules, then revoke them.",
            _steps(resource, too_wide),
        )
    ports = {opening.port for opening in openings}
    if not any(
        item["PubliclyAccessible"] and item["Port"] in ports for item in security_groups.guarded(resource)
    ):
        return Manual(
            "No database behind the group has a public address: the Internet does not reach them, and their own "
            "applications may come by this very rule. Let those in by their own security group first, then revoke it.",
            _steps(resource, too_wide),
        )
    if cut_off := _left_alone(resource, ports, set(too_wide)):
        return Manual(
            f"No other rule lets anybody in to {cut_off}, which has no public address: its own applications may "
            "come by this very rule. Let them in by their own security group first, then revoke it.",
            _steps(resource, too_wide),
        )
    return Plan(
        (
            Call(
                "RevokeSecurityGroupIngress",
                {"GroupId": resource.facts["GroupId"], "SecurityGroupRuleIds": too_wide},
            ),
        )
    )


def _left_alone(resource: Resource, ports: set[int], revoked: set[str]) -> str:
    """A database without a public address that nobody could reach any more; empty where there is none."""
    left = [
        rule
        for rule in (*resource.facts[Need.SECURITY_GROUP_RULES], *resource.facts[Need.SIBLING_RULES])
        if rule["SecurityGroupRuleId"] not in revoked and not _is_from(rule, resource.facts["GroupId"])
    ]
    open_groups = {
        port: {rule["GroupId"] for rule in left if security_groups.covers(rule, port)} for port in ports
    }
    for item in security_groups.guarded(resource):
        if item["PubliclyAccessible"] or item["Port"] not in ports:
            continue
        if open_groups[item["Port"]].isdisjoint(item["SecurityGroups"]):
            return str(item["Name"])
    return ""


def _is_from(rule: Mapping[str, Any], group: str) -> bool:
    """Whether a rule lets in a group; attached to databases alone, it lets no application in."""
    return bool(rule.get("ReferencedGroupInfo", {}).get("GroupId") == group)


def _steps(resource: Resource, rules: list[str]) -> tuple[str, ...]:
    options = {"group-id": resource.ref.id, "security-group-rule-ids": rules}
    return (guidance.command(resource, "revoke-security-group-ingress", options, service="ec2"),)


_CLUSTER = {
    "Arn": "arn:aws:rds:eu-west-1:123456789012:cluster:orders",
    "Name": "orders",
    "Engine": "aurora-postgresql",
    "Port": 5432,
    "SecurityGroups": ["sg-0a1b2c3d4e5f60718"],
    "PubliclyAccessible": False,
}
_INTERFACE = {
    "NetworkInterfaceId": "eni-0a1b2c3d4e5f60718",
    "Description": "",
    "InterfaceType": "interface",
    "RequesterManaged": False,
    "Attachment": {"InstanceId": "i-0a1b2c3d4e5f60718"},
}


def _rule(number: int, **members: Any) -> dict[str, Any]:
    return {
        "SecurityGroupRuleId": f"sgr-{number:017x}",
        "GroupId": "sg-0a1b2c3d4e5f60718",
        "IsEgress": False,
        "IpProtocol": "tcp",
        "FromPort": 5432,
        "ToPort": 5432,
        **members,
    }


_OFFICE = _rule(1, CidrIpv4="198.51.100.0/24")
_APPLICATION = _rule(2, ReferencedGroupInfo={"GroupId": "sg-0123456789abcdef0", "UserId": "123456789012"})
_WORLD = _rule(3, CidrIpv4="0.0.0.0/0")

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Security groups do not let the world in to databases",
    resource_type=ResourceType.SECURITY_GROUP,
    severity=Severity.CRITICAL,
    frameworks=frameworks.mapping(
        frameworks.security_hub("EC2.18"),
        frameworks.security_hub("EC2.19"),
        frameworks.config("vpc-sg-open-only-to-authorized-ports"),
        frameworks.prowler("ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_mysql_3306"),
        frameworks.prowler("ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_postgres_5432"),
        frameworks.prowler("ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_oracle_1521_2483"),
        frameworks.prowler("ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_sql_server_1433_1434"),
        frameworks.cis_database("2.1"),
        frameworks.pci_dss("1.4.4"),
        frameworks.NETWORK,
    ),
    needs=(Need.GUARDED_DATABASES, Need.SECURITY_GROUP_RULES, Need.PREFIX_LISTS),
    settings=(security_groups.LARGEST_PUBLIC_IPV4, security_groups.LARGEST_PUBLIC_IPV6),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(
            Permit(
                operation="RevokeSecurityGroupIngress",
                required={
                    "GroupId": SameAs("GroupId"),
                    "SecurityGroupRuleIds": security_groups.PublicRules(),
                },
            ),
        ),
        safety=Safety.SAFE,
        needs=(Need.NETWORK_INTERFACES, Need.SIBLING_RULES),
        containment=True,
    ),
    fix="""\
Look at the rules, let the applications in by their own security group, and revoke what lets the world in:

    aws ec2 describe-security-group-rules --filters Name=group-id,Values={id} --region {region}
    aws ec2 authorize-security-group-ingress --group-id {id} --region {region} \\
        --ip-permissions 'IpProtocol=tcp,FromPort=5432,ToPort=5432,UserIdGroupPairs=[{GroupId=sg-0123456789abcdef0}]'
    aws ec2 revoke-security-group-ingress --group-id {id} --security-group-rule-ids sgr-0123456789abcdef0 \\
        --region {region}

Make it last: CloudFormation `SecurityGroupIngress: [{SourceSecurityGroupId: …}]` of `AWS::EC2::SecurityGroup`;
Terraform `referenced_security_group_id` of `aws_vpc_security_group_ingress_rule`.
""",
    examples=(
        Example(
            name="the application's group and the office",
            facts={"SecurityGroupRules": [_OFFICE, _APPLICATION]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="the world beside the application's group",
            facts={"SecurityGroupRules": [_APPLICATION, _WORLD]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the world of IPv6",
            facts={"SecurityGroupRules": [_APPLICATION, _rule(4, CidrIpv6="::/0")]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the world in two halves",
            facts={
                "SecurityGroupRules": [
                    _OFFICE,
                    _rule(5, CidrIpv4="0.0.0.0/1"),
                    _rule(6, CidrIpv4="128.0.0.0/1"),
                ]
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the world in a prefix list",
            facts={
                "SecurityGroupRules": [_APPLICATION, _rule(7, PrefixListId="pl-0a1b2c3d4e5f60718")],
                "PrefixLists": {"pl-0a1b2c3d4e5f60718": ["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/1"]},
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a prefix list of offices",
            facts={
                "SecurityGroupRules": [_rule(7, PrefixListId="pl-0a1b2c3d4e5f60718")],
                "PrefixLists": {"pl-0a1b2c3d4e5f60718": ["52.94.76.0/24", "10.0.0.0/8"]},
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="all protocols, and so the database's port",
            facts={
                "SecurityGroupRules": [
                    _APPLICATION,
                    _rule(8, IpProtocol="-1", FromPort=-1, ToPort=-1, CidrIpv4="0.0.0.0/0"),
                ]
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a range of ports with the database's own custom port",
            facts={
                "GuardedDatabases": [{**_CLUSTER, "Port": 15432}],
                "SecurityGroupRules": [
                    _rule(9, FromPort=15000, ToPort=16000, CidrIpv4="0.0.0.0/0"),
                    _rule(10, FromPort=15432, ToPort=15432, CidrIpv4="10.0.0.0/8"),
                ],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the engine's usual port, on which this database does not answer",
            facts={
                "GuardedDatabases": [{**_CLUSTER, "Port": 15432}],
                "SecurityGroupRules": [_WORLD],
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="UDP, which no database speaks",
            facts={"SecurityGroupRules": [_rule(11, IpProtocol="udp", CidrIpv4="0.0.0.0/0")]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="one network of length 8, which is as much as may be",
            facts={"SecurityGroupRules": [_rule(12, CidrIpv4="52.0.0.0/8")]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="that network and one address more",
            facts={
                "SecurityGroupRules": [
                    _APPLICATION,
                    _rule(12, CidrIpv4="52.0.0.0/8"),
                    _rule(13, CidrIpv4="54.0.0.1/32"),
                ]
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a network of length 16 where the policy allows less",
            facts={"SecurityGroupRules": [_APPLICATION, _rule(14, CidrIpv4="52.94.0.0/16")]},
            settings={"largest_public_ipv4": 24},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="all private networks",
            facts={
                "SecurityGroupRules": [
                    _rule(15, CidrIpv4="10.0.0.0/8"),
                    _rule(16, CidrIpv4="172.16.0.0/12"),
                    _rule(17, CidrIpv4="192.168.0.0/16"),
                    _rule(18, CidrIpv6="fc00::/7"),
                ]
            },
            settings={"largest_public_ipv4": 32},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="open to the world, and also attached to a server",
            facts={
                "SecurityGroupRules": [_APPLICATION, _WORLD],
                "NetworkInterfaces": [_INTERFACE],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="open to the world, and also attached to a graph database of another product",
            facts={
                "GuardedDatabases": [_CLUSTER, {**_CLUSTER, "Name": "graph", "Engine": "neptune"}],
                "SecurityGroupRules": [_APPLICATION, _WORLD],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="open to the world, and to nobody else, behind it a private database",
            facts={"SecurityGroupRules": [_WORLD]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="open to the world and to itself, behind it a private database",
            facts={
                "SecurityGroupRules": [
                    _WORLD,
                    _rule(
                        20, ReferencedGroupInfo={"GroupId": "sg-0a1b2c3d4e5f60718", "UserId": "123456789012"}
                    ),
                ]
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="open to the world, and to nobody else, behind it a public database",
            facts={
                "GuardedDatabases": [{**_CLUSTER, "PubliclyAccessible": True}],
                "SecurityGroupRules": [_WORLD],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="open to the world before a proxy",
            facts={
                "GuardedDatabases": [{**_CLUSTER, "Name": "orders-proxy", "Engine": "mysql", "Port": 3306}],
                "SecurityGroupRules": [_rule(19, FromPort=3306, ToPort=3306, CidrIpv4="0.0.0.0/0")],
                "SiblingRules": [{**_APPLICATION, "FromPort": 3306, "ToPort": 3306}],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a database that has no port yet",
            facts={"GuardedDatabases": [{**_CLUSTER, "Port": None}], "SecurityGroupRules": [_WORLD]},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="attached to no database",
            facts={"GuardedDatabases": [], "SecurityGroupRules": [_WORLD]},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="only a graph database of another product behind it",
            facts={
                "GuardedDatabases": [{**_CLUSTER, "Engine": "neptune"}],
                "SecurityGroupRules": [_WORLD],
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the rules could not be read",
            facts={},
            missing=("SecurityGroupRules",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
