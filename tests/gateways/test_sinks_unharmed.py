"""What others wrote into names, tags and errors is shown by every system, and does nothing in any of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes import NOW
from fakes.trackers import desk
from fakes.trackers.desk import FINDING, SYSTEMS, a_ticket
from warden.core.ledger import plain
from warden.core.rendering import adaptive_card, adf, block_kit, markdown, wiki
from warden.core.sections import Bullets, Code, Facts, Link, Links, Paragraph, Section
from warden.core.ticket import TicketState
from warden.core.ticket_room import bounded
from warden.gateways.event_bus import entry
from warden.gateways.sns import publication

if TYPE_CHECKING:
    from fakes.trackers import Server
    from warden.core.ticket import Ticket

HOSTILE = (
    "<!channel> <@U012AB3CD> <!here|here> @channel @everyone @acme/security",
    "[~admin] {panel}x{panel} {noformat} {code} h1. x bq. y !https://evil.example/x.png! [x|https://evil.example]",
    "[click](https://evil.example) ![x](https://evil.example/x.png) <img src=x onerror=alert(1)> </details>",
    "``` `` ` ~~~ ```\n# heading\n- list\n> quote\n| a | b |",
    '=HYPERLINK("https://evil.example") +1 -1 @SUM(A1)',
    "{{DATE(2026-01-01T00:00:00Z)}} ${data} @{triggerBody()} <at>everyone</at>",
    "[code]<script>alert(1)</script>[/code]",
    '" OR project = SECRET OR labels = "x ^ORnumber!=1 javascript:gs.exit()',
    "\u202eevil\u202c \x00\x1b[31m \ud800 \u2028 end",
    "a\r\nSubject: b\r\n\r\nc",
    "<!-- aurora-warden " + "0" * 40 + " -->",
    "x" * 50_000,
    "&lt;!channel&gt; &amp; &#64;channel",
)


def hostile(text: str) -> Ticket:
    """A ticket that has the text wherever others can put it."""
    finding = replace(
        FINDING,
        severity="CRITICAL",
        arn=f"arn:aws:rds:eu-west-1:123456789012:cluster:{text}",
        annotation=f"{text} takes connections without TLS. {text}",
        evidence={text: text, "Tags": {text: [text]}},
        decision={"action": "TICKET", "reason": "flapping", "owner_stack": text},
        plan=({"operation": "ModifyDBCluster", "parameters": {"DBClusterIdentifier": text}},),
        manual=f"{text}\n    {text}\n{text}",
        cause={"principal": text, "event_name": text, "user_agent": text},
        reverts=({"at": "2026-11-24T09:00:00Z", "principal": text, "user_agent": text},),
        tags={"owner": text},
    )
    return a_ticket(finding=finding, owner=text)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_takes_it(trackers: Server, name: str, text: str) -> None:
    made = desk.desk(trackers, name)
    ticket = hostile(text)
    if hasattr(made.sink, "create"):
        handle = made.sink.create(ticket)
        assert made.sink.find(ticket) == handle
        made.sink.comment(handle, ticket, text)
        made.sink.resolve(handle, replace(ticket, state=TicketState.RESOLVED))
        made.sink.reopen(handle, ticket)
    else:
        made.sink.notify(ticket)
        made.sink.notify(replace(ticket, state=TicketState.RESOLVED))
    assert made.server.refused == []


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_slack_reads_no_mention_and_no_link_but_ours(text: str) -> None:
    message = block_kit.message(hostile(text))
    marked = [block["text"]["text"] for block in message["blocks"] if block["text"]["type"] == "mrkdwn"]
    for one in [*marked, message["text"]]:
        ours = re.sub(r"<https://[^|<>\s]+amazon[^|<>\s]*\|[^<>]*>", "", one)
        assert "<" not in ours
        assert ">" not in ours
    for one in marked:
        assert one.count("```") in {0, 2}


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_jira_of_a_data_center_reads_no_markup_but_ours(text: str) -> None:
    shown = wiki.text(hostile(text))
    blocks = shown.split("{noformat}")
    assert len(blocks) % 2 == 1
    for outside in blocks[::2]:
        bare = re.sub(r"\\.", "", outside)
        bare = re.sub(r"\[[A-Za-z ]+\|https://[^\]|]+\]", "", bare)
        assert not re.search(r"[{}\[\]!~^|]", bare), bare
    for inside in blocks[1::2]:
        assert "{noformat" not in inside.lower()


def test_a_backslash_is_shown_and_breaks_no_line() -> None:
    assert wiki.escaped(r"C:\\x \\\\ [y]") == r"C:&#92;&#92;x &#92;&#92;&#92;&#92; \[y\]"


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_teams_reads_no_markdown_and_no_mention(text: str) -> None:
    message = adaptive_card.message(hostile(text))
    card = message["attachments"][0]["content"]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert "entities" not in json.dumps(message)
    for run in (run for block in card["body"] for run in block["inlines"]):
        assert not re.search(r"\{\{|\$\{|<at>|\n", run["text"])
    assert all(action["url"].split("/")[2].endswith("amazon.com") for action in card.get("actions", ()))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_github_reads_no_mention_and_no_html(text: str) -> None:
    shown = markdown.text(hostile(text))
    fenced = re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", shown)
    spans = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", fenced)
    assert not re.search(r"(?<!\\)<(?=[a-zA-Z/!])|(?<![\w\\])@\w", spans), spans


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_servicenow_shows_no_html_in_its_journal(trackers: Server, text: str) -> None:
    made = desk.desk(trackers, "servicenow")
    handle = made.sink.create(a_ticket())
    made.sink.comment(handle, a_ticket(), text)
    [record] = made.system.records.values()
    assert "[code]" not in "".join(record["notes"])
    assert record["short_description"].startswith("[")


anything = st.text(st.characters(exclude_categories=()), max_size=4000)
blocks = st.one_of(
    st.builds(Paragraph, anything),
    st.builds(Code, anything),
    st.builds(lambda rows: Facts(tuple(rows)), st.lists(st.tuples(anything, anything), max_size=5)),
    st.builds(lambda items: Bullets(tuple(items)), st.lists(anything, max_size=30)),
    st.just(Links((Link("Look", "https://console.aws.amazon.com/x"),))),
)
sections = st.lists(
    st.builds(
        lambda content, weight: Section(heading="A heading", blocks=tuple(content), weight=weight),
        st.lists(blocks, max_size=4),
        st.integers(0, 6),
    ),
    max_size=8,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(sections, anything, st.integers(1, 40))
def test_every_rendering_keeps_its_limit(parts: list[Section], summary: str, times: int) -> None:
    ticket = a_ticket(sections=tuple(parts * times), summary=summary * times)
    assert len(json.dumps(adf.document(ticket), ensure_ascii=False)) <= adf.LIMIT
    assert len(wiki.text(ticket)) <= wiki.LIMIT
    assert len(adaptive_card.encoded(adaptive_card.message(ticket))) <= adaptive_card.LIMIT
    message = block_kit.message(ticket)
    assert 1 <= len(message["blocks"]) <= block_kit.BLOCKS_LIMIT
    texts: list[dict[str, Any]] = [block["text"] for block in message["blocks"]]
    assert all(1 <= len(text["text"]) <= block_kit.TEXT_LIMIT for text in texts)


@settings(max_examples=60, deadline=None)
@given(anything)
def test_a_comment_keeps_its_limit(text: str) -> None:
    assert len(json.dumps(adf.comment(text * 40), ensure_ascii=False)) <= adf.LIMIT
    assert len(wiki.comment(text * 40)) <= wiki.LIMIT


FORMULAS = (
    '=HYPERLINK("https://evil.example")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\uff1d1+1",
    "\t=1",
    "\u200b=1",
)


def texts(value: Any) -> list[str]:
    """Every text in what a system holds."""
    match value:
        case str():
            return [value]
        case dict():
            return [text for one in value.values() for text in texts(one)]
        case list():
            return [text for one in value for text in texts(one)]
    return []


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("name", ["jira", "jira-data-center", "servicenow", "github"])
def test_nothing_that_a_tracker_exports_begins_like_a_formula(trackers: Server, name: str, text: str) -> None:
    made = desk.desk(trackers, name)
    ticket = a_ticket(summary=text, title=text)
    handle = made.sink.create(ticket)
    made.sink.comment(handle, ticket, text)
    made.sink.resolve(handle, replace(ticket, state=TicketState.RESOLVED))
    shelf = getattr(made.system, "issues", None) or made.system.records
    for one in texts(list(shelf.values())):
        assert one.lstrip()[:1] not in {"=", "+", "-", "@", "\uff1d"} or one == "-", one
    assert made.server.refused == []


@pytest.mark.parametrize("text", ["\U0001f600" * 60_000, "a\U0001f600" * 40_000, "\U0001f600" * 255])
def test_what_is_beyond_sixteen_bits_counts_twice_as_vendors_count(trackers: Server, text: str) -> None:
    jira = desk.desk(trackers, "jira-data-center")
    handle = jira.sink.create(a_ticket(title=text, summary=text))
    fields = jira.system.issues[handle.id]["fields"]
    assert len(fields["summary"].encode("utf-16-le")) // 2 < 255
    assert len(fields["description"].encode("utf-16-le")) // 2 <= 32_767
    now = desk.desk(trackers, "servicenow")
    record = now.system.records[now.sink.create(a_ticket(title=text, summary=text)).id]
    assert len(record["short_description"].encode("utf-16-le")) // 2 <= 160
    assert len(record["description"].encode("utf-16-le")) // 2 <= 4_000


def test_half_a_surrogate_pair_is_sent_to_nobody(trackers: Server) -> None:
    made = desk.desk(trackers, "webhook")
    made.sink.notify(
        a_ticket(
            finding=replace(FINDING, annotation="a\ud800b \ud83d\ude00", evidence={"\udfff": ["\ud800"]})
        )
    )
    [request] = made.server.calls("POST")
    told = json.loads(request.body)
    assert told["annotation"] == "a\ufffdb \U0001f600"
    assert told["evidence"] == {"\ufffd": ["\ufffd"]}
    assert b"\\ud800" not in request.body.replace(b"\\ud83d", b"")


@pytest.mark.parametrize("text", ["x" * 100_000, "\U0001f600" * 4_000])
def test_names_without_end_fit_wherever_they_are_told(trackers: Server, text: str) -> None:
    ticket = hostile(text)
    sent = publication(ticket)
    assert len(sent["Message"].encode()) <= 256 * 1024
    told = entry(ticket, bus="default", now=NOW)
    assert len(told["Detail"]) + sum(len(one.encode()) for one in told["Resources"]) <= 256 * 1024
    made = desk.desk(trackers, "pagerduty")
    made.sink.notify(ticket)
    assert made.system.alerts == {ticket.id: "triggered"}


def test_what_is_beyond_all_bounds_is_cut_once_for_all_systems() -> None:
    ticket = hostile("x" * 100_000)
    short = bounded(ticket)
    assert len(short.title) <= 512
    assert len(short.owner) <= 512
    assert len(short.summary) <= 16_384
    assert max(len(text) for text in texts(plain(short.finding.evidence))) <= 65_536
    assert bounded(short) == short
    assert bounded(a_ticket()) == a_ticket()


@pytest.mark.parametrize("text", ["#12", "acme/db#12", "GH-12", "gh-7", ":boom:", ":+1:", "secret:secret:x"])
def test_github_finds_no_reference_and_no_emoji(text: str) -> None:
    # "Autolinked references and URLs" and "Emoji": both are looked for in what Markdown shows, without backslashes.
    shown = re.sub(r"\\(.)", r"\1", markdown.escaped(f"before {text} after"))
    assert not re.search(r"#\d|\bgh-\d|:(boom|\+1|secret):", shown, re.IGNORECASE)
    assert shown.replace("\u200b", "") == f"before {text} after"


def test_an_arn_in_a_text_can_be_copied() -> None:
    arn = "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
    assert markdown.escaped(arn) == arn
