"""Every error that Warden raises on purpose.

WardenError
├── ConfigurationError      refuse to start, naming file, key and remedy
│   └── PolicyError         the policy file is wrong
├── MalformedEventError     the event cannot be read; to the dead letter queue
├── UnreadableRowError      a row of ours that somebody took to pieces
├── MissingFactError        a control asked for a fact that is not known
├── TransientError          let the queue redeliver
│   ├── ThrottledError
│   ├── ConflictError       somebody else wrote this row first
│   ├── LaterError          a ticket sink takes nothing now; perhaps it says how long
│   └── AmbiguousError      whether a ticket was created is not known: search before creating again
└── RefusedError            this call will not happen now; do not retry blindly
    ├── ResourceGoneError   the resource does not exist
    ├── ResourceBusyError   defer; look again later
    ├── AccessDeniedError   we may not; ticket
    ├── UnsupportedError    this endpoint does not know the call (a local emulator)
    ├── GuardError          no control declares this call, parameter or value
    ├── StoppedError        the STOP row is set, or cannot be read
    ├── RejectedError       the API refused the parameters; ticket
    │   └── ForbiddenTicketError  we may not touch this ticket; perhaps others
    ├── TicketGoneError     the tracker does not show the ticket: it was deleted, or is hidden from us
    ├── TicketClosedError   the ticket is closed for good
    └── SinkRefusedError    a ticket sink takes nothing until a person has done something
        └── CredentialsError
"""

from __future__ import annotations


class WardenError(Exception):
    """Base of all errors that Warden raises on purpose."""


class ConfigurationError(WardenError):
    """The deployment or the command line is configured wrongly; nothing starts."""


class PolicyError(ConfigurationError):
    """The policy file is wrong; the message names file, key and remedy."""


class MalformedEventError(WardenError):
    """An event that has not the shape of any source that Warden knows."""


class UnreadableRowError(WardenError):
    """A row that Warden wrote, and that is not as Warden writes it: a person has to look."""


class MissingFactError(WardenError):
    """A fact that a control needs is not known.

    Deliberately no KeyError: `Mapping.get` would swallow that, and absence would look like a value.
    """

    def __init__(self, fact: str, why: str) -> None:
        super().__init__(f"{fact} is not known: {why}")
        self.fact = fact
        self.why = why


class TransientError(WardenError):
    """A failure that passes by itself; the queue redelivers."""


class ThrottledError(TransientError):
    """AWS asked us to slow down."""


class ConflictError(TransientError):
    """A conditional write lost against another writer."""


class LaterError(TransientError):
    """A ticket sink that takes nothing now: too many requests, a failure of its own, no connection.

    Nothing was written, or it may be written again without harm.
    """

    def __init__(
        self, message: str, *, after: float | None = None, alone: bool = False, arrived: bool = True
    ) -> None:
        super().__init__(message)
        self.after = after
        """Seconds that the sink asked to be left alone for (`Retry-After`); None where it did not say."""
        self.alone = alone
        """Whether it is about this ticket alone, so that the sink takes others."""
        self.arrived = arrived
        """Whether it may have been taken all the same; False where it is known that it was not."""


class AmbiguousError(TransientError):
    """A ticket may or may not have been created: the connection broke, or time ran out, after the request was sent."""

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after
        """Seconds that the tracker asked to be left alone for (`Retry-After`); None where it did not say."""


class RefusedError(WardenError):
    """A call that will not happen now and must not be retried blindly."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class ResourceGoneError(RefusedError):
    """The resource does not exist (any more)."""


class ResourceBusyError(RefusedError):
    """The resource is in a state that takes no change now."""


class AccessDeniedError(RefusedError):
    """The role of this function may not make the call."""


class UnsupportedError(RefusedError):
    """The endpoint does not implement the call; AWS itself implements every call that Warden makes."""


class GuardError(RefusedError):
    """The write guard refused a call, a parameter or a value that no control declares."""


class StoppedError(RefusedError):
    """All writes are stopped, or the STOP row could not be read."""


class RejectedError(RefusedError):
    """The API refused the request as invalid."""


class ForbiddenTicketError(RejectedError):
    """A ticket that we may not touch: its project is closed, or it is restricted; or we may touch none any more."""


class TicketGoneError(RefusedError):
    """A ticket that its tracker does not show: somebody deleted it, or it is hidden from us, which answers the same."""


class TicketClosedError(RefusedError):
    """A ticket that its tracker has closed for good: nothing can be written to it, and another takes its place."""


class SinkRefusedError(RefusedError):
    """A ticket sink that takes nothing until a person has done something, such as answering a captcha."""


class CredentialsError(SinkRefusedError):
    """A ticket sink does not know our credentials, not even those that its secret holds now."""
