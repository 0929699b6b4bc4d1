"""The settings that several controls share, taken from the policy's [baseline]: one value for all of them."""

from __future__ import annotations

from warden.core.control import Setting

# "The Amazon Web Services KMS key identifier is the key ARN, key ID, alias ARN, or alias name for the KMS key"
# (CopyDBSnapshot). A bare key id is left out, because it does not show its account; `alias/aws/rds`, because
# what AWS's own key encrypts can be shared with nobody (RDS User Guide, "Sharing encrypted snapshots").
KMS_KEY_PATTERN = (
    r"alias/(?!aws/)[A-Za-z0-9/_-]+"
    r"|arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key/[A-Za-z0-9-]+|alias/(?!aws/)[A-Za-z0-9/_-]+)"
)

KMS_KEY = Setting(
    name="kms_key",
    default="",
    doc="The customer managed KMS key that encrypts what Warden copies, the secrets that it lets RDS make, and what "
    "Performance Insights keeps once Warden turns it on: the ARN of a key or of an alias, or an alias name such as "
    "alias/databases, which means the key of that name in each account and Region. Empty: Warden copies nothing, lets "
    "RDS make no secret, and turns no Performance Insights on.",
    pattern=f"({KMS_KEY_PATTERN})?",
    shared=True,
)

APPROVED_ACCOUNTS = Setting(
    name="approved_accounts",
    default=[],
    doc="The twelve digits of each account that snapshots may be shared with. Empty: Warden un-shares nothing by "
    "itself. To approve nobody, list the account's own id.",
    pattern=r"\d{12}",
    shared=True,
)

TEMPORARY_SUBNET_GROUP = Setting(
    name="temporary_subnet_group",
    default="",
    doc="The DB subnet group, of private subnets only, in which Warden restores what it needs for a while, such as the "
    "temporary cluster that encrypts a snapshot. Empty: it restores nothing, and a ticket tells how.",
    pattern=r"([A-Za-z][A-Za-z0-9._ -]{0,254})?",
    shared=True,
)

TEMPORARY_SECURITY_GROUP = Setting(
    name="temporary_security_group",
    default="",
    doc="The security group, without a single inbound rule, of what Warden restores for a while; of the same VPC as "
    "`temporary_subnet_group`. Empty: it restores nothing, and a ticket tells how.",
    pattern=r"(sg-[0-9a-f]{8,17})?",
    shared=True,
)

SUCCESSOR_SUBNET_GROUP = Setting(
    name="successor_subnet_group",
    default="",
    doc="The DB subnet group, of private subnets only, of the successors of clusters that stand in no VPC, being of "
    "express configuration. Empty: Warden prepares none for these, and a ticket tells how.",
    pattern=r"([A-Za-z][A-Za-z0-9._ -]{0,254})?",
    shared=True,
)

SUCCESSOR_SECURITY_GROUP = Setting(
    name="successor_security_group",
    default="",
    doc="The security group of these successors; of the same VPC as `successor_subnet_group`. Empty: Warden prepares "
    "none, and a ticket tells how.",
    pattern=r"(sg-[0-9a-f]{8,17})?",
    shared=True,
)
