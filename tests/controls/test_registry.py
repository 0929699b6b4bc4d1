"""The registry finds controls by looking, and refuses what is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import warden.controls
from warden.controls import all_controls, collect
from warden.core.errors import ConfigurationError


def module(name: str, **attributes: Any) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(attributes)
    return made


def control(name: str, **changes: Any) -> Any:
    return replace(all_controls()[0], module=name, **changes)


def test_every_file_of_the_package_is_a_control() -> None:
    [folder] = warden.controls.__path__
    files = {path.stem for path in Path(folder).glob("*.py")} - {"__init__"}
    assert {control.id for control in all_controls()} == files
    assert len(files) >= 19


def test_controls_come_in_the_order_of_their_ids_and_are_found_once() -> None:
    ids = [control.id for control in all_controls()]
    assert ids == sorted(ids)
    assert all_controls() is all_controls()
    unsorted = [module(f"x.{name}", CONTROL=control(f"x.{name}", title=name)) for name in ("b", "c", "a")]
    assert [found.id for found in collect(unsorted)] == ["a", "b", "c"]


def test_a_file_without_a_control_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"x\.helpers has no CONTROL"):
        collect([module("x.helpers")])
    with pytest.raises(ConfigurationError, match=r"x\.helpers has no CONTROL"):
        collect([module("x.helpers", CONTROL="something else")])


def test_a_control_that_says_it_is_another_file_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="write module=__name__"):
        collect([module("x.copied", CONTROL=control("x.original"))])


def test_two_controls_of_one_id_or_one_title_are_refused() -> None:
    one = module("x.same", CONTROL=control("x.same", title="One"))
    two = module("y.same", CONTROL=control("y.same", title="Two"))
    with pytest.raises(ConfigurationError, match="already a control 'same'"):
        collect([one, two])
    other = module("x.other", CONTROL=control("x.other", title="One"))
    with pytest.raises(ConfigurationError, match="already a control 'One'"):
        collect([one, other])
