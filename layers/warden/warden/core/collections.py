"""Tickets of many findings: of one owner and control, or what was too much for one sink in a day."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from warden.core.control import Severity
from warden.core.resource import ResourceRef
from warden.core.sections import Bullets, Code, Facts, Links, Paragraph, Section
from warden.core.ticket import Listed, Ticket, TicketState, ticket_id
from warden.core.ticket_rows import OPEN, RESOLVED, TicketRow
from warden.core.ticket_text import frameworks_of, why_it_matters

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from warden.core.control import Control
    from warden.core.finding import Finding
    from warden.core.resource import Deployment
    from warden.core.ticket_rows import Member
    from warden.core.ticket_text import Story

_GROUP, _SUMMARY = "group|", "summary|"
_TOGETHER = timedelta(minutes=10)
_LISTED = 200
"""Findings that a ticket names one by one; of the rest it says how many."""


def group_key(owner: str, control: str, deployment: Deployment) -> str:
    """The name of the collection of an owner's findings of one control.

    Deployments may share a tracker, where one finds its tickets by these names: no other may have the same.
    """
    # An owner is whatever somebody wrote into a tag; a key of the table has its limits.
    whose = hashlib.sha256(owner.encode()).hexdigest()[:16]
    return f"{_GROUP}{control}|{deployment.account}|{deployment.region}|{whose}"


def summary_key(sink: str, now: datetime, deployment: Deployment) -> str:
    """The name of the collection of what was too much for a deployment's sink on a day."""
    return f"{_SUMMARY}{sink}|{now:%Y-%m-%d}|{deployment.account}|{deployment.region}"


def is_collection(key: str) -> bool:
    """Whether a ticket is of many findings."""
    return key.startswith((_GROUP, _SUMMARY))


def is_summary(key: str) -> bool:
    """Whether a ticket is of what was too much for a day."""
    return key.startswith(_SUMMARY)


def adjusted(
    row: TicketRow | None,
    key: str,
    *,
    by: int,
    sinks: Iterable[str],
    owner: str,
    now: datetime,
    window: timedelta,
) -> TicketRow:
    """The row of a collection with so many more open findings, or with one that has changed.

    It is open for as long as one of its findings is; opened again after the window, it is a new ticket.
    """
    told = tuple(sinks)
    if row is None:
        return TicketRow(
            key=key,
            state=OPEN,
            digest="1",
            opened_at=now,
            changed_at=now,
            sinks=told,
            owner=owner,
            count=max(by, 0),
        )
    count = max(row.count + by, 0)
    wanted = replace(
        row,
        state=OPEN if count else RESOLVED,
        digest=str(row.revision + 1),
        changed_at=now,
        sinks=told,
        count=count,
        note=row.note if count else "",
    )
    if wanted.is_open and not row.is_open and now - row.changed_at > window:
        return replace(wanted, generation=row.generation + 1, opened_at=now)
    return wanted


def due_at(now: datetime) -> datetime:
    """When a change of a collection is told: not one by one while a flood comes in."""
    return now + _TOGETHER - timedelta(seconds=now.timestamp() % _TOGETHER.total_seconds())


def control_of(key: str) -> str:
    """The control that a ticket is about; empty for a summary."""
    if is_summary(key):
        return ""
    return key.removeprefix(_GROUP).partition("|")[0]


def ticket(
    row: TicketRow,
    members: Sequence[Member],
    gravest: Sequence[Finding],
    control: Control | None,
    story: Story,
) -> Ticket:
    """The ticket of a collection; `gravest` are some of its findings, the gravest first, at least one."""
    left = sorted((m for m in members if m.state == OPEN), key=lambda m: (_rank(m.severity), m.finding_id))
    first = gravest[0]
    severity = left[0].severity if left else first.severity
    regions = {ResourceRef.from_arn(member.arn).region for member in left or members}
    return Ticket(
        id=ticket_id(row.key, generation=story.generation, incarnation=story.incarnation),
        state=story.state,
        title=_title(row, len(left) or len(members), severity, first),
        summary=_summary(row, left, len(members), story),
        sections=tuple(
            section
            for section in _sections(row, left, len(members), first=first, control=control, story=story)
            if section.blocks
        ),
        severity=severity,
        control=control_of(row.key),
        account=ResourceRef.from_arn(first.arn).account,
        region=regions.pop() if len(regions) == 1 else "",
        owner=row.owner,
        opened_at=row.opened_at,
        findings=tuple(gravest),
        listed=tuple(
            Listed(control=m.finding_id.partition("|")[0], resource=m.arn, severity=m.severity)
            for m in left or members
        ),
        fix=control.fix if control else "",
        frameworks=frameworks_of(control),
        resolution=story.resolution,
        previous=story.previous,
        revision=story.revision,
    )


def _rank(severity: str) -> int:
    return Severity(severity).rank if severity in set(Severity) else len(Severity)


def _title(row: TicketRow, count: int, severity: str, first: Finding) -> str:
    many = f"{count} resource{'s' * (count != 1)}"
    if is_summary(row.key):
        _, sink, day, *_ = row.key.split("|")
        return f"[{severity}] {count} findings of {day} that were too many for {sink}"
    return f"[{severity}] {many} of {row.owner} {'do' if count != 1 else 'does'} not meet: {first.title}"


def _summary(row: TicketRow, left: Sequence[Member], count: int, story: Story) -> str:
    if story.state is TicketState.RESOLVED:
        return f"All {count} findings of this ticket are fixed, gone or exempt; nothing is left to do."
    why = (
        "The day's limit of new tickets was reached (tickets.daily of the policy): these findings are here, and in no "
        "ticket of their own."
        if is_summary(row.key)
        else "They are one ticket because they are of one owner and one control."
    )
    return f"{len(left)} of {count} findings are open. {why}"


def _sections(
    row: TicketRow,
    left: Sequence[Member],
    count: int,
    *,
    first: Finding,
    control: Control | None,
    story: Story,
) -> list[Section]:
    rows = [
        ("Control", f"{control_of(row.key)} ({first.severity})" if control_of(row.key) else ""),
        ("Owner", row.owner),
        ("Open", f"{len(left)} of {count}"),
        ("Since", f"{row.opened_at:%Y-%m-%d %H:%M} UTC"),
        ("Before this", (story.previous.url or story.previous.id) if story.previous else ""),
    ]
    sections = [Section(heading="", blocks=(Facts(tuple((name, value) for name, value in rows if value)),))]
    if story.note:
        sections.append(Section(heading="What somebody did in a tracker", blocks=(Paragraph(story.note),)))
    if is_summary(row.key):
        sections.append(_counted(left))
    if left:
        sections.append(Section(heading="What is open", blocks=(_listed(row, left),)))
    if control and left:
        blocks = (Paragraph("For each, with its own name in place of {id}:"), Code(control.fix.strip()))
        sections.append(Section(heading="How to fix it by hand", blocks=blocks, weight=2))
        sections.append(
            Section(heading="Why it matters", blocks=(Paragraph(why_it_matters(control)),), weight=3)
        )
        sections.append(Section(heading="Frameworks", blocks=(Bullets(frameworks_of(control)),), weight=4))
    look = Section(heading="Where to look", blocks=(Links(()), Code(f"warden tickets --ticket '{row.key}'")))
    return [*sections, look]


def _listed(row: TicketRow, left: Sequence[Member]) -> Bullets:
    return Bullets(
        tuple(f"[{member.severity}] {member.arn}: {member.annotation}" for member in left[:_LISTED]),
        rest=max(len(left) - _LISTED, 0),
        command=f"warden tickets --ticket '{row.key}'",
    )


def _counted(left: Sequence[Member]) -> Section:
    counts = Counter(member.finding_id.partition("|")[0] for member in left)
    rows = tuple((control, str(count)) for control, count in counts.most_common())
    return Section(heading="How many of which control", blocks=(Facts(rows),))
