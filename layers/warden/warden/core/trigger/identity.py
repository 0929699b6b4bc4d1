"""From what an event calls a resource to what Warden calls it: an ARN, a name, or an immutable id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from warden.core.dataclass import dataclass
from warden.core.errors import MalformedEventError
from warden.core.resource import ARN_TYPE_OF, ARN_TYPES, ResourceRef, ResourceType
from warden.core.trigger.fields import shown
from warden.core.trigger.model import Ignored, IgnoredReason, Lookup, WholeKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.trigger.model import Target

# The Region's prefix names its partition; botocore's partitions.json holds the same as regular expressions.
_PARTITIONS: Final[Mapping[str, str]] = {
    "cn-": "aws-cn",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
}

_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_REGION: Final = re.compile(r"[a-z]+(?:-[a-z]+)+-[0-9]+")
_PARTITION: Final = re.compile(r"aws(?:-[a-z]+)*")
# RDS lets a caller choose letters, digits and hyphens; the names that AWS itself gives also have dots
# (default.aurora-mysql8.0) and colons (rds:orders-2026-11-24-03-10, awsbackup:job-…).
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,254}")
# The names and ids of other services: EC2's begin with the type; those of log groups and secrets may hold slashes
# (CreateLogGroup, CreateSecret); a key's id is a UUID, or `mrk-` and 32 digits.
_NAMES: Final[Mapping[ResourceType, re.Pattern[str]]] = {
    ResourceType.SECURITY_GROUP: re.compile(r"sg-[0-9a-z]{1,64}"),
    ResourceType.ROUTE_TABLE: re.compile(r"rtb-[0-9a-z]{1,64}"),
    ResourceType.NETWORK_ACL: re.compile(r"acl-[0-9a-z]{1,64}"),
    ResourceType.PREFIX_LIST: re.compile(r"pl-[0-9a-z]{1,64}"),
    ResourceType.KMS_KEY: re.compile(r"[A-Za-z0-9-]{1,256}"),
    ResourceType.SECRET: re.compile(r"[A-Za-z0-9/_+=.@!-]{1,512}"),
    ResourceType.LOG_GROUP: re.compile(r"[A-Za-z0-9._/#-]{1,512}"),
    ResourceType.ACCOUNT: _ACCOUNT,
}
# DbClusterResourceId and DbiResourceId. The upper case tells them from names, which RDS keeps in lower case.
_RESOURCE_ID: Final = re.compile(r"(?:cluster|db)-[A-Z0-9]{16,}")

# Security Hub's older findings name an instance as …:dbinstance:db-<resource id>, which is no ARN of RDS.
_ALIASES: Final[Mapping[str, ResourceType]] = {
    "dbcluster": ResourceType.DB_CLUSTER,
    "dbinstance": ResourceType.DB_INSTANCE,
}
_HAS_RESOURCE_ID: Final = frozenset(_ALIASES.values())
# Their names are not enough for a reference: the ARN of a proxy holds an id of its own, and what Config calls
# the resource id of a global cluster is documented nowhere. Both are few.
_ONLY_BY_ARN: Final = frozenset({ResourceType.DB_PROXY, ResourceType.GLOBAL_CLUSTER})


def partition_of(region: str) -> str:
    """The partition that a Region belongs to."""
    return next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws")


@dataclass(frozen=True, slots=True)
class Home:
    """The account and the Region that an event happened in: where a bare name belongs."""

    account: str
    region: str

    @classmethod
    def of(cls, account: str, region: str, *, where: str) -> Home:
        """An account and a Region that look like such."""
        if not _ACCOUNT.fullmatch(account):
            msg = f"{where}: the account is {shown(account)}, not twelve digits"
            raise MalformedEventError(msg)
        if not _REGION.fullmatch(region):
            msg = f"{where}: the Region is {shown(region)}, which is no Region's name"
            raise MalformedEventError(msg)
        return cls(account, region)

    def the_account(self) -> ResourceRef:
        """The account itself."""
        return ResourceRef.build(
            ResourceType.ACCOUNT,
            partition=partition_of(self.region),
            region=self.region,
            account=self.account,
            name=self.account,
        )

    def every(self, resource_type: ResourceType) -> WholeKind:
        """Everything of a type here."""
        return WholeKind(resource_type, self.account, self.region)


def reference(arn: str, where: str) -> ResourceRef | Ignored:
    """What an ARN names; Ignored when that is a resource of another service or type."""
    if (foreign := _of_other_service(arn)) is not None:
        return foreign
    parts = _split(arn, where)
    if isinstance(parts, Ignored):
        return parts
    if parts.resource_type not in ARN_TYPES:
        return _other(where, arn)
    return parts.reference(ARN_TYPES[parts.resource_type], where)


def named(resource_type: ResourceType, value: str, home: Home, where: str) -> ResourceRef | Ignored:
    """The resource that a request names, where AWS takes a name in any case or an ARN."""
    if value.startswith("arn:"):
        return reference(value, where)
    if not _NAMES.get(resource_type, _NAME).fullmatch(value):
        what = "RDS" if resource_type in ARN_TYPE_OF else f"the type {resource_type}"
        msg = f"{where} is {shown(value)}, which is neither an identifier of {what} nor an ARN"
        raise MalformedEventError(msg)
    return ResourceRef.build(
        resource_type,
        partition=partition_of(home.region),
        region=home.region,
        account=home.account,
        name=value,
    )


def identified(value: str, resource_type: ResourceType | None, home: Home, where: str) -> Target | Ignored:
    """What Config or Security Hub calls a resource: an ARN (perhaps with an immutable id), an id, a name."""
    if value.startswith("arn:"):
        return _identified_by_arn(value, where)
    if resource_type is None:
        return _other(where, value)
    if resource_type in _HAS_RESOURCE_ID and _RESOURCE_ID.fullmatch(value):
        return Lookup(resource_type, home.account, home.region, value)
    if resource_type in _ONLY_BY_ARN:
        return home.every(resource_type)
    return named(resource_type, value, home, where)


def _identified_by_arn(arn: str, where: str) -> Target | Ignored:
    if (foreign := _of_other_service(arn)) is not None:
        return foreign
    parts = _split(arn, where)
    if isinstance(parts, Ignored):
        return parts
    resource_type = ARN_TYPES.get(parts.resource_type, _ALIASES.get(parts.resource_type))
    if resource_type is None:
        return _other(where, arn)
    if resource_type in _HAS_RESOURCE_ID and _RESOURCE_ID.fullmatch(parts.name):
        here = Home.of(parts.account, parts.region, where=where)
        return Lookup(resource_type, here.account, here.region, parts.name)
    return parts.reference(resource_type, where)


def _of_other_service(arn: str) -> ResourceRef | None:
    """What an ARN of a service other than RDS names, if Warden knows it: a key, a secret, a security group."""
    try:
        ref = ResourceRef.from_arn(arn)
    except ValueError:
        return None
    if arn.split(":", 3)[2] == "rds" or not _PARTITION.fullmatch(ref.partition):
        return None
    sound = _ACCOUNT.fullmatch(ref.account) and (not ref.region or _REGION.fullmatch(ref.region))
    return ref if sound else None


@dataclass(frozen=True, slots=True)
class _Arn:
    """The parts of an ARN of RDS, not yet checked against its resource type."""

    text: str
    partition: str
    region: str
    account: str
    resource_type: str
    name: str

    def reference(self, resource_type: ResourceType, where: str) -> ResourceRef:
        """The reference, when account, Region and identifier are such."""
        is_global = resource_type is ResourceType.GLOBAL_CLUSTER
        complaint = ""
        if not _PARTITION.fullmatch(self.partition):
            complaint = "its partition is not one of AWS's"
        elif not _ACCOUNT.fullmatch(self.account):
            complaint = "its account is not twelve digits"
        elif is_global and self.region:
            complaint = "it names a Region, which a global cluster's ARN leaves empty"
        elif not is_global and not _REGION.fullmatch(self.region):
            complaint = "its Region is no Region's name"
        elif not _NAME.fullmatch(self.name):
            complaint = "it does not end with an identifier of RDS"
        if complaint:
            msg = f"{where} is {shown(self.text)}: {complaint}"
            raise MalformedEventError(msg)
        return ResourceRef.build(
            resource_type,
            partition=self.partition,
            region=self.region,
            account=self.account,
            name=self.name,
        )


def _split(arn: str, where: str) -> _Arn | Ignored:
    # arn:partition:service:region:account:rest, and RDS's rest is type:id, in which the id may have colons.
    head = arn.split(":", 5)
    if len(head) != 6 or head[0] != "arn" or not head[2] or not head[5]:  # noqa: PLR2004 - the six parts of an ARN
        msg = f"{where} is {shown(arn)}, which is not an ARN"
        raise MalformedEventError(msg)
    if head[2] != "rds":
        return _other(where, arn)
    resource_type, _, name = head[5].partition(":")
    return _Arn(arn, head[1], head[3], head[4], resource_type, name)


def _other(where: str, value: str) -> Ignored:
    return Ignored(
        reason=IgnoredReason.OTHER_RESOURCE,
        detail=f"{where} is {shown(value)}, which is not a resource that Warden knows.",
    )
