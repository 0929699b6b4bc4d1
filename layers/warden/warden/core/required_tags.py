"""The tags that the policy wants on databases and on snapshots: the verdict, and what a person is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from warden.core import guidance, tags
from warden.core.control import Setting, Verdict, compliant, insufficient_data, non_compliant, not_applicable
from warden.core.kinds import KINDS
from warden.core.plan import Manual

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warden.core.resource import Resource

ANY: Final = "*"
"""Any tag at all: what AWS's own rules ask for as long as nobody names keys."""

REQUIRED_TAGS = Setting(
    name="required_tags",
    default=[],
    doc="The tags that databases and snapshots must have: a key, or key=value where only some values will do, with "
    "one entry for each of them. Keys and values are compared with their case. `*` is any tag that AWS has not given "
    "itself. Empty: no tag is asked for.",
    pattern=r"\*|(?!aws:|rds:)[\w.:/+\-@ ]{1,128}(=[\w.:/+\-@= ]{0,256})?",
    shared=True,
)

_UNJUDGED: Final[Mapping[str, str]] = {
    "automated": "is an automated snapshot: RDS gives it the tags of its database where that copies them, and deletes "
    "it with the retention period",
    "awsbackup": "is kept by AWS Backup, which gives it the tags of its database",
    "shared": "belongs to another account",
    "public": "belongs to another account",
}


def unjudged_snapshot(resource: Resource) -> Verdict | None:
    """The verdict on a snapshot that nobody of this account made by hand; None of one that somebody did."""
    kind = resource.facts["SnapshotType"]
    if kind == "manual":
        return None
    if kind in _UNJUDGED:
        return not_applicable(f"{resource.ref.id} {_UNJUDGED[kind]}.")
    return insufficient_data(
        f"{resource.ref.id} is a snapshot of the type {kind!r}, which Warden does not know."
    )


def judge(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Compare the tags that somebody gave with those of the policy."""
    wanted = _wanted(settings)
    if not wanted:
        return not_applicable(f"{resource.ref.id} needs no tag: the policy names none under required_tags.")
    borne = tags.given(resource.facts)
    wrongs = [*_absent(borne, wanted), *_wrong(borne, wanted)]
    if wrongs:
        return non_compliant(f"{resource.ref.id} {'; '.join(wrongs)}.")
    names = ", ".join(sorted(borne) if ANY in wanted else wanted)
    return compliant(f"{resource.ref.id} has the tags that the policy wants: {names}.")


def by_hand(resource: Resource, settings: Mapping[str, Any], *source: str) -> Manual:
    """What a person does, who alone knows the values; `source` are commands that show where to find them."""
    wanted, borne = _wanted(settings), tags.given(resource.facts)
    keys = [*_lacking(borne, wanted), *_of_wrong_value(borne, wanted)]
    new = [key for key in keys if key not in borne]
    choices = [f"{key}: {' or '.join(wanted[key])}" for key in keys if wanted[key]]
    known = f" Values that will do: {'; '.join(choices)}." if choices else ""
    full = (
        f" It has {len(borne)} tags, and RDS takes no more than {tags.MOST}: take some away first."
        if len(borne) + len(new) > tags.MOST
        else ""
    )
    replaced = " A key that is there gets the new value in place of its own." if len(new) < len(keys) else ""
    return Manual(
        "Only who knows the database knows the values, and Warden writes none: put them in the place of YOUR-VALUE."
        f"{known}{replaced}{full}",
        (
            *source,
            guidance.command(
                resource,
                "add-tags-to-resource",
                {
                    "resource-name": resource.facts[KINDS[resource.ref.resource_type].arn],
                    "tags": [f"Key={'YOUR-KEY' if key == ANY else key},Value=YOUR-VALUE" for key in keys],
                },
            ),
        ),
    )


def _wanted(settings: Mapping[str, Any]) -> dict[str, list[str]]:
    """The values that will do by key; none named where any will. What has a certain tag has any tag."""
    found: dict[str, list[str]] = {}
    for text in settings[REQUIRED_TAGS.name]:
        key, has_value, value = text.partition("=")
        values = found.setdefault(key, [])
        if has_value and value not in values:
            values.append(value)
    return {key: values for key, values in found.items() if key != ANY or len(found) == 1}


def _lacking(borne: Mapping[str, str], wanted: Mapping[str, Sequence[str]]) -> list[str]:
    return [key for key in wanted if (not borne if key == ANY else key not in borne)]


def _of_wrong_value(borne: Mapping[str, str], wanted: Mapping[str, Sequence[str]]) -> list[str]:
    return [key for key, values in wanted.items() if values and key in borne and borne[key] not in values]


def _absent(borne: Mapping[str, str], wanted: Mapping[str, Sequence[str]]) -> list[str]:
    keys = _lacking(borne, wanted)
    if not keys:
        return []
    if keys == [ANY]:
        return ["has no tag"]
    others = sorted(key for key in borne for lacking in keys if key.casefold() == lacking.casefold())
    alike = f", and {', '.join(others)} is written in another case" if others else ""
    return [f"lacks the tag{'s' if len(keys) > 1 else ''} {', '.join(keys)}{alike}"]


def _wrong(borne: Mapping[str, str], wanted: Mapping[str, Sequence[str]]) -> list[str]:
    """A value is whatever somebody wrote there, so it is quoted."""
    return [
        f"has {key}={borne[key]!r}, which is not {' or '.join(wanted[key])}"
        for key in _of_wrong_value(borne, wanted)
    ]
