"""Reboots that apply what waits in a parameter group: always a person's, in an order that keeps outages short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core import engines, guidance

if TYPE_CHECKING:
    from warden.core.resource import Resource


def order(resource: Resource) -> str:
    """In which order the members of a cluster are rebooted, as a sentence."""
    if resource.facts["Engine"] in engines.MULTI_AZ_CLUSTER:
        return "A Multi-AZ DB cluster is rebooted as a whole."
    return (
        "Reboot the writer first, then each reader, waiting until one is available before the next; older engine "
        "versions restart every reader with the writer, which is a full outage."
    )


def of_cluster(resource: Resource) -> tuple[str, ...]:
    """The commands that reboot a cluster: the writer, then the readers; a Multi-AZ DB cluster as a whole."""
    if resource.facts["Engine"] in engines.MULTI_AZ_CLUSTER:
        return (_whole_cluster(resource, resource.facts["DBClusterIdentifier"]),)
    members = sorted(resource.facts["DBClusterMembers"], key=lambda member: not member["IsClusterWriter"])
    return tuple(_instance(resource, member["DBInstanceIdentifier"]) for member in members)


def of_instance(resource: Resource) -> tuple[str, ...]:
    """The command that reboots an instance.

    "If your DB instance is part of a Multi-AZ DB cluster, you can reboot the DB cluster" (RebootDBInstance).
    """
    cluster = resource.facts["DBClusterIdentifier"]
    if cluster is not None and resource.facts["Engine"] in engines.MULTI_AZ_CLUSTER:
        return (_whole_cluster(resource, cluster),)
    return (_instance(resource, resource.facts["DBInstanceIdentifier"]),)


def _whole_cluster(resource: Resource, name: str) -> str:
    return guidance.command(resource, "reboot-db-cluster", {"db-cluster-identifier": name})


def _instance(resource: Resource, name: str) -> str:
    return guidance.command(resource, "reboot-db-instance", {"db-instance-identifier": name})
