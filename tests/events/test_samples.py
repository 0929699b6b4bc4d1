"""The sample events: each leads to what events/README.md says, and each has AWS's own keys."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from warden.core.errors import MalformedEventError
from warden.core.trigger import Ignored, Lookup, Trigger, WholeKind, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.model import Shape

REPO = Path(__file__).resolve().parents[2]
EVENTS = REPO / "events"
RECORDED = REPO.parent / "shared" / "samples"
RECEIVED_AT = datetime(2026, 11, 24, tzinfo=UTC)
RDS = botocore.session.get_session().get_service_model("rds")

# What AWS puts into the envelope of every event that EventBridge delivers.
ENVELOPE = {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}
_ROW = re.compile(r"^\| \[(?P<file>[^]]+)\]\((?P=file)\) \| (?P<what>[^|]+) \| (?P<leads>[^|]+) \|$")


def expectations() -> dict[str, list[str]]:
    rows = (_ROW.match(line) for line in (EVENTS / "README.md").read_text().splitlines())
    return {
        row["file"]: [re.sub(r"^`+ ?| ?`+$", "", cell) for cell in row["leads"].split("<br>")]
        for row in rows
        if row
    }


EXPECTED = expectations()
FILES = sorted(path.relative_to(EVENTS).as_posix() for path in EVENTS.rglob("*.json"))


def load(name: str) -> Any:
    return json.loads((EVENTS / name).read_text())


def told(part: Trigger | Ignored) -> str:
    if isinstance(part, Ignored):
        return f"ignored: {part.reason}"
    target = part.target
    if isinstance(target, Lookup):
        where = f"{target.account}/{target.region}"
        return f"{target.resource_type} with the id {target.resource_id} in {where}"
    if isinstance(target, WholeKind):
        return f"every {target.resource_type} in {target.account}/{target.region}"
    return target.arn


def test_every_sample_has_a_row_and_every_row_a_sample():
    assert sorted(EXPECTED) == FILES


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("malformed/")])
def test_a_sample_leads_to_what_the_readme_says(name):
    assert [told(part) for part in parse(load(name), received_at=RECEIVED_AT)] == EXPECTED[name]


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("malformed/")])
def test_a_malformed_sample_is_refused_with_the_sentence_that_the_readme_says(name):
    with pytest.raises(MalformedEventError) as refusal:
        parse(load(name), received_at=RECEIVED_AT)
    assert EXPECTED[name][0].removeprefix("malformed: ") in str(refusal.value)


@pytest.mark.parametrize(
    "name", [name for name in FILES if not name.startswith("malformed/") and "detail-type" in load(name)]
)
def test_a_sample_has_the_envelope_of_eventbridge(name):
    event = load(name)
    assert set(event) == ENVELOPE
    assert event["account"] == "123456789012"
    assert re.fullmatch(r"2026-11-2\dT\d\d:\d\d:\d\dZ", event["time"])
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", event["id"])


def test_no_two_samples_share_an_event_id():
    # Those in malformed/ are copies of one good event with one thing broken.
    ids = [load(name)["id"] for name in FILES if "malformed/" not in name and "id" in load(name)]
    assert len(ids) == len(set(ids)) > 100


CALLS = [
    name
    for name in FILES
    if not name.startswith("malformed/")
    and load(name).get("detail-type") == "AWS API Call via CloudTrail"
    and load(name)["source"] == "aws.rds"
    and load(name)["detail"]["eventName"] in RDS.operation_names
]


@pytest.mark.parametrize("name", CALLS)
def test_the_keys_of_a_recorded_call_are_those_of_the_model_with_the_first_letter_in_lower_case(name):
    detail = load(name)["detail"]
    operation = RDS.operation_model(detail["eventName"])
    wrong = [*unknown(detail["requestParameters"], operation.input_shape, "requestParameters")]
    if operation.output_shape is not None:
        wrong += unknown(detail["responseElements"], unwrapped(operation.output_shape), "responseElements")
    assert wrong == []


def unwrapped(output: Shape) -> Shape:
    """CloudTrail leaves out the only member of an answer when the model marks its shape as a wrapper."""
    members = list(output.members.values())
    if len(members) == 1 and members[0]._shape_model.get("wrapper"):
        return members[0]
    return output


def unknown(value: Any, shape: Shape, path: str) -> Iterator[str]:
    if isinstance(value, dict) and not value.get("omitted"):
        if shape.type_name == "map":
            return
        members: Mapping[str, Shape] = shape.members if shape.type_name == "structure" else {}
        cased = {name[0].lower() + name[1:]: member for name, member in members.items()}
        for key, item in value.items():
            if key in cased:
                yield from unknown(item, cased[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from unknown(item, shape.member, f"{path}[{index}]")


# The folders of calls of other services than RDS.
CLOUDTRAIL = ("network", "keys_and_secrets", "logs_and_account", "backups_and_alarms")
# Whose calls CloudTrail records under another name than the model has.
MODELS = {"monitoring": "cloudwatch"}
OTHER_CALLS = [
    name
    for name in FILES
    if name.partition("/")[0] in CLOUDTRAIL and load(name)["detail-type"] == "AWS API Call via CloudTrail"
]


@pytest.mark.parametrize("name", [name for name in OTHER_CALLS if not name.startswith("network/")])
def test_the_keys_of_a_call_of_another_service_follow_the_same_rule(name):
    detail = load(name)["detail"]
    service = detail["eventSource"].partition(".")[0]
    model = botocore.session.get_session().get_service_model(MODELS.get(service, service))
    operation = model.operation_model(detail["eventName"])
    wrong = [*unknown(detail["requestParameters"], operation.input_shape, "requestParameters")]
    if detail["responseElements"]:
        wrong += unknown(detail["responseElements"], operation.output_shape, "responseElements")
    # Secrets Manager's answers spell the ARN in two ways, and KMS adds the key's to some of its own.
    assert set(wrong) <= {"responseElements.arn", "responseElements.keyId"}


@pytest.mark.parametrize("name", [*CALLS, *OTHER_CALLS])
def test_no_request_parameter_enters_a_cause(name):
    event = load(name)
    given = [text for text in strings(event["detail"]["requestParameters"]) if len(text) > 3]
    for part in parse(event, received_at=RECEIVED_AT):
        if isinstance(part, Trigger):
            said = " ".join(str(getattr(part.cause, field)) for field in part.cause.__slots__)
            assert [text for text in given if text in said] == []


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


@pytest.mark.parametrize(
    "source", ["cloudtrail", *CLOUDTRAIL, "config", "manual", "rds_event", "security_hub"]
)
def test_the_causes_of_a_folder_name_its_source_and_say_when(source):
    own = {"manual", "sweep", "deferral"}
    for name in FILES:
        if name.startswith(f"{source}/"):
            for part in parse(load(name), received_at=RECEIVED_AT):
                if isinstance(part, Trigger):
                    said = "cloudtrail" if source in CLOUDTRAIL else source
                    assert part.cause.source == said or (source == "manual" and part.cause.source in own)
                    assert part.cause.event_name
                    assert part.cause.at.tzinfo is UTC
                    assert part.cause.at < RECEIVED_AT or name == "manual/resource.json"


# Recorded events are not part of the repository, whose own samples follow their shapes.
RECORDINGS = sorted(RECORDED.rglob("*.json")) if RECORDED.is_dir() else []
# Answers of Config's API about items, which nobody delivers as events.
API_ANSWERS = {"GetResourceConfigHistory", "SelectResourceConfig", "config_item_rds_dbcluster"}


def is_api_answer(path: Path) -> bool:
    return any(word in path.stem for word in API_ANSWERS)


def enveloped(record: dict[str, Any]) -> dict[str, Any]:
    if "eventSource" not in record:
        return record
    return {
        "version": "0",
        "id": record["eventID"],
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws." + record["eventSource"].removesuffix(".amazonaws.com"),
        "account": record["recipientAccountId"],
        "time": record["eventTime"],
        "region": record["awsRegion"],
        "resources": [],
        "detail": record,
    }


@pytest.mark.skipif(not RECORDINGS, reason="the recorded events are not here")
@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_recorded_event_is_a_trigger_or_says_why_not(path):
    event = enveloped(json.loads(path.read_text()))
    if is_api_answer(path):
        with pytest.raises(MalformedEventError, match="the event has neither"):
            parse(event, received_at=RECEIVED_AT)
        return
    parts = parse(event, received_at=RECEIVED_AT)
    assert parts
    for part in parts:
        assert part.target if isinstance(part, Trigger) else part.reason
        # What AWS recorded of RDS names one of ours, or something that the table knows not to be.
        if isinstance(part, Ignored):
            assert part.reason in {"other_resource", "other_service", "scheduled"}
            assert part.detail.endswith(".")
