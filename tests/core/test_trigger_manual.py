"""Messages of Warden's own: read, written, and refused with a remedy."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warden.core.errors import MalformedEventError
from warden.core.resource import ARN_TYPES, ResourceRef
from warden.core.trigger import Cause, Lookup, Source, Trigger, WholeKind, encode, parse

RECEIVED_AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
ARN = "arn:aws:rds:eu-west-1:123456789012:cluster:orders"


def read(message):
    (part,) = parse(message, received_at=RECEIVED_AT)
    return part


def refusal(message):
    with pytest.raises(MalformedEventError) as refused:
        parse(message, received_at=RECEIVED_AT)
    return str(refused.value)


def test_an_arn_alone_is_a_persons_wish_made_now():
    trigger = read({"resource": ARN})
    assert trigger.target == ResourceRef.from_arn(ARN)
    assert trigger.cause == Cause(source=Source.MANUAL, event_name="manual", event_id="", at=RECEIVED_AT)


def test_an_arn_in_capitals_is_the_resource_as_rds_stores_it():
    assert read({"resource": ARN.replace("orders", "Orders")}).target.arn == ARN


def test_a_cause_is_kept():
    cause = {
        "source": "deferral",
        "event_name": "ModifyDBCluster",
        "event_id": "c64a3e6c",
        "at": "2026-11-23T09:00:00Z",
        "principal": "arn:aws:iam::123456789012:role/Developer",
    }
    assert read({"resource": ARN, "cause": cause}).cause == Cause(
        source=Source.DEFERRAL,
        event_name="ModifyDBCluster",
        event_id="c64a3e6c",
        at=datetime(2026, 11, 23, 9, tzinfo=UTC),
        principal="arn:aws:iam::123456789012:role/Developer",
    )


def test_a_cause_without_a_name_and_a_time_gets_its_sources_name_and_the_arrival():
    cause = read({"resource": ARN, "cause": {"source": "sweep"}}).cause
    assert (cause.event_name, cause.at) == ("sweep", RECEIVED_AT)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("orders", "resource is 'orders', which is not an ARN"),
        ("", "resource is empty"),
        (None, "resource is missing"),
        (["x"], "resource is a list, not a string"),
        ("arn:aws:s3:::orders-exports", "resource is 'arn:aws:s3:::orders-exports', which is not a resource"),
        ("arn:aws:rds:eu-west-1:123456789012:og:options", "which is not a resource that Warden knows"),
        ("arn:aws:rds:eu-west-1:1234:cluster:orders", "its account is not twelve digits"),
        ("arn:aws:rds::123456789012:cluster:orders", "its Region is no Region's name"),
        ("arn:aws:rds:eu-west-1:123456789012:global-cluster:g", "which a global cluster's ARN leaves empty"),
        ("arn:aws:rds:eu-west-1:123456789012:cluster:", "it does not end with an identifier"),
        ("arn:aws:rds:eu-west-1:123456789012:cluster", "it does not end with an identifier"),
        ("arn:gcp:rds:eu-west-1:123456789012:cluster:x", "its partition is not one of AWS's"),
        ("arn:aws:rds:eu-west-1:123456789012:cluster:a b", "it does not end with an identifier"),
        (
            "arn:aws:rds:eu-west-1:\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff10\uff11\uff12:cluster:x",
            "its account is not twelve digits",
        ),
    ],
)
def test_a_bad_arn_is_refused_with_the_key_and_the_remedy(value, complaint):
    sentence = refusal({"resource": value})
    assert complaint in sentence
    assert sentence.startswith("resource is ")
    assert "give the ARN" in sentence


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ({"resource": ARN, "dry_run": True}, "the message has 'dry_run'; known are cause, resource"),
        ({"resource": ARN, "lookup": {}}, "give one of resource, lookup, whole_kind"),
        ({"resource": ARN, "cause": "audit"}, "cause is a string, not an object"),
        ({"resource": ARN, "cause": {"at": "2026-11-23T09:00:00Z"}}, "cause.source is missing"),
        ({"resource": ARN, "cause": {"source": "terraform"}}, "cause.source is 'terraform'; known are"),
        ({"resource": ARN, "cause": {"source": "sweep", "at": "soon"}}, "cause.at is 'soon'"),
        ({"resource": ARN, "cause": {"source": "sweep", "password": "x"}}, "cause has 'password'"),
        ({"lookup": {"resource_type": "AWS::RDS::Table"}}, "lookup.resource_type is 'AWS::RDS::Table'"),
        ({"whole_kind": {"resource_type": "AWS::RDS::DBProxy"}}, "whole_kind.account is missing"),
        ({"whole_kind": "AWS::RDS::DBProxy"}, "whole_kind is a string, not an object"),
    ],
)
def test_a_message_that_is_not_as_we_write_it_is_refused(message, sentence):
    assert sentence in refusal(message)


ACCOUNTS = st.from_regex(r"[0-9]{12}", fullmatch=True).filter(str.isascii)
REGIONS = st.sampled_from(["eu-west-1", "us-gov-west-1", "ap-southeast-7", "cn-north-1"])
NAMES = st.from_regex(r"[a-z][a-z0-9.:-]{0,60}", fullmatch=True).filter(str.isascii)
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=100)
TARGETS = st.one_of(
    st.builds(
        lambda kind, region, account, name: ResourceRef.build(
            kind, partition="aws", region=region, account=account, name=name
        ),
        st.sampled_from(sorted(ARN_TYPES.values())),
        REGIONS,
        ACCOUNTS,
        NAMES,
    ),
    st.builds(Lookup, st.sampled_from(sorted(ARN_TYPES.values())), ACCOUNTS, REGIONS, NAMES),
    st.builds(WholeKind, st.sampled_from(sorted(ARN_TYPES.values())), ACCOUNTS, REGIONS),
)
CAUSES = st.builds(
    Cause,
    source=st.sampled_from(Source),
    event_name=PRINTABLE.filter(bool),
    event_id=PRINTABLE,
    at=st.datetimes(
        min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis wants bounds without a zone
        max_value=datetime(2040, 1, 1),  # noqa: DTZ001 - the same
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]),
    ),
    principal=PRINTABLE,
    user_agent=PRINTABLE,
    source_ip=PRINTABLE,
    invoked_by=PRINTABLE,
    error_code=PRINTABLE,
)


@given(st.builds(Trigger, target=TARGETS, cause=CAUSES))
def test_whatever_is_written_is_read_again(trigger):
    message = json.loads(json.dumps(encode(trigger)))
    assert parse(message, received_at=RECEIVED_AT) == (trigger,)


def test_a_written_message_says_only_what_there_is_to_say():
    cause = Cause(source=Source.SWEEP, event_name="sweep", event_id="", at=RECEIVED_AT)
    assert encode(Trigger(target=ResourceRef.from_arn(ARN), cause=cause)) == {
        "resource": ARN,
        "cause": {"source": "sweep", "at": "2026-11-24T12:00:00+00:00", "event_name": "sweep"},
    }
