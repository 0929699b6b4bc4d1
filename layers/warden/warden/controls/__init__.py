"""Every control, found by looking: a file in this package is a control, and there is no list to keep by hand.

A control is one file with a module-level `CONTROL`; its id is the file's name. The contract that each must keep is
`tests/controls/test_contract.py`.

To import all of them takes a fifth of a cold start, and an event is about one type of resource. So `index.json`, which
`make generate` writes, says of each control what is asked of it before it judges. A file that it does not know, or
knows otherwise, is an error wherever the index is used: a control that is left out would be silence.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import pkgutil
from typing import TYPE_CHECKING

from warden.core.control import Control, Declaration, Setting
from warden.core.errors import ConfigurationError
from warden.core.lazy import Lazy
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType
    from typing import Any

INDEX = "index.json"
"""Written by `tools/generators/index.py`."""
_STALE = "run `make generate`, and build again"


@functools.cache
def all_controls() -> tuple[Control, ...]:
    """Every control of this package, by id; all of them are imported."""
    names = (info.name for info in pkgutil.iter_modules(__path__))
    return collect(importlib.import_module(f"{__name__}.{name}") for name in names)


@functools.cache
def declared() -> Mapping[str, Declaration]:
    """What each control declares, by id; none is imported. Raises ConfigurationError where files and index differ."""
    folder = __path__[0]
    with open(os.path.join(folder, INDEX), encoding="utf-8") as file:  # noqa: PTH118, PTH123 - pathlib is not imported for it
        found = {name: _declaration(name, row) for name, row in json.load(file).items()}
    files = {name[:-3] for name in os.listdir(folder) if name.endswith(".py")} - {"__init__"}  # noqa: PTH208 - the same
    if different := files ^ found.keys():
        msg = f"{INDEX} and the files of {__name__} differ in {', '.join(sorted(different))}: {_STALE}"
        raise ConfigurationError(msg)
    return found


@functools.cache
def by_id() -> Mapping[str, Control]:
    """The controls by id, each imported when it is asked for; raises ConfigurationError where the index is stale."""
    return Lazy(declared(), lambda name: _imported(declared()[name]))


@functools.cache
def by_type() -> Mapping[ResourceType, tuple[Control, ...]]:
    """The controls by the type that they judge, those of a type imported when it is asked for; else as `by_id`."""
    names: dict[ResourceType, list[str]] = {}
    for one in declared().values():
        names.setdefault(one.resource_type, []).append(one.id)
    return Lazy(names, lambda of_type: tuple(by_id()[name] for name in names[of_type]))


def _declaration(name: str, row: Mapping[str, Any]) -> Declaration:
    return Declaration(
        id=name,
        resource_type=ResourceType(row["resource_type"]),
        settings=tuple(
            Setting(**{**setting, "choices": tuple(setting.get("choices", ()))})
            for setting in row["settings"]
        ),
    )


def _imported(declaration: Declaration) -> Control:
    """The control, which must declare what the index says."""
    (control,) = collect([importlib.import_module(f"{__name__}.{declaration.id}")])
    if Declaration.of(control) != declaration:
        msg = f"{INDEX} and {control.module} differ: {_STALE}"
        raise ConfigurationError(msg)
    return control


def collect(modules: Iterable[ModuleType]) -> tuple[Control, ...]:
    """The controls of these modules, by id; raises ConfigurationError where a module is not one control.

    A file that was copied and still states another's title would be two controls that nobody can tell apart.
    """
    found: dict[str, Control] = {}
    titles: dict[str, str] = {}
    for module in modules:
        control = getattr(module, "CONTROL", None)
        if not isinstance(control, Control):
            msg = f"{module.__name__} has no CONTROL; a file in controls/ is a control"
            raise ConfigurationError(msg)
        if control.module != module.__name__:
            msg = f"{module.__name__}: CONTROL says it is {control.module}; write module=__name__"
            raise ConfigurationError(msg)
        for name, seen in ((control.id, found), (control.title, titles)):
            if name in seen:
                msg = f"{module.__name__}: there is already a control {name!r}"
                raise ConfigurationError(msg)
        found[control.id] = control
        titles[control.title] = control.id
    return tuple(found[name] for name in sorted(found))
