"""What TLS controls ask beyond a Describe item: who shares an instance's group, and how certificates change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core.errors import MissingFactError
from warden.core.kinds import Need
from warden.core.resource import Facts
from warden.gateways.databases import users_of_instance_groups
from warden.gateways.enrichments.parameters import DEFAULT_GROUP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource
    from warden.gateways.enrichments import Answer
    from warden.gateways.reads import Reads

_ROTATION = ("SupportsCertificateRotationWithoutRestart", "SupportedCACertificateIdentifiers")


def _instance_group_users(reads: Reads, resource: Resource) -> list[str]:
    """The list of instances: DescribeDBInstances has no filter for a parameter group; none for a default group."""
    groups = {group["DBParameterGroupName"] for group in resource.facts["DBParameterGroups"]}
    if all(str(group).startswith(DEFAULT_GROUP) for group in groups):
        raise MissingFactError(
            Need.INSTANCE_GROUP_USERS, f"{sorted(groups)} cannot be modified, so its users were not read"
        )
    users = users_of_instance_groups(reads)
    # A fleet may have one group: then the list of its users is as long as the fleet, and is made once.
    return reads.once(
        ("users of instance groups", *sorted(groups)),
        lambda: list(dict.fromkeys(arn for group in sorted(groups) for arn in users.get(group, []))),
    )


def _certificate_rotation(reads: Reads, resource: Resource) -> Facts:
    """One call for each engine version."""
    engine, version = str(resource.facts["Engine"]), str(resource.facts["EngineVersion"])
    found = reads.api.engines.versions(engine, version)
    exact = [item for item in found if item["EngineVersion"] == version]
    if not exact:
        raise MissingFactError(
            Need.CERTIFICATE_ROTATION, f"AWS does not list the engine version {engine} {version}"
        )
    return Facts({name: exact[0][name] for name in _ROTATION if name in exact[0]})


ANSWERS: Mapping[Need, Answer] = {
    Need.INSTANCE_GROUP_USERS: _instance_group_users,
    Need.CERTIFICATE_ROTATION: _certificate_rotation,
}
