"""What AWS says of the engine versions of `items`: PostgreSQL 16, of Aurora and of RDS."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from warden.core.kinds import Need


def _phase(name: str, year: int) -> dict[str, Any]:
    return {
        "LifecycleSupportName": f"open-source-rds-{name}-support",
        "LifecycleSupportStartDate": datetime(year - 5, 2, 28, tzinfo=UTC),
        "LifecycleSupportEndDate": datetime(year, 2, 28, 23, 59, 59, tzinfo=UTC),
    }


OF_AN_ENGINE: dict[Need, Any] = {
    Need.ENGINE_STATUS: "available",
    Need.UPGRADE_TARGETS: [
        {"EngineVersion": "16.6", "IsMajorVersionUpgrade": False},
        {"EngineVersion": "17.4", "IsMajorVersionUpgrade": True},
    ],
    Need.SUPPORT_DATES: [
        {
            "MajorEngineVersion": "16",
            "SupportedEngineLifecycles": [_phase("standard", 2029), _phase("extended", 2032)],
        },
        {
            "MajorEngineVersion": "17",
            "SupportedEngineLifecycles": [_phase("standard", 2030), _phase("extended", 2033)],
        },
    ],
}
