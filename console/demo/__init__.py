"""`warden demo`: somebody drifts an audit-trail fleet by plain API calls, and Warden is watched at work.

Nothing is fed by hand: the calls become events on the local bus, and the template decides who hears of them.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from console.demo.fleet import policy_text, seed
from console.demo.scenes import SCENES
from console.demo.story import Story
from console.local.stack import LocalStack

REGION = "us-west-2"


def demo(*, slow: bool = False) -> int:
    """Play the demo; returns 0 when every scene ended as it should, else 1."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        policy = Path(folder) / "policy.toml"
        with LocalStack(mode="remediate", policy=policy, region=REGION) as stack:
            fleet = seed(stack)
            policy.write_text(policy_text(fleet), encoding="utf-8")
            story = Story(stack, slow=slow)
            story.opening(fleet)
            for number, scene in enumerate(SCENES, start=1):
                story.play(number, scene)
            story.second_pass()
            return story.close(seconds=time.monotonic() - started)
