"""CloudTrail: whether a trail records the management calls that change databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SOURCES = ("rds.amazonaws.com", "rdsdata.amazonaws.com")
"""RDS's own calls, and those of the Data API, which "ExcludeManagementEventSources" can leave out."""


def shortcomings(trail: Mapping[str, Any]) -> list[str]:
    """Why a trail that can be read does not do: each a clause; empty where it does."""
    found = []
    if not trail["IsMultiRegionTrail"]:
        found.append("it records one Region")
    if not trail["IsLogging"]:
        found.append("it was stopped")
    if not trail.get("LogFileValidationEnabled"):
        found.append("its files are not validated")
    if missing := _unrecorded(trail):
        found.append(f"it leaves out the calls that change something of {' and '.join(missing)}")
    return found


def _unrecorded(trail: Mapping[str, Any]) -> list[str]:
    """The sources of which no selector records every call that writes."""
    basic, advanced = trail["EventSelectors"], trail["AdvancedEventSelectors"]
    return [
        source
        for source in SOURCES
        if not any(_basic_covers(selector, source) for selector in basic)
        and not any(_advanced_covers(selector.get("FieldSelectors", []), source) for selector in advanced)
    ]


def _basic_covers(selector: Mapping[str, Any], source: str) -> bool:
    """An event selector: "By default, the value is All" and "By default, the value is true"."""
    return (
        selector.get("ReadWriteType", "All") in {"All", "WriteOnly"}
        and selector.get("IncludeManagementEvents", True)
        and source not in selector.get("ExcludeManagementEventSources", [])
    )


def _advanced_covers(fields: Iterable[Mapping[str, Any]], source: str) -> bool:
    """An advanced selector, of which every field must hold; one on another field narrows it, and so it fails."""
    is_management = False
    for field in fields:
        name, equals = field["Field"], field.get("Equals")
        match name:
            case "eventCategory":
                is_management = equals == ["Management"]
            case "readOnly":
                if equals != ["false"]:
                    return False
            case "eventSource":
                if not _passes(field, source):
                    return False
            case _:
                return False
    return is_management


def _passes(field: Mapping[str, Any], value: str) -> bool:
    """Whether a value passes every operator of a field selector."""
    wanted = (
        ("Equals", lambda text: value == text),
        ("StartsWith", value.startswith),
        ("EndsWith", value.endswith),
    )
    for operator, holds in wanted:
        if (texts := field.get(operator)) and not any(holds(text) for text in texts):
            return False
        if any(holds(text) for text in field.get(f"Not{operator}") or []):
            return False
    return True
