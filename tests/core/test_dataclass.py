"""A class whose methods are made later is the class that the standard library makes at once."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import pickle
import pkgutil
import sys
from dataclasses import FrozenInstanceError, field
from typing import Any, ClassVar

import pytest

import warden
from warden.core.dataclass import dataclass

STANDARD: Any = dataclasses.dataclass
LATER: Any = dataclass
METHODS = ("__init__", "__repr__", "__eq__", "__hash__")


def tag(decorator: Any) -> Any:
    @decorator(frozen=True, slots=True)
    class Tag:
        """A tag."""

        name: str
        values: list[int] = field(default_factory=list)
        length: int = field(init=False)
        rest: int = field(init=False, default=7)
        more: list[int] = field(init=False, default_factory=list)
        last: str = field(default="z", kw_only=True)
        other: list[int] = field(default_factory=list, kw_only=True)

        def __post_init__(self) -> None:
            object.__setattr__(self, "length", len(self.name))

    return Tag


def of(decorator: Any) -> Any:
    @decorator(frozen=True, slots=True, kw_only=True)
    class Pair:
        """Two."""

        left: int
        right: str = "r"

        @property
        def both(self) -> str:
            return f"{self.left}{self.right}"

    return Pair


def below(decorator: Any) -> Any:
    @decorator(frozen=True, slots=True)
    class Base:
        """A base."""

        first: int
        second: int = 2

    @decorator(frozen=True, slots=True)
    class Below(Base):
        """Below it."""

        third: int = 3

    return Below


@pytest.fixture(params=[STANDARD, LATER], ids=["standard", "later"])
def decorator(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_it_is_made_compared_shown_and_hashed_the_same(decorator: Any) -> None:
    pair = of(decorator)
    one = pair(left=1)
    assert (one.left, one.right, one.both) == (1, "r", "1r")
    assert repr(one) == "of.<locals>.Pair(left=1, right='r')"
    assert one == pair(left=1, right="r")
    assert one != pair(left=2)
    assert one != of(decorator)(left=1), "of another class"
    assert len({one, pair(left=1), pair(left=2)}) == 2
    assert (pair.__name__, pair.__module__, pair.__doc__) == ("Pair", __name__, "Two.")


def test_what_is_wrong_is_refused_the_same(decorator: Any) -> None:
    pair = of(decorator)
    for wrong in ({}, {"left": 1, "middle": 2}):
        with pytest.raises(TypeError, match="__init__"):
            pair(**wrong)
    with pytest.raises(TypeError, match="positional"):
        pair(1)
    one = pair(left=1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'left'"):
        one.left = 2
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'left'"):
        del one.left
    with pytest.raises((AttributeError, TypeError)):
        one.middle = 3
    with pytest.raises(TypeError, match="unhashable"):
        hash(tag(decorator)("a"))


def test_defaults_factories_and_what_follows_the_making_are_the_same(decorator: Any) -> None:
    cls = tag(decorator)
    first, second = cls("abc"), cls("d", [1])
    first.values.append(7)
    assert (first.values, second.values, cls("e").values) == ([7], [1], [])
    assert (first.length, second.length) == (3, 1)
    assert (first.rest, first.more, first.last, first.other) == (7, [], "z", [])
    assert first.more is not second.more
    third = cls(values=[2], name="f", other=[3], last="y")
    assert (third.name, third.values, third.last, third.other) == ("f", [2], "y", [3])
    for wrong in ({"length": 1}, {"rest": 1}):
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{next(iter(wrong))}'"):
            cls("a", **wrong)


def test_fields_replace_and_patterns_find_the_same(decorator: Any) -> None:
    pair = of(decorator)
    assert dataclasses.is_dataclass(pair)
    assert [(f.name, f.type, f.kw_only) for f in dataclasses.fields(pair)] == [
        ("left", "int", True),
        ("right", "str", True),
    ]
    assert pair.__match_args__ == ()
    assert pair.__dataclass_params__.frozen
    assert pair.__slots__ == ("left", "right")
    one = pair(left=1)
    assert not hasattr(one, "__dict__")
    assert dataclasses.replace(one, left=5) == pair(left=5)
    assert dataclasses.asdict(one) == {"left": 1, "right": "r"}
    match tag(decorator)("x", [1]):
        case object(name="x", values=[found]):
            assert found == 1
    assert tag(decorator).__match_args__ == ("name", "values")


def test_a_class_below_another_is_the_same(decorator: Any) -> None:
    cls = below(decorator)
    assert repr(cls(1)) == "below.<locals>.Below(first=1, second=2, third=3)"
    assert cls(1, third=4) == cls(1, 2, 4)
    assert cls.__slots__ == ("third",)
    assert [f.name for f in dataclasses.fields(cls)] == ["first", "second", "third"]
    assert isinstance(cls(1), cls.__mro__[1])
    assert repr(cls.__mro__[1](7)).endswith("Base(first=7, second=2)")


@LATER(frozen=True, slots=True)
class Kept:
    """At the top of a module, where pickle finds it."""

    name: str
    values: list[int] = field(default_factory=list)


def test_it_is_copied_and_pickled() -> None:
    sys.modules.setdefault(Kept.__module__, sys.modules[__name__])
    kept = Kept("a", [1])
    assert copy.copy(kept) == kept
    assert copy.deepcopy(kept) == kept
    assert pickle.loads(pickle.dumps(kept)) == kept  # noqa: S301 - our own


def test_what_writes_a_method_itself_or_is_unusual_is_made_at_once() -> None:
    @LATER(frozen=True, slots=True)
    class Same:
        """All are the same."""

        name: str
        every: ClassVar[int] = 1

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Same)

        def __hash__(self) -> int:
            return 1

    @LATER(slots=True)
    class Open:
        """May be changed."""

        name: str = ""

    @LATER(frozen=True, slots=True, order=True)
    class Ordered:
        """Has an order."""

        number: int

    assert Same("a") == Same("b")
    assert Same.every == 1
    assert Ordered(1) < Ordered(2)
    opened = Open()
    opened.name = "b"
    assert opened == Open("b")


def test_every_class_of_the_package_takes_what_its_fields_say() -> None:
    for info in pkgutil.walk_packages(warden.__path__, "warden."):
        if info.name != "warden.telemetry":
            importlib.import_module(info.name)
    found = [
        cls
        for name, module in list(sys.modules.items())
        if name.startswith("warden.")
        for cls in vars(module).values()
        if isinstance(cls, type) and cls.__module__ == name and dataclasses.is_dataclass(cls)
    ]
    assert len(found) > 150
    for cls in found:
        made: Any = cls
        params = made.__dataclass_params__
        assert (params.init, params.repr, params.eq) == (True, True, True), cls
        with pytest.raises(TypeError, match="unexpected keyword argument 'no_such_field'"):
            made(no_such_field=1)
        code = made.__init__.__code__
        names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
        assert set(names) == {f.name for f in dataclasses.fields(cls) if f.init}, cls
