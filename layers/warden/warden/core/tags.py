"""The tags of RDS's resources, as Describe items list them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from warden.core.resource import Facts


def of(facts: Facts) -> dict[str, str]:
    """The tags by key; a tag without a value has the empty one."""
    return {tag["Key"]: tag.get("Value", "") for tag in facts["TagList"]}


def bears_one(facts: Facts, wanted: Iterable[str]) -> bool:
    """Whether a resource bears one of these tags: a key with any value, or `key=value`."""
    tags = of(facts)
    for text in wanted:
        key, given, value = text.partition("=")
        if key in tags and (not given or tags[key] == value):
            return True
    return False
