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
