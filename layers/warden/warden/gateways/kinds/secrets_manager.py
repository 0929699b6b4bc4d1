"""The secrets of Secrets Manager, never their values: one call describes one, one call lists a hundred."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.database_secrets import MANAGED_PREFIX
from warden.core.dataclass import dataclass
from warden.core.errors import RefusedError
from warden.core.kinds import KINDS
from warden.core.resource import ResourceRef, ResourceType
from warden.gateways.kinds.model import Described

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from warden.core.resource import Deployment
    from warden.core.trigger import Lookup
    from warden.gateways.reads import Reads

_GONE = "ResourceNotFoundException"
# What describes the answer, or names the versions, which the two operations call differently.
_LEFT_OUT = frozenset({"ResponseMetadata", "VersionIdsToStages", "SecretVersionsToStages"})


@dataclass(frozen=True, slots=True)
class SecretKind:
    """Reads secrets. Which of them hold credentials of databases, the policy says, and so the controls."""

    def describe(self, reads: Reads, ref: ResourceRef, here: Deployment) -> Described | None:
        """One secret."""
        del here
        try:
            return _described(reads.api.call("DescribeSecret", SecretId=ref.arn))
        except RefusedError as error:
            if error.code == _GONE:
                return None
            raise

    def items(self, reads: Reads, here: Deployment) -> Iterator[Described]:
        """Every secret that is not about to be deleted; an item of the list holds what a description holds."""
        del here
        for page in reads.api.pages("ListSecrets", MaxResults=100):
            yield from map(_described, page)

    def resolve(self, reads: Reads, lookup: Lookup, here: Deployment) -> ResourceRef | None:
        """By its ARN, which is the only id that it has."""
        del reads
        return ResourceRef.build(
            ResourceType.SECRET,
            partition=here.partition,
            region=lookup.region,
            account=lookup.account,
            name=lookup.resource_id,
        )

    def users(self, reads: Reads, ref: ResourceRef, here: Deployment) -> Iterator[ResourceRef]:
        """The clusters and instances whose master password it is: two lists, for a secret that RDS manages itself.

        RDS makes them, under names that begin with `rds!`, which nobody else can give (Secrets Manager User Guide,
        "AWS Secrets Manager secrets managed by other AWS services").
        """
        del here
        if not ref.id.startswith(MANAGED_PREFIX):
            return
        for operation, arn in (
            ("DescribeDBClusters", "DBClusterArn"),
            ("DescribeDBInstances", "DBInstanceArn"),
        ):
            for item in reads.whole(operation):
                if (item.get("MasterUserSecret") or {}).get("SecretArn") == ref.arn:
                    yield ResourceRef.from_arn(item[arn])


def _described(item: Mapping[str, Any]) -> Described:
    known = {name: value for name, value in item.items() if name not in _LEFT_OUT}
    ref = ResourceRef.from_arn(known["ARN"])
    return Described(
        ref=ref,
        facts={**KINDS[ResourceType.SECRET].omitted, **known},
        # Its end is random, so that a secret of the same name is another.
        immutable_id=ref.arn,
        tags={tag["Key"]: tag.get("Value", "") for tag in item.get("Tags") or []},
    )
