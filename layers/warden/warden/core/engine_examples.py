"""Dates of support and targets of upgrades, for the examples of the controls that judge engine versions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def dates(
    major: str, standard: tuple[int, int, int], extended: tuple[int, int, int] | None
) -> dict[str, Any]:
    """A major version with the ends of its support."""
    ends = {"open-source-rds-standard-support": standard, "open-source-rds-extended-support": extended}
    return {
        "MajorEngineVersion": major,
        "SupportedEngineLifecycles": [
            {
                "LifecycleSupportName": name,
                "LifecycleSupportStartDate": datetime(2020, 1, 1, tzinfo=UTC),
                "LifecycleSupportEndDate": datetime(*end, 23, 59, 59, tzinfo=UTC),
            }
            for name, end in ends.items()
            if end is not None
        ],
    }


def targets(*versions: str) -> list[dict[str, Any]]:
    """Where a version can go; of another major one where that is marked."""
    return [
        {"EngineVersion": version.removesuffix("!"), "IsMajorVersionUpgrade": version.endswith("!")}
        for version in versions
    ]
