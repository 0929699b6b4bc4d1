"""Writers are asked once an hour, while it matters, and a failure is remembered as one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fakes import NOW, FixedClock
from fakes.connections import MemoryDataApi, MemorySamples
from pipeline.world import TLS, World
from warden.core.errors import AccessDeniedError, TransientError
from warden.core.open_sessions import Access
from warden.pipeline.open_sessions import Sampler

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:warden/look-AbCdEf"
ARN = "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
ACCESS = Access(cluster=ARN, secret=SECRET)
PRINTER = (True, "printer", "10.0.0.5", "orders", "labels", 2)


class Desk:
    def __init__(self, *, drift: bool = True, **facts: Any) -> None:
        self.world = World()
        self.world.cluster(**{"HttpEndpointEnabled": True, **facts})
        if drift:
            self.world.without_tls()
        self.world.sweep()
        self.data_api = MemoryDataApi()
        self.data_api.answer = (PRINTER,)
        self.samples = MemorySamples()
        self.clock: FixedClock = self.world.clock

    def look(self, after: timedelta = timedelta(0), *accesses: Access) -> int:
        self.clock.advance(seconds=after.total_seconds())
        return Sampler(
            accesses=accesses or (ACCESS,),
            controls=(TLS,),
            days=14,
            data_api=self.data_api,
            samples=self.samples,
            findings=self.world.findings,
            reader=self.world.aws,
            clock=self.clock,
            is_ours=[("123456789012", "eu-west-1")],
        ).look()


def test_the_writer_is_asked_once_an_hour_with_the_secret_that_the_policy_names() -> None:
    desk = Desk()
    assert desk.look() == 1
    assert [one.user for one in desk.samples.samples[ARN].clients] == ["printer"]
    assert desk.look(timedelta(minutes=5)) == 0
    assert desk.look(timedelta(minutes=55)) == 1
    assert {access for access, _ in desk.data_api.asked} == {ACCESS}
    assert len(desk.data_api.asked) == 2


def test_nobody_is_asked_while_nothing_is_open_or_the_cluster_is_not_ours() -> None:
    assert Desk(drift=False).look() == 0
    abroad = Access(cluster=ARN.replace("eu-west-1", "us-east-1"), secret=SECRET)
    desk = Desk()
    assert desk.look(timedelta(0), abroad) == 0
    assert desk.data_api.asked == []


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            AccessDeniedError("rds-data:ExecuteStatement: said: no", code="AccessDeniedException"),
            "AccessDenied",
        ),
        (TransientError("rds-data:ExecuteStatement: the password of x is y"), "TransientError"),
    ],
)
def test_a_refusal_is_kept_without_what_the_database_said(error: Exception, told: str) -> None:
    desk = Desk()
    desk.look()
    desk.data_api.answer = error
    desk.look(timedelta(hours=1))
    sample = desk.samples.samples[ARN]
    assert told in sample.why
    assert "said" not in sample.why
    assert "password" not in sample.why
    assert [one.user for one in sample.clients] == ["printer"]
    assert sample.at == NOW + timedelta(hours=1)


def test_a_cluster_without_the_data_api_is_told_so() -> None:
    desk = Desk(HttpEndpointEnabled=False)
    assert desk.look() == 1
    assert "not enabled" in desk.samples.samples[ARN].why
    assert desk.data_api.asked == []
