"""Log groups of CloudWatch Logs, as far as they hold the logs of a database that exists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.errors import ResourceGoneError
from warden.core.kinds import KINDS
from warden.core.log_groups import PREFIXES, source
from warden.core.resource import ResourceRef, ResourceType
from warden.gateways.kinds.model import Described

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from warden.core.resource import Deployment
    from warden.core.trigger import Lookup
    from warden.gateways.reads import Reads


class LogGroupKind:
    """Reads log groups by their names, which nobody can change; their tags are those of the database."""

    def describe(self, reads: Reads, ref: ResourceRef, here: Deployment) -> Described | None:
        """Two calls: the group by its name as a prefix, and its database."""
        database = self._database(reads, ref.id)
        found = reads.api.every("DescribeLogGroups", logGroupNamePrefix=ref.id)
        exact = [item for item in found if item["logGroupName"] == ref.id]
        return self._described(exact[0], database, here) if exact and database is not None else None

    def items(self, reads: Reads, here: Deployment) -> Iterator[Described]:
        """One call for each fifty groups of either prefix; the databases are the shared lists."""
        for prefix, resource_type in PREFIXES.items():
            kind = KINDS[resource_type]
            databases = reads.by(kind.describe, kind.identifier)
            for page in reads.api.pages("DescribeLogGroups", logGroupNamePrefix=prefix):
                for item in page:
                    found = source(item["logGroupName"])
                    if found is not None and found.database in databases:
                        yield self._described(item, databases[found.database][0], here)

    def resolve(self, reads: Reads, lookup: Lookup, here: Deployment) -> ResourceRef | None:
        """The name is the identity."""
        del reads
        return ResourceRef.build(
            lookup.resource_type,
            partition=here.partition,
            region=lookup.region,
            account=lookup.account,
            name=lookup.resource_id,
        )

    def users(self, reads: Reads, ref: ResourceRef, here: Deployment) -> Iterator[ResourceRef]:
        """No database is judged again because of its log group, which is judged itself."""
        del reads, ref, here
        return iter(())

    def _database(self, reads: Reads, name: str) -> Mapping[str, Any] | None:
        found = source(name)
        if found is None:
            return None
        kind = KINDS[found.resource_type]
        try:
            items = reads.api.every(kind.describe, **{kind.identifier: found.database})
        except ResourceGoneError:
            return None
        return items[0] if items else None

    def _described(self, item: Mapping[str, Any], database: Mapping[str, Any], here: Deployment) -> Described:
        ref = ResourceRef.build(
            ResourceType.LOG_GROUP,
            partition=here.partition,
            region=here.region,
            account=here.account,
            name=item["logGroupName"],
        )
        return Described(
            ref=ref,
            facts={**KINDS[ResourceType.LOG_GROUP].omitted, **item, "logGroupArn": ref.arn},
            immutable_id=ref.arn,
            tags={tag["Key"]: tag.get("Value", "") for tag in database.get("TagList") or []},
        )
