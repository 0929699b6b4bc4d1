"""Write the CloudFormation that AWS's transform makes of a SAM template, for scanners to read.

python -m tools.transform_template template.yaml .aws-sam/transformed.json

Scanners judge what is deployed: on the SAM template they do not see, say, the role that a function gets.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from collections.abc import Sequence

# The transform wants artifacts in S3, where `sam deploy` puts them; for reading, any address will do.
_ARTIFACT_PROPERTIES = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
}


class _NoManagedPolicies:
    """The transform's source of managed policies, empty: the template names none but by ARN."""

    def load(self) -> dict[str, str]:
        return {}


def transformed(template: Path) -> dict[str, Any]:
    """Return the transformed template."""
    source = yaml_parse(template.read_text(encoding="utf-8"))
    for name, resource in source["Resources"].items():
        if artifact := _ARTIFACT_PROPERTIES.get(resource["Type"]):
            resource["Properties"][artifact] = f"s3://artifacts/{name}"
    result: dict[str, Any] = transform(source, {}, _NoManagedPolicies())
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Transform the file that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tools.transform_template")
    parser.add_argument("template", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args(argv)
    arguments.output.write_text(
        json.dumps(transformed(arguments.template), indent=2) + "\n", encoding="utf-8"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
