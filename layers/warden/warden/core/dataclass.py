"""The standard library's `dataclass`, whose methods are made when they are first needed.

`dataclasses` writes the source of `__init__`, `__eq__`, `__hash__` and `__repr__` and compiles it while a module is
imported. That takes half a millisecond for each class, a process has more than a hundred of them, and it was a fifth of
a cold start. Here a class with slots has stand-ins: who first calls one has the method made, which takes the stand-in's
place. What most classes need is made here: comparisons and hashes, of which nothing is compiled, and `__init__`, which
is compiled where there are more than a few instances. All else `dataclasses` makes. Type checkers see the standard
library's own.
"""

from __future__ import annotations

import dataclasses
import operator
from dataclasses import MISSING
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from dataclasses import dataclass
else:

    def dataclass(**options: bool) -> Callable[[type], type]:
        """A decorator, with the options of the standard library's."""
        if options.keys() <= {"frozen", "slots", "kw_only", "order"} and options.get("slots"):
            return lambda cls: (
                _later(cls, options) if _is_plain(cls, options) else dataclasses.dataclass(**options)(cls)
            )
        return dataclasses.dataclass(**options)


_FEW = 8
"""Instances of a class before its `__init__` is compiled, which takes as long as to make ten times as many without."""

# What is left out where one thing alone is wanted.
_ALONE: dict[str, dict[str, bool]] = {
    "__init__": {"repr": False, "eq": False, "order": False},
    "__repr__": {"init": False, "eq": False, "order": False},
    "__eq__": {"init": False, "repr": False, "order": False},
    "__hash__": {"init": False, "repr": False, "order": False},
    "__dataclass_fields__": {"init": False, "repr": False, "eq": False, "order": False},
    "__match_args__": {"init": False, "repr": False, "eq": False, "order": False},
    "__dataclass_params__": {},
}
_COMPARISONS = frozenset({"__eq__", "__lt__", "__le__", "__gt__", "__ge__"})
_ORDER = _COMPARISONS - {"__eq__"}
_METHODS = _COMPARISONS | {"__init__", "__repr__", "__hash__"}
_OWN = _METHODS | {"__slots__", "__setattr__", "__delattr__"}
_NOT_COPIED = frozenset({"__dict__", "__weakref__"})


def _is_plain(cls: type, options: dict[str, bool]) -> bool:
    """Whether it is made of fields alone, and writes none of the methods itself."""
    kinds = cls.__annotations__.values()
    if not set(map(type, kinds)) <= {str} or not _OWN.isdisjoint(vars(cls)):
        return False
    if cls.__bases__ != (object,) and (options.get("order") or not options.get("frozen")):
        return False
    together = " ".join(kinds)
    return not ("ClassVar" in together or "InitVar" in together or "KW_ONLY" in together)


def _later(written: type, options: dict[str, bool]) -> type:
    """The class with its slots, and a stand-in for all that `dataclasses` makes."""
    namespace = {key: value for key, value in vars(written).items() if key not in _NOT_COPIED}
    fields = written.__annotations__
    alone = written.__bases__ == (object,)
    made: type

    def make(name: str) -> Any:
        if alone and name == "__init__":
            part = _compiled(made, _parts(made, namespace, options))
        elif alone and name in _METHODS and name != "__repr__":
            part = _comparing(name, _values(made, namespace, hashed=name == "__hash__"))
            part.__name__, part.__qualname__ = name, f"{made.__qualname__}.{name}"
        else:
            # Of a copy each time: it changes the class, which another thread may be about, too.
            whole = type(written)(written.__name__, written.__bases__, dict(namespace))
            part = vars(dataclasses.dataclass(**{**options, **_ALONE[name], "slots": False})(whole))[name]
        setattr(made, name, part)
        return part

    slots: Iterable[str] = fields
    if not alone:
        inherited = {slot for base in written.__mro__[1:-1] for slot in vars(base).get("__slots__", ())}
        slots = (name for name in fields if name not in inherited)
    names = (*_ALONE, *_ORDER) if options.get("order") else _ALONE
    stand_ins: dict[str, Any] = {name: _StandIn(make, name) for name in names}
    if alone:
        stand_ins["__init__"] = _First(make, lambda: _filling(made, _parts(made, namespace, options)))
    if not options.get("frozen"):
        stand_ins["__hash__"] = None
    shared = _FROZEN if options.get("frozen") else {}
    kept = {key: value for key, value in namespace.items() if key not in fields}
    made = type(written)(
        written.__name__, written.__bases__, {**shared, **kept, **stand_ins, "__slots__": tuple(slots)}
    )
    made.__qualname__ = written.__qualname__
    return made


class _Part:
    """A field of a class that has all of its fields itself, as `__init__` sees it."""

    __slots__ = ("default", "factory", "init", "is_named", "name", "set")

    def __init__(self, made: type, name: str, default: Any, *, kw_only: bool) -> None:
        field = _field(default)
        self.name, self.set = name, vars(made)[name].__set__
        self.default, self.factory, self.init = field.default, field.default_factory, field.init
        self.is_named = kw_only if field.kw_only is MISSING else field.kw_only


def _field(default: Any) -> dataclasses.Field[Any]:
    return default if isinstance(default, dataclasses.Field) else dataclasses.field(default=default)


def _parts(made: type, namespace: dict[str, Any], options: dict[str, bool]) -> list[_Part]:
    kw_only = options.get("kw_only", False)
    return [_Part(made, name, namespace.get(name, MISSING), kw_only=kw_only) for name in made.__annotations__]


def _filling(made: type, parts: list[_Part]) -> Callable[..., None]:
    """An `__init__` that is not compiled; what it is wrongly given it leaves to the one that is, and its message."""
    positional = [part.name for part in parts if part.init and not part.is_named]
    accepted = frozenset(part.name for part in parts if part.init)
    required = frozenset(
        part.name for part in parts if part.init and part.default is MISSING and part.factory is MISSING
    )
    is_followed = hasattr(made, "__post_init__")

    def fill(self: Any, *given: Any, **named: Any) -> None:
        values = {**dict(zip(positional, given, strict=False)), **named}
        if len(values) < len(given) + len(named) or not required <= values.keys() <= accepted:
            _compiled(made, parts)(self, *given, **named)
            return
        for part in parts:
            if part.name in values:
                part.set(self, values[part.name])
            elif part.factory is not MISSING:
                part.set(self, part.factory())
            elif part.default is not MISSING:
                part.set(self, part.default)
        if is_followed:
            self.__post_init__()

    return fill


def _compiled(made: type, parts: list[_Part]) -> Any:
    """The `__init__` of a class that has all of its fields itself. It sets slots, faster than `object.__setattr__`."""
    scope: dict[str, Any] = {"__name__": made.__module__, "__missing": MISSING}
    positional: list[str] = []
    named: list[str] = []
    body: list[str] = []
    for part in parts:
        name = part.name
        scope |= {f"__set_{name}": part.set, f"__default_{name}": part.default}
        parameter = f"{name}=__default_{name}"
        value = name if part.init else f"__default_{name}"
        if part.factory is not MISSING:
            scope[f"__factory_{name}"] = part.factory
            parameter = f"{name}=__missing"
            value = f"__factory_{name}() if {value} is __missing else {value}"
            scope[f"__default_{name}"] = MISSING
        elif part.default is MISSING:
            parameter = name
            if not part.init:
                continue  # `__post_init__` sets it.
        if part.init:
            (named if part.is_named else positional).append(parameter)
        body.append(f" __set_{name}(self, {value})")
    if hasattr(made, "__post_init__"):
        body.append(" self.__post_init__()")
    parameters = ["self", *positional, *(["*", *named] if named else [])]
    exec("\n".join((f"def __init__({', '.join(parameters)}):", *body, " pass")), scope)  # noqa: S102 - our own classes
    init = scope["__init__"]
    init.__qualname__ = f"{made.__qualname__}.__init__"
    return init


def _comparing(name: str, values: Callable[[Any], Any]) -> Any:
    """The method of a comparison, or of the hash."""
    if name == "__hash__":
        return lambda self: hash(values(self))
    compare = getattr(operator, name)
    return lambda self, other: (
        compare(values(self), values(other)) if other.__class__ is self.__class__ else NotImplemented
    )


def _values(made: type, namespace: dict[str, Any], *, hashed: bool) -> Callable[[Any], Any]:
    """What takes of an instance the values that are compared, or hashed, as a tuple."""
    fields = {name: _field(namespace.get(name, MISSING)) for name in made.__annotations__}
    names = [
        name
        for name, field in fields.items()
        if (field.compare if not hashed or field.hash is None else field.hash)
    ]
    if len(names) > 1:
        return operator.attrgetter(*names)
    return lambda self: tuple(getattr(self, name) for name in names)


class _StandIn:
    """Stands for a method or an attribute of one class."""

    __slots__ = ("_make", "_name")

    def __init__(self, make: Callable[[str], Any], name: str) -> None:
        self._make, self._name = make, name

    def __get__(self, instance: object, owner: type) -> Any:
        made = self._make(self._name)
        return made.__get__(instance, owner) if self._name in _METHODS else made


class _First:
    """Stands for `__init__`: the first few instances are made without one that is compiled."""

    __slots__ = ("_few", "_fill", "_left", "_make")

    def __init__(self, make: Callable[[str], Any], few: Callable[[], Callable[..., None]]) -> None:
        self._make, self._few = make, few
        self._fill: Any = None
        self._left = _FEW

    def __get__(self, instance: object, owner: type) -> Any:
        self._left -= 1
        if instance is None or self._left < 0:
            return self._make("__init__").__get__(instance, owner)
        if self._fill is None:
            self._fill = self._few()
        return self._fill.__get__(instance, owner)


def _refuse_to_set(_self: Any, name: str, _value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _setstate(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)


_FROZEN: dict[str, Any] = {
    "__setattr__": _refuse_to_set,
    "__delattr__": _refuse_to_delete,
    "__getstate__": _getstate,
    "__setstate__": _setstate,
}
