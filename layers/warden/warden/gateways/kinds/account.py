"""The account as one deployment sees it: one item, for what belongs to no resource.

Where it has no database in the Region of the deployment, and none was deleted in the past ninety days, there is nothing
to protect, and nothing is judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core import deletions, scope
from warden.core.errors import RejectedError, UnsupportedError
from warden.core.resource import ResourceRef, ResourceType
from warden.gateways.kinds.model import Described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from warden.core.resource import Deployment
    from warden.core.trigger import Lookup
    from warden.gateways.reads import Reads


class AccountKind:
    """Reads the account in the Region of the deployment; its ARN is that of its root."""

    def describe(self, reads: Reads, ref: ResourceRef, here: Deployment) -> Described | None:
        """One call that proves that the credentials are this account's, and the lists of databases.

        Two more where there is no database: whether one was deleted.
        """
        del ref
        return self._described(reads, here) if _has_or_had_databases(reads) else None

    def items(self, reads: Reads, here: Deployment) -> Iterator[Described]:
        """The one, if it has, or had, a database here; from the shared lists of clusters and instances."""
        if _has_or_had_databases(reads):
            yield self._described(reads, here)

    def resolve(self, reads: Reads, lookup: Lookup, here: Deployment) -> ResourceRef | None:
        """The account's number is its immutable id."""
        del reads
        return self._ref(here) if lookup.account == here.account else None

    def users(self, reads: Reads, ref: ResourceRef, here: Deployment) -> Iterator[ResourceRef]:
        """Nothing is judged again because of an account."""
        del reads, ref, here
        return iter(())

    def _described(self, reads: Reads, here: Deployment) -> Described:
        identity = reads.once(("identity",), lambda: reads.api.call("GetCallerIdentity"))
        if identity["Account"] != here.account:
            msg = (
                f"sts:GetCallerIdentity: the credentials are of {identity['Account']}, not of {here.account}"
            )
            raise RejectedError(msg)
        ref = self._ref(here)
        return Described(
            ref=ref,
            facts={"Account": here.account, "Arn": ref.arn},
            immutable_id=ref.arn,
            home=here.region,
        )

    def _ref(self, here: Deployment) -> ResourceRef:
        return ResourceRef.build(
            ResourceType.ACCOUNT,
            partition=here.partition,
            region="",
            account=here.account,
            name="root",
        )


def _has_or_had_databases(reads: Reads) -> bool:
    has = any(
        not scope.is_another_product(item["Engine"])
        for operation in ("DescribeDBClusters", "DescribeDBInstances")
        for item in reads.whole(operation)
    )
    return has or reads.once(("deleted databases",), lambda: _had_databases(reads))


def _had_databases(reads: Reads) -> bool:
    """Whether one was deleted: the last one without a backup is the worst, and must not hide itself."""
    for call in deletions.CALLS:
        wanted = [{"AttributeKey": "EventName", "AttributeValue": call}]
        try:
            if reads.api.call("LookupEvents", LookupAttributes=wanted, MaxResults=1)["Events"]:
                return True
        except UnsupportedError:
            # An emulator keeps no history.
            return False
    return False
