"""docs/reference/controls: a page for each control and an index, from the controls themselves."""

from __future__ import annotations

import ast
import inspect
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.generators import _triggers
from tools.generators._database_permissions import KIND_ACTIONS, describe_action, need_actions
from tools.generators._themes import themes
from warden.controls import all_controls
from warden.core import frameworks, kinds
from warden.core.control import Maturity, Safety
from warden.core.guard import Fields, ListOf, NonEmptyListOf, Only, Raises, SameAs, Text
from warden.core.kinds import KINDS, Need
from warden.core.unannounced import silence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from warden.core.control import Control, Setting
    from warden.core.guard import Accepts, Permit

_DIRECTORY = Path(__file__).resolve().parents[2] / "docs" / "reference" / "controls"
OWNED = (_DIRECTORY,)

_NOTICE = "<!-- Generated from the control's file by `make generate`; edit that instead. -->"
_SAFETY = {
    Safety.SAFE: "runs unattended where the mode is `remediate`",
    Safety.COSTS: "needs an approval, or a line in `allow.costs` of the policy",
    Safety.DISRUPTIVE: "needs an approval, or a line in `allow.disruption` of the policy",
}


def generate() -> Mapping[Path, str]:
    """Return the pages of all controls and their index."""
    controls = all_controls()
    pages = {_DIRECTORY / f"{control.id}.md": _page(control) for control in controls}
    return {**pages, _DIRECTORY / "index.md": _index(controls)}


def _index(controls: Sequence[Control]) -> str:
    head = ("Control", "Condition", "Severity", "What Warden does", "Safety", "Security Hub")
    sections = []
    for theme, ids in themes([control.id for control in controls]).items():
        rows = [_row(control) for control in controls if control.id in ids]
        sections.append("\n".join([f"## {theme}", "", *_table(head, rows)]))
    about = (
        "Each control is one condition of one kind of resource. They stand here by theme, as in "
        "[the policy file](../../../layers/policy/policy.toml). [Frameworks](../frameworks.md) has the same by CIS, "
        "NIST, PCI DSS, HIPAA, ISO/IEC 27001, SOC 2, AWS Config and Prowler."
    )
    return "\n\n".join([_NOTICE, "# Controls", about, *sections])


def _row(control: Control) -> tuple[str, ...]:
    return (
        f"[`{control.id}`]({control.id}.md)",
        control.title,
        control.severity.value,
        _deed(control),
        _safety_word(control),
        ", ".join(frameworks.by_framework(control.frameworks).get("Security Hub", ())),
    )


def _page(control: Control) -> str:
    summary, sections = _docstring(control)
    parts = [
        _NOTICE,
        f"# {control.title}",
        summary,
        "\n".join(_table(("", ""), _facts(control))),
        _section("Why it matters", sections["Why it matters"]),
        _section("What is read", _read(control)),
        _section("What makes it look again", _looks(control)),
        _section("What is done", _done(control)),
        _section("Remediation safety", sections["Remediation safety"]),
        _section("Permissions", _permissions(control)),
        _section("Settings", _settings(control.id, control.settings)) if control.settings else "",
        _section("Frameworks", _frameworks(control)),
        _section(
            "How to fix it by hand",
            "In a ticket, `{id}` and `{region}` are filled in.\n\n" + control.fix.strip(),
        ),
        _section("Verdicts", "\n".join(_table(("Case", "Verdict"), _verdicts(control)))),
        _section("References", sections["References"]),
    ]
    return "\n\n".join(part for part in parts if part)


def _facts(control: Control) -> list[tuple[str, str]]:
    rows = [
        ("Id", f"`{control.id}`"),
        ("Judges", f"`{control.resource_type.value}`"),
        ("Severity", control.severity.value),
        ("What Warden does", _deed(control)),
        ("Safety", _safety(control)),
    ]
    if control.remediation is not None and control.remediation.containment:
        rows.append(("Containment", "freezes and stack owners do not hold it up"))
    if control.maturity is Maturity.PREVIEW:
        rows.append(("Maturity", "preview: it only ever observes"))
    return rows


def _deed(control: Control) -> str:
    operations = _operations(control)
    return f"calls {', '.join(f'`{name}`' for name in operations)}" if operations else "tells a person how"


def _safety_word(control: Control) -> str:
    return (
        control.remediation.safety.value
        if _operations(control) and control.remediation
        else "never unattended"
    )


def _safety(control: Control) -> str:
    if control.remediation is None or not control.remediation.permits:
        return "Warden writes nothing"
    asks = "needs an approval each time, whatever the policy allows"
    needs = asks if control.remediation.asks else _SAFETY[control.remediation.safety]
    return f"{control.remediation.safety.value}: {needs}"


def _operations(control: Control) -> list[str]:
    return list(dict.fromkeys(permit.operation for permit in _permits(control)))


def _permits(control: Control) -> tuple[Permit, ...]:
    return control.remediation.permits if control.remediation is not None else ()


def _read(control: Control) -> str:
    kind = KINDS[control.resource_type]
    plan_needs = control.remediation.needs if control.remediation is not None else ()
    lines = [f"- the {kind.name}, as `{kind.describe}` gives it"]
    lines += [f"- `{need.value}`: {_need_doc(need)} {_calls(need)}" for need in control.needs]
    lines += [
        f"- `{need.value}`, once there is drift: {_need_doc(need)} {_calls(need)}" for need in plan_needs
    ]
    return "\n".join(lines)


def _calls(need: Need) -> str:
    return f"By {', '.join(f'`{action}`' for action in need_actions(need))}."


def _looks(control: Control) -> str:
    about = "An event says where to look, and never what is wrong. What is named above is read anew then."
    lines = [about, "", *_triggers.lines(control.resource_type, control.needs)]
    if why := silence(control):
        lines += [
            "",
            f"Drift can also come without an event: {why}. What a sweep finds of it is not counted as lost.",
        ]
    return "\n".join(lines)


def _need_doc(need: Need) -> str:
    """Return what stands under an enumeration's member, which Python itself forgets."""
    [definition] = [
        node
        for node in ast.parse(inspect.getsource(kinds)).body
        if isinstance(node, ast.ClassDef) and node.name == Need.__name__
    ]
    for node, following in itertools.pairwise(definition.body):
        if isinstance(node, ast.Assign) and isinstance(following, ast.Expr):
            target, value = node.targets[0], following.value
            if isinstance(target, ast.Name) and target.id == need.name and isinstance(value, ast.Constant):
                return " ".join(str(value.value).split())
    raise LookupError(f"Need.{need.name} has no docstring")


def _done(control: Control) -> str:
    permits = _permits(control)
    if not permits:
        return "Warden writes nothing. A ticket says what a person does, for this resource."
    parts = ["The write guard lets these calls pass and no other:"]
    for permit in permits:
        rows = [
            (f"`{name}`", _accepts(accepts))
            for name, accepts in {**permit.required, **permit.optional}.items()
        ]
        parts.append("\n".join([f"`{permit.operation}`", "", *_table(("Parameter", "May be"), rows)]))
    return "\n\n".join(parts)


def _accepts(accepts: Accepts) -> str:
    match accepts:
        case Only(values):
            text = " or ".join(f"`{value}`" for value in values)
        case SameAs(fact):
            text = f"the resource's own `{fact}`"
        case Raises(fact, maximum):
            text = f"a number above the live `{fact}`, at most {maximum}"
        case NonEmptyListOf(members, within):
            text = "a list, not empty"
            text += f", of {', '.join(f'`{member}`' for member in members)}" if members else ""
            text += f"; each in the live `{within}`" if within else ""
        case Text(prefix):
            text = f"a text that begins with `{prefix}`" if prefix else "a text"
        case ListOf(member):
            text = f"a list, not empty; each {_accepts(member)}"
        case Fields(fields):
            inner = "; ".join(f"`{name}` {_accepts(value)}" for name, value in fields.items())
            text = f"exactly {inner}"
        case _:
            text = _guard_doc(accepts)
    return text


def _guard_doc(accepts: Any) -> str:
    """Return what a declaration of its own says that it accepts."""
    doc = (type(accepts).__doc__ or "").partition("\n")[0]
    summary = doc.removeprefix("For the write guard: ").removesuffix(".")
    if not summary:
        raise LookupError(f"{type(accepts).__name__} has no docstring")
    return summary


def _permissions(control: Control) -> str:
    lines = [f"To judge: {_code(_reading(control, control.needs))}."]
    if control.remediation is not None and control.remediation.needs:
        lines.append(f"To plan: {_code(_reading(control, control.remediation.needs))}.")
    if permits := _permits(control):
        actions = dict.fromkeys(
            action for permit in permits for action in (permit.action, *permit.dependent_actions)
        )
        lines.append(f"To put right: {_code(actions)}.")
    return "\n\n".join(lines)


def _reading(control: Control, needs: Iterable[Need]) -> Iterable[str]:
    kind = control.resource_type
    of_needs = (action for need in needs for action in need_actions(need))
    return dict.fromkeys((describe_action(kind), *KIND_ACTIONS.get(kind, ()), *of_needs))


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _settings(control: str, settings: Iterable[Setting]) -> str:
    rows = []
    for setting in settings:
        table = "baseline" if setting.shared else f"controls.{control}"
        limits = "" if setting.minimum is None else f" From {setting.minimum} to {setting.maximum}."
        rows.append((f"`{table}.{setting.name}`", f"`{_default(setting.default)}`", setting.doc + limits))
    return "\n".join(_table(("Key in the policy", "Default", "Meaning"), rows))


def _default(value: Any) -> str:
    """Return a value as TOML writes it."""
    match value:
        case dict():
            return "{ " + ", ".join(f"{key} = {_default(item)}" for key, item in value.items()) + " }"
        case list():
            return "[" + ", ".join(_default(item) for item in value) + "]"
        case str():
            return f'"{value}"'
        case _:
            return str(value).lower()


def _frameworks(control: Control) -> str:
    rows = [
        (name, ", ".join(numbers)) for name, numbers in frameworks.by_framework(control.frameworks).items()
    ]
    return "\n".join(_table(("Framework", "Requirements"), rows))


def _verdicts(control: Control) -> list[tuple[str, str]]:
    return [(example.name, example.expect.value) for example in control.examples]


def _docstring(control: Control) -> tuple[str, dict[str, str]]:
    """Return the summary of a control's docstring and its sections by heading."""
    lines = (control.doc or "").splitlines()
    sections: dict[str, list[str]] = {"": []}
    heading = ""
    for line, underline in itertools.zip_longest(lines, lines[1:], fillvalue=""):
        if underline and set(underline) == {"-"}:
            heading = line
            sections[heading] = []
        elif not (line and set(line) == {"-"}):
            sections[heading].append(line)
    texts = {name: "\n".join(body).strip() for name, body in sections.items()}
    return texts.pop(""), texts


def _section(heading: str, body: str) -> str:
    return f"## {heading}\n\n{body}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return [line(head), line(["---"] * len(head)), *(line(row) for row in rows)]
