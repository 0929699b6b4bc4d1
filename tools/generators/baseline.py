"""The table of shared settings in docs/how-to/write-a-policy.md, from the controls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from tools.generate import ROOT
from tools.generators._template_pages import table
from tools.markers import current_text, replace_between_markers
from warden.controls import all_controls

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PAGE: Final = ROOT / "docs" / "how-to" / "write-a-policy.md"


def generate() -> Mapping[Path, str]:
    """Return the page, with its table of settings that several controls share."""
    shared = {
        setting.name: setting for control in all_controls() for setting in control.settings if setting.shared
    }
    rows = [
        (f"`{name}`", setting.doc, f"`{json.dumps(setting.default)}`")
        for name, setting in sorted(shared.items())
    ]
    lines = table(("Setting", "What it says", "Default"), rows)
    return {_PAGE: replace_between_markers(current_text(_PAGE), "baseline", "\n".join(lines))}
