from __future__ import annotations

import pytest

from warden.core.errors import MissingFactError
from warden.core.resource import Deployment, Facts, ResourceRef, ResourceType


def test_an_automated_snapshot_keeps_the_colon_in_its_id():
    ref = ResourceRef.from_arn(
        "arn:aws:rds:eu-west-1:123456789012:cluster-snapshot:rds:orders-2026-11-24-03-10"
    )

    assert ref.resource_type is ResourceType.DB_CLUSTER_SNAPSHOT
    assert ref.id == "rds:orders-2026-11-24-03-10"


def test_the_case_of_the_caller_does_not_make_another_resource():
    assert ResourceRef.from_arn("arn:aws:rds:eu-west-1:123456789012:cluster:Orders") == ResourceRef.from_arn(
        "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
    )


def test_a_global_cluster_has_no_region():
    ref = ResourceRef.build(
        ResourceType.GLOBAL_CLUSTER, partition="aws", region="eu-west-1", account="123456789012", name="world"
    )

    assert ref.arn == "arn:aws:rds::123456789012:global-cluster:world"
    assert ref.region == ""


@pytest.mark.parametrize(
    ("arn", "says"),
    [
        ("orders", "is not an ARN"),
        ("arn:aws:rds:eu-west-1:123456789012:cluster:", "is not an ARN"),
        ("arn:aws:s3:::bucket:x:y", "of the service 's3'"),
        ("arn:aws:rds:eu-west-1:123456789012:og:options", "resource type 'og'"),
    ],
)
def test_what_is_no_arn_of_ours_is_refused_with_its_reason(arn, says):
    with pytest.raises(ValueError, match=says):
        ResourceRef.from_arn(arn)


def test_a_fact_that_is_not_there_says_so_and_get_does_not_hide_it():
    facts = Facts({"Engine": "aurora-mysql"}, {"Members": "rds:DescribeDBInstances was denied"})

    assert facts["Engine"] == "aurora-mysql"
    with pytest.raises(MissingFactError, match="was denied"):
        facts["Members"]
    with pytest.raises(MissingFactError, match="does not hold it"):
        facts.get("Status", "available")
    assert "Members" not in facts
    assert "Engine" in facts


def test_evidence_records_itself():
    facts = Facts({"Engine": "aurora-mysql", "Port": 3306}, {"Members": "denied"})
    facts["Engine"]
    with pytest.raises(MissingFactError):
        facts["Members"]

    assert facts.evidence() == {"Engine": "aurora-mysql", "Members": {"missing": "denied"}}
    assert facts.fresh().evidence() == {}


def test_of_facts_within_facts_only_what_was_read_is_evidence():
    parameters = Facts({"rds.force_ssl": {"ParameterValue": "0"}, "other": {}}, otherwise="not in the family")
    facts = Facts({"Parameters": parameters}).fresh()
    facts["Parameters"]["rds.force_ssl"]
    with pytest.raises(MissingFactError, match="not in the family"):
        facts["Parameters"]["pgaudit.log"]

    assert facts.evidence() == {
        "Parameters": {
            "rds.force_ssl": {"ParameterValue": "0"},
            "pgaudit.log": {"missing": "not in the family"},
        }
    }
    assert parameters.evidence() == {}


@pytest.mark.parametrize(
    ("arn", "refused"),
    [
        ("arn:aws:rds:eu-west-1:123456789012:cluster:orders", None),
        ("arn:aws:rds::123456789012:global-cluster:world", None),
        ("arn:aws:rds:eu-west-1:999999999999:cluster:orders", "account 999999999999"),
        ("arn:aws:rds:us-east-1:123456789012:cluster:orders", "Region us-east-1"),
        ("arn:aws-cn:rds:eu-west-1:123456789012:cluster:orders", "partition aws-cn"),
    ],
)
def test_a_deployment_governs_its_own_account_and_region_alone(arn, refused):
    refusal = Deployment("123456789012", "eu-west-1").refusal(ResourceRef.from_arn(arn))

    assert refusal is None if refused is None else refused in refusal
