"""What the reference pages of the template share: the template as data, and its intrinsics as a reader says them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from samtranslator.yaml_helper import yaml_parse

from tools.generate import ROOT
from tools.generators.template import template

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

REFERENCE: Final = ROOT / "docs" / "reference"
NOTICE: Final = "<!-- Generated from template.yaml by `make generate`; edit that instead. -->"

_ARN_HERE: Final = re.compile(r"arn:\$\{AWS::Partition\}:\w+:(?:\$\{AWS::Region\})?:\$\{AWS::AccountId\}:")
_ATTRIBUTE: Final = re.compile(r"\$\{(\w+)(?:\.Arn)?\}")


def parsed() -> dict[str, Any]:
    """Return the template, with its generated parts, as data; intrinsics stay as CloudFormation's long form."""
    document: dict[str, Any] = yaml_parse(template())
    return document


def resources(document: Mapping[str, Any], resource_type: str) -> dict[str, dict[str, Any]]:
    """Return the properties of every resource of a type, by logical id."""
    return {
        name: resource.get("Properties", {})
        for name, resource in document["Resources"].items()
        if resource["Type"] == resource_type
    }


def said(value: Any) -> str:
    """Return a value as a page says it: a reference by its logical id, an ARN in this account by its end."""
    match value:
        case {"Ref": name}:
            return str(name).removeprefix("AWS::")
        case {"Fn::GetAtt": [name, "Arn"]} | {"Fn::GetAtt": [name, "QueueName"]}:
            return str(name)
        case {"Fn::Sub": text}:
            return _ATTRIBUTE.sub(r"\1", _ARN_HERE.sub("", text))
        case bool():
            return str(value).lower()
        case str() | int():
            return str(value)
        case _:
            raise TypeError(f"no page says yet what {value!r} is")


def as_list(value: Any) -> list[Any]:
    """Return a list, or the one value as a list."""
    return value if isinstance(value, list) else [value]


def code(values: Iterable[Any]) -> str:
    """Return values as code, each on a line of its table cell."""
    return "<br>".join(f"`{said(value)}`" for value in values)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Return the lines of a table; a bar within a cell is escaped."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def page(title: str, *parts: str) -> str:
    """Return a page of its parts."""
    return "\n\n".join([NOTICE, f"# {title}", *parts])
