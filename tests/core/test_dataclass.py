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


def counted(decorator: Any) -> Any:
    @decorator(frozen=True, slots=True, order=True)
    class Version:
        """In order."""

        major: int
        minor: int = 0
        name: str = field(default="", compare=False)
        shown: str = field(default="", hash=False)

    return Version


def opened(decorator: Any) -> Any:
    @decorator(slots=True)
    class Open:
        """May be changed."""

        name: str = ""
        values: list[int] = field(default_factory=list)

    return Open


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


def test_the_first_few_and_all_that_follow_are_made_the_same(decorator: Any) -> None:
    cls = tag(decorator)
    for number in range(25):
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'name'"):
            cls(last="y")
        with pytest.raises(TypeError, match="takes from 2 to 3 positional arguments but 4 were given"):
            cls("a", [], 3)
        with pytest.raises(TypeError, match="multiple values for argument 'name'"):
            cls("a", name="b")
        made = cls("abc", other=[number])
        assert (made.name, made.values, made.length, made.rest, made.last) == ("abc", [], 3, 7, "z")
        assert made.other == [number]
    assert cls.__init__.__qualname__ == "tag.<locals>.Tag.__init__"


def test_what_follows_the_making_is_that_of_the_class_that_is_made(decorator: Any) -> None:
    class Long(tag(decorator)):  # type: ignore[misc]
        """Adds one."""

        def __post_init__(self) -> None:
            object.__setattr__(self, "length", len(self.name) + 1)

    assert [Long("ab").length for _ in range(25)] == [3] * 25


def test_an_order_and_what_counts_in_it_are_the_same(decorator: Any) -> None:
    version = counted(decorator)
    old, new = version(1), version(1, 2)
    assert sorted([new, old]) == [old, new]
    assert (old < new, old <= new, old > new, old >= new, old < version(1)) == (
        True,
        True,
        False,
        False,
        False,
    )
    assert version(1, 2, "a") == new, "what is not compared"
    assert hash(version(1, 2, "a", "b")) == hash(new)
    assert version(1, 2, "a", "b") != new, "what is compared, and not hashed"
    assert version(1).__lt__(1) is NotImplemented
    with pytest.raises(TypeError, match="not supported"):
        sorted([old, counted(decorator)(1)])


def test_what_may_be_changed_is_the_same(decorator: Any) -> None:
    cls = opened(decorator)
    one = cls()
    one.name = "b"
    one.values.append(1)
    assert (one, one == cls(), cls.__hash__) == (cls("b", [1]), False, None)
    assert repr(one) == "opened.<locals>.Open(name='b', values=[1])"
    assert copy.deepcopy(one) == one
    del one.name
    with pytest.raises(AttributeError):
        one.name  # noqa: B018 - it is asked for
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)
    with pytest.raises(AttributeError):
        one.other = 1


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

    @LATER(frozen=True, eq=False)
    class Alone:
        """Is the same as itself alone."""

        number: int

    assert Same("a") == Same("b")
    assert Same.every == 1
    assert Alone(1) != Alone(1)


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
