"""What one entry of a pattern's list demands of a leaf value, and which entries EventBridge refuses."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Predicate = Callable[[object], bool]

_LOWER_BOUNDS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}
_UPPER_BOUNDS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
}
_NUMERIC_ONE: Final = 2
_NUMERIC_RANGE: Final = 4
_LOOKS_LIKE_AN_ADDRESS: Final = re.compile(r"[0-9]+(\.[0-9]+){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*")


class InvalidPatternError(ValueError):
    """A pattern that EventBridge would refuse, with the path of the offending part and the reason."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path or 'the pattern'}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Condition:
    """One entry of a field's list: a test of a leaf or, without a test, the demand that there is none."""

    text: str
    accepts: Predicate | None


def parse_conditions(path: str, entries: list[object]) -> tuple[Condition, ...]:
    """Read the list that a field must match, or refuse it with the field's path and the reason."""
    if not entries:
        raise InvalidPatternError(path, "empty arrays are not allowed")
    return tuple(_parse_condition(path, entry) for entry in entries)


def _parse_condition(path: str, entry: object) -> Condition:
    text = json.dumps(entry, ensure_ascii=False)
    if isinstance(entry, list):
        raise InvalidPatternError(
            path, "a match value must be a string, number, true, false, null or an operator"
        )
    if not isinstance(entry, dict):
        return Condition(text=text, accepts=_exactly(entry))
    operator, operand = _only_item(path, entry)
    if operator == "exists":
        if not isinstance(operand, bool):
            raise InvalidPatternError(path, "exists must be true or false")
        return Condition(text=text, accepts=_anything if operand else None)
    parse = _OPERATORS.get(operator)
    if parse is None:
        raise InvalidPatternError(path, f"unrecognized operator {operator!r}")
    return Condition(text=text, accepts=parse(path, operand))


def _only_item(path: str, entry: dict[str, Any]) -> tuple[str, Any]:
    if len(entry) != 1:
        raise InvalidPatternError(path, f"exactly one operator is allowed in an entry, not {len(entry)}")
    return next(iter(entry.items()))


def _text(path: str, operator: str, operand: object, *, empty: bool = True) -> str:
    if not isinstance(operand, str):
        raise InvalidPatternError(path, f"{operator} must be a string, not {kind_of(operand)}")
    if not (operand or empty):
        raise InvalidPatternError(path, f"{operator} must not be empty here")
    return operand


def _ignoring_case(path: str, operator: str, operand: object) -> str | None:
    """Return the folded text of `{"prefix": {"equals-ignore-case": …}}`, or None for the plain form."""
    if not isinstance(operand, dict):
        return None
    inner, value = _only_item(path, operand)
    if inner != "equals-ignore-case":
        raise InvalidPatternError(path, f"{operator} does not combine with {inner}")
    return _text(path, inner, value).lower()


def _anything(_value: object) -> bool:
    return True


def _exactly(wanted: object) -> Predicate:
    if isinstance(wanted, str):
        address = _address(wanted)
        if address is not None:  # AWS compares addresses, not their spellings
            return lambda value: isinstance(value, str) and (value == wanted or _address(value) == address)
        return lambda value: isinstance(value, str) and value == wanted
    if wanted is None or isinstance(wanted, bool):
        return lambda value: value is wanted
    return lambda value: _is_number(value) and value == wanted


def _prefix(path: str, operand: object) -> Predicate:
    folded = _ignoring_case(path, "prefix", operand)
    if folded is not None:
        return lambda value: isinstance(value, str) and value.lower().startswith(folded)
    start = _text(path, "prefix", operand)
    return lambda value: isinstance(value, str) and value.startswith(start)


def _suffix(path: str, operand: object) -> Predicate:
    folded = _ignoring_case(path, "suffix", operand)
    if folded is not None:
        return lambda value: isinstance(value, str) and value.lower().endswith(folded)
    end = _text(path, "suffix", operand)
    return lambda value: isinstance(value, str) and value.endswith(end)


def _equals_ignore_case(path: str, operand: object) -> Predicate:
    folded = _text(path, "equals-ignore-case", operand).lower()
    return lambda value: isinstance(value, str) and value.lower() == folded


def _wildcard(path: str, operand: object) -> Predicate:
    expression = _wildcard_expression(path, _text(path, "wildcard", operand))
    return lambda value: isinstance(value, str) and expression.fullmatch(value) is not None


def _wildcard_expression(path: str, text: str) -> re.Pattern[str]:
    parts: list[str] = []
    position = 0
    while position < len(text):
        character, following = text[position], text[position + 1 : position + 2]
        if character == "*":
            if following == "*":
                raise InvalidPatternError(path, f"consecutive wildcards at position {position} of {text!r}")
            parts.append(".*")
        elif character == "\\":
            if following not in ("*", "\\"):
                raise InvalidPatternError(path, f"invalid escape at position {position} of {text!r}")
            parts.append(re.escape(following))
            position += 1
        else:
            parts.append(re.escape(character))
        position += 1
    return re.compile("".join(parts), re.DOTALL)


def _numeric(path: str, operand: object) -> Predicate:
    if not isinstance(operand, list) or len(operand) not in (_NUMERIC_ONE, _NUMERIC_RANGE):
        raise InvalidPatternError(
            path, "numeric must be [operator, number] or [lower, number, upper, number]"
        )
    operators, numbers = operand[0::2], operand[1::2]
    for number in numbers:
        if not _is_number(number):
            raise InvalidPatternError(path, f"numeric compares with numbers, not {kind_of(number)}")
    if len(operators) == 1:
        return _numeric_one(path, operators[0], numbers[0])
    lower, upper = _LOWER_BOUNDS.get(operators[0]), _UPPER_BOUNDS.get(operators[1])
    if lower is None or upper is None:
        raise InvalidPatternError(path, f"a numeric range is > or >= followed by < or <=, not {operators}")
    bottom, top = numbers
    if bottom >= top:
        raise InvalidPatternError(path, f"the bottom of a numeric range must be less than its top: {operand}")
    return lambda value: (
        isinstance(value, (int, float)) and _is_number(value) and lower(value, bottom) and upper(value, top)
    )


def _numeric_one(path: str, operator: object, bound: float) -> Predicate:
    if operator == "=":
        return _exactly(bound)
    compare = {**_LOWER_BOUNDS, **_UPPER_BOUNDS}.get(str(operator))
    if compare is None:
        raise InvalidPatternError(path, f"unrecognized numeric operator {operator!r}")
    return lambda value: isinstance(value, (int, float)) and _is_number(value) and compare(value, bound)


def _cidr(path: str, operand: object) -> Predicate:
    text = _text(path, "cidr", operand)
    address, slash, bits = text.partition("/")
    try:
        network = ipaddress.ip_network(f"{address}/{int(bits)}", strict=False) if slash else None
    except ValueError as error:
        raise InvalidPatternError(path, f"not a CIDR block: {text!r} ({error})") from error
    if network is None or network.prefixlen == network.max_prefixlen:  # AWS refuses a block of one address
        raise InvalidPatternError(path, f"a CIDR block needs a mask shorter than the address: {text!r}")
    return lambda value: (
        isinstance(value, str) and (found := _address(value)) is not None and found in network
    )


def _anything_but(path: str, operand: object) -> Predicate:
    if isinstance(operand, dict):
        operator, values = _only_item(path, operand)
        parse = _NEGATABLE.get(operator)
        if parse is None:
            raise InvalidPatternError(path, f"anything-but does not combine with {operator}")
        texts = [
            _text(path, f"anything-but {operator}", value, empty=operator not in ("prefix", "suffix"))
            for value in _as_values(path, values)
        ]
        unwanted = [parse(path, text) for text in texts]
    else:
        values = _as_values(path, operand)
        if not (
            all(isinstance(value, str) for value in values) or all(_is_number(value) for value in values)
        ):
            raise InvalidPatternError(
                path, "anything-but takes strings or numbers, not both, and nothing else"
            )
        unwanted = [_exactly(value) for value in values]
    return lambda value: not any(accepts(value) for accepts in unwanted)


def _as_values(path: str, operand: object) -> list[object]:
    values = operand if isinstance(operand, list) else [operand]
    if not values:  # in a prefix and its like AWS notices late, when it cannot add the rule
        raise InvalidPatternError(path, "anything-but must name something")
    return values


_NEGATABLE: Final[Mapping[str, Callable[[str, object], Predicate]]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
}
_OPERATORS: Final[Mapping[str, Callable[[str, object], Predicate]]] = {
    **_NEGATABLE,
    "numeric": _numeric,
    "cidr": _cidr,
    "anything-but": _anything_but,
}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if _LOOKS_LIKE_AN_ADDRESS.fullmatch(text) is None:
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def kind_of(value: object) -> str:
    """Name the JSON type of a value for a message."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
