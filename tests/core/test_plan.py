from __future__ import annotations

import pytest

from warden.core.plan import Call, Plan, digest, is_about, merge, needs_apply_immediately, written
from warden.core.resource import ResourceRef

CLUSTER = ResourceRef.from_arn("arn:aws:rds:eu-west-1:123456789012:cluster:orders")
GLOBAL = ResourceRef.from_arn("arn:aws:rds::123456789012:global-cluster:world")


def modify(**parameters):
    return Call("ModifyDBCluster", {"DBClusterIdentifier": "orders", **parameters})


def test_fixes_of_one_cluster_become_one_call():
    plans = [
        Plan((modify(DeletionProtection=True),)),
        Plan((modify(EnableIAMDatabaseAuthentication=True, ApplyImmediately=True),)),
        Plan((modify(CloudwatchLogsExportConfiguration={"EnableLogTypes": ["audit"]}),)),
        Plan((modify(CloudwatchLogsExportConfiguration={"EnableLogTypes": ["error", "audit"]}),)),
    ]

    (call,) = merge(plans)

    assert call.parameters == {
        "DBClusterIdentifier": "orders",
        "DeletionProtection": True,
        "EnableIAMDatabaseAuthentication": True,
        "ApplyImmediately": True,
        "CloudwatchLogsExportConfiguration": {"EnableLogTypes": ["audit", "error"]},
    }


def test_plans_that_want_different_values_stay_two_calls():
    calls = merge([Plan((modify(BackupRetentionPeriod=7),)), Plan((modify(BackupRetentionPeriod=35),))])

    assert [call.parameters["BackupRetentionPeriod"] for call in calls] == [7, 35]


def test_settings_of_one_parameter_group_become_one_call_unless_they_disagree():
    def group(**values):
        settings = [{"ParameterName": name, "ParameterValue": value} for name, value in values.items()]
        name = {"DBClusterParameterGroupName": "orders-pg16"}
        return Plan((Call("ModifyDBClusterParameterGroup", {**name, "Parameters": settings}),))

    (call,) = merge([group(log_connections="1"), group(log_disconnections="1"), group(log_connections="1")])
    names = [item["ParameterName"] for item in call.parameters["Parameters"]]
    assert names == ["log_connections", "log_disconnections"]
    assert len(merge([group(log_connections="1"), group(log_connections="0")])) == 2


def test_a_conflict_deep_inside_keeps_the_calls_apart():
    first = modify(Scaling={"MinCapacity": 1})
    second = modify(Scaling={"MinCapacity": 2})

    assert len(merge([Plan((first,)), Plan((second,))])) == 2


def test_calls_on_different_things_are_never_merged():
    other = Call("ModifyDBCluster", {"DBClusterIdentifier": "billing", "DeletionProtection": True})
    instance = Call("ModifyDBInstance", {"DBInstanceIdentifier": "orders", "DeletionProtection": True})

    assert len(merge([Plan((modify(DeletionProtection=True), other, instance))])) == 3
    assert not is_about(Call("Unknown", {}), Call("Unknown", {}))


def test_merging_does_not_change_the_plans_themselves():
    call = modify(CloudwatchLogsExportConfiguration={"EnableLogTypes": ["audit"]})

    merge([Plan((call,)), Plan((modify(CloudwatchLogsExportConfiguration={"EnableLogTypes": ["error"]}),))])

    assert call.parameters["CloudwatchLogsExportConfiguration"] == {"EnableLogTypes": ["audit"]}


def test_apply_immediately_of_one_counts_for_the_merged_call():
    (call,) = merge(
        [Plan((modify(A=1, ApplyImmediately=False),)), Plan((modify(B=1, ApplyImmediately=True),))]
    )

    assert call.parameters["ApplyImmediately"] is True
    assert needs_apply_immediately([call])
    assert not needs_apply_immediately([modify(DeletionProtection=True)])


def test_what_a_call_writes_to_is_an_arn_of_the_resources_own_account():
    group = Call(
        "ModifyDBClusterParameterGroup", {"DBClusterParameterGroupName": "orders-pg16", "Parameters": []}
    )

    assert written(modify(), CLUSTER, region="eu-west-1") == CLUSTER
    assert written(group, CLUSTER, region="eu-west-1").arn == (
        "arn:aws:rds:eu-west-1:123456789012:cluster-pg:orders-pg16"
    )
    change = Call("ModifyGlobalCluster", {"GlobalClusterIdentifier": "world"})
    assert written(change, GLOBAL, region="eu-west-1") == GLOBAL


def test_an_empty_plan_is_refused():
    with pytest.raises(ValueError, match="at least one call"):
        Plan(())


def test_the_digest_changes_with_the_calls():
    assert digest([modify(DeletionProtection=True)]) == digest([modify(DeletionProtection=True)])
    assert digest([modify(DeletionProtection=True)]) != digest([modify(DeletionProtection=False)])
