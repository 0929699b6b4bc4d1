"""Route tables, network ACLs and prefix lists: shared things, judged by the databases or the groups that use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from warden.core.dataclass import dataclass
from warden.core.kinds import KINDS
from warden.core.resource import ResourceRef, ResourceType
from warden.gateways.databases import groups_in_use, users_of_subnets
from warden.gateways.enrichments.network import PAGE
from warden.gateways.kinds.model import Described

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from warden.core.resource import Deployment
    from warden.core.trigger import Lookup
    from warden.gateways.reads import Reads


@dataclass(frozen=True, slots=True)
class SubnetThingKind:
    """Reads what decides for whole subnets: a kind is one operation with a filter by id."""

    resource_type: ResourceType
    filter_name: str
    page: ClassVar[int] = 100
    """The most that these operations give at a time."""

    def describe(self, reads: Reads, ref: ResourceRef, here: Deployment) -> Described | None:
        """One call."""
        found = self._found(reads, self.filter_name, ref.id)
        return self._described(found[0], here) if found else None

    def items(self, reads: Reads, here: Deployment) -> Iterator[Described]:
        """All of this Region."""
        operation = KINDS[self.resource_type].describe
        yield from (self._described(item, here) for item in reads.whole(operation, MaxResults=self.page))

    def resolve(self, reads: Reads, lookup: Lookup, here: Deployment) -> ResourceRef | None:
        """The id is the name."""
        del reads
        return _named(self.resource_type, lookup.resource_id, here)

    def users(self, reads: Reads, ref: ResourceRef, here: Deployment) -> Iterator[ResourceRef]:
        """The databases that may stand in its subnets: two calls, and two lists where there are any."""
        del here
        found = self._found(reads, self.filter_name, ref.id)
        if not found:
            return
        subnets = _associated(found[0])
        if any(association.get("Main") for association in found[0].get("Associations", [])):
            subnets |= self._left_over(reads, found[0])
        yield from users_of_subnets(reads, subnets)

    def _left_over(self, reads: Reads, main: Mapping[str, Any]) -> set[str]:
        """The subnets of databases that no table is associated with: they have the main one of their VPC."""
        in_vpc = {
            subnet["SubnetIdentifier"]
            for group in reads.whole("DescribeDBSubnetGroups")
            if group["VpcId"] == main["VpcId"]
            for subnet in group["Subnets"]
        }
        others = self._found(reads, "vpc-id", main["VpcId"])
        return in_vpc - {subnet for table in others for subnet in _associated(table)}

    def _found(self, reads: Reads, name: str, value: str) -> list[dict[str, Any]]:
        filters = [{"Name": name, "Values": [value]}]
        operation = KINDS[self.resource_type].describe
        return reads.api.every(operation, Filters=filters, MaxResults=self.page)

    def _described(self, item: Mapping[str, Any], here: Deployment) -> Described:
        kind = KINDS[self.resource_type]
        ref = _named(self.resource_type, item[kind.identifier], here)
        return Described(ref=ref, facts={**item, kind.arn: ref.arn}, immutable_id=ref.arn)


@dataclass(frozen=True, slots=True)
class PrefixListKind:
    """Reads the entries of a prefix list by its id."""

    def describe(self, reads: Reads, ref: ResourceRef, here: Deployment) -> Described | None:
        """One call for each hundred entries."""
        del here
        entries = reads.api.every("GetManagedPrefixListEntries", PrefixListId=ref.id, MaxResults=100)
        return Described(ref=ref, facts={"PrefixListId": ref.id, "Entries": entries}, immutable_id=ref.arn)

    def items(self, reads: Reads, here: Deployment) -> Iterator[Described]:
        """None: a prefix list is only ever read because a rule names it."""
        del reads, here
        return iter(())

    def resolve(self, reads: Reads, lookup: Lookup, here: Deployment) -> ResourceRef | None:
        """The id is the name."""
        del reads
        return _named(ResourceType.PREFIX_LIST, lookup.resource_id, here)

    def users(self, reads: Reads, ref: ResourceRef, here: Deployment) -> Iterator[ResourceRef]:
        """The security groups of databases with a rule that names it: one call, and three lists if there is any."""
        del here
        filters = [{"Name": "ip-permission.prefix-list-id", "Values": [ref.id]}]
        naming = reads.api.every("DescribeSecurityGroups", Filters=filters, MaxResults=PAGE)
        used = groups_in_use(reads) if naming else set()
        for item in naming:
            if item["GroupId"] in used:
                yield ResourceRef.build(
                    ResourceType.SECURITY_GROUP,
                    partition=ref.partition,
                    region=ref.region,
                    account=item["OwnerId"],
                    name=item["GroupId"],
                )


def _associated(item: Mapping[str, Any]) -> set[str]:
    return {one["SubnetId"] for one in item.get("Associations", []) if "SubnetId" in one}


def _named(resource_type: ResourceType, name: str, here: Deployment) -> ResourceRef:
    return ResourceRef.build(
        resource_type,
        partition=here.partition,
        region=here.region,
        account=here.account,
        name=name,
    )
