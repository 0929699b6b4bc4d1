"""All corrections, with the operations, presenters and patches that make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.local.rds import (
    certificates,
    cluster_changes,
    cluster_snapshots,
    cluster_states,
    clusters,
    encryption,
    engines,
    global_clusters,
    happenings,
    insights,
    instance_backups,
    instance_changes,
    instance_snapshots,
    instances,
    orderable,
    parameter_changes,
    parameter_groups,
    proxies,
    quotas,
    rendering,
    restores,
    sharing,
    snapshots,
)

if TYPE_CHECKING:
    from console.local.rds.registry import Correction, Handler, Patch, Presenter, Topic

TOPICS: tuple[Topic, ...] = (
    clusters.TOPIC,
    cluster_changes.TOPIC,
    cluster_states.TOPIC,
    instances.TOPIC,
    instance_changes.TOPIC,
    instance_backups.TOPIC,
    certificates.TOPIC,
    encryption.TOPIC,
    insights.TOPIC,
    snapshots.TOPIC,
    cluster_snapshots.TOPIC,
    instance_snapshots.TOPIC,
    sharing.TOPIC,
    restores.TOPIC,
    parameter_groups.TOPIC,
    parameter_changes.TOPIC,
    engines.TOPIC,
    happenings.TOPIC,
    orderable.TOPIC,
    global_clusters.TOPIC,
    proxies.TOPIC,
    quotas.TOPIC,
    rendering.TOPIC,
)
CORRECTIONS: tuple[Correction, ...] = tuple(one for topic in TOPICS for one in topic.corrections)
OPERATIONS: dict[str, Handler] = {
    name: handler for topic in TOPICS for name, handler in topic.operations.items()
}
PRESENTERS: dict[str, Presenter] = {
    name: presenter for topic in TOPICS for name, presenter in topic.presenters.items()
}
PATCHES: tuple[Patch, ...] = tuple(one for topic in TOPICS for one in topic.patches)
