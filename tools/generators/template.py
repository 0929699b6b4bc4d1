"""The permissions in RDS that template.yaml grants, written between its markers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tools.generate import ROOT
from tools.generators import _database_permissions as permissions
from tools.markers import current_text, replace_between_markers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TEMPLATE: Final = ROOT / "template.yaml"


def template() -> str:
    """Return the whole template with its generated parts."""
    text = replace_between_markers(current_text(TEMPLATE), "database-reads", permissions.reads())
    return replace_between_markers(text, "database-writes", permissions.writes())


def generate() -> Mapping[Path, str]:
    """Return the template."""
    return {TEMPLATE: template()}
