"""How fast RDS is asked: by one process, by several that share a row, and after a throttling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateways.estate import REGION, Estate
from warden.core.errors import ThrottledError
from warden.core.tokens import Draw, Rate
from warden.gateways.clients import Clients
from warden.gateways.pace import LocalBucket, Pace, SharedBucket
from warden.gateways.rds import Rds

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from fakes.tables import Tables

ACCOUNT = "123456789012"
NOW = 1_800_000_000.0
RATE = Rate(per_second=3, burst=6, everywhere=True)


class Time:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def pace(bucket, time, *, most=1, patience=100.0, rate=RATE):
    return Pace(rate, bucket, Draw(most=most), patience=patience, clock=time, sleep=time.sleep)


def shared(dynamodb: DynamoDBClient, tables: Tables) -> SharedBucket:
    return SharedBucket(dynamodb, tables.state, account=ACCOUNT, region=REGION)


def test_the_burst_is_free_and_the_rest_waits_for_the_rate():
    time = Time()
    one = pace(LocalBucket(), time)
    for _ in range(6 + 30):
        one.take()

    assert time.now - NOW == pytest.approx(10, abs=0.1)


def test_two_processes_that_share_a_row_are_no_faster_together(dynamodb, tables):
    time = Time()
    both = [pace(shared(dynamodb, tables), time, most=most) for most in (1, 3)]
    for _ in range(18):
        for one in both:
            one.take()

    # What one of them has drawn and not used yet is the one thing that is lost.
    assert time.now - NOW == pytest.approx((36 - 6) / 3, abs=1.1)


def test_who_would_have_to_wait_for_too_long_is_told_so_and_takes_nothing(dynamodb, tables):
    time = Time()
    hurried = pace(shared(dynamodb, tables), time, patience=0.2)
    for _ in range(6):
        hurried.take()

    with pytest.raises(ThrottledError, match="requests a second to RDS are spent"):
        hurried.take()
    time.now += 1
    hurried.take()


def test_a_row_that_somebody_else_wrote_is_a_full_bucket_and_not_the_end(dynamodb, tables):
    dynamodb.put_item(
        TableName=tables.state,
        Item={"pk": {"S": f"tokens#{ACCOUNT}#{REGION}"}, "sk": {"S": "rds"}, "revision": {"N": "7"}},
    )

    pace(shared(dynamodb, tables), Time()).take()

    row = dynamodb.get_item(
        TableName=tables.state, Key={"pk": {"S": f"tokens#{ACCOUNT}#{REGION}"}, "sk": {"S": "rds"}}
    )["Item"]
    assert (row["left"]["N"], row["revision"]["N"]) == ("5000", "8")


# --- in front of a client -----------------------------------------------------------------------------------


def paced(time: Time, **more: Any) -> Rds:
    clients = Clients(account=ACCOUNT, pace=lambda: pace(LocalBucket(), time, **more))
    return Rds(clients, account=ACCOUNT, region=REGION)


def test_each_attempt_takes_a_token_and_a_throttling_slows_all_that_follow():
    time = Time()
    with Estate() as estate:
        api = paced(time)
        estate.aws.faults.inject("DescribeDBProxies", "Throttling", times=1)
        api.call("DescribeDBProxies")
        after = time.now
        api.call("DescribeDBProxies")

    # The second attempt found the bucket empty, filled at half of the rate.
    assert after - NOW == pytest.approx(1 / 1.5, abs=0.01)
    assert time.now - after > 0.5


def test_a_call_that_may_not_wait_is_throttled_and_is_not_made():
    with Estate() as estate:
        api = paced(Time(), patience=0.0)
        for _ in range(6):
            api.call("DescribeDBProxies")
        with pytest.raises(ThrottledError):
            api.call("DescribeDBProxies")
        made = [call for call in estate.aws.calls if call.operation == "DescribeDBProxies"]

    assert len(made) == 7, "botocore hears of the seventh, and does not send it"


def test_an_endpoint_of_nobody_is_as_fast_as_it_can_be_unless_somebody_names_a_rate(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    for everywhere, waits in ((False, 0), (True, 1)):
        time = Time()
        clients = Clients(
            account=ACCOUNT,
            pace=lambda time=time, everywhere=everywhere: pace(
                LocalBucket(), time, rate=Rate(per_second=1, burst=1, everywhere=everywhere)
            ),
        )
        client = clients.get("rds", account=ACCOUNT, region=REGION)
        for _ in range(2):
            client.meta.events.emit("before-send.rds.DescribeDBClusters", request=None)

        assert time.now - NOW == pytest.approx(waits, abs=0.01)
