"""docs/reference/events.md: which events reach Warden, by which rule, and which samples show them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import yaml

from console.local.bus import Rule
from console.local.template import read_template
from tools.generate import ROOT
from tools.generators._template_pages import REFERENCE, page, parsed, resources, said, table
from tools.generators.template import template

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


_SAMPLES: Final = ROOT / "events"

_ABOUT = """\
A few broad rules on the default event bus bring events to the triggers queue, however many controls there are. An event
says where to look; what is wrong is read from AWS. AWS delivers all of these at best effort, so the sweep
([parameters](parameters.md)) looks at everything as well.

What each sample leads to is in [events/](../../events/README.md)."""


def generate() -> Mapping[Path, str]:
    """Return the page."""
    document = parsed()
    deployed = read_template(template())
    on_the_bus = {rule.logical_id: Rule.of(rule) for rule in deployed.of_type("AWS::Events::Rule")}
    rules = resources(document, "AWS::Events::Rule")
    overview = table(
        ("Rule", "What it brings", "State"), [_overview(name, rule) for name, rule in rules.items()]
    )
    sections = [_rule(name, rule, on_the_bus[name]) for name, rule in rules.items()]
    clock = resources(document, "AWS::Scheduler::Schedule")
    schedules = table(("Schedule", "When", "Input of `sweep`"), [_schedule(*item) for item in clock.items()])
    text = page(
        "Events",
        _ABOUT,
        "\n".join(overview),
        *sections,
        "\n".join(["## Schedules", "", *schedules]),
    )
    return {REFERENCE / "events.md": text}


def _overview(name: str, rule: Mapping[str, Any]) -> tuple[str, str, str]:
    state = said(rule["State"])
    is_parameter = isinstance(rule["State"], dict)
    return (
        f"[`{name}`](#{name.lower()})",
        rule["Description"],
        f"parameter `{state}`" if is_parameter else f"`{state}`",
    )


def _rule(name: str, rule: Mapping[str, Any], on_the_bus: Rule) -> str:
    pattern = yaml.safe_dump(
        _shown(rule["EventPattern"]), sort_keys=False, default_flow_style=None, width=100
    )
    matched = [path for path in sorted(_SAMPLES.rglob("*.json")) if _matches(on_the_bus, path)]
    dropped = [f"`{path.stem}`" for path in matched if path.parent.name == "ignored"]
    (folder,) = {path.parent for path in matched if path.parent.name != "ignored"}
    link = f"[events/{folder.name}](../../events/{folder.name})"
    parts = [
        f"## {name}",
        f"{rule['Description']}.",
        f"```yaml\n{pattern}```",
        f"Samples that match: {len(matched) - len(dropped)} in {link}.",
    ]
    if dropped:
        parts.append(
            "Also through the pattern, which cannot tell them apart, and dropped by `evaluate` with the reason in "
            f"its log: {', '.join(dropped)}."
        )
    return "\n\n".join(parts)


def _matches(rule: Rule, path: Path) -> bool:
    event = json.loads(path.read_text(encoding="utf-8"))
    is_event = isinstance(event, dict) and "detail-type" in event and path.parent.name != "malformed"
    return is_event and rule.why_not(event) is None


def _shown(value: Any) -> Any:
    """Return a pattern with what the deployment fills in by name."""
    if isinstance(value, dict):
        if set(value) in ({"Ref"}, {"Fn::Sub"}):
            return next(iter(value.values())) if "Fn::Sub" in value else f"${{{value['Ref']}}}"
        return {key: _shown(item) for key, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list) else value


def _schedule(name: str, schedule: Mapping[str, Any]) -> tuple[str, str, str]:
    return f"`{name}`", f"`{said(schedule['ScheduleExpression'])}`", f"`{schedule['Target']['Input']}`"
