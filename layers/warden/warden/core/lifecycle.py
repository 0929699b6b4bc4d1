"""How a ticket lives: how it should stand after a finding changed, and what a sink must be told to get there.

Pure: three functions. `turned` compares a finding with its ticket, `step` a ticket with what a sink knows of it, and
`answered` that with what people did in the sink.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from warden.core.control import ComplianceType
from warden.core.finding import WorkflowStatus
from warden.core.ticket import RemoteState, Resolution
from warden.core.ticket_rows import OPEN, RESOLVED, Delivery, TicketRow, change_key, is_change

if TYPE_CHECKING:
    from datetime import datetime

    from warden.core.finding import Finding
    from warden.core.ticket import Remote

SETTLE = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
"""How long after a create of unknown end it is searched for, each time: what a tracker searches may be stale."""
REPLACED_EVERY = timedelta(days=7)
"""How often one ticket that is gone may be replaced by another."""


class Step(StrEnum):
    """What to do next at one sink."""

    DONE = "done"
    START_OVER = "start_over"
    """The row is about an older ticket: begin a new one."""
    COVER = "cover"
    """Let the summary know that this ticket, which it tells, has changed."""
    CREATE = "create"
    WAIT = "wait"
    """A create of unknown end: its ticket may not be found yet."""
    SEARCH = "search"
    NOTIFY = "notify"
    UPDATE = "update"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    COMMENT = "comment"
    EXPLAIN = "explain"
    """Say below a ticket why it was resolved, where closing it could not carry that."""
    LOOK = "look"
    """It is over before this sink was told: see whether it is there, since the sink may have had another name."""
    REPLACE = "replace"
    """Its tracker does not show it: see whether that is to be believed, and let another take its place."""


# --- how it should stand ----------------------------------------------------------------------------------


def resolution_of(finding: Finding, *, enabled: bool) -> Resolution | None:
    """Why a finding needs no ticket; None where it does."""
    if not finding.is_open:
        gone = finding.compliance is ComplianceType.NOT_APPLICABLE
        return Resolution.GONE if gone else Resolution.FIXED
    if finding.workflow is WorkflowStatus.SUPPRESSED:
        undone = finding.decision.get("reason") == "undone"
        return Resolution.UNDONE if undone else Resolution.EXEMPT
    return None if enabled else Resolution.DISABLED


def turned(
    row: TicketRow | None,
    key: str,
    *,
    resolution: Resolution | None,
    digest: str,
    now: datetime,
    window: timedelta,
) -> TicketRow | None:
    """The row as it should be; None where it is so already.

    A resolved ticket is opened again within the window; after it, the next generation begins.
    """
    if resolution is not None:
        if row is None or not row.is_open:
            return None
        return replace(row, state=RESOLVED, resolution=resolution.value, note="", count=0, changed_at=now)
    if row is None:
        return TicketRow(key=key, state=OPEN, digest=digest, opened_at=now, changed_at=now)
    if row.is_open:
        return None if row.digest == digest else replace(row, digest=digest, changed_at=now)
    again = replace(row, state=OPEN, digest=digest, resolution="", count=1, changed_at=now)
    if now - row.changed_at <= window:
        return again
    return replace(again, generation=row.generation + 1, opened_at=now, sinks=(), group="")


def changed(
    row: TicketRow | None, finding: Finding, *, sinks: tuple[str, ...], now: datetime
) -> TicketRow | None:
    """The row that tells sinks of changes of a remediation; None where they were told, or there is nothing to tell."""
    if (
        not sinks
        or finding.resolved_at is None
        or (row is not None and row.changed_at >= finding.resolved_at)
    ):
        return None
    return TicketRow(
        key=change_key(finding.id),
        state=RESOLVED,
        digest="",
        opened_at=now,
        changed_at=now,
        sinks=sinks,
        resolution=Resolution.FIXED.value,
        count=0,
        # Each remediation is a change of its own.
        generation=1 if row is None else row.generation + 1,
        revision=0 if row is None else row.revision,
    )


# --- what a sink must be told -----------------------------------------------------------------------------


def step(row: TicketRow, delivery: Delivery, *, keeps_tickets: bool, now: datetime) -> Step:
    """What to do next at a sink for it to know how the ticket stands."""
    if delivery.generation != row.generation and _is_over(delivery):
        if row.is_open or is_change(row.key):
            return Step.START_OVER
        return Step.LOOK if keeps_tickets and _is_strange(delivery) else Step.DONE
    if delivery.covered:
        return Step.DONE if delivery.told == row.state else Step.COVER
    if not keeps_tickets:
        return _announced(row, delivery)
    if delivery.handle is None:
        return _created(row, delivery, now)
    return _changed(row, delivery)


def _announced(row: TicketRow, delivery: Delivery) -> Step:
    if row.is_open:
        known = (delivery.told, delivery.digest) == (OPEN, row.digest)
        return Step.DONE if known and not delivery.moving else Step.NOTIFY
    if is_change(row.key):
        return Step.DONE if delivery.told else Step.NOTIFY
    # Who died while telling may have told: then it is also told that it is over.
    begun = delivery.told == OPEN or delivery.creating_at is not None
    return Step.NOTIFY if begun else Step.DONE


def _changed(row: TicketRow, delivery: Delivery) -> Step:
    if delivery.gone:
        return Step.REPLACE
    if not row.is_open:
        if delivery.told == OPEN or delivery.moving:
            return Step.RESOLVE
        return Step.EXPLAIN if delivery.unsaid else Step.DONE
    if delivery.told != OPEN or delivery.moving:
        return Step.REOPEN
    if delivery.digest != row.digest:
        return Step.UPDATE
    return Step.COMMENT if delivery.say else Step.DONE


def _is_strange(delivery: Delivery) -> bool:
    """Whether nothing was ever done in a sink, by this name of it."""
    return not delivery.generation and not delivery.told


def _is_over(delivery: Delivery) -> bool:
    """Whether nothing of an older ticket is left open, or may be: else that one goes on in place of a new one."""
    is_closed = delivery.told != OPEN and not delivery.moving
    return is_closed and (delivery.creating_at is None or delivery.handle is not None)


def _created(row: TicketRow, delivery: Delivery, now: datetime) -> Step:
    if delivery.creating_at is None:
        return Step.CREATE if row.is_open else Step.DONE
    return Step.SEARCH if now >= settled_at(delivery) else Step.WAIT


def settled_at(delivery: Delivery) -> datetime:
    """When a create of unknown end can be searched for."""
    begun = delivery.creating_at
    if begun is None:
        msg = "nothing is being created"
        raise ValueError(msg)
    return begun + SETTLE[min(delivery.searches, len(SETTLE) - 1)]


def may_repeat(delivery: Delivery) -> bool:
    """Whether a create of unknown end was searched for often enough to be taken for one that never happened."""
    return delivery.searches >= len(SETTLE)


def begun(row: TicketRow, delivery: Delivery) -> Delivery:
    """The row for the ticket's present generation, which names the one before."""
    return Delivery(
        ticket=delivery.ticket,
        sink=delivery.sink,
        generation=row.generation,
        previous=delivery.handle or delivery.previous,
        busy_until=delivery.busy_until,
        revision=delivery.revision,
    )


def may_replace(delivery: Delivery, now: datetime) -> bool:
    """Whether another ticket may take the place of one that is gone: once in a while, or what hides them gets many."""
    return delivery.replaced_at is None or now - delivery.replaced_at >= REPLACED_EVERY


def replaced(delivery: Delivery, *, at: datetime | None = None) -> Delivery:
    """The row for a ticket that takes the place of one that was closed for good, or that is gone, `at` a time.

    It counts as a new ticket of its day.
    """
    return replace(
        delivery,
        incarnation=delivery.incarnation + 1,
        previous=delivery.handle or delivery.previous,
        handle=None,
        told="",
        digest="",
        creating_at=None,
        searches=0,
        gone=False,
        moving=False,
        unsaid=False,
        replaced_at=at or delivery.replaced_at,
        counted=False,
    )


# --- what people did --------------------------------------------------------------------------------------


class Answered(NamedTuple):
    """What follows from how people left a ticket."""

    delivery: Delivery
    asks: bool = False
    """Whether somebody asks for an exemption by it."""


def answered(row: TicketRow, delivery: Delivery, remote: Remote) -> Answered | None:
    """What follows from how a ticket stands in its tracker; None where nothing does.

    Only what we have told is compared: a ticket that is about to be opened or resolved by us is no answer of theirs.
    """
    is_ours = delivery.told != OPEN or delivery.moving
    if not row.is_open or is_ours or delivery.handle is None or delivery.covered:
        return None
    if delivery.gone:
        # Shown again: nobody need replace it.
        return None if remote.state is RemoteState.GONE else Answered(replace(delivery, gone=False))
    who = f" by {remote.by}" if remote.by else ""
    match remote.state:
        case RemoteState.GONE:
            return Answered(replace(delivery, gone=True))
        case RemoteState.OPEN:
            told = delivery.left or delivery.asked
            return Answered(replace(delivery, left=False, asked=False)) if told else None
        case RemoteState.WONT_FIX:
            said = _said(_ASKED, who, remote.reason or "not to be fixed")
            return None if delivery.asked else Answered(replace(delivery, asked=True, say=said), asks=True)
        case RemoteState.CLOSED:
            return _closed(delivery, who)


def _closed(delivery: Delivery, who: str) -> Answered | None:
    if not delivery.reopened:
        return Answered(replace(delivery, reopened=True, told=RESOLVED, say=_said(_REOPENED, who)))
    if delivery.left or delivery.asked:
        return None
    return Answered(replace(delivery, left=True, say=_said(_LEFT, who)))


def _said(text: str, who: str, word: str = "") -> str:
    # Their names may hold braces: no template of Python's is filled with them.
    return text.replace("{word}", word).replace("{who}", who)


_ASKED = (
    "Closed{who} as {word}: Aurora Warden takes this as a request for an exemption, and exempts nothing by itself. "
    "Whoever owns the policy grants it there, and sees it with `warden requests`. Until then the drift is still there."
)
_REOPENED = (
    "Closed{who}, but the drift is still there, so Aurora Warden opened this ticket again. It does so once. It "
    "resolves the ticket itself when the drift is gone."
)
_LEFT = (
    "Closed again{who}; the drift is still there. Aurora Warden leaves this ticket closed now, and says so when the "
    "drift is gone. To accept the drift, exempt it in the policy."
)
