"""The generated reference: every page says what its control says, and is on disk as it is generated."""

from __future__ import annotations

import re
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tools.generators import controls as generator
from warden.controls import all_controls
from warden.core.control import Maturity
from warden.core.guard import CustomGroup, NonEmptyListOf, Permit, Text

if TYPE_CHECKING:
    from warden.core.control import Control

CONTROLS = all_controls()
PAGES = {path.name: text for path, text in generator.generate().items()}
DIRECTORY = Path(__file__).parents[2] / "docs" / "reference" / "controls"


def test_there_is_a_page_for_every_control_and_an_index() -> None:
    assert set(PAGES) == {f"{control.id}.md" for control in CONTROLS} | {"index.md"}


def test_the_pages_are_on_disk_as_they_are_generated() -> None:
    on_disk = {path.name: path.read_text(encoding="utf-8") for path in DIRECTORY.iterdir()}
    assert on_disk == {name: text + "\n" for name, text in PAGES.items()}


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_a_page_holds_what_its_control_declares(control: Control) -> None:
    page = PAGES[f"{control.id}.md"]
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == [
        heading
        for heading in (
            "Why it matters",
            "What is read",
            "What is done",
            "Remediation safety",
            "Permissions",
            "Settings" if control.settings else None,
            "Frameworks",
            "How to fix it by hand",
            "Verdicts",
            "References",
        )
        if heading
    ]
    assert f"# {control.title}\n" in page
    assert control.fix.strip() in page
    assert control.remediation is not None
    for permit in control.remediation.permits:
        for word in (permit.action, *permit.dependent_actions, *permit.required):
            assert f"`{word}`" in page
    for need in (*control.needs, *control.remediation.needs):
        assert f"`{need.value}`" in page
    for setting in control.settings:
        assert setting.doc in page
    for requirement in control.frameworks:
        [row] = [line for line in page.splitlines() if line.startswith(f"| {requirement.framework} |")]
        assert requirement.number in row.removesuffix(" |").split(" | ")[1].split(", ")
    for example in control.examples:
        assert f"| {example.name} | {example.expect.value} |" in page
    assert "object at 0x" not in page


def test_the_index_links_every_page_and_tells_its_safety() -> None:
    for control in CONTROLS:
        [row] = [line for line in PAGES["index.md"].splitlines() if f"]({control.id}.md)" in line]
        assert control.title in row
        assert control.severity.value in row
        assert control.remediation is not None
        if control.remediation.permits:
            assert control.remediation.safety.value in row
        else:
            assert "never unattended" in row


def test_every_table_has_the_same_number_of_cells_in_every_row() -> None:
    for text in PAGES.values():
        for table in re.findall(r"(?:^\|.*\|$\n?)+", text, re.MULTILINE):
            widths = {len(re.split(r"(?<!\\)\|", line)) for line in table.strip().splitlines()}
            assert len(widths) == 1


def test_a_preview_without_a_remediation_says_both(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = replace(CONTROLS[0], remediation=None, maturity=Maturity.PREVIEW, settings=())
    monkeypatch.setattr(generator, "all_controls", lambda: (plain,))
    pages = {path.name: text for path, text in generator.generate().items()}
    page = pages[f"{plain.id}.md"]
    assert "preview: it only ever observes" in page
    assert "Warden writes nothing" in page
    assert "To put right" not in page
    assert "## Settings" not in page
    assert "tells a person how | never unattended" in pages["index.md"]


def test_what_a_permit_accepts_is_said_for_every_declaration_of_the_guard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Undocumented:
        def refusal(self, value: Any, facts: Any) -> str | None:
            return None

    def page(accepts: Any) -> str:
        permit = Permit(operation="ModifyDBCluster", required={"Port": accepts})
        remediation = CONTROLS[0].remediation
        assert remediation is not None
        control = replace(CONTROLS[0], remediation=replace(remediation, permits=(permit,)))
        monkeypatch.setattr(generator, "all_controls", lambda: (control,))
        return next(text for path, text in generator.generate().items() if path.stem == control.id)

    assert "| `Port` | a text |" in page(Text())
    assert "| `Port` | a text that begins with `warden-` |" in page(Text("warden-"))
    assert "| `Port` | a list, not empty |" in page(NonEmptyListOf())
    assert "The resource's own parameter group" in page(CustomGroup("DBClusterParameterGroup"))
    with pytest.raises(LookupError, match="Undocumented has no docstring"):
        page(Undocumented())


def test_a_need_that_says_nothing_about_itself_is_refused() -> None:
    class Undocumented(StrEnum):
        NOTHING = "Nothing"

    with pytest.raises(LookupError, match=r"Need\.NOTHING has no docstring"):
        generator._need_doc(Undocumented.NOTHING)  # type: ignore[arg-type]  # a stranger to the enumeration
