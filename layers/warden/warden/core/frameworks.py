"""The requirements of frameworks that controls map to; an identifier that a framework has not is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Security Hub CSPM, "Amazon RDS controls": RDS.18 is retired, RDS.49 was never published, RDS.51 is newest.
_SECURITY_HUB_RDS = frozenset(range(1, 52)) - {18, 49}
# NIST SP 800-53 Rev. 5, the families that have controls for databases.
_NIST_FAMILIES = frozenset({"AC", "AU", "CA", "CM", "CP", "IA", "SC", "SI"})
# CIS Amazon Web Services Foundations Benchmark v5.0.0, section 2.2 (RDS).
_CIS_FOUNDATIONS = frozenset({"2.2.1", "2.2.2", "2.2.3", "2.2.4"})
# PCI DSS v4.0.1 requirements that Security Hub maps RDS controls to.
_PCI_DSS = frozenset({"1.4.4", "2.2.2", "3.5.1", "4.2.1", "6.3.3", "10.2.1", "10.4.2", "10.5.1", "11.5.2"})


@dataclass(frozen=True, slots=True)
class Requirement:
    """One numbered requirement of one framework."""

    framework: str
    number: str

    def __str__(self) -> str:
        return f"{self.framework} {self.number}"


def security_hub(number: str) -> Requirement:
    """An AWS Security Hub CSPM control for RDS, such as `RDS.7`."""
    match = re.fullmatch(r"RDS\.(\d+)", number)
    if match is None or int(match[1]) not in _SECURITY_HUB_RDS:
        msg = f"Security Hub has no control {number}"
        raise ValueError(msg)
    return Requirement("Security Hub", number)


def nist_800_53(number: str) -> Requirement:
    """A control of NIST SP 800-53 Rev. 5, such as `SC-28(1)`."""
    match = re.fullmatch(r"([A-Z]{2})-\d{1,2}(\(\d{1,2}\))?", number)
    if match is None or match[1] not in _NIST_FAMILIES:
        msg = f"NIST SP 800-53 has no control {number} for databases"
        raise ValueError(msg)
    return Requirement("NIST 800-53 r5", number)


def cis_foundations(number: str) -> Requirement:
    """A recommendation of the CIS AWS Foundations Benchmark v5.0.0, such as `2.2.3`."""
    if number not in _CIS_FOUNDATIONS:
        msg = f"CIS AWS Foundations v5.0.0 has no RDS recommendation {number}"
        raise ValueError(msg)
    return Requirement("CIS AWS Foundations v5.0.0", number)


def pci_dss(number: str) -> Requirement:
    """A requirement of PCI DSS v4.0.1, such as `10.2.1`."""
    if number not in _PCI_DSS:
        msg = f"PCI DSS v4.0.1 has no requirement {number} that concerns a database's settings"
        raise ValueError(msg)
    return Requirement("PCI DSS v4.0.1", number)


def nist(*numbers: str) -> tuple[Requirement, ...]:
    """Several controls of NIST SP 800-53 Rev. 5."""
    return tuple(nist_800_53(number) for number in numbers)


# Which NIST SP 800-53 Rev. 5 controls Security Hub CSPM maps its RDS controls to ("Amazon RDS controls",
# "Related requirements"). A control of ours that Security Hub lacks takes the group of its nearest relative.
ENCRYPTION_AT_REST = nist("CA-9(1)", "CM-3(6)", "SC-7(10)", "SC-13", "SC-28", "SC-28(1)", "SI-7(6)")
LOGGING = nist(
    *("AC-2(4)", "AC-4(26)", "AC-6(9)", "AU-2", "AU-3", "AU-6(3)", "AU-6(4)", "AU-10", "AU-12"),
    *("CA-7", "SC-7(9)", "SI-3(8)", "SI-4(20)", "SI-7(8)"),
)
AUTHENTICATION = nist("AC-2(1)", "AC-3", "AC-3(7)", "AC-3(15)", "AC-6")
BACKUP = nist("CP-6", "CP-6(1)", "CP-6(2)", "CP-9", "CP-10", "SC-5(2)", "SI-12", "SI-13(5)")
NETWORK = nist("AC-4", "AC-4(21)", "SC-7", "SC-7(4)", "SC-7(5)", "SC-7(11)", "SC-7(16)", "SC-7(21)")
SHARING = nist(
    *("AC-3", "AC-3(7)", "AC-4", "AC-4(21)", "AC-6", "AC-21", "SC-7", "SC-7(3)", "SC-7(4)"),
    *("SC-7(9)", "SC-7(11)", "SC-7(16)", "SC-7(20)", "SC-7(21)"),
)
DELETION_PROTECTION = nist("CM-3", "SC-5(2)")
# Not from Security Hub, which has no TLS control for clusters: "transmission confidentiality and integrity".
IN_TRANSIT = nist("SC-8", "SC-8(1)", "SC-13")
