"""CloudFormation's intrinsic functions, resolved the way a deployment would resolve them."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PLACEHOLDER: Final = re.compile(r"\$\{(!?)([^}]+)\}")
_PAIR: Final = 2


class TemplateError(ValueError):
    """A template, or a value for it, that CloudFormation would refuse or that cannot be modelled here."""


class _NoValue:
    """What `AWS::NoValue` resolves to: the property or the item around it goes away."""

    def __repr__(self) -> str:
        return "AWS::NoValue"


NO_VALUE: Final = _NoValue()


class Names(Protocol):
    """Who knows what resources, parameters and pseudo-parameters are called once deployed."""

    def ref(self, name: str) -> object:
        """Return what `Ref` returns for a parameter, a pseudo-parameter or a resource."""
        ...

    def attribute(self, resource: str, name: str) -> object:
        """Return what `Fn::GetAtt` returns."""
        ...


class Intrinsics:
    """An evaluator of intrinsic functions over one template's names, conditions and mappings."""

    __slots__ = ("_conditions", "_functions", "_known", "_mappings", "_names")

    def __init__(self, *, names: Names, conditions: Mapping[str, Any], mappings: Mapping[str, Any]) -> None:
        self._names = names
        self._conditions = conditions
        self._mappings = mappings
        self._known: dict[str, bool] = {}
        self._functions: Mapping[str, Callable[[Any], object]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::If": self._if,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::FindInMap": self._find_in_map,
            "Fn::Base64": self._base64,
            "Fn::GetAZs": self._get_azs,
            "Fn::Equals": self._equals,
            "Fn::Not": self._not,
            "Fn::And": self._and,
            "Fn::Or": self._or,
            "Fn::Contains": self._contains,
            "Condition": self._condition,
        }

    def resolve(self, value: object) -> Any:
        """Return a value with every intrinsic function in it resolved."""
        if isinstance(value, dict):
            if len(value) == 1:
                name, argument = next(iter(value.items()))
                if name in self._functions and not (name == "Condition" and not isinstance(argument, str)):
                    return self._functions[name](argument)
                if name.startswith("Fn::"):
                    raise TemplateError(f"{name} cannot be resolved by the local AWS")
            resolved = {key: self.resolve(item) for key, item in value.items()}
            return {key: item for key, item in resolved.items() if item is not NO_VALUE}
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        return value

    def holds(self, condition: str) -> bool:
        """Say whether a named condition of the template holds."""
        if condition not in self._conditions:
            raise TemplateError(f"unresolved condition dependency {condition}")
        if condition not in self._known:
            self._known[condition] = _truth(self.resolve(self._conditions[condition]))
        return self._known[condition]

    def _ref(self, name: str) -> object:
        return NO_VALUE if name == "AWS::NoValue" else self._names.ref(name)

    def _get_att(self, argument: object) -> object:
        if isinstance(argument, str):
            resource, _, attribute = argument.partition(".")
        elif isinstance(argument, list) and len(argument) == _PAIR:
            resource, attribute = argument[0], str(self.resolve(argument[1]))
        else:
            raise TemplateError(f"Fn::GetAtt needs a resource and an attribute, not {argument!r}")
        return self._names.attribute(resource, attribute)

    def _sub(self, argument: object) -> str:
        text, variables = argument if isinstance(argument, list) else (argument, {})
        values = {name: self.resolve(value) for name, value in variables.items()}

        def replacement(match: re.Match[str]) -> str:
            literal, name = match[1], match[2].strip()
            if literal:
                return f"${{{match[2]}}}"
            if name in values:
                return as_text(values[name])
            resource, dot, attribute = name.partition(".")
            return as_text(self._names.attribute(resource, attribute) if dot else self._names.ref(name))

        return _PLACEHOLDER.sub(replacement, text)

    def _if(self, argument: list[Any]) -> object:
        condition, then, otherwise = argument
        return self.resolve(then if self.holds(condition) else otherwise)

    def _join(self, argument: list[Any]) -> str:
        delimiter, items = argument[0], self.resolve(argument[1])
        return str(delimiter).join(as_text(item) for item in items)

    def _select(self, argument: list[Any]) -> object:
        index, items = int(self.resolve(argument[0])), self.resolve(argument[1])
        if not 0 <= index < len(items):
            raise TemplateError(f"Fn::Select cannot select item {index} of {len(items)}")
        return items[index]

    def _split(self, argument: list[Any]) -> list[str]:
        return str(self.resolve(argument[1])).split(argument[0])

    def _find_in_map(self, argument: list[Any]) -> object:
        node: Any = self._mappings
        for key in map(self.resolve, argument[:3]):
            if not isinstance(node, dict) or key not in node:
                raise TemplateError(f"unable to get mapping for {'::'.join(map(str, argument[:3]))}")
            node = node[key]
        return node

    def _base64(self, argument: object) -> str:
        return base64.b64encode(as_text(self.resolve(argument)).encode()).decode()

    def _get_azs(self, argument: object) -> list[str]:
        region = self.resolve(argument) or self._names.ref("AWS::Region")
        return [f"{region}{zone}" for zone in "abc"]

    def _equals(self, argument: list[Any]) -> bool:
        left, right = map(self.resolve, argument)
        return as_text(left) == as_text(right)

    def _not(self, argument: list[Any]) -> bool:
        return not _truth(self.resolve(argument[0]))

    def _and(self, argument: list[Any]) -> bool:
        return all(_truth(self.resolve(item)) for item in argument)

    def _or(self, argument: list[Any]) -> bool:
        return any(_truth(self.resolve(item)) for item in argument)

    def _contains(self, argument: list[Any]) -> bool:
        items, wanted = map(self.resolve, argument)
        return as_text(wanted) in [as_text(item) for item in items]

    def _condition(self, name: str) -> bool:
        return self.holds(name)


def as_text(value: object) -> str:
    """Write a scalar as CloudFormation does: JSON's booleans, numbers without a needless fraction."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def as_bool(value: object) -> bool:
    """Read a boolean that may have been through a string, as every template parameter has."""
    text = as_text(value).lower()
    if text not in ("true", "false"):
        raise TemplateError(f"{value!r} is not a boolean")
    return text == "true"


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TemplateError(f"a condition must be true or false, not {value!r}")
    return value
