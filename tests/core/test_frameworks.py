"""Frameworks: what they have, what is refused, and that what AWS says of its own controls is what ours say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from controls import items
from warden.controls import all_controls
from warden.core import frameworks
from warden.core.control import ComplianceType
from warden.core.evaluation import evaluate
from warden.core.finding import advance
from warden.core.framework_catalogue import FRAMEWORKS
from warden.core.frameworks import Requirement
from warden.core.rendering import plain
from warden.core.ticket_text import ticket

if TYPE_CHECKING:
    from collections.abc import Callable

    from warden.core.control import Control

CONTROLS = all_controls()
each_control = pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)


def numbers(control: Control, framework: str) -> set[str]:
    return set(frameworks.by_framework(control.frameworks).get(framework, ()))


# --- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "number"),
    [
        (frameworks.security_hub, "RDS.18"),  # retired
        (frameworks.security_hub, "RDS.22"),  # DB security groups, of EC2-Classic
        (frameworks.security_hub, "RDS.31"),  # the same
        (frameworks.security_hub, "RDS.49"),  # never published
        (frameworks.security_hub, "RDS.52"),  # newer than the newest
        (frameworks.security_hub, "RDS.7 "),
        (frameworks.security_hub, "rds.7"),
        (frameworks.security_hub, "EC2.20"),  # about VPN tunnels
        (frameworks.config, "rds-instance-event-notifications-configured"),  # Security Hub's own
        (frameworks.config, "rds-cluster-copy-tags-to-snapshots-enabled"),  # the same
        (frameworks.config, "rds-cluster-encrypted"),
        (frameworks.prowler, "rds_cluster_encrypted"),
        (frameworks.prowler, "rds_instance_tls_enforced"),
        (frameworks.cis_foundations, "2.3.1"),  # the number of version 3
        (frameworks.cis_foundations, "3.2.1"),  # of version 7
        (frameworks.cis_database, "2.12"),
        (frameworks.cis_database, "3.1"),  # section 3 is not about Aurora
        (frameworks.nist_800_53, "PM-1"),
        (frameworks.nist_800_53, "AC-2(10)"),  # withdrawn in revision 5
        (frameworks.nist_800_53, "SC-9"),  # the same
        (frameworks.nist_800_53, "SC-28(4)"),
        (frameworks.pci_dss, "12.1"),
        (frameworks.pci_dss, "1.2.9"),
        (frameworks.hipaa, "164.312(f)"),
        (frameworks.hipaa, "164.312(e)(2)(iii)"),
        (frameworks.iso_27001, "A.8.35"),
        (frameworks.iso_27001, "A.10.1.1"),  # of the edition of 2013
        (frameworks.soc_2, "CC6.9"),
        (frameworks.soc_2, "CC10.1"),
    ],
)
def test_an_identifier_that_a_framework_has_not_is_refused(
    make: Callable[[str], object], number: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(number)) as refused:
        make(number)
    assert " has no " in str(refused.value)


def test_it_is_refused_however_it_is_made() -> None:
    with pytest.raises(ValueError, match=re.escape("Security Hub has no control RDS.18 about databases")):
        Requirement("Security Hub", "RDS.18")
    with pytest.raises(ValueError, match="there is no framework 'NIST'; known are Security Hub, AWS Config,"):
        Requirement("NIST", "AC-2")


def test_several_are_refused_for_one_of_them() -> None:
    with pytest.raises(ValueError, match=r"CIS AWS Foundations v3.0.0 has no recommendation 2.2.1"):
        frameworks.cis(v3="2.2.1", v5="2.2.1", v7="3.2.1")


def test_ranges_are_all_that_they_say() -> None:
    known = {name: framework.identifiers for name, framework in FRAMEWORKS.items()}
    assert not [number for numbers in known.values() for number in numbers if ".." in number]
    assert {"8.3.1", "8.3.11"} <= known["PCI DSS v4.0.1"]
    assert {"A.8.1", "A.8.34"} <= known["ISO/IEC 27001:2022"]
    assert {"AC-2(1)", "AC-2(9)", "AC-2(11)", "SI-4(25)"} <= known["NIST 800-53 r5"]
    # 51 numbers, without 18 and 49, which Security Hub has not, and 22 and 31, which are about EC2-Classic.
    assert len([number for number in known["Security Hub"] if number.startswith("RDS.")]) == 47
    assert len([check for check in known["Prowler"] if check.startswith("rds_")]) == 35


def test_a_framework_has_one_key_and_one_name() -> None:
    keys = [framework.key for framework in FRAMEWORKS.values()]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", key) for key in keys)
    assert all(name == framework.name for name, framework in FRAMEWORKS.items())


# --- groups -------------------------------------------------------------------------------------------------


def test_a_mapping_takes_single_ones_and_groups_and_names_each_once() -> None:
    one = frameworks.security_hub("RDS.8")
    group = frameworks.nist("CM-3", "SC-5(2)")
    assert frameworks.mapping(one, group, group, one) == (one, *group)


def test_requirements_are_grouped_in_the_order_of_the_catalogue() -> None:
    mixed = (frameworks.prowler("kms_cmk_are_used"), *frameworks.nist("SC-12", "CM-3"))
    assert frameworks.by_framework(mixed) == {
        "NIST 800-53 r5": ["SC-12", "CM-3"],
        "Prowler": ["kms_cmk_are_used"],
    }
    assert list(frameworks.by_framework(mixed)) == ["NIST 800-53 r5", "Prowler"]


GROUPS = {
    name: value
    for name, value in vars(frameworks).items()
    if name.isupper() and name != "FRAMEWORKS" and isinstance(value, tuple)
}


@pytest.mark.parametrize("name", sorted(GROUPS))
def test_a_group_names_nothing_twice(name: str) -> None:
    assert frameworks.mapping(GROUPS[name]) == GROUPS[name]


def test_a_ticket_has_a_line_for_each_framework() -> None:
    control = next(one for one in CONTROLS if one.id == "cluster_deletion_protection_enabled")
    drifted = next(one for one in control.examples if one.expect is ComplianceType.NON_COMPLIANT)
    resource = items.example_resource(control, drifted)
    evaluation = evaluate(control, resource, items.example_settings(control, drifted))
    finding = advance(None, evaluation, resource_key=resource.key, observed_at=resource.observed_at)
    assert finding is not None
    told = ticket(finding, control)
    assert told.frameworks[0] == "Security Hub RDS.7"
    assert "NIST 800-53 r5 CM-3, SC-5(2)" in told.frameworks
    assert "\nFrameworks:\n  Security Hub RDS.7\n" in plain.text(told)


# --- what the controls map to -------------------------------------------------------------------------------

# AWS Security Hub CSPM User Guide, "Amazon RDS controls", "AWS Secrets Manager controls", "AWS KMS controls", "Amazon
# CloudWatch controls", "AWS CloudTrail controls", "Amazon GuardDuty controls": the managed rule behind each control.
RULES = {
    "RDS.1": "rds-snapshots-public-prohibited",
    "RDS.2": "rds-instance-public-access-check",
    "RDS.3": "rds-storage-encrypted",
    "RDS.4": "rds-snapshot-encrypted",
    "RDS.5": "rds-multi-az-support",
    "RDS.6": "rds-enhanced-monitoring-enabled",
    "RDS.7": "rds-cluster-deletion-protection-enabled",
    "RDS.8": "rds-instance-deletion-protection-enabled",
    "RDS.9": "rds-logging-enabled",
    "RDS.10": "rds-instance-iam-authentication-enabled",
    "RDS.11": "db-instance-backup-enabled",
    "RDS.12": "rds-cluster-iam-authentication-enabled",
    "RDS.13": "rds-automatic-minor-version-upgrade-enabled",
    "RDS.14": "aurora-mysql-backtracking-enabled",
    "RDS.15": "rds-cluster-multi-az-enabled",
    "RDS.24": "rds-cluster-default-admin-check",
    "RDS.25": "rds-instance-default-admin-check",
    "RDS.26": "rds-resources-protected-by-backup-plan",
    "RDS.27": "rds-cluster-encrypted-at-rest",
    "RDS.34": "rds-aurora-mysql-audit-logging-enabled",
    "RDS.35": "rds-cluster-auto-minor-version-upgrade-enable",
    "RDS.36": "rds-postgresql-logs-to-cloudwatch",
    "RDS.37": "rds-aurora-postgresql-logs-to-cloudwatch",
    "RDS.38": "rds-postgres-instance-encrypted-in-transit",
    "RDS.39": "rds-mysql-instance-encrypted-in-transit",
    "RDS.40": "rds-sql-server-logs-to-cloudwatch",
    "RDS.41": "rds-sqlserver-encrypted-in-transit",
    "RDS.42": "mariadb-publish-logs-to-cloudwatch-logs",
    "RDS.43": "rds-proxy-tls-encryption",
    "RDS.44": "rds-mariadb-instance-encrypted-in-transit",
    "RDS.45": "aurora-mysql-cluster-audit-logging",
    "RDS.46": "rds-instance-subnet-igw-check",
    "RDS.47": "rds-pgsql-cluster-copy-tags-to-snapshot-check",
    "RDS.48": "rds-mysql-cluster-copy-tags-to-snapshot-check",
    "RDS.50": "rds-cluster-backup-retention-check",
    "RDS.51": "rds-global-cluster-aurora-mysql-supported-version",
    "SecretsManager.1": "secretsmanager-rotation-enabled-check",
    "SecretsManager.2": "secretsmanager-scheduled-rotation-success-check",
    "SecretsManager.3": "secretsmanager-secret-unused",
    "SecretsManager.4": "secretsmanager-secret-periodic-rotation",
    "KMS.4": "cmk-backing-key-rotation-enabled",
    "KMS.5": "kms-key-policy-no-public-access",
    "Backup.1": "backup-recovery-point-encrypted",
    "CloudTrail.1": "multi-region-cloudtrail-enabled",
    "CloudTrail.4": "cloud-trail-log-file-validation-enabled",
    "CloudWatch.15": "cloudwatch-alarm-action-check",
    "CloudWatch.16": "cw-loggroup-retention-period-check",
    "CloudWatch.17": "cloudwatch-alarm-action-enabled-check",
    "GuardDuty.9": "guardduty-rds-protection-enabled",
}
# The same pages, "Related requirements", of PCI DSS v4.0.1. RDS.1 is mapped to PCI DSS v3.2.1 alone.
PCI = {
    "RDS.1": set(),
    "RDS.2": {"1.4.4"},
    "RDS.9": {"10.2.1"},
    "RDS.13": {"6.3.3"},
    "RDS.20": {"11.5.2"},
    "RDS.24": {"2.2.2"},
    "RDS.25": {"2.2.2"},
    "RDS.34": {"10.2.1"},
    "RDS.35": {"6.3.3"},
    "RDS.36": {"10.4.2"},
    "RDS.37": {"10.4.2"},
    "SecretsManager.1": {"8.3.9", "8.6.3"},
    "SecretsManager.2": {"8.3.9", "8.6.3"},
    "SecretsManager.4": {"8.3.9", "8.6.3"},
    "KMS.4": {"3.7.4"},
    "GuardDuty.9": {"11.5.1"},
}
# What Prowler's own map of the same standard says, of the checks that are about the same resource as ours.
PROWLER = {
    "RDS.1": "rds_snapshots_public_access",
    "RDS.2": "rds_instance_no_public_access",
    "RDS.4": "rds_snapshots_encrypted",
    "RDS.5": "rds_instance_multi_az",
    "RDS.6": "rds_instance_enhanced_monitoring_enabled",
    "RDS.7": "rds_cluster_deletion_protection",
    "RDS.8": "rds_instance_deletion_protection",
    "RDS.11": "rds_instance_backup_enabled",
    "RDS.12": "rds_cluster_iam_authentication_enabled",
    "RDS.14": "rds_cluster_backtrack_enabled",
    "RDS.15": "rds_cluster_multi_az",
    "RDS.16": "rds_cluster_copy_tags_to_snapshots",
    "RDS.17": "rds_instance_copy_tags_to_snapshots",
    "RDS.19": "rds_cluster_critical_event_subscription",
    "RDS.20": "rds_instance_critical_event_subscription",
    "RDS.21": "rds_instance_event_subscription_parameter_groups",
    "RDS.23": "rds_instance_non_default_port",
    "RDS.24": "rds_cluster_default_admin",
    "RDS.25": "rds_instance_default_admin",
    "RDS.27": "rds_cluster_storage_encrypted",
    "RDS.37": "rds_cluster_integration_cloudwatch_logs",
    "RDS.38": "rds_instance_transport_encrypted",
    "SecretsManager.1": "secretsmanager_automatic_rotation_enabled",
    "Backup.1": "backup_recovery_point_encrypted",
    "KMS.3": "kms_cmk_not_deleted_unintentionally",
    "KMS.4": "kms_cmk_rotation_enabled",
    "KMS.5": "kms_key_not_publicly_accessible",
    "GuardDuty.9": "guardduty_rds_protection_enabled",
}


@each_control
def test_a_control_of_security_hub_comes_with_its_rule_its_pci_requirements_and_prowlers_check(
    control: Control,
) -> None:
    hub = numbers(control, "Security Hub")
    assert {RULES[number] for number in hub if number in RULES} <= numbers(control, "AWS Config")
    pci = {requirement for number in hub for requirement in PCI.get(number, ())}
    assert pci <= numbers(control, "PCI DSS v4.0.1")
    assert {PROWLER[number] for number in hub if number in PROWLER} <= numbers(control, "Prowler")
    if hub == {"RDS.1"}:
        assert numbers(control, "PCI DSS v4.0.1") == set()


@each_control
def test_every_control_maps_to_nist_iso_and_soc_2(control: Control) -> None:
    for framework in ("NIST 800-53 r5", "ISO/IEC 27001:2022", "SOC 2"):
        assert numbers(control, framework), f"name the group of its theme, which holds {framework}"


@each_control
def test_the_numbers_of_cis_agree_across_its_versions(control: Control) -> None:
    known = {
        frozenset(str(requirement) for requirement in group)
        for name, group in GROUPS.items()
        if name.startswith("CIS_")
    }
    found = {str(r) for r in control.frameworks if r.framework.startswith("CIS AWS Foundations")}
    assert found == {one for group in known if group & found for one in group}
