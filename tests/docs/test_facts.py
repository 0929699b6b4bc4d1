"""What the documents say of the code is what the code is."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import json
import re
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from console.scan import Scan
from controls import items
from docs import pages
from warden.controls import all_controls
from warden.core import decision
from warden.core.control import ComplianceType
from warden.core.decision import Action, Mode, Reason, Situation, decide
from warden.core.evaluation import evaluate
from warden.core.finding import advance
from warden.core.ledger import EntryKind, LedgerEntry
from warden.core.messages import RemediationMessage, TicketEvent, TicketMessage
from warden.core.policy import Limits, parse_policy
from warden.core.ticket import TicketState, ticket
from warden.core.trigger import Cause, Source, Trigger, parse
from warden.pipeline import judge
from warden.pipeline.visit import Visitor
from warden.pipeline.writes import Status

if TYPE_CHECKING:
    from pathlib import Path

DOCS = pages.ROOT / "docs"
SAFETY = DOCS / "explanation" / "safety.md"
LEDGER = DOCS / "reference" / "ledger.md"
MESSAGES = DOCS / "reference" / "messages.md"
SCAN = DOCS / "reference" / "scan-json.md"
METRICS = DOCS / "reference" / "metrics-and-alarms.md"
GLOSSARY = DOCS / "reference" / "glossary.md"
POLICY = DOCS / "how-to" / "write-a-policy.md"
CHANGELOG = pages.ROOT / "CHANGELOG.md"
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)

each_page = pytest.mark.parametrize("page", pages.WRITTEN, ids=pages.name)


@functools.cache
def template() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse((pages.ROOT / "template.yaml").read_text(encoding="utf-8"))
    return parsed


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
    return frozenset(word for path in paths for word in re.findall(r"\w+", path.read_text(encoding="utf-8")))


def made_of_parts() -> set[str]:
    """The metrics whose names the code makes of a prefix and a value."""
    decisions = {f"Decision{action.title().replace('_', '')}" for action in Action}
    return decisions | {f"Outcome{status.title()}" for status in Status}


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
    "circuit_open": "circuit_open", "owner_first": "owner_first", "needs_approval": "approval_missing",
    "unknown_state": "unknown_state", "busy": "busy", "pending": "pending", "frozen": "frozen",
    "unhealthy": "unhealthy", "blast_radius": "budget_spent",
}  # fmt: skip


def test_the_rows_that_containment_passes_are_marked() -> None:
    values = {field.name: getattr(GOOD, field.name) for field in fields(GOOD)}
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


def test_every_shared_setting_is_documented() -> None:
    shared = {setting.name for control in all_controls() for setting in control.settings if setting.shared}
    keys = {key for row in pages.table(POLICY, "Key") for key in pages.codes(row[0])}
    assert {key.removeprefix("baseline.") for key in keys if key.startswith("baseline.")} == shared


# --- ledger, messages, scan ---------------------------------------------------------------------------------


def first_column(page: Path, head: str) -> set[str]:
    return {code for row in pages.table(page, head) for code in pages.codes(row[0])}


def test_the_fields_and_kinds_of_ledger_entries_are_documented() -> None:
    entry = LedgerEntry(at=NOW, actor="evaluate", chain="x", kind=EntryKind.FINDING).to_json()
    assert first_column(LEDGER, "Field") == set(entry)
    assert first_column(LEDGER, "Kind") == {kind.value for kind in EntryKind}


def test_the_actors_of_the_ledger_are_documented() -> None:
    sources = (pages.ROOT / "layers/warden/warden/pipeline").glob("*.py")
    actors = {
        actor for path in sources for actor in re.findall(r'actor="(\w+)"', path.read_text(encoding="utf-8"))
    }
    [row] = [row for row in pages.table(LEDGER, "Field") if pages.codes(row[0]) == ["actor"]]
    assert set(pages.codes(row[1])) == actors


def test_the_messages_that_are_shown_can_be_read() -> None:
    read: dict[str, int] = {}
    for block in pages.blocks(MESSAGES):
        kind = block.words[1]
        match kind:
            case "trigger":
                assert all(
                    isinstance(item, Trigger) for item in parse(json.loads(block.text), received_at=NOW)
                )
            case "remediation":
                message = RemediationMessage.decode(block.text)
                assert set(json.loads(message.encode())) == set(json.loads(block.text))
            case "ticket":
                told = TicketMessage.decode(block.text)
                assert json.loads(told.encode()) == json.loads(block.text)
        read[kind] = read.get(kind, 0) + 1
    assert read == {"trigger": 3, "remediation": 1, "ticket": 1}


def test_the_sources_and_fields_of_causes_are_documented() -> None:
    rows = {code: row[1] for row in pages.table(MESSAGES, "Field of `cause`") for code in pages.codes(row[0])}
    assert set(rows) == {field.name for field in fields(Cause)}
    assert set(pages.codes(rows["source"])) == {source.value for source in Source}
    assert set(re.findall(r"`(open|resolve)`", pages.text(MESSAGES))) == {
        event.value for event in TicketEvent
    }


def test_the_fields_of_tickets_are_documented() -> None:
    control = all_controls()[0]
    drifted = next(e for e in control.examples if e.expect is ComplianceType.NON_COMPLIANT)
    resource = items.example_resource(control, drifted)
    evaluation = evaluate(control, resource, items.example_settings(control, drifted))
    finding = advance(None, evaluation, resource_key=resource.key, observed_at=NOW)
    assert finding is not None
    document = ticket(finding, control, TicketState.OPEN).to_json()
    assert first_column(MESSAGES, "Field") == set(document)


def test_the_fields_of_a_scan_are_documented() -> None:
    scan = Scan(account="1", regions=[], policy_version="x").to_json()
    [whole, one] = [rows[1:] for rows in pages.tables(SCAN) if rows[0][0] == "Field"]
    assert {code for row in whole for code in pages.codes(row[0])} == set(scan)
    [block] = [block for block in pages.blocks(SCAN) if "run" in block.words]
    shown = re.findall(r'^      "(\w+)":', block.text, re.MULTILINE)
    assert [pages.codes(row[0])[0] for row in one] == shown


# --- metrics ------------------------------------------------------------------------------------------------


def test_the_metrics_are_those_that_the_functions_send() -> None:
    sources = [
        *(pages.ROOT / "functions").glob("*/app.py"),
        pages.ROOT / "layers/warden/warden/pipeline/report.py",
    ]
    code = "".join(path.read_text(encoding="utf-8") for path in sources)
    sent = set(re.findall(r'(?:totals?\["|add_metric\(name=")(\w+)"', code))
    assert "total[f\"Decision{judgement.decision.action.title().replace('_', '')}\"]" in code
    assert 'name=f"Outcome{outcome.status.title()}"' in code
    sent |= made_of_parts()
    assert first_column(METRICS, "Metric") == sent


def test_the_sum_of_the_costs_counts_the_alarms_that_there_are() -> None:
    alarms = [
        r["Properties"] for r in template()["Resources"].values() if r["Type"] == "AWS::CloudWatch::Alarm"
    ]
    metrics = sum(
        len([part for part in alarm["Metrics"] if "MetricStat" in part]) if "Metrics" in alarm else 1
        for alarm in alarms
    )
    deploy = pages.text(DOCS / "how-to" / "deploy.md")
    assert f"| alarms: {metrics} metrics, 0.10 each | {metrics / 10:.2f} |" in deploy


def test_every_dead_letter_queue_has_its_line() -> None:
    queues = {name for name in template()["Resources"] if name.endswith("DeadLetterQueue")}
    told = first_column(DOCS / "how-to" / "handle-a-dead-letter.md", "Alarm")
    assert told == {name.replace("Queue", "Alarm") for name in queues}
    assert told <= set(template()["Resources"])


# --- words --------------------------------------------------------------------------------------------------


def test_the_glossary_is_sorted_and_its_places_exist() -> None:
    rows = pages.table(GLOSSARY, "Word")
    words = [row[0].lower() for row in rows]
    assert words == sorted(words)
    for row in rows:
        for place in pages.codes(row[3]):
            module, _, attribute = place.rpartition(".")
            try:
                assert hasattr(importlib.import_module(f"warden.{module}"), attribute), place
            except ModuleNotFoundError:
                importlib.import_module(f"warden.{place}")


def test_the_actions_and_statuses_in_the_glossary_are_all() -> None:
    rows = {row[0]: row[2] for row in pages.table(GLOSSARY, "Word")}
    assert set(re.findall(r"[A-Z]+(?:_[A-Z]+)*", rows["action"])) == {action.value for action in Action}
    assert set(re.findall(r"[A-Z]+(?:_[A-Z]+)+|COMPLIANT", rows["compliance type"])) == set(ComplianceType)
    statuses = importlib.import_module("warden.core.finding").WorkflowStatus
    assert set(re.findall(r"[A-Z]{3,}", rows["workflow status"])) == set(statuses)


# --- the changelog ------------------------------------------------------------------------------------------


def unreleased() -> str:
    return pages.text(CHANGELOG).partition("## [Unreleased]")[2]


@pytest.mark.parametrize("control", all_controls(), ids=lambda control: control.id)
def test_every_remediation_has_a_line_for_operators(control: Any) -> None:
    text = pages.text(CHANGELOG)
    if control.remediation is None or not control.remediation.permits:
        assert f"`{control.id}`" in text
        return
    [line] = re.findall(rf"^- `{control.id}` .*(?:\n  .*)*", text, re.MULTILINE)
    assert control.remediation.safety.value.capitalize() in line
    assert ("containment" in line) is control.remediation.containment


def test_what_is_not_released_has_the_mode_of_the_shipped_policy() -> None:
    shipped = parse_policy(
        (pages.ROOT / "layers/policy/policy.toml").read_text(encoding="utf-8"), controls=all_controls()
    )
    lines = re.findall(r"^- `(\w+)` .*?Mode\s+(\w+)\.", unreleased(), re.MULTILINE | re.DOTALL)
    assert lines
    for control, mode in lines:
        assert shipped.modes[control].word == mode, control


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
