"""Whom an alarm is about, and whether anybody hears of it."""

from __future__ import annotations

from typing import Any

import pytest

from warden.core.alarms import Database, Reach, Watch, about, heard, is_watched, references

ACCOUNT = "123456789012"
ORDERS = Database(name="orders", is_cluster=True, writer="orders-1", readers=("orders-2",))
CPU = Watch(metric="CPUUtilization", above=True)
UPTIME = Watch(metric="EngineUptime", reach=Reach.WRITER, above=False)


def alarm(name: str = "busy", *, actions: bool = True, **more: Any) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "ActionsEnabled": True,
        "AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:on-call"] if actions else [],
        "Namespace": "AWS/RDS",
        "MetricName": "CPUUtilization",
        "Dimensions": [{"Name": "DBClusterIdentifier", "Value": "orders"}],
        "Statistic": "Average",
        "ComparisonOperator": "GreaterThanThreshold",
        **more,
    }


def composite(name: str, rule: str, *, actions: bool) -> dict[str, Any]:
    return {**alarm(name, actions=actions), "AlarmRule": rule}


def test_only_what_sets_a_composite_alarm_off_is_under_it() -> None:
    rule = (
        'ALARM("one") OR ALARM(two) AND NOT ALARM(three) AND OK(four) '
        "OR ALARM(arn:aws:cloudwatch:eu-west-1:123456789012:alarm:five)"
    )
    assert references({"AlarmRule": rule}) == {"one", "two", "five"}


def test_an_alarm_is_heard_through_composite_alarms_of_composite_alarms() -> None:
    found = heard(
        {
            "Metric": [alarm("one", actions=False), alarm("two", actions=False)],
            "Composite": [
                composite("inner", "ALARM(one)", actions=False),
                composite("outer", "ALARM(inner)", actions=True),
                composite("mute", "ALARM(two)", actions=False),
            ],
        }
    )
    assert [one["AlarmName"] for one in found] == ["one"]


def test_composite_alarms_that_name_each_other_come_to_an_end() -> None:
    alarms = [composite("a", "ALARM(b)", actions=True), composite("b", "ALARM(a)", actions=True)]
    assert heard({"Metric": [], "Composite": alarms}) == []


@pytest.mark.parametrize(("statistic", "watched"), [("Average", False), ("Minimum", True)])
def test_one_instance_that_is_down_shows_in_the_minimum_of_a_cluster_alone(
    statistic: str, *, watched: bool
) -> None:
    on_all = alarm(
        MetricName="EngineUptime", Statistic=statistic, ComparisonOperator="LessThanOrEqualToThreshold"
    )
    assert is_watched(UPTIME, ORDERS, [on_all], ACCOUNT) is watched


def test_an_alarm_is_about_one_account_one_namespace_and_one_name() -> None:
    assert is_watched(CPU, ORDERS, [alarm()], ACCOUNT)
    assert not is_watched(CPU, ORDERS, [alarm(Namespace="AWS/DocDB")], ACCOUNT)
    other = [{"Name": "DBClusterIdentifier", "Value": "orders-2"}]
    assert not is_watched(CPU, ORDERS, [alarm(Dimensions=other)], ACCOUNT)
    by_class = [{"Name": "DatabaseClass", "Value": "db.r6g.large"}]
    assert not is_watched(CPU, ORDERS, [alarm(Dimensions=by_class)], ACCOUNT)


def test_what_is_not_about_a_database_is_no_fact_of_it() -> None:
    elsewhere = alarm("elsewhere", Dimensions=[{"Name": "DBClusterIdentifier", "Value": "billing"}])
    own = alarm("warden-cluster-orders-CPUUtilization", Namespace="AWS/EC2")
    over = composite("over", "ALARM(busy)", actions=True)
    found = about(
        ORDERS,
        [alarm(StateReason="a long story"), elsewhere, own],
        [over, composite("another", "ALARM(elsewhere)", actions=True)],
        account=ACCOUNT,
        prefix="warden-cluster-orders-",
    )
    assert [one["AlarmName"] for one in found["Metric"]] == ["busy", own["AlarmName"]]
    assert [one["AlarmName"] for one in found["Composite"]] == ["over"]
    assert "StateReason" not in found["Metric"][0]
