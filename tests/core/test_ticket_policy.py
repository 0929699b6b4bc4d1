"""The section [tickets] of a policy: what it means, and that what it does not know is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateways.test_sns import FINDING
from pipeline.world import CONTROLS
from warden.core.errors import PolicyError
from warden.core.policy import Policy, parse_policy
from warden.core.sinks import SINK_TYPES
from warden.sinks import NOTIFIERS, TRACKERS


def parsed(text: str = "") -> Policy:
    return parse_policy(f"version = 1\n{text}", controls=CONTROLS)


def test_without_a_line_people_are_told_by_the_topic_and_opscenter():
    tickets = parsed().tickets
    assert [sink.type for sink in tickets.sinks] == ["sns", "opscenter"]
    assert not any("secret" in sink.options for sink in tickets.sinks)
    assert tickets.route(FINDING) == ("sns", "opscenter")
    assert tickets.owner(FINDING) == "123456789012"
    assert (tickets.group, tickets.flood, tickets.daily, tickets.reopen_days) == ("flood", 5, 50, 14)


def test_the_first_route_that_holds_decides():
    tickets = parsed(
        """
[[tickets.routes]]
severities = ["CRITICAL"]
sinks = ["sns"]
[[tickets.routes]]
accounts = ["123456789012"]
modes = ["ticket"]
tags = { team = "payments" }
sinks = ["opscenter"]
"""
    ).tickets
    assert tickets.tags == {"owner", "team"}
    ticketed = replace(FINDING, decision={"mode": "ticket"}, tags={"team": "payments", "owner": "ann"})
    assert tickets.route(replace(FINDING, severity="CRITICAL")) == ("sns",)
    assert tickets.route(ticketed) == ("opscenter",)
    assert tickets.route(replace(ticketed, tags={})) == ("sns", "opscenter")
    assert tickets.route(replace(ticketed, decision={"mode": "remediate"})) == ("sns", "opscenter")
    assert tickets.owner(ticketed) == "ann"


def test_several_sinks_of_one_type_have_names_of_their_own():
    [first, second] = parsed(
        '[[tickets.sinks]]\ntype = "sns"\n[[tickets.sinks]]\ntype = "sns"\nname = "chat"\nform = "chat"\n'
    ).tickets.sinks
    assert (first.name, first.options["form"]) == ("sns", "text")
    assert (second.name, second.options["form"]) == ("chat", "chat")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tickets]\ngroups = 1", "tickets.groups: is not a key that exists here"),
        ('[tickets]\ngroup = "owner"', "tickets.group: 'owner' is not one of finding"),
        ("[tickets]\nflood = 0", "tickets.flood: 0 is not between"),
        ('[tickets]\ndaily = "many"', "tickets.daily"),
        ("[tickets]\nsinks = []", "tickets.sinks: is empty, so nobody would be told"),
        ('[[tickets.sinks]]\nname = "x"', r"tickets.sinks\[0\].type: is missing; known are"),
        ('[[tickets.sinks]]\ntype = "pigeon"', "there is no sink 'pigeon'; known are"),
        ('[[tickets.sinks]]\ntype = "sns"\ntopic = "x"', r"tickets.sinks\[0\].topic: is not a key"),
        ('[[tickets.sinks]]\ntype = "sns"\nform = "html"', "'html' is not one of text, chat"),
        ('[[tickets.sinks]]\ntype = "sns"\ntopic_arn = "x"', "does not match"),
        ('[[tickets.sinks]]\ntype = "eventbridge"\nbus = 1', "1 is not a str"),
        ('[[tickets.sinks]]\ntype = "sns"\nname = "A b"', "is not a short name"),
        ('[[tickets.sinks]]\ntype = "sns"\n[[tickets.sinks]]\ntype = "sns"', "is the name of another sink"),
        ('[[tickets.routes]]\nsinks = ["jira"]', "'jira' is not known; known are opscenter, sns"),
        ("[[tickets.routes]]\nsinks = []", "nobody would be told; name at least one sink"),
        ('[[tickets.routes]]\nseverities = ["HIGH"]', r"tickets.routes\[0\].sinks: is missing"),
        ('[[tickets.routes]]\nsinks = ["sns"]\nseverities = ["high"]', "'high' is not known"),
        ('[[tickets.routes]]\nsinks = ["sns"]\nmodes = ["observe"]', "'observe' is not known"),
        ('[[tickets.routes]]\nsinks = ["sns"]\ncontrols = ["x"]', "there is no control 'x'"),
        ('[[tickets.routes]]\nsinks = ["sns"]\naccounts = ["1"]', "is not an account id"),
        ('[[tickets.routes]]\nsinks = ["sns"]\ntags = { a = 1 }', "1 is not a str"),
        ('[[tickets.routes]]\nsinks = ["sns"]\nregion = "x"', "is not a key that exists here"),
    ],
)
def test_what_is_not_known_is_refused(text, says):
    with pytest.raises(PolicyError, match=says):
        parsed(text)


def test_every_kind_of_sink_can_be_made():
    assert set(SINK_TYPES) == {*NOTIFIERS, *TRACKERS}
    assert {name for name, kind in SINK_TYPES.items() if kind.keeps_tickets} == set(TRACKERS)
