"""What no document may contain."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docs import pages

if TYPE_CHECKING:
    from pathlib import Path

# Of package registries and their mirrors: which one is used is the reader's business.
REGISTRIES = re.compile(
    r"py"
    r"pi\.|pythonhos"
    r"ted|npm"
    r"js|registry\.|/simple\b|crates\.io|golang\.org|rubygems|anaconda|artifactory|nexus|index-url",
    re.IGNORECASE,
)
PATHS = re.compile(r"(?<![\w.~-])/(work|tmp|root|home|Users|var|mnt|opt(?!/policy))\b")
EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f]")
LONGEST = 125

each_page = pages.of_each()


@each_page
def test_a_page_names_no_registry_and_no_path_of_a_machine(page: Path) -> None:
    assert REGISTRIES.findall(pages.text(page)) == []
    assert PATHS.findall(pages.text(page)) == []


@each_page
def test_a_page_has_no_emoji_and_no_space_at_the_end_of_a_line(page: Path) -> None:
    assert EMOJI.findall(pages.text(page)) == []
    assert re.findall(r"^.*[ \t]+$", pages.text(page), re.MULTILINE) == []


@each_page
def test_a_page_has_one_title_and_ends_with_one_line_end(page: Path) -> None:
    assert len(re.findall(r"^# ", pages.prose(page), re.MULTILINE)) == 1
    assert pages.text(page).endswith("\n")
    assert not pages.text(page).endswith("\n\n")


@each_page
def test_prose_is_wrapped(page: Path) -> None:
    if "Generated from" in pages.text(page).partition("\n")[0]:
        return
    long = [
        line
        for line in pages.prose(page).splitlines()
        if len(line) > LONGEST and not line.lstrip().startswith(("|", "!["))
    ]
    assert long == []


@each_page
def test_a_block_says_its_language(page: Path) -> None:
    known = {"python", "console", "sh", "json", "toml", "text", "yaml"}
    for block in pages.blocks(page):
        assert block.language in known, block.name
