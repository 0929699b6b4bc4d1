"""Which controls' drift comes without an event: declared, and held against what the controls read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controls import items
from warden.controls import all_controls
from warden.core.evaluation import evaluate
from warden.core.unannounced import silence

if TYPE_CHECKING:
    from warden.core.control import Control


@pytest.mark.parametrize("control", all_controls(), ids=lambda control: control.id)
def test_what_the_passing_of_time_alone_makes_drift_is_declared_to_be_silent(control: Control) -> None:
    if silence(control):
        return
    for example in control.examples:
        resource, settings = (
            items.example_resource(control, example),
            items.example_settings(control, example),
        )
        now = evaluate(control, resource, settings).compliance
        for days in (-4000, -400, -40, 40, 400, 4000):
            then = resource._replace(observed_at=resource.observed_at + timedelta(days=days))
            assert evaluate(control, then, settings).compliance is now, (example.name, days)


def test_most_drift_is_announced() -> None:
    """Else nothing would be counted: the check above would hold if everything were silent."""
    silent = {control.id for control in all_controls() if silence(control)}
    assert len(silent) < len(all_controls()) / 3
    assert silent.isdisjoint(
        {
            "cluster_deletion_protection_enabled",
            "cluster_snapshot_not_public",
            "cluster_tls_enforced",
            "instance_not_publicly_accessible",
            "kms_key_policy_restricted",
            "security_group_not_open_to_world",
        }
    )
