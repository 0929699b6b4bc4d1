"""Which resources a selection of an AWS Backup plan selects, by its ARNs, its tags and its conditions.

By the AWS Backup API Reference (BackupSelection, Conditions, ConditionParameter) and the Developer Guide, "Assign
resources with AWS CLI". `True` and `False` are what these say; `None` is where they say nothing, or contradict each
other, and then nobody may be told either.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_ARN_PARTS = 7
"""arn:partition:rds:region:account:type:name."""
_RESOURCE_TAG = "aws:ResourceTag/"


class Selection:
    """A BackupSelection, made ready to be asked about many ARNs: it may list five hundred of them."""

    def __init__(self, item: Mapping[str, Any]) -> None:
        """Take the item of GetBackupSelection."""
        given, tags = item.get("Resources") or [], item.get("ListOfTags") or []
        self._resources, self._others = _Patterns(given), _Patterns(item.get("NotResources") or [])
        self._same = {
            "SelectionName": item["SelectionName"],
            "Everything": not given and not tags,
            "ListOfTags": [
                {"ConditionKey": one["ConditionKey"], "ConditionValue": one["ConditionValue"]} for one in tags
            ],
            "Conditions": {name: items for name, items in (item.get("Conditions") or {}).items() if items},
        }

    def relevant(self, arn: str) -> dict[str, Any]:
        """What of it concerns one ARN: of hundreds of ARNs and patterns only those that match it.

        `Everything` says that neither ARNs nor tags are given: then "Backup attempts to select all supported and
        opted-in storage resources" (BackupSelection), of which exclusions and conditions are taken away.
        """
        return {
            **self._same,
            "Resources": self._resources.matching(arn),
            "NotResources": self._others.matching(arn),
        }


class _Patterns:
    """ARNs and patterns of them; an ARN is found without a look at the others."""

    def __init__(self, given: Iterable[str]) -> None:
        self._exact: dict[str, list[int]] = {}
        self._wild: list[tuple[int, str, re.Pattern[str]]] = []
        for position, pattern in enumerate(given):
            if "*" in pattern:
                self._wild.append((position, pattern, _compiled(pattern)))
            else:
                self._exact.setdefault(pattern, []).append(position)

    def matching(self, arn: str) -> list[str]:
        """Those that fit an ARN, in their order."""
        found = [(position, arn) for position in self._exact.get(arn, ())]
        found += [(position, pattern) for position, pattern, form in self._wild if form.fullmatch(arn)]
        return [pattern for _, pattern in sorted(found)]


def may_select(selection: Mapping[str, Any]) -> bool:
    """Whether a selection, as `Selection.relevant` gives it, could select the resource, whatever its tags."""
    return bool(selection["Everything"] or selection["Resources"] or selection["ListOfTags"])


def selects(selection: Mapping[str, Any], tags: Mapping[str, str]) -> bool | None:
    """Whether a selection, as `Selection.relevant` gives it, selects the resource if it has these tags.

    "All FSx file systems, the Aurora cluster "my-aurora-cluster", and all resources tagged with "backup":"true",
    except for resources tagged with "stage":"test"" is the guide's example of Resources, ListOfTags and Conditions in
    one: ARNs and tags are united, and conditions limit both.
    """
    included = _any(
        (
            selection["Everything"],
            *(_documented(pattern) for pattern in selection["Resources"]),
            # ListOfTags: "the resources must match any of the conditions (OR logic)"; only StringEquals.
            *(
                _has(tags, _listed(item["ConditionKey"]), item["ConditionValue"])
                for item in selection["ListOfTags"]
            ),
        )
    )
    # "Items in NotResources are combined using the Boolean OR."
    excluded = _any(_documented(pattern) for pattern in selection["NotResources"])
    # Conditions: "the resources must match all conditions (AND logic)".
    conditions = (
        _holds(operator, item, tags) for operator, items in selection["Conditions"].items() for item in items
    )
    return _all((included, _not(excluded), *conditions))


def names_the_type(selection: Mapping[str, Any]) -> bool:
    """Whether an ARN or a pattern of the selection names the resource's type, and not the service or everything.

    "If you specify the resource selection directly with the resource type, it will be included in the backup
    regardless of the opt-in setting for that particular service."
    """
    return any(
        len(parts := pattern.split(":", _ARN_PARTS - 1)) == _ARN_PARTS and "*" not in parts[5]
        for pattern in selection["Resources"]
    )


def tags_that_select(selection: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The tags by which a selection selects: what somebody means who adds one to a resource."""
    listed = {(_listed(item["ConditionKey"]), item["ConditionValue"]) for item in selection["ListOfTags"]}
    equal = {
        (item["ConditionKey"].removeprefix(_RESOURCE_TAG), item["ConditionValue"])
        for item in selection["Conditions"].get("StringEquals", [])
    }
    return listed | equal


def _compiled(pattern: str) -> re.Pattern[str]:
    """What a pattern fits: "The wildcard * represents zero or more non-whitespace characters"."""
    return re.compile(re.escape(pattern).replace(r"\*", r"\S*"))


def _documented(pattern: str) -> bool | None:
    """Whether a pattern that fits is sure to be one for AWS Backup: True, or None.

    "The asterisk (*) must appear at the end of the ARN string" (BackupSelection.Resources) stands against the guide's
    "you can use the wildcard character at the start, end, and middle of a string", and its arn:aws:rds:*:*:db:*.
    Both agree where the name has none, or ends with it.
    """
    name = pattern.split(":", _ARN_PARTS - 1)[-1]
    return None if "*" in name[:-1] else True


def _listed(key: str) -> str:
    """The key of a tag in ListOfTags, which the API Reference gives bare, and CloudFormation's with the prefix."""
    return key.removeprefix(_RESOURCE_TAG)


def _has(tags: Mapping[str, str], key: str, value: str) -> bool:
    return tags.get(key) == value


def _like(actual: str | None, wanted: str) -> bool:
    """Whether a value fits, with "a wildcard character (*) anywhere in the string"."""
    if actual is None:
        return False
    return re.fullmatch(re.escape(wanted).replace(r"\*", ".*"), actual, re.DOTALL) is not None


# "Conditions are case sensitive"; "The Boolean arithmetic is similar to that in IAM policies", in which a negated
# condition holds where the tag is not there.
_OPERATORS: Mapping[str, Callable[[str | None, str], bool]] = {
    "StringEquals": lambda actual, wanted: actual == wanted,
    "StringNotEquals": lambda actual, wanted: actual != wanted,
    "StringLike": _like,
    "StringNotLike": lambda actual, wanted: not _like(actual, wanted),
}


def _holds(operator: str, item: Mapping[str, str], tags: Mapping[str, str]) -> bool | None:
    """Whether one condition holds; "Include the prefix aws:ResourceTag in your tags", or nobody knows."""
    holds = _OPERATORS.get(operator)
    if holds is None or not item["ConditionKey"].startswith(_RESOURCE_TAG):
        return None
    return holds(tags.get(item["ConditionKey"].removeprefix(_RESOURCE_TAG)), item["ConditionValue"])


def _any(values: Iterable[bool | None]) -> bool | None:
    found = list(values)
    return True if True in found else None if None in found else False


def _all(values: Iterable[bool | None]) -> bool | None:
    found = list(values)
    return False if False in found else None if None in found else True


def _not(value: bool | None) -> bool | None:  # noqa: FBT001 - a truth value is what it is about
    return None if value is None else not value
