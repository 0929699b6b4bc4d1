"""Where things lie in a checkout of the project."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "template.yaml"
POLICY = ROOT / "layers" / "policy" / "policy.toml"
FUNCTIONS = ROOT / "functions"
EVENTS = ROOT / "events"


_FORMAT = 3
"""Grows when they are written in another way."""


def models(operations: Mapping[str, tuple[str, ...]], version: str) -> Path:
    """Where `make setup` puts botocore's models of these operations alone, which load in a tenth of the time.

    The name says of which botocore and which operations, so that others are never taken for them.
    """
    what = hashlib.sha256(repr((_FORMAT, sorted(operations.items()))).encode()).hexdigest()[:12]
    return Path(sys.prefix) / "share" / "warden" / f"botocore-{version}-{what}"
