"""Whether each ticket sink of the policy would take a ticket now; with `write`, whether it takes one."""

from __future__ import annotations

import functools
import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from console.doctor.report import Health, Line, failed, fine
from warden.core.control import ComplianceType
from warden.core.errors import (
    AccessDeniedError,
    AmbiguousError,
    ConfigurationError,
    CredentialsError,
    LaterError,
    RejectedError,
    UnsupportedError,
    WardenError,
)
from warden.core.finding import Finding, WorkflowStatus
from warden.core.resource import Deployment
from warden.core.sections import Paragraph, Section
from warden.core.ticket import Ticket, TicketState
from warden.gateways.tickets import DynamoTickets
from warden.sinks import Tools, build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from console.deployed import Deployed
    from warden.core.sinks import SinkConfig
    from warden.gateways.http import Connect
    from warden.pipeline.ports import Notifier, Tracker

_LATE = timedelta(hours=1)
_GRAVITY = "LOW"
_PAGE = "docs/how-to/connect-a-tracker.md"
_TODO: tuple[tuple[type[WardenError], str], ...] = (
    (ConfigurationError, f"Put the policy or the parameter right, and deploy: {_PAGE}."),
    (
        CredentialsError,
        f"Put what {_PAGE} shows for this sink into its secret; it is used within five minutes.",
    ),
    (
        AccessDeniedError,
        "Let whoever runs this do it, or run it as somebody who may; the function has a role of its own.",
    ),
    (UnsupportedError, "This endpoint does not know the call; run it against AWS."),
    (
        RejectedError,
        f"The sink does not take what the policy tells it to take: compare its table with {_PAGE}.",
    ),
    (LaterError, "Look whether the host can be reached from here and is well, and run this again."),
    (AmbiguousError, "Look in the tracker for a ticket of this test, and close it by hand."),
)
_ELSE = f"Do what it says, then run this again: {_PAGE}."

connect: Connect | None = None
"""Replaced by tests, which have servers of their own."""


def checks(
    found: Deployed,
    parameters: Mapping[str, str],
    configs: Sequence[SinkConfig],
    state_table: str,
    *,
    write: bool,
) -> Iterator[Line]:
    """Some lines for each sink; one that fails holds up none of the others."""
    tools = Tools(
        client=found.client,
        deployment=Deployment(found.account, found.region, found.arn.split(":", 2)[1]),
        topic_arn=found.names["Topic"],
        clock=lambda: datetime.now(UTC),
        secret_arns=tuple(filter(None, parameters.get("TicketSecretArns", "").split(","))),
        connect=connect,
    )
    tickets = DynamoTickets(found.client("dynamodb"), state_table) if state_table else None
    for config in configs:
        area = f"sink {config.name}"
        yield from _waiting(area, config.name, tickets)
        try:
            made = build((config,), tools)
            sink: Notifier | Tracker = (made.trackers if config.kind.keeps_tickets else made.notifiers)[
                config.name
            ]
            yield _checked(area, config, sink.check())
        except WardenError as error:
            yield _wrong(area, error)
            continue
        if write:
            yield from (_tried(area, functools.partial(_keep, one, found)) for one in made.trackers.values())
            yield from (
                _tried(area, functools.partial(_tell, one, found, config)) for one in made.notifiers.values()
            )


def _checked(area: str, config: SinkConfig, unseen: str) -> Line:
    """What a check saw, and what it could not see, which nobody should take for seen."""
    if not unseen:
        return fine(area, f"{config.kind.doc}: it would take a ticket")
    todo = f"`warden doctor --sink {config.name} --write` shows it by a test ticket."
    return Line(area, Health.UNKNOWN, f"{config.kind.doc}: it answers; not checked: {unseen}", todo)


def _waiting(area: str, sink: str, tickets: DynamoTickets | None) -> Iterator[Line]:
    """What the deployment itself knows of the sink: whether it rests, and how long tickets have waited for it."""
    if tickets is None:
        return
    try:
        health, errands = tickets.health(sink), tickets.backlog(sink)
    except WardenError as error:
        yield _wrong(area, error)
        return
    if health.refused:
        yield failed(
            area, f"it rests since it said: {health.refused}", f"{_ELSE} It is asked every ten minutes."
        )
    now = datetime.now(UTC)
    late = [errand for errand in errands if now - errand.first_at > _LATE and errand.error]
    if late:
        oldest = min(late, key=lambda errand: errand.first_at)
        yield failed(
            area,
            f"{len(late)} ticket(s) wait for it for more than an hour: {oldest.error}",
            "`warden tickets` lists them; they are sent by themselves once the sink takes them.",
        )


def _wrong(area: str, error: WardenError) -> Line:
    todo = next((todo for kind, todo in _TODO if isinstance(error, kind)), _ELSE)
    health = Health.UNKNOWN if isinstance(error, (AccessDeniedError, UnsupportedError)) else Health.FAILED
    return Line(area, health, str(error), todo)


def _tried(area: str, act: Callable[[], str]) -> Line:
    try:
        return fine(area, act())
    except WardenError as error:
        line = _wrong(area, error)
        return failed(area, f"the test ticket failed: {line.what}", line.todo)


def _keep(tracker: Tracker, found: Deployed) -> str:
    """Create a ticket, comment on it, close it, and see that it is closed."""
    opened, resolved = _test(found, TicketState.OPEN), _test(found, TicketState.RESOLVED)
    handle = tracker.create(opened)
    tracker.comment(handle, opened, "A comment of `warden doctor --write`.")
    if tracker.resolve(handle, resolved):
        tracker.comment(handle, resolved, resolved.summary)
    stands = tracker.remote(handle).state
    return f"created, commented on and closed {handle.url or handle.id}, which is {stands} now"


def _tell(notifier: Notifier, found: Deployed, config: SinkConfig) -> str:
    pages = config.options.get("page", [_GRAVITY])
    for state in (TicketState.OPEN, TicketState.RESOLVED):
        notifier.notify(_test(found, state, pages[0] if pages else _GRAVITY))
    if not pages:
        return "told that a test ticket is resolved, and not that it is open: no severity is in `page`"
    return "told of a test ticket, and that it is resolved"


def _test(found: Deployed, state: TicketState, severity: str = _GRAVITY) -> Ticket:
    """A ticket that says that it is a test, of a database that there is not."""
    now = datetime.now(UTC)
    summary = "This is a test by `warden doctor --write`. No database is wrong, and nobody has to act."
    facts: dict[str, Any] = {} if state is TicketState.OPEN else {"resolved_at": now}
    finding = Finding(
        resource_key=f"{found.account}/{found.region}/warden-doctor",
        control="warden_doctor",
        arn=f"arn:{found.arn.split(':', 2)[1]}:rds:{found.region}:{found.account}:cluster:warden-doctor-test",
        resource_type="AWS::RDS::DBCluster",
        severity=severity,
        title="A test of this ticket sink",
        workflow=WorkflowStatus.NEW,
        compliance=ComplianceType.NON_COMPLIANT,
        annotation=summary,
        evidence={},
        first_observed=now,
        last_observed=now,
        decision={"action": "TICKET", "reason": "mode"},
        **facts,
    )
    return Ticket(
        id=hashlib.sha256(f"warden-doctor|{found.account}|{found.region}|{now.date()}".encode()).hexdigest()[
            :40
        ],
        state=state,
        title=f"[{severity}] A test of this ticket sink by Aurora Warden",
        summary=summary,
        sections=(
            Section(
                heading="Who did this", blocks=(Paragraph(f"{found.arn}, at {now:%Y-%m-%d %H:%M} UTC."),)
            ),
        ),
        severity=severity,
        control="",
        account=found.account,
        region=found.region,
        owner=found.account,
        opened_at=now,
        findings=(finding,),
    )
