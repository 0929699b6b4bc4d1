"""What AWS says of engine versions: whether it offers them, until when it supports them, where they can go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines
from warden.core.kinds import Need

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource
    from warden.gateways.enrichments import Answer
    from warden.gateways.reads import Reads


def _version(reads: Reads, resource: Resource) -> dict[str, Any] | None:
    """One call for each engine version; "IncludeAll" finds versions that are no longer offered."""
    engine, version = str(resource.facts["Engine"]), str(resource.facts["EngineVersion"])
    found = reads.api.engines.versions(engine, version)
    return next((item for item in found if item["EngineVersion"] == version), None)


def _engine_status(reads: Reads, resource: Resource) -> str | None:
    """The version's call; None where AWS does not even list it as deprecated."""
    found = _version(reads, resource)
    return None if found is None else str(found["Status"])


def _upgrade_targets(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """The version's call; of each target its version, and whether that is another major one."""
    found = _version(reads, resource) or {}
    targets: list[dict[str, Any]] = found.get("ValidUpgradeTarget", [])
    return targets


def _support_dates(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """One call for each engine, and none for those of which AWS publishes no dates.

    "This data type only returns information for the open source engines" (SupportedEngineLifecycle).
    """
    engine = str(resource.facts["Engine"])
    if engine not in engines.INSTANCE_ENGINES:
        return []
    return reads.api.engines.major_versions(engine)


ANSWERS: Mapping[Need, Answer] = {
    Need.ENGINE_STATUS: _engine_status,
    Need.UPGRADE_TARGETS: _upgrade_targets,
    Need.SUPPORT_DATES: _support_dates,
}
