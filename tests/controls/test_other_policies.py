"""The policies beside the shipped one: what they hold and leave out, and that they are no more daring than it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from warden.controls import all_controls
from warden.core.control import Safety
from warden.core.decision import Mode
from warden.core.frameworks import by_framework
from warden.core.policy import Policy, parse_policy

DIRECTORY = Path(__file__).parents[2] / "layers" / "policy"
CONTROLS = all_controls()
OTHERS = ("essential", "security-hub")


def text(name: str) -> str:
    return (DIRECTORY / f"{name}.toml").read_text(encoding="utf-8")


def policy(name: str) -> Policy:
    return parse_policy(text(name), controls=CONTROLS, source=f"{name}.toml")


SHIPPED = policy("policy")
ESSENTIAL = policy("essential")
SECURITY_HUB = policy("security-hub")


def test_these_are_all_that_there_are() -> None:
    assert {path.stem for path in DIRECTORY.glob("*.toml")} == {"policy", *OTHERS}


@pytest.mark.parametrize("name", OTHERS)
def test_a_policy_judges_what_it_names_and_gives_each_a_mode(name: str) -> None:
    found = policy(name)
    assert set(found.settings) == set(found.modes)
    document = tomllib.loads(text(name))
    assert document["defaults"]["enabled"] is False
    assert not [control for control, table in document["controls"].items() if "enabled" in table]


@pytest.mark.parametrize("name", OTHERS)
def test_a_policy_is_no_more_daring_than_the_shipped_one(name: str) -> None:
    found = policy(name)
    assert found.allow_costs == found.allow_disruption == frozenset()
    assert found.limits.writes_per_hour <= SHIPPED.limits.writes_per_hour
    for control in found.settings:
        assert found.modes[control] <= SHIPPED.modes[control], control


@pytest.mark.parametrize("name", OTHERS)
def test_only_what_is_safe_and_free_is_put_right(name: str) -> None:
    found = policy(name)
    for control in CONTROLS:
        if found.modes.get(control.id) is Mode.REMEDIATE:
            assert control.remediation is not None
            assert control.remediation.permits, control.id
            assert control.remediation.safety is Safety.SAFE, control.id
            assert not control.remediation.preflight, control.id


@pytest.mark.parametrize("name", OTHERS)
def test_every_part_of_a_policy_is_explained(name: str) -> None:
    explained = False
    for line in text(name).splitlines():
        if line.startswith("##### "):
            explained = False
        elif line.startswith("#"):
            explained = True
        elif line.startswith("[") and line not in {"[defaults]", "[baseline]", "[limits]"}:
            assert explained, line


@pytest.mark.parametrize("name", OTHERS)
def test_a_list_that_differs_by_engine_is_written_out_whole(name: str) -> None:
    """What is not written would be the control's own default, which is another organisation's wish."""
    document = tomllib.loads(text(name))
    for control in CONTROLS:
        for setting in control.settings:
            if control.id in document["controls"] and isinstance(setting.default, dict):
                assert document["controls"][control.id][setting.name].keys() == setting.default.keys()


# --- essential ----------------------------------------------------------------------------------------------


def test_the_essential_policy_is_short_and_takes_nothing_from_clients() -> None:
    assert len(ESSENTIAL.settings) <= len(CONTROLS) // 3
    put_right = {control for control, mode in ESSENTIAL.modes.items() if mode is Mode.REMEDIATE}
    assert put_right == {
        "cluster_snapshot_not_public",
        "cluster_snapshots_copy_tags",
        "db_snapshot_not_public",
        "instance_snapshots_copy_tags",
        "kms_key_usable",
    }


def test_the_essential_policy_leaves_no_kind_of_database_out() -> None:
    for control in ESSENTIAL.settings:
        for one, other in (("cluster", "instance"), ("cluster_snapshot", "db_snapshot")):
            twin = re.sub(rf"^{one}_", f"{other}_", control)
            if control.startswith(f"{one}_") and twin in {known.id for known in CONTROLS}:
                assert twin in ESSENTIAL.settings


# --- Security Hub -------------------------------------------------------------------------------------------


# Security Hub CSPM User Guide, "AWS Resource Tagging Standard": its controls are in no other standard.
TAGGING_STANDARD = {"RDS.28", "RDS.29", "RDS.30", "RDS.32"}


def test_the_policy_of_security_hub_judges_what_maps_to_its_best_practices_and_nothing_else() -> None:
    mapped = {
        control.id
        for control in CONTROLS
        if set(by_framework(control.frameworks).get("Security Hub", [])) - TAGGING_STANDARD
    }
    assert set(SECURITY_HUB.settings) == mapped, (
        "a control that maps to Security Hub has a table in its policy"
    )


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_the_comment_of_a_control_names_what_of_security_hub_it_is_about(control: object) -> None:
    numbers = by_framework(control.frameworks).get("Security Hub", [])  # type: ignore[attr-defined]  # a Control
    if not set(numbers) - TAGGING_STANDARD:
        return
    # The comment above a table speaks for the tables that follow it without one.
    before = text("security-hub").split(f"[controls.{control.id}]\n")[0]  # type: ignore[attr-defined]  # the same
    comment = re.findall(r"(?:^#(?!#).*\n)+", before, re.MULTILINE)[-1]
    named = set(re.findall(r"[A-Za-z0-9]+\.\d+", comment))
    for first, last in re.findall(r"RDS\.(\d+) to RDS\.(\d+)", comment):
        named |= {f"RDS.{number}" for number in range(int(first), int(last) + 1)}
    assert set(numbers) <= named


# Security Hub CSPM User Guide, the parameters and the default of each control; "requires" of RDS.9 and RDS.19 to 21.
THRESHOLDS = {
    ("cluster_backup_retention_sufficient", "minimum_days"): 7,  # RDS.50
    ("instance_backup_retention_sufficient", "minimum_days"): 7,  # RDS.11
    ("secret_rotated_recently", "maximum_days"): 90,  # SecretsManager.4
    ("log_group_retention_sufficient", "minimum_days"): 365,  # CloudWatch.16
    ("log_group_retention_sufficient", "never_expires"): "passes",
    ("cluster_mysql_audit_effective", "excluded_users"): [],
    ("cluster_enhanced_monitoring_enabled", "maximum_seconds"): 60,  # RDS.6: any interval
    ("instance_enhanced_monitoring_enabled", "maximum_seconds"): 60,
    ("instance_backup_plan_covers", "minimum_retention_days"): 0,  # RDS.26
    ("global_cluster_engine_supported", "minimum_versions"): {
        "aurora-mysql": ["8.0.mysql_aurora.3.08.0"],  # RDS.51
        "aurora-postgresql": [],
    },
    ("global_cluster_engine_supported", "extended_support"): True,
    ("instance_multi_az", "include_read_replicas"): False,  # RDS.5
    ("security_group_not_open_to_world", "largest_public_ipv4"): 1,  # EC2.18, EC2.19: 0.0.0.0/0
    ("cluster_custom_master_username", "default_names"): ["admin", "postgres"],  # RDS.24
    ("instance_custom_master_username", "default_names"): ["admin", "postgres"],  # RDS.25
    ("account_event_subscriptions_complete", "required"): {
        "db-cluster": ["failure", "maintenance"],  # RDS.19
        "db-instance": ["configuration change", "failure", "maintenance"],  # RDS.20
        "db-parameter-group": ["configuration change"],  # RDS.21
    },
}
LOGS = {
    "aurora-mysql": {"audit", "error", "general", "slowquery"},
    "aurora-postgresql": {"postgresql"},
    "mysql": {"audit", "error", "general", "slowquery"},
    "mariadb": {"audit", "error", "general", "slowquery"},
    "postgres": {"postgresql", "upgrade"},
    "oracle": {"alert", "audit", "listener", "trace"},
    "sqlserver": {"agent", "error"},
}


@pytest.mark.parametrize(("control", "setting"), THRESHOLDS)
def test_the_thresholds_are_those_of_security_hub(control: str, setting: str) -> None:
    assert SECURITY_HUB.settings[control][setting] == THRESHOLDS[control, setting]


@pytest.mark.parametrize("control", ["cluster_log_exports_complete", "instance_log_exports_complete"])
def test_the_logs_are_those_of_rds_9(control: str) -> None:
    required = SECURITY_HUB.settings[control]["required"]
    for engine, types in required.items():
        wanted = LOGS.get(engine, set())
        if (control, engine) == ("cluster_log_exports_complete", "mysql"):
            # CreateDBCluster: "RDS for MySQL: Possible values are error, general, slowquery, iam-db-auth-error".
            wanted = wanted - {"audit"}
        assert set(types) == wanted, engine


def test_no_control_of_security_hub_asks_for_a_key_of_ones_own() -> None:
    assert not [control for control in SECURITY_HUB.settings if "customer_managed" in control]
    assert SECURITY_HUB.settings["kms_key_policy_restricted"]["approved_accounts"] == []


@pytest.mark.parametrize("name", OTHERS)
def test_what_cuts_off_clients_from_the_internet_is_a_ticket(name: str) -> None:
    modes = policy(name).modes
    assert modes["instance_not_publicly_accessible"] is Mode.TICKET
    assert modes["security_group_not_open_to_world"] is Mode.TICKET
