"""Which of the alarms that fire are about a database."""

from __future__ import annotations

import pytest

from warden.core.alarms import Database
from warden.core.errors import PolicyError
from warden.core.health import firing
from warden.core.policy import parse_policy

ORDERS = Database(name="orders", is_cluster=True, writer="orders-1", readers=("orders-2",))
BILLING = Database(name="billing")


def alarm(metric="CPUUtilization", namespace="AWS/RDS", **dimensions):
    return {
        "AlarmName": "a",
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        "ComparisonOperator": "GreaterThanThreshold",
    }


@pytest.mark.parametrize(
    "one",
    [
        alarm(DBClusterIdentifier="orders"),
        alarm(DBClusterIdentifier="orders", Role="READER"),
        alarm(DBInstanceIdentifier="orders-1"),
        alarm(DBInstanceIdentifier="orders-2"),
        {
            "AlarmName": "a",
            "ComparisonOperator": "GreaterThanThreshold",
            "Metrics": [
                {
                    "Id": "m1",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "AWS/RDS",
                            "MetricName": "CPUUtilization",
                            "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "orders-1"}],
                        }
                    },
                }
            ],
        },
    ],
)
def test_an_alarm_that_names_the_cluster_or_an_instance_of_it_is_about_it(one):
    assert firing(ORDERS, [one], "123456789012") == ["a"]


@pytest.mark.parametrize(
    "one",
    [
        alarm(),
        alarm(DBClusterIdentifier="payments"),
        alarm(DBInstanceIdentifier="billing-2"),
        alarm("TotalBackupStorageBilled", DBClusterIdentifier="orders"),
        alarm(namespace="AWS/EC2", DBInstanceIdentifier="orders-1"),
    ],
)
def test_one_about_something_else_or_about_all_databases_or_about_money_is_not(one):
    assert firing(ORDERS, [one], "123456789012") == []


def test_an_instance_is_known_by_its_own_name():
    alarms = [alarm(DBInstanceIdentifier="billing"), alarm(DBClusterIdentifier="billing")]

    assert firing(BILLING, alarms, "123456789012") == ["a"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("failover_minutes = 61", "health.failover_minutes: 61 is not between 0 and 60"),
        ('alarms = "yes"', "health.alarms: 'yes' is not a bool"),
        ("alarm = true", "health.alarm: is not a key"),
    ],
)
def test_the_policy_file_is_refused_with_key_and_remedy(text, message):
    with pytest.raises(PolicyError, match=message):
        parse_policy(f"version = 1\n[health]\n{text}", controls=())
