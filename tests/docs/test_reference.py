"""What the reference and the how-tos say of documents, numbers and metrics is so."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from console.explanation import Explanation
from console.known import Case, Known
from console.scan import Scan
from controls import items
from docs import pages
from docs.code import made_of_parts, template
from warden.controls import all_controls
from warden.core import deferral
from warden.core.control import ComplianceType
from warden.core.decision import Situation, decide
from warden.core.evaluation import evaluate
from warden.core.finding import advance
from warden.core.ledger import EntryKind, LedgerEntry
from warden.core.messages import RemediationMessage, TicketEvent, TicketMessage
from warden.core.policy import Limits, parse_policy
from warden.core.rendering.machine import document
from warden.core.ticket_text import ticket
from warden.core.trigger import Cause, Source, Trigger, parse
from warden.pipeline import judge, report
from warden.pipeline.visit import Visit

if TYPE_CHECKING:
    from pathlib import Path

DOCS = pages.ROOT / "docs"
SAFETY = DOCS / "explanation" / "safety.md"
LEDGER = DOCS / "reference" / "ledger.md"
MESSAGES = DOCS / "reference" / "messages.md"
SCAN = DOCS / "reference" / "scan-json.md"
METRICS = DOCS / "reference" / "metrics-and-alarms.md"
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


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
    assert set(re.findall(r"`(open|resolve|fixed)`", pages.text(MESSAGES))) == {
        event.value for event in TicketEvent
    }


def test_the_fields_of_tickets_are_documented() -> None:
    control = all_controls()[0]
    drifted = next(e for e in control.examples if e.expect is ComplianceType.NON_COMPLIANT)
    resource = items.example_resource(control, drifted)
    evaluation = evaluate(control, resource, items.example_settings(control, drifted))
    finding = advance(None, evaluation, resource_key=resource.key, observed_at=NOW)
    assert finding is not None
    assert first_column(MESSAGES, "Field") == set(document(ticket(finding, control)))


def test_the_fields_of_a_scan_are_documented() -> None:
    scan = Scan(account="1", regions=[], policy_version="x").card
    [whole, one] = [rows[1:] for rows in pages.tables(SCAN) if rows[0][0] == "Field"]
    assert {code for row in whole for code in pages.codes(row[0])} == set(scan)
    [block] = [block for block in pages.blocks(SCAN) if "run" in block.words]
    shown = re.findall(r'^      "(\w+)":', block.text, re.MULTILINE)
    assert [pages.codes(row[0])[0] for row in one] == shown


def test_the_fields_of_an_explanation_are_documented() -> None:
    control = all_controls()[0]
    drifted = next(e for e in control.examples if e.expect is ComplianceType.NON_COMPLIANT)
    resource = items.example_resource(control, drifted)
    evaluation = evaluate(control, resource, items.example_settings(control, drifted))
    finding = advance(None, evaluation, resource_key=resource.key, observed_at=NOW)
    assert finding is not None
    policy = parse_policy("version = 1", controls=all_controls())
    known = Known(now=NOW, region="eu-west-1")
    case = Case(finding=finding, control=control, policy=policy, known=known)
    document = Explanation.of(case).to_json()
    assert first_column(DOCS / "how-to" / "explain-a-finding.md", "Field") == set(document)


def test_every_document_that_is_shown_as_json_is_json() -> None:
    for page in pages.WRITTEN:
        for block in pages.blocks(page):
            if block.language == "json":
                json.loads(block.text)


def test_the_answer_to_a_manual_invoke_is_as_shown() -> None:
    control = all_controls()[0]
    drifted = next(e for e in control.examples if e.expect is ComplianceType.NON_COMPLIANT)
    evaluation = evaluate(control, items.example_resource(control, drifted), control.defaults())
    judged = judge.Judgement(
        evaluation=evaluation, plan=None, decision=decide(Situation(compliance=evaluation.compliance))
    )
    [made] = report.summary([Visit(arn=evaluation.ref.arn, judgements=(judged,))])
    [block] = [
        block for block in pages.blocks(DOCS / "how-to" / "invoke-by-hand.md") if block.language == "json"
    ]
    [shown] = json.loads(block.text)["visits"]
    assert set(shown) == set(made)
    [one], [other] = shown["evaluations"], made["evaluations"]
    assert set(one) == set(other)
    assert set(one["decision"]) == set(other["decision"])


# --- numbers ------------------------------------------------------------------------------------------------


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = template()["Resources"][name]["Properties"]
    return found


def test_the_times_that_are_told_are_those_of_the_template() -> None:
    flow = (DOCS / "images" / "flow.svg").read_text(encoding="utf-8")
    assert template()["Parameters"]["SweepSchedule"]["Default"] == "rate(6 hours)"
    assert "every 6 hours" in flow
    assert "every six hours" in pages.text(DOCS / "explanation" / "events-and-the-sweep.md")
    assert properties("DueSchedule")["ScheduleExpression"] == "rate(5 minutes)"
    assert "every 5 min" in flow
    architecture = pages.text(DOCS / "explanation" / "architecture.md")
    batches = properties("EvaluateFunction")["Events"]["Triggers"]["Properties"]
    assert f"({properties('TriggersQueue')['DelaySeconds']} seconds)" in architecture
    assert f"({batches['MaximumBatchingWindowInSeconds']} seconds)" in architecture


def test_the_parts_of_the_stack_are_counted_as_told() -> None:
    types = [(name, resource["Type"]) for name, resource in template()["Resources"].items()]

    def count(kind: str) -> int:
        return sum(found == kind and not name.endswith("DeadLetterQueue") for name, found in types)

    numbers = {3: "three", 4: "four", 8: "eight"}
    readme = " ".join(pages.text(pages.ROOT / "README.md").split())
    functions, queues, tables = (
        numbers[count(kind)]
        for kind in ("AWS::Serverless::Function", "AWS::SQS::Queue", "AWS::DynamoDB::Table")
    )
    assert f"{functions} Lambda functions, {queues} queues, {tables} tables" in readme
    rules = numbers[count("AWS::Events::Rule")]
    assert f"(../reference/events.md) are {rules}," in pages.text(
        DOCS / "explanation" / "events-and-the-sweep.md"
    )
    assert f"Option 3: {rules} rules" in pages.text(DOCS / "adr" / "0008-broad-event-patterns.md")


def test_the_dead_letters_come_after_as_many_failures_as_told() -> None:
    words = {3: "three times", 5: "five times"}
    rows = {
        pages.codes(row[0])[0]: row[1]
        for row in pages.table(DOCS / "how-to" / "handle-a-dead-letter.md", "Alarm")
    }
    for name in ("Triggers", "Remediations", "Tickets"):
        count = properties(f"{name}Queue")["RedrivePolicy"]["maxReceiveCount"]
        assert words[count] in rows[f"{name}DeadLetterAlarm"]
    fourteen_days = 14 * 24 * 3600
    for name in ("Events", "Triggers", "Remediations", "Tickets", "Sweep"):
        assert properties(f"{name}DeadLetterQueue")["MessageRetentionPeriod"] == fourteen_days
    assert properties("RemediationsQueue")["MessageRetentionPeriod"] == fourteen_days


def test_the_waits_that_are_told_are_those_of_the_code() -> None:
    assert timedelta(minutes=5) == deferral.FIRST
    assert timedelta(hours=1) == deferral.LONGEST
    assert timedelta(days=1) == deferral.PATIENCE
    told = " ".join(pages.text(DOCS / "explanation" / "architecture.md").split())
    assert "five minutes, doubles with each look up to an hour, and after a day a person is told" in told
    shipped = Limits()
    assert shipped.attempts_window_hours / shipped.attempts == 8
    assert "eight hours, as shipped" in pages.text(SAFETY)


# --- metrics ------------------------------------------------------------------------------------------------


def test_the_metrics_are_those_that_the_functions_send() -> None:
    sources = [
        *(pages.ROOT / "functions").glob("*/app.py"),
        pages.ROOT / "layers/warden/warden/pipeline/report.py",
    ]
    code = "".join(path.read_text(encoding="utf-8") for path in sources)
    sent = set(re.findall(r'(?:totals?\["|metrics\.count\(")(\w+)"', code))
    assert "total[f\"Decision{judgement.decision.action.title().replace('_', '')}\"]" in code
    assert 'metrics.count(f"Outcome{outcome.status.title()}"' in code
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
