"""What the documents say of the code is what the code is."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import re
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from docs import pages
from docs.code import made_of_parts, template
from warden.controls import all_controls
from warden.core import decision
from warden.core.control import ComplianceType, Control, Remediation, Safety
from warden.core.decision import Action, Mode, Reason, Situation, decide
from warden.core.policy import Limits, Policy, parse_policy
from warden.pipeline import judge
from warden.pipeline.visit import Visitor

if TYPE_CHECKING:
    from pathlib import Path

DOCS = pages.ROOT / "docs"
SAFETY = DOCS / "explanation" / "safety.md"
GLOSSARY = DOCS / "reference" / "glossary.md"
POLICY = DOCS / "how-to" / "write-a-policy.md"
CHANGELOG = pages.ROOT / "CHANGELOG.md"

each_page = pages.of_each()


# --- names --------------------------------------------------------------------------------------------------

CODE = ("layers", "functions", "console", "tools", "tests")
FILES = ("template.yaml", "samconfig.toml", "Makefile", "pyproject.toml", "layers/policy/policy.toml")
NAME = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*(?:\(\))?")
COMPOUND = re.compile(r"[a-z]+_\w+|[A-Z][a-z]+[A-Z]\w*|[a-z]+[A-Z]\w*")


@functools.cache
def known_words() -> frozenset[str]:
    paths = [
        path for folder in CODE for path in (pages.ROOT / folder).rglob("*.py") if path.parent.name != "docs"
    ]
    paths += [pages.ROOT / name for name in FILES]
    words = {word for path in paths for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))}
    return frozenset(words | {path.stem for path in paths})


@each_page
def test_what_looks_like_a_name_is_one_of_the_code_or_of_the_template(page: Path) -> None:
    named = {span for span in pages.spans(page) if NAME.fullmatch(span)}
    words = {part for span in named for part in re.findall(r"\w+", span) if COMPOUND.fullmatch(part)}
    assert words - known_words() - made_of_parts() == set()


@each_page
def test_what_looks_like_a_file_of_the_repository_is_one(page: Path) -> None:
    starts = ("", "layers/warden/warden/", "docs/")
    tops = {path.name for start in starts[:2] for path in (pages.ROOT / start).iterdir()}
    for span in pages.spans(page):
        if re.fullmatch(r"[\w./*-]+", span) and span.partition("/")[0] in tops and "/" in span:
            assert any(list(pages.ROOT.glob(f"{start}{span.rstrip('/')}")) for start in starts), span


def test_the_parameters_that_the_readme_names_exist() -> None:
    parameters = set(template()["Parameters"])
    named = {
        span for span in pages.spans(pages.ROOT / "README.md") if re.fullmatch(r"(?:[A-Z][a-z]+){2,}", span)
    }
    assert named & parameters
    assert named <= parameters


@each_page
def test_parameters_that_are_set_and_outputs_that_are_read_exist(page: Path) -> None:
    text = pages.text(page)
    assert set(re.findall(r'"(\w+)=[^"]*"', "".join(re.findall(r"parameter_overrides = .*", text)))) <= set(
        template()["Parameters"]
    )
    assert set(re.findall(r"OutputKey=='(\w+)'", text)) <= set(template()["Outputs"])
    assert set(re.findall(r"--logical-resource-id (\w+)", text)) <= set(template()["Resources"])


def test_the_stacks_that_are_named_are_those_of_samconfig() -> None:
    config = (pages.ROOT / "samconfig.toml").read_text(encoding="utf-8")
    stacks = set(re.findall(r'stack_name = "(.*)"', config))
    named = {
        name for page in pages.WRITTEN for name in re.findall(r"--stack(?:-name)? ([\w-]+)", pages.text(page))
    }
    assert named
    assert named <= stacks


# --- the decision table -------------------------------------------------------------------------------------


def documented_rows() -> list[tuple[str, str, str]]:
    return [(row[0], row[1], pages.codes(row[2])[0]) for row in pages.table(SAFETY, "If")]


def test_the_decision_table_has_the_rows_of_the_code_in_their_order() -> None:
    compliance = [
        (Action.OBSERVE, Reason(kind.lower())) for kind in ComplianceType if kind != "NON_COMPLIANT"
    ]
    coded = [(action, reason) for _, action, reason in decision._TABLE]
    documented = [(Action(action), Reason(reason)) for _, action, reason in documented_rows()]
    assert set(documented[:3]) == set(compliance)
    assert documented[3:] == [*coded, (Action.REMEDIATE, Reason.POLICY)]


GOOD = Situation(
    compliance=ComplianceType.NON_COMPLIANT,
    mode=Mode.REMEDIATE,
    remediable=True,
    approval_missing=False,
    unknown_state=False,
    budget_spent=False,
)
# The situation's field that each row of the table asks, by the row's reason.
FIELDS = {
    "exempt": "exempt", "undone": "undone", "preview": "preview", "day_one": "day_one", "flapping": "flapping",
    "refused": "refused", "unverified": "unverified", "circuit_open": "circuit_open",
    "owner_first": "owner_first", "preflight": "looking", "needs_approval": "approval_missing",
    "unknown_state": "unknown_state", "busy": "busy", "settling": "settling", "pending": "pending", "frozen": "frozen",
    "outside_window": "outside_window", "unhealthy": "unhealthy", "canary": "canary",
    "blast_radius": "budget_spent",
}  # fmt: skip


def test_the_rows_that_containment_passes_are_marked() -> None:
    values = GOOD._asdict()
    passed = {
        reason
        for reason, name in FIELDS.items()
        if decide(Situation(**{**values, name: True, "containment": True})).action is Action.REMEDIATE
    }
    assert {reason for condition, _, reason in documented_rows() if "(+)" in condition} == passed


def test_the_rows_whose_condition_nothing_sets_are_in_italics() -> None:
    [call] = [
        node
        for node in ast.walk(ast.parse(inspect.getsource(judge.Judge)))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Situation" and len(node.keywords) > 1
    ]
    given = {keyword.arg for keyword in call.keywords}
    unset = {reason for reason, name in FIELDS.items() if name not in given}
    assert {reason for condition, _, reason in documented_rows() if condition.startswith("*")} == unset


# --- the policy ---------------------------------------------------------------------------------------------


def test_the_policies_that_are_shown_are_valid() -> None:
    shown = 0
    for page in pages.WRITTEN:
        for block in pages.blocks(page):
            if block.words[:2] == ("toml", "policy"):
                parse_policy(f"version = 1\n{block.text}", controls=all_controls(), source=block.name)
                shown += 1
    assert shown > 4


def test_the_limits_are_documented_with_their_defaults() -> None:
    rows = {
        pages.codes(row[0])[0]: pages.codes(row[2])
        for row in pages.table(POLICY, "Key")
        if pages.codes(row[0])
    }
    for field in fields(Limits):
        assert rows[f"limits.{field.name}"] == [str(field.default)]
    assert {key for key in rows if key.startswith("limits.")} == {
        f"limits.{field.name}" for field in fields(Limits)
    }


def test_every_section_of_a_policy_is_documented() -> None:
    keys = {key for row in pages.table(POLICY, "Key") for key in pages.codes(row[0])}
    with pytest.raises(ValueError, match="known are") as refused:
        _refuse_unknown_key()
    known = set(str(refused.value).partition("known are ")[2].split(", ")) - {"version"}
    assert known == {key.partition(".")[0] for key in keys}


def _refuse_unknown_key() -> None:
    try:
        parse_policy("version = 1\nmistake = 1\n", controls=all_controls())
    except Exception as error:
        raise ValueError(str(error)) from error


# --- words --------------------------------------------------------------------------------------------------


def test_the_glossary_is_sorted_and_its_places_exist() -> None:
    rows = pages.table(GLOSSARY, "Word")
    words = [row[0].lower() for row in rows]
    assert words == sorted(words)
    for row in rows:
        for place in pages.codes(row[3]):
            module, _, attribute = place.rpartition(".")
            try:
                importlib.import_module(f"warden.{place}")
            except ModuleNotFoundError:
                assert hasattr(importlib.import_module(f"warden.{module}"), attribute), place


def test_the_actions_and_statuses_in_the_glossary_are_all() -> None:
    rows = {row[0]: row[2] for row in pages.table(GLOSSARY, "Word")}
    assert set(re.findall(r"[A-Z]+(?:_[A-Z]+)*", rows["action"])) == {action.value for action in Action}
    assert set(re.findall(r"[A-Z]+(?:_[A-Z]+)+|COMPLIANT", rows["compliance type"])) == set(ComplianceType)
    statuses = importlib.import_module("warden.core.finding").WorkflowStatus
    assert set(re.findall(r"[A-Z]{3,}", rows["workflow status"])) == set(statuses)


# --- the changelog ------------------------------------------------------------------------------------------


SECTIONS = {
    "Put right unattended, by the shipped policy",
    "Put right where it is allowed, or approved",
    "Put right when its mode is raised",
}


def sections() -> dict[str, str]:
    """The parts of what is not released that speak of controls, by their headings."""
    unreleased = pages.text(CHANGELOG).partition("## [Unreleased]")[2]
    parts = re.split(r"^### (.+)$", unreleased, flags=re.MULTILINE)
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    return {heading: found[heading] for heading in SECTIONS}


def shipped() -> Policy:
    text = (pages.ROOT / "layers/policy/policy.toml").read_text(encoding="utf-8")
    return parse_policy(text, controls=all_controls())


def section_of(control: Control, remediation: Remediation, policy: Policy) -> str:
    if policy.modes.get(control.id, policy.default_mode) is not Mode.REMEDIATE:
        return "Put right when its mode is raised"
    allowed = remediation.safety is Safety.SAFE or control.id in policy.allow_costs | policy.allow_disruption
    if allowed and remediation.preflight is None:
        return "Put right unattended, by the shipped policy"
    return "Put right where it is allowed, or approved"


WRITING = [
    control for control in all_controls() if control.remediation is not None and control.remediation.permits
]


@pytest.mark.parametrize("control", WRITING, ids=lambda control: control.id)
def test_every_remediation_is_where_operators_look_for_it(control: Control) -> None:
    assert control.remediation is not None
    found = sections()
    where = section_of(control, control.remediation, shipped())
    assert [heading for heading, text in found.items() if f"`{control.id}`" in text] == [where]
    [line] = re.findall(rf"^- `{control.id}` .*(?:\n  .*)*", found[where], re.MULTILINE)
    assert control.remediation.safety.value.capitalize() in line
    assert ("containment" in line) is control.remediation.containment
    assert ("is not enough" in " ".join(line.split())) is bool(control.remediation.preflight)


def test_the_changelog_speaks_of_no_remediation_that_is_none() -> None:
    named = {name for text in sections().values() for name in re.findall(r"`([a-z]+(?:_[a-z]+){2,})`", text)}
    assert named == {control.id for control in WRITING}


# --- decisions ----------------------------------------------------------------------------------------------

RECORDS = sorted((DOCS / "adr").glob("0*.md"))


@pytest.mark.parametrize("record", RECORDS, ids=pages.name)
def test_a_record_has_its_number_and_its_four_headings(record: Path) -> None:
    text = pages.text(record)
    number = int(record.stem[:4])
    assert text.startswith(f"# {number}. ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
        "Context and problem",
        "Considered options",
        "Outcome",
        "Consequences",
    ]
    assert len(re.findall(r"^\d\. ", text, re.MULTILINE)) >= 2
    consequences = text.partition("## Consequences")[2]
    assert "- Good: " in consequences
    assert "- Bad: " in consequences


def test_records_are_numbered_without_a_gap_and_listed_by_their_titles() -> None:
    assert [int(record.stem[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))
    index = pages.text(DOCS / "adr" / "index.md")
    for record in RECORDS:
        title = pages.text(record).partition("\n")[0].removeprefix("# ")
        assert f"- [{title}]({record.name})" in index


def test_the_step_of_own_writes_is_as_told() -> None:
    """The explanations say that the visit for our own write writes nothing."""
    assert "settling" in inspect.signature(Visitor.visit).parameters
