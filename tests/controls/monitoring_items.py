"""What the reader adds about monitoring, for the full items."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EVERYTHING: Mapping[str, bool] = {"SupportsPerformanceInsights": True, "SupportsEnhancedMonitoring": True}
"""What DescribeOrderableDBInstanceOptions says of a current class."""
