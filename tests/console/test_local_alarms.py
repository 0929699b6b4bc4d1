"""CloudWatch's alarms on the local AWS, where moto's are unlike them, by the words of the API reference."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from console.local.aws import LocalAws
from local_rds import plain

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def cloudwatch() -> Iterator[Any]:
    with LocalAws(region="eu-west-1") as aws:
        yield aws.client("cloudwatch")


@cache
def reference(shape: str, member: str) -> str:
    """What botocore's copy of the API reference says of a member."""
    model = (
        botocore.session.get_session()
        .get_component("data_loader")
        .load_service_model("cloudwatch", "service-2")
    )
    return plain(model["shapes"][shape]["members"][member]["documentation"])


def put(cloudwatch: Any, name: str, **settings: Any) -> None:
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/RDS",
        MetricName="CPUUtilization",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=90,
        ComparisonOperator="GreaterThanThreshold",
        **settings,
    )


def names(answer: dict[str, Any], kind: str = "MetricAlarms") -> list[str]:
    return [alarm["AlarmName"] for alarm in answer[kind]]


def test_composite_alarms_are_listed_only_where_they_are_asked_for(cloudwatch: Any) -> None:
    words = "If you omit this parameter, only metric alarms are returned, even if composite alarms or log alarms exist"
    assert words in reference("DescribeAlarmsInput", "AlarmTypes")
    put(cloudwatch, "busy")
    cloudwatch.put_composite_alarm(AlarmName="all", AlarmRule="ALARM(busy)")
    found = cloudwatch.describe_alarms()
    assert (names(found), names(found, "CompositeAlarms")) == (["busy"], [])
    found = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])
    assert (names(found), names(found, "CompositeAlarms")) == ([], ["all"])
    found = cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert (names(found), names(found, "CompositeAlarms")) == (["busy"], ["all"])


def test_alarms_come_page_by_page(cloudwatch: Any) -> None:
    words = "The token returned by a previous call to indicate that there is more data available."
    assert words in reference("DescribeAlarmsInput", "NextToken")
    for number in range(3):
        put(cloudwatch, f"busy-{number}")
    first = cloudwatch.describe_alarms(MaxRecords=2)
    assert names(first) == ["busy-0", "busy-1"]
    rest = cloudwatch.describe_alarms(MaxRecords=2, NextToken=first["NextToken"])
    assert names(rest) == ["busy-2"]
    assert "NextToken" not in rest


def test_an_alarm_is_overwritten_and_keeps_its_tags(cloudwatch: Any) -> None:
    words = "If you are using this operation to update an existing alarm, any tags you specify in this parameter are"
    assert words in reference("PutMetricAlarmInput", "Tags")
    put(cloudwatch, "busy", Tags=[{"Key": "made-by", "Value": "us"}], AlarmActions=["arn:aws:sns:a:b:c"])
    put(cloudwatch, "busy", Tags=[{"Key": "made-by", "Value": "them"}])
    (alarm,) = cloudwatch.describe_alarms()["MetricAlarms"]
    assert alarm["AlarmActions"] == []
    tags = cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
    assert tags == [{"Key": "made-by", "Value": "us"}]
