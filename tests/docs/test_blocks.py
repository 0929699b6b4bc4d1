"""The blocks that are marked as runnable run, and print what the page says.

`console run` is run with `make test`, `console run slow` with `make test-slow`; `run fleet` has the demo's databases
behind it. The runnable blocks of a page are run in their order, in one directory that looks like the repository.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from console.demo.fleet import seed
from console.local.identity import iam_user
from console.local.stack import LocalStack
from docs import pages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from docs.pages import Block

WORDS = {"run", "slow", "fleet"}
SECONDS = 120
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def runnable(page: Path) -> list[Block]:
    return [block for block in pages.blocks(page) if "run" in block.words]


def marked(*, slow: bool, fleet: bool) -> list[Path]:
    """The pages with a runnable block of this kind; one slow block makes its page slow."""
    found = []
    for page in pages.WRITTEN:
        words = {word for block in runnable(page) for word in block.words}
        if "run" in words and ("slow" in words) is slow and ("fleet" in words) is fleet:
            found.append(page)
    return found


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with everything of the repository in it, in which files can be made without harm to that."""
    for entry in pages.ROOT.iterdir():
        if not entry.name.startswith("."):
            (tmp_path / entry.name).symlink_to(entry)
    return tmp_path


@pytest.fixture
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """`warden` is this Python's; `make` does not make the environment that the tests are running in anew."""
    tools = tmp_path_factory.mktemp("bin")
    _script(tools / "warden", f'exec "{sys.executable}" -m console.cli "$@"')
    path = os.environ["PATH"]
    _script(
        tools / "make",
        f'PATH="{path}" exec make --no-print-directory --directory "{pages.ROOT}" --old-file setup BIN="{tools}" "$@"',
    )
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "WARDEN_"))}
    return {
        **kept,
        "PATH": f"{tools}{os.pathsep}{path}",
        "PYTHONPATH": os.pathsep.join((str(pages.ROOT), str(pages.ROOT / "layers" / "warden"))),
        "AWS_EC2_METADATA_DISABLED": "true",
        "TERM": "dumb",
    }


def _script(path: Path, command: str) -> None:
    path.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture(scope="module")
def fleet() -> Iterator[dict[str, str]]:
    """The demo's databases at an endpoint of this machine, as environment variables."""
    with LocalStack(mode="observe", region="us-west-2") as stack:
        seed(stack)
        with stack.aws.serve() as server:
            yield {**stack.aws.credentials(iam_user("auditor")), "AWS_ENDPOINT_URL": server.url}


def run(page: Path, place: Path, environment: dict[str, str]) -> None:
    for block in runnable(page):
        for step in pages.steps(block):
            done = subprocess.run(  # noqa: S603 - the repository's own documents
                ["/bin/bash", "-c", step.command],
                cwd=place,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=SECONDS,
                check=False,
            )
            printed = ANSI.sub("", done.stdout)
            assert matches(step.output, printed), f"{block.name}: $ {step.command}\n{printed}"


def matches(expected: str, printed: str) -> bool:
    """Whether the output is what the page says: a line of `…` is any lines, `…` within a line is any text.

    Two spaces or more are any number of them: columns are as wide as what is in them.
    """
    pattern = ""
    for line in expected.strip("\n").splitlines():
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            words = ".*?".join(re.escape(part) for part in line.rstrip().split("…"))
            pattern += re.sub(r"(?:\\ ){2,}", " {2,}", words) + r"[ \t]*\n"
    return re.fullmatch(pattern, printed.strip("\n") + "\n" if printed.strip() else "") is not None


@pytest.mark.parametrize("page", marked(slow=False, fleet=False), ids=pages.name)
def test_what_a_page_runs_prints_what_it_says(page: Path, place: Path, environment: dict[str, str]) -> None:
    run(page, place, environment)


@pytest.mark.slow
@pytest.mark.parametrize("page", marked(slow=True, fleet=False), ids=pages.name)
def test_what_a_page_runs_for_long_prints_what_it_says(
    page: Path, place: Path, environment: dict[str, str]
) -> None:
    run(page, place, environment)


@pytest.mark.parametrize("page", marked(slow=False, fleet=True), ids=pages.name)
def test_what_a_page_runs_on_a_fleet_prints_what_it_says(
    page: Path, place: Path, environment: dict[str, str], fleet: dict[str, str]
) -> None:
    run(page, place, {**environment, **fleet})


@pytest.mark.parametrize(
    ("expected", "printed", "holds"),
    [
        ("one\n", "one\n", True),
        ("one\n", "one\ntwo\n", False),
        ("one\n…\n", "one\ntwo\nthree\n", True),
        ("one\n…\nthree\n", "one\nthree\n", True),
        ("…\nthree\n", "one\n", False),
        ("a … c\n", "a b c\n", True),
        ("a … c\n", "a b\nc\n", False),
        ("a  b\n", "a      b\n", True),
        ("a  b\n", "a b\n", False),
        ("a b\n", "a  b\n", False),
        ("", "", True),
        ("", "something\n", False),
    ],
)
def test_what_stands_for_anything_stands_for_no_less(expected: str, printed: str, holds: bool) -> None:
    assert matches(expected, printed) is holds


def test_every_word_behind_a_fence_is_known() -> None:
    for page in pages.WRITTEN:
        for block in pages.blocks(page):
            if block.language == "console":
                assert set(block.words[1:]) <= WORDS, block.name
                assert "run" in block.words, block.name


def test_no_page_is_both_slow_and_in_need_of_a_fleet() -> None:
    assert marked(slow=True, fleet=True) == []
