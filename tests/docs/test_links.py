"""Every link within the repository leads somewhere, and every page can be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from docs import pages

if TYPE_CHECKING:
    from pathlib import Path

ALSO = (pages.ROOT / "events" / "README.md",)


def inner(page: Path) -> list[tuple[str, Path, str]]:
    """The links of a page that stay within the repository: as written, the file, the fragment."""
    found = []
    for link in pages.links(page):
        if "://" in link or link.startswith("mailto:"):
            continue
        target, _, fragment = link.partition("#")
        found.append((link, (page.parent / unquote(target)).resolve() if target else page, fragment))
    return found


@pages.of_each(*ALSO)
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    for link, target, fragment in inner(page):
        assert target.is_relative_to(pages.ROOT), link
        assert target.exists(), link
        if fragment and target.suffix == ".md":
            assert fragment in pages.anchors(target), link


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [pages.ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            waiting += [target for _, target, _ in inner(page) if target.suffix == ".md"]
    assert {pages.name(page) for page in set(pages.WRITTEN) - reached} == set()


def test_every_image_is_shown_somewhere() -> None:
    shown = {target for page in pages.WRITTEN for _, target, _ in inner(page)}
    images = set((pages.ROOT / "docs" / "images").iterdir())
    assert images
    assert images <= shown


def test_what_is_linked_outside_is_only_linked_safely() -> None:
    outside = {link for page in pages.WRITTEN for link in pages.links(page) if "://" in link}
    assert {link for link in outside if not link.startswith("https://")} == set()
