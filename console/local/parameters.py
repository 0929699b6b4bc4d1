"""A template's parameters: defaults, given values, and the constraints that CloudFormation holds them to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from console.local.intrinsics import Intrinsics, TemplateError, as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_LISTS: Final = ("CommaDelimitedList", "List<")
_EACH: Final[Mapping[str, str]] = {"Fn::EachMemberEquals": "equals", "Fn::EachMemberIn": "in"}


def parameter_values(declared: Mapping[str, Any], given: Mapping[str, object]) -> dict[str, object]:
    """Return what `Ref` returns for each parameter, or refuse the values as CloudFormation would."""
    unknown = [name for name in given if name not in declared]
    if unknown:
        raise TemplateError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [name for name, spec in declared.items() if name not in given and "Default" not in spec]
    if missing:
        raise TemplateError(f"Parameters: [{', '.join(missing)}] must have values")
    return {name: _value(name, spec, given.get(name, spec.get("Default"))) for name, spec in declared.items()}


def check_rules(rules: Mapping[str, Any], intrinsics: Intrinsics) -> None:
    """Refuse a combination of parameter values that one of the template's rules forbids."""
    for name, rule in rules.items():
        applies = "RuleCondition" not in rule or _assertion_holds(rule["RuleCondition"], intrinsics)
        for assertion in rule.get("Assertions", ()) if applies else ():
            if not _assertion_holds(assertion["Assert"], intrinsics):
                reason = assertion.get("AssertDescription", "an assertion does not hold")
                raise TemplateError(f"Template validation error: {name}: {reason}")


def _value(name: str, spec: Mapping[str, Any], value: object) -> object:
    kind = spec.get("Type", "String")
    if kind.startswith("AWS::SSM::Parameter"):
        raise TemplateError(f"Parameter '{name}' is read from SSM, which the local AWS does not do")
    if kind.startswith(_LISTS):
        text = ",".join(map(as_text, value)) if isinstance(value, list) else as_text(value)
        items = [item.strip() for item in text.split(",")] if text else []
        for item in items:
            _check(name, spec, item, number=kind == "List<Number>")
        return items
    text = as_text(value)
    _check(name, spec, text, number=kind == "Number")
    return text


def _check(name: str, spec: Mapping[str, Any], text: str, *, number: bool) -> None:
    constraint = spec.get("ConstraintDescription")
    failure = _failure(spec, text, number=number)
    if failure is None:
        return
    if constraint:
        raise TemplateError(f"Parameter '{name}' failed to satisfy constraint: {constraint}")
    raise TemplateError(f"Parameter '{name}' {failure}")


def _failure(spec: Mapping[str, Any], text: str, *, number: bool) -> str | None:
    allowed = [as_text(value) for value in spec.get("AllowedValues", ())]
    if allowed and text not in allowed:
        return "must be one of AllowedValues"
    if number:
        return _number_failure(spec, text)
    if "AllowedPattern" in spec and re.fullmatch(spec["AllowedPattern"], text) is None:
        return f"must match pattern {spec['AllowedPattern']}"
    if "MinLength" in spec and len(text) < int(spec["MinLength"]):
        return f"must contain at least {spec['MinLength']} characters"
    if "MaxLength" in spec and len(text) > int(spec["MaxLength"]):
        return f"must contain at most {spec['MaxLength']} characters"
    return None


def _number_failure(spec: Mapping[str, Any], text: str) -> str | None:
    try:
        number = float(text)
    except ValueError:
        return "must be a number"
    if "MinValue" in spec and number < float(spec["MinValue"]):
        return f"must be a number not less than {spec['MinValue']}"
    if "MaxValue" in spec and number > float(spec["MaxValue"]):
        return f"must be a number not greater than {spec['MaxValue']}"
    return None


def _assertion_holds(assertion: Any, intrinsics: Intrinsics) -> bool:
    name, argument = next(iter(assertion.items()))
    if name in _EACH:
        members, wanted = intrinsics.resolve(argument[0]), intrinsics.resolve(argument[1])
        accepted = [wanted] if _EACH[name] == "equals" else wanted
        return all(member in accepted for member in members)
    return bool(intrinsics.resolve(assertion))
