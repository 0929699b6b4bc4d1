"""Security groups, as far as a database or a proxy has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.kinds import KINDS
from warden.core.resource import ResourceRef, ResourceType
from warden.gateways.databases import groups_in_use, users_of
from warden.gateways.enrichments.network import PAGE, described_groups
from warden.gateways.kinds.model import Described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warden.core.resource import Deployment
    from warden.core.trigger import Lookup
    from warden.gateways.reads import Reads


class SecurityGroupKind:
    """Reads security groups by their ids, which survive everything."""

    def describe(self, reads: Reads, ref: ResourceRef, here: Deployment) -> Described | None:
        """One call. A group that no database has is described too: its controls say that they do not apply."""
        found = reads.api.every(
            "DescribeSecurityGroups", Filters=[{"Name": "group-id", "Values": [ref.id]}], MaxResults=PAGE
        )
        return self._described(found[0], here) if found else None

    def items(self, reads: Reads, here: Deployment) -> Iterator[Described]:
        """The groups of databases: three lists, and a list of groups."""
        for item in described_groups(reads, groups_in_use(reads)):
            yield self._described(item, here)

    def resolve(self, reads: Reads, lookup: Lookup, here: Deployment) -> ResourceRef | None:
        """The id is the name."""
        del reads
        return ResourceRef.build(
            lookup.resource_type,
            partition=here.partition,
            region=lookup.region,
            account=lookup.account,
            name=lookup.resource_id,
        )

    def users(self, reads: Reads, ref: ResourceRef, here: Deployment) -> Iterator[ResourceRef]:
        """The databases and proxies that have it."""
        del here
        return users_of(reads, ref.id)

    def _described(self, item: dict[str, Any], here: Deployment) -> Described:
        # A group of a VPC that is shared with this account belongs to another, whose deployment governs it.
        ref = ResourceRef.build(
            ResourceType.SECURITY_GROUP,
            partition=here.partition,
            region=here.region,
            account=item["OwnerId"],
            name=item["GroupId"],
        )
        return Described(
            ref=ref,
            facts={**KINDS[ResourceType.SECURITY_GROUP].omitted, **item, "SecurityGroupArn": ref.arn},
            immutable_id=ref.arn,
            tags={tag["Key"]: tag.get("Value", "") for tag in item.get("Tags") or []},
        )
