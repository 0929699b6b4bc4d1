"""`warden ledger verify` and `warden ledger heads`: whether the ledger is as it was written."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console import deployed, ledger_text
from warden.core import heads as told_heads
from warden.core.errors import ConfigurationError
from warden.core.ledger import Flaw, Head, flaws
from warden.gateways.errors import translated
from warden.gateways.ledger import DynamoLedger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from warden.core.ledger import Link

_LOOKS = 3
"""How often a chain that looks wrong is read: entries are added while it is read, and a flaw stays."""
_FORM = 1
_LOG_GROUP = "SweepLogGroup"


@dataclass(slots=True)
class Counts:
    """How much was read."""

    chains: int = 0
    entries: int = 0
    kept: int = 0
    """Chains that a head kept elsewhere vouches for."""
    broken: int = 0


def heads(*, stack: str, region: str | None, profile: str | None) -> int:
    """Print the heads of all chains as JSON, to be kept where nobody who may write to the tables may write."""
    found = _find("warden ledger heads", stack, region, profile)
    document = {
        "version": _FORM,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "account": found.account,
        "region": found.region,
        "heads": {
            chain: {"sequence": head.sequence, "hash": head.hash}
            for chain, head in sorted(_ledger(found).heads().items())
        },
    }
    json.dump(document, sys.stdout, indent=2)
    print()
    return 0


def verify(
    *,
    heads_file: str | None,
    logged_days: int | None = None,
    output: str,
    stack: str,
    region: str | None,
    profile: str | None,
) -> int:
    """Read every chain, say what is wrong, and return 1 where anything is.

    `logged_days`: compare with the heads that the deployment has logged for so long.
    """
    document = None if heads_file is None else _document(heads_file)
    more = () if logged_days is None else (_LOG_GROUP,)
    found = _find("warden ledger verify", stack, region, profile, *more)
    kept = {} if document is None else _kept(document, str(heads_file), found)
    twice: list[tuple[str, int]] = []
    if logged_days is not None:
        kept, twice = _logged(found, logged_days)
    counts, wrong = Counts(), []
    for chain, flaw in (*_told_twice(twice), *_wrong(_ledger(found), kept, counts)):
        wrong.append({"chain": chain, "sequence": flaw.sequence, "what": flaw.what})
        if output == "text":
            print(ledger_text.harmless(f"{chain}: {flaw.what}"), flush=True)
    if output == "json":
        told = {
            "version": _FORM,
            "chains": counts.chains,
            "entries": counts.entries,
            "kept_heads": counts.kept,
        }
        json.dump({**told, "wrong": wrong}, sys.stdout, indent=2)
        print()
    else:
        _sum_up(counts)
    return 1 if wrong else 0


def _sum_up(counts: Counts) -> None:
    against = f"; {counts.kept} compared with a kept head" if counts.kept else ""
    what = f"{counts.entries} entries in {counts.chains} chains{against}"
    if counts.broken:
        print(f"{counts.broken} chains are not as they were written ({what}).")
    elif not counts.chains:
        print("The ledger is empty.")
    else:
        print(f"Every chain is whole: {what}.")


def _wrong(ledger: DynamoLedger, kept: Mapping[str, Head], counts: Counts) -> Iterator[tuple[str, Flaw]]:
    """What is wrong with each chain that has entries, a head, or a head that was kept."""
    now = ledger.heads()
    for chain in sorted({*ledger.chains(), *now, *kept}):
        counts.chains += 1
        counts.kept += chain in kept
        found = _flaws(ledger, chain, now.get(chain), kept.get(chain), counts)
        counts.broken += bool(found)
        yield from ((chain, flaw) for flaw in found)


def _flaws(
    ledger: DynamoLedger, chain: str, head: Head | None, kept: Head | None, counts: Counts
) -> list[Flaw]:
    for _ in range(_LOOKS):
        links = _Counted(ledger.read(chain))
        found = flaws(links, head, kept=kept, chain=chain)
        if not found:
            break
        # Read after the entries, it is at least as new as they are.
        head = ledger.head(chain)
    counts.entries += links.count
    return found


class _Counted:
    """Links, counted as they pass."""

    def __init__(self, links: Iterator[Link]) -> None:
        self._links = links
        self.count = 0

    def __iter__(self) -> Iterator[Link]:
        for link in self._links:
            self.count += 1
            yield link


def _find(command: str, stack: str, region: str | None, profile: str | None, *more: str) -> deployed.Deployed:
    return deployed.find(
        "LedgerTable", "StateTable", *more, command=command, stack=stack, region=region, profile=profile
    )


def _logged(found: deployed.Deployed, days: int) -> tuple[dict[str, Head], list[tuple[str, int]]]:
    """What the daily job has told of where chains end; ConfigurationError where it has told nothing."""
    since = datetime.now(UTC) - timedelta(days=days)
    with translated("logs:FilterLogEvents"):
        pages = (
            found.client("logs")
            .get_paginator("filter_log_events")
            .paginate(
                logGroupName=found.names[_LOG_GROUP],
                startTime=int(since.timestamp() * 1000),
                filterPattern=f'{{ $.message = "{told_heads.MESSAGE}" }}',
            )
        )
        messages = [event["message"] for page in pages for event in page["events"]]
    lines = [line for line in map(_parsed, messages) if line.get("message") == told_heads.MESSAGE]
    if not lines:
        msg = (
            f"no heads were logged within {days} days in {found.names[_LOG_GROUP]}; the daily reconciliation logs "
            "them: see whether it runs, or give more days"
        )
        raise ConfigurationError(msg)
    try:
        return told_heads.told(lines)
    except (KeyError, ValueError, TypeError) as error:
        msg = f"the heads in {found.names[_LOG_GROUP]} cannot be read: {error!r}"
        raise ConfigurationError(msg) from None


def _parsed(message: str) -> dict[str, Any]:
    try:
        line = json.loads(message)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}


def _told_twice(twice: Iterable[tuple[str, int]]) -> Iterator[tuple[str, Flaw]]:
    for chain, sequence in twice:
        what = (
            f"The log has two heads of entry {sequence}: the chain was written anew, or the log was added to."
        )
        yield chain, Flaw(sequence, what)


def _ledger(found: deployed.Deployed) -> DynamoLedger:
    return DynamoLedger(found.client("dynamodb"), found.names["LedgerTable"], found.names["StateTable"])


def _document(file: str) -> dict[str, Any]:
    try:
        document = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"--heads {file}: cannot be read: {error.strerror}"
        raise ConfigurationError(msg) from None
    except ValueError as error:
        msg = f"--heads {file}: is not JSON: {error}; `warden ledger heads` prints what is expected"
        raise ConfigurationError(msg) from None
    if not isinstance(document, dict) or document.get("version") != _FORM:
        msg = f"--heads {file}: is not what `warden ledger heads` prints"
        raise ConfigurationError(msg)
    return document


def _kept(document: Mapping[str, Any], file: str, found: deployed.Deployed) -> dict[str, Head]:
    """The heads that were kept; they must be of this deployment, or everything would look cut off."""
    try:
        of = (document["account"], document["region"])
        kept = {
            chain: Head(sequence=int(head["sequence"]), hash=str(head["hash"]))
            for chain, head in document["heads"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        msg = f"--heads {file}: is not what `warden ledger heads` prints"
        raise ConfigurationError(msg) from None
    if of != (found.account, found.region):
        msg = f"--heads {file}: is of {of[0]}, {of[1]}; the stack is in {found.account}, {found.region}"
        raise ConfigurationError(msg)
    return kept
