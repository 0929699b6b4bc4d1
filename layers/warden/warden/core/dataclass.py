"""The standard library's `dataclass`, whose methods are made when they are first needed.

`dataclasses` writes the source of `__init__`, `__eq__`, `__hash__` and `__repr__` and compiles it while a module is
imported. That takes half a millisecond for each class, a process has more than a hundred of them, and it was a fifth of
a cold start. Here a frozen class with slots has stand-ins: who first calls one has the method made, which takes the
stand-in's place. `__init__`, which most classes need, is written here, in a third of the time; all else `dataclasses`
makes. Type checkers see the standard library's own.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from dataclasses import dataclass
else:

    def dataclass(**options: bool) -> Callable[[type], type]:
        """A decorator, with the options of the standard library's."""
        if (
            options.keys() <= {"frozen", "slots", "kw_only"}
            and options.get("frozen")
            and options.get("slots")
        ):
            return lambda cls: (
                _later(cls, options) if _is_plain(cls) else dataclasses.dataclass(**options)(cls)
            )
        return dataclasses.dataclass(**options)


# What is left out where one thing alone is wanted.
_ALONE = {
    "__init__": {"repr": False, "eq": False},
    "__repr__": {"init": False, "eq": False},
    "__eq__": {"init": False, "repr": False},
    "__hash__": {"init": False, "repr": False},
    "__dataclass_fields__": {"init": False, "repr": False, "eq": False},
    "__match_args__": {"init": False, "repr": False, "eq": False},
    "__dataclass_params__": {},
}
_METHODS = frozenset({"__init__", "__repr__", "__eq__", "__hash__"})
_OWN = _METHODS | {"__slots__", "__setattr__", "__delattr__"}
_NOT_COPIED = frozenset({"__dict__", "__weakref__"})


def _is_plain(cls: type) -> bool:
    """Whether it is made of fields alone, and writes none of the methods itself."""
    kinds = cls.__annotations__.values()
    if not set(map(type, kinds)) <= {str} or not _OWN.isdisjoint(vars(cls)):
        return False
    together = " ".join(kinds)
    return not ("ClassVar" in together or "InitVar" in together or "KW_ONLY" in together)


def _later(written: type, options: dict[str, bool]) -> type:
    """The class with its slots, and a stand-in for all that `dataclasses` makes."""
    namespace = {key: value for key, value in vars(written).items() if key not in _NOT_COPIED}
    fields = written.__annotations__
    made: type

    def make(name: str) -> Any:
        if name == "__init__" and written.__bases__ == (object,):
            part = _init(made, namespace, kw_only=options.get("kw_only", False))
        else:
            # Of a copy each time: it changes the class, which another thread may be about, too.
            whole = type(written)(written.__name__, written.__bases__, dict(namespace))
            part = vars(dataclasses.dataclass(**{**options, **_ALONE[name], "slots": False})(whole))[name]
        setattr(made, name, part)
        return part

    slots: Iterable[str] = fields
    if written.__bases__ != (object,):
        inherited = {slot for base in written.__mro__[1:-1] for slot in vars(base).get("__slots__", ())}
        slots = (name for name in fields if name not in inherited)
    stand_ins = {name: _StandIn(make, name) for name in _ALONE}
    kept = {key: value for key, value in namespace.items() if key not in fields}
    made = type(written)(
        written.__name__, written.__bases__, {**_SHARED, **kept, **stand_ins, "__slots__": tuple(slots)}
    )
    made.__qualname__ = written.__qualname__
    return made


def _init(made: type, namespace: dict[str, Any], *, kw_only: bool) -> Any:
    """The `__init__` of a class that has all of its fields itself. It sets slots, faster than `object.__setattr__`."""
    scope: dict[str, Any] = {"__name__": made.__module__, "__missing": MISSING}
    positional: list[str] = []
    named: list[str] = []
    body: list[str] = []
    for name in made.__annotations__:
        default = namespace.get(name, MISSING)
        field = default if isinstance(default, dataclasses.Field) else dataclasses.field(default=default)
        scope |= {f"__set_{name}": vars(made)[name].__set__, f"__default_{name}": field.default}
        parameter = f"{name}=__default_{name}"
        value = name if field.init else f"__default_{name}"
        if field.default_factory is not MISSING:
            scope[f"__factory_{name}"] = field.default_factory
            parameter = f"{name}=__missing"
            value = f"__factory_{name}() if {value} is __missing else {value}"
            scope[f"__default_{name}"] = MISSING
        elif field.default is MISSING:
            parameter = name
            if not field.init:
                continue  # `__post_init__` sets it.
        if field.init:
            is_named = kw_only if field.kw_only is MISSING else field.kw_only
            (named if is_named else positional).append(parameter)
        body.append(f" __set_{name}(self, {value})")
    if hasattr(made, "__post_init__"):
        body.append(" self.__post_init__()")
    parameters = ["self", *positional, *(["*", *named] if named else [])]
    exec("\n".join((f"def __init__({', '.join(parameters)}):", *body, " pass")), scope)  # noqa: S102 - our own classes
    init = scope["__init__"]
    init.__qualname__ = f"{made.__qualname__}.__init__"
    return init


class _StandIn:
    """Stands for a method or an attribute of one class."""

    __slots__ = ("_make", "_name")

    def __init__(self, make: Callable[[str], Any], name: str) -> None:
        self._make, self._name = make, name

    def __get__(self, instance: object, owner: type) -> Any:
        made = self._make(self._name)
        return made.__get__(instance, owner) if self._name in _METHODS else made


def _refuse_to_set(_self: Any, name: str, _value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _setstate(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)


_SHARED = {
    "__setattr__": _refuse_to_set,
    "__delattr__": _refuse_to_delete,
    "__getstate__": _getstate,
    "__setstate__": _setstate,
}
