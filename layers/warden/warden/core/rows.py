"""Rows that the pipeline keeps beside findings and ledger: the STOP row, due rows, tickets."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRow:
    """The ticket of one finding."""

    finding_id: str
    state: str
    """`opening`, `open` or `resolved`."""
    digest: str
    """Of what was last told, so that a change is told and a repetition is not."""
    opened_at: datetime
    changed_at: datetime
    revision: int = 0
