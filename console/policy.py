"""`warden policy check`: whether a policy file can be deployed, and what it means."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from warden.controls import all_controls
from warden.wiring import load_policy

_SOON = timedelta(days=30)


def check(file: str) -> int:
    """Parse the file and say what it allows; a PolicyError names file, key and remedy."""
    policy = load_policy(file)
    enabled = [control for control in all_controls() if policy.is_enabled(control.id)]
    modes = Counter(policy.modes.get(control.id, policy.default_mode).word for control in enabled)
    print(f"{file}: valid, version {policy.version}")
    print(f"  {len(enabled)} controls: " + ", ".join(f"{n} {mode}" for mode, n in sorted(modes.items())))
    limits = policy.limits
    print(
        f"  at most {limits.writes_per_hour} writes an hour (containment {limits.containment_writes_per_hour}), "
        f"{limits.attempts} remediations of a finding in {limits.attempts_window_hours} hours"
    )
    today = datetime.now(UTC).date()
    for exemption in policy.exemptions:
        left = exemption.expires - today
        if left < timedelta(0):
            state = "EXPIRED: no longer in force"
        elif left <= _SOON:
            state = f"expires in {left.days} days"
        else:
            state = f"until {exemption.expires}"
        where = exemption.resource or f"account {exemption.account}"
        print(f"  exempt: {exemption.control} of {where}, owner {exemption.owner}: {state}")
    for freeze in policy.freezes:
        print(f"  freeze: {freeze.start:%Y-%m-%d %H:%M} to {freeze.end:%Y-%m-%d %H:%M} UTC: {freeze.reason}")
    return 0
