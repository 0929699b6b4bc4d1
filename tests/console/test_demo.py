"""`warden demo` plays to its end: every scene ends as it should, and a pipe gets plain text."""

from __future__ import annotations

import re

import pytest

from console.demo.scenes import SCENES
from scanning.runs import Run, warden


@pytest.fixture(scope="module")
def played() -> Run:
    """One run of the demo, piped."""
    return warden("demo")


@pytest.mark.slow
def test_the_demo_ends_well(played: Run) -> None:
    assert (played.status, played.err) == (0, "")
    assert "NOT AS IT SHOULD BE" not in played.out
    assert "0 writes: what was fixed stays fixed" in played.out


@pytest.mark.slow
def test_the_demo_tells_every_scene(played: Run) -> None:
    for number, scene in enumerate(SCENES, start=1):
        assert f"{number}  {scene.title}" in played.out
        for control in scene.ends:
            assert control in played.out


@pytest.mark.slow
def test_a_pipe_gets_no_colours(played: Run) -> None:
    assert re.search(r"\x1b", played.out) is None


@pytest.mark.slow
def test_no_line_of_the_story_is_cut_where_a_pipe_reads(played: Run) -> None:
    story = played.out.partition("What happened")[0]
    assert max(map(len, story.splitlines())) > 120
    assert "…" not in story.replace("   … ", "")
