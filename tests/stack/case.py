"""One drift of one control, as a row of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from stack.deployed import Deployed

    Seed = Callable[[Deployed, str], str]
    Drift = Callable[[Deployed, str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One drift: `seed` makes what it happens to and gives the ARN that is judged, `drift` is somebody's calls."""

    control: str
    seed: Seed
    drift: Drift
    writes: tuple[str, ...] = ()
    """The calls that put it right; none where a person must."""
    left: str = ""
    """A word of what a person is told to do in the end, where what Warden writes is only a part of the way."""
    seeded: bool = True
    """Whether `seed` makes the resource itself; else the drift does."""
    told: bool = True
    """Whether AWS tells of it; else the sweep has to find it."""
    settings: str = ""
    """What the policy says of the control, where its defaults leave nothing to show."""

    @property
    def name(self) -> str:
        """Of what the drift happens to."""
        return self.control.replace("_", "-")[:40].rstrip("-")
