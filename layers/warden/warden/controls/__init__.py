"""Every control, found by looking: a file in this package is a control, and there is no list to keep.

A control is one file with a module-level `CONTROL`; its id is the file's name. The contract that each must keep is
`tests/controls/test_contract.py`.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from typing import TYPE_CHECKING

from warden.core.control import Control
from warden.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType


@functools.cache
def all_controls() -> tuple[Control, ...]:
    """Every control of this package, by id."""
    names = (info.name for info in pkgutil.iter_modules(__path__))
    return collect(importlib.import_module(f"{__name__}.{name}") for name in names)


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
