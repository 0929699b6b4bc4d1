"""`warden replay`, over the project's own sample events."""

from __future__ import annotations

import json

import pytest

from console import cli, paths, replay
from console.local.template import load_template
from stack import clients
from warden.core.errors import ConfigurationError

DRIFT = paths.EVENTS / "cloudtrail" / "ModifyDBCluster_deletion_protection_off.json"
NEPTUNE = paths.EVENTS / "ignored" / "cloudtrail_neptune.json"
OTHER = paths.EVENTS / "ignored" / "eventbridge_other_service.json"


@pytest.fixture(scope="module", autouse=True)
def _clients_are_made_once():
    with clients.made_once():
        yield


def run(file, *, dry_run=False):
    return replay.replay(
        str(file),
        json.loads(file.read_text(encoding="utf-8")),
        dry_run=dry_run,
        policy_file=str(paths.POLICY),
    )


def test_an_event_goes_through_its_rule_to_a_fix_that_is_verified():
    told = run(DRIFT)

    assert told.matched == ["CloudTrailRule"]
    assert told.writes == 1
    # What the event is about, and what else there was: put right, or told.
    found = {finding["control"]: finding["workflow"] for finding in told.findings}
    assert found["cluster_deletion_protection_enabled"] == "RESOLVED"
    assert set(found.values()) <= {"RESOLVED", "NOTIFIED"}
    assert [line.kind for line in told.lines if line.kind in {"call", "outcome"}] == ["call", "outcome"]


def test_a_dry_run_decides_and_writes_nothing():
    told = run(DRIFT, dry_run=True)

    assert told.writes == 0
    assert {finding["workflow"] for finding in told.findings} == {"NEW"}
    decisions = [line.entry["after"] for line in told.lines if line.kind == "decision"]
    assert {decision["action"] for decision in decisions} == {"OBSERVE"}
    assert "REMEDIATE" in {decision["would"] for decision in decisions}


def test_an_event_that_no_rule_matches_says_why_for_each_rule():
    told = run(OTHER)

    assert told.matched == []
    assert set(told.rules) == {
        rule.logical_id for rule in load_template(paths.TEMPLATE).of_type("AWS::Events::Rule")
    }
    assert all(told.rules.values())


def test_a_neptune_event_is_ignored_with_its_reason():
    told = run(NEPTUNE)

    assert [ignored["reason"] for ignored in told.ignored] == ["other_engine"]
    assert told.findings == []


def test_the_command_prints_json_alone_and_fails_for_what_cannot_be_read(capsys):
    status = cli.main(
        ["replay", "--format", "json", str(NEPTUNE), str(paths.EVENTS / "malformed" / "detail_missing.json")]
    )

    told = json.loads(capsys.readouterr().out)
    assert status == 2
    assert told[0]["matched"] == ["CloudTrailRule"]
    assert "detail is missing" in told[1]["malformed"]


@pytest.mark.parametrize("content", [None, "{"])
def test_a_file_that_is_not_there_or_no_json_is_refused_with_its_name(tmp_path, content):
    file = tmp_path / "event.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"event\.json"):
        replay.run(files=[str(file)], dry_run=False, output="text", policy_file=str(paths.POLICY))


@pytest.mark.slow
@pytest.mark.parametrize("file", sorted(paths.EVENTS.glob("*/*.json")), ids=lambda file: file.stem)
def test_no_sample_breaks_the_replay_or_leaves_a_message_undelivered(file):
    told = run(file)

    assert told.malformed or told.ignored or told.triggers
    folder = file.parent.name
    assert bool(told.malformed) == (folder == "malformed")
    if folder == "ignored":
        assert told.triggers == []
    if folder in {"cloudtrail", "rds_event", "security_hub"}:
        assert told.matched


@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "told"),
    [("policy.toml", "RESOLVED"), ("security-hub.toml", "RESOLVED"), ("essential.toml", "NOTIFIED")],
)
def test_each_policy_leads_to_what_it_says(policy, told):
    replayed = replay.replay(
        str(DRIFT),
        json.loads(DRIFT.read_text(encoding="utf-8")),
        dry_run=False,
        policy_file=str(paths.POLICY.with_name(policy)),
    )

    found = {finding["control"]: finding["workflow"] for finding in replayed.findings}
    assert found["cluster_deletion_protection_enabled"] == told
