"""The registry finds controls by looking, and refuses what is none."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

import warden.controls
from warden.controls import INDEX, all_controls, by_id, by_type, collect, declared
from warden.core.control import Declaration
from warden.core.errors import ConfigurationError, PolicyError
from warden.core.policy import parse_policy
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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


def test_the_index_says_what_the_controls_declare() -> None:
    assert declared() == {control.id: Declaration.of(control) for control in all_controls()}
    assert [type(setting.default) for one in declared().values() for setting in one.settings] == [
        type(setting.default) for control in all_controls() for setting in control.settings
    ]
    assert tuple(by_id().values()) == all_controls()
    for resource_type in ResourceType:
        of_type = tuple(control for control in all_controls() if control.resource_type is resource_type)
        assert by_type().get(resource_type, ()) == of_type


def test_no_control_is_imported_that_is_not_asked_for() -> None:
    code = """
import sys
from warden.controls import by_type, declared
from warden.core.policy import parse_policy
from warden.core.resource import ResourceType
def imported(): return {name for name in sys.modules if name.startswith("warden.controls.")}
parse_policy("version = 1", controls=declared().values())
assert not imported(), imported()
by_type()[ResourceType.KMS_KEY]
assert imported() and all(".kms_key_" in name for name in imported()), imported()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        "[controls.no_such_control]\nmode = 'ticket'",
        "[controls.account_deletions_leave_backup]\ndays = 15",
        "[controls.account_deletions_leave_backup]\ndays = '7'",
        "[controls.account_deletions_leave_backup]\nno_such_setting = 1",
        "[controls.account_deletions_leave_backup]\naccepted = ['orders']",
        "[baseline]\nno_such_setting = 1",
        "[allow]\ncosts = ['no_such_control']",
    ],
)
def test_a_wrong_policy_is_refused_by_the_index_as_by_the_controls(wrong: str) -> None:
    errors = []
    for controls in (declared().values(), all_controls()):
        with pytest.raises(PolicyError) as error:
            parse_policy(f"version = 1\n{wrong}", controls=controls)
        errors.append(str(error.value))
    assert errors[0] == errors[1]


@pytest.fixture
def reindex(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[Any], None]]:
    """Have the index say something else of the same files."""
    [folder] = warden.controls.__path__
    all_controls()
    cached: Any = (declared, by_id, by_type)

    def forget() -> None:
        for function in cached:
            function.cache_clear()

    def write(change: Callable[[dict[str, Any]], None]) -> None:
        rows = json.loads((Path(folder) / INDEX).read_text(encoding="utf-8"))
        change(rows)
        (tmp_path / INDEX).write_text(json.dumps(rows), encoding="utf-8")
        for path in Path(folder).glob("*.py"):
            (tmp_path / path.name).touch()
        monkeypatch.setattr(warden.controls, "__path__", [str(tmp_path)])
        forget()

    yield write
    monkeypatch.undo()
    forget()


def test_a_control_that_the_index_does_not_know_is_no_silence(reindex: Any) -> None:
    reindex(lambda rows: rows.pop("kms_key_rotation_enabled"))
    with pytest.raises(ConfigurationError, match="differ in kms_key_rotation_enabled: run `make generate`"):
        declared()


def test_a_control_that_is_gone_is_not_declared_any_more(reindex: Any) -> None:
    reindex(lambda rows: rows.update(no_such_control={"resource_type": "AWS::KMS::Key", "settings": []}))
    with pytest.raises(ConfigurationError, match="differ in no_such_control"):
        declared()


def test_a_control_that_declares_otherwise_than_the_index_is_refused(reindex: Any) -> None:
    reindex(lambda rows: rows["account_deletions_leave_backup"]["settings"][0].update(default=8))
    with pytest.raises(ConfigurationError, match=r"index\.json and .*account_deletions_leave_backup differ"):
        by_type()[ResourceType.ACCOUNT]
