"""The policy file that is shipped: it parses, says something about every control, and its comments are true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from warden.controls import all_controls
from warden.core.control import Safety
from warden.core.decision import Mode
from warden.core.policy import parse_policy

if TYPE_CHECKING:
    from warden.core.control import Control

TEXT = (Path(__file__).parents[2] / "layers" / "policy" / "policy.toml").read_text(encoding="utf-8")
CONTROLS = all_controls()
POLICY = parse_policy(TEXT, controls=CONTROLS)


def test_every_control_has_a_line_and_a_mode() -> None:
    assert set(POLICY.modes) == {control.id for control in CONTROLS}


def test_what_is_not_named_is_only_observed() -> None:
    assert POLICY.default_mode is Mode.OBSERVE


def test_every_setting_of_every_control_is_written_out() -> None:
    document = tomllib.loads(TEXT)
    for control in CONTROLS:
        for setting in control.settings:
            table = document["baseline"] if setting.shared else document["controls"][control.id]
            assert setting.name in table, f"{control.id}.{setting.name}"


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_only_what_warden_can_put_right_is_to_be_put_right(control: Control) -> None:
    if control.remediation is None or not control.remediation.permits:
        assert POLICY.modes[control.id] is Mode.TICKET


def test_what_closes_a_door_to_the_world_is_put_right_by_an_explicit_line() -> None:
    contained = {c.id for c in CONTROLS if c.remediation is not None and c.remediation.containment}
    assert contained == {
        "cluster_snapshot_not_public",
        "db_snapshot_not_public",
        "instance_not_publicly_accessible",
        "kms_key_usable",
        "security_group_not_open_to_world",
    }
    assert {POLICY.modes[name] for name in contained} == {Mode.REMEDIATE}


def test_what_is_allowed_needs_to_be_allowed_and_its_price_is_named() -> None:
    safety = {control.id: control.remediation.safety for control in CONTROLS if control.remediation}
    assert {safety[name] for name in POLICY.allow_costs} == {Safety.COSTS}
    assert POLICY.allow_disruption == frozenset()
    allow = TEXT.partition("costs = [")[2].partition("]")[0]
    price = False
    for line in allow.strip().splitlines():
        if line.strip().startswith("#"):
            price = price or "USD" in line
        else:
            assert price, line


def test_every_disruptive_or_costly_control_is_spoken_of_where_it_is_allowed_or_not() -> None:
    allow = TEXT.partition("[allow]")[2].partition("#####")[0]
    for control in CONTROLS:
        if control.remediation is not None and control.remediation.permits:
            mentioned = f'"{control.id}"' in allow
            assert mentioned is (control.remediation.safety is not Safety.SAFE), control.id


def test_the_baseline_of_the_audit_trail_is_what_the_file_says() -> None:
    assert POLICY.settings["cluster_backup_retention_sufficient"]["minimum_days"] == 35
    assert POLICY.settings["instance_backup_retention_sufficient"]["minimum_days"] == 35
    assert "audit" in POLICY.settings["cluster_log_exports_complete"]["required"]["aurora-mysql"]
    assert POLICY.settings["db_snapshot_encrypted"]["kms_key"] == ""
    assert POLICY.settings["db_snapshot_shares_approved"]["approved_accounts"] == []


def test_the_examples_in_comments_are_valid() -> None:
    text = re.sub(r"^# (\[\[\w+\]\]|\w+ = .+)$", r"\1", TEXT, flags=re.MULTILINE)
    for name, line in re.findall(r"^#   ((\w+) = .+)$", TEXT, flags=re.MULTILINE):
        text = re.sub(rf"^{line} = .+$", name, text, flags=re.MULTILINE)
    policy = parse_policy(text, controls=CONTROLS)
    assert [scope.name for scope in policy.scopes] == ["sandbox"]
    assert len(policy.exemptions) == 2
    assert len(policy.freezes) == 1
    assert policy.settings["db_snapshot_encrypted"]["kms_key"] == "alias/databases"
    assert policy.settings["db_snapshot_shares_approved"]["approved_accounts"] == ["210987654321"]
