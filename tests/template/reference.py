"""AWS's Service Authorization Reference, as cfn-lint carries it: which resources an action is checked against."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any


class UnknownActionError(LookupError):
    """AWS has no such action."""


@cache
def _services() -> dict[str, Any]:
    # Found and read without importing cfn-lint, which takes seconds.
    package = find_spec("cfnlint")
    assert package is not None
    assert package.origin is not None
    policies = Path(package.origin).parent / "data" / "AdditionalSpecs" / "Policies.json"
    services: dict[str, Any] = json.loads(policies.read_text(encoding="utf-8"))
    return services


def arns(action: str, *, partition: str, region: str, account: str) -> dict[str, str]:
    """The types of resource that an action is checked against, each with the ARN of all of them here.

    Empty where AWS checks an action against no resource, so that only `*` can be granted.
    """
    service, _, name = action.partition(":")
    known = _services().get(service, {"Actions": {}})
    if name.lower() not in known["Actions"]:
        raise UnknownActionError(action)
    here = {"${Partition}": partition, "${Region}": region, "${Account}": account}
    found = {}
    # The two lists do not agree on capitals: `Secret` here, `secret` there.
    formats = {name.lower(): item["ARNFormats"] for name, item in known.get("Resources", {}).items()}
    for resource_type in known["Actions"][name.lower()].get("Resources", ()):
        (arn,) = formats[resource_type.lower()]
        for placeholder, value in here.items():
            arn = arn.replace(placeholder, value)
        found[resource_type] = arn.replace(".*", "*")
    return found
