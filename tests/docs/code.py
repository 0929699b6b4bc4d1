"""What the documents speak of: the template as data, and names that stand in the code in parts only."""

from __future__ import annotations

import functools
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from docs import pages
from warden.core.decision import Action
from warden.pipeline.writes import Status


@functools.cache
def template() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse((pages.ROOT / "template.yaml").read_text(encoding="utf-8"))
    return parsed


def made_of_parts() -> set[str]:
    """The metrics whose names the code makes of a prefix and a value."""
    decisions = {f"Decision{action.title().replace('_', '')}" for action in Action}
    return decisions | {f"Outcome{status.title()}" for status in Status}
