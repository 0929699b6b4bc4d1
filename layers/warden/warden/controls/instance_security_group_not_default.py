"""No stand-alone instance has the default security group of its VPC.

Why it matters
--------------
The default security group comes with each VPC, and lets everything in that has the same group: by default every
server, function and container for which nobody chose another. Whoever changes it, for whatever reason, changes
who reaches the database. A group of the database's own says in its rules who may.

Members of a cluster have the groups of their cluster, and are judged there.

Remediation safety
------------------
Disruptive: clients that reach the instance by the default group alone can connect no more. So it needs an approval,
or a line of the policy. Warden sets the groups that are there without the default one; where that is the only one,
it changes nothing, and a person makes another. Nothing restarts. "This
change is asynchronously applied as soon as possible", whatever ApplyImmediately says.

References
----------
- Amazon RDS API Reference, ModifyDBInstance: VpcSecurityGroupIds
- Amazon VPC User Guide, "Default security groups for your VPCs"
- AWS Security Hub CSPM, control EC2.2, which wants the default group empty
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import default_groups, frameworks, scope
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Manual, Plan
    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge whether the default group of the VPC is attached."""
    return scope.outside_or_member(resource, "security groups") or default_groups.judge(resource)


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Plan | Manual:
    """Take it off, if another one stays."""
    return default_groups.detach(resource)


_OWN = {"GroupId": "sg-0a1b2c3d4e5f60718", "GroupName": "databases", "VpcId": "vpc-0a1b2c3d4e5f60718"}
_DEFAULT = {"GroupId": "sg-0fedcba9876543210", "GroupName": "default", "VpcId": "vpc-0a1b2c3d4e5f60718"}
_ATTACHED = {"VpcSecurityGroupId": "sg-0a1b2c3d4e5f60718", "Status": "active"}
_DEFAULT_ATTACHED = {"VpcSecurityGroupId": "sg-0fedcba9876543210", "Status": "active"}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Instances do not have the default security group",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.security_hub("EC2.2"),
        frameworks.NETWORK,
    ),
    needs=(Need.SECURITY_GROUPS,),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(default_groups.permit(ResourceType.DB_INSTANCE),),
        safety=Safety.DISRUPTIVE,
    ),
    fix="""\
Make a security group for it, let its applications in, and set it in place of the default one:

    aws ec2 create-security-group --group-name {id}-database --description "Clients of {id}" \\
        --vpc-id vpc-0123456789abcdef0 --region {region}
    aws rds modify-db-instance --db-instance-identifier {id} \\
        --vpc-security-group-ids sg-0123456789abcdef0 --region {region}

Make it last: CloudFormation `VPCSecurityGroups: [!GetAtt DatabaseSecurityGroup.GroupId]` of
`AWS::RDS::DBInstance`; Terraform `vpc_security_group_ids` of `aws_db_instance`.
""",
    examples=(
        Example(
            name="a group of its own",
            facts={"VpcSecurityGroups": [_ATTACHED], "SecurityGroups": [_OWN]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="the default group beside a group of its own",
            facts={"VpcSecurityGroups": [_ATTACHED, _DEFAULT_ATTACHED], "SecurityGroups": [_OWN, _DEFAULT]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the default group alone",
            facts={"VpcSecurityGroups": [_DEFAULT_ATTACHED], "SecurityGroups": [_DEFAULT]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the default group, which is being taken off",
            facts={
                "VpcSecurityGroups": [_ATTACHED, {**_DEFAULT_ATTACHED, "Status": "removing"}],
                "SecurityGroups": [_OWN],
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="the default group beside another, on RDS Custom, which takes no other list",
            facts={
                "Engine": "custom-oracle-ee",
                "VpcSecurityGroups": [_ATTACHED, _DEFAULT_ATTACHED],
                "SecurityGroups": [_OWN, _DEFAULT],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member of a cluster",
            facts={
                "DBClusterIdentifier": "orders",
                "VpcSecurityGroups": [_DEFAULT_ATTACHED],
                "SecurityGroups": [_DEFAULT],
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the groups could not be read",
            facts={},
            missing=("SecurityGroups",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
