"""Topics that the write guard lets alarms and subscriptions send to."""

from __future__ import annotations

from typing import Any

import pytest

from warden.core.resource import Facts
from warden.core.topics import OwnTopic

TOPIC = "arn:aws:sns:eu-west-1:123456789012:on-call"
CLUSTER = "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
ACCOUNT = "arn:aws:iam::123456789012:root"


def refusal(of: str, value: Any) -> str | None:
    return OwnTopic("Arn").refusal(value, Facts({"Arn": of}))


@pytest.mark.parametrize("of", [CLUSTER, ACCOUNT])
def test_a_topic_of_the_account_is_taken(of: str) -> None:
    assert refusal(of, TOPIC) is None


def test_an_account_is_everywhere_and_a_cluster_in_one_region() -> None:
    elsewhere = TOPIC.replace("eu-west-1", "eu-central-1")
    assert refusal(ACCOUNT, elsewhere) is None
    assert refusal(CLUSTER, elsewhere) == f"{elsewhere!r} is no SNS topic of 123456789012 in eu-west-1"


@pytest.mark.parametrize("of", [CLUSTER, ACCOUNT])
@pytest.mark.parametrize(
    "value",
    [
        TOPIC.replace("123456789012", "666666666666"),
        TOPIC.replace(":aws:", ":aws-cn:"),
        f"{TOPIC}.fifo",
        f"{TOPIC}:subscription",
        f"{TOPIC}\n",
        TOPIC.removesuffix("on-call"),
        "arn:aws:automate:eu-west-1:ec2:stop",
        "arn:aws:lambda:eu-west-1:123456789012:function:on-call",
        "on-call",
        "",
        None,
        [TOPIC],
    ],
)
def test_everything_else_is_refused(of: str, value: Any) -> None:
    assert refusal(of, value) is not None
