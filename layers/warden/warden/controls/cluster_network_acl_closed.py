"""The network ACLs of the subnets of a cluster keep the world from its port.

Why it matters
--------------
A network ACL is the wall of the subnet: it holds where a security group is opened by mistake, and it is the only
one that can deny. The default one of a VPC lets everything pass, in both directions, and so is no wall at all.

Entries are taken in the order of their numbers, and the first that fits decides. Because a network ACL keeps no
state, a connection needs an entry for the way in to the database's own port and one for the way back to the port
from which the caller came, which a hostile caller chooses. What counts is how much of the Internet gets through
both, over all entries together. It is a second wall, so this is asked for by those who want it: the policy as
shipped does not.

Remediation safety
------------------
Disruptive: a network ACL is for everything in its subnets. Warden writes nothing here; a ticket names the network
ACLs.

References
----------
- Amazon EC2 API Reference, DescribeNetworkAcls
- Amazon VPC User Guide, "Network ACLs" and "Ephemeral ports"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import frameworks, scope, subnets
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Manual
    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge what gets through to the port, and back."""
    if verdict := scope.outside(resource):
        return verdict
    return subnets.judge_acls(resource, resource.facts["Port"], settings)


def plan(resource: Resource, settings: Mapping[str, Any]) -> Manual:
    """A person writes the entries."""
    return subnets.close_acls(resource, resource.facts["Port"], settings)


def _entry(number: int, action: str, block: str, **members: Any) -> dict[str, Any]:
    member = "Ipv6CidrBlock" if ":" in block else "CidrBlock"
    return {
        "RuleNumber": number,
        "RuleAction": action,
        "Protocol": "6",
        "Egress": False,
        member: block,
        **members,
    }


def _ports(first: int, last: int) -> dict[str, Any]:
    return {"PortRange": {"From": first, "To": last}}


def _acl(*entries: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Port": 5432,
        "SubnetNetworkAcls": [
            {
                "SubnetId": "subnet-0a1b2c3d4e5f60718",
                "NetworkAclId": "acl-0a1b2c3d4e5f60718",
                "Entries": [
                    *entries,
                    _entry(32767, "deny", "0.0.0.0/0", Protocol="-1"),
                    _entry(32767, "deny", "0.0.0.0/0", Protocol="-1", Egress=True),
                ],
            }
        ],
    }


_ANSWERS = _entry(100, "allow", "0.0.0.0/0", Egress=True, **_ports(1024, 65535))
_WORLD = _entry(100, "allow", "0.0.0.0/0", **_ports(5432, 5432))

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Network ACLs keep the world from clusters",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.LOW,
    frameworks=frameworks.NETWORK,
    needs=(Need.SUBNET_ACLS,),
    settings=(subnets.LARGEST_PUBLIC_ACL, subnets.LARGEST_PUBLIC_ACL_IPV6),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE),
    fix="""\
Find the network ACLs of the subnets of {id}:

    aws ec2 describe-network-acls --filters Name=association.subnet-id,Values=subnet-0123456789abcdef0 \\
        --region {region}

Let in the networks of the applications, and their answers out; then take away the entry that lets in everybody:

    aws ec2 create-network-acl-entry --network-acl-id acl-0123456789abcdef0 --rule-number 90 --protocol 6 \\
        --port-range From=5432,To=5432 --cidr-block 10.0.0.0/8 --rule-action allow --no-egress --region {region}
    aws ec2 delete-network-acl-entry --network-acl-id acl-0123456789abcdef0 --rule-number 100 --no-egress \\
        --region {region}

Make it last: CloudFormation `CidrBlock: 10.0.0.0/8` of `AWS::EC2::NetworkAclEntry`; Terraform `cidr_block` of
`aws_network_acl_rule`.
""",
    examples=(
        Example(
            name="private networks alone",
            facts=_acl(_entry(100, "allow", "10.0.0.0/8", **_ports(5432, 5432)), _ANSWERS),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="the world, and its answers",
            facts=_acl(_WORLD, _ANSWERS),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the default network ACL, which lets everything pass",
            facts=_acl(
                _entry(100, "allow", "0.0.0.0/0", Protocol="-1"),
                _entry(100, "allow", "0.0.0.0/0", Protocol="-1", Egress=True),
            ),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the world of IPv6",
            facts=_acl(
                _entry(100, "allow", "::/0", Protocol="-1"),
                _entry(100, "allow", "::/0", Protocol="-1", Egress=True),
            ),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the world, denied by an entry with a lower number",
            facts=_acl(_WORLD, _entry(90, "deny", "0.0.0.0/0", **_ports(5000, 6000)), _ANSWERS),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="the world, denied by an entry with a higher number, which comes too late",
            facts=_acl(_entry(110, "deny", "0.0.0.0/0", **_ports(5432, 5432)), _WORLD, _ANSWERS),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="half of the world denied before the world is let in",
            facts=_acl(_entry(90, "deny", "0.0.0.0/1", **_ports(5432, 5432)), _WORLD, _ANSWERS),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the world in two halves",
            facts=_acl(
                _entry(100, "allow", "0.0.0.0/1", **_ports(0, 65535)),
                _entry(110, "allow", "128.0.0.0/1", **_ports(0, 65535)),
                _ANSWERS,
            ),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the world, whose answers do not come out",
            facts=_acl(_WORLD, _entry(100, "allow", "10.0.0.0/8", Egress=True, Protocol="-1")),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="answers to a single port, from which a hostile caller comes",
            facts=_acl(_WORLD, _entry(100, "allow", "0.0.0.0/0", Egress=True, **_ports(443, 443))),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the world on another port",
            facts=_acl(_entry(100, "allow", "0.0.0.0/0", **_ports(443, 443)), _ANSWERS),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="the world by UDP, which no database speaks",
            facts=_acl(_entry(100, "allow", "0.0.0.0/0", Protocol="17", **_ports(0, 65535)), _ANSWERS),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a network of length 16 where the policy allows less",
            facts=_acl(_entry(100, "allow", "52.94.0.0/16", **_ports(5432, 5432)), _ANSWERS),
            settings={"largest_public_ipv4": 24},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a cluster of the express configuration, which stands in no subnet",
            facts={"DBSubnetGroup": None, "SubnetNetworkAcls": []},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="another product's cluster",
            facts={"Engine": "docdb"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the network ACLs could not be read",
            facts={},
            missing=("SubnetNetworkAcls",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
