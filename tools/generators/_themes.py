"""The themes of the controls: the headings under which the shipped policy file has them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tools.generate import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

_POLICY: Final = ROOT / "layers" / "policy" / "policy.toml"
_HEADING: Final = re.compile(r"^##### ([^:#]+?)(?::[^#]*)? #+$", re.MULTILINE)
_CONTROL: Final = re.compile(r"^\[controls\.(\w+)\]$", re.MULTILINE)
_ELSEWHERE: Final = "Not in the policy file"


def themes(controls: Iterable[str]) -> dict[str, list[str]]:
    """Return the ids of the controls by theme, in the order of the policy file; what is not in it comes last."""
    left = dict.fromkeys(controls)
    text = _POLICY.read_text(encoding="utf-8")
    headings = list(_HEADING.finditer(text))
    found: dict[str, list[str]] = {}
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        part = text[heading.end() : following.start() if following else len(text)]
        if ids := [name for name in _CONTROL.findall(part) if name in left]:
            found[heading[1].strip()] = ids
            for name in ids:
                left.pop(name, None)
    return {**found, _ELSEWHERE: list(left)} if left else found
