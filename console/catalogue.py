"""`warden controls`: what is judged, what is done about it, and which requirements of a framework it is about."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from warden.controls import all_controls
from warden.core.errors import ConfigurationError
from warden.core.framework_catalogue import FRAMEWORKS, natural
from warden.core.frameworks import by_framework

if TYPE_CHECKING:
    from warden.core.control import Control
    from warden.core.framework_catalogue import Framework


def run(*, output: str, framework: str | None = None) -> int:
    """Print the controls, or those of one framework; raises ConfigurationError for one that nobody knows."""
    controls = list(all_controls())
    chosen = None if framework is None else _framework(framework)
    if chosen is not None:
        controls = [control for control in controls if _numbers(control, chosen)]
    if output == "json":
        json.dump([_row(control, chosen) for control in controls], sys.stdout, indent=2)
        sys.stdout.write("\n")
    elif chosen is None:
        _print_controls(controls)
    else:
        _print_framework(controls, chosen)
    return 0


def _framework(key: str) -> Framework:
    known = {framework.key: framework for framework in FRAMEWORKS.values()}
    if key not in known:
        msg = f"there is no framework {key!r}; known are {', '.join(known)}"
        raise ConfigurationError(msg)
    return known[key]


def _numbers(control: Control, framework: Framework) -> list[str]:
    return by_framework(control.frameworks).get(framework.name, [])


def _row(control: Control, chosen: Framework | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": control.id,
        "title": control.title,
        "severity": control.severity.value,
        "resource_type": control.resource_type.value,
        "maturity": control.maturity.value,
        "safety": control.remediation.safety.value if control.remediation else None,
        "containment": bool(control.remediation and control.remediation.containment),
        "operations": sorted({p.operation for p in control.remediation.permits})
        if control.remediation
        else [],
        "settings": {setting.name: setting.default for setting in control.settings},
        "frameworks": [str(requirement) for requirement in control.frameworks],
    }
    if chosen is not None:
        row["requirements"] = _numbers(control, chosen)
    return row


def _print_controls(controls: list[Control]) -> None:
    width = max(len(control.id) for control in controls)
    for control in controls:
        print(f"{control.id:<{width}}  {control.severity:<8}  {_how(control)}")
        print(f"{'':<{width}}  {control.title}")


def _how(control: Control) -> str:
    if control.remediation is None or not control.remediation.permits:
        return "ticket"
    return f"remediation, {control.remediation.safety.value}"


def _print_framework(controls: list[Control], framework: Framework) -> None:
    found: dict[str, list[Control]] = {}
    for control in controls:
        for number in _numbers(control, framework):
            found.setdefault(number, []).append(control)
    print(f"{framework.name}: {len(found)} requirements, {len(controls)} controls")
    left = max(len(number) for number in found)
    width = max(len(control.id) for control in controls)
    for number in sorted(found, key=natural):
        shown = number
        for control in found[number]:
            print(f"{shown:<{left}}  {control.id:<{width}}  {control.severity:<8}  {_how(control)}")
            shown = ""
