"""`warden controls`: what is judged, and what is done about it."""

from __future__ import annotations

import json
import sys

from warden.controls import all_controls


def run(*, output: str) -> int:
    """Print the controls."""
    controls = all_controls()
    if output == "json":
        rows = [
            {
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
            for control in controls
        ]
        json.dump(rows, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return 0
    width = max(len(control.id) for control in controls)
    for control in controls:
        remediation = control.remediation
        how = (
            "ticket"
            if remediation is None or not remediation.permits
            else f"remediation, {remediation.safety.value}"
        )
        print(f"{control.id:<{width}}  {control.severity:<8}  {how}")
        print(f"{'':<{width}}  {control.title}")
    return 0
