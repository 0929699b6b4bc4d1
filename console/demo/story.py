"""Telling what happens: from the bus, the ledger and the topic, in the order of the local clock."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from console.narrative import STYLES, Line, Narrative

if TYPE_CHECKING:
    from datetime import datetime

    from console.demo.fleet import Fleet
    from console.demo.scenes import Scene
    from console.local.stack import LocalStack

_PAUSE = 2.0


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
        self._narrative = Narrative(stack)
        self._failures: list[str] = []

    def opening(self, fleet: Fleet) -> None:
        """Show the fleet, and the first sweep over it."""
        sizes = ", ".join(f"{count} {name}" for name, count in fleet.sizes.items() if count)
        self._say("Aurora Warden, deployed from template.yaml on the embedded local AWS.", "bold")
        self._say(f"The fleet: {sizes}, in {self._stack.region}.")
        self._say("First, the scheduled sweep looks at all of it:")
        answer = self._stack.runtime.call(self._stack.function("sweep").logical_id, {"job": "sweep"})
        self._stack.runtime.run_until_idle()
        swept: Any = answer.response
        self._expect(answer.error is None, f"the sweep failed: {answer.error}")
        if answer.error is None:
            resources = sum(swept["resources"].values())
            self._say(f"   {resources} resources judged, {swept['opened']} findings.")
        self._sum_up()
        self._narrative.news()

    def play(self, number: int, scene: Scene) -> None:
        """One drift, from the call to its end."""
        self._say("")
        self._say(f"{number}  {scene.title}", "bold")
        if scene.note:
            self._say(f"   ({scene.note})", "dim")
        self._narrative.news()
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
        before = self._narrative.writes()
        self._stack.runtime.call(self._stack.function("sweep").logical_id, {"job": "sweep"})
        self._stack.runtime.run_until_idle()
        self._narrative.news()
        more = self._narrative.writes() - before
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
            f"{len(self._stack.events)} events, {len(ledger)} ledger entries, {len(self._narrative.tickets())} "
            f"messages to people, {self._narrative.writes()} writes to databases; {seconds:.0f} seconds."
        )
        for failure in self._failures:
            self._say(f"NOT AS IT SHOULD BE: {failure}", "bold red")
        return 1 if self._failures else 0

    # --- telling ------------------------------------------------------------------------------------------

    def _say(self, line: str, style: str = "") -> None:
        self._console.print(Text(line, style=style))

    def _sum_up(self) -> None:
        """What became of all findings so far, by control: a fleet that nobody watched has too many to tell each."""
        findings = self._stack.table("FindingsTable")
        for title, style, wanted in (
            ("put right and verified", "green", {"RESOLVED"}),
            ("tickets for people", "yellow", {"NOTIFIED"}),
            ("waiting", "dim", {"NEW", "SUPPRESSED"}),
        ):
            controls = Counter(str(item["control"]) for item in findings if item["workflow"] in wanted)
            if not controls:
                continue
            self._say(f"   {sum(controls.values())} {title}:", style)
            for control, count in controls.most_common():
                self._say(f"   {count:>4}  {control}")

    def _tell(self, start: datetime, rows: dict[str, _Row] | None = None) -> None:
        """Everything new since the last telling, in order."""
        for line in self._narrative.news():
            seconds = int((line.at - start).total_seconds())
            text = Text(f"   +{seconds // 60:>3}:{seconds % 60:02}  ", style="dim")
            text.append(f"{line.kind:<9}", style=STYLES.get(line.kind, ""))
            text.append(line.text)
            self._console.print(text)
            _note(line, rows or {})

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


def _note(line: Line, rows: dict[str, _Row]) -> None:
    """Keep what the closing table says of the controls of a scene."""
    if line.entry is None:
        return
    after = line.entry["after"]
    for row in (rows[control] for control in line.entry["control"].split(",") if control in rows):
        if line.kind == "decision":
            row.decisions.append(f"{after['action']} ({after['reason']})")
        if line.kind == "outcome":
            row.calls.append(after["operation"])
