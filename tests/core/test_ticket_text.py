"""What a ticket says, and that nothing in it is taken for anything but text."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from markdown_it import MarkdownIt

from fakes import NOW
from fakes.aws import HERE
from gateways.test_sns import FINDING
from warden.controls import cluster_deletion_protection_enabled as protection
from warden.core import collections
from warden.core.rendering import markdown, plain
from warden.core.rendering.notification import notification
from warden.core.ticket import Handle, Resolution, TicketState, ticket_id
from warden.core.ticket_room import fitted
from warden.core.ticket_rows import Member, TicketRow
from warden.core.ticket_text import Story, ticket, why_it_matters

HOSTILE = (
    "x\u202e <!channel> @here [x](https://evil.example) =cmd|' /C calc'!A0 www.evil.example `a` **b** \x07"
)
CAUSE = {
    "source": "cloudtrail",
    "event_id": "1f2e-3d",
    "event_name": "ModifyDBCluster",
    "principal": "arn:aws:iam::123456789012:user/alice",
}
FOUND = replace(FINDING, control="cluster_deletion_protection_enabled", cause=CAUSE)


def told(story: Story | None = None, **members: object) -> str:
    return plain.text(ticket(replace(FOUND, **members), protection.CONTROL, story=story or Story()))


def test_a_ticket_says_everything_that_a_person_needs():
    text = told(Story(owner="payments"))
    for part in (
        "[HIGH] orders does not meet: ",
        "Owner:      payments",
        "Changed by: arn:aws:iam::123456789012:user/alice (ModifyDBCluster), as the event claims",
        "aws rds modify-db-cluster --db-cluster-identifier orders --deletion-protection",
        "CloudFormation `DeletionProtection: true`",
        "Without deletion protection one call deletes the cluster",
        "[[exemptions]]",
        'resource = "cluster-ABC"',
        "https://eu-west-1.console.aws.amazon.com/rds/home?region=eu-west-1#database:id=orders;is-cluster=true",
        "https://eu-west-1.console.aws.amazon.com/cloudtrailv2/home?region=eu-west-1#/events/1f2e-3d",
        f"warden ledger {FINDING.arn}",
    ):
        assert part in text, part
    assert "warden undo" not in text, "there is nothing to take back"


def test_what_warden_wrote_can_be_taken_back_and_the_ticket_says_how():
    text = told(attempts=(NOW, NOW + timedelta(hours=1)))
    assert "Warden wrote to it 2 times, the last time at 2026-11-24 11:00 UTC." in text
    assert "warden undo ENTRY --reason" in text


@pytest.mark.parametrize("why", Resolution)
def test_a_resolved_ticket_says_why_and_shows_the_evidence(why):
    text = told(Story(state=TicketState.RESOLVED, resolution=why))
    assert "nothing is left to do" in text or "nobody has to act" in text or "it is left so" in text
    assert 'Engine = "aurora-postgresql"' in text
    assert "How to fix it" not in text


def test_a_ticket_after_another_names_it():
    text = told(Story(previous=Handle("OPS-1", "https://jira.example/OPS-1")))
    assert "Before this: https://jira.example/OPS-1" in text


def test_another_generation_or_incarnation_is_another_id():
    ids = {
        ticket_id("key", generation=generation, incarnation=incarnation)
        for generation in (1, 2, 3)
        for incarnation in (1, 2, 3)
    }
    assert len(ids) == 9
    assert all(len(one) == 40 for one in ids)


def test_names_and_tags_are_harmless_in_every_form():
    hostile = ticket(
        replace(FOUND, annotation=HOSTILE, title=HOSTILE, manual=HOSTILE, evidence={HOSTILE: HOSTILE}),
        None,
        story=Story(owner=HOSTILE),
    )
    shown = markdown.text(hostile)
    tokens = [token for block in MarkdownIt().parse(shown) for token in (block, *(block.children or ()))]
    links = [token.attrs["href"] for token in tokens if token.type == "link_open"]
    assert all("console.aws.amazon.com" in link for link in links)
    assert {token.type for token in tokens} & {"html_inline", "html_block", "image"} == set()
    words = " ".join(token.content for token in tokens if token.type == "text")
    assert "**b**" in words, "it is shown, and emphasises nothing"
    for sign in ("@here", "<!channel>", "https://evil", "www.evil"):
        assert sign not in words, sign
    chat = notification(hostile)
    said = json.dumps([chat["content"]["title"], chat["content"]["description"]], ensure_ascii=False)
    for sign in ("@here", "<!channel>", "://evil", "*b*", "`a`"):
        assert sign not in said, sign
    for text in (plain.text(hostile), shown, said):
        assert "\u202e" not in text
        assert "\x07" not in text
    assert not plain.subject(hostile).startswith(("=", "+", "-", "@"))


def test_a_ticket_that_is_too_long_loses_evidence_first_and_says_so():
    whole = ticket(replace(FOUND, evidence={"Members": "x" * 9_000}), protection.CONTROL)
    short = fitted(whole, lambda candidate: len(plain.text(candidate)) <= 6_000)
    text = plain.text(short)
    assert len(text) <= 6_000
    assert "What was read: `warden ledger` has all of it." in text
    assert "aws rds modify-db-cluster" in text
    tiny = plain.text(fitted(whole, lambda candidate: len(plain.text(candidate)) <= 700))
    assert len(tiny) <= 700
    assert "[HIGH] orders does not meet" in tiny


def test_a_notification_is_a_thread_of_its_ticket():
    first = notification(ticket(FOUND, protection.CONTROL))
    last = notification(ticket(FOUND, protection.CONTROL, TicketState.RESOLVED))
    assert (first["version"], first["source"]) == ("1.0", "custom")
    assert first["metadata"]["threadId"] == last["metadata"]["threadId"]
    assert first["id"] != last["id"]
    assert "aws rds modify-db-cluster" in first["content"]["nextSteps"][0]
    assert last["metadata"]["eventType"] == "RESOLVED"


def test_every_control_says_why_it_matters():
    assert why_it_matters(protection.CONTROL).startswith("Without deletion protection one call deletes")
    assert "Remediation safety" not in why_it_matters(protection.CONTROL)


def test_a_collection_lists_the_gravest_and_counts_the_rest():
    row = TicketRow(
        key="group|c|1|x", state="open", digest="1", opened_at=NOW, changed_at=NOW, owner="payments"
    )
    members = [
        Member(
            group=row.key,
            finding_id=f"c|{number}",
            state="open" if number else "resolved",
            arn=FOUND.arn,
            severity="HIGH",
            annotation=f"resource {number}",
        )
        for number in range(301)
    ]
    text = plain.text(collections.ticket(row, members, [FOUND], protection.CONTROL, Story(owner="payments")))
    assert "[HIGH] 300 resources of payments do not meet" in text
    assert "300 of 301 findings are open" in text
    assert "and 100 more" in text
    assert "resource 0\n" not in text


def test_an_owner_may_be_whatever_somebody_wrote_into_a_tag():
    assert collections.group_key("ü|" * 500, "c", HERE).isascii()
    assert collections.control_of(collections.group_key("a|b", "c", HERE)) == "c"
    assert collections.group_key("a", "c", HERE) != collections.group_key("b", "c", HERE)
