"""docs/reference/local-aws.md: where the local AWS corrects moto, each with the sentence of AWS's that demands it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from console.local.rds.catalogue import TOPICS
from tools.generators._template_pages import REFERENCE, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from console.local.rds.registry import Correction, Topic

_NOTICE: Final = (
    "<!-- Generated from the corrections in console/local/rds by `make generate`; edit those instead. -->"
)
_ABOUT: Final = """\
The local AWS is [moto](https://github.com/getmoto/moto), and RDS is corrected where moto's is unlike AWS's. Each
correction has a name, says what moto does, and quotes the API reference that it goes by, as botocore ships it; a test
looks every quotation up there. Why there is a local AWS, and what it is not, is in
[The local AWS](../explanation/local-aws.md)."""


def generate() -> Mapping[Path, str]:
    """Return the page."""
    count = sum(len(topic.corrections) for topic in TOPICS)
    parts = [
        _NOTICE,
        "# Corrections of the local AWS",
        _ABOUT,
        f"There are {count} corrections in {len(TOPICS)} topics.",
        *(_section(topic) for topic in TOPICS),
    ]
    return {REFERENCE / "local-aws.md": "\n\n".join(parts)}


def _section(topic: Topic) -> str:
    rows = [_row(correction) for correction in topic.corrections]
    title = topic.name.replace("_", " ").capitalize()
    return "\n".join([f"## {title}", "", *table(("Correction", "Why", "The API reference says"), rows)])


def _row(correction: Correction) -> tuple[str, str, str]:
    words = " ".join(correction.words.split())
    return f"`{correction.name}`", correction.why, f'"{words}" (`{correction.reference}`)'
