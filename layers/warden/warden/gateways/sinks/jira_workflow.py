"""Which transition of a Jira workflow leads where: by the category of the status, since names are the team's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

DONE = "done"
"""Keys of status categories are the same in every language: `new`, `indeterminate` and `done`."""
_OPEN = ("new", "indeterminate")


def category(status: Mapping[str, Any] | None) -> str:
    """The key of a status' category."""
    return str(((status or {}).get("statusCategory") or {}).get("key") or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a team calls things; compared without regard to case."""

    wont_fix: frozenset[str]
    """Resolutions, and statuses of the category done, by which somebody says that nothing will be done."""
    resolve: str = ""
    """The name of the transition that closes; empty for whichever leads to done."""
    reopen: str = ""
    """The name of the transition that opens again; empty for whichever leads out of done."""
    resolution: str = ""
    """The resolution that a closed issue gets; empty for the first that is none of `wont_fix`."""

    def is_wont_fix(self, name: object) -> bool:
        """Whether a resolution or a status says that nothing will be done."""
        return str(name).casefold() in self.wont_fix


def closing(transitions: Sequence[Mapping[str, Any]], words: Words) -> Mapping[str, Any] | None:
    """The transition that closes as done, not as "won't do"; None where there is none from here."""
    if words.resolve:
        return _named(transitions, words.resolve)
    done = [one for one in transitions if category(one.get("to")) == DONE]
    for one in done:
        names = (one.get("name"), (one.get("to") or {}).get("name"))
        if not any(words.is_wont_fix(name) for name in names):
            return one
    return None


def between(transitions: Sequence[Mapping[str, Any]], seen: Collection[str]) -> Mapping[str, Any] | None:
    """A transition to a status in between that was not passed yet: some workflows close in more than one step."""
    for one in transitions:
        to = one.get("to") or {}
        if category(to) == "indeterminate" and str(to.get("id")) not in seen:
            return one
    return None


def reopening(transitions: Sequence[Mapping[str, Any]], words: Words) -> Mapping[str, Any] | None:
    """The transition that opens again; None where there is none from here."""
    if words.reopen:
        return _named(transitions, words.reopen)
    for wanted in _OPEN:
        for one in transitions:
            if category(one.get("to")) == wanted:
                return one
    return None


def resolution(transition: Mapping[str, Any], words: Words) -> dict[str, Any]:
    """The field that a transition's screen has for a resolution, filled; nothing where it has none."""
    field = (transition.get("fields") or {}).get("resolution")
    if not field:
        return {}
    names = [str(value.get("name")) for value in field.get("allowedValues") or ()]
    chosen = words.resolution or next((name for name in names if not words.is_wont_fix(name)), "")
    return {"resolution": {"name": chosen}} if chosen else {}


def _named(transitions: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any] | None:
    wanted = name.casefold()
    return next((one for one in transitions if str(one.get("name")).casefold() == wanted), None)
