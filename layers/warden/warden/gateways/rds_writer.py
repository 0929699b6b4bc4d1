"""The only way to write to a database: through the write guard, one call at a time."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from warden.core import guard, procedure
from warden.core.errors import GuardError, RefusedError, ResourceGoneError, TransientError
from warden.core.plan import written
from warden.core.resource import ResourceRef, ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warden.core.guard import Permit
    from warden.core.plan import Call
    from warden.core.resource import Resource
    from warden.gateways.rds import Rds
    from warden.gateways.temporaries import DynamoTemporaries

# Calls about a cluster that a procedure made, unless it is the resource itself that they name.
_ON_OWN = frozenset({"CreateDBClusterSnapshot", "CreateDBInstance"})

_IDS = (
    ("DBCluster", "DbClusterResourceId"),
    ("DBClusterSnapshot", "DBClusterSnapshotArn"),
    ("DBSnapshot", "DBSnapshotArn"),
    ("DBClusterParameterGroup", "DBClusterParameterGroupArn"),
    ("DBParameterGroup", "DBParameterGroupArn"),
)


class RdsWriter:
    """Implements the pipeline's `Writer`."""

    def __init__(
        self,
        rds: Rds,
        temporaries: DynamoTemporaries | None = None,
        *,
        never: frozenset[ResourceRef] = frozenset(),
    ) -> None:
        """`never`: what no call may write to, whatever a control permits."""
        self._rds = rds
        self._temporaries = temporaries
        self._never = never

    def apply(self, call: Call, resource: Resource, permits: Sequence[Permit]) -> str:
        """Make one call that the write guard lets pass, and return AWS's request id.

        What is called about a procedure's own cluster passes only if it is as Warden wrote down that it made it,
        looked at immediately before the call.
        """
        guard.check(call, permits, resource)
        if (target := written(call, resource.ref, region=resource.home)) in self._never:
            msg = f"{call.operation}: {target.id} drifts on purpose, and nothing of Warden's may write to it"
            raise GuardError(msg)
        if (own := _own_cluster(call, resource)) is not None:
            self._check_made(resource, own)
        record = self._announced(call, resource) if procedure.makes(call) else None
        answer = self._rds.call(call.operation, **call.parameters)
        if record is not None and (resource_id := _id_of(answer)):
            # AWS has accepted the call, and nothing may hide that; what is not noted is found out by its tags.
            with contextlib.suppress(TransientError, RefusedError):
                self._note(record, resource_id)
        return str(answer["ResponseMetadata"].get("RequestId", ""))

    def _announced(self, call: Call, resource: Resource) -> procedure.Record | None:
        """The record that a creation must have; what gets no tags, and is never deleted, can do without."""
        record = self._get(written(call, resource.ref, region=resource.home).arn)
        if procedure.carrier(call) and (record is None or record.nonce != procedure.nonce_of(call)):
            msg = f"{call.operation}: what it makes was not written down before"
            raise GuardError(msg)
        return record

    def _check_made(self, resource: Resource, name: str) -> None:
        """Raise GuardError unless name, tags and record agree that Warden made this cluster."""
        ref = ResourceRef.build(
            ResourceType.DB_CLUSTER,
            partition=resource.ref.partition,
            region=resource.home,
            account=resource.ref.account,
            name=name,
        )
        items: list[dict[str, Any]] = self._rds.every("DescribeDBClusters", DBClusterIdentifier=name)
        if not items:
            msg = f"there is no cluster {name}"
            raise ResourceGoneError(msg)
        record = self._get(ref.arn)
        if why := procedure.objection(items[0], record):
            msg = f"{name} is not to be touched: {why}"
            raise GuardError(msg)
        if record is not None and not record.resource_id:
            # The answer to its creation was lost: from now on it is known by its id.
            self._note(record, items[0]["DbClusterResourceId"])

    def _get(self, arn: str) -> procedure.Record | None:
        return None if self._temporaries is None else self._temporaries.get(arn)

    def _note(self, record: procedure.Record, resource_id: str) -> None:
        if self._temporaries is not None:
            self._temporaries.put(replace(record, resource_id=resource_id), over=record)


def _own_cluster(call: Call, resource: Resource) -> str | None:
    """The name of the cluster that a procedure must have made; None where the call is about no such."""
    name = str(call.parameters.get("DBClusterIdentifier"))
    if call.operation == "DeleteDBCluster":
        return name
    itself = resource.ref.resource_type is ResourceType.DB_CLUSTER and resource.ref.id == name
    return name if call.operation in _ON_OWN and not itself else None


def _id_of(answer: Mapping[str, Any]) -> str:
    """What the thing that was made is known by: its immutable id, its ARN where AWS gives none, or nothing."""
    for member, name in _IDS:
        if made := answer.get(member, {}).get(name):
            return str(made)
    return ""
