"""What a rule's target receives: the event, a part of it, a constant, or a text made from it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from console.local.intrinsics import TemplateError

if TYPE_CHECKING:
    from collections.abc import Mapping

_STEP: Final = re.compile(r"\.([\w\-/]+)|\[(\d+)\]|\[(\*)\]|\[['\"]([^'\"]+)['\"]\]|\.(\*)")
_VARIABLE: Final = re.compile(r"<([\w.\-]+)>")
_NOTHING: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetInput:
    """A target's Input, InputPath or InputTransformer, of which AWS allows one."""

    constant: str | None = None
    path: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None

    @classmethod
    def of(cls, target: Mapping[str, Any]) -> TargetInput:
        """Read the input settings of a rule's target."""
        transformer = target.get("InputTransformer")
        given = [name for name in ("Input", "InputPath", "InputTransformer") if target.get(name) is not None]
        if len(given) > 1:
            raise TemplateError(f"target {target.get('Id')}: only one of {' and '.join(given)} is allowed")
        if transformer is None:
            return cls(constant=target.get("Input"), path=target.get("InputPath"))
        return cls(variables=transformer.get("InputPathsMap", {}), text=transformer["InputTemplate"])

    def payload(self, event: Mapping[str, Any], predefined: Mapping[str, object]) -> str | None:
        """Return what the target receives for an event; None if a path finds nothing in it."""
        if self.constant is not None:
            return self.constant
        if self.path is not None:
            found = _find(event, self.path)
            return None if found is _NOTHING else json.dumps(found)
        if self.text is not None:
            values = {name: _find(event, path) for name, path in self.variables.items()}
            return _fill(self.text, {**values, **predefined})
        return json.dumps(event)


def predefined_variables(
    event: Mapping[str, Any], *, rule_arn: str, rule_name: str, received: str
) -> dict[str, object]:
    """Return the variables that EventBridge itself gives an input template."""
    return {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_name,
        "aws.events.event.ingestion-time": received,
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": dict(event),
    }


def _find(event: object, path: str) -> object:
    """Follow the part of JSONPath that EventBridge has: names, indices and wildcards."""
    if not path.startswith("$"):
        raise TemplateError(f"a JSON path begins with $: {path!r}")
    found = [event]
    position, many = 1, False
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            raise TemplateError(f"EventBridge does not know the JSON path {path!r}")
        many = many or "*" in (step[3], step[5])
        found = [child for node in found for child in _children(node, step)]
        position = step.end()
    if many:
        return found
    return found[0] if found else _NOTHING


def _children(node: object, step: re.Match[str]) -> list[object]:
    name = step[1] or step[4]
    if name is not None:
        return [node[name]] if isinstance(node, dict) and name in node else []
    if step[2] is not None:
        return [node[int(step[2])]] if isinstance(node, list) and int(step[2]) < len(node) else []
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []


def _fill(text: str, values: Mapping[str, object]) -> str:
    """Put values into a template: as JSON where a value stands alone, as bare text inside quotes."""
    parts: list[str] = []
    position, quoted = 0, False
    while position < len(text):
        variable = _VARIABLE.match(text, position)
        if variable is not None and variable[1] in values:
            parts.append(_written(values[variable[1]], quoted=quoted))
            position = variable.end()
            continue
        escaped = text[position] == "\\"
        if text[position] == '"':
            quoted = not quoted
        parts.append(text[position : position + (2 if escaped else 1)])
        position += 2 if escaped else 1
    return "".join(parts)


def _written(value: object, *, quoted: bool) -> str:
    if value is _NOTHING:
        return "" if quoted else '""'
    written = json.dumps(value)
    return written[1:-1] if quoted and isinstance(value, str) else written
