"""Whether parameter groups have taken effect: what AWS's statuses mean, for clusters and instances alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

IN_SYNC = "in-sync"
APPLYING = "applying"
# DBParameterGroupStatus.ParameterApplyStatus; DBClusterMember.DBClusterParameterGroupStatus takes the same values.
_DRIFTED: Mapping[str, str] = {
    "pending-reboot": "waits for a reboot",
    "failed-to-apply": "failed",
    "pending-database-upgrade": "waits for an upgrade of the engine",
}


def known(statuses: Iterable[str]) -> bool:
    """Whether AWS documents each of these statuses."""
    return set(statuses) <= {IN_SYNC, APPLYING, *_DRIFTED}


def in_words(status: str) -> str:
    """What a status that is not in sync says of the change."""
    return _DRIFTED.get(status, status)


def advice(statuses: Iterable[str]) -> str:
    """What a person has to know about these statuses before he acts."""
    found = set(statuses)
    sentences = []
    if "failed-to-apply" in found:
        sentences.append(
            "A value could not be applied, and a reboot will not help: look at the latest events of the instance, and "
            "set a value that the engine takes."
        )
    if "pending-database-upgrade" in found:
        sentences.append("A change takes effect with the upgrade of the engine that is queued.")
    if "pending-reboot" in found:
        sentences.append(
            "A change waits for a reboot, which the maintenance window does not bring: choose the moment."
        )
    return " ".join(sentences)
