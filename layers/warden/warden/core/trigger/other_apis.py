"""The calls of other services than RDS that change what controls read: where a record of each names what it changed.

Only these calls are asked for by the rules: a busy account makes very many others. Members are those of the service's
model with the first letter in lower case. EC2 puts lists into an object whose member is `items`, and its newer
operations into an object called like the request, with the members as they are in the model.

Left out on purpose, because the sweep sees them in time and their records are many or name nothing:
subnets' own attributes (no control reads them), aliases of keys, grants that a service takes for itself, a key's
creation (no database has it yet), gateways that are attached again, and IAM's attachments of policies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from warden.core.kinds import SHARED_KINDS
from warden.core.resource import ResourceType
from warden.core.trigger.backups_and_alarms import BACKUPS_AND_ALARMS
from warden.core.trigger.places import Place, of, shared

if TYPE_CHECKING:
    from collections.abc import Mapping

_ACCOUNT = (Place(ResourceType.ACCOUNT, ()),)


def _shared(resource_type: ResourceType, *paths: str) -> tuple[Place, ...]:
    return (shared(resource_type, SHARED_KINDS[resource_type], *paths),)


_GROUP = (
    of(
        ResourceType.SECURITY_GROUP,
        "in.groupId",
        "out.groupId",
        # A group of the default VPC may be named by its name.
        "out.securityGroupRuleSet.items[].groupId",
        "out.revokedSecurityGroupRuleSet.items[].groupId",
    ),
)
_CHANGED_RULES = (
    of(ResourceType.SECURITY_GROUP, "in.ModifySecurityGroupRulesRequest.GroupId", "in.groupId"),
)
_PREFIX_LIST = _shared(
    ResourceType.PREFIX_LIST, "in.ModifyManagedPrefixListRequest.PrefixListId", "in.prefixListId"
)
_ROUTE_TABLE = _shared(ResourceType.ROUTE_TABLE, "in.routeTableId")
# Nothing says which subnet goes back to the main route table of its VPC.
_SOME_ROUTE_TABLE = _shared(ResourceType.ROUTE_TABLE)
_NETWORK_ACL = _shared(ResourceType.NETWORK_ACL, "in.networkAclId")

_KEY = (of(ResourceType.KMS_KEY, "record.resources[].ARN", "out.keyId", "in.keyId"),)

# The answer's ARN is called `arn` by some records and `aRN` by others; the request may have only a name.
_SECRET = (of(ResourceType.SECRET, "out.aRN", "out.arn", "in.secretId"),)
# Nobody called anything, so that there is no request; the places are those of recorded events.
_ROTATED = (
    of(
        ResourceType.SECRET,
        "record.additionalEventData.SecretId",
        "record.additionalEventData.ARN",
        "record.serviceEventDetails.secretId",
    ),
)

_LOG_GROUP = (
    of(ResourceType.LOG_GROUP, "in.logGroupName", "in.resourceIdentifier", "in.logGroupIdentifier"),
)
_EVERY_LOG_GROUP = (Place(ResourceType.LOG_GROUP, ()),)

CALLS: Final[Mapping[str, Mapping[str, tuple[Place, ...]]]] = {
    "ec2.amazonaws.com": {
        "CreateSecurityGroup": _GROUP,
        "DeleteSecurityGroup": _GROUP,
        "AuthorizeSecurityGroupIngress": _GROUP,
        "RevokeSecurityGroupIngress": _GROUP,
        "ModifySecurityGroupRules": _CHANGED_RULES,
        "ModifyManagedPrefixList": _PREFIX_LIST,
        "CreateRoute": _ROUTE_TABLE,
        "ReplaceRoute": _ROUTE_TABLE,
        "DeleteRoute": _ROUTE_TABLE,
        "AssociateRouteTable": _ROUTE_TABLE,
        "ReplaceRouteTableAssociation": _ROUTE_TABLE,
        "DisassociateRouteTable": _SOME_ROUTE_TABLE,
        "CreateNetworkAclEntry": _NETWORK_ACL,
        "ReplaceNetworkAclEntry": _NETWORK_ACL,
        "DeleteNetworkAclEntry": _NETWORK_ACL,
        "ReplaceNetworkAclAssociation": _NETWORK_ACL,
    },
    "kms.amazonaws.com": {
        "DisableKey": _KEY,
        "EnableKey": _KEY,
        "ScheduleKeyDeletion": _KEY,
        "CancelKeyDeletion": _KEY,
        "PutKeyPolicy": _KEY,
        "EnableKeyRotation": _KEY,
        "DisableKeyRotation": _KEY,
        "DeleteImportedKeyMaterial": _KEY,
        "ImportKeyMaterial": _KEY,
        "CreateGrant": _KEY,
        "RevokeGrant": _KEY,
    },
    "secretsmanager.amazonaws.com": {
        "CreateSecret": _SECRET,
        "UpdateSecret": _SECRET,
        "RotateSecret": _SECRET,
        "CancelRotateSecret": _SECRET,
        "PutResourcePolicy": _SECRET,
        "DeleteResourcePolicy": _SECRET,
        "DeleteSecret": _SECRET,
        "RestoreSecret": _SECRET,
        # The policy tells by tags which secrets hold credentials of databases.
        "TagResource": _SECRET,
        "UntagResource": _SECRET,
    },
    "logs.amazonaws.com": {
        "CreateLogGroup": _LOG_GROUP,
        "DeleteLogGroup": _LOG_GROUP,
        "PutRetentionPolicy": _LOG_GROUP,
        "DeleteRetentionPolicy": _LOG_GROUP,
        "AssociateKmsKey": _LOG_GROUP,
        "DisassociateKmsKey": _LOG_GROUP,
        "PutSubscriptionFilter": _LOG_GROUP,
        "DeleteSubscriptionFilter": _LOG_GROUP,
        "PutAccountPolicy": _EVERY_LOG_GROUP,
        "DeleteAccountPolicy": _EVERY_LOG_GROUP,
    },
    "cloudtrail.amazonaws.com": {
        "CreateTrail": _ACCOUNT,
        "UpdateTrail": _ACCOUNT,
        "DeleteTrail": _ACCOUNT,
        "StartLogging": _ACCOUNT,
        "StopLogging": _ACCOUNT,
        "PutEventSelectors": _ACCOUNT,
    },
    "guardduty.amazonaws.com": {
        "CreateDetector": _ACCOUNT,
        "UpdateDetector": _ACCOUNT,
        "DeleteDetector": _ACCOUNT,
    },
    # IAM's calls are recorded in one Region of a partition (us-east-1 in `aws`), and reach the deployment there alone.
    "iam.amazonaws.com": {
        "CreatePolicy": _ACCOUNT,
        "CreatePolicyVersion": _ACCOUNT,
        "PutRolePolicy": _ACCOUNT,
        "PutUserPolicy": _ACCOUNT,
        "PutGroupPolicy": _ACCOUNT,
    },
    **BACKUPS_AND_ALARMS,
}
"""By the source of the event, the calls that are looked at."""

SERVICE_EVENTS: Final[Mapping[str, Mapping[str, tuple[Place, ...]]]] = {
    "secretsmanager.amazonaws.com": {
        "RotationSucceeded": _ROTATED,
        "RotationFailed": _ROTATED,
        "RotationAbandoned": _ROTATED,
    },
}
"""The same of what a service did by itself."""
