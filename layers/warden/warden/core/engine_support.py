"""Until when AWS supports an engine version, and which one to upgrade to."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from warden.core import engines
from warden.core.control import Setting, Verdict, compliant, insufficient_data, non_compliant
from warden.core.kinds import Need

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from warden.core.resource import Resource

_STANDARD = "open-source-rds-standard-support"
_EXTENDED = "open-source-rds-extended-support"
_VERSION = r"\d+(\.\w+)*"

# What Security Hub's RDS.51 wants of Aurora MySQL in global clusters.
_FLOOR = "8.0.mysql_aurora.3.08.0"
# Amazon Aurora User Guide, "Aurora MySQL long-term support (LTS) releases": "version 3.10.*" and "version 3.04.*";
# "Using an Aurora PostgreSQL long-term support (LTS) release": one minor version of each major one.
_LONG_TERM = [
    *("8.0.mysql_aurora.3.04", "8.0.mysql_aurora.3.10"),
    *("11.9", "12.9", "13.9", "14.6", "15.10", "16.8", "17.7"),
]

NOTICE_DAYS = Setting(
    name="notice_days",
    default=90,
    doc="How many days before the end of its support an engine version counts as unsupported, so that there is time to "
    "upgrade.",
    minimum=0,
    maximum=730,
)
EXTENDED_SUPPORT = Setting(
    name="extended_support",
    default=False,
    doc="Whether RDS Extended Support, which is charged by the vCPU and hour, is good enough for databases that are "
    "enrolled in it.",
)


def minimum_versions(*of: str, floor: bool) -> Setting:
    """The setting for these engines; `floor`: with RDS.51's for Aurora MySQL."""
    return Setting(
        name="minimum_versions",
        default={engine: [_FLOOR] if floor and engine == "aurora-mysql" else [] for engine in of},
        doc="By engine, the lowest versions that will do: one for each major version, or one for all.",
        pattern=_VERSION,
    )


LONG_TERM_VERSIONS = Setting(
    name="long_term_versions",
    default=_LONG_TERM,
    doc="Versions of Aurora with long-term support, each with all of its patches: they will do below the lowest one, "
    "and need not take minor versions by themselves.",
    pattern=_VERSION,
)


def judge(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Whether the engine version is offered, supported for long enough, and not below the policy's floor."""
    facts = resource.facts
    runs = f"{resource.ref.id} runs {facts['Engine']} {facts['EngineVersion']}"
    status = facts[Need.ENGINE_STATUS]
    if status not in {"available", "deprecated", None}:
        return insufficient_data(f"{runs}, whose status is {status!r}, which Warden does not know.")
    reasons = [] if status == "available" else ["AWS does not offer it any more"]
    ends = None
    if facts["Engine"] in engines.INSTANCE_ENGINES:
        ends = _ends(resource, settings)
        if ends is None and not reasons:
            return insufficient_data(f"{runs}, and AWS names no end of its support.")
    if ends is not None:
        reasons += _too_old(resource, ends, settings)
    if below := _below(facts["Engine"], facts["EngineVersion"], settings):
        reasons.append(f"the policy wants {below} at least")
    if reasons:
        return non_compliant(f"{runs}: {'; '.join(reasons)}.")
    if ends is None:
        return compliant(f"{runs}, which AWS offers; it publishes no dates of support for this engine.")
    return compliant(f"{runs}, which is supported until {ends[0]:%Y-%m-%d}.")


def _too_old(resource: Resource, ends: tuple[datetime, str], settings: Mapping[str, Any]) -> list[str]:
    end, which = ends
    if end < resource.observed_at:
        return [f"its {which} ended on {end:%Y-%m-%d}"]
    if end < resource.observed_at + timedelta(days=settings["notice_days"]):
        return [f"its {which} ends on {end:%Y-%m-%d}, in less than {settings['notice_days']} days"]
    return []


def _ends(resource: Resource, settings: Mapping[str, Any]) -> tuple[datetime, str] | None:
    """When the support that counts ends, and which that is; None where AWS does not say it.

    EngineLifecycleSupport alone decides nothing: it is enrolled by default, years before it has any effect.
    """
    major = _major(resource.facts["EngineVersion"], resource.facts[Need.SUPPORT_DATES])
    dates = {} if major is None else _lifecycles(major)
    enrolled = settings["extended_support"] and resource.facts["EngineLifecycleSupport"] == _EXTENDED
    if enrolled and _EXTENDED in dates:
        return dates[_EXTENDED], "extended support"
    return (dates[_STANDARD], "standard support") if _STANDARD in dates else None


def _lifecycles(major: Mapping[str, Any]) -> dict[str, datetime]:
    return {
        one["LifecycleSupportName"]: one["LifecycleSupportEndDate"]
        for one in major["SupportedEngineLifecycles"]
    }


def _major(version: str, dates: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The major version that a version is of: `8.0` of `8.0.mysql_aurora.3.08.0`, `16` of `16.4`."""
    found = [one for one in dates if f"{version}.".startswith(f"{one['MajorEngineVersion']}.")]
    return max(found, key=lambda one: len(one["MajorEngineVersion"]), default=None)


def is_long_term(engine: str, version: str, listed: Iterable[str]) -> bool:
    """Whether it is a version of Aurora with long-term support: one that is listed, or a patch of it."""
    return engine in engines.AURORA and any(f"{version}.".startswith(f"{line}.") for line in listed)


def order(version: str) -> tuple[int, ...]:
    """All numbers of a version, to compare versions of one engine: `8.0.mysql_aurora.3.08.0` is (8, 0, 3, 8, 0)."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _below(engine: str, version: str, settings: Mapping[str, Any]) -> str:
    """The lowest version that would do, where this one is lower; empty where it is not."""
    floors = settings["minimum_versions"].get(engine, [])
    if not floors or is_long_term(engine, version, settings.get(LONG_TERM_VERSIONS.name, ())):
        return ""
    same = [floor for floor in floors if engines.version(floor)[:1] == engines.version(version)[:1]]
    floor: str = min(same or floors, key=order)
    return floor if order(version) < order(floor) else ""


# --- the way out --------------------------------------------------------------------------------------------------


def target(resource: Resource, settings: Mapping[str, Any]) -> tuple[str, bool] | None:
    """The version to upgrade to, and whether that is another major one: as near as will do, and the newest there.

    None where AWS offers no direct upgrade to a version that would do.
    """
    dates = resource.facts[Need.SUPPORT_DATES]
    found = [
        (one["IsMajorVersionUpgrade"], _distance(one["EngineVersion"], dates), one["EngineVersion"])
        for one in resource.facts[Need.UPGRADE_TARGETS]
        if _will_do(resource, one["EngineVersion"], settings)
    ]
    if not found:
        return None
    is_major, distance, _ = min(found, key=lambda one: one[:2])
    of_it = [version for major, far, version in found if (major, far) == (is_major, distance)]
    return max(of_it, key=order), is_major


def _distance(version: str, dates: Iterable[Mapping[str, Any]]) -> tuple[int, ...]:
    major = _major(version, dates)
    return () if major is None else order(major["MajorEngineVersion"])


def _will_do(resource: Resource, version: str, settings: Mapping[str, Any]) -> bool:
    engine = resource.facts["Engine"]
    if engine not in engines.INSTANCE_ENGINES:
        return True
    major = _major(version, resource.facts[Need.SUPPORT_DATES])
    end = None if major is None else _lifecycles(major).get(_STANDARD)
    soon = resource.observed_at + timedelta(days=settings["notice_days"])
    return end is not None and end >= soon and not _below(engine, version, settings)
