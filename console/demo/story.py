"""Telling what happens: from the bus, the ledger and the topic, in the order of the local clock."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.backends import get_backend
from rich.console import Console
from rich.table import Table
from rich.text import Text

from warden.core.resource import ResourceRef

if TYPE_CHECKING:
    from console.demo.fleet import Fleet
    from console.demo.scenes import Scene
    from console.local.stack import LocalStack

_STYLES = {
    "event": "cyan",
    "finding": "yellow",
    "decision": "bold",
    "call": "magenta",
    "outcome": "green",
    "verified": "bold green",
    "ticket": "blue",
    "exempt": "yellow",
}
_REASONS = {
    "policy": "the policy wants it fixed, and every guard lets it pass",
    "mode": "the policy leaves it to a person",
    "exempt": "an exemption of the policy covers it",
    "no_remediation": "there is nothing that may be done unattended",
    "needs_approval": "it can disturb clients or costs money",
    "busy": "the database is not ready for a change",
    "pending": "applying it would flush a change that somebody queued",
}
_PAUSE = 2.0
_OWN_EVENT = 5


@dataclass(slots=True)
class _Row:
    """One line of the closing table."""

    title: str
    control: str
    decisions: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    end: str = ""
    good: bool = False


class Story:
    """Plays scenes, and tells each from what the local AWS recorded."""

    def __init__(self, stack: LocalStack, *, slow: bool = False) -> None:
        self._stack = stack
        self._slow = slow
        # Colours only where somebody looks; no line is broken or cut where a pipe reads.
        self._console = Console(highlight=False, soft_wrap=True)
        self._rows: list[_Row] = []
        self._told_events = self._told_tickets = 0
        self._told_entries: set[tuple[str, str]] = set()
        self._failures: list[str] = []

    def opening(self, fleet: Fleet) -> None:
        """Show the fleet, and the first sweep over it."""
        sizes = ", ".join(f"{count} {name}" for name, count in fleet.sizes.items() if count)
        self._say("Aurora Warden, deployed from template.yaml on the embedded local AWS.", "bold")
        self._say(f"The fleet: {sizes}, in {self._stack.region}.")
        self._say("First, the scheduled sweep looks at all of it:")
        start = self._stack.clock.now()
        answer = self._stack.runtime.call(self._stack.function("sweep").logical_id, {"job": "sweep"})
        self._stack.runtime.run_until_idle()
        swept: Any = answer.response
        self._expect(answer.error is None, f"the sweep failed: {answer.error}")
        if answer.error is None:
            resources = sum(swept["resources"].values())
            self._say(
                f"  {resources} resources judged; {swept['opened']} findings, tickets for the old debts:"
            )
        self._tell(start)

    def play(self, number: int, scene: Scene) -> None:
        """One drift, from the call to its end."""
        self._say("")
        self._say(f"{number}  {scene.title}", "bold")
        if scene.note:
            self._say(f"   ({scene.note})", "dim")
        self._mark()
        start = self._stack.clock.now()
        with self._stack.by(scene.who):
            scene.does(self._stack)
        self._stack.runtime.run_until_idle()
        rows = {control: _Row(scene.title, control) for control in scene.ends}
        self._tell(start, rows)
        self._check(scene.ends, rows)
        if scene.later is not None and scene.later_ends is not None:
            self._say(f"   … {scene.later_note}", "dim")
            scene.later(self._stack)
            self._stack.runtime.run_until_idle()
            self._tell(start, rows)
            self._check(scene.later_ends, rows)
        self._rows.extend(rows.values())
        if self._slow:
            time.sleep(_PAUSE)

    def second_pass(self) -> None:
        """Sweep everything again: what is fixed stays fixed, and nothing more is written."""
        self._say("")
        self._say("Last, another sweep: everything is judged again.", "bold")
        before = self._writes()
        self._stack.runtime.call(self._stack.function("sweep").logical_id, {"job": "sweep"})
        self._stack.runtime.run_until_idle()
        self._mark()
        more = self._writes() - before
        self._expect(more == 0, f"the second pass made {more} writes")
        self._say(f"   {more} writes: what was fixed stays fixed, and the rest is waiting for people.")

    def close(self, *, seconds: float) -> int:
        """The table, and whether all went as it should."""
        table = Table(title="What happened", title_justify="left", show_lines=False)
        for column in ("drift", "control", "decision", "calls", "end"):
            table.add_column(column, overflow="fold", no_wrap=column == "control")
        for row in self._rows:
            table.add_row(
                row.title,
                row.control,
                " → ".join(dict.fromkeys(row.decisions)),
                ", ".join(dict.fromkeys(row.calls)) or "none",
                Text(row.end, style="green" if row.good else "red"),
            )
        self._say("")
        console = self._console if self._console.is_terminal else Console(width=150, highlight=False)
        console.print(table)
        ledger = self._stack.table("LedgerTable")
        self._say(
            f"{len(self._stack.events)} events, {len(ledger)} ledger entries, {len(self._tickets())} messages to "
            f"people, {self._writes()} writes to databases; {seconds:.0f} seconds."
        )
        for failure in self._failures:
            self._say(f"NOT AS IT SHOULD BE: {failure}", "bold red")
        return 1 if self._failures else 0

    # --- telling ------------------------------------------------------------------------------------------

    def _say(self, line: str, style: str = "") -> None:
        self._console.print(Text(line, style=style))

    def _line(self, start: datetime, at: datetime, kind: str, text: str) -> None:
        seconds = int((at - start).total_seconds())
        line = Text(f"   +{seconds // 60:>3}:{seconds % 60:02}  ", style="dim")
        line.append(f"{kind:<9}", style=_STYLES.get(kind, ""))
        line.append(text)
        self._console.print(line)

    def _tell(self, start: datetime, rows: dict[str, _Row] | None = None) -> None:
        """Everything new since the last telling, in order."""
        lines = [*self._event_lines(), *self._entry_lines(rows or {}), *self._ticket_lines()]
        for at, _, kind, text in sorted(lines, key=lambda line: (line[0], line[1])):
            self._line(start, at, kind, text)

    def _mark(self) -> None:
        """Everything until now counts as told."""
        for _ in (*self._event_lines(), *self._entry_lines({}), *self._ticket_lines()):
            pass

    def _event_lines(self) -> list[tuple[datetime, int, str, str]]:
        journal = self._stack.runtime.bus.journal
        lines = []
        for entry in journal[self._told_events :]:
            detail = entry.event["detail"]
            name = detail.get("eventName") or detail.get("EventID") or entry.event["detail-type"]
            by = _caller(detail)
            rules = ", ".join(entry.matched) or "no rule"
            # Our own call comes back: it belongs behind the outcome that it was.
            place = _OWN_EVENT if self._is_own(detail) else 0
            lines.append((entry.at, place, "event", f"{name}{by} → {rules}"))
        self._told_events = len(journal)
        return lines

    def _is_own(self, detail: dict[str, Any]) -> bool:
        issuer = detail.get("userIdentity", {}).get("sessionContext", {}).get("sessionIssuer", {})
        return bool(issuer.get("arn") == self._stack.function("remediate").role_arn)

    def _entry_lines(self, rows: dict[str, _Row]) -> list[tuple[datetime, int, str, str]]:
        lines = []
        for item in self._stack.table("LedgerTable"):
            key = (str(item["chain"]), str(item["sequence"]))
            if key in self._told_entries:
                continue
            self._told_entries.add(key)
            entry = json.loads(item["entry"])
            line = _entry_line(entry, rows)
            if line is not None:
                lines.append((datetime.fromisoformat(entry["at"]), *line))
        return lines

    def _ticket_lines(self) -> list[tuple[datetime, int, str, str]]:
        tickets = self._tickets()
        lines = [
            (self._stack.clock.now(), 9, "ticket", f"to the topic: {subject}")
            for subject in tickets[self._told_tickets :]
        ]
        self._told_tickets = len(tickets)
        return lines

    def _tickets(self) -> list[str]:
        """The subjects of everything that was published."""
        topics = get_backend("sns")[self._stack.aws.account][self._stack.region].topics
        return [str(sent[2]) for topic in topics.values() for sent in topic.sent_notifications]

    def _writes(self) -> int:
        role = self._stack.function("remediate").role_arn
        return sum(
            call.service == "rds"
            and not call.operation.startswith(("Describe", "List"))
            and call.identity.session_issuer.get("arn") == role
            for call in self._stack.aws.calls
        )

    # --- checking -----------------------------------------------------------------------------------------

    def _check(self, ends: dict[str, str], rows: dict[str, _Row]) -> None:
        findings = self._stack.table("FindingsTable")
        for control, wanted in ends.items():
            states = [
                str(item["workflow"])
                for item in sorted(findings, key=lambda item: str(item["last_observed"]))
                if item["control"] == control
            ]
            state = states[-1] if states else "no finding"
            rows[control].end = state
            rows[control].good = state == wanted
            self._expect(state == wanted, f"{rows[control].title}: {control} is {state}, not {wanted}")

    def _expect(self, holds: bool, failure: str) -> None:  # noqa: FBT001 - reads as an assertion
        if not holds:
            self._failures.append(failure)


def _caller(detail: dict[str, Any]) -> str:
    identity = detail.get("userIdentity")
    if not identity:
        return ""
    issuer = identity.get("sessionContext", {}).get("sessionIssuer", {})
    name = str(issuer.get("arn") or identity.get("arn", "")).rpartition("/")[2]
    return f" by {name}"


def _entry_line(entry: dict[str, Any], rows: dict[str, _Row]) -> tuple[int, str, str] | None:
    """The line of a ledger entry: its place among those of one moment, its kind and its text."""
    after = entry["after"]
    mine = [rows[control] for control in entry["control"].split(",") if control in rows]
    match entry["kind"]:
        case "finding":
            return _finding_line(entry)
        case "decision":
            for row in mine:
                row.decisions.append(f"{after['action']} ({after['reason']})")
            line = 2, "decision", f"{after['action']}: {_REASONS.get(after['reason'], after['reason'])}"
        case "intent":
            line = 3, "call", f"{after['operation']} {json.dumps(after['calls'][0]['parameters'])}"
        case "outcome":
            for row in mine:
                row.calls.append(after["operation"])
            name = ResourceRef.from_arn(entry["arn"]).id
            line = 4, "outcome", f"{after['status']} {after.get('error') or name}"
        case _:
            return None
    return line


def _finding_line(entry: dict[str, Any]) -> tuple[int, str, str]:
    after = entry["after"]
    match after["workflow"]:
        case "RESOLVED":
            return 6, "verified", f"{entry['control']}: {after['annotation']}"
        case "SUPPRESSED":
            return 1, "exempt", f"{entry['control']}: {after['annotation']}"
        case _:
            return 1, "finding", f"{entry['control']}: {after['annotation']}"
