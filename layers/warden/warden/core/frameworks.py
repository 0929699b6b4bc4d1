"""The requirements of frameworks that controls map to; an identifier that a framework has not is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core.dataclass import dataclass
from warden.core.framework_catalogue import FRAMEWORKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Requirement:
    """One numbered requirement of one framework."""

    framework: str
    """The framework's name, as `FRAMEWORKS` has it."""
    number: str

    def __post_init__(self) -> None:
        """Refuse, with ValueError, what the framework has not, or has about other things than databases."""
        framework = FRAMEWORKS.get(self.framework)
        if framework is None:
            msg = f"there is no framework {self.framework!r}; known are {', '.join(FRAMEWORKS)}"
            raise ValueError(msg)
        if self.number not in framework.identifiers:
            msg = f"{self.framework} has no {framework.noun} {self.number} about databases"
            raise ValueError(msg)

    def __str__(self) -> str:
        return f"{self.framework} {self.number}"


def security_hub(number: str) -> Requirement:
    """An AWS Security Hub CSPM control for RDS, such as `RDS.7`, or for what databases use, such as `KMS.4`."""
    return Requirement("Security Hub", number)


def config(rule: str) -> Requirement:
    """An AWS Config managed rule, such as `rds-storage-encrypted`."""
    return Requirement("AWS Config", rule)


def prowler(check: str) -> Requirement:
    """A check of Prowler 5, such as `rds_instance_storage_encrypted`."""
    return Requirement("Prowler", check)


def nist_800_53(number: str) -> Requirement:
    """A control of NIST SP 800-53 Rev. 5, such as `SC-28(1)`."""
    return Requirement("NIST 800-53 r5", number)


def cis_foundations(number: str) -> Requirement:
    """A recommendation of the CIS AWS Foundations Benchmark v5.0.0, such as `2.2.3`; see also `cis`."""
    return Requirement("CIS AWS Foundations v5.0.0", number)


def cis(*, v3: str = "", v5: str, v7: str) -> tuple[Requirement, ...]:
    """One recommendation of the CIS AWS Foundations Benchmark under its numbers in versions 3, 5 and 7."""
    numbers = {"v3.0.0": v3, "v5.0.0": v5, "v7.0.0": v7}
    return tuple(
        Requirement(f"CIS AWS Foundations {version}", number) for version, number in numbers.items() if number
    )


def cis_database(number: str) -> Requirement:
    """A recommendation about Aurora of the CIS AWS Database Services Benchmark v2.0.0, such as `2.3`."""
    return Requirement("CIS AWS Database Services v2.0.0", number)


def pci_dss(number: str) -> Requirement:
    """A requirement of PCI DSS v4.0.1, such as `10.2.1`."""
    return Requirement("PCI DSS v4.0.1", number)


def hipaa(*numbers: str) -> tuple[Requirement, ...]:
    """Standards of the HIPAA Security Rule, such as `164.312(b)`."""
    return tuple(Requirement("HIPAA Security Rule", number) for number in numbers)


def iso_27001(*numbers: str) -> tuple[Requirement, ...]:
    """Controls of ISO/IEC 27001:2022, Annex A, such as `A.8.24`."""
    return tuple(Requirement("ISO/IEC 27001:2022", number) for number in numbers)


def soc_2(*numbers: str) -> tuple[Requirement, ...]:
    """Criteria of SOC 2, such as `CC6.1`."""
    return tuple(Requirement("SOC 2", number) for number in numbers)


def nist(*numbers: str) -> tuple[Requirement, ...]:
    """Several controls of NIST SP 800-53 Rev. 5."""
    return tuple(nist_800_53(number) for number in numbers)


def mapping(*parts: Requirement | tuple[Requirement, ...]) -> tuple[Requirement, ...]:
    """What a control maps to, of single requirements and of groups; what several of them name is there once."""
    return tuple(
        dict.fromkeys(one for part in parts for one in (part if isinstance(part, tuple) else (part,)))
    )


def by_framework(requirements: Iterable[Requirement]) -> Mapping[str, list[str]]:
    """The numbers by the framework's name, both in the order of the catalogue and of the control."""
    found: dict[str, list[str]] = {name: [] for name in FRAMEWORKS}
    for requirement in requirements:
        found[requirement.framework].append(requirement.number)
    return {name: numbers for name, numbers in found.items() if numbers}


# The CIS AWS Foundations Benchmark in its versions 3.0.0, 5.0.0 and 7.0.0 (6.0.0 has the numbers of 7.0.0).
CIS_ENCRYPTED = cis(v3="2.3.1", v5="2.2.1", v7="3.2.1")
CIS_MINOR_UPGRADES = cis(v3="2.3.2", v5="2.2.2", v7="3.2.2")
CIS_NOT_PUBLIC = cis(v3="2.3.3", v5="2.2.3", v7="3.2.3")
CIS_MULTI_AZ = cis(v5="2.2.4", v7="3.2.4")
CIS_TRAIL = cis(v3="3.1", v5="3.1", v7="4.1") + cis(v3="3.2", v5="3.2", v7="4.2")
CIS_KEY_ROTATION = cis(v3="3.6", v5="3.6", v7="4.6")

# What is said of a whole theme. NIST SP 800-53 Rev. 5 is what Security Hub CSPM maps its controls of the theme to
# ("Amazon RDS controls", "Related requirements"); a control of ours that Security Hub lacks takes the group of its
# nearest relative. HIPAA follows AWS's conformance pack for Config ("Operational Best Practices for HIPAA Security")
# where that has a rule of the theme. Everything else of HIPAA, ISO/IEC 27001 and SOC 2 is by the text of the standard.
ENCRYPTION_AT_REST = (
    *nist("CA-9(1)", "CM-3(6)", "SC-7(10)", "SC-13", "SC-28", "SC-28(1)", "SI-7(6)"),
    *hipaa("164.312(a)(2)(iv)", "164.312(e)(2)(ii)"),
    *iso_27001("A.8.24"),
    *soc_2("CC6.1", "PI1.5"),
)
LOGGING = (
    *nist("AC-2(4)", "AC-4(26)", "AC-6(9)", "AU-2", "AU-3", "AU-6(3)", "AU-6(4)", "AU-10", "AU-12"),
    *nist("CA-7", "SC-7(9)", "SI-3(8)", "SI-4(20)", "SI-7(8)"),
    *hipaa("164.308(a)(1)(ii)(D)", "164.312(b)"),
    *iso_27001("A.8.15"),
    *soc_2("CC7.2", "CC7.3", "PI1.3"),
)
AUTHENTICATION = (
    *nist("AC-2(1)", "AC-3", "AC-3(7)", "AC-3(15)", "AC-6"),
    *hipaa("164.312(a)(1)", "164.312(d)"),
    *iso_27001("A.5.15", "A.8.5"),
    *soc_2("CC6.1"),
)
# Logins that fail, of which no control of Security Hub knows: "unsuccessful logon attempts".
FAILED_LOGINS = (
    *nist("AC-7", "AU-2", "AU-3", "AU-12", "SI-4(20)"),
    *hipaa("164.308(a)(5)(ii)(C)", "164.312(b)"),
    *iso_27001("A.8.5", "A.8.15"),
    *soc_2("CC7.2"),
)
BACKUP = (
    *nist("CP-6", "CP-6(1)", "CP-6(2)", "CP-9", "CP-10", "SC-5(2)", "SI-12", "SI-13(5)"),
    *hipaa("164.308(a)(7)(i)", "164.308(a)(7)(ii)(A)", "164.308(a)(7)(ii)(B)", "164.312(a)(2)(ii)"),
    *iso_27001("A.8.13"),
    *soc_2("CC7.4", "A1.2"),
)
HIGH_AVAILABILITY = (
    *nist("CP-6(2)", "CP-10", "SC-5(2)", "SC-36", "SI-13(5)"),
    *hipaa("164.308(a)(7)(i)", "164.308(a)(7)(ii)(C)"),
    *iso_27001("A.8.14"),
    *soc_2("A1.2"),
)
NETWORK = (
    *nist("AC-4", "AC-4(21)", "SC-7", "SC-7(4)", "SC-7(5)", "SC-7(11)", "SC-7(16)", "SC-7(21)"),
    *hipaa("164.308(a)(3)(i)", "164.312(a)(1)"),
    *iso_27001("A.8.20", "A.8.22"),
    *soc_2("CC6.6"),
)
SHARING = (
    *nist("AC-3", "AC-3(7)", "AC-4", "AC-4(21)", "AC-6", "AC-21", "SC-7", "SC-7(3)", "SC-7(4)"),
    *nist("SC-7(9)", "SC-7(11)", "SC-7(16)", "SC-7(20)", "SC-7(21)"),
    *hipaa("164.308(a)(3)(i)", "164.312(a)(1)"),
    *iso_27001("A.5.15", "A.8.3"),
    *soc_2("CC6.1", "CC6.6"),
)
# "AWS KMS controls", KMS.3 and KMS.4: "cryptographic key establishment and management", "symmetric keys".
KEY_MANAGEMENT = (
    *nist("SC-12", "SC-12(2)", "SC-28"),
    *hipaa("164.312(a)(2)(iv)"),
    *iso_27001("A.8.24"),
    *soc_2("CC6.1"),
)
# "Secrets Manager controls", SecretsManager.1 to SecretsManager.4.
SECRET_ROTATION = (
    *nist("AC-2(1)", "AC-3(15)"),
    *hipaa("164.308(a)(4)(ii)(C)", "164.308(a)(5)(ii)(D)"),
    *iso_27001("A.5.17"),
    *soc_2("CC6.1"),
)
# The password itself: "authenticator management".
PASSWORDS = (*SECRET_ROTATION, *nist("IA-5", "IA-5(1)"))
DELETION_PROTECTION = (
    *nist("CM-3", "SC-5(2)"),
    *hipaa("164.308(a)(7)(i)", "164.312(c)(1)"),
    *iso_27001("A.5.33"),
    *soc_2("C1.1"),
)
# Security Hub maps none of its TLS controls: "transmission confidentiality and integrity".
IN_TRANSIT = (
    *nist("SC-8", "SC-8(1)", "SC-13"),
    *hipaa("164.312(e)(1)", "164.312(e)(2)(i)", "164.312(e)(2)(ii)"),
    *iso_27001("A.8.24"),
    *soc_2("CC6.7"),
)
CONFIGURATION = (*nist("CM-2", "CM-3", "CM-6"), *iso_27001("A.8.9"), *soc_2("CC8.1"))
PATCHING = (
    *nist("SI-2", "SI-2(2)", "SI-2(4)", "SI-2(5)"),
    *hipaa("164.308(a)(1)(ii)(B)"),
    *iso_27001("A.8.8"),
    *soc_2("CC7.1"),
)
MONITORING = (
    *nist("CA-7", "SI-2"),
    *hipaa("164.308(a)(1)(ii)(D)"),
    *iso_27001("A.8.16"),
    *soc_2("CC7.2"),
)
TAGGING = (*nist("CA-9(1)", "CM-2", "CM-2(2)"), *iso_27001("A.5.9", "A.5.13"), *soc_2("CC6.1"))
