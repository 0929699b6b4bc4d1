"""Whom an alarm is about, and whether anybody hears of it."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from warden.core.alarms import Database, Reach, Register, Watch, heard, is_watched, references

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
    register = Register(
        [alarm(StateReason="a long story"), elsewhere, own],
        [over, composite("another", "ALARM(elsewhere)", actions=True)],
        account=ACCOUNT,
    )
    found = register.about(ORDERS, prefix="warden-cluster-orders-")
    assert [one["AlarmName"] for one in found["Metric"]] == ["busy", own["AlarmName"]]
    assert [one["AlarmName"] for one in found["Composite"]] == ["over"]
    assert "StateReason" not in found["Metric"][0]


def names(alarms: list[Any]) -> list[str]:
    return [one["AlarmName"] for one in alarms]


def on(name: str, **dimensions: str) -> dict[str, Any]:
    return alarm(name, Dimensions=[{"Name": word, "Value": value} for word, value in dimensions.items()])


def test_each_database_is_told_of_its_own_alarms_and_of_those_about_anybody() -> None:
    register = Register(
        [
            on("reader", DBInstanceIdentifier="orders-2"),
            on("billing", DBClusterIdentifier="billing"),
            on("all"),
            on("both", DBClusterIdentifier="orders", DBInstanceIdentifier="orders-1"),
            alarm("query", Namespace="", Metrics=[{"Expression": "SELECT MAX(CPUUtilization)"}]),
            on("warden-cluster-orders-x", Other="x"),
        ],
        [],
        account=ACCOUNT,
    )
    found = register.about(ORDERS, prefix="warden-cluster-orders-")
    assert names(found["Metric"]) == ["reader", "all", "both", "query", "warden-cluster-orders-x"]
    billing = Database(name="billing", is_cluster=True, writer="billing-1")
    found = register.about(billing, prefix="warden-cluster-billing-")
    assert names(found["Metric"]) == ["billing", "all", "query"]
    assert names(register.naming(ORDERS)) == ["reader", "both"]
    assert names(register.naming(Database(name="orders"))) == [], "a cluster's name is no instance's"


def test_composite_alarms_are_found_above_others_and_by_their_names() -> None:
    register = Register(
        [on("busy", DBClusterIdentifier="orders"), on("quiet", DBClusterIdentifier="billing")],
        [
            composite("top", "ALARM(middle)", actions=True),
            composite("middle", "ALARM(busy) OR ALARM(top)", actions=False),
            composite("elsewhere", "ALARM(quiet)", actions=True),
            composite("warden-cluster-orders-all", "ALARM(other)", actions=True),
        ],
        account=ACCOUNT,
    )
    found = register.about(ORDERS, prefix="warden-cluster-orders-")
    assert names(found["Composite"]) == ["middle", "warden-cluster-orders-all", "top"]


def work(databases: int) -> int:
    """How many functions are called to tell each of so many databases of its own alarm."""
    names = [f"db-{number}" for number in range(databases)]
    alarms = [on(f"alarm-{name}", DBInstanceIdentifier=name) for name in names]
    rules = [composite(f"over-{name}", f"ALARM(alarm-{name})", actions=True) for name in names]
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        register = Register(alarms, rules, account=ACCOUNT)
        for name in names:
            found = register.about(Database(name=name), prefix=f"warden-instance-{name}-")
            assert (len(found["Metric"]), len(found["Composite"])) == (1, 1)
    finally:
        sys.setprofile(before)
    return calls


def test_twice_the_databases_with_twice_the_alarms_take_twice_the_work() -> None:
    assert work(200) < 2.2 * work(100)
