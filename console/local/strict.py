"""What AWS checks of a request beyond its types, and neither botocore nor moto does: lengths, patterns, enums, ranges.

Read from botocore's own model of the service, and for what a model has no words for, from its documentation strings.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import botocore.session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_RESERVED: Final = ("amazon", "aws", "amzn", "ssm", "/amazon", "/aws", "/amzn", "/ssm")
_ALLOWED: Final = frozenset({"/aws/resources", "/aws/automations", "/aws/dedup"})
"""Keys that a caller gives on purpose: the first two by CreateOpsItem's words, the third by OpsCenter's user guide."""
_VALUE_BYTES: Final = 20 * 1024
_LONGEST: Final[Mapping[str, int]] = {
    # AwsSecurityFinding: "Length Constraints" and "Array Members" stand in the documentation strings alone.
    "Id": 512,
    "Title": 256,
    "Description": 1024,
    "GeneratorId": 512,
}


def complaints(service: str, operation: str, parameters: Mapping[str, Any]) -> list[str]:
    """What AWS would refuse of a request, a line each; nothing where it would take it."""
    model = botocore.session.get_session().get_service_model(service)
    shape = model.operation_model(operation).input_shape
    found = list(_members(shape, parameters, operation))
    extra = {"ssm": _ops_data, "securityhub": _findings}.get(service)
    return [*found, *(extra(parameters) if extra else ())]


def _members(shape: Any, value: Any, where: str) -> Iterator[str]:
    yield from _range(shape, value, where)
    match shape.type_name:
        case "structure":
            for name in shape.required_members:
                if name not in value:
                    yield f"{where}.{name} is required"
            for name, item in value.items():
                if name not in shape.members:
                    yield f"{where}.{name} is no member"
                else:
                    yield from _members(shape.members[name], item, f"{where}.{name}")
        case "list":
            for number, item in enumerate(value):
                yield from _members(shape.member, item, f"{where}[{number}]")
        case "map":
            for key, item in value.items():
                yield from _members(shape.key, key, f"{where} key {key!r}")
                yield from _members(shape.value, item, f"{where}[{key!r}]")


def _range(shape: Any, value: Any, where: str) -> Iterator[str]:
    limits = shape.metadata
    size = value if isinstance(value, int | float) else len(value) if hasattr(value, "__len__") else None
    if size is not None and size < limits.get("min", size):
        yield f"{where} is below {limits['min']}"
    if size is not None and size > limits.get("max", size):
        yield f"{where} is above {limits['max']}"
    if "enum" in limits and value not in limits["enum"]:
        yield f"{where} {value!r} is none of {', '.join(limits['enum'])}"
    if (
        "pattern" in limits
        and "\\p{" not in limits["pattern"]
        and not re.search(limits["pattern"], str(value))
    ):
        yield f"{where} {value!r} does not match {limits['pattern']}"


def _ops_data(parameters: Mapping[str, Any]) -> Iterator[str]:
    for key, data in parameters.get("OperationalData", {}).items():
        if key not in _ALLOWED and key.lower().startswith(_RESERVED):
            yield f"OperationalData key {key!r} begins with a reserved word"
        if len(data.get("Value", "").encode()) > _VALUE_BYTES:
            yield f"OperationalData[{key!r}] is larger than 20 KB"
    source = str(parameters.get("Source", "")).lower()
    if any(word in source for word in ("aws", "amazon", "amzn")):
        yield f"Source {source!r} names AWS"


def _findings(parameters: Mapping[str, Any]) -> Iterator[str]:
    for finding in parameters.get("Findings", ()):
        for name, longest in _LONGEST.items():
            if len(finding.get(name, "")) > longest:
                yield f"{name} is longer than {longest} characters"
        recommendation = finding.get("Remediation", {}).get("Recommendation", {})
        if len(recommendation.get("Text", "")) > 512:  # noqa: PLR2004 - Recommendation.Text: "Maximum length of 512"
            yield "Recommendation.Text is longer than 512 characters"
        if len(finding.get("Resources", ())) > 32:  # noqa: PLR2004 - Resources: "Maximum number of 32 items"
            yield "there are more than 32 Resources"
        for key, value in finding.get("ProductFields", {}).items():
            if len(key) > 128 or len(value) > 2048:  # noqa: PLR2004 - ProductFields: 128 and 2048 characters
                yield f"ProductFields[{key!r}] is too long"
        if not re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)", finding["UpdatedAt"]
        ):
            yield f"UpdatedAt {finding['UpdatedAt']!r} is no timestamp"
