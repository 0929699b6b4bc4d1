"""Rows that the pipeline keeps beside findings and ledger: the STOP row and due rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The STOP row: who stopped all writes, why and when."""

    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A trigger that waits: look at this resource again at that time."""

    arn: str
    due_at: datetime
    first_at: datetime
    """When the waiting began."""
    attempt: int
    """How often it was looked at in vain."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """Up to where CloudTrail and the ledger were compared."""

    until: datetime
    told: frozenset[str]
    """The differences that were told already: what is looked at twice does not alarm twice."""
