"""The keys that databases use: one call describes one, one lists its tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core.dataclass import dataclass
from warden.core.errors import RefusedError, TransientError
from warden.core.kinds import KINDS
from warden.core.resource import ResourceRef, ResourceType
from warden.gateways import keys
from warden.gateways.kinds.model import Described
from warden.gateways.together import in_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warden.core.resource import Deployment
    from warden.core.trigger import Lookup
    from warden.gateways.reads import Reads


@dataclass(frozen=True, slots=True)
class KmsKeyKind:
    """Reads keys: those of the account that a cluster, an instance or a snapshot names."""

    def describe(self, reads: Reads, ref: ResourceRef, here: Deployment) -> Described:
        """One key, used or not. A key that is gone is described as gone: its databases are not."""
        del here
        metadata = keys.described_if_there(reads, ref.arn)
        if metadata is None:
            # "AWS managed keys" cannot be deleted, so it was a customer's.
            gone = {"Arn": ref.arn, "KeyId": ref.id, "KeyManager": "CUSTOMER", "KeyState": None}
            return Described(ref=ref, facts=gone, immutable_id=ref.arn)
        kind = KINDS[ResourceType.KMS_KEY]
        own = metadata["KeyManager"] == "CUSTOMER"
        # KMS has no tags to tell of keys that AWS manages.
        tags = reads.api.every("ListResourceTags", KeyId=ref.arn) if own else []
        return Described(
            ref=ResourceRef.from_arn(metadata["Arn"]),
            facts={**kind.omitted, **metadata},
            immutable_id=str(metadata["Arn"]),
            tags={tag["TagKey"]: tag["TagValue"] for tag in tags},
        )

    def items(self, reads: Reads, here: Deployment) -> Iterator[Described]:
        """Every key of this account and Region that is in use, those that are gone included."""

        def described(ref: ResourceRef) -> Described:
            try:
                return self.describe(reads, ref, here)
            except (RefusedError, TransientError) as error:
                # One key that we may not look at costs the others nothing.
                return Described(ref=ref, facts={}, immutable_id=ref.arn, unknown=str(error))

        yield from in_order(described, self._in_use(reads, here))

    def _in_use(self, reads: Reads, here: Deployment) -> Iterator[ResourceRef]:
        for arn in sorted(keys.uses(reads)):
            try:
                ref = ResourceRef.from_arn(arn)
            except ValueError:
                continue  # a name that KMS does not know: the resource's own controls tell of it
            if ref.resource_type is ResourceType.KMS_KEY and here.refusal(ref) is None:
                yield ref

    def resolve(self, reads: Reads, lookup: Lookup, here: Deployment) -> ResourceRef | None:
        """By its id, which is the end of its ARN."""
        del reads
        return ResourceRef.build(
            ResourceType.KMS_KEY,
            partition=here.partition,
            region=lookup.region,
            account=lookup.account,
            name=lookup.resource_id,
        )

    def users(self, reads: Reads, ref: ResourceRef, here: Deployment) -> Iterator[ResourceRef]:
        """The clusters and instances that use it."""
        del here
        yield from map(ResourceRef.from_arn, keys.users(reads, ref.arn))
