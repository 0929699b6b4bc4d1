"""The policy's section [requests]: how fast RDS may be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.tokens import Rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.policy_values import PolicyValues

_FASTEST, _MOST = 100, 1000


def read_requests(document: Mapping[str, Any], values: PolicyValues) -> Rate:
    """The section [requests] of a policy file; raises PolicyError.

    Who names a rate means it: then it holds for an emulator too.
    """
    table = values.table(document, "requests")
    values.keys(table, "requests", optional={"per_second", "burst", "remember_hours"})
    default = Rate()
    return Rate(
        per_second=values.number(table, "requests.per_second", default.per_second, low=1, high=_FASTEST),
        burst=values.number(table, "requests.burst", default.burst, low=1, high=_MOST),
        everywhere=not {"per_second", "burst"}.isdisjoint(table),
    )
