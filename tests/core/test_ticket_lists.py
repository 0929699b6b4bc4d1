"""What a ticket of many findings names where a system takes no long texts: never a list that is gone."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from fakes import NOW
from gateways.test_sns import FINDING
from warden.controls import cluster_deletion_protection_enabled as protection
from warden.core import collections
from warden.core.rendering import adaptive_card, adf, block_kit, machine, markdown, wiki
from warden.core.ticket_room import fitted
from warden.core.ticket_rows import OPEN, Member, TicketRow
from warden.core.ticket_text import Story
from warden.gateways import opscenter, sns
from warden.gateways.sinks import github, servicenow

if TYPE_CHECKING:
    from collections.abc import Callable

    from warden.core.ticket import Ticket

SINKS: dict[str, Callable[[Ticket], str]] = {
    "jira": lambda ticket: json.dumps(adf.document(ticket)),
    "jira-data-center": wiki.text,
    "opscenter": lambda ticket: opscenter._fields(ticket)["Description"],
    "servicenow": lambda ticket: servicenow._texts(ticket)["description"],
    "slack": lambda ticket: json.dumps(block_kit.message(ticket)),
    "teams": lambda ticket: json.dumps(adaptive_card.message(ticket)),
    "sns": lambda ticket: sns.publication(ticket)["Message"],
    "github": github._body,
}


def of_many(count: int, *, annotation: str = FINDING.annotation) -> Ticket:
    row = TicketRow(
        key="group|c|123456789012|eu-west-1|x",
        state=OPEN,
        digest="1",
        opened_at=NOW,
        changed_at=NOW,
        owner="platform",
    )
    members = [
        Member(
            group=row.key,
            finding_id=f"c|123456789012/eu-west-1/AWS::RDS::DBCluster/cluster-{number:04}",
            state=OPEN,
            arn=f"{FINDING.arn}-payments-{number:04}",
            severity="HIGH",
            annotation=annotation,
        )
        for number in range(count)
    ]
    return collections.ticket(row, members, [FINDING], protection.CONTROL, Story(owner="platform"))


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize(("count", "annotation"), [(10, 40), (40, 40), (200, 40), (200, 300), (300, 300)])
def test_every_sink_names_as_many_as_it_has_room_for_and_counts_the_others(
    sink: str, count: int, annotation: int
) -> None:
    text = SINKS[sink](of_many(count, annotation="w" * annotation)).replace("\\", "")
    named = {number for number in range(count) if f"-payments-{number:04}" in text}
    assert named == set(range(len(named))), "the gravest first"
    assert len(named) >= min(count, 4)
    if len(named) == count:
        assert "more:" not in text
    else:
        [more] = re.findall(r"and (\d+) more", text)
        assert len(named) + int(more) == count
        assert "warden tickets --ticket" in text
    assert "warden ledger" not in text


def test_a_list_is_shortened_no_more_than_it_must_be() -> None:
    ticket = of_many(50)
    text = markdown.text(fitted(ticket, lambda one: len(markdown.text(one)) <= 5_000))
    assert 4_700 < len(text) <= 5_000
    assert "docs/reference/controls" in text


def test_programs_get_every_open_finding_of_many_up_to_a_hundred() -> None:
    told = machine.document(of_many(60))["findings"]
    assert len({one["resource"] for one in told}) == 60
    assert told[0] == {"control": "c", "resource": f"{FINDING.arn}-payments-0000", "severity": "HIGH"}
    assert len(machine.document(of_many(300))["findings"]) == 100
