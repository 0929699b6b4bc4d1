"""Anything may arrive: an event is read, or refused as malformed, and nothing else ever happens."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from warden.core.errors import MalformedEventError
from warden.core.trigger import Ignored, IgnoredReason, Trigger, encode, parse

EVENTS = Path(__file__).resolve().parents[2] / "events"
RECEIVED_AT = datetime(2026, 11, 24, tzinfo=UTC)
SAMPLES = [json.loads(path.read_text()) for path in sorted(EVENTS.rglob("*.json"))]

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        [
            "",
            "arn:",
            "arn:aws:rds",
            "arn:aws:rds:eu-west-1:123456789012:cluster",
            "arn:aws:rds:eu-west-1:123456789012:cluster:x",
            "arn:aws:rds::123456789012:global-cluster:g",
            "arn:aws:rds:eu-west-1:123456789012:dbinstance:db-WMDXDSGF3AMIMZHKBUTOTGXBOM",
            "arn:aws:s3:::bucket",
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-23:59",
            "\ud800",
            "\x00",
            "x" * 300,
            "AWS::RDS::DBCluster",
            "RDS-EVENT-0172",
            "docdb",
        ]
    ),
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=6,
)


def places(value, path=()):
    """The paths to everything in a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


@st.composite
def mutated(draw):
    event = copy.deepcopy(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 3))):
        found = [path for path in places(event) if path]
        if not found:
            return draw(JUNK)
        # The higher an entry is, the more of the reading depends on it.
        depth = draw(st.integers(1, 7))
        *way, last = draw(st.sampled_from([path for path in found if len(path) <= depth]))
        holder = event
        for key in way:
            holder = holder[key]
        change = draw(st.sampled_from(["replace", "remove", "rename", "repeat"]))
        if change == "replace":
            holder[last] = draw(JUNK)
        elif change == "remove":
            del holder[last]
        elif change == "rename" and isinstance(holder, dict):
            holder[draw(st.text(max_size=8))] = holder.pop(last)
        else:
            holder[last] = [copy.deepcopy(holder[last])] * 2
    return event


def read_or_refused(event):
    before = copy.deepcopy(event)
    sentence = ""
    parts = ()
    try:
        parts = parse(event, received_at=RECEIVED_AT)
    except MalformedEventError as error:
        sentence = str(error)
    assert repr(event) == repr(before)
    assert bool(parts) != bool(sentence)
    assert len(sentence) < 700
    for part in parts:
        if isinstance(part, Ignored):
            assert isinstance(part.reason, IgnoredReason)
            assert part.detail
        else:
            assert isinstance(part, Trigger)
            assert part.cause.at.tzinfo is not None
            # Whatever was read can be put into a queue and read again.
            assert parse(json.loads(json.dumps(encode(part))), received_at=RECEIVED_AT) == (part,)


@settings(max_examples=400, deadline=None)
@given(mutated())
def test_a_mutated_sample_is_read_or_refused(event):
    read_or_refused(event)


@settings(max_examples=200, deadline=None)
@given(JUNK)
def test_any_json_is_read_or_refused(event):
    read_or_refused(event)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([event for event in SAMPLES if isinstance(event, dict)]), st.data())
def test_a_sample_whose_every_value_may_be_another_is_read_or_refused(sample, data):
    event = {key: data.draw(st.one_of(st.just(value), JUNK)) for key, value in sample.items()}
    if isinstance(event.get("detail"), dict):
        event["detail"] = {
            key: data.draw(st.one_of(st.just(value), JUNK)) for key, value in event["detail"].items()
        }
    read_or_refused(event)
