"""The tags of RDS's resources, as Describe items list them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from warden.core.resource import Facts

MOST: Final = 50
"""RDS User Guide, "Tagging Amazon RDS resources"."""

OF_AWS: Final = ("aws:", "rds:")
"""How the keys begin that nobody but AWS may give: a key "can't be prefixed with aws: or rds:" (Tag: Key)."""


def of(facts: Facts) -> dict[str, str]:
    """The tags by key; a tag without a value has the empty one."""
    return {tag["Key"]: tag.get("Value", "") for tag in facts["TagList"]}


def given(facts: Facts) -> dict[str, str]:
    """The tags that somebody gave, without those of AWS itself, such as `aws:cloudformation:stack-name`."""
    return {key: value for key, value in of(facts).items() if not key.startswith(OF_AWS)}


def bears_one(facts: Facts, wanted: Iterable[str]) -> bool:
    """Whether a resource bears one of these tags: a key with any value, or `key=value`."""
    tags = of(facts)
    for text in wanted:
        key, has_value, value = text.partition("=")
        if key in tags and (not has_value or tags[key] == value):
            return True
    return False
