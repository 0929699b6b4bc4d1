"""What the pipeline needs of the world, as protocols; `gateways` offers it, `wiring` joins them, tests fake it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from warden.core.rows import Due, Found, Look, Reconciled, Stop
from warden.core.ticket_rows import Delivery, Errand, ExemptionRequest, Member, SinkHealth, TicketRow

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from warden.core.approval import Approval
    from warden.core.brakes import Payment, Spent, Standing
    from warden.core.coverage import LogGroup
    from warden.core.finding import Finding
    from warden.core.guard import Permit
    from warden.core.kinds import Need
    from warden.core.ledger import Head, LedgerEntry, Link
    from warden.core.messages import RemediationMessage, TicketMessage
    from warden.core.open_sessions import Access, Sample
    from warden.core.plan import Call
    from warden.core.procedure import Record
    from warden.core.progress import Progress
    from warden.core.reconciliation import Recorded
    from warden.core.resource import Resource, ResourceRef, ResourceType
    from warden.core.ticket import Handle, Remote, Ticket
    from warden.core.trigger import Lookup
    from warden.core.unannounced import Swept

__all__ = [
    "Announcements",
    "Approvals",
    "Brakes",
    "Chains",
    "Clock",
    "ConnectionLogs",
    "DataApi",
    "Delivery",
    "Due",
    "Errand",
    "ExemptionRequest",
    "Findings",
    "Ledger",
    "Look",
    "Looks",
    "Member",
    "Notifier",
    "Outbox",
    "ProbeGroup",
    "Queues",
    "Reader",
    "Reconciled",
    "Reconciliations",
    "SinkHealth",
    "State",
    "Stop",
    "SweepMemory",
    "Sweeps",
    "Temporaries",
    "TicketRow",
    "Tickets",
    "Tracker",
    "Trail",
    "Watch",
    "Writer",
]


class Clock(Protocol):
    """The time; an argument, so that tests and the local AWS can move it."""

    def __call__(self) -> datetime:
        """The present moment, in UTC."""
        ...


class Reader(Protocol):
    """Reads resources from AWS. Read-only; raises the errors of `core.errors`."""

    def read(self, ref: ResourceRef, needs: Collection[Need]) -> Resource:
        """Describe one resource with its enrichments; ResourceGoneError where there is none.

        An enrichment that was denied or is not to be had becomes a missing fact with its reason; a throttled
        one raises ThrottledError.
        """
        ...

    def enrich(self, resource: Resource, needs: Collection[Need]) -> Resource:
        """The same resource with more enrichments, under the same terms."""
        ...

    def afresh(self, resource: Resource) -> Resource:
        """The same resource of a list, with its `remembered` facts read from AWS; a throttled one is a missing fact."""
        ...

    def resolve(self, lookup: Lookup) -> ResourceRef | None:
        """The resource that has this immutable id now, or None where there is none."""
        ...

    def users(self, ref: ResourceRef) -> Iterable[ResourceRef]:
        """The databases that use a shared thing, such as a parameter group."""
        ...

    def list(
        self,
        resource_type: ResourceType,
        needs: Collection[Need],
        *,
        but: Callable[[str], bool] | None = None,
        complete: Callable[[Resource], Resource] | None = None,
    ) -> Iterator[Resource]:
        """Every resource of a type, page by page; a throttled enrichment becomes a missing fact here.

        Of a resource whose key `but` says yes to, nothing more is read than the list holds. What `complete` reads of
        the others may be read for several at the same time; where it fails, they are given without.
        """
        ...


class Writer(Protocol):
    """The only way to write to a database."""

    def apply(self, call: Call, resource: Resource, permits: Sequence[Permit]) -> str:
        """Make one call that the write guard lets pass, and return AWS's request id.

        Raises GuardError, StoppedError, ResourceBusyError, ResourceGoneError, AccessDeniedError,
        RejectedError or ThrottledError.
        """
        ...


class Findings(Protocol):
    """The state of findings; written only on change, and only over the revision that was read."""

    def of_resource(self, resource_key: str) -> dict[str, Finding]:
        """All findings of one resource by control, read consistently."""
        ...

    def of_arn(self, arn: str) -> list[Finding]:
        """All findings that were last seen under an ARN (an index: eventually consistent)."""
        ...

    def get(self, resource_key: str, control: str) -> Finding | None:
        """One finding, read consistently."""
        ...

    def put(self, finding: Finding) -> Finding:
        """Write over revision `finding.revision`, and return it one higher; ConflictError if another wrote."""
        ...

    def all(self) -> Iterator[Finding]:
        """Every finding that is kept."""
        ...

    def as_they_are(self, resource_types: Collection[str]) -> ReadFindings:
        """The findings of some types as they are now."""
        ...


class ReadFindings(Protocol):
    """Findings as they were at one time: those of tens of thousands of resources, each given once."""

    def take(self, resource_key: str) -> dict[str, Finding]:
        """The findings of one resource by control; they are not kept any longer, even where they cannot be read."""
        ...

    def drop(self, resource_key: str) -> None:
        """Let those of one resource go."""
        ...

    def left(self, resource_type: str) -> list[str]:
        """The keys of the resources of a type whose findings nobody has taken."""
        ...


class Ledger(Protocol):
    """The record of what happened."""

    def append(self, entry: LedgerEntry) -> None:
        """Add an entry to its chain; ConflictError if the chain grew at the same time too often."""
        ...

    def entry(self, chain: str, sequence: int) -> Link | None:
        """One entry at its place, as it is kept; None where there is none."""
        ...


class Chains(Protocol):
    """The record, chain by chain."""

    def heads(self) -> Mapping[str, Head]:
        """The heads of all chains."""
        ...

    def active(self, since: datetime) -> Mapping[str, Head]:
        """The heads of the chains that have grown since."""
        ...

    def read(self, chain: str) -> Iterator[Link]:
        """The entries of a chain in their order, read consistently."""
        ...


class Trail(Protocol):
    """What AWS itself recorded of our calls."""

    def writes(self, *, since: datetime, until: datetime) -> Sequence[Recorded]:
        """Every write of our role, by time; raises the errors of `core.errors` where they could not all be read."""
        ...


class Reconciliations(Protocol):
    """Up to where writes are reconciled."""

    def get(self) -> Reconciled | None:
        """The checkpoint, read consistently; None where there is none."""
        ...

    def put(self, reconciled: Reconciled) -> None:
        """Write the checkpoint over the one before."""
        ...


class Brakes(Protocol):
    """What holds controls back in a whole account and Region."""

    def standing(self, account: str, region: str) -> Standing:
        """Latches, circuits, canaries and what was acknowledged, read consistently."""
        ...

    def spent(self, account: str, region: str, *, budget: str, now: datetime) -> Spent:
        """How many writes this hour has seen from a budget, and for which controls."""
        ...

    def spend(self, account: str, region: str, payment: Payment, *, now: datetime) -> bool:
        """Take one write of this hour from a budget and its controls, atomically; False where a limit is passed."""
        ...

    def latch(self, account: str, region: str, name: str, *, now: datetime) -> None:
        """Keep a budget, or a control's share of it, spent until somebody acknowledges it, whatever the hour."""
        ...

    def acknowledge(self, account: str, region: str, *, now: datetime) -> tuple[str, ...]:
        """Take latches and open circuits away, this hour's writes forgotten; returns what was in the way."""
        ...

    def note_failure(
        self,
        account: str,
        region: str,
        *,
        control: str,
        resource_key: str,
        now: datetime,
        window: timedelta,
        limit: int,
    ) -> bool:
        """Note that a control's fix of a resource failed; True where that was one too many: the circuit opens."""
        ...

    def begin_canary(
        self, account: str, region: str, *, control: str, resource_key: str, now: datetime
    ) -> bool:
        """Make a resource the first that a control writes to; False where another is, and is not yet verified."""
        ...

    def verify_canary(
        self, account: str, region: str, *, control: str, resource_key: str, now: datetime
    ) -> None:
        """Note that the fix of the first resource holds; nothing where another resource is the first."""
        ...

    def drop_canary(self, account: str, region: str, *, control: str, resource_key: str) -> None:
        """Let another resource be the first: this one went before its fix was verified."""
        ...

    def acknowledge_day_one(
        self, account: str, region: str, pairs: Iterable[tuple[str, str]], *, now: datetime
    ) -> None:
        """Note that somebody has looked at what these controls found, each in a mode."""
        ...

    def take_census(self, account: str, region: str, counts: Mapping[str, int], *, now: datetime) -> None:
        """Keep how many resources of each type a sweep evaluated."""
        ...


class State(Protocol):
    """Leases, due rows and the STOP row."""

    def stop(self) -> Stop | None:
        """The STOP row, read consistently; StoppedError where it cannot be read (it fails closed)."""
        ...

    def set_stop(self, stop: Stop | None) -> None:
        """Stop all writes, or resume them."""
        ...

    def lease(self, arns: Iterable[str], *, owner: str, seconds: int, now: datetime) -> bool:
        """Take a lease on every ARN, in sorted order, or on none; an expired lease of another is taken over."""
        ...

    def release(self, arns: Iterable[str], *, owner: str) -> None:
        """Give back the leases that `owner` still holds."""
        ...

    def holds(self, arns: Iterable[str], *, owner: str, now: datetime) -> bool:
        """Whether `owner` still holds an unexpired lease on every ARN."""
        ...

    def defer(self, due: Due) -> None:
        """Write or replace the due row of a resource."""
        ...

    def waiting(self, arn: str) -> Due | None:
        """The due row of a resource."""
        ...

    def due(self, now: datetime) -> list[Due]:
        """The rows whose time has come."""
        ...

    def settle(self, arn: str) -> None:
        """Remove the due row of a resource: it no longer waits."""
        ...


class Sweeps(Protocol):
    """How far a sweep has come."""

    def current(self) -> Progress | None:
        """The sweep that is not at its end, read consistently."""
        ...

    def visited(self, progress: Progress, resource_type: str) -> frozenset[str]:
        """The marks of what was visited of a type."""
        ...

    def keep(self, progress: Progress, resource_type: str, marks: Collection[str]) -> None:
        """Keep how far it has come, and the marks of what was visited since."""
        ...

    def end(self) -> None:
        """There is no sweep any more."""
        ...

    def last(self) -> Swept:
        """What the sweeps that came to their end have left; nothing before the first."""
        ...

    def leave(self, swept: Swept) -> None:
        """Leave it for the next, over what was read; ConflictError if another wrote."""
        ...


class Announcements(Protocol):
    """What events have told of, for sweeps that remember."""

    def announce(self, arn: str, now: datetime) -> None:
        """What was read of a thing before now is not to be believed."""
        ...

    def distrust(self, now: datetime) -> None:
        """Nothing that was read before now is to be believed."""
        ...


class SweepMemory(Protocol):
    """What a reader of lists remembers by."""

    @property
    def failures(self) -> Sequence[str]:
        """Why memory could not be read or written, as sentences."""
        ...


class ProbeGroup(Protocol):
    """The parameter group that drifts on purpose."""

    def read(self, ref: ResourceRef) -> Resource:
        """The group, with what somebody set in it; raises ResourceGoneError where there is none."""
        ...


class Watch(Protocol):
    """Since when findings of the probe are waited for."""

    def since(self) -> datetime | None:
        """The time; None where nobody has waited yet."""
        ...

    def begin(self, now: datetime) -> None:
        """Wait from now on, unless somebody does."""
        ...


class Approvals(Protocol):
    """What people have answered to requests; the pipeline reads it, and notes what it has used."""

    def answers(self, request: str, *, part: str = "") -> Sequence[Approval]:
        """Every answer to a request (an index: eventually consistent), each with whether it was used (for a part)."""
        ...

    def use(self, approval: Approval, *, part: str = "") -> bool:
        """Note, for good, that an approval is being used (for a part); False where it was before."""
        ...

    def give_back(self, approval: Approval, *, part: str = "") -> None:
        """Undo `use`: nothing was written after all."""
        ...


class ConnectionLogs(Protocol):
    """CloudWatch Logs, as far as a preflight asks it; raises the errors of `core.errors`."""

    def held(self, group: str) -> LogGroup | None:
        """What is known of a log group; None where there is none."""
        ...

    def start(self, group: str, query: str, *, begin: datetime, end: datetime) -> str:
        """Start a query, and return its id."""
        ...

    def rows(self, query_id: str) -> Found | None:
        """What a query found; None while it runs; RejectedError where it came to nothing."""
        ...


class Looks(Protocol):
    """What was looked at, and is being looked at."""

    def get(self, arn: str) -> Look | None:
        """The last look at a database."""
        ...

    def put(self, look: Look) -> None:
        """Keep a look."""
        ...


class DataApi(Protocol):
    """The Data API of Aurora, as far as a preflight asks it; raises the errors of `core.errors`."""

    def rows(self, access: Access, sql: str) -> Sequence[Sequence[Any]]:
        """The rows of a statement, by the user of the secret."""
        ...


class Samples(Protocol):
    """The sessions without TLS that were found open."""

    def get(self, arn: str) -> Sample | None:
        """Those of a cluster."""
        ...

    def put(self, sample: Sample) -> None:
        """Keep them."""
        ...


class Temporaries(Protocol):
    """What procedures make for themselves, as Warden wrote it down."""

    def get(self, arn: str) -> Record | None:
        """The record of a thing, read consistently."""
        ...

    def put(self, record: Record, *, over: Record | None) -> None:
        """Write a record over the one that was read; ConflictError if another wrote."""
        ...

    def remove(self, record: Record) -> None:
        """Forget a record, unless another wrote it meanwhile."""
        ...

    def all(self) -> list[Record]:
        """Every record: few, since each is of a procedure that runs."""
        ...


class Queues(Protocol):
    """Where the steps hand over to each other."""

    def remediate(self, message: RemediationMessage, *, deduplication_id: str) -> None:
        """To the remediations queue, in the resource's message group."""
        ...

    def ticket(self, message: TicketMessage) -> None:
        """To the tickets queue."""
        ...

    def trigger(self, body: Mapping[str, Any]) -> None:
        """To the triggers queue, as a hand-made event."""
        ...


class Tickets(Protocol):
    """What is kept of tickets. Rows with a revision are written over the one that was read."""

    def get(self, key: str) -> TicketRow | None:
        """How a ticket should stand, read consistently."""
        ...

    def delivery(self, key: str, sink: str) -> Delivery | None:
        """What a sink knows of a ticket, read consistently."""
        ...

    def members(self, group: str) -> Iterator[Member]:
        """The findings of a collection, read consistently."""
        ...

    def write(self, *rows: TicketRow | Delivery | Member | Errand, entry: LedgerEntry | None = None) -> None:
        """Write all of them or none, `entry` into the ledger; ConflictError if another wrote one since it was read.

        Revisions are one higher afterwards; no two are the same row.
        """
        ...

    def count(self, what: str, now: datetime) -> int:
        """One more of something today (UTC), atomically; how many that makes."""
        ...

    def waiting(self, key: str, sink: str) -> Errand | None:
        """What is still to be done for a ticket at a sink, read consistently."""
        ...

    def request(self, request: ExemptionRequest) -> None:
        """Keep, or replace, what somebody asked for about a finding in a sink."""
        ...

    def settle_requests(self, finding_id: str, sink: str = "") -> None:
        """Forget what was asked for about a finding, in one sink or in all: nothing is to be answered any more."""
        ...

    def requests(self) -> Iterator[ExemptionRequest]:
        """Everything that is asked for."""
        ...


class Outbox(Protocol):
    """What is still to be told, for each sink apart."""

    def later(self, errand: Errand) -> None:
        """Keep an errand for its new time, unless a later sequence took its place."""
        ...

    def done(self, errand: Errand) -> None:
        """Remove an errand, unless a later sequence took its place."""
        ...

    def backlog(self, sink: str) -> list[Errand]:
        """All errands of a sink."""
        ...

    def health(self, sink: str) -> SinkHealth:
        """Whether a sink takes anything now."""
        ...

    def set_health(self, health: SinkHealth) -> None:
        """Keep it; the last word counts."""
        ...


class Notifier(Protocol):
    """A sink that only tells: a topic, a channel, a bus. Nobody answers there, and what was said stays said.

    Every method raises the errors of `core.errors`: LaterError where it should be tried again (with the seconds that
    the sink asked for), RejectedError where it refuses this ticket, SinkRefusedError or CredentialsError where it takes
    nothing until a person has done something.
    """

    def notify(self, ticket: Ticket) -> None:
        """Tell how the ticket stands now; the same may be told twice, so what can should deduplicate by `ticket.id`."""
        ...

    def check(self) -> str:
        """See whether the sink would take a ticket, without making one: credentials, addresses; raises as `notify`.

        Returns what could not be seen, as a clause; empty where all could.
        """
        ...


class Tracker(Protocol):
    """A sink that keeps tickets, in which people work on them.

    Errors are those of a Notifier, and some more: AmbiguousError from `create` where it may have happened after all
    (`find` is asked, a while later, before it is repeated), and from `comment` (which is not repeated then);
    ForbiddenTicketError where we may not touch one ticket;
    TicketGoneError where it is not shown, and TicketClosedError where it is closed for good (then another takes its
    place).
    """

    def find(self, ticket: Ticket) -> Handle | None:
        """The ticket that was created with `ticket.id`, the oldest of several; None where there is none."""
        ...

    def create(self, ticket: Ticket) -> Handle:
        """Create it, in such a way that `find` finds it by `ticket.id`."""
        ...

    def update(self, handle: Handle, ticket: Ticket) -> None:
        """Bring title, text and fields up to date; the status stays as people left it."""
        ...

    def comment(self, handle: Handle, ticket: Ticket, text: str) -> None:
        """Say something below it; `text` is plain, and escaped here."""
        ...

    def resolve(self, handle: Handle, ticket: Ticket) -> bool:
        """Close it, up to date; it stays as people left it where it is closed already.

        Returns whether `ticket.summary`, the reason, has still to be said below it: where closing cannot carry it, a
        comment that came before would be made anew with each try to close.
        """
        ...

    def reopen(self, handle: Handle, ticket: Ticket) -> None:
        """Open it again; nothing happens where it is open. It is brought up to date after that."""
        ...

    def remote(self, handle: Handle) -> Remote:
        """How it stands there, read past every cache."""
        ...

    def check(self) -> str:
        """See whether the sink would take a ticket, without making one; raises as `create`, returns as a Notifier."""
        ...
