"""The frameworks that controls map to, each with the identifiers that it has about databases.

What a framework has is written compactly, because it is read at each cold start: `8.3.1..11` is 8.3.1 to 8.3.11.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_RANGE = re.compile(r"(\d+)\.\.(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """One framework in one version."""

    key: str
    """What a command line calls it, such as `pci-dss-4`."""
    name: str
    """What people call it, with its version."""
    noun: str
    """What it calls one of its items."""
    identifiers: frozenset[str]
    """Every identifier that it has about databases and what they use; another one is refused."""


def natural(number: str) -> list[tuple[int, str]]:
    """A key that sorts identifiers as people do: 2.9 before 2.10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", number)]


def _expanded(text: str) -> Iterator[str]:
    for word in text.split():
        if span := _RANGE.search(word):
            for number in range(int(span[1]), int(span[2]) + 1):
                yield f"{word[: span.start()]}{number}{word[span.end() :]}"
        else:
            yield word


def _framework(key: str, name: str, noun: str, identifiers: str) -> Framework:
    return Framework(key=key, name=name, noun=noun, identifiers=frozenset(_expanded(identifiers)))


# Security Hub CSPM User Guide, "Amazon RDS controls": RDS.18 is retired, RDS.49 was never published, RDS.51 is the
# newest. RDS.22 and RDS.31 are about the DB security groups of EC2-Classic, which is gone: nothing can map to them. Of
# other services: what is about keys, secrets, security groups, trails, logs, recovery points and detectors.
_SECURITY_HUB = """
RDS.1..17 RDS.19..21 RDS.23..30 RDS.32..48 RDS.50..51 KMS.1..5 SecretsManager.1..5 EC2.2 EC2.18..19 Backup.1
CloudTrail.1 CloudTrail.4 CloudWatch.15..17 GuardDuty.9
"""

# AWS Config Developer Guide, "List of AWS Config Managed Rules". A rule that Security Hub keeps for itself, such as
# rds-instance-event-notifications-configured, is not among them: nobody else can use it.
_CONFIG = """
aurora-global-database-encryption-at-rest aurora-last-backup-recovery-point-created aurora-meets-restore-time-target
aurora-mysql-backtracking-enabled aurora-mysql-cluster-audit-logging aurora-resources-in-logically-air-gapped-vault
aurora-resources-protected-by-backup-plan backup-recovery-point-encrypted cloud-trail-log-file-validation-enabled
cloudwatch-alarm-action-check cloudwatch-alarm-action-enabled-check cloudwatch-log-group-encrypted
cmk-backing-key-rotation-enabled cw-loggroup-retention-period-check db-instance-backup-enabled
guardduty-rds-protection-enabled kms-cmk-not-scheduled-for-deletion kms-key-policy-no-public-access
mariadb-publish-logs-to-cloudwatch-logs multi-region-cloudtrail-enabled
rds-aurora-mysql-audit-logging-enabled rds-aurora-postgresql-logs-to-cloudwatch
rds-automatic-minor-version-upgrade-enabled rds-cluster-auto-minor-version-upgrade-enable
rds-cluster-backup-retention-check rds-cluster-default-admin-check rds-cluster-deletion-protection-enabled
rds-cluster-encrypted-at-rest rds-cluster-iam-authentication-enabled rds-cluster-multi-az-enabled
rds-cluster-snapshot-tagged rds-cluster-tagged
rds-db-security-group-not-allowed rds-enhanced-monitoring-enabled rds-event-subscription-tagged
rds-global-cluster-aurora-mysql-supported-version rds-in-backup-plan rds-instance-default-admin-check
rds-instance-deletion-protection-enabled rds-instance-iam-authentication-enabled rds-instance-public-access-check
rds-instance-subnet-igw-check rds-last-backup-recovery-point-created rds-logging-enabled
rds-mariadb-instance-encrypted-in-transit rds-meets-restore-time-target rds-multi-az-support
rds-mysql-cluster-copy-tags-to-snapshot-check rds-mysql-instance-encrypted-in-transit rds-option-group-tagged
rds-pgsql-cluster-copy-tags-to-snapshot-check rds-postgres-instance-encrypted-in-transit
rds-postgresql-logs-to-cloudwatch rds-proxy-tls-encryption rds-resources-protected-by-backup-plan
rds-snapshot-encrypted rds-snapshots-public-prohibited rds-sql-server-logs-to-cloudwatch
rds-sqlserver-encrypted-in-transit rds-storage-encrypted required-tags secretsmanager-rotation-enabled-check
secretsmanager-scheduled-rotation-success-check secretsmanager-secret-periodic-rotation secretsmanager-secret-unused
secretsmanager-using-cmk vpc-default-security-group-closed vpc-sg-open-only-to-authorized-ports
vpc-sg-port-restriction-check
"""

# NIST SP 800-53 Rev. 5 with its enhancements, without what is withdrawn; the families that concern databases.
_NIST = """
AC-1..12 AC-14 AC-16..25 AC-2(1..9) AC-2(11..13) AC-3(2..5) AC-3(7..15) AC-4(1..15) AC-4(17) AC-4(19..32) AC-6(1..10)
AC-7(2..4) AC-9(1..4) AC-11(1) AC-12(1..3) AC-16(1..10) AC-17(1..4) AC-17(6) AC-17(9..10) AC-20(1..5) AC-21(1..2)
AC-24(1..2) AU-1..14 AU-16 AU-3(1) AU-3(3) AU-4(1) AU-5(1..5) AU-6(1) AU-6(3..9) AU-7(1) AU-9(1..7) AU-10(1..4)
AU-11(1) AU-12(1..4) AU-13(1..3) AU-14(1) AU-14(3) AU-16(1..3) CA-1..3 CA-5..9 CA-2(1..3) CA-3(6..7) CA-5(1)
CA-6(1..2) CA-7(1) CA-7(3..6) CA-8(1..3) CA-9(1) CM-1..14 CM-2(2..3) CM-2(6..7) CM-3(1..8) CM-4(1..2) CM-5(1)
CM-5(4..6) CM-6(1..2) CM-7(1..9) CM-8(1..4) CM-8(6..9) CM-9(1) CM-10(1) CM-11(2..3) CM-12(1) CP-1..4 CP-6..13
CP-2(1..3) CP-2(5..8) CP-3(1..2) CP-4(1..5) CP-6(1..3) CP-7(1..4) CP-7(6) CP-8(1..5) CP-9(1..3) CP-9(5..8) CP-10(2)
CP-10(4) CP-10(6) IA-1..12 IA-2(1..2) IA-2(5..6) IA-2(8) IA-2(10) IA-2(12..13) IA-3(1) IA-3(3..4) IA-4(1) IA-4(4..6)
IA-4(8..9) IA-5(1..2) IA-5(5..10) IA-5(12..18) SC-1..8 SC-10..13 SC-15..18 SC-20..32 SC-34..51 SC-2(1..2) SC-3(1..5)
SC-4(2) SC-5(1..3) SC-7(3..5) SC-7(7..29) SC-8(1..5) SC-11(1) SC-12(1..3) SC-12(6) SC-16(1..3) SC-23(1) SC-23(3)
SC-23(5) SC-28(1..3) SC-36(1..2) SC-37(1) SC-39(1..2) SC-40(1..4) SI-1..8 SI-10..23 SI-2(2..6) SI-3(4) SI-3(6) SI-3(8)
SI-3(10) SI-4(1..5) SI-4(7) SI-4(9..25) SI-5(1) SI-6(2..3) SI-7(1..3) SI-7(5..10) SI-7(12) SI-7(15..17) SI-10(1..6)
SI-12(1..3) SI-13(1) SI-13(3..5) SI-14(1..3)
"""

# PCI DSS v4.0.1, the defined approach, without requirements 5, 9 and 12, which ask nothing of a database's settings.
_PCI = """
1.1.1..2 1.2.1..8 1.3.1..3 1.4.1..5 1.5.1 2.1.1..2 2.2.1..7 2.3.1..2 3.1.1..2 3.2.1 3.3.1..3 3.3.1.1..3 3.4.1..2
3.5.1 3.5.1.1..3 3.6.1 3.6.1.1..4 3.7.1..9 4.1.1..2 4.2.1..2 4.2.1.1..2 6.1.1..2 6.2.1..4 6.2.3.1 6.3.1..3 6.4.1..3
6.5.1..6 7.1.1..2 7.2.1..6 7.2.5.1 7.3.1..3 8.1.1..2 8.2.1..8 8.3.1..11 8.3.10.1 8.4.1..3 8.5.1 8.6.1..3 10.1.1..2
10.2.1..2 10.2.1.1..7 10.3.1..4 10.4.1..3 10.4.1.1 10.4.2.1 10.5.1 10.6.1..3 10.7.1..3 11.1.1..2 11.2.1..2 11.3.1..2
11.3.1.1..3 11.3.2.1 11.4.1..7 11.5.1..2 11.5.1.1 11.6.1
"""

# 45 CFR 164.308 (administrative safeguards) and 164.312 (technical safeguards).
_HIPAA = """
164.308(a)(1)(i) 164.308(a)(1)(ii)(A) 164.308(a)(1)(ii)(B) 164.308(a)(1)(ii)(C) 164.308(a)(1)(ii)(D) 164.308(a)(2)
164.308(a)(3)(i) 164.308(a)(3)(ii)(A) 164.308(a)(3)(ii)(B) 164.308(a)(3)(ii)(C) 164.308(a)(4)(i) 164.308(a)(4)(ii)(A)
164.308(a)(4)(ii)(B) 164.308(a)(4)(ii)(C) 164.308(a)(5)(i) 164.308(a)(5)(ii)(A) 164.308(a)(5)(ii)(B)
164.308(a)(5)(ii)(C) 164.308(a)(5)(ii)(D) 164.308(a)(6)(i) 164.308(a)(6)(ii) 164.308(a)(7)(i) 164.308(a)(7)(ii)(A)
164.308(a)(7)(ii)(B) 164.308(a)(7)(ii)(C) 164.308(a)(7)(ii)(D) 164.308(a)(7)(ii)(E) 164.308(a)(8) 164.312(a)(1)
164.312(a)(2)(i) 164.312(a)(2)(ii) 164.312(a)(2)(iii) 164.312(a)(2)(iv) 164.312(b) 164.312(c)(1) 164.312(c)(2)
164.312(d) 164.312(e)(1) 164.312(e)(2)(i) 164.312(e)(2)(ii)
"""

# The checks of Prowler 5 for RDS, and those of other services that concern what databases use.
_PROWLER = """
backup_plans_exist backup_recovery_point_encrypted backup_vaults_encrypted backup_vaults_exist
cloudtrail_log_file_validation_enabled cloudtrail_multi_region_enabled
cloudtrail_multi_region_enabled_logging_management_events cloudwatch_alarm_actions_alarm_state_configured
cloudwatch_alarm_actions_enabled cloudwatch_log_group_kms_encryption_enabled
cloudwatch_log_group_retention_policy_specific_days_enabled
ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_mysql_3306
ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_oracle_1521_2483
ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_postgres_5432
ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_sql_server_1433_1434
ec2_securitygroup_default_restrict_traffic guardduty_rds_protection_enabled kms_cmk_are_used
kms_cmk_not_deleted_unintentionally kms_cmk_not_multi_region kms_cmk_rotation_enabled kms_key_not_publicly_accessible
rds_cluster_backtrack_enabled rds_cluster_copy_tags_to_snapshots rds_cluster_critical_event_subscription
rds_cluster_default_admin rds_cluster_deletion_protection rds_cluster_iam_authentication_enabled
rds_cluster_integration_cloudwatch_logs rds_cluster_minor_version_upgrade_enabled rds_cluster_multi_az
rds_cluster_non_default_port rds_cluster_protected_by_backup_plan rds_cluster_storage_encrypted
rds_instance_backup_enabled rds_instance_certificate_expiration rds_instance_copy_tags_to_snapshots
rds_instance_critical_event_subscription rds_instance_default_admin rds_instance_deletion_protection
rds_instance_deprecated_engine_version rds_instance_enhanced_monitoring_enabled
rds_instance_event_subscription_parameter_groups rds_instance_event_subscription_security_groups
rds_instance_extended_support rds_instance_iam_authentication_enabled rds_instance_inside_vpc
rds_instance_integration_cloudwatch_logs rds_instance_minor_version_upgrade_enabled rds_instance_multi_az
rds_instance_no_public_access rds_instance_non_default_port rds_instance_protected_by_backup_plan
rds_instance_storage_encrypted rds_instance_transport_encrypted rds_snapshots_encrypted rds_snapshots_public_access
secretsmanager_automatic_rotation_enabled secretsmanager_has_restrictive_resource_policy
secretsmanager_not_publicly_accessible secretsmanager_secret_rotated_periodically secretsmanager_secret_unused
"""

FRAMEWORKS: Mapping[str, Framework] = {
    framework.name: framework
    for framework in (
        _framework("security-hub", "Security Hub", "control", _SECURITY_HUB),
        _framework("aws-config", "AWS Config", "managed rule", _CONFIG),
        # The sections on RDS, on trails and keys, and on networks. Version 6 put a section on identities before
        # them, so that the numbers of versions 6 and 7 begin with one more.
        _framework(
            "cis-aws-3",
            "CIS AWS Foundations v3.0.0",
            "recommendation",
            "2.3.1..3 3.1..9 5.1..6",
        ),
        _framework(
            "cis-aws-5",
            "CIS AWS Foundations v5.0.0",
            "recommendation",
            "2.2.1..4 3.1..9 5.1.1..2 5.2..7",
        ),
        _framework(
            "cis-aws-7",
            "CIS AWS Foundations v7.0.0",
            "recommendation",
            "3.2.1..4 4.1..10 6.1.1..2 6.2..8",
        ),
        # Section 2, Amazon Aurora. The numbers of version 2 are those of third parties; version 1 has others.
        _framework("cis-aws-database", "CIS AWS Database Services v2.0.0", "recommendation", "2.1..11"),
        _framework("nist-800-53-5", "NIST 800-53 r5", "control", _NIST),
        _framework("pci-dss-4", "PCI DSS v4.0.1", "requirement", _PCI),
        _framework("hipaa", "HIPAA Security Rule", "standard", _HIPAA),
        # Annex A: organizational, people, physical, technological.
        _framework(
            "iso-27001-2022", "ISO/IEC 27001:2022", "control", "A.5.1..37 A.6.1..8 A.7.1..14 A.8.1..34"
        ),
        # The trust services criteria of 2017, without those of privacy.
        _framework(
            "soc-2",
            "SOC 2",
            "criterion",
            "CC1.1..5 CC2.1..3 CC3.1..4 CC4.1..2 CC5.1..3 CC6.1..8 CC7.1..5 CC8.1 CC9.1..2 A1.1..3 C1.1..2 PI1.1..5",
        ),
        _framework("prowler", "Prowler", "check", _PROWLER),
    )
}
"""Every framework by its name, in the order in which they are shown."""
