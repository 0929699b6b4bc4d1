"""`warden ledger`: what a deployment's ledger says of a resource, or the newest entries of all."""

from __future__ import annotations

import heapq
import json
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from console import deployed, ledger_text
from warden import wiring
from warden.core.errors import ConfigurationError
from warden.core.resource import ResourceRef
from warden.gateways.findings import DynamoFindings
from warden.gateways.ledger import DynamoLedger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from warden.core.ledger import Link

_SPAN = re.compile(r"(\d{1,5})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_CHAIN = re.compile(r"(deployment|\d{12})/.+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The tables that say what happened, and what is true."""

    ledger: DynamoLedger
    findings: DynamoFindings

    @classmethod
    def of(cls, found: deployed.Deployed) -> Books:
        """Those of a deployment; `found` must name its findings, ledger and state tables."""
        dynamodb, names = found.client("dynamodb"), found.names
        return cls(
            ledger=DynamoLedger(dynamodb, names["LedgerTable"], names["StateTable"]),
            findings=DynamoFindings(dynamodb, names["FindingsTable"]),
        )

    def chains_of(self, name: str) -> list[str]:
        """The chains that an ARN, or a chain's own name, stands for.

        A resource keeps its chain when it is renamed, and a name can be given to another resource: both are found,
        by the findings of now and by the entries of then.
        """
        if _CHAIN.fullmatch(name):
            return [name]
        try:
            arn = ResourceRef.from_arn(name).arn
        except ValueError as error:
            msg = f"{error}; give an ARN, or a chain as `warden ledger` shows it"
            raise ConfigurationError(msg) from None
        now = {finding.resource_key for finding in self.findings.of_arn(arn)}
        return sorted(now.union(self.ledger.chains_of(arn)))


def run(
    *,
    name: str | None,
    since: str | None,
    limit: int,
    output: str,
    stack: str,
    region: str | None,
    profile: str | None,
) -> int:
    """Print the newest entries, the oldest of them first."""
    now = wiring.now()
    after = None if since is None else moment(since, now)
    found = deployed.find(
        *("FindingsTable", "LedgerTable", "StateTable"),
        command="warden ledger",
        stack=stack,
        region=region,
        profile=profile,
    )
    books = Books.of(found)
    chains = None if name is None else books.chains_of(name)
    entries = (
        books.ledger.all()
        if chains is None
        else ((chain, one) for chain in chains for one in books.ledger.read(chain))
    )
    shown, left_out = newest(entries, after=after, limit=limit)
    if output == "json":
        document = {"version": 1, "entries": [to_json(*one) for one in shown], "left_out": left_out}
        json.dump(document, sys.stdout, indent=2)
        print()
        return 0
    if left_out:
        print(
            f"{left_out} older {'entry is' if left_out == 1 else 'entries are'} left out; --limit shows more.\n"
        )
    for chain, one in shown:
        print("\n".join(ledger_text.lines(chain, one)), end="\n\n")
    _sum_up(name, chains, len(shown))
    return 0


def _sum_up(name: str | None, chains: list[str] | None, count: int) -> None:
    if count:
        where = (
            f" of {len(chains)} resources that had this name"
            if chains is not None and len(chains) > 1
            else ""
        )
        print(f"{count} {'entry' if count == 1 else 'entries'}{where}.")
    elif name is None:
        print("The ledger has no such entry.")
    else:
        print(f"The ledger has no such entry of {name}. What is compliant and always was leaves none.")


def newest(
    entries: Iterable[tuple[str, Link]], *, after: datetime | None, limit: int
) -> tuple[list[tuple[str, Link]], int]:
    """The newest entries in the order in which they were written, and how many older ones are left out."""
    wanted = _Counted(one for one in entries if after is None or (at := at_of(one[1])) is None or at >= after)
    kept = list(wanted) if limit == 0 else heapq.nlargest(limit, wanted, key=_order)
    return sorted(kept, key=_order), wanted.count - len(kept)


class _Counted:
    """Entries, counted as they pass: a ledger need not fit into memory."""

    def __init__(self, entries: Iterable[tuple[str, Link]]) -> None:
        self._entries = entries
        self.count = 0

    def __iter__(self) -> Iterator[tuple[str, Link]]:
        for one in self._entries:
            self.count += 1
            yield one


def _order(one: tuple[str, Link]) -> tuple[datetime, str, float]:
    chain, link = one
    return at_of(link) or datetime.max.replace(tzinfo=UTC), chain, link.sequence


def at_of(link: Link) -> datetime | None:
    """When an entry says that it was written; None where it does not say, so that somebody changed it."""
    try:
        at = datetime.fromisoformat(str(link.entry.get("at", "")))
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def to_json(chain: str, link: Link) -> dict[str, Any]:
    """An entry with its place."""
    place = {"sequence": link.sequence, "previous": link.previous, "hash": link.hash}
    return {**link.entry, "chain": chain, **place}


def moment(text: str, now: datetime) -> datetime:
    """A day, a time, or how long ago; ConfigurationError where it is none of them."""
    if span := _SPAN.fullmatch(text):
        return now - timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        msg = f"--since {text}: write a day (2026-11-24), a time (2026-11-24T10:00:00Z), or how long ago (36h, 7d)"
        raise ConfigurationError(msg) from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
