"""An explanation as text: a paragraph, or everything."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from console import ledger_text, reasons
from console.known import time
from console.obstacles import DECIDED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from console.explanation import Explanation

_WIDTH = 110


def paragraph(one: Explanation) -> Iterator[str]:
    """One finding in a few sentences."""
    finding = one.finding
    yield ledger_text.harmless(_head(one))
    sentences = [
        finding.annotation,
        f"Found {time(finding.first_observed)}: {ledger_text.cause_text(finding.cause)}.",
    ]
    if finding.resolved_at is not None and not finding.is_open:
        sentences.append(f"Resolved {time(finding.resolved_at)}: {ledger_text.cause_text(one.last_cause)}.")
    else:
        sentences.append(f"{_decision(one)}.")
    told = (
        ("Its procedure: ", _step(one).rstrip(".")),
        ("Written: ", _written(one)),
        ("It waits ", _due(one)),
        ("Its ticket is ", _ticket(one)),
    )
    sentences += [f"{beginning}{text}." for beginning, text in told if text]
    if one.changes:
        sentences.append(f"For Warden to act: {' '.join(one.changes)}")
    sentences += one.notes
    yield from textwrap.wrap(
        ledger_text.harmless(" ".join(sentences)),
        _WIDTH,
        initial_indent="  ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def whole(one: Explanation) -> Iterator[str]:
    """One finding, with everything that is known."""
    return map(ledger_text.harmless, _whole(one))


def summary(made: Sequence[Explanation], name: str) -> str:
    """How many there are, and what the resource is called now."""
    open_ = sum(one.finding.is_open for one in made)
    names = sorted({one.finding.arn for one in made} - {name})
    called = f" It is called {', '.join(names)} now." if names and name.startswith("arn:") else ""
    return f"{len(made)} {'finding' if len(made) == 1 else 'findings'}, {open_} open.{called}"


def _head(one: Explanation) -> str:
    finding = one.finding
    return (
        f"{finding.control}  {finding.severity}  {finding.arn.rpartition(':')[2]}  {finding.workflow.value}"
    )


def _whole(one: Explanation) -> Iterator[str]:
    yield _head(one)
    yield f"  {one.finding.annotation}"
    yield from (f"  {word:<10} {text}" for word, text in (*_what(one), *_then(one), *_now(one)))
    yield ""
    yield "  The decision table, as it was then and as far as it is known now:"
    for row in one.rows:
        mark = "→" if row.then == DECIDED else " "
        holds = {True: "holds", False: "no", None: "?"}[row.holds]
        name = f"{row.action.value} {row.reason.value}"
        yield f"  {mark} {name:<31} {row.then:<13} now: {holds}; {row.what}"
    if one.changes:
        yield ""
        yield "  For Warden to act:"
        yield from (f"  - {change}" for change in one.changes)
    if one.notes:
        yield ""
        yield from (f"  Note: {note}" for note in one.notes)


def _what(one: Explanation) -> Iterator[tuple[str, str]]:
    """What was seen, and what brought it about."""
    finding = one.finding
    yield "Resource", f"{finding.arn} ({finding.resource_key})"
    yield "Found", f"{time(finding.first_observed)}, last changed {time(finding.last_observed)}"
    if finding.resolved_at is not None:
        yield "Resolved", time(finding.resolved_at)
    yield "Cause", ledger_text.cause_text(finding.cause)
    if one.last_cause and one.last_cause != finding.cause:
        yield "Last entry", ledger_text.cause_text(one.last_cause)
    for name, value in finding.evidence.items():
        yield "Read", ledger_text.cut(f"{name} = {json.dumps(value, sort_keys=True, ensure_ascii=False)}")


def _then(one: Explanation) -> Iterator[tuple[str, str]]:
    """What was decided and done."""
    finding = one.finding
    yield "Decided", _decision(one)
    yield from (("Call", ledger_text.call_text(call)) for call in finding.plan)
    yield from (("By hand", step) for step in finding.manual.splitlines())
    yield "Written", _written(one) or "nothing"
    yield from (("Reverted", ledger_text.cause_text(cause)) for cause in finding.reverts)


def _now(one: Explanation) -> Iterator[tuple[str, str]]:
    """What stands beside it."""
    if step := _step(one):
        yield "Procedure", step
    yield "Waits", _due(one) or "no"
    yield "Ticket", _ticket(one) or "none"
    for exemption in one.exemptions:
        until = f"to the end of {exemption['expires']}"
        yield "Exemption", f"{exemption['state']}: {exemption['owner']}, {until}: {exemption['reason']}"
    yield "STOP", one.known.stop or "no"


def _decision(one: Explanation) -> str:
    decision = one.finding.decision
    at, version = one.decided_by
    when = f", at {ledger_text.when(at)} by policy {version}" if at else ""
    told = f"{decision.get('action')} because of {decision.get('reason')}: {reasons.why(decision)}{when}"
    would = decision.get("would")
    return told + (f" (in mode remediate: {would})" if would not in {None, decision.get("action")} else "")


def _written(one: Explanation) -> str:
    last = one.last_write
    if last is None:
        return ""
    request = f", request id {last['request_id']}" if last.get("request_id") else ""
    error = f": {last['error'].rstrip('.')}" if last.get("error") else ""
    return f"{last['operation']} at {ledger_text.when(last['at'])}: {last['status']}{request}{error}"


def _step(one: Explanation) -> str:
    """Where a procedure of several visits stands; empty where none runs."""
    return str(one.finding.decision.get("step", "")) if one.finding.is_open else ""


def _due(one: Explanation) -> str:
    due = one.known.due
    if due is None:
        return ""
    looks = f"{due.attempt} looks in vain since {time(due.first_at)}"
    return f"until {time(due.due_at)} because {reasons.waits_for(due.reason)} ({looks})"


def _ticket(one: Explanation) -> str:
    ticket = one.known.ticket
    return "" if ticket is None else f"{ticket.state}, since {time(ticket.opened_at)}"
