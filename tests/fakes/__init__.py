"""In-memory stand-ins for AWS and for the stores, for tests of the pipeline.

The stores pass the same tests as those in DynamoDB and SQS (`tests/gateways`), so that what the pipeline is
tested on behaves like what it runs on.
"""

from __future__ import annotations

from fakes.aws import FakeAws
from fakes.brakes import MemoryBrakes
from fakes.clock import NOW, FixedClock
from fakes.queues import MemoryQueues, MemorySink
from fakes.stores import (
    MemoryAnnouncements,
    MemoryApprovals,
    MemoryFindings,
    MemoryLedger,
    MemoryReconciliations,
    MemoryState,
    MemorySweeps,
    MemoryTemporaries,
)
from fakes.tickets import MemoryTickets, MemoryTracker

__all__ = [
    "NOW",
    "FakeAws",
    "FixedClock",
    "MemoryAnnouncements",
    "MemoryApprovals",
    "MemoryBrakes",
    "MemoryFindings",
    "MemoryLedger",
    "MemoryQueues",
    "MemoryReconciliations",
    "MemorySink",
    "MemoryState",
    "MemorySweeps",
    "MemoryTemporaries",
    "MemoryTickets",
    "MemoryTracker",
]
