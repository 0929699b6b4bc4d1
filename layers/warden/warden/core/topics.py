"""SNS topics of an account's own, to which alarms and RDS's events are sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from warden.core.resource import Facts, Resource

_NAME: Final = r"[A-Za-z0-9_-]{1,256}"
NAME_OR_NONE: Final = f"({_NAME})?"
"""What a setting may name: "Topic names must include only uppercase and lowercase ASCII letters, numbers, underscores,
and hyphens, and must be between 1 and 256 characters long" (SNS, CreateTopic: Name). No FIFO topic, whose name ends in
`.fifo`: RDS does not support them."""


def arn(resource: Resource, name: str) -> str:
    """The ARN of the topic of this name in the resource's own account and Region."""
    return f"arn:{resource.ref.partition}:sns:{resource.home}:{resource.ref.account}:{name}"


@dataclass(frozen=True, slots=True)
class OwnTopic:
    """For the write guard: a topic of the resource's own account, and of its Region where its ARN has one."""

    arn_fact: str

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse topics of others, FIFO topics, and what is none: an alarm can also stop a machine."""
        _, partition, _, region, account, *_ = facts[self.arn_fact].split(":")
        form = rf"arn:{partition}:sns:{re.escape(region) or '[a-z0-9-]+'}:{account}:{_NAME}"
        if isinstance(value, str) and re.fullmatch(form, value):
            return None
        return f"{value!r} is no SNS topic of {account}{f' in {region}' if region else ''}"
