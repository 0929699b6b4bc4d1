"""The template as a deployment with default parameters leaves it."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.local.template import LocalTemplate, load_template

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"


@pytest.fixture(scope="session")
def stack() -> LocalTemplate:
    """Transformed once: nobody changes it."""
    return load_template(TEMPLATE)
