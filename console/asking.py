"""Asks the person at the terminal, where there is one."""

from __future__ import annotations

import sys


def confirmed(question: str) -> bool:
    """Whether the person says yes; where nobody can be asked, --yes says it."""
    if not sys.stdin.isatty():
        print("Nobody can be asked here; --yes asks for it.")
        return False
    return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
