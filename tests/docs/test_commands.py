"""Every command that the documents name exists, with each of its options."""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import re
from typing import TYPE_CHECKING, Any

import botocore.session
import jmespath
import pytest
from botocore import xform_name

from console import cli
from docs import pages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

each_page = pages.of_each()

# Options of the command line that are no members of a call.
AWS_OPTIONS = {"region", "query", "output", "profile", "cli-binary-format", "cli-read-timeout"}
# `aws lambda invoke` takes the file for the answer as a word of its own.
OPERANDS = {("lambda", "invoke"): 1}


def in_blocks(page: Path) -> Iterator[tuple[str, list[str]]]:
    for block in pages.blocks(page):
        for script in pages.shell(block):
            for words in pages.commands(script):
                yield block.name, words


def in_spans(page: Path) -> Iterator[tuple[str, list[str]]]:
    for span in pages.spans(page):
        if span.split()[0] in {"warden", "make", "aws"} and " " in span.strip():
            for words in pages.commands(span):
                yield f"{pages.name(page)}: {span}", words


def tool(words: list[str]) -> str:
    return words[0].removeprefix(".venv/bin/")


# --- warden -----------------------------------------------------------------------------------------------


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def assert_warden(words: list[str], *, whole: bool) -> None:
    """In a block the command must be complete; in a sentence, what is said of it must exist."""
    parser = cli._parser()
    if whole:
        parser.parse_args(words)
        return
    while (known := subcommands(parser)) and words and not words[0].startswith("-"):
        assert words[0] in known
        parser = known[words.pop(0)]
    options = {option for action in parser._actions for option in action.option_strings}
    assert {word for word in words if word.startswith("-")} <= options


@each_page
def test_warden_commands_exist(page: Path) -> None:
    for where, words in in_blocks(page):
        if tool(words) == "warden":
            try:
                assert_warden(words[1:], whole=True)
            except SystemExit as error:
                pytest.fail(f"{where}: {' '.join(words)}: {error}")
    for where, words in in_spans(page):
        if tool(words) == "warden":
            assert_warden(words[1:], whole=False), where


# --- make -------------------------------------------------------------------------------------------------


@functools.cache
def targets() -> frozenset[str]:
    makefile = (pages.ROOT / "Makefile").read_text(encoding="utf-8")
    return frozenset(re.findall(r"^([a-z0-9-]+):(?!=)", makefile, re.MULTILINE))


@each_page
def test_targets_of_make_exist(page: Path) -> None:
    for where, words in (*in_blocks(page), *in_spans(page)):
        if tool(words) == "make":
            named = {word for word in words[1:] if "=" not in word and not word.startswith("-")}
            assert named, where
            assert named <= targets(), where


# --- aws --------------------------------------------------------------------------------------------------


@functools.cache
def model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def assert_aws(words: list[str]) -> None:
    service, command, *rest = words
    operations = {xform_name(name, "-"): name for name in model(service).operation_names}
    shape = model(service).operation_model(operations[command]).input_shape
    options = {xform_name(member, "-"): member for member in shape.members}
    given: set[str] = set()
    operands = 0
    for index, word in enumerate(rest):
        if word.startswith("--"):
            given.add(word.removeprefix("--"))
        elif index == 0 or not rest[index - 1].startswith("--"):
            operands += 1
    assert operands == OPERANDS.get((service, command), 0)
    members = set()
    for option in given - AWS_OPTIONS:
        member = options.get(option) or options[option.removeprefix("no-")]
        assert option in options or shape.members[member].type_name == "boolean"
        members.add(member)
    assert set(shape.required_members) <= members


def test_a_command_of_aws_that_is_wrong_is_noticed() -> None:
    assert_aws(["sqs", "purge-queue", "--queue-url", "https://queue"])
    assert_aws(["lambda", "invoke", "--function-name", "f", "--payload", "{}", "answer.json"])
    for wrong in (
        ["sqs", "empty-queue", "--queue-url", "https://queue"],
        ["sqs", "purge-queue", "--queue", "https://queue"],
        ["sqs", "purge-queue"],
        ["lambda", "invoke", "--function-name", "f"],
    ):
        with pytest.raises((AssertionError, KeyError)):
            assert_aws(wrong)


@each_page
def test_commands_of_aws_exist(page: Path) -> None:
    for where, words in (*in_blocks(page), *in_spans(page)):
        if tool(words) == "aws" and len(words) > 3:
            try:
                assert_aws(words[1:])
            except (AssertionError, KeyError) as error:
                pytest.fail(f"{where}: {' '.join(words)}: {error!r}")


@each_page
def test_what_commands_of_aws_are_given_can_be_read(page: Path) -> None:
    for where, words in in_blocks(page):
        for option, value in itertools.pairwise(words):
            if option == "--query":
                assert jmespath.compile(value), where
            elif option.startswith("--") and value.lstrip().startswith("{"):
                assert json.loads(value.replace("$CHAIN", "chain")), where


def test_there_are_commands_of_each_tool() -> None:
    found = [tool(words) for page in pages.WRITTEN for _, words in in_blocks(page)]
    assert {"warden", "make", "aws"} <= set(found)
    assert found.count("aws") > 10
