"""IAM policies let identities log in as named users to named databases.

Why it matters
--------------
With IAM database authentication, `rds-db:connect` is the password: who has it on `*` is any user of any database
of the account that takes tokens, the owner of the tables among them, with no secret, and with no record in
CloudTrail. The GRANTs within a database stand between its users, and this right chooses the user.

Judged is every policy that somebody has: inline, managed by the account, and managed by AWS. It is too wide where
the resource has a wildcard in the place of the database, of the user, or of both, and where it names what is
excepted (NotResource). A policy variable such as `${aws:username}` stands for one user, and is fine. Policies that
are about every service, such as AdministratorAccess and PowerUserAccess, are another question, which a setting asks
as well. What service control policies, permissions boundaries or conditions take away again is not weighed.

IAM is global: the deployment of each Region tells the same.

Remediation safety
------------------
Disruptive: whoever has the policy may need a part of it, and only its owner knows which. Warden writes nothing
here; a ticket names each policy, what it opens and who has it.

References
----------
- AWS Identity and Access Management API Reference, GetAccountAuthorizationDetails
- Amazon Aurora User Guide, "Creating and using an IAM policy for IAM database access"
- IAM User Guide, "IAM JSON policy elements: Resource"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import frameworks, guidance
from warden.core.connect_rights import Grant, too_wide
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
    insufficient_data,
    non_compliant,
)
from warden.core.iam_policy import UnreadablePolicyError
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from warden.core.resource import Resource

_SHOWN = 5
_INLINE = {"user": "get-user-policy", "group": "get-group-policy", "role": "get-role-policy"}


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge every policy that lets somebody log in."""
    name = resource.ref.id
    try:
        found = list(_found(resource, settings))
    except UnreadablePolicyError as error:
        return insufficient_data(f"{name} has a policy that cannot be read: {error}.")
    if not found:
        return compliant(f"{name} has no policy that lets somebody log in as any user or to any database.")
    policies = dict.fromkeys(policy["Name"] for policy, _ in found)
    policy, grant = found[0]
    others = [other for other in policies if other != policy["Name"]]
    more = f"; so do {', '.join(others[:_SHOWN])}" if others else ""
    more += f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    return non_compliant(
        f"{name} has the policy {policy['Name']}, whose {grant.statement} lets {_holders(policy)} log in "
        f"{grant.what}{more}."
    )


def _found(resource: Resource, settings: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Grant]]:
    for policy in sorted(resource.facts[Need.IDENTITY_POLICIES], key=lambda policy: str(policy["Name"])):
        if policy["Name"] in settings["approved_policies"]:
            continue
        try:
            grants = too_wide(policy["Document"], administrators=settings["include_administrators"])
        except UnreadablePolicyError as error:
            msg = f"{policy['Name']}: {error}"
            raise UnreadablePolicyError(msg) from None
        yield from ((policy, grant) for grant in grants)


def _holders(policy: Mapping[str, Any]) -> str:
    """Those who have it: one by name, several by number."""
    holders = policy["Holders"]
    return str(holders[0]).rpartition(":")[2] if len(holders) == 1 else f"{len(holders)} identities"


def plan(resource: Resource, settings: Mapping[str, Any]) -> Manual:
    """A person narrows each policy."""
    policies = {policy["Name"]: policy for policy, _ in _found(resource, settings)}
    return Manual(
        "Only the owner of a policy knows which users and databases are meant: name them in its resources, or approve "
        "the policy by its name in the policy file.",
        tuple(_look(resource, policy) for policy in policies.values()),
    )


def _look(resource: Resource, policy: Mapping[str, Any]) -> str:
    """The command that shows a policy, or who has it."""
    if policy["Name"].startswith("arn:"):
        return guidance.command(
            resource, "list-entities-for-policy", {"policy-arn": policy["Name"]}, service="iam"
        )
    kind, _, path = str(policy["Holders"][0]).rpartition(":")[2].partition("/")
    return guidance.command(
        resource,
        _INLINE[kind],
        {f"{kind}-name": path.rpartition("/")[2], "policy-name": policy["PolicyName"]},
        service="iam",
    )


def _policy(resource: str | list[str], action: str = "rds-db:connect", **members: Any) -> dict[str, Any]:
    return {
        "Name": "connect of role/reports",
        "PolicyName": "connect",
        "Holders": ["arn:aws:iam::123456789012:role/reports"],
        "Document": {
            "Version": "2012-10-17",
            "Statement": [
                {"Sid": "Login", "Effect": "Allow", "Action": action, "Resource": resource, **members}
            ],
        },
    }


def _policies(*policies: Mapping[str, Any]) -> dict[str, Any]:
    return {"IdentityPolicies": list(policies)}


_LOGIN = "arn:aws:rds-db:eu-west-1:123456789012:dbuser:"
_ONE = f"{_LOGIN}cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ/reports"
_MANAGED = {
    "Name": "arn:aws:iam::123456789012:policy/databases",
    "Holders": ["arn:aws:iam::123456789012:group/developers", "arn:aws:iam::123456789012:role/reports"],
}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="IAM policies name the database users and the databases that somebody may log in to",
    resource_type=ResourceType.ACCOUNT,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.cis_database("2.4"),
        frameworks.cis_database("2.7"),
        frameworks.AUTHENTICATION,
    ),
    needs=(Need.IDENTITY_POLICIES,),
    settings=(
        Setting(
            name="include_administrators",
            default=False,
            doc="Whether policies that are about every service, such as AdministratorAccess, count as well.",
        ),
        Setting(
            name="approved_policies",
            default=[],
            doc="Policies that may open more: the ARN of a managed one, or an inline one as findings name it, such as "
            '"connect of role/reports".',
            pattern=r"arn:aws[a-z-]*:iam::(\d{12}|aws):policy/\S+|\S+ of (user|group|role)/\S+",
        ),
    ),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE),
    fix="""\
Find who may log in by which policy, in the account {id}:

    aws iam get-account-authorization-details --filter User Role Group LocalManagedPolicy --region us-east-1

Name the user and the database: the resource is
`arn:aws:rds-db:eu-west-1:{account}:dbuser:cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ/reports`, with the
DbClusterResourceId, the DbiResourceId or the id of the proxy.

    aws iam create-policy-version --policy-arn arn:aws:iam::{account}:policy/databases \\
        --policy-document file://policy.json --set-as-default --region us-east-1

Make it last: CloudFormation `PolicyDocument: …` of `AWS::IAM::ManagedPolicy`, with
`!GetAtt Cluster.DBClusterResourceId` in the resource; Terraform `policy` of `aws_iam_policy`, with
`cluster_resource_id` of `aws_rds_cluster`.
""",
    examples=(
        Example(
            name="one user of one database",
            facts=_policies(_policy(_ONE)),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a policy variable for the user's own name",
            facts=_policies(_policy(f"{_LOGIN}cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ/${{aws:username}}")),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="everything of the service on everything",
            facts=_policies(_policy("*", "rds-db:*")),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="logins as anybody to anything, by the full form",
            facts=_policies(_policy("arn:aws:rds-db:*:*:dbuser:*/*")),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="logins as anybody to anything, in short",
            facts=_policies(_policy("arn:aws:rds-db:*", "RDS-DB:Conn*")),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="any user of one database",
            facts=_policies(_policy(f"{_LOGIN}cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ/*")),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="one user of any database",
            facts=_policies(_policy([_ONE, f"{_LOGIN}*/reports"])),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="users by the beginning of their names",
            facts=_policies(_policy(f"{_LOGIN}cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ/app_*")),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="everything but one database",
            facts=_policies(
                {
                    **_policy([]),
                    "Document": {
                        "Statement": {"Effect": "Allow", "Action": "rds-db:connect", "NotResource": _ONE}
                    },
                }
            ),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a managed policy that several have",
            facts=_policies({**_policy(f"{_LOGIN}*"), **_MANAGED}),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="that managed policy where the policy file approves it",
            facts=_policies({**_policy(f"{_LOGIN}*"), **_MANAGED}),
            settings={"approved_policies": ["arn:aws:iam::123456789012:policy/databases"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a denial",
            facts=_policies(_policy("*", "rds-db:*", Effect="Deny")),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an administrator",
            facts=_policies(_policy("*", "*")),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an administrator where administrators count",
            facts=_policies(_policy("*", "*")),
            settings={"include_administrators": True},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a policy that is no policy",
            facts=_policies({**_policy(_ONE), "Document": {"Statement": [{"Effect": "Allow"}]}}),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="the policies could not be read",
            facts={},
            missing=("IdentityPolicies",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
