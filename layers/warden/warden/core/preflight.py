"""Preflight: who connects without TLS, as far as that can be known before TLS is demanded.

Beside `Approval` in the flow. An answer is one of three: nobody was seen in a whole cycle of which every hour is proven
to have been logged; these clients were seen; or it is unknown, with the reason. What falls short of the first asks a
person.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.policy_values import PolicyValues

DAYS = 14
_LONGEST_CYCLE = 92
MOST_CLIENTS = 200
SHOWN = 20
FRESH = timedelta(minutes=30)
"""So long a look counts for a write; after that the hours since are looked at first."""
RENEWED = timedelta(days=1)
"""So old a look at the whole cycle may be: each scans the cycle's log, which CloudWatch Logs bills by the gigabyte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The section `preflight` of the policy."""

    days: int = DAYS
    """A cycle of the business, over which nobody may have connected without TLS."""
    gigabytes: int = 100
    """As much as one look at one database may scan."""


def read(table: Mapping[str, Any], values: PolicyValues) -> Setting:
    """Read the section but for `data_api`, which `open_sessions` reads; raises PolicyError."""
    values.keys(table, "preflight", optional={"days", "gigabytes", "data_api"})
    standard = Setting()
    return Setting(
        days=values.number(table, "preflight.days", standard.days, low=1, high=_LONGEST_CYCLE),
        gigabytes=values.number(table, "preflight.gigabytes", standard.gigabytes, low=1, high=100_000),
    )


class Question(StrEnum):
    """What must be known about live use before a control writes."""

    CLEAR_TEXT = "clear_text"
    """Who connects without TLS."""
    PASSWORD = "password"  # noqa: S105 - the name of a question
    """Who logs in with the present master password: nothing that AWS keeps tells it."""


class Outcome(StrEnum):
    """What a preflight found."""

    NONE_SEEN = "none_seen"
    SEEN = "seen"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One client that connected without TLS, as the log tells it."""

    address: str
    user: str
    database: str
    application: str
    connections: int
    last_seen: str

    @property
    def mark(self) -> str:
        """What makes it the same client again; not its address, which changes with every new container."""
        return f"{self.user}|{self.database}|{self.application}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a preflight found, for people and for the ledger."""

    outcome: Outcome
    why: str = ""
    """Of an unknown answer: why. Where clients were seen: why there may be others."""
    days: int = DAYS
    source: str = ""
    """The log group that was read."""
    until: str = ""
    """The moment up to which the log is known to have been delivered, so that the answer speaks of it."""
    clients: tuple[Client, ...] = ()
    """The most recently seen, at most `MOST_CLIENTS`."""
    limited: bool = False
    """Whether there may be more."""
    noted: str = ""
    """When the newest of them was first found by a preflight: what was approved before that did not know it."""
    scanned: int = 0
    """The bytes that its queries scanned, which CloudWatch Logs bills."""

    @property
    def is_clean(self) -> bool:
        """Whether nobody was seen, over a whole cycle."""
        return self.outcome is Outcome.NONE_SEEN

    @property
    def sentence(self) -> str:
        """The answer, as a sentence or two."""
        if self.outcome is Outcome.UNKNOWN:
            return f"Whether anybody connects without TLS is unknown: {self.why}."
        span = f"in the {self.days} days up to {self.until[:16].replace('T', ' ')} UTC"
        if self.outcome is Outcome.NONE_SEEN:
            return f"Nobody was seen to connect without TLS {span}."
        number = f"{'At least ' if self.limited else ''}{len(self.clients)}"
        seen = f"{number} client{'' if len(self.clients) == 1 else 's'} connected without TLS {span}."
        return f"{seen} There may be others: {self.why}." if self.why else seen

    @property
    def lines(self) -> tuple[str, ...]:
        """Its clients, a line for each; at most `SHOWN`."""
        shown = tuple(
            f"{one.user or 'an unknown user'} of {one.address or 'an unknown address'}, database "
            f"{one.database or '-'}, application {one.application or '-'}: {one.connections} "
            f"time{'' if one.connections == 1 else 's'}, last at {one.last_seen}"
            for one in self.clients[:SHOWN]
        )
        left = len(self.clients) - len(shown)
        return (*shown, f"and {left} more") if left else shown

    def to_json(self) -> dict[str, Any]:
        """For the finding, the ledger and the State table."""
        return {
            **asdict(self),
            "outcome": self.outcome.value,
            "clients": [asdict(one) for one in self.clients],
        }


def answer_of(kept: Mapping[str, Any] | None) -> Answer | None:
    """The answer that `to_json` made; None where nothing was asked."""
    if not kept:
        return None
    clients = tuple(Client(**{**one, "connections": int(one["connections"])}) for one in kept["clients"])
    numbers = {name: int(kept[name]) for name in ("days", "scanned")}
    return Answer(**{**kept, **numbers, "outcome": Outcome(kept["outcome"]), "clients": clients})


def unknown(why: object, *, days: int = DAYS) -> Answer:
    """The answer that is none, with its reason as a clause."""
    return Answer(outcome=Outcome.UNKNOWN, why=str(why).rstrip("."), days=days)


def joined(whole: Answer, since: Answer | None) -> Answer:
    """The answer about a cycle, with what was found since."""
    if since is None:
        return whole
    clients = {(one.mark, one.address): one for one in whole.clients}
    for one in since.clients:
        # The hours that both looked at count once more: too many connections rather than too few.
        old = clients.pop((one.mark, one.address), None)
        known = old.connections if old is not None else 0
        clients[one.mark, one.address] = replace(one, connections=one.connections + known)
    scanned = whole.scanned + since.scanned
    if clients:
        latest = sorted(clients.values(), key=lambda one: one.last_seen, reverse=True)
        return replace(
            whole,
            outcome=Outcome.SEEN,
            why=whole.why or since.why,
            until=since.until or whole.until,
            clients=tuple(latest[:MOST_CLIENTS]),
            limited=whole.limited or since.limited or len(latest) > MOST_CLIENTS,
            scanned=scanned,
        )
    if whole.outcome is Outcome.UNKNOWN or since.outcome is Outcome.NONE_SEEN:
        return replace(whole, until=since.until or whole.until, scanned=scanned)
    return replace(since, days=whole.days, scanned=scanned)
