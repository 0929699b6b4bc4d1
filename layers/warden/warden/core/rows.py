"""Rows that the pipeline keeps beside findings and ledger: the STOP row and due rows."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from warden.core.coverage import Span
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
class Found:
    """What a query of a log found."""

    rows: tuple[Mapping[str, str], ...]
    scanned: int
    """The bytes that it scanned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Two queries of a log, of one span of time, and what they found."""

    span: Span
    queries: tuple[str, ...]
    """Their ids: the one that counts lines, and the one that lists clients."""
    lacks: str = ""
    """Why the log group does not hold all of the span; empty where it does."""
    answer: Answer | None = None
    """None while the queries run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is known of who connects without TLS to a database: a look at a cycle, and one at the time since."""

    arn: str
    resource_key: str
    """The database's immutable key: of a later one of the name it says nothing."""
    group: str
    """The log group that it is about: of another one it says nothing."""
    days: int
    whole: Scan | None = None
    since: Scan | None = None
    running: Scan | None = None
    """One of either, whose queries have not ended."""
    noted: Mapping[str, str] = field(default_factory=dict)
    """When each client was first found, by its mark."""
