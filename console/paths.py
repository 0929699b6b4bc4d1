"""Where things lie in a checkout of the project."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "template.yaml"
POLICY = ROOT / "layers" / "policy" / "policy.toml"
FUNCTIONS = ROOT / "functions"
EVENTS = ROOT / "events"
