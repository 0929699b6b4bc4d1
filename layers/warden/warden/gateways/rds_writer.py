"""The only way to write to a database: through the write guard, one call at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core import guard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warden.core.guard import Permit
    from warden.core.plan import Call
    from warden.core.resource import Resource
    from warden.gateways.rds import Rds


class RdsWriter:
    """Implements the pipeline's `Writer`."""

    def __init__(self, rds: Rds) -> None:
        self._rds = rds

    def apply(self, call: Call, resource: Resource, permits: Sequence[Permit]) -> str:
        """Make one call that the write guard lets pass, and return AWS's request id."""
        guard.check(call, permits, resource)
        answer = self._rds.call(call.operation, **call.parameters)
        return str(answer["ResponseMetadata"].get("RequestId", ""))
