"""What the account may have, and what of it is left."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import Facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource

# AccountQuota.AccountQuotaName, in words.
_WORDS = {
    "DBClusters": "DB clusters",
    "DBInstances": "DB instances",
    "ManualClusterSnapshots": "manual DB cluster snapshots",
    "ManualSnapshots": "manual DB snapshots",
    "DBClusterParameterGroups": "DB cluster parameter groups",
    "DBParameterGroups": "DB parameter groups",
}
UNKNOWN_ROOM: Mapping[str, Mapping[str, int]] = {name: {"Used": 0, "Max": sys.maxsize} for name in _WORDS}
"""For who does not ask: room for everything."""


def lacking(resource: Resource, *names: str, more: Mapping[str, int] | None = None) -> Manual | None:
    """What a person does where there is no room for one more of each, or as many `more`; None where there is."""
    quotas = Facts(resource.facts[Need.QUOTAS])
    wanted = {**dict.fromkeys(names, 1), **(more or {})}
    full = [name for name, count in wanted.items() if quotas[name]["Used"] + count > quotas[name]["Max"]]
    if not full:
        return None
    said = " and ".join(f"{_WORDS[name]} ({quotas[name]['Max']})" for name in full)
    if several := [f"{wanted[name]} more {_WORDS[name]}" for name in full if wanted[name] > 1]:
        return Manual(
            f"The account has no room for {' and '.join(several)} in this Region: delete what nobody needs, or have "
            "the quota raised (Service Quotas). Warden begins as soon as there is room."
        )
    return Manual(
        f"The account has as many {said} as it may have in this Region: delete what nobody needs, or have the quota "
        "raised (Service Quotas). Warden begins as soon as there is room."
    )
