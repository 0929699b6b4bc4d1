"""Only approved networks, security groups and prefix lists reach the database's port.

Why it matters
--------------
A security group that is closed to the world can still admit what nobody decided to admit: the office of a
supplier, a VPC of another account that is peered, a whole private range. What belongs here is an organisation's
own knowledge, so it is a list in the policy.

As shipped, private networks and the security groups of the account itself are approved, and no address of the
Internet is. A prefix list counts as what it holds, unless its id is approved. A group of another account, which a
peered VPC lets one name, is approved by its own id alone. Judged is what can reach a port on which a database
behind the group answers.

Remediation safety
------------------
Disruptive: whoever comes by that rule can connect no more. Warden revokes nothing here; a ticket names each rule
with its source, and the command.

References
----------
- Amazon EC2 API Reference, SecurityGroupRule: CidrIpv4, CidrIpv6, PrefixListId, ReferencedGroupInfo
- Amazon VPC User Guide, "Security group rules" and "Security group referencing"
- Amazon RDS User Guide, "Controlling access with security groups"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import frameworks, guidance, security_groups
from warden.core.addresses import BITS, Addresses
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Setting,
    Severity,
    Verdict,
    compliant,
    non_compliant,
    not_applicable,
)
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource
    from warden.core.security_groups import Rule

_OWN = "own"
_BYTE = r"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_CIDR = rf"({_BYTE}\.){{3}}{_BYTE}/(3[0-2]|[12]?\d)|[0-9a-fA-F]*:[0-9a-fA-F:]*/(12[0-8]|1[01]\d|[1-9]?\d)"
_SHOWN = 5


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the source of every rule that reaches a database's port."""
    databases = security_groups.guarded(resource)
    if not databases:
        return not_applicable(f"{resource.ref.id} is attached to no database that Warden judges.")
    if strangers := _strangers(resource, settings):
        named = ", ".join(
            f"{security_groups.source_name(rule)} ({rule['SecurityGroupRuleId']})"
            for rule in strangers[:_SHOWN]
        )
        more = f" and {len(strangers) - _SHOWN} more" if len(strangers) > _SHOWN else ""
        return non_compliant(
            f"{resource.ref.id} lets sources that the policy does not approve reach "
            f"{security_groups.names(databases)}: {named}{more}."
        )
    security_groups.refuse_unknown_ports(databases)
    return compliant(
        f"{resource.ref.id} lets only approved sources reach {security_groups.names(databases)}."
    )


def _strangers(resource: Resource, settings: Mapping[str, Any]) -> list[Rule]:
    """The rules whose source is not approved, by id."""
    ports = security_groups.ports(security_groups.guarded(resource))
    found = [
        rule
        for rule in resource.facts[Need.SECURITY_GROUP_RULES]
        if any(security_groups.covers(rule, port) for port in ports)
        and not _is_approved(rule, resource, settings)
    ]
    return sorted(found, key=lambda rule: str(rule["SecurityGroupRuleId"]))


def _is_approved(rule: Rule, resource: Resource, settings: Mapping[str, Any]) -> bool:
    prefix_lists = resource.facts[Need.PREFIX_LISTS]
    if "ReferencedGroupInfo" in rule:
        group = rule["ReferencedGroupInfo"]
        approved = settings["approved_security_groups"]
        # "UserId: The Amazon Web Services account ID", which a group of the same account may lack.
        is_own = group.get("UserId") in {None, resource.ref.account}
        return group["GroupId"] in approved or (is_own and _OWN in approved)
    if rule.get("PrefixListId") in settings["approved_prefix_lists"]:
        return True
    blocks = security_groups.source_blocks(rule, prefix_lists)
    return all(
        Addresses.of(version, settings["approved_cidrs"]).holds(Addresses.of(version, blocks))
        for version in BITS
    )


def plan(resource: Resource, settings: Mapping[str, Any]) -> Manual:
    """A person decides about each source."""
    strangers = [str(rule["SecurityGroupRuleId"]) for rule in _strangers(resource, settings)]
    options = {"group-id": resource.ref.id, "security-group-rule-ids": strangers}
    return Manual(
        "Only you know whether somebody needs these rules: add the source to the policy, or revoke the rule.",
        (guidance.command(resource, "revoke-security-group-ingress", options, service="ec2"),),
    )


_CLUSTER = {
    "Arn": "arn:aws:rds:eu-west-1:123456789012:cluster:orders",
    "Name": "orders",
    "Engine": "aurora-postgresql",
    "Port": 5432,
    "SecurityGroups": ["sg-0a1b2c3d4e5f60718"],
    "PubliclyAccessible": False,
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


_SUPPLIER = _rule(1, CidrIpv4="198.51.100.0/24")
_PEER = _rule(2, ReferencedGroupInfo={"GroupId": "sg-0fedcba9876543210", "UserId": "210987654321"})
_LISTED = _rule(3, PrefixListId="pl-0a1b2c3d4e5f60718")

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Only approved networks and groups reach databases",
    resource_type=ResourceType.SECURITY_GROUP,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.cis_database("2.1"),
        frameworks.pci_dss("1.4.4"),
        frameworks.NETWORK,
    ),
    needs=(Need.GUARDED_DATABASES, Need.SECURITY_GROUP_RULES, Need.PREFIX_LISTS),
    settings=(
        Setting(
            name="approved_cidrs",
            default=["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"],
            doc="The networks that may reach databases; a rule is approved if all of its source lies in them together.",
            pattern=_CIDR,
        ),
        Setting(
            name="approved_security_groups",
            default=[_OWN],
            doc='The ids of the security groups that may reach databases; "own" is every group of the account itself.',
            pattern=r"own|sg-[0-9a-f]{8,17}",
        ),
        Setting(
            name="approved_prefix_lists",
            default=[],
            doc="The ids of prefix lists that may reach databases whatever they hold; others count as their networks.",
            pattern=r"pl-[0-9a-f]{8,17}",
        ),
    ),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE),
    fix="""\
Look at who is let in. Add a source that belongs there to `controls.security_group_sources_approved` in the policy, and
revoke the rules of the others:

    aws ec2 describe-security-group-rules --filters Name=group-id,Values={id} --region {region}
    aws ec2 revoke-security-group-ingress --group-id {id} --security-group-rule-ids sgr-0123456789abcdef0 \\
        --region {region}

Make it last: CloudFormation `SecurityGroupIngress: [{SourceSecurityGroupId: …}]` of `AWS::EC2::SecurityGroup`;
Terraform `referenced_security_group_id` of `aws_vpc_security_group_ingress_rule`.
""",
    examples=(
        Example(
            name="the application's group and a private network",
            facts={
                "SecurityGroupRules": [
                    _rule(
                        4, ReferencedGroupInfo={"GroupId": "sg-0123456789abcdef0", "UserId": "123456789012"}
                    ),
                    _rule(5, CidrIpv4="10.20.0.0/16"),
                    _rule(6, CidrIpv6="fd00:10::/64"),
                ]
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a supplier's network",
            facts={"SecurityGroupRules": [_SUPPLIER]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a supplier's network that the policy approves in two halves",
            facts={"SecurityGroupRules": [_SUPPLIER]},
            settings={"approved_cidrs": ["198.51.100.0/25", "198.51.100.128/25"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a private network where the policy approves a smaller one",
            facts={"SecurityGroupRules": [_rule(5, CidrIpv4="10.0.0.0/8")]},
            settings={"approved_cidrs": ["10.20.0.0/16"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a group of another account",
            facts={"SecurityGroupRules": [_PEER]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a group of another account that the policy approves",
            facts={"SecurityGroupRules": [_PEER]},
            settings={"approved_security_groups": ["sg-0fedcba9876543210"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a group of the account where the policy approves another one alone",
            facts={"SecurityGroupRules": [_rule(7, ReferencedGroupInfo={"GroupId": "sg-0123456789abcdef0"})]},
            settings={"approved_security_groups": ["sg-0fedcba9876543210"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a prefix list of private networks",
            facts={
                "SecurityGroupRules": [_LISTED],
                "PrefixLists": {"pl-0a1b2c3d4e5f60718": ["10.1.0.0/16", "192.168.7.0/24"]},
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a prefix list with a public network among them",
            facts={
                "SecurityGroupRules": [_LISTED],
                "PrefixLists": {"pl-0a1b2c3d4e5f60718": ["10.1.0.0/16", "198.51.100.0/24"]},
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="that prefix list where the policy approves it as a whole",
            facts={
                "SecurityGroupRules": [_LISTED],
                "PrefixLists": {"pl-0a1b2c3d4e5f60718": ["10.1.0.0/16", "198.51.100.0/24"]},
            },
            settings={"approved_prefix_lists": ["pl-0a1b2c3d4e5f60718"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a supplier on a port on which no database answers",
            facts={"SecurityGroupRules": [{**_SUPPLIER, "FromPort": 443, "ToPort": 443}]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a supplier on all ports of all protocols",
            facts={"SecurityGroupRules": [{**_SUPPLIER, "IpProtocol": "-1", "FromPort": -1, "ToPort": -1}]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a database that has no port yet",
            facts={"GuardedDatabases": [{**_CLUSTER, "Port": None}], "SecurityGroupRules": [_SUPPLIER]},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="attached to no database",
            facts={"GuardedDatabases": [], "SecurityGroupRules": [_SUPPLIER]},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="what a prefix list holds could not be read",
            facts={"SecurityGroupRules": [_LISTED]},
            missing=("PrefixLists",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
