"""What each control declares, so that a function need not import those that it does not run: `warden.controls`."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import warden.controls
from warden.controls import INDEX, all_controls
from warden.core.control import Declaration, Setting

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATH = Path(warden.controls.__path__[0]) / INDEX


def generate() -> Mapping[Path, str]:
    """Return the index."""
    rows = {control.id: _row(Declaration.of(control)) for control in all_controls()}
    return {_PATH: json.dumps(rows, indent=1, ensure_ascii=False)}


def _row(declaration: Declaration) -> dict[str, Any]:
    return {
        "resource_type": str(declaration.resource_type),
        "settings": [_setting(setting) for setting in declaration.settings],
    }


def _setting(setting: Setting) -> dict[str, Any]:
    """Return what is not left at its default; the policy's own types are those of JSON."""
    values = {field.name: (getattr(setting, field.name), field.default) for field in fields(setting)}
    return {
        name: value for name, (value, default) in values.items() if default is MISSING or value != default
    }
