from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tools.generate import Generator, apply, changes, collect, discover
from tools.markers import MarkerError, current_text, replace_between_markers

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = """\
Statement:
  # generated:begin evaluate-actions (make generate)
  - old
  # generated:end evaluate-actions
  - kept
"""


def test_a_generated_part_is_replaced_and_indented_like_its_marker() -> None:
    assert replace_between_markers(TEMPLATE, "evaluate-actions", "- one\n- two\n") == TEMPLATE.replace(
        "  - old\n", "  - one\n  - two\n"
    )


def test_replacing_with_the_same_text_changes_nothing() -> None:
    once = replace_between_markers(TEMPLATE, "evaluate-actions", "- one")
    assert replace_between_markers(once, "evaluate-actions", "- one") == once


def test_a_name_is_not_mistaken_for_a_longer_one() -> None:
    with pytest.raises(MarkerError, match="found 0"):
        replace_between_markers(TEMPLATE, "evaluate", "- one")


def test_a_doubled_marker_is_refused() -> None:
    with pytest.raises(MarkerError, match="found 2"):
        replace_between_markers(TEMPLATE + TEMPLATE, "evaluate-actions", "- one")


def test_markers_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(MarkerError, match="stands before"):
        replace_between_markers("# generated:end a\n# generated:begin a\n", "a", "x")


def test_a_stale_and_an_absent_file_are_changes_and_are_gone_once_written(tmp_path: Path) -> None:
    (tmp_path / "stale.md").write_text("old\n")
    (tmp_path / "current.md").write_text("same\n")
    texts = {
        tmp_path / name: text
        for name, text in (("stale.md", "new"), ("current.md", "same"), ("d/absent.md", "x"))
    }
    generator = Generator("pages", lambda: texts)
    found = changes(collect([generator]))
    assert [change.path.name for change in found] == ["absent.md", "stale.md"]
    apply(found)
    assert changes(collect([generator])) == []


def test_a_page_that_is_no_longer_generated_is_removed_from_an_owned_directory(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "retired.md").write_text("x\n")
    (tmp_path / "by_hand.md").write_text("x\n")
    generator = Generator("pages", lambda: {tmp_path / "pages" / "kept.md": "x"}, owned=(tmp_path / "pages",))
    apply(changes(collect([generator])))
    assert sorted(path.name for path in tmp_path.rglob("*.md")) == ["by_hand.md", "kept.md"]


def test_two_generators_share_a_file(tmp_path: Path) -> None:
    shared = tmp_path / "template.yaml"
    markers = ["# generated:begin a", "# generated:end a", "# generated:begin b", "# generated:end b"]
    shared.write_text("\n".join(markers) + "\n")

    def part(name: str) -> Generator:
        return Generator(
            name, lambda: {shared: replace_between_markers(current_text(shared), name, f"text of {name}")}
        )

    apply(changes(collect([part("a"), part("b")])))
    assert shared.read_text().splitlines() == [
        *markers[:1],
        "text of a",
        *markers[1:3],
        "text of b",
        markers[3],
    ]


def test_a_relative_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="relative path"):
        collect([Generator("pages", lambda: {tmp_path.relative_to(tmp_path.root): "x"})])


def test_modules_of_the_package_are_found_in_order_and_helpers_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "made_up_generators"
    package.mkdir()
    (package / "__init__.py").touch()
    for name in ("second", "first", "_helper"):
        (package / f"{name}.py").write_text("def generate():\n    return {}\n" if name != "_helper" else "")
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        assert [generator.name for generator in discover("made_up_generators")] == ["first", "second"]
        (package / "third.py").touch()
        with pytest.raises(TypeError, match=r"made_up_generators\.third has no generate"):
            discover("made_up_generators")
    finally:
        for name in [name for name in sys.modules if name.startswith("made_up_generators")]:
            del sys.modules[name]
