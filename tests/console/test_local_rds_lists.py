from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from console.local.identity import acting_as, assumed_role
from local_rds import a_cluster, a_member, all_pages, an_instance, corrects, refused, the_cluster

if TYPE_CHECKING:
    from console.local.aws import LocalAws


@pytest.fixture
def many(local: LocalAws) -> None:
    for number in range(25):
        local.rds.create_legacy_unencrypted(f"cluster-{number:03d}")


@corrects("pages")
def test_a_long_list_comes_in_pages_of_the_size_asked(rds: Any, many: None):
    first = rds.describe_db_clusters(MaxRecords=20)
    assert len(first["DBClusters"]) == 20
    rest = rds.describe_db_clusters(MaxRecords=20, Marker=first["Marker"])
    assert len(rest["DBClusters"]) == 5
    assert "Marker" not in rest
    for wrong in (19, 101):
        refused("InvalidParameterValue", rds.describe_db_clusters, MaxRecords=wrong)


@pytest.mark.parametrize(
    ("operation", "key"),
    [
        ("describe_db_clusters", "DBClusters"),
        ("describe_db_cluster_snapshots", "DBClusterSnapshots"),
        ("describe_db_cluster_automated_backups", "DBClusterAutomatedBackups"),
    ],
)
@corrects("markers")
def test_every_page_continues_where_the_last_one_ended(rds: Any, many: None, operation: str, key: str):
    found = all_pages(getattr(rds, operation), key, MaxRecords=20)
    names = [one["DBClusterIdentifier"] for one in found]
    assert sorted(names) == [f"cluster-{number:03d}" for number in range(25)]
    by_paginator = [
        one
        for page in rds.get_paginator(operation).paginate(PaginationConfig={"PageSize": 20})
        for one in page[key]
    ]
    assert by_paginator == found


def test_groups_snapshots_and_global_clusters_have_pages_too(rds: Any):
    an_instance(rds)
    for number in range(25):
        rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=f"g-{number}",
            DBParameterGroupFamily="aurora-mysql8.0",
            Description="d",
        )
        rds.create_db_snapshot(DBSnapshotIdentifier=f"s-{number}", DBInstanceIdentifier="reports")
        rds.create_global_cluster(GlobalClusterIdentifier=f"g-{number}", Engine="aurora-mysql")
    for operation, key in (
        ("describe_db_cluster_parameter_groups", "DBClusterParameterGroups"),
        ("describe_db_snapshots", "DBSnapshots"),
        ("describe_global_clusters", "GlobalClusters"),
    ):
        assert "Marker" in getattr(rds, operation)(MaxRecords=20)
        assert len(all_pages(getattr(rds, operation), key, MaxRecords=20)) >= 25


@pytest.mark.parametrize("marker", ["x", "bm9ib2R5OjIw"])
def test_a_marker_of_nobodys_is_refused(rds: Any, marker: str):
    refused("InvalidParameterValue", rds.describe_db_clusters, Marker=marker)


@corrects("global-clusters-from-a-cluster", "global-members-named")
def test_a_cluster_of_any_region_becomes_the_primary_of_a_global_one(local: LocalAws):
    rds = local.client("rds", "eu-west-1")
    arn = a_cluster(rds, StorageEncrypted=True)["DBClusterArn"]
    made = rds.create_global_cluster(GlobalClusterIdentifier="World", SourceDBClusterIdentifier=arn)[
        "GlobalCluster"
    ]
    assert made["GlobalClusterArn"] == "arn:aws:rds::123456789012:global-cluster:world"
    assert (made["StorageEncrypted"], made["StorageEncryptionType"]) == (True, "sse-kms")
    assert the_cluster(rds)["GlobalClusterIdentifier"] == "world"
    secondary = local.client("rds", "us-east-1")
    secondary.create_db_cluster(
        DBClusterIdentifier="orders-us",
        Engine="aurora-postgresql",
        EngineVersion="16.6",
        GlobalClusterIdentifier="world",
    )
    members = secondary.describe_global_clusters()["GlobalClusters"][0]["GlobalClusterMembers"]
    assert [(one["DBClusterArn"].split(":")[3], one["IsWriter"]) for one in members] == [
        ("eu-west-1", True),
        ("us-east-1", False),
    ]
    assert members[0]["Readers"] == [members[1]["DBClusterArn"]]
    refused(
        "InvalidDBClusterStateFault",
        rds.delete_db_cluster,
        DBClusterIdentifier="orders",
        SkipFinalSnapshot=True,
    )


@corrects("global-clusters-modified")
def test_a_global_cluster_is_protected_and_renamed(rds: Any):
    arn = a_cluster(rds)["DBClusterArn"]
    rds.create_global_cluster(GlobalClusterIdentifier="world", SourceDBClusterIdentifier=arn)
    rds.modify_global_cluster(GlobalClusterIdentifier="world", DeletionProtection=True)
    refused("InvalidParameterCombination", rds.delete_global_cluster, GlobalClusterIdentifier="world")
    rds.modify_global_cluster(GlobalClusterIdentifier="world", NewGlobalClusterIdentifier="earth")
    assert the_cluster(rds)["GlobalClusterIdentifier"] == "earth"
    found = rds.describe_global_clusters(GlobalClusterIdentifier="earth")["GlobalClusters"]
    assert [one["DeletionProtection"] for one in found] == [True]


@corrects("global-clusters-found-or-not")
def test_a_missing_global_cluster_is_not_found(rds: Any):
    for call in (rds.describe_global_clusters, rds.delete_global_cluster, rds.modify_global_cluster):
        refused("GlobalClusterNotFoundFault", call, GlobalClusterIdentifier="nobody")
    rds.create_global_cluster(GlobalClusterIdentifier="one", Engine="aurora-mysql")
    rds.create_global_cluster(GlobalClusterIdentifier="two", Engine="aurora-mysql")
    assert len(rds.describe_global_clusters(GlobalClusterIdentifier="two")["GlobalClusters"]) == 1
    refused(
        "GlobalClusterAlreadyExistsFault",
        rds.create_global_cluster,
        GlobalClusterIdentifier="ONE",
        Engine="aurora-mysql",
    )


@corrects("secondaries-detached")
def test_a_secondary_of_another_region_is_detached_and_a_primary_with_secondaries_is_not(local: LocalAws):
    rds = local.client("rds", "eu-west-1")
    arn = a_cluster(rds)["DBClusterArn"]
    rds.create_global_cluster(GlobalClusterIdentifier="world", SourceDBClusterIdentifier=arn)
    other = local.client("rds", "us-east-1")
    other.create_db_cluster(
        DBClusterIdentifier="orders-us",
        Engine="aurora-postgresql",
        EngineVersion="16.6",
        GlobalClusterIdentifier="world",
    )
    secondary = the_cluster(other, "orders-us")["DBClusterArn"]
    leave = {"GlobalClusterIdentifier": "world"}
    refused(
        "InvalidGlobalClusterStateFault", rds.remove_from_global_cluster, **leave, DbClusterIdentifier=arn
    )
    refused("DBClusterNotFoundFault", rds.remove_from_global_cluster, **leave, DbClusterIdentifier=f"{arn}-2")
    rds.remove_from_global_cluster(**leave, DbClusterIdentifier=secondary)
    assert "GlobalClusterIdentifier" not in the_cluster(other, "orders-us")


def test_a_failover_moves_the_writing_region(local: LocalAws):
    rds, other = local.client("rds", "eu-west-1"), local.client("rds", "us-east-1")
    arn = a_cluster(rds)["DBClusterArn"]
    rds.create_global_cluster(GlobalClusterIdentifier="world", SourceDBClusterIdentifier=arn)
    other.create_db_cluster(
        DBClusterIdentifier="orders-us",
        Engine="aurora-postgresql",
        EngineVersion="16.6",
        GlobalClusterIdentifier="world",
    )
    target = the_cluster(other, "orders-us")["DBClusterArn"]
    answer = rds.switchover_global_cluster(GlobalClusterIdentifier="world", TargetDbClusterIdentifier=target)
    writers = [
        one["DBClusterArn"] for one in answer["GlobalCluster"]["GlobalClusterMembers"] if one["IsWriter"]
    ]
    assert writers == [target]


@pytest.fixture
def proxy(local: LocalAws, rds: Any) -> dict[str, Any]:
    ec2 = local.client("ec2")
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]][:2]
    rds.create_db_proxy(
        DBProxyName="orders-proxy",
        EngineFamily="POSTGRESQL",
        Auth=[{"AuthScheme": "SECRETS", "IAMAuth": "REQUIRED"}],
        RoleArn="arn:aws:iam::123456789012:role/proxy",
        VpcSubnetIds=subnets,
    )
    found: dict[str, Any] = rds.describe_db_proxies(DBProxyName="orders-proxy")["DBProxies"][0]
    return found


@corrects("proxies-modified")
def test_a_proxy_is_made_to_require_tls(local: LocalAws, rds: Any, proxy: dict[str, Any]):
    assert (proxy["RequireTLS"], proxy["Status"]) == (False, "available")
    assert proxy["Auth"] == [{"AuthScheme": "SECRETS", "IAMAuth": "REQUIRED"}]
    answer = rds.modify_db_proxy(DBProxyName="orders-proxy", RequireTLS=True)["DBProxy"]
    assert (answer["RequireTLS"], answer["Status"]) == (True, "modifying")
    assert rds.describe_db_proxies()["DBProxies"][0]["RequireTLS"] is True
    local.rds.hold(proxy["DBProxyArn"])
    refused("InvalidDBProxyStateFault", rds.modify_db_proxy, DBProxyName="orders-proxy", RequireTLS=False)
    refused("DBProxyNotFoundFault", rds.modify_db_proxy, DBProxyName="nobody", RequireTLS=True)
    assert rds.delete_db_proxy(DBProxyName="orders-proxy")["DBProxy"]["Status"] == "deleting"
    assert rds.describe_db_proxies()["DBProxies"] == []


@corrects("tags-of-what-exists")
def test_only_what_exists_is_tagged(rds: Any):
    arn = a_cluster(rds, Tags=[{"Key": "env", "Value": "prod"}])["DBClusterArn"]
    rds.add_tags_to_resource(
        ResourceName=arn, Tags=[{"Key": "env", "Value": "test"}, {"Key": "owner", "Value": "me"}]
    )
    assert the_cluster(rds)["TagList"] == [{"Key": "env", "Value": "test"}, {"Key": "owner", "Value": "me"}]
    rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["env"])
    assert rds.list_tags_for_resource(ResourceName=arn)["TagList"] == [{"Key": "owner", "Value": "me"}]
    missing = arn.replace(":orders", ":nobody")
    refused("DBClusterNotFoundFault", rds.add_tags_to_resource, ResourceName=missing, Tags=[])
    refused("DBInstanceNotFound", rds.list_tags_for_resource, ResourceName=arn.replace(":cluster:", ":db:"))
    refused("InvalidParameterValue", rds.add_tags_to_resource, ResourceName="orders", Tags=[])
    refused(
        "InvalidParameterValue",
        rds.add_tags_to_resource,
        ResourceName=arn,
        Tags=[{"Key": "aws:x", "Value": "y"}],
    )


def test_tags_show_in_the_tagging_api_too(local: LocalAws, rds: Any):
    a_cluster(rds, Tags=[{"Key": "env", "Value": "prod"}])
    found = local.client("resourcegroupstaggingapi").get_resources(ResourceTypeFilters=["rds:cluster"])
    assert [one["Tags"] for one in found["ResourceTagMappingList"]] == [[{"Key": "env", "Value": "prod"}]]


@corrects("subscriptions-enabled", "subscriptions-modified")
def test_an_event_subscription_is_on_from_the_start_and_can_be_changed(rds: Any):
    topic = "arn:aws:sns:us-east-1:123456789012:alerts"
    made = rds.create_event_subscription(SubscriptionName="s", SnsTopicArn=topic)["EventSubscription"]
    assert made["Enabled"] is True
    rds.modify_event_subscription(SubscriptionName="s", Enabled=False, EventCategories=["failover"])
    found = rds.describe_event_subscriptions()["EventSubscriptionsList"][0]
    assert (found["Enabled"], found["EventCategoriesList"]) == (False, ["failover"])
    refused("SubscriptionNotFound", rds.modify_event_subscription, SubscriptionName="nobody", Enabled=True)


def test_what_moto_answers_well_is_still_motos(local: LocalAws, rds: Any):
    a_cluster(rds)
    a_member(rds, "orders-1")
    subnets = [one["SubnetId"] for one in local.client("ec2").describe_subnets()["Subnets"]]
    rds.create_db_subnet_group(DBSubnetGroupName="Private", DBSubnetGroupDescription="d", SubnetIds=subnets)
    found = rds.describe_db_subnet_groups(DBSubnetGroupName="private")["DBSubnetGroups"]
    assert [one["DBSubnetGroupName"] for one in found] == ["private"]
    assert a_cluster(rds, "inside", DBSubnetGroupName="private")["DBSubnetGroup"] == "private"
    with pytest.raises(NotImplementedError):
        rds.describe_source_regions()


@corrects("events-of-the-past-hour")
def test_what_rds_told_is_listed_for_as_long_as_is_asked(local: LocalAws, rds: Any):
    a_cluster(rds)
    an_instance(rds)
    found = rds.describe_events(SourceType="db-cluster")["Events"]
    assert [(one["SourceIdentifier"], one["Message"]) for one in found] == [("orders", "DB cluster created")]
    assert {one["SourceType"] for one in rds.describe_events()["Events"]} == {"db-cluster", "db-instance"}
    local.clock.advance(3601)
    rds.stop_db_instance(DBInstanceIdentifier="reports")
    of_reports = {"SourceType": "db-instance", "SourceIdentifier": "reports"}
    lately = rds.describe_events(**of_reports)["Events"]
    assert [(one["Message"], one["EventCategories"]) for one in lately] == [
        ("DB instance stopped", ["notification"])
    ]
    assert len(rds.describe_events(**of_reports, Duration=120)["Events"]) == 2
    assert rds.describe_events(EventCategories=["creation"])["Events"] == []
    refused("InvalidParameterCombination", rds.describe_events, SourceIdentifier="reports")


@corrects("orderable-options")
def test_what_a_class_supports_is_said_for_a_class_and_a_version(rds: Any):
    def offered(engine: str, version: str, name: str) -> list[bool]:
        found = rds.describe_orderable_db_instance_options(
            Engine=engine, EngineVersion=version, DBInstanceClass=name
        )
        return [option["SupportsPerformanceInsights"] for option in found["OrderableDBInstanceOptions"]]

    assert offered("postgres", "16.6", "db.m6g.large") == [True]
    assert offered("mysql", "8.4.3", "db.t3.micro") == [False]
    assert offered("aurora-postgresql", "16.6", "db.serverless") == [True]
    assert offered("postgres", "16.6", "db.serverless") == []
    assert offered("postgres", "16.6", "db.m3.large") == []
    assert offered("sqlserver-se", "15.00.4236.7.v1", "db.m5.large") == [True]


@corrects("retained-instance-backups")
def test_backups_of_an_instance_are_retained_where_that_is_asked(local: LocalAws, rds: Any):
    kept, dropped = an_instance(rds, "kept"), an_instance(rds, "dropped")
    for name, drop in (("kept", False), ("dropped", True)):
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=drop)
    retained = rds.describe_db_instance_automated_backups(
        Filters=[{"Name": "status", "Values": ["retained"]}]
    )["DBInstanceAutomatedBackups"]
    assert [one["DbiResourceId"] for one in retained] == [kept["DbiResourceId"]]
    refused(
        "DBInstanceAutomatedBackupNotFound",
        rds.describe_db_instance_automated_backups,
        DbiResourceId=dropped["DbiResourceId"],
    )


def test_cloudtrail_looks_up_calls_by_name_the_most_recent_first(local: LocalAws, rds: Any):
    for name in ("one", "two"):
        a_cluster(rds, name)
    rds.delete_db_cluster(DBClusterIdentifier="one", SkipFinalSnapshot=True)
    cloudtrail = local.client("cloudtrail")
    created = [{"AttributeKey": "EventName", "AttributeValue": "CreateDBCluster"}]
    first = cloudtrail.lookup_events(LookupAttributes=created, MaxResults=1)
    assert '"two"' in first["Events"][0]["CloudTrailEvent"]
    rest = cloudtrail.lookup_events(LookupAttributes=created, MaxResults=1, NextToken=first["NextToken"])
    assert '"one"' in rest["Events"][0]["CloudTrailEvent"]
    assert "NextToken" not in rest
    assert len(cloudtrail.lookup_events()["Events"]) == 3
    local.clock.advance(60)
    assert cloudtrail.lookup_events(StartTime=local.clock.now())["Events"] == []


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("Username", "deployer", 1),
        ("Username", "local", 1),
        ("Username", "nobody", 0),
        ("EventSource", "rds.amazonaws.com", 2),
        ("ReadOnly", "false", 2),
        ("ReadOnly", "true", 0),
    ],
)
def test_cloudtrail_looks_up_calls_by_who_made_them(
    local: LocalAws, rds: Any, key: str, value: str, found: int
):
    """A role's user name is that of its session: LookupAttributeKey, Username."""
    a_cluster(rds, "one")
    with acting_as(assumed_role("arn:aws:iam::123456789012:role/ci", "deployer")):
        a_cluster(rds, "two")
    wanted = [{"AttributeKey": key, "AttributeValue": value}]
    events = local.client("cloudtrail").lookup_events(LookupAttributes=wanted)["Events"]
    assert len(events) == found


def test_a_call_of_ec2_is_recorded_under_the_id_that_its_answer_has(local: LocalAws):
    """ "requestID: The value that identifies the request. The service being called generates this value.\""""
    ec2 = local.client("ec2")
    ids = [
        ec2.create_security_group(GroupName=name, Description=name)["ResponseMetadata"]["RequestId"]
        for name in ("one", "two")
    ]
    events = local.client("cloudtrail").lookup_events()["Events"]
    assert [json.loads(event["CloudTrailEvent"])["requestID"] for event in events] == ids[::-1]
    assert len(set(ids)) == 2
