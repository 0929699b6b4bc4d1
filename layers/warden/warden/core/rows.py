"""Rows that the pipeline keeps beside findings and ledger: the STOP row and due rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from warden.core.preflight import Answer


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A look at who connects without TLS to a database: the queries, and what they found."""

    arn: str
    at: datetime
    """When the queries began."""
    days: int
    subject: tuple[str, ...]
    """The log group and the instances that it is about: of others it says nothing."""
    queries: tuple[str, ...]
    answer: Answer | None = None
    """None while the queries run."""
    noted: Mapping[str, str] = field(default_factory=dict)
    """When each client was first found, by its mark."""
