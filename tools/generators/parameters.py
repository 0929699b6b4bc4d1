"""docs/reference/parameters.md: what a deployment can be told, and what it gives back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.generators._template_pages import REFERENCE, page, parsed, said, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_ABOUT = """\
The parameters of the stack: `sam deploy --parameter-overrides ModeCeiling=ticket`, or a line in samconfig.toml. They
are the wiring of a deployment; what the organisation wants of its databases is in a file of layers/policy."""


def generate() -> Mapping[Path, str]:
    """Return the page."""
    document = parsed()
    groups = document["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    sections = [_group(group, document["Parameters"]) for group in groups]
    outputs = [
        (f"`{name}`", output["Description"], f"`{said(output['Value'])}`")
        for name, output in document["Outputs"].items()
    ]
    lines = table(("Output", "What it is", "Of"), outputs)
    text = page("Parameters and outputs", _ABOUT, *sections, "\n".join(["## Outputs", "", *lines]))
    return {REFERENCE / "parameters.md": text}


def _group(group: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    rows = [(f"`{name}`", *_row(parameters[name])) for name in group["Parameters"]]
    lines = table(("Parameter", "What it does", "Default", "Allowed"), rows)
    return "\n".join([f"## {group['Label']['default']}", "", *lines])


def _row(parameter: Mapping[str, Any]) -> tuple[str, str, str]:
    default = str(parameter["Default"])
    return parameter["Description"], f"`{default}`" if default else "empty", _allowed(parameter)


def _allowed(parameter: Mapping[str, Any]) -> str:
    if "AllowedValues" in parameter:
        return ", ".join(f"`{value}`" for value in parameter["AllowedValues"])
    if "ConstraintDescription" in parameter:
        return str(parameter["ConstraintDescription"]).removeprefix("must be ")
    return f"{parameter['MinValue']} to {parameter['MaxValue']}"
