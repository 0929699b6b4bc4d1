"""Log groups of databases on the local AWS: made by boto3, read, judged, put right, and judged again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gateways.estate import REGION, Estate
from warden.core.control import ComplianceType
from warden.core.errors import RejectedError, ResourceGoneError
from warden.core.plan import Manual
from warden.core.resource import ResourceRef

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPLIANT, NON_COMPLIANT = ComplianceType.COMPLIANT, ComplianceType.NON_COMPLIANT
GROUP = "/aws/rds/cluster/orders/postgresql"


@pytest.fixture
def estate() -> Iterator[Estate]:
    with Estate() as made:
        rds = made.client("rds")
        rds.create_db_cluster(
            DBClusterIdentifier="orders",
            Engine="aurora-postgresql",
            EngineVersion="16.6",
            MasterUsername="steward",
            MasterUserPassword="correct-horse-battery",
            EnableCloudwatchLogsExports=["postgresql"],
            Tags=[{"Key": "team", "Value": "orders"}],
        )
        made.aws.rds.settle()
        yield made


def arn(estate: Estate, name: str = GROUP) -> str:
    return f"arn:aws:logs:{REGION}:{estate.aws.account}:log-group:{name}"


def group(estate: Estate, name: str = GROUP, **settings: Any) -> str:
    estate.client("logs").create_log_group(logGroupName=name, **settings)
    return arn(estate, name)


def key(estate: Estate) -> str:
    return str(estate.client("kms").create_key()["KeyMetadata"]["Arn"])


def test_only_the_groups_of_databases_that_exist_are_judged(estate: Estate) -> None:
    group(estate)
    for name in (
        "/aws/rds/cluster/orders/postgresql-too/deep",
        "/aws/rds/cluster/gone/postgresql",
        "/aws/rds/instance/orders/postgresql",
        "/aws/rds/proxy/orders",
        "/aws/lambda/orders",
    ):
        group(estate, name)
    assert estate.listed("log_group_retention_sufficient") == [GROUP]
    with pytest.raises(ResourceGoneError):
        estate.reader().read(ResourceRef.from_arn(arn(estate, "/aws/rds/cluster/gone/postgresql")), ())


def test_a_group_is_found_among_those_that_begin_like_it_and_has_its_databases_tags(estate: Estate) -> None:
    group(estate, "/aws/rds/cluster/orders/postgresql-old", kmsKeyId="")
    made = group(estate)
    estate.client("logs").put_retention_policy(logGroupName=GROUP, retentionInDays=30)
    found = estate.reader().read(ResourceRef.from_arn(f"{made}:*"), ())
    assert (found.ref.arn, found.facts["retentionInDays"]) == (made, 30)
    assert found.tags == {"team": "orders"}
    assert found.home == REGION


def test_more_groups_than_fit_on_a_page_are_all_judged(estate: Estate) -> None:
    names = [f"/aws/rds/cluster/orders/log{number}" for number in range(60)]
    for name in names:
        group(estate, name)
    assert estate.listed("log_group_retention_sufficient") == sorted(names)


def test_a_short_retention_is_lengthened_to_the_next_possible_one(estate: Estate) -> None:
    made = group(estate)
    estate.client("logs").put_retention_policy(logGroupName=GROUP, retentionInDays=365)
    assert estate.judged("log_group_retention_sufficient", made).compliance is COMPLIANT
    estate.client("logs").put_retention_policy(logGroupName=GROUP, retentionInDays=30)
    assert estate.judged("log_group_retention_sufficient", made).compliance is NON_COMPLIANT
    fixed = estate.fixed("log_group_retention_sufficient", made, minimum_days=366)
    assert fixed.compliance is COMPLIANT
    assert fixed.evidence["retentionInDays"] == 400


def test_what_is_kept_for_ever_gets_an_end_only_if_the_policy_says_so(estate: Estate) -> None:
    made = group(estate)
    assert estate.judged("log_group_retention_sufficient", made).compliance is NON_COMPLIANT
    told = estate.planned("log_group_retention_sufficient", made)
    assert isinstance(told, Manual)
    assert "never_expires" in told.why
    passes = estate.judged("log_group_retention_sufficient", made, never_expires="passes")
    assert passes.compliance is COMPLIANT
    settings = {"never_expires": "ends", "minimum_days": 14}
    assert estate.judged("log_group_retention_sufficient", made, **settings).compliance is NON_COMPLIANT
    assert isinstance(estate.planned("log_group_retention_sufficient", made, **settings), Manual)
    settings["minimum_days"] = 365
    assert estate.fixed("log_group_retention_sufficient", made, **settings).compliance is COMPLIANT


def test_a_group_without_a_key_gets_the_policys_key_of_its_region(estate: Estate) -> None:
    made, wanted = group(estate), key(estate)
    assert estate.judged("log_group_encrypted", made).compliance is NON_COMPLIANT
    assert isinstance(estate.planned("log_group_encrypted", made), Manual)
    fixed = estate.fixed("log_group_encrypted", made, keys=[wanted])
    assert fixed.compliance is COMPLIANT
    assert fixed.evidence["kmsKeyId"] == wanted
    other = estate.judged("log_group_encrypted", made, approved_keys=[key(estate)])
    assert other.compliance is NON_COMPLIANT


def test_a_key_that_cannot_be_used_is_refused_and_told(estate: Estate) -> None:
    made, wanted = group(estate), key(estate)
    estate.client("kms").disable_key(KeyId=wanted.rpartition("/")[2])
    with pytest.raises(RejectedError, match="not enabled"):
        estate.fixed("log_group_encrypted", made, keys=[wanted])
    assert estate.judged("log_group_encrypted", made).compliance is NON_COMPLIANT


def stream(estate: Estate) -> str:
    kinesis = estate.client("kinesis")
    kinesis.create_stream(StreamName="siem", ShardCount=1)
    return str(kinesis.describe_stream_summary(StreamName="siem")["StreamDescriptionSummary"]["StreamARN"])


def test_a_log_is_delivered_whole_by_a_filter_of_its_own(estate: Estate) -> None:
    made, siem, logs = group(estate), stream(estate), estate.client("logs")
    assert estate.judged("log_group_delivered", made).annotation.endswith("it has no subscription filter.")
    put = {"logGroupName": GROUP, "filterName": "siem", "destinationArn": siem}
    logs.put_subscription_filter(**put, filterPattern="ERROR")
    assert "only what matches 'ERROR'" in estate.judged("log_group_delivered", made).annotation
    logs.put_subscription_filter(**put, filterPattern="")
    assert estate.judged("log_group_delivered", made).compliance is COMPLIANT
    elsewhere = estate.judged("log_group_delivered", made, destinations=[f"{siem}-2"])
    assert elsewhere.compliance is NON_COMPLIANT


def test_a_log_is_delivered_by_a_filter_of_the_account_that_does_not_leave_it_out(estate: Estate) -> None:
    made, logs = group(estate), estate.client("logs")
    policy = {
        "policyName": "siem",
        "policyType": "SUBSCRIPTION_FILTER_POLICY",
        "policyDocument": json.dumps({"DestinationArn": stream(estate), "FilterPattern": ""}),
    }
    logs.put_account_policy(**policy, selectionCriteria=f'LogGroupName NOT IN ["{GROUP}"]')
    assert estate.judged("log_group_delivered", made).compliance is NON_COMPLIANT
    told = estate.planned("log_group_delivered", made)
    assert isinstance(told, Manual)
    assert GROUP in told.steps[0]
    logs.put_account_policy(**policy)
    assert estate.judged("log_group_delivered", made).compliance is COMPLIANT


def test_a_log_that_is_no_longer_exported_need_not_be_delivered(estate: Estate) -> None:
    made = group(estate)
    estate.client("rds").modify_db_cluster(
        DBClusterIdentifier="orders", CloudwatchLogsExportConfiguration={"DisableLogTypes": ["postgresql"]}
    )
    estate.aws.rds.settle()
    assert estate.judged("log_group_delivered", made).compliance is ComplianceType.NOT_APPLICABLE


def test_where_filters_may_not_be_read_only_delivery_is_not_judged(estate: Estate) -> None:
    made = group(estate)
    estate.aws.faults.deny("logs:DescribeSubscriptionFilters")
    assert estate.judged("log_group_delivered", made).compliance is ComplianceType.INSUFFICIENT_DATA
    assert estate.judged("log_group_retention_sufficient", made).compliance is NON_COMPLIANT
