"""No subnet of a stand-alone instance has a route to an internet gateway.

Why it matters
--------------
A database in a subnet that has no way to the Internet cannot be reached from there, whatever becomes of its
public flag, its security groups and its network ACLs. A subnet with a route to an internet gateway needs all
three to hold, for ever.

Judged are all subnets of the DB subnet group: RDS may move the instance to any of them.
The route table is the one that is associated with the subnet, or else the main one of the VPC. A NAT gateway and an
egress-only internet gateway let nobody in, and count as private; a route that leads nowhere any more does not count.
Members of a cluster have the subnets of their cluster, and are judged there.

Remediation safety
------------------
Disruptive: other things in the same subnets may need the Internet, and to move an instance to
another subnet group is an outage. Warden writes nothing here; a ticket
names the subnets and the route tables.

References
----------
- Amazon EC2 API Reference, DescribeRouteTables
- Amazon RDS API Reference, DescribeDBSubnetGroups
- Amazon VPC User Guide, "Internet gateways" and "Route tables"
- AWS Security Hub CSPM, control RDS.46
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


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the routes of every subnet."""
    return scope.outside_or_member(resource, "its subnets") or subnets.judge_private(resource)


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Manual:
    """A person changes the routes, or moves the database."""
    return subnets.move_to_private(resource)


def _subnet(*routes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "SubnetId": "subnet-0a1b2c3d4e5f60718",
        "RouteTableId": "rtb-0a1b2c3d4e5f60718",
        "Routes": [
            {"DestinationCidrBlock": "10.20.0.0/16", "GatewayId": "local", "State": "active"},
            *routes,
        ],
    }


_TO_NAT = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-0a1b2c3d4e5f60718", "State": "active"}
_TO_INTERNET = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-0a1b2c3d4e5f60718", "State": "active"}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Instances stand in private subnets",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.46"),
        frameworks.config("rds-instance-subnet-igw-check"),
        frameworks.pci_dss("1.4.4"),
        frameworks.NETWORK,
    ),
    needs=(Need.SUBNET_ROUTES,),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE),
    fix="""\
Find the subnets and their routes:

    aws rds describe-db-instances --db-instance-identifier {id} --region {region} \\
        --query 'DBInstances[0].DBSubnetGroup.Subnets[].SubnetIdentifier'
    aws ec2 describe-route-tables --filters Name=association.subnet-id,Values=subnet-0123456789abcdef0 --region {region}

If nothing else in the subnets needs the Internet directly, take the route away or associate another route table:

    aws ec2 replace-route-table-association --association-id rtbassoc-0123456789abcdef0 \\
        --route-table-id rtb-0123456789abcdef0 --region {region}

Otherwise move the instance to a DB subnet group of private subnets, in its maintenance window:

    aws rds modify-db-instance --db-instance-identifier {id} --db-subnet-group-name private-subnets --region {region}

Make it last: CloudFormation `DBSubnetGroupName: !Ref PrivateSubnets` of `AWS::RDS::DBInstance`; Terraform
`db_subnet_group_name` of `aws_db_instance`.
""",
    examples=(
        Example(
            name="a NAT gateway, which lets nobody in",
            facts={"SubnetRoutes": [_subnet(_TO_NAT)]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an internet gateway",
            facts={"SubnetRoutes": [_subnet(_TO_INTERNET)]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an internet gateway in the last of several subnets",
            facts={"SubnetRoutes": [_subnet(_TO_NAT), _subnet(), _subnet(_TO_INTERNET)]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an internet gateway for IPv6",
            facts={
                "SubnetRoutes": [
                    _subnet(
                        _TO_NAT,
                        {
                            "DestinationIpv6CidrBlock": "::/0",
                            "GatewayId": "igw-0a1b2c3d4e5f60718",
                            "State": "active",
                        },
                    )
                ]
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an egress-only internet gateway for IPv6",
            facts={
                "SubnetRoutes": [
                    _subnet(
                        {
                            "DestinationIpv6CidrBlock": "::/0",
                            "EgressOnlyInternetGatewayId": "eigw-0a1b2c3d4e5f60718",
                            "State": "active",
                        }
                    )
                ]
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="half of the Internet by an internet gateway",
            facts={"SubnetRoutes": [_subnet({**_TO_INTERNET, "DestinationCidrBlock": "128.0.0.0/1"})]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an internet gateway that is there no more",
            facts={"SubnetRoutes": [_subnet({**_TO_INTERNET, "State": "blackhole"})]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a virtual private gateway",
            facts={"SubnetRoutes": [_subnet({**_TO_INTERNET, "GatewayId": "vgw-0a1b2c3d4e5f60718"})]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a member of a cluster",
            facts={"DBClusterIdentifier": "orders"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the routes could not be read",
            facts={},
            missing=("SubnetRoutes",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
