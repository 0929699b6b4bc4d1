"""What is made when it is asked for: and what is not made must never look as if it were not there."""

from __future__ import annotations

import pytest

from warden.core.lazy import Lazy


def broken(key: str) -> int:
    """Makes nothing, in the way of a control whose import looks something up in vain."""
    raise KeyError(key)


def test_each_value_is_made_once_and_when_it_is_asked_for() -> None:
    made: list[str] = []
    lazy = Lazy("ab", lambda key: made.append(key) or key.upper())
    assert (list(lazy), len(lazy), made) == (["a", "b"], 2, [])
    assert (lazy["a"], lazy["a"], lazy.get("a")) == ("A", "A", "A")
    assert made == ["a"]


def test_what_is_no_key_has_the_default() -> None:
    lazy = Lazy("ab", str.upper)
    assert (lazy.get("c"), lazy.get("c", ()), "c" in lazy) == (None, (), False)
    with pytest.raises(KeyError):
        lazy["c"]


def test_what_cannot_be_made_is_an_error_and_no_absence() -> None:
    lazy = Lazy("ab", broken)
    assert "a" in lazy
    for ask in (lambda: lazy["a"], lambda: lazy.get("a"), lambda: lazy.get("a", ())):
        with pytest.raises(KeyError, match="a"):
            ask()
