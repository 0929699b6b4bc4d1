"""Database parameters: what counts as on, and how to write it."""

from __future__ import annotations

_ON = frozenset({"1", "on", "true", "yes"})
_OFF = frozenset({"0", "off", "false", "no"})


def is_on(value: str | None) -> bool | None:
    """Whether a switch is on; None where the spelling is not known (engines write 1, ON, on, true)."""
    if value is None:
        return None
    word = value.strip().lower()
    if word in _ON:
        return True
    return False if word in _OFF else None


def on_spelling(allowed: str | None, default: str) -> str:
    """How this engine spells "on": a member of the parameter's AllowedValues, such as `1` of `0,1`."""
    if allowed:
        for word in allowed.split(","):
            if word.strip().lower() in _ON:
                return word.strip()
    return default
