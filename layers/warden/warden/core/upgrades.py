"""What a person is told of an upgrade: always a person's, since every upgrade is an outage and some break clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engine_support, guidance
from warden.core.plan import Manual

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def told(
    resource: Resource,
    settings: Mapping[str, Any],
    *,
    modify: str,
    options: Mapping[str, str | bool | None],
    group: str | None = None,
    before: tuple[str, ...] = (),
) -> Manual:
    """How to upgrade: `before`, then the command `modify` with `options`, to the nearest version that will do.

    `group` is the option for a parameter group of the new family, where the database has one of its own.
    """
    engine, version = resource.facts["Engine"], resource.facts["EngineVersion"]
    found = engine_support.target(resource, settings)
    if found is None:
        return Manual(
            "AWS offers no direct upgrade from here to a version that will do: look for one in between, or restore a "
            "snapshot to a newer version.",
            (
                guidance.command(
                    resource,
                    "describe-db-engine-versions",
                    {"engine": engine, "engine-version": version, "include-all": True},
                ),
            ),
        )
    wanted, is_major = found
    upgrade = {
        **options,
        "engine-version": wanted,
        "allow-major-version-upgrade": True if is_major else None,
        **({group: "GROUP-OF-THE-NEW-FAMILY"} if group and is_major else {}),
    }
    return Manual(
        f"Upgrade it to {wanted}, {'another major version' if is_major else 'of the same major version'}: try it on a "
        "restored copy first, since the database restarts and an upgrade cannot be taken back. Without "
        "--apply-immediately it waits for the maintenance window.",
        (*before, guidance.command(resource, modify, upgrade)),
    )
