"""docs/reference/frameworks.md: from each framework's requirements to the controls, and from each control back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tools.generate import ROOT
from tools.generators._template_pages import table
from tools.generators._themes import themes
from warden.controls import all_controls
from warden.core import frameworks
from warden.core.framework_catalogue import FRAMEWORKS, natural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from warden.core.framework_catalogue import Framework

_PAGE: Final = ROOT / "docs" / "reference" / "frameworks.md"
_NOTICE: Final = "<!-- Generated from the controls' files by `make generate`; edit those instead. -->"
_ABOUT: Final = """\
Which control of Warden's is about which requirement of a framework. An identifier that a framework has not is refused
when the code is loaded, so that no page can name one.

A mapping says that the control is about the same thing. It does not say that a requirement is met by it alone, and
no auditor is bound by it.

The command line has the same, as text or as JSON:

```console run
$ warden controls --framework cis-aws-5
CIS AWS Foundations v5.0.0: … requirements, … controls
2.2.1  cluster_storage_encrypted          HIGH      remediation, costs
…
$ warden controls --framework sox
warden: there is no framework 'sox'; known are security-hub, aws-config, …
```"""
_SOURCES: Final[Mapping[str, str]] = {
    "security-hub": (
        "Security Hub CSPM User Guide. RDS.18 is retired and RDS.49 was never published; RDS.22 and RDS.31 are about "
        "the DB security groups of EC2-Classic, which no longer exist. EC2.2 is related: it empties the default "
        "group, where Warden takes it off the database. RDS.28 to RDS.33 belong to the AWS Resource Tagging Standard."
    ),
    "aws-config": (
        "AWS Config Developer Guide. Rules that Security Hub keeps for itself are left out: nobody else can use them."
    ),
    "cis-aws-3": "The version that Security Hub has as `v3.0.0`.",
    "cis-aws-5": "The version that Security Hub has as `v5.0.0`.",
    "cis-aws-7": "The same recommendations, whose sections moved up by one in version 6: 2.2.1 became 3.2.1.",
    "cis-aws-database": (
        "Section 2, Amazon Aurora. **The numbers are those of third parties**: look them up in your copy. Version "
        "1.0.0 has other numbers."
    ),
    "nist-800-53-5": (
        "What Security Hub maps its control to; without one, what it maps its nearest relative to. Revision 5."
    ),
    "pci-dss-4": "What Security Hub maps its controls to. Its RDS.1 (public snapshots) maps to version 3.2.1 alone.",
    "hipaa": (
        "45 CFR 164.308 and 164.312, by theme: as in AWS's conformance pack for Config where that has the theme, else "
        "by the text of the standard."
    ),
    "iso-27001-2022": "Annex A, by theme and the text of the standard.",
    "soc-2": "The trust services criteria of 2017, by theme and their text.",
    "prowler": "The checks of version 5; [where they and Warden disagree](../explanation/peers.md).",
}

_WHY_NOT: Final[Mapping[str, str]] = {
    "CloudWatch.15": "alarms of anything",
    "CloudWatch.17": "alarms of anything",
    "KMS.1": "policies of people, about all keys",
    "KMS.2": "policies of people, about all keys",
    "RDS.33": "DB subnet groups are not judged themselves; tag policies of AWS Organizations enforce their tags",
    "SecretsManager.3": "to delete a secret that is seldom read breaks what reads it once a year",
    "SecretsManager.5": "tags of secrets, with or without a database",
    "cloudtrail_multi_region_enabled": "the check of management events is the stricter one",
    "ec2_securitygroup_default_restrict_traffic": "about every VPC; Warden takes the default group off databases",
    "kms_cmk_are_used": "a key that nobody uses protects nothing, and loses nothing",
    "kms_cmk_not_multi_region": "a global database needs such a key",
    "rds-db-security-group-not-allowed": "EC2-Classic",
    "rds_instance_event_subscription_security_groups": "EC2-Classic",
    "rds_instance_inside_vpc": "EC2-Classic; RDS.18 is retired for the same reason",
    "vpc-default-security-group-closed": "about every VPC; Warden takes the default group off databases",
}
"""Why no control is about an identifier; the ones that have none here may get one yet."""


def generate() -> Mapping[Path, str]:
    """Return the page."""
    parts = [_NOTICE, "# Frameworks", _ABOUT, _overview(), *map(_section, FRAMEWORKS.values()), _by_control()]
    return {_PAGE: "\n\n".join(parts)}


def mapped(framework: Framework) -> dict[str, list[str]]:
    """Return the ids of the controls by requirement, the requirements in their natural order."""
    found: dict[str, list[str]] = {}
    for control in all_controls():
        for number in frameworks.by_framework(control.frameworks).get(framework.name, ()):
            found.setdefault(number, []).append(control.id)
    return {number: found[number] for number in sorted(found, key=natural)}


def _overview() -> str:
    rows = []
    for framework in FRAMEWORKS.values():
        requirements = mapped(framework)
        controls = {control for ids in requirements.values() for control in ids}
        rows.append(
            (
                f"[{framework.name}](#{_anchor(framework.name)})",
                f"`{framework.key}`",
                str(len(requirements)),
                str(len(controls)),
                _SOURCES[framework.key],
            )
        )
    head = ("Framework", "Key", "Requirements", "Controls", "Source")
    return "\n".join(table(head, rows))


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _section(framework: Framework) -> str:
    requirements = mapped(framework)
    rows = [(number, _links(ids, "<br>")) for number, ids in requirements.items()]
    lines = [f"## {framework.name}", "", *table((framework.noun.capitalize(), "Controls of Warden's"), rows)]
    # Of what is about databases alone, it is of use to know what nobody looks at.
    if framework.key in {"security-hub", "aws-config", "cis-aws-database", "prowler"} and (
        rest := sorted(framework.identifiers - requirements.keys(), key=natural)
    ):
        lines += ["", f"Without a control of Warden's: {', '.join(map(_unmapped, rest))}."]
    return "\n".join(lines)


def _unmapped(number: str) -> str:
    return f"{number} ({_WHY_NOT[number]})" if number in _WHY_NOT else number


def _by_control() -> str:
    controls = {control.id: control for control in all_controls()}
    parts = ["## By control"]
    for theme, ids in themes(controls).items():
        rows = [
            (
                _links([name], ""),
                "<br>".join(
                    f"{framework}: {', '.join(numbers)}"
                    for framework, numbers in frameworks.by_framework(controls[name].frameworks).items()
                ),
            )
            for name in sorted(ids)
        ]
        parts.append("\n".join([f"### {theme}", "", *table(("Control", "Requirements"), rows)]))
    return "\n\n".join(parts)


def _links(ids: Iterable[str], between: str) -> str:
    return between.join(f"[`{name}`](controls/{name}.md)" for name in ids)
