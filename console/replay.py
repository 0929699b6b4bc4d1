"""`warden replay`: an event file through the template's rules and the whole pipeline, on the embedded local AWS."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from rich.console import Console
from rich.text import Text

from console.local.clock import MovableClock
from console.local.stack import REGION, LocalStack
from console.narrative import STYLES, Narrative
from console.seeding import Seeder
from warden.core.errors import ConfigurationError, MalformedEventError
from warden.core.trigger import Ignored, Trigger, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from console.narrative import Line


@dataclass(slots=True)
class Replay:
    """What became of one event."""

    file: str
    rules: dict[str, str | None] = field(default_factory=dict)
    """Each rule of the template: why it does not match, or None where it does."""
    direct: bool = False
    """Whether the event is no EventBridge event and was handed to the evaluate function itself."""
    malformed: str = ""
    ignored: list[dict[str, str]] = field(default_factory=list)
    triggers: list[str] = field(default_factory=list)
    seeded: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    start: datetime = field(default_factory=lambda: datetime.now(UTC))
    findings: list[dict[str, Any]] = field(default_factory=list)
    tickets: list[dict[str, Any]] = field(default_factory=list)
    writes: int = 0

    @property
    def matched(self) -> list[str]:
        """The rules that matched."""
        return [rule for rule, why_not in self.rules.items() if why_not is None]

    def to_json(self) -> dict[str, Any]:
        """For `--format json`."""
        return {
            "file": self.file,
            "matched": self.matched,
            "not_matched": {rule: why for rule, why in self.rules.items() if why is not None},
            "direct": self.direct,
            "malformed": self.malformed,
            "ignored": self.ignored,
            "triggers": self.triggers,
            "seeded": self.seeded,
            "ledger": [dict(line.entry) for line in self.lines if line.entry is not None],
            "findings": self.findings,
            "tickets": self.tickets,
            "writes": self.writes,
        }


def run(*, files: Sequence[str], dry_run: bool, output: str, policy_file: str) -> int:
    """Replay every file; returns 0 when each could be read, else 2."""
    events = [(file, _load(file)) for file in files]
    replays = [replay(file, event, dry_run=dry_run, policy_file=policy_file) for file, event in events]
    if output == "json":
        json.dump([one.to_json() for one in replays], sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        console = Console(highlight=False, soft_wrap=True)
        for one in replays:
            _write(console, one, dry_run=dry_run)
    return 2 if any(one.malformed for one in replays) else 0


def replay(file: str, event: Any, *, dry_run: bool, policy_file: str) -> Replay:
    """Send one event through a deployment of its own."""
    told = Replay(file=file)
    at = _time(event)
    try:
        parsed = parse(event, received_at=at)
    except MalformedEventError as error:
        told.malformed = str(error)
        parsed = ()
    triggers = [item for item in parsed if isinstance(item, Trigger)]
    told.ignored = [
        {"reason": item.reason.value, "detail": item.detail} for item in parsed if isinstance(item, Ignored)
    ]
    told.triggers = [str(trigger.target) for trigger in triggers]
    region = event.get("region") if isinstance(event, Mapping) else None
    with LocalStack(
        mode="observe" if dry_run else "remediate",
        policy=Path(policy_file).resolve(),
        clock=MovableClock(at),
        region=region if isinstance(region, str) and region else _region(triggers),
    ) as stack:
        told.seeded = _seed(stack, event, triggers)
        narrative = Narrative(stack)
        narrative.news()
        told.start = stack.clock.now()
        _send(stack, event, told)
        stack.runtime.run_until_idle(max_time=timedelta(minutes=10))
        told.lines = narrative.news()
        told.tickets = narrative.tickets()
        told.writes = narrative.writes()
        told.findings = [
            {key: item[key] for key in ("control", "arn", "workflow", "compliance", "severity")}
            for item in stack.table("FindingsTable")
        ]
    return told


def _send(stack: LocalStack, event: Any, told: Replay) -> None:
    """Put an EventBridge event onto the bus; hand anything else to the evaluate function, as a manual invoke does."""
    if not isinstance(event, Mapping):
        return
    if "detail-type" in event and isinstance(event.get("detail"), Mapping):
        told.rules = stack.runtime.bus.explain(event)
        if told.matched:
            stack.put(dict(event))
        return
    told.direct = True
    invocation = stack.runtime.call(stack.function("evaluate").logical_id, event)
    if invocation.error is not None and not told.malformed:
        told.malformed = str(invocation.error)


def _seed(stack: LocalStack, event: Any, triggers: list[Trigger]) -> list[str]:
    if not isinstance(event, Mapping):
        return []
    try:
        return Seeder(stack, event).seed(triggers)
    except ClientError as error:
        msg = f"the resource that the event names cannot be made on the local AWS: {error}"
        raise ConfigurationError(msg) from None


def _load(file: str) -> Any:
    try:
        return json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{file}: cannot be read: {error.strerror}"
        raise ConfigurationError(msg) from None
    except ValueError as error:
        msg = f"{file}: is not JSON: {error}; give a file with one event, as AWS delivers it"
        raise ConfigurationError(msg) from None


def _time(event: Any) -> datetime:
    """A moment after the event; the local clock starts there."""
    try:
        return datetime.fromisoformat(str(event["time"])).astimezone(UTC) + timedelta(seconds=5)
    except (KeyError, TypeError, ValueError):
        return datetime.now(UTC).replace(microsecond=0)


def _region(triggers: Sequence[Trigger]) -> str:
    return next((t.target.region for t in triggers if t.target.region), REGION) if triggers else REGION


def _write(console: Console, told: Replay, *, dry_run: bool) -> None:
    for line, style in (*_reception(told), *_events(told), *_summary(told, dry_run=dry_run), (Text(""), "")):
        console.print(line if isinstance(line, Text) else Text(line, style=style))


def _reception(told: Replay) -> Iterator[tuple[str | Text, str]]:
    """How the event was received."""
    yield told.file, "bold"
    if told.malformed:
        yield f"  malformed: {told.malformed}", "red"
    if told.direct:
        yield "  no EventBridge event: handed to the evaluate function directly, as a manual invoke does", ""
    for rule in told.matched:
        yield f"  matched by {rule}", "green"
    if told.rules and not told.matched:
        yield "  no rule of the template matches:", "yellow"
        yield from ((f"    {rule}: {why}", "") for rule, why in told.rules.items())
    for ignored in told.ignored:
        yield f"  ignored ({ignored['reason']}): {ignored['detail']}", "yellow"
    for seeded in told.seeded:
        yield f"  seeded with drift: {seeded}", "dim"


def _events(told: Replay) -> Iterator[tuple[str | Text, str]]:
    """What then happened."""
    for line in told.lines:
        seconds = int((line.at - told.start).total_seconds())
        text = Text(f"  +{seconds // 60:>2}:{seconds % 60:02}  ", style="dim")
        text.append(f"{line.kind:<9}", style=STYLES.get(line.kind, ""))
        text.append(line.text)
        yield text, ""


def _summary(told: Replay, *, dry_run: bool) -> Iterator[tuple[str | Text, str]]:
    """What came of it."""
    if not told.triggers:
        return
    states = Counter(str(finding["workflow"]) for finding in told.findings)
    counted = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "no findings"
    dry = " (dry run: nothing may be written)" if dry_run else ""
    yield f"  findings: {counted}; {told.writes} writes, {len(told.tickets)} messages to people{dry}", ""
